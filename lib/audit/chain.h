/*
 * The lines of the audit log, and the chain through them. sekisho-audit(5) has the format:
 *
 *     SEQ TIME program=WORD what=WORD [key=XTEXT…] [at=RANDOM.OFFSET] chain=HEX64
 *
 * chain is the SHA-256 of the chain of the line before (64 zeros before the first) and of every byte
 * of this line in front of " chain=". Nothing here logs.
 */
#ifndef SEKISHO_AUDIT_CHAIN_H
#define SEKISHO_AUDIT_CHAIN_H

#include "lib/base/buf.h"
#include "lib/base/tray.h"
#include "queue/audit.h"
#include "queue/digest.h"

#define AUDIT_PROGRAM    "seki-audit"
#define CHAIN_PROGRAM    32                     /* a program's name and its NUL */
#define CHAIN_LINE_MAX   (AUDIT_LINE_MAX + 512) /* bytes of a line without its newline */
#define CHAIN_FILE       8                      /* "2026-11" and its NUL */
#define CHAIN_TRAYS_MAX  ((size_t)32)
#define CHAIN_BEFORE_ALL "0000000000000000000000000000000000000000000000000000000000000000"

/* Where a chain ends. */
struct chain_end {
	uint64_t seq; /* 0: there is no line */
	char chain[DIGEST_HEX];
};

extern const struct chain_end chain_empty;

/* A line, cut; it points into the bytes. */
struct chain_line {
	uint64_t seq;
	const char *time; /* CLOCK_TEXT - 1 characters */
	int64_t wall;
	const char *program, *what;
	size_t program_len, what_len;
	const char *pairs; /* " key=xtext…" behind what=, up to " chain=" */
	size_t pairs_len;
	size_t hashed;     /* bytes of the line in front of " chain=" */
	const char *chain; /* 64 digits */
};

/* Cuts `len` bytes, without the newline. NULL, or what is wrong with them (a literal). */
const char *chain_cut(const char *bytes, size_t len, struct chain_line *line);

/* The value of the first pair with that key. False: there is none. */
NODISCARD bool chain_pair(
    const struct chain_line *line, const char *key, const char **value, size_t *len);

/* Whether the word that is `len` bytes long is `word`. */
NODISCARD bool chain_is(const char *bytes, size_t len, const char *word);

/* Whether it is one of seki-audit's own marks: what=mark. */
NODISCARD bool chain_is_mark(const struct chain_line *line);

/* How far a tray was taken. */
struct chain_position {
	char program[CHAIN_PROGRAM];
	char random[TRAY_RANDOM];
	uint64_t offset; /* behind the last line that was taken */
};

struct chain_positions {
	struct chain_position at[CHAIN_TRAYS_MAX];
	size_t n;
};

/* The one of that program, or NULL. */
struct chain_position *chain_position(struct chain_positions *positions, const char *program);

/* Remembers; beyond CHAIN_TRAYS_MAX programs false. */
NODISCARD bool chain_position_set(
    struct chain_positions *positions, const char *program, const char *random, uint64_t offset);

/* Takes what a line says about trays: its at=, or a mark's trays=. */
void chain_take_position(struct chain_positions *positions, const struct chain_line *line);

/* The digest that a line has behind `before`. */
void chain_digest(struct digest *digest, const char *before, const char *bytes, size_t hashed,
    char chain[DIGEST_HEX]);

/*
 * Adds the next line to `out`, made of `said`, which is "TIME what=…", and moves `end` on. `random` NULL:
 * it comes from no tray.
 */
void chain_add(struct buf *out, struct chain_end *end, struct digest *digest, const char *program,
    const char *said, size_t len, const char *random, uint64_t offset);

/* A mark: the first line of each file, and of each start. `why` is a word; `cut` bytes were cut off. */
void chain_add_mark(struct buf *out, struct chain_end *end, struct digest *digest, int64_t now,
    const char *file, const char *why, uint64_t cut, const struct chain_positions *positions);

#endif
