/* seki-smtpd(8): takes mail from clients by SMTP and hands it to seki-queue. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/smtp/smtp.h"

#define READY_FD 3 /* s6's notification-fd */

/* Descriptor 3 is the supervisor's or nobody's: nothing of ours may take its number. */
static void keep_ready_fd(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd < READY_FD);
	if (fd > READY_FD)
		close(fd);
}

/* Tells the supervisor that connections are taken from now on. */
static void tell_ready(void)
{
	if (write(READY_FD, "\n", 1) != 1)
		LOG("ready-untold", kv_errno(errno));
	close(READY_FD);
}

int main(int argc, char **argv)
{
	char fault[512];
	int listeners[SMTP_LISTEN_MAX];
	struct smtp_config *config;
	int n;

	(void)argv;
	if (argc != 1) {
		LOG("usage",
		    kv("text", "seki-smtpd, without arguments, in the instance's directory"));
		return EXIT_USAGE;
	}

	keep_ready_fd();
	config = smtp_config_read(fault, sizeof fault);
	if (config == NULL)
		die_config(fault);
	n = smtp_listen(config->settings.smtp_listen, listeners, fault, sizeof fault);
	if (n == -1)
		die_config(fault);
	if (n < 0)
		die_environ(fault);

	smtp_drop_privileges(&config->settings);
	smtp_serve(listeners, (size_t)n, config, tell_ready);
	return EXIT_FINE;
}
