/* XML as a stream, for strangers' documents. */
#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "lib/extract/office.h"

#define DEPTH_MOST 1024U
#define TOKEN_MOST ((uint64_t)4 * 1024 * 1024) /* of markup without a letter of text in it */
#define FEED_MOST  ((size_t)1024 * 1024)

struct parse {
	XML_Parser parser;
	struct parse_handler handler;
	enum parse_state state;
	unsigned depth;
	uint64_t quiet; /* bytes fed since anything was heard */
};

const char *local_name(const char *name)
{
	const char *colon = strchr(name, ':');

	return colon != NULL ? colon + 1 : name;
}

const char *attribute(const char **attributes, const char *name)
{
	for (size_t i = 0; attributes[i] != NULL; i += 2) {
		if (strcmp(local_name(attributes[i]), name) == 0)
			return attributes[i + 1];
	}
	return NULL;
}

static void stop(struct parse *p, enum parse_state why)
{
	if (p->state == PARSE_FINE) {
		p->state = why;
		(void)XML_StopParser(p->parser, XML_FALSE);
	}
}

static void XMLCALL starts(void *context, const XML_Char *name, const XML_Char **attributes)
{
	struct parse *p = context;

	p->quiet = 0;
	if (p->state != PARSE_FINE)
		return;
	if (++p->depth > DEPTH_MOST)
		stop(p, PARSE_DAMAGED);
	else if (!p->handler.starts(p->handler.context, local_name(name), attributes))
		stop(p, PARSE_STOPPED);
}

static void XMLCALL ends(void *context, const XML_Char *name)
{
	struct parse *p = context;

	p->quiet = 0;
	if (p->state != PARSE_FINE)
		return;
	p->depth--;
	if (!p->handler.ends(p->handler.context, local_name(name)))
		stop(p, PARSE_STOPPED);
}

static void XMLCALL text(void *context, const XML_Char *utf8, int len)
{
	struct parse *p = context;

	p->quiet = 0;
	if (p->state == PARSE_FINE && !p->handler.text(p->handler.context, utf8, (size_t)len))
		stop(p, PARSE_STOPPED);
}

/* Entities of one's own are how a short document becomes a long one; no office program writes any. */
static void XMLCALL doctype(void *context, const XML_Char *name, const XML_Char *system,
    const XML_Char *public, int has_definitions)
{
	struct parse *p = context;

	(void)name;
	(void)system;
	(void)public;
	p->quiet = 0;
	if (has_definitions || !p->handler.doctype_allowed)
		stop(p, PARSE_DOCTYPE);
}

struct parse *parse_open(const struct parse_handler *handler)
{
	struct parse *p = calloc(1, sizeof *p);

	if (p == NULL)
		return NULL;
	p->handler = *handler;
	p->parser = XML_ParserCreate(NULL);
	if (p->parser == NULL) {
		free(p);
		return NULL;
	}
	XML_SetUserData(p->parser, p);
	XML_SetElementHandler(p->parser, starts, ends);
	XML_SetCharacterDataHandler(p->parser, text);
	XML_SetStartDoctypeDeclHandler(p->parser, doctype);
	return p;
}

static enum parse_state feed(struct parse *p, const char *bytes, size_t len, bool last)
{
	enum XML_Error error;

	if (p->state != PARSE_FINE)
		return p->state;
	/*
	 * A token that does not end is read again from its beginning with each piece: bounded, so
	 * that the work stays linear.
	 */
	p->quiet += len;
	if (p->quiet > TOKEN_MOST) {
		p->state = PARSE_DAMAGED;
		return p->state;
	}
	if (XML_Parse(p->parser, bytes, (int)len, last) == XML_STATUS_OK || p->state != PARSE_FINE)
		return p->state;

	error = XML_GetErrorCode(p->parser);
	p->state = error == XML_ERROR_NO_MEMORY ? PARSE_MEMORY : PARSE_DAMAGED;
	return p->state;
}

enum parse_state parse_feed(struct parse *p, const char *bytes, size_t len)
{
	enum parse_state state = p->state;

	while (len > 0 && state == PARSE_FINE) {
		size_t n = len < FEED_MOST ? len : FEED_MOST;

		state = feed(p, bytes, n, false);
		bytes += n;
		len -= n;
	}
	return state;
}

enum parse_state parse_end(struct parse *p)
{
	return feed(p, "", 0, true);
}

void parse_free(struct parse *p)
{
	if (p == NULL)
		return;
	XML_ParserFree(p->parser);
	free(p);
}
