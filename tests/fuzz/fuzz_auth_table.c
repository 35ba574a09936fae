/* etc/auth: any bytes are a table or a fault, and the table has a program for every login. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/auth/check.h"
#include "lib/auth/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A directory of this process's own; its file "auth" is written anew each time. */
static int directory(void)
{
	char path[64];

	(void)snprintf(path, sizeof path, "/dev/shm/fuzz_auth_table.%d", (int)getpid());
	(void)mkdir(path, 0700);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void ask(const struct table *t, const char *login)
{
	const struct table_line *line = table_find(t, login);
	unsigned char stamp[CACHE_STAMP];

	if (line->path[0] == '\0' || line->argv[0] == NULL || line->argv[0][0] == '-')
		abort();
	check_stamp(line, stamp);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int etc = directory();
	int fd = openat(etc, "auth", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct conf_fault fault = {0};
	struct table t;

	if (etc < 0 || fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);

	table_init(&t);
	if (table_read(etc, &t, &fault)) {
		ask(&t, "alice@example.co.jp");
		ask(&t, "bob");
		ask(&t, "@");
	} else if (fault.text[0] == '\0') {
		abort();
	}
	table_free(&t);
	close(etc);
	return 0;
}
