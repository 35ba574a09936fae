/*
 * What a person orders a stage to do with one leg, or with the mail for a domain, over the Unix
 * stream socket run/order/PROGRAM/socket. One line each way, then the connection ends:
 *
 *   tool -> stage   release STATE NAME by=XTEXT via=WORD   its hold is over
 *                   discard STATE NAME by=XTEXT via=WORD
 *                   restore STATE NAME by=XTEXT via=WORD   it is judged anew, and waits anew
 *                   approve STATE NAME by=XTEXT via=WORD   it needs no other approval
 *                   reject STATE NAME by=XTEXT via=WORD    its sender gets it back
 *                   extend STATE NAME by=XTEXT via=WORD until=TIME    its hold ends no earlier
 *                   remove STATE NAME by=XTEXT via=WORD rcpt=XTEXT    one recipient does not get it
 *                   bounce STATE NAME by=XTEXT via=WORD    its open recipients have failed
 *                   flush DOMAIN by=XTEXT via=WORD         its mail is tried now
 *                   each may have reason=XTEXT behind all of it
 *   stage -> tool   done STATE        it is, and durable; the leg stands in STATE
 *                   done STATE legs=N after flush: so many legs of STATE are looked at for it now
 *                   gone              no leg of that name stands there (any more): list again
 *                   no REASON         it was not done, and nothing has changed
 *                   unknown STATE     it was begun, and nobody can say whether it is durable; the
 *                                     leg stands in STATE now
 *
 * NAME is the file's whole name in STATE; DOMAIN is in A-labels, or an address literal, all letters
 * small. Only root and the stage's own user may order.
 */
#ifndef SEKISHO_QUEUE_ORDER_H
#define SEKISHO_QUEUE_ORDER_H

#include "lib/base/compat.h"
#include "queue/name.h"

#define ORDER_LINE_MAX   ((size_t)4096) /* with its newline */
#define ORDER_BY_MAX     ((size_t)256)  /* as written; reasons and recipients, too */
#define ORDER_REASON_MAX ((size_t)1536)
#define ORDER_RCPT_MAX   ((size_t)1024)
#define ORDER_PATH_MAX   ((size_t)64)
#define ORDER_DOMAIN_MAX ((size_t)255)
#define ORDER_LEGS_MAX   ((size_t)999999999) /* that an answer can tell */

enum order_word {
	ORDER_RELEASE,
	ORDER_DISCARD,
	ORDER_RESTORE,
	ORDER_APPROVE,
	ORDER_REJECT,
	ORDER_EXTEND,
	ORDER_REMOVE,
	ORDER_BOUNCE,
	ORDER_FLUSH,
};

struct order {
	enum order_word word;
	enum spool_state state;            /* not for ORDER_FLUSH */
	struct leg_name name;              /* the same */
	char domain[ORDER_DOMAIN_MAX + 1]; /* for ORDER_FLUSH alone */
	char by[ORDER_BY_MAX + 1];         /* xtext */
	char via[16];                      /* lower-case letters */
	char reason[ORDER_REASON_MAX + 1]; /* xtext; "": none */
	int64_t until;                     /* ORDER_EXTEND: microseconds */
	char rcpt[ORDER_RCPT_MAX + 1];     /* ORDER_REMOVE: xtext */
};

enum order_result { ORDER_DONE, ORDER_GONE, ORDER_NO, ORDER_UNKNOWN };

struct order_answer {
	enum order_result result;
	enum spool_state state; /* for ORDER_DONE and ORDER_UNKNOWN */
	char why[160];          /* for ORDER_NO: a sentence of printable ASCII */
	bool counted;           /* with ORDER_DONE: `legs` says something */
	size_t legs;
	bool busy; /* ORDER_NO only for now: a stage asks itself again before it says so */
	const char *
	    code; /* ORDER_NO: the role's own word for it, a literal, not told to the tool; NULL: none */
};

/* "release", "discard"... */
const char *order_word_name(enum order_word word);

/* Reads a line without its newline, `len` bytes of anything. False: it is no order. */
NODISCARD bool order_parse(const char *line, size_t len, struct order *order);

/* Writes it with its newline and a NUL; returns the length, 0 if it does not fit. */
NODISCARD size_t order_format(const struct order *order, char *line, size_t room);

/* The same for answers. */
NODISCARD bool order_answer_parse(const char *line, size_t len, struct order_answer *answer);
NODISCARD size_t order_answer_format(const struct order_answer *answer, char *line, size_t room);

/* The socket's path, relative to the instance. */
void order_path(const char *program, char path[ORDER_PATH_MAX]);

#endif
