/* The service: a process for each employer (lib/base/forks.h), and a look at the tools before that. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/forks.h"
#include "lib/base/log.h"
#include "lib/convert/server.h"

#define SPARE 20 /* those that end while their successors begin */

/* ---- the check ---- */

/*
 * Two letters in a font that is not embedded, by the code of Windows: what they are stands in the
 * tables of poppler-data and nowhere else.
 */
static const char sample[] =
    "%PDF-1.4\n"
    "1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n"
    "2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n"
    "3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R"
    "/Resources<</Font<</F 5 0 R>>>>>>\nendobj\n"
    "4 0 obj\n<</Length 38>>\nstream\nBT /F 12 Tf 20 100 Td <8AD68F8A> Tj ET\nendstream\nendobj\n"
    "5 0 obj\n<</Type/Font/Subtype/Type0/BaseFont/HeiseiMin-W3/Encoding/90ms-RKSJ-H"
    "/DescendantFonts[6 0 R]>>\nendobj\n"
    "6 0 obj\n<</Type/Font/Subtype/CIDFontType0/BaseFont/HeiseiMin-W3/FontDescriptor 7 0 R"
    "/CIDSystemInfo<</Registry(Adobe)/Ordering(Japan1)/Supplement 2>>>>\nendobj\n"
    "7 0 obj\n<</Type/FontDescriptor/FontName/HeiseiMin-W3/Flags 6/FontBBox[0 0 1000 1000]"
    "/ItalicAngle 0/Ascent 800/Descent -200/CapHeight 700/StemV 80>>\nendobj\n"
    "trailer\n<</Size 8/Root 1 0 R>>\n%%EOF\n";
static const char expected[] = "関所";

/* The process that converts for the check. */
NORETURN static void be_server(int socket, const struct settings *settings)
{
	convert_confine();
	_exit(convert_serve(socket, settings, -1));
}

static bool ask(int socket, const struct settings *settings, struct convert_answer *answer)
{
	struct source file = {memfd_create("check", MFD_CLOEXEC), 0, sizeof sample - 1};
	bool done =
	    file.fd >= 0 &&
	    write(file.fd, sample, sizeof sample - 1) == (ssize_t)sizeof sample - 1 &&
	    convert_file(socket, "pdf", &file, settings->convert_time + 5 * CLOCK_SECOND, answer);

	if (file.fd >= 0)
		(void)close(file.fd);
	return done;
}

static bool is_right(const struct convert_answer *answer)
{
	char text[64];
	ssize_t n;

	if (answer->status != CONVERT_STATUS_DONE)
		return false;
	n = pread(answer->text, text, sizeof text, 0);
	(void)close(answer->text);
	return n > 0 && memmem(text, (size_t)n, expected, strlen(expected)) != NULL;
}

void convert_check(const struct settings *settings)
{
	struct convert_answer answer = {.status = CONVERT_STATUS_FAILED, .text = -1};
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		die_environ("making a pair of sockets");
	pid = fork();
	if (pid < 0)
		die_environ("making a process");
	if (pid == 0) {
		(void)close(pair[0]); /* so that it sees its employer go */
		be_server(pair[1], settings);
	}
	(void)close(pair[1]);
	if (!ask(pair[0], settings, &answer) || !is_right(&answer))
		LOG_ALARM("converter-unfit", kv("tool", "pdf"),
		    kv("status", convert_status_word(answer.status)));
	(void)close(pair[0]);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* ---- the service ---- */

/* Employers keep their connections; how many tools run at once is decided by the slots. */
static size_t most(const struct settings *settings)
{
	return (size_t)settings->inspectors + (size_t)settings->converters + SPARE;
}

NORETURN static void be_session(void *context, int socket)
{
	const struct settings *settings = context;
	int slots = open(CONVERT_SLOTS, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (slots < 0)
		die_environ("opening " CONVERT_SLOTS);
	convert_confine();
	_exit(convert_serve(socket, settings, slots));
}

static bool reload(struct forks *forks, char *fault, size_t room)
{
	struct settings fresh;

	if (!forks_settings(&fresh, fault, room))
		return false;
	*(struct settings *)forks->context = fresh;
	forks->most = most(&fresh);
	return true;
}

void convert_service(int listener, int signals, struct settings *settings, void (*ready)(void))
{
	struct forks forks = {.program = "seki-convert",
	    .listener = listener,
	    .signals = signals,
	    .context = settings,
	    .most = most(settings),
	    .serve = be_session,
	    .reload = reload,
	    .ready = ready};

	forks_run(&forks);
}
