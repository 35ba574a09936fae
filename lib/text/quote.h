/*
 * Which lines of a text are quoted from the mail that it answers. Reads normalised text
 * (lib/text/norm.h: ＞ is > there, ： is :) line by line, piece by piece.
 *
 * Quoted are: lines that begin with > or |, or with a name and > ("tanaka> "); the line that says
 * who wrote what follows ("On ... wrote:", "2026年11月22日(日) 10:00 山田 <a@b>:"), if lines so marked
 * follow; and everything behind "On ... wrote:" where none is marked, behind "-----Original
 * Message-----" or "----- 元のメッセージ -----", and behind the header with which Outlook begins what is
 * answered (差出人 or From, then 送信日時 or Sent, and 宛先/To or 件名/Subject). What is forwarded is not
 * quoted: its reader has not seen it.
 *
 * It is the writer who draws these marks: a rule that leaves out what is quoted trusts them.
 */
#ifndef SEKISHO_TEXT_QUOTE_H
#define SEKISHO_TEXT_QUOTE_H

#include "lib/base/compat.h"

/*
 * Takes the text again, cut between letters; the marks > and | before quoted lines are gone. False:
 * no more is wanted.
 */
typedef bool quote_take(void *context, const char *text, size_t len, bool quoted);

struct quote;

/* NULL: no memory. The caller frees it by quote_free. */
NODISCARD struct quote *quote_open(quote_take *take, void *context);

/* More text, whole letters; `quoted`: it is so already by what HTML says (lib/text/html.h). */
NODISCARD bool quote_feed(struct quote *q, const char *text, size_t len, bool quoted);

/* The text ends: what waited for its next line goes out. */
NODISCARD bool quote_end(struct quote *q);
void quote_free(struct quote *q);

#endif
