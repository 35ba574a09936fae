/* Why a rule matched: what stands in the message, masked and short, for people. */
#include <stdio.h>
#include <string.h>

#include "lib/mime/utf8.h"
#include "lib/policy/inside.h"

#define EVIDENCE_MAX 300 /* bytes */
#define SHOWN        3   /* of many */

struct writing {
	struct judging *j;
	char text[EVIDENCE_MAX + 1];
	size_t len;
	bool full;
};

/* ---- letters ------------------------------------------------------------------------------ */

/* Bytes of the letter, and whether it can be shown. */
static size_t letter(const char *text, bool *shown)
{
	uint32_t point = 0;
	size_t len = utf8_step(text, strnlen(text, 4), &point);

	*shown = len > 0 && point >= ' ' && point != 0x7f && !utf8_unseen(point);
	return len > 0 ? len : 1;
}

/* Whole letters; what is none, and what would break the line, is a blank. */
static void add(struct writing *w, const char *text)
{
	static const char more[] = "…";

	while (*text != '\0' && !w->full) {
		bool shown;
		size_t len = letter(text, &shown);

		if (w->len + len + strlen(more) > EVIDENCE_MAX) {
			w->len = (size_t)(stpcpy(w->text + w->len, more) - w->text);
			w->full = true;
			return;
		}
		if (shown)
			memcpy(w->text + w->len, text, len);
		else
			w->text[w->len] = ' ';
		w->len += shown ? len : 1;
		text += len;
	}
	w->text[w->len] = '\0';
}

static void add_number(struct writing *w, uint64_t n)
{
	char text[24];

	(void)snprintf(text, sizeof text, "%llu", (unsigned long long)n);
	add(w, text);
}

static void add_part(struct writing *w)
{
	if (w->len > 0)
		add(w, ", ");
}

static void add_counted(struct writing *w, const char *what, uint64_t n)
{
	add_part(w);
	add(w, what);
	add(w, " ");
	add_number(w, n);
}

static void add_size(struct writing *w, const char *what, uint64_t bytes)
{
	char text[64];

	if (bytes < 1024)
		(void)snprintf(text, sizeof text, "%s %llu bytes", what, (unsigned long long)bytes);
	else if (bytes < 1024 * 1024)
		(void)snprintf(text, sizeof text, "%s %.1f KB", what, (double)bytes / 1024);
	else
		(void)snprintf(
		    text, sizeof text, "%s %.1f MB", what, (double)bytes / (1024.0 * 1024));
	add_part(w);
	add(w, text);
}

/* Up to SHOWN of them, "(a, b …)"; `*n` counts on. False: there are more than are shown. */
static bool add_shown(struct writing *w, size_t *n, const char *text)
{
	if (*n == SHOWN) {
		add(w, " …");
		(*n)++;
	}
	if (*n > SHOWN)
		return false;
	add(w, *n == 0 ? " (" : ", ");
	add(w, text);
	(*n)++;
	return true;
}

static void end_shown(struct writing *w, size_t n)
{
	if (n > 0)
		add(w, ")");
}

/* "in 名簿.xlsx", if only that file can be meant; else "in body, files". */
static void add_places(struct writing *w, unsigned places)
{
	const struct facts *f = w->j->facts;
	const char *between = " in ";

	if (places == (1u << PLACE_FILES) && f->files.n == 1 && f->files.at[0].name[0] != '\0') {
		add(w, " in ");
		add(w, f->files.at[0].name);
		return;
	}
	if (places == ALL_PLACES)
		return;
	for (unsigned p = 0; p < PLACE_COUNT; p++) {
		if ((places & (1u << p)) == 0)
			continue;
		add(w, between);
		add(w, detect_place_word(p));
		between = ", ";
	}
}

/* ---- content ------------------------------------------------------------------------------ */

/* "name 14 (山*太郎 …) in 名簿.xlsx" */
static void tell_pii(struct writing *w, const struct rule_condition *c)
{
	const struct facts *f = w->j->facts;

	for (size_t i = 0; i < c->piis; i++) {
		enum detect_kind kind = c->pii[i].kind;
		uint64_t n = pii_count(f, kind, c->places);
		size_t shown = 0;

		if (!count_compares(&c->pii[i].count, n))
			continue;
		add_counted(w, detect_kind_word(kind), n);
		for (size_t k = 0; k < f->values.n; k++) {
			if (f->values.at[k].number == kind &&
			    (f->values.at[k].places & c->places) != 0 &&
			    !add_shown(w, &shown, f->values.at[k].text))
				break;
		}
		end_shown(w, shown);
		add_places(w, c->places);
	}
}

static uint64_t count_in(const struct fact_count *count, unsigned places)
{
	uint64_t sum = 0;

	for (unsigned p = 0; count != NULL && p < PLACE_COUNT; p++)
		sum += (places & (1u << p)) != 0 ? count->count[p] : 0;
	return sum;
}

static void tell_list(struct writing *w, const char *list)
{
	const struct facts *f = w->j->facts;
	size_t shown = 0;

	for (size_t i = 0; i < f->list_words.n; i++) {
		if (strcmp(f->list_words.at[i].list, list) == 0 &&
		    !add_shown(w, &shown, f->list_words.at[i].text))
			break;
	}
	end_shown(w, shown);
}

static void tell_texts(struct writing *w, const struct rule_condition *c)
{
	const struct facts *f = w->j->facts;

	for (size_t i = 0; i < c->texts; i++) {
		uint64_t n = count_in(count_of(f, c, &c->text[i]), c->places);

		if (n == 0)
			continue;
		add_counted(w, c->text[i].text, n);
		if (c->text[i].list)
			tell_list(w, c->text[i].text);
		add_places(w, c->places);
	}
}

/* What an expression matched is shown masked; the expression itself stands in the rule. */
static void tell_regex(struct writing *w, const struct rule_condition *c)
{
	const struct facts *f = w->j->facts;
	size_t shown = 0;

	add_counted(w, "regex", count_in(count_of(f, c, &c->text[0]), c->places));
	for (size_t i = 0; i < f->regex_values.n; i++) {
		if (f->regex_values.at[i].number == c->text[0].number &&
		    !add_shown(w, &shown, f->regex_values.at[i].text))
			break;
	}
	end_shown(w, shown);
	add_places(w, c->places);
}

static const char *name_of(const struct fact_file *file)
{
	return file->name[0] != '\0' ? file->name : "a file without a name";
}

static void tell_files(struct writing *w, const struct rule_condition *c)
{
	const struct facts *f = w->j->facts;
	size_t shown = 0;

	for (size_t i = 0; i < f->files.n; i++) {
		if (file_answer(w->j, c, &f->files.at[i]).truth != TRUTH_YES)
			continue;
		if (shown == SHOWN) {
			add(w, " …");
			return;
		}
		add_part(w);
		add(w, name_of(&f->files.at[i]));
		shown++;
	}
}

static void tell_sizes(struct writing *w, const struct rule_condition *c)
{
	const struct facts *f = w->j->facts;
	uint64_t size = 0;

	if (c->kind == COND_FILES_COUNT) {
		add_counted(w, "files", f->files.n);
		return;
	}
	for (size_t i = 0; i < f->files.n; i++)
		size += f->files.at[i].size;
	add_size(w, "files", size);
}

/* ---- the header --------------------------------------------------------------------------- */

static void tell_header(struct writing *w, const struct rule_condition *c)
{
	const struct facts *f = w->j->facts;
	struct subject *all = header_subjects(w->j);
	enum fact_field field = c->kind == COND_MISMATCHED ? FIELD_FROM : field_of(c->field);
	size_t shown = 0;

	for (size_t i = 0; all != NULL && i < f->addresses.n && shown <= SHOWN; i++) {
		if (f->addresses.at[i].field != field || all[i].address[0] == '\0' ||
		    (c->kind == COND_HEADER_WHO &&
			who_is(w->j, &all[i], SIZE_MAX, c).truth != TRUTH_YES))
			continue;
		add_part(w);
		if (shown == 0) {
			add(w, c->kind == COND_MISMATCHED ? "from" : c->field);
			add(w, " ");
		}
		add(w, shown == SHOWN ? "…" : all[i].address);
		shown++;
	}
}

static void tell_class(struct writing *w, const struct rule_condition *c)
{
	size_t place = c->has_class ? (size_t)c->class : CLASS_COUNT;
	char what[64];

	(void)snprintf(what, sizeof what, "%s%s%s",
	    c->kind == COND_VISIBLE ? "visible" : "recipients", c->has_class ? " " : "",
	    c->has_class ? policy_class_word(c->class) : "");
	add_counted(
	    w, what, c->kind == COND_VISIBLE ? w->j->visible[place] : w->j->recipients[place]);
}

static void tell_trait(struct writing *w, const struct rule_condition *c)
{
	const struct facts_against *against;

	if (c->not || w->j->facts == NULL)
		return;
	against = facts_against(w->j->facts);
	add_part(w);
	add(w, policy_trait_word(c->trait));
	if (c->trait == TRAIT_UNINSPECTABLE || c->trait == TRAIT_AMBIGUOUS ||
	    c->trait == TRAIT_VIRUS) {
		add(w, " ");
		add(w, c->trait == TRAIT_UNINSPECTABLE ? against->reason
		       : c->trait == TRAIT_VIRUS       ? against->virus_name
						       : against->ambiguity);
	}
}

static void tell_time(struct writing *w)
{
	const struct tm *day = judge_day(w->j);
	char text[32] = "";

	(void)strftime(text, sizeof text, "%a %H:%M", day);
	add_part(w);
	add(w, text);
}

/* ---- of a recipient ----------------------------------------------------------------------- */

static void tell_past(struct writing *w, const struct rule_condition *c, size_t rcpt)
{
	const struct past *past = w->j->c->past;
	char text[320];

	for (size_t i = 0; i < c->whos && past != NULL && rcpt < past->rcpts && !c->not ; i++) {
		const struct rule_who *who = &c->who[i];
		const struct past_rcpt *p = &past->rcpt[rcpt];

		if (who->kind == WHO_LOOKALIKE && p->look != LOOK_NONE) {
			(void)snprintf(text, sizeof text, "looks like %s (%s)", p->like,
			    past_look_word(p->look));
			add_part(w);
			add(w, text);
		} else if (who->kind == WHO_FIRST_TIME) {
			add_part(w);
			add(w, "first mail to him");
		}
	}
}

static void tell_company(struct writing *w, const struct rule_condition *c, size_t rcpt)
{
	const struct facts *f = w->j->facts;
	size_t shown = 0;

	for (size_t i = 0; i < f->companies.n && shown <= SHOWN; i++) {
		if ((f->companies.at[i].places & c->places) == 0 ||
		    !company_is_other(w->j, &f->companies.at[i], rcpt))
			continue;
		if (shown == 0) {
			add_part(w);
			add(w, "company");
		}
		(void)!add_shown(w, &shown, f->companies.at[i].name);
	}
	end_shown(w, shown);
}

static void tell_of_recipient(struct writing *w, const struct rule_condition *c, size_t rcpt)
{
	if (c->kind == COND_TO)
		tell_past(w, c, rcpt);
	else if (w->j->facts != NULL)
		tell_company(w, c, rcpt);
}

/* ---- all of it ---------------------------------------------------------------------------- */

static void tell_content(struct writing *w, const struct rule_condition *c)
{
	if (w->j->facts == NULL)
		return;
	if (c->kind == COND_PII)
		tell_pii(w, c);
	else if (c->kind == COND_WORDS)
		tell_texts(w, c);
	else if (c->kind == COND_REGEX)
		tell_regex(w, c);
	else if (c->kind == COND_FILE)
		tell_files(w, c);
	else if (c->kind == COND_FILES_COUNT || c->kind == COND_FILES_SIZE)
		tell_sizes(w, c);
	else if (c->kind == COND_VISIBLE)
		tell_class(w, c);
	else if (c->kind == COND_HIDDEN)
		add_counted(w, "hidden", w->j->facts->hidden);
	else if (c->kind == COND_HEADER_WHO || c->kind == COND_MISMATCHED)
		tell_header(w, c);
}

static void tell(struct writing *w, const struct rule_condition *c)
{
	if (c->kind == COND_MESSAGE_TRAIT) {
		tell_trait(w, c);
	} else if (c->kind == COND_RECIPIENTS) {
		tell_class(w, c);
	} else if (c->kind == COND_COMPANIES) {
		add_counted(w, "companies", w->j->companies);
	} else if (c->kind == COND_UNREGISTERED) {
		add_part(w);
		add(w, "the sender is not registered");
	} else if (c->kind == COND_MESSAGE_SIZE) {
		add_size(w, "message", w->j->c->leg->size);
	} else if (c->kind == COND_WHEN) {
		tell_time(w);
	} else if (c->kind != COND_HEADER_TEXT) {
		tell_content(w, c);
	}
}

static bool tells_of_recipient(const struct rule *rule)
{
	for (size_t i = 0; i < rule->conditions; i++) {
		const struct rule_condition *c = &rule->condition[i];

		if (c->unless)
			continue;
		if (c->kind == COND_COMPANY_OTHER)
			return true;
		for (size_t k = 0; c->kind == COND_TO && k < c->whos; k++) {
			if (c->who[k].kind == WHO_FIRST_TIME || c->who[k].kind == WHO_LOOKALIKE)
				return true;
		}
	}
	return false;
}

const char *evidence_of(struct judging *j, struct live *live, size_t rcpt)
{
	struct writing w = {.j = j};

	if (live->evidence != NULL && !live->told_of_recipient)
		return live->evidence;
	live->told_of_recipient = tells_of_recipient(live->rule);
	for (size_t i = 0; i < live->rule->conditions; i++) {
		const struct rule_condition *c = &live->rule->condition[i];

		if (c->unless)
			continue;
		if (condition_of_recipient(c))
			tell_of_recipient(&w, c, rcpt);
		else
			tell(&w, c);
	}
	return live->evidence = judge_text(j, w.text, w.len);
}
