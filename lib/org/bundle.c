/* The rules of etc/, one behind the other in one file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/org/folder.h"
#include "lib/org/groups.h"
#include "lib/org/names.h"

#define RULES_MODE 0640
#define BUNDLE_MAX ((size_t)64 * 1024 * 1024)
#define PATH_BYTES ((size_t)512)

struct bundle {
	int etc;
	struct org_names *names; /* groups alone */
	struct buf bytes;
	struct conf_fault *fault;
};

static bool path_join(char into[PATH_BYTES], const char *a, const char *b)
{
	return (size_t)snprintf(into, PATH_BYTES, "%s/%s", a, b) < PATH_BYTES;
}

/* One file, called `name`, which is etc/`path`. */
static bool add_file(struct bundle *b, const char *path, const char *name)
{
	struct buf file;
	bool good;

	buf_init(&file, RULE_FILE_MAX + 8192);
	good = folder_file(b->etc, path, RULE_FILE_MAX, &file, b->fault);
	if (good) {
		buf_addf(&b->bytes, "file %s %zu\n", name, file.len);
		buf_add(&b->bytes, file.bytes, file.len);
		good = buf_ok(&b->bytes) ||
		       folder_blame(b->fault, path, "there are too many rules, or no memory");
	}
	buf_free(&file);
	return good;
}

/* "must", "group/sales": regular files alone. */
static bool add_folder(struct bundle *b, const char *name)
{
	char path[PATH_BYTES], file[PATH_BYTES];
	struct folder folder;
	bool good = path_join(path, "policy", name) && folder_read(b->etc, path, &folder, b->fault);

	for (size_t i = 0; good && i < folder.n; i++) {
		const struct folder_entry *entry = &folder.entry[i];

		good = path_join(path, name, entry->name) && path_join(file, "policy", path) &&
		       folder_name_good(file, entry->name, b->fault);
		if (good && entry->folder)
			good = folder_blame(
			    b->fault, file, "is a directory; files with rules are expected");
		else if (good)
			good = add_file(b, file, path);
	}
	folder_free(&folder);
	return good;
}

/* ---- whose rules they are ---- */

typedef bool check_owner(struct bundle *b, const char *path, const char *name);

static bool check_group(struct bundle *b, const char *path, const char *name)
{
	if (org_name_known(b->names, RULE_NAME_GROUP, name, NULL, 0))
		return true;
	(void)folder_blame(b->fault, path, "");
	return org_names_blame(b->names, RULE_NAME_GROUP, name, 0, 0, b->fault);
}

static bool check_user(struct bundle *b, const char *path, const char *name)
{
	char normal[ORG_ADDRESS_MAX];

	(void)folder_blame(b->fault, path, "");
	if (!org_normal(name, normal) || normal[0] == '\0')
		return conf_blame(b->fault, 0, 0, "the name is not a user's address");
	for (const char *at = name; *at != '\0'; at++) {
		if ((unsigned char)*at <= ' ' || *at == 0x7f)
			return conf_blame(b->fault, 0, 0, "a blank in a user's address");
	}
	return strcmp(name, normal) == 0 ||
	       conf_blame(b->fault, 0, 0, "the address is written as %.200s here", normal);
}

/* "group", "user": a file or a directory for each. */
static bool add_owners(struct bundle *b, const char *layer, check_owner *check)
{
	char path[PATH_BYTES], name[PATH_BYTES];
	struct folder folder;
	bool good =
	    path_join(path, "policy", layer) && folder_read(b->etc, path, &folder, b->fault);

	for (size_t i = 0; good && i < folder.n; i++) {
		const struct folder_entry *entry = &folder.entry[i];

		good = path_join(name, layer, entry->name) && path_join(path, "policy", name) &&
		       check(b, path, entry->name) &&
		       (entry->folder ? add_folder(b, name) : add_file(b, path, name));
	}
	folder_free(&folder);
	return good;
}

/* ---- all of it ---- */

/* A misspelt layer is rules that nobody obeys. */
static bool check_layers(struct bundle *b)
{
	static const char *const known[] = {"must", "group", "user", "default", "tests"};
	struct folder folder;
	bool good = folder_read(b->etc, "policy", &folder, b->fault);

	/* A folder that was moved away must not pass for "no rules". */
	if (good && faccessat(b->etc, "policy/must", F_OK, 0) != 0) {
		folder_free(&folder);
		return folder_blame(b->fault, "policy/must",
		    "is not there: an empty directory means that there are no rules");
	}

	for (size_t i = 0; good && i < folder.n; i++) {
		const char *name = folder.entry[i].name;
		char path[PATH_BYTES];
		bool found = false;

		for (size_t k = 0; k < COUNT_OF(known); k++)
			found = found || strcmp(known[k], name) == 0;
		if (found && folder.entry[i].folder)
			continue;
		(void)path_join(path, "policy", name);
		good = folder_blame(b->fault, path,
		    "the directories must, group, user, default and tests are expected");
	}
	folder_free(&folder);
	return good;
}

static bool add_all(struct bundle *b)
{
	bool there = faccessat(b->etc, "allow", F_OK, 0) == 0 || errno != ENOENT;

	buf_add_text(&b->bytes, "sekisho-rules 1\n");
	return (!there || add_file(b, "allow", "allow")) && check_layers(b) &&
	       add_folder(b, "must") && add_owners(b, "group", check_group) &&
	       add_owners(b, "user", check_user) && add_folder(b, "default");
}

static bool see_group(void *context, const char *group, const struct org_who *who, unsigned line,
    struct conf_fault *fault)
{
	struct bundle *b = context;

	return who != NULL || org_names_add(b->names, RULE_NAME_GROUP, group, line) ||
	       conf_blame(fault, line, 0, "no memory");
}

bool rules_write(int dir, const char *bytes, size_t len, struct conf_fault *fault)
{
	int fd = openat(
	    dir, COMPILED_RULES, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, RULES_MODE);
	size_t at = 0;
	int error = fd < 0 ? errno : 0;

	while (error == 0 && at < len) {
		ssize_t n = write(fd, bytes + at, len - at);

		if (n > 0)
			at += (size_t)n;
		else if (n == 0 || errno != EINTR)
			error = n == 0 ? EIO : errno;
	}
	if (fd >= 0 && close(fd) != 0 && error == 0)
		error = errno;
	if (error == 0)
		return true;
	*fault = (struct conf_fault){.file = COMPILED "/" COMPILED_RULES};
	return conf_blame(fault, 0, 0, "cannot be written: %s", strerrordesc_np(error));
}

bool rules_bundle(int etc, int dir, struct conf_fault *fault)
{
	struct bundle b = {.etc = etc, .names = org_names_new(), .fault = fault};
	bool good = false;

	*fault = (struct conf_fault){.file = "etc/policy"};
	buf_init(&b.bytes, BUNDLE_MAX);
	if (b.names == NULL) {
		(void)conf_blame(fault, 0, 0, "no memory");
	} else if (groups_read(etc, see_group, &b, fault)) {
		org_names_sort(b.names);
		good = add_all(&b) && rules_write(dir, b.bytes.bytes, b.bytes.len, fault);
	}
	buf_free(&b.bytes);
	org_names_free(b.names);
	return good;
}
