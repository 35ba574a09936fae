/* Text that flows: documents, slides, drawings, ODF; and lists of properties. */
#include <stdlib.h>
#include <string.h>

#include "lib/extract/office.h"

#define STRING_MOST ((size_t)1024 * 1024) /* a cell holds 32767 letters */
#define NUMBER_LONG 9 /* digits from which a number may be more than an amount */

/* What an element is for the text. */
enum role {
	ROLE_NONE,
	ROLE_LETTERS,   /* OOXML: its characters are text; elsewhere they are not */
	ROLE_PARAGRAPH, /* a line; ODF: its characters are text */
	ROLE_LINE,      /* a line, at its end */
	ROLE_CELL,
	ROLE_TAB,
	ROLE_BREAK,
	ROLE_HYPHEN,
	ROLE_SPACES,   /* ODF: so many spaces */
	ROLE_ASIDE,    /* within a paragraph, but not of its words */
	ROLE_RUN,      /* letters that look alike */
	ROLE_VANISH,   /* the run around it is not shown */
	ROLE_DROP,     /* numbers of the layout */
	ROLE_RELATION, /* where something outside is */
	ROLE_TITLE,    /* texts in attributes */
	ROLE_NAMED,    /* a name in an attribute: sheets */
};

struct named_role {
	const char *name;
	enum role role;
};

/* Sorted by name. */
static const struct named_role roles[] = {
    {"Relationship", ROLE_RELATION},
    {"a", ROLE_TITLE},
    {"align", ROLE_DROP},
    {"annotation", ROLE_ASIDE},
    {"author", ROLE_LINE},
    {"br", ROLE_BREAK},
    {"cNvPr", ROLE_TITLE},
    {"comment", ROLE_TITLE},
    {"covered-table-cell", ROLE_CELL},
    {"cr", ROLE_BREAK},
    {"delText", ROLE_ASIDE},
    {"docPr", ROLE_TITLE},
    {"formatCode", ROLE_DROP},
    {"frame", ROLE_ASIDE},
    {"h", ROLE_PARAGRAPH},
    {"hyperlink", ROLE_TITLE},
    {"instrText", ROLE_ASIDE},
    {"line-break", ROLE_BREAK},
    {"noBreakHyphen", ROLE_HYPHEN},
    {"note", ROLE_ASIDE},
    {"p", ROLE_PARAGRAPH},
    {"pctHeight", ROLE_DROP},
    {"pctWidth", ROLE_DROP},
    {"posOffset", ROLE_DROP},
    {"pt", ROLE_LINE},
    {"ptab", ROLE_TAB},
    {"r", ROLE_RUN},
    {"rPh", ROLE_ASIDE},
    {"rt", ROLE_ASIDE},
    {"ruby-text", ROLE_ASIDE},
    {"s", ROLE_SPACES},
    {"sheet", ROLE_NAMED},
    {"t", ROLE_LETTERS},
    {"tab", ROLE_TAB},
    {"table", ROLE_NAMED},
    {"table-cell", ROLE_CELL},
    {"table-row", ROLE_LINE},
    {"tableStyleId", ROLE_DROP},
    {"tc", ROLE_CELL},
    {"text-box", ROLE_ASIDE},
    {"textpath", ROLE_TITLE},
    {"tr", ROLE_LINE},
    {"txbxContent", ROLE_ASIDE},
    {"v", ROLE_LETTERS},
    {"vanish", ROLE_VANISH},
};

static int role_order(const void *key, const void *of)
{
	return strcmp(key, ((const struct named_role *)of)->name);
}

static enum role role_of(const char *name)
{
	const struct named_role *found =
	    bsearch(name, roles, COUNT_OF(roles), sizeof roles[0], role_order);

	return found != NULL ? found->role : ROLE_NONE;
}

/* ---- where text goes -------------------------------------------------------------------------- */

static void write_text(struct flow *f, const char *utf8, size_t len)
{
	if (f->aside != 0)
		office_text_aside(&f->text, utf8, len);
	else
		office_text_add(&f->text, utf8, len);
}

static void write_break(struct flow *f, char separator)
{
	if (f->aside == 0)
		office_text_break(&f->text, separator);
	else if (f->text.aside.len > 0)
		office_text_aside(&f->text, &separator, 1);
}

/* A text from an attribute: not of the line in which it stands. */
static void write_value(struct flow *f, const char *value)
{
	if (value == NULL || *value == '\0')
		return;
	office_text_aside(&f->text, value, strlen(value));
	office_text_aside(&f->text, "\n", 1);
	if (f->paragraphs == 0)
		office_text_join(&f->text);
}

static void write_values(struct flow *f, const char **attributes)
{
	static const char *const names[] = {
	    "descr", "title", "author", "tooltip", "display", "string", "href", "displayName"};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		write_value(f, attribute(attributes, names[i]));
}

/* A number that a cell shows rounded, or in another form, counts as it is stored. */
static void write_number(struct flow *f, const char **attributes)
{
	const char *value = attribute(attributes, "value");

	if (value != NULL && strlen(value) >= NUMBER_LONG) {
		office_text_aside(&f->text, value, strlen(value));
		office_text_aside(&f->text, "\n", 1);
	}
}

static void write_spaces(struct flow *f, const char **attributes)
{
	const char *count = attribute(attributes, "c");
	unsigned long n = count != NULL ? strtoul(count, NULL, 10) : 1;

	/* One blank is as good as many for whoever looks for words. */
	for (n = n < 8 ? n : 8; n > 0; n--)
		write_text(f, " ", 1);
}

/* ---- elements --------------------------------------------------------------------------------- */

static bool is_one_of(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

/* The first element of a part says what it is, wherever it stands in the package. */
static bool see_root(struct flow *f, const char *name)
{
	static const char *const flows[] = {"document", "hdr", "ftr", "footnotes", "endnotes",
	    "comments", "glossaryDocument", "sld", "sldMaster", "sldLayout", "notes", "notesMaster",
	    "handoutMaster", "chartSpace", "dataModel", "drawing", "wsDr", "userShapes"};
	static const char *const odf[] = {"document-content", "document-styles", "document"};
	static const char *const sheets[] = {"worksheet", "dialogsheet", "macrosheet"};
	static const char *const pivots[] = {"pivotCacheDefinition", "pivotCacheRecords"};

	f->reader = NULL;
	f->odf = f->in->found->format == FORMAT_ODF && is_one_of(name, odf, COUNT_OF(odf));
	f->leaves = !f->odf && !is_one_of(name, flows, COUNT_OF(flows));
	f->pivot = is_one_of(name, pivots, COUNT_OF(pivots));
	if (is_one_of(name, sheets, COUNT_OF(sheets))) {
		f->cell = 's';
		f->postponed = !f->sheets;
		return f->sheets;
	}
	if (strcmp(name, "sst") == 0 && f->strings == NULL && !f->sheets) {
		f->cell = 't';
		f->strings = strings_new(f->in);
		f->failed_memory = f->strings == NULL;
		return f->strings != NULL;
	}
	f->cell = 0;
	return !f->sheets;
}

static void see_attributes(struct flow *f, enum role role, const char **attributes)
{
	const char *mode;

	if (role == ROLE_TITLE) {
		write_values(f, attributes);
	} else if (role == ROLE_NAMED) {
		write_value(f, attribute(attributes, "name"));
	} else if (role == ROLE_CELL && f->odf) {
		write_number(f, attributes);
	} else if (role == ROLE_RELATION) {
		mode = attribute(attributes, "TargetMode");
		if (mode != NULL && strcmp(mode, "External") == 0)
			write_value(f, attribute(attributes, "Target"));
	}
}

/* An element whose text must not cut the words around it. */
static bool goes_aside(const struct flow *f, enum role role)
{
	return role == ROLE_ASIDE && f->paragraphs > 0 && f->aside == 0;
}

/* Hidden text stands aside as deleted text does: another program may show it. */
static void vanish(struct flow *f, const char **attributes)
{
	static const char *const no[] = {"0", "false", "off"};
	const char *value = attribute(attributes, "val");

	if (f->run == 0 || f->paragraphs == 0 || f->aside != 0 ||
	    (value != NULL && is_one_of(value, no, COUNT_OF(no))))
		return;
	f->aside = f->run;
	if (f->text.aside.len > 0)
		office_text_aside(&f->text, "\n", 1);
}

static void begin_element(struct flow *f, enum role role, const char **attributes)
{
	switch (role) {
	case ROLE_PARAGRAPH:
		f->paragraphs++;
		break;
	case ROLE_LETTERS:
		if (f->letters == 0)
			f->letters = f->depth;
		break;
	case ROLE_RUN:
		f->run = f->depth;
		break;
	case ROLE_VANISH:
		vanish(f, attributes);
		break;
	case ROLE_DROP:
		if (f->dropped == 0)
			f->dropped = f->depth;
		break;
	case ROLE_TAB:
		/* With attributes it is where a tab would end. A line's end counts more. */
		if ((f->odf || attributes[0] == NULL) && f->text.pending != '\n')
			write_break(f, '\t');
		break;
	case ROLE_BREAK:
		write_break(f, '\n');
		break;
	case ROLE_HYPHEN:
		write_text(f, "-", 1);
		break;
	case ROLE_SPACES:
		if (f->odf)
			write_spaces(f, attributes);
		break;
	case ROLE_NONE: /* done elsewhere, or at the end */
	case ROLE_LINE:
	case ROLE_CELL:
	case ROLE_ASIDE:
	case ROLE_RELATION:
	case ROLE_TITLE:
	case ROLE_NAMED:
		break;
	}
}

static bool starts(void *context, const char *name, const char **attributes)
{
	struct flow *f = context;
	enum role role;

	if (f->depth++ == 0 && !see_root(f, name))
		return false;
	if (f->cell == 's')
		return sheet_starts(f, name, attributes);
	if (f->cell == 't')
		return shared_starts(f, name, attributes);

	role = role_of(name);
	if (goes_aside(f, role)) {
		f->aside = f->depth;
		if (f->text.aside.len > 0)
			office_text_aside(&f->text, "\n", 1);
	}
	see_attributes(f, role, attributes);
	if (f->pivot)
		write_value(f, attribute(attributes, "v"));
	begin_element(f, role, attributes);
	return !f->text.unwanted;
}

static void end_paragraph(struct flow *f)
{
	if (f->paragraphs > 0)
		f->paragraphs--;
	write_break(f, '\n');
	if (f->paragraphs == 0)
		office_text_join(&f->text);
}

static bool ends(void *context, const char *name)
{
	struct flow *f = context;
	enum role role;

	f->depth--;
	if (f->cell == 's')
		return sheet_ends(f, name);
	if (f->cell == 't')
		return shared_ends(f, name);

	role = role_of(name);
	if (role == ROLE_PARAGRAPH)
		end_paragraph(f);
	else if (role == ROLE_RUN)
		f->run = 0;
	else if (role == ROLE_CELL)
		write_break(f, '\t');
	else if (role == ROLE_LINE || (f->leaves && role == ROLE_NONE))
		write_break(f, '\n');
	if (f->depth < f->letters)
		f->letters = 0;
	if (f->depth < f->dropped)
		f->dropped = 0;
	if (f->depth < f->aside)
		f->aside = 0;
	if (f->paragraphs == 0 && role == ROLE_LINE)
		office_text_join(&f->text);
	return !f->text.unwanted;
}

static bool is_blank(const char *utf8, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (strchr(" \t\r\n", utf8[i]) == NULL || utf8[i] == '\0')
			return false;
	}
	return true;
}

static bool text(void *context, const char *utf8, size_t len)
{
	struct flow *f = context;
	bool letters = f->odf ? f->paragraphs > 0 : f->letters != 0;

	if (f->cell == 's')
		return sheet_text(f, utf8, len);
	if (f->cell == 't')
		return shared_text(f, utf8, len);
	if (f->dropped != 0)
		return true;

	if (letters || f->aside != 0)
		write_text(f, utf8, len);
	else if (is_blank(utf8, len))
		return true;
	else if (f->paragraphs > 0)
		office_text_aside(&f->text, utf8, len);
	else
		write_text(f, utf8, len);
	return !f->text.unwanted;
}

void flow_begin(struct flow *f)
{
	f->depth = f->paragraphs = f->aside = f->run = f->dropped = f->letters = 0;
	f->leaves = f->pivot = f->postponed = f->no_string = false;
	f->cell = f->field = 0;
	f->index = 0;
	buf_init(&f->string, STRING_MOST);
	office_text_begin(&f->text, f->in);
}

struct parse_handler flow_handler(struct flow *f)
{
	return (struct parse_handler){
	    .context = f,
	    .starts = starts,
	    .ends = ends,
	    .text = text,
	    .doctype_allowed = f->in->found->format == FORMAT_ODF,
	};
}

void flow_end(struct flow *f)
{
	office_text_end(&f->text);
	office_text_free(&f->text);
	buf_free(&f->string);
}
