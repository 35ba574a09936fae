/* flush: deferred mail is tried now, all of it or that for a domain. */
#include "lib/shell/shell.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/die.h"
#include "lib/resolve/ask.h"
#include "lib/shell/out.h"
#include "lib/shell/service.h"
#include "lib/shell/tell.h"

#define DELIVER "seki-deliver"

static int flush_all(void)
{
	struct service deliver;

	if (!service_ask(DELIVER, &deliver))
		return EXIT_ENVIRON;
	if (!deliver.up) {
		complain(DELIVER " is not running");
		return EXIT_ENVIRON;
	}
	return service_order(DELIVER, SERVICE_ALARM) == 0 ? EXIT_FINE : EXIT_ENVIRON;
}

/* As the order has it: A-labels, or an address literal, letters small. False: it is neither. */
static bool domain_of(const char *word, char domain[ORDER_DOMAIN_MAX + 1])
{
	char name[RESOLVE_NAME_MAX + 1];
	size_t len = strlen(word);

	if (resolve_name(word, name)) {
		(void)snprintf(domain, ORDER_DOMAIN_MAX + 1, "%s", name);
		return true;
	}
	if (len < 3 || len > ORDER_DOMAIN_MAX || word[0] != '[' || word[len - 1] != ']')
		return false;
	for (size_t i = 0; i <= len; i++)
		domain[i] =
		    (char)(word[i] >= 'A' && word[i] <= 'Z' ? word[i] - 'A' + 'a' : word[i]);
	return strspn(domain, "abcdefghijklmnopqrstuvwxyz0123456789.:[]-") == len;
}

static int answered(
    struct out *out, const struct order *order, enum told told, const struct order_answer *a)
{
	if (told == TOLD_NOBODY)
		return EXIT_ENVIRON;
	if (told == TOLD_UNANSWERED) {
		complain("%s: " DELIVER " gave no answer", order->domain);
		return EXIT_ENVIRON;
	}
	if (a->result != ORDER_DONE) {
		complain("%s: " DELIVER " says no: %s", order->domain,
		    a->result == ORDER_NO ? a->why : "what that was, this version does not know");
		return EXIT_NO;
	}
	out_text(out, "domain", order->domain);
	if (a->counted)
		out_number(out, "legs", a->legs);
	else
		out_none(out, "legs");
	out_end(out);
	return EXIT_FINE;
}

int shell_flush(const struct shell *sh, int argc, char **argv)
{
	struct order order = order_by_us(ORDER_FLUSH);
	int code = EXIT_FINE;
	struct out out;

	if (argc == 0)
		return flush_all();
	for (int i = 0; i < argc; i++) {
		if (!domain_of(argv[i] + (argv[i][0] == '@'), order.domain)) {
			complain_about(argv[i], "is no domain such as partner.example");
			return EXIT_USAGE;
		}
	}

	out_open(&out, sh, "DOMAIN\tLEGS");
	for (int i = 0; i < argc; i++) {
		struct order_answer answer;
		enum told told;

		(void)!domain_of(argv[i] + (argv[i][0] == '@'), order.domain);
		told = tell_stage(DELIVER, &order, &answer);
		code = worse(code, answered(&out, &order, told, &answer));
	}
	return out_close(&out, code);
}
