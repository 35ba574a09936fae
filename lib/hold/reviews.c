/* The list of what was sent without its approval, lib/hold/reviews. */
#include "lib/hold/reviews.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/xtext.h"
#include "queue/audit.h"
#include "queue/stage.h"
#include "queue/state_file.h"

#define FOLDER "lib/hold"
#define NAME   "reviews"
#define MODE   0640
#define WEEK   (7 * 86400 * CLOCK_SECOND)

/* ---- reading ------------------------------------------------------------------------------ */

static bool is_key(const char *word, const char *key, const char **value)
{
	size_t len = strlen(key);

	if (strncmp(word, key, len) != 0 || word[len] != '=')
		return false;
	*value = word + len + 1;
	return xtext_valid(*value, strlen(*value));
}

static bool take_rcpts(struct review *r, const char *digits)
{
	size_t len = strlen(digits);

	if (len == 0 || len > 9 || strspn(digits, "0123456789") != len)
		return false;
	r->rcpts = (size_t)strtoul(digits, NULL, 10);
	return true;
}

static bool take_word(struct review *r, const char *word)
{
	const char *value;

	if (is_key(word, "id", &r->id) || is_key(word, "from", &r->from) ||
	    is_key(word, "by", &r->by) || is_key(word, "reason", &r->reason) ||
	    is_key(word, "asked", &r->asked) || is_key(word, "who", &r->who) ||
	    is_key(word, "comment", &r->comment) || is_key(word, "subject", &r->subject))
		return true;
	if (is_key(word, "rcpts", &value))
		return take_rcpts(r, value);
	if (is_key(word, "reviewed", &value)) {
		r->reviewed = clock_parse(value, strlen(value));
		return r->reviewed > 0;
	}
	if (!is_key(word, "verdict", &value))
		return false;
	r->verdict = strcmp(value, "fine") == 0    ? REVIEW_FINE
		     : strcmp(value, "wrong") == 0 ? REVIEW_WRONG
						   : REVIEW_OPEN;
	return r->verdict != REVIEW_OPEN;
}

/* Cuts the line into its words. False: this version cannot read it. */
static bool take_line(char *line, struct review *r)
{
	char *word = strsep(&line, " ");

	*r = (struct review){.subject = "", .who = "", .comment = ""};
	r->time = clock_parse(word, strlen(word));
	while ((word = strsep(&line, " ")) != NULL) {
		if (!take_word(r, word))
			return false;
	}
	return r->time > 0 && r->id != NULL && r->from != NULL && r->by != NULL &&
	       r->reason != NULL && r->asked != NULL &&
	       (r->reviewed > 0) == (r->verdict != REVIEW_OPEN);
}

static bool take_lines(struct reviews *reviews)
{
	char *at = reviews->text.bytes, *end = at + reviews->text.len, *newline;

	while (at < end) {
		newline = memchr(at, '\n', (size_t)(end - at));
		if (newline == NULL || memchr(at, '\0', (size_t)(newline - at)) != NULL ||
		    reviews->n == REVIEWS_MAX)
			return false;
		*newline = '\0';
		if (!take_line(at, &reviews->review[reviews->n]))
			return false;
		reviews->n++;
		at = newline + 1;
	}
	return true;
}

static int open_folder(void)
{
	return open(FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool reviews_read(struct reviews *reviews)
{
	int dir = open_folder(), error;
	bool good;

	*reviews = (struct reviews){.n = 0};
	buf_init(&reviews->text, REVIEWS_BYTES);
	good = dir >= 0 && (state_file_read(dir, NAME, &reviews->text) || errno == ENOENT);
	error = errno;
	if (dir >= 0)
		(void)close(dir); /* only read */
	if (good && reviews->text.len > 0) {
		reviews->review = calloc(REVIEWS_MAX, sizeof *reviews->review);
		error = reviews->review == NULL ? ENOMEM : EPROTO;
		good = reviews->review != NULL && take_lines(reviews);
	}
	if (good)
		return true;
	reviews_free(reviews);
	LOG_ALARM("reviews-unread", kv("file", REVIEWS_FILE), kv("error", strerror(error)));
	errno = error;
	return false;
}

void reviews_free(struct reviews *reviews)
{
	buf_free(&reviews->text);
	free(reviews->review);
	*reviews = (struct reviews){.n = 0};
}

/* ---- writing ------------------------------------------------------------------------------ */

static void add_line(struct buf *out, const struct review *r)
{
	char time[CLOCK_TEXT];

	clock_format(r->time, time);
	buf_addf(out, "%s id=%s from=%s by=%s reason=%s asked=%s", time, r->id, r->from, r->by,
	    r->reason, r->asked);
	if (r->subject != NULL && r->subject[0] != '\0')
		buf_addf(out, " subject=%s", r->subject);
	if (r->rcpts > 0)
		buf_addf(out, " rcpts=%zu", r->rcpts);
	if (r->verdict != REVIEW_OPEN) {
		clock_format(r->reviewed, time);
		buf_addf(out, " reviewed=%s who=%s verdict=%s", time, r->who,
		    r->verdict == REVIEW_FINE ? "fine" : "wrong");
		if (r->comment[0] != '\0')
			buf_addf(out, " comment=%s", r->comment);
	}
	buf_add_text(out, "\n");
}

/* All that is kept, and `more` (or NULL) behind it, in the place of the file. */
static bool write_all(const struct reviews *reviews, const struct review *more, int64_t now)
{
	struct buf text;
	int dir = open_folder(), error;
	size_t kept = more != NULL;
	bool good = dir >= 0;

	error = errno;
	buf_init(&text, REVIEWS_BYTES);
	for (size_t i = 0; i < reviews->n; i++) {
		const struct review *r = &reviews->review[i];

		if (r->verdict != REVIEW_OPEN && r->reviewed + REVIEWS_KEPT <= now)
			continue;
		add_line(&text, r);
		kept++;
	}
	if (more != NULL)
		add_line(&text, more);
	if (good && (!buf_ok(&text) || kept > REVIEWS_MAX)) {
		good = false;
		error = ENOSPC;
	}
	if (good) {
		good =
		    state_file_replace(dir, NAME, text.len > 0 ? text.bytes : "", text.len, MODE);
		error = errno;
	}
	if (dir >= 0)
		(void)close(dir); /* state_file_replace has synced it */
	buf_free(&text);
	errno = error;
	return good;
}

bool reviews_add(const struct review *review, int64_t now)
{
	struct reviews reviews;
	bool good;
	int error;

	if (!reviews_read(&reviews))
		return false;
	good = write_all(&reviews, review, now);
	error = errno;
	reviews_free(&reviews);
	if (!good)
		LOG_ALARM("review-unwritten", kv("id", review->id), kv("error", strerror(error)));
	errno = error;
	return good;
}

bool reviews_take_back(const char *id, int64_t time, int64_t now)
{
	struct reviews reviews;
	size_t i;
	bool good;
	int error;

	if (!reviews_read(&reviews))
		return false;
	for (i = reviews.n; i > 0; i--) {
		const struct review *r = &reviews.review[i - 1];

		if (r->time == time && r->verdict == REVIEW_OPEN && strcmp(r->id, id) == 0)
			break;
	}
	good = i > 0;
	error = ENOENT;
	if (good) {
		reviews.n--;
		memmove(&reviews.review[i - 1], &reviews.review[i],
		    (reviews.n - (i - 1)) * sizeof *reviews.review);
		good = write_all(&reviews, NULL, now);
		error = errno;
	}
	reviews_free(&reviews);
	if (!good)
		LOG_ALARM("review-unwritten", kv("id", id), kv("error", strerror(error)));
	errno = error;
	return good;
}

/* ---- questions ---------------------------------------------------------------------------- */

size_t reviews_of_week(const struct reviews *reviews, const char *by, int64_t now)
{
	size_t n = 0;

	for (size_t i = 0; i < reviews->n; i++)
		n += strcmp(reviews->review[i].by, by) == 0 && reviews->review[i].time + WEEK > now;
	return n;
}

bool review_asks(const struct review *review, const char *who)
{
	size_t len = strlen(who);

	for (const char *at = review->asked; len > 0 && *at != '\0';) {
		size_t n = strcspn(at, ",");

		if (n == len && memcmp(at, who, n) == 0)
			return true;
		at += n + (at[n] == ',');
	}
	return false;
}

/* ---- closing one -------------------------------------------------------------------------- */

static bool audited(struct stage *stage, const struct review *r, const char *via)
{
	struct buf line;
	bool done;

	buf_init(&line, AUDIT_LINE_MAX);
	audit_begin(&line, "reviewed");
	audit_put(&line, "id", r->id);
	audit_put_xtext(&line, "from", r->from, strlen(r->from));
	audit_put_xtext(&line, "sent-by", r->by, strlen(r->by));
	audit_put_xtext(&line, "by", r->who, strlen(r->who));
	audit_put(&line, "via", via);
	audit_put(&line, "verdict", r->verdict == REVIEW_FINE ? "fine" : "wrong");
	audit_put_xtext(&line, "comment", r->comment, strlen(r->comment));
	done = audit_well(stage->audit) && audit_say_line(stage->audit, true, &line);
	if (!done)
		LOG_ALARM("not-audited", kv("id", r->id), kv("what", "reviewed"), kv_errno(errno));
	buf_free(&line);
	return done;
}

static enum review_end close_one(
    struct stage *stage, struct reviews *reviews, struct review *r, const char *via)
{
	if (!audited(stage, r, via))
		return REVIEW_FAILED;
	if (!write_all(reviews, NULL, watch_now(&stage->watch))) {
		LOG_ALARM("review-unwritten", kv("id", r->id), kv_errno(errno));
		return REVIEW_FAILED;
	}
	LOG("reviewed", kv("id", r->id), kv("by", r->who), kv("via", via),
	    kv("verdict", r->verdict == REVIEW_FINE ? "fine" : "wrong"));
	return REVIEW_DONE;
}

enum review_end reviews_close(struct stage *stage, const char *id, const char *who,
    enum review_verdict verdict, const char *comment, const char *via)
{
	enum review_end end = REVIEW_NONE;
	struct reviews reviews;

	if (verdict == REVIEW_OPEN || !reviews_read(&reviews))
		return REVIEW_FAILED;
	/* The last of several: a message that was brought back may be sent so again. */
	for (size_t i = reviews.n; i > 0; i--) {
		struct review *r = &reviews.review[i - 1];

		if (strcmp(r->id, id) != 0)
			continue;
		if (who != NULL && !review_asks(r, who)) {
			end = REVIEW_NOT_HIS;
		} else if (r->verdict != REVIEW_OPEN) {
			end = REVIEW_CLOSED;
		} else {
			r->verdict = verdict;
			r->reviewed = watch_now(&stage->watch);
			r->who = who != NULL ? who : "root";
			r->comment = comment;
			end = close_one(stage, &reviews, r, via);
		}
		break;
	}
	reviews_free(&reviews);
	return end;
}
