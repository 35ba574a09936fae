/*
 * Any bytes as a request to seki-login, as a file of a session or of a PIN, and as a proof: what is taken is bounded,
 * and is written as it was read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/gate/protocol.h"
#include "lib/login/protocol.h"
#include "lib/login/record.h"
#include "queue/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
	if (!truth)
		abort();
}

static void same(struct buf *again, const char *text, size_t len)
{
	demand(buf_ok(again) && again->len == len && memcmp(again->bytes, text, len) == 0);
	buf_free(again);
}

static void as_request(const char *line, size_t len)
{
	static struct login_request request;
	struct buf again;
	char *whole;

	if (!login_request_parse(line, len, &request))
		return;
	buf_init(&again, LOGIN_REQUEST_MAX);
	login_request_begin(&again, login_verb_name(request.verb));
	for (size_t i = 0; i < request.words; i++) {
		demand(login_request_value(&request, request.word[i].key) == request.word[i].value);
		gate_request_add(&again, request.word[i].key, request.word[i].value);
	}
	gate_request_end(&again);
	whole = malloc(len + 1);
	demand(whole != NULL);
	memcpy(whole, line, len);
	whole[len] = '\n';
	same(&again, whole, len + 1);
	free(whole);
	login_request_wipe(&request);
}

/* With the sum that a file would have, and a name that it may say. */
static void as_file(const char *bytes, size_t len)
{
	unsigned char name[RECORD_NAME_LEN];
	struct record_session session;
	struct record_pin pin;
	char hex[DIGEST_HEX];
	struct buf file, again;

	buf_init(&file, RECORD_MAX);
	buf_add(&file, bytes, len);
	if (buf_ok(&file)) {
		digest_of(bytes, len, hex);
		buf_addf(&file, "sum %s\n", hex);
	}
	buf_init(&again, RECORD_MAX);
	record_name("token", name);
	if (buf_ok(&file) && record_session_read(file.bytes, file.len, name, &session)) {
		demand(strlen(session.address) < GATE_ADDRESS_MAX && session.begun >= 0);
		record_session_write(&session, &again);
		demand(buf_ok(&again));
		demand(record_session_read(again.bytes, again.len, name, &session));
	}
	buf_clear(&again);
	record_name("a@x.example", name);
	if (buf_ok(&file) && record_pin_read(file.bytes, file.len, name, &pin)) {
		demand(strcmp(pin.address, "a@x.example") == 0);
		record_pin_write(&pin, &again);
		demand(buf_ok(&again) && again.len == file.len &&
		       memcmp(again.bytes, file.bytes, file.len) == 0);
	}
	buf_free(&again);
	buf_free(&file);
}

/* Nobody can make one without the key. */
static void as_proof(const char *text, size_t len)
{
	static const struct gate_key key = {{7}};
	static const char cap[] = "AQMAAAHI6ccBogjuLVLQDAnrHoWeQIyDY0B2HSwInOajMOI2MvbRW0mOTM1J";

	demand(gate_proof_read(&key, text, len, 0, cap) == GATE_FORGED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	demand(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	as_request(text, size);
	as_file(text, size);
	as_proof(text, size);
	free(text);
	return 0;
}
