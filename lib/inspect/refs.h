/*
 * Which parts of a message its HTML shows: references by cid: (RFC 2392) in attributes of elements
 * (src, background, href of link) and in url(...) of styles. One that stands in text, in a comment, in
 * a script or in another attribute shows nothing. Reads the source piece by piece, letter by letter.
 */
#ifndef SEKISHO_INSPECT_REFS_H
#define SEKISHO_INSPECT_REFS_H

#include "lib/base/compat.h"

#define REF_MAX      ((size_t)255) /* bytes of a reference; a longer one is none */
#define REF_NAME_MAX ((size_t)15)  /* of an element or an attribute */

enum ref_state {
	REF_TEXT,
	REF_OPENED, /* behind < */
	REF_BANG,   /* behind <! or <!- */
	REF_COMMENT,
	REF_DECLARATION,
	REF_ELEMENT,     /* its name */
	REF_WITHIN,      /* before an attribute */
	REF_ATTRIBUTE,   /* its name */
	REF_BEHIND_NAME, /* blanks */
	REF_BEFORE_VALUE,
	REF_VALUE,
	REF_RAW /* of an element that holds no elements */
};

enum ref_match {
	REF_NONE, /* a value that shows nothing */
	REF_URL,  /* "url(" is looked for, */
	REF_CID,  /* then "cid:", */
	REF_ID    /* then the reference itself */
};

struct ref_reader {
	/* A Content-ID, percent signs undone. */
	void (*found)(void *context, const char *id, size_t len);
	void *context;

	/* Its own. */
	enum ref_state state;
	enum ref_match match;
	bool style;  /* of a style: further references may follow */
	bool end;    /* of an end tag */
	char quote;  /* of the value; 0: none */
	size_t seen; /* letters of what is looked for; dashes of a comment */
	char element[REF_NAME_MAX + 1];
	char name[REF_NAME_MAX + 1];
	size_t name_len;
	char id[REF_MAX];
	size_t id_len;
};

void ref_open(
    struct ref_reader *r, void (*found)(void *context, const char *id, size_t len), void *context);
void ref_feed(struct ref_reader *r, const char *utf8, size_t len);

#endif
