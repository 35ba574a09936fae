#include "queue/freeze_table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lib/base/xtext.h"
#include "queue/origin.h"

#define READ_STEP ((size_t)4096)

static const char *const kinds[] = {
    [FREEZE_ALL] = "all",
    [FREEZE_SENDER] = "sender",
    [FREEZE_RECIPIENT] = "recipient",
    [FREEZE_LOGIN] = "login",
    [FREEZE_SOURCE] = "source",
};

const char *freeze_kind_name(enum freeze_kind kind)
{
	return kinds[kind];
}

bool freeze_kind_by_name(const char *name, enum freeze_kind *kind)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if (strcmp(kinds[i], name) == 0) {
			*kind = (enum freeze_kind)i;
			return true;
		}
	}
	return false;
}

void freeze_table_free(struct freeze_table *t)
{
	buf_free(&t->text);
	free(t->entry);
	*t = (struct freeze_table){.n = 0};
}

/* The next word of a line that ends in NUL, or NULL. Blanks between words are cut. */
static char *next_word(char **at)
{
	char *word = *at + strspn(*at, " ");
	size_t len = strcspn(word, " ");

	if (len == 0)
		return NULL;
	*at = word + len;
	if (word[len] != '\0')
		word[(*at)++ - word] = '\0';
	return word;
}

static bool decode(char *word)
{
	size_t len = strlen(word);

	if (!xtext_decode(word, len, word, &len) || len > FREEZE_TEXT_MAX ||
	    memchr(word, '\0', len) != NULL)
		return false;
	word[len] = '\0';
	return true;
}

/* The value of "KEY=xtext", decoded; NULL if the word is not that. */
static const char *field(char **at, const char *key)
{
	char *word = next_word(at);
	size_t len = strlen(key);

	if (word == NULL || strncmp(word, key, len) != 0 || word[len] != '=')
		return NULL;
	return decode(word + len + 1) ? word + len + 1 : NULL;
}

bool freeze_address_fine(enum freeze_kind kind, const char *address)
{
	char source[ORIGIN_SOURCE_ROOM];

	if (kind == FREEZE_ALL)
		return address[0] == '\0';
	if (kind == FREEZE_LOGIN)
		return address[0] != '\0';
	/* Only the one spelling that mail is compared by: any other would hold nothing back. */
	if (kind == FREEZE_SOURCE)
		return origin_source_of(address, source) && strcasecmp(source, address) == 0;
	if (kind == FREEZE_SENDER && strcmp(address, "<>") == 0)
		return true;
	return address[0] != '\0' && address[strlen(address) - 1] != '@';
}

/* Reads one line. What it does not understand it refuses: a later version may mean more by it. */
static bool take_line(char *line, unsigned number, struct freeze_entry *e, struct conf_fault *fault)
{
	char *at = line;
	char *word = next_word(&at);

	if (word == NULL || !freeze_kind_by_name(word, &e->kind))
		return conf_blame(
		    fault, number, 1, "all, sender, recipient, login or source is expected first");

	e->address = "";
	if (e->kind != FREEZE_ALL) {
		word = next_word(&at);
		if (word == NULL || !decode(word) || !freeze_address_fine(e->kind, word))
			return conf_blame(
			    fault, number, 0, "an address, login or source in xtext is expected");
		e->address = word;
	}

	e->since = field(&at, "since");
	if (e->since == NULL || clock_parse(e->since, strlen(e->since)) < 0)
		return conf_blame(fault, number, 0, "since=TIME is expected");
	e->by = field(&at, "by");
	if (e->by == NULL)
		return conf_blame(fault, number, 0, "by=USER is expected");
	e->reason = field(&at, "reason");
	if (e->reason == NULL)
		return conf_blame(fault, number, 0, "reason=TEXT is expected");
	return next_word(&at) == NULL || conf_blame(fault, number, 0, "a word too many");
}

static bool grow(struct freeze_table *t, unsigned number, struct conf_fault *fault)
{
	size_t more = t->room == 0 ? 8 : t->room * 2;
	struct freeze_entry *grown;

	if (t->n == FREEZE_ENTRIES_MAX)
		return conf_blame(fault, number, 0, "more than %zu entries", FREEZE_ENTRIES_MAX);
	if (t->n < t->room)
		return true;
	grown = reallocarray(t->entry, more, sizeof *grown);
	if (grown == NULL)
		return conf_blame(fault, number, 0, "no memory");
	t->entry = grown;
	t->room = more;
	return true;
}

static bool take_lines(struct freeze_table *t, struct conf_fault *fault)
{
	char *line = t->text.bytes, *end = line + t->text.len;

	for (unsigned number = 1; line < end; number++) {
		char *newline = memchr(line, '\n', (size_t)(end - line));

		if (newline == NULL)
			return conf_blame(fault, number, 0, "the last line is half-written");
		if (memchr(line, '\0', (size_t)(newline - line)) != NULL)
			return conf_blame(fault, number, 0, "a NUL byte");
		*newline = '\0';
		if (!grow(t, number, fault) || !take_line(line, number, &t->entry[t->n], fault))
			return false;
		t->n++;
		line = newline + 1;
	}
	return true;
}

static bool read_bytes(int fd, struct buf *b)
{
	for (;;) {
		char *end = buf_reserve(b, READ_STEP);
		ssize_t n = end == NULL ? 0 : read(fd, end, READ_STEP);

		if (end == NULL)
			errno = EFBIG;
		if (end == NULL || (n < 0 && errno != EINTR))
			return false;
		if (n == 0)
			return true;
		b->len += n > 0 ? (size_t)n : 0;
	}
}

struct conf_fault freeze_no_fault(const char *file)
{
	struct conf_fault fault = {.line = 0};

	(void)snprintf(fault.file, sizeof fault.file, "lib/%s", file);
	return fault;
}

bool freeze_table_read(int lib, const char *file, struct freeze_table *t, struct conf_fault *fault)
{
	int fd = openat(lib, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool read;

	*t = (struct freeze_table){.n = 0};
	buf_init(&t->text, FREEZE_FILE_MAX);
	*fault = freeze_no_fault(file);
	if (fd < 0 && errno == ENOENT)
		return true;
	if (fd < 0)
		return conf_blame(fault, 0, 0, "cannot be opened: %s", strerrordesc_np(errno));

	read = fstat(fd, &t->seen) == 0 && S_ISREG(t->seen.st_mode) && read_bytes(fd, &t->text);
	(void)close(fd); /* only read: nothing can be lost */
	if (!read)
		return conf_blame(fault, 0, 0, "cannot be read");
	return take_lines(t, fault);
}
