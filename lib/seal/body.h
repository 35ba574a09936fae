/* Where texts are put into a message, and how. Internal to lib/seal. */
#ifndef SEKISHO_SEAL_BODY_H
#define SEKISHO_SEAL_BODY_H

#include "lib/mime/scan.h"
#include "lib/seal/output.h"
#include "lib/seal/seal.h"

/* What becomes of one text of the message. */
struct body_change {
	uint32_t part;
	bool html;
	bool utf8;    /* its charset becomes UTF-8 … */
	bool convert; /* … and its letters are converted */
	bool recode;  /* it is decoded and encoded again as `to`; else bytes are only put between */
	enum transfer to;
	struct buf top, end;
	uint64_t top_at, end_at; /* in the decoded text; UINT64_MAX: its end */
};

#define BODY_CHANGES 2 /* a plain text and its HTML */

struct body_plan {
	struct body_change change[BODY_CHANGES]; /* in the order of the message */
	size_t changes;
};

enum body_end {
	BODY_FINE,
	BODY_WRAP, /* it is signed, encrypted, unclear, or has no text: nothing in it is changed */
	BODY_FAILED, /* errno */
};

/* Plans it; the plan is to be freed in any case. */
NODISCARD enum body_end body_plan_make(struct body_plan *plan, const struct source *content,
    const struct mime_tree *tree, const struct seal_order *order, const struct seal_tables *tables);
void body_plan_free(struct body_plan *plan);

/* Whether the header of the part changes with it; then the encoding's name, or NULL. */
bool body_changes_header(
    const struct body_change *change, const struct mime_part *part, const char **encoding);

/* Writes the part's body, changed. False: see `out->error`; 0: no memory. */
NODISCARD bool body_write(const struct body_change *change, const struct source *content,
    const struct mime_part *part, struct output *out);

#endif
