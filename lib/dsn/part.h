/* The parts of a notification. Internal to lib/dsn. */
#ifndef SEKISHO_DSN_PART_H
#define SEKISHO_DSN_PART_H

#include "lib/dsn/out.h"

#define PART_LINE_MAX 998
#define PART_HOST_MAX 255

/* Reads bytes of the mail, all of them. False with errno. */
NODISCARD bool part_read(const struct dsn *dsn, uint64_t at, char *bytes, size_t len);

/*
 * Reads the mail's header, without its empty line, into an empty buffer whose bound is at least
 * PART_HEADER_ROOM. One longer than DSN_HEADER_MAX is cut behind its last whole line. False with errno.
 */
#define PART_HEADER_ROOM (DSN_HEADER_MAX + 16384)
NODISCARD bool part_header(const struct dsn *dsn, struct buf *header);

/* Whether there is nothing beyond ASCII. */
bool part_ascii(const char *text);

/*
 * Whether it can stand between angle brackets in a header: a mailbox, its local part of atoms or one
 * quoted string, UTF-8 that can be seen, at most 320 bytes.
 */
bool part_address_fits(const char *address);

/* Our own name, with nothing in it but what a name has. */
void part_host(const struct dsn *dsn, char host[PART_HOST_MAX + 1]);

/* The most serious action of all recipients. */
enum dsn_action part_worst(const struct dsn *dsn);

/* The status code of a recipient: its own if it fits its action. At most 11 bytes and a NUL. */
void part_status(const struct dsn_rcpt *rcpt, char status[12]);

/* "From: …" and "To: …", and the Message-ID, of our own header. */
void part_addresses(const struct dsn *dsn, const char *host, struct out *out);
void part_message_id(const struct dsn *dsn, const char *host, struct out *out);

/*
 * The mail, or its header, as a part behind the boundary. `name`: the attachment's file name, of
 * letters and digits; NULL: none. False with errno: it cannot be read.
 */
NODISCARD bool part_returned(
    const struct dsn *dsn, const struct dsn_form *form, const char *name, struct out *out);

/* ---- texts of strangers in the words for people ---- */

/* What can be seen, as it is; everything else, and what is no UTF-8, as '?'. At most `most` bytes. */
void part_seen(struct buf *text, const char *from, size_t most);

/* The same, but U+3000 as well, the blank of Japanese, which deceives in addresses alone. */
void part_line(struct buf *text, const char *from, size_t most);

/*
 * The same as part_seen in lines that are indented, so that none could be taken for one of ours; ends
 * the line.
 */
void part_quoted(struct buf *text, const char *from, size_t most, size_t lines);

/* "LABEL: 2026-11-23 08:26:40 +0900" in the process's time zone; nothing if there is no time. */
void part_time(struct buf *text, const char *label, int64_t wall);

/* The words about a refusal, both languages. Bounded by DSN_SHOWN_MAX recipients. */
void part_refused(const struct dsn *dsn, const struct dsn_form *form, struct buf *text);

/* The words for people, UTF-8 with CRLF. Bounded by DSN_SHOWN_MAX recipients. */
void part_words(const struct dsn *dsn, const struct dsn_form *form, struct buf *text);

/* The fields of message/delivery-status. */
void part_fields(const struct dsn *dsn, struct out *out);

/* What a status code means, in plain words. */
struct reason {
	const char
	    *code; /* "1.1": subject and detail; "1": the subject alone; "": whatever it is */
	const char *why_ja;
	const char *do_ja;
	const char *why_en;
	const char *do_en;
};

/*
 * The row for a code such as "5.1.1"; `ours`: it is this gateway that says so, and no other server.
 * Never NULL.
 */
const struct reason *reason_find(const char *status, bool ours);

/* All rows, the most general one last: for tests. */
const struct reason *reason_table(size_t *n);

#endif
