/* seki-web(8): people's pages about their mail. */
#include <sys/socket.h>

#include <jansson.h>

#include "lib/base/die.h"
#include "lib/base/local.h"
#include "lib/base/log.h"
#include "lib/base/ready.h"
#include "lib/base/reload.h"
#include "lib/web/say.h"
#include "lib/web/web.h"

#ifdef __SANITIZE_ADDRESS__
/* In the sandbox no leak can be looked for. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

int main(int argc, char **argv)
{
	static struct web web;
	char fault[512], token[64];
	int listener, signals;

	(void)argv;
	if (argc != 1) {
		LOG("usage",
		    kv("text", "seki-web, without arguments, in the instance's directory"));
		return EXIT_USAGE;
	}
	ready_keep_fd();
	if (!web_read(&web, fault, sizeof fault)) {
		reload_answer("seki-web", false, fault);
		die_config(fault);
	}
	signals = local_signals();
	say_open(WEB_LOCALE);
	/* What cryptography and the tables of JSON objects open they open here, once for all workers. */
	web_form_token("-", token);
	json_object_seed(0);
	listener = local_listen(WEB_SOCKET, SOMAXCONN);
	if (listener < 0)
		die_environ("making " WEB_SOCKET);

	/* Whoever asked for a reload while we were starting has his answer too. */
	reload_answer("seki-web", true, "");
	web_run(&web, listener, signals, ready_tell);
	web_free(&web);
	return EXIT_FINE;
}
