/*
 * org.cdb, in two ways. As a database: whatever bytes a disk gives, with a sum that fits, are opened or
 * refused, and every question has an answer. As an organisation: the files of an etc/ that are compiled
 * are opened again, and say what stands in them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/org/compile.h"
#include "lib/org/layout.h"
#include "queue/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int folder(const char *path)
{
	(void)mkdir(path, 0700);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void put(
    int dir, const char *name, const void *bytes, size_t len, const void *more, size_t n)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len || write(fd, more, n) != (ssize_t)n)
		abort();
	close(fd);
}

/* A group's texts come in order, and are none twice. */
struct texts {
	char last[ORG_KEY_MAX];
	size_t n;
	bool ordered;
};

static bool see(void *context, const char *text, size_t len)
{
	struct texts *t = context;
	char now[ORG_KEY_MAX];

	if (memchr(text, '\0', len) != NULL)
		abort();
	(void)snprintf(now, sizeof now, "%.*s", (int)len, text);
	t->ordered = t->ordered && (t->n == 0 || strcmp(t->last, now) <= 0);
	memcpy(t->last, now, sizeof now);
	return ++t->n < 10000;
}

static void ask(const struct org *org, const char *address)
{
	struct texts t = {.ordered = true};
	struct org_person person;
	char normal[ORG_ADDRESS_MAX];
	size_t len;
	unsigned line;

	if (!org_normal(address, normal) && strlen(normal) >= sizeof normal)
		abort();
	if (org_person(org, normal, &person) && person.len == 0)
		abort();
	(void)org_class(org, normal);
	(void)org_tls(org, normal);
	(void)org_partner(org, address);
	(void)org_in_group(org, "sales", normal);
	(void)org_in_list(org, "vip", normal);
	(void)org_table_row(org, "t", normal, &len, &line);
	org_groups(org, normal, see, &t);
	org_bosses(org, normal, see, &t);
	org_deputies(org, normal, see, &t);
	org_members(org, "sales", see, &t);
	org_sharers(org, normal, see, &t);
	if (org_login(org, address, normal) && normal[0] == '\0')
		abort();
	(void)org_holiday(org, 2026, 1, 1);
	(void)org_counts(org);
}

static void ask_all(const struct org *org, const uint8_t *data, size_t size)
{
	static const char *const addresses[] = {"", "taro@example.co.jp", "t+x@example.co.jp",
	    "info@example.co.jp", "x@a.b.example.co.jp", "postmaster", "\"a b\"@example.co.jp",
	    "x@partner.example", "x@[192.0.2.1]"};
	char text[ORG_ADDRESS_MAX + 8];

	for (size_t i = 0; i < COUNT_OF(addresses); i++)
		ask(org, addresses[i]);
	(void)snprintf(text, sizeof text, "%.*s",
	    (int)(size < sizeof text ? size : sizeof text - 1), (const char *)data);
	ask(org, text);
}

/* The bytes are a database, whole by its sum. */
static void as_database(int dir, const uint8_t *data, size_t size)
{
	char tail[ORG_MARK_LEN + DIGEST_HEX];
	struct org *org;

	memcpy(tail, ORG_MARK, ORG_MARK_LEN);
	digest_of(data, size, tail + ORG_MARK_LEN);
	put(dir, ORG_FILE, data, size, tail, ORG_MARK_LEN + ORG_SUM_LEN);
	errno = 0;
	org = org_open(dir);
	if (org == NULL && errno != EPROTO)
		abort();
	if (org != NULL)
		ask_all(org, data, size);
	org_close(org);
}

/* The bytes are files, parted by NULs. What compiles is opened. */
static void as_files(int etc, int dir, const uint8_t *data, size_t size)
{
	static const char *const files[] = {"people", "groups", "domains", "holidays", "lists/vip",
	    "tables/t", "tables/tls", "passwords/p", "texts/x"};
	struct conf_fault fault = {.line = 0};
	struct org *org;
	size_t at = 0;

	for (size_t i = 0; i < COUNT_OF(files); i++) {
		const uint8_t *end = memchr(data + at, 0, size - at);
		size_t n = end != NULL ? (size_t)(end - data) - at : size - at;

		put(etc, files[i], data + at, n, "", 0);
		at += n + (end != NULL);
	}
	(void)unlinkat(dir, ORG_FILE, 0);
	if (!org_compile(etc, dir, NULL, &fault)) {
		if (fault.text[0] == '\0' || fault.file[0] == '\0')
			abort();
		return;
	}
	org = org_open(dir);
	if (org == NULL)
		abort();
	ask_all(org, data, size);
	org_close(org);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int etc = -1, dir = -1;
	char path[64];

	if (etc < 0) {
		(void)snprintf(path, sizeof path, "/dev/shm/fuzz_org.%d", (int)getpid());
		dir = folder(path);
		(void)snprintf(path, sizeof path, "/dev/shm/fuzz_org.%d/etc", (int)getpid());
		etc = folder(path);
		if (etc < 0 || mkdirat(etc, "lists", 0700) != 0 ||
		    mkdirat(etc, "tables", 0700) != 0 || mkdirat(etc, "passwords", 0700) != 0 ||
		    mkdirat(etc, "texts", 0700) != 0)
			abort();
	}
	if (size == 0)
		return 0;
	if (data[0] == 'D')
		as_database(dir, data + 1, size - 1);
	else
		as_files(etc, dir, data, size);
	return 0;
}
