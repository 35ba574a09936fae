#include <errno.h>

#include "lib/base/log.h"
#include "lib/login/inside.h"

static bool say(struct login *l, struct buf *line, bool durable)
{
	char why[AUDIT_REASON_MAX];
	bool well = audit_well(l->audit), said;

	if (!well) {
		audit_reason(l->audit, why, sizeof why);
		LOG_ALARM("login-unaudited", kv("why", why));
		buf_free(line);
		return false;
	}
	said = audit_say_line(l->audit, durable, line);
	if (!said)
		LOG_ALARM("login-unaudited", kv("why", "its tray"), kv_errno(errno));
	buf_free(line);
	return said;
}

static void begin(struct buf *line, const char *what, const char *by)
{
	buf_init(line, AUDIT_LINE_MAX);
	audit_begin(line, what);
	audit_put(line, "by", by);
}

bool told_login(struct login *l, const char *address, const char *source, bool by_link)
{
	struct buf line;

	begin(&line, "login", address);
	audit_put(&line, "via", by_link ? "link" : "password");
	audit_put(&line, "source", source);
	return say(l, &line, true);
}

/* Nobody has decided anything yet: it need not be on the disk before the mail goes out. */
bool told_link(struct login *l, const char *address, const char *source)
{
	struct buf line;

	buf_init(&line, AUDIT_LINE_MAX);
	audit_begin(&line, "login-link");
	audit_put(&line, "to", address);
	audit_put(&line, "source", source);
	return say(l, &line, false);
}

bool told_pin(struct login *l, const char *address, bool set)
{
	struct buf line;

	begin(&line, "pin", address);
	audit_put(&line, "is", set ? "set" : "removed");
	return say(l, &line, true);
}

void told_logout(struct login *l, const char *address, size_t sessions, bool everywhere)
{
	struct buf line;

	begin(&line, everywhere ? "logout-everywhere" : "logout", address);
	if (everywhere)
		audit_put_number(&line, "sessions", (int64_t)sessions);
	(void)!say(l, &line, true);
}

void told_ended(struct login *l, const char *address, const char *by, size_t sessions)
{
	struct buf line;

	begin(&line, "logout-everywhere", by);
	audit_put(&line, "whose", address);
	audit_put_number(&line, "sessions", (int64_t)sessions);
	(void)!say(l, &line, true);
}
