#include "lib/rules/show.h"

#include <string.h>

#include "lib/rules/inside.h"

static const char *const signs[] = {
    [CMP_GE] = ">=", [CMP_GT] = ">", [CMP_LE] = "<=", [CMP_LT] = "<", [CMP_EQ] = "="};

static const char *comma(size_t i)
{
	return i == 0 ? " " : ", ";
}

static void show_count(const struct rule_count *count, struct buf *out)
{
	buf_addf(out, " %s %llu", signs[count->compare], (unsigned long long)count->number);
}

static void show_amount(const struct rule_count *amount, struct buf *out)
{
	show_count(amount, out);
	buf_add_text(out, "B");
}

static void show_string(const char *text, struct buf *out)
{
	buf_add_text(out, "\"");
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			buf_add_text(out, "\\");
		buf_add(out, text, 1);
	}
	buf_add_text(out, "\"");
}

/* ---- people ---- */

void rule_who_show(const struct rule_who *who, struct buf *out)
{
	switch (who->kind) {
	case WHO_ADDRESS:
		buf_add_text(out, who->text);
		break;
	case WHO_DOMAIN:
		buf_addf(out, "@%s", who->text);
		break;
	case WHO_SUBDOMAINS:
		buf_addf(out, "@.%s", who->text);
		break;
	case WHO_NULL:
		buf_add_text(out, "<>");
		break;
	case WHO_GROUP:
		buf_addf(out, "group %s", who->text);
		break;
	case WHO_LIST:
		buf_addf(out, "list %s", who->text);
		break;
	case WHO_BOSS:
		buf_add_text(out, "boss");
		break;
	case WHO_SENDER:
		buf_add_text(out, "sender");
		break;
	case WHO_ANY:
		buf_add_text(out, "any");
		break;
	case WHO_CLASS:
		buf_add_text(out, policy_class_word(who->class));
		break;
	case WHO_PARTNER:
		buf_add_text(out, "partner");
		break;
	case WHO_FIRST_TIME:
		buf_addf(out, "first-time%s",
		    who->scope == SCOPE_SENDER  ? ""
		    : who->scope == SCOPE_GROUP ? " for group"
						: " for site");
		break;
	case WHO_LOOKALIKE:
		buf_add_text(out, "lookalike");
		break;
	case WHO_TABLE:
		buf_addf(out, "table %s", who->text);
		break;
	case WHO_TLS:
		buf_addf(out, "tls %s %s", signs[who->tls.compare],
		    policy_tls_word((enum policy_tls)who->tls.number));
		break;
	}
}

static void show_whos(const struct rule_condition *c, const char *word, struct buf *out)
{
	buf_addf(out, "%s%s", word, c->not ? " not" : "");
	for (size_t i = 0; i < c->whos; i++) {
		buf_add_text(out, comma(i));
		rule_who_show(&c->who[i], out);
	}
}

/* ---- content ---- */

static void show_places(unsigned places, struct buf *out)
{
	size_t n = 0;

	if (places == (1u << PLACE_COUNT) - 1)
		return;
	for (unsigned i = 0; i < PLACE_COUNT; i++) {
		if ((places & (1u << i)) != 0)
			buf_addf(out, "%s%s", n++ == 0 ? " in " : ", ", detect_place_word(i));
	}
}

static void show_texts(const struct rule_condition *c, struct buf *out)
{
	buf_add_text(out, c->not ? " not" : "");
	for (size_t i = 0; i < c->texts; i++) {
		buf_add_text(out, comma(i));
		if (c->text[i].list)
			buf_addf(out, "list %s", c->text[i].text);
		else
			show_string(c->text[i].text, out);
	}
}

static void show_property(const struct rule_file *file, struct buf *out)
{
	const char *no = file->not ? " not" : "";

	switch (file->property) {
	case FILE_ANY:
		buf_add_text(out, " any");
		break;
	case FILE_NAME:
		buf_addf(out, " name%s", no);
		for (size_t i = 0; i < file->globs; i++) {
			buf_add_text(out, comma(i));
			show_string(file->glob[i], out);
		}
		break;
	case FILE_SIZE:
		buf_add_text(out, " size");
		show_amount(&file->size, out);
		break;
	case FILE_NAMELESS:
		buf_addf(out, "%s nameless", no);
		break;
	case FILE_ENCRYPTED:
		buf_addf(out, "%s encrypted", no);
		break;
	case FILE_INSPECTABLE:
		buf_addf(out, "%s inspectable", no);
		break;
	case FILE_AS_NAMED:
		buf_addf(out, " type%s as-named", no);
		break;
	}
}

static void show_found(const struct rule_condition *c, const char *word, struct buf *out)
{
	buf_add_text(out, word);
	show_texts(c, out);
	if (c->has_count)
		show_count(&c->count, out);
	show_places(c->places, out);
}

static void show_pii(const struct rule_condition *c, struct buf *out)
{
	buf_add_text(out, "pii");
	for (size_t i = 0; i < c->piis; i++) {
		buf_addf(out, "%s%s", comma(i), detect_kind_word(c->pii[i].kind));
		show_count(&c->pii[i].count, out);
	}
	show_places(c->places, out);
}

/* ---- times ---- */

static void show_days(unsigned days, struct buf *out)
{
	static const char *const words[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	unsigned first = 0;

	if (days == (1u << COUNT_OF(words)) - 1) {
		buf_add_text(out, "Sun-Sat");
		return;
	}
	/* One run of days, which may go over the end of the week. */
	while ((days & (1u << first)) == 0 || (days & (1u << (first + 6) % 7)) != 0)
		first = (first + 1) % 7;
	buf_add_text(out, words[first]);
	if ((days & (1u << (first + 1) % 7)) == 0)
		return;
	while ((days & (1u << (first + 1) % 7)) != 0)
		first = (first + 1) % 7;
	buf_addf(out, "-%s", words[first]);
}

static void show_span(const struct rule_span *span, struct buf *out)
{
	bool worded = span->holiday || span->workday || span->days != 0;

	if (span->holiday)
		buf_add_text(out, "holiday");
	else if (span->workday)
		buf_add_text(out, "workday");
	else if (span->days != 0)
		show_days(span->days, out);
	if (span->timed)
		buf_addf(out, "%s%02d:%02d-%02d:%02d", worded ? " " : "", span->begin / 60,
		    span->begin % 60, span->end / 60, span->end % 60);
}

static void show_spans(const struct rule_condition *c, struct buf *out)
{
	buf_addf(out, "when%s", c->not ? " not" : "");
	for (size_t i = 0; i < c->spans; i++) {
		buf_add_text(out, comma(i));
		show_span(&c->span[i], out);
	}
}

/* ---- a line ---- */

static void show_counted(const struct rule_condition *c, const char *word, struct buf *out)
{
	buf_add_text(out, word);
	if (c->has_class)
		buf_addf(out, " %s", policy_class_word(c->class));
	show_count(&c->count, out);
}

static void show_sized(const struct rule_condition *c, const char *word, struct buf *out)
{
	buf_add_text(out, word);
	show_amount(&c->count, out);
}

static void show_company(const struct rule_condition *c, const char *word, struct buf *out)
{
	buf_add_text(out, word);
	show_places(c->places, out);
}

static void show_file(const struct rule_condition *c, struct buf *out)
{
	buf_add_text(out, "file");
	for (size_t i = 0; i < c->files; i++)
		show_property(&c->file[i], out);
}

static void show_header(const struct rule_condition *c, struct buf *out)
{
	buf_addf(out, "header %s", c->field);
	show_texts(c, out);
}

static void show_header_who(const struct rule_condition *c, struct buf *out)
{
	buf_addf(out, "header ");
	show_whos(c, c->field, out);
}

void rule_condition_show(const struct rule_condition *c, bool bare, struct buf *out)
{
	if (c->unless && !bare)
		buf_add_text(out, "unless ");
	switch (c->kind) {
	case COND_ALWAYS:
		buf_add_text(out, "always");
		return;
	case COND_FROM:
		show_whos(c, "from", out);
		return;
	case COND_MISMATCHED:
		buf_add_text(out, "from mismatched");
		return;
	case COND_UNREGISTERED:
		buf_add_text(out, "from unregistered");
		return;
	case COND_TO:
		show_whos(c, "to", out);
		return;
	case COND_HEADER_WHO:
		show_header_who(c, out);
		return;
	case COND_HEADER_TEXT:
		show_header(c, out);
		return;
	case COND_VISIBLE:
		show_counted(c, "visible", out);
		return;
	case COND_RECIPIENTS:
		show_counted(c, "recipients", out);
		return;
	case COND_HIDDEN:
		show_counted(c, "hidden", out);
		return;
	case COND_COMPANIES:
		show_counted(c, "companies", out);
		return;
	case COND_FILE:
		show_file(c, out);
		return;
	case COND_FILES_COUNT:
		show_counted(c, "files", out);
		return;
	case COND_FILES_SIZE:
		show_sized(c, "files size", out);
		return;
	case COND_WORDS:
		show_found(c, "words", out);
		return;
	case COND_REGEX:
		show_found(c, "regex", out);
		return;
	case COND_PII:
		show_pii(c, out);
		return;
	case COND_COMPANY_OTHER:
		show_company(c, "company other", out);
		return;
	case COND_COMPANY_NONE:
		show_company(c, "company none", out);
		return;
	case COND_MESSAGE_SIZE:
		show_sized(c, "message size", out);
		return;
	case COND_MESSAGE_TRAIT:
		buf_addf(out, "message %s%s", c->not ? "not " : "", policy_trait_word(c->trait));
		return;
	case COND_WHEN:
		show_spans(c, out);
		return;
	}
}
