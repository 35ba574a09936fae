/*
 * What is said over run/db/socket: requests and answers, lines of words with one blank between them,
 * ending in LF. Values are xtext, "=" is an empty one. A connection may carry any number of requests,
 * one after the other; what is no request ends it.
 *
 *   ask SENDER N look|- [GROUP…]            GROUP: up to PAST_GROUPS_MAX of the sender's groups
 *   rcpt ADDRESS NAME                       N times
 *     sender registered|-
 *     rcpt SENDER GROUP SITE LAST LOOK LIKE N times, in the same order: three counts, a time in
 *                                           seconds, a word of past_look_word, what it looks like
 *   enrolled ADDRESS                        registered | -
 *   enrol ADDRESS                           registered, when it is durable
 *   remove ADDRESS                          removed | -            for root and the owner
 *   enrolments                              address ADDRESS SINCE   for each; end
 *   months                                  month MONTH PEAK       for each; end NOW ENROLLED
 *   report DAYS today|before                day FROM TO JUDGED LEGS REFUSED HELD;
 *                                           row KIND WHERE RULE FUNCTION OUTCOME MAILS RCPTS for each; end
 *   sent FIRST COUNT QUERY NAME…            what the addresses and logins NAME have sent, the newest first, from
 *                                           number FIRST (from 0) on; QUERY: "=" or what is looked for. NAME: "f"
 *                                           and an address in normal form, or "l" and a login;
 *                                           mail ID ENDED RCPTS DELIVERED FAILED RETURNED FROM SUBJECT RCPT RCPT RCPT
 *                                           for each, a missing RCPT is "="; end TOTAL all|more
 *   due                                     due WEEK | -
 *   done WEEK                               done, when it is durable
 *
 * Instead of any line of an answer: "failed", nothing can be told or kept now, and the connection ends.
 */
#ifndef SEKISHO_PAST_PROTOCOL_H
#define SEKISHO_PAST_PROTOCOL_H

#include "lib/base/buf.h"

#define PAST_LINE_MAX   ((size_t)16384)
#define PAST_VALUE_MAX  ((size_t)1024) /* of a decoded value, with its NUL */
#define PAST_WORDS_MAX  ((size_t)256)
#define PAST_GROUPS_MAX ((size_t)200) /* groups of a sender; others are not looked at */
#define PAST_RCPTS_MAX  ((size_t)100000)
#define PAST_SENT_NAMES ((size_t)32) /* of one question about what was sent */
#define PAST_SENT_COUNT ((size_t)100)
#define PAST_SENT_RCPTS ((size_t)3)
#define PAST_NAME_MAX   ((size_t)256) /* bytes of a display name that are told */

/* A line cut into its words, in place: each is decoded and ends in a NUL. */
struct past_line {
	size_t words;
	char *word[PAST_WORDS_MAX];
};

/*
 * Cuts `len` bytes, without the LF, writing into them and one byte behind them. False: it is no such
 * line (an empty word, no xtext, a NUL in a value, one that is too long, too many words).
 */
NODISCARD bool past_line_cut(char *bytes, size_t len, struct past_line *line);

/* A number in digits. False: it is none. */
NODISCARD bool past_number(const char *word, uint64_t *number);

/* Adds a blank and a value; NULL is an empty one. At most PAST_VALUE_MAX - 1 bytes of it. */
void past_put(struct buf *out, const char *value);

#endif
