/* The HTML of a message, made harmless, and one part as it is: what a page shows in a frame, or lets be saved. */
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lib/base/hex.h"
#include "lib/inspect/sanitise.h"
#include "lib/inspect/view.h"
#include "lib/text/html.h"

#define ID_MAX ((size_t)255)

/* ---- the file that is written ---- */

struct output {
	int fd;
	uint64_t at;
	bool failed;
};

static bool write_piece(void *context, const char *bytes, size_t len)
{
	struct output *o = context;

	while (len > 0) {
		ssize_t n = pwrite(o->fd, bytes, len, (off_t)o->at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			o->failed = true;
			return false;
		}
		bytes += n;
		len -= (size_t)n;
		o->at += (uint64_t)n;
	}
	return true;
}

/* What whoever asked gets is as long as what was written. */
static bool end_output(struct output *o)
{
	return !o->failed && ftruncate(o->fd, (off_t)o->at) == 0;
}

/* ---- images ---- */

struct images {
	struct inspection *i;
	size_t most; /* bytes of one */
	struct buf bytes;
};

/* Its type by its first bytes; NULL: none that is shown. */
static const char *image_type(const struct buf *bytes)
{
	const char *b = bytes->bytes;

	if (bytes->len >= 8 && memcmp(b, "\x89PNG\r\n\x1a\n", 8) == 0)
		return "image/png";
	if (bytes->len >= 3 && memcmp(b, "\xff\xd8\xff", 3) == 0)
		return "image/jpeg";
	if (bytes->len >= 6 && (memcmp(b, "GIF87a", 6) == 0 || memcmp(b, "GIF89a", 6) == 0))
		return "image/gif";
	if (bytes->len >= 12 && memcmp(b, "RIFF", 4) == 0 && memcmp(b + 8, "WEBP", 4) == 0)
		return "image/webp";
	return NULL;
}

static bool take_image(void *context, const char *bytes, size_t len)
{
	struct images *images = context;

	buf_add(&images->bytes, bytes, len);
	/* The first piece tells whether it is one. */
	return buf_ok(&images->bytes) && image_type(&images->bytes) != NULL;
}

/* A reference is a URL: "%40" is "@" (RFC 2392). False: it is too long. */
static bool read_id(const char *text, char id[ID_MAX + 1])
{
	size_t n = 0;

	while (*text != '\0' && n < ID_MAX) {
		int high = *text == '%' ? hex_digit(text[1]) : -1;
		int low = high >= 0 ? hex_digit(text[2]) : -1;

		id[n++] = low >= 0 ? (char)(high * 16 + low) : *text;
		text += low >= 0 ? 3 : 1;
	}
	while (n > 0 && id[n - 1] == ' ')
		n--;
	id[n] = '\0';
	return *text == '\0' && n > 0;
}

static bool decode_image(struct images *images, const struct mime_part *p)
{
	struct source raw = source_part(&images->i->message, p->body, p->end - p->body);
	struct transfer_reader reader;

	buf_clear(&images->bytes);
	return transfer_source(&reader, p->encoding, &raw, (struct sink){take_image, images}) &&
	       buf_ok(&images->bytes) && images->bytes.len > 0;
}

/* Of the parts of the message itself, not of one within it. */
static bool find_image(void *context, const char *text, struct sanitise_image *image)
{
	struct images *images = context;
	const struct inspection *i = images->i;
	char id[ID_MAX + 1];

	if (images->most == 0 || !read_id(text, id))
		return false;
	for (size_t k = 0; k < i->tree.count; k++) {
		const struct mime_part *p = &i->tree.parts[k];

		if (i->view[k].role != ROLE_FILE || i->view[k].nested || strcmp(p->id, id) != 0)
			continue;
		if (!decode_image(images, p))
			return false;
		*image = (struct sanitise_image){
		    image_type(&images->bytes), images->bytes.bytes, images->bytes.len};
		return image->type != NULL;
	}
	return false;
}

/* ---- HTML ---- */

/* One part of it. False: it cannot be shown, `*told` says why. */
static bool add_html(
    struct inspection *i, size_t part, struct sanitise *s, size_t most, enum view_told *told)
{
	struct buf html;
	bool cut = false, good;

	buf_init(&html, most);
	good = view_utf8(i, part, true, &html, &cut);
	if (!good)
		*told = VIEW_TOLD_FAILED;
	else if (cut || !sanitise_add(s, html.len > 0 ? html.bytes : "", html.len))
		*told = VIEW_TOLD_NONE;
	buf_free(&html);
	return *told == VIEW_TOLD;
}

static enum view_told add_all(
    struct inspection *i, struct sanitise *s, const struct view_bounds *bounds)
{
	enum view_told told = VIEW_TOLD;
	size_t parts = 0;

	for (size_t k = 0; k < i->tree.count; k++) {
		if (!view_is_html(i, k))
			continue;
		/* Each may take a second: the first is tried whatever came before. */
		if (parts++ > 0 && !view_has_time(i)) {
			s->cut = true;
			break;
		}
		if (!add_html(i, k, s, bounds->html, &told))
			return told;
	}
	return parts > 0 ? VIEW_TOLD : VIEW_TOLD_NONE;
}

enum view_told inspection_html(struct inspection *i, const struct view_bounds *bounds, int out)
{
	struct images images = {.i = i, .most = bounds->image};
	struct output output = {.fd = out};
	struct sanitise_setup setup = {.most = 4 * bounds->html,
	    .images = VIEW_IMAGES,
	    .memory = HTML_MEMORY,
	    .cpu_ms = HTML_CPU_MS,
	    .image = find_image,
	    .context = &images,
	    .out = {write_piece, &output}};
	enum view_told told;
	struct sanitise s;

	buf_init(&images.bytes, bounds->image);
	sanitise_open(&s, &setup);
	told = add_all(i, &s, bounds);
	if (!sanitise_close(&s) || !end_output(&output))
		told = VIEW_TOLD_FAILED;
	buf_free(&images.bytes);
	if (told == VIEW_TOLD && (s.cut || i->tree.limits != 0))
		told = VIEW_TOLD_CUT;
	return told;
}

/* ---- one part ---- */

enum view_told inspection_file(struct inspection *i, const char *path, int out)
{
	uint32_t part = mime_find(&i->tree, path);
	const struct mime_part *p;
	struct output output = {.fd = out};
	struct transfer_reader reader;
	struct source raw;

	/* What holds other parts has no bytes of its own, but for a message that is attached. */
	if (part == MIME_NONE || i->view[part].role == ROLE_CONTAINER)
		return VIEW_TOLD_NONE;
	p = &i->tree.parts[part];
	raw = source_part(&i->message, p->body, p->end - p->body);
	if (!transfer_source(&reader, p->encoding, &raw, (struct sink){write_piece, &output}) ||
	    !end_output(&output))
		return VIEW_TOLD_FAILED;
	return VIEW_TOLD;
}
