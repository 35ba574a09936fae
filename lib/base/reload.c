#include "lib/base/reload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log.h"

/* The word in run/reload, or "-". */
static void read_nonce(char nonce[RELOAD_NONCE_MAX + 1])
{
	char bytes[RELOAD_NONCE_MAX + 2];
	int fd = open("run/reload", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n = fd >= 0 ? read(fd, bytes, sizeof bytes) : -1;
	size_t len = 0;

	if (fd >= 0)
		close(fd);
	while (n > 0 && len < (size_t)n && bytes[len] > ' ' && bytes[len] < 0x7f)
		len++;

	if (len == 0 || len > RELOAD_NONCE_MAX || (len < (size_t)n && bytes[len] != '\n')) {
		bytes[0] = '-';
		len = 1;
	}
	memcpy(nonce, bytes, len);
	nonce[len] = '\0';
}

void reload_answer(const char *program, bool taken, const char *text)
{
	char nonce[RELOAD_NONCE_MAX + 1];
	char path[128];
	char line[1024];
	size_t len;
	int fd;

	read_nonce(nonce);
	(void)snprintf(path, sizeof path, "run/taken/%s", program);
	(void)snprintf(line, sizeof line - 1, "%s %s%s%s", taken ? "taken" : "refused", nonce,
	    taken ? "" : " ", taken ? "" : text);
	len = strlen(line);
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)line[i] < ' ')
			line[i] = ' ';
	}
	line[len++] = '\n';

	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0) {
		if (errno != ENOENT)
			LOG("reload-unanswered", kv("file", path), kv_errno(errno));
		return;
	}
	if (write(fd, line, len) != (ssize_t)len)
		LOG("reload-unanswered", kv("file", path), kv_errno(errno));
	close(fd);
}
