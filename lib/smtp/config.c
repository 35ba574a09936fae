#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/smtp/address.h"
#include "lib/smtp/smtp.h"

/* The name for the banner and for HELO's answer: as set, or the machine's own. */
static bool find_host(struct smtp_config *config, struct conf_fault *fault)
{
	const char *set = config->settings.hostname;
	bool own = strcmp(set, "-") == 0;

	config->host[0] = '\0';
	if (!own && strlen(set) < sizeof config->host)
		memcpy(config->host, set, strlen(set) + 1);
	if (own && gethostname(config->host, sizeof config->host) != 0)
		config->host[0] = '\0';
	config->host[sizeof config->host - 1] = '\0';

	if (address_check_domain(config->host, strlen(config->host), false) == ADDRESS_OK)
		return true;
	(void)snprintf(fault->file, sizeof fault->file, "etc/settings");
	return conf_blame(fault, 0, 0,
	    own ? "the machine's name is no domain name: set hostname"
		: "hostname is no domain name");
}

static bool read_proxies(struct smtp_config *config, struct conf_fault *fault)
{
	char text[sizeof fault->text];

	config->proxies = proxy_networks_read(config->settings.proxy_from, text, sizeof text);
	if (config->proxies != NULL)
		return true;
	(void)snprintf(fault->file, sizeof fault->file, "etc/settings");
	return conf_blame(fault, 0, 0, "proxy-from: %.200s", text);
}

static bool read_all(struct smtp_config *config, int etc, struct conf_fault *fault)
{
	if (!settings_read(etc, &config->settings, fault) ||
	    !relay_read(etc, &config->relay, fault) || !find_host(config, fault) ||
	    !read_proxies(config, fault))
		return false;
	config->people = people_read(etc, fault);
	return config->people != NULL &&
	       tls_config_read(etc, &config->settings, &config->relay, &config->tls, fault);
}

struct smtp_config *smtp_config_read(char *text, size_t room)
{
	struct conf_fault fault = {0};
	struct smtp_config *config = calloc(1, sizeof *config);
	int etc = open("etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (config == NULL || etc < 0) {
		(void)snprintf(text, room, "etc: %s", strerrordesc_np(errno));
		goto fail;
	}
	relay_init(&config->relay);
	if (!read_all(config, etc, &fault)) {
		conf_fault_show(&fault, text, room);
		goto fail;
	}
	smtp_config_loop_key(config);
	close(etc);
	return config;
fail:
	if (etc >= 0)
		close(etc);
	smtp_config_free(config);
	return NULL;
}

void smtp_config_free(struct smtp_config *config)
{
	if (config == NULL)
		return;
	relay_free(&config->relay);
	people_free(config->people);
	proxy_networks_free(config->proxies);
	tls_config_free(config->tls);
	explicit_bzero(&config->loop, sizeof config->loop);
	free(config);
}

void smtp_config_loop_key(struct smtp_config *config)
{
	config->has_loop = loop_key_read(LOOP_FOLDER, &config->loop);
	if (config->has_loop || errno == ENOENT || config->loop_blamed)
		return;
	LOG_ALARM(
	    "loop-key-failed", kv("what", "mail that comes back is not known"), kv_errno(errno));
	config->loop_blamed = true;
}

/* ---- certificates ---- */

static void complain(void *context, const char *file, int64_t seconds, bool not_yet)
{
	(void)context;
	if (not_yet)
		LOG_ALARM("certificate-early", kv("file", file));
	else if (seconds < 0)
		LOG_ALARM(
		    "certificate-expired", kv("file", file), kv_num("days", -seconds / 86400));
	else
		LOG_ALARM("certificate-expires", kv("file", file), kv_num("days", seconds / 86400));
}

void smtp_config_certificates(const struct smtp_config *config)
{
	bool wanted = strcmp(config->settings.submission_listen, "-") != 0 ||
		      strcmp(config->settings.submissions_listen, "-") != 0 ||
		      relay_needs_tls(&config->relay);

	if (config->tls != NULL)
		tls_look(config->tls, complain, NULL);
	else if (wanted)
		LOG_ALARM(
		    "no-certificate", kv("what", "etc/tls/default.crt is missing: no TLS, so no "
						 "logins, and no relay source that needs it"));
}
