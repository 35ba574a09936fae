#include "lib/base/ready.h"

#include <fcntl.h>
#include <unistd.h>

#include "lib/base/log.h"

#define READY_FD 3

void ready_keep_fd(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd < READY_FD);
	if (fd > READY_FD)
		(void)close(fd);
}

void ready_tell(void)
{
	if (write(READY_FD, "\n", 1) != 1)
		LOG("ready-untold", kv("why", "nobody waits for it"));
	(void)close(READY_FD);
}
