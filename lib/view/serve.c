/*
 * One request, in the process that it has for itself. Timers of the kernel end what takes too long: SIGPROF for
 * processor time, SIGALRM for time.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/inspect/packet.h"
#include "lib/inspect/view.h"
#include "lib/view/service.h"

#define PATIENCE  (10 * CLOCK_SECOND) /* for the request */
#define EXPANSION INT64_C(33554432) /* what archives may become while their names are looked for */
#define MEMBERS   INT64_C(2000)
#define ORDER_MAX 400

struct request {
	int socket;
	const struct settings *settings;
	struct packet packet;
	char verb[16];
	char part[VIEW_PART_MAX + 1];
	struct ask ask;
	struct facts_out out;
	struct inspection inspection;
};

/* ---- what is needed of the outside, before the sandbox is entered ---- */

/* A file without a name; in memory where the folder's file system has none. */
static int make_scratch(void)
{
	int fd = open(VIEW_FOLDER, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR))
		fd = memfd_create("scratch", MFD_CLOEXEC);
	if (fd < 0)
		die_environ("making scratch in " VIEW_FOLDER);
	return fd;
}

/* ---- limits ---- */

static void set_timer(int which, int64_t time)
{
	struct itimerval t = {
	    .it_value = {.tv_sec = time / CLOCK_SECOND, .tv_usec = time % CLOCK_SECOND}};

	if (setitimer(which, &t, NULL) != 0)
		die_environ("setting a timer");
}

/* What it writes is bounded: a message that has taken over its process cannot fill the disk. */
static void bound(const struct settings *s, uint64_t size)
{
	uint64_t most = (uint64_t)EXPANSION + size,
		 html = 4 * (uint64_t)s->view_html + 2 * VIEW_IMAGES;
	struct rlimit file = {0};

	if (most < html)
		most = html;
	if (getrlimit(RLIMIT_FSIZE, &file) != 0)
		die_environ("bounding files");
	file.rlim_cur = most < file.rlim_max ? most : file.rlim_max;
	file.rlim_max = file.rlim_cur;
	if (setrlimit(RLIMIT_FSIZE, &file) != 0)
		die_environ("bounding files");
	set_timer(ITIMER_REAL, s->view_time);
	set_timer(ITIMER_PROF, s->inspect_cpu < s->view_time ? s->inspect_cpu : s->view_time);
}

static void ask_for_view(struct ask *ask, const struct settings *s)
{
	ask_init(ask);
	ask_limits(ask, s);
	ask->limits.inspect_time = s->view_time;
	if (ask->limits.inspect_expansion > EXPANSION)
		ask->limits.inspect_expansion = EXPANSION;
	if (ask->limits.inspect_members > MEMBERS)
		ask->limits.inspect_members = MEMBERS;
}

/* ---- the request ---- */

/* What can be written could be changed by whoever takes this process over. */
static bool only_read(int fd)
{
	return pwrite(fd, "", 0, 0) < 0 && errno == EBADF;
}

/* Neither a pipe nor a socket. Here, in the sandbox, fstat(3) may be a call that is not allowed. */
static bool is_file(int fd)
{
	return lseek(fd, 0, SEEK_END) >= 0;
}

static bool read_order(struct request *r)
{
	struct source *message = &r->inspection.message;
	int used = 0, behind = -1;

	if (r->packet.type != 'V' || r->packet.fds != 2 || r->packet.len > ORDER_MAX ||
	    memchr(r->packet.text, '\0', r->packet.len) != NULL)
		return false;
	if (sscanf(r->packet.text, "%15[a-z] %" SCNu64 " %" SCNu64 "%n %255[0-9a-z.]%n", r->verb,
		&message->start, &message->size, &used, r->part, &behind) < 3)
		return false;
	used = behind > 0 ? behind : used;
	message->fd = r->packet.fd[0];
	return (size_t)used == r->packet.len && message->start <= INT64_MAX / 2 &&
	       message->size <= INT64_MAX / 2 && (strcmp(r->verb, "file") == 0) == (behind > 0) &&
	       only_read(r->packet.fd[0]) && is_file(r->packet.fd[0]) && is_file(r->packet.fd[1]);
}

static enum view_told show(struct request *r)
{
	const struct settings *s = r->settings;
	struct view_bounds bounds = {(size_t)s->view_html, (size_t)s->view_image};
	int out = r->packet.fd[1];

	if (strcmp(r->verb, "outline") == 0)
		return inspection_outline(&r->inspection, &bounds, out);
	if (strcmp(r->verb, "html") == 0)
		return inspection_html(&r->inspection, &bounds, out);
	if (strcmp(r->verb, "file") == 0)
		return inspection_file(&r->inspection, r->part, out);
	return VIEW_TOLD_FAILED;
}

static const char *word_of(enum view_told told)
{
	static const char *const words[] = {[VIEW_TOLD] = "done",
	    [VIEW_TOLD_CUT] = "cut",
	    [VIEW_TOLD_NONE] = "none",
	    [VIEW_TOLD_FAILED] = "failed"};

	return words[told];
}

/* What was allocated ends with the process. */
static enum view_told open_and_show(struct request *r, const struct inspect_tables *tables)
{
	struct inspection *i = &r->inspection;
	char fault[128];

	i->by = inspector_new(tables, &r->ask, fault, sizeof fault);
	if (i->by == NULL)
		return VIEW_TOLD_FAILED;
	/* Nobody asked for facts. */
	facts_open(&r->out, -1);
	r->out.gone = true;
	i->out = &r->out;
	i->socket = -1;
	return inspection_begin(i) ? show(r) : VIEW_TOLD_FAILED;
}

static int wrong(const struct request *r, const char *why)
{
	LOG_ALARM("ask-refused", kv("why", why));
	(void)!packet_send(r->socket, 'E', "failed", 6);
	return EXIT_NO;
}

int view_serve(int socket, const struct settings *settings, const struct inspect_tables *tables)
{
	struct request *r = calloc(1, sizeof *r);
	enum packet_status status;
	const char *word;

	if (r == NULL)
		die_environ("memory");
	r->socket = socket;
	r->settings = settings;
	r->inspection.part = make_scratch();
	r->inspection.unpacked = make_scratch();
	ask_for_view(&r->ask, settings);
	inspect_confine(settings);
	status = packet_receive(socket, &r->packet, PATIENCE);
	if (status == PACKET_GONE)
		return EXIT_FINE;
	if (status != PACKET_OK || !read_order(r))
		return wrong(r, status == PACKET_LATE ? "nothing was asked" : "no request");
	bound(settings, r->inspection.message.size);
	inspect_confine_more();

	word = word_of(open_and_show(r, tables));
	return packet_send_by(socket, 'E', word, strlen(word), NULL, 0, PATIENCE) ? EXIT_FINE
										  : EXIT_NO;
}
