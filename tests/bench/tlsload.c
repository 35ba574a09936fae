/*
 * tlsload [-ricpq] [-k N] [-b ADDRESS] [-e MS] [-t SECONDS] SESSIONS MESSAGES SIZE PORT
 *
 * Hands in mail at 127.0.0.1:PORT as users' mail programs do, from SESSIONS processes at once:
 * EHLO, STARTTLS, EHLO, AUTH PLAIN, MAIL, RCPT, DATA, QUIT, each a packet and a reply. The
 * first line of standard input is "LOGIN PASSWORD"; the login is the sender, too.
 *
 *   -r  resume: each process shows the newest ticket that it was given
 *   -i  TLS from the first byte
 *   -c  in the clear and without a login, as a relay source
 *   -p  only log in and stay, until standard input ends; says "ready" when all have
 *   -q  acknowledge what comes at once, so that no server waits for a delayed acknowledgement
 *   -k  messages a connection (1)
 *   -b  the address to come from
 *   -e  a pause before each connection but the first of a process, milliseconds
 *   -t  begin a connection that failed anew, for so long (0: any failure ends the run)
 *
 * Prints one line: rate (messages a second); p50, p99, max (a whole connection from connect to its
 * end, ms); dot50, dot99, dotmax (from sending a message's content to its 250, ms); connections,
 * resumed; again (connections that were begun anew); tls. Ends with 1 if a message was not taken.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SESSIONS_MAX 1000
#define TEXT_MAX     1024
#define REPLY_TIME   60 /* seconds that a reply may take */
#define AGAIN_PAUSE  1000

/* What was asked for. */
static struct {
	bool resume, implicit, clear, stay, quick;
	long sessions, messages, per_connection, pause_ms, patience;
	uint16_t port;
	struct in_addr from;
	char login[256];
	char auth[TEXT_MAX]; /* the whole command */
	char *content;
	size_t content_len;
} want = {.per_connection = 1};

/* What the processes count together. */
static struct counts {
	atomic_long next; /* connection */
	atomic_long resumed, again, logged_in;
	char tls[64];
	double time[]; /* of each connection, then of each message's content */
} * counts;

static SSL_CTX *context;
static SSL_SESSION *ticket; /* the newest of this process */

struct link {
	int fd;
	SSL *ssl;
	char reply[4096];
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void pause_for(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&t, NULL);
}

static void give_up(const char *what)
{
	fprintf(stderr, "tlsload: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long connections(void)
{
	return (want.messages + want.per_connection - 1) / want.per_connection;
}

/* ---- a connection ---- */

/* Notes why it failed. */
static bool lost(struct link *l, const char *what)
{
	const char *tls = ERR_reason_error_string(ERR_peek_last_error());

	snprintf(l->reply, sizeof l->reply, "%s: %s", what, tls != NULL ? tls : strerror(errno));
	return false;
}

static bool put(struct link *l, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = l->ssl != NULL ? SSL_write(l->ssl, bytes, (int)len)
					   : send(l->fd, bytes, len, MSG_NOSIGNAL);

		if (n <= 0)
			return lost(l, "sending");
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

/* Whether the reply's last line is there. */
static bool is_whole(const char *reply, size_t len)
{
	const char *last = reply + len;

	if (len < 5 || last[-1] != '\n')
		return false;
	last--;
	while (last > reply && last[-1] != '\n')
		last--;
	return last[3] == ' ';
}

/* The kernel forgets it now and then. */
static void acknowledge(const struct link *l)
{
	int one = 1;

	if (want.quick)
		setsockopt(l->fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof one);
}

/* Reads one reply, all its lines; its first digit must be this. */
static bool expect(struct link *l, char digit)
{
	size_t len = 0;

	while (!is_whole(l->reply, len)) {
		size_t room = sizeof l->reply - len - 1;
		ssize_t n;

		acknowledge(l);
		n = l->ssl != NULL ? SSL_read(l->ssl, l->reply + len, (int)room)
				   : recv(l->fd, l->reply + len, room, 0);

		if (n <= 0 || room == 0)
			return lost(l, "reading");
		len += (size_t)n;
		l->reply[len] = '\0';
	}
	return l->reply[0] == digit;
}

static bool say(struct link *l, const char *line, char digit)
{
	return put(l, line, strlen(line)) && expect(l, digit);
}

static bool handshake(struct link *l)
{
	ERR_clear_error();
	l->ssl = SSL_new(context);
	if (l->ssl == NULL || SSL_set_fd(l->ssl, l->fd) != 1)
		return lost(l, "SSL_new");
	if (want.resume && ticket != NULL && SSL_set_session(l->ssl, ticket) != 1)
		return lost(l, "SSL_set_session");
	if (SSL_connect(l->ssl) != 1)
		return lost(l, "handshake");
	if (SSL_session_reused(l->ssl))
		atomic_fetch_add(&counts->resumed, 1);
	if (counts->tls[0] == '\0')
		snprintf(counts->tls, sizeof counts->tls, "%s/%s", SSL_get_version(l->ssl),
		    SSL_get_cipher_name(l->ssl));
	return true;
}

static bool connect_to(struct link *l)
{
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr = want.from};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(want.port)};
	struct timeval patience = {REPLY_TIME, 0};
	int one = 1;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	l->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (l->fd < 0)
		give_up("socket");
	setsockopt(l->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
	setsockopt(l->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(l->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (bind(l->fd, (const struct sockaddr *)&from, sizeof from) != 0)
		give_up("bind");
	if (connect(l->fd, (const struct sockaddr *)&to, sizeof to) != 0)
		return lost(l, "connect");
	return true;
}

/* Everything that comes before the first MAIL. */
static bool enter(struct link *l)
{
	static const char ehlo[] = "EHLO bench.example.test\r\n";

	if (!connect_to(l) || (want.implicit && !handshake(l)) || !expect(l, '2') ||
	    !say(l, ehlo, '2'))
		return false;
	if (want.clear)
		return true;
	if (!want.implicit && (!say(l, "STARTTLS\r\n", '2') || !handshake(l) || !say(l, ehlo, '2')))
		return false;
	if (!say(l, want.auth, '2'))
		return false;
	atomic_fetch_add(&counts->logged_in, 1);
	return true;
}

static bool one_message(struct link *l, long number)
{
	char mail[TEXT_MAX];
	double start;

	snprintf(mail, sizeof mail, "MAIL FROM:<%s>\r\n", want.login);
	if (!say(l, mail, '2') || !say(l, "RCPT TO:<sink@dst.example.test>\r\n", '2') ||
	    !say(l, "DATA\r\n", '3'))
		return false;
	start = now();
	if (!put(l, want.content, want.content_len) || !expect(l, '2'))
		return false;
	counts->time[connections() + number] = now() - start;
	return true;
}

/*
 * The session as it ends holds the newest ticket, or still the one that it was resumed by: not
 * every server gives a new one each time.
 */
static void keep_ticket(SSL *ssl)
{
	SSL_SESSION *session = SSL_get1_session(ssl);

	if (session == NULL || !SSL_SESSION_is_resumable(session)) {
		SSL_SESSION_free(session);
		return;
	}
	SSL_SESSION_free(ticket);
	ticket = session;
}

static void leave(struct link *l)
{
	if (l->ssl != NULL) {
		keep_ticket(l->ssl);
		SSL_shutdown(l->ssl);
		SSL_free(l->ssl);
	}
	if (l->fd >= 0)
		close(l->fd);
	*l = (struct link){.fd = -1};
}

/* The messages `*done` to `end`, as far as they go on one connection. */
static bool one_connection(struct link *l, long *done, long end)
{
	if (!enter(l))
		return false;
	while (*done < end) {
		if (!one_message(l, *done))
			return false;
		(*done)++;
	}
	(void)say(l, "QUIT\r\n", '2'); /* what was taken is taken */
	return true;
}

static void fail(const struct link *l)
{
	fprintf(stderr, "tlsload: not taken: %s\n", l->reply);
	exit(1);
}

/* Connection `i`, begun anew while there is patience. */
static void connection(long i)
{
	struct link l = {.fd = -1};
	long done = i * want.per_connection;
	long end = done + want.per_connection;
	double start = now();

	if (end > want.messages)
		end = want.messages;
	while (!one_connection(&l, &done, end)) {
		if (now() - start >= (double)want.patience)
			fail(&l);
		atomic_fetch_add(&counts->again, 1);
		leave(&l);
		pause_for(AGAIN_PAUSE);
	}
	leave(&l);
	counts->time[i] = now() - start;
}

/* ---- processes ---- */

static void stay(int gate)
{
	struct link l = {.fd = -1};
	char byte;

	if (!enter(&l))
		fail(&l);
	(void)!read(gate, &byte, 1);
	leave(&l);
}

/* The gate opens by its other end's being closed. */
static void process(int gate)
{
	bool first = true;
	char byte;
	long i;

	if (want.stay) {
		stay(gate);
		return;
	}
	(void)!read(gate, &byte, 1);
	while ((i = atomic_fetch_add(&counts->next, 1)) < connections()) {
		if (!first && want.pause_ms > 0)
			pause_for(want.pause_ms);
		first = false;
		connection(i);
	}
}

/* Starts the processes; returns the gate behind which they wait. */
static int start_all(void)
{
	int gate[2];

	if (pipe(gate) != 0)
		give_up("pipe");
	for (long i = 0; i < want.sessions; i++) {
		pid_t pid = fork();

		if (pid < 0)
			give_up("fork");
		if (pid == 0) {
			close(gate[1]);
			process(gate[0]);
			exit(0);
		}
	}
	close(gate[0]);
	return gate[1];
}

/* Returns whether all of them ended well. */
static bool await_all(void)
{
	bool fine = true;
	int status;

	while (wait(&status) > 0)
		fine = fine && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	return fine;
}

/* ---- the whole ---- */

static void make_content(size_t size)
{
	char header[TEXT_MAX];
	int len = snprintf(header, sizeof header,
	    "From: <%s>\r\nTo: <sink@dst.example.test>\r\nSubject: load\r\n"
	    "Date: Sun, 22 Nov 2026 09:00:00 +0900\r\nMessage-ID: "
	    "<load@bench.example.test>\r\n\r\n",
	    want.login);

	want.content = malloc(size + sizeof header + 100);
	if (want.content == NULL)
		give_up("malloc");
	memcpy(want.content, header, (size_t)len);
	want.content_len = (size_t)len;
	while (want.content_len < size) {
		memset(want.content + want.content_len, 'x', 76);
		memcpy(want.content + want.content_len + 76, "\r\n", 2);
		want.content_len += 78;
	}
	memcpy(want.content + want.content_len, ".\r\n", 3);
	want.content_len += 3;
}

/* "LOGIN PASSWORD" of standard input becomes the command. */
static void read_login(void)
{
	char line[512], plain[600], coded[900];
	char *password;
	int len;

	if (fgets(line, sizeof line, stdin) == NULL || (password = strchr(line, ' ')) == NULL)
		give_up("no LOGIN PASSWORD on standard input");
	*password++ = '\0';
	password[strcspn(password, "\r\n")] = '\0';
	snprintf(want.login, sizeof want.login, "%.255s", line);
	len = snprintf(plain, sizeof plain, "%c%s%c%s", '\0', line, '\0', password);
	EVP_EncodeBlock((unsigned char *)coded, (const unsigned char *)plain, len);
	snprintf(want.auth, sizeof want.auth, "AUTH PLAIN %.880s\r\n", coded);
}

static void set_up(void)
{
	size_t times = (size_t)(connections() + want.messages);

	counts = mmap(NULL, sizeof *counts + times * sizeof(double), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (counts == MAP_FAILED)
		give_up("mmap");
	context = SSL_CTX_new(TLS_client_method());
	if (context == NULL)
		give_up("SSL_CTX_new");
	SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void print_times(const char *name, double *times, long n)
{
	qsort(times, (size_t)n, sizeof *times, by_size);
	printf("%s50=%.2f %s99=%.2f %smax=%.2f ", name, times[n / 2] * 1e3, name,
	    times[n * 99 / 100] * 1e3, name, times[n - 1] * 1e3);
}

static void report(double seconds)
{
	printf("rate=%.1f ", (double)want.messages / seconds);
	print_times("p", counts->time, connections());
	print_times("dot", counts->time + connections(), want.messages);
	printf("connections=%ld resumed=%ld again=%ld tls=%s\n", connections(), counts->resumed,
	    counts->again, counts->tls);
}

/* Until all have logged in, then until standard input ends. */
static int run_stay(void)
{
	int gate = start_all();

	while (counts->logged_in < want.sessions) {
		int status;

		if (waitpid(-1, &status, WNOHANG) > 0)
			return 1;
		pause_for(10);
	}
	puts("ready");
	fflush(stdout);
	while (getchar() != EOF)
		;
	close(gate);
	return await_all() ? 0 : 1;
}

static int run_load(void)
{
	int gate = start_all();
	double start = now();

	close(gate);
	if (!await_all())
		return 1;
	report(now() - start);
	return 0;
}

static bool take_option(int option)
{
	switch (option) {
	case 'r':
		return want.resume = true;
	case 'i':
		return want.implicit = true;
	case 'c':
		return want.clear = true;
	case 'p':
		return want.stay = true;
	case 'q':
		return want.quick = true;
	case 'k':
		return (want.per_connection = atol(optarg)) > 0;
	case 'b':
		return inet_pton(AF_INET, optarg, &want.from) == 1;
	case 'e':
		return (want.pause_ms = atol(optarg)) >= 0;
	case 't':
		return (want.patience = atol(optarg)) >= 0;
	default:
		return false;
	}
}

int main(int argc, char **argv)
{
	bool fine = true;
	int option;

	while ((option = getopt(argc, argv, "ricpqk:b:e:t:")) != -1)
		fine = take_option(option) && fine;
	if (fine && argc - optind == 4) {
		want.sessions = atol(argv[optind]);
		want.messages = atol(argv[optind + 1]);
		want.port = (uint16_t)atol(argv[optind + 3]);
	}
	if (want.sessions < 1 || want.sessions > SESSIONS_MAX || want.messages < 1) {
		fprintf(stderr, "usage: tlsload [-ricpq] [-k N] [-b ADDRESS] [-e MS] [-t SECONDS] "
				"SESSIONS MESSAGES SIZE PORT <LOGIN-AND-PASSWORD\n");
		return 100;
	}
	read_login();
	make_content((size_t)atol(argv[optind + 2]));
	set_up();
	return want.stay ? run_stay() : run_load();
}
