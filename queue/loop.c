#include "queue/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "lib/base/hex.h"
#include "queue/state_file.h"

#define FILE_MODE 0640
#define FILE_LEN  (2 * LOOP_KEY + 1) /* with its newline */

/* ---- the key ------------------------------------------------------------------------------ */

static int open_folder(const char *folder)
{
	return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool loop_key_read(const char *folder, struct loop_key *key)
{
	char text[FILE_LEN + 1]; /* one more than there may be */
	int dir = open_folder(folder), fd, error;
	ssize_t n;
	bool good;

	if (dir < 0)
		return false;
	fd = openat(dir, LOOP_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	error = errno;
	(void)close(dir);
	errno = error;
	if (fd < 0)
		return false;

	n = read(fd, text, sizeof text);
	error = errno;
	(void)close(fd);
	good = n == (ssize_t)FILE_LEN && text[FILE_LEN - 1] == '\n' &&
	       hex_decode(text, key->bytes, LOOP_KEY);
	explicit_bzero(text, sizeof text);
	if (!good) {
		explicit_bzero(key, sizeof *key);
		errno = n < 0 ? error : EBADMSG;
	}
	return good;
}

bool loop_key_make(const char *folder)
{
	unsigned char bytes[LOOP_KEY];
	char text[FILE_LEN + 1];
	int dir = open_folder(folder), error;
	bool done = false;

	if (dir < 0)
		return false;
	if (faccessat(dir, LOOP_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		(void)close(dir);
		return true;
	}
	if (getrandom(bytes, sizeof bytes, 0) == (ssize_t)sizeof bytes) {
		hex_encode(bytes, sizeof bytes, text);
		text[FILE_LEN - 1] = '\n';
		text[FILE_LEN] = '\0';
		done = state_file_make(dir, LOOP_FILE, text, FILE_LEN, FILE_MODE);
	}
	error = errno;
	explicit_bzero(bytes, sizeof bytes);
	explicit_bzero(text, sizeof text);
	(void)close(dir);
	errno = error;
	return done;
}

/* ---- marks -------------------------------------------------------------------------------- */

bool loop_mark(const struct loop_key *key, const char id[ID_TEXT], char mark[LOOP_MARK + 1])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	bool made = HMAC(EVP_sha256(), key->bytes, (int)LOOP_KEY, (const unsigned char *)id, ID_LEN,
			digest, &len) != NULL &&
		    len >= LOOP_MARK / 2;

	mark[0] = '\0';
	if (made)
		hex_encode(digest, LOOP_MARK / 2, mark);
	return made;
}

bool loop_mark_is(const struct loop_key *key, const char id[ID_TEXT], const char mark[LOOP_MARK])
{
	char right[LOOP_MARK + 1];

	return loop_mark(key, id, right) && CRYPTO_memcmp(right, mark, LOOP_MARK) == 0;
}

/* ---- a field that came in ----------------------------------------------------------------- */

struct word {
	const char *at;
	size_t len;
};

/* Cuts off the next run of characters that are neither blank nor a mark of punctuation. */
static bool next_word(const char **at, const char *end, struct word *word)
{
	static const char between[] = " \t\r\n();,";
	const char *p = *at;

	while (p < end && memchr(between, *p, sizeof between) != NULL) /* NUL too */
		p++;
	word->at = p;
	while (p < end && memchr(between, *p, sizeof between) == NULL)
		p++;
	word->len = (size_t)(p - word->at);
	*at = p;
	return word->len > 0;
}

static bool is(const struct word *word, const char *text)
{
	return word->len == strlen(text) && strncasecmp(word->at, text, word->len) == 0;
}

size_t loop_marks_in(const struct loop_key *key, const char *received_body, size_t len)
{
	const char *at = received_body, *end = received_body + len;
	char id[ID_TEXT] = "";
	struct word before = {.len = 0}, word;
	size_t looked_at = 0;

	for (; looked_at < LOOP_MARK_MAX && next_word(&at, end, &word); before = word) {
		if (word.len == ID_LEN && is(&before, "id") && id_valid(word.at, word.len)) {
			memcpy(id, word.at, ID_LEN);
			id[ID_LEN] = '\0';
		} else if (word.len == LOOP_MARK && is(&before, "mark") && id[0] != '\0') {
			if (loop_mark_is(key, id, word.at))
				return 1;
			looked_at++;
		}
	}
	return 0;
}
