/* A member's bytes. */
#include "lib/extract/zip.h"

#include <stdlib.h>
#include <zlib.h>

#include "lib/extract/unpack.h"

#define IN_ROOM  ((size_t)32768)
#define OUT_ROOM ((size_t)65536)

struct inflating {
	z_stream stream;
	struct source packed;
	uint64_t at;   /* in packed */
	uint64_t size; /* bytes out so far */
	uint64_t most; /* what the directory says */
	uLong crc;
	struct sink out;
	unsigned char in[IN_ROOM];
	unsigned char bytes[OUT_ROOM];
};

/* What came out goes on. More than the directory promised is damage, and goes nowhere. */
static enum zip_state pass(struct inflating *i, const unsigned char *bytes, size_t len)
{
	if (len > i->most - i->size)
		return ZIP_DAMAGED;
	i->size += len;
	i->crc = crc32(i->crc, bytes, (uInt)len);
	return sink_put(&i->out, (const char *)bytes, len) ? ZIP_OK : ZIP_STOPPED;
}

static enum zip_state fill(struct inflating *i)
{
	ssize_t n = source_read(&i->packed, i->at, i->in, IN_ROOM);

	if (n < 0)
		return ZIP_READ;
	i->at += (uint64_t)n;
	i->stream.next_in = i->in;
	i->stream.avail_in = (uInt)n;
	return n == 0 ? ZIP_DAMAGED : ZIP_OK; /* it ends too soon */
}

static enum zip_state inflate_all(struct inflating *i)
{
	enum zip_state state = ZIP_OK;
	int said = Z_OK;

	i->stream.avail_out = 1;
	while (state == ZIP_OK && said != Z_STREAM_END) {
		/* A full buffer may mean that more is to come out of what was read already. */
		if (i->stream.avail_in == 0 && i->stream.avail_out > 0)
			state = fill(i);
		if (state != ZIP_OK)
			break;
		i->stream.next_out = i->bytes;
		i->stream.avail_out = (uInt)OUT_ROOM;
		said = inflate(&i->stream, Z_NO_FLUSH);
		state = pass(i, i->bytes, OUT_ROOM - i->stream.avail_out);
		if (said == Z_MEM_ERROR)
			return ZIP_MEMORY;
		if (state == ZIP_OK && said != Z_OK && said != Z_STREAM_END && said != Z_BUF_ERROR)
			return ZIP_DAMAGED;
	}
	/* Bytes of the member behind the end of its stream are seen by some programs alone. */
	if (state == ZIP_OK && (i->stream.avail_in > 0 || i->at < i->packed.size))
		state = ZIP_DAMAGED;
	return state;
}

static enum zip_state copy_all(struct inflating *i)
{
	enum zip_state state = ZIP_OK;

	while (state == ZIP_OK && i->at < i->packed.size) {
		state = fill(i);
		if (state == ZIP_OK)
			state = pass(i, i->in, i->stream.avail_in);
	}
	return state;
}

static bool take_other(void *context, const char *bytes, size_t len)
{
	struct inflating *i = context;

	return pass(i, (const unsigned char *)bytes, len) == ZIP_OK;
}

/* Methods that libarchive knows: it reads the member as a ZIP that ends behind it. */
static enum zip_state other_method(
    struct inflating *i, const struct zip *zip, const struct zip_entry *entry)
{
	uint64_t behind = i->packed.start + i->packed.size - zip->file.start;
	struct source slice = source_part(
	    &zip->file, entry->local, behind + 24 - entry->local); /* and a descriptor */

	return unpack_zip_member(&slice, (struct sink){take_other, i});
}

enum zip_state zip_unpack(const struct zip *zip, const struct zip_entry *entry, struct sink out)
{
	struct zip_local local;
	struct inflating *i;
	enum zip_state state = zip_local_read(zip, entry->local, &local);

	if (state != ZIP_OK)
		return state;
	if (local.data > zip->file.size || entry->packed > zip->file.size - local.data)
		return ZIP_DAMAGED;
	i = malloc(sizeof *i);
	if (i == NULL)
		return ZIP_MEMORY;
	i->stream = (z_stream){0};
	i->packed = source_part(&zip->file, local.data, entry->packed);
	i->at = i->size = 0;
	i->most = entry->size;
	i->crc = crc32(0, NULL, 0);
	i->out = out;

	if (entry->method == ZIP_STORED) {
		state = copy_all(i);
	} else if (entry->method == ZIP_DEFLATED) {
		state = inflateInit2(&i->stream, -MAX_WBITS) == Z_OK ? ZIP_OK : ZIP_MEMORY;
		if (state == ZIP_OK)
			state = inflate_all(i);
		(void)inflateEnd(&i->stream);
	} else {
		state = other_method(i, zip, entry);
	}
	if (state == ZIP_OK && (i->size != entry->size || i->crc != entry->crc))
		state = ZIP_DAMAGED;
	free(i);
	return state;
}
