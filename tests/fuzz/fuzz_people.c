/* etc/people: what is wrong is said; what is right answers every question, whatever is asked. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

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
	}
	people_free(people);
	close(etc);
	return 0;
}
