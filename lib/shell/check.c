#include "lib/shell/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/die.h"
#include "lib/base/settings.h"
#include "lib/shell/compile.h"
#include "lib/shell/out.h"

static int open_etc(void)
{
	int etc = open("etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (etc < 0)
		complain("etc/ cannot be opened: %s", strerrordesc_np(errno));
	return etc;
}

/* Nothing before the file's name. */
void complain_fault(const struct conf_fault *fault)
{
	char text[sizeof fault->file + sizeof fault->text + 32];

	conf_fault_show(fault, text, sizeof text);
	out_visible(stderr, text, strlen(text), false);
	(void)fputc('\n', stderr);
}

/* ---- check -------------------------------------------------------------------------------- */

int check_etc(const struct shell *sh)
{
	struct settings settings;
	struct conf_fault fault;
	int etc = open_etc();
	int code = EXIT_FINE;

	if (etc < 0)
		return EXIT_CONFIG;
	if (!settings_read(etc, &settings, &fault)) {
		complain_fault(&fault);
		code = EXIT_CONFIG;
	}
	for (shell_reader **reader = sh->reader; *reader != NULL; reader++) {
		if (!(*reader)(etc, &fault)) {
			complain_fault(&fault);
			code = EXIT_CONFIG;
		}
	}
	(void)close(etc);
	return code;
}

int shell_check(const struct shell *sh, int argc, char **argv)
{
	int code;

	(void)argv;
	if (argc > 0)
		return complain_usage("check takes no arguments");
	code = check_etc(sh);
	/* Rules name what stands in the files: they mean nothing while one of those is wrong. */
	return code == EXIT_FINE ? compile_check(sh) : code;
}

/* ---- config ------------------------------------------------------------------------------- */

/* The line of etc/settings that sets each row of the table; 0: none. */
struct sources {
	const struct setting *table;
	size_t n;
	unsigned *line;
};

static bool take_source(void *context, const struct conf_line *line, struct conf_fault *fault)
{
	struct sources *s = context;

	(void)fault;
	for (size_t i = 0; i < s->n; i++) {
		if (strcmp(s->table[i].name, line->word[0].text) == 0)
			s->line[i] = line->number;
	}
	return true;
}

static void put_setting(
    struct out *o, const struct settings *settings, const struct sources *s, size_t i)
{
	char value[SETTING_TEXT_MAX], source[32] = "default";

	settings_show(settings, &s->table[i], value, sizeof value);
	if (s->line[i] > 0)
		(void)snprintf(source, sizeof source, "etc/settings:%u", s->line[i]);
	out_text(o, "name", s->table[i].name);
	out_text(o, "value", value);
	out_text(o, "source", source);
	out_end(o);
}

int shell_config(const struct shell *sh, int argc, char **argv)
{
	struct settings settings;
	struct conf_fault fault;
	struct sources s;
	struct out o;
	int etc, code = EXIT_CONFIG;

	(void)argv;
	if (argc > 0)
		return complain_usage("config takes no arguments");
	etc = open_etc();
	if (etc < 0)
		return EXIT_CONFIG;

	s.table = settings_table(&s.n);
	s.line = calloc(s.n, sizeof *s.line);
	out_open(&o, sh, "NAME\tVALUE\tSOURCE");
	if (s.line == NULL) {
		complain("no memory");
		code = EXIT_ENVIRON;
	} else if (settings_read(etc, &settings, &fault) &&
		   conf_read(etc, "settings", false, take_source, &s, &fault)) {
		for (size_t i = 0; i < s.n; i++)
			put_setting(&o, &settings, &s, i);
		code = EXIT_FINE;
	} else {
		complain_fault(&fault);
	}
	free(s.line);
	(void)close(etc);
	return out_close(&o, code);
}
