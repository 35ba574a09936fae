/*
 * Any bytes as a flat file and as etc/settings. What is taken, when it is shown, reads back as the
 * same; what is not has a fault with a text and with a place inside the file.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/conf.h"
#include "lib/base/settings.h"

#define TEXT_ALL 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
	if (!truth)
		abort();
}

static bool look(void *context, const struct conf_line *line, struct conf_fault *fault)
{
	size_t *lines = context;

	++*lines;
	demand(line->words > 0 && line->words <= CONF_WORDS_MAX && line->number > 0);
	for (size_t i = 0; i < line->words; i++) {
		const struct conf_word *word = &line->word[i];

		demand(word->text[0] != '\0' && word->text[0] != '#');
		demand(strpbrk(word->text, " \t\n\r") == NULL);
		demand(word->column > 0 && word->column + strlen(word->text) <= CONF_LINE_MAX + 1);
	}
	(void)conf_near(line->word[0].text, &line->word[0].text, line->words, sizeof line->word[0]);
	(void)fault;
	return true;
}

static void check_fault(const struct conf_fault *fault, const uint8_t *data, size_t size)
{
	char text[512];
	unsigned lines = 1;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	conf_fault_show(fault, text, sizeof text);
	demand(strlen(text) > strlen(fault->file) + 2);
	demand(fault->line <= lines && fault->column <= CONF_LINE_MAX + 1);
}

/* As etc/settings in a directory that is there for this one reading. */
static bool read_settings(
    const void *bytes, size_t size, struct settings *s, struct conf_fault *fault)
{
	char path[64];
	int dir, fd;
	bool good;

	(void)snprintf(path, sizeof path, "/dev/shm/fuzz-conf-%d", (int)getpid());
	demand(mkdir(path, 0700) == 0);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = openat(dir, "settings", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	demand(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	good = settings_read(dir, s, fault);
	(void)close(fd);
	(void)unlinkat(dir, "settings", 0);
	(void)close(dir);
	(void)rmdir(path);
	return good;
}

static void check_round_trip(const struct settings *s)
{
	static const size_t room = TEXT_ALL;
	struct settings again;
	struct conf_fault fault;
	size_t n, used = 0;
	const struct setting *table = settings_table(&n);
	char *all = malloc(room);

	demand(all != NULL);
	for (size_t i = 0; i < n; i++) {
		char text[SETTING_TEXT_MAX];

		settings_show(s, &table[i], text, sizeof text);
		used += (size_t)snprintf(all + used, room - used, "%s %s\n", table[i].name, text);
		demand(used < room);
	}
	demand(read_settings(all, used, &again, &fault));
	demand(memcmp(s, &again, sizeof again) == 0);
	free(all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings s;
	struct conf_fault fault;
	size_t lines = 0;

	if (!conf_parse((const char *)data, size, "etc/any", look, &lines, &fault))
		check_fault(&fault, data, size);
	if (read_settings(data, size, &s, &fault))
		check_round_trip(&s);
	else
		check_fault(&fault, data, size);
	return 0;
}
