#include "lib/base/clock.h"
#include "lib/routes/routes.h"

static void show_span(struct buf *out, const char *name, int64_t span)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = {{'w', 604800}, {'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
	int64_t seconds = span / CLOCK_SECOND;
	size_t i = 0;

	if (span <= 0)
		return;
	while (i + 1 < COUNT_OF(units) && seconds % units[i].seconds != 0)
		i++;
	buf_addf(out, " %s=%lld%c", name, (long long)(seconds / units[i].seconds), units[i].letter);
}

static void show_hosts(const struct route *route, struct buf *out)
{
	for (size_t i = 0; i < route->hosts; i++) {
		const struct route_host *host = &route->host[i];

		buf_addf(out, "%shost:%s%s%s:%u", i > 0 ? "," : "", host->address ? "[" : "",
		    host->name, host->address ? "]" : "", (unsigned)host->port);
	}
}

void route_show(const struct route *route, struct buf *out)
{
	static const char *const tls[] = {
	    [ROUTE_TLS_UNSAID] = "", [ROUTE_TLS_NONE] = " tls=none", [ROUTE_TLS_MAY] = " tls=may"};
	static const char *const ip[] = {[ROUTE_IP_UNSAID] = "",
	    [ROUTE_IP_ANY] = " ipv=any",
	    [ROUTE_IP_4] = " ipv=4",
	    [ROUTE_IP_6] = " ipv=6"};

	buf_addf(out, "%s ", route->domain);
	switch (route->kind) {
	case ROUTE_MX:
		buf_add_text(out, "mx");
		break;
	case ROUTE_HOSTS:
		show_hosts(route, out);
		break;
	case ROUTE_MAILDIR:
		buf_addf(out, "maildir:%s", route->word);
		break;
	case ROUTE_REFUSE:
		buf_addf(out, "refuse%s%s", route->word[0] != '\0' ? ":" : "", route->word);
		break;
	}

	buf_add_text(out, tls[route->tls]);
	if (route->login != NULL)
		buf_addf(out, " login=%s", route->login);
	if (route->sessions > 0)
		buf_addf(out, " sessions=%u", route->sessions);
	buf_add_text(out, ip[route->ip]);
	show_span(out, "expire", route->expire);
	show_span(out, "retry", route->retry);
	show_span(out, "warn", route->warn);
}
