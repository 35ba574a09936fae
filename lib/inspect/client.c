#include "lib/inspect/client.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/local.h"
#include "lib/convert/convert.h"
#include "lib/extract/extract.h"
#include "lib/inspect/packet.h"
#include "lib/inspect/virus.h"

#define LINES_MAX        (PACKET_MAX - 1024)
#define FACT_LINE        ((size_t)2048)
#define RECIPIENTS_BYTES ((size_t)8 * 1024 * 1024)

struct inspect_client {
	struct inspect_setup setup;
	char clamd[SETTING_TEXT_MAX];
	struct buf ask;
	int socket; /* -1: not connected */
	pid_t pid;  /* of a private seki-inspect, or -1 */
	int convert;
	pid_t convert_pid;
	int part; /* scratch, or -1: to be made */
	int unpacked;
	int talk; /* our end of the message's own socket, or -1 */
	struct packet packet;
};

/* ---- connections ---- */

static void end_private(int *socket, pid_t *pid, bool at_once)
{
	if (*socket >= 0)
		(void)close(*socket);
	*socket = -1;
	if (*pid <= 0)
		return;
	if (at_once)
		(void)kill(*pid, SIGKILL);
	while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	*pid = -1;
}

/* One packet after another, each of whole lines. */
static bool send_lines(int socket, char type, const char *text, size_t len, int64_t patience)
{
	while (len > 0) {
		size_t n = len;

		if (n > LINES_MAX) {
			const char *end = memrchr(text, '\n', LINES_MAX);

			if (end == NULL)
				return false;
			n = (size_t)(end - text) + 1;
		}
		if (!packet_send_by(socket, type, text, n, NULL, 0, patience))
			return false;
		text += n;
		len -= n;
	}
	return true;
}

static bool connected(struct inspect_client *c)
{
	if (c->socket >= 0)
		return true;
	c->socket = c->setup.inspect == NULL ? local_connect_packets(INSPECT_SOCKET)
					     : local_start(c->setup.inspect, &c->pid);
	if (c->socket < 0)
		return false;
	if (send_lines(c->socket, 'A', c->ask.bytes, c->ask.len, c->setup.patience))
		return true;
	end_private(&c->socket, &c->pid, true);
	return false;
}

/* ---- scratch ---- */

/* A file without a name; in memory where the folder's file system has none. */
static int make_scratch(int folder)
{
	int fd = openat(folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR))
		fd = memfd_create("scratch", MFD_CLOEXEC);
	return fd;
}

static void drop(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static bool have_scratch(struct inspect_client *c)
{
	if (c->part < 0)
		c->part = make_scratch(c->setup.folder);
	if (c->unpacked < 0)
		c->unpacked = make_scratch(c->setup.folder);
	return c->part >= 0 && c->unpacked >= 0;
}

/* A process that did not end as it should may still have them, and is not to meet the next message. */
static void leave_scratch(struct inspect_client *c, bool clean)
{
	if (clean && ftruncate(c->part, 0) == 0 && ftruncate(c->unpacked, 0) == 0)
		return;
	drop(&c->part);
	drop(&c->unpacked);
}

/* ---- open and close ---- */

struct inspect_client *inspect_open(const struct inspect_setup *setup, const char *ask, size_t len)
{
	struct inspect_client *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	c->setup = *setup;
	if (setup->clamd != NULL) {
		(void)snprintf(c->clamd, sizeof c->clamd, "%s", setup->clamd);
		c->setup.clamd = c->clamd;
	}
	c->socket = c->convert = c->part = c->unpacked = c->talk = c->setup.folder = -1;
	c->pid = c->convert_pid = -1;
	buf_init(&c->ask, ASK_TEXT_MAX + 16);
	buf_add(&c->ask, ask, len);
	buf_add_text(&c->ask, "go\n");
	c->setup.folder = fcntl(setup->folder, F_DUPFD_CLOEXEC, 0);
	if (buf_ok(&c->ask) && c->setup.folder >= 0 && have_scratch(c))
		return c;
	inspect_close(c);
	return NULL;
}

void inspect_close(struct inspect_client *c)
{
	if (c == NULL)
		return;
	end_private(&c->socket, &c->pid, false);
	end_private(&c->convert, &c->convert_pid, false);
	drop(&c->part);
	drop(&c->unpacked);
	drop(&c->talk);
	drop(&c->setup.folder);
	buf_free(&c->ask);
	free(c);
}

/* ---- conversions ---- */

static const char *answer_word(const struct convert_answer *answer)
{
	switch (answer->status) {
	case CONVERT_STATUS_DONE:
		return answer->truncated ? "done cut" : answer->flawed ? "done flawed" : "done";
	case CONVERT_STATUS_ENCRYPTED:
		return extract_fault_word(EXTRACT_ENCRYPTED);
	case CONVERT_STATUS_DAMAGED:
		return extract_fault_word(EXTRACT_DAMAGED);
	case CONVERT_STATUS_SIZE:
		return extract_fault_word(EXTRACT_SIZE);
	case CONVERT_STATUS_TIME:
	case CONVERT_STATUS_MEMORY:
	case CONVERT_STATUS_FAILED:
	case CONVERT_STATUS_COUNT:
		break;
	}
	return extract_fault_word(EXTRACT_CONVERTER);
}

static bool convert_connected(struct inspect_client *c)
{
	if (c->convert >= 0)
		return true;
	c->convert = c->setup.inspect == NULL ? local_connect_packets(CONVERT_SOCKET)
					      : local_start(c->setup.convert, &c->convert_pid);
	return c->convert >= 0;
}

/* Reads "TOOL WHERE OFFSET SIZE" of an "X". False: it is none; the worker lies. */
static bool read_order(
    struct inspect_client *c, const struct inspect_message *m, char tool[16], struct source *file)
{
	char where[16];
	unsigned long long start, size;

	if (sscanf(c->packet.text, "%15s %15s %llu %llu", tool, where, &start, &size) != 4 ||
	    start > INT64_MAX / 2 || size > INT64_MAX / 2)
		return false;
	*file = (struct source){-1, start, size};
	if (strcmp(where, "part") == 0)
		file->fd = c->part;
	else if (strcmp(where, "unpacked") == 0)
		file->fd = c->unpacked;
	else if (strcmp(where, "message") == 0)
		file->fd = m->content.fd;
	/* Of the message's file only the message may be asked for. */
	return file->fd >= 0 && (file->fd != m->content.fd ||
				    (start >= m->content.start &&
					start + size <= m->content.start + m->content.size));
}

/* False with `reason`: the worker lies or has gone, or nobody is there who could convert. */
static bool convert_one(
    struct inspect_client *c, const struct inspect_message *m, const char **reason)
{
	struct convert_answer answer = {.status = CONVERT_STATUS_FAILED, .text = -1};
	struct source file;
	const char *word;
	char tool[16];

	*reason = "killed";
	if (!read_order(c, m, tool, &file))
		return false;
	if (!convert_connected(c)) {
		*reason = "unreachable";
		return false;
	}
	if (!convert_file(c->convert, tool, &file, c->setup.converts, &answer))
		end_private(&c->convert, &c->convert_pid, true);
	word = answer_word(&answer);
	/* If the process has ended meanwhile, what ended it is told at the end. */
	(void)!packet_send_by(c->talk, 'C', word, strlen(word), &answer.text,
	    answer.text >= 0 ? 1 : 0, c->setup.patience);
	if (answer.text >= 0)
		(void)close(answer.text);
	return true;
}

/* ---- one message ---- */

static bool send_recipients(struct inspect_client *c, const struct inspect_message *m)
{
	struct buf text;
	bool sent;

	buf_init(&text, RECIPIENTS_BYTES);
	for (size_t k = 0; k < m->rcpts; k++) {
		buf_add_text(&text, m->rcpt[k]);
		buf_add_text(&text, "\n");
	}
	sent = buf_ok(&text) && send_lines(c->socket, 'R', text.bytes, text.len, c->setup.patience);
	buf_free(&text);
	return sent;
}

static bool send_order(struct inspect_client *c, const struct inspect_message *m, int theirs)
{
	int fd[PACKET_FDS_MAX] = {m->content.fd, c->part, c->unpacked, theirs};
	struct buf text;
	bool sent;

	buf_init(&text, PACKET_MAX);
	buf_addf(&text, "content %llu %llu\n", (unsigned long long)m->content.start,
	    (unsigned long long)m->content.size);
	if (m->view != NULL)
		buf_addf(&text, "view %s\n", m->view);
	if (m->from != NULL) {
		buf_add_text(&text, "from ");
		buf_add_xtext(&text, m->from, strlen(m->from));
		buf_add_text(&text, "\n");
	}
	sent = buf_ok(&text) && packet_send_by(c->socket, 'M', text.bytes, text.len, fd,
				    PACKET_FDS_MAX, c->setup.patience);
	buf_free(&text);
	return sent;
}

/* The message, and a socket of its own to talk about it. */
static bool send_message(struct inspect_client *c, const struct inspect_message *m)
{
	int pair[2];
	bool sent;

	drop(&c->talk);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return false;
	c->talk = pair[0];
	sent = send_recipients(c, m) && send_order(c, m, pair[1]);
	(void)close(pair[1]);
	return sent;
}

struct asking {
	const struct inspect_message *message;
	bool (*take)(void *context, const char *lines, size_t len);
	void *context;
	char *fault;
	size_t room;
	const char *reason; /* why it was cut */
	int64_t until;      /* boot clock */
};

static int64_t left_of(const struct asking *a)
{
	int64_t left = a->until - clock_boot();

	return left > 0 ? left : 0;
}

/* What is said about the message, to the end of its socket. False: stop, for `reason`. */
static bool hear_facts(struct inspect_client *c, struct asking *a)
{
	for (;;) {
		enum packet_status status = packet_receive(c->talk, &c->packet, left_of(a));

		if (status == PACKET_GONE && errno == 0)
			return true;
		a->reason = status == PACKET_LATE ? "time" : "killed";
		if (status != PACKET_OK)
			return false;
		packet_close(&c->packet);
		switch (c->packet.type) {
		case 'F':
		case 'V':
			a->reason = "stopped";
			if (!a->take(a->context, c->packet.text, c->packet.len))
				return false;
			break;
		case 'X':
			if (!convert_one(c, a->message, &a->reason))
				return false;
			break;
		default:
			return false;
		}
	}
}

/* Reasons come from a process that may lie: a word, or none. */
static const char *reason_of(const struct packet *packet)
{
	static const char *const reasons[] = {
	    "cpu", "time", "memory", "expansion", "crashed", "failed"};

	for (size_t i = 0; i < COUNT_OF(reasons); i++) {
		if (strcmp(packet->text, reasons[i]) == 0)
			return reasons[i];
	}
	return "failed";
}

/* And whether that was all. */
static enum inspect_result hear_end(struct inspect_client *c, struct asking *a)
{
	enum packet_status status = packet_receive(c->socket, &c->packet, left_of(a));

	a->reason = status == PACKET_LATE ? "time" : "killed";
	if (status != PACKET_OK)
		return INSPECT_CUT;
	packet_close(&c->packet);
	if (c->packet.type == 'Q') {
		(void)snprintf(a->fault, a->room, "%s", c->packet.text);
		return INSPECT_REFUSED;
	}
	if (c->packet.type == 'E' && c->packet.len == 0)
		return INSPECT_TOLD;
	if (c->packet.type == 'E')
		a->reason = reason_of(&c->packet);
	return INSPECT_CUT;
}

static enum inspect_result hear(struct inspect_client *c, struct asking *a)
{
	a->until = clock_boot() + c->setup.patience;
	return hear_facts(c, a) ? hear_end(c, a) : INSPECT_CUT;
}

/* The verdict is one more fact; that there is none is a reason to look at the mail by hand. */
static void tell_virus(const struct inspect_client *c, const struct asking *a)
{
	static const char *const words[] = {"clean", "found", "unknown"};
	static const char unknown[] = "uninspectable part=0 reason=virus\n";
	char name[VIRUS_NAME_MAX];
	enum virus_verdict verdict =
	    virus_ask(c->setup.clamd, &a->message->content, c->setup.virus, name);
	struct buf line;

	buf_init(&line, FACT_LINE);
	buf_addf(&line, "virus verdict=%s name=", words[verdict]);
	if (verdict != VIRUS_CLEAN)
		buf_add_xtext(&line, name, strlen(name));
	buf_add_text(&line, "\n");
	if (verdict == VIRUS_UNKNOWN)
		buf_add_text(&line, unknown);
	if (buf_ok(&line))
		(void)a->take(a->context, line.bytes, line.len);
	else
		(void)a->take(a->context, unknown, sizeof unknown - 1);
	buf_free(&line);
}

/* Whether the message is there; it may have ended since the last one. */
static bool handed_over(struct inspect_client *c, const struct inspect_message *message)
{
	bool was_connected = c->socket >= 0;

	if (connected(c) && send_message(c, message))
		return true;
	if (!was_connected)
		return false;
	end_private(&c->socket, &c->pid, true);
	return connected(c) && send_message(c, message);
}

static void tell_cut(const struct asking *a)
{
	char line[64];
	int n = snprintf(line, sizeof line, "uninspectable part=0 reason=%s\n", a->reason);

	(void)a->take(a->context, line, (size_t)n);
}

enum inspect_result inspect_ask(struct inspect_client *c, const struct inspect_message *message,
    bool (*take)(void *context, const char *lines, size_t len), void *context, char *fault,
    size_t room)
{
	struct asking a = {message, take, context, fault, room, "unreachable", 0};
	enum inspect_result result = INSPECT_CUT;

	if (!have_scratch(c))
		a.reason = "scratch";
	else if (handed_over(c, message))
		result = hear(c, &a);
	drop(&c->talk);
	leave_scratch(c, result == INSPECT_TOLD);
	if (c->setup.clamd != NULL && message->view == NULL && result != INSPECT_REFUSED)
		tell_virus(c, &a);
	if (result != INSPECT_TOLD)
		end_private(&c->socket, &c->pid, true);
	if (result == INSPECT_CUT && message->view == NULL)
		tell_cut(&a);
	return result;
}
