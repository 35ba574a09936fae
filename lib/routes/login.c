#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/routes/table.h"

#define NAME_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."

/* Login, blank, password, newline, and one byte more, so that a longer file is seen. */
#define TEXT_MAX (2 * ROUTE_LOGIN_TEXT + 2)

bool route_login_name_good(const char *name, size_t len)
{
	return len > 0 && len <= LOGIN_NAME_BYTES_MAX && name[0] != '.' &&
	       strspn(name, NAME_LETTERS) >= len;
}

/* ---- "login password" ---- */

/* What is wrong is told without a word of what stands there. */
static bool parse(struct route_login *login, const char *text, size_t len, struct conf_fault *fault)
{
	size_t first;

	if (len > 0 && text[len - 1] == '\n')
		len--;
	if (memchr(text, '\n', len) != NULL)
		return conf_blame(fault, 0, 0,
		    "more than one line: a login, one blank and a password were expected");
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return conf_blame(fault, 1, (unsigned)i + 1, "a control character");
	}

	for (first = 0; first < len && text[first] != ' '; first++)
		;
	if (first == 0)
		return conf_blame(fault, 1, 1, "the login is missing");
	if (len - first < 2)
		return conf_blame(fault, 1, (unsigned)first + 1,
		    "the password is missing: a login, one blank and a password were expected");
	if (text[first + 1] == ' ' || text[len - 1] == ' ')
		return conf_blame(fault, 1, (unsigned)first + 2,
		    "one blank stands before the password, and none behind it");
	if (first >= ROUTE_LOGIN_TEXT || len - first - 1 >= ROUTE_LOGIN_TEXT)
		return conf_blame(fault, 1, first >= ROUTE_LOGIN_TEXT ? 1 : (unsigned)first + 2,
		    "longer than %d bytes", ROUTE_LOGIN_TEXT - 1);

	memcpy(login->login, text, first);
	memcpy(login->password, text + first + 1, len - first - 1);
	return true;
}

/* ---- the file ---- */

/*
 * Root reads everything, and an operator is root: what counts is whether the stages can, to whose group
 * the folder belongs.
 */
static bool stages_can_read(const struct stat *file, int etc)
{
	struct stat folder;

	return geteuid() != 0 || fstatat(etc, "logins", &folder, 0) != 0 ||
	       (file->st_gid == folder.st_gid && (file->st_mode & S_IRGRP) != 0);
}

static bool check_file(int fd, int etc, const char *name, struct conf_fault *fault)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return conf_blame(fault, 0, 0, "cannot be read: %s", strerrordesc_np(errno));
	if (!S_ISREG(st.st_mode))
		return conf_blame(fault, 0, 0, "is not a regular file");
	if ((st.st_mode & S_IRWXO) != 0)
		return conf_blame(fault, 0, 0,
		    "is open to everybody on this machine: chmod 0640 etc/logins/%s, and change "
		    "the password",
		    name);
	if (!stages_can_read(&st, etc))
		return conf_blame(fault, 0, 0,
		    "cannot be read by the gateway: chgrp seki etc/logins/%s; chmod 0640 "
		    "etc/logins/%s",
		    name, name);
	return true;
}

/* Without stdio, which would leave a copy behind. */
static bool read_text(int fd, char text[TEXT_MAX], size_t *len, struct conf_fault *fault)
{
	ssize_t n;

	*len = 0;
	do {
		n = read(fd, text + *len, TEXT_MAX - *len);
		if (n > 0)
			*len += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));

	if (n < 0)
		return conf_blame(fault, 0, 0, "cannot be read: %s", strerrordesc_np(errno));
	if (*len == TEXT_MAX)
		return conf_blame(fault, 0, 0,
		    "is too long: one line was expected, a login, one blank and a password");
	return true;
}

static int open_file(int etc, const char *name, struct conf_fault *fault)
{
	int folder = openat(etc, "logins", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = -1, why;

	if (folder >= 0)
		fd =
		    openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	why = errno;
	if (folder >= 0)
		(void)close(folder);

	if (fd < 0 && why == ENOENT)
		(void)conf_blame(fault, 0, 0, "the file etc/logins/%s is missing", name);
	else if (fd < 0 && why == ELOOP)
		(void)conf_blame(fault, 0, 0,
		    "etc/logins/%s is a symbolic link: a regular file was expected", name);
	else if (fd < 0)
		(void)conf_blame(
		    fault, 0, 0, "etc/logins/%s cannot be opened: %s", name, strerrordesc_np(why));
	return fd;
}

bool route_login_read(
    int etc, const char *name, struct route_login *login, struct conf_fault *fault)
{
	char text[TEXT_MAX];
	size_t len = 0;
	bool good;
	int fd;

	*fault = (struct conf_fault){.line = 0};
	memset(login, 0, sizeof *login);
	if (!route_login_name_good(name, strlen(name)))
		return conf_blame(fault, 0, 0, "no name of a file in etc/logins/");
	fd = open_file(etc, name, fault);
	if (fd < 0)
		return false;

	good = check_file(fd, etc, name, fault) && read_text(fd, text, &len, fault) &&
	       parse(login, text, len, fault);
	(void)close(fd); /* only read: nothing can be lost */
	explicit_bzero(text, sizeof text);
	if (good)
		return true;
	route_login_wipe(login);
	(void)snprintf(fault->file, sizeof fault->file, "etc/logins/%s", name);
	return false;
}

void route_login_wipe(struct route_login *login)
{
	explicit_bzero(login, sizeof *login);
}
