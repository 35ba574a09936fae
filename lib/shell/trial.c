#include "lib/shell/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/die.h"
#include "lib/base/zone.h"
#include "lib/shell/check.h"
#include "lib/shell/moment.h"
#include "lib/shell/trial_rules.h"

/* The settings and the zone of the instance in the current directory. */
static int open_etc(struct trial *t, const struct shell *sh)
{
	struct conf_fault fault;

	t->etc = open("etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->etc < 0) {
		complain_about(sh->root, "etc/ cannot be opened: %s; --root names the instance",
		    strerrordesc_np(errno));
		return EXIT_ENVIRON;
	}
	if (!settings_read(t->etc, &t->settings, &fault)) {
		complain_fault(&fault);
		return EXIT_CONFIG;
	}
	if (zone_set(t->settings.time_zone))
		return EXIT_FINE;
	complain("no memory");
	return EXIT_ENVIRON;
}

int trial_open(struct trial *t, const struct shell *sh, const char *policy)
{
	struct conf_fault fault;
	char path[PATH_MAX];
	int code;

	*t = (struct trial){.here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), .etc = -1};
	if (t->here < 0 || (policy != NULL && realpath(policy, path) == NULL)) {
		complain_about(t->here < 0 ? "." : policy, "%s", strerrordesc_np(errno));
		return EXIT_NO;
	}
	if (chdir(sh->root) != 0) {
		complain_about(sh->root, "%s; --root or SEKISHO_ROOT names the instance",
		    strerrordesc_np(errno));
		return EXIT_ENVIRON;
	}
	code = open_etc(t, sh);
	if (code != EXIT_FINE)
		return code;
	t->policy = trial_rules(t->etc, policy != NULL ? path : NULL, &fault);
	if (t->policy == NULL) {
		complain_fault(&fault);
		return EXIT_CONFIG;
	}
	t->kit = judge_kit_new(&t->settings, t->policy, false);
	if (t->kit != NULL)
		return EXIT_FINE;
	complain("no memory");
	return EXIT_ENVIRON;
}

void trial_close(struct trial *t)
{
	judge_kit_free(t->kit);
	policy_close(t->policy);
	if (t->etc >= 0)
		(void)close(t->etc);
	if (t->here >= 0)
		(void)close(t->here);
}

int trial_file(int folder, const char *path, struct source *content)
{
	int fd = openat(folder, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		*content = (struct source){.fd = fd, .size = (uint64_t)st.st_size};
		return fd;
	}
	complain_about(path, "%s", fd < 0 ? strerrordesc_np(errno) : "no regular file");
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

/* ---- one message -------------------------------------------------------------------------- */

/* What is to be said once about the message as a whole. */
static void print_heading(struct out *o, const struct trial_mail *mail, const struct leg *leg)
{
	char at[MOMENT_TEXT];

	if (o->json)
		return;
	moment_text(mail->at, at);
	out_visible(o->file, mail->path, strlen(mail->path), false);
	(void)fputs("   from ", o->file);
	out_visible(o->file, leg->from[0] != '\0' ? leg->from : "<>",
	    leg->from[0] != '\0' ? strlen(leg->from) : 2, false);
	(void)fprintf(o->file, ", %s\n", at);
}

static void print_refusal(struct out *o, const struct policy_refusal *refusal)
{
	if (o->json || !refusal->refused)
		return;
	(void)fputs("refused by ", o->file);
	out_visible(o->file, refusal->where, strlen(refusal->where), false);
	(void)fputs(refusal->tell_sender ? ": the sender is told" : ": nobody is told", o->file);
	for (size_t i = 0; i < refusal->forwards; i++) {
		(void)fputs(i == 0 ? ", forwarded to " : ", ", o->file);
		out_visible(o->file, refusal->forward[i], strlen(refusal->forward[i]), false);
	}
	(void)fputc('\n', o->file);
}

static int judge_and_print(
    struct trial *t, struct out *o, const struct trial_mail *mail, const struct leg *leg)
{
	struct judge_case c = {.leg = leg, .content = &mail->content, .since = mail->at};
	struct judged judged;
	int code = EXIT_ENVIRON;

	if (judge_message(t->kit, &c, &judged) == JUDGED) {
		print_heading(o, mail, leg);
		print_refusal(o, &judged.judgement.refusal);
		code = judged_print(o, t->kit, leg, &judged, "path", mail->path) ? EXIT_FINE
										 : EXIT_ENVIRON;
		if (judged.past_unknown)
			complain_about(mail->path, "a rule asks what was sent before, and seki-db "
						   "does not answer: unknown");
		if (judged.cut)
			complain_about(mail->path, "not all of it could be inspected");
	}
	judged_free(&judged);
	return code;
}

int trial_judge(struct trial *t, struct out *o, const struct trial_mail *mail)
{
	struct addresses from = {.n = 0}, to = {.n = 0};
	const struct addresses *rcpt = mail->to->n > 0 ? mail->to : &to;
	struct envelope e = {.leg = {.rcpts = 0}};
	const char *sender = mail->from;
	int code = EXIT_NO;

	if ((mail->from == NULL || mail->to->n == 0) &&
	    !judge_kit_addresses(t->kit, &mail->content, &from, &to)) {
		code = EXIT_ENVIRON;
		goto out;
	}
	if (sender == NULL)
		sender = from.n > 0 ? from.address[0] : "";
	if (rcpt->n == 0)
		complain_about(mail->path, "it names no recipient: --to says whom it is for");
	else if (!envelope_make(
		     &e, sender, addresses_list(rcpt), rcpt->n, mail->at, mail->content.size))
		complain_about(mail->path, "an address in it can stand in no envelope");
	else
		code = judge_and_print(t, o, mail, &e.leg);
	envelope_free(&e);
out:
	addresses_free(&from);
	addresses_free(&to);
	return code;
}
