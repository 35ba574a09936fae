#include "lib/people/people.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/buf.h"
#include "lib/base/hex.h"

#define ADDRESS_BYTES_MAX 254 /* RFC 5321 section 4.5.3.1.3 */
#define LOGIN_BYTES_MAX   255

/* An address is kept at most twice: as itself, and as the login that was not given. */
#define TEXT_MAX (2 * CONF_FILE_MAX)

/* A value takes two bytes of its line at least, with the comma in front. */
#define VALUES_MAX (CONF_LINE_MAX / 2)

#define FIRST_ROOM  64
#define FIRST_SLOTS ((size_t)256)

enum claim_kind {
	CLAIM_LOGIN,
	CLAIM_ADDRESS, /* a person's own one, and aliases */
	CLAIM_SHARED,  /* one for each line that says so */
};

/* A name that a line speaks for. */
struct claim {
	enum claim_kind kind;
	uint32_t person;
	uint32_t text; /* offset in people->text, ASCII letters small */
	uint32_t len;
};

struct person {
	unsigned line;
	enum foreign foreign;
};

struct people {
	struct person *persons;
	size_t n;
	size_t room;
	struct claim *claims;
	size_t claimed;
	size_t claim_room;
	uint32_t *slots;   /* a hash table: 0, or the number of a claim from 1 on */
	size_t slot_count; /* 0, or a power of two; at most half of them are taken */
	struct buf text;
};

/* ---- the table of claims ---- */

static unsigned char small(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool same(const char *folded, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)folded[i] != small(text[i]))
			return false;
	}
	return true;
}

/* A shared mailbox is a different one for each person. */
static bool is_claim(
    const struct people *p, const struct claim *claim, const struct claim *like, const char *text)
{
	return claim->kind == like->kind && claim->len == like->len &&
	       (like->kind != CLAIM_SHARED || claim->person == like->person) &&
	       same(p->text.bytes + claim->text, text, like->len);
}

/* FNV-1a. The names in the table are the administrator's: nobody else can make them collide. */
static size_t slot_of(const struct people *p, const struct claim *like, const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ (unsigned)like->kind;

	if (like->kind == CLAIM_SHARED)
		hash ^= (uint64_t)like->person << 8;
	for (size_t i = 0; i < like->len; i++)
		hash = (hash ^ small(text[i])) * UINT64_C(0x100000001b3);
	return (size_t)(hash ^ hash >> 32) & (p->slot_count - 1);
}

/* The slot that holds such a claim, or the free one where it would go. */
static size_t find_slot(const struct people *p, const struct claim *like, const char *text)
{
	size_t slot = slot_of(p, like, text);

	while (p->slots[slot] != 0 && !is_claim(p, &p->claims[p->slots[slot] - 1], like, text))
		slot = (slot + 1) & (p->slot_count - 1);
	return slot;
}

/* The claim on `len` bytes of text, or NULL. `person` counts for a shared one only. */
static const struct claim *find(
    const struct people *p, enum claim_kind kind, uint32_t person, const char *text, size_t len)
{
	struct claim like = {.kind = kind, .person = person, .len = (uint32_t)len};
	size_t slot;

	if (p->slot_count == 0 || len > LOGIN_BYTES_MAX)
		return NULL;
	slot = find_slot(p, &like, text);
	return p->slots[slot] != 0 ? &p->claims[p->slots[slot] - 1] : NULL;
}

/* Makes room for one more claim, and keeps half of the slots free. */
static bool make_room(struct people *p)
{
	size_t count = p->slot_count > 0 ? 2 * p->slot_count : FIRST_SLOTS;
	uint32_t *slots;

	if (p->claimed == p->claim_room) {
		size_t room = p->claim_room > 0 ? 2 * p->claim_room : FIRST_ROOM;
		struct claim *claims = reallocarray(p->claims, room, sizeof *claims);

		if (claims == NULL)
			return false;
		p->claims = claims;
		p->claim_room = room;
	}
	if (2 * (p->claimed + 1) <= p->slot_count)
		return true;

	slots = calloc(count, sizeof *slots);
	if (slots == NULL)
		return false;
	free(p->slots);
	p->slots = slots;
	p->slot_count = count;
	for (size_t i = 0; i < p->claimed; i++)
		slots[find_slot(p, &p->claims[i], p->text.bytes + p->claims[i].text)] =
		    (uint32_t)i + 1;
	return true;
}

/* Adds one for the person who was added last. False: no memory. */
static bool add_claim(struct people *p, enum claim_kind kind, const char *text, size_t len)
{
	struct claim claim = {.kind = kind, .person = (uint32_t)p->n - 1, .len = (uint32_t)len};

	claim.text = (uint32_t)p->text.len;
	buf_add(&p->text, text, len);
	if (!buf_ok(&p->text) || !make_room(p))
		return false;
	for (size_t i = 0; i < len; i++)
		p->text.bytes[claim.text + i] = (char)small(text[i]);

	p->claims[p->claimed] = claim;
	p->slots[find_slot(p, &claim, text)] = (uint32_t)++p->claimed;
	return true;
}

static bool add_person(struct people *p, unsigned line)
{
	if (p->n == p->room) {
		size_t room = p->room > 0 ? 2 * p->room : FIRST_ROOM;
		struct person *persons = reallocarray(p->persons, room, sizeof *persons);

		if (persons == NULL)
			return false;
		p->persons = persons;
		p->room = room;
	}
	p->persons[p->n++] = (struct person){.line = line};
	return true;
}

const char *people_key_word(enum people_key key)
{
	static const char *const words[] = {
#define P(name, word) [PEOPLE_##name] = word,
	    PEOPLE_KEYS(P)
#undef P
	};

	return words[key];
}

/* ---- values ---- */

/* The file, while it is read, and what its last line said. */
struct file {
	struct people *people;
	people_see *see;
	void *context;
	struct people_value value[VALUES_MAX];
	size_t values;
	char text[2 * CONF_LINE_MAX]; /* of the values, NUL-ended: as many NULs as commas and '=' */
	size_t used;
};

/* One line, while it is read. Its person is the last one. */
struct reading {
	struct file *file;
	struct people *people;
	const struct conf_line *line;
	struct conf_fault *fault;
	const char *login; /* NULL: not given */
	unsigned login_column;
};

/* The value of a key, or a part of it, and where it stands. */
struct value {
	const char *text;
	size_t len;
	unsigned column;
};

#define BLAME(r, column, ...) conf_blame((r)->fault, (r)->line->number, (column), __VA_ARGS__)

static const char *near_text(const char *near, char *text, size_t room)
{
	(void)snprintf(text, room, "%s%s%s", near != NULL ? ": " : "", near != NULL ? near : "",
	    near != NULL ? "?" : "");
	return text;
}

static struct person *last_person(const struct reading *r)
{
	return &r->people->persons[r->people->n - 1];
}

/* Whether it can be one: what is more is the business of who sends to it. */
static bool check_address(struct reading *r, const struct value *v)
{
	const char *at = memchr(v->text, '@', v->len);
	size_t local = at != NULL ? (size_t)(at - v->text) : v->len;
	size_t strange = strcspn(v->text, "<>()[]\",:;\\");

	if (v->len == 0)
		return BLAME(r, v->column, "an address is missing");
	if (v->len > ADDRESS_BYTES_MAX)
		return BLAME(
		    r, v->column, "the address is longer than %d bytes", ADDRESS_BYTES_MAX);
	if (strange < v->len)
		return BLAME(r, v->column + (unsigned)strange,
		    "an address is written alone, as in taro@example.co.jp, without '%c'",
		    v->text[strange]);
	if (local == 0 || local + 1 >= v->len)
		return BLAME(r, v->column, "\"%.*s\" is no address such as taro@example.co.jp",
		    (int)v->len, v->text);
	if (memchr(at + 1, '@', v->len - local - 1) != NULL)
		return BLAME(r, v->column, "\"%.*s\" has more than one '@'", (int)v->len, v->text);
	return true;
}

static bool take_claim(struct reading *r, enum claim_kind kind, const struct value *v)
{
	static const char *const names[] = {
	    [CLAIM_LOGIN] = "login", [CLAIM_ADDRESS] = "address", [CLAIM_SHARED] = "mailbox"};
	struct people *p = r->people;
	const struct claim *other = find(p, kind, (uint32_t)p->n - 1, v->text, v->len);

	if (other != NULL && p->persons[other->person].line == r->line->number)
		return BLAME(r, v->column, "the %s \"%.*s\" stands twice in this line", names[kind],
		    (int)v->len, v->text);
	if (other != NULL)
		return BLAME(r, v->column, "the %s \"%.*s\" is that of line %u", names[kind],
		    (int)v->len, v->text, p->persons[other->person].line);
	return add_claim(p, kind, v->text, v->len) || BLAME(r, 0, "no memory");
}

/* Keeps a value for whoever sees the line. */
static bool keep(struct reading *r, enum people_key key, const struct value *v)
{
	struct file *f = r->file;
	char *text = f->text + f->used;

	if (f->values == VALUES_MAX || v->len >= sizeof f->text - f->used)
		return BLAME(r, v->column, "a line says less"); /* it is too short for so much */
	memcpy(text, v->text, v->len);
	text[v->len] = '\0';
	f->used += v->len + 1;
	f->value[f->values++] =
	    (struct people_value){.key = key, .text = text, .column = v->column};
	return true;
}

/* The same once; in either case of ASCII letters. */
static bool keep_once(struct reading *r, enum people_key key, const struct value *v)
{
	const struct file *f = r->file;

	for (size_t i = 0; i < f->values; i++) {
		const struct people_value *other = &f->value[i];

		if (other->key == key && strlen(other->text) == v->len &&
		    strncasecmp(other->text, v->text, v->len) == 0)
			return BLAME(r, v->column, "the %s \"%.*s\" stands twice in this line",
			    people_key_word(key), (int)v->len, v->text);
	}
	return keep(r, key, v);
}

typedef bool take_part(struct reading *r, enum people_key key, const struct value *part);

/* "PART[,PART…]" */
static bool take_list(
    struct reading *r, enum people_key key, const struct value *v, take_part *take)
{
	struct value part = *v;

	for (;;) {
		part.len = strcspn(part.text, ",");
		if (!take(r, key, &part))
			return false;
		if (part.text[part.len] == '\0')
			return true;
		part.text += part.len + 1;
		part.column += (unsigned)part.len + 1;
	}
}

static bool take_owned(struct reading *r, enum people_key key, const struct value *part)
{
	return check_address(r, part) &&
	       take_claim(r, key == PEOPLE_SHARED ? CLAIM_SHARED : CLAIM_ADDRESS, part) &&
	       keep(r, key, part);
}

static bool take_other(struct reading *r, enum people_key key, const struct value *part)
{
	return check_address(r, part) && keep_once(r, key, part);
}

bool people_group_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= PEOPLE_GROUP_NAME_MAX && name[0] != '.' &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") ==
		   len;
}

static bool take_group_name(struct reading *r, enum people_key key, const struct value *part)
{
	char name[PEOPLE_GROUP_NAME_MAX + 1] = "";

	if (part->len < sizeof name) {
		memcpy(name, part->text, part->len);
		name[part->len] = '\0';
	}
	if (!people_group_name(name))
		return BLAME(r, part->column,
		    "the name of a group is 1 to %d letters, digits, '-', '_' and '.'",
		    PEOPLE_GROUP_NAME_MAX);
	return keep_once(r, key, part);
}

/* Decodes "+XX". Returns the bytes, or -1: such a plus is none. */
static ssize_t decode_name(const struct value *v, char *into)
{
	size_t used = 0;

	for (size_t i = 0; i < v->len; i++) {
		int high, low;

		if (v->text[i] != '+') {
			into[used++] = v->text[i];
			continue;
		}
		high = i + 2 < v->len ? hex_digit(v->text[i + 1]) : -1;
		low = high >= 0 ? hex_digit(v->text[i + 2]) : -1;
		if (low < 0 || high * 16 + low < ' ' || high * 16 + low == 0x7f)
			return -1;
		into[used++] = (char)(high * 16 + low);
		i += 2;
	}
	return (ssize_t)used;
}

static bool take_display_name(struct reading *r, enum people_key key, const struct value *part)
{
	char text[CONF_LINE_MAX];
	struct value name = {.text = text, .column = part->column};
	ssize_t len = decode_name(part, text);

	if (part->len == 0)
		return BLAME(r, part->column, "a name is missing");
	if (len < 0)
		return BLAME(r, part->column,
		    "in a name '+' begins a byte in two hex digits: +20 is a blank, +2C a comma, "
		    "+2B a plus");
	name.len = (size_t)len;
	return keep_once(r, key, &name);
}

/* ---- keys ---- */

static bool take_login(struct reading *r, const struct value *v)
{
	if (r->login != NULL)
		return BLAME(r, v->column, "a line has one login");
	if (v->len == 0)
		return BLAME(r, v->column, "a login is missing");
	if (v->len > LOGIN_BYTES_MAX)
		return BLAME(r, v->column, "the login is longer than %d bytes", LOGIN_BYTES_MAX);
	r->login = v->text;
	r->login_column = v->column;
	return keep(r, PEOPLE_LOGIN, v);
}

static bool take_alias(struct reading *r, const struct value *v)
{
	return take_list(r, PEOPLE_ALIAS, v, take_owned);
}

static bool take_shared(struct reading *r, const struct value *v)
{
	return take_list(r, PEOPLE_SHARED, v, take_owned);
}

static bool take_name(struct reading *r, const struct value *v)
{
	return take_list(r, PEOPLE_NAME, v, take_display_name);
}

static bool take_boss(struct reading *r, const struct value *v)
{
	return take_list(r, PEOPLE_BOSS, v, take_other);
}

static bool take_deputy(struct reading *r, const struct value *v)
{
	return take_list(r, PEOPLE_DEPUTY, v, take_other);
}

static bool take_group(struct reading *r, const struct value *v)
{
	return take_list(r, PEOPLE_GROUP, v, take_group_name);
}

static bool take_lang(struct reading *r, const struct value *v)
{
	const struct file *f = r->file;

	for (size_t i = 0; i < f->values; i++) {
		if (f->value[i].key == PEOPLE_LANG)
			return BLAME(r, v->column, "a line says lang= once");
	}
	if (strcmp(v->text, "ja") != 0 && strcmp(v->text, "en") != 0)
		return BLAME(r, v->column, "lang is one of ja en, not \"%.40s\"", v->text);
	return keep(r, PEOPLE_LANG, v);
}

static bool take_foreign(struct reading *r, const struct value *v)
{
	static const struct {
		const char *word;
		enum foreign foreign;
	} words[] = {{"refuse", FOREIGN_REFUSE}, {"hold", FOREIGN_HOLD}, {"allow", FOREIGN_ALLOW}};
	struct person *person = last_person(r);
	char near[32];

	if (person->foreign != FOREIGN_UNSAID)
		return BLAME(r, v->column, "a line says foreign= once");
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (strcmp(words[i].word, v->text) == 0)
			person->foreign = words[i].foreign;
	}
	if (person->foreign == FOREIGN_UNSAID)
		return BLAME(r, v->column, "foreign is one of refuse hold allow, not \"%.40s\"%s",
		    v->text,
		    near_text(conf_near(v->text, words, COUNT_OF(words), sizeof words[0]), near,
			sizeof near));
	return keep(r, PEOPLE_FOREIGN, v);
}

static const struct key {
	const char *name; /* first: conf_near() looks here */
	bool (*take)(struct reading *r, const struct value *v);
} keys[] = {
    [PEOPLE_LOGIN] = {"login", take_login},
    [PEOPLE_ALIAS] = {"alias", take_alias},
    [PEOPLE_SHARED] = {"shared", take_shared},
    [PEOPLE_FOREIGN] = {"foreign", take_foreign},
    [PEOPLE_NAME] = {"name", take_name},
    [PEOPLE_BOSS] = {"boss", take_boss},
    [PEOPLE_DEPUTY] = {"deputy", take_deputy},
    [PEOPLE_GROUP] = {"group", take_group},
    [PEOPLE_LANG] = {"lang", take_lang},
};

static const struct key *find_key(const char *name, size_t len)
{
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		if (strlen(keys[i].name) == len && memcmp(keys[i].name, name, len) == 0)
			return &keys[i];
	}
	return NULL;
}

static bool take_word(struct reading *r, const struct conf_word *word)
{
	size_t len = strcspn(word->text, "=");
	const struct key *key = find_key(word->text, len);
	struct value value = {.column = word->column + (unsigned)len + 1};
	char name[64], near[32];

	if (word->text[len] == '\0')
		return BLAME(r, word->column, "KEY=VALUE was expected, with no blanks in it");
	if (key == NULL) {
		(void)snprintf(name, sizeof name, "%.*s", (int)(len < 63 ? len : 63), word->text);
		return BLAME(r, word->column, "no key \"%s\"%s", name,
		    near_text(
			conf_near(name, keys, COUNT_OF(keys), sizeof keys[0]), near, sizeof near));
	}

	value.text = word->text + len + 1;
	value.len = strlen(value.text);
	return key->take(r, &value);
}

/* ---- the file ---- */

static bool show_line(const struct file *f, const struct conf_line *line, struct conf_fault *fault)
{
	struct people_line shown = {.number = line->number,
	    .address = line->word[0].text,
	    .column = line->word[0].column,
	    .value = f->value,
	    .values = f->values};

	return f->see == NULL || f->see(f->context, &shown, fault);
}

static bool take_line(void *context, const struct conf_line *line, struct conf_fault *fault)
{
	struct file *file = context;
	const struct conf_word *first = &line->word[0];
	struct value own = {
	    .text = first->text, .len = strlen(first->text), .column = first->column};
	struct reading r = {.file = file, .people = file->people, .line = line, .fault = fault};
	struct value login;

	file->values = 0;
	file->used = 0;

	if (first->text[strcspn(first->text, "=")] != '\0' &&
	    find_key(first->text, strcspn(first->text, "=")) != NULL)
		return BLAME(&r, first->column, "the line begins with the person's address");
	if (r.people->n == PEOPLE_MAX)
		return BLAME(&r, 0, "more than %d people", PEOPLE_MAX);
	if (!add_person(r.people, line->number))
		return BLAME(&r, 0, "no memory");

	if (!check_address(&r, &own) || !take_claim(&r, CLAIM_ADDRESS, &own))
		return false;
	for (size_t i = 1; i < line->words; i++) {
		if (!take_word(&r, &line->word[i]))
			return false;
	}

	login = own;
	if (r.login != NULL)
		login = (struct value){
		    .text = r.login, .len = strlen(r.login), .column = r.login_column};
	return take_claim(&r, CLAIM_LOGIN, &login) && show_line(file, line, fault);
}

/* By conf_read if `bytes` is NULL. */
static struct people *load(int etc, const char *bytes, size_t len, people_see *see, void *context,
    struct conf_fault *fault)
{
	struct file *file = calloc(1, sizeof *file);
	struct people *people = calloc(1, sizeof *people);
	bool good = false;

	if (file == NULL || people == NULL) {
		*fault = (struct conf_fault){.file = "etc/people"};
		(void)conf_blame(fault, 0, 0, "no memory");
		goto done;
	}
	file->people = people;
	file->see = see;
	file->context = context;
	buf_init(&people->text, TEXT_MAX);
	good = bytes != NULL ? conf_parse(bytes, len, "etc/people", take_line, file, fault)
			     : conf_read(etc, "people", true, take_line, file, fault);

done:
	free(file);
	if (good)
		return people;
	people_free(people);
	return NULL;
}

struct people *people_read(int etc, struct conf_fault *fault)
{
	return load(etc, NULL, 0, NULL, NULL, fault);
}

struct people *people_read_each(int etc, people_see *see, void *context, struct conf_fault *fault)
{
	return load(etc, NULL, 0, see, context, fault);
}

struct people *people_parse(
    const char *bytes, size_t len, people_see *see, void *context, struct conf_fault *fault)
{
	return load(-1, bytes != NULL ? bytes : "", len, see, context, fault);
}

void people_free(struct people *people)
{
	if (people == NULL)
		return;
	free(people->persons);
	free(people->claims);
	free(people->slots);
	buf_free(&people->text);
	free(people);
}

/* ---- questions ---- */

size_t people_count(const struct people *people)
{
	return people->n;
}

bool people_owns(const struct people *people, const char *login, const char *address, size_t len)
{
	const struct claim *who = find(people, CLAIM_LOGIN, 0, login, strlen(login));
	const struct claim *owner;

	if (len == 0)
		return false;
	if (who == NULL)
		return strlen(login) == len && strncasecmp(login, address, len) == 0;

	owner = find(people, CLAIM_ADDRESS, 0, address, len);
	if (owner != NULL && owner->person == who->person)
		return true;
	return find(people, CLAIM_SHARED, who->person, address, len) != NULL;
}

enum foreign people_foreign(const struct people *people, const char *login)
{
	const struct claim *who = find(people, CLAIM_LOGIN, 0, login, strlen(login));

	return who != NULL ? people->persons[who->person].foreign : FOREIGN_UNSAID;
}
