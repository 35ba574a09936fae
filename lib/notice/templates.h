/* All templates, each in both languages: etc/notices/{ja,en}/NAME. */
#ifndef SEKISHO_NOTICE_TEMPLATES_H
#define SEKISHO_NOTICE_TEMPLATES_H

#include "lib/notice/template.h"

enum notice_kind {
	KIND_HOLD,
	KIND_REQUEST,
	KIND_WARNING,
	KIND_RESULT,
	KIND_DRAFT,
	KIND_DIGEST,
	KIND_URGENT,
	KIND_REVIEW,
	KIND_LOGIN,
};
#define NOTICE_KINDS 9

enum { NOTICE_JA, NOTICE_EN, NOTICE_LANGUAGES };

struct notice_templates {
	struct notice_template of[NOTICE_LANGUAGES][NOTICE_KINDS];
};

/* "hold" … ; the kind of that name, or NOTICE_KINDS. */
const char *notice_kind_word(size_t kind);
size_t notice_kind_of(const char *word);

/* The names of variables that templates may use. */
const char *const *notice_known_names(size_t *n);

/*
 * Reads all below the directory `etc`. Each must be there, or there is no etc/notices/ at all: so it
 * is where nothing is ever held, and none is made then. False with `fault` filled; then there is
 * nothing to free.
 */
NODISCARD bool notice_templates_read(
    int etc, struct notice_templates *templates, struct conf_fault *fault);
bool notice_templates_there(const struct notice_templates *templates);
void notice_templates_free(struct notice_templates *templates);

/* Whether they could be read: for seki check. */
NODISCARD bool notice_templates_check(int etc, struct conf_fault *fault);

#endif
