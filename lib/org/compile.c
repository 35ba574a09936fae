#include "lib/org/compile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/mime/utf8.h"
#include "lib/org/folder.h"
#include "lib/org/password.h"
#include "lib/org/reading.h"

#define TEXT_MAX ((size_t)64 * 1024)
#define ORG_MODE 0640

/* ---- what is only checked ---- */

static bool check_text(const char *path, const struct buf *text, struct conf_fault *fault)
{
	unsigned line = 1;
	uint32_t point;
	size_t step;

	(void)folder_blame(fault, path, "");
	for (size_t at = 0; at < text->len; at += step) {
		step = utf8_step(text->bytes + at, text->len - at, &point);
		if (step == 0)
			return conf_blame(fault, line, 0, "this is not UTF-8");
		if ((point < ' ' && point != '\n' && point != '\t') || point == 0x7f)
			return conf_blame(
			    fault, line, 0, "a control character (byte 0x%02x)", (unsigned)point);
		line += point == '\n';
	}
	return true;
}

bool reading_texts(struct reading *r, struct conf_fault *fault)
{
	const char *name;
	bool good = true;

	for (size_t i = 0; good && (name = org_names_at(r->names, RULE_NAME_TEXT, i)) != NULL;
	     i++) {
		struct buf text;
		char path[128];

		(void)snprintf(path, sizeof path, "texts/%.64s", name);
		buf_init(&text, TEXT_MAX + 8192);
		good = folder_file(r->etc, path, TEXT_MAX, &text, fault) &&
		       check_text(path, &text, fault);
		buf_free(&text);
	}
	return good;
}

bool reading_passwords(struct reading *r, struct conf_fault *fault)
{
	struct password_policy policy;
	const char *name;

	for (size_t i = 0; (name = org_names_at(r->names, RULE_NAME_PASSWORD, i)) != NULL; i++) {
		if (!password_policy_read(r->etc, name, &policy, fault))
			return false;
	}
	return true;
}

/* ---- all of it ---- */

static bool read_all(struct reading *r, struct conf_fault *fault)
{
	/* Names first: what follows may name any of them. */
	if (!reading_groups(r, fault) || !org_names_files(r->names, r->etc, fault))
		return false;
	org_names_sort(r->names);
	return reading_people(r, fault) && reading_domains(r, fault) && reading_lists(r, fault) &&
	       reading_passwords(r, fault) && reading_texts(r, fault) && reading_tables(r, fault) &&
	       reading_holidays(r, fault) && reading_partners(r, fault) &&
	       records_close(r->records, fault);
}

static bool write_file(const struct reading *r, int dir, struct conf_fault *fault)
{
	int fd =
	    openat(dir, ORG_FILE, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, ORG_MODE);
	bool good = fd >= 0 && records_write(r->records, fd, r->counts);
	int error = errno;

	if (fd >= 0 && close(fd) != 0 && good) {
		good = false;
		error = errno;
	}
	if (good)
		return true;
	*fault = (struct conf_fault){.file = COMPILED "/" ORG_FILE};
	return conf_blame(fault, 0, 0, "cannot be written: %s", strerrordesc_np(error));
}

/* `dir` -1: nothing is written. */
static bool compile(int etc, int dir, struct org_names **names, struct conf_fault *fault)
{
	struct reading r = {.etc = etc, .names = org_names_new(), .records = records_new()};
	bool good = false;

	*fault = (struct conf_fault){.file = "etc"};
	if (r.names == NULL || r.records == NULL)
		(void)conf_blame(fault, 0, 0, "no memory");
	else
		good = read_all(&r, fault) && (dir < 0 || write_file(&r, dir, fault));
	records_free(r.records);
	free(r.domain);
	if (good && names != NULL)
		*names = r.names;
	else
		org_names_free(r.names);
	return good;
}

bool org_compile(int etc, int dir, struct org_names **names, struct conf_fault *fault)
{
	return compile(etc, dir, names, fault);
}

bool org_check(int etc, struct org_names **names, struct conf_fault *fault)
{
	return compile(etc, -1, names, fault);
}
