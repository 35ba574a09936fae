#include "lib/shell/service.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/die.h"
#include "lib/shell/out.h"

#define DIRECTORY        "service"
#define PREFIX           "seki-"
#define TEXT_OF(number)  TEXT_OF_(number)
#define TEXT_OF_(number) #number

/* Room for "service/NAME". */
typedef char service_path[sizeof DIRECTORY + SERVICE_NAME_MAX];

static void path_of(const char *name, service_path path)
{
	(void)snprintf(path, sizeof(service_path), DIRECTORY "/%s", name);
}

/* Starts a program, its standard output going to `output` unless that is -1. 0 or an errno. */
static int start(const char *const argv[], int output, pid_t *child)
{
	posix_spawn_file_actions_t actions;
	char *words[8];
	size_t n = 0;
	int error;

	/* posix_spawn's arguments are not const, and it does not change them. */
	for (; argv[n] != NULL && n < COUNT_OF(words) - 1; n++)
		memcpy(&words[n], &argv[n], sizeof words[n]);
	words[n] = NULL;

	error = posix_spawn_file_actions_init(&actions);
	if (error != 0)
		return error;
	if (output >= 0)
		error = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	if (error == 0)
		error = posix_spawnp(child, words[0], &actions, NULL, words, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	return error;
}

/* The exit code of a child, or 111 if a signal ended it. */
static int outcome(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return EXIT_ENVIRON;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_ENVIRON;
}

int service_order(const char *name, enum service_order order)
{
	service_path path;
	const char *const orders[][6] = {
	    [SERVICE_ALARM] = {"s6-svc", "-a", path, NULL},
	    [SERVICE_HANGUP] = {"s6-svc", "-h", path, NULL},
	    [SERVICE_START] = {"s6-svc", "-uwU", "-T", TEXT_OF(SERVICE_START_MS), path, NULL},
	};
	pid_t child;
	int error;

	path_of(name, path);
	error = start(orders[order], -1, &child);
	if (error == 0)
		return outcome(child);
	complain("s6-svc cannot be started: %s", strerrordesc_np(error));
	return EXIT_ENVIRON;
}

/* ---- asking ------------------------------------------------------------------------------- */

/* Reads what a child says until it closes its end; NUL-ended. */
static void listen_to(int fd, char *text, size_t room)
{
	size_t got = 0;

	while (got < room - 1) {
		ssize_t n = read(fd, text + got, room - 1 - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	text[got] = '\0';
}

/* Runs s6-svstat on a service and keeps what it says. False after a complaint. */
static bool svstat(const char *name, char *text, size_t room)
{
	service_path path;
	const char *const argv[] = {"s6-svstat", "-o", "up,wantedup,exitcode", path, NULL};
	int ends[2], error;
	pid_t child;

	path_of(name, path);
	if (pipe2(ends, O_CLOEXEC) != 0) {
		complain("pipe: %s", strerrordesc_np(errno));
		return false;
	}
	error = start(argv, ends[1], &child);
	(void)close(ends[1]);
	if (error == 0)
		listen_to(ends[0], text, room);
	(void)close(ends[0]);
	if (error != 0)
		complain("s6-svstat cannot be started: %s", strerrordesc_np(error));
	return error == 0 && outcome(child) == 0;
}

bool service_ask(const char *name, struct service *service)
{
	char text[128], up[8], wanted[8];

	*service = (struct service){.exit_code = -1};
	(void)snprintf(service->name, sizeof service->name, "%s", name);
	if (!svstat(name, text, sizeof text))
		return false;
	if (sscanf(text, "%7s %7s %d", up, wanted, &service->exit_code) != 3) {
		complain_about(name, "s6-svstat says what is not understood");
		return false;
	}
	service->up = strcmp(up, "true") == 0;
	service->wanted = strcmp(wanted, "true") == 0;
	return true;
}

/* Our programs; a logger beside them, if it is a service of its own, reads no configuration. */
static int is_ours(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return strncmp(entry->d_name, PREFIX, sizeof PREFIX - 1) == 0 && len < SERVICE_NAME_MAX &&
	       (len < 4 || strcmp(entry->d_name + len - 4, "-log") != 0);
}

int services_list(struct service services[SERVICES_MAX])
{
	struct dirent **entries = NULL;
	int n = scandir(DIRECTORY, &entries, is_ours, alphasort);
	int kept = n;

	if (n < 0)
		complain(DIRECTORY "/ cannot be listed: %s", strerrordesc_np(errno));
	if (n == 0 || n > SERVICES_MAX) {
		complain(DIRECTORY "/ has %s seki-*", n == 0 ? "no" : "too many");
		kept = -1;
	}
	for (int i = 0; i < n; i++) {
		if (kept >= 0 && !service_ask(entries[i]->d_name, &services[i]))
			kept = -1;
		free(entries[i]);
	}
	free(entries);
	return kept;
}
