#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "lib/auth/ask.h"
#include "lib/auth/passwd.h"
#include "lib/base/die.h"
#include "lib/shell/out.h"
#include "lib/shell/shell.h"

#define NEW_FILE "passwd.new"
#define OLD_FILE "passwd"
#define MODE     0640
#define GROUP    "sekia" /* seki-auth reads the file, and nobody else */
#define ROOM     (PASSWD_MAX + 2)

/* ---- asking for a password ---- */

/* One line of standard input without its newline. Its length, or -1 if there is none or too much. */
static ssize_t read_line(int signals, char text[ROOM])
{
	struct pollfd p[2] = {
	    {.fd = STDIN_FILENO, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
	size_t len = 0;

	while (len < ROOM - 1) {
		char c;
		ssize_t n;

		if (poll(p, signals >= 0 ? 2 : 1, -1) < 0 && errno != EINTR)
			return -1;
		if (signals >= 0 && p[1].revents != 0)
			return -1;
		n = read(STDIN_FILENO, &c, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || (n == 0 && len == 0))
			return -1;
		if (n == 0 || c == '\n')
			break;
		text[len++] = c;
	}
	text[len] = '\0';
	return (ssize_t)len;
}

/* Asks on the terminal, which shows nothing of it, and is as before whatever signal comes. */
static ssize_t ask_terminal(const char *prompt, char text[ROOM])
{
	struct termios before, silent;
	sigset_t ends, old;
	ssize_t len = -1;
	int signals;

	if (tcgetattr(STDIN_FILENO, &before) != 0)
		return -1;
	(void)sigemptyset(&ends);
	(void)sigaddset(&ends, SIGINT);
	(void)sigaddset(&ends, SIGTERM);
	(void)sigaddset(&ends, SIGHUP);
	(void)sigaddset(&ends, SIGQUIT);
	(void)sigaddset(&ends, SIGTSTP);
	if (sigprocmask(SIG_BLOCK, &ends, &old) != 0)
		return -1;
	signals = signalfd(-1, &ends, SFD_NONBLOCK | SFD_CLOEXEC);

	silent = before;
	silent.c_lflag &= (tcflag_t)~ECHO;
	silent.c_lflag |= ECHONL;
	if (signals >= 0 && tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0) {
		/* Only now: what is typed at the prompt must neither show nor be flushed away. */
		(void)fputs(prompt, stderr);
		len = read_line(signals, text);
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	}
	if (signals >= 0)
		(void)close(signals);
	/* A signal that came is taken here, and ends us. */
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	return len;
}

static bool password_good(const char *text, ssize_t len)
{
	if (len < 0)
		complain("no password was given");
	else if (len == 0)
		complain("an empty password lets nobody in");
	else if ((size_t)len > PASSWD_MAX)
		complain("a password has at most %zu bytes", PASSWD_MAX);
	else if (strlen(text) != (size_t)len || strchr(text, '\r') != NULL)
		complain("a password without NUL and carriage return is expected");
	else
		return true;
	return false;
}

static bool ask_password(char text[ROOM])
{
	char again[ROOM];
	ssize_t len;
	bool same;

	if (isatty(STDIN_FILENO) != 1)
		return password_good(text, read_line(-1, text));

	if (!password_good(text, ask_terminal("New password: ", text)))
		return false;
	len = ask_terminal("Once more: ", again);
	same = len >= 0 && strcmp(text, again) == 0;
	explicit_bzero(again, sizeof again);
	if (!same)
		complain("these were two different passwords; nothing is changed");
	return same;
}

/* ---- the file ---- */

/* Owner and mode of the new file: of the old one, or root's and readable by seki-auth. */
static bool set_owner(int etc, int fd)
{
	struct stat st;
	const struct group *group;

	if (fstatat(etc, OLD_FILE, &st, 0) == 0) {
		mode_t mode = st.st_mode & (S_IRWXU | S_IRGRP);

		return fchown(fd, st.st_uid, st.st_gid) == 0 && fchmod(fd, mode) == 0;
	}
	if (errno != ENOENT)
		return false;
	if (geteuid() != 0)
		return fchmod(fd, MODE) == 0; /* a trial: everything is one user's */
	group = getgrnam(GROUP);
	if (group == NULL) {
		complain("there is no group " GROUP);
		return false;
	}
	return fchown(fd, 0, group->gr_gid) == 0 && fchmod(fd, MODE) == 0;
}

static bool write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
	}
	return true;
}

/* Puts the new content in the old one's place: either is there, whole, whatever happens. */
static bool replace(int etc, const struct buf *content)
{
	int fd;
	bool good;

	/* We hold the lock: this is what somebody left behind who was killed. */
	if (unlinkat(etc, NEW_FILE, 0) != 0 && errno != ENOENT)
		return false;
	fd = openat(etc, NEW_FILE, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	good = write_all(fd, content->bytes, content->len) && set_owner(etc, fd) && fsync(fd) == 0;
	good = close(fd) == 0 && good;
	if (good && renameat(etc, NEW_FILE, etc, OLD_FILE) == 0 && fsync(etc) == 0)
		return true;
	(void)unlinkat(etc, NEW_FILE, 0);
	return false;
}

/* With the lock: reads, changes and writes. `hash` NULL deletes. */
static int edit(int etc, const char *login, const char *hash)
{
	struct buf old, new;
	const char *wrong;
	int code = EXIT_ENVIRON;
	bool there;

	buf_init(&old, PASSWD_FILE_MAX);
	buf_init(&new, PASSWD_FILE_MAX);
	wrong = passwd_read(PASSWD_PATH, &old);
	if (wrong != NULL && faccessat(etc, OLD_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		complain(PASSWD_PATH ": %s", wrong);
		goto done;
	}
	there = passwd_edit(old.bytes, old.len, login, hash, &new);
	if (hash == NULL && !there) {
		complain_about(login, "no such login in " PASSWD_PATH);
		code = EXIT_NO;
	} else if (!buf_ok(&new)) {
		complain(PASSWD_PATH " would become too large");
	} else if (!replace(etc, &new)) {
		complain(PASSWD_PATH " cannot be written: %s", strerrordesc_np(errno));
	} else {
		code = EXIT_FINE;
	}
done:
	buf_free(&old);
	buf_free(&new);
	return code;
}

/* The lock is the directory's: nobody else takes one there. */
static int locked_edit(const char *login, const char *hash)
{
	int etc = open("etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int code = EXIT_ENVIRON;

	if (etc < 0 || flock(etc, LOCK_EX) != 0)
		complain("etc/ cannot be locked: %s", strerrordesc_np(errno));
	else
		code = edit(etc, login, hash);
	if (etc >= 0)
		(void)close(etc);
	return code;
}

/* ---- the command ---- */

static int set(const char *login)
{
	char password[ROOM], hash[PASSWD_HASH_MAX + 1];
	int code = EXIT_NO;

	if (!ask_password(password)) {
		code = EXIT_NO;
	} else if (!passwd_hash(password, hash)) {
		complain("the password cannot be hashed: %s", strerrordesc_np(errno));
		code = EXIT_ENVIRON;
	} else {
		code = locked_edit(login, hash);
	}
	explicit_bzero(password, sizeof password);
	return code;
}

static void put_login(void *context, const char *login, size_t len)
{
	struct out *o = context;

	out_bytes(o, "login", login, len);
	out_end(o);
}

static int list(const struct shell *sh)
{
	struct buf file;
	struct out o;
	const char *wrong;
	int code = EXIT_FINE;

	buf_init(&file, PASSWD_FILE_MAX);
	wrong = passwd_read(PASSWD_PATH, &file);
	out_open(&o, sh, "LOGIN");
	if (wrong == NULL) {
		passwd_list(file.bytes, file.len, put_login, &o);
	} else if (access(PASSWD_PATH, F_OK) == 0) {
		complain(PASSWD_PATH ": %s", wrong);
		code = EXIT_ENVIRON;
	}
	buf_free(&file);
	return out_close(&o, code);
}

int shell_passwd(const struct shell *sh, int argc, char **argv)
{
	bool delete = argc > 0 && strcmp(argv[0], "-d") == 0;

	if (argc == 1 && strcmp(argv[0], "-l") == 0)
		return list(sh);
	argc -= delete ? 1 : 0;
	argv += delete ? 1 : 0;
	if (argc != 1 || argv[0][0] == '-')
		return complain_usage("passwd LOGIN, passwd -d LOGIN or passwd -l is expected; a "
				      "password is never an argument");
	if (!passwd_login_good(argv[0]) || strlen(argv[0]) > AUTH_LOGIN_MAX)
		return complain_usage("a login has 1 to %zu bytes, no ':' or control character, "
				      "and no '#' in front",
		    AUTH_LOGIN_MAX);
	return delete ? locked_edit(argv[0], NULL) : set(argv[0]);
}
