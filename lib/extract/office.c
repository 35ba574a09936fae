/* Documents in a ZIP: OOXML and ODF. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/extract/office.h"
#include "lib/extract/zip.h"

#define SNIFF ((size_t)64)

struct office {
	struct zip zip;
	struct inside *in;
	struct flow flow;
	struct buf name;
	uint64_t files;
	uint64_t encrypted; /* by ZIP's own means */
	bool odf_encrypted;
	bool unknown; /* a part in a format that nothing here reads */
	bool any_sheets;
	bool stopped;
};

/* One part while it is unpacked. */
struct part {
	struct office *o;
	struct unpacking *u;
	const char *name;
	char first[SNIFF];
	size_t first_len;
	bool sniffed;
	bool is_xml;
	bool limit; /* reached, and told */
	struct parse *parse;
	enum parse_state state;
};

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len >= n && strcasecmp(text + len - n, end) == 0;
}

/* XML begins with "<", in UTF-8 or UTF-16; pages and letters within have readers of their own. */
static bool looks_like_xml(const char *name, const char *first, size_t len)
{
	static const char *const others[] = {
	    ".htm", ".html", ".xhtml", ".mht", ".rtf", ".txt", ".csv"};
	size_t at = 0;

	for (size_t i = 0; i < COUNT_OF(others); i++) {
		if (ends_with(name, others[i]))
			return false;
	}
	if (len >= 3 && memcmp(first, "\xef\xbb\xbf", 3) == 0)
		at = 3;
	else if (len >= 2 &&
		 (memcmp(first, "\xff\xfe", 2) == 0 || memcmp(first, "\xfe\xff", 2) == 0))
		at = 2;
	while (at < len && memchr(" \t\r\n\0", first[at], 5) != NULL)
		at++;
	return at < len && first[at] == '<';
}

/* ---- a part's bytes --------------------------------------------------------------------------- */

static bool pass_on(struct part *p, const char *bytes, size_t len)
{
	struct sink spill;

	if (p->is_xml) {
		p->u->out += len;
		if (!inside_expand(p->o->in, len, p->u->out, p->o->in->file.size)) {
			p->limit = true;
			return false;
		}
		p->state = parse_feed(p->parse, bytes, len);
		return p->state == PARSE_FINE;
	}
	if (p->o->flow.sheets) /* was looked at before */
		return false;
	spill = unpack_sink(p->u);
	return sink_put(&spill, bytes, len);
}

static bool sniff(struct part *p)
{
	struct parse_handler handler = flow_handler(&p->o->flow);

	p->sniffed = true;
	p->is_xml = looks_like_xml(p->name, p->first, p->first_len);
	if (p->is_xml) {
		p->parse = parse_open(&handler);
		if (p->parse == NULL) {
			p->state = PARSE_MEMORY;
			return false;
		}
	}
	return pass_on(p, p->first, p->first_len);
}

static bool take_part(void *context, const char *bytes, size_t len)
{
	struct part *p = context;

	if (!p->sniffed) {
		size_t n = SNIFF - p->first_len < len ? SNIFF - p->first_len : len;

		memcpy(p->first + p->first_len, bytes, n);
		p->first_len += n;
		bytes += n;
		len -= n;
		if (p->first_len < SNIFF)
			return true;
		if (!sniff(p))
			return false;
	}
	return len == 0 || pass_on(p, bytes, len);
}

/* ---- parts that are files of their own -------------------------------------------------------- */

/* What office programs keep for themselves: settings of a printer, fonts. */
static bool is_apparatus(const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *last = slash != NULL ? slash + 1 : name;

	return strncasecmp(last, "printerSettings", 15) == 0 || ends_with(last, ".odttf") ||
	       ends_with(last, ".fntdata") || ends_with(last, ".ttf") || ends_with(last, ".otf") ||
	       strcasecmp(last, "layout-cache") == 0 || strncmp(name, "[trash]/", 8) == 0;
}

/* A picture of PCX has so little of a signature that its name must say it, too. */
static bool is_pcx(const struct part *p)
{
	const unsigned char *first = (const unsigned char *)p->first;

	return ends_with(p->name, ".pcx") && p->first_len > 4 && first[0] == 0x0a &&
	       first[1] <= 5 && first[2] == 1;
}

static void look_at_file(struct part *p)
{
	struct office *o = p->o;
	struct source file = spill_source(&p->u->spill);
	struct extract_member member = {.name = p->name, .size = file.size};
	char type[96];

	switch ((int)format_of(o->in->x->setup.tables, &file, p->name, type, sizeof type)) {
	case FORMAT_EMPTY:
	case FORMAT_IMAGE:
	case FORMAT_AUDIO:
	case FORMAT_VIDEO:
	case FORMAT_SIGNATURE:
		return;
	case FORMAT_TEXT:
		if (strcmp(p->name, "mimetype") == 0)
			return;
		break;
	case FORMAT_OTHER:
		o->unknown |= !is_apparatus(p->name) && !is_pcx(p);
		return;
	default:
		break;
	}
	if (inside_member(o->in, &member))
		unpack_look(p->u, p->name);
	else
		o->stopped = true;
}

static void tell_parse(struct part *p, enum zip_state state)
{
	struct inside *in = p->o->in;

	if (p->limit || p->u->stopped) {
		p->o->stopped = true;
	} else if (p->o->flow.failed_memory || p->state == PARSE_MEMORY || state == ZIP_MEMORY) {
		inside_fault_at(in, EXTRACT_MEMORY, p->name);
	} else if (p->state == PARSE_DAMAGED || p->state == PARSE_DOCTYPE) {
		inside_fault_at(in, EXTRACT_DAMAGED, p->name);
	} else if (state == ZIP_METHOD) {
		inside_fault_at(in, EXTRACT_FORMAT, p->name);
	} else if ((state != ZIP_OK && state != ZIP_STOPPED) || p->o->flow.no_string) {
		inside_fault_at(in, EXTRACT_DAMAGED, p->name);
	}
}

static void end_part(struct part *p, enum zip_state state)
{
	struct office *o = p->o;

	if (state == ZIP_OK && !p->sniffed && !sniff(p))
		state = ZIP_STOPPED;
	if (state == ZIP_OK && p->is_xml)
		p->state = parse_end(p->parse);
	if (o->flow.cell == 't' && o->flow.strings != NULL && p->is_xml) {
		enum parse_state done = strings_done(o->flow.strings);

		p->state = p->state == PARSE_FINE ? done : p->state;
	}
	o->any_sheets |= o->flow.postponed;
	tell_parse(p, state);
}

/* False: a limit was reached; leave the package. */
static bool read_part(
    struct office *o, struct unpacking *u, const struct zip_entry *entry, const char *name)
{
	struct part p = {.o = o, .u = u, .name = name};
	enum zip_state state;

	flow_begin(&o->flow);
	state = zip_unpack(&o->zip, entry, (struct sink){take_part, &p});
	end_part(&p, state);
	flow_end(&o->flow);
	parse_free(p.parse);
	if (!o->stopped && !p.is_xml && !o->flow.sheets && (p.sniffed || entry->size == 0))
		look_at_file(&p);
	return !o->stopped && !o->flow.text.unwanted;
}

/* ---- the package ------------------------------------------------------------------------------ */

static void count_member(struct office *o, const struct zip_entry *entry)
{
	if (entry->is_folder)
		return;
	o->files++;
	o->encrypted += entry->encrypted;
}

/* Each part; those that are encrypted are counted, in the first of the two rounds. */
static enum zip_state read_parts(struct office *o, struct unpacking *u)
{
	struct zip_walk walk;
	struct zip_entry entry;
	enum zip_state state;

	zip_walk_begin(&walk, &o->zip);
	while ((state = zip_walk_next(&walk, &entry)) == ZIP_OK) {
		const char *name = zip_name(&entry, &o->name);
		bool going = true;

		if (!o->flow.sheets) {
			count_member(o, &entry);
			going = inside_part(o->in);
		}
		if (going && !entry.encrypted && !entry.is_folder) {
			unpack_begin(u);
			going = read_part(o, u, &entry, name);
			unpack_end(u);
		}
		if (!going) {
			state = ZIP_STOPPED;
			break;
		}
	}
	zip_walk_end(&walk);
	return state;
}

/* ---- ODF's own encryption --------------------------------------------------------------------- */

struct manifest {
	bool encrypted;
};

static bool manifest_starts(void *context, const char *name, const char **attributes)
{
	struct manifest *m = context;

	(void)attributes;
	m->encrypted |= strcmp(name, "encryption-data") == 0;
	return !m->encrypted;
}

static bool manifest_ends(void *context, const char *name)
{
	(void)context;
	(void)name;
	return true;
}

static bool manifest_text(void *context, const char *utf8, size_t len)
{
	(void)context;
	(void)utf8;
	(void)len;
	return true;
}

static bool feed_manifest(void *context, const char *bytes, size_t len)
{
	return parse_feed(context, bytes, len) == PARSE_FINE;
}

static bool manifest_says_encrypted(struct office *o, const struct zip_entry *entry)
{
	struct manifest m = {false};
	struct parse_handler handler = {&m, manifest_starts, manifest_ends, manifest_text, true};
	struct parse *parse = parse_open(&handler);

	if (parse == NULL) {
		inside_fault(o->in, EXTRACT_MEMORY);
		return false;
	}
	if (zip_unpack(&o->zip, entry, (struct sink){feed_manifest, parse}) != ZIP_OK &&
	    !m.encrypted)
		inside_fault_at(o->in, EXTRACT_DAMAGED, "META-INF/manifest.xml");
	parse_free(parse);
	return m.encrypted;
}

static bool is_named(const struct zip_entry *entry, const char *name)
{
	return entry->name_len == strlen(name) && memcmp(entry->name, name, entry->name_len) == 0;
}

/* Without depth: are there members that are encrypted, in one way or the other? */
static enum zip_state count_encrypted(struct office *o)
{
	struct zip_walk walk;
	struct zip_entry entry;
	enum zip_state state;

	zip_walk_begin(&walk, &o->zip);
	while ((state = zip_walk_next(&walk, &entry)) == ZIP_OK) {
		count_member(o, &entry);
		if (o->in->found->format == FORMAT_ODF && !entry.encrypted &&
		    is_named(&entry, "META-INF/manifest.xml"))
			o->odf_encrypted |= manifest_says_encrypted(o, &entry);
	}
	zip_walk_end(&walk);
	return state;
}

static void conclude(struct office *o, enum zip_state state)
{
	struct inside *in = o->in;

	if (o->odf_encrypted || (o->encrypted > 0 && o->encrypted == o->files))
		in->found->encrypted = ENCRYPTED_ALL;
	else if (o->encrypted > 0)
		in->found->encrypted = ENCRYPTED_SOME;
	else if (state != ZIP_END && !o->stopped)
		in->found->encrypted = ENCRYPTED_UNKNOWN;
	if (o->encrypted > 0 || o->odf_encrypted)
		inside_fault(in, EXTRACT_ENCRYPTED);
	if (o->unknown)
		inside_fault(in, EXTRACT_FORMAT);
	if (state == ZIP_DAMAGED)
		inside_fault(in, EXTRACT_DAMAGED);
	else if (state == ZIP_MEMORY)
		inside_fault(in, EXTRACT_MEMORY);
	else if (state == ZIP_READ)
		inside_fault(in, EXTRACT_READ);
}

static void read_deep(struct office *o)
{
	struct unpacking u = {.in = o->in};
	enum zip_state state = zip_check(&o->zip, o->in->x->setup.limits.members + 1);

	if (state == ZIP_DAMAGED)
		inside_fault(o->in, EXTRACT_AMBIGUOUS);
	o->files = o->encrypted = 0;
	state = ZIP_END;
	if (!o->odf_encrypted) /* else all of it is the cipher's */
		state = read_parts(o, &u);
	if (state == ZIP_END && o->any_sheets) {
		o->flow.sheets = true;
		state = read_parts(o, &u);
	}
	if (o->flow.strings != NULL && !o->stopped) {
		flow_begin(&o->flow);
		strings_unused(o->flow.strings, &o->flow.text);
		flow_end(&o->flow);
	}
	strings_free(o->flow.strings);
	conclude(o, state);
}

void read_zip_office(struct inside *in)
{
	struct office *o = calloc(1, sizeof *o);
	enum zip_state state;

	if (o == NULL) {
		inside_fault(in, EXTRACT_MEMORY);
		return;
	}
	o->in = o->flow.in = in;
	buf_init(&o->name, MEMBER_NAME_MAX);
	state = zip_open(&o->zip, &in->file);
	if (state == ZIP_OK && (!in->deep || in->found->format == FORMAT_ODF))
		state = count_encrypted(o);
	if ((state == ZIP_OK || state == ZIP_END) && in->deep)
		read_deep(o);
	else
		conclude(o, state);
	buf_free(&o->name);
	free(o);
}
