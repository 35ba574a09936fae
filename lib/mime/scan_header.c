#include "lib/mime/scan_inside.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/mime/word.h"

#define BOUNDARY_LEGAL 70 /* RFC 2046 section 5.1.1 */
#define FIELDS_MAX     8  /* fields of one name that are read; more are told */

struct header {
	struct mime_arena *arena;
	struct mime_part *part;
	struct header_seen *seen;
	const char *text;
	size_t len;
	size_t types;
	size_t encodings;
	size_t dispositions;
	bool type_bad;
	struct header_field type; /* the first */
	bool named;               /* there is a parameter that names the file */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* ---- fields ---- */

size_t header_line(const char *text, size_t len, size_t at, size_t *end)
{
	size_t stop = at;

	while (stop < len && text[stop] != '\n' && text[stop] != '\r')
		stop++;
	*end = stop == len ? 0 : 1;
	if (len - stop >= 2 && text[stop] == '\r' && text[stop + 1] == '\n')
		*end = 2;
	return stop - at;
}

size_t header_name(const char *line, size_t len, size_t *colon)
{
	size_t name = 0;

	while (name < len && line[name] > ' ' && line[name] < 0x7f && line[name] != ':')
		name++;
	*colon = name;
	while (*colon < len && (line[*colon] == ' ' || line[*colon] == '\t'))
		(*colon)++;
	return *colon < len && line[*colon] == ':' ? name : 0;
}

bool header_next(const char *text, size_t len, size_t *at, struct header_field *field)
{
	size_t end, colon, line, stop;

	if (*at >= len)
		return false;

	line = header_line(text, len, *at, &end);
	*field = (struct header_field){.name = text + *at};
	field->name_len = header_name(field->name, line, &colon);
	field->body = field->name + (field->name_len > 0 ? colon + 1 : 0);
	stop = *at + line;
	*at = stop + end;

	while (*at < len) {
		size_t ignored;

		line = header_line(text, len, *at, &end);
		if (header_name(text + *at, line, &ignored) > 0)
			break;
		stop = *at + line;
		*at = stop + end;
	}
	field->body_len = (size_t)(text + stop - field->body);
	return true;
}

bool header_is(const struct header_field *field, const char *name)
{
	size_t len = strlen(name);

	return field->name_len == len && strncasecmp(field->name, name, len) == 0;
}

void header_seen_free(struct header_seen *seen)
{
	for (size_t i = 0; i < seen->boundaries; i++)
		free(seen->boundary[i]);
	*seen = (struct header_seen){.boundaries = 0};
}

/* ---- words ---- */

/*
 * A lower-case copy of a word, without blanks, quotes and comments, in `into`; `*odd` says whether it
 * had quotes. Too long a one is cut.
 */
static size_t clean(const char *from, size_t len, char *into, size_t room, bool *odd)
{
	size_t made = 0, depth = 0;

	for (size_t i = 0; i < len && made < room; i++) {
		char c = from[i];

		if (c == '(')
			depth++;
		else if (c == ')' && depth > 0)
			depth--;
		else if (c == '"')
			*odd = true;
		else if (depth == 0 && !is_blank(c))
			into[made++] = lower(c);
	}
	return made;
}

static bool is_token(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] <= ' ' || text[i] >= 0x7f || strchr("()<>@,;:\\\"/[]?=", text[i]))
			return false;
	}
	return len > 0;
}

static bool is_word(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(text, word, len) == 0;
}

static void flag_params(struct header *h, unsigned flags)
{
	uint64_t *to = &h->part->flags;

	if (flags & PARAM_TWICE)
		*to |= MIME_BIT(TWO_PARAMETERS);
	if (flags & PARAM_COMMENT)
		*to |= MIME_BIT(COMMENT);
	if (flags & (PARAM_UNQUOTED | PARAM_UNENDED | PARAM_SEMICOLON | PARAM_GAP |
			PARAM_BACKSLASH | PARAM_MANY))
		*to |= MIME_BIT(PARAMETERS);
	if (flags & PARAM_NUL)
		*to |= MIME_BIT(NUL);
}

/* ---- Content-Type ---- */

static const char *known_text(struct header *h, const char *text, size_t len)
{
	static const char *const OFTEN[] = {"text", "plain", "html", "multipart", "mixed",
	    "alternative", "related", "application", "octet-stream", "image", "message", "rfc822",
	    "utf-8", "iso-2022-jp", "us-ascii", "attachment", "inline"};

	for (size_t i = 0; i < COUNT_OF(OFTEN); i++) {
		if (is_word(text, len, OFTEN[i]))
			return OFTEN[i];
	}
	return mime_arena_text(h->arena, text, len);
}

/* What a type means for the scanner; that of the first field is the part's. */
static void take_type(struct header *h, const char *first, size_t len)
{
	char text[2 * MIME_TYPE_MAX + 1];
	bool odd = false;
	size_t made = clean(first, len, text, sizeof text, &odd);
	const char *slash = memchr(text, '/', made);
	size_t type = slash == NULL ? made : (size_t)(slash - text);
	const char *sub = slash == NULL ? "" : slash + 1;
	size_t sub_len = slash == NULL ? 0 : made - type - 1;
	bool multipart = is_word(text, type, "multipart");
	bool message = is_word(text, type, "message");
	bool good = is_token(text, type) && is_token(sub, sub_len) && type <= MIME_TYPE_MAX &&
		    sub_len <= MIME_TYPE_MAX;

	if (!good || odd)
		h->part->flags |= MIME_BIT(TYPE);
	h->type_bad = !good;
	h->seen->multipart = h->seen->multipart || multipart;
	if (good && message &&
	    (is_word(sub, sub_len, "rfc822") || is_word(sub, sub_len, "global") ||
		is_word(sub, sub_len, "news")))
		h->seen->message = true;
	if (good && message && is_word(sub, sub_len, "partial"))
		h->part->flags |= MIME_BIT(PARTIAL);
	if (good && message && is_word(sub, sub_len, "external-body"))
		h->part->flags |= MIME_BIT(EXTERNAL);
	if (multipart && is_word(sub, sub_len, "digest"))
		h->seen->digest = true;

	if (h->types > 1)
		return;
	if (good) {
		h->part->type = known_text(h, text, type);
		h->part->subtype = known_text(h, sub, sub_len);
	} else if (multipart) {
		h->part->type = "multipart";
		h->part->subtype = "mixed";
	}
}

static bool is_plain(const struct param *param)
{
	if (param->piece >= 0 || param->extended)
		return false;
	for (size_t i = 0; i < param->value_len; i++) {
		char c = param->value[i];

		if (c < ' ' || c >= 0x7f || c == '\\' || c == '?')
			return false;
	}
	return true;
}

/* The value of a parameter in UTF-8, or "". */
static const char *value_of(struct header *h, const struct header_field *field,
    const struct param *param, const char *name, bool *fine)
{
	struct param_readings readings;
	const char *value = "";
	size_t len;

	if (is_plain(param)) {
		len = param->value_len < MIME_PARAM_MAX ? param->value_len : MIME_PARAM_MAX;
		return known_text(h, param->value, len);
	}

	param_readings_init(&readings);
	if (!param_read(field->body, field->body_len, name, &readings))
		*fine = false;
	flag_params(h, readings.flags);
	if (readings.count > 0) {
		value = param_reading(&readings, 0);
		len = strlen(value);
		value =
		    mime_arena_text(h->arena, value, len < MIME_PARAM_MAX ? len : MIME_PARAM_MAX);
	}
	param_readings_free(&readings);
	return value;
}

struct param_list {
	struct mime_param *last;
	size_t count;
};

static bool keep_param(struct header *h, const struct header_field *field,
    const struct param *param, struct param_list *list)
{
	char name[MIME_TYPE_MAX];
	bool odd = false, fine = true;
	size_t len = clean(param->name, param->name_len, name, sizeof name, &odd);
	struct mime_param *kept;

	for (const struct mime_param *p = h->part->params; p != NULL; p = p->next) {
		if (strlen(p->name) != len || memcmp(p->name, name, len) != 0)
			continue;
		if (param->piece < 0)
			h->part->flags |= MIME_BIT(TWO_PARAMETERS);
		return true;
	}
	if (list->count == MIME_PARAMS_KEPT)
		return true;

	kept = mime_arena_take(h->arena, sizeof *kept);
	if (kept == NULL)
		return !mime_arena_failed(h->arena);
	kept->next = NULL;
	kept->name = known_text(h, name, len);
	kept->value = value_of(h, field, param, kept->name, &fine);
	if (list->last == NULL)
		h->part->params = kept;
	else
		list->last->next = kept;
	list->last = kept;
	list->count++;
	if (strcmp(kept->name, "charset") == 0)
		h->part->charset = kept->value;
	return fine;
}

static bool param_is(const struct param *param, const char *name)
{
	return strlen(name) == param->name_len &&
	       strncasecmp(param->name, name, param->name_len) == 0;
}

/* ---- boundaries ---- */

static bool add_boundary(struct header *h, const char *bytes, size_t len)
{
	struct header_seen *seen = h->seen;
	size_t whole = len;
	char *copy;

	while (len > 0 && is_blank(bytes[len - 1]))
		len--;
	if (len < whole)
		h->part->flags |= MIME_BIT(BOUNDARY_BLANK);
	if (len > BOUNDARY_LEGAL)
		h->part->flags |= MIME_BIT(BOUNDARY_LONG);
	if (len == 0)
		h->part->flags |= MIME_BIT(BOUNDARY_MISSING);
	if (len > MIME_BOUNDARY_MAX)
		return true;

	for (size_t i = 0; i < seen->boundaries; i++) {
		if (seen->boundary_len[i] == len && memcmp(seen->boundary[i], bytes, len) == 0)
			return true;
	}
	if (seen->boundaries > 0)
		h->part->flags |= MIME_BIT(BOUNDARIES);
	if (seen->boundaries == MIME_BOUNDARIES) {
		seen->too_many = true;
		return true;
	}

	copy = malloc(len + 1);
	if (copy == NULL)
		return false;
	memcpy(copy, bytes, len);
	seen->boundary[seen->boundaries] = copy;
	seen->boundary_len[seen->boundaries++] = len;
	return true;
}

static bool take_boundaries(struct header *h, const struct header_field *field)
{
	struct param_readings readings;
	bool fine;

	param_readings_init(&readings);
	fine = param_read_bytes(field->body, field->body_len, "boundary", &readings);
	for (size_t i = 0; fine && i < readings.count; i++) {
		if (readings.all[i].form != PARAM_FORM_PLAIN)
			h->part->flags |= MIME_BIT(BOUNDARY_PIECES);
		fine = add_boundary(h, param_reading(&readings, i), readings.all[i].len);
	}
	if ((readings.flags & PARAM_WORD) != 0)
		h->part->flags |= MIME_BIT(BOUNDARY_WORD);
	if ((readings.flags & PARAM_MANY) != 0)
		h->seen->too_many = true;
	flag_params(h, readings.flags);
	param_readings_free(&readings);
	return fine;
}

/* The same field twice says nothing else. */
static bool same_body(const struct header_field *a, const struct header_field *b)
{
	return a->body_len == b->body_len &&
	       (a->body_len == 0 || memcmp(a->body, b->body, a->body_len) == 0);
}

static bool take_content_type(struct header *h, const struct header_field *field)
{
	const char *first;
	size_t first_len;
	struct param_reader r =
	    param_open(field->body, field->body_len, PARAM_COMMENTS, &first, &first_len);
	struct param_list list = {.count = 0};
	bool boundary = false, fine = true;
	struct param param;

	h->part->flags |= MIME_BIT(TYPE_GIVEN);
	if (h->types == 1 && same_body(&h->type, field))
		return true;
	if (++h->types > 1)
		h->part->flags |= MIME_BIT(TWO_TYPES);
	else
		h->type = *field;
	if (h->types > FIELDS_MAX) {
		h->seen->too_many = true;
		return true;
	}
	take_type(h, first, first_len);
	if (memchr(field->body, '(', (size_t)(first + first_len - field->body)) != NULL)
		h->part->flags |= MIME_BIT(COMMENT);

	while (fine && param_next(&r, &param)) {
		if (param_is(&param, "boundary")) {
			boundary = true;
			continue;
		}
		h->named = h->named || param_is(&param, "name");
		if (h->types == 1)
			fine = keep_param(h, field, &param, &list);
	}
	flag_params(h, r.flags);

	/* In a comment, for some: they are not skipped by everybody. */
	boundary = boundary || (r.flags & PARAM_COMMENT) != 0;
	if (!fine || !boundary || (!h->seen->multipart && !h->type_bad))
		return fine;
	fine = take_boundaries(h, field);
	if (h->seen->boundaries > 0)
		h->seen->multipart = true;
	return fine;
}

/* ---- the others ---- */

static void take_encoding(struct header *h, const struct header_field *field)
{
	char word[32];
	bool odd = false;
	const char *first;
	size_t len, first_len;
	struct param_reader r =
	    param_open(field->body, field->body_len, PARAM_COMMENTS, &first, &first_len);

	len = clean(first, first_len, word, sizeof word, &odd);
	h->part->encoding_last = transfer_named(word, len);
	if (h->part->encoding_last == TRANSFER_UNKNOWN || odd)
		h->part->flags |= MIME_BIT(ENCODING);

	/* With anything behind the word, or a comment, it is no encoding for some. */
	while (r.at < r.len && is_blank(r.body[r.at]))
		r.at++;
	if (r.at < r.len)
		h->part->flags |= MIME_BIT(PARAMETERS);
	if (field->body_len > 0 && memchr(field->body, '(', field->body_len) != NULL)
		h->part->flags |= MIME_BIT(COMMENT);
	if (++h->encodings == 1)
		h->part->encoding = h->part->encoding_last;
	else
		h->part->flags |= MIME_BIT(TWO_ENCODINGS);
}

static void take_disposition(struct header *h, const struct header_field *field)
{
	char word[MIME_TYPE_MAX];
	bool odd = false;
	const char *first;
	size_t len, first_len;
	struct param_reader r =
	    param_open(field->body, field->body_len, PARAM_COMMENTS, &first, &first_len);
	struct param param;

	len = clean(first, first_len, word, sizeof word, &odd);
	if (++h->dispositions > 1)
		h->part->flags |= MIME_BIT(TWO_DISPOSITIONS);
	else
		h->part->disposition = known_text(h, word, len);
	while (param_next(&r, &param))
		h->named = h->named || param_is(&param, "filename");
	/* For a program that knows no comments it may be in one. */
	h->named = h->named || (r.flags & PARAM_COMMENT) != 0;
	flag_params(h, r.flags);
}

static void take_id(struct header *h, const struct header_field *field)
{
	const char *from = field->body;
	size_t len = field->body_len;

	while (len > 0 && (is_blank(*from) || *from == '<')) {
		from++;
		len--;
	}
	while (len > 0 && (is_blank(from[len - 1]) || from[len - 1] == '>'))
		len--;
	if (h->part->id[0] == '\0')
		h->part->id =
		    mime_arena_text(h->arena, from, len < MIME_TEXT_MAX ? len : MIME_TEXT_MAX);
}

static void take_description(struct header *h, const struct header_field *field)
{
	size_t most = (size_t)16 * MIME_TEXT_MAX;
	size_t len = field->body_len < most ? field->body_len : most;
	const char *from = field->body;
	struct buf text;

	while (len > 0 && is_blank(*from)) {
		from++;
		len--;
	}
	if (len == 0 || h->part->description[0] != '\0')
		return;
	buf_init(&text, MIME_TEXT_MAX);
	if (!word_decode(from, len, &text, NULL) && text.len == 0)
		buf_clear(&text);
	h->part->description = mime_arena_text(h->arena, text.bytes, text.len);
	buf_free(&text);
}

bool header_names(const char *text, size_t len, struct param_readings *names)
{
	static const char *const WHERE[][2] = {
	    {"content-disposition", "filename"}, {"content-type", "name"}};
	struct header_field field;

	for (size_t i = 0; i < COUNT_OF(WHERE); i++) {
		size_t at = 0, fields = 0;

		while (header_next(text, len, &at, &field)) {
			if (!header_is(&field, WHERE[i][0]))
				continue;
			if (++fields > FIELDS_MAX) {
				names->flags |= PARAM_MANY;
				break;
			}
			if (!param_read(field.body, field.body_len, WHERE[i][1], names))
				return false;
		}
	}
	return true;
}

static size_t extension_at(const char *name, size_t len)
{
	size_t at = len;

	while (at > 0 && name[at - 1] != '.')
		at--;
	return at;
}

/* A name in ASCII beside the one for programs that know RFC 2231, of the same kind (RFC 6266, 4.3). */
static bool is_fallback(const struct param_readings *names)
{
	const char *first, *other;
	size_t a, b, len;

	if (names->count != 2 || names->all[0].form != PARAM_FORM_EXTENDED ||
	    names->all[1].form != PARAM_FORM_PLAIN)
		return false;
	first = param_reading(names, 0);
	other = param_reading(names, 1);
	len = names->all[1].len;
	for (size_t i = 0; i < len; i++) {
		if (other[i] < ' ' || other[i] > '~')
			return false;
	}
	a = extension_at(first, names->all[0].len);
	b = extension_at(other, len);
	return a > 0 && b > 0 && strcasecmp(first + a, other + b) == 0;
}

static bool take_names(struct header *h)
{
	struct param_readings names;
	bool fine;

	param_readings_init(&names);
	fine = header_names(h->text, h->len, &names);
	flag_params(h, names.flags);
	if ((names.flags & PARAM_DIFFER) != 0 && !is_fallback(&names))
		h->part->flags |= MIME_BIT(NAMES);
	if (fine && names.count > 0) {
		size_t len = names.all[0].len;

		h->part->name = mime_arena_text(
		    h->arena, param_reading(&names, 0), len < MIME_TEXT_MAX ? len : MIME_TEXT_MAX);
	}
	param_readings_free(&names);
	return fine;
}

/* ---- the whole ---- */

static bool is_encoded(enum transfer encoding)
{
	return encoding == TRANSFER_BASE64 || encoding == TRANSFER_QUOTED;
}

/* What follows from all fields together. */
static void judge(struct header *h)
{
	struct mime_part *part = h->part;
	bool encoded = is_encoded(part->encoding) || is_encoded(part->encoding_last);

	if (h->encodings == 0)
		part->encoding = TRANSFER_7BIT;
	if (h->encodings < 2)
		part->encoding_last = part->encoding;
	if (memchr(h->text, '\0', h->len) != NULL)
		part->flags |= MIME_BIT(NUL);
	if (h->seen->multipart) {
		part->flags |= MIME_BIT(MULTIPART);
		if (h->seen->boundaries == 0)
			part->flags |= MIME_BIT(BOUNDARY_MISSING);
		if (MIME_HAS(part->flags, BOUNDARY_MISSING) || strcmp(part->type, "multipart") != 0)
			part->flags |= MIME_BIT(LEAF_TOO);
		if (encoded)
			part->flags |= MIME_BIT(ENCODED_MULTIPART) | MIME_BIT(LEAF_TOO);
	}
	if (h->seen->message) {
		part->flags |= MIME_BIT(MESSAGE);
		if (strcmp(part->type, "message") != 0)
			part->flags |= MIME_BIT(LEAF_TOO);
		if (encoded)
			part->flags |= MIME_BIT(ENCODED_MESSAGE) | MIME_BIT(LEAF_TOO);
	}
}

static bool take_field(struct header *h, const struct header_field *field)
{
	if (header_is(field, "content-type"))
		return take_content_type(h, field);
	if (header_is(field, "content-transfer-encoding"))
		take_encoding(h, field);
	else if (header_is(field, "content-disposition"))
		take_disposition(h, field);
	else if (header_is(field, "content-id"))
		take_id(h, field);
	else if (header_is(field, "content-description"))
		take_description(h, field);
	return true;
}

bool header_read(struct mime_arena *arena, const char *text, size_t len, bool in_digest,
    struct mime_part *part, struct header_seen *seen)
{
	struct header h = {.arena = arena, .part = part, .seen = seen, .text = text, .len = len};
	struct header_field field;
	bool fine = true;
	size_t at = 0;

	part->type = in_digest ? "message" : "text";
	part->subtype = in_digest ? "rfc822" : "plain";
	part->charset = part->name = part->disposition = part->id = part->description = "";
	part->params = NULL;

	while (fine && header_next(text, len, &at, &field)) {
		if (field.name_len > 8 && lower(field.name[0]) == 'c')
			fine = take_field(&h, &field);
	}
	if (in_digest && h.types == 0)
		seen->message = true;
	if (fine && h.named)
		fine = take_names(&h);
	if (len > 0)
		judge(&h);
	else if (seen->message)
		part->flags |= MIME_BIT(MESSAGE);
	return fine && !mime_arena_failed(arena);
}
