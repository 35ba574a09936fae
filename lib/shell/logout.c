/* logout: ends all sessions of a person on people's pages, in his stead. */
#include "lib/shell/shell.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "lib/base/die.h"
#include "lib/gate/protocol.h"
#include "lib/login/ask.h"
#include "lib/shell/out.h"
#include "lib/shell/who.h"

/* "ADDRESS: N sessions ended", or what was answered for -j. */
static int print(const struct shell *sh, const char *address, const struct buf *text)
{
	json_t *answer = json_loadb(text->bytes, text->len, JSON_REJECT_DUPLICATES, NULL);
	const char *result = json_string_value(json_object_get(answer, "result"));
	const char *why = json_string_value(json_object_get(answer, "why"));
	int code = EXIT_FINE;
	struct out o;

	if (result == NULL) {
		complain("seki-login answers what is no answer");
		code = EXIT_ENVIRON;
	} else if (strcmp(result, "done") != 0) {
		complain_about(address, "%s", why != NULL ? why : result);
		code = EXIT_NO;
	}
	out_open(&o, sh, NULL);
	if (sh->json && result != NULL)
		(void)fprintf(o.file, "%.*s\n", (int)text->len, text->bytes);
	else if (code == EXIT_FINE)
		(void)fprintf(o.file, "%s: %lld sessions ended\n", address,
		    (long long)json_integer_value(json_object_get(answer, "sessions")));
	json_decref(answer);
	return out_close(&o, code);
}

int shell_logout(const struct shell *sh, int argc, char **argv)
{
	char by[WHO_ROOM];
	struct buf request, answer;
	int code = EXIT_ENVIRON;

	if (argc != 1)
		return complain_usage("an address is expected");
	who(by);
	buf_init(&request, LOGIN_REQUEST_MAX);
	buf_init(&answer, LOGIN_ANSWER_MAX);
	login_request_begin(&request, "end");
	gate_request_add(&request, "address", argv[0]);
	gate_request_add(&request, "by", by);
	gate_request_end(&request);
	if (!buf_ok(&request))
		code = complain_usage("the address is too long");
	else if (!login_ask(LOGIN_SOCKET, &request, LOGIN_PATIENCE, &answer))
		complain_about(LOGIN_SOCKET, "no answer: %s", strerrordesc_np(errno));
	else
		code = print(sh, argv[0], &answer);
	buf_free(&request);
	buf_free(&answer);
	return code;
}
