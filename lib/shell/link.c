/* link: the address of a message's page, for its sender or somebody who is asked about it. */
#include "lib/shell/shell.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/gate/gate.h"
#include "lib/hold/actors.h"
#include "lib/org/compile.h"
#include "lib/org/org.h"
#include "lib/shell/legs.h"

#define MINUTE (60 * CLOCK_SECOND)

struct linking {
	const struct instance *in;
	struct out out;
	struct gate_key key;
	struct org *org;     /* NULL: none is compiled */
	const char *address; /* NULL: the sender's */
	int code;
};

static struct org *open_org(void)
{
	int dir = open(COMPILED_CURRENT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct org *org = dir >= 0 ? org_open(dir) : NULL;

	if (dir >= 0)
		(void)close(dir);
	return org;
}

static bool take_first(void *context, const char *address)
{
	(void)snprintf(context, ORG_ADDRESS_MAX, "%s", address);
	return false;
}

/* Whose link it becomes, and what it is for; seki-hold looks again who he is when it is used. */
static bool whose(
    const struct linking *l, const struct leg *leg, char address[ORG_ADDRESS_MAX], unsigned *rights)
{
	*rights = GATE_READ | GATE_SENDER;
	address[0] = '\0';
	if (l->address == NULL) {
		if (l->org != NULL)
			actor_each_sender(l->org, leg, take_first, address);
		return address[0] != '\0' || org_normal(leg->from, address);
	}
	if (!org_normal(l->address, address))
		return false;
	if (l->org == NULL || !actor_is_sender(l->org, leg, address))
		*rights = GATE_READ | GATE_APPROVER;
	return true;
}

static int print_link(struct linking *l, const char *name, const struct leg *leg)
{
	const struct settings *settings = &l->in->settings;
	const char *base = settings->web_url;
	char address[ORG_ADDRESS_MAX], token[GATE_CAP_TEXT];
	char url[SETTING_TEXT_MAX + sizeof "/gate/m/?" + GATE_CAP_TEXT];
	struct gate_capability cap = {.generation = (unsigned char)leg->restores};
	size_t len = strlen(base);

	if (!whose(l, leg, address, &cap.rights)) {
		complain_about(name, "a link needs an address, and there is none");
		return EXIT_NO;
	}
	cap.until = (clock_wall() + settings->link_time) / MINUTE * MINUTE + MINUTE;
	memcpy(cap.id, leg->name.id, sizeof cap.id);
	if (!gate_who(&l->key, address, cap.who) || !gate_capability_write(&l->key, &cap, token)) {
		complain_about(name, "no link can be made");
		return EXIT_ENVIRON;
	}
	while (len > 0 && base[len - 1] == '/')
		len--;
	/* Without pages it is the token alone, which "seki gate" takes. */
	if (strcmp(base, "-") == 0)
		(void)snprintf(url, sizeof url, "%s", token);
	else
		(void)snprintf(url, sizeof url, "%.*s/gate/m/?%s", (int)len, base, token);
	out_text(&l->out, "link", url);
	if (l->out.json)
		out_text(&l->out, "for", address);
	out_end(&l->out);
	return EXIT_FINE;
}

static enum visit link_leg(
    void *context, const struct names *names, const struct entry *e, size_t nth)
{
	struct linking *l = context;
	struct found f;
	enum finding finding;

	if (nth > 0) /* the message's other legs have the same link */
		return VISIT_DONE;
	finding = found_open(l->in, names, e, &f);
	if (finding == FOUND_GONE)
		return VISIT_GONE;
	if (finding != FOUND) {
		l->code = worse(l->code, finding == FOUND_FAILED ? EXIT_ENVIRON : EXIT_NO);
		return VISIT_DONE;
	}
	if (f.read) {
		l->code = worse(l->code, print_link(l, entry_leg(names, e), &f.leg));
	} else {
		complain_about(entry_name(names, e), "damaged: %s", f.why);
		l->code = worse(l->code, EXIT_NO);
	}
	found_close(&f);
	return VISIT_DONE;
}

int shell_link(const struct shell *sh, int argc, char **argv)
{
	struct instance in;
	struct linking l = {.in = &in, .address = argc > 1 ? argv[1] : NULL};
	int code;

	if (argc < 1 || argc > 2)
		return complain_usage("one id is expected, and perhaps an address");
	if (!gate_key_read(false, &l.key)) {
		complain_about(
		    GATE_KEY_FILE, "%s; seki-hold makes it when it starts", strerrordesc_np(errno));
		return EXIT_ENVIRON;
	}
	code = instance_open(&in);
	if (code == EXIT_FINE) {
		l.org = open_org();
		out_open(&l.out, sh, NULL);
		code = legs_named(&in, 1, argv, link_leg, &l);
		code = out_close(&l.out, worse(code, l.code));
		org_close(l.org);
		instance_close(&in);
	}
	gate_key_forget(&l.key);
	return code;
}
