#include "lib/notice/templates.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const kinds[NOTICE_KINDS] = {[KIND_HOLD] = "hold",
    [KIND_REQUEST] = "request",
    [KIND_WARNING] = "warning",
    [KIND_RESULT] = "result",
    [KIND_DRAFT] = "draft",
    [KIND_DIGEST] = "digest",
    [KIND_URGENT] = "urgent",
    [KIND_REVIEW] = "review",
    [KIND_LOGIN] = "login"};

static const char *const languages[NOTICE_LANGUAGES] = {[NOTICE_JA] = "ja", [NOTICE_EN] = "en"};

static const char *const names[] = {"subject", "from", "to", "cc", "date", "accepted", "gateway",
    "sender", "rcpt", "rcpt-risk", "url", "check", "file", "why", "attached", "header-only",
    "until", "confirm", "checked", "approval", "discard", "window", "expires", "expiry-discard",
    "for", "escalated", "comment", "votes", "by", "reason", "time", "approved", "released",
    "rejected", "returned", "discarded", "expired", "not-confirmed", "removed", "restored",
    "extended", "urgent", "count", "mail-time", "mail-subject", "mail-from", "mail-rcpt",
    "mail-state", "mail-url", "source"};

const char *notice_kind_word(size_t kind)
{
	return kinds[kind];
}

size_t notice_kind_of(const char *word)
{
	size_t kind = 0;

	while (kind < NOTICE_KINDS && strcmp(kinds[kind], word) != 0)
		kind++;
	return kind;
}

const char *const *notice_known_names(size_t *n)
{
	*n = COUNT_OF(names);
	return names;
}

/* ---- files -------------------------------------------------------------------------------- */

static bool blame_errno(const char *file, struct conf_fault *fault)
{
	int error = errno;

	*fault = (struct conf_fault){.line = 0};
	(void)snprintf(fault->file, sizeof fault->file, "%s", file);
	if (error == ENOENT)
		return conf_blame(fault, 0, 0, "the file is missing");
	return conf_blame(fault, 0, 0, "cannot be read: %s", strerrordesc_np(error));
}

/* All of it, up to one byte more than a template may have. False with errno. */
static bool read_bytes(int fd, char *bytes, size_t *len)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return false;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return false;
	}
	*len = 0;
	while (*len < TEMPLATE_MAX + 1) {
		ssize_t n = read(fd, bytes + *len, TEMPLATE_MAX + 1 - *len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		if (n == 0)
			break;
		*len += (size_t)n;
	}
	return true;
}

static bool read_one(int etc, size_t language, size_t kind, char *bytes, struct notice_template *t,
    struct conf_fault *fault)
{
	char file[64];
	size_t len = 0;
	bool fine;
	int fd;

	(void)snprintf(file, sizeof file, "etc/notices/%s/%s", languages[language], kinds[kind]);
	/* Not a pipe that nobody writes to. */
	fd = openat(etc, file + sizeof "etc/" - 1, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return blame_errno(file, fault);
	fine = read_bytes(fd, bytes, &len);
	if (!fine)
		(void)blame_errno(file, fault);
	(void)close(fd);
	return fine && template_read(bytes, len, file, names, COUNT_OF(names), t, fault);
}

bool notice_templates_there(const struct notice_templates *templates)
{
	return templates->of[0][0].lines > 0;
}

bool notice_templates_read(int etc, struct notice_templates *templates, struct conf_fault *fault)
{
	char *bytes;
	bool fine;

	*templates = (struct notice_templates){0};
	if (faccessat(etc, "notices", F_OK, 0) != 0 && errno == ENOENT)
		return true;
	bytes = malloc(TEMPLATE_MAX + 1);
	fine = bytes != NULL;
	if (!fine)
		(void)blame_errno("etc/notices", fault);
	for (size_t language = 0; language < NOTICE_LANGUAGES && fine; language++) {
		for (size_t kind = 0; kind < NOTICE_KINDS && fine; kind++)
			fine = read_one(
			    etc, language, kind, bytes, &templates->of[language][kind], fault);
	}
	free(bytes);
	if (!fine)
		notice_templates_free(templates);
	return fine;
}

void notice_templates_free(struct notice_templates *templates)
{
	for (size_t language = 0; language < NOTICE_LANGUAGES; language++) {
		for (size_t kind = 0; kind < NOTICE_KINDS; kind++)
			template_free(&templates->of[language][kind]);
	}
}

bool notice_templates_check(int etc, struct conf_fault *fault)
{
	struct notice_templates templates;
	bool fine = notice_templates_read(etc, &templates, fault);

	if (fine)
		notice_templates_free(&templates);
	return fine;
}
