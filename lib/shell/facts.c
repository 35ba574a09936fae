/*
 * facts: what seki-inspect finds in messages, for whoever writes rules. The programs are started for
 * this one call, so that it works beside a gateway that is down, and without any.
 */
#include "lib/shell/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/die.h"
#include "lib/base/hex.h"
#include "lib/inspect/client.h"
#include "lib/inspect/inspect.h"
#include "lib/shell/inspector.h"
#include "lib/shell/out.h"
#include "lib/shell/shell.h"

#define QUESTIONS_MAX   ((size_t)1024 * 1024)
#define RECIPIENTS_SAID 1000
#define PACKET_LINE_MAX ((size_t)65536)
#define PART_PATH_MAX   256

struct facts {
	const struct shell *sh;
	struct buf ask;
	const char *from;
	const char *to[RECIPIENTS_SAID];
	size_t rcpts;
	const char *view;
	bool json;
	bool unmask;
	struct facts_json *object; /* of the message in hand */
	bool failed;
	bool missing; /* the part that was to be shown is not there */
};

/* ---- what is asked ---- */

/* Everything: whoever looks at facts by hand wants to see what rules could see. */
static void ask_everything(struct facts *f)
{
#define W(name, word) buf_add_text(&f->ask, "want " word "\n");
	INSPECT_WANTS(W)
#undef W
#define K(name, word) buf_add_text(&f->ask, "pii " word "\n");
	DETECT_KINDS(K)
#undef K
}

static void ask_word(struct facts *f, const char *what, const char *text)
{
	buf_addf(&f->ask, "%s ", what);
	buf_add_xtext(&f->ask, text, strlen(text));
	buf_add_text(&f->ask, "\n");
}

static void take_settings(struct facts *f, struct settings *settings)
{
	struct conf_fault fault;
	int etc = open("etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	settings_default(settings);
	if (etc >= 0) {
		if (!settings_read(etc, settings, &fault))
			settings_default(settings);
		(void)close(etc);
	}
	inspector_limits(&f->ask, settings);
	/* All of it, for tests that compare values. */
	if (f->unmask)
		buf_add_text(&f->ask, "unmask\nevidence 100000\n");
	else
		buf_addf(&f->ask, "evidence %lld\n", (long long)settings->inspect_evidence);
}

/* "2.1b": nothing else names a part. */
static bool is_part(const char *text)
{
	return *text != '\0' && strlen(text) < PART_PATH_MAX &&
	       text[strspn(text, "0123456789.abcdefghijklmnopqrstuvwxyz")] == '\0';
}

/* The options that take a value. Returns how many words were used; 0: it is none of them. */
static int valued_option(struct facts *f, const char *option, const char *value)
{
	if (strcmp(option, "--from") == 0)
		f->from = value;
	else if (strcmp(option, "--to") == 0 && f->rcpts < RECIPIENTS_SAID)
		f->to[f->rcpts++] = value;
	else if (strcmp(option, "--word") == 0)
		ask_word(f, "word", value);
	else if (strcmp(option, "--regex") == 0)
		ask_word(f, "regex", value);
	else if (strcmp(option, "--field") == 0)
		ask_word(f, "field", value);
	else if (strcmp(option, "--list") == 0)
		buf_addf(&f->ask, "list %s\n", value);
	else if (strcmp(option, "--view") == 0 && is_part(value))
		f->view = value;
	else
		return 0;
	return 2;
}

/* Returns the index of the first file, or -1 after a complaint. */
static int read_options(struct facts *f, int argc, char **argv)
{
	int i = 0, used;

	while (i < argc && argv[i][0] == '-' && argv[i][1] != '\0') {
		if (strcmp(argv[i], "--json") == 0 || strcmp(argv[i], "-j") == 0) {
			f->json = true;
			used = 1;
		} else if (strcmp(argv[i], "--unmask") == 0) {
			f->unmask = true;
			used = 1;
		} else if (strcmp(argv[i], "--unquoted") == 0) {
			buf_add_text(&f->ask, "unquoted\n");
			used = 1;
		} else {
			used = i + 1 < argc ? valued_option(f, argv[i], argv[i + 1]) : 0;
		}
		if (used == 0) {
			complain_about(argv[i], "no such option, or no value for it");
			return -1;
		}
		i += used;
	}
	if (i < argc)
		return i;
	complain("usage: seki facts [--json] [--unmask] [--unquoted] [--from A] [--to A] "
		 "[--word TEXT] [--regex RE] [--list NAME] [--field NAME] [--view PART] FILE...");
	return -1;
}

/* ---- what is told ---- */

/* The byte that "+XX" at `at` stands for, if it is one of a letter beyond ASCII; else -1. */
static int letter_byte(const char *at, size_t len)
{
	int high, low;

	if (len < 3 || *at != '+')
		return -1;
	high = hex_digit(at[1]);
	low = hex_digit(at[2]);
	return high >= 8 && low >= 0 ? high << 4 | low : -1;
}

/* For people: letters as letters. What separates fields stays escaped, so that a line is still one. */
static void print_line(const char *line, size_t len)
{
	char text[PACKET_LINE_MAX];
	size_t used = 0;

	for (size_t at = 0; at < len && used < sizeof text;) {
		int byte = letter_byte(line + at, len - at);

		text[used++] = byte >= 0 ? (char)byte : line[at];
		at += byte >= 0 ? 3 : 1;
	}
	out_visible(stdout, text, used, false);
}

static bool take_line(struct facts *f, const char *line, size_t len)
{
	if (f->json)
		return facts_json_line(f->object, line, len);
	print_line(line, len);
	return putchar('\n') != EOF;
}

/* A part as text: its lines and tabs stay, whatever else the worker sends is made visible. */
static bool show_part(struct facts *f, const char *text, size_t len)
{
	static const char missing[] = "uninspectable part=0 reason=" INSPECT_NO_PART "\n";
	size_t from = 0;

	if (len == sizeof missing - 1 && memcmp(text, missing, len) == 0) {
		f->missing = true;
		return true;
	}
	for (size_t at = 0; at < len; at++) {
		if (text[at] != '\n' && text[at] != '\t')
			continue;
		out_visible(stdout, text + from, at - from, false);
		if (putchar(text[at]) == EOF)
			return false;
		from = at + 1;
	}
	out_visible(stdout, text + from, len - from, false);
	return ferror(stdout) == 0;
}

/* Packets hold whole lines, but that is only what the worker says. */
static bool take_facts(void *context, const char *lines, size_t len)
{
	struct facts *f = context;
	const char *newline;

	if (f->view != NULL)
		return show_part(f, lines, len);
	while ((newline = memchr(lines, '\n', len)) != NULL) {
		size_t n = (size_t)(newline - lines);

		if (!take_line(f, lines, n)) {
			f->failed = true;
			return false;
		}
		lines = newline + 1;
		len -= n + 1;
	}
	return true;
}

static int one_file(struct facts *f, struct inspect_client *client, int folder, const char *path)
{
	struct inspect_message message = {
	    .from = f->from, .rcpt = f->to, .rcpts = f->rcpts, .view = f->view};
	enum inspect_result result;
	char fault[256] = "";
	struct stat st;
	int code = EXIT_FINE, fd = openat(folder, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		complain_about(path, "%s", fd < 0 ? strerrordesc_np(errno) : "no regular file");
		if (fd >= 0)
			(void)close(fd);
		return EXIT_NO;
	}
	message.content = (struct source){fd, 0, (uint64_t)st.st_size};
	f->object = f->json ? facts_json_new(path) : NULL;
	result = inspect_ask(client, &message, take_facts, f, fault, sizeof fault);
	if (result == INSPECT_REFUSED)
		code = complain_usage("%s", fault);
	else if (f->failed || (f->json && f->view == NULL && !facts_json_print(f->object)))
		code = EXIT_ENVIRON;
	if (f->missing) {
		complain_about(path, "no part %s", f->view);
		code = worse(code, EXIT_NO);
	}
	f->missing = false;
	facts_json_free(f->object);
	f->object = NULL;
	(void)close(fd);
	return code;
}

static bool print_path(const char *path)
{
	(void)fputs("of path=", stdout);
	out_visible(stdout, path, strlen(path), false);
	return putchar('\n') != EOF;
}

static int each_file(
    struct facts *f, const struct settings *settings, int folder, int files, char **file)
{
	struct inspector *inspector = inspector_open(settings, &f->ask);
	int code = EXIT_FINE;

	if (inspector == NULL)
		return EXIT_ENVIRON;
	for (int i = 0; i < files && code != EXIT_USAGE; i++) {
		/* Which of them the following facts are of. */
		if (files > 1 && !f->json && f->view == NULL && !print_path(file[i]))
			return EXIT_ENVIRON;
		code = worse(code, one_file(f, inspector_client(inspector), folder, file[i]));
	}
	inspector_close(inspector);
	return code;
}

int shell_facts(const struct shell *sh, int argc, char **argv)
{
	struct facts f = {.sh = sh, .json = sh->json};
	struct settings settings;
	int first, code, here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	buf_init(&f.ask, QUESTIONS_MAX);
	ask_everything(&f);
	first = read_options(&f, argc, argv);
	if (first < 0)
		return EXIT_USAGE;
	if (here < 0) {
		complain("%s", strerrordesc_np(errno));
		return EXIT_ENVIRON;
	}
	/* The lists and partners of the instance, if there is one. */
	(void)!chdir(sh->root);
	take_settings(&f, &settings);
	code = each_file(&f, &settings, here, argc - first, argv + first);
	buf_free(&f.ask);
	(void)close(here);
	if (fflush(stdout) != 0)
		code = EXIT_ENVIRON;
	return code;
}
