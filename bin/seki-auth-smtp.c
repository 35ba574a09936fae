/* seki-auth-smtp(8): checks a password by AUTH at an SMTP server. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/auth/back.h"
#include "lib/auth/dialog.h"
#include "lib/auth/remote.h"

#define USAGE "seki-auth-smtp [--starttls] [--ca FILE] HOST[:PORT] [PROGRAM...]"

/* The machine's name, or a literal if that could not be said in EHLO. */
static void find_host(char host[REMOTE_HOST_MAX + 1])
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789.-";

	if (gethostname(host, REMOTE_HOST_MAX + 1) != 0)
		host[0] = '\0';
	host[REMOTE_HOST_MAX] = '\0';
	if (host[0] == '\0' || strspn(host, good) != strlen(host))
		(void)snprintf(host, REMOTE_HOST_MAX + 1, "[127.0.0.1]");
}

int main(int argc, char **argv)
{
	char host[REMOTE_HOST_MAX + 1];
	struct remote_words words;
	struct remote *r;
	struct back b;
	enum check_code code;
	const char *why;

	if (argc < 2 || !remote_words(argv, "465", "587", &words))
		back_usage(USAGE);
	back_begin(&b, "seki-auth-smtp", BACK_NO_PRIVILEGES);
	find_host(host);
	r = remote_open(&words, &why);
	if (r == NULL)
		back_end(&b, back_later(&b, words.host, why), NULL);

	code = dialog_smtp(remote_wire(r), words.starttls, host, b.login, b.password);
	if (code == CHECK_LATER)
		code = back_later(&b, words.host, remote_wire(r)->why);
	remote_close(r);
	back_end(&b, code, words.program);
}
