#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/smtp/relay_table.h"

#define SECRETS_MAX   256
#define NAME_LETTERS  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
#define FIELD_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

/* Name, colon, blank, value, newline, and one byte more, so that a longer file is seen. */
#define TEXT_MAX (RELAY_SECRET_FIELD_MAX + RELAY_SECRET_VALUE_MAX + 4)

/* ---- "Name: value" ---- */

/* Fields that a message has anyway, or by which it is shown or answered: none of them is a proof,
 * and a message must not lose them. */
static bool ordinary(const char *field)
{
	static const char *const fields[] = {"From", "To", "Cc", "Bcc", "Subject", "Date",
	    "Message-ID", "Received", "Sender", "Reply-To", "Return-Path", "MIME-Version"};

	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		if (strcasecmp(field, fields[i]) == 0)
			return true;
	}
	return strncasecmp(field, "Content-", 8) == 0;
}

/* What stands before the colon is told only if it is known to be no part of a secret. */
static bool parse_field(
    struct relay_secret *secret, const char *text, size_t len, struct conf_fault *fault)
{
	if (len > RELAY_SECRET_FIELD_MAX || strspn(text, FIELD_LETTERS) != len)
		return conf_blame(fault, 1, 1,
		    "the name of a header field, letters, digits and hyphens, at most %d, was "
		    "expected before the colon",
		    RELAY_SECRET_FIELD_MAX);
	if (len == 0)
		return conf_blame(fault, 1, 1, "the name of a header field is missing");

	memcpy(secret->field, text, len);
	secret->field[len] = '\0';
	if (ordinary(secret->field))
		return conf_blame(fault, 1, 1,
		    "%s is in other mail, too: choose a name of your own, such as X-Example-Proof",
		    secret->field);
	return true;
}

static bool parse_value(struct relay_secret *secret, const char *text, size_t len, unsigned column,
    struct conf_fault *fault)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] < ' ' || text[i] > '~')
			return conf_blame(fault, 1, column + (unsigned)i,
			    text[i] == '\r' ? "a carriage return: the line ends in a newline alone"
					    : "not a printable ASCII character");
	}
	if (len > 0 && text[0] == ' ')
		return conf_blame(fault, 1, column, "a second blank before the value");
	if (len > 0 && text[len - 1] == ' ')
		return conf_blame(
		    fault, 1, column + (unsigned)len - 1, "a blank at the end of the value");
	if (len < RELAY_SECRET_VALUE_MIN)
		return conf_blame(
		    fault, 1, column, "too short to be a secret: openssl rand -hex 32 makes one");
	if (len > RELAY_SECRET_VALUE_MAX)
		return conf_blame(fault, 1, column, "longer than %d bytes", RELAY_SECRET_VALUE_MAX);

	memcpy(secret->value, text, len);
	secret->value[len] = '\0';
	return true;
}

/* `text` has a NUL behind its `len` bytes. */
static bool parse(
    struct relay_secret *secret, const char *text, size_t len, struct conf_fault *fault)
{
	const char *colon;
	size_t at;

	if (len > 0 && text[len - 1] == '\n')
		len--;
	if (memchr(text, '\n', len) != NULL)
		return conf_blame(
		    fault, 0, 0, "more than one line: one header field was expected, Name: value");
	colon = memchr(text, ':', len);
	if (colon == NULL)
		return conf_blame(
		    fault, 1, 1, "no colon: a header field was expected, Name: value");

	at = (size_t)(colon - text);
	if (!parse_field(secret, text, at, fault))
		return false;
	at++;
	if (at < len && text[at] == ' ')
		at++;
	return parse_value(secret, text + at, len - at, (unsigned)at + 1, fault);
}

/* ---- the file ---- */

static bool check_file(int fd, const char *name, struct conf_fault *fault)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return conf_blame(fault, 0, 0, "cannot be read: %s", strerrordesc_np(errno));
	if (!S_ISREG(st.st_mode))
		return conf_blame(fault, 0, 0, "is not a regular file");
	if ((st.st_mode & S_IRWXO) != 0)
		return conf_blame(fault, 0, 0,
		    "is open to everybody on this machine: chmod 0640 etc/secrets/%s, and make a "
		    "new secret",
		    name);
	return true;
}

/* Without stdio, which would leave a copy behind. */
static bool read_text(int fd, char text[TEXT_MAX + 1], size_t *len, struct conf_fault *fault)
{
	ssize_t n;

	*len = 0;
	do {
		n = read(fd, text + *len, TEXT_MAX - *len);
		if (n > 0)
			*len += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	text[*len] = '\0';

	if (n < 0)
		return conf_blame(fault, 0, 0, "cannot be read: %s", strerrordesc_np(errno));
	if (*len == TEXT_MAX)
		return conf_blame(fault, 0, 0,
		    "is too long: one header field was expected, Name: value, the value of at most "
		    "%d bytes",
		    RELAY_SECRET_VALUE_MAX);
	return true;
}

static bool read_file(int fd, struct relay_secret *secret, struct conf_fault *fault)
{
	char text[TEXT_MAX + 1];
	size_t len;
	bool good;

	good = check_file(fd, secret->name, fault) && read_text(fd, text, &len, fault) &&
	       parse(secret, text, len, fault);
	explicit_bzero(text, sizeof text);
	return good;
}

/* Opens it, or blames the word that names it. */
static int open_file(
    int etc, const char *name, unsigned line, unsigned column, struct conf_fault *fault)
{
	int folder = openat(etc, "secrets", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = -1, why;

	if (folder >= 0)
		fd =
		    openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	why = errno;
	if (folder >= 0)
		(void)close(folder);

	if (fd < 0 && why == ENOENT)
		(void)conf_blame(fault, line, column, "the file etc/secrets/%s is missing", name);
	else if (fd < 0 && why == ELOOP)
		(void)conf_blame(fault, line, column,
		    "etc/secrets/%s is a symbolic link: a regular file was expected", name);
	else if (fd < 0)
		(void)conf_blame(fault, line, column, "etc/secrets/%s cannot be opened: %s", name,
		    strerrordesc_np(why));
	return fd;
}

/* ---- the list ---- */

static const struct relay_secret *known(const struct relay *relay, const char *name, size_t *n)
{
	*n = 0;
	for (const struct relay_secret *s = relay->secrets; s != NULL; s = s->next) {
		if (strcmp(s->name, name) == 0)
			return s;
		(*n)++;
	}
	return NULL;
}

const struct relay_secret *relay_read_secret(struct relay *relay, int etc, const char *name,
    unsigned line, unsigned column, struct conf_fault *fault)
{
	size_t len = strlen(name), n;
	const struct relay_secret *there = known(relay, name, &n);
	struct relay_secret *secret;
	bool good;
	int fd;

	if (there != NULL)
		return there;
	if (len == 0 || len > RELAY_SECRET_NAME_MAX || name[0] == '.' ||
	    strspn(name, NAME_LETTERS) != len) {
		(void)conf_blame(fault, line, column,
		    "the name of a file in etc/secrets/ was expected: letters, digits, - _ . "
		    "(at most %d, the first no .)",
		    RELAY_SECRET_NAME_MAX);
		return NULL;
	}
	secret = n < SECRETS_MAX ? calloc(1, sizeof *secret) : NULL;
	if (secret == NULL) {
		(void)conf_blame(fault, line, column,
		    n < SECRETS_MAX ? "no memory" : "more than %d secrets", SECRETS_MAX);
		return NULL;
	}
	fd = open_file(etc, name, line, column, fault);
	if (fd < 0) {
		free(secret);
		return NULL;
	}

	/* In the list at once, whatever comes of it: there it will be wiped. */
	memcpy(secret->name, name, len + 1);
	secret->next = relay->secrets;
	relay->secrets = secret;
	good = read_file(fd, secret, fault);
	(void)close(fd); /* only read: nothing can be lost */
	if (good)
		return secret;
	(void)snprintf(fault->file, sizeof fault->file, "etc/secrets/%s", name);
	return NULL;
}

void relay_free_secrets(struct relay *relay)
{
	while (relay->secrets != NULL) {
		struct relay_secret *secret = relay->secrets;

		relay->secrets = secret->next;
		explicit_bzero(secret, sizeof *secret);
		free(secret);
	}
}
