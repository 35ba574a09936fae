#include "queue/receive.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/xtext.h"

#define FIRST_K       "1"
#define SEPARATOR_MAX ((size_t)64)
#define HEAD_REST     ((size_t)1024) /* the lines of a head besides the envelope */
#define RECEIVED_MAX  ((size_t)4096)
#define KEPT_ROOM     ((size_t)32 * 1024) /* memory that a client keeps between two messages */
#define SPACE_STEP    ((uint64_t)4 * 1024 * 1024) /* content between two looks at the free space */

void receive_limits_take(struct receive_limits *limits, const struct settings *settings)
{
	limits->message_size = settings->message_size;
	limits->space_percent = settings->space_percent;
	limits->space_bytes = settings->space_bytes;
	limits->space_files = settings->space_files;
	settings_hostname(settings, limits->hostname);
}

bool receiver_init(struct receiver *r, const struct spool *spool)
{
	*r = (struct receiver){.spool = spool, .fd = -1, .verdict = INTAKE_TEMPORARY};
	buf_init(&r->envelope, LEG_HEAD_MAX - HEAD_REST);
	buf_init(&r->pending, RECEIVE_PENDING);
	buf_init(&r->head, LEG_HEAD_MAX);
	r->digest = digest_new();
	return r->digest != NULL;
}

void receiver_free(struct receiver *r)
{
	receive_abandon(r);
	buf_free(&r->envelope);
	buf_free(&r->pending);
	buf_free(&r->head);
	digest_free(r->digest);
}

bool receive_room(const struct spool *spool, const struct receive_limits *limits, uint64_t size)
{
	struct spool_room room;
	uint64_t keep;

	if (!spool_room(spool, &room))
		return false;
	keep = room.total / 100 * (uint64_t)limits->space_percent;
	if ((uint64_t)limits->space_bytes < keep)
		keep = (uint64_t)limits->space_bytes;
	return room.bytes >= keep && room.bytes - keep >= size &&
	       room.files >= (uint64_t)limits->space_files;
}

/* ---- the envelope and the Received line --------------------------------------------------- */

/* What may stand behind the lines of an envelope, and is no part of the head. */
struct extras {
	bool size_given, quota_given;
	uint64_t size;
	struct quota_limits quota;
};

/* Reads digits; what is larger than any limit is large enough. False: there is none. */
static bool read_number(const char **p, const char *end, uint64_t *number)
{
	const char *first = *p;

	*number = 0;
	for (; *p < end && **p >= '0' && **p <= '9'; (*p)++) {
		if (*number < UINT64_MAX / 16)
			*number = *number * 10 + (uint64_t)(**p - '0');
	}
	return *p > first;
}

static bool read_word(const char **p, const char *end, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(end - *p) < len || memcmp(*p, word, len) != 0)
		return false;
	*p += len;
	return true;
}

/* Reads one line without its newline, if it is one of the two and the first of its kind. */
static bool take_extra(const char *p, const char *end, struct extras *extras)
{
	uint64_t size, hour, day;

	if (!extras->size_given && read_word(&p, end, "size ")) {
		if (!read_number(&p, end, &size) || p != end)
			return false;
		extras->size = size;
		return extras->size_given = true;
	}
	if (extras->quota_given || !read_word(&p, end, "quota ") || !read_number(&p, end, &hour) ||
	    !read_word(&p, end, " ") || !read_number(&p, end, &day) || p != end ||
	    hour > INT64_MAX || day > INT64_MAX)
		return false;
	extras->quota = (struct quota_limits){(int64_t)hour, (int64_t)day};
	return extras->quota_given = true;
}

/*
 * Takes the optional lines off the end of an envelope. A line that is not exactly one of them
 * stays, and makes the envelope malformed.
 */
static struct extras take_extras(const char *envelope, size_t *len)
{
	struct extras extras = {.size = 0};

	for (;;) {
		const char *end = envelope + *len, *newline;

		if (*len < 2 || end[-1] != '\n')
			return extras;
		newline = memrchr(envelope, '\n', *len - 1);
		if (newline == NULL || !take_extra(newline + 1, end - 1, &extras))
			return extras;
		*len = (size_t)(newline + 1 - envelope);
	}
}

/* A stranger's word in a header: what is no host name's character becomes '?'. */
static void add_hostlike(struct buf *out, const char *xtext, size_t len)
{
	char word[256];
	size_t n = 0;

	if (len >= sizeof word || !xtext_decode(xtext, len, word, &n) || n == 0) {
		buf_add_text(out, "unknown");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		bool fine =
		    (word[i] >= 'a' && word[i] <= 'z') || (word[i] >= 'A' && word[i] <= 'Z') ||
		    (word[i] >= '0' && word[i] <= '9') || memchr(".-:[]_", word[i], 6) != NULL;

		if (!fine)
			word[i] = '?';
	}
	buf_add(out, word, n);
}

static void add_date(struct buf *out, int64_t wall)
{
	time_t seconds = (time_t)(wall / CLOCK_SECOND);
	char date[64];
	struct tm t;

	(void)gmtime_r(&seconds, &t);
	(void)strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", &t);
	buf_add_text(out, date);
}

/* It tells the protocol in the words of RFC 3848 and RFC 6531, and not the login, which is nobody
 * else's business. */
static void add_session(struct receiver *r, const struct leg *envelope)
{
	static const char *const known[] = {"SMTP", "ESMTP", "ESMTPS", "ESMTPA", "ESMTPSA",
	    "UTF8SMTP", "UTF8SMTPS", "UTF8SMTPA", "UTF8SMTPSA"};
	size_t helo_len = 0, proto_len = 0, address_len = strcspn(envelope->client, " ");
	const char *helo = leg_param(envelope->client, "helo", &helo_len);
	const char *proto = leg_param(envelope->client, "proto", &proto_len);
	const char *with = "SMTP";
	struct buf *out = &r->head;

	for (size_t i = 0; proto != NULL && i < COUNT_OF(known); i++) {
		if (strlen(known[i]) == proto_len && strncasecmp(known[i], proto, proto_len) == 0)
			with = known[i];
	}

	buf_add_text(out, "from ");
	add_hostlike(out, helo != NULL ? helo : "", helo_len);
	/* RFC 5321 section 4.1.3: an address of IPv6 is tagged. */
	buf_add_text(out, memchr(envelope->client, ':', address_len) != NULL ? " ([IPv6:" : " ([");
	add_hostlike(out, envelope->client, address_len);
	buf_addf(out, "])\r\n\tby %s with %s id %s", r->limits.hostname, with, r->id);
}

/*
 * RFC 5321 section 4.4: the trace line, the only header that this gateway adds by itself. What comes
 * by our own door came from no client and with no protocol of mail.
 */
static void write_received(struct receiver *r, const struct leg *envelope)
{
	char mark[LOOP_MARK + 1];
	struct buf *out = &r->head;

	buf_clear(out);
	buf_add_text(out, "Received: ");
	if (r->own)
		buf_addf(out, "by %s (Sekisho)\r\n\tid %s", r->limits.hostname, r->id);
	else
		add_session(r, envelope);
	if (r->loop_key != NULL && loop_mark(r->loop_key, r->id, mark))
		buf_addf(out, "\r\n\t(mark %s); ", mark);
	else
		buf_add_text(out, ";\r\n\t");
	add_date(out, r->accepted);
	buf_add_text(out, "\r\n");
}

/* What cannot be proved later is not taken now. */
static bool is_audited(struct receiver *r)
{
	char why[AUDIT_REASON_MAX];

	if (r->audit == NULL || audit_well(r->audit))
		return true;
	audit_reason(r->audit, why, sizeof why);
	LOG_ALARM("refused", kv("why", why));
	return false;
}

static enum intake_reply admit(struct receiver *r, uint64_t declared)
{
	if (declared > (uint64_t)r->limits.message_size)
		return INTAKE_TOO_LARGE;
	if (!receive_room(r->spool, &r->limits, declared)) {
		LOG_ALARM("refused", kv("why", "no room in the spool"));
		return INTAKE_FULL;
	}
	/* While nobody reads the log, nothing can be proved about new mail: it is not taken. */
	if (!log_ready() || !is_audited(r))
		return INTAKE_TEMPORARY;
	r->accepted = clock_wall();
	return id_make(r->accepted, r->id) ? INTAKE_GO : INTAKE_TEMPORARY;
}

static void note_for_the_log(struct receiver *r, const struct leg *envelope)
{
	const char *peer = r->own ? "gateway" : envelope->client;

	r->rcpts = envelope->rcpts;
	(void)snprintf(r->peer, sizeof r->peer, "%.*s", (int)strcspn(peer, " "), peer);
	(void)snprintf(
	    r->sender, sizeof r->sender, "%s", envelope->from[0] != '\0' ? envelope->from : "<>");
}

/* Whose count the message goes to. False: the client line is malformed. */
static bool note_origin(struct receiver *r, const struct leg *envelope, const struct extras *extras)
{
	struct quota_charge *charge = &r->charge;

	charge->rcpts = envelope->rcpts;
	charge->counted_at = 0;
	charge->own_limits = false;
	switch (origin_login(envelope->client, charge->who)) {
	case ORIGIN_MALFORMED:
		return false;
	case ORIGIN_LOGIN:
		charge->kind = QUOTA_LOGIN;
		return true;
	case ORIGIN_NO_LOGIN:
		break;
	}
	charge->kind = QUOTA_SOURCE;
	origin_source(envelope->client, charge->who);
	charge->own_limits = extras->quota_given;
	charge->limits = extras->quota;
	return true;
}

/*
 * Only seki-queue itself says that mail is the gateway's own: it then gets a fixed plan. False: the
 * client line is malformed.
 */
static bool stamp_origin(
    struct receiver *r, const struct leg *envelope, const struct extras *extras)
{
	size_t len;

	if (!r->own)
		return leg_param(envelope->client, "origin", &len) == NULL;
	if (strcmp(envelope->client, "-") != 0 || extras->quota_given)
		return false;
	r->envelope.len--; /* "client -" is the last line */
	buf_add_text(&r->envelope, " origin=gateway\n");
	return buf_ok(&r->envelope);
}

/* Reads the lines of an envelope into `parsed`, which the caller frees. False: malformed. */
static bool read_envelope(
    struct receiver *r, char *envelope, size_t len, struct leg *parsed, const struct extras *extras)
{
	buf_clear(&r->envelope);
	buf_add(&r->envelope, envelope, len);
	if (!buf_ok(&r->envelope) || !leg_read_envelope(envelope, len, parsed))
		return false;
	if (stamp_origin(r, parsed, extras) && note_origin(r, parsed, extras))
		return true;
	leg_free(parsed);
	return false;
}

enum intake_reply receive_begin(struct receiver *r, char *envelope, size_t len)
{
	struct extras extras = take_extras(envelope, &len);
	struct leg parsed;
	struct leg_name name = {.due = DUE_NONE, .k = FIRST_K};

	receive_abandon(r);
	if (!read_envelope(r, envelope, len, &parsed, &extras)) {
		LOG_ALARM("refused", kv("why", "malformed envelope from the session"));
		return INTAKE_TEMPORARY;
	}

	r->verdict = admit(r, extras.size);
	if (r->verdict == INTAKE_GO) {
		memcpy(name.id, r->id, sizeof name.id);
		name_format(&name, STATE_TMP, r->name);
		r->size = r->checked = 0;
		note_for_the_log(r, &parsed);
		buf_clear(&r->pending);
		digest_restart(r->digest);
		write_received(r, &parsed);
		receive_data(r, r->head.bytes, r->head.len);
	}
	leg_free(&parsed);
	return r->verdict;
}

/* ---- content ------------------------------------------------------------------------------ */

static void fail(struct receiver *r, const char *what)
{
	bool full = errno == ENOSPC || errno == EDQUOT;

	LOG_ALARM("not-kept", kv("id", r->id), kv("what", what), kv_errno(errno));
	r->verdict = full ? INTAKE_FULL : INTAKE_TEMPORARY;
}

static void write_head(struct receiver *r, const char *sha256)
{
	struct leg_head head = {.id = r->id,
	    .k = FIRST_K,
	    .envelope = r->envelope.bytes,
	    .envelope_len = r->envelope.len,
	    .accepted = r->accepted,
	    .size = r->size,
	    .sha256 = sha256};

	buf_clear(&r->head);
	leg_write_head(&r->head, &head);
}

/* Writes parts in one call; a short write is a full disk. */
static bool write_parts(int fd, const struct iovec *part, int n)
{
	size_t want = 0;
	ssize_t got;

	for (int i = 0; i < n; i++)
		want += part[i].iov_len;
	got = writev(fd, part, n);
	if (got >= 0 && (size_t)got != want)
		errno = ENOSPC;
	return got >= 0 && (size_t)got == want;
}

/* Writes what is pending; the first time it makes the file, with a head that is blank yet. */
static bool flush_pending(struct receiver *r)
{
	struct iovec part[2] = {{.iov_len = 0}};
	bool done;

	if (r->fd < 0) {
		r->fd = spool_create(r->spool, r->name);
		if (r->fd < 0)
			return false;
		write_head(r, NULL);
		if (!buf_ok(&r->head)) {
			errno = ENOMEM;
			return false;
		}
		part[0] = (struct iovec){r->head.bytes, r->head.len};
	}
	part[1] = (struct iovec){r->pending.bytes, r->pending.len};
	done = write_parts(r->fd, part, 2);
	buf_clear(&r->pending);
	return done;
}

/* A long message must not eat the room that transitions need. */
static bool room_still(struct receiver *r)
{
	if (r->size - r->checked < SPACE_STEP)
		return true;
	r->checked = r->size;
	errno = ENOSPC;
	return receive_room(r->spool, &r->limits, 0);
}

void receive_data(struct receiver *r, const char *bytes, size_t len)
{
	if (r->verdict != INTAKE_GO)
		return;
	if (r->size + len > (uint64_t)r->limits.message_size + RECEIVED_MAX) {
		r->verdict = INTAKE_TOO_LARGE;
		return;
	}
	if (!room_still(r)) {
		fail(r, "room");
		return;
	}

	digest_add(r->digest, bytes, len);
	r->size += len;
	if (r->pending.len + len > RECEIVE_PENDING && !flush_pending(r)) {
		fail(r, "write");
		return;
	}
	buf_add(&r->pending, bytes, len);
	if (!buf_ok(&r->pending)) {
		errno = ENOMEM;
		fail(r, "memory");
	}
}

/* ---- the commit --------------------------------------------------------------------------- */

/* Writes head, content and separator of a message that is in memory as a whole. */
static bool write_at_once(struct receiver *r, const struct buf *separator)
{
	struct iovec part[3] = {
	    {r->head.bytes, r->head.len},
	    {r->pending.bytes, r->pending.len},
	    {separator->bytes, separator->len},
	};

	r->fd = spool_create(r->spool, r->name);
	return r->fd >= 0 && write_parts(r->fd, part, 3);
}

/* Ends a message whose beginning is in the file already. */
static bool write_rest(struct receiver *r, const struct buf *separator)
{
	struct iovec part[2] = {
	    {r->pending.bytes, r->pending.len},
	    {separator->bytes, separator->len},
	};

	return write_parts(r->fd, part, 2) && spool_fill_in(r->fd, r->head.bytes, r->head.len, 0);
}

static void commit(struct receiver *r)
{
	char sha256[DIGEST_HEX];
	struct buf separator;

	r->accepted = clock_wall();
	digest_end(r->digest, sha256);
	write_head(r, sha256);
	buf_init(&separator, SEPARATOR_MAX);
	leg_write_separator(&separator, r->id);

	errno = ENOMEM;
	if (!buf_ok(&r->head) || !buf_ok(&separator) ||
	    !(r->fd < 0 ? write_at_once(r, &separator) : write_rest(r, &separator)))
		fail(r, "write");
	else if (!spool_sync(r->fd)) /* THE commit */
		fail(r, "fsync");
	else
		r->verdict = INTAKE_KEPT;
	buf_free(&separator);
}

enum intake_reply receive_commit(struct receiver *r)
{
	enum intake_reply verdict;

	/* Before the commit: what is over a quota is frozen by the time that it is there. */
	if (r->verdict == INTAKE_GO && r->quota != NULL &&
	    !quota_keeper_count(r->quota, &r->charge))
		r->verdict = INTAKE_TEMPORARY;
	else if (r->verdict == INTAKE_GO)
		commit(r);
	if (r->verdict != INTAKE_KEPT && r->quota != NULL)
		quota_keeper_take_back(r->quota, &r->charge);

	verdict = r->verdict;
	if (verdict == INTAKE_KEPT) {
		(void)close(r->fd);
		r->fd = -1;
	}
	receive_abandon(r);
	return verdict == INTAKE_GO ? INTAKE_TEMPORARY : verdict;
}

void receive_log(const struct receiver *r)
{
	LOG("accepted", kv("id", r->id), kv("peer", r->peer), kv("from", r->sender),
	    kv_num("rcpts", (int64_t)r->rcpts), kv_num("size", (int64_t)r->size));
}

bool receive_enter_name(const struct spool *spool, const char *name)
{
	enum spool_moved moved = spool_move(spool, STATE_TMP, name, STATE_NEW, name);

	if (moved == SPOOL_MOVED || moved == SPOOL_MOVE_GONE)
		return true;
	LOG_ALARM("not-entered", kv("id", name), kv_errno(errno));
	/* A second copy, which only an operator can have put there, stays: it must stop nobody. */
	return moved == SPOOL_MOVE_TAKEN;
}

bool receive_enter(struct receiver *r)
{
	return receive_enter_name(r->spool, r->name);
}

void receive_abandon(struct receiver *r)
{
	if (r->fd >= 0) {
		(void)close(r->fd);
		r->fd = -1;
		if (!spool_remove(r->spool, STATE_TMP, r->name))
			LOG_ALARM("not-removed", kv("id", r->name), kv_errno(errno));
	}
	if (r->pending.room > KEPT_ROOM)
		buf_free(&r->pending);
	r->verdict = INTAKE_TEMPORARY;
}

/* ---- recovery ----------------------------------------------------------------------------- */

/* Adds the content's bytes to `d`; false if the file ends or fails before. */
static bool digest_content(
    int fd, const struct leg *leg, struct digest *d, char *bytes, size_t room)
{
	off_t at = leg->content, end = leg->content + (off_t)leg->size;

	while (at < end) {
		size_t want = end - at < (off_t)room ? (size_t)(end - at) : room;
		ssize_t n = pread(fd, bytes, want, at);

		if (n <= 0)
			return false;
		digest_add(d, bytes, (size_t)n);
		at += n;
	}
	return true;
}

/* Whether the content is what the head says. False with errno 0 if it is not. */
static bool content_proves_itself(int fd, const struct leg *leg)
{
	struct digest *d = digest_new();
	char *bytes = malloc(RECEIVE_PENDING), hex[DIGEST_HEX];
	bool whole = false;

	errno = d == NULL || bytes == NULL ? ENOMEM : 0;
	if (errno == 0 && digest_content(fd, leg, d, bytes, RECEIVE_PENDING)) {
		digest_end(d, hex);
		whole = strcmp(hex, leg->sha256) == 0;
		errno = 0;
	}
	digest_free(d);
	free(bytes);
	return whole;
}

struct recovery {
	const struct spool *spool;
	const struct settings *settings;
	bool failed; /* something stays in tmp/ that only a later look can judge */
};

static void recover_leg(struct recovery *r, const char *text, int fd)
{
	struct leg leg;
	const char *why = "content digest";
	enum leg_fault fault = leg_read(fd, (size_t)r->settings->trailer_max, &leg, &why);
	bool whole = fault == LEG_FINE && content_proves_itself(fd, &leg);
	bool unknown = fault == LEG_ENVIRON || (fault == LEG_FINE && !whole && errno != 0);

	if (fault == LEG_FINE)
		leg_free(&leg);
	if (unknown) {
		/* It may be whole: it stays until a start that can read it. */
		LOG_ALARM("recovery-failed", kv("name", text), kv_errno(errno));
		r->failed = true;
	} else if (whole && !spool_sync(fd)) {
		/* Whole in memory only: it was never acknowledged, and may be damaged on the disk. */
		LOG_ALARM("recovery-failed", kv("name", text), kv_errno(errno));
		r->failed = true;
	} else if (whole) {
		if (receive_enter_name(r->spool, text))
			LOG("recovered", kv("id", text));
		else
			r->failed = true;
	} else if (spool_remove(r->spool, STATE_TMP, text)) {
		LOG("removed", kv("name", text), kv("state", "tmp"), kv("why", why));
	} else {
		LOG_ALARM("not-removed", kv("name", text), kv_errno(errno));
		r->failed = true;
	}
}

static bool recover_name(void *context, const char *text)
{
	struct recovery *r = context;
	enum spool_opened opened = SPOOL_FOREIGN;
	struct leg_name name;
	int fd;

	if (strcmp(text, SPOOL_BALLAST) == 0)
		return true;
	if (name_parse(text, &name))
		opened = spool_open_leg(r->spool, STATE_TMP, text, &fd);
	if (opened == SPOOL_GONE)
		return true;
	if (opened == SPOOL_FAILED) {
		LOG_ALARM("recovery-failed", kv("name", text), kv_errno(errno));
		r->failed = true;
		return true;
	}
	/* What we did not write is not ours to remove: seki-scan will put it into bad/. */
	if (opened == SPOOL_FOREIGN) {
		LOG_ALARM("foreign-in-tmp", kv("name", text));
		if (!receive_enter_name(r->spool, text))
			LOG_ALARM("recovery-failed", kv("name", text));
		return true;
	}
	recover_leg(r, text, fd);
	(void)close(fd);
	return true;
}

bool receive_recover(const struct spool *spool, const struct settings *settings)
{
	struct recovery r = {.spool = spool, .settings = settings};

	return spool_list(spool, STATE_TMP, recover_name, &r) && !r.failed;
}
