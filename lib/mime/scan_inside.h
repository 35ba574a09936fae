/* Between the files of the scanner. */
#ifndef SEKISHO_MIME_SCAN_INSIDE_H
#define SEKISHO_MIME_SCAN_INSIDE_H

#include "lib/mime/scan.h"

#define MIME_PARAMS_KEPT 16

/* ---- lines ---- */

enum ends {
	ENDS_LF = 1,
	ENDS_CRLF = 2,
	ENDS_CR = 4,
};

/* A stretch of the source in memory. */
struct window {
	const struct source *source;
	char *bytes;
	uint64_t at; /* the offset of the first of them */
	size_t len;
	char head[MIME_LINE_MAX]; /* of a line that the window does not hold */
};

struct line {
	uint64_t at;
	uint64_t next;    /* behind its end */
	const char *head; /* its first bytes, at most MIME_LINE_MAX, without its end */
	size_t head_len;
	bool whole;     /* they are all of it */
	enum ends end;  /* 0: the source ends */
	size_t before;  /* how long the end is of the line before it */
	bool behind_cr; /* that is CR alone */
};

/* False with errno: no memory, it could not be read. Freed by window_free in either case. */
NODISCARD bool window_open(struct window *w, const struct source *source);
void window_free(struct window *w);

/* Whether it has ends of lines, and all are CR. */
NODISCARD bool window_cr_only(const struct window *w);

/*
 * The line that begins at `at`, which is not the end of the source; `head` is good until the next
 * call. False with errno.
 */
NODISCARD bool window_line(struct window *w, uint64_t at, struct line *line);

/*
 * From `*at`, where a line begins, to the next line that begins with "--": `*at` itself, or the
 * source's end. False with errno.
 */
NODISCARD bool window_skip(struct window *w, uint64_t *at);

/* These bytes if the window holds them all, else NULL. */
const char *window_bytes(const struct window *w, uint64_t at, size_t len);

/* ---- texts ---- */

/* NULL: no memory. */
NODISCARD struct mime_arena *mime_arena_open(void);
void mime_arena_free(struct mime_arena *arena);

/*
 * Aligned memory that lives as long as the arena, or NULL: no memory, or the arena is full (then
 * mime_arena_full says so).
 */
void *mime_arena_take(struct mime_arena *arena, size_t size);

/* A NUL-ended copy, in which a NUL is U+FFFD; "" if there is no room. */
const char *mime_arena_text(struct mime_arena *arena, const char *bytes, size_t len);

/* Whether something was left out for its bound. */
NODISCARD bool mime_arena_full(const struct mime_arena *arena);

/* Whether memory was refused. */
NODISCARD bool mime_arena_failed(const struct mime_arena *arena);

/* ---- headers ---- */

/* A field of a header: its name without blanks (len 0: lines that are no field), and its body. */
struct header_field {
	const char *name;
	size_t name_len;
	const char *body; /* line ends included, but for the last */
	size_t body_len;
};

/* The length of the line at `at` without its end, which is `*end` bytes long: CRLF, LF, CR or none. */
size_t header_line(const char *text, size_t len, size_t at, size_t *end);

/* The length of the name if this line begins a field, else 0; `*colon` is where its colon stands. */
size_t header_name(const char *line, size_t len, size_t *colon);

/* The next field. What is no field belongs to the one before it. False: at the end. */
NODISCARD bool header_next(const char *text, size_t len, size_t *at, struct header_field *field);

NODISCARD bool header_is(const struct header_field *field, const char *name);

/* What the scanner wants to know of a header. */
struct header_seen {
	char *boundary[MIME_BOUNDARIES]; /* of malloc(3); not NUL-ended */
	size_t boundary_len[MIME_BOUNDARIES];
	size_t boundaries;
	bool multipart; /* some Content-Type says so */
	bool message;
	bool digest;
	bool too_many; /* boundaries */
};

/* Frees its boundaries. */
void header_seen_free(struct header_seen *seen);

/*
 * Reads a header into the fields of `part` that are not offsets; its flags are added to. False: no
 * memory.
 */
NODISCARD bool header_read(struct mime_arena *arena, const char *text, size_t len, bool in_digest,
    struct mime_part *part, struct header_seen *seen);

/* Adds all readings of the names of a file in a header. False: no memory. */
NODISCARD bool header_names(const char *text, size_t len, struct param_readings *names);

#endif
