/* How a name is read: what MeCab's dictionary says of the words that it consists of. */
#include <string.h>

#include "lib/detect/detect.h"
#include "lib/detect/names_inside.h"

#define NAME_MAX_BYTES ((size_t)120)
#define READING_FIELD  7 /* of the features in IPADIC, from 0 */

/* Behind an honorific a word is read as a name. */
static const char honorific[] = "さん";

/* The field of a CSV line; its length, 0 if there is none. */
static size_t field_of(const char *features, unsigned number, const char **field)
{
	while (number > 0) {
		features = strchr(features, ',');
		if (features == NULL)
			return 0;
		features++;
		number--;
	}
	*field = features;
	return strcspn(features, ",");
}

/* Adds the reading of each word up to `end`. False: one is not known, or reaches beyond. */
static bool read_words(const mecab_node_t *node, const char *end, char *reading, size_t room)
{
	size_t used = 0;

	for (; node != NULL && node->stat != MECAB_EOS_NODE; node = node->next) {
		const char *field;
		size_t len;

		if (node->stat == MECAB_BOS_NODE)
			continue;
		if (node->surface >= end)
			break;
		len = field_of(node->feature, READING_FIELD, &field);
		if (node->surface + node->length > end || len == 0 || len >= room - used)
			return false;
		memcpy(reading + used, field, len);
		used += len;
	}
	reading[used] = '\0';
	return used > 0;
}

bool namer_reading(void *context, const char *name, size_t len, char *reading, size_t room)
{
	struct namer *namer = context;
	char sentence[NAME_MAX_BYTES + sizeof honorific];

	if (len == 0 || len > NAME_MAX_BYTES || room == 0 || memchr(name, '\0', len) != NULL)
		return false;
	memcpy(sentence, name, len);
	memcpy(sentence + len, honorific, sizeof honorific);
	mecab_lattice_clear(namer->lattice);
	mecab_lattice_set_sentence(namer->lattice, sentence);
	if (!mecab_parse_lattice(namer->tagger, namer->lattice))
		return false;
	return read_words(
	    mecab_lattice_get_bos_node(namer->lattice), sentence + len, reading, room);
}
