/*
 * What lib/mime sees in messages, as told.h says it; besides, "names" (every reading of a file's name),
 * "flags" of each leaf and of the message, and "limits".
 *
 *	driver FILE...
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/mime/scan.h"
#include "lib/text/charset.h"
#include "tests/mime/told.h"

#define BOUND ((size_t)256 << 20)

static const struct mime_limits LIMITS = {.depth = 100, .parts = 10000, .header = 1 << 20};

static bool take(void *context, const char *bytes, size_t len)
{
	struct buf *b = context;

	buf_add(b, bytes, len);
	return buf_ok(b);
}

static json_t *flags_of(uint64_t flags)
{
	json_t *words = json_array();

	for (enum mime_flag_number i = 0; i < MIME_FLAG_COUNT; i++)
		if ((flags & UINT64_C(1) << i) != 0 && mime_flag_ambiguous(i))
			json_array_append_new(words, json_string(mime_flag_word(i)));
	return words;
}

static json_t *names_of(const struct source *source, const struct mime_part *part)
{
	struct param_readings names;
	json_t *all = json_array();

	param_readings_init(&names);
	or_end(mime_names(source, part, LIMITS.header, &names), "mime_names");
	for (size_t i = 0; i < names.count; i++)
		or_end(json_array_append_new(
			   all, json_stringn(param_reading(&names, i), names.all[i].len)) == 0,
		    "a name that is no UTF-8");
	param_readings_free(&names);
	return all;
}

static json_t *text_of(const struct mime_part *part, const struct buf *content)
{
	struct buf text;
	json_t *told;

	buf_init(&text, BOUND);
	or_end(charset_convert(part->charset, content->bytes, content->len, &text), "charset");
	told = json_stringn(text.len == 0 ? "" : text.bytes, text.len);
	or_end(told != NULL, "a text that is no UTF-8");
	buf_free(&text);
	return told;
}

static json_t *leaf(const struct source *source, const struct mime_tree *tree, size_t i)
{
	const struct mime_part *part = &tree->parts[i];
	struct source body = source_part(source, part->body, part->end - part->body);
	char path[MIME_PATH_MAX], type[2 * MIME_TYPE_MAX + 2];
	struct transfer_reader reader;
	struct buf content;
	json_t *told;

	buf_init(&content, BOUND);
	or_end(mime_path(tree, i, path, sizeof path), "mime_path");
	or_end(transfer_source(&reader, part->encoding, &body, (struct sink){take, &content}),
	    "transfer");
	snprintf(type, sizeof type, "%s/%s", part->type, part->subtype);

	told = leaf_of(path, type, part->name, content.len == 0 ? "" : content.bytes, content.len);
	json_object_set_new(told, "names", names_of(source, part));
	json_object_set_new(told, "flags", flags_of(part->flags));
	if (strcmp(part->type, "text") == 0)
		json_object_set_new(told, "text", text_of(part, &content));
	buf_free(&content);
	return told;
}

static void message(const char *path)
{
	struct stat st;
	struct source source = {.fd = open(path, O_RDONLY | O_CLOEXEC)};
	struct mime_tree tree;
	json_t *told = json_object(), *leaves = json_array();

	or_end(source.fd >= 0 && fstat(source.fd, &st) == 0, path);
	source.size = (uint64_t)st.st_size;
	or_end(mime_scan(&source, &LIMITS, &tree), "mime_scan");
	for (size_t i = 0; i < tree.count; i++)
		if (mime_is_leaf(&tree.parts[i]))
			json_array_append_new(leaves, leaf(&source, &tree, i));

	json_object_set_new(told, "message", json_string(path));
	json_object_set_new(told, "leaves", leaves);
	json_object_set_new(told, "flags", flags_of(tree.flags));
	json_object_set_new(told, "limits", json_integer(tree.limits));
	tell(told);
	mime_tree_free(&tree);
	close(source.fd);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		message(argv[i]);
	return 0;
}
