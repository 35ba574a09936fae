#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "lib/auth/server.h"
#include "lib/base/die.h"
#include "lib/base/local.h"

#define DESCRIPTORS_BEYOND 64

int auth_listen(const char *path)
{
	/* The supervisor runs one of us at a time. */
	return local_listen(path, SOMAXCONN);
}

void auth_harden(const struct settings *settings)
{
	const struct rlimit no_core = {0, 0};
	struct rlimit files;
	rlim_t want =
	    (rlim_t)settings->auth_clients + (rlim_t)settings->auth_checks + DESCRIPTORS_BEYOND;

	/*
	 * Not PR_SET_NO_NEW_PRIVS, which the back ends would inherit: PAM modules and foreign
	 * programs may need a set-id program to reach their passwords. Those of ours that need no
	 * such thing forbid it to themselves.
	 */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		die_environ("forbidding dumps");
	if (setrlimit(RLIMIT_CORE, &no_core) != 0)
		die_environ("bounding core files");

	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		die_environ("asking for the bound of descriptors");
	if (files.rlim_cur < want && files.rlim_cur != RLIM_INFINITY) {
		files.rlim_cur = files.rlim_max < want ? files.rlim_max : want;
		if (setrlimit(RLIMIT_NOFILE, &files) != 0)
			die_environ("bounding descriptors");
	}
}
