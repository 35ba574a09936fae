/* What is in a compound file: documents of Office, messages, or something else. */
#include "lib/extract/ole.h"

#include <stdio.h>
#include <string.h>

/* A storage is known by the streams in it. */
struct document {
	const char *stream;
	enum file_format format;
	void (*read)(struct inside *in, struct ole *ole, uint32_t storage);
};

static const struct document documents[] = {
    {"WordDocument", FORMAT_DOC, read_word},
    {"Workbook", FORMAT_XLS, read_excel},
    {"Book", FORMAT_XLS, read_old_excel},
    {"PowerPoint Document", FORMAT_PPT, read_ppt},
    {"__properties_version1.0", FORMAT_MSG, read_msg},
};

void ole_is_encrypted(struct inside *in, uint32_t storage)
{
	if (storage == OLE_ROOT)
		in->found->encrypted = ENCRYPTED_ALL;
	else if (in->found->encrypted == ENCRYPTED_NO)
		in->found->encrypted = ENCRYPTED_SOME;
	inside_fault(in, EXTRACT_ENCRYPTED);
}

bool ole_open_told(struct inside *in, struct ole *ole, uint32_t number, struct ole_stream *stream)
{
	if (ole_entry(ole, number)->kind != OLE_STREAM) {
		inside_fault(in, EXTRACT_DAMAGED);
		return false;
	}
	if (!ole_stream_open(ole, number, stream)) {
		inside_fault(in, EXTRACT_MEMORY);
		return false;
	}
	if (stream->cut)
		inside_fault(in, EXTRACT_DAMAGED);
	return true;
}

bool ole_read_told(
    struct inside *in, const struct ole_stream *stream, uint64_t at, void *into, size_t len)
{
	ssize_t n = ole_read(stream, at, into, len);

	if (n == (ssize_t)len)
		return true;
	inside_fault(in, n < 0 ? EXTRACT_READ : EXTRACT_DAMAGED);
	return false;
}

static void set_type(struct inside *in, enum file_format format, const char *type)
{
	in->found->format = format;
	(void)snprintf(in->found->type, sizeof in->found->type, "%s", type);
}

static const char *type_of(enum file_format format)
{
	static const char *const types[] = {
#define F(name, word, type) [FORMAT_##name] = type,
	    FILE_FORMATS(F)
#undef F
	};

	return types[format];
}

/*
 * OOXML with a password (MS-OFFCRYPTO 2.3.4), or with restricted rights (2.2): the package is one
 * encrypted stream.
 */
static bool is_encrypted_package(const struct ole *ole, uint32_t storage)
{
	return (ole_find(ole, storage, "EncryptedPackage") != OLE_NONE &&
		   ole_find(ole, storage, "EncryptionInfo") != OLE_NONE) ||
	       ole_find(ole, storage,
		   "\x09"
		   "DRMContent") != OLE_NONE ||
	       (ole_find(ole, storage, "EncryptedPackage") != OLE_NONE &&
		   ole_find(ole, storage,
		       "\x06"
		       "DataSpaces") != OLE_NONE);
}

/* Files that were put into a document. */
static void read_objects(struct inside *in, struct ole *ole, uint32_t storage)
{
	uint32_t native = ole_find(ole, storage, "\x01Ole10Native");
	uint32_t package = ole_find(ole, storage, "Package");
	uint32_t contents = ole_find(ole, storage, "CONTENTS");

	if (native != OLE_NONE)
		read_native(in, ole, native);
	if (package != OLE_NONE)
		read_stream_as_file(in, ole, package, 0, "object");
	if (contents != OLE_NONE)
		read_stream_as_file(in, ole, contents, 0, "object");
}

static bool is_part_of_message(const struct ole_entry *e)
{
	return ole_name_begins(e, "__attach") || ole_name_begins(e, "__recip");
}

/* Returns how many kinds of documents it holds. */
static unsigned read_storage(struct inside *in, struct ole *ole, uint32_t storage)
{
	unsigned kinds = 0;

	if (is_encrypted_package(ole, storage)) {
		if (storage == OLE_ROOT)
			set_type(in, FORMAT_OOXML, "application/encrypted");
		ole_is_encrypted(in, storage);
		return 1;
	}
	for (size_t i = 0; i < COUNT_OF(documents); i++) {
		const struct document *d = &documents[i];

		if (ole_find(ole, storage, d->stream) == OLE_NONE ||
		    (d->format == FORMAT_MSG && is_part_of_message(ole_entry(ole, storage))))
			continue;
		/* One for old programs and for new ones has both, and both are read. */
		kinds += kinds == 0 || d->read != read_old_excel;
		if (storage == OLE_ROOT && kinds == 1)
			set_type(in, d->format, type_of(d->format));
		d->read(in, ole, storage);
		inside_text_ends(in);
	}
	if (storage != OLE_ROOT && in->deep)
		read_objects(in, ole, storage);
	return kinds;
}

static void read_storages(struct inside *in, struct ole *ole)
{
	unsigned kinds = read_storage(in, ole, OLE_ROOT);

	if (kinds == 0)
		inside_fault(in, EXTRACT_FORMAT);
	else if (kinds > 1)
		inside_fault(in, EXTRACT_AMBIGUOUS);
	for (uint32_t i = 1; i < ole_entries(ole); i++) {
		const struct ole_entry *e = ole_entry(ole, i);

		if (e->kind == OLE_STORAGE && e->parent != OLE_NONE)
			(void)read_storage(in, ole, i);
	}
}

void read_ole(struct inside *in)
{
	static const enum extract_fault faults[] = {[OLE_DAMAGED] = EXTRACT_DAMAGED,
	    [OLE_UNREAD] = EXTRACT_READ,
	    [OLE_NO_MEMORY] = EXTRACT_MEMORY};
	enum ole_status status;
	struct ole *ole = ole_open(&in->file, &status);

	in->found->encrypted = ENCRYPTED_NO;
	if (status != OLE_OK)
		inside_fault(in, faults[status]);
	if (ole == NULL)
		in->found->encrypted = ENCRYPTED_UNKNOWN;
	else
		read_storages(in, ole);
	ole_close(ole);
}
