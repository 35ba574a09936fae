/* What each part is: the table of cases in sekisho-facts(5), traps C7 and C8. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/inspect/facts.h"

static const char *const role_words[] = {
#define R(name, word) word,
    PART_ROLES(R)
#undef R
};

const char *part_role_word(enum part_role role)
{
	return role_words[role];
}

static bool is_type(const struct mime_part *p, const char *type, const char *subtype)
{
	return strcmp(p->type, type) == 0 && strcmp(p->subtype, subtype) == 0;
}

static bool is_signature(const struct mime_part *p)
{
	return is_type(p, "application", "pkcs7-signature") ||
	       is_type(p, "application", "x-pkcs7-signature") ||
	       is_type(p, "application", "pgp-signature");
}

static const struct mime_part *parent_of(const struct inspection *i, const struct mime_part *p)
{
	return p->parent == MIME_NONE ? NULL : &i->tree.parts[p->parent];
}

static bool within(const struct inspection *i, const struct mime_part *p, const char *subtype)
{
	const struct mime_part *parent = parent_of(i, p);

	return parent != NULL && MIME_HAS(parent->flags, MULTIPART) &&
	       strcmp(parent->subtype, subtype) == 0;
}

bool part_is_within(const struct inspection *i, const struct mime_part *p, const char *subtype)
{
	for (const struct mime_part *at = p; at != NULL; at = parent_of(i, at)) {
		if (MIME_HAS(at->flags, MESSAGE) && at != p)
			return false;
		if (within(i, at, subtype))
			return true;
	}
	return false;
}

bool part_may_be_html(const struct mime_part *p)
{
	if (MIME_HAS(p->flags, TWO_TYPES) || MIME_HAS(p->flags, TYPE))
		return true;
	return strcmp(p->type, "text") == 0 && strcmp(p->subtype, "plain") != 0 &&
	       strcmp(p->subtype, "html") != 0;
}

/* The machine's part of a report, by RFC 6522 and what uses it. */
static bool is_report(const struct mime_part *p)
{
	static const char *const subtypes[] = {"delivery-status", "disposition-notification",
	    "feedback-report", "global-delivery-status", "global-disposition-notification",
	    "global-headers"};

	if (is_type(p, "text", "rfc822-headers"))
		return true;
	if (strcmp(p->type, "message") != 0)
		return false;
	for (size_t k = 0; k < COUNT_OF(subtypes); k++) {
		if (strcmp(p->subtype, subtypes[k]) == 0)
			return true;
	}
	return false;
}

/* The place of a signature: its bytes are looked at when it is opened. */
static bool is_signature_of(const struct inspection *i, const struct mime_part *p)
{
	return is_signature(p) && within(i, p, "signed") && p->number == 2 && p->letter == 0 &&
	       parent_of(i, p)->children == 2;
}

/* S/MIME that only its recipient can open, or whose content is wrapped in its signature. */
static bool is_opaque(const struct mime_part *p)
{
	return is_type(p, "application", "pkcs7-mime") || is_type(p, "application", "x-pkcs7-mime");
}

static bool is_text(const struct mime_part *p)
{
	return strcmp(p->type, "text") == 0;
}

static bool is_attached(const struct mime_part *p)
{
	return strcmp(p->disposition, "attachment") == 0;
}

/*
 * Text that has neither a name nor the disposition of an attachment is what a reader sees; every
 * other leaf is a file, whatever it says it is.
 */
static enum part_role role_of(const struct inspection *i, const struct mime_part *p)
{
	if (MIME_HAS(p->flags, MESSAGE))
		return ROLE_MESSAGE;
	if (!mime_is_leaf(p))
		return ROLE_CONTAINER;
	if (is_signature_of(i, p))
		return ROLE_SIGNATURE;
	if (is_opaque(p) || (within(i, p, "encrypted") && p->number == 2))
		return ROLE_SEALED;
	if (within(i, p, "encrypted") && is_type(p, "application", "pgp-encrypted") &&
	    p->number == 1 && p->letter == 0)
		return ROLE_SIGNATURE;
	if (is_attached(p) || MIME_HAS(p->flags, PARTIAL) || MIME_HAS(p->flags, EXTERNAL))
		return ROLE_FILE;
	if (is_type(p, "text", "calendar"))
		return ROLE_CALENDAR;
	if (within(i, p, "report") && p->number > 1 && is_report(p))
		return ROLE_REPORT;
	if (is_text(p) && *p->name == '\0')
		return ROLE_BODY;
	return ROLE_FILE;
}

void parts_judge(struct inspection *i)
{
	for (size_t k = 0; k < i->tree.count; k++) {
		const struct mime_part *p = &i->tree.parts[k];
		struct part_view *view = &i->view[k];

		*view = (struct part_view){.role = role_of(i, p)};
		if (p->parent != MIME_NONE) {
			const struct part_view *around = &i->view[p->parent];

			view->nested = around->nested || around->role == ROLE_MESSAGE;
		}
	}
	/* The message itself is what is sent, not what is attached. */
	if (i->tree.count > 0 && i->view[0].role == ROLE_MESSAGE)
		i->view[0].role = ROLE_FILE;
}

bool role_is_text(enum part_role role)
{
	return role == ROLE_BODY || role == ROLE_CALENDAR || role == ROLE_REPORT;
}

bool role_counts(enum part_role role)
{
	switch (role) {
	case ROLE_FILE:
	case ROLE_MESSAGE:
		return true;
	case ROLE_CONTAINER:
	case ROLE_BODY:
	case ROLE_INLINE:
	case ROLE_SIGNATURE:
	case ROLE_CALENDAR:
	case ROLE_REPORT:
	case ROLE_SEALED:
	case ROLE_COUNT:
		break;
	}
	return false;
}

/* ---- the bytes of a part ---- */

struct writing {
	int fd;
	uint64_t at;
};

static bool write_piece(void *context, const char *bytes, size_t len)
{
	struct writing *w = context;

	while (len > 0) {
		ssize_t n = pwrite(w->fd, bytes, len, (off_t)w->at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		len -= (size_t)n;
		w->at += (uint64_t)n;
	}
	return true;
}

static bool take_head(void *context, const char *bytes, size_t len)
{
	struct buf *head = context;
	size_t room = head->bound - head->len;

	buf_add(head, bytes, len < room ? len : room);
	return buf_ok(head) && head->len < head->bound;
}

bool part_head(struct inspection *i, size_t part, enum transfer encoding, struct buf *head)
{
	const struct mime_part *p = &i->tree.parts[part];
	struct source raw = source_part(&i->message, p->body, p->end - p->body);
	struct transfer_reader reader;

	buf_init(head, EXTRACT_HEAD);
	return transfer_source(&reader, encoding, &raw, (struct sink){take_head, head}) ||
	       head->len == head->bound;
}

bool part_decode(struct inspection *i, size_t part, enum transfer encoding, struct source *decoded)
{
	const struct mime_part *p = &i->tree.parts[part];
	struct source raw = source_part(&i->message, p->body, p->end - p->body);
	struct writing writing = {.fd = i->part};
	struct transfer_reader reader;

	if (encoding != TRANSFER_BASE64 && encoding != TRANSFER_QUOTED) {
		*decoded = raw;
		return true;
	}
	if (ftruncate(i->part, 0) != 0 ||
	    !transfer_source(&reader, encoding, &raw, (struct sink){write_piece, &writing}))
		return false;
	*decoded = (struct source){i->part, 0, writing.at};
	return true;
}
