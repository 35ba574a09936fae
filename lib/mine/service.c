/* The service: a process for each request (lib/base/forks.h), and beside it one that can run tests of rules. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/forks.h"
#include "lib/base/local.h"
#include "lib/base/log.h"
#include "lib/mine/answer.h"
#include "lib/mine/confine.h"
#include "lib/mine/file.h"
#include "lib/mine/mine.h"
#include "lib/org/compile.h"

#define PROCESSES 16
#define WEB_USER  "sekiw" /* of the program that shows people their pages */
#define UNABLE    'u'
#define FINE      'f'
#define RED       'r'

struct service {
	struct settings *settings;
	mine_test *test;
	uid_t web; /* (uid_t)-1: there is none */
	struct often *often;
};

/* ---- tests of rules ----------------------------------------------------------------------- */

/*
 * They start an inspector, which who is confined cannot do. So this process is made before, waits for the name of a
 * generation, says how it fared, and sees nothing else of what a stranger has written.
 */
NORETURN static void be_tester(mine_test *test, int end)
{
	char name[COMPILED_NAME] = "", said = UNABLE;
	bool unable = false;
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (recv(end, name, sizeof name, 0) != (ssize_t)sizeof name)
		_exit(EXIT_FINE); /* none were wanted */
	name[sizeof name - 1] = '\0';
	/* What fails there is told to whoever compiles; the log is for events. */
	if (null >= 0)
		(void)dup2(null, STDERR_FILENO);
	if (test(name, &unable))
		said = FINE;
	else if (!unable)
		said = RED;
	(void)!send(end, &said, 1, MSG_NOSIGNAL);
	_exit(EXIT_FINE);
}

/* The socket to it; -1: there is none. */
static int start_tester(mine_test *test, int client)
{
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		(void)close(client);
		(void)close(ends[0]);
		be_tester(test, ends[1]);
	}
	(void)close(ends[1]);
	if (pid > 0)
		return ends[0];
	(void)close(ends[0]);
	return -1;
}

static enum mine_tested ask_tester(void *context, const char *generation)
{
	const int *tester = context;
	char name[COMPILED_NAME] = "", said = UNABLE;

	(void)strncpy(name, generation, sizeof name - 1);
	if (*tester < 0 || send(*tester, name, sizeof name, MSG_NOSIGNAL) != (ssize_t)sizeof name ||
	    recv(*tester, &said, 1, 0) != 1)
		return MINE_TESTS_UNABLE;
	return said == FINE ? MINE_TESTS_FINE : said == RED ? MINE_TESTS_RED : MINE_TESTS_UNABLE;
}

/* ---- one connection ----------------------------------------------------------------------- */

/* The directory's mode lets in only these; it is asked again. */
static bool may_ask(const struct service *service, int socket)
{
	uid_t uid;

	if (local_peer_may(socket, service->web, &uid))
		return true;
	LOG_ALARM("rules-peer-refused", kv_num("uid", (int64_t)uid));
	return false;
}

/* Waits for it until then; false: its time is over. */
static bool wait_for(int socket, short events, int64_t until)
{
	struct pollfd p = {.fd = socket, .events = events};
	int64_t left;

	while ((left = until - clock_boot()) > 0) {
		int n = poll(&p, 1, clock_patience((int)(left / 1000) + 1));

		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
	}
	return false;
}

/* Exactly one line: who sends more means something that we do not know. 0: nothing to answer. */
static size_t read_request(int socket, char line[MINE_REQUEST_MAX])
{
	int64_t until = clock_boot() + MINE_PATIENCE * CLOCK_SECOND;
	size_t len = 0;

	while (len < MINE_REQUEST_MAX && memchr(line, '\n', len) == NULL) {
		ssize_t n;

		if (!wait_for(socket, POLLIN, until))
			return 0;
		n = recv(socket, line + len, MINE_REQUEST_MAX - len, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			return 0;
		len += n > 0 ? (size_t)n : 0;
	}
	return len;
}

static void write_answer(int socket, const char *text, size_t len)
{
	int64_t until = clock_boot() + MINE_PATIENCE * CLOCK_SECOND;

	while (len > 0 && wait_for(socket, POLLOUT, until)) {
		ssize_t n = send(socket, text, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return;
		text += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
}

static void give(int socket, json_t *json)
{
	static const char lost[] = "{\"result\":\"no\",\"code\":\"later\"}\n";
	char *dump = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
	struct buf text;

	buf_init(&text, MINE_ANSWER_MAX);
	if (dump != NULL) {
		buf_add_text(&text, dump);
		buf_add_text(&text, "\n");
	}
	if (dump == NULL || !buf_ok(&text)) {
		buf_clear(&text);
		buf_add_text(&text, lost);
	}
	write_answer(socket, text.bytes, text.len);
	free(dump);
	buf_free(&text);
	json_decref(json);
}

static int open_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		die_environ(path);
	return fd;
}

/* Without an audit log of its own nothing is changed: it says so when it is asked. */
static void open_all(struct mine *mine, const struct settings *settings, const struct gate_key *key)
{
	*mine = (struct mine){.settings = settings, .key = key};
	mine->audit = audit_reach("seki-rules");
	if (mine->audit == NULL)
		die_environ("memory");
	audit_settings(mine->audit, settings);
	mine->etc = open_folder("etc");
	mine->users = open_folder("etc/" MINE_USERS);
	mine->compiled = open_folder(COMPILED);
}

NORETURN static void serve(void *context, int socket)
{
	static char line[MINE_REQUEST_MAX]; /* one a process */
	const struct service *service = context;
	struct gate_key key;
	struct mine mine;
	int tester;
	size_t len;

	if (!may_ask(service, socket))
		_exit(EXIT_FINE);
	tester = start_tester(service->test, socket);
	/* False: a key of zero bytes, by which nobody is believed. seki-hold makes it. */
	if (!gate_key_read(false, &key))
		LOG_ALARM("no-key", kv_errno(errno));
	open_all(&mine, service->settings, &key);
	mine.often = service->often;
	mine.test = ask_tester;
	mine.context = &tester;
	mine_confine();

	len = read_request(socket, line);
	if (len > 0) {
		bool whole = memchr(line, '\n', len) == line + len - 1;

		give(socket, mine_answer(&mine, line, whole ? len - 1 : 0));
	}
	gate_key_forget(&key);
	_exit(EXIT_FINE);
}

/* ---- the service -------------------------------------------------------------------------- */

static bool reload(struct forks *forks, char *fault, size_t room)
{
	struct service *service = forks->context;
	struct settings fresh;

	if (!forks_settings(&fresh, fault, room))
		return false;
	*service->settings = fresh;
	return true;
}

void mine_run(
    int listener, int signals, struct settings *settings, mine_test *test, void (*ready)(void))
{
	const struct passwd *web = getpwnam(WEB_USER);
	struct service service = {
	    settings, test, web != NULL ? web->pw_uid : (uid_t)-1, often_new()};
	struct forks forks = {.program = "seki-rules",
	    .listener = listener,
	    .signals = signals,
	    .context = &service,
	    .most = PROCESSES,
	    .serve = serve,
	    .reload = reload,
	    .ready = ready};

	if (service.often == NULL)
		die_environ("memory");
	forks_run(&forks);
}

/* In a process of its own: the lock goes with it. */
void mine_start(const struct settings *settings)
{
	struct mine mine;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		open_all(&mine, settings, NULL);
		if (mine_finish(&mine) < 0)
			LOG_ALARM("rules-unfinished", kv_errno(errno));
		_exit(EXIT_FINE);
	}
	if (pid < 0)
		die_environ("a process to end what was begun");
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			die_environ("waiting for what was begun");
	}
}
