/* etc/passwd: whatever stands in it, changing one login leaves every other line as it was. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/auth/passwd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct count {
	size_t alice;
	size_t others;
};

static void see(void *context, const char *login, size_t len)
{
	struct count *c = context;

	if (len == 5 && strncasecmp(login, "alice", 5) == 0)
		c->alice++;
	else
		c->others++;
}

static struct count count(const char *bytes, size_t len)
{
	struct count c = {0};

	passwd_list(bytes, len, see, &c);
	return c;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = malloc(size + 1);
	struct count before, set, gone;
	struct buf with, without;

	if (bytes == NULL)
		abort();
	memcpy(bytes, data, size);
	if (size > 0 && bytes[size - 1] != '\n')
		bytes[size++] = '\n'; /* passwd_read refuses a file without it */
	before = count(bytes, size);

	buf_init(&with, PASSWD_FILE_MAX);
	buf_init(&without, PASSWD_FILE_MAX);
	if (passwd_edit(bytes, size, "alice", "$y$new", &with) != (before.alice > 0))
		abort();
	set = count(with.bytes, with.len);
	if (set.alice != 1 || set.others != before.others)
		abort();
	if (!passwd_edit(with.bytes, with.len, "ALICE", NULL, &without))
		abort();
	gone = count(without.bytes, without.len);
	if (gone.alice != 0 || gone.others != before.others)
		abort();
	buf_free(&with);
	buf_free(&without);
	free(bytes);
	return 0;
}
