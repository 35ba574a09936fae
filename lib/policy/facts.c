/* The lines of sekisho-facts(5), read into arrays. What is known of them is settled at the end. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/xtext.h"
#include "lib/policy/inside.h"

#define FIELDS_MAX 20 /* of a line; no fact has more */

struct field {
	const char *key, *value; /* the value is still xtext */
	size_t key_len, value_len;
};

struct line {
	const char *word;
	size_t word_len;
	struct field field[FIELDS_MAX];
	size_t fields;
};

struct facts *facts_new(void)
{
	struct facts *facts = calloc(1, sizeof *facts);

	if (facts == NULL)
		return NULL;
	/* Texts are no longer decoded than written; their ends and folded names take the rest. */
	facts->arena = arena_new(8 * FACTS_BYTES_MAX);
	if (facts->arena == NULL) {
		free(facts);
		return NULL;
	}
	return facts;
}

void facts_free(struct facts *facts)
{
	if (facts == NULL)
		return;
#define X(type, plural) free(facts->plural.at);
	FACT_LISTS(X)
#undef X
	arena_free(facts->arena);
	free(facts);
}

const struct facts_against *facts_against(const struct facts *facts)
{
	return &facts->against;
}

/* ---- a line ------------------------------------------------------------------------------- */

static void cut_line(struct line *line, const char *text, size_t len)
{
	const char *end = text + len;
	const char *space = memchr(text, ' ', len);

	*line =
	    (struct line){.word = text, .word_len = space != NULL ? (size_t)(space - text) : len};
	while (space != NULL && line->fields < FIELDS_MAX) {
		const char *key = space + 1, *equals;
		struct field *f = &line->field[line->fields];

		space = memchr(key, ' ', (size_t)(end - key));
		equals = memchr(key, '=', (size_t)((space != NULL ? space : end) - key));
		if (equals == NULL)
			continue;
		*f = (struct field){.key = key,
		    .key_len = (size_t)(equals - key),
		    .value = equals + 1,
		    .value_len = (size_t)((space != NULL ? space : end) - equals - 1)};
		line->fields++;
	}
}

static bool is_word(const struct line *line, const char *word)
{
	return strlen(word) == line->word_len && memcmp(word, line->word, line->word_len) == 0;
}

static const struct field *field(const struct line *line, const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < line->fields; i++) {
		if (line->field[i].key_len == len && memcmp(line->field[i].key, key, len) == 0)
			return &line->field[i];
	}
	return NULL;
}

static bool says(const struct line *line, const char *key, const char *value)
{
	const struct field *f = field(line, key);

	return f != NULL && strlen(value) == f->value_len &&
	       memcmp(value, f->value, f->value_len) == 0;
}

/* Decoded, NUL-ended; "" if it is not there, or is none. NULL: no memory. */
static const char *text_of(struct facts *facts, const struct line *line, const char *key)
{
	const struct field *f = field(line, key);
	char *text;
	size_t len = 0;

	if (f == NULL || f->value_len == 0)
		return "";
	text = arena_take(facts->arena, f->value_len + 1);
	if (text == NULL) {
		facts->over = true;
		return "";
	}
	if (!xtext_decode(f->value, f->value_len, text, &len))
		len = 0;
	text[len] = '\0';
	return text;
}

static uint64_t number_of(const struct line *line, const char *key)
{
	const struct field *f = field(line, key);
	uint64_t n = 0;

	for (size_t i = 0; f != NULL && i < f->value_len; i++) {
		if (f->value[i] < '0' || f->value[i] > '9' || __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (unsigned)(f->value[i] - '0'), &n))
			return f->value[i] == '-' ? 0 : UINT64_MAX;
	}
	return n;
}

/* "body,files" as a mask; words that are no places are nothing. */
static unsigned places_of(const struct line *line, const char *key)
{
	const struct field *f = field(line, key);
	const char *at, *end;
	unsigned places = 0;

	if (f == NULL)
		return 0;
	end = f->value + f->value_len;
	for (at = f->value; at < end;) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		size_t len = (size_t)((comma != NULL ? comma : end) - at);

		for (unsigned p = 0; p < PLACE_COUNT; p++) {
			const char *word = detect_place_word(p);

			if (strlen(word) == len && memcmp(word, at, len) == 0)
				places |= 1u << p;
		}
		at += len + 1;
	}
	return places;
}

static enum detect_kind kind_of(const struct line *line)
{
	unsigned kind = 0;

	while (kind < DETECT_KIND_COUNT && !says(line, "kind", detect_kind_word(kind)))
		kind++;
	return kind;
}

/* ---- arrays that grow --------------------------------------------------------------------- */

/* Where one more item goes, zeroed; NULL: no memory, and nothing is known any more. */
static void *grow(struct facts *facts, void **at, size_t *n, size_t *room, size_t size)
{
	if (*n == *room) {
		size_t more = *room == 0 ? 8 : *room * 2;
		void *moved = reallocarray(*at, more, size);

		if (moved == NULL) {
			facts->over = true;
			return NULL;
		}
		*at = moved;
		*room = more;
	}
	return memset((char *)*at + size * (*n)++, 0, size);
}

#define X(type, plural)                                                                            \
	static struct type *add_##plural(struct facts *facts)                                      \
	{                                                                                          \
		void *at = facts->plural.at;                                                       \
		struct type *item =                                                                \
		    grow(facts, &at, &facts->plural.n, &facts->plural.room, sizeof *item);         \
                                                                                                   \
		facts->plural.at = at;                                                             \
		return item;                                                                       \
	}
FACT_LISTS(X)
#undef X

/* ---- against ------------------------------------------------------------------------------ */

/* The value, still xtext; "" if it is none that could stand in a plan. */
static void word_of(const struct line *line, const char *key, char word[FACTS_REASON])
{
	const struct field *f = field(line, key);

	word[0] = '\0';
	if (f == NULL || f->value_len >= FACTS_REASON || !xtext_valid(f->value, f->value_len))
		return;
	memcpy(word, f->value, f->value_len);
	word[f->value_len] = '\0';
}

/* The first reason stays. */
static void take_reason(bool *is, char reason[FACTS_REASON], const char *value)
{
	if (!*is || reason[0] == '\0')
		(void)stpcpy(reason, value);
	*is = true;
}

static void take_virus(struct facts *facts, const struct line *line)
{
	char name[FACTS_REASON];

	facts->virus_unknown = facts->virus_unknown || says(line, "verdict", "unknown");
	facts->virus_clean = facts->virus_clean || says(line, "verdict", "clean");
	/* The employer's own word, for the sandbox reaches no clamd. */
	if (!says(line, "verdict", "found"))
		return;
	word_of(line, "name", name);
	take_reason(&facts->against.virus, facts->against.virus_name, name);
}

static void take_uninspectable(struct facts *facts, const struct line *line)
{
	struct fact_closed *closed = add_closed(facts);
	char reason[FACTS_REASON];

	word_of(line, "reason", reason);
	take_reason(&facts->against.uninspectable, facts->against.reason, reason);
	if (closed == NULL)
		return;
	closed->part = text_of(facts, line, "part");
	closed->reason = arena_text(facts->arena, reason, strlen(reason));
	if (closed->reason == NULL || closed->reason[0] == '\0')
		closed->reason = "unknown";
}

static void take_ambiguous(struct facts *facts, const struct line *line)
{
	char why[FACTS_REASON];

	word_of(line, "why", why);
	take_reason(&facts->against.ambiguous, facts->against.ambiguity, why);
}

/* ---- one line each ------------------------------------------------------------------------ */

static void take_message(struct facts *facts, const struct line *line)
{
	facts->message = true;
	facts->is_signed = !says(line, "signed", "no");
	facts->is_encrypted = !says(line, "encrypted", "no");
	facts->automatic = says(line, "automatic", "yes");
	facts->reply = says(line, "reply", "yes");
	facts->promises = says(line, "promises-file", "yes");
}

static void take_subject(struct facts *facts, const struct line *line)
{
	facts->subject = text_of(facts, line, "text");
}

static void take_id(struct facts *facts, const struct line *line)
{
	facts->message_id = text_of(facts, line, "text");
}

static void take_greeting(struct facts *facts, const struct line *line)
{
	facts->greeting_other = says(line, "verdict", "other");
	facts->greeting_company = text_of(facts, line, "company");
	facts->greeting_person = text_of(facts, line, "person");
}

static void take_address(struct facts *facts, const struct line *line)
{
	static const char *const fields[] = {[FIELD_FROM] = "from",
	    [FIELD_REPLY_TO] = "reply-to",
	    [FIELD_TO] = "to",
	    [FIELD_CC] = "cc"};
	struct fact_address *a = add_addresses(facts);

	if (a == NULL)
		return;
	a->field = FIELD_FROM;
	while (a->field < FIELD_OTHER && !says(line, "field", fields[a->field]))
		a->field++;
	a->envelope = says(line, "envelope", "yes");
	a->address = text_of(facts, line, "address");
	a->name = text_of(facts, line, "name");
}

static void take_hidden(struct facts *facts, const struct line *line)
{
	(void)line;
	facts->hidden++;
}

static void take_part(struct facts *facts, const struct line *line)
{
	struct fact_part *part = add_parts(facts);

	if (part == NULL)
		return;
	part->path = text_of(facts, line, "path");
	part->role = text_of(facts, line, "role");
}

static void take_name(struct facts *facts, const char *part, const char *text)
{
	struct fact_name *name = add_names(facts);

	if (name == NULL)
		return;
	name->part = part;
	name->folded = text_fold(facts->arena, text);
	if (name->folded == NULL) {
		name->folded = "";
		facts->over = true;
	}
}

static void take_other_name(struct facts *facts, const struct line *line)
{
	take_name(facts, text_of(facts, line, "part"), text_of(facts, line, "name"));
}

static enum fact_encrypted encrypted_of(const struct line *line)
{
	static const char *const words[] = {
	    [ENCRYPTED_NO] = "no", [ENCRYPTED_ALL] = "all", [ENCRYPTED_SOME] = "some"};
	enum fact_encrypted is = ENCRYPTED_NO;

	while (is < ENCRYPTED_UNKNOWN && !says(line, "encrypted", words[is]))
		is++;
	return is;
}

static void take_file(struct facts *facts, const struct line *line)
{
	struct fact_file *file;

	if (!says(line, "counts", "yes")) {
		/* It is none for rules, but says what its part is. */
		struct fact_part *part = add_parts(facts);

		if (part != NULL) {
			part->path = text_of(facts, line, "part");
			part->role = text_of(facts, line, "role");
		}
		return;
	}
	file = add_files(facts);
	if (file == NULL)
		return;
	file->number = facts->files.n;
	file->part = text_of(facts, line, "part");
	file->name = text_of(facts, line, "name");
	file->size = number_of(line, "size");
	file->nameless = says(line, "nameless", "yes");
	file->nested = says(line, "nested", "yes");
	file->encrypted = encrypted_of(line);
	file->as_named = !says(line, "as-named", "no");
	take_name(facts, file->part, file->name);
}

static void take_pii(struct facts *facts, const struct line *line)
{
	enum detect_kind kind = kind_of(line);

	if (kind < DETECT_KIND_COUNT)
		facts->pii[kind][places_of(line, "places")] = number_of(line, "count");
}

static void take_pii_more(struct facts *facts, const struct line *line)
{
	enum detect_kind kind = kind_of(line);

	if (kind < DETECT_KIND_COUNT)
		facts->pii_more[kind] = true;
}

static void take_pii_value(struct facts *facts, const struct line *line)
{
	struct fact_shown *shown = add_values(facts);

	if (shown == NULL)
		return;
	shown->number = kind_of(line);
	shown->places = places_of(line, "places");
	shown->text = text_of(facts, line, "value");
}

static void add_count(struct fact_count *count, const struct line *line)
{
	unsigned places = places_of(line, "place");
	uint64_t n = number_of(line, "count");

	/* Without a value that was seen, the match that is told is but the limit. */
	if (says(line, "limit", "yes")) {
		count->limited |= places;
		n = number_of(line, "distinct") > 0 ? n : 0;
	}
	for (unsigned p = 0; p < PLACE_COUNT; p++) {
		if ((places & (1u << p)) != 0)
			count->count[p] = n;
	}
}

static void take_words(struct facts *facts, const struct line *line)
{
	const char *name = text_of(facts, line, "list");
	struct fact_count *count = NULL;

	for (size_t i = 0; i < facts->lists.n && count == NULL; i++) {
		if (strcmp(facts->lists.at[i].list, name) == 0)
			count = &facts->lists.at[i];
	}
	if (count == NULL && (count = add_lists(facts)) == NULL)
		return;
	count->list = name;
	add_count(count, line);
}

static void take_list_word(struct facts *facts, const struct line *line)
{
	struct fact_shown *shown = add_list_words(facts);

	if (shown == NULL)
		return;
	shown->list = text_of(facts, line, "list");
	shown->text = text_of(facts, line, "text");
}

/* Lines of one number stand together, but nothing promises it: facts_end sorts them. */
static void take_numbered(struct fact_count *count, const struct line *line)
{
	if (count == NULL)
		return;
	count->number = (size_t)number_of(line, "number");
	add_count(count, line);
}

static void take_word(struct facts *facts, const struct line *line)
{
	take_numbered(add_words(facts), line);
}

static void take_regex(struct facts *facts, const struct line *line)
{
	take_numbered(add_regexes(facts), line);
}

static void take_regex_value(struct facts *facts, const struct line *line)
{
	struct fact_shown *shown = add_regex_values(facts);

	if (shown == NULL)
		return;
	shown->number = (size_t)number_of(line, "number");
	shown->text = text_of(facts, line, "value");
}

static void take_company(struct facts *facts, const struct line *line)
{
	struct fact_company *company = add_companies(facts);

	if (company == NULL)
		return;
	company->name = text_of(facts, line, "name");
	company->domain = text_of(facts, line, "domain");
	company->places = places_of(line, "places");
}

static void take_text(struct facts *facts, const struct line *line)
{
	struct fact_text *text = add_texts(facts);

	if (text == NULL)
		return;
	text->number = (size_t)number_of(line, "number");
	text->text = text_of(facts, line, "text");
	text->folded = text_fold(facts->arena, text->text);
	if (text->folded == NULL) {
		text->folded = "";
		facts->over = true;
	}
}

static const struct taker {
	const char *word;
	void (*take)(struct facts *facts, const struct line *line);
} takers[] = {
    {"message", take_message},
    {"subject", take_subject},
    {"message-id", take_id},
    {"greeting", take_greeting},
    {"uninspectable", take_uninspectable},
    {"ambiguous", take_ambiguous},
    {"virus", take_virus},
    {"address", take_address},
    {"hidden", take_hidden},
    {"part", take_part},
    {"file", take_file},
    {"file-name", take_other_name},
    {"pii", take_pii},
    {"pii-value", take_pii_value},
    {"pii-more", take_pii_more},
    {"words", take_words},
    {"list-word", take_list_word},
    {"word", take_word},
    {"regex", take_regex},
    {"regex-value", take_regex_value},
    {"company", take_company},
    {"field", take_text},
};

/* What says something against a message is heard however much there is. */
static bool is_against(const struct line *line)
{
	return is_word(line, "virus") || is_word(line, "uninspectable") ||
	       is_word(line, "ambiguous");
}

static void take_line(struct facts *facts, const char *text, size_t len)
{
	struct line line;

	cut_line(&line, text, len);
	if (facts->over && (!is_against(&line) || facts->bytes > 2 * FACTS_BYTES_MAX))
		return;
	for (size_t i = 0; i < COUNT_OF(takers); i++) {
		if (is_word(&line, takers[i].word)) {
			takers[i].take(facts, &line);
			return;
		}
	}
}

void facts_lines(struct facts *facts, const char *lines, size_t len)
{
	const char *newline;

	while (len > 0 && (newline = memchr(lines, '\n', len)) != NULL) {
		size_t line = (size_t)(newline - lines);

		if (!size_add(facts->bytes, line + 1, &facts->bytes))
			facts->bytes = SIZE_MAX;
		facts->over = facts->over || facts->bytes > FACTS_BYTES_MAX;
		take_line(facts, lines, line);
		lines += line + 1;
		len -= line + 1;
	}
}
