/* ZIP: names, text of the members, and whether they are encrypted. */
#include <stdlib.h>

#include "lib/extract/state.h"
#include "lib/extract/zip.h"

struct zip_reading {
	struct unpacking u;
	struct zip zip;
	struct buf name;
	uint64_t files; /* members that are files, and how many of them are encrypted */
	uint64_t encrypted;
	bool damaged;
	bool unknown; /* a member is compressed in a way that nothing here knows */
};

static void tell_state(struct inside *in, enum zip_state state)
{
	switch (state) {
	case ZIP_NONE:
	case ZIP_DAMAGED:
		inside_fault(in, EXTRACT_DAMAGED);
		break;
	case ZIP_HIDDEN:
		inside_fault(in, EXTRACT_ENCRYPTED);
		break;
	case ZIP_METHOD:
		inside_fault(in, EXTRACT_FORMAT);
		break;
	case ZIP_MEMORY:
		inside_fault(in, EXTRACT_MEMORY);
		break;
	case ZIP_READ:
		inside_fault(in, EXTRACT_READ);
		break;
	case ZIP_OK:
	case ZIP_END:
	case ZIP_STOPPED:
		break;
	}
}

/* A part of a member that is damaged is looked at all the same. */
static bool read_member(struct zip_reading *r, const struct zip_entry *entry, const char *name)
{
	struct unpacking *u = &r->u;
	enum zip_state state;

	unpack_begin(u);
	state = zip_unpack(&r->zip, entry, unpack_sink(u));
	if (!u->stopped) {
		if (state == ZIP_STOPPED)
			state = ZIP_DAMAGED;
		if (state != ZIP_OK) {
			struct inside at = *u->in;

			if (state == ZIP_METHOD)
				inside_fault_at(&at, EXTRACT_FORMAT, name);
			else if (state == ZIP_MEMORY)
				inside_fault_at(&at, EXTRACT_MEMORY, name);
			else
				inside_fault_at(&at, EXTRACT_DAMAGED, name);
		}
		if (u->size > 0 || state == ZIP_OK)
			unpack_look(u, name);
	}
	unpack_end(u);
	return !u->stopped;
}

static bool see_member(struct zip_reading *r, const struct zip_entry *entry)
{
	struct extract_member member = {
	    .name = zip_name(entry, &r->name),
	    .size = entry->size,
	    .encrypted = entry->encrypted,
	    .is_folder = entry->is_folder,
	};

	if (!entry->is_folder) {
		r->files++;
		r->encrypted += entry->encrypted;
	}
	if (!r->u.in->deep)
		return true;
	if (!inside_member(r->u.in, &member))
		return false;
	if (entry->encrypted || (entry->is_folder && entry->packed == 0))
		return true;
	return read_member(r, entry, member.name);
}

static enum file_encrypted verdict(const struct zip_reading *r, enum zip_state state)
{
	if (state != ZIP_END && r->encrypted == 0)
		return ENCRYPTED_UNKNOWN;
	if (r->encrypted == 0)
		return ENCRYPTED_NO;
	return r->encrypted == r->files && state == ZIP_END ? ENCRYPTED_ALL : ENCRYPTED_SOME;
}

static void walk_members(struct zip_reading *r)
{
	struct inside *in = r->u.in;
	struct zip_walk walk;
	struct zip_entry entry;
	enum zip_state state;
	bool going = true;

	zip_walk_begin(&walk, &r->zip);
	while (going && (state = zip_walk_next(&walk, &entry)) == ZIP_OK)
		going = see_member(r, &entry);
	zip_walk_end(&walk);

	if (going)
		tell_state(in, state);
	in->found->encrypted = verdict(r, going ? state : ZIP_STOPPED);
	if (r->encrypted > 0)
		inside_fault(in, EXTRACT_ENCRYPTED);
}

static void check(struct zip_reading *r)
{
	struct inside *in = r->u.in;
	enum zip_state state = zip_check(&r->zip, in->x->setup.limits.members + 1);

	if (state == ZIP_DAMAGED)
		inside_fault(in, EXTRACT_AMBIGUOUS);
	else
		tell_state(in, state);
}

void read_zip(struct inside *in)
{
	struct zip_reading *r = calloc(1, sizeof *r);
	enum zip_state state;

	if (r == NULL) {
		inside_fault(in, EXTRACT_MEMORY);
		return;
	}
	r->u.in = in;
	buf_init(&r->name, MEMBER_NAME_MAX);

	state = zip_open(&r->zip, &in->file);
	if (state == ZIP_OK) {
		if (in->deep)
			check(r);
		walk_members(r);
	} else {
		in->found->encrypted = state == ZIP_HIDDEN ? ENCRYPTED_ALL : ENCRYPTED_UNKNOWN;
		tell_state(in, state);
		if (state == ZIP_NONE && in->deep) /* as programs that repair it would */
			read_by_library(in, FORMAT_ZIP);
	}
	buf_free(&r->name);
	free(r);
}
