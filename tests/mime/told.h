/*
 * What a parser sees in a message, as one line of JSON, in the same words for each parser:
 *
 *	{"message": PATH, "leaves": [{"path", "type", "name", "size", "sha256", "lines", "text"} ...], ...}
 *
 * "sha256" and "size" are of the decoded bytes, "lines" is the digest of the same without CR and without
 * line ends at the end, for parsers that do not keep them. "text" is there where the parser gives one.
 */
#ifndef SEKISHO_TESTS_MIME_TOLD_H
#define SEKISHO_TESTS_MIME_TOLD_H

#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_ROOM 4096

static inline void or_end(bool fine, const char *what)
{
	if (fine)
		return;
	fprintf(stderr, "%s\n", what);
	exit(1);
}

/* Of all bytes, or of those that are no CR, without LF at the end. */
static inline json_t *digest_of(const char *bytes, size_t len, bool lines)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	char hex[2 * EVP_MAX_MD_SIZE + 1] = "";
	unsigned size = 0;
	size_t kept = 0;
	char *copy = malloc(len + 1);

	or_end(copy != NULL, "memory");
	for (size_t i = 0; i < len; i++)
		if (!lines || bytes[i] != '\r')
			copy[kept++] = bytes[i];
	while (lines && kept > 0 && copy[kept - 1] == '\n')
		kept--;
	or_end(EVP_Digest(copy, kept, sum, &size, EVP_sha256(), NULL) == 1, "sha256");
	free(copy);
	for (unsigned i = 0; i < size; i++)
		snprintf(hex + 2 * (size_t)i, 3, "%02x", sum[i]);
	return json_string(hex);
}

/* `name` NULL: it has none. Everything in UTF-8. */
static inline json_t *leaf_of(
    const char *path, const char *type, const char *name, const char *bytes, size_t len)
{
	json_t *leaf = json_object();

	or_end(json_object_set_new(leaf, "path", json_string(path)) == 0 &&
		   json_object_set_new(leaf, "type", json_string(type)) == 0 &&
		   json_object_set_new(leaf, "name", json_string(name == NULL ? "" : name)) == 0 &&
		   json_object_set_new(leaf, "size", json_integer((json_int_t)len)) == 0 &&
		   json_object_set_new(leaf, "sha256", digest_of(bytes, len, false)) == 0 &&
		   json_object_set_new(leaf, "lines", digest_of(bytes, len, true)) == 0,
	    "a text that is no UTF-8");
	return leaf;
}

static inline void tell(json_t *told)
{
	char *line = json_dumps(told, JSON_COMPACT | JSON_ENSURE_ASCII);

	or_end(line != NULL, "json_dumps");
	puts(line);
	free(line);
	json_decref(told);
}

#endif
