/* test: what the rules of etc/ would do with a message, without sending it. */
#include "lib/shell/shell.h"

#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/shell/moment.h"
#include "lib/shell/trial.h"

#define USAGE                                                                                      \
	"usage: seki test [-j] [--from ADDRESS] [--to ADDRESS]... [--at TIME] [--policy DIR] "     \
	"FILE..."

struct testing {
	const char *from;
	struct addresses to;
	const char *at;
	const char *policy;
};

/* Takes an option and its value; false: it is none of these. */
static bool take_option(struct testing *t, const char *option, const char *value)
{
	if (strcmp(option, "--from") == 0) {
		t->from = strcmp(value, "<>") == 0 ? "" : value;
	} else if (strcmp(option, "--to") == 0) {
		addresses_add(&t->to, value, strlen(value));
	} else if (strcmp(option, "--at") == 0) {
		t->at = value;
	} else if (strcmp(option, "--policy") == 0) {
		t->policy = value;
	} else {
		complain_about(option, "no such option");
		return false;
	}
	return !t->to.failed;
}

/* Returns the index of the first file; -1 after a complaint. */
static int take_options(struct testing *t, struct shell *sh, int argc, char **argv)
{
	int i = 0;

	while (i < argc && argv[i][0] == '-') {
		if (strcmp(argv[i], "-j") == 0 || strcmp(argv[i], "--json") == 0) {
			sh->json = true;
			i++;
		} else if (i + 1 < argc && take_option(t, argv[i], argv[i + 1])) {
			i += 2;
		} else {
			complain(USAGE);
			return -1;
		}
	}
	if (i < argc)
		return i;
	complain(USAGE);
	return -1;
}

static int test_file(
    struct trial *trial, struct out *o, const struct testing *t, int64_t at, const char *path)
{
	struct trial_mail mail = {.path = path, .from = t->from, .to = &t->to, .at = at};
	int fd = trial_file(trial->here, path, &mail.content);
	int code;

	if (fd < 0)
		return EXIT_NO;
	code = trial_judge(trial, o, &mail);
	(void)close(fd);
	return code;
}

int shell_test(const struct shell *sh, int argc, char **argv)
{
	struct shell shown = *sh;
	struct testing t = {.from = NULL};
	struct trial trial;
	struct out o;
	int64_t at;
	int code, first = take_options(&t, &shown, argc, argv);

	if (first < 0) {
		addresses_free(&t.to);
		return EXIT_USAGE;
	}
	code = trial_open(&trial, sh, t.policy);
	/* The site's time zone is known only now. */
	at = t.at != NULL ? moment_parse(t.at) : clock_wall();
	if (at < 0)
		code = complain_usage("--at is like \"2026-11-22 18:59:59\"");
	out_open(&o, &shown, NULL);
	for (int i = first; i < argc && (code == EXIT_FINE || code == EXIT_NO); i++)
		code = worse(code, test_file(&trial, &o, &t, at, argv[i]));
	trial_close(&trial);
	addresses_free(&t.to);
	return out_close(&o, code);
}
