#include "lib/mime/scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mime/scan_inside.h"

#define WINDOW   65536
#define BEHIND   2 /* bytes before a line that stay in the window: the end of the line before it */
#define NO_TRACK 255 /* of a part that a doubtful delimiter began */
#define NOWHERE  UINT64_MAX

/* A part whose end is not known yet. */
struct open {
	uint32_t part;
	struct open *parent; /* NULL: a message */
	struct header_seen seen;
	bool closed[MIME_BOUNDARIES]; /* the close delimiter was there */
	bool in_header;
	bool waits;      /* encoded message: the first line of the body decides whether it is one */
	bool field;      /* a field was seen */
	bool fork_line;  /* there is a reading in which a line that is no field ended the header */
	bool fork_blank; /* … and one in which a line of blanks did, or one that ends in CR */
	bool extra;      /* counted as an overlap */
	bool ending;     /* nothing more is in it */
	bool kept;       /* does not end now */
	uint8_t track;   /* which boundary of the parent began it */
	uint8_t letters;
};

struct scanner {
	const struct source *source;
	const struct mime_limits *limits;
	struct mime_tree *tree;
	size_t room;        /* for parts */
	struct open **open; /* those opened later behind those opened before */
	size_t open_count;
	size_t open_room;
	size_t headers; /* open parts in their header */
	size_t waiting;
	size_t overlaps;
	size_t forks;
	unsigned ends; /* of header lines, so far */
	bool full;     /* no more parts */
	bool cr_only;  /* lines end in CR alone, it seems */
	struct window window;
	struct buf header;
};

static struct mime_part *part_of(const struct scanner *s, const struct open *o)
{
	return s->tree->parts + o->part;
}

/* ---- parts ---- */

static bool fail(void)
{
	errno = ENOMEM;
	return false;
}

static bool add_part(struct scanner *s, const struct mime_part *part, uint32_t *index)
{
	struct mime_tree *t = s->tree;

	if (t->count == s->room) {
		size_t room = s->room < 8 ? 8 : s->room + s->room / 2;
		struct mime_part *parts = reallocarray(t->parts, room, sizeof *parts);

		if (parts == NULL)
			return fail();
		t->parts = parts;
		s->room = room;
	}
	*index = (uint32_t)t->count;
	t->parts[t->count++] = *part;
	return true;
}

/* Whether one more part may be there; if not, the scan ends. */
static bool may_add(struct scanner *s)
{
	if (s->tree->count < s->limits->parts)
		return true;
	s->tree->limits |= MIME_TOO_MANY;
	s->full = true;
	return false;
}

/* Opens what has been added as `part`. */
static struct open *push(struct scanner *s, uint32_t part, struct open *parent)
{
	struct open *o;

	if (s->open_count == s->open_room) {
		size_t room = s->open_room < 16 ? 16 : 2 * s->open_room;
		struct open **open = reallocarray(s->open, room, sizeof *open);

		if (open == NULL)
			return NULL;
		s->open = open;
		s->open_room = room;
	}
	o = calloc(1, sizeof *o);
	if (o == NULL)
		return NULL;
	o->part = part;
	o->parent = parent;
	s->open[s->open_count++] = o;
	return o;
}

static const struct mime_part NEW_PART = {
    .parent = MIME_NONE,
    .preamble = NOWHERE,
    .epilogue = NOWHERE,
    .type = "text",
    .subtype = "plain",
    .charset = "",
    .name = "",
    .disposition = "",
    .id = "",
    .description = "",
};

/*
 * Begins a part in `parent` (NULL: the message) whose delimiter is at `line` and whose header is at
 * `start`. `*o` stays NULL if there are too many.
 */
static bool begin_part(
    struct scanner *s, struct open *parent, uint64_t line, uint64_t start, struct open **o)
{
	struct mime_part part = NEW_PART;
	uint32_t index;

	*o = NULL;
	if (!may_add(s))
		return true;

	part.line = line;
	part.start = part.body = start;
	part.number = 1;
	if (parent != NULL) {
		struct mime_part *above = part_of(s, parent);

		part.parent = parent->part;
		part.depth = (uint16_t)(above->depth + 1);
		part.number = ++above->children;
	}
	if (!add_part(s, &part, &index))
		return false;
	*o = push(s, index, parent);
	if (*o == NULL)
		return fail();
	(*o)->in_header = true;
	s->headers++;
	return true;
}

/* ---- what is open ends ---- */

/* Whether there is more than blanks in a stretch. */
static bool has_text(struct scanner *s, uint64_t from, uint64_t to, bool *has)
{
	*has = false;
	while (from < to && !*has) {
		char bytes[4096];
		size_t want = to - from < sizeof bytes ? (size_t)(to - from) : sizeof bytes;
		ssize_t n = source_read(s->source, from, bytes, want);

		if (n <= 0)
			return false;
		for (ssize_t i = 0; i < n && !*has; i++)
			*has = strchr(" \t\r\n", bytes[i]) == NULL || bytes[i] == '\0';
		from += (uint64_t)n;
	}
	return true;
}

static bool end_header(struct scanner *s, struct open *o, uint64_t header, uint64_t body);

static bool end_multipart(struct scanner *s, struct mime_part *part)
{
	bool text;

	if (part->preamble == NOWHERE || part->preamble > part->end)
		part->preamble = part->end;
	if (part->epilogue == NOWHERE) {
		part->flags |= MIME_BIT(CLOSE_MISSING);
		part->epilogue = part->end;
	}
	if (part->epilogue > part->end)
		part->epilogue = part->end;
	if (!has_text(s, part->epilogue, part->end, &text))
		return false;
	if (text)
		part->flags |= MIME_BIT(EPILOGUE);
	return true;
}

/* The part ends at `end`, because of the delimiter line at `next`. Frees `o`. */
static bool end_part(struct scanner *s, struct open *o, uint64_t end, uint64_t next)
{
	struct mime_part *part = part_of(s, o);
	bool fine = true;

	if (o->in_header) {
		end = end < part->start ? part->start : end;
		part->flags |= MIME_BIT(HEADER_OPEN);
		o->ending = true;
		fine = end_header(s, o, end, end);
		part = part_of(s, o);
	}
	part->end = end < part->body ? part->body : end;
	part->next = next < part->end ? part->end : next;
	if (fine && o->seen.boundaries > 0)
		fine = end_multipart(s, part);
	else
		part->preamble = part->epilogue = part->end;

	s->tree->flags |= part->flags;
	if (o->waits)
		s->waiting--;
	if (o->extra)
		s->overlaps--;
	header_seen_free(&o->seen);
	free(o);
	return fine;
}

/* The ancestor of `o` that is a child of `top`, or NULL. */
static struct open *child_of(const struct open *top, struct open *o)
{
	while (o != NULL && o->parent != top)
		o = o->parent;
	return o;
}

/*
 * Ends what is open in `top` and was begun by one of its tracks: `track`, or a doubtful delimiter;
 * `all`: by whichever.
 */
static bool end_below(
    struct scanner *s, const struct open *top, bool all, uint8_t track, uint64_t end, uint64_t next)
{
	size_t from = s->open_count, kept;
	bool fine = true;

	while (from > 0 && s->open[from - 1] != top)
		from--;

	for (size_t i = from; i < s->open_count; i++) {
		const struct open *child = child_of(top, s->open[i]);

		s->open[i]->kept =
		    child == NULL || (!all && child->track != track && child->track != NO_TRACK);
	}

	/* From the innermost on: a part looks at those that it is in. */
	for (size_t i = s->open_count; i-- > from;) {
		if (s->open[i]->kept)
			continue;
		if (!end_part(s, s->open[i], end, next))
			fine = false;
		s->open[i] = NULL;
	}
	kept = from;
	for (size_t i = from; i < s->open_count; i++) {
		if (s->open[i] != NULL)
			s->open[kept++] = s->open[i];
	}
	s->open_count = kept;
	return fine;
}

/* ---- headers ---- */

/* The bytes of a header, as many as are looked at; good until the window slides. */
static bool header_bytes(
    struct scanner *s, uint64_t start, uint64_t end, const char **bytes, size_t *len)
{
	size_t want = s->limits->header;
	char *into;
	ssize_t n;

	if (end - start <= want)
		want = (size_t)(end - start);
	else
		s->tree->limits |= MIME_HEADER_LONG;
	*len = want;
	*bytes = window_bytes(&s->window, start, want);
	if (*bytes != NULL)
		return true;

	buf_clear(&s->header);
	into = buf_reserve(&s->header, want);
	if (into == NULL)
		return fail();
	n = source_read(s->source, start, into, want);
	*bytes = into;
	return n >= 0;
}

/* How a boundary stands to those of the multiparts around it. */
static void compare_boundaries(const struct scanner *s, struct open *o, const struct open *above)
{
	struct mime_part *part = part_of(s, o);

	for (size_t i = 0; i < o->seen.boundaries; i++) {
		for (size_t j = 0; j < above->seen.boundaries; j++) {
			size_t a = o->seen.boundary_len[i], b = above->seen.boundary_len[j];

			if (memcmp(o->seen.boundary[i], above->seen.boundary[j], a < b ? a : b) !=
			    0)
				continue;
			part->flags |= a == b ? MIME_BIT(BOUNDARY_SAME) : MIME_BIT(BOUNDARY_PREFIX);
		}
	}
}

/* The header was read: what is in the part is looked for, unless that is too deep. */
static bool descend(struct scanner *s, struct open *o, uint64_t body)
{
	struct mime_part *part = part_of(s, o);
	struct open *child;

	part->boundaries = (uint8_t)o->seen.boundaries;
	if ((o->seen.boundaries == 0 && !o->seen.message) || o->ending)
		return true;
	if (part->depth >= s->limits->depth) {
		s->tree->limits |= MIME_TOO_DEEP;
		part->flags |= MIME_BIT(LEAF_TOO);
		header_seen_free(&o->seen);
		return true;
	}

	for (const struct open *above = o->parent; above != NULL; above = above->parent)
		compare_boundaries(s, o, above);
	if (!o->seen.message)
		return true;
	if (MIME_HAS(part->flags, ENCODED_MESSAGE)) {
		o->waits = true;
		s->waiting++;
		return true;
	}
	if (!begin_part(s, o, body, body, &child))
		return false;
	if (child != NULL)
		part_of(s, child)->flags |= MIME_BIT(ROOT);
	return true;
}

/* The header ends at `header`, and the body begins at `body`. */
static bool end_header(struct scanner *s, struct open *o, uint64_t header, uint64_t body)
{
	struct mime_part *part = part_of(s, o);
	bool digest = o->parent != NULL && o->parent->seen.digest && !MIME_HAS(part->flags, ROOT);
	const char *bytes;
	size_t len;

	if (o->in_header)
		s->headers--;
	o->in_header = false;
	part->body = body;
	if (!header_bytes(s, part->start, header, &bytes, &len))
		return false;
	if (!header_read(s->tree->arena, bytes, len, digest, part, &o->seen))
		return fail();
	if (o->seen.too_many)
		s->tree->limits |= MIME_TOO_AMBIGUOUS;
	if (mime_arena_full(s->tree->arena))
		s->tree->limits |= MIME_TEXT_FULL;
	return descend(s, o, body);
}

/* The other reading, in which the header ends at `header`. */
static bool fork_part(struct scanner *s, struct open *o, uint64_t header, uint64_t body)
{
	struct mime_part part = *part_of(s, o);
	struct open *other;
	uint32_t index;

	if (s->overlaps >= MIME_OVERLAPS || s->forks >= MIME_FORKS) {
		s->tree->limits |= MIME_TOO_AMBIGUOUS;
		return true;
	}
	if (!may_add(s))
		return true;

	part.letter = ++o->letters;
	part.flags |= MIME_BIT(ALTERNATIVE);
	if (!add_part(s, &part, &index))
		return false;
	other = push(s, index, o->parent);
	if (other == NULL)
		return fail();
	other->track = o->track;
	other->extra = true;
	s->overlaps++;
	s->forks++;
	return end_header(s, other, header, body);
}

static bool all_blank(const struct line *line)
{
	for (size_t i = 0; i < line->head_len; i++) {
		if (line->head[i] != ' ' && line->head[i] != '\t')
			return false;
	}
	return line->whole;
}

/* "From " before the header of a message is no line of it, but of the mailbox that it was in. */
static bool is_mailbox_line(const struct scanner *s, const struct open *o, const struct line *line)
{
	const char *head = line->head;
	size_t len = line->head_len;

	if (!MIME_HAS(part_of(s, o)->flags, ROOT) || line->at != part_of(s, o)->start)
		return false;
	if (len > 0 && head[0] == '>') {
		head++;
		len--;
	}
	return len >= 5 && memcmp(head, "From ", 5) == 0;
}

static void note_end(struct scanner *s, struct open *o, const struct line *line)
{
	struct mime_part *part = part_of(s, o);

	if (line->end == ENDS_CR)
		part->flags |= MIME_BIT(BARE_CR);
	s->ends |= line->end;
	if ((s->ends & ENDS_LF) != 0 && (s->ends & ENDS_CRLF) != 0)
		part->flags |= MIME_BIT(MIXED_ENDS);
}

/* A line that ends the header for some: once it is the other reading, and here it is skipped. */
static bool fork_once(struct scanner *s, struct open *o, bool *done, uint64_t header, uint64_t body)
{
	if (*done)
		return true;
	*done = true;
	return fork_part(s, o, header, body);
}

static bool header_line_of(struct scanner *s, struct open *o, const struct line *line)
{
	struct mime_part *part = part_of(s, o);
	bool cr = (line->at > part->start && line->behind_cr) || line->end == ENDS_CR;
	size_t colon, name;

	note_end(s, o, line);
	if (line->head_len == 0) {
		if (!cr || s->cr_only)
			return end_header(s, o, line->at, line->next);
		return fork_once(s, o, &o->fork_blank, line->at, line->next);
	}
	if (all_blank(line)) {
		part->flags |= MIME_BIT(HEADER_BLANK);
		return fork_once(s, o, &o->fork_blank, line->at, line->next);
	}
	if (o->field && (line->head[0] == ' ' || line->head[0] == '\t'))
		return true;

	name = header_name(line->head, line->head_len, &colon);
	if (name > 0) {
		o->field = true;
		if (colon > name)
			part->flags |= MIME_BIT(HEADER_BLANK);
		return true;
	}
	if (is_mailbox_line(s, o, line))
		return true;
	part->flags |= MIME_BIT(HEADER_LINE);
	return fork_once(s, o, &o->fork_line, line->at, line->at);
}

/* The first line of the body of an encoded message: a field makes it one that is not encoded. */
static bool decide(struct scanner *s, struct open *o, const struct line *line)
{
	struct open *child;
	size_t colon;

	o->waits = false;
	s->waiting--;
	if (header_name(line->head, line->head_len, &colon) == 0)
		return true;
	if (!begin_part(s, o, line->at, line->at, &child))
		return false;
	if (child != NULL)
		part_of(s, child)->flags |= MIME_BIT(ROOT);
	return true;
}

static bool header_lines(struct scanner *s, const struct line *line)
{
	for (size_t i = 0; s->waiting > 0 && i < s->open_count; i++) {
		if (s->open[i]->waits && part_of(s, s->open[i])->body <= line->at &&
		    !decide(s, s->open[i], line))
			return false;
	}
	for (size_t i = 0; s->headers > 0 && i < s->open_count; i++) {
		struct open *o = s->open[i];

		if (o->in_header && part_of(s, o)->start <= line->at && !header_line_of(s, o, line))
			return false;
	}
	return true;
}

/* ---- delimiters ---- */

struct delimiter {
	struct open *of;
	size_t track;
	size_t len; /* of the boundary */
	bool close;
	bool text; /* there is more behind the boundary */
	int rank;  /* the better one counts */
};

/* How a line, whose text behind "--" is given, fits the boundary. */
static bool fits(const char *text, size_t len, bool whole, struct delimiter *d)
{
	const char *boundary = d->of->seen.boundary[d->track];
	size_t rest;

	d->len = d->of->seen.boundary_len[d->track];
	if (len < d->len || memcmp(text, boundary, d->len) != 0)
		return false;
	rest = len - d->len;
	d->close = whole && rest == 2 && memcmp(text + d->len, "--", 2) == 0;
	d->text = rest > 0 && !d->close;
	if (!whole)
		d->text = true;
	if (d->text && d->len == 0)
		return false;
	d->rank = d->text ? 0 : d->close ? 2 : 4;
	if (!d->of->closed[d->track])
		d->rank++;
	return true;
}

/* The multipart whose delimiter this line is: the innermost, of those that it fits equally well. */
static bool find_delimiter(const struct scanner *s, const struct line *line, struct delimiter *best)
{
	const char *text = line->head + 2;
	size_t len = line->head_len - 2;

	while (line->whole && len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	*best = (struct delimiter){.rank = -1};
	for (size_t i = s->open_count; i-- > 0;) {
		struct delimiter d = {.of = s->open[i]};

		if (d.of->in_header)
			continue;
		for (d.track = 0; d.track < d.of->seen.boundaries; d.track++) {
			if (fits(text, len, line->whole, &d) &&
			    (d.rank > best->rank ||
				(d.rank == best->rank && d.text && d.len > best->len)))
				*best = d;
		}
	}
	return best->rank >= 0;
}

static void flag_delimiter(struct scanner *s, const struct delimiter *d, const struct line *line)
{
	struct mime_part *part = part_of(s, d->of);
	char last = line->head[line->head_len - 1];

	if (d->text)
		part->flags |= MIME_BIT(BOUNDARY_TEXT);
	else if (last == ' ' || last == '\t')
		part->flags |= MIME_BIT(BOUNDARY_BLANK);
	if (line->behind_cr || line->end == ENDS_CR)
		part->flags |= MIME_BIT(BARE_CR);
}

static bool has_open_child(const struct scanner *s, const struct open *o)
{
	for (size_t i = s->open_count; i-- > 0 && s->open[i] != o;) {
		if (s->open[i]->parent == o)
			return true;
	}
	return false;
}

/* A part begins behind the delimiter. */
static bool next_part(
    struct scanner *s, const struct delimiter *d, const struct line *line, bool doubtful)
{
	struct mime_part *part = part_of(s, d->of);
	bool overlap = has_open_child(s, d->of);
	struct open *o;

	if (part->epilogue != NOWHERE)
		part->flags |= MIME_BIT(CLOSE_BEHIND);
	if (!begin_part(s, d->of, line->at, line->next, &o))
		return false;
	if (o == NULL)
		return true;
	o->track = doubtful ? NO_TRACK : (uint8_t)d->track;
	o->extra = overlap;
	s->overlaps += overlap ? 1 : 0;
	return true;
}

static bool take_delimiter(struct scanner *s, const struct delimiter *d, const struct line *line)
{
	struct mime_part *part = part_of(s, d->of);
	bool cr = line->behind_cr || line->end == ENDS_CR;
	bool doubtful = d->text || (cr && !s->cr_only);
	bool all = !doubtful && d->of->seen.boundaries == 1;
	uint64_t end = line->at - line->before;

	flag_delimiter(s, d, line);
	if (part->preamble == NOWHERE)
		part->preamble = end < part->body ? part->body : end;
	if (!all && s->overlaps >= MIME_OVERLAPS) {
		s->tree->limits |= MIME_TOO_AMBIGUOUS;
		all = true;
	}
	if (!end_below(s, d->of, all, doubtful ? NO_TRACK : (uint8_t)d->track, end, line->at))
		return false;
	if (!d->close)
		return next_part(s, d, line, doubtful);

	d->of->closed[d->track] = true;
	part = part_of(s, d->of);
	if (part->epilogue == NOWHERE)
		part->epilogue = line->next;
	return true;
}

/* ---- the whole ---- */

/* One line, or what no line of is looked at; moves `*at` behind it. */
static bool step(struct scanner *s, uint64_t *at)
{
	struct delimiter d;
	struct line line;

	if (s->headers == 0 && s->waiting == 0) {
		if (!window_skip(&s->window, at) || *at >= s->source->size)
			return *at >= s->source->size;
	}
	if (!window_line(&s->window, *at, &line))
		return false;
	*at = line.next;
	if (line.head_len >= 2 && memcmp(line.head, "--", 2) == 0 && find_delimiter(s, &line, &d))
		return take_delimiter(s, &d, &line);
	return header_lines(s, &line);
}

static bool has_boundaries(const struct scanner *s)
{
	for (size_t i = 0; i < s->open_count; i++) {
		if (s->open[i]->seen.boundaries > 0)
			return true;
	}
	return false;
}

static bool scan(struct scanner *s)
{
	uint64_t size = s->source->size, at = 0;
	struct open *o;
	bool fine;

	if (!begin_part(s, NULL, 0, 0, &o))
		return false;
	if (o != NULL)
		part_of(s, o)->flags |= MIME_BIT(ROOT);

	s->cr_only = window_cr_only(&s->window);
	fine = true;
	while (fine && at < size && !s->full) {
		if (s->headers == 0 && s->waiting == 0 && !has_boundaries(s))
			break;
		fine = step(s, &at);
	}
	while (s->open_count > 0) {
		struct open *last = s->open[--s->open_count];

		if (!end_part(s, last, size, size))
			fine = false;
	}
	return fine;
}

bool mime_scan(
    const struct source *source, const struct mime_limits *limits, struct mime_tree *tree)
{
	struct scanner s = {.source = source, .limits = limits, .tree = tree};
	bool fine = false;
	int error;

	*tree = (struct mime_tree){.arena = mime_arena_open()};
	buf_init(&s.header, limits->header);
	if (tree->arena == NULL)
		errno = ENOMEM;
	else
		fine = window_open(&s.window, source) && scan(&s);

	error = errno;
	window_free(&s.window);
	free(s.open);
	buf_free(&s.header);
	if (!fine)
		mime_tree_free(tree);
	errno = error;
	return fine;
}
