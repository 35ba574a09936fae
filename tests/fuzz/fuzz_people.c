/* etc/people: what is wrong is said; what is right answers every question, whatever is asked, and stays
 * right when a person is added. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/people/edit.h"
#include "lib/people/people.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One directory for the process; the file in it is written anew each time. */
static int directory(void)
{
	char path[64];

	(void)snprintf(path, sizeof path, "/dev/shm/fuzz_people.%d", (int)getpid());
	(void)mkdir(path, 0700);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

struct asked {
	const struct people *people;
	const uint8_t *data;
	size_t size;
	size_t lines;
	bool named; /* the file may have "nobody", in letters of either case */
};

static void owns_each(const struct people *people, const char *login, const char *list)
{
	for (;;) {
		size_t len = strcspn(list, ",");

		if (!people_owns(people, login, list, len))
			abort();
		if (list[len] == '\0')
			return;
		list += len + 1;
	}
}

/* What the line says in words is so, and what no line says is not. */
static bool ask(void *context, const struct conf_line *line, struct conf_fault *fault)
{
	static const char nobody[] = "nobody@else.example";
	struct asked *a = context;
	const char *login = line->word[0].text;

	(void)fault;
	a->lines++;
	for (size_t i = 1; i < line->words; i++) {
		if (strncmp(line->word[i].text, "login=", 6) == 0)
			login = line->word[i].text + 6;
	}
	owns_each(a->people, login, line->word[0].text);
	for (size_t i = 1; i < line->words; i++) {
		const char *word = line->word[i].text;

		if (strncmp(word, "alias=", 6) == 0)
			owns_each(a->people, login, word + 6);
		if (strncmp(word, "shared=", 7) == 0)
			owns_each(a->people, login, word + 7);
		if ((strcmp(word, "foreign=allow") == 0) !=
			(people_foreign(a->people, login) == FOREIGN_ALLOW) &&
		    strncmp(word, "foreign=", 8) == 0)
			abort();
	}

	if (people_owns(a->people, login, "", 0))
		abort();
	if (!a->named && people_owns(a->people, login, nobody, sizeof nobody - 1))
		abort();
	(void)people_owns(a->people, login, (const char *)a->data, a->size);
	return true;
}

/* One wish for each key, of this line. */
struct wishes {
	struct people_change change;
	const char *text[PEOPLE_KEY_COUNT];
};

/* Of what the first line says the same is wished of a new person: the file can be read again. */
static bool wish(void *context, const struct people_line *line, struct conf_fault *fault)
{
	struct wishes *w = context;

	for (size_t i = 0; i < line->values; i++) {
		const struct people_value *v = &line->value[i];

		if (!people_value_good(v->key, v->text) || w->text[v->key] != NULL)
			continue;
		w->text[v->key] = strdup(v->text);
		w->change.key[v->key] = (struct people_wish){.given = true,
		    .whole = line->number % 2 == 0,
		    .text = &w->text[v->key],
		    .n = 1};
	}
	(void)fault;
	return true;
}

/* The file may have the new person already, in letters of either case. */
static bool has_new(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i + 4 <= size; i++) {
		if (strncasecmp((const char *)data + i, "new@", 4) == 0)
			return true;
	}
	return false;
}

/* Whatever is added for somebody, everybody else's lines are as they were, and twice is once. */
static void edit(const uint8_t *data, size_t size)
{
	struct wishes w = {.change = {.address = "new@else.example"}};
	struct conf_fault fault;
	struct people_file *file = people_file_new((const char *)data, size);
	struct people *people = people_parse((const char *)data, size, wish, &w, &fault);
	struct buf once, twice;

	if (file == NULL || people == NULL)
		abort();
	people_free(people);
	/* What is somebody's cannot be another's as well. */
	w.change.key[PEOPLE_LOGIN].given = w.change.key[PEOPLE_ALIAS].given = false;

	buf_init(&once, 4 * size + 65536);
	buf_init(&twice, 4 * size + 65536);
	if (people_file_change(file, &w.change, 1) == PEOPLE_FAILED ||
	    !people_file_write(file, &once))
		abort();
	people = people_parse(once.bytes, once.len, NULL, NULL, &fault);
	if (people == NULL && strstr(fault.text, "new@else.example") == NULL)
		abort();
	if (!has_new(data, size) && (once.len < size || memcmp(once.bytes, data, size) != 0))
		abort();
	if (people_file_change(file, &w.change, 1) != PEOPLE_SAME ||
	    !people_file_write(file, &twice) || once.len != twice.len ||
	    memcmp(once.bytes, twice.bytes, once.len) != 0)
		abort();
	people_free(people);
	for (size_t i = 0; i < PEOPLE_KEY_COUNT; i++)
		free((void *)(uintptr_t)w.text[i]);
	buf_free(&once);
	buf_free(&twice);
	people_file_free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int etc = directory();
	int fd = openat(etc, "people", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct conf_fault fault = {0};
	struct people *people;

	if (etc < 0 || fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);

	people = people_read(etc, &fault);
	if (people == NULL && fault.text[0] == '\0')
		abort();
	if (people != NULL) {
		struct asked a = {.people = people, .data = data, .size = size};

		for (size_t i = 0; i + 4 <= size && !a.named; i++)
			a.named = strncasecmp((const char *)data + i, "nobo", 4) == 0;
		if (!conf_parse((const char *)data, size, "people", ask, &a, &fault) ||
		    a.lines != people_count(people))
			abort();
		edit(data, size);
	}
	people_free(people);
	close(etc);
	return 0;
}
