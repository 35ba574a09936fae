/*
 * Each kind has its values in the order in which they were found, and a table of open addressing
 * that finds them again by a digest. The digest is keyed with what no sender knows, so that nobody
 * can write values that all fall together or pass for one another.
 */
#include "lib/detect/hits.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/base/buf.h"

#define SLOTS_FIRST ((size_t)64)
#define NO_TEXT     UINT32_MAX

struct digest {
	uint64_t half[2];
};

struct value {
	struct digest digest; /* of all of it */
	uint32_t text;        /* where it stands in the texts, or NO_TEXT */
	uint16_t len;         /* of what is kept */
	uint8_t places;
	bool cut;
};

struct kind {
	struct value *values;
	uint32_t *slots; /* 1 + the number of a value; 0: free */
	size_t n;
	size_t slot_count; /* a power of two; always more than twice `n` */
	bool full;
};

struct hits {
	uint64_t key[2];
	struct kind kinds[DETECT_KIND_COUNT];
	struct buf texts;
};

static const char *const kind_words[DETECT_KIND_COUNT] = {
#define K(name, word) [DETECT_##name] = (word),
    DETECT_KINDS(K)
#undef K
};

static const char *const place_words[PLACE_COUNT] = {
#define P(name, word) [PLACE_##name] = (word),
    DETECT_PLACES(P)
#undef P
};

const char *detect_kind_word(enum detect_kind kind)
{
	return kind_words[kind];
}

const char *detect_place_word(enum detect_place place)
{
	return place_words[place];
}

/* ---- SipHash-2-4 with 128 bits ------------------------------------------------------------------ */

static uint64_t turn(uint64_t x, unsigned by)
{
	return x << by | x >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = turn(v[1], 13) ^ v[0];
	v[0] = turn(v[0], 32);
	v[2] += v[3];
	v[3] = turn(v[3], 16) ^ v[2];

	v[0] += v[3];
	v[3] = turn(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = turn(v[1], 17) ^ v[2];
	v[2] = turn(v[2], 32);
}

static void sip_take(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	sip_round(v);
	v[0] ^= word;
}

static uint64_t sip_close(uint64_t v[4])
{
	for (int i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static struct digest digest_of(const uint64_t key[2], const char *bytes, size_t len)
{
	uint64_t v[4] = {key[0] ^ UINT64_C(0x736f6d6570736575),
	    key[1] ^ UINT64_C(0x646f72616e646f6d) ^ 0xEE, key[0] ^ UINT64_C(0x6c7967656e657261),
	    key[1] ^ UINT64_C(0x7465646279746573)};
	uint64_t last = (uint64_t)len << 56;
	struct digest d;
	size_t i = 0;

	for (; len - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, bytes + i, sizeof(word));
		sip_take(v, word);
	}
	for (unsigned shift = 0; i < len; i++, shift += 8)
		last |= (uint64_t)(unsigned char)bytes[i] << shift;
	sip_take(v, last);

	v[2] ^= 0xEE;
	d.half[0] = sip_close(v);
	v[1] ^= 0xDD;
	d.half[1] = sip_close(v);
	return d;
}

/* ---- values ------------------------------------------------------------------------------------- */

struct hits *hits_new(void)
{
	struct hits *hits = calloc(1, sizeof(*hits));

	if (hits == NULL)
		return NULL;
	if (getrandom(hits->key, sizeof(hits->key), 0) != (ssize_t)sizeof(hits->key)) {
		free(hits);
		return NULL;
	}
	buf_init(&hits->texts, HITS_TEXT_MAX);
	return hits;
}

void hits_free(struct hits *hits)
{
	if (hits == NULL)
		return;
	for (size_t i = 0; i < DETECT_KIND_COUNT; i++) {
		free(hits->kinds[i].values);
		free(hits->kinds[i].slots);
	}
	buf_free(&hits->texts);
	free(hits);
}

/* Whether `v` is the value; the digest decides alone where not all of the text was kept. */
static bool same(const struct hits *hits, const struct value *v, const struct digest *digest,
    const char *value, size_t len)
{
	if (v->digest.half[0] != digest->half[0] || v->digest.half[1] != digest->half[1])
		return false;
	if (v->text == NO_TEXT || v->cut)
		return true;
	return v->len == len && memcmp(hits->texts.bytes + v->text, value, len) == 0;
}

/* Twice the room, in the table and for the values. */
static bool grow(struct kind *k)
{
	size_t slot_count = k->slot_count == 0 ? SLOTS_FIRST : k->slot_count * 2;
	size_t most = slot_count / 2 < HITS_MAX ? slot_count / 2 : HITS_MAX;
	struct value *values;
	uint32_t *slots;

	values = realloc(k->values, most * sizeof(*values));
	if (values == NULL)
		return false;
	k->values = values;

	slots = calloc(slot_count, sizeof(*slots));
	if (slots == NULL)
		return false;
	for (size_t i = 0; i < k->n; i++) {
		size_t at = (size_t)values[i].digest.half[0] & (slot_count - 1);

		while (slots[at] != 0)
			at = (at + 1) & (slot_count - 1);
		slots[at] = (uint32_t)(i + 1);
	}
	free(k->slots);
	k->slots = slots;
	k->slot_count = slot_count;
	return true;
}

/* How much of a value is kept: whole letters. */
static size_t kept(const char *value, size_t len)
{
	if (len <= HITS_VALUE_MAX)
		return len;
	for (size_t at = HITS_VALUE_MAX; at > HITS_VALUE_MAX - 4; at--) {
		if (((unsigned char)value[at] & 0xC0) != 0x80)
			return at;
	}
	return HITS_VALUE_MAX;
}

static void keep_text(struct hits *hits, struct value *v, const char *value, size_t len)
{
	size_t part = kept(value, len);

	v->text = NO_TEXT;
	if (part > HITS_TEXT_MAX - hits->texts.len)
		return;
	v->text = (uint32_t)hits->texts.len;
	v->len = (uint16_t)part;
	v->cut = part < len;
	buf_add(&hits->texts, value, part);
	if (!buf_ok(&hits->texts)) {
		hits->texts.failed =
		    false; /* no memory now: this one is counted without its text */
		v->text = NO_TEXT;
	}
}

void hits_add(struct hits *hits, enum detect_kind kind, enum detect_place place, const char *value,
    size_t len)
{
	struct digest digest = digest_of(hits->key, value, len);
	struct kind *k = &hits->kinds[kind];
	uint8_t bit = (uint8_t)(1U << place);
	struct value *v;
	size_t at;

	if (k->slot_count == 0 && !grow(k)) {
		k->full = true;
		return;
	}

	at = (size_t)digest.half[0] & (k->slot_count - 1);
	for (; k->slots[at] != 0; at = (at + 1) & (k->slot_count - 1)) {
		v = &k->values[k->slots[at] - 1];
		if (same(hits, v, &digest, value, len)) {
			v->places |= bit;
			return;
		}
	}

	if (k->n == HITS_MAX) {
		k->full = true;
		return;
	}
	if (2 * (k->n + 1) > k->slot_count) {
		if (!grow(k)) {
			k->full = true;
			return;
		}
		at = (size_t)digest.half[0] & (k->slot_count - 1);
		while (k->slots[at] != 0)
			at = (at + 1) & (k->slot_count - 1);
	}

	v = &k->values[k->n++];
	*v = (struct value){.digest = digest, .places = bit};
	keep_text(hits, v, value, len);
	k->slots[at] = (uint32_t)k->n;
}

size_t hits_count(const struct hits *hits, enum detect_kind kind, unsigned places)
{
	const struct kind *k = &hits->kinds[kind];
	size_t count = 0;

	for (size_t i = 0; i < k->n; i++)
		count += (k->values[i].places & places) != 0;
	return count;
}

bool hits_full(const struct hits *hits, enum detect_kind kind)
{
	return hits->kinds[kind].full;
}

void hits_each(const struct hits *hits, enum detect_kind kind, hits_see *see, void *context)
{
	const struct kind *k = &hits->kinds[kind];

	for (size_t i = 0; i < k->n; i++) {
		const struct value *v = &k->values[i];

		if (v->text == NO_TEXT)
			continue;
		if (!see(context, hits->texts.bytes + v->text, v->len, v->places))
			return;
	}
}

/* ---- masks -------------------------------------------------------------------------------------- */

struct mask {
	char *text;
	size_t len;
	size_t room;
	bool full;
};

/* All of `text`, or nothing of it and of what follows: no letter is cut. */
static void mask_put(struct mask *m, const char *text, size_t len)
{
	if (m->full || len >= m->room - m->len) {
		m->full = true;
		return;
	}
	memcpy(m->text + m->len, text, len);
	m->len += len;
}

static size_t letter_len(const char *text, size_t len)
{
	size_t n = 1;

	while (n < len && n < 4 && ((unsigned char)text[n] & 0xC0) == 0x80)
		n++;
	return len == 0 ? 0 : n;
}

static void mask_letters(struct mask *m, const char *text, size_t len, size_t count)
{
	for (; count > 0 && len > 0; count--) {
		size_t n = letter_len(text, len);

		mask_put(m, text, n);
		text += n;
		len -= n;
	}
}

static void mask_stars(struct mask *m)
{
	mask_put(m, "***", 3);
}

/* The last four digits. */
static void mask_number(struct mask *m, const char *value, size_t len)
{
	size_t hidden = len > 4 ? len - 4 : len;

	for (size_t i = 0; i < hidden; i++)
		mask_put(m, "*", 1);
	for (size_t i = hidden; i < len; i++)
		mask_put(m, value + i, 1);
}

/* The first letter and, where that leaves one hidden, the last. */
static void mask_name(struct mask *m, const char *value, size_t len)
{
	size_t first = letter_len(value, len);
	size_t last = len;

	while (last > first && ((unsigned char)value[last - 1] & 0xC0) == 0x80)
		last--;
	if (last > first)
		last--;

	if (len > first)
		mask_put(m, value, first);
	mask_stars(m);
	if (last > first)
		mask_put(m, value + last, len - last);
}

static void mask_mail(struct mask *m, const char *value, size_t len)
{
	const char *at = memrchr(value, '@', len);
	size_t local = at == NULL ? len : (size_t)(at - value);

	if (local > letter_len(value, local))
		mask_letters(m, value, local, 1);
	mask_stars(m);
	if (at != NULL)
		mask_letters(m, at, len - local, len - local);
}

size_t hits_mask(enum detect_kind kind, const char *value, size_t len, char *masked, size_t room)
{
	struct mask m = {.text = masked, .room = room};

	if (room == 0)
		return 0;
	switch (kind) {
	case DETECT_CARD:
	case DETECT_MYNUMBER:
	case DETECT_CORPORATE:
	case DETECT_PHONE:
		mask_number(&m, value, len);
		break;
	case DETECT_ADDRESS:
		mask_letters(&m, value, len, 3);
		mask_stars(&m);
		break;
	case DETECT_MAIL:
		mask_mail(&m, value, len);
		break;
	case DETECT_NAME:
		mask_name(&m, value, len);
		break;
	case DETECT_KIND_COUNT:
		break;
	}
	masked[m.len] = '\0';
	return m.len;
}
