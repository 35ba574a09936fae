/* Whom the first lines greet, and whether that is a recipient (S3-04, N10). */
#include <stdlib.h>
#include <string.h>

#include "lib/inspect/tables.h"
#include "lib/inspect/texts.h"
#include "lib/mime/address.h"
#include "lib/mime/field.h"

#define RECIPIENTS_SEEN ((size_t)1000) /* beyond, the verdict is "unknown" */
#define TEXT_MAX        ((size_t)1024 * 1024)

/* Everybody the mail goes to, with the names that its fields give them. */
struct everybody {
	struct buf text; /* address NUL name NUL … */
	size_t n;
	bool full;
};

static bool add_one(struct everybody *e, const char *address, const char *name)
{
	if (e->n == RECIPIENTS_SEEN) {
		e->full = true;
		return false;
	}
	buf_add(&e->text, address, strlen(address) + 1);
	buf_add(&e->text, name, strlen(name) + 1);
	e->n++;
	return buf_ok(&e->text);
}

static bool see(void *context, const struct address *address)
{
	return *address->text == '\0' || add_one(context, address->text, address->name);
}

static bool read_fields(struct inspection *i, struct everybody *e)
{
	const struct buf *header = inspection_header(i);
	struct field f;
	size_t at = 0;
	unsigned flags;
	bool good = header != NULL;

	while (good && header->len > 0 && field_next(header->bytes, header->len, &at, &f)) {
		if (f.name_len > 0 && (field_is(&f, "To") || field_is(&f, "Cc")))
			good = addresses_read(f.body, f.body_len, see, e, &flags);
	}
	return good;
}

static bool read_envelope(struct inspection *i, struct everybody *e)
{
	const char *at = i->recipients, *end = at + i->recipients_len;
	char address[ADDRESS_TEXT_MAX];

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t len = newline == NULL ? 0 : (size_t)(newline - at);

		if (newline == NULL || len >= sizeof address)
			return false;
		memcpy(address, at, len);
		address[len] = '\0';
		if (!add_one(e, address, ""))
			return false;
		at = newline + 1;
	}
	return true;
}

static enum greeting_verdict compare(struct inspection *i, const struct greeting *greeting)
{
	struct everybody e = {.n = 0};
	struct greeting_recipient *recipients = NULL;
	struct greeting_reader reader = {namer_reading, i->by->namer};
	enum greeting_verdict verdict = GREETING_UNKNOWN;
	const char *at;

	buf_init(&e.text, TEXT_MAX);
	if (read_fields(i, &e) && read_envelope(i, &e) && buf_ok(&e.text))
		recipients = calloc(e.n + 1, sizeof *recipients);
	if (recipients != NULL) {
		at = e.text.bytes;
		for (size_t k = 0; k < e.n; k++) {
			recipients[k].address = at;
			recipients[k].name = at + strlen(at) + 1;
			at = recipients[k].name + strlen(recipients[k].name) + 1;
		}
		verdict =
		    greeting_compare(greeting, recipients, e.n, tables_partners(i->by->tables),
			i->by->namer != NULL ? &reader : NULL, tables_norm(i->by->tables));
	}
	free(recipients);
	buf_free(&e.text);
	return verdict;
}

void tell_greeting(struct inspection *i)
{
	static const char *const honorifics[] = {"none", "given", "missing"};
	const struct greeting_head *head = &i->texts->head;
	struct greeting *g = calloc(1, sizeof *g);

	if (g == NULL) {
		tell_uninspectable(i, "0", "memory", NULL);
		return;
	}
	greeting_read(tables_norm(i->by->tables), head->text, head->len, g);
	FACT(i->out, "greeting", kv("verdict", greeting_verdict_word(compare(i, g))),
	    kv("honorific", honorifics[g->honorific]), kv("everyone", g->everyone ? "yes" : "no"),
	    kv("company", g->companies > 0 ? g->company[0].text : ""),
	    kv("person", g->persons > 0 ? g->person[0].text : ""), kv("line", g->line));
	free(g);
}
