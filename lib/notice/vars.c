#include "lib/notice/vars.h"

#include <stdio.h>
#include <string.h>

#include "lib/mime/utf8.h"

static const char more[] = "-more";

/* What is no UTF-8 counts byte by byte. */
size_t notice_value_length(const char *value)
{
	size_t len = strnlen(value, NOTICE_VALUE_MAX + 1), at = 0;

	if (len <= NOTICE_VALUE_MAX)
		return len;
	for (;;) {
		uint32_t point;
		size_t step = utf8_step(value + at, strnlen(value + at, 4), &point);

		step = step > 0 ? step : 1;
		if (at + step > NOTICE_VALUE_MAX)
			return at;
		at += step;
	}
}

bool notice_name_fits(const char *name, size_t len)
{
	if (len == 0 || len > NOTICE_NAME_MAX || name[0] < 'a' || name[0] > 'z')
		return false;
	for (size_t i = 0; i < len; i++) {
		bool letter = name[i] >= 'a' && name[i] <= 'z';

		if (!letter && name[i] != '-' && (name[i] < '0' || name[i] > '9'))
			return false;
	}
	return true;
}

const struct notice_list *notice_vars_find(
    const struct notice_vars *vars, const char *name, size_t len)
{
	for (size_t i = 0; i < vars->lists; i++) {
		const struct notice_list *list = &vars->list[i];

		if (strlen(list->name) == len && memcmp(list->name, name, len) == 0)
			return list;
	}
	return NULL;
}

/* The list of that name, made if it is not there. NULL: it cannot be. */
static struct notice_list *list_of(struct notice_vars *vars, const char *name)
{
	size_t len = strlen(name);
	const struct notice_list *found;
	struct notice_list *list;

	if (!notice_name_fits(name, len))
		return NULL;
	found = notice_vars_find(vars, name, len);
	if (found != NULL)
		return &vars->list[found - vars->list];
	if (vars->lists == NOTICE_NAMES_MAX)
		return NULL;
	list = &vars->list[vars->lists++];
	*list = (struct notice_list){.values = 0};
	memcpy(list->name, name, len);
	return list;
}

bool notice_vars_add(struct notice_vars *vars, const char *name, const char *value)
{
	struct notice_list *list = list_of(vars, name);

	if (list == NULL)
		return false;
	if (list->values < NOTICE_ROWS_MAX) {
		list->value[list->values++] = value != NULL && *value != '\0' ? value : NULL;
	} else {
		list->more++;
		(void)snprintf(list->more_text, sizeof list->more_text, "%zu", list->more);
	}
	return true;
}

/* NAME of "NAME-more", if its list is longer than what is shown. */
static const struct notice_list *longer(
    const struct notice_vars *vars, const char *name, size_t len)
{
	size_t tail = sizeof more - 1;
	const struct notice_list *list = NULL;

	if (len > tail && memcmp(name + len - tail, more, tail) == 0)
		list = notice_vars_find(vars, name, len - tail);
	return list != NULL && list->more > 0 ? list : NULL;
}

const char *notice_vars_value(
    const struct notice_vars *vars, const char *name, size_t len, size_t row)
{
	const struct notice_list *list = notice_vars_find(vars, name, len);

	if (list == NULL) {
		list = longer(vars, name, len);
		return list != NULL ? list->more_text : NULL;
	}
	if (list->values == 1)
		row = 0;
	return row < list->values ? list->value[row] : NULL;
}

size_t notice_vars_rows(const struct notice_vars *vars, const char *name, size_t len)
{
	const struct notice_list *list = notice_vars_find(vars, name, len);

	return list != NULL ? list->values : longer(vars, name, len) != NULL;
}
