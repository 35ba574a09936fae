/* seki-auth-imap(8): checks a password by logging in to an IMAP server. */
#include <stdio.h>

#include "lib/auth/back.h"
#include "lib/auth/dialog.h"
#include "lib/auth/remote.h"

#define USAGE "seki-auth-imap [--starttls] [--ca FILE] HOST[:PORT] [PROGRAM...]"

int main(int argc, char **argv)
{
	struct remote_words words;
	struct remote *r;
	struct back b;
	enum check_code code;
	const char *why;

	if (argc < 2 || !remote_words(argv, "993", "143", &words))
		back_usage(USAGE);
	back_begin(&b, "seki-auth-imap", BACK_NO_PRIVILEGES);
	r = remote_open(&words, &why);
	if (r == NULL)
		back_end(&b, back_later(&b, words.host, why), NULL);

	code = dialog_imap(remote_wire(r), words.starttls, b.login, b.password);
	if (code == CHECK_LATER)
		code = back_later(&b, words.host, remote_wire(r)->why);
	remote_close(r);
	back_end(&b, code, words.program);
}
