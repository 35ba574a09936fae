/*
 * etc/relay, etc/clouds and a file of etc/secrets/, with a form feed between them: any bytes are a
 * table or a fault. A table finds what a plain search through its lines finds, and has no cloud
 * without a secret.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/smtp/relay_table.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {"relay", "clouds", "secrets/s"};

/* A directory of this process's own; its files are written anew each time. */
static int directory(char path[64])
{
	int etc;

	(void)snprintf(path, 64, "/dev/shm/fuzz_relay.%d", (int)getpid());
	(void)mkdir(path, 0700);
	etc = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (etc < 0)
		abort();
	(void)mkdirat(etc, "secrets", 0700);
	return etc;
}

static void clean(void)
{
	char path[64];
	int etc = directory(path);

	for (size_t i = 0; i < COUNT_OF(names); i++)
		(void)unlinkat(etc, names[i], 0);
	(void)unlinkat(etc, "secrets", AT_REMOVEDIR);
	(void)rmdir(path);
	close(etc);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return atexit(clean);
}

static void put(int etc, const char *name, const uint8_t *bytes, size_t len)
{
	int fd = openat(etc, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || (len > 0 && write(fd, bytes, len) != (ssize_t)len))
		abort();
	close(fd);
}

/* The next part of the input, up to a form feed. */
static size_t part(const uint8_t **at, const uint8_t *end, const uint8_t **start)
{
	const uint8_t *feed = *at < end ? memchr(*at, '\f', (size_t)(end - *at)) : NULL;

	*start = *at;
	*at = feed != NULL ? feed + 1 : end;
	return (size_t)((feed != NULL ? feed : end) - *start);
}

static void ask(const struct relay *relay, const char *address)
{
	const struct relay_source *source, *best = NULL;
	struct ip ip;

	if (!ip_parse(address, &ip))
		abort();
	source = relay_find(relay, &ip);
	for (size_t i = 0; i < relay->n; i++) {
		const struct relay_source *s = &relay->sources[i];

		if ((s->kind == RELAY_V4 || s->kind == RELAY_V6) &&
		    network_holds(&s->network, &ip) &&
		    (best == NULL || s->network.bits > best->network.bits))
			best = s;
	}
	if (source != best)
		abort();
	if (source != NULL)
		(void)relay_may_use(relay, source, "example.co.jp", 13);
}

static bool bears(void *context, const char *name)
{
	(void)context;
	return strcmp(name, "mx.example") == 0;
}

static void ask_certificate(const struct relay *relay)
{
	static const unsigned char digest[32];
	const struct relay_source *source = relay_find_certificate(relay, digest, bears, NULL);

	if (source != NULL && !relay_has_certificates(relay))
		abort();
}

static void check_clouds(int etc, const struct relay *relay)
{
	struct conf_fault fault;
	struct clouds clouds;
	const char *value;

	clouds_init(&clouds);
	if (!clouds_read(etc, &clouds, &fault))
		abort();
	for (size_t i = 0; i < relay->n; i++) {
		const struct relay_source *s = &relay->sources[i];
		const struct cloud *cloud = NULL;

		if (s->kind == RELAY_NAME)
			cloud = clouds_find_name(&clouds, relay->text.bytes + s->name);
		else if (s->kind != RELAY_DIGEST)
			cloud = clouds_find_network(&clouds, &s->network);
		if (cloud != NULL && (s->any || relay_secret(relay, s, &value) == NULL ||
					 strlen(value) < RELAY_SECRET_VALUE_MIN))
			abort();
	}
	clouds_free(&clouds);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *at = data, *start;
	struct conf_fault fault = {0};
	struct relay relay;
	char path[64];
	int etc = directory(path);

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		size_t len = part(&at, data + size, &start);

		put(etc, names[i], start, len);
	}

	relay_init(&relay);
	if (relay_read(etc, &relay, &fault)) {
		ask(&relay, "192.0.2.1");
		ask(&relay, "40.92.1.1");
		ask(&relay, "2001:db8::1");
		ask_certificate(&relay);
		check_clouds(etc, &relay);
	} else if (fault.text[0] == '\0' || fault.file[0] == '\0') {
		abort();
	}
	relay_free(&relay);
	close(etc);
	return 0;
}
