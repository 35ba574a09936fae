/* try: what the rules of etc/ would do with a mail from here to there with these files. */
#include "lib/shell/shell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/shell/compose.h"
#include "lib/shell/moment.h"
#include "lib/shell/trial.h"

#define USAGE                                                                                      \
	"usage: seki try [-j] [--at TIME] [--policy DIR] [--cc ADDRESS]... [--bcc ADDRESS]... "    \
	"[--subject TEXT] [--text TEXT] FROM TO... [FILE...]"
#define FILES_SAID ((size_t)1000)

struct trying {
	const char *from;
	struct addresses to, cc, all; /* all: with those in Bcc */
	const char *subject, *text, *at, *policy;
	const char **path;
	size_t paths;
};

static bool take_option(struct trying *t, const char *option, const char *value)
{
	size_t len = strlen(value);

	if (strcmp(option, "--cc") == 0) {
		addresses_add(&t->cc, value, len);
		addresses_add(&t->all, value, len);
	} else if (strcmp(option, "--bcc") == 0) {
		addresses_add(&t->all, value, len);
	} else if (strcmp(option, "--subject") == 0) {
		t->subject = value;
	} else if (strcmp(option, "--text") == 0) {
		t->text = value;
	} else if (strcmp(option, "--at") == 0) {
		t->at = value;
	} else if (strcmp(option, "--policy") == 0) {
		t->policy = value;
	} else {
		complain_about(option, "no such option");
		return false;
	}
	return true;
}

/* Words with an '@' are addresses, the sender first; "<>" is the null one. Others are files. */
static bool take_word(struct trying *t, const char *word)
{
	size_t len = strlen(word);

	if (t->from == NULL && strcmp(word, "<>") == 0) {
		t->from = "";
	} else if (strchr(word, '@') == NULL || word[0] == '/' || word[0] == '.') {
		if (t->paths == FILES_SAID)
			return false;
		t->path[t->paths++] = word;
	} else if (t->from == NULL) {
		t->from = word;
	} else {
		addresses_add(&t->to, word, len);
		addresses_add(&t->all, word, len);
	}
	return true;
}

static bool take_words(struct trying *t, struct shell *sh, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "-j") == 0 || strcmp(argv[i], "--json") == 0) {
			sh->json = true;
		} else if (strncmp(argv[i], "--", 2) == 0) {
			if (i + 1 == argc || !take_option(t, argv[i], argv[i + 1]))
				return false;
			i++;
		} else if (!take_word(t, argv[i])) {
			return false;
		}
	}
	return t->from != NULL && t->all.n > 0 && !t->all.failed && !t->to.failed && !t->cc.failed;
}

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* Opens the files and writes the message. Returns an exit code. */
static int compose(const struct trying *t, int folder, int64_t at, struct source *content)
{
	struct compose_file *file = calloc(t->paths + 1, sizeof *file);
	struct compose c = {
	    .from = t->from,
	    .to = addresses_list(&t->to),
	    .tos = t->to.n,
	    .cc = addresses_list(&t->cc),
	    .ccs = t->cc.n,
	    .subject = t->subject,
	    .text = t->text,
	    .text_len = strlen(t->text),
	    .file = file,
	    .date = at,
	};
	int code = file != NULL ? EXIT_FINE : EXIT_ENVIRON;

	while (code == EXIT_FINE && c.files < t->paths) {
		struct source source;
		int fd = trial_file(folder, t->path[c.files], &source);

		if (fd < 0)
			code = EXIT_NO;
		else
			file[c.files] = (struct compose_file){file_name(t->path[c.files]), fd};
		c.files += fd >= 0;
	}
	if (code == EXIT_FINE && !compose_message(&c, content)) {
		complain("the message cannot be written: %s", strerrordesc_np(errno));
		code = EXIT_ENVIRON;
	}
	for (size_t i = 0; i < c.files; i++)
		(void)close(file[i].fd);
	free(file);
	return code;
}

static int judge(struct trial *trial, struct out *o, const struct trying *t)
{
	struct trial_mail mail = {.path = "mail", .from = t->from, .to = &t->all};
	int code;

	mail.at = t->at != NULL ? moment_parse(t->at) : clock_wall();
	if (mail.at < 0)
		return complain_usage("--at is like \"2026-11-22 18:59:59\"");
	code = compose(t, trial->here, mail.at, &mail.content);
	if (code != EXIT_FINE)
		return code;
	code = trial_judge(trial, o, &mail);
	(void)close(mail.content.fd);
	return code;
}

int shell_try(const struct shell *sh, int argc, char **argv)
{
	struct shell shown = *sh;
	struct trying t = {.subject = "trial", .text = "trial\n"};
	struct trial trial;
	struct out o;
	int code = EXIT_USAGE;

	t.path = calloc(FILES_SAID, sizeof *t.path);
	out_open(&o, &shown, NULL);
	if (t.path != NULL && take_words(&t, &shown, argc, argv)) {
		o.json = shown.json;
		code = trial_open(&trial, sh, t.policy);
		if (code == EXIT_FINE)
			code = judge(&trial, &o, &t);
		trial_close(&trial);
	} else {
		complain(USAGE);
	}
	addresses_free(&t.to);
	addresses_free(&t.cc);
	addresses_free(&t.all);
	free(t.path);
	return out_close(&o, code);
}
