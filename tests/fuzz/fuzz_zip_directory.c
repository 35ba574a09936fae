/*
 * The reader of ZIP directories: members lie within the file, the walk ends, what zip_check calls clear
 * can be read, and what is unpacked is not more than the directory promised.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/extract/state.h"
#include "lib/extract/zip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool count(void *context, const char *bytes, size_t len)
{
	uint64_t *left = context;

	(void)bytes;
	if (len > *left)
		abort();
	*left -= len;
	return *left > 0;
}

static void read_members(const struct zip *zip, bool clear)
{
	struct zip_walk walk;
	struct zip_entry entry;
	struct buf name;
	unsigned n = 0;

	buf_init(&name, MEMBER_NAME_MAX);
	zip_walk_begin(&walk, zip);
	while (n++ < 50 && zip_walk_next(&walk, &entry) == ZIP_OK) {
		uint64_t left = entry.size < (1 << 20) ? entry.size : 1 << 20;
		const char *text = zip_name(&entry, &name);
		struct zip_local local;
		enum zip_state state;

		if (!is_utf8(text, strlen(text)))
			abort();
		state = zip_local_read(zip, entry.local, &local);
		if (clear && (state != ZIP_OK || local.data + entry.packed > zip->directory))
			abort();
		if (entry.size < (1 << 20))
			state = zip_unpack(zip, &entry, (struct sink){count, &left});
		if (state == ZIP_OK && entry.size < (1 << 20) && left != 0)
			abort();
	}
	zip_walk_end(&walk);
	buf_free(&name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct source file = {fd, 0, size};
	struct zip zip;

	if (fd < 0 || (size > 0 && write(fd, data, size) != (ssize_t)size))
		abort();
	if (zip_open(&zip, &file) == ZIP_OK) {
		if (zip.directory > zip.directory_end || zip.directory_end > size ||
		    zip.end > size + 65535)
			abort();
		read_members(&zip, zip_check(&zip, 50) == ZIP_OK);
	}
	(void)zip_ends_here(&file);
	close(fd);
	return 0;
}
