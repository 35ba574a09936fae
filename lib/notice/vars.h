/*
 * The variables of a notice: names, each with one value or a list of them. What is shown of a list is
 * bounded; the rest is counted, and told by the variable NAME-more. Internal to lib/notice.
 */
#ifndef SEKISHO_NOTICE_VARS_H
#define SEKISHO_NOTICE_VARS_H

#include "lib/notice/notice.h"

struct notice_list {
	char name[NOTICE_NAME_MAX + 1];
	const char *value[NOTICE_ROWS_MAX]; /* not owned; NULL: none in this row */
	size_t values;
	size_t more;
	char more_text[24]; /* `more` in digits */
};

/* Owns nothing. */
struct notice_vars {
	size_t lists;
	struct notice_list list[NOTICE_NAMES_MAX];
};

/* How much of a text is a value: whole letters, at most NOTICE_VALUE_MAX bytes. */
NODISCARD size_t notice_value_length(const char *value);

/* Whether it can be a name: a small letter, and small letters, digits and '-' behind it. */
NODISCARD bool notice_name_fits(const char *name, size_t len);

/*
 * Adds one value, which must outlive `vars`; "" and NULL keep a row free. False: the name is none, or
 * one too many.
 */
NODISCARD bool notice_vars_add(struct notice_vars *vars, const char *name, const char *value);

/* The list of that name, or NULL: nothing was added. */
const struct notice_list *notice_vars_find(
    const struct notice_vars *vars, const char *name, size_t len);

/*
 * The value in a row from 0, or NULL. One value alone stands in every row. NAME-more has one if the
 * list NAME is longer than what is shown, and nothing was added by that name.
 */
const char *notice_vars_value(
    const struct notice_vars *vars, const char *name, size_t len, size_t row);

/* How many rows it has: 0 if it has none. */
size_t notice_vars_rows(const struct notice_vars *vars, const char *name, size_t len);

#endif
