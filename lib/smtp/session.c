#include "lib/smtp/session.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/smtp/worker.h"

enum next session_say(struct session *s, const char *text)
{
	if (text[0] == '5')
		s->errors++;
	return io_reply(&s->io, text) == IO_OK ? NEXT_COMMAND : NEXT_GONE;
}

enum next session_refuse(struct session *s, const char *text, const char *about)
{
	LOG("refused", kv("peer", s->peer_text), kv("reply", text), kv("about", about));
	return session_say(s, text);
}

enum next session_dismiss(struct session *s, const char *text)
{
	enum next next = session_refuse(s, text, "");

	return next == NEXT_COMMAND ? NEXT_LINGER : next;
}

enum next session_lost(struct session *s, enum io_status status)
{
	switch (status) {
	case IO_SILENT:
		return session_dismiss(s, "421 4.4.2 no word for too long, closing");
	case IO_LATE:
		return session_dismiss(s, "421 4.4.2 the transaction took too long, closing");
	case IO_STOPPED:
		return session_say(s, "421 4.3.2 closing for maintenance, come back soon") ==
			       NEXT_COMMAND
			   ? NEXT_LINGER
			   : NEXT_GONE;
	case IO_CLOSED:
	case IO_OK:
	case IO_LONG:
	case IO_BARE:
		break;
	}
	return NEXT_GONE;
}

void session_reset(struct session *s)
{
	if (s->phase > PHASE_GREETED)
		s->phase = PHASE_GREETED;
	buf_clear(&s->desk->envelope);
	s->utf8 = false;
	s->declared = -1;
	s->rcpts = 0;
	s->from[0] = '\0';
	s->held = false;
	s->io.deadline = clock_boot() + s->config->settings.smtp_transaction_time;
	if (!s->proven && s->prove_by < s->io.deadline)
		s->io.deadline = s->prove_by;
}

void session_proven(struct session *s)
{
	static const char proven = WORKER_PROVEN;

	if (s->proven)
		return;
	s->proven = true;
	s->io.deadline = clock_boot() + s->config->settings.smtp_transaction_time;
	/* Whether the parent hears it decides nothing here: it is his book of strangers. */
	(void)send(s->desk->control, &proven, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* ---- greeting ---- */

/* Takes the first word behind HELO; what it says is noted and not believed. */
static bool take_helo(struct session *s, const char *argument, size_t len)
{
	const char *space = memchr(argument, ' ', len);
	size_t n = space != NULL ? (size_t)(space - argument) : len;

	if (n == 0 || n > HELO_MAX)
		return false;
	memcpy(s->helo, argument, n);
	s->helo[n] = '\0';
	return true;
}

static bool is_for_users(const struct session *s)
{
	return s->service != SMTP_RELAY;
}

/* The answer to EHLO: what is offered just now. */
static void offer(const struct session *s, char *lines, size_t room)
{
	bool tls = s->config->tls != NULL && s->tls == NULL;
	bool login = is_for_users(s) && s->tls != NULL && s->login[0] == '\0';

	(void)snprintf(lines, room,
	    "250-%s\r\n250-PIPELINING\r\n250-SIZE "
	    "%lld\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n"
	    "%s%s250 ENHANCEDSTATUSCODES",
	    s->config->host, (long long)s->config->settings.message_size,
	    tls ? "250-STARTTLS\r\n" : "", login ? "250-AUTH PLAIN LOGIN\r\n" : "");
}

static enum next on_greeting(struct session *s, const char *argument, size_t len, bool extended)
{
	char lines[SMTP_HOST_MAX + 256];

	if (io_ahead(&s->io))
		return session_dismiss(
		    s, "554 5.5.0 commands were sent before the greeting was answered");
	if (!take_helo(s, argument, len))
		return session_say(s, "501 5.5.4 say who you are");

	session_reset(s);
	s->phase = PHASE_GREETED;
	s->extended = extended;
	if (extended)
		offer(s, lines, sizeof lines);
	else
		(void)snprintf(lines, sizeof lines, "250 %s", s->config->host);
	return session_say(s, lines);
}

static enum next on_helo(struct session *s, const char *argument, size_t len)
{
	return on_greeting(s, argument, len, false);
}

static enum next on_ehlo(struct session *s, const char *argument, size_t len)
{
	return on_greeting(s, argument, len, true);
}

/* ---- the small commands ---- */

static enum next on_rset(struct session *s, const char *argument, size_t len)
{
	(void)argument;
	if (len > 0)
		return session_say(s, "501 5.5.4 RSET takes no argument");
	session_reset(s);
	return session_say(s, "250 2.0.0 forgotten");
}

static enum next on_noop(struct session *s, const char *argument, size_t len)
{
	(void)argument;
	(void)len;
	return session_say(s, "250 2.0.0 still here");
}

static enum next on_quit(struct session *s, const char *argument, size_t len)
{
	enum next next;

	(void)argument;
	if (len > 0)
		return session_say(s, "501 5.5.4 QUIT takes no argument");
	next = session_say(s, "221 2.0.0 good bye");
	return next == NEXT_COMMAND ? NEXT_CLOSE : next;
}

static enum next on_vrfy(struct session *s, const char *argument, size_t len)
{
	(void)argument;
	if (len == 0)
		return session_say(s, "501 5.5.4 verify whom?");
	return session_say(s, "252 2.0.0 not verified; send it and it will be tried");
}

static enum next on_help(struct session *s, const char *argument, size_t len)
{
	(void)argument;
	(void)len;
	return session_say(s, "214 2.0.0 this is Sekisho; see RFC 5321");
}

static enum next on_absent(struct session *s, const char *argument, size_t len)
{
	(void)argument;
	(void)len;
	return session_say(s, "502 5.5.1 command not implemented");
}

static enum next on_unknown(struct session *s, const char *argument, size_t len)
{
	(void)argument;
	(void)len;
	return session_say(s, "500 5.5.2 command not recognised");
}

/*
 * Whatever stands behind this command came in the clear, from anybody, and would be taken for
 * something that the client said under TLS (RFC 3207 section 5).
 */
static enum next on_starttls(struct session *s, const char *argument, size_t len)
{
	enum next next;

	(void)argument;
	if (io_ahead(&s->io))
		return session_dismiss(s, "554 5.5.0 something was sent behind STARTTLS, closing");
	if (len > 0)
		return session_say(s, "501 5.5.4 STARTTLS takes no argument");
	if (s->tls != NULL)
		return session_say(s, "503 5.5.1 TLS is on already");
	if (s->config->tls == NULL)
		return session_say(s, is_for_users(s) ? "454 4.7.0 TLS is not available just now"
						      : "502 5.5.1 command not implemented");
	next = session_say(s, "220 2.0.0 go ahead");
	return next == NEXT_COMMAND ? NEXT_TLS : next;
}

/* The octets behind BDAT would be a message; they must never be read as commands. */
static enum next on_bdat(struct session *s, const char *argument, size_t len)
{
	(void)argument;
	(void)len;
	return session_dismiss(s, "502 5.5.1 BDAT is not offered, closing");
}

static enum next on_http(struct session *s, const char *argument, size_t len)
{
	(void)argument;
	(void)len;
	return session_dismiss(s, "554 5.5.0 this is a mail server, closing");
}

/* ---- the table ---- */

typedef enum next handler(struct session *s, const char *argument, size_t len);

enum {
	FROM_START = 1 << PHASE_START,
	FROM_GREETED = 1 << PHASE_GREETED,
	FROM_MAIL = 1 << PHASE_MAIL,
	FROM_RCPT = 1 << PHASE_RCPT,
	ANYWHERE = FROM_START | FROM_GREETED | FROM_MAIL | FROM_RCPT,
};

struct command {
	handler *run;
	unsigned phases; /* in which it may come; elsewhere 503 */
	size_t line_max;
	bool wide; /* judges bytes beyond ASCII by itself */
	bool idle; /* brings the session no further */
	const char *elsewhere;
};

/* DATA is let through everywhere: whatever it is told, nothing may stand behind it. */
static const struct command commands[VERBS] = {
    [VERB_UNKNOWN] = {on_unknown, ANYWHERE, COMMAND_MAX, false, false, ""},
    [VERB_HELO] = {on_helo, ANYWHERE, COMMAND_MAX, false, true, ""},
    [VERB_EHLO] = {on_ehlo, ANYWHERE, COMMAND_MAX, false, true, ""},
    [VERB_MAIL] = {session_mail, FROM_GREETED, COMMAND_LONG_MAX, true, false,
	"503 5.5.1 MAIL comes once, after HELO or EHLO"},
    [VERB_RCPT] = {session_rcpt, FROM_MAIL | FROM_RCPT, COMMAND_LONG_MAX, true, false,
	"503 5.5.1 RCPT comes after MAIL"},
    [VERB_DATA] = {session_data, ANYWHERE, AUTH_LINE_MAX, true, false, ""},
    [VERB_RSET] = {on_rset, ANYWHERE, COMMAND_MAX, false, true, ""},
    [VERB_NOOP] = {on_noop, ANYWHERE, COMMAND_MAX, false, true, ""},
    [VERB_QUIT] = {on_quit, ANYWHERE, COMMAND_MAX, false, false, ""},
    [VERB_VRFY] = {on_vrfy, ANYWHERE, COMMAND_MAX, false, true, ""},
    [VERB_EXPN] = {on_absent, ANYWHERE, COMMAND_MAX, false, false, ""},
    [VERB_HELP] = {on_help, ANYWHERE, COMMAND_MAX, false, true, ""},
    [VERB_ETRN] = {on_absent, ANYWHERE, COMMAND_MAX, false, false, ""},
    [VERB_TURN] = {on_absent, ANYWHERE, COMMAND_MAX, false, false, ""},
    [VERB_BDAT] = {on_bdat, ANYWHERE, AUTH_LINE_MAX, true, false, ""},
    [VERB_STARTTLS] = {on_starttls, FROM_GREETED, COMMAND_MAX, false, false,
	"503 5.5.1 STARTTLS comes after EHLO, outside of a message"},
    [VERB_AUTH] = {session_auth, FROM_GREETED, AUTH_LINE_MAX, false, false,
	"503 5.5.1 AUTH comes after EHLO, outside of a message"},
    [VERB_HTTP] = {on_http, ANYWHERE, COMMAND_MAX, true, false, ""},
};

static enum next judge_command(
    struct session *s, enum verb verb, const char *line, size_t len, size_t argument)
{
	const struct command *c = &commands[verb];

	if (len + 2 > c->line_max)
		return session_say(s, "500 5.5.2 line too long");
	if (!c->wide && !command_plain(line, len))
		return session_say(s, verb == VERB_UNKNOWN ? "500 5.5.2 command not recognised"
							   : "501 5.5.2 bytes that no command has");
	if (!(c->phases & 1u << s->phase))
		return session_say(s, c->elsewhere);
	if (c->idle && ++s->idle_commands > s->config->settings.smtp_idle_commands)
		s->errors++;
	return c->run(s, line + argument, len - argument);
}

/* What a login's commands were read into, but for what is still to be read. */
static void wipe_input(struct session *s)
{
	explicit_bzero(s->io.in, s->io.start);
	explicit_bzero(s->io.in + s->io.end, s->io.high - s->io.end);
}

static enum next run_command(struct session *s, const char *line, size_t len)
{
	size_t argument;
	enum verb verb = command_verb(line, len, &argument);
	enum next next = judge_command(s, verb, line, len, argument);

	if (verb == VERB_AUTH)
		wipe_input(s);
	return next;
}

/* A line without its end: behind DATA or BDAT a message would follow, and be read as commands. */
static enum next on_long(struct session *s, const char *line, size_t len)
{
	size_t argument;
	enum verb verb = command_verb(line, len, &argument);

	if (verb == VERB_BDAT)
		return on_bdat(s, "", 0);
	if (verb == VERB_DATA)
		return session_dismiss(s, "500 5.5.2 line too long, closing");
	return session_say(s, "500 5.5.2 line too long");
}

static enum next next_command(struct session *s)
{
	bool between = s->phase <= PHASE_GREETED;
	enum next next = NEXT_GONE;
	char *line;
	size_t len;
	enum io_status status = io_line(&s->io, AUTH_LINE_MAX, between, &line, &len);

	switch (status) {
	case IO_OK:
		next = run_command(s, line, len);
		break;
	case IO_LONG:
		next = on_long(s, line, len);
		break;
	case IO_BARE:
		return session_dismiss(s, "500 5.5.2 a line ends in CR LF, closing");
	case IO_CLOSED:
	case IO_SILENT:
	case IO_LATE:
	case IO_STOPPED:
		return session_lost(s, status);
	}

	if (next == NEXT_COMMAND && s->errors >= (unsigned)s->config->settings.smtp_errors)
		return session_dismiss(s, "421 4.7.0 too many errors, closing");
	return next;
}

static enum next greet(struct session *s)
{
	char banner[SMTP_HOST_MAX + 16];

	/* Who talks before he is greeted does not listen: a proxy's victim, or spamware. */
	if (io_ahead(&s->io)) {
		char byte;

		if (s->io.stream.read(s->io.stream.context, &byte, 1) <= 0)
			return NEXT_GONE; /* a connection that was only tried */
		return session_dismiss(s, "554 5.5.0 you talked before the greeting, closing");
	}

	(void)snprintf(banner, sizeof banner, "220 %s ESMTP", s->config->host);
	return session_say(s, banner);
}

/* Behind the handshake nothing is known of this client but its certificate (RFC 3207 section 4.2). */
static enum next begin_tls(struct session *s)
{
	if (io_flush(&s->io) != IO_OK)
		return NEXT_GONE;
	io_forget_input(&s->io);
	if (!session_start_tls(s))
		return NEXT_GONE;
	s->phase = PHASE_START;
	s->extended = false;
	s->helo[0] = '\0';
	session_reset(s);
	return NEXT_COMMAND;
}

static void good_bye(struct session *s, enum next next)
{
	if (next == NEXT_LINGER) {
		io_linger(&s->io);
	} else if (next == NEXT_CLOSE) {
		if (io_flush(&s->io) != IO_OK)
			LOG("session-lost", kv("peer", s->peer_text), kv("at", "the last reply"));
		else if (s->io.stream.finish != NULL)
			s->io.stream.finish(s->io.stream.context);
	}
}

void session_run(struct desk *desk, int fd, const struct arrival *arrival)
{
	struct session s = {.desk = desk,
	    .config = desk->config,
	    .service = arrival->service,
	    .peer = arrival->peer};
	enum next next;

	io_init(&s.io, stream_plain(fd), desk->in, desk->out);
	s.io.watch = desk->control;
	s.io.timeout = s.config->settings.smtp_timeout;
	s.prove_by = clock_boot() + s.config->settings.smtp_stranger_time;
	session_reset(&s);

	if (session_open(&s, arrival)) {
		next = greet(&s);
		while (next == NEXT_COMMAND || next == NEXT_TLS)
			next = next == NEXT_TLS ? begin_tls(&s) : next_command(&s);
		good_bye(&s, next);
	}
	tls_free(s.tls);
	if (is_for_users(&s))
		explicit_bzero(desk->in, s.io.high);
	buf_clear(&desk->envelope);
	explicit_bzero(s.login, sizeof s.login);
}
