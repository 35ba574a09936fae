#include "lib/encrypt/steps.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/mime/utf8.h"

static bool is(const char *value, size_t len, const char *word)
{
	return value != NULL && len == strlen(word) && memcmp(value, word, len) == 0;
}

static bool is_name(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    c != '-' && c != '_')
			return false;
	}
	return len > 0 && len <= NAME_MAX;
}

struct step step_read(const struct plan_step *line)
{
	static const char *const words[] = {"encrypt", NULL};
	static const char *const keys[] = {"insert", "text", "rule", NULL};
	struct step step = {.word = STEP_OTHER};
	size_t len = 0;
	const char *where;

	if (plan_step_is(line, "encrypt keep"))
		return (struct step){.word = STEP_KEEP};
	if (!plan_knows(line, words, keys))
		return step;
	where = plan_argument(line, "insert", &len);
	step.text = plan_argument(line, "text", &step.text_len);
	if (is(where, len, "history") && step.text == NULL)
		step.word = STEP_HISTORY;
	else if (step.text == NULL || !is_name(step.text, step.text_len))
		return step;
	else if (is(where, len, "top"))
		step.word = STEP_TOP;
	else if (is(where, len, "end"))
		step.word = STEP_END;
	return step;
}

static const char *where_of(const struct step *step)
{
	return step->word == STEP_TOP ? "top" : step->word == STEP_END ? "end" : "history";
}

/* ---- once --------------------------------------------------------------------------------- */

static bool says_this(const struct leg_record *r, const struct step *step)
{
	size_t len = 0;
	const char *value = leg_record_value(r, "insert", &len);

	if (!is(value, len, where_of(step)))
		return false;
	value = leg_record_value(r, "text", &len);
	return step->text == NULL
		   ? value == NULL
		   : value != NULL && len == step->text_len && memcmp(value, step->text, len) == 0;
}

bool step_is_inserted(const struct leg *leg, const struct step *step)
{
	struct leg_record r;
	size_t at = 0, len = 0;

	while (leg_next_record(leg, &at, &r)) {
		const char *value;

		if (!leg_record_is(&r, "sealed") || !says_this(&r, step))
			continue;
		value = leg_record_value(&r, "inserted", &len);
		if (is(value, len, "yes") || is(value, len, "wrapped"))
			return true;
	}
	return false;
}

/* ---- etc/texts ---------------------------------------------------------------------------- */

static bool is_text(const struct buf *text, size_t from)
{
	uint32_t point;

	if (memchr(text->bytes + from, '\0', text->len - from) != NULL)
		return false;
	for (size_t at = from; at < text->len;) {
		size_t step = utf8_step(text->bytes + at, text->len - at, &point);

		if (step == 0)
			return false;
		at += step;
	}
	return true;
}

/* Reads it to its end, or to one byte more than it may have. False with errno. */
static bool read_all(int fd, struct buf *text)
{
	for (size_t got = 0; got <= STEP_ETC_TEXT_MAX;) {
		size_t want = STEP_ETC_TEXT_MAX + 1 - got;
		char *room = buf_reserve(text, want);
		ssize_t n;

		if (room == NULL) {
			errno = ENOMEM;
			return false;
		}
		n = read(fd, room, want);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		if (n == 0)
			return true;
		text->len += (size_t)n;
		got += (size_t)n;
	}
	return true;
}

const char *step_read_text(int etc, const struct step *step, struct buf *text, bool *later)
{
	char path[6 + NAME_MAX + 1];
	size_t from = text->len;
	bool done;
	int fd;

	*later = false;
	(void)snprintf(path, sizeof path, "texts/%.*s", (int)step->text_len, step->text);
	fd = openat(etc, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) {
		*later = errno != ENOENT && errno != ENOTDIR && errno != EACCES && errno != ELOOP;
		return "etc/texts: a text that is not there, or cannot be read";
	}
	done = read_all(fd, text);
	(void)close(fd);
	if (!done) {
		*later = errno == ENOMEM || errno == EIO;
		return "etc/texts: a text that cannot be read";
	}
	if (text->len - from > STEP_ETC_TEXT_MAX)
		return "etc/texts: a text of more than 64 KB";
	if (text->len > from && !is_text(text, from))
		return "etc/texts: a text that is no UTF-8";
	return NULL;
}
