/*
 * The door of the spool: how a message gets from a session (seki-smtpd) to seki-queue, over the
 * Unix stream socket run/queue/socket. The one who sends is not trusted: seki-queue reads every
 * field again, makes the id and writes the Received line. Who may connect is decided by the mode of
 * run/queue/.
 *
 *   session -> queue   "E" u32 LENGTH, LENGTH bytes: the envelope, lines as in a leg's head:
 *                          from XTEXT [param=value…]       the null sender is the word "<>"
 *                          to XTEXT [param=value…]         one line for each recipient
 *                          client ADDRESS helo=XTEXT proto=WORD [key=value…]
 *                      and behind these, optionally, each at most once:
 *                          size DIGITS                     as declared by SIZE=
 *                          quota HOUR DAY                  the limits of this message's source,
 *                                                          instead of quota-source-hour and -day;
 *                                                          0 is any number
 *   queue -> session   "G" + 32 hex digits: go on, this is the id
 *                      "F" no room now (452 4.3.1)     "T" not now, or malformed (451 4.3.0)
 *                      "L" larger than message-size (552 5.3.4)
 *   session -> queue   "D" u32 LENGTH, LENGTH bytes of content   any number, LENGTH 1..65536
 *                      "." end of content: commit
 *                      "X" give it up (or simply close): nothing is kept
 *   queue -> session   "K" kept: on the disk, it will survive a power cut (250)
 *                      "F", "T" or "L": not kept
 *
 * The keys of the client line, all values in xtext:
 *
 *     helo=      what the client called itself
 *     proto=     smtp esmtp esmtps esmtpa esmtpsa (RFC 3848), utf8smtp utf8smtps utf8smtpa
 *                utf8smtpsa (RFC 6531); it stands in the Received line
 *     port=      the client's
 *     tls= cipher=   of its session, as OpenSSL calls them: tls=TLSv1.3
 *     auth=      the login, if it proved one. Recipients are counted by it; without one by ADDRESS
 *     relay=     the line of etc/relay that let it in
 *     hold=WORD  the message waits in hold/ until an operator releases it: foreign-sender
 *     origin=gateway  it came by the gateway's own door; only seki-queue writes this
 *
 * A message over a quota is kept like any other; its login or source is frozen before.
 *
 * Integers are big-endian. After a reply the connection is ready for the next envelope. A reply
 * other than "G" to an envelope means: send no content. A failure in mid-content ("F", "T", "L")
 * is reported after "." has been received, so that the stream never loses its place.
 *
 * The gateway's own mail comes by a door of its own, run/own/socket, which seki-notice alone reaches.
 * The protocol is the same, but:
 *
 *     the client line is "client -", for there is no client; seki-queue adds origin=gateway. An
 *     envelope of the other door with origin= is malformed, so nobody can forge it
 *     nothing is counted, and "quota" is malformed; size and room bind as ever
 *     its Received line names no client, for there was no session
 *     places are notice-clients, apart from those of the other door
 */
#ifndef SEKISHO_QUEUE_INTAKE_H
#define SEKISHO_QUEUE_INTAKE_H

#include "lib/base/compat.h"
#include "queue/id.h"

#define INTAKE_SOCKET       "run/queue/socket"
#define INTAKE_OWN_SOCKET   "run/own/socket"
#define INTAKE_ENVELOPE_MAX ((size_t)2 * 1024 * 1024)
#define INTAKE_CHUNK_MAX    ((size_t)65536)

enum intake_reply {
	INTAKE_GO,        /* to an envelope only */
	INTAKE_KEPT,      /* to the end of content only: the message is durable */
	INTAKE_FULL,      /* 452 4.3.1 */
	INTAKE_TEMPORARY, /* 451 4.3.0; also: seki-queue is not there, or did not answer in time */
	INTAKE_TOO_LARGE, /* 552 5.3.4 */
};

/*
 * Whether a client line, as a leg has it, says that the message is the gateway's own: its plan is
 * fixed, and no notification is ever made about it.
 */
NODISCARD bool intake_is_own(const char *client);

struct intake; /* one connection; opaque */

/*
 * Connects to the queue, giving up after `timeout_ms` of silence, then and later. Returns NULL if
 * it cannot be reached (451). Free with intake_close.
 */
NODISCARD struct intake *intake_connect(const char *path, int timeout_ms);
void intake_close(struct intake *in);

/* Sends an envelope; on INTAKE_GO `id` holds the message's id. */
NODISCARD enum intake_reply intake_begin(
    struct intake *in, const char *envelope, size_t len, char id[ID_TEXT]);

/*
 * Sends content, buffered into chunks. False: the connection is lost; the message is not kept.
 * (seki-queue's own refusals come from intake_commit.)
 */
NODISCARD bool intake_data(struct intake *in, const char *bytes, size_t len);

/* Ends the content and waits for the verdict. Anything but INTAKE_KEPT means: not kept. */
NODISCARD enum intake_reply intake_commit(struct intake *in);

/* Gives the begun message up; the connection stays usable if it was. */
void intake_abandon(struct intake *in);

#endif
