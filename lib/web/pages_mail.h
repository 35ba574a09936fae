/* What the pages about mail share: the way to a mail, its values, and words said once. Internal to pages_*.c. */
#ifndef SEKISHO_WEB_PAGES_MAIL_H
#define SEKISHO_WEB_PAGES_MAIL_H

#include "lib/web/page.h"
#include "lib/web/pages_kit.h"

/* ---- pages_mail_words.c: what programs say, in the reader's words; all translated, none owned ---- */

const char *mail_state(const char *state);       /* "held": "On hold" */
const char *mail_state_tone(const char *state);  /* "warn": the style of its badge */
const char *mail_fate(const char *fate);         /* "open": "" */
const char *mail_class(const char *class);       /* "external": "Outside" */
const char *mail_function(const char *function); /* "hold": "Held" */

/* Why something cannot be done, by seki-hold's code (sekisho-gate(5), Reasons). */
const char *mail_reason(const char *code);

/* What was done by a word of `act`: "Sent." and so on; NULL: it is none of ours. */
const char *mail_done(const char *word);

/* "60m" as people say it; anything else as it is. Appends to `out`. */
void mail_outcome(struct buf *out, const char *outcome);

/* ---- pages_mail_evidence.c ---- */

/* What a rule saw as people say it; names, numbers and addresses as they are. Appends to `out`. */
void mail_evidence(struct buf *out, const char *evidence);

/* ---- pages_mail_history.c ---- */

/* One record (`last`, or one of `history`) as a sentence; "" if it is nothing for people. `you`: who reads it. */
void mail_record(const struct page *page, const json_t *record, const json_t *leg, const char *you,
    struct buf *out);

/* What was done to these legs, oldest first: objects of at and text. `*more`: something older is not told. */
json_t *mail_history(const struct page *page, const json_t *legs, const char *you, bool *more);

/* ---- pages_mail_times.c ---- */

/* What will happen and when: sentences about one leg. */
json_t *mail_sentences(const struct page *page, const json_t *leg);

/*
 * The times until which a hold can be made longer: objects of until and text; behind `end`, a time of seki-hold's,
 * and behind now, and not behind `longest`; either may be "".
 */
json_t *mail_longer(const struct page *page, const char *end, const char *longest);

/* ---- pages_mail_values.c ---- */

/* The values of the template "mail" from the answer of `show` (done, or gone). */
void mail_set_values(struct page *page, const json_t *show);

/*
 * What mail that has just left is called: nobody tells it any more, so it goes from the page that let it go to the
 * next one, sealed: about=SUBJECT seal=… in the query. `text`: of the form token and the subject; "" without one.
 */
void mail_seal(const struct page *page, const char *subject, char text[64]);

/* Whether one of the legs can be done `word` to. */
bool mail_can(const json_t *show, const char *word);

/* ---- pages_mail.c ---- */

/*
 * By which word and value the mail is named in links and forms of this page: "t" and the link's token, or "id" and
 * the id; sets by and key. False: by none, and the page says so.
 */
struct mail_way {
	const char *by, *key;
};
NODISCARD bool mail_way(struct page *page, struct mail_way *way);

/* Shows the mail, with status 200; or, if `problem` is not NULL, with `status` and what went wrong. */
struct mail_problem {
	int status;
	const char *title;    /* translated */
	struct buf *sentence; /* NULL: none */
};
void mail_show(struct page *page, const struct mail_way *way, const struct mail_problem *problem);

/* Asks once more, for the word of the form or query; what is asked for beside it (a PIN, a comment) stands there. */
void mail_confirm(
    struct page *page, const struct mail_way *way, const struct mail_problem *problem);

#endif
