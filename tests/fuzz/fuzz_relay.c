/* etc/relay: any bytes are a table or a fault, and the table can be asked. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/smtp/relay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A directory of this process's own; its file "relay" is written anew each time. */
static int directory(void)
{
	char path[64];

	(void)snprintf(path, sizeof path, "/dev/shm/fuzz_relay.%d", (int)getpid());
	(void)mkdir(path, 0700);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void ask(const struct relay *relay, const char *address)
{
	const struct relay_source *source;
	struct ip ip;

	if (!ip_parse(address, &ip))
		abort();
	source = relay_find(relay, &ip);
	if (source != NULL)
		(void)relay_may_use(relay, source, "example.co.jp", 13);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int etc = directory();
	int fd = openat(etc, "relay", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct conf_fault fault = {0};
	struct relay relay;

	if (etc < 0 || fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);

	relay_init(&relay);
	if (relay_read(etc, &relay, &fault)) {
		ask(&relay, "192.0.2.1");
		ask(&relay, "2001:db8::1");
	} else if (fault.text[0] == '\0') {
		abort();
	}
	relay_free(&relay);
	close(etc);
	return 0;
}
