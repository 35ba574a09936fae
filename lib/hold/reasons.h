/*
 * Why something is not done to a mail: a word for programs, which stays as it is, and an English sentence.
 * sekisho-gate(5) lists the words for those who write pages.
 */
#ifndef SEKISHO_HOLD_REASONS_H
#define SEKISHO_HOLD_REASONS_H

#include "lib/base/compat.h"
#include "queue/order.h"

/* X(NAME, word, sentence); more may be said behind the sentence. */
#define ACT_REASONS(X)                                                                             \
	X(NONE, "impossible", "that is not possible")                                              \
	X(NOT_SENDER, "not-sender", "only its sender, or an operator, may do that")                \
	X(NOT_CONCERNED, "not-concerned",                                                          \
	    "only its sender, who is asked to approve it, or an operator may do that")             \
	X(NOT_ASKED, "not-asked", "only who is asked to approve it may do that")                   \
	X(VOTED, "voted", "who has voted, himself or by a deputy, has no second vote about it")    \
	X(AUTHOR, "author", "nobody approves what he may have written himself")                    \
	X(AUTHOR_UNKNOWN, "author-unknown",                                                        \
	    "nobody knows who handed it in: only an operator approves it")                         \
	X(OPERATOR, "operator", "an operator has to look at it first")                             \
	X(STOPPED, "stopped", "it is stopped")                                                     \
	X(WINDOW, "window", "mail may not leave at this time of day")                              \
	X(UNCHECKED, "unchecked", "each entry of its check has to be confirmed first")             \
	X(NO_CHECK, "no-check", "there is nothing in it to be checked")                            \
	X(EMPTIED, "emptied", "its content has been removed")                                      \
	X(NO_RECIPIENT, "no-recipient", "it has no such recipient, or not any more")               \
	X(NO_END, "no-end", "no time ends it that could be put off")                               \
	X(EXTENSIONS, "extensions", "its end has been put off too often")                          \
	X(LONGEST, "longest", "the setting hold-longest lets it wait no longer")                   \
	X(TOO_EARLY, "too-early",                                                                  \
	    "it can only be put off: the time lies before its end, or has passed")                 \
	X(TOO_LATE, "too-late", "the time lies further away than the setting hold-longest allows") \
	X(NO_APPROVAL, "no-approval", "it waits for no approval")                                  \
	X(NEEDS_APPROVAL, "needs-approval", "it waits for an approval, which a release is not")    \
	X(DECIDED, "decided", "that has just been decided")                                        \
	X(APPROVED, "approved", "it was approved")                                                 \
	X(REJECTED, "rejected", "it was rejected")                                                 \
	X(RETURNED, "returned", "it was returned")                                                 \
	X(DISCARDED, "discarded", "it was discarded")                                              \
	X(NOT_DISCARDED, "not-discarded", "it has not been discarded")                             \
	X(OTHER_WORD, "other-word", "an operator has another word for that")                       \
	X(URGENT_OFF, "urgent-off",                                                                \
	    "nobody may send without an approval here: setting urgent-per-week")                   \
	X(URGENT_NOBODY, "urgent-nobody", "nobody is there who could review it afterwards")        \
	X(URGENT_OFTEN, "urgent-often",                                                            \
	    "that has been done too often in a week: setting urgent-per-week")                     \
	X(NO_REASON, "no-reason", "a reason has to be given")                                      \
	X(FULL, "full", "too many records stand in it: it can only be discarded, or rejected")     \
	X(NOWHERE, "nowhere", "nothing can be done about it there")                                \
	X(ELSEWHERE, "elsewhere", "it belongs elsewhere just now")                                 \
	X(PLAN, "plan", "this version does not know what comes next in its plan")                  \
	X(ABSENCES, "absences", "that would be too many absences of one person")                   \
	X(REVIEWED, "reviewed", "somebody has reviewed it already")                                \
	X(NAME, "name", "nobody can be called that")                                               \
	X(NOBODY_KNOWN, "no-organisation", "nobody knows just now who is who: see the log")        \
	X(BUSY, "busy", "somebody is being told of it, or of another leg of it: try again")        \
	X(AUDIT, "audit",                                                                          \
	    "the audit cannot be written, so nothing was done: see the log of seki-audit")         \
	X(ENVIRONMENT, "environment", "the system failed: see the log")

#define X(name, word, sentence) REASON_##name,
enum act_reason { ACT_REASONS(X) REASON_COUNT };
#undef X

/* Never NULL; literals. */
const char *reason_word(enum act_reason reason);
const char *reason_sentence(enum act_reason reason);

/* "no", with the reason's sentence and what is said behind it, "" for nothing: printable ASCII. */
struct order_answer reason_no(enum act_reason reason, const char *more);

#endif
