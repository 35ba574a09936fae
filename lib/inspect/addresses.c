/* Who is addressed, and who is hidden: the fields of the header against the envelope. */
#include <stdlib.h>
#include <string.h>

#include "lib/inspect/facts.h"
#include "lib/mime/address.h"
#include "lib/mime/field.h"

/* F(name of the field, word in facts, whether it names recipients) */
#define ADDRESS_FIELDS(F)                                                                          \
	F("From", "from", false)                                                                   \
	F("Sender", "sender", false)                                                               \
	F("Reply-To", "reply-to", false)                                                           \
	F("To", "to", true)                                                                        \
	F("Cc", "cc", true)                                                                        \
	F("Bcc", "bcc", true)                                                                      \
	F("Resent-From", "resent-from", false)                                                     \
	F("Resent-Sender", "resent-sender", false)                                                 \
	F("Resent-To", "resent-to", true)                                                          \
	F("Resent-Cc", "resent-cc", true) F("Resent-Bcc", "resent-bcc", true)

static const struct address_field {
	const char *name;
	const char *word;
	bool recipients;
} fields[] = {
#define F(name, word, recipients) {name, word, recipients},
    ADDRESS_FIELDS(F)
#undef F
};

/* A recipient of the envelope. */
struct rcpt {
	const char *address;
	const char *key; /* lower case, for finding it; owned */
	bool visible;    /* a field names it */
};

struct addresses {
	struct inspection *i;
	const struct address_field *field;
	unsigned told;     /* flags of its addresses */
	struct rcpt *rcpt; /* in the order of their keys */
	size_t rcpts;
	char *text; /* of the recipients, cut at the newlines */
	char *keys;
};

static int by_key(const void *a, const void *b)
{
	const struct rcpt *x = a, *y = b;

	return strcmp(x->key, y->key);
}

/* The address as address.h has it, in lower case: what two spellings of one mailbox share. */
static void make_key(const char *address, char key[ADDRESS_TEXT_MAX])
{
	const char *at = strrchr(address, '@');
	char domain[ADDRESS_TEXT_MAX];
	size_t n = 0, local = at == NULL ? strlen(address) : (size_t)(at - address);

	for (size_t k = 0; k < local && n + 1 < ADDRESS_TEXT_MAX; k++)
		key[n++] =
		    address[k] >= 'A' && address[k] <= 'Z' ? (char)(address[k] | 0x20) : address[k];
	if (at != NULL) {
		(void)!address_domain(at + 1, strlen(at + 1), domain);
		for (size_t k = 0; domain[k] != '\0' && n + 2 < ADDRESS_TEXT_MAX; k++) {
			if (k == 0)
				key[n++] = '@';
			key[n++] = domain[k];
		}
	}
	key[n] = '\0';
}

static bool open_recipients(struct addresses *a)
{
	struct inspection *i = a->i;
	size_t lines = 0, used = 0, room = 0;

	for (size_t k = 0; k < i->recipients_len; k++)
		lines += i->recipients[k] == '\n';
	if (lines == 0)
		return true;
	a->text = malloc(i->recipients_len + 1);
	a->rcpt = calloc(lines, sizeof *a->rcpt);
	/* A domain's A-label may be longer than its letters. */
	room = 4 * i->recipients_len + ADDRESS_TEXT_MAX;
	a->keys = malloc(room);
	if (a->text == NULL || a->rcpt == NULL || a->keys == NULL)
		return false;
	memcpy(a->text, i->recipients, i->recipients_len);
	a->text[i->recipients_len] = '\0';
	for (char *line = a->text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		char key[ADDRESS_TEXT_MAX];
		size_t len;

		*end = '\0';
		make_key(line, key);
		len = strlen(key) + 1;
		if (len > room - used)
			return false;
		memcpy(a->keys + used, key, len);
		a->rcpt[a->rcpts++] = (struct rcpt){line, a->keys + used, false};
		used += len;
	}
	qsort(a->rcpt, a->rcpts, sizeof *a->rcpt, by_key);
	return true;
}

static void close_recipients(struct addresses *a)
{
	free(a->rcpt);
	free(a->text);
	free(a->keys);
}

/* Marks every recipient with this address; whether there is one. */
static bool mark_visible(struct addresses *a, const char *address)
{
	char key[ADDRESS_TEXT_MAX];
	struct rcpt wanted = {.key = key}, *found;

	if (a->rcpts == 0)
		return false;
	make_key(address, key);
	found = bsearch(&wanted, a->rcpt, a->rcpts, sizeof *a->rcpt, by_key);
	if (found == NULL)
		return false;
	/* They are marked together: to go through them for each address would take its time. */
	if (found->visible)
		return true;
	while (found > a->rcpt && strcmp(found[-1].key, key) == 0)
		found--;
	for (; found < a->rcpt + a->rcpts && strcmp(found->key, key) == 0; found++)
		found->visible = true;
	return true;
}

static void tell_flags(struct addresses *a, const char *address, unsigned flags)
{
	for (unsigned f = 0; f < ADDRESS_FLAG_COUNT; f++) {
		if ((flags & (1u << f)) != 0)
			FACT(a->i->out, "address-flag", kv("field", a->field->word),
			    kv("address", address), kv("flag", address_flag_word(f)));
	}
}

static bool see(void *context, const struct address *address)
{
	struct addresses *a = context;
	bool envelope = false;

	if (address->empty_group)
		return true;
	if (a->field->recipients)
		envelope = mark_visible(a, address->text);
	FACT(a->i->out, "address", kv("field", a->field->word), kv("address", address->text),
	    kv("name", address->name), kv("group", address->group),
	    kv("envelope", envelope ? "yes" : "no"));
	tell_flags(a, address->text, address->flags);
	a->told |= address->flags;
	return !a->i->out->gone;
}

static void read_fields(struct addresses *a, const struct buf *header)
{
	struct field f;
	size_t at = 0;

	while (header->len > 0 && field_next(header->bytes, header->len, &at, &f)) {
		unsigned flags = 0;

		if (f.name_len == 0)
			continue;
		for (size_t k = 0; k < COUNT_OF(fields); k++) {
			if (!field_is(&f, fields[k].name))
				continue;
			a->field = &fields[k];
			a->told = 0;
			if (!addresses_read(f.body, f.body_len, see, a, &flags))
				tell_uninspectable(a->i, "0", "memory", NULL);
			else /* what is odd about the field and about none of its addresses */
				tell_flags(a, "", flags & ~a->told);
		}
	}
}

/* One who is in the envelope and in no field; told once. */
static void tell_hidden(struct addresses *a)
{
	for (size_t k = 0; k < a->rcpts; k++) {
		bool again = k > 0 && strcmp(a->rcpt[k - 1].key, a->rcpt[k].key) == 0;

		if (!a->rcpt[k].visible && !again)
			FACT(a->i->out, "hidden", kv("address", a->rcpt[k].address));
	}
}

void tell_addresses(struct inspection *i)
{
	struct addresses a = {.i = i};
	const struct buf *header = inspection_header(i);

	if (!open_recipients(&a)) {
		tell_uninspectable(i, "0", "memory", NULL);
	} else if (header != NULL) {
		read_fields(&a, header);
		tell_hidden(&a);
	}
	close_recipients(&a);
}
