#include "lib/notice/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/xtext.h"
#include "lib/dsn/letter.h"
#include "lib/notice/handin.h"
#include "lib/notice/refusal.h"
#include "lib/notice/told.h"
#include "queue/intake.h"

/* RFC 3463: delivery not authorised, message refused. */
#define REFUSED_STATUS "5.7.1"

struct report {
	const struct notice_config *config;
	const struct notice_request *request;
	struct notice_answer *answer;
	struct handin handin;
	struct leg leg;
	char name[NAME_TEXT]; /* of the leg: ID.K */
	int fd;
	int64_t now;
	char *texts;     /* what was xtext in the head, decoded, one behind the other */
	size_t texts_at; /* where the next one goes */

	/* A notification. */
	struct dsn dsn;
	struct dsn_form form;
	struct dsn_rcpt *rcpt;
	struct dsn_refusal refused;

	/* A refusal; for a letter all of it is told. */
	struct notice_refusal refusal;
	struct letter letter;
	struct letter_form letter_form;
	struct buf words;

	/* A notice about held mail. */
	struct told told;
};

/* ---- the leg ------------------------------------------------------------------------------ */

/* A file, and not one that could be written by it. */
static bool good_descriptor(int fd)
{
	struct stat st;
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & O_ACCMODE) == O_RDONLY && (flags & O_PATH) == 0 &&
	       fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* Whether it goes to the reverse-path, and to no address of its own. */
static bool to_sender(const struct notice_request *request)
{
	return request->verb == NOTICE_DSN || request->verb == NOTICE_REFUSAL;
}

static bool needs_content(const struct notice_request *request)
{
	return request->verb != NOTICE_GATE || request->attach != ATTACH_NONE;
}

/* False: there is an answer already. */
static bool read_leg(struct report *r)
{
	const char *why = "";

	if (!good_descriptor(r->fd)) {
		notice_answer_set(r->answer, NOTICE_WRONG, "no-leg");
		return false;
	}
	switch (leg_read(r->fd, (size_t)r->config->settings.trailer_max, &r->leg, &why)) {
	case LEG_FINE:
		break;
	case LEG_ENVIRON:
		handin_failed(r->name, r->answer);
		return false;
	case LEG_UNREADABLE:
	case LEG_TOO_LONG:
		notice_answer_set(r->answer, NOTICE_WRONG, "leg-unreadable");
		return false;
	}

	name_format(&r->leg.name, STATE_SENT, r->name);
	if (r->request->verb == NOTICE_DSN && r->request->highest > r->leg.rcpts)
		notice_answer_set(r->answer, NOTICE_WRONG, "no-such-recipient");
	else if (intake_is_own(r->leg.client))
		notice_answer_set(r->answer, NOTICE_NONE, "gateway-mail");
	else if (to_sender(r->request) && r->leg.from[0] == '\0')
		notice_answer_set(r->answer, NOTICE_NONE, "null-sender");
	else if (r->leg.emptied && needs_content(r->request))
		notice_answer_set(r->answer, NOTICE_WRONG, "leg-emptied");
	else
		return true;
	leg_free(&r->leg);
	return false;
}

/* What the leg says of its refusal. False: there is an answer already. */
static bool read_refusal(struct report *r)
{
	switch (notice_refusal_read(&r->leg, &r->refusal)) {
	case NOTICE_REFUSED:
		return true;
	case NOTICE_NOT_REFUSED:
		notice_answer_set(r->answer, NOTICE_WRONG, "not-refused");
		return false;
	case NOTICE_REFUSED_ODD:
		notice_answer_set(r->answer, NOTICE_WRONG, "refused-oddly");
		return false;
	case NOTICE_REFUSED_NO_MEMORY:
		break;
	}
	notice_answer_set(r->answer, NOTICE_LATER, "no-memory");
	return false;
}

/* ---- a notification ----------------------------------------------------------------------- */

/* Room for every text that can be decoded from the head. False: there is an answer already. */
static bool make_room(struct report *r, size_t rcpts)
{
	size_t room = strlen(r->leg.from_params) + 1;

	for (size_t i = 0; i < r->leg.rcpts; i++)
		room += strlen(r->leg.rcpt[i].params) + 1;
	r->texts = malloc(room);
	r->rcpt = calloc(rcpts, sizeof *r->rcpt);
	if (r->texts == NULL || r->rcpt == NULL)
		notice_answer_set(r->answer, NOTICE_LATER, "no-memory");
	return r->texts != NULL && r->rcpt != NULL;
}

/* A parameter decoded, or NULL if it is not there or makes no sense. */
static const char *param_text(struct report *r, const char *params, const char *key)
{
	char *to = r->texts + r->texts_at;
	size_t len = 0;
	const char *value = leg_param(params, key, &len);

	if (value == NULL || len == 0 || !xtext_decode(value, len, to, &len) ||
	    memchr(to, '\0', len) != NULL)
		return NULL;
	to[len] = '\0';
	r->texts_at += len + 1;
	return to;
}

static bool wants_full(const struct leg *leg)
{
	size_t len = 0;
	const char *ret = leg_param(leg->from_params, "ret", &len);

	return ret != NULL && len == 4 && memcmp(ret, "full", 4) == 0;
}

/* All but whom it is about. */
static void fill_in(struct report *r)
{
	const struct leg *leg = &r->leg;

	r->dsn = (struct dsn){.mta = r->config->mta,
	    .from = r->config->from,
	    .to = leg->from,
	    .envid = param_text(r, leg->from_params, "envid"),
	    .arrived = leg->accepted,
	    .now = r->now,
	    .rcpt = r->rcpt,
	    .fd = r->fd,
	    .offset = leg->content,
	    .size = leg->size,
	    .ret = wants_full(leg) ? DSN_RETURN_FULL : DSN_RETURN_HEADER,
	    .full_max = (uint64_t)r->config->settings.notice_return};
}

static void add_rcpt(struct report *r, const struct notice_rcpt *told)
{
	const struct leg_rcpt *rcpt = &r->leg.rcpt[told->rcpt];

	r->rcpt[r->dsn.rcpts++] = (struct dsn_rcpt){.orcpt = param_text(r, rcpt->params, "orcpt"),
	    .final = rcpt->address,
	    .status = told->status,
	    .remote = told->host,
	    .reply = told->reply,
	    .tried = told->tried,
	    .until = told->until,
	    .action = told->action};
}

static bool prepare_dsn(struct handin *h)
{
	struct report *r = h->context;
	bool done = dsn_prepare(&r->dsn, &r->form);

	h->utf8 = r->form.utf8;
	h->eight_bit = r->form.eight_bit;
	return done;
}

static bool write_dsn(struct handin *h, const char *id, dsn_put *put, void *context)
{
	struct report *r = h->context;

	r->dsn.id = id;
	return dsn_write(&r->dsn, &r->form, put, context);
}

/* Without the mail, and then without the replies. */
static bool smaller_dsn(struct handin *h)
{
	struct report *r = h->context;
	bool smaller = r->form.full;

	if (smaller) {
		r->dsn.full_max = 0;
		return true;
	}
	for (size_t i = 0; i < r->dsn.rcpts; i++) {
		smaller = smaller || r->rcpt[i].reply != NULL;
		r->rcpt[i].reply = NULL;
	}
	return smaller;
}

static void hand_in_dsn(struct report *r)
{
	static const char *const kinds[DSN_ACTIONS] = {[DSN_FAILED] = "failed",
	    [DSN_DELAYED] = "delayed",
	    [DSN_DELIVERED] = "delivered",
	    [DSN_RELAYED] = "relayed",
	    [DSN_EXPANDED] = "expanded"};
	enum dsn_action worst = DSN_EXPANDED;

	r->handin.to = r->dsn.to;
	r->handin.rcpts = r->dsn.rcpts;
	r->handin.prepare = prepare_dsn;
	r->handin.write = write_dsn;
	r->handin.smaller = smaller_dsn;
	handin(&r->handin, r->answer);
	if (r->answer->result != NOTICE_KEPT)
		return;
	for (size_t i = 0; i < r->dsn.rcpts; i++)
		worst = r->rcpt[i].action < worst ? r->rcpt[i].action : worst;
	LOG("notified", kv("id", r->name), kv("kept", r->answer->id), kv("to", r->dsn.to),
	    kv("kind", r->dsn.refusal != NULL ? "refused" : kinds[worst]),
	    kv_num("rcpts", (int64_t)r->dsn.rcpts));
}

static void dsn(struct report *r)
{
	const struct notice_request *request = r->request;

	if (!make_room(r, request->rcpts))
		return;
	fill_in(r);
	for (size_t i = 0; i < request->rcpts; i++)
		add_rcpt(r, &request->rcpt[i]);
	hand_in_dsn(r);
}

/* ---- a notification of a refusal ---------------------------------------------------------- */

/* RFC 3461: nobody who said so is told, whoever it is that failed. */
static bool wants_failure(const struct leg_rcpt *rcpt)
{
	size_t len = 0;
	const char *notify = leg_param(rcpt->params, "notify", &len);
	unsigned bits = notify != NULL ? dsn_notify_read(notify, len) : 0;

	return dsn_wanted(bits, DSN_FAILED, false) == DSN_TO_SENDER;
}

/* In the fields for programs, which are ASCII: the reason, too, if it is. NULL: no memory. */
static char *diagnostic(const char *why)
{
	static const char ours[] = REFUSED_STATUS " refused by a rule of this gateway";
	size_t len = strlen(why);
	struct buf text;

	for (size_t i = 0; i < len; i++)
		len = (unsigned char)why[i] < 0x80 ? len : 0;
	buf_init(&text, SIZE_MAX);
	buf_add_text(&text, ours);
	if (len > 0)
		buf_add_text(&text, ": ");
	buf_add(&text, why, len);
	buf_add(&text, "", 1);
	if (!buf_ok(&text))
		buf_free(&text);
	return text.bytes;
}

static void refused(struct report *r)
{
	struct notice_rcpt told = {
	    .action = DSN_FAILED, .status = REFUSED_STATUS, .tried = r->refusal.time};
	char *reply;

	if (!r->refusal.tell) {
		notice_answer_set(r->answer, NOTICE_NONE, "told-nobody");
		return;
	}
	if (!make_room(r, r->leg.rcpts))
		return;
	reply = diagnostic(r->refusal.why);
	fill_in(r);
	r->refused = (struct dsn_refusal){.why = r->refusal.why, .id = r->leg.name.id};
	r->dsn.refusal = &r->refused;
	told.reply = reply;
	for (told.rcpt = 0; told.rcpt < r->leg.rcpts; told.rcpt++) {
		if (wants_failure(&r->leg.rcpt[told.rcpt]))
			add_rcpt(r, &told);
	}

	if (r->dsn.rcpts == 0)
		notice_answer_set(r->answer, NOTICE_NONE, "not-wanted");
	else
		hand_in_dsn(r);
	free(reply);
}

/* ---- letters ------------------------------------------------------------------------------ */

static bool prepare_letter(struct handin *h)
{
	struct report *r = h->context;
	bool done = letter_prepare(&r->letter, &r->letter_form);

	h->utf8 = r->letter_form.utf8;
	h->eight_bit = r->letter_form.eight_bit;
	return done;
}

static bool write_letter(struct handin *h, const char *id, dsn_put *put, void *context)
{
	struct report *r = h->context;

	r->letter.id = id;
	return letter_write(&r->letter, &r->letter_form, put, context);
}

static bool smaller_letter(struct handin *h)
{
	struct report *r = h->context;
	enum letter_kind kind = r->letter_form.kind;

	/* As a file a draft is a third larger than the mail. */
	if (kind == LETTER_DRAFT) {
		r->letter.draft = false;
		return true;
	}
	r->letter.whole_max = 0;
	return kind == LETTER_MAIL || kind == LETTER_FILE;
}

static void hand_in_letter(struct report *r, const char *kind)
{
	r->letter.mta = r->config->mta;
	r->letter.from = r->config->from;
	r->letter.to = r->request->to;
	r->letter.now = r->now;
	r->handin.to = r->request->to;
	r->handin.rcpts = 1;
	if (r->handin.write == NULL)
		r->handin.write = write_letter;
	r->handin.prepare = prepare_letter;
	r->handin.smaller = smaller_letter;
	handin(&r->handin, r->answer);
	if (r->answer->result == NOTICE_KEPT)
		LOG("notified", kv("id", r->name), kv("kept", r->answer->id),
		    kv("to", r->request->to), kv("kind", kind), kv_num("rcpts", 1));
}

static void letter(struct report *r)
{
	r->letter = (struct letter){.subject = r->request->subject,
	    .text = r->request->text,
	    .text_len = r->request->text_len,
	    .fd = -1};
	hand_in_letter(r, "letter");
}

/* The words say how the mail is attached, which is known by now. */
static bool write_forward(struct handin *h, const char *id, dsn_put *put, void *context)
{
	struct report *r = h->context;
	const struct leg *leg = &r->leg;
	const char **rcpt = calloc(leg->rcpts, sizeof *rcpt);
	struct letter_refused told = {.mta = r->config->mta,
	    .from = leg->from,
	    .rcpt = rcpt,
	    .rcpts = leg->rcpts,
	    .why = r->refusal.why,
	    .where = r->refusal.where,
	    .name = r->refusal.name,
	    .id = r->name,
	    .client = leg->client,
	    .accepted = leg->accepted,
	    .refused = r->refusal.time};

	if (rcpt == NULL)
		return false;
	for (size_t i = 0; i < leg->rcpts; i++)
		rcpt[i] = leg->rcpt[i].address;
	buf_clear(&r->words);
	letter_refused_words(&told, r->letter_form.kind, &r->words);
	free(rcpt);
	if (!buf_ok(&r->words)) {
		errno = ENOMEM;
		return false;
	}
	r->letter.text = r->words.bytes;
	r->letter.text_len = r->words.len;
	return write_letter(h, id, put, context);
}

static void forward(struct report *r)
{
	struct buf subject;

	buf_init(&subject, SIZE_MAX);
	buf_addf(&subject, "拒否されたメール / Refused mail: %s",
	    r->refusal.name[0] != '\0' ? r->refusal.name : r->refusal.where);
	buf_add(&subject, "", 1);
	buf_init(&r->words, LETTER_TEXT_MAX);
	r->letter = (struct letter){.subject = buf_ok(&subject) ? subject.bytes : "",
	    .fd = r->fd,
	    .offset = r->leg.content,
	    .size = r->leg.size,
	    .whole_max = UINT64_MAX,
	    .name = r->name};
	r->handin.write = write_forward;
	hand_in_letter(r, "forward");
	buf_free(&subject);
	buf_free(&r->words);
}

/* ---- notices about held mail -------------------------------------------------------------- */

static bool write_told(struct handin *h, const char *id, dsn_put *put, void *context)
{
	struct report *r = h->context;

	if (!told_write(&r->told, r->letter_form.kind))
		return false;
	r->letter.subject = r->told.subject.bytes;
	r->letter.text = r->told.text.bytes;
	r->letter.text_len = r->told.text.len;
	return write_letter(h, id, put, context);
}

/* A draft goes without our own Received: it is to be sent as if it had never been here. */
static void attach(struct report *r)
{
	uint64_t skip = 0;

	if (r->request->attach == ATTACH_NONE)
		return;
	r->letter.draft = r->request->attach == ATTACH_DRAFT;
	if (r->letter.draft)
		skip = leg_received(r->fd, &r->leg);
	r->letter.fd = r->fd;
	r->letter.offset = r->leg.content + (off_t)skip;
	r->letter.size = r->leg.size - skip;
}

/* `leg`: there is one, and it has been read. */
static void gate(struct report *r, bool leg)
{
	bool jis = r->config->settings.notice_charset == NOTICE_ISO_2022_JP;
	bool fine = told_begin(&r->told, r->config, r->request) &&
		    (!leg || told_leg(&r->told, &r->leg, r->fd, !r->leg.emptied));

	r->letter = (struct letter){.subject = "",
	    .language = r->request->english ? "en" : "ja",
	    .jis = jis ? r->config->jis : NULL,
	    .fd = -1,
	    .whole_max = UINT64_MAX,
	    .name = r->name};
	r->handin.write = write_told;
	if (fine) {
		if (leg)
			attach(r);
		hand_in_letter(r, notice_kind_word(r->request->kind));
	} else {
		handin_failed(r->name, r->answer);
	}
	told_free(&r->told);
}

/* Without templates it is asked for again and again, until somebody brings them back. */
static bool no_templates(struct report *r)
{
	if (notice_templates_there(&r->config->templates))
		return false;
	LOG_ALARM("notice-no-templates", kv("id", r->name), kv("to", r->request->to));
	notice_answer_set(r->answer, NOTICE_LATER, "no-templates");
	return true;
}

/* ---- all of it ---------------------------------------------------------------------------- */

static void about_leg(struct report *r)
{
	if (!read_leg(r))
		return;
	if (r->request->verb == NOTICE_DSN) {
		dsn(r);
	} else if (r->request->verb == NOTICE_GATE) {
		gate(r, true);
	} else if (read_refusal(r)) {
		if (r->request->verb == NOTICE_FORWARD)
			forward(r);
		else
			refused(r);
		notice_refusal_free(&r->refusal);
	}
	free(r->texts);
	free(r->rcpt);
	leg_free(&r->leg);
}

/* The leg is there or not. */
static void about_held(struct report *r)
{
	if (no_templates(r))
		return;
	if (r->fd >= 0)
		about_leg(r);
	else if (r->request->attach != ATTACH_NONE)
		notice_answer_set(r->answer, NOTICE_WRONG, "no-leg");
	else
		gate(r, false);
}

void notice_report(const struct notice_config *config, const char *door, int fd,
    const struct notice_request *request, int64_t now, struct notice_answer *answer)
{
	struct report r = {.config = config,
	    .request = request,
	    .answer = answer,
	    .name = "-",
	    .fd = fd,
	    .now = now,
	    .handin = {.door = door,
		.patience_ms = (int)(config->settings.notice_time / 1000),
		.about = r.name,
		.context = &r}};

	*answer = (struct notice_answer){.result = NOTICE_LATER};
	if (request->to != NULL && !letter_address_fits(request->to))
		notice_answer_set(answer, NOTICE_WRONG, "address");
	else if (request->verb == NOTICE_LETTER)
		letter(&r);
	else if (request->verb == NOTICE_GATE)
		about_held(&r);
	else
		about_leg(&r);

	if (answer->result == NOTICE_WRONG)
		LOG_ALARM("notice-wrong", kv("id", r.name), kv("why", answer->reason));
	else if (answer->result != NOTICE_KEPT)
		LOG("notice-not-made", kv("id", r.name), kv("why", answer->reason));
}
