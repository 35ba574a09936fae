#include "lib/base/die.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log.h"

void die_environ(const char *what)
{
	LOG_ALARM("died", kv("cause", "environment"), kv("what", what), kv_errno(errno));
	_exit(EXIT_ENVIRON);
}

void die_config(const char *why)
{
	LOG_ALARM("died", kv("cause", "configuration"), kv("what", why));
	_exit(EXIT_CONFIG);
}

void die_bug(const char *where)
{
	LOG_ALARM("died", kv("cause", "bug"), kv("where", where));
	_exit(EXIT_BUG);
}
