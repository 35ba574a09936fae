/* The automaton of lib/words/keywords.h, from the words of all lists. */
#include <stdlib.h>
#include <string.h>

#include "lib/words/keywords_inside.h"

#define SPACED_PAGES 0x20 /* behind them all letters are of scripts without blanks */
#define SYMBOLS_MAX  (2 * KEYWORD_LETTERS_MAX + 2) /* of one word, with its borders */

/* A word as symbols, in `letters` of the builder. */
struct word {
	uint32_t at;
	uint32_t len;
	uint32_t id;
};

struct keyword_builder {
	const struct norm_tables *tables;
	struct buf normal; /* of the word that is added */

	uint16_t *symbol_of;           /* by folded letter */
	bool page_used[KEYWORD_PAGES]; /* it has one of them */
	uint32_t symbols;

	uint16_t *letters; /* of all words, one after another */
	size_t letters_len, letters_room;
	struct word *words;
	size_t words_len, words_room;
};

struct keyword_builder *keyword_builder_new(const struct norm_tables *tables)
{
	struct keyword_builder *b = calloc(1, sizeof *b);

	if (b == NULL)
		return NULL;
	b->tables = tables;
	b->symbols = SYMBOL_FIRST;
	b->symbol_of = calloc(0x110000, sizeof *b->symbol_of);
	buf_init(&b->normal, 64 * KEYWORD_LETTERS_MAX);
	if (b->symbol_of == NULL) {
		free(b);
		return NULL;
	}
	return b;
}

void keyword_builder_free(struct keyword_builder *b)
{
	if (b == NULL)
		return;
	buf_free(&b->normal);
	free(b->symbol_of);
	free(b->letters);
	free(b->words);
	free(b);
}

/* ---- words ---- */

/* Room for `more` of `size` bytes each. */
static bool make_room(void **array, size_t len, size_t *room, size_t more, size_t size)
{
	size_t wanted = *room > 0 ? *room : 256, bytes;
	void *grown;

	if (more <= *room - len)
		return true;
	while (wanted - len < more)
		if (!size_mul(wanted, 2, &wanted))
			return false;
	if (!size_mul(wanted, size, &bytes))
		return false;
	grown = realloc(*array, bytes);
	if (grown == NULL)
		return false;
	*array = grown;
	*room = wanted;
	return true;
}

/* The next letter of text that is UTF-8. */
static uint32_t next_letter(const unsigned char **at)
{
	const unsigned char *s = *at;
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	uint32_t p = n == 1 ? s[0] : s[0] & (0x7fu >> n);

	for (size_t i = 1; i < n; i++)
		p = p << 6 | (s[i] & 0x3f);
	*at = s + n;
	return p;
}

/* The symbol of a folded letter; 0: there are too many. */
static uint16_t symbol_for(struct keyword_builder *b, uint32_t folded)
{
	if (b->symbol_of[folded] == 0 && b->symbols < SYMBOL_MAX)
		b->symbol_of[folded] = (uint16_t)b->symbols++;
	b->page_used[folded / KEYWORD_PAGE] = true;
	return b->symbol_of[folded];
}

struct spelling {
	uint16_t symbols[SYMBOLS_MAX];
	size_t len;
	bool spaced; /* the last letter */
	bool any;
};

/* A letter, with the border before it. */
static enum keyword_added spell(
    struct keyword_builder *b, struct spelling *s, uint32_t point, bool border)
{
	bool spaced = keyword_spaced(point);
	uint16_t symbol = point == ' ' ? SYMBOL_BLANK : symbol_for(b, norm_fold(b->tables, point));

	if (symbol == 0)
		return KEYWORD_FULL;
	if (s->len + 3 > SYMBOLS_MAX)
		return KEYWORD_TOO_LONG;
	if (spaced != s->spaced && (s->any || border))
		s->symbols[s->len++] = SYMBOL_BORDER;
	s->symbols[s->len++] = symbol;
	s->spaced = spaced;
	s->any = true;
	return KEYWORD_ADDED;
}

static enum keyword_added keep_word(
    struct keyword_builder *b, const struct spelling *s, uint32_t id)
{
	void *letters = b->letters, *words = b->words;
	bool fits;

	if (b->letters_len + s->len > KEYWORD_STATES_MAX)
		return KEYWORD_FULL;
	fits = make_room(&letters, b->letters_len, &b->letters_room, s->len, sizeof *b->letters);
	b->letters = letters;
	fits = fits && make_room(&words, b->words_len, &b->words_room, 1, sizeof *b->words);
	b->words = words;
	if (!fits)
		return KEYWORD_NO_MEMORY;

	memcpy(b->letters + b->letters_len, s->symbols, s->len * sizeof *s->symbols);
	b->words[b->words_len++] = (struct word){(uint32_t)b->letters_len, (uint32_t)s->len, id};
	b->letters_len += s->len;
	return KEYWORD_ADDED;
}

static bool is_blank(unsigned char byte)
{
	return byte == ' ' || byte == '\n';
}

enum keyword_added keyword_add(struct keyword_builder *b, const char *utf8, size_t len, uint32_t id)
{
	struct spelling s = {.len = 0};
	const unsigned char *at, *end;
	bool open, more;

	buf_clear(&b->normal);
	if (len > 4 * KEYWORD_LETTERS_MAX * 4 || !norm_text(b->tables, utf8, len, &b->normal))
		return KEYWORD_TOO_LONG;
	if (b->normal.len == 0)
		return KEYWORD_EMPTY;
	at = (const unsigned char *)b->normal.bytes;
	end = at + b->normal.len;
	while (at < end && is_blank(*at))
		at++;
	while (at < end && is_blank(end[-1]))
		end--;

	open = at < end && *at == '*';
	at += open;
	more = at < end && end[-1] == '*';
	end -= more;
	while (at < end) {
		bool blank = is_blank(*at);
		enum keyword_added added = spell(b, &s, blank ? ' ' : next_letter(&at), !open);

		if (added != KEYWORD_ADDED)
			return added;
		while (blank && at < end && is_blank(*at)) /* several are one */
			at++;
	}
	if (!s.any)
		return KEYWORD_EMPTY;
	if (s.spaced && !more)
		s.symbols[s.len++] = SYMBOL_BORDER;
	return keep_word(b, &s, id);
}

/* ---- the tree ---- */

/* A node while the tree is made; children are a chain in the order of their symbols. */
struct node {
	uint32_t child;
	uint32_t next;
	uint32_t state; /* its number in the automaton */
	uint32_t out;
	uint16_t symbol;
};

struct making {
	const struct keyword_builder *b;
	struct keywords *k;
	struct node *nodes; /* 0 is the root */
	size_t nodes_len;
	size_t outs_len;

	size_t room; /* of states */
	uint32_t first_free;
	uint32_t *queue;
};

static uint32_t child_of(struct making *m, uint32_t parent, uint16_t symbol)
{
	uint32_t *link = &m->nodes[parent].child, node;

	while (*link != 0 && m->nodes[*link].symbol < symbol)
		link = &m->nodes[*link].next;
	if (*link != 0 && m->nodes[*link].symbol == symbol)
		return *link;
	node = (uint32_t)m->nodes_len++;
	m->nodes[node] = (struct node){.next = *link, .symbol = symbol};
	*link = node;
	return node;
}

static int by_letters(const void *a, const void *b, void *context)
{
	const struct word *one = a, *two = b;
	const uint16_t *letters = context;
	size_t n = one->len < two->len ? one->len : two->len;

	for (size_t i = 0; i < n; i++) {
		if (letters[one->at + i] != letters[two->at + i])
			return letters[one->at + i] < letters[two->at + i] ? 1 : -1;
	}
	return one->len == two->len  ? (one->id > two->id) - (one->id < two->id)
	       : one->len < two->len ? -1
				     : 1;
}

/* Backwards by their letters: so a child that is new is the first of its chain. */
static bool make_tree(struct making *m)
{
	const struct keyword_builder *b = m->b;

	if (b->words_len > 0)
		qsort_r(b->words, b->words_len, sizeof *b->words, by_letters, b->letters);
	m->nodes = calloc(b->letters_len + 1, sizeof *m->nodes);
	m->k->outs = calloc(b->words_len + 1, sizeof *m->k->outs);
	if (m->nodes == NULL || m->k->outs == NULL)
		return false;

	m->nodes_len = m->outs_len = 1;
	for (size_t i = 0; i < b->words_len; i++) {
		const struct word *w = &b->words[i];
		uint32_t node = 0;
		bool known = false;

		for (size_t j = 0; j < w->len; j++)
			node = child_of(m, node, b->letters[w->at + j]);
		for (uint32_t out = m->nodes[node].out; out != 0; out = m->k->outs[out].next)
			known = known || m->k->outs[out].id == w->id;
		if (!known) {
			m->k->outs[m->outs_len] = (struct keyword_out){w->id, m->nodes[node].out};
			m->nodes[node].out = (uint32_t)m->outs_len++;
		}
	}
	return true;
}

/* ---- the states ---- */

/* All places up to `need` are there; new ones are free, in a chain by `fail`. */
static bool grow(struct making *m, size_t need)
{
	size_t room = m->room * 2 > need ? m->room * 2 : need + 256;
	struct keyword_state *states;

	if (need <= m->room)
		return true;
	if (room > UINT32_MAX / 2)
		return false;
	states = realloc(m->k->states, room * sizeof *states);
	if (states == NULL)
		return false;
	for (size_t i = m->room; i < room; i++)
		states[i] = (struct keyword_state){.check = STATE_NONE};
	m->k->states = states;
	m->room = room;
	return true;
}

static bool fits(const struct making *m, uint32_t node, uint32_t base)
{
	for (uint32_t c = m->nodes[node].child; c != 0; c = m->nodes[c].next) {
		size_t at = (size_t)base + m->nodes[c].symbol;

		if (at < m->room && m->k->states[at].check != STATE_NONE)
			return false;
	}
	return true;
}

/* Finds places for the children of a node. */
static bool place(struct making *m, uint32_t node)
{
	uint32_t state = m->nodes[node].state;
	uint32_t first = m->nodes[m->nodes[node].child].symbol;
	uint32_t at, tries = 0, last = first;

	for (uint32_t c = m->nodes[node].child; c != 0; c = m->nodes[c].next)
		last = m->nodes[c].symbol;
	while (m->first_free < m->room && m->k->states[m->first_free].check != STATE_NONE)
		m->first_free++;

	/* `first` is the least symbol. Where it is crowded, the search begins further on. */
	for (at = m->first_free > first ? m->first_free : first + 1;; at++) {
		bool unused = at >= m->room || m->k->states[at].check == STATE_NONE;

		if (unused && fits(m, node, at - first))
			break;
		tries += unused;
		if (tries == 64) {
			m->first_free += (at - m->first_free) / 2;
			tries = 0;
		}
	}

	if (!grow(m, (size_t)at - first + last + 1))
		return false;
	m->k->states[state].base = at - first;
	for (uint32_t c = m->nodes[node].child; c != 0; c = m->nodes[c].next) {
		m->nodes[c].state = at - first + m->nodes[c].symbol;
		m->k->states[m->nodes[c].state] = (struct keyword_state){.check = state};
	}
	return true;
}

static uint32_t step(const struct keywords *k, uint32_t state, uint32_t symbol)
{
	for (;;) {
		uint32_t at = k->states[state].base + symbol;

		if (k->states[at].check == state)
			return at;
		if (state == 0)
			return 0;
		state = k->states[state].fail;
	}
}

/* Where a child leads when the text goes on otherwise, and which words end there as well. */
static void link_child(struct making *m, uint32_t parent, uint32_t child)
{
	struct keywords *k = m->k;
	uint32_t from = m->nodes[parent].state, to = m->nodes[child].state;
	uint32_t fail = from != 0 ? step(k, k->states[from].fail, m->nodes[child].symbol) : 0;
	uint32_t *end = &m->nodes[child].out;

	while (*end != 0)
		end = &k->outs[*end].next;
	*end = k->states[fail].out;
	k->states[to].fail = fail;
	k->states[to].out = m->nodes[child].out;
}

/* Level by level: a state's `fail` is always one of a level before. */
static bool make_states(struct making *m)
{
	size_t head = 0, tail = 0;

	m->queue = calloc(m->nodes_len, sizeof *m->queue);
	if (m->queue == NULL || !grow(m, m->b->symbols + 1))
		return false;
	m->k->states[0] = (struct keyword_state){.base = 0, .check = 0};
	m->k->states[0].check = STATE_NONE - 1; /* taken, and nobody's */
	m->first_free = 1;

	m->queue[tail++] = 0;
	while (head < tail) {
		uint32_t node = m->queue[head++];

		if (m->nodes[node].child != 0 && !place(m, node))
			return false;
		for (uint32_t c = m->nodes[node].child; c != 0; c = m->nodes[c].next) {
			link_child(m, node, c);
			m->queue[tail++] = c;
		}
	}
	/* Behind the last state any symbol may be looked for. */
	return grow(m, m->room + m->b->symbols);
}

static bool make_root(struct making *m)
{
	m->k->from_root = calloc(m->b->symbols, sizeof *m->k->from_root);
	if (m->k->from_root == NULL)
		return false;
	for (uint32_t c = m->nodes[0].child; c != 0; c = m->nodes[c].next)
		m->k->from_root[m->nodes[c].symbol] = m->nodes[c].state;
	return true;
}

/* ---- symbols ---- */

static uint16_t symbol_of(const struct keyword_builder *b, uint32_t point)
{
	return (uint16_t)(b->symbol_of[norm_fold(b->tables, point)] |
			  (keyword_spaced(point) ? SYMBOL_SPACED : 0));
}

/* Of every letter, folded or not: a text is not folded before it is read. */
static bool make_symbols(const struct keyword_builder *b, struct keywords *k)
{
	size_t pages = 1; /* the first has none */

	for (int fill = 0; fill < 2; fill++) {
		pages = 1;
		for (size_t page = 0; page < KEYWORD_PAGES; page++) {
			uint16_t symbols[KEYWORD_PAGE];
			bool any = false;

			if (page >= SPACED_PAGES && !b->page_used[page] &&
			    !norm_folds(b->tables, (uint32_t)page))
				continue;
			for (size_t i = 0; i < KEYWORD_PAGE; i++) {
				symbols[i] = symbol_of(b, (uint32_t)(page * KEYWORD_PAGE + i));
				any = any || symbols[i] != 0;
			}
			if (!any)
				continue;
			if (fill == 1) {
				memcpy(k->symbols[pages], symbols, sizeof symbols);
				k->page[page] = (uint16_t)pages;
			}
			pages++;
		}
		if (fill == 0)
			k->symbols = calloc(pages, sizeof *k->symbols);
		if (k->symbols == NULL)
			return false;
	}
	memcpy(k->ascii, k->symbols[k->page[0]], sizeof k->ascii);
	for (size_t i = 0; i < COUNT_OF(k->ascii); i++)
		k->idle[i] = (k->ascii[i] & SYMBOL_SPACED) != 0 &&
			     k->from_root[k->ascii[i] & ~SYMBOL_SPACED] == 0;
	return true;
}

struct keywords *keywords_build(const struct keyword_builder *b)
{
	struct keywords *k = calloc(1, sizeof *k);
	struct making m = {.b = b, .k = k};
	bool fine =
	    k != NULL && make_tree(&m) && make_states(&m) && make_root(&m) && make_symbols(b, k);

	for (size_t i = 0; fine && i < b->letters_len; i++)
		k->blanks = k->blanks || b->letters[i] == SYMBOL_BLANK;
	free(m.nodes);
	free(m.queue);
	if (!fine) {
		keywords_free(k);
		return NULL;
	}
	return k;
}

void keywords_free(struct keywords *k)
{
	if (k == NULL)
		return;
	free(k->symbols);
	free(k->states);
	free(k->outs);
	free(k->from_root);
	free(k);
}
