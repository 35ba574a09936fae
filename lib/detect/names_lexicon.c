/*
 * MeCab answers what a word is within a sentence, but not what it may be by itself, and its reader of
 * the dictionary cannot be asked to list it. So the entries are read from the dictionary's file, in
 * which each is a text that ends in NUL: "名詞,固有名詞,人名,姓,*,*,佐藤,サトウ,サトー". Kept is a digest of each
 * word in a table of open addressing: 26 bits that tell it from its neighbours, and what it is.
 */
#include "lib/detect/names_lexicon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/detect/letters.h"

#define SLOTS       ((size_t)1 << 19) /* powers of two */
#define NAME_SLOTS  ((size_t)1 << 17)
#define FLAG_BITS   6
#define FLAGS       ((1U << FLAG_BITS) - 1)
#define LETTERS     ((size_t)65536)
#define OFTEN       4    /* names that have a letter there */
#define NAMES_LEAST 1000 /* fewer: it is no dictionary of IPADIC */

/* How many names begin and end with a letter. */
struct ends {
	uint16_t family_first, family_last, given_first, given_last;
};

struct lexicon {
	size_t words;
	size_t names;
	uint32_t slots[SLOTS];
	uint32_t name_slots[NAME_SLOTS];
	uint8_t letters[LETTERS];
};

/* What the beginning of an entry says of its word. */
static const struct class
{
	const char *begins;
	unsigned flags;
	bool reading; /* is kept as well */
} classes[] = {
    {"名詞,固有名詞,人名,姓,", LEXICON_FAMILY, true},
    {"名詞,固有名詞,人名,名,", LEXICON_GIVEN, true},
    {"名詞,固有名詞,地域,", LEXICON_PLACE, false},
    {"名詞,固有名詞,組織,", LEXICON_ORG, false},
    {"名詞,固有名詞,一般,", LEXICON_ORG, false},
    {"名詞,一般,", LEXICON_NOUN, false},
    {"名詞,サ変接続,", LEXICON_NOUN, false},
    {"名詞,形容動詞語幹,", LEXICON_NOUN, false},
    {"名詞,ナイ形容詞語幹,", LEXICON_NOUN, false},
    {"名詞,副詞可能,", LEXICON_NOUN, false},
    {"名詞,代名詞,", LEXICON_NOUN, false},
    {"名詞,接尾,", LEXICON_NOUN, false},
    {"名詞,非自立,", LEXICON_NOUN, false},
};

uint64_t lexicon_digest(void)
{
	return 0xcbf29ce484222325U;
}

uint64_t lexicon_digest_add(uint64_t digest, const char *bytes, size_t len)
{
	/* FNV-1a; the table is no secret, and what falls together there harms nobody. */
	for (size_t i = 0; i < len; i++)
		digest = (digest ^ (unsigned char)bytes[i]) * 0x100000001b3U;
	return digest;
}

/* The slot of the word, or the free one that it would take. */
static size_t slot_of(const uint32_t *slots, size_t n, uint64_t digest)
{
	uint32_t mark = (uint32_t)(digest >> 38);
	size_t at = (size_t)(digest ^ digest >> 19) % n;

	while (slots[at] != 0 && slots[at] >> FLAG_BITS != mark)
		at = (at + 1) % n;
	return at;
}

unsigned lexicon_find(const struct lexicon *lexicon, uint64_t digest)
{
	return lexicon->slots[slot_of(lexicon->slots, SLOTS, digest)] & FLAGS;
}

unsigned lexicon_name(const struct lexicon *lexicon, uint64_t digest)
{
	return lexicon->name_slots[slot_of(lexicon->name_slots, NAME_SLOTS, digest)] & FLAGS;
}

/* Three quarters at most are taken, so that a search ends soon. */
static void put(uint32_t *slots, size_t n, size_t *taken, uint64_t digest, unsigned flags)
{
	size_t slot = slot_of(slots, n, digest);

	if (slots[slot] == 0) {
		if (*taken >= n / 4 * 3)
			return;
		(*taken)++;
		slots[slot] = (uint32_t)(digest >> 38) << FLAG_BITS;
	}
	slots[slot] |= flags;
}

static void keep(struct lexicon *lexicon, const char *word, size_t len, unsigned flags)
{
	uint64_t digest = lexicon_digest_add(lexicon_digest(), word, len);
	size_t letters = 0;

	for (size_t at = 0; at < len; letters++)
		(void)letter_next(word, len, &at);
	if (len == 0 || letters > LEXICON_LETTERS)
		return;

	put(lexicon->slots, SLOTS, &lexicon->words, digest, flags);
	if ((flags & (LEXICON_FAMILY | LEXICON_GIVEN)) != 0)
		put(lexicon->name_slots, NAME_SLOTS, &lexicon->names, digest, flags);
}

/* The field with that number, from 0, of an entry. */
static const char *field_of(const char *entry, size_t len, size_t number, size_t *field_len)
{
	const char *end = entry + len;

	for (; number > 0; number--) {
		entry = memchr(entry, ',', (size_t)(end - entry));
		if (entry == NULL)
			return NULL;
		entry++;
	}
	end = memchr(entry, ',', (size_t)(end - entry)) != NULL
		  ? memchr(entry, ',', (size_t)(end - entry))
		  : end;
	*field_len = (size_t)(end - entry);
	return entry;
}

static void count_letter(uint16_t *count)
{
	if (*count < UINT16_MAX)
		(*count)++;
}

static void count_ends(struct ends *ends, const char *word, size_t len, unsigned flags)
{
	size_t first_end = 0;
	size_t last = len;
	uint32_t a = letter_next(word, len, &first_end) % LETTERS;
	uint32_t b = letter_before(word, &last) % LETTERS;

	/* Of one letter nothing is learned about longer ones. */
	if (first_end >= len)
		return;
	count_letter(flags == LEXICON_FAMILY ? &ends[a].family_first : &ends[a].given_first);
	count_letter(flags == LEXICON_FAMILY ? &ends[b].family_last : &ends[b].given_last);
}

static void learn_letters(struct lexicon *lexicon, const struct ends *ends)
{
	for (size_t i = 0; i < LETTERS; i++) {
		lexicon->letters[i] =
		    (uint8_t)((ends[i].family_first >= OFTEN ? LEXICON_FAMILY_FIRST : 0) |
			      (ends[i].family_last >= OFTEN ? LEXICON_FAMILY_LAST : 0) |
			      (ends[i].given_first >= OFTEN ? LEXICON_GIVEN_FIRST : 0) |
			      (ends[i].given_last >= OFTEN ? LEXICON_GIVEN_LAST : 0));
	}
}

unsigned lexicon_letter(const struct lexicon *lexicon, uint32_t point)
{
	return lexicon->letters[point % LETTERS];
}

static void take_entry(struct lexicon *lexicon, struct ends *ends, const char *entry, size_t len)
{
	for (size_t i = 0; i < COUNT_OF(classes); i++) {
		const struct class *class = &classes[i];
		size_t begins = strlen(class->begins);
		size_t word_len;
		const char *word;

		if (len < begins || memcmp(entry, class->begins, begins) != 0)
			continue;
		word = field_of(entry, len, 6, &word_len);
		if (word != NULL)
			keep(lexicon, word, word_len, class->flags);
		if (word != NULL && class->reading)
			count_ends(ends, word, word_len, class->flags);
		word = class->reading ? field_of(entry, len, 7, &word_len) : NULL;
		/* One kana is no name. */
		if (word != NULL && word_len > 3)
			keep(lexicon, word, word_len, class->flags);
		return;
	}
}

static void take_all(struct lexicon *lexicon, struct ends *ends, const char *bytes, size_t len)
{
	static const char begins[] = "\0名詞,";
	const char *end = bytes + len;
	const char *at = bytes;

	while ((at = memmem(at, (size_t)(end - at), begins, sizeof begins - 1)) != NULL) {
		const char *entry = at + 1;
		const char *stop = memchr(entry, '\0', (size_t)(end - entry));

		if (stop == NULL)
			return;
		take_entry(lexicon, ends, entry, (size_t)(stop - entry));
		at = stop;
	}
}

static struct lexicon *read_dictionary(const char *path)
{
	struct lexicon *lexicon = NULL;
	struct ends *ends = NULL;
	void *bytes = MAP_FAILED;
	struct stat st = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int error;

	if (fd < 0 || fstat(fd, &st) < 0)
		goto done;
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		goto done;

	ends = calloc(LETTERS, sizeof(*ends));
	lexicon = calloc(1, sizeof(*lexicon));
	if (ends == NULL || lexicon == NULL) {
		free(lexicon);
		lexicon = NULL;
		goto done;
	}
	take_all(lexicon, ends, bytes, (size_t)st.st_size);
	learn_letters(lexicon, ends);
	if (lexicon->names < NAMES_LEAST) {
		free(lexicon);
		lexicon = NULL;
		errno = EILSEQ;
	}

done:
	error = errno;
	free(ends);
	if (bytes != MAP_FAILED)
		(void)munmap(bytes, (size_t)st.st_size);
	if (fd >= 0)
		(void)close(fd);
	errno = error;
	return lexicon;
}

struct lexicon *lexicon_open(const char *folder)
{
	struct lexicon *lexicon;
	char *path;

	if (asprintf(&path, "%s/sys.dic", folder) < 0) {
		errno = ENOMEM;
		return NULL;
	}
	lexicon = read_dictionary(path);
	free(path);
	return lexicon;
}

void lexicon_free(struct lexicon *lexicon)
{
	free(lexicon);
}
