/* gate: asks at the people's door of seki-hold, in somebody's name: for help desks, and for tests. */
#include "lib/shell/shell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/gate/client.h"
#include "lib/gate/gate.h"
#include "lib/org/org.h"
#include "lib/shell/out.h"

#define PATIENCE     (30 * CLOCK_SECOND)
#define SESSION_TIME (300 * CLOCK_SECOND) /* of one that is made for a single question */
#define CHUNK        ((size_t)65536)
#define CREDENTIAL   (GATE_SESSION_TEXT + sizeof "session=")

/* ---- who asks ----------------------------------------------------------------------------- */

/* A session for `address`, which only who can read the key can make. */
static int make_session(const char *address, char credential[CREDENTIAL])
{
	char normal[ORG_ADDRESS_MAX], session[GATE_SESSION_TEXT];
	struct gate_key key;
	bool made;

	if (!org_normal(address, normal)) {
		complain_about(address, "is no address");
		return EXIT_USAGE;
	}
	if (!gate_key_read(false, &key)) {
		complain_about(
		    GATE_KEY_FILE, "%s; seki-hold makes it when it starts", strerrordesc_np(errno));
		return EXIT_ENVIRON;
	}
	made = gate_session_write(&key, normal, clock_wall() + SESSION_TIME, session);
	gate_key_forget(&key);
	if (!made) {
		complain_about(address, "no session can be made for it");
		return EXIT_ENVIRON;
	}
	(void)snprintf(credential, CREDENTIAL, "session=%s", session);
	return EXIT_FINE;
}

/* As it stands in a request, or the token of a link, or the link itself. */
static int take_credential(const char *text, char credential[CREDENTIAL])
{
	const char *token = strstr(text, "/gate/m/?");
	const char *kind = "";
	size_t kind_len, len;

	if (token != NULL)
		text = token + strlen("/gate/m/?");
	if (strncmp(text, "s1.", 3) == 0)
		kind = "session=";
	else if (strchr(text, '=') == NULL)
		kind = "cap=";
	kind_len = strlen(kind);
	len = strlen(text);
	if (kind_len + len >= CREDENTIAL)
		return complain_usage("the credential is too long");
	memcpy(credential, kind, kind_len);
	memcpy(credential + kind_len, text, len + 1);
	return EXIT_FINE;
}

/* ---- what is asked ------------------------------------------------------------------------ */

static int write_request(struct buf *request, const char *credential, int argc, char **argv)
{
	gate_request_begin(request, credential, argv[0]);
	for (int i = 1; i < argc; i++) {
		char *value = strchr(argv[i], '=');

		if (value == NULL || value == argv[i])
			return complain_usage("KEY=VALUE is expected behind the verb");
		*value++ = '\0';
		gate_request_add(request, argv[i], value);
	}
	gate_request_end(request);
	if (buf_ok(request))
		return EXIT_FINE;
	return complain_usage("the request is too long");
}

/* ---- what is answered --------------------------------------------------------------------- */

static int copy_body(struct out *o, const json_t *answer, int leg)
{
	json_int_t at = json_integer_value(json_object_get(answer, "offset"));
	json_int_t left = json_integer_value(json_object_get(answer, "size"));
	char *chunk = malloc(CHUNK);
	int code = chunk != NULL ? EXIT_FINE : EXIT_ENVIRON;

	while (code == EXIT_FINE && left > 0) {
		size_t want = left < (json_int_t)CHUNK ? (size_t)left : CHUNK;
		ssize_t n = pread(leg, chunk, want, (off_t)at);

		if (n <= 0) {
			complain("the mail cannot be read");
			code = EXIT_ENVIRON;
			break;
		}
		(void)fwrite(chunk, 1, (size_t)n, o->file);
		at += n;
		left -= n;
	}
	free(chunk);
	return code;
}

/* The mail itself for `body`, unless JSON is wanted; else the answer as it came. */
static int print(const struct shell *sh, const struct buf *text, int leg)
{
	json_t *answer = json_loadb(text->bytes, text->len, JSON_REJECT_DUPLICATES, NULL);
	const char *result = json_string_value(json_object_get(answer, "result"));
	int code = result != NULL && strcmp(result, "done") == 0 ? EXIT_FINE : EXIT_NO;
	struct out o;

	out_open(&o, sh, NULL);
	if (leg >= 0 && !sh->json && !sh->terminal) {
		code = worse(code, copy_body(&o, answer, leg));
	} else {
		if (sh->terminal)
			out_visible(o.file, text->bytes, text->len, false);
		else
			(void)fwrite(text->bytes, 1, text->len, o.file);
		(void)fputc('\n', o.file);
	}
	if (result == NULL) {
		complain("seki-hold answers what is no answer");
		code = EXIT_ENVIRON;
	}
	json_decref(answer);
	return out_close(&o, code);
}

int shell_gate(const struct shell *sh, int argc, char **argv)
{
	char credential[CREDENTIAL] = "";
	struct buf request, answer;
	bool as = argc > 0 && strcmp(argv[0], "--as") == 0;
	int skip = as ? 2 : 1, code, leg = -1;

	if (argc <= skip)
		return complain_usage("a credential, or --as ADDRESS, and a verb are expected");
	code = as ? make_session(argv[1], credential) : take_credential(argv[0], credential);
	if (code != EXIT_FINE)
		return code;
	buf_init(&request, GATE_REQUEST_MAX);
	buf_init(&answer, GATE_ANSWER_MAX);
	code = write_request(&request, credential, argc - skip, argv + skip);
	if (code == EXIT_FINE && !gate_ask(GATE_SOCKET, &request, PATIENCE, &answer, &leg)) {
		complain_about(GATE_SOCKET, "no answer: %s", strerrordesc_np(errno));
		code = EXIT_ENVIRON;
	}
	if (code == EXIT_FINE)
		code = print(sh, &answer, leg);
	if (leg >= 0)
		(void)close(leg);
	explicit_bzero(credential, sizeof credential);
	buf_free(&request);
	buf_free(&answer);
	return code;
}
