/* An employer's process: it takes files as they are, without looking into them. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/convert/protocol.h"
#include "lib/convert/server.h"

#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

/* ---- slots ---- */

static bool lock(int slots, int command, short type, off_t byte)
{
	struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};

	return fcntl(slots, command, &l) == 0;
}

static void wake(int signal)
{
	(void)signal;
}

/*
 * One of as many bytes as there may be tools is locked while one runs; the kernel frees it if this
 * process dies. When all are taken one is waited for, as long as a conversion may take. -1: in vain.
 */
static off_t take_slot(int slots, const struct settings *settings)
{
	struct sigaction action = {.sa_handler = wake}; /* without SA_RESTART: it ends the wait */
	off_t n = (off_t)settings->converters, byte;

	for (byte = 0; byte < n; byte++) {
		if (lock(slots, F_SETLK, F_WRLCK, byte))
			return byte;
	}
	byte = getpid() % n;
	(void)sigaction(SIGALRM, &action, NULL);
	(void)alarm((unsigned)(settings->convert_time / 1000000) + 1);
	if (!lock(slots, F_SETLKW, F_WRLCK, byte))
		byte = -1;
	(void)alarm(0);
	return byte;
}

/* ---- a request ---- */

/* The stretch of the employer's file, as a file that nobody changes while the tool reads it. -1. */
static int copy(const struct source *file)
{
	char bytes[65536];
	uint64_t at = 0;
	int fd = memfd_create("input", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	while (fd >= 0 && at < file->size) {
		ssize_t n = source_read(file, at, bytes, sizeof bytes);

		if (n <= 0 || write(fd, bytes, (size_t)n) != n)
			goto fail;
		at += (uint64_t)n;
	}
	if (fd >= 0 && fcntl(fd, F_ADD_SEALS, SEALS) == 0 && lseek(fd, 0, SEEK_SET) == 0)
		return fd;
fail:
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

static bool is_file(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

static enum convert_status convert(int socket, const struct convert_request *request, int fd,
    const struct settings *settings, int slots, struct convert_answer *answer)
{
	const struct convert_tool *tool = convert_tool_named(request->tool);
	const struct source file = {fd, request->offset, request->size};
	off_t slot = 0;
	int in;

	if (tool == NULL)
		return CONVERT_STATUS_FAILED;
	if (request->size > (uint64_t)settings->convert_size)
		return CONVERT_STATUS_SIZE;
	if (slots >= 0)
		slot = take_slot(slots, settings);
	if (slot < 0)
		return CONVERT_STATUS_TIME;
	in = copy(&file);
	if (in >= 0) {
		answer->status = convert_run(settings, tool, in, socket, answer);
		(void)close(in);
	} else {
		LOG("conversion-unread", kv("tool", tool->word), kv_errno(errno));
	}
	if (slots >= 0)
		(void)lock(slots, F_SETLK, F_UNLCK, slot);
	return answer->status;
}

/* True: it was answered. */
static bool answer_one(
    int socket, struct convert_request *request, int fd, const struct settings *settings, int slots)
{
	struct convert_answer answer = {.status = CONVERT_STATUS_FAILED, .text = -1};
	struct convert_reply reply = {.status = 0};
	bool sent;

	answer.status = convert(socket, request, fd, settings, slots, &answer);
	reply.status = (uint32_t)answer.status;
	if (answer.text >= 0) {
		reply.truncated = answer.truncated;
		reply.flawed = answer.flawed;
		reply.bytes = answer.bytes;
	}
	sent = convert_put(socket, &reply, sizeof reply, answer.text);
	if (answer.text >= 0)
		(void)close(answer.text);
	return sent;
}

static int protocol_fault(const char *why)
{
	LOG_ALARM("convert-protocol", kv("why", why));
	return EXIT_BUG;
}

int convert_serve(int socket, const struct settings *settings, int slots)
{
	for (;;) {
		struct convert_request request;
		bool fine, sent;
		int fd;
		int got = convert_get(socket, &request, sizeof request, &fd);

		if (got == 0 || (got < 0 && errno == ECONNRESET))
			return EXIT_FINE;
		if (got < 0)
			return protocol_fault("not a request");
		fine = is_file(fd) && memchr(request.tool, '\0', sizeof request.tool) != NULL &&
		       request.offset <= INT64_MAX / 2 && request.size <= INT64_MAX / 2;
		sent = fine && answer_one(socket, &request, fd, settings, slots);
		if (fd >= 0)
			(void)close(fd);
		if (!fine)
			return protocol_fault("no file, or no tool, or no stretch of a file");
		if (!sent)
			return EXIT_FINE;
	}
}
