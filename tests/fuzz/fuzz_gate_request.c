/* Any bytes as a request at the people's door: what is taken is bounded, and can be written again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/gate/gate.h"
#include "lib/gate/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
	if (!truth)
		abort();
}

static void write_again(const struct gate_request *request, const char *line, size_t len)
{
	char credential[GATE_SESSION_TEXT + sizeof "session="];
	struct buf again;

	demand(strlen(request->credential) < GATE_SESSION_TEXT);

	(void)snprintf(credential, sizeof credential, "%s%s",
	    request->session ? "session=" : "cap=", request->credential);
	buf_init(&again, GATE_REQUEST_MAX);
	gate_request_begin(&again, credential, gate_verb_name(request->verb));
	for (size_t i = 0; i < request->words; i++) {
		demand(gate_request_value(request, request->word[i].key) == request->word[i].value);
		gate_request_add(&again, request->word[i].key, request->word[i].value);
	}
	gate_request_end(&again);
	demand(buf_ok(&again) && again.len == len + 1 && memcmp(again.bytes, line, len) == 0);
	buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct gate_request request;
	char *line = malloc(size + 1);

	demand(line != NULL);
	memcpy(line, data, size);
	if (gate_request_parse(line, size, &request))
		write_again(&request, line, size);
	free(line);
	return 0;
}
