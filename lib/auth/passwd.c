#include "lib/auth/passwd.h"

#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#define SCHEME    "$y$"
#define READ_STEP ((size_t)65536)

_Static_assert(PASSWD_HASH_MAX + 1 == CRYPT_OUTPUT_SIZE, "crypt.h says how long a hash can be");
_Static_assert(PASSWD_MAX + 1 == CRYPT_MAX_PASSPHRASE_SIZE, "crypt.h says how long a password is");

bool passwd_login_good(const char *login)
{
	size_t len = strlen(login);

	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)login[i] < ' ' || login[i] == 0x7f || login[i] == ':')
			return false;
	}
	return len > 0 && login[0] != '#';
}

/* ---- the file ---- */

static const char *read_all(int fd, struct buf *b)
{
	for (;;) {
		char *end = buf_reserve(b, READ_STEP);
		ssize_t n = end != NULL ? read(fd, end, READ_STEP) : -1;

		if (end == NULL)
			return "it is too large";
		if (n == 0)
			return b->len > 0 && b->bytes[b->len - 1] != '\n'
				   ? "its last line has no end"
				   : NULL;
		if (n < 0 && errno != EINTR)
			return strerrordesc_np(errno);
		if (n > 0)
			b->len += (size_t)n;
	}
}

const char *passwd_read(const char *path, struct buf *b)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	const char *wrong = NULL;
	struct stat st;

	if (fd < 0)
		return errno == ENOENT ? "it is not there" : strerrordesc_np(errno);
	if (fstat(fd, &st) != 0)
		wrong = strerrordesc_np(errno);
	else if (!S_ISREG(st.st_mode))
		wrong = "it is no regular file";
	else if ((st.st_mode & (S_IRWXO | S_IWGRP)) != 0)
		wrong = "others may read or change it: chmod 0640";
	else
		wrong = read_all(fd, b);
	(void)close(fd); /* only read: nothing can be lost */
	errno = 0;
	return wrong;
}

/* ---- lines ---- */

struct line {
	const char *start;
	size_t whole; /* with the newline */
	const char *login;
	size_t login_len; /* 0: a line without a meaning */
	const char *hash;
	size_t hash_len;
};

/* The line at *at, and moves behind it. False at the end. */
static bool next_line(const char *bytes, size_t len, size_t *at, struct line *line)
{
	const char *start, *newline, *colon;
	size_t text;

	if (*at >= len)
		return false;
	start = bytes + *at;
	newline = memchr(start, '\n', len - *at);
	text = newline != NULL ? (size_t)(newline - start) : len - *at;
	*line = (struct line){.start = start, .whole = text + (newline != NULL ? 1 : 0)};
	*at += line->whole;

	colon = start[0] != '#' ? memchr(start, ':', text) : NULL;
	if (colon != NULL) {
		line->login = start;
		line->login_len = (size_t)(colon - start);
		line->hash = colon + 1;
		line->hash_len = text - line->login_len - 1;
	}
	return true;
}

static bool is_login(const struct line *line, const char *login)
{
	return line->login_len > 0 && line->login_len == strlen(login) &&
	       strncasecmp(line->login, login, line->login_len) == 0;
}

static bool is_yescrypt(const struct line *line)
{
	return line->hash_len > sizeof SCHEME - 1 && line->hash_len <= PASSWD_HASH_MAX &&
	       memcmp(line->hash, SCHEME, sizeof SCHEME - 1) == 0;
}

/* ---- checking ---- */

/* A number that is the same for the same login: which line stands in for one that is not there. */
static size_t number_of(const char *login)
{
	uint64_t n = UINT64_C(14695981039346656037);

	for (; *login != '\0'; login++)
		n = (n ^ ((unsigned char)*login | 0x20)) * UINT64_C(1099511628211);
	return (size_t)(n >> 16);
}

/* The yescrypt line with this number, counted round; false if there is none. */
static bool stand_in(const char *bytes, size_t len, size_t lines, const char *login, struct line *l)
{
	size_t wanted = lines > 0 ? number_of(login) % lines : 0;
	size_t at = 0;

	while (lines > 0 && next_line(bytes, len, &at, l)) {
		if (is_yescrypt(l) && wanted-- == 0)
			return true;
	}
	return false;
}

/* The hash that is computed, and whether it decides. */
static bool choose(const char *bytes, size_t len, const char *login, char hash[PASSWD_HASH_MAX + 1])
{
	struct line line, found = {0}, other = {0};
	size_t at = 0, lines = 0;
	bool known;

	/* The file is read to its end whoever is looked for. */
	while (next_line(bytes, len, &at, &line)) {
		if (is_yescrypt(&line))
			lines++;
		if (found.login == NULL && is_login(&line, login))
			found = line;
	}
	known = found.login != NULL && is_yescrypt(&found);
	if (!stand_in(bytes, len, lines, login, &other)) {
		hash[0] = '\0';
		return false;
	}
	if (!known)
		found = other;
	memcpy(hash, found.hash, found.hash_len);
	hash[found.hash_len] = '\0';
	return known;
}

static enum passwd_verdict compare(
    const char *password, const char *hash, bool decides, struct crypt_data *data)
{
	size_t len = strlen(hash);
	const char *got;

	errno = 0;
	got = crypt_r(password, hash, data);
	if (got == NULL || got[0] == '*')
		return errno == ENOMEM ? PASSWD_FAILED : PASSWD_WRONG;
	if (strlen(got) != len || CRYPTO_memcmp(got, hash, len) != 0)
		return PASSWD_WRONG;
	return decides ? PASSWD_RIGHT : PASSWD_WRONG;
}

enum passwd_verdict passwd_check(
    const char *bytes, size_t len, const char *login, const char *password)
{
	char hash[CRYPT_OUTPUT_SIZE];
	struct crypt_data *data = calloc(1, sizeof *data); /* 32 KB */
	enum passwd_verdict verdict = PASSWD_FAILED;
	bool decides;

	if (data == NULL)
		return PASSWD_FAILED;
	decides = choose(bytes, len, login, hash);
	if (hash[0] != '\0' || crypt_gensalt_rn(SCHEME, 0, NULL, 0, hash, (int)sizeof hash) != NULL)
		verdict = compare(password, hash, decides, data);
	explicit_bzero(data, sizeof *data);
	free(data);
	return verdict;
}

bool passwd_hash(const char *password, char hash[PASSWD_HASH_MAX + 1])
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	struct crypt_data *data = calloc(1, sizeof *data);
	const char *got = NULL;
	bool good;

	if (data != NULL &&
	    crypt_gensalt_rn(SCHEME, 0, NULL, 0, setting, (int)sizeof setting) != NULL)
		got = crypt_r(password, setting, data);
	good = got != NULL && got[0] == '$' && strlen(got) <= PASSWD_HASH_MAX;
	if (good)
		memcpy(hash, got, strlen(got) + 1);
	if (data != NULL)
		explicit_bzero(data, sizeof *data);
	free(data);
	return good;
}

/* ---- changing ---- */

static void add_line(struct buf *to, const char *login, size_t login_len, const char *hash)
{
	buf_add(to, login, login_len);
	buf_add(to, ":", 1);
	buf_add_text(to, hash);
	buf_add(to, "\n", 1);
}

bool passwd_edit(const char *bytes, size_t len, const char *login, const char *hash, struct buf *to)
{
	struct line line;
	bool there = false;
	size_t at = 0;

	while (next_line(bytes, len, &at, &line)) {
		if (!is_login(&line, login)) {
			buf_add(to, line.start, line.whole);
			continue;
		}
		/* A second line for the same login would come to life again. */
		if (!there && hash != NULL)
			add_line(to, line.login, line.login_len, hash);
		there = true;
	}
	if (!there && hash != NULL)
		add_line(to, login, strlen(login), hash);
	return there;
}

void passwd_list(const char *bytes, size_t len, passwd_each *each, void *context)
{
	struct line line;
	size_t at = 0;

	while (next_line(bytes, len, &at, &line)) {
		if (line.login_len > 0)
			each(context, line.login, line.login_len);
	}
}
