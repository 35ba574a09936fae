#include "lib/auth/back.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/base/die.h"
#include "lib/base/log.h"

void back_usage(const char *text)
{
	LOG("usage", kv("text", text));
	_exit(CHECK_MISUSED);
}

static void harden(enum back_privileges privileges)
{
	const struct rlimit none = {0, 0};

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0)
		die_environ("forbidding dumps");
	if (privileges == BACK_NO_PRIVILEGES && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		die_environ("forbidding new privileges");
}

/* Reads to the end; a question that fills the room is too long. Returns its length, or 0. */
static size_t read_question(char *bytes, size_t room)
{
	size_t len = 0;

	while (len < room) {
		ssize_t n = read(CHECK_FD, bytes + len, room - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return 0;
		if (n == 0)
			return len;
		len += (size_t)n;
	}
	return 0;
}

/* A line that a client injected must never be one of ours. */
static bool harmless(const char *text, size_t most)
{
	size_t len = strlen(text);

	return len >= 1 && len <= most && strpbrk(text, "\r\n") == NULL;
}

void back_begin(struct back *b, const char *name, enum back_privileges privileges)
{
	const char *login_end, *password_end;
	size_t len;

	b->name = name;
	harden(privileges);
	len = read_question(b->bytes, sizeof b->bytes);
	(void)close(CHECK_FD);

	login_end = memchr(b->bytes, '\0', len);
	if (login_end == NULL)
		back_usage("no question on descriptor 3: this program is started by seki-auth");
	b->login = b->bytes;
	b->password = login_end + 1;
	password_end = memchr(b->password, '\0', len - (size_t)(b->password - b->bytes));
	if (password_end == NULL)
		back_usage("half a question on descriptor 3");

	/* An empty password makes some servers answer as if nobody had asked to be somebody. */
	if (!harmless(b->login, AUTH_LOGIN_MAX) || !harmless(b->password, AUTH_PASSWORD_MAX))
		back_end(b, CHECK_WRONG, NULL);
}

enum check_code back_later(const struct back *b, const char *why, const char *detail)
{
	LOG("auth-trouble", kv("program", b->name), kv("login", b->login), kv("why", why),
	    kv("detail", detail));
	return CHECK_LATER;
}

void back_end(struct back *b, enum check_code code, char **program)
{
	explicit_bzero(b->bytes, sizeof b->bytes);
	if (code == CHECK_RIGHT && program != NULL && program[0] != NULL) {
		(void)alarm(0);
		(void)signal(SIGPIPE, SIG_DFL);
		(void)execvp(program[0], program);
		LOG("auth-trouble", kv("program", b->name), kv("why", program[0]), kv_errno(errno));
		_exit(CHECK_LATER);
	}
	_exit((int)code);
}
