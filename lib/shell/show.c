#include "lib/shell/shell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/hex.h"
#include "lib/shell/history.h"
#include "lib/shell/legs.h"

struct showing {
	const struct instance *in;
	struct out out;
	size_t shown;
	int code;
};

static void put(struct out *o, const char *key, const char *text)
{
	out_text(o, "what", key);
	out_text(o, NULL, text);
	out_end(o);
}

/* A line of the file: its first word says what it is. */
static void put_line(struct out *o, const char *line, size_t len)
{
	const char *blank = memchr(line, ' ', len);
	size_t word = blank != NULL ? (size_t)(blank - line) : len;

	out_bytes(o, "what", line, word);
	if (blank != NULL)
		out_words(o, "value", blank + 1, len - word - 1);
	out_end(o);
}

/* ---- the head, as the file has it --------------------------------------------------------- */

/* Reads at most `len` bytes at `at`; what is not there is not an error. */
static bool read_some(int fd, off_t at, size_t len, struct buf *b)
{
	char *room = buf_reserve(b, len);
	size_t got = 0;

	while (room != NULL && got < len) {
		ssize_t n = pread(fd, room + got, len - got, at + (off_t)got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	b->len += got;
	return room != NULL;
}

/*
 * Every line above the first empty one. leg_read has decoded its own copy where it stood, and has
 * none of a damaged head: so the file is read once more, for the eyes only.
 */
static void put_head(struct out *o, int fd, size_t len)
{
	struct buf b;
	const char *p, *end, *newline;

	buf_init(&b, LEG_HEAD_MAX);
	if (!read_some(fd, 0, len, &b)) {
		buf_free(&b);
		put(o, "damaged", "the head cannot be read");
		return;
	}
	for (p = b.bytes, end = p + b.len; p < end; p = newline + 1) {
		newline = memchr(p, '\n', (size_t)(end - p));
		if (newline == NULL || newline == p)
			break;
		put_line(o, p, (size_t)(newline - p));
	}
	buf_free(&b);
}

/* ---- what it comes to --------------------------------------------------------------------- */

static void put_plan(struct out *o, const struct leg *leg)
{
	if (leg->plan.steps == 0) {
		put(o, "plan", "none");
		return;
	}
	out_text(o, "what", "plan");
	out_text(o, "digest", leg->plan.digest);
	out_end(o);
	for (size_t i = 0; i < leg->plan.steps; i++) {
		const struct plan_step *step = &leg->plan.step[i];
		/* Delivering has no closing record of its own: the recipients' fates are it. */
		bool sent = step->word == WORD_DELIVER && leg_open_rcpts(leg) == 0;

		out_text(o, "what", "step");
		out_text(o, "state", step->closed || sent ? "closed" : "open");
		out_words(o, "word", step->text, step->len);
		out_end(o);
	}
}

/* ---- its recipients ----------------------------------------------------------------------- */

/* What was said last of each recipient, by the server and to the sender. */
struct latest {
	struct leg_record *reply;
	struct leg_record *notice;
};

/* For each recipient the one of the two that stands further behind. */
static void keep_later(struct leg_record *kept, const struct leg_record *other, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (kept[i].text == NULL || (other[i].text != NULL && other[i].text > kept[i].text))
			kept[i] = other[i];
	}
}

/* One pass over the trailer for each word. False: no memory. */
static bool look_back(const struct leg *leg, struct latest *latest)
{
	static const char *const said[] = {"deferred", "failed", "delivered"};
	static const char *const told[] = {"warned", "told", "bounced"};
	struct leg_record *of_word = reallocarray(NULL, leg->rcpts, sizeof *of_word);

	latest->reply = calloc(leg->rcpts, sizeof *latest->reply);
	latest->notice = calloc(leg->rcpts, sizeof *latest->notice);
	if (of_word == NULL || latest->reply == NULL || latest->notice == NULL) {
		free(of_word);
		return false;
	}
	for (size_t i = 0; i < COUNT_OF(said); i++) {
		leg_last_records(leg, said[i], of_word);
		keep_later(latest->reply, of_word, leg->rcpts);
		leg_last_records(leg, told[i], of_word);
		keep_later(latest->notice, of_word, leg->rcpts);
	}
	free(of_word);
	return true;
}

/* What the sender has been told of a recipient: "owed", "bounced ID", "told ID", "warned ID". */
static void put_notice(struct out *o, const struct leg_rcpt *rcpt, const struct leg_record *notice)
{
	size_t len = 0, word;
	const char *id = notice->text != NULL ? leg_record_value(notice, "notice", &len) : NULL;
	struct buf text;

	if (rcpt->owed) {
		out_text(o, "notice", "owed");
		return;
	}
	if (notice->text == NULL) {
		out_none(o, "notice");
		return;
	}
	buf_init(&text, LEG_HEAD_MAX);
	for (word = 0; word < notice->len && notice->text[word] != ' ';)
		word++;
	buf_add(&text, notice->text, word);
	if (id != NULL) {
		buf_add_text(&text, " ");
		buf_add(&text, id, len);
	}
	out_bytes(o, "notice", text.bytes, text.len);
	buf_free(&text);
}

static void put_rcpt(struct out *o, const struct leg *leg, const struct latest *latest, size_t i)
{
	static const char *const fates[] = {
	    [RCPT_OPEN] = "open",
	    [RCPT_DELIVERED] = "delivered",
	    [RCPT_FAILED] = "failed",
	    [RCPT_BOUNCED] = "bounced",
	    [RCPT_DROPPED] = "dropped",
	};
	const struct leg_rcpt *rcpt = &leg->rcpt[i];
	const struct leg_record *said = &latest->reply[i];
	size_t len = 0;
	const char *reply = said->text != NULL ? leg_record_value(said, "reply", &len) : NULL;

	out_text(o, "what", "rcpt");
	out_number(o, "number", i + 1);
	out_text(o, "address", rcpt->address);
	out_text(o, "fate", fates[rcpt->fate]);
	out_time(o, "next",
	    rcpt->fate == RCPT_OPEN && rcpt->retry > 0 ? rcpt->retry / CLOCK_SECOND : -1);
	out_number(o, "tries", rcpt->tries);
	if (reply != NULL)
		out_xtext(o, "reply", reply, len);
	else
		out_none(o, "reply");
	put_notice(o, rcpt, &latest->notice[i]);
	out_end(o);
}

static void put_rcpts(struct out *o, const struct leg *leg)
{
	struct latest latest;

	if (!look_back(leg, &latest))
		complain("no memory for its recipients");
	else
		for (size_t i = 0; i < leg->rcpts; i++)
			put_rcpt(o, leg, &latest, i);
	free(latest.reply);
	free(latest.notice);
}

/* ---- its records -------------------------------------------------------------------------- */

static void put_trailer(struct out *o, const struct leg *leg)
{
	const char *p = leg->trailer_bytes.bytes, *end = p + leg->trailer_bytes.len, *newline;

	for (; p < end; p = newline + 1) {
		newline = memchr(p, '\n', (size_t)(end - p));
		if (newline == NULL)
			break;
		out_text(o, "what", *p == ' ' ? "planned" : "record");
		out_words(o, "word", p, (size_t)(newline - p));
		out_end(o);
	}
	if (leg->end < leg->file_end) {
		out_text(o, "what", "damaged");
		out_text(o, NULL, "the tail, not whole records, is ignored; bytes:");
		out_number(o, "bytes", (uint64_t)(leg->file_end - leg->end));
		out_end(o);
	}
}

static void put_decision(void *context, int64_t time, const char *text)
{
	struct out *o = context;

	out_text(o, "what", "history");
	out_time(o, "time", time / CLOCK_SECOND);
	out_text(o, "text", text);
	out_end(o);
}

static void put_leg(struct out *o, const struct leg *leg)
{
	static const char *const verdicts[] = {
	    [LEG_STANDS] = "none",
	    [LEG_DISCARDED] = "discarded",
	    [LEG_REFUSED] = "refused",
	};
	char until[CLOCK_TEXT];

	put(o, "verdict", verdicts[leg->verdict]);
	if (leg->amended_until > 0) {
		clock_format(leg->amended_until, until);
		put(o, "extended", until);
	}
	put(o, "body", leg->emptied ? "removed" : "present");
	if (leg->unknown != NULL)
		put(o, "stopped", "a record's word is not known to this version");
	put_plan(o, leg);
	put_rcpts(o, leg);
	history_each(leg, put_decision, o);
	put_trailer(o, leg);
}

/* ---- a damaged leg ------------------------------------------------------------------------ */

/*
 * Records of a leg that leg_read refuses, line by line: whatever stands behind the last separator
 * near the end of the file. A guess, and said to be one.
 */
static void put_remains(struct out *o, const struct found *f)
{
	static const char mark[] = "\n-- ";
	const off_t most = 256 * 1024;
	off_t at = f->st.st_size > most ? f->st.st_size - most : 0;
	const char *p, *end, *newline, *next;
	struct buf b;

	buf_init(&b, (size_t)most);
	if (!read_some(f->fd, at, (size_t)most, &b) || b.len == 0) {
		buf_free(&b);
		return;
	}
	end = b.bytes + b.len;
	p = memmem(b.bytes, b.len, mark, sizeof mark - 1);
	for (next = p; next != NULL;
	     next = memmem(p + 1, (size_t)(end - p - 1), mark, sizeof mark - 1))
		p = next;
	for (p = p != NULL ? p + 1 : end; p < end; p = newline + 1) {
		newline = memchr(p, '\n', (size_t)(end - p));
		if (newline == NULL)
			newline = end;
		out_text(o, "what", "perhaps");
		out_words(o, "word", p, (size_t)(newline - p));
		out_end(o);
		if (newline == end)
			break;
	}
	buf_free(&b);
}

/* ---- the command -------------------------------------------------------------------------- */

static enum visit show_leg(
    void *context, const struct names *names, const struct entry *e, size_t nth)
{
	struct showing *s = context;
	struct found f;
	enum finding finding = found_open(s->in, names, e, &f);

	(void)nth;
	if (finding == FOUND_GONE)
		return VISIT_GONE;
	if (s->shown++ > 0 && !s->out.json)
		(void)fputc('\n', s->out.file);
	put(&s->out, "state", state_name(e->state));
	put(&s->out, "name", entry_name(names, e));
	out_text(&s->out, "what", "due");
	out_time(&s->out, NULL, e->due);
	out_end(&s->out);
	if (finding != FOUND) {
		put(&s->out, "damaged", "not opened: no leg of the spool's users");
		s->code = worse(s->code, finding == FOUND_FAILED ? EXIT_ENVIRON : EXIT_NO);
		return VISIT_DONE;
	}

	put_head(&s->out, f.fd, f.read ? (size_t)f.leg.content : LEG_HEAD_MAX);
	if (f.read) {
		put_leg(&s->out, &f.leg);
	} else {
		put(&s->out, "damaged", f.why);
		put_remains(&s->out, &f);
		s->code = worse(s->code, EXIT_NO);
	}
	found_close(&f);
	return ferror(s->out.file) ? VISIT_STOP : VISIT_DONE;
}

int shell_show(const struct shell *sh, int argc, char **argv)
{
	struct instance in;
	struct showing s = {.in = &in, .code = EXIT_FINE};
	int code = instance_open(&in);

	if (code != EXIT_FINE)
		return code;
	out_open(&s.out, sh, NULL);
	code = legs_named(&in, argc, argv, show_leg, &s);
	instance_close(&in);
	return out_close(&s.out, worse(code, s.code));
}
