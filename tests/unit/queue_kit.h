/*
 * What the tests of queue/ share: a spool of their own in a scratch directory, and legs written
 * byte by byte, not by the code that is tested. Included by one program each.
 */
#ifndef SEKISHO_TESTS_QUEUE_KIT_H
#define SEKISHO_TESTS_QUEUE_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "queue/digest.h"
#include "queue/leg.h"
#include "queue/spool.h"

#define KIT_ID       "0196c0ffee4f2c1d8a31b7e09c55d210"
#define KIT_OTHER_ID "0196c0ffee4f2c1d8a31b7e09c55d211"
#define KIT_ACCEPTED "2026-11-22T09:35:01.123456Z"
#define KIT_NOW      "2026-11-22T09:40:00.000000Z"
#define KIT_MAX      ((size_t)4 * 1024 * 1024)
#define KIT_CONTENT  "Subject: kit\r\n\r\nHello.\r\n"
#define KIT_ENVELOPE                                                                               \
	"from alice@example.co.jp body=8bitmime\n"                                                 \
	"to bob@partner.example notify=failure\n"                                                  \
	"to carol@partner.example\n"                                                               \
	"client 192.0.2.10 helo=pc1 proto=esmtp port=50412\n"

static const char *const kit_states[] = {"tmp", "new", "approve", "hold", "encrypt", "stagger",
    "deliver", "sent", "trash", "refused", "bad"};

/* ---- bytes -------------------------------------------------------------------------------- */

struct kit_bytes {
	char *at;
	size_t len;
};

static inline void kit_add(struct kit_bytes *b, const void *bytes, size_t len)
{
	b->at = realloc(b->at, b->len + len + 1);
	assert_non_null(b->at);
	memcpy(b->at + b->len, bytes, len);
	b->len += len;
	b->at[b->len] = '\0';
}

static inline void kit_text(struct kit_bytes *b, const char *text)
{
	kit_add(b, text, strlen(text));
}

static inline __attribute__((format(printf, 2, 3))) void kit_addf(
    struct kit_bytes *b, const char *format, ...)
{
	char *text = NULL;
	va_list arguments;
	int len;

	va_start(arguments, format);
	len = vasprintf(&text, format, arguments);
	va_end(arguments);
	assert_true(len >= 0);
	kit_add(b, text, (size_t)len);
	free(text);
}

static inline void kit_free(struct kit_bytes *b)
{
	free(b->at);
	*b = (struct kit_bytes){NULL, 0};
}

/* ---- legs --------------------------------------------------------------------------------- */

struct kit_leg {
	const char *id, *k, *envelope, *content;
	size_t content_len; /* 0: strlen(content) */
	const char *trailer;
};

/* The head up to its line "head". */
static inline void kit_head(struct kit_bytes *b, const struct kit_leg *leg, size_t size)
{
	char hex[DIGEST_HEX];

	digest_of(leg->content, size, hex);
	kit_addf(b, "sekisho-leg 1\nid %s\nleg %s\n%saccepted %s\nsize %012zu\nsha256 %s\n",
	    leg->id, leg->k, leg->envelope, KIT_ACCEPTED, size, hex);
}

/* Ends a head: the digest of every byte so far, and the empty line. */
static inline void kit_head_end(struct kit_bytes *b)
{
	char hex[DIGEST_HEX];

	digest_of(b->at, b->len, hex);
	kit_addf(b, "head %s\n\n", hex);
}

/* A whole leg; every field that is NULL has its usual value. */
static inline struct kit_bytes kit_leg(struct kit_leg leg)
{
	struct kit_bytes b = {NULL, 0};
	size_t size;

	leg.id = leg.id != NULL ? leg.id : KIT_ID;
	leg.k = leg.k != NULL ? leg.k : "1";
	leg.envelope = leg.envelope != NULL ? leg.envelope : KIT_ENVELOPE;
	leg.content = leg.content != NULL ? leg.content : KIT_CONTENT;
	size = leg.content_len > 0 ? leg.content_len : strlen(leg.content);
	kit_head(&b, &leg, size);
	kit_head_end(&b);
	kit_add(&b, leg.content, size);
	kit_addf(&b, "\n-- %s\n", leg.id);
	kit_text(&b, leg.trailer != NULL ? leg.trailer : "");
	return b;
}

/* "plan N sha256=…" and its lines, for ID.K. */
static inline void kit_plan(struct kit_bytes *b, const char *id, const char *k, const char *lines)
{
	struct kit_bytes whole = {NULL, 0};
	char hex[DIGEST_HEX];
	size_t n = 0;

	for (const char *p = lines; *p != '\0'; p++)
		n += *p == '\n';
	kit_addf(&whole, "%s.%s\n%s", id, k, lines);
	digest_of(whole.at, whole.len, hex);
	kit_addf(b, "plan %zu sha256=%.16s\n%s", n, hex, lines);
	kit_free(&whole);
}

/* The digest that a closing record names. */
static inline void kit_digest(const char *id, const char *k, const char *lines, char text[17])
{
	struct kit_bytes b = {NULL, 0};
	const char *at;

	kit_plan(&b, id, k, lines);
	at = strstr(b.at, "sha256=");
	assert_non_null(at);
	memcpy(text, at + 7, 16);
	text[16] = '\0';
	kit_free(&b);
}

/* A file in memory that holds these bytes. */
static inline int kit_memfd(const char *bytes, size_t len)
{
	int fd = memfd_create("leg", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, len, 0), (ssize_t)len);
	return fd;
}

static inline enum leg_fault kit_read(const char *bytes, size_t len, struct leg *leg)
{
	const char *why = NULL;
	int fd = kit_memfd(bytes, len);
	enum leg_fault fault = leg_read(fd, KIT_MAX, leg, &why);

	assert_non_null(why);
	(void)close(fd);
	return fault;
}

/* ---- places ------------------------------------------------------------------------------- */

static inline int kit_remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

/* A fresh scratch directory with an empty spool; the program stands in it from now on. */
static inline void kit_enter(char root[256])
{
	const char *base = getenv("TMPDIR");
	char path[300];

	(void)snprintf(root, 256, "%s/sekisho-kit-XXXXXX", base != NULL ? base : "/var/tmp");
	assert_non_null(mkdtemp(root));
	assert_int_equal(chdir(root), 0);
	assert_int_equal(mkdir("spool", 0755), 0);
	for (size_t i = 0; i < COUNT_OF(kit_states); i++) {
		(void)snprintf(path, sizeof path, "spool/%s", kit_states[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	assert_int_equal(mkdir("spool/split", 0700), 0);
	assert_int_equal(mkdir("spool/split/scan", 0700), 0);
	assert_int_equal(mkdir("lib", 0755), 0);
	assert_int_equal(mkdir("lib/clock", 0755), 0);
	assert_int_equal(mkdir("run", 0755), 0);
}

static inline void kit_leave(const char *root)
{
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(nftw(root, kit_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static inline void kit_write(const char *path, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0660);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	assert_int_equal(close(fd), 0);
}

static inline void kit_write_leg(const char *path, struct kit_leg leg)
{
	struct kit_bytes b = kit_leg(leg);

	kit_write(path, b.at, b.len);
	kit_free(&b);
}

static inline struct kit_bytes kit_file(const char *path)
{
	struct kit_bytes b = {NULL, 0};
	char bytes[4096];
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	kit_add(&b, "", 0);
	while ((n = read(fd, bytes, sizeof bytes)) > 0)
		kit_add(&b, bytes, (size_t)n);
	assert_int_equal(n, 0);
	(void)close(fd);
	return b;
}

static inline bool kit_stands(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* How many names stand in a directory; the last of them in `name`, which may be NULL. */
static inline size_t kit_count(const char *path, char name[NAME_MAX + 1])
{
	DIR *d = opendir(path);
	struct dirent *entry;
	size_t n = 0;

	assert_non_null(d);
	while ((entry = readdir(d)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (name != NULL)
			(void)snprintf(name, NAME_MAX + 1, "%s", entry->d_name);
		n++;
	}
	(void)closedir(d);
	return n;
}

static inline int64_t kit_time(const char *text)
{
	return clock_parse(text, strlen(text));
}

/* A small generator: the same numbers in every run. */
static inline uint32_t kit_random(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*seed >> 33);
}

#endif
