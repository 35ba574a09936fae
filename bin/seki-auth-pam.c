/* seki-auth-pam(8): checks a password by PAM. */
#include <stdlib.h>
#include <string.h>

#include <security/pam_appl.h>

#include "lib/auth/back.h"

#define USAGE "seki-auth-pam SERVICE [PROGRAM...]"

/* Gives the password to whoever asks for something that is not shown; it says nothing else. */
static int converse(
    int n, const struct pam_message **message, struct pam_response **response, void *context)
{
	const struct back *b = context;
	struct pam_response *r;

	if (n <= 0 || n > PAM_MAX_NUM_MSG)
		return PAM_CONV_ERR;
	r = calloc((size_t)n, sizeof *r);
	if (r == NULL)
		return PAM_BUF_ERR;
	for (int i = 0; i < n; i++) {
		if (message[i]->msg_style != PAM_PROMPT_ECHO_OFF)
			continue;
		r[i].resp = strdup(b->password); /* PAM frees it */
		if (r[i].resp == NULL) {
			while (i-- > 0)
				free(r[i].resp);
			free(r);
			return PAM_BUF_ERR;
		}
	}
	*response = r;
	return PAM_SUCCESS;
}

/* seki-auth withholds wrong answers itself; a module that slept would keep a place from others. */
static void no_delay(int status, unsigned microseconds, void *context)
{
	(void)status;
	(void)microseconds;
	(void)context;
}

/* What PAM says about the login or its password, and not about itself. */
static enum check_code code_of(const struct back *b, int status, const char *text)
{
	switch (status) {
	case PAM_SUCCESS:
		return CHECK_RIGHT;
	case PAM_AUTH_ERR:
	case PAM_USER_UNKNOWN:
	case PAM_MAXTRIES:
	case PAM_PERM_DENIED:
	case PAM_ACCT_EXPIRED:
	case PAM_NEW_AUTHTOK_REQD:
	case PAM_AUTHTOK_EXPIRED:
	case PAM_CRED_EXPIRED:
		return CHECK_WRONG;
	default:
		return back_later(b, "PAM failed", text);
	}
}

static enum check_code check(struct back *b, const char *service)
{
	void (*const quiet)(int, unsigned, void *) = no_delay;
	const struct pam_conv conversation = {.conv = converse, .appdata_ptr = b};
	const char *source = getenv("TCPREMOTEIP");
	pam_handle_t *pam = NULL;
	enum check_code code;
	int status = pam_start(service, b->login, &conversation, &pam);

	if (status != PAM_SUCCESS)
		return back_later(b, "PAM did not start", service);
	if (source != NULL)
		status = pam_set_item(pam, PAM_RHOST, source);
	if (status == PAM_SUCCESS)
		status = pam_set_item(pam, PAM_FAIL_DELAY, (const void *)quiet);
	if (status == PAM_SUCCESS)
		status = pam_authenticate(pam, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
	if (status == PAM_SUCCESS)
		status = pam_acct_mgmt(pam, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
	code = code_of(b, status, pam_strerror(pam, status));
	(void)pam_end(pam, status);
	return code;
}

int main(int argc, char **argv)
{
	struct back b;

	/* A service is the name of a file in /etc/pam.d; PAM itself would take a path. */
	if (argc < 2 || argv[1][0] == '\0' || argv[1][0] == '.' || strchr(argv[1], '/') != NULL)
		back_usage(USAGE);
	back_begin(&b, "seki-auth-pam", BACK_PRIVILEGES);
	back_end(&b, check(&b, argv[1]), argv + 2);
}
