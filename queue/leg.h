/*
 * Reading a leg: its head, and what its trailer says. A leg is read from an open file and from
 * nothing else; nothing in it is believed before it is proven (head digest, separator, whole
 * records). Memory: at most LEG_HEAD_MAX and the trailer's bound; the content is never read here.
 */
#ifndef SEKISHO_QUEUE_LEG_H
#define SEKISHO_QUEUE_LEG_H

#include "lib/base/buf.h"
#include "lib/base/compat.h"
#include "queue/name.h"
#include "queue/plan.h"

#define LEG_HEAD_MAX    ((size_t)2 * 1024 * 1024)
#define LEG_DIGEST_LEN  64
#define LEG_RCPTS_MAX   10000
#define LEG_RECORDS_MAX ((size_t)64 * 1024 * 1024) /* that one visit to a leg may write */

enum rcpt_fate {
	RCPT_OPEN,
	RCPT_DELIVERED,
	RCPT_FAILED, /* for good, and its sender is to be told: it becomes RCPT_BOUNCED */
	RCPT_BOUNCED,
	RCPT_DROPPED, /* taken away by a person */
};

struct leg_rcpt {
	char *address;      /* decoded, NUL-ended; owned by the leg's head buffer */
	const char *params; /* the rest of the line, as written; "" if none */
	enum rcpt_fate fate;
	int64_t retry;       /* wall clock of its next try, or 0: at once */
	int64_t first_tried; /* when its first try failed for now, or 0 */
	int64_t last_tried;  /* and its last one */
	unsigned tries;      /* so far */
	unsigned doubts;     /* tries after which nobody knew whether the server had it */
	bool owed;   /* a notification to the sender is still to be made: it is not finished */
	bool warned; /* its sender has been told that it is late */
};

/* The last word that a person or a rule said about the whole leg. */
enum leg_verdict { LEG_STANDS, LEG_DISCARDED, LEG_REFUSED };

struct leg {
	struct leg_name name; /* id and k from the head; due is DUE_NONE */

	char *from; /* reverse-path, decoded; "" is <> */
	const char *from_params;
	const char *client; /* the client line without its word, as written */
	size_t rcpts;
	struct leg_rcpt *rcpt;
	int64_t accepted;
	uint64_t size;
	char sha256[LEG_DIGEST_LEN + 1];

	off_t content; /* where the content begins */
	off_t trailer; /* where the trailer begins */
	off_t end;     /* where its last whole record ends: cut there before appending */
	off_t file_end;

	struct plan plan; /* the last whole one; steps 0 if there is none */
	enum leg_verdict verdict;
	bool emptied;          /* the body has been punched out */
	const char *unknown;   /* a record word that this version does not know, or NULL */
	int64_t amended_until; /* the last `until=` amendment, or 0 */
	unsigned removals;     /* addresses that are still to be taken out of the header */
	bool rewritten;        /* some were taken out */
	int64_t restored;      /* when it was brought back from trash/, the last time; 0: never */
	unsigned restores;     /* how often */

	struct buf head_bytes;
	struct buf trailer_bytes; /* the whole records, as they stand */
};

enum leg_fault {
	LEG_FINE,
	LEG_UNREADABLE, /* no leg, or damaged: bad/ */
	LEG_TOO_LONG,   /* trailer over its bound: an operator must look */
	LEG_ENVIRON,    /* read error or no memory: try again later; errno says which */
};

/*
 * Reads the leg in `fd` (any position). On LEG_FINE the caller owns `leg` and frees it with
 * leg_free; otherwise `leg` needs no freeing and `why` points to a literal reason.
 */
NODISCARD enum leg_fault leg_read(int fd, size_t trailer_max, struct leg *leg, const char **why);
void leg_free(struct leg *leg);

/* How many recipients are not finished: open, or a notification about them is owed. */
size_t leg_open_rcpts(const struct leg *leg);

/* One record of the trailer that names recipients; text points into the leg's trailer_bytes. */
struct leg_record {
	int64_t time;
	const char *text; /* from its word on, without the newline; NULL: there is none */
	size_t len;
};

/*
 * The next record that is no plan, from *at on, which begins at 0. False: there are no more. The whole
 * trailer is seen in one pass.
 */
NODISCARD bool leg_next_record(const struct leg *leg, size_t *at, struct leg_record *record);

/* Whether the record begins with this word. */
NODISCARD bool leg_record_is(const struct leg_record *record, const char *word);

/*
 * Finds, in one pass, the last record of `word` for each recipient: `last` has room for leg->rcpts.
 * "told by reply=… of the last failed record" is what a notification and a list are made from.
 */
void leg_last_records(const struct leg *leg, const char *word, struct leg_record *last);

/*
 * The length of the Received field that the gateway itself put on top of the content, of the leg in `fd`;
 * 0 if there is none: what a message measured when it came is its size without it.
 */
uint64_t leg_received(int fd, const struct leg *leg);

/* Adds each of the lines to `out` as a record: with the time `now`, microseconds, before it. */
void leg_stamp_records(struct buf *out, int64_t now, const char *lines, size_t len);

/* The value of `key` in a record, still xtext, and its length; NULL if it is not there. */
const char *leg_record_value(const struct leg_record *record, const char *key, size_t *len);

/*
 * Finds `key` in the parameters of a from, to or client line ("body=8bitmime ret=hdrs"): a pointer
 * to its value, still xtext, and its length; NULL if it is not there.
 */
const char *leg_param(const char *params, const char *key, size_t *len);

/*
 * Reads the lines of an envelope (from, to, client) as they arrive at the queue's door, by the
 * very parser that reads a head. `text` is changed in place and must outlive `leg`. Fills from,
 * rcpts, client. False if it is malformed. Free with leg_free.
 */
NODISCARD bool leg_read_envelope(char *text, size_t len, struct leg *leg);

/* What a head is written from. */
struct leg_head {
	const char *id;
	const char *k;
	const char *envelope; /* the lines from, to…, client: each ends in a newline */
	size_t envelope_len;
	int64_t accepted;
	uint64_t size;
	const char *sha256; /* LEG_DIGEST_LEN hex digits */
};

/*
 * Writes a whole head with its digest and the empty line. Its length depends on nothing but id, k
 * and the envelope: a head with blank `sha256` (NULL) reserves the room for the final one.
 */
void leg_write_head(struct buf *out, const struct leg_head *head);

/* Writes a from or to line: "WORD XTEXT params"; an empty address is "<>". */
void leg_write_address(struct buf *out, const char *word, const char *address, const char *params);

/* Writes the separator "\n-- ID\n". */
void leg_write_separator(struct buf *out, const char *id);

#endif
