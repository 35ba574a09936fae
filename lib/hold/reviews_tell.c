/* Mail that went out urgently, without its approval: it is in the digest of those who would have been
 * asked until one of them has reviewed it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/xtext.h"
#include "lib/hold/remind.h"
#include "lib/hold/reviews.h"

/* `len` bytes of xtext; false: none, or too long. */
static bool decode(const char *xtext, size_t len, char *text, size_t room)
{
	char whole[3 * ORG_ADDRESS_MAX];
	size_t n = 0;

	if (len > sizeof whole || !xtext_decode(xtext, len, whole, &n) || n >= room ||
	    memchr(whole, '\0', n) != NULL)
		return false;
	memcpy(text, whole, n);
	text[n] = '\0';
	return n > 0;
}

static void add_one(struct reminders *reminders, const struct review *review, const struct leg *leg,
    const char *address)
{
	char from[ORG_ADDRESS_MAX] = "", by[ORG_ADDRESS_MAX] = "", reason[256] = "",
	     subject[ORG_ADDRESS_MAX + 300];
	char url[NOTICE_URL_MAX];
	struct remind_row row = {.time = review->time,
	    .kind = REMIND_REVIEW,
	    .subject = subject,
	    .from = from,
	    .url = url};

	(void)decode(review->from, strlen(review->from), from, sizeof from);
	(void)decode(review->by, strlen(review->by), by, sizeof by);
	(void)decode(review->reason, strlen(review->reason), reason, sizeof reason);
	(void)snprintf(subject, sizeof subject, "%s: %s", by, reason);
	notice_url(reminders->view, leg, address, GATE_READ | GATE_APPROVER, reminders->now, url);
	reminders_add(reminders, address,
	    reminders->now - review->time >= reminders->view->settings.remind_every, &row);
}

static void add_asked(struct reminders *reminders, const struct review *review)
{
	const char *at = review->asked;
	struct leg leg = {.restores = 0};

	if (!name_parse(review->id, &leg.name))
		return;
	while (at != NULL && *at != '\0') {
		size_t len = strcspn(at, ",");
		char address[ORG_ADDRESS_MAX];

		if (decode(at, len, address, sizeof address))
			add_one(reminders, review, &leg, address);
		at += len + (at[len] == ',');
	}
}

void reminders_add_reviews(struct reminders *reminders)
{
	struct reviews reviews;

	if (!reviews_read(&reviews)) {
		LOG_ALARM("reviews-unread", kv("file", REVIEWS_FILE), kv_errno(errno));
		return;
	}
	for (size_t i = 0; i < reviews.n; i++) {
		if (reviews.review[i].reviewed == 0)
			add_asked(reminders, &reviews.review[i]);
	}
	reviews_free(&reviews);
}
