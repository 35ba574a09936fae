/*
 * The parameters of Content-Type and Content-Disposition (RFC 2045 section 5.1, RFC 2231), and what
 * each mail program may take for the value of one: the pieces of RFC 2231 with gaps and in any order,
 * encoded words within quotes, bytes beyond ASCII, quotes and semicolons that are missing, comments
 * that one program skips and another does not.
 */
#ifndef SEKISHO_MIME_PARAM_H
#define SEKISHO_MIME_PARAM_H

#include "lib/base/buf.h"

/* ---- one after the other ---- */

enum param_mode {
	PARAM_COMMENTS = 1, /* comments are skipped; else they are letters like others */
	PARAM_JIS = 2,      /* no quote, backslash or semicolon within the letters of ISO-2022-JP */
};

enum param_flag {
	PARAM_TWICE = 1,     /* the same parameter, or piece of one, again */
	PARAM_PIECES = 2,    /* in pieces (RFC 2231 section 3) */
	PARAM_GAP = 4,       /* a piece is missing, or one is numbered with leading zeros */
	PARAM_COMMENT = 8,   /* there is a comment in the field that could hide something */
	PARAM_WORD = 16,     /* an encoded word */
	PARAM_UNQUOTED = 32, /* blanks or other marks in a value that should have been quoted */
	PARAM_UNENDED = 64,  /* a quote is missing */
	PARAM_SEMICOLON =
	    128,         /* a semicolon is missing, or something is there that is no parameter */
	PARAM_RAW = 256, /* bytes beyond ASCII, or escapes of ISO-2022-JP */
	PARAM_CHARSET = 512,    /* a charset that is not known */
	PARAM_NUL = 1024,       /* a NUL byte in it */
	PARAM_BACKSLASH = 2048, /* a backslash that one program takes away and another does not */
	PARAM_DIFFER = 4096,    /* the readings differ */
	PARAM_MANY = 8192,      /* more readings, or longer ones, than are kept */
};

struct param {
	const char *name; /* without the stars and the number */
	size_t name_len;
	int piece;     /* its number, -1: none */
	bool extended; /* a star at the end: percent signs, a charset in the first piece */
	bool quoted;
	const char *value; /* as it stands, without the quotes; up to a blank if it has none */
	size_t value_len;
};

struct param_reader {
	const char *body;
	size_t len;
	size_t at;
	unsigned mode;     /* of enum param_mode */
	unsigned flags;    /* of enum param_flag, so far */
	bool comment_open; /* a comment without an end was seen: from there on none is skipped */
	bool letters_open; /* so were letters of ISO-2022-JP without an escape behind them */
};

/*
 * Begins with a field's body; `first` (not NULL) gets its first word or words, up to the semicolon:
 * "text/plain", "attachment", blanks and comments taken out, as a range of the body.
 */
struct param_reader param_open(
    const char *body, size_t len, unsigned mode, const char **first, size_t *first_len);

/* The next parameter. False at the end. Linear over all calls. */
NODISCARD bool param_next(struct param_reader *r, struct param *param);

/* ---- what one of them may mean ---- */

#define PARAM_READINGS  8
#define PARAM_VALUE_MAX 4096 /* bytes of a reading */

/* How a reading came about, the one to be preferred first. */
enum param_form {
	PARAM_FORM_EXTENDED, /* name*=charset'language'... */
	PARAM_FORM_PIECES,   /* name*0=, name*1*= ... */
	PARAM_FORM_PLAIN,    /* name= */
};

struct param_reading {
	enum param_form form;
	size_t at; /* in `text`; a NUL stands behind each */
	size_t len;
};

/* The readings of one or several parameters; no two are the same. Owns its text. */
struct param_readings {
	struct param_reading all[PARAM_READINGS];
	size_t count;
	unsigned flags; /* of enum param_flag; PARAM_DIFFER when count > 1 */
	struct buf text;
};

void param_readings_init(struct param_readings *r);
void param_readings_free(struct param_readings *r);

/*
 * Adds every reading of the parameter `name` in a field's body, decoded to UTF-8, those that are to
 * be preferred first: for the name of a file call it for "filename" of each Content-Disposition, then
 * for "name" of each Content-Type. A value that is not there adds nothing; an empty one is a reading.
 * False: no memory.
 */
NODISCARD bool param_read(
    const char *body, size_t len, const char *name, struct param_readings *readings);

/*
 * The same with the bytes as they stand: for a boundary. A reading with comments taken out and one
 * with them left in are two.
 */
NODISCARD bool param_read_bytes(
    const char *body, size_t len, const char *name, struct param_readings *readings);

/* The i-th reading, i < count, NUL-ended; it may hold a NUL byte itself: all[i].len tells. */
const char *param_reading(const struct param_readings *r, size_t i);

#endif
