/*
 * dots SESSIONS MESSAGES SIZE PORT: how long a client waits between its final dot and the 250.
 *
 * Each message has a connection of its own, as smtp-source's have. Prints
 * "rate=… p50=… p99=… max=…" (messages a second; milliseconds).
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char *content;
static size_t content_len;
static int port;
static long messages;
static atomic_long next_message;
static double *waited;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void give_up(const char *what)
{
	perror(what);
	exit(1);
}

static void put(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n <= 0)
			give_up("write");
		bytes += n;
		len -= (size_t)n;
	}
}

/* Reads one reply, all its lines, and demands its first digit. */
static void expect(int fd, char digit)
{
	char text[2048];
	size_t len = 0;

	for (;;) {
		ssize_t n = read(fd, text + len, sizeof text - len - 1);
		char *last;

		if (n <= 0)
			give_up("read");
		len += (size_t)n;
		text[len] = '\0';
		if (text[len - 1] != '\n')
			continue;
		text[len - 1] = '\0';
		last = strrchr(text, '\n');
		last = last != NULL ? last + 1 : text;
		if (strlen(last) >= 4 && last[3] == ' ') {
			if (last[0] != digit) {
				fprintf(stderr, "reply: %s\n", text);
				exit(1);
			}
			return;
		}
		text[len - 1] = '\n';
	}
}

static void say(int fd, const char *line, char digit)
{
	put(fd, line, strlen(line));
	expect(fd, digit);
}

static void one_message(long i)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	double start;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof to) != 0)
		give_up("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	expect(fd, '2');
	say(fd, "EHLO bench.example.test\r\n", '2');
	say(fd, "MAIL FROM:<bench@src.example.test>\r\n", '2');
	say(fd, "RCPT TO:<sink@dst.example.test>\r\n", '2');
	say(fd, "DATA\r\n", '3');
	put(fd, content, content_len);
	start = now();
	say(fd, ".\r\n", '2');
	waited[i] = now() - start;
	say(fd, "QUIT\r\n", '2');
	close(fd);
}

static void *session(void *context)
{
	long i;

	(void)context;
	while ((i = atomic_fetch_add(&next_message, 1)) < messages)
		one_message(i);
	return NULL;
}

static void make_content(size_t size)
{
	static const char header[] = "From: bench@src.example.test\r\nTo: sink@dst.example.test\r\n"
				     "Subject: dots\r\n\r\n";

	content = malloc(sizeof header + size + 80);
	if (content == NULL)
		give_up("malloc");
	memcpy(content, header, sizeof header - 1);
	content_len = sizeof header - 1;
	while (content_len < size) {
		memset(content + content_len, 'x', 76);
		memcpy(content + content_len + 76, "\r\n", 2);
		content_len += 78;
	}
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

int main(int argc, char **argv)
{
	pthread_t thread[1000];
	long sessions = argc == 5 ? atol(argv[1]) : 0;
	double start;

	if (sessions < 1 || sessions > 1000) {
		fprintf(stderr, "usage: dots SESSIONS MESSAGES SIZE PORT\n");
		return 100;
	}
	messages = atol(argv[2]);
	make_content((size_t)atol(argv[3]));
	port = atoi(argv[4]);
	waited = calloc((size_t)messages, sizeof *waited);
	if (waited == NULL)
		give_up("calloc");

	start = now();
	for (long i = 0; i < sessions; i++) {
		if (pthread_create(&thread[i], NULL, session, NULL) != 0)
			give_up("thread");
	}
	for (long i = 0; i < sessions; i++)
		pthread_join(thread[i], NULL);
	start = now() - start;

	qsort(waited, (size_t)messages, sizeof *waited, by_size);
	printf("rate=%.1f p50=%.2f p99=%.2f max=%.2f\n", (double)messages / start,
	    waited[messages / 2] * 1e3, waited[messages * 99 / 100] * 1e3,
	    waited[messages - 1] * 1e3);
	return 0;
}
