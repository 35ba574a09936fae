/*
 * What GMime sees in messages, as told.h says it.
 *
 *	gmime FILE...
 */
#include <stdbool.h>

#include <gmime/gmime.h>

#include "tests/mime/told.h"

static json_t *leaf(const char *path, GMimePart *part, const char *type)
{
	GMimeDataWrapper *content = g_mime_part_get_content(part);
	GMimeStream *memory = g_mime_stream_mem_new();
	const char *raw = g_mime_part_get_filename(part);
	char *name = raw == NULL ? NULL : g_utf8_make_valid(raw, -1), *text, *valid;
	GByteArray *bytes;
	json_t *told;

	if (content != NULL)
		g_mime_data_wrapper_write_to_stream(content, memory);
	bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(memory));
	told = leaf_of(path, type, name, (const char *)bytes->data, bytes->len);

	if (GMIME_IS_TEXT_PART(part) && (text = g_mime_text_part_get_text(GMIME_TEXT_PART(part)))) {
		valid = g_utf8_make_valid(text, -1);
		json_object_set_new(told, "text", json_string(valid));
		g_free(valid);
		g_free(text);
	}
	g_free(name);
	g_object_unref(memory);
	return told;
}

static void walk(json_t *leaves, const char *path, GMimeObject *object);

/* A message: its only part is PATH.1, those of a multipart are PATH.1, PATH.2 and so on. */
static void within(json_t *leaves, const char *path, GMimeMessage *message)
{
	GMimeObject *top = message == NULL ? NULL : g_mime_message_get_mime_part(message);
	char only[PATH_ROOM];

	snprintf(only, sizeof only, "%s%s1", path, path[0] == '\0' ? "" : ".");
	if (top != NULL)
		walk(leaves, GMIME_IS_MULTIPART(top) ? path : only, top);
}

static void walk(json_t *leaves, const char *path, GMimeObject *object)
{
	char type[PATH_ROOM], below[PATH_ROOM];
	GMimeContentType *declared = g_mime_object_get_content_type(object);
	char *word = g_mime_content_type_get_mime_type(declared);
	char *lower = g_utf8_strdown(word, -1), *valid = g_utf8_make_valid(lower, -1);

	snprintf(type, sizeof type, "%s", valid);
	g_free(word);
	g_free(lower);
	g_free(valid);

	if (GMIME_IS_MULTIPART(object)) {
		for (int i = 0; i < g_mime_multipart_get_count(GMIME_MULTIPART(object)); i++) {
			snprintf(
			    below, sizeof below, "%s%s%d", path, path[0] == '\0' ? "" : ".", i + 1);
			walk(leaves, below, g_mime_multipart_get_part(GMIME_MULTIPART(object), i));
		}
	} else if (GMIME_IS_MESSAGE_PART(object)) {
		within(leaves, path, g_mime_message_part_get_message(GMIME_MESSAGE_PART(object)));
	} else if (GMIME_IS_PART(object)) {
		json_array_append_new(leaves, leaf(path, GMIME_PART(object), type));
	}
}

static void message(const char *path)
{
	GMimeStream *stream = g_mime_stream_file_open(path, "r", NULL);
	GMimeParser *parser;
	GMimeMessage *parsed;
	json_t *told = json_object(), *leaves = json_array();

	or_end(stream != NULL, path);
	parser = g_mime_parser_new_with_stream(stream);
	parsed = g_mime_parser_construct_message(parser, NULL);
	within(leaves, "", parsed);
	json_object_set_new(told, "message", json_string(path));
	json_object_set_new(told, "leaves", leaves);
	tell(told);
	if (parsed != NULL)
		g_object_unref(parsed);
	g_object_unref(parser);
	g_object_unref(stream);
}

int main(int argc, char **argv)
{
	g_mime_init();
	for (int i = 1; i < argc; i++)
		message(argv[i]);
	g_mime_shutdown();
	return 0;
}
