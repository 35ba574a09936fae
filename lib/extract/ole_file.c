#include "lib/extract/ole.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEADER        512
#define HEADER_DIFAT  109
#define ENTRY         128
#define SECTORS_MAX   UINT32_C(0xfffffffa) /* what is above means something else */
#define END_OF_CHAIN  UINT32_C(0xfffffffe)
#define CACHE_MAX     4096
#define STRETCHES_MAX ((size_t)1024 * 1024)

/* A sector of one of the tables, as it was read last. */
struct cache {
	uint64_t number; /* UINT64_MAX: nothing */
	unsigned char bytes[CACHE_MAX];
};

struct ole {
	struct source file;
	unsigned shift; /* of a sector's size: 9 or 12 */
	unsigned mini_shift;
	uint32_t cutoff; /* smaller streams stand in the mini stream */
	uint64_t sectors;

	uint32_t *fat; /* sectors of the FAT */
	size_t fat_len;
	struct cache fat_cache;
	struct ole_stream mini_fat;
	struct cache mini_cache;
	struct ole_stream mini;

	struct ole_entry *entry;
	size_t entries;
	uint32_t *begin; /* where the children of each begin in `sorted` */
	uint32_t *sorted;
	bool damaged;
};

static uint32_t le32(const unsigned char *at)
{
	return (uint32_t)le(at, 4);
}

/* ---- sectors ---- */

static uint64_t sector_offset(const struct ole *o, uint32_t sector)
{
	return ((uint64_t)sector + 1) << o->shift;
}

/* As much of it as the file has; the rest is zero. False: none of it. */
static bool read_sector(const struct ole *o, uint32_t sector, unsigned char *bytes)
{
	size_t size = (size_t)1 << o->shift;
	ssize_t n;

	if (sector >= o->sectors)
		return false;
	n = source_read(&o->file, sector_offset(o, sector), bytes, size);
	if (n <= 0)
		return false;
	memset(bytes + n, 0, size - (size_t)n);
	return true;
}

/* The sector behind this one; END_OF_CHAIN also for what cannot be. */
static uint32_t next_sector(struct ole *o, uint32_t sector)
{
	size_t each = ((size_t)1 << o->shift) / 4;
	uint64_t table = sector / each;

	if (table >= o->fat_len)
		return END_OF_CHAIN;
	if (o->fat_cache.number != table) {
		o->fat_cache.number = UINT64_MAX;
		if (!read_sector(o, o->fat[table], o->fat_cache.bytes))
			return END_OF_CHAIN;
		o->fat_cache.number = table;
	}
	return le32(o->fat_cache.bytes + 4 * (sector % each));
}

static uint32_t next_mini(struct ole *o, uint32_t sector)
{
	uint64_t block = (uint64_t)sector * 4 / CACHE_MAX;

	if (o->mini_cache.number != block) {
		ssize_t n =
		    ole_read(&o->mini_fat, block * CACHE_MAX, o->mini_cache.bytes, CACHE_MAX);

		o->mini_cache.number = UINT64_MAX;
		if (n <= 0)
			return END_OF_CHAIN;
		memset(o->mini_cache.bytes + n, 0xff, CACHE_MAX - (size_t)n);
		o->mini_cache.number = block;
	}
	return le32(o->mini_cache.bytes + (uint64_t)sector * 4 % CACHE_MAX);
}

/* ---- streams ---- */

/* False: no memory. */
static bool add_stretch(struct ole_stream *s, size_t *room, uint64_t index, uint32_t sector)
{
	if (s->stretches == *room) {
		size_t more = *room == 0 ? 8 : *room * 2;
		struct ole_stretch *grown =
		    more <= STRETCHES_MAX ? reallocarray(s->stretch, more, sizeof *grown) : NULL;

		if (grown == NULL)
			return false;
		s->stretch = grown;
		*room = more;
	}
	s->stretch[s->stretches++] = (struct ole_stretch){index, sector};
	return true;
}

/*
 * Follows a chain as far as `size` bytes need it. Returns false without memory; a chain that ends
 * before that leaves the stream shorter, and cut.
 */
static bool follow(struct ole *o, uint32_t first, uint64_t size, struct ole_stream *s)
{
	uint64_t limit = s->mini ? o->mini.size : o->file.size;
	uint64_t most = s->mini ? o->mini.size >> s->shift : o->sectors;
	uint64_t need, have = 0;
	uint32_t sector = first, before = 0;
	size_t room = 0;

	if (size > limit) {
		s->cut = true;
		size = limit;
	}
	need = (size + ((uint64_t)1 << s->shift) - 1) >> s->shift;
	for (; have < need && sector < most; have++) {
		if ((have == 0 || sector != before + 1) && !add_stretch(s, &room, have, sector))
			return false;
		before = sector;
		sector = s->mini ? next_mini(o, sector) : next_sector(o, sector);
	}
	s->size = size;
	if (have < need) {
		s->cut = true;
		s->size = have << s->shift;
	}
	return true;
}

static bool open_chain(
    struct ole *o, uint32_t first, uint64_t size, bool mini, struct ole_stream *s)
{
	*s = (struct ole_stream){.ole = o, .shift = mini ? o->mini_shift : o->shift, .mini = mini};
	if (follow(o, first, size, s))
		return true;
	ole_stream_close(s);
	return false;
}

bool ole_stream_open(struct ole *ole, uint32_t number, struct ole_stream *stream)
{
	const struct ole_entry *e = &ole->entry[number];

	*stream = (struct ole_stream){.ole = ole};
	if (e->kind != OLE_STREAM)
		return false;
	return open_chain(ole, e->start, e->size, e->size < ole->cutoff, stream);
}

void ole_stream_close(struct ole_stream *stream)
{
	free(stream->stretch);
	stream->stretch = NULL;
	stream->stretches = 0;
}

/* The stretch that holds sector `index` of the stream. */
static size_t stretch_of(const struct ole_stream *s, uint64_t index)
{
	size_t low = 0, high = s->stretches;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (s->stretch[middle].index <= index)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static ssize_t read_at(
    const struct ole_stream *s, uint64_t sector, uint64_t within, void *into, size_t len)
{
	if (s->mini)
		return ole_read(&s->ole->mini, (sector << s->shift) + within, into, len);
	return source_read(&s->ole->file, ((sector + 1) << s->shift) + within, into, len);
}

ssize_t ole_read(const struct ole_stream *s, uint64_t at, void *into, size_t len)
{
	unsigned char *bytes = into;
	size_t done = 0;

	if (at >= s->size || s->stretches == 0)
		return 0;
	if (len > s->size - at)
		len = (size_t)(s->size - at);
	for (size_t i = stretch_of(s, at >> s->shift); done < len; i++) {
		const struct ole_stretch *t = &s->stretch[i];
		uint64_t within = at + done - (t->index << s->shift);
		uint64_t ends = i + 1 < s->stretches ? t[1].index << s->shift : s->size;
		size_t n = len - done;
		ssize_t got;

		if (n > ends - (at + done))
			n = (size_t)(ends - (at + done));
		got = read_at(s, t->sector, within, bytes + done, n);
		if (got < 0)
			return -1;
		/* The last sector of a file may be shorter than a sector. */
		done += (size_t)got;
		if ((size_t)got < n)
			break;
	}
	return (ssize_t)done;
}

/* ---- the tables ---- */

/* Adds FAT sectors; false: there are enough of them, or one is not in the file. */
static bool add_fat(struct ole *o, size_t need, const unsigned char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t sector = le32(bytes + 4 * i);

		if (o->fat_len == need || sector >= o->sectors)
			return false;
		o->fat[o->fat_len++] = sector;
	}
	return o->fat_len < need;
}

static enum ole_status read_fat(struct ole *o, const unsigned char *header)
{
	size_t size = (size_t)1 << o->shift;
	uint64_t need = (o->sectors + size / 4 - 1) / (size / 4);
	uint32_t sector = le32(header + 0x44);
	unsigned char bytes[CACHE_MAX];
	bool more;

	o->fat = need <= SIZE_MAX / 4 ? reallocarray(NULL, (size_t)need + 1, sizeof *o->fat) : NULL;
	if (o->fat == NULL)
		return OLE_NO_MEMORY;
	more = add_fat(o, (size_t)need, header + 0x4c, HEADER_DIFAT);
	/* Each round adds sectors of the FAT, of which there are so many: a loop ends. */
	while (more && sector < o->sectors && read_sector(o, sector, bytes)) {
		size_t before = o->fat_len;

		more = add_fat(o, (size_t)need, bytes, size / 4 - 1) && o->fat_len > before;
		sector = le32(bytes + size - 4);
	}
	return o->fat_len > 0 ? OLE_OK : OLE_DAMAGED;
}

static void take_entry(struct ole_entry *e, const unsigned char *at, unsigned shift)
{
	size_t bytes = (size_t)le(at + 64, 2);

	for (size_t i = 0; i < 32; i++)
		e->name[i] = (uint16_t)le(at + 2 * i, 2);
	e->name_len = (uint8_t)(bytes >= 2 && bytes <= 64 ? bytes / 2 - 1 : 0);
	/* The root is a storage of its own kind, 5. */
	e->kind = at[66] == 5 ? OLE_STORAGE : at[66];
	e->left = le32(at + 68);
	e->right = le32(at + 72);
	e->child = e->kind == OLE_STORAGE ? le32(at + 76) : OLE_NONE;
	e->parent = OLE_NONE;
	e->start = le32(at + 116);
	/* With small sectors the upper half means nothing, and is not always zero. */
	e->size = shift == 9 ? le32(at + 120) : le(at + 120, 8);
}

static enum ole_status read_directory(struct ole *o, uint32_t first)
{
	struct ole_stream s;
	unsigned char bytes[CACHE_MAX];
	enum ole_status status = OLE_OK;
	uint64_t most = (uint64_t)OLE_ENTRIES_MAX * ENTRY;
	ssize_t n = 0;

	/* Its length stands nowhere: it ends with its chain. */
	if (!open_chain(o, first, o->file.size < most ? o->file.size : most, false, &s))
		return OLE_NO_MEMORY;
	o->entry = calloc((size_t)(s.size / ENTRY) + 1, sizeof *o->entry);
	if (o->entry == NULL)
		status = OLE_NO_MEMORY;
	for (uint64_t at = 0; status == OLE_OK && at < s.size; at += (uint64_t)n) {
		n = ole_read(&s, at, bytes, sizeof bytes);
		if (n < ENTRY) {
			status = n < 0 ? OLE_UNREAD : OLE_OK;
			break;
		}
		n -= n % ENTRY;
		for (ssize_t i = 0; i < n; i += ENTRY)
			take_entry(&o->entry[o->entries++], bytes + i, o->shift);
	}
	ole_stream_close(&s);
	if (status == OLE_OK && (o->entries == 0 || o->entry[OLE_ROOT].kind != OLE_STORAGE))
		status = OLE_DAMAGED;
	return status;
}

/* ---- the tree ---- */

/*
 * Gives every entry that the tree leads to its storage. Each is pushed once, so that loops end; an
 * entry that two things lead to is damage.
 */
static bool climb(struct ole *o)
{
	uint32_t *stack = reallocarray(NULL, o->entries, sizeof *stack);
	size_t height = 0;

	if (stack == NULL)
		return false;
	stack[height++] = OLE_ROOT;
	o->entry[OLE_ROOT].parent = OLE_ROOT;
	while (height > 0) {
		uint32_t number = stack[--height];
		const struct ole_entry *e = &o->entry[number];
		const uint32_t to[] = {number == OLE_ROOT ? OLE_NONE : e->left,
		    number == OLE_ROOT ? OLE_NONE : e->right, e->child};

		for (size_t i = 0; i < COUNT_OF(to); i++) {
			if (to[i] == OLE_NONE)
				continue;
			if (to[i] >= o->entries || o->entry[to[i]].parent != OLE_NONE) {
				o->damaged = true;
				continue;
			}
			o->entry[to[i]].parent = i == 2 ? number : e->parent;
			stack[height++] = to[i];
		}
	}
	free(stack);
	return true;
}

/* The entries by their storages, so that looking for a name costs no more than its storage has. */
static bool sort(struct ole *o)
{
	uint32_t sum = 0;

	o->begin = calloc(o->entries + 2, sizeof *o->begin);
	o->sorted = calloc(o->entries + 1, sizeof *o->sorted);
	if (o->begin == NULL || o->sorted == NULL)
		return false;
	for (size_t i = 1; i < o->entries; i++) {
		if (o->entry[i].parent != OLE_NONE)
			o->begin[o->entry[i].parent + 2]++;
	}
	for (size_t i = 2; i < o->entries + 2; i++)
		o->begin[i] = sum += o->begin[i];
	for (uint32_t i = 1; i < o->entries; i++) {
		if (o->entry[i].parent != OLE_NONE)
			o->sorted[o->begin[o->entry[i].parent + 1]++] = i;
	}
	return true;
}

size_t ole_children(const struct ole *ole, uint32_t parent, const uint32_t **children)
{
	*children = ole->sorted + ole->begin[parent];
	return ole->begin[parent + 1] - ole->begin[parent];
}

/* ---- opening ---- */

static bool take_header(struct ole *o, const unsigned char *header)
{
	static const unsigned char magic[] = {0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1};

	if (memcmp(header, magic, sizeof magic) != 0)
		return false;
	o->shift = (unsigned)le(header + 0x1e, 2);
	o->mini_shift = (unsigned)le(header + 0x20, 2);
	o->cutoff = le32(header + 0x38);
	if ((o->shift != 9 && o->shift != 12) || o->mini_shift != 6)
		return false;
	o->sectors = (o->file.size - 1) >> o->shift; /* the last one may be cut */
	if (o->sectors > SECTORS_MAX)
		o->sectors = SECTORS_MAX;
	return true;
}

static enum ole_status fill(struct ole *o)
{
	unsigned char header[HEADER];
	ssize_t n = source_read(&o->file, 0, header, sizeof header);
	enum ole_status status;
	const struct ole_entry *root;

	if (n < 0)
		return OLE_UNREAD;
	if (n < HEADER || !take_header(o, header))
		return OLE_DAMAGED;
	status = read_fat(o, header);
	if (status == OLE_OK)
		status = read_directory(o, le32(header + 0x30));
	if (status != OLE_OK)
		return status;
	if (!climb(o) || !sort(o))
		return OLE_NO_MEMORY;

	root = &o->entry[OLE_ROOT];
	if (!open_chain(o, root->start, root->size, false, &o->mini) ||
	    !open_chain(o, le32(header + 0x3c), (uint64_t)le32(header + 0x40) << o->shift, false,
		&o->mini_fat))
		return OLE_NO_MEMORY;
	return o->damaged ? OLE_DAMAGED : OLE_OK;
}

struct ole *ole_open(const struct source *file, enum ole_status *status)
{
	struct ole *o = calloc(1, sizeof *o);

	*status = OLE_NO_MEMORY;
	if (o == NULL)
		return NULL;
	o->file = *file;
	o->fat_cache.number = o->mini_cache.number = UINT64_MAX;
	if (file->size < HEADER)
		*status = OLE_DAMAGED;
	else
		*status = fill(o);
	if (*status == OLE_OK || (*status == OLE_DAMAGED && o->damaged))
		return o;
	ole_close(o);
	return NULL;
}

void ole_close(struct ole *ole)
{
	if (ole == NULL)
		return;
	ole_stream_close(&ole->mini);
	ole_stream_close(&ole->mini_fat);
	free(ole->fat);
	free(ole->entry);
	free(ole->begin);
	free(ole->sorted);
	free(ole);
}

/* ---- names ---- */

size_t ole_entries(const struct ole *ole)
{
	return ole->entries;
}

const struct ole_entry *ole_entry(const struct ole *ole, uint32_t number)
{
	return &ole->entry[number];
}

void ole_name(const struct ole_entry *entry, char name[33])
{
	size_t n = entry->name_len;

	for (size_t i = 0; i < n; i++)
		name[i] = entry->name[i] < 0x80 && entry->name[i] > 0 ? (char)entry->name[i] : '?';
	name[n] = '\0';
}

bool ole_name_begins(const struct ole_entry *entry, const char *prefix)
{
	char name[33];

	ole_name(entry, name);
	return strncasecmp(name, prefix, strlen(prefix)) == 0;
}

uint32_t ole_find(const struct ole *ole, uint32_t parent, const char *name)
{
	const uint32_t *children;
	size_t n = ole_children(ole, parent, &children), len = strlen(name);

	for (size_t i = 0; i < n; i++) {
		const struct ole_entry *e = &ole->entry[children[i]];

		if (e->name_len == len && ole_name_begins(e, name))
			return children[i];
	}
	return OLE_NONE;
}
