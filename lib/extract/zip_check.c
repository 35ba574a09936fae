/* Whether all programs see the same in a ZIP. */
#include "lib/extract/zip.h"

#include <stdlib.h>
#include <string.h>

#include "lib/extract/state.h"

#define EXTENTS_MOST  ((size_t)262144)
#define NAME_PIECE    ((size_t)512)
#define END_LEN       22
#define END64_LEN     ((size_t)56)
#define RECORDS64_LEN (END64_LEN + 20) /* with the locator */

/* Where a member lies, from its local header to its descriptor, and a hash of its name. */
struct extent {
	uint64_t start;
	uint64_t end;
	uint64_t name;
};

struct extents {
	struct extent *of;
	size_t n;
	size_t room;
};

static bool add_extent(struct extents *all, struct extent one)
{
	size_t room = all->room == 0 ? 64 : all->room * 2;
	struct extent *of;

	if (all->n == all->room) {
		of = realloc(all->of, room * sizeof *of);
		if (of == NULL)
			return false;
		all->of = of;
		all->room = room;
	}
	all->of[all->n++] = one;
	return true;
}

static int by_start(const void *a, const void *b)
{
	const struct extent *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static int by_name(const void *a, const void *b)
{
	const struct extent *x = a, *y = b;

	return x->name < y->name ? -1 : x->name > y->name;
}

/* FNV-1a; a backslash is a slash to many programs. Whoever makes two names alike harms himself. */
static uint64_t name_hash(const struct zip_entry *entry)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < entry->name_len; i++) {
		hash ^= entry->name[i] == '\\' ? '/' : entry->name[i];
		hash *= UINT64_C(0x100000001b3);
	}
	return hash;
}

static bool same_name(const struct zip *zip, const struct zip_entry *entry, uint64_t at)
{
	unsigned char piece[NAME_PIECE];

	for (size_t done = 0; done < entry->name_len;) {
		size_t n =
		    entry->name_len - done < NAME_PIECE ? entry->name_len - done : NAME_PIECE;

		if (source_read(&zip->file, at + done, piece, n) != (ssize_t)n ||
		    memcmp(piece, entry->name + done, n) != 0)
			return false;
		done += n;
	}
	return true;
}

/* A name in ASCII needs no other in Unicode, unless somebody shall see another. */
static bool two_names(const struct zip_entry *entry)
{
	if (entry->unicode == NULL)
		return false;
	if (entry->unicode_len == entry->name_len &&
	    memcmp(entry->unicode, entry->name, entry->name_len) == 0)
		return false;
	for (size_t i = 0; i < entry->name_len; i++) {
		if (entry->name[i] >= 0x80 || entry->name[i] == '?')
			return false;
	}
	return true;
}

/* With sizes behind the data a field here is zero, or right already. */
static bool same(uint64_t here, uint64_t there, bool later)
{
	return here == there || (later && here == 0);
}

static bool same_sizes(const struct zip_entry *entry, const struct zip_local *local)
{
	bool later = (local->flags & ZIP_FLAG_DESCRIPTOR) != 0;

	return same(local->size, entry->size, later) && same(local->packed, entry->packed, later) &&
	       same(local->crc, entry->crc, later);
}

static bool agrees(
    const struct zip *zip, const struct zip_entry *entry, const struct zip_local *local)
{
	unsigned flags = ZIP_FLAG_ENCRYPTED | ZIP_FLAG_UTF8;
	uint64_t name_at = entry->local + 30;

	if ((entry->flags & ZIP_FLAG_MASKED) != 0)
		return true;
	return entry->method == local->method && ((entry->flags ^ local->flags) & flags) == 0 &&
	       entry->name_len == local->name_len && !two_names(entry) &&
	       same_sizes(entry, local) && same_name(zip, entry, name_at);
}

/*
 * How many bytes stand behind the data: none, or a descriptor of 12 to 24 bytes that says what the
 * directory says. False: it says something else.
 */
static bool descriptor(const struct zip *zip, const struct zip_entry *entry,
    const struct zip_local *local, uint64_t at, size_t *len)
{
	unsigned char bytes[24];
	ssize_t got;

	*len = 0;
	if ((local->flags & ZIP_FLAG_DESCRIPTOR) == 0)
		return true;
	got = source_read(&zip->file, at, bytes, sizeof bytes);
	for (size_t mark = 0; mark <= 4; mark += 4) {
		for (unsigned n = 4; n <= 8; n += 4) {
			size_t need = mark + 4 + 2 * (size_t)n;
			uint64_t mask = n == 4 ? UINT64_C(0xffffffff) : UINT64_MAX;

			if (got < (ssize_t)need || (mark == 4 && memcmp(bytes, "PK\7\b", 4) != 0))
				continue;
			/* Sums of AES members may be left out there. */
			if (le(bytes + mark + 4, n) == (entry->packed & mask) &&
			    le(bytes + mark + 4 + n, n) == (entry->size & mask)) {
				*len = need;
				return true;
			}
		}
	}
	/* Some writers set the flag for folders and write none. */
	return entry->packed == 0 && entry->size == 0;
}

/* Where the member lies; ZIP_DAMAGED when its header is not there or says something else. */
static enum zip_state extent_of(
    const struct zip *zip, const struct zip_entry *entry, struct extent *extent)
{
	struct zip_local local;
	enum zip_state state = zip_local_read(zip, entry->local, &local);
	size_t behind;

	if (state != ZIP_OK)
		return state;
	if (!agrees(zip, entry, &local) || local.data > zip->directory ||
	    entry->packed > zip->directory - local.data ||
	    !descriptor(zip, entry, &local, local.data + entry->packed, &behind))
		return ZIP_DAMAGED;

	extent->start = entry->local;
	extent->end = local.data + entry->packed + behind;
	extent->name = name_hash(entry);
	return ZIP_OK;
}

/* Sorted by place, they follow one another from the file's first byte to the directory. */
static bool side_by_side(const struct zip *zip, struct extents *all)
{
	uint64_t at = 0;

	qsort(all->of, all->n, sizeof *all->of, by_start);
	for (size_t i = 0; i < all->n; i++) {
		if (all->of[i].start != at)
			return false;
		at = all->of[i].end;
	}
	return at == zip->directory;
}

static bool names_differ(struct extents *all)
{
	qsort(all->of, all->n, sizeof *all->of, by_name);
	for (size_t i = 1; i < all->n; i++) {
		if (all->of[i].name == all->of[i - 1].name)
			return false;
	}
	return true;
}

static enum zip_state collect(
    const struct zip *zip, uint64_t most, struct extents *all, bool *whole)
{
	struct zip_walk walk;
	struct zip_entry entry;
	enum zip_state state;

	*whole = false;
	zip_walk_begin(&walk, zip);
	while ((state = zip_walk_next(&walk, &entry)) == ZIP_OK) {
		struct extent extent;

		if (all->n >= most || all->n >= EXTENTS_MOST)
			break;
		state = extent_of(zip, &entry, &extent);
		if (state == ZIP_OK && !add_extent(all, extent))
			state = ZIP_MEMORY;
		if (state != ZIP_OK)
			break;
	}
	zip_walk_end(&walk);
	*whole = state == ZIP_END;
	return state == ZIP_END ? ZIP_OK : state;
}

/*
 * Whether nothing but the records of ZIP64 stands between directory and end record, and they say the
 * same: who packs a stream writes them before he knows that it is small (APPNOTE.TXT 4.3.14, 4.3.15).
 */
static bool spare_zip64(const struct zip *zip)
{
	unsigned char between[RECORDS64_LEN + 4];
	const unsigned char *locator = between + END64_LEN;

	/* No comment, in which another end record might stand. */
	if (zip->zip64 || zip->base > 0 || zip->end != zip->file.size ||
	    zip->end - zip->directory_end != RECORDS64_LEN + END_LEN ||
	    source_read(&zip->file, zip->directory_end, between, sizeof between) !=
		(ssize_t)sizeof between)
		return false;
	return memcmp(between, "PK\6\6", 4) == 0 && le(between + 4, 8) == END64_LEN - 12 &&
	       le(between + 24, 8) == zip->entries && le(between + 32, 8) == zip->entries &&
	       le(between + 40, 8) == zip->directory_end - zip->directory &&
	       le(between + 48, 8) == zip->directory && memcmp(locator, "PK\6\7", 4) == 0 &&
	       le(locator + 8, 8) == zip->directory_end &&
	       memcmp(between + RECORDS64_LEN, "PK\5\6", 4) == 0;
}

enum zip_state zip_check(const struct zip *zip, uint64_t most)
{
	struct extents all = {0};
	bool whole;
	enum zip_state state;

	if ((zip->ambiguous && !spare_zip64(zip)) || zip->base > 0)
		return ZIP_DAMAGED;
	state = collect(zip, most, &all, &whole);
	if (state == ZIP_OK && all.n > 0) {
		/* More members than can be compared: what cannot be known is not clear. */
		if (!whole && all.n < most)
			state = ZIP_DAMAGED;
		else if (whole && !side_by_side(zip, &all))
			state = ZIP_DAMAGED;
		else if (!names_differ(&all))
			state = ZIP_DAMAGED;
	}
	free(all.of);
	return state;
}
