#include "lib/login/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/hex.h"
#include "lib/base/log.h"

#define HEX_LEN ((size_t)RECORD_NAME_TEXT - 1)
#define NAMES_MAX                                                                                  \
	((size_t)256 << 20) /* bytes: more than a million sessions and as much that is damaged */

/* "HEX64" and an ending. */
static bool is_ours(const char *name, const char *ending, unsigned char bytes[RECORD_NAME_LEN])
{
	return strlen(name) == HEX_LEN + strlen(ending) &&
	       hex_decode(name, bytes, RECORD_NAME_LEN) && strcmp(name + HEX_LEN, ending) == 0;
}

static bool see_one(int dir, const char *name, hashes_see *see, void *context, bool *odd)
{
	unsigned char bytes[RECORD_NAME_LEN];

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || is_ours(name, ".bad", bytes))
		return true;
	if (is_ours(name, "", bytes))
		return see(context, name, bytes);
	if (is_ours(name, ".new", bytes))
		return unlinkat(dir, name, 0) == 0 || errno == ENOENT;
	if (!*odd)
		LOG("login-odd-file", kv("name", name));
	*odd = true;
	return true;
}

/* The names are read first: what is seen may rename its file. */
static bool read_names(DIR *d, struct buf *names)
{
	struct dirent *entry;

	while (errno = 0, (entry = readdir(d)) != NULL)
		buf_add(names, entry->d_name, strlen(entry->d_name) + 1);
	if (errno == 0 && !buf_ok(names))
		errno = ENOMEM;
	return errno == 0;
}

bool hashes_read(int dir, hashes_see *see, void *context)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), error;
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct buf names;
	bool odd = false, good;

	buf_init(&names, NAMES_MAX);
	good = d != NULL && read_names(d, &names);
	for (size_t at = 0; good && at < names.len; at += strlen(names.bytes + at) + 1)
		good = see_one(dir, names.bytes + at, see, context, &odd);
	error = errno;
	buf_free(&names);
	if (d != NULL)
		(void)closedir(d);
	else if (fd >= 0)
		(void)close(fd);
	errno = error;
	return good;
}
