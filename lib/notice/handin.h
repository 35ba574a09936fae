/* Bringing a message that is made while it is sent into the spool. Internal to lib/notice. */
#ifndef SEKISHO_NOTICE_HANDIN_H
#define SEKISHO_NOTICE_HANDIN_H

#include "lib/dsn/dsn.h"
#include "lib/notice/notice.h"

/* A message to be made. */
struct handin {
	const char *door;
	int patience_ms;
	const char *about; /* ID.K of the leg, or "-", for the log */
	size_t rcpts;      /* of the leg, for the log */
	const char *to;    /* its one recipient */
	void *context;     /* for those below */

	/* What its envelope must say, set by `prepare`. */
	bool utf8;      /* SMTPUTF8 */
	bool eight_bit; /* BODY=8BITMIME */

	/* Looks at what is sent. False with errno. */
	bool (*prepare)(struct handin *h);
	/* Gives the message `id` to `put`; false: `put` said so, or errno. */
	bool (*write)(struct handin *h, const char *id, dsn_put *put, void *context);
	/* It was larger than message-size: makes it smaller. False: it cannot be. */
	bool (*smaller)(struct handin *h);
};

/*
 * Does it, as often as it has to be made smaller. The answer is NOTICE_KEPT with its id, or NOTICE_LATER;
 * what is not NOTICE_KEPT and worth an alarm is logged.
 */
void handin(struct handin *h, struct notice_answer *answer);

/* errno says why a leg could not be read, or what there was too little of: logs it, and answers. */
void handin_failed(const char *about, struct notice_answer *answer);

/* Fills an answer other than NOTICE_KEPT; `reason` is a literal. */
void notice_answer_set(struct notice_answer *answer, enum notice_result result, const char *reason);

#endif
