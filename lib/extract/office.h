/*
 * Between the files that read OOXML and ODF: XML as a stream, the text that comes out of it, and the
 * strings that the cells of a workbook share. For the files of lib/extract alone.
 */
#ifndef SEKISHO_EXTRACT_OFFICE_H
#define SEKISHO_EXTRACT_OFFICE_H

#include "lib/extract/state.h"

/* ---- XML as a stream (office_xml.c) ----------------------------------------------------------- */

enum parse_state {
	PARSE_FINE,
	PARSE_STOPPED, /* the handler wanted no more */
	PARSE_DAMAGED, /* not well formed, too deep, or a token without end */
	PARSE_DOCTYPE, /* a document type, which may define entities */
	PARSE_MEMORY,
};

/* Names come without their prefix. */
struct parse_handler {
	void *context;
	/* `attributes`: name, value, name, value …, NULL; names with prefix. False: stop. */
	bool (*starts)(void *context, const char *name, const char **attributes);
	bool (*ends)(void *context, const char *name);
	bool (*text)(void *context, const char *utf8, size_t len);
	bool doctype_allowed; /* one without definitions of its own is let pass */
};

struct parse;
NODISCARD struct parse *parse_open(const struct parse_handler *handler); /* NULL: no memory */
NODISCARD enum parse_state parse_feed(struct parse *p, const char *bytes, size_t len);
NODISCARD enum parse_state parse_end(struct parse *p);
void parse_free(struct parse *p);

/* Without its prefix. */
const char *local_name(const char *name);
/* The value of the attribute of this local name, or NULL. */
const char *attribute(const char **attributes, const char *name);

/* ---- text (office_text.c) --------------------------------------------------------------------- */

/*
 * Collects a part's text: a separator goes out when text follows it, so that the end of a paragraph
 * within a cell is the cell's end; what is written aside (a comment, a deleted word) comes behind the
 * paragraph in which it stands, for it must not cut a word in two.
 */
struct office_text {
	struct inside *in;
	struct buf out;
	struct buf aside;
	char pending;
	bool begun;
	bool unwanted; /* nobody wants more */
};

void office_text_begin(struct office_text *t, struct inside *in);
void office_text_add(struct office_text *t, const char *utf8, size_t len);
/* '\n' or '\t', or ' '; a later one counts instead of an earlier one. */
void office_text_break(struct office_text *t, char separator);
void office_text_aside(struct office_text *t, const char *utf8, size_t len);
/* Puts what is aside on a line of its own. */
void office_text_join(struct office_text *t);
/* The text ends and is told. */
void office_text_end(struct office_text *t);
void office_text_free(struct office_text *t);

/* ---- strings of a workbook (office_strings.c) ------------------------------------------------- */

struct strings;
NODISCARD struct strings *strings_new(struct inside *in); /* NULL: no memory */
/* The next string. PARSE_FINE, PARSE_MEMORY, PARSE_STOPPED (the scratch file failed, and told). */
NODISCARD enum parse_state strings_add(struct strings *s, const char *utf8, size_t len);
/* All are there. */
NODISCARD enum parse_state strings_done(struct strings *s);
/* String `i` into the text; false: there is none. */
NODISCARD bool strings_get(struct strings *s, uint64_t i, struct office_text *into);
/* Those that were never asked for, each a line. */
void strings_unused(struct strings *s, struct office_text *into);
void strings_free(struct strings *s);

/* ---- parts ------------------------------------------------------------------------------------ */

/* What is done with a part: all but sheets first, then the sheets, whose strings are known by then. */
struct flow {
	struct office_text text;
	struct inside *in;
	struct strings *strings; /* NULL: none yet */
	bool sheets;             /* sheets alone are read now */
	bool postponed;          /* out: it was a sheet, and it is not their turn */
	bool odf;
	bool failed_memory; /* out */
	bool no_string;     /* out: a cell asks for a string that is not there */
	/* the state of the part that is being read */
	const struct parse_handler *reader;
	unsigned depth;
	unsigned paragraphs; /* open ones */
	unsigned aside;      /* depth of the element that stands aside, 0: none */
	unsigned run;        /* depth of the run of letters, 0: none */
	unsigned dropped;    /* depth of the element whose text is not text */
	unsigned letters;    /* depth of the element that holds text, 0: none */
	bool leaves;         /* each element is a line: properties, lists */
	bool pivot;
	struct buf string; /* a shared string, or a formula */
	uint64_t index;    /* of a shared string */
	int cell;          /* what a cell holds */
	int field;         /* which of its elements is open */
};

/* Handlers for one part: office_flow.c begins, and hands over to a sheet or the shared strings. */
void flow_begin(struct flow *f);
struct parse_handler flow_handler(struct flow *f);
void flow_end(struct flow *f);

/* The text of a header or a footer of Excel without its codes (ECMA-376-1, 18.3.1.46); its length. */
size_t margin_plain(char *text, size_t len);

bool sheet_starts(struct flow *f, const char *name, const char **attributes);
bool sheet_ends(struct flow *f, const char *name);
bool sheet_text(struct flow *f, const char *utf8, size_t len);
bool shared_starts(struct flow *f, const char *name, const char **attributes);
bool shared_ends(struct flow *f, const char *name);
bool shared_text(struct flow *f, const char *utf8, size_t len);

#endif
