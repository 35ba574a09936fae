/* Any bytes as the name of a file in the spool: what is taken is written back the same. */
#include <stdlib.h>
#include <string.h>

#include "queue/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
	if (!truth)
		abort();
}

static void check_name(const char *text)
{
	struct leg_name name, again;
	char back[NAME_TEXT], child[K_MAX];

	if (!name_parse(text, &name))
		return;
	demand(id_valid(name.id, ID_LEN) && k_valid(name.k));
	demand(name.due == DUE_NONE || (name.due >= 0 && name.due <= DUE_NEVER));
	demand(strchr(text, '/') == NULL && text[0] != '.');

	name_format(&name, name.due == DUE_NONE ? STATE_NEW : STATE_HOLD, back);
	demand(strcmp(back, text) == 0);
	name_format(&name, STATE_SENT, back);
	demand(name_parse(back, &again) && again.due == DUE_NONE && name_same_leg(&name, &again));
	if (k_child(name.k, 7, child))
		demand(k_valid(child));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	demand(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	check_name(text);
	(void)k_valid(text);
	free(text);
	return 0;
}
