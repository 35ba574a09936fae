#include "lib/shell/who.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void who(char name[WHO_ROOM])
{
	const char *sudo = getuid() == 0 ? getenv("SUDO_USER") : NULL;
	const struct passwd *user = getpwuid(getuid());

	if (sudo != NULL && sudo[0] != '\0' && strcmp(sudo, "root") != 0)
		(void)snprintf(name, WHO_ROOM, "root(%s)", sudo);
	else if (user != NULL)
		(void)snprintf(name, WHO_ROOM, "%s", user->pw_name);
	else
		(void)snprintf(name, WHO_ROOM, "uid%u", (unsigned)getuid());
}
