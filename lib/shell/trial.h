/*
 * What seki test, try and replay begin with: the instance's settings, and the rules of its etc/ as
 * they stand now. Nothing of the instance is changed.
 */
#ifndef SEKISHO_SHELL_TRIAL_H
#define SEKISHO_SHELL_TRIAL_H

#include "lib/base/settings.h"
#include "lib/shell/judge_kit.h"

struct trial {
	struct settings settings;
	int here; /* the directory in which the command was given: files are named from there */
	int etc;
	struct policy *policy;
	struct judge_kit *kit;
};

/*
 * Goes into the instance's directory and opens everything; `policy` (or NULL) is a directory in the
 * place of etc/policy. Returns EXIT_FINE, or an exit code after a complaint. End it with trial_close,
 * whatever it returned.
 */
NODISCARD int trial_open(struct trial *t, const struct shell *sh, const char *policy);
void trial_close(struct trial *t);

/* A message, and what is said about its envelope. */
struct trial_mail {
	const char *path; /* as it is called */
	struct source content;
	const char *from;           /* NULL: the first of its From */
	const struct addresses *to; /* none: its To, Cc and Bcc */
	int64_t at;                 /* microseconds */
};

/* Judges and prints it. Returns an exit code. */
NODISCARD int trial_judge(struct trial *t, struct out *o, const struct trial_mail *mail);

/*
 * Opens a regular file to read, named from `folder`; its size goes to `content`. -1 after a complaint.
 */
NODISCARD int trial_file(int folder, const char *path, struct source *content);

#endif
