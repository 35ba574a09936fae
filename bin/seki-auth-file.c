/* seki-auth-file(8): checks a password against etc/passwd. */
#include "lib/auth/back.h"
#include "lib/auth/passwd.h"

static enum check_code check(const struct back *b)
{
	enum check_code code = CHECK_WRONG;
	struct buf file;
	const char *wrong;

	buf_init(&file, PASSWD_FILE_MAX);
	wrong = passwd_read(PASSWD_PATH, &file);
	if (wrong != NULL) {
		code = back_later(b, PASSWD_PATH " cannot be used", wrong);
	} else {
		switch (passwd_check(file.bytes, file.len, b->login, b->password)) {
		case PASSWD_RIGHT:
			code = CHECK_RIGHT;
			break;
		case PASSWD_FAILED:
			code = back_later(b, "hashing a password", "no memory");
			break;
		case PASSWD_WRONG:
			break;
		}
	}
	buf_free(&file);
	return code;
}

int main(int argc, char **argv)
{
	struct back b;

	if (argc < 1)
		back_usage("seki-auth-file [PROGRAM...]");
	back_begin(&b, "seki-auth-file", BACK_NO_PRIVILEGES);
	back_end(&b, check(&b), argv + 1);
}
