/*
 * Display names: whose they are, and who else has come by one. A name that known people of many
 * companies have, as 営業部, says nothing about any of them.
 */
#include <stdio.h>
#include <string.h>

#include "lib/db/inside.h"

#define LETTERS_LEAST 2
#define HOLDERS_MAX   64                   /* addresses of one name that are looked at */
#define COMPANIES_MAX 3                    /* of one name, beyond which it is nobody's */
#define SEEN_AGAIN    ((int64_t)7 * 86400) /* how fresh the time of a name is kept */

/* ---- folding ---- */

/* One letter of UTF-8; what is none is taken as a byte. */
static size_t letter(const char *text, uint32_t *point)
{
	const unsigned char *t = (const unsigned char *)text;
	size_t len = *t < 0x80 ? 1 : *t < 0xe0 ? 2 : *t < 0xf0 ? 3 : 4;

	*point = len == 1 ? *t : *t & (0xffu >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if ((t[i] & 0xc0) != 0x80) {
			*point = *t;
			return 1;
		}
		*point = *point << 6 | (t[i] & 0x3f);
	}
	return len;
}

static void put_letter(struct buf *out, uint32_t point)
{
	unsigned char b[4];
	size_t len = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;

	for (size_t i = len; i-- > 1; point >>= 6)
		b[i] = (unsigned char)(0x80 | (point & 0x3f));
	b[0] = (unsigned char)(len == 1 ? point : ((0xf00u >> len) & 0xff) | point);
	buf_add(out, b, len);
}

/* Between the words of a name, and around it. */
static bool is_between(uint32_t point)
{
	return point <= ' ' || strchr("\"'(),.-_/", (int)(point < 0x80 ? point : ' ')) != NULL ||
	       point == 0x3000 || point == 0x30fb; /* a wide blank, ・ */
}

/* 様, さま, さん, 殿 and the like are said to a person and are not the name. */
static size_t without_title(const char *folded, size_t len)
{
	static const char *const titles[] = {"様", "殿", "サマ", "サン", "御中"};

	for (size_t i = 0; i < COUNT_OF(titles); i++) {
		size_t n = strlen(titles[i]);

		if (len > n && memcmp(folded + len - n, titles[i], n) == 0)
			return len - n;
	}
	return len;
}

void name_fold(const struct history *h, const char *name, char folded[PAST_VALUE_MAX])
{
	struct buf plain, out;
	size_t letters = 0, len;

	folded[0] = '\0';
	buf_init(&plain, PAST_VALUE_MAX * 4);
	buf_init(&out, PAST_VALUE_MAX - 1);
	if (strchr(name, '@') != NULL || /* an address in the place of a name */
	    !norm_text(h->tables, name, strlen(name), &plain))
		goto out;
	buf_add(&plain, "\0\0\0", 4); /* so that no letter is cut off by the end */
	if (!buf_ok(&plain))
		goto out;

	for (size_t i = 0; i + 4 < plain.len;) {
		uint32_t point;

		i += letter(plain.bytes + i, &point);
		if (is_between(point))
			continue;
		put_letter(&out, norm_fold(h->tables, point));
		letters++;
	}
	len = buf_ok(&out) ? without_title(out.bytes, out.len) : 0;
	if (letters >= LETTERS_LEAST && len > 0) {
		memcpy(folded, out.bytes, len);
		folded[len] = '\0';
	}

out:
	buf_free(&plain);
	buf_free(&out);
}

/* ---- whose ---- */

bool name_seen(struct history *h, const char *address, const char *name, int64_t time)
{
	char folded[PAST_VALUE_MAX];
	uint64_t seen = (uint64_t)time, last;
	struct key k = {.len = 0};
	enum store_found found;

	name_fold(h, name, folded);
	if (folded[0] == '\0')
		return true;
	key_part(&k, folded);
	key_last(&k, address);
	found = numbers_get(h->store, STORE_NAME, &k, &last, 1);
	if (found == STORE_FAILED)
		return false;
	if (found == STORE_FOUND && (int64_t)last + SEEN_AGAIN > time)
		return true;
	return numbers_set(h->store, STORE_NAME, &k, &seen, 1);
}

struct holders {
	const struct history *h;
	const char *name; /* with its NUL the beginning of the key */
	size_t name_len;
	const char *domain; /* of who is asked about */
	size_t seen, companies;
	bool colleague; /* somebody of that name is known at the same company */
	char company[COMPANIES_MAX + 1][256];
	char like[256];
};

/* The same domain, or one below the other. */
static bool same_company(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);
	const char *longer = a_len > b_len ? a : b, *shorter = a_len > b_len ? b : a;
	size_t more = a_len > b_len ? a_len - b_len : b_len - a_len;

	return strcmp(longer + more, shorter) == 0 && (more == 0 || longer[more - 1] == '.');
}

static bool see_holder(
    void *context, const char *key, size_t key_len, const char *value, size_t len)
{
	struct holders *s = context;
	char address[256];
	const char *at;

	(void)value;
	(void)len;
	if (key_len <= s->name_len || memcmp(key, s->name, s->name_len) != 0 ||
	    ++s->seen > HOLDERS_MAX)
		return false;
	(void)snprintf(
	    address, sizeof address, "%.*s", (int)(key_len - s->name_len), key + s->name_len);
	at = strrchr(address, '@');
	if (at == NULL || !look_has(s->h->look, address))
		return true;
	if (same_company(at + 1, s->domain)) {
		s->colleague = true;
		return false;
	}
	for (size_t i = 0; i < s->companies; i++) {
		if (same_company(at + 1, s->company[i]))
			return true;
	}
	if (s->companies == 0)
		(void)snprintf(s->like, sizeof s->like, "%s", address);
	(void)snprintf(s->company[s->companies++], sizeof s->company[0], "%s", at + 1);
	return s->companies <= COMPANIES_MAX;
}

bool name_like(struct history *h, const char *name, const char *address, char like[256])
{
	const char *at = strrchr(address, '@');
	char folded[PAST_VALUE_MAX];
	struct holders s = {.h = h, .name = folded};

	like[0] = '\0';
	name_fold(h, name, folded);
	if (at == NULL || folded[0] == '\0')
		return true;
	s.domain = at + 1;
	s.name_len = strlen(folded) + 1;
	if (!store_walk(h->store, STORE_NAME, folded, s.name_len, see_holder, &s))
		return false;
	if (!s.colleague && s.companies > 0 && s.companies <= COMPANIES_MAX)
		memcpy(like, s.like, sizeof s.like);
	return true;
}
