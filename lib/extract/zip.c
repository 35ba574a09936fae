#include "lib/extract/zip.h"

#include <stdlib.h>
#include <string.h>

#include "lib/extract/state.h"

#define END_LEN      ((size_t)22)
#define END_COMMENT  ((size_t)65535)
#define LOCATOR_LEN  ((size_t)20)
#define END64_LEN    ((size_t)56)
#define ENTRY_LEN    ((size_t)46)
#define LOCAL_LEN    ((size_t)30)
#define WINDOW       ((size_t)16384)
#define EXTRA_ZIP64  0x0001U
#define EXTRA_UPATH  0x7075U
#define LARGE32      UINT64_C(0xffffffff)
#define LARGE16      UINT64_C(0xffff)
#define NEEDS_HIDDEN 62 /* version needed to read an encrypted directory */

/* ---- where the directory is ------------------------------------------------------------------ */

/* Reads exactly `len` bytes at `at`. */
static enum zip_state read_at(const struct source *file, uint64_t at, void *into, size_t len)
{
	ssize_t n = source_read(file, at, into, len);

	if (n < 0)
		return ZIP_READ;
	return (size_t)n == len ? ZIP_OK : ZIP_DAMAGED;
}

static bool has_signature(const struct source *file, uint64_t at, const char *signature)
{
	char bytes[4];

	return read_at(file, at, bytes, 4) == ZIP_OK && memcmp(bytes, signature, 4) == 0;
}

/* The numbers of the ZIP64 end record, if its locator stands before the end record. */
static enum zip_state read_end64(struct zip *zip, uint64_t *end_at, uint64_t *size, uint64_t *start)
{
	unsigned char locator[LOCATOR_LEN], end[END64_LEN];
	uint64_t at;

	if (*end_at < LOCATOR_LEN ||
	    read_at(&zip->file, *end_at - LOCATOR_LEN, locator, LOCATOR_LEN) != ZIP_OK ||
	    memcmp(locator, "PK\6\7", 4) != 0)
		return ZIP_NONE;

	/* It stands right before the locator, whatever the offset says when something precedes. */
	at = *end_at - LOCATOR_LEN;
	if (at < END64_LEN)
		return ZIP_DAMAGED;
	at -= END64_LEN;
	if (!has_signature(&zip->file, at, "PK\6\6")) {
		at = le(locator + 8, 8);
		if (!has_signature(&zip->file, at, "PK\6\6"))
			return ZIP_DAMAGED;
	}
	if (read_at(&zip->file, at, end, END64_LEN) != ZIP_OK)
		return ZIP_DAMAGED;

	zip->zip64 = true;
	zip->entries = le(end + 32, 8);
	*size = le(end + 40, 8);
	*start = le(end + 48, 8);
	*end_at = at;
	return ZIP_OK;
}

/*
 * Takes the end record at `at` as the one: does a directory end there, or where it says? Offsets may
 * count from the beginning of the file or of the archive in it.
 */
static enum zip_state take_end(struct zip *zip, uint64_t at, const unsigned char *end)
{
	uint64_t size = le(end + 12, 4), start = le(end + 16, 4), before = at;
	enum zip_state state = ZIP_NONE;

	zip->zip64 = false;
	zip->ambiguous = false;
	zip->entries = le(end + 10, 2);
	zip->end = at + END_LEN + le(end + 20, 2);
	if (size == LARGE32 || start == LARGE32 || zip->entries == LARGE16)
		state = read_end64(zip, &before, &size, &start);
	if (state == ZIP_DAMAGED)
		return ZIP_NONE;
	if (size > before || start > before - size)
		return ZIP_NONE;

	zip->base = before - size - start;
	zip->directory = before - size;
	if (zip->base > 0 && (size == 0 || !has_signature(&zip->file, zip->directory, "PK\1\2"))) {
		/* Not right before the end record: there are bytes between. */
		zip->base = 0;
		zip->directory = start;
		zip->ambiguous = true;
	}
	zip->directory_end = zip->directory + size;
	if (size > 0 && !has_signature(&zip->file, zip->directory, "PK\1\2"))
		return le(end + 10, 2) > 0 ? ZIP_HIDDEN : ZIP_NONE;
	return ZIP_OK;
}

/* The end record is looked for from the end of the file, where its comment may stand. */
static enum zip_state find_end(struct zip *zip, unsigned char *tail, size_t len, uint64_t from)
{
	enum zip_state hidden = ZIP_NONE;

	for (size_t at = len - END_LEN + 1; at-- > 0;) {
		enum zip_state state;

		if (memcmp(tail + at, "PK\5\6", 4) != 0)
			continue;
		state = take_end(zip, from + at, tail + at);
		if (state == ZIP_OK) {
			zip->ambiguous |= zip->end != zip->file.size;
			return ZIP_OK;
		}
		if (state == ZIP_HIDDEN && zip->end == zip->file.size)
			hidden = ZIP_HIDDEN;
	}
	return hidden;
}

enum zip_state zip_open(struct zip *zip, const struct source *file)
{
	size_t len = END_LEN + END_COMMENT;
	unsigned char *tail;
	enum zip_state state;

	*zip = (struct zip){.file = *file};
	if (file->size < END_LEN)
		return ZIP_NONE;

	len = file->size < len ? (size_t)file->size : len;
	tail = malloc(len);
	if (tail == NULL)
		return ZIP_MEMORY;
	state = read_at(file, file->size - len, tail, len);
	if (state == ZIP_OK)
		state = find_end(zip, tail, len, file->size - len);
	free(tail);
	return state;
}

bool zip_ends_here(const struct source *file)
{
	struct zip zip;

	return zip_open(&zip, file) == ZIP_OK && zip.end == file->size && zip.entries > 0 &&
	       !zip.ambiguous;
}

/* ---- from entry to entry --------------------------------------------------------------------- */

void zip_walk_begin(struct zip_walk *walk, const struct zip *zip)
{
	*walk = (struct zip_walk){.zip = zip, .at = zip->directory};
	buf_init(&walk->window, SIZE_MAX / 2);
}

void zip_walk_end(struct zip_walk *walk)
{
	buf_free(&walk->window);
}

/* The next `len` bytes of the directory, at walk->at; NULL with `state` when they are not there. */
static const unsigned char *need(struct zip_walk *walk, size_t len, enum zip_state *state)
{
	struct buf *window = &walk->window;
	uint64_t behind = walk->zip->directory_end - walk->at;
	size_t want = len > WINDOW ? len : WINDOW;
	size_t before;

	*state = ZIP_DAMAGED;
	if (behind < len)
		return NULL;
	if (walk->at >= walk->window_at) {
		before = (size_t)(walk->at - walk->window_at);
		if (before <= window->len && window->len - before >= len)
			return (const unsigned char *)window->bytes + before;
	}

	want = behind < want ? (size_t)behind : want;
	buf_clear(window);
	*state = ZIP_MEMORY;
	if (buf_reserve(window, want) == NULL)
		return NULL;
	*state = read_at(&walk->zip->file, walk->at, window->bytes, want);
	if (*state != ZIP_OK)
		return NULL;
	window->len = want;
	walk->window_at = walk->at;
	return (const unsigned char *)window->bytes;
}

/* Values that did not fit stand in the ZIP64 field, in this order. */
static void read_zip64(const unsigned char *field, size_t len, uint64_t *const values[], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (*values[i] != LARGE32)
			continue;
		if (len < 8)
			return;
		*values[i] = le(field, 8);
		field += 8;
		len -= 8;
	}
}

static void read_extra(struct zip_entry *entry, const unsigned char *extra, size_t len)
{
	uint64_t *const values[] = {&entry->size, &entry->packed, &entry->local};

	while (len >= 4) {
		unsigned id = (unsigned)le(extra, 2);
		size_t n = (size_t)le(extra + 2, 2);

		extra += 4;
		len -= 4;
		if (n > len)
			return;
		if (id == EXTRA_ZIP64)
			read_zip64(extra, n, values, COUNT_OF(values));
		if (id == EXTRA_UPATH && n >= 5 && extra[0] == 1) {
			entry->unicode = extra + 5;
			entry->unicode_len = n - 5;
		}
		extra += n;
		len -= n;
	}
}

static void read_entry(struct zip_entry *entry, const unsigned char *record)
{
	*entry = (struct zip_entry){
	    .flags = (unsigned)le(record + 8, 2),
	    .method = (unsigned)le(record + 10, 2),
	    .crc = (uint32_t)le(record + 16, 4),
	    .packed = le(record + 20, 4),
	    .size = le(record + 24, 4),
	    .name_len = (size_t)le(record + 28, 2),
	    .local = le(record + 42, 4),
	    .name = record + ENTRY_LEN,
	};
	read_extra(entry, record + ENTRY_LEN + entry->name_len, (size_t)le(record + 30, 2));
	entry->encrypted = (entry->flags & ZIP_FLAG_ENCRYPTED) != 0 || entry->method == ZIP_AES;
	entry->is_folder = entry->name_len > 0 && entry->size == 0 &&
			   (record[ENTRY_LEN + entry->name_len - 1] == '/' ||
			       record[ENTRY_LEN + entry->name_len - 1] == '\\');
}

enum zip_state zip_walk_next(struct zip_walk *walk, struct zip_entry *entry)
{
	const struct zip *zip = walk->zip;
	const unsigned char *record;
	enum zip_state state;
	size_t len;

	if (walk->at >= zip->directory_end) {
		/* Archives of more than 65535 members without ZIP64 count modulo 65536. */
		if (walk->count == zip->entries ||
		    (!zip->zip64 && (walk->count & LARGE16) == zip->entries))
			return ZIP_END;
		return ZIP_DAMAGED;
	}

	record = need(walk, ENTRY_LEN, &state);
	if (record == NULL)
		return state;
	if (memcmp(record, "PK\1\2", 4) != 0) {
		/* A digital signature may end the directory. */
		return memcmp(record, "PK\5\5", 4) == 0 ? ZIP_END : ZIP_DAMAGED;
	}
	len = ENTRY_LEN + (size_t)le(record + 28, 2) + (size_t)le(record + 30, 2);
	record = need(walk, len, &state);
	if (record == NULL)
		return state;

	read_entry(entry, record);
	if (__builtin_add_overflow(entry->local, zip->base, &entry->local))
		return ZIP_DAMAGED;
	walk->at += len + le(record + 32, 2);
	walk->count++;
	return ZIP_OK;
}

/*
 * Info-ZIP's Unicode path counts for most programs, if it is there; it repeats a name of another
 * charset.
 */
const char *zip_name(const struct zip_entry *entry, struct buf *name)
{
	if (entry->unicode != NULL && is_utf8(entry->unicode, entry->unicode_len) &&
	    (entry->flags & ZIP_FLAG_UTF8) == 0)
		return member_name(entry->unicode, entry->unicode_len, name);
	return member_name(entry->name, entry->name_len, name);
}

/* The ZIP64 field of a local header, which gives both sizes. */
static enum zip_state local_zip64(
    const struct zip *zip, uint64_t at, size_t len, struct zip_local *local)
{
	uint64_t *const values[] = {&local->size, &local->packed};
	unsigned char *extra = malloc(len + 1);
	enum zip_state state;

	if (extra == NULL)
		return ZIP_MEMORY;
	state = read_at(&zip->file, at, extra, len);
	for (size_t done = 0; state == ZIP_OK && len - done >= 4;) {
		size_t n = (size_t)le(extra + done + 2, 2);

		if (n > len - done - 4)
			break;
		if (le(extra + done, 2) == EXTRA_ZIP64) {
			read_zip64(extra + done + 4, n, values, COUNT_OF(values));
			break;
		}
		done += 4 + n;
	}
	free(extra);
	return state;
}

enum zip_state zip_local_read(const struct zip *zip, uint64_t at, struct zip_local *local)
{
	unsigned char record[LOCAL_LEN];
	enum zip_state state = read_at(&zip->file, at, record, LOCAL_LEN);
	size_t extra;

	if (state != ZIP_OK)
		return state;
	if (memcmp(record, "PK\3\4", 4) != 0)
		return ZIP_DAMAGED;

	extra = (size_t)le(record + 28, 2);
	*local = (struct zip_local){
	    .flags = (unsigned)le(record + 6, 2),
	    .method = (unsigned)le(record + 8, 2),
	    .crc = (uint32_t)le(record + 14, 4),
	    .packed = le(record + 18, 4),
	    .size = le(record + 22, 4),
	    .name_len = (unsigned)le(record + 26, 2),
	};
	local->data = at + LOCAL_LEN + local->name_len + extra;
	if (local->size == LARGE32 || local->packed == LARGE32)
		state = local_zip64(zip, local->data - extra, extra, local);
	return state;
}
