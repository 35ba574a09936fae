#include "lib/words/partners_inside.h"

#include <idn2.h>
#include <stdlib.h>
#include <string.h>

#include "lib/detect/letters.h"

#define DOMAIN_MAX ((size_t)253)
#define LABEL_MAX  63
#define NORMAL_MAX ((size_t)CONF_LINE_MAX * 18) /* one letter becomes at most so many */

/* While the file is read. */
struct reading {
	struct partners *p;
	size_t partner_room;
	size_t name_room;
	size_t domain_room;
	const struct conf_line *line;
	size_t at[CONF_WORDS_MAX]; /* where its words begin in `joined` */
	size_t len;
	char joined[CONF_LINE_MAX + CONF_WORDS_MAX];
};

int partner_key_order(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

/* ---- domains ---- */

static bool host_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static bool host_name(const char *name)
{
	size_t label = 0;

	if (strlen(name) > DOMAIN_MAX)
		return false;
	for (; *name != '\0'; name++) {
		if (*name == '.' && label == 0)
			return false;
		if (*name != '.' && (!host_letter(*name) || label == LABEL_MAX))
			return false;
		label = *name == '.' ? 0 : label + 1;
	}
	return label > 0;
}

/* Letters of ASCII alone, and no hyphen where an A-label could be, or none may. */
static bool is_plain(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] >= 0x80)
			return false;
	}
	return text[0] != '-' && text[len - 1] != '-' && strstr(text, "--") == NULL &&
	       strstr(text, "-.") == NULL && strstr(text, ".-") == NULL;
}

/* A domain of `len` bytes as the DNS has it. libidn2 lets letters of ASCII through; these are looked at. */
static bool ascii_domain(const char *domain, size_t len, char into[DOMAIN_MAX + 1])
{
	char text[4 * (DOMAIN_MAX + 1)];
	uint8_t *ascii = NULL;
	bool good;

	if (len > 1 && domain[len - 1] == '.')
		len--;
	if (len == 0 || len >= sizeof text || memchr(domain, '\0', len) != NULL)
		return false;
	for (size_t i = 0; i < len; i++)
		text[i] = domain[i] >= 'A' && domain[i] <= 'Z' ? (char)(domain[i] - 'A' + 'a')
							       : domain[i];
	text[len] = '\0';
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x80 && text[i] != '.' && !host_letter(text[i]))
			return false;
	/* Most are as the DNS has them already, and the library takes its time. */
	if (is_plain(text, len)) {
		good = host_name(text);
		if (good)
			memcpy(into, text, len + 1);
		return good;
	}
	if (idn2_lookup_u8((const uint8_t *)text, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) !=
	    IDN2_OK)
		return false;
	good = host_name((const char *)ascii);
	if (good)
		memcpy(into, ascii, strlen((const char *)ascii) + 1);
	idn2_free(ascii);
	return good;
}

/* ---- a line ---- */

static unsigned column(const struct reading *r, size_t at)
{
	size_t i = r->line->words;

	while (i > 1 && r->at[i - 1] > at)
		i--;
	return r->line->word[i - 1].column + (unsigned)(at - r->at[i - 1]);
}

static bool no_memory(struct conf_fault *fault)
{
	return conf_blame(fault, 0, 0, "there is no memory for it");
}

/* Makes room for one more of `size` bytes. */
static bool grow(void **array, size_t n, size_t *room, size_t size)
{
	size_t more, bytes;
	void *bigger;

	if (n < *room)
		return true;
	if (!size_mul(*room, 2, &more) || !size_add(more, 64, &more) ||
	    !size_mul(more, size, &bytes))
		return false;
	bigger = realloc(*array, bytes);
	if (bigger == NULL)
		return false;
	*array = bigger;
	*room = more;
	return true;
}

/* Keeps a text; where it stands. */
static uint32_t keep(struct partners *p, const char *text, size_t len)
{
	size_t at = p->text.len;

	buf_add(&p->text, text, len);
	buf_add(&p->text, "", 1);
	return (uint32_t)at;
}

static bool add_key(struct partners *p, struct partner_key **keys, size_t *n, size_t *room,
    const char *text, size_t len)
{
	void *array = *keys;

	if (!grow(&array, *n, room, sizeof **keys))
		return false;
	*keys = array;
	(*keys)[(*n)++] = (struct partner_key){
	    .at = keep(p, text, len), .len = (uint16_t)len, .partner = (uint32_t)p->n};
	return buf_ok(&p->text);
}

static bool take_domains(struct reading *r, size_t end, struct conf_fault *fault)
{
	struct partners *p = r->p;
	size_t start, at = 0, count = 0;
	char domain[DOMAIN_MAX + 1];

	for (; at < end; at++) {
		if (r->joined[at] == ' ')
			continue;
		start = at;
		while (at < end && r->joined[at] != ' ')
			at++;
		if (!ascii_domain(r->joined + start, at - start, domain))
			return conf_blame(fault, r->line->number, column(r, start),
			    "a domain was expected: DOMAIN ... | NAME | NAME ...");
		if (!add_key(p, &p->domain, &p->domains, &r->domain_room, domain, strlen(domain)))
			return no_memory(fault);
		if (count++ == 0)
			p->partner[p->n].domain = p->domain[p->domains - 1].at;
	}
	if (count == 0)
		return conf_blame(
		    fault, r->line->number, 1, "a domain was expected before the first |");
	return true;
}

static bool take_name(
    struct reading *r, size_t start, size_t end, bool first, struct conf_fault *fault)
{
	struct partners *p = r->p;
	char core[PARTNER_NAME_MAX];
	struct buf normal;
	size_t len = 0;

	while (start < end && r->joined[start] == ' ')
		start++;
	while (end > start && r->joined[end - 1] == ' ')
		end--;
	if (start == end)
		return conf_blame(fault, r->line->number, column(r, start),
		    "a company's name was expected behind |");

	buf_init(&normal, NORMAL_MAX);
	if (norm_text(p->tables, r->joined + start, end - start, &normal))
		len = partner_core(p->tables, normal.bytes, normal.len, core);
	buf_free(&normal);
	if (len == 0)
		return conf_blame(fault, r->line->number, column(r, start),
		    "this is no name, but for the form of a company, or it is longer than %zu "
		    "bytes",
		    PARTNER_NAME_MAX - 1);
	if (!add_key(p, &p->name, &p->names, &r->name_room, core, len))
		return no_memory(fault);
	if (first)
		p->partner[p->n].name = keep(p, r->joined + start, end - start);
	return true;
}

static void join_words(struct reading *r)
{
	r->len = 0;
	for (size_t i = 0; i < r->line->words; i++) {
		size_t n = strlen(r->line->word[i].text);

		if (i > 0)
			r->joined[r->len++] = ' ';
		r->at[i] = r->len;
		memcpy(r->joined + r->len, r->line->word[i].text, n);
		r->len += n;
	}
}

static bool take(void *context, const struct conf_line *line, struct conf_fault *fault)
{
	struct reading *r = context;
	struct partners *p = r->p;
	void *array = p->partner;
	const char *bar;
	size_t at, end;

	if (p->n == PARTNERS_MAX)
		return conf_blame(fault, line->number, 0, "more than %zu partners", PARTNERS_MAX);
	if (!grow(&array, p->n, &r->partner_room, sizeof *p->partner))
		return no_memory(fault);
	p->partner = array;
	p->partner[p->n] = (struct partner){.line = line->number};

	r->line = line;
	join_words(r);
	bar = memchr(r->joined, '|', r->len);
	if (bar == NULL)
		return conf_blame(fault, line->number, 0,
		    "the company's name is missing: DOMAIN ... | NAME | NAME ...");
	if (!take_domains(r, (size_t)(bar - r->joined), fault))
		return false;
	at = (size_t)(bar - r->joined) + 1;
	for (bool first = true; at <= r->len; first = false) {
		for (end = at; end < r->len && r->joined[end] != '|'; end++)
			continue;
		if (!take_name(r, at, end, first, fault))
			return false;
		at = end + 1;
	}
	p->n++;
	return buf_ok(&p->text) || no_memory(fault);
}

/* ---- the table ---- */

static int by_text(const void *a, const void *b, void *context)
{
	const struct partners *p = context;
	const struct partner_key *x = a, *y = b;
	int order = partner_key_order(p->text.bytes + x->at, x->len, p->text.bytes + y->at, y->len);

	return order != 0 ? order : (x->partner > y->partner) - (x->partner < y->partner);
}

static bool same_key(
    const struct partners *p, const struct partner_key *a, const struct partner_key *b)
{
	return a->len == b->len &&
	       memcmp(p->text.bytes + a->at, p->text.bytes + b->at, a->len) == 0;
}

/* A domain is one partner's; a name may be that of several, but once of each. */
static bool close_table(struct partners *p, struct conf_fault *fault)
{
	size_t kept = 0;

	if (p->domains > 0)
		qsort_r(p->domain, p->domains, sizeof *p->domain, by_text, p);
	for (size_t i = 1; i < p->domains; i++) {
		const struct partner_key *a = &p->domain[i - 1], *b = &p->domain[i];

		if (same_key(p, a, b))
			return conf_blame(fault, p->partner[b->partner].line, 0,
			    "the domain %.*s stands in line %u already", (int)b->len,
			    p->text.bytes + b->at, p->partner[a->partner].line);
	}

	if (p->names > 0)
		qsort_r(p->name, p->names, sizeof *p->name, by_text, p);
	for (size_t i = 0; i < p->names; i++) {
		if (kept > 0 && same_key(p, &p->name[kept - 1], &p->name[i]) &&
		    p->name[kept - 1].partner == p->name[i].partner)
			continue;
		p->name[kept++] = p->name[i];
	}
	p->names = kept;
	return true;
}

static void mark_first(struct partners *p)
{
	for (size_t i = 0; i < p->names; i++) {
		size_t at = 0;
		unsigned bit =
		    (uint16_t)letter_next(p->text.bytes + p->name[i].at, p->name[i].len, &at);

		p->first[bit / 8] |= (uint8_t)(1U << bit % 8);
	}
}

static struct partners *partners_new(const struct norm_tables *tables)
{
	struct partners *p = calloc(1, sizeof *p);

	if (p == NULL)
		return NULL;
	p->tables = tables;
	buf_init(&p->text, UINT32_MAX);
	return p;
}

void partners_free(struct partners *p)
{
	if (p == NULL)
		return;
	buf_free(&p->text);
	free(p->partner);
	free(p->name);
	free(p->domain);
	free(p);
}

/* By conf_read if `bytes` is NULL. */
static struct partners *load(int etc, const char *file, const char *bytes, size_t len,
    const struct norm_tables *tables, struct conf_fault *fault)
{
	struct reading *r = calloc(1, sizeof *r);
	struct partners *p = partners_new(tables);
	bool good = false;

	if (r == NULL || p == NULL) {
		*fault = (struct conf_fault){.line = 0};
		(void)no_memory(fault);
		goto done;
	}
	r->p = p;
	good = bytes != NULL ? conf_parse(bytes, len, file, take, r, fault)
			     : conf_read(etc, file, true, take, r, fault);
	good = good && close_table(p, fault);
	if (good)
		mark_first(p);

done:
	free(r);
	if (good)
		return p;
	partners_free(p);
	return NULL;
}

struct partners *partners_read(
    int etc, const char *name, const struct norm_tables *tables, struct conf_fault *fault)
{
	return load(etc, name, NULL, 0, tables, fault);
}

struct partners *partners_parse(const char *bytes, size_t len, const char *file,
    const struct norm_tables *tables, struct conf_fault *fault)
{
	return load(-1, file, bytes != NULL ? bytes : "", len, tables, fault);
}

/* ---- asking ---- */

size_t partners_count(const struct partners *p)
{
	return p->n;
}

/* Where the first key stands that is not before `text`. */
static size_t first_key(const struct partners *p, const struct partner_key *keys, size_t n,
    const char *text, size_t len)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (partner_key_order(p->text.bytes + keys[mid].at, keys[mid].len, text, len) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool is_key(
    const struct partners *p, const struct partner_key *key, const char *text, size_t len)
{
	return key->len == len && memcmp(p->text.bytes + key->at, text, len) == 0;
}

static size_t find_key(const struct partners *p, const struct partner_key *keys, size_t n,
    const char *text, size_t len)
{
	size_t i = first_key(p, keys, n, text, len);

	return i < n && is_key(p, &keys[i], text, len) ? keys[i].partner : PARTNER_NONE;
}

size_t partners_of_domain(const struct partners *p, const char *domain)
{
	char ascii[DOMAIN_MAX + 1];

	if (p->domains == 0 || !ascii_domain(domain, strlen(domain), ascii))
		return PARTNER_NONE;
	for (const char *at = ascii; at != NULL; at = strchr(at, '.')) {
		size_t found;

		at += *at == '.';
		found = find_key(p, p->domain, p->domains, at, strlen(at));
		if (found != PARTNER_NONE)
			return found;
	}
	return PARTNER_NONE;
}

size_t partners_of_name(
    const struct partners *p, const char *name, size_t len, size_t *partners, size_t room)
{
	char core[PARTNER_NAME_MAX];
	size_t n, found = 0;

	if (p->names == 0)
		return 0;
	n = partner_core(p->tables, name, len, core);
	if (n == 0)
		return 0;
	for (size_t i = first_key(p, p->name, p->names, core, n);
	     i < p->names && is_key(p, &p->name[i], core, n); i++) {
		if (found < room)
			partners[found] = p->name[i].partner;
		found++;
	}
	return found;
}

const char *partner_domain(const struct partners *p, size_t partner)
{
	return p->text.bytes + p->partner[partner].domain;
}

const char *partner_name(const struct partners *p, size_t partner)
{
	return p->text.bytes + p->partner[partner].name;
}
