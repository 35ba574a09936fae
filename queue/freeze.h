/*
 * The red button: lib/freeze says whose mail is not delivered for now. The operator's tool writes
 * it, seki-deliver asks it before each delivery. Not a part of the spool: nothing in it is needed
 * to know where a leg stands. lib/quota/freeze is of the same form; seki-queue writes into it who
 * has sent too much, and the operator takes him out.
 *
 * One entry a line, values in xtext:
 *
 *     all                         since=TIME by=USER reason=TEXT
 *     sender alice@example.co.jp  since=TIME by=USER reason=TEXT
 *     recipient @partner.example  since=TIME by=USER reason=TEXT
 *     login alice                 since=TIME by=USER reason=TEXT
 *     source 192.0.2.10           since=TIME by=USER reason=TEXT
 *
 * An address is compared without regard to ASCII case; "@domain" is every address of exactly that
 * domain; the sender "<>" is the null reverse-path. A login is compared likewise and as a whole; a
 * source is written as queue/origin.h says. No file, or an empty one: nothing is frozen.
 *
 * A file that cannot be read, or not understood to its last byte, freezes EVERYTHING: nobody can
 * say what the operator meant to stop.
 */
#ifndef SEKISHO_QUEUE_FREEZE_H
#define SEKISHO_QUEUE_FREEZE_H

#include "lib/base/clock.h"
#include "lib/base/compat.h"
#include "lib/base/conf.h"
#include "queue/leg.h"

/* The two files, relative to lib/. */
#define FREEZE_FILE       "freeze"
#define FREEZE_QUOTA_FILE "quota/freeze"

#define FREEZE_ENTRIES_MAX ((size_t)100000)
#define FREEZE_TEXT_MAX    ((size_t)1024) /* bytes of an address, user or reason, decoded */

enum freeze_kind { FREEZE_ALL, FREEZE_SENDER, FREEZE_RECIPIENT, FREEZE_LOGIN, FREEZE_SOURCE };

struct freeze_entry {
	enum freeze_kind kind;
	const char *address; /* or login, or source; decoded, NUL-ended; "" for FREEZE_ALL */
	const char *since;   /* as clock_format writes it */
	const char *by;      /* decoded */
	const char *reason;  /* decoded; "" if none was given */
};

/* "all", "sender", "recipient", "login", "source"; never NULL for a kind. */
const char *freeze_kind_name(enum freeze_kind kind);

/* Finds a kind by its name. False if there is none. */
NODISCARD bool freeze_kind_by_name(const char *name, enum freeze_kind *kind);

/* ---- reading (seki-deliver) ---- */

/*
 * What the file said when it was last read. Any number of threads may call freeze_refresh and
 * freeze_holds at the same time: a read-write lock inside guards the entries, and is held for
 * writing only while a changed file is read. freeze_open and freeze_close are for one thread,
 * before the others start and after they have ended.
 */
struct freeze;

/*
 * Reads one of the two files in the directory `lib`, which must stay open as long as the result is
 * used; `file` is one of the literals above. Returns NULL only without memory; a file that is malformed gives an object that holds
 * everything. Free with freeze_close.
 */
NODISCARD struct freeze *freeze_open(int lib, const char *file);
void freeze_close(struct freeze *freeze);

/*
 * One fstatat; reads the file again if it is another than last time. False: the file is
 * unreadable or malformed, and everything is frozen until a later call finds it good. `fault`,
 * which may be NULL, then says where and why.
 */
NODISCARD bool freeze_refresh(struct freeze *freeze, struct conf_fault *fault);

/*
 * Whether recipient `rcpt` (index from 0) of the leg must not be delivered now. `why`, which may
 * be NULL, then points to a literal: the name of a kind or "freeze-file-unreadable".
 */
NODISCARD bool freeze_holds(
    const struct freeze *freeze, const struct leg *leg, size_t rcpt, const char **why);

/* How many entries are in force; SIZE_MAX if everything is frozen by a bad file. */
size_t freeze_count(const struct freeze *freeze);

/*
 * Whether there is an entry of just that kind and address. A bad file is not asked: false, and
 * `*known` says whether the answer holds.
 */
NODISCARD bool freeze_has(
    const struct freeze *freeze, enum freeze_kind kind, const char *address, bool *known);

/* ---- writing (the operator's tool; seki-queue its own file) ---- */

/* Called for each entry in the order of the file; what it points to lives during the call. */
typedef void freeze_see(void *context, const struct freeze_entry *entry);

/* Reads the file and shows each entry. False with `fault` if it is unreadable or malformed. */
NODISCARD bool freeze_list(
    int lib, const char *file, freeze_see *see, void *context, struct conf_fault *fault);

enum freeze_done {
	FREEZE_DONE,    /* the file has been replaced, and that is durable */
	FREEZE_NOTHING, /* it already said so */
	FREEZE_BAD,     /* the file, or the entry, is malformed: see `fault`; nothing was changed */
	FREEZE_FAILED,  /* errno; the change may or may not have been made */
};

/*
 * Adds an entry; one with the same kind and address gives FREEZE_NOTHING and stays as it is.
 * Waits for another writer, thread or process (flock on the file's directory). What root writes
 * belongs to whom the file belonged, so that seki-queue can write its own on.
 */
NODISCARD enum freeze_done freeze_add(
    int lib, const char *file, const struct freeze_entry *entry, struct conf_fault *fault);

/* Takes the entry of that kind and address out. Waits for another writer likewise. */
NODISCARD enum freeze_done freeze_remove(int lib, const char *file, enum freeze_kind kind,
    const char *address, struct conf_fault *fault);

#endif
