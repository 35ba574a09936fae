/* What the detectors found, told when all texts have been seen. */
#include <string.h>

#include "lib/inspect/said.h"
#include "lib/inspect/tables.h"
#include "lib/inspect/texts.h"

#define PLACE_MASKS (1u << PLACE_COUNT)

/* "body,files" */
static void join_places(unsigned places, char text[64])
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned p = 0; p < PLACE_COUNT; p++) {
		if ((places & (1u << p)) == 0)
			continue;
		if (used > 0)
			text[used++] = ',';
		used = (size_t)(stpcpy(text + used, detect_place_word(p)) - text);
	}
}

/* ---- personal data ---- */

struct telling {
	struct inspection *i;
	enum detect_kind kind;
	size_t count[PLACE_MASKS]; /* distinct values seen in exactly these places */
	size_t shown;
};

static bool count_value(void *context, const char *value, size_t len, unsigned places)
{
	struct telling *t = context;

	(void)value;
	(void)len;
	t->count[places & (PLACE_MASKS - 1)]++;
	return true;
}

static bool show_value(void *context, const char *value, size_t len, unsigned places)
{
	struct telling *t = context;
	char text[4 * HITS_VALUE_MAX], in[64];

	if (t->shown >= t->i->by->ask.evidence)
		return false;
	t->shown++;
	if (t->i->by->ask.unmask && len < sizeof text) {
		memcpy(text, value, len);
		text[len] = '\0';
	} else {
		(void)hits_mask(t->kind, value, len, text, sizeof text);
	}
	join_places(places, in);
	FACT(t->i->out, "pii-value", kv("kind", detect_kind_word(t->kind)), kv("places", in),
	    kv("value", text));
	return true;
}

static void tell_kind(struct inspection *i, enum detect_kind kind)
{
	const struct hits *hits = i->texts->hits;
	struct telling t = {.i = i, .kind = kind};
	char in[64];

	hits_each(hits, kind, count_value, &t);
	for (unsigned places = 1; places < PLACE_MASKS; places++) {
		if (t.count[places] == 0)
			continue;
		join_places(places, in);
		FACT(i->out, "pii", kv("kind", detect_kind_word(kind)), kv("places", in),
		    kv_num("count", (int64_t)t.count[places]));
	}
	if (hits_full(hits, kind))
		FACT(i->out, "pii-more", kv("kind", detect_kind_word(kind)));
	hits_each(hits, kind, show_value, &t);
}

/* ---- companies ---- */

static bool tell_company(void *context, size_t partner, unsigned places)
{
	struct inspection *i = context;
	const struct partners *partners = tables_partners(i->by->tables);
	char in[64];

	join_places(places, in);
	FACT(i->out, "company", kv("name", partner_name(partners, partner)),
	    kv("domain", partner_domain(partners, partner)), kv("places", in));
	return !i->out->gone;
}

/* ---- all of it ---- */

void tell_evidence(struct inspection *i)
{
	struct texts *t = i->texts;

	for (unsigned kind = 0; kind < DETECT_KIND_COUNT; kind++) {
		if ((i->by->ask.kinds & (1u << kind)) != 0)
			tell_kind(i, kind);
	}
	if (t->named != NULL)
		partners_named_each(t->named, tell_company, i);
	if (t->said != NULL)
		said_tell(t->said, i->out);
	if ((i->by->ask.want & (1u << WANT_GREETING)) != 0)
		tell_greeting(i);
	i->promises = t->promise.found;
	if (t->promise.found)
		FACT(i->out, "promise", kv("text", t->promise.sentence));
	if (t->cut)
		tell_uninspectable(i, "0", "names", NULL);
	if (t->failed)
		tell_uninspectable(i, "0", "memory", NULL);
	if ((i->by->ask.kinds & (1u << DETECT_NAME)) != 0 && i->by->namer == NULL)
		tell_uninspectable(i, "0", "dictionary", NULL);
}
