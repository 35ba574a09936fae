/* Between the files that read winmail.dat (tnef*.c). For the files of lib/extract alone. */
#ifndef SEKISHO_EXTRACT_TNEF_H
#define SEKISHO_EXTRACT_TNEF_H

#include "lib/extract/state.h"

struct tnef {
	struct inside *in;
	char codepage[32]; /* a label; "": a guess */
	bool damaged;
	bool stopped; /* a limit was reached, and told */
	/* the attachment that is being read */
	bool in_file;
	bool has_data;
	struct source data;
	struct buf short_name;
	struct buf long_name;
};

/* A name into `name`; no memory, or it cannot be read: told, and the name is empty. */
void tnef_read_name(struct tnef *t, const struct source *value, bool wide, struct buf *name);

/* A text of the message, told as one of its own. */
void tnef_read_text(struct tnef *t, const struct source *value, const char *label);

/* The attachment, if there is one, is whole: it is told and looked at. */
void tnef_file_ends(struct tnef *t);

/* MAPI properties of the message or of an attachment (tnef_mapi.c). False: damaged. */
NODISCARD bool tnef_properties(struct tnef *t, const struct source *value, bool of_file);

#endif
