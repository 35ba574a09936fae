/* Between the files that read Excel: records, the strings in them, and the table of strings. */
#ifndef SEKISHO_EXTRACT_OLE_EXCEL_H
#define SEKISHO_EXTRACT_OLE_EXCEL_H

#include "lib/extract/ole.h"

#define EXCEL_WINDOW   ((size_t)16384)
#define EXCEL_CONTINUE 0x3c
#define EXCEL_LABEL    16

/* The strings of a workbook on the scratch file, each behind its length of four bytes. */
struct excel_strings {
	struct spill spill;
	struct buf held; /* not yet written */
	uint64_t *place; /* of every eighth of them */
	size_t places;   /* room for so many */
	uint64_t count;
	uint64_t len; /* of all of them */
	bool there;
	uint64_t seen_at; /* what `seen` holds */
	size_t seen_len;
	char seen[EXCEL_WINDOW];
};

struct excel {
	struct inside *in;
	struct ole_stream stream;
	bool old;                /* Excel 5 and 95: strings are bytes */
	char label[EXCEL_LABEL]; /* their charset */
	struct wide out;
	uint64_t done; /* bytes of cells, for the limits */
	uint32_t row;
	bool stopped;

	/* The record that is read, and where in it; with all that continue it. */
	uint64_t at, end;
	bool crossed; /* the last byte began a continuation */
	uint64_t window_at;
	size_t window_len;
	unsigned char window[EXCEL_WINDOW];

	struct excel_strings strings;
};

/* A byte of the record, or of what continues it: -1 if there is none. */
int excel_byte(struct excel *x);

/* A number of `n` bytes. False: the record ends before. */
NODISCARD bool excel_number(struct excel *x, unsigned n, uint64_t *number);

/* Passes over bytes. False: they are not there. */
NODISCARD bool excel_skip(struct excel *x, uint64_t n);

/* `n` letters of one byte or of two, into `out`. */
NODISCARD bool excel_letters(struct excel *x, uint64_t n, bool wide, struct wide *out);

/* A string whose length has `len_bytes` bytes, whatever Excel it is of. False: it is cut. */
NODISCARD bool excel_string(struct excel *x, unsigned len_bytes, struct wide *out);

/* ---- the table of strings (ole_excel_sst.c) ---- */

/* Reads the record SST. False: stopped, the fault is told. */
NODISCARD bool excel_read_strings(struct excel *x);

/* Puts string `number` out. False: there is none. */
NODISCARD bool excel_put_string(struct excel *x, uint64_t number);

void excel_strings_end(struct excel *x);

#endif
