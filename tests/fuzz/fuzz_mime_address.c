/*
 * Addresses in a field: what is told holds no line end and no NUL; each one, written as a field of its
 * own, is seen again as the same; an address behind the field is seen whatever stands before, unless
 * something is left open.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/mime/address.h"

#define ONE_MORE ",\r\n boss@example.co.jp"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	const char *text; /* looked for */
	bool there;
	size_t n;
};

static bool again(void *context, const struct address *a)
{
	struct seen *s = context;

	s->n++;
	s->there |= address_same(a->text, s->text);
	return true;
}

static void check_text(const char *text, size_t most)
{
	if (strlen(text) > most || strpbrk(text, "\r\n") != NULL)
		abort();
}

static bool see(void *context, const struct address *a)
{
	struct seen same = {.text = a->text};
	unsigned flags;

	(void)context;
	check_text(a->text, ADDRESS_TEXT_MAX);
	check_text(a->name, ADDRESS_NAME_MAX + 1);
	check_text(a->group, ADDRESS_NAME_MAX + 2);
	if (a->domain < a->text || a->domain > a->text + strlen(a->text))
		abort();
	if (a->empty_group && a->text[0] != '\0')
		abort();
	if (a->text[0] == '\0' || a->flags != 0)
		return true;
	if (!addresses_read(a->text, strlen(a->text), again, &same, &flags) || same.n != 1 ||
	    !same.there)
		abort();
	return true;
}

static void one_more(const char *body, size_t size)
{
	size_t more = sizeof ONE_MORE - 1;
	char *longer = malloc(size + more);
	struct seen boss = {.text = "boss@example.co.jp"};
	unsigned flags;

	if (longer == NULL)
		abort();
	if (size > 0)
		memcpy(longer, body, size);
	memcpy(longer + size, ONE_MORE, more);
	if (!addresses_read(longer, size + more, again, &boss, &flags))
		abort();
	if (!boss.there && (flags & (ADDRESS_UNENDED | ADDRESS_BLANK)) == 0)
		abort();
	free(longer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *body = (const char *)data;
	unsigned flags;

	if (size == 0)
		return 0;
	if (!addresses_read(body, size, see, NULL, &flags))
		abort();
	if (flags == 0)
		one_more(body, size);
	return 0;
}
