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
	if (is_signature(p) && within(i, p, "signed"))
		return ROLE_SIGNATURE;
	if (is_opaque(p) || (within(i, p, "encrypted") && p->number == 2))
		return ROLE_SEALED;
	if (within(i, p, "encrypted") && is_type(p, "application", "pgp-encrypted"))
		return ROLE_SIGNATURE;
	if (is_attached(p) || MIME_HAS(p->flags, PARTIAL) || MIME_HAS(p->flags, EXTERNAL))
		return ROLE_FILE;
	if (is_type(p, "text", "calendar"))
		return ROLE_CALENDAR;
	if (within(i, p, "report") && p->number > 1)
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

bool part_decode(struct inspection *i, size_t part, struct source *decoded)
{
	const struct mime_part *p = &i->tree.parts[part];
	struct source raw = source_part(&i->message, p->body, p->end - p->body);
	struct writing writing = {.fd = i->part};
	struct transfer_reader reader;

	if (p->encoding != TRANSFER_BASE64 && p->encoding != TRANSFER_QUOTED) {
		*decoded = raw;
		return true;
	}
	if (ftruncate(i->part, 0) != 0 ||
	    !transfer_source(&reader, p->encoding, &raw, (struct sink){write_piece, &writing}))
		return false;
	*decoded = (struct source){i->part, 0, writing.at};
	return true;
}
