#include "lib/notice/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/xtext.h"
#include "lib/dsn/letter.h"
#include "lib/notice/templates.h"

#define ADDRESS_MAX ((size_t)1000) /* decoded */
#define SUBJECT_MAX ((size_t)1000)
#define HOST_MAX    ((size_t)300) /* of a host name, as written */
#define FIXED_MAX   ((size_t)160) /* of a line, without the values of host= and reply= */
#define STATUS_MAX  11            /* "5.123.123" and a little more */

static const char *const actions[] = {[DSN_FAILED] = "failed",
    [DSN_DELAYED] = "delayed",
    [DSN_DELIVERED] = "delivered",
    [DSN_RELAYED] = "relayed"};

/* ---- reading ------------------------------------------------------------------------------ */

/* A recipient's number, without leading zeros, up to LEG_RCPTS_MAX. 0: it is none. */
static size_t read_number(const char *word)
{
	size_t n = 0;

	if (*word == '0' || *word == '\0')
		return 0;
	for (; *word != '\0'; word++) {
		if (*word < '0' || *word > '9')
			return 0;
		n = n * 10 + (size_t)(*word - '0');
		if (n > LEG_RCPTS_MAX)
			return 0;
	}
	return n;
}

static bool read_action(const char *word, enum dsn_action *action)
{
	for (size_t i = 0; i < COUNT_OF(actions); i++) {
		if (strcmp(word, actions[i]) == 0) {
			*action = (enum dsn_action)i;
			return true;
		}
	}
	return false;
}

/* "D.N.N", each number of one to three digits (RFC 3463 section 2). */
static bool status_fine(const char *status)
{
	if (status[0] != '2' && status[0] != '4' && status[0] != '5')
		return false;
	status++;
	for (int i = 0; i < 2; i++) {
		size_t digits = *status == '.' ? strspn(status + 1, "0123456789") : 0;

		if (digits == 0 || digits > 3)
			return false;
		status += 1 + digits;
	}
	return *status == '\0';
}

/* Decodes in place; there must be something, and no NUL in it. */
static bool read_text(char *value, const char **text)
{
	size_t len = strlen(value);

	if (*text != NULL || len == 0 || !xtext_decode(value, len, value, &len) || len == 0 ||
	    memchr(value, '\0', len) != NULL)
		return false;
	value[len] = '\0';
	*text = value;
	return true;
}

static bool read_time(const char *value, int64_t *time)
{
	if (*time != 0)
		return false;
	*time = clock_parse(value, strlen(value));
	return *time > 0;
}

/* One KEY=VALUE, each at most once. */
static bool read_argument(char *word, struct notice_rcpt *rcpt)
{
	char *value = strchr(word, '=');

	if (value == NULL)
		return false;
	*value++ = '\0';
	if (strcmp(word, "status") == 0) {
		if (rcpt->status != NULL || !status_fine(value))
			return false;
		rcpt->status = value;
		return true;
	}
	if (strcmp(word, "tried") == 0)
		return read_time(value, &rcpt->tried);
	if (strcmp(word, "until") == 0)
		return read_time(value, &rcpt->until);
	if (strcmp(word, "host") == 0)
		return read_text(value, &rcpt->host);
	return strcmp(word, "reply") == 0 && read_text(value, &rcpt->reply);
}

/* The next word of a line, NUL-ended; words are parted by one blank. NULL behind the last. */
static char *next_word(char **at)
{
	char *word = *at, *blank;

	if (word == NULL)
		return NULL;
	blank = strchr(word, ' ');
	*at = blank != NULL ? blank + 1 : NULL;
	if (blank != NULL)
		*blank = '\0';
	return word;
}

/* A line without its newline, NUL-ended. */
static bool read_line(char *line, struct notice_rcpt *rcpt)
{
	char *at = line, *word = next_word(&at), *number, *action;
	size_t n;

	*rcpt = (struct notice_rcpt){.status = NULL};
	number = next_word(&at);
	action = next_word(&at);
	if (word == NULL || strcmp(word, "rcpt") != 0 || number == NULL || action == NULL)
		return false;
	n = read_number(number);
	if (n == 0 || !read_action(action, &rcpt->action))
		return false;
	rcpt->rcpt = n - 1;

	while ((word = next_word(&at)) != NULL) {
		if (!read_argument(word, rcpt))
			return false;
	}
	return rcpt->status != NULL && rcpt->tried != 0;
}

/* How many lines; 0 if there is a NUL, or if the last one has no newline. */
static size_t count_lines(const char *text, size_t len)
{
	size_t n = 0;

	if (len == 0 || text[len - 1] != '\n' || memchr(text, '\0', len) != NULL)
		return 0;
	for (const char *p = text, *end = text + len;
	     p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
		n++;
	return n;
}

static bool take_line(char *line, struct notice_request *request, bool *named)
{
	struct notice_rcpt *rcpt = &request->rcpt[request->rcpts];

	if (!read_line(line, rcpt) || named[rcpt->rcpt])
		return false;
	named[rcpt->rcpt] = true;
	if (rcpt->rcpt >= request->highest)
		request->highest = rcpt->rcpt + 1;
	request->rcpts++;
	return true;
}

/* "dsn", and a line for each recipient. */
static enum notice_read read_dsn(char *text, size_t len, struct notice_request *request)
{
	static const char first[] = "dsn\n";
	size_t lines = count_lines(text, len);
	enum notice_read result = NOTICE_READ_MALFORMED;
	bool *named = NULL;

	request->verb = NOTICE_DSN;
	if (lines < 2 || lines > 1 + NOTICE_RCPTS_MAX)
		return NOTICE_READ_MALFORMED;
	named = calloc(LEG_RCPTS_MAX, sizeof *named);
	request->rcpt = calloc(lines - 1, sizeof *request->rcpt);
	if (named == NULL || request->rcpt == NULL) {
		result = NOTICE_READ_NO_MEMORY;
		goto fail;
	}

	for (char *line = text + sizeof first - 1; line < text + len;) {
		char *newline = strchr(line, '\n');

		*newline = '\0';
		if (!take_line(line, request, named))
			goto fail;
		line = newline + 1;
	}
	free(named);
	return NOTICE_READ_FINE;
fail:
	free(named);
	notice_request_free(request);
	return result;
}

/* "WORD XTEXT" with its newline at *at, decoded in place; moves *at behind it. */
static bool take_value(char **at, char *end, const char *word, size_t most, const char **text)
{
	size_t word_len = strlen(word);
	char *newline = memchr(*at, '\n', (size_t)(end - *at));
	char *value = *at + word_len + 1;

	if (newline == NULL || newline < value || memcmp(*at, word, word_len) != 0 ||
	    value[-1] != ' ' || (size_t)(newline - value) > xtext_room(most))
		return false;
	*newline = '\0';
	*at = newline + 1;
	return read_text(value, text) && strlen(*text) <= most;
}

/* "letter", "to", "subject", an empty line, and the text. */
static bool read_letter(char *at, char *end, struct notice_request *request)
{
	request->verb = NOTICE_LETTER;
	if (!take_value(&at, end, "to", ADDRESS_MAX, &request->to) ||
	    !take_value(&at, end, "subject", SUBJECT_MAX, &request->subject) || at == end ||
	    *at++ != '\n')
		return false;
	request->text = at;
	request->text_len = (size_t)(end - at);
	return request->text_len > 0 && request->text_len <= LETTER_TEXT_MAX;
}

/* "NAME XTEXT" with its newline at *at; moves *at behind it. The value may be empty. */
static bool take_var(char **at, char *end, struct notice_vars *vars)
{
	char *newline = memchr(*at, '\n', (size_t)(end - *at));
	char *blank = newline != NULL ? memchr(*at, ' ', (size_t)(newline - *at)) : NULL;
	size_t len = blank != NULL ? (size_t)(newline - blank) - 1 : 0;
	const char *name = *at;
	const struct notice_list *list;
	char *value;

	if (blank == NULL || len > xtext_room(NOTICE_VALUE_MAX))
		return false;
	*at = newline + 1;
	*blank = '\0';
	value = blank + 1;
	if (!xtext_decode(value, len, value, &len) || len > NOTICE_VALUE_MAX ||
	    memchr(value, '\0', len) != NULL)
		return false;
	value[len] = '\0';
	list = notice_vars_find(vars, name, strlen(name));
	/* Who asks counts what is beyond the bound himself. */
	return (list == NULL || list->values < NOTICE_ROWS_MAX) &&
	       notice_vars_add(vars, name, value);
}

/* Whether `word` stands at *at; moves it behind. */
static bool take_word(char **at, const char *end, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(end - *at) < len || memcmp(*at, word, len) != 0)
		return false;
	*at += len;
	return true;
}

/* "TEMPLATE", "to", "lang", any number of "var", and "attach". */
static bool read_gate(char *at, char *end, struct notice_request *request)
{
	char *newline = memchr(at, '\n', (size_t)(end - at));

	if (newline == NULL)
		return false;
	*newline = '\0';
	request->kind = notice_kind_of(at);
	at = newline + 1;
	if (request->kind == NOTICE_KINDS || !take_value(&at, end, "to", ADDRESS_MAX, &request->to))
		return false;
	request->english = take_word(&at, end, "lang en\n");
	if (!request->english && !take_word(&at, end, "lang ja\n"))
		return false;
	while (take_word(&at, end, "var ")) {
		if (!take_var(&at, end, request->vars))
			return false;
	}
	if (take_word(&at, end, "attach draft\n"))
		request->attach = ATTACH_DRAFT;
	else if (take_word(&at, end, "attach mail\n"))
		request->attach = ATTACH_MAIL;
	return at == end;
}

static enum notice_read read_gate_request(char *at, char *end, struct notice_request *request)
{
	request->verb = NOTICE_GATE;
	request->vars = calloc(1, sizeof *request->vars);
	if (request->vars == NULL)
		return NOTICE_READ_NO_MEMORY;
	if (read_gate(at, end, request))
		return NOTICE_READ_FINE;
	notice_request_free(request);
	return NOTICE_READ_MALFORMED;
}

static bool begins(const char *text, size_t len, const char *with)
{
	size_t n = strlen(with);

	return len >= n && memcmp(text, with, n) == 0;
}

enum notice_read notice_request_read(char *text, size_t len, struct notice_request *request)
{
	static const char refused[] = "refused\n", letter[] = "letter\n", gate[] = "gate ";
	char *at = text;
	bool fine = false;

	*request = (struct notice_request){.rcpts = 0};
	if (begins(text, len, "dsn\n"))
		return read_dsn(text, len, request);
	if (begins(text, len, gate))
		return read_gate_request(text + sizeof gate - 1, text + len, request);
	if (begins(text, len, letter)) {
		fine = read_letter(text + sizeof letter - 1, text + len, request);
	} else if (begins(text, len, refused)) {
		request->verb = NOTICE_REFUSAL;
		fine = len == sizeof refused - 1;
	} else if (begins(text, len, "forward ")) {
		request->verb = NOTICE_FORWARD;
		fine = take_value(&at, text + len, "forward", ADDRESS_MAX, &request->to) &&
		       at == text + len;
	}
	return fine ? NOTICE_READ_FINE : NOTICE_READ_MALFORMED;
}

void notice_request_free(struct notice_request *request)
{
	free(request->rcpt);
	free(request->vars);
	*request = (struct notice_request){.rcpts = 0};
}

/* ---- writing ------------------------------------------------------------------------------ */

/* " KEY=XTEXT", cut to `room`. Returns how long the value is. */
static size_t add_value(struct buf *out, const char *key, const char *text, size_t room)
{
	size_t len = text != NULL ? strlen(text) : 0;
	size_t written;
	char *to;

	if (len == 0 || room < xtext_room(1))
		return 0;
	if (room > xtext_room(len))
		room = xtext_room(len);
	buf_addf(out, " %s=", key);
	to = buf_reserve(out, room);
	if (to == NULL)
		return 0;
	written = xtext_encode_cut(text, len, to, room);
	out->len += written;
	return written;
}

static void add_time(struct buf *out, const char *key, int64_t time)
{
	char text[CLOCK_TEXT];

	clock_format(time, text);
	buf_addf(out, " %s=%s", key, text);
}

/* A code that is none is told as the plainest of its kind: a notice is worth more than its code. */
static const char *fit_status(const struct notice_rcpt *rcpt)
{
	static const char *const plain[] = {[DSN_FAILED] = "5.0.0",
	    [DSN_DELAYED] = "4.0.0",
	    [DSN_DELIVERED] = "2.0.0",
	    [DSN_RELAYED] = "2.0.0"};

	if (rcpt->status != NULL && strlen(rcpt->status) <= STATUS_MAX && status_fine(rcpt->status))
		return rcpt->status;
	return plain[rcpt->action];
}

bool notice_request_write(struct buf *out, const struct notice_rcpt *rcpt, size_t rcpts)
{
	size_t share, host;

	if (rcpts == 0 || rcpts > NOTICE_RCPTS_MAX)
		return false;
	share = NOTICE_REQUEST_MAX / (rcpts + 1);
	buf_add_text(out, "dsn\n");
	for (size_t i = 0; i < rcpts; i++) {
		const struct notice_rcpt *r = &rcpt[i];
		size_t room = share - FIXED_MAX;

		if ((size_t)r->action >= COUNT_OF(actions) || r->rcpt >= LEG_RCPTS_MAX)
			return false;
		buf_addf(
		    out, "rcpt %zu %s status=%s", r->rcpt + 1, actions[r->action], fit_status(r));
		add_time(out, "tried", r->tried > 0 ? r->tried : clock_wall());
		if (r->until > 0)
			add_time(out, "until", r->until);
		host = add_value(out, "host", r->host, room < HOST_MAX ? room : HOST_MAX);
		room -= host;
		if (room > xtext_room(DSN_STATUS_REPLY_MAX))
			room = xtext_room(DSN_STATUS_REPLY_MAX);
		(void)add_value(out, "reply", r->reply, room);
		buf_add_text(out, "\n");
	}
	return buf_ok(out);
}

static bool add_word(struct buf *out, const char *word, const char *text, size_t most)
{
	size_t len = text != NULL ? strlen(text) : 0;

	if (len == 0 || len > most)
		return false;
	buf_addf(out, "%s ", word);
	buf_add_xtext(out, text, len);
	buf_add_text(out, "\n");
	return true;
}

bool notice_request_write_other(struct buf *out, const struct notice_request *request)
{
	bool fine = false;

	switch (request->verb) {
	case NOTICE_DSN:
	case NOTICE_GATE:
		break;
	case NOTICE_REFUSAL:
		buf_add_text(out, "refused\n");
		fine = true;
		break;
	case NOTICE_FORWARD:
		fine = add_word(out, "forward", request->to, ADDRESS_MAX);
		break;
	case NOTICE_LETTER:
		buf_add_text(out, "letter\n");
		fine = add_word(out, "to", request->to, ADDRESS_MAX) &&
		       add_word(out, "subject", request->subject, SUBJECT_MAX) &&
		       request->text_len > 0 && request->text_len <= LETTER_TEXT_MAX;
		buf_add_text(out, "\n");
		if (fine)
			buf_add(out, request->text, request->text_len);
		break;
	}
	return fine && buf_ok(out);
}

static void add_var(struct buf *out, const char *name, const char *value)
{
	buf_addf(out, "var %s ", name);
	if (value != NULL)
		buf_add_xtext(out, value, notice_value_length(value));
	buf_add_text(out, "\n");
}

/* Returns how many names it took. */
static size_t add_list(struct buf *out, const struct notice_vars *vars, size_t i)
{
	const struct notice_list *list = &vars->list[i];
	char name[sizeof list->name + sizeof "-more"];
	int len = snprintf(name, sizeof name, "%s-more", list->name);
	const char *more;

	for (size_t row = 0; row < list->values; row++)
		add_var(out, list->name, list->value[row]);
	/* Not if the asker has told it himself, or its name would be too long. */
	more = notice_vars_find(vars, name, (size_t)len) == NULL
		   ? notice_vars_value(vars, name, (size_t)len, 0)
		   : NULL;
	if (more == NULL || !notice_name_fits(name, (size_t)len))
		return 1;
	add_var(out, name, more);
	return 2;
}

static bool write_gate(struct buf *out, const struct notice_gate *gate, struct notice_vars *vars)
{
	static const char *const attach[] = {
	    [ATTACH_NONE] = "", [ATTACH_DRAFT] = "attach draft\n", [ATTACH_MAIL] = "attach mail\n"};
	size_t names = 0;

	for (size_t i = 0; i < gate->vars; i++) {
		if (!notice_vars_add(vars, gate->var[i].name, gate->var[i].value))
			return false;
	}
	if (gate->template == NULL || notice_kind_of(gate->template) == NOTICE_KINDS)
		return false;
	buf_addf(out, "gate %s\n", gate->template);
	if (!add_word(out, "to", gate->to, ADDRESS_MAX))
		return false;
	buf_addf(out, "lang %s\n", gate->english ? "en" : "ja");
	for (size_t i = 0; i < vars->lists; i++)
		names += add_list(out, vars, i);
	buf_add_text(out, attach[gate->attach]);
	return names <= NOTICE_NAMES_MAX && buf_ok(out);
}

bool notice_request_write_gate(struct buf *out, const struct notice_gate *gate)
{
	struct notice_vars *vars = calloc(1, sizeof *vars);
	bool fine;

	if (vars == NULL) {
		out->failed = true;
		return false;
	}
	fine = write_gate(out, gate, vars);
	free(vars);
	return fine;
}
