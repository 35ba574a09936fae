#include "lib/auth/memo.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "lib/base/die.h"

#define NONE      UINT32_MAX
#define KEY_BYTES ((size_t)1024) /* a kind, a login, a source: far less */

struct memo_link {
	unsigned char key[MEMO_KEY];
	uint32_t next; /* in its bucket */
	uint32_t newer, older;
};

bool memo_init(struct memo *m, size_t capacity, size_t value_size)
{
	size_t buckets = 1;

	*m = (struct memo){.capacity = capacity, .value_size = value_size};
	while (buckets < capacity)
		buckets *= 2;
	m->mask = (uint32_t)(buckets - 1);
	/* calloc of much memory gives pages that are nobody's until they are written. */
	m->bucket = calloc(buckets, sizeof *m->bucket);
	m->link = calloc(capacity, sizeof *m->link);
	m->value = calloc(capacity, value_size);
	if (m->bucket == NULL || m->link == NULL || m->value == NULL) {
		memo_free(m);
		return false;
	}
	memo_clear(m);
	return true;
}

void memo_free(struct memo *m)
{
	free(m->bucket);
	free(m->link);
	free(m->value);
	*m = (struct memo){0};
}

/* A bucket holds the index of its first entry plus one, so that zeroed pages are empty buckets. */
void memo_clear(struct memo *m)
{
	if (m->used > 0)
		memset(m->bucket, 0, ((size_t)m->mask + 1) * sizeof *m->bucket);
	m->used = 0;
	m->newest = m->oldest = NONE;
}

static uint32_t *bucket_of(const struct memo *m, const unsigned char key[MEMO_KEY])
{
	uint32_t n;

	memcpy(&n, key, sizeof n);
	return &m->bucket[n & m->mask];
}

static uint32_t index_of(const struct memo *m, const unsigned char key[MEMO_KEY])
{
	uint32_t at = *bucket_of(m, key) - 1;

	while (at != NONE && memcmp(m->link[at].key, key, MEMO_KEY) != 0)
		at = m->link[at].next;
	return at;
}

/* ---- the order of age ---- */

static void make_newest(struct memo *m, uint32_t at)
{
	m->link[at].newer = NONE;
	m->link[at].older = m->newest;
	if (m->newest != NONE)
		m->link[m->newest].newer = at;
	m->newest = at;
	if (m->oldest == NONE)
		m->oldest = at;
}

static void take_out(struct memo *m, uint32_t at)
{
	struct memo_link *link = &m->link[at];

	if (link->newer != NONE)
		m->link[link->newer].older = link->older;
	else
		m->newest = link->older;
	if (link->older != NONE)
		m->link[link->older].newer = link->newer;
	else
		m->oldest = link->newer;
}

/* ---- entries ---- */

/* An entry that nothing uses: a new one, or the oldest one, forgotten. */
static uint32_t vacant(struct memo *m)
{
	uint32_t at = m->oldest;
	uint32_t *head, before;

	if (m->used < m->capacity)
		return (uint32_t)m->used++;

	take_out(m, at);
	head = bucket_of(m, m->link[at].key);
	if (*head - 1 == at) {
		*head = m->link[at].next + 1;
		return at;
	}
	before = *head - 1;
	while (m->link[before].next != at)
		before = m->link[before].next;
	m->link[before].next = m->link[at].next;
	return at;
}

void *memo_find(const struct memo *m, const unsigned char key[MEMO_KEY])
{
	uint32_t at = index_of(m, key);

	return at == NONE ? NULL : m->value + at * m->value_size;
}

void *memo_take(struct memo *m, const unsigned char key[MEMO_KEY])
{
	uint32_t at = index_of(m, key);
	uint32_t *head;

	if (at != NONE) {
		take_out(m, at);
		make_newest(m, at);
		return m->value + at * m->value_size;
	}

	at = vacant(m);
	head = bucket_of(m, key);
	memcpy(m->link[at].key, key, MEMO_KEY);
	m->link[at].next = *head - 1;
	*head = at + 1;
	make_newest(m, at);
	return memset(m->value + at * m->value_size, 0, m->value_size);
}

void memo_key(const unsigned char secret[MEMO_SECRET], char kind, const void *bytes, size_t len,
    unsigned char key[MEMO_KEY])
{
	unsigned char input[KEY_BYTES], digest[EVP_MAX_MD_SIZE];
	unsigned digest_len;

	if (len >= sizeof input)
		die_bug("a key without bounds");
	input[0] = (unsigned char)kind;
	memcpy(input + 1, bytes, len);
	if (HMAC(EVP_sha256(), secret, MEMO_SECRET, input, len + 1, digest, &digest_len) == NULL)
		die_environ("computing a digest");
	memcpy(key, digest, MEMO_KEY);
}
