/* One message from its beginning to its end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/inspect/facts.h"

#define CIDS_MAX  ((size_t)65536)
#define NAMES_MAX ((size_t)1024 * 1024)

void tell_uninspectable(
    struct inspection *i, const char *part, const char *reason, const char *member)
{
	if (member != NULL && *member != '\0')
		FACT(i->out, "uninspectable", kv("part", part), kv("reason", reason),
		    kv("member", member));
	else
		FACT(i->out, "uninspectable", kv("part", part), kv("reason", reason));
}

/* What the scanner reached, each limit once. */
static void tell_limits(struct inspection *i)
{
	static const struct {
		unsigned limit;
		const char *reason;
	} limits[] = {{MIME_TOO_DEEP, "depth"}, {MIME_TOO_MANY, "parts"},
	    {MIME_HEADER_LONG, "header"}, {MIME_TOO_AMBIGUOUS, "readings"},
	    {MIME_TEXT_FULL, "parameters"}};

	for (size_t k = 0; k < COUNT_OF(limits); k++) {
		if ((i->tree.limits & limits[k].limit) != 0)
			tell_uninspectable(i, "0", limits[k].reason, NULL);
	}
}

bool inspection_begin(struct inspection *i)
{
	const struct inspect_limits *l = &i->by->ask.limits;
	struct mime_limits limits = {.depth = (size_t)l->inspect_depth,
	    .parts = (size_t)l->inspect_parts,
	    .header = (size_t)l->inspect_header};

	/* A line end may grow by a byte. */
	buf_init(&i->header, 2 * limits.header);
	buf_init(&i->cids, CIDS_MAX);
	buf_init(&i->names, NAMES_MAX);
	if (!mime_scan(&i->message, &limits, &i->tree)) {
		tell_uninspectable(i, "0", errno == ENOMEM ? "memory" : "read", NULL);
		return false;
	}
	i->view = calloc(i->tree.count, sizeof *i->view);
	if (i->view == NULL) {
		tell_uninspectable(i, "0", "memory", NULL);
		return false;
	}
	parts_judge(i);
	return true;
}

void inspection_again(struct inspection *i)
{
	texts_free(i->texts);
	extract_free(i->extract);
	i->texts = NULL;
	i->extract = NULL;
	buf_clear(&i->cids);
	buf_clear(&i->names);
	i->files = 0;
	i->files_size = 0;
	i->promises = i->armoured = i->automatic = i->reply = false;
	i->shared = i->alone = false;
}

void inspection_end(struct inspection *i)
{
	inspection_again(i);
	mime_tree_free(&i->tree);
	free(i->view);
	buf_free(&i->header);
	buf_free(&i->cids);
	buf_free(&i->names);
	i->view = NULL;
}

/* Files that were kept by hand often have the line ends of Unix. */
static void add_with_crlf(struct buf *out, const struct buf *raw)
{
	for (size_t at = 0; at < raw->len;) {
		size_t n = 0;

		while (
		    at + n < raw->len && raw->bytes[at + n] != '\n' && raw->bytes[at + n] != '\r')
			n++;
		buf_add(out, raw->bytes + at, n);
		at += n;
		if (at == raw->len)
			return;
		at += raw->bytes[at] == '\r' && at + 1 < raw->len && raw->bytes[at + 1] == '\n' ? 2
												: 1;
		buf_add(out, "\r\n", 2);
	}
}

bool part_header(struct inspection *i, size_t part, struct buf *header)
{
	struct buf raw;
	bool good;

	buf_init(&raw, (size_t)i->by->ask.limits.inspect_header);
	good = mime_header(&i->message, &i->tree.parts[part], &raw);
	if (good)
		add_with_crlf(header, &raw);
	buf_free(&raw);
	return good && buf_ok(header);
}

const struct buf *inspection_header(struct inspection *i)
{
	if (i->header_read)
		return &i->header;
	i->header_read = part_header(i, 0, &i->header);
	if (!i->header_read)
		tell_uninspectable(i, "0", "read", NULL);
	return i->header_read ? &i->header : NULL;
}

bool inspection_is_plain(const struct inspection *i)
{
	for (size_t k = 0; k < i->tree.count; k++) {
		const struct mime_part *p = &i->tree.parts[k];

		if (i->view[k].role == ROLE_CONTAINER)
			continue;
		if (i->view[k].role != ROLE_BODY || strcmp(p->subtype, "plain") != 0 ||
		    part_may_be_html(p))
			return false;
	}
	return i->tree.limits == 0;
}

bool inspection_is_deep(const struct inspection *i)
{
	const struct ask *ask = &i->by->ask;

	return ask->kinds != 0 || ask->words + ask->regexes + ask->lists > 0 ||
	       (ask->want & ((1u << WANT_INSIDE) | (1u << WANT_COMPANY))) != 0;
}

/* ---- facts about the parts themselves ---- */

static void tell_part(struct inspection *i, size_t k)
{
	const struct mime_part *p = &i->tree.parts[k];
	char path[MIME_PATH_MAX], type[2 * MIME_TYPE_MAX + 2];

	if (!mime_path(&i->tree, k, path, sizeof path))
		(void)memcpy(path, "0", 2);
	(void)stpcpy(stpcpy(stpcpy(type, p->type), "/"), p->subtype);
	FACT(i->out, "part", kv("path", path), kv("role", part_role_word(i->view[k].role)),
	    kv("type", type), kv("encoding", transfer_word(p->encoding)),
	    kv_num("start", (int64_t)p->start), kv_num("body", (int64_t)p->body),
	    kv_num("end", (int64_t)p->end));
	for (unsigned f = 0; f < MIME_FLAG_COUNT; f++) {
		if ((p->flags & (UINT64_C(1) << f)) != 0 && mime_flag_ambiguous(f))
			FACT(i->out, "ambiguous", kv("part", path), kv("why", mime_flag_word(f)));
	}
}

void inspection_tell(struct inspection *i)
{
	i->texts = texts_new(i->by);
	if (i->texts == NULL || !files_ready(i)) {
		tell_uninspectable(i, "0", "memory", NULL);
		return;
	}
	tell_subject(i);
	tell_bodies(i);
	if (i->alone)
		return;
	tell_headers(i);
	tell_fields(i);
	tell_limits(i);
	if ((i->by->ask.want & (1u << WANT_ADDRESSES)) != 0)
		tell_addresses(i);
	tell_files(i);
	/* Behind the files, whose bytes say what some parts are. */
	for (size_t k = 0; k < i->tree.count; k++)
		tell_part(i, k);
	tell_evidence(i);
	/* Last, for some of it is known behind the texts alone. */
	tell_message(i);
}
