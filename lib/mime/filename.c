#include "lib/mime/filename.h"

#include <string.h>
#include <strings.h>

#include "lib/mime/utf8.h"

#define EXTENSION_KEPT 32
#define REPLACEMENT    "\xEF\xBF\xBD"

static const char *const mark_words[] = {
#define M(name, word) word,
    FILENAME_MARKS(M)
#undef M
};

const char *filename_mark_word(enum filename_mark mark)
{
	return mark_words[mark];
}

static void mark(struct filename *f, enum filename_mark which)
{
	f->marks |= 1u << which;
}

/* ---- letters ---- */

static bool gives_direction(uint32_t c)
{
	return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
	       (c >= 0x2066 && c <= 0x2069);
}

/* Full-width forms of ASCII; the blank of Japanese text is used in names as it is. */
static bool is_wide_ascii(uint32_t c)
{
	return c >= 0xFF01 && c <= 0xFF5E;
}

enum script { SCRIPT_NONE, SCRIPT_LATIN, SCRIPT_ALIKE };

/* Greek, Cyrillic, Armenian, Cherokee: what is taken for Latin at a glance. */
static enum script script_of(uint32_t c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= 0xC0 && c <= 0x24F))
		return SCRIPT_LATIN;
	if ((c >= 0x370 && c <= 0x58F) || (c >= 0x13A0 && c <= 0x13FF) ||
	    (c >= 0x1D400 && c <= 0x1D7FF))
		return SCRIPT_ALIKE;
	return SCRIPT_NONE;
}

/* ---- the first pass: letters taken out or replaced ---- */

struct pass {
	struct filename *f;
	struct buf *out;
	enum script word; /* of the letters of this word so far */
};

static void take_letter(struct pass *p, const char *at, size_t len, uint32_t c)
{
	enum script script = script_of(c);

	if (gives_direction(c)) {
		mark(p->f, FILENAME_DIRECTION);
		return;
	}
	if (c < ' ' || c == 0x7F || (c >= 0x80 && c < 0xA0)) {
		mark(p->f, FILENAME_CONTROL);
		return;
	}
	if (c != 0x3000 && utf8_unseen(c)) {
		mark(p->f, FILENAME_UNSEEN);
		return;
	}
	if (is_wide_ascii(c))
		mark(p->f, FILENAME_WIDTH);
	if (script == SCRIPT_NONE)
		p->word = SCRIPT_NONE;
	else if (p->word == SCRIPT_NONE)
		p->word = script;
	else if (p->word != script)
		mark(p->f, FILENAME_MIXED);
	buf_add(p->out, at, len);
}

static void first_pass(struct filename *f, const char *name, size_t len, struct buf *out)
{
	struct pass p = {.f = f, .out = out};

	if (len > FILENAME_READ_MAX) {
		/* The extension decides what opens it: the end is kept. */
		name += len - FILENAME_READ_MAX;
		len = FILENAME_READ_MAX;
		mark(f, FILENAME_LONG);
		while (len > 0 && ((unsigned char)*name & 0xC0) == 0x80) {
			name++;
			len--;
		}
	}
	for (size_t at = 0; at < len;) {
		uint32_t c = 0;
		size_t step = utf8_step(name + at, len - at, &c);

		if (step == 0) {
			mark(f, FILENAME_INVALID);
			buf_add_text(out, REPLACEMENT);
			step = 1;
		} else {
			take_letter(&p, name + at, step, c);
		}
		at += step;
	}
}

/* ---- folders, and what file systems do not take ---- */

/* The length of the separator here; a full-width one counts, for it becomes one in normal form. */
static size_t separator(const char *text, size_t len)
{
	if (len > 0 && (*text == '/' || *text == '\\'))
		return 1;
	return len >= 3 && (memcmp(text, "\xEF\xBC\x8F", 3) == 0 ||
			       memcmp(text, "\xEF\xBC\xBC", 3) == 0)
		   ? 3
		   : 0;
}

/* What stands behind the last separator. */
static size_t behind_folders(const char *text, size_t len)
{
	size_t from = 0;

	for (size_t i = 0; i < len; i++) {
		size_t n = separator(text + i, len - i);

		if (n > 0)
			from = i + n;
	}
	if (from == 0 && len >= 2 && text[1] == ':' &&
	    (((unsigned char)text[0] | 0x20) >= 'a' && ((unsigned char)text[0] | 0x20) <= 'z'))
		from = 2;
	return from;
}

/* Folders that lead out of the one that a file is put into: "..", a root, a drive, a server. */
static bool leads_out(const char *text, size_t folders)
{
	size_t from = 0;

	if (text[0] == '/' || text[0] == '\\' || (folders >= 2 && text[1] == ':'))
		return true;
	for (size_t i = 0; i < folders; i++) {
		size_t n = separator(text + i, folders - i);

		if (n == 0)
			continue;
		if (i == 0 || (i - from == 2 && memcmp(text + from, "..", 2) == 0))
			return true;
		from = i + n;
		i += n - 1;
	}
	return false;
}

static bool is_reserved(const char *text, size_t len)
{
	static const char *const names[] = {"CON", "PRN", "AUX", "NUL"};
	size_t stem = 0;

	while (stem < len && text[stem] != '.')
		stem++;
	if (stem == 3) {
		for (size_t i = 0; i < COUNT_OF(names); i++) {
			if (strncasecmp(text, names[i], 3) == 0)
				return true;
		}
	}
	return stem == 4 && text[3] >= '1' && text[3] <= '9' &&
	       (strncasecmp(text, "COM", 3) == 0 || strncasecmp(text, "LPT", 3) == 0);
}

static size_t without_tail(const char *text, size_t len)
{
	for (;;) {
		if (len > 0 && (text[len - 1] == '.' || text[len - 1] == ' '))
			len--;
		else if (len >= 3 && memcmp(text + len - 3, "\xE3\x80\x80", 3) == 0)
			len -= 3;
		else
			return len;
	}
}

/* Cuts to `room` bytes between letters, the last `keep` bytes kept. */
static size_t cut_middle(char *text, size_t len, size_t room, size_t keep)
{
	size_t head;

	if (len <= room)
		return len;
	if (keep > room / 2)
		keep = 0;
	head = room - keep;
	while (head > 0 && ((unsigned char)text[head] & 0xC0) == 0x80)
		head--;
	memmove(text + head, text + len - keep, keep);
	return head + keep;
}

static size_t extension_at(const char *text, size_t len)
{
	for (size_t i = len; i > 0; i--) {
		if (text[i - 1] == '.')
			return i - 1;
	}
	return len;
}

static void make_safe(struct filename *f, char *text, size_t len)
{
	size_t from = behind_folders(text, len), used = 0, kept, ext;

	if (from > 0)
		mark(f, FILENAME_PATH);
	text += from;
	len -= from;
	while (len > 0 && *text == ' ') {
		text++;
		len--;
	}
	kept = without_tail(text, len);
	if (kept < len)
		mark(f, FILENAME_TAIL);
	for (size_t i = 0; i < kept; i++) {
		if (strchr("<>:\"|?*", text[i]) != NULL) {
			mark(f, FILENAME_FORBIDDEN);
			text[i] = '_';
		}
	}
	if (kept > 0 && (is_reserved(text, kept) || *text == '-')) {
		mark(f, FILENAME_RESERVED);
		f->text[used++] = '_';
	}
	ext = extension_at(text, kept);
	/* One that may be the half of a compound one. */
	if (extension_at(text, ext) < ext && kept - extension_at(text, ext) < EXTENSION_KEPT)
		ext = extension_at(text, ext);
	if (kept > FILENAME_MAX_BYTES - used)
		mark(f, FILENAME_LONG);
	kept = cut_middle(text, kept, FILENAME_MAX_BYTES - used, kept - ext);
	memcpy(f->text + used, text, kept);
	f->text[used + kept] = '\0';
}

/* ---- the extension ---- */

/* What is one extension although it has a dot in it. */
static bool is_compound(const char *inner, size_t len)
{
	static const char *const inners[] = {".tar", ".cpio"};

	for (size_t i = 0; i < COUNT_OF(inners); i++) {
		if (len == strlen(inners[i]) && memcmp(inner, inners[i], len) == 0)
			return true;
	}
	return false;
}

static bool is_packer(const char *extension)
{
	static const char *const packers[] = {
	    ".gz", ".bz2", ".xz", ".zst", ".lz", ".lzma", ".lz4", ".z", ".br"};

	for (size_t i = 0; i < COUNT_OF(packers); i++) {
		if (strcmp(extension, packers[i]) == 0)
			return true;
	}
	return false;
}

/* Blanks before the last extension push it out of sight. */
static size_t without_blanks(const char *text, size_t len)
{
	while (len > 0 && text[len - 1] == ' ')
		len--;
	return len;
}

static bool is_one_of(const char *text, size_t len, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strlen(words[i]) == len && memcmp(words[i], text, len) == 0)
			return true;
	}
	return false;
}

/* Extensions of what people read: one of them before another one shows what the file is not. */
static bool is_shown_kind(const char *text, size_t len)
{
	static const char *const kinds[] = {".pdf", ".doc", ".docx", ".docm", ".dot", ".dotx",
	    ".rtf", ".odt", ".txt", ".text", ".log", ".md", ".csv", ".tsv", ".xls", ".xlsx",
	    ".xlsm", ".xlsb", ".xlt", ".xltx", ".ods", ".ppt", ".pptx", ".pptm", ".pps", ".ppsx",
	    ".odp", ".odg", ".vsd", ".vsdx", ".htm", ".html", ".xml", ".json", ".eml", ".msg",
	    ".ics", ".vcf", ".jtd", ".jtdc", ".jpg", ".jpeg", ".jpe", ".png", ".gif", ".bmp",
	    ".tif", ".tiff", ".webp", ".heic", ".svg", ".ico", ".psd", ".ai", ".eps", ".dwg",
	    ".dxf", ".mp3", ".wav", ".m4a", ".mp4", ".mov", ".avi", ".wmv", ".mpg", ".mpeg", ".zip",
	    ".rar", ".7z", ".lzh", ".cab", ".iso", ".tar", ".tgz", ".gz", ".bz2", ".xz"};

	return is_one_of(text, len, kinds, COUNT_OF(kinds));
}

/* What opens such a file runs it, or what is in it. */
static bool is_run_kind(const char *text, size_t len)
{
	static const char *const kinds[] = {".exe", ".com", ".scr", ".pif", ".bat", ".cmd", ".msi",
	    ".msp", ".msix", ".appx", ".cpl", ".dll", ".ocx", ".sys", ".js", ".jse", ".vbs", ".vbe",
	    ".vb", ".wsf", ".wsh", ".wsc", ".sct", ".hta", ".ps1", ".psm1", ".psc1", ".sh", ".bash",
	    ".csh", ".py", ".pyw", ".pl", ".rb", ".php", ".jar", ".class", ".jnlp", ".lnk", ".url",
	    ".website", ".desktop", ".reg", ".inf", ".chm", ".hlp", ".msc", ".gadget", ".scf",
	    ".application", ".appref", ".xll", ".xla", ".xlam", ".ade", ".adp", ".mde", ".app",
	    ".command", ".dmg", ".pkg", ".deb", ".rpm", ".apk", ".elf", ".bin", ".run", ".img",
	    ".vhd", ".vhdx", ".one", ".settingcontent-ms", ".library-ms", ".search-ms", ".mht",
	    ".mhtml", ".xsl", ".ps", ".wasm", ".cgi", ".asp", ".aspx", ".jsp"};

	return is_one_of(text, len, kinds, COUNT_OF(kinds));
}

static void find_extension(struct filename *f)
{
	size_t len = strlen(f->folded), at = extension_at(f->folded, len), inner, end;

	if (at == len || at == 0 || len - at >= sizeof f->extension)
		return;
	memcpy(f->extension, f->folded + at, len - at + 1);
	end = without_blanks(f->folded, at);
	inner = extension_at(f->folded, end);
	if (inner == end || inner == 0)
		return;
	if (end == at && is_packer(f->extension)) {
		if (is_compound(f->folded + inner, at - inner))
			memcpy(f->extension, f->folded + inner, len - inner + 1);
		return;
	}
	if (is_shown_kind(f->folded + inner, end - inner) &&
	    (end < at || is_shown_kind(f->folded + at, len - at) ||
		is_run_kind(f->folded + at, len - at)))
		mark(f, FILENAME_DOUBLE);
}

/* ---- the folded form ---- */

static size_t put_point(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xC0 | (c >> 6));
		out[1] = (char)(0x80 | (c & 0x3F));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xE0 | (c >> 12));
		out[1] = (char)(0x80 | ((c >> 6) & 0x3F));
		out[2] = (char)(0x80 | (c & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | (c >> 18));
	out[1] = (char)(0x80 | ((c >> 12) & 0x3F));
	out[2] = (char)(0x80 | ((c >> 6) & 0x3F));
	out[3] = (char)(0x80 | (c & 0x3F));
	return 4;
}

static void fold(const struct norm_tables *tables, struct filename *f)
{
	struct buf normal;
	size_t used = 0, step;

	buf_init(&normal, sizeof f->folded - 1);
	/* A normal form that is longer than that, or no memory: the name as it is. */
	if (!norm_text(tables, f->text, strlen(f->text), &normal)) {
		buf_clear(&normal);
		buf_add(&normal, f->text, strlen(f->text));
	}
	for (size_t at = 0; at < normal.len; at += step) {
		uint32_t c = 0;

		step = utf8_step(normal.bytes + at, normal.len - at, &c);
		if (step == 0)
			step = 1;
		else if (used + 4 < sizeof f->folded)
			used += put_point(f->folded + used, norm_fold(tables, c));
	}
	f->folded[used] = '\0';
	buf_free(&normal);
}

bool filename_leads_out(const char *name, size_t len)
{
	size_t folders = behind_folders(name, len);

	return folders > 0 && leads_out(name, folders);
}

void filename_canonical(
    const struct norm_tables *tables, const char *name, size_t len, struct filename *f)
{
	struct buf letters;

	*f = (struct filename){.marks = 0};
	/* A replaced byte becomes three. */
	buf_init(&letters, 3 * FILENAME_READ_MAX);
	first_pass(f, name, len, &letters);
	if (buf_ok(&letters) && letters.len > 0)
		make_safe(f, letters.bytes, letters.len);
	buf_free(&letters);
	fold(tables, f);
	find_extension(f);
}
