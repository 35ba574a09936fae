/* Words of seki-hold, of rules and of laws, as people say them. */
#include <stdlib.h>
#include <string.h>

#include "lib/web/pages_mail.h"
#include "lib/web/say.h"

struct word {
	const char *word, *text;
};

static const char *find(const struct word *words, size_t n, const char *word, const char *fallback)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(words[i].word, word) == 0)
			return say(words[i].text);
	}
	return fallback;
}

static const struct word states[] = {
    {"held", N_("On hold")},
    {"approval", N_("Waiting for approval")},
    {"stagger", N_("Being sent in portions")},
    {"staggered", N_("Being sent in portions")},
    {"sent", N_("Sent")},
    {"refused", N_("Refused")},
    {"discarded", N_("Discarded")},
    {"bad", N_("Stopped")},
};

const char *mail_state(const char *state)
{
	return find(states, COUNT_OF(states), state, say("On its way"));
}

const char *mail_state_tone(const char *state)
{
	static const struct word tones[] = {{"held", "warn"}, {"approval", "warn"},
	    {"sent", "good"}, {"refused", "bad"}, {"bad", "bad"}, {"discarded", "plain"}};

	for (size_t i = 0; i < COUNT_OF(tones); i++) {
		if (strcmp(tones[i].word, state) == 0)
			return tones[i].text;
	}
	return "accent";
}

static const struct word fates[] = {
    {"removed", N_("Removed")},
    {"delivered", N_("Delivered")},
    {"partly", N_("Delivered to some")},
    {"failed", N_("Could not be delivered")},
    {"returned", N_("Could not be delivered; you were told by mail")},
};

const char *mail_fate(const char *fate)
{
	return find(fates, COUNT_OF(fates), fate, "");
}

static const struct word classes[] = {
    {"external", N_("Outside")},
    {"affiliated", N_("Affiliated")},
    {"internal", N_("Inside")},
};

const char *mail_class(const char *class)
{
	return find(classes, COUNT_OF(classes), class, class);
}

static const struct word functions[] = {
    {"bounce", N_("Returned to its sender")},
    {"refuse", N_("Not sent")},
    {"approve", N_("Needs an approval")},
    {"hold", N_("Put on hold")},
    {"files", N_("Attachments")},
    {"password", N_("Password")},
    {"bcc", N_("Recipients are hidden (Bcc)")},
    {"stagger", N_("Sent in portions")},
    {"tls", N_("Encrypted on its way (TLS)")},
    {"notice", N_("Notice")},
    {"sign", N_("Signed")},
    {"route", N_("Way of delivery")},
    {"add-bcc", N_("A copy goes to somebody else (Bcc)")},
    {"insert", N_("Text is put in")},
    {"forward", N_("Forwarded")},
    {"copy", N_("Copy")},
    {"archive", N_("Archived")},
};

const char *mail_function(const char *function)
{
	return find(functions, COUNT_OF(functions), function, function);
}

static const struct word reasons[] = {
    {"not-sender", N_("Only the sender of this mail can do that.")},
    {"not-concerned", N_("Only the sender, and who is asked to approve it, can do that.")},
    {"not-asked", N_("You are not asked to approve this mail.")},
    {"voted", N_("You have decided about this mail already.")},
    {"author", N_("You cannot approve mail that you may have sent yourself.")},
    {"author-unknown",
	N_("It cannot be told who handed this mail in. Only an administrator can approve it.")},
    {"operator", N_("An administrator has to look at it first.")},
    {"stopped", N_("It has been stopped. An administrator has to look at it.")},
    {"window", N_("Mail may not leave at this time of day.")},
    {"unchecked", N_("Please confirm each point of the check.")},
    {"no-check", N_("There is nothing to be checked.")},
    {"emptied", N_("Its content has been removed, so it cannot be brought back.")},
    {"no-recipient", N_("This recipient is not there any more.")},
    {"no-end", N_("It waits for no time that could be put off.")},
    {"extensions", N_("It has been put off too often.")},
    {"longest", N_("It cannot be held any longer.")},
    {"too-early", N_("It is held at least as long already.")},
    {"too-late", N_("It cannot be held that long.")},
    {"no-approval", N_("It waits for no approval any more.")},
    {"needs-approval", N_("It has to be approved first.")},
    {"decided", N_("That has just been decided.")},
    {"approved", N_("It has been approved already.")},
    {"rejected", N_("It has been rejected already.")},
    {"returned", N_("It has been returned to its sender already.")},
    {"discarded", N_("It has been discarded already.")},
    {"not-discarded", N_("It has not been discarded.")},
    {"urgent-off", N_("Nobody may send without an approval here.")},
    {"urgent-nobody", N_("Nobody is there who could review it afterwards.")},
    {"urgent-often", N_("You have sent too many mails without an approval this week.")},
    {"no-reason", N_("Please write a reason.")},
    {"nowhere", N_("Nothing can be done about this mail at this place.")},
    {"elsewhere", N_("It is being dealt with elsewhere just now. Please try again in a moment.")},
    {"plan",
	N_("It is not known how this mail goes on. Please ask an administrator to look at it.")},
    {"name", N_("Your address is too long for that. Please ask an administrator.")},
    {"impossible", N_("That is not possible just now.")},
    {"full", N_("Too much has been done to this mail: it can only be discarded or rejected.")},
    {"no-organisation", N_("It is not known just now who may do what. Please try again later.")},
    {"busy", N_("Somebody is just being told about it. Please try again in a moment.")},
    {"audit", N_("It could not be written down, so nothing was done. Please try again later.")},
    {"environment", N_("There is a fault in the system. Please try again later.")},
    {"room", N_("There is a fault in the system. Please try again later.")},
    {"shown",
	N_("There are copies of this mail that you have not seen yet. They are shown now: please "
	   "look, and decide again.")},
};

const char *mail_reason(const char *code)
{
	return find(reasons, COUNT_OF(reasons), code, say("That is not possible just now."));
}

static const struct word dones[] = {
    {"release", N_("It is on its way now.")},
    {"check", N_("It is on its way now.")},
    {"discard", N_("It was discarded. It will not be sent.")},
    {"restore", N_("It was brought back, and is looked at by the rules anew.")},
    {"remove", N_("The recipient was taken out and gets nothing.")},
    {"extend", N_("It is held for longer.")},
    {"approve", N_("You have approved it.")},
    {"reject", N_("You have rejected it. Its sender gets it back as a draft.")},
    {"return", N_("You have returned it. Its sender gets it back as a draft.")},
    {"urgent", N_("It is on its way now. It will be reviewed afterwards.")},
};

const char *mail_done(const char *word)
{
	return find(dones, COUNT_OF(dones), word, NULL);
}

/* ---- outcomes of rules ---------------------------------------------------------------------- */

static const struct word outcomes[] = {
    {"no", N_("no")},
    {"by boss", N_("by the boss")},
    {"until confirmed", N_("until you confirm it")},
    {"until checked", N_("until you have checked it")},
    {"for operator", N_("until an administrator has looked at it")},
    {"always", N_("always")},
    {"never", N_("never")},
    {"risky", N_("if something is risky")},
    {"zip", N_("as an encrypted ZIP")},
    {"link", N_("behind a link")},
};

/* What stands before a name, and what people say with the name. */
static const struct word outcomes_of[] = {
    {"by any of group ", N_("by somebody of the group “{who}”")},
    {"until ", N_("until {who}")},
    {"by ", N_("by {who}")},
};

/* "2 of group G", behind "by ". */
static bool say_several(struct buf *out, const char *who)
{
	size_t digits = strspn(who, "0123456789");
	char n[8];

	if (digits == 0 || digits >= sizeof n ||
	    strncmp(who + digits, " of group ", strlen(" of group ")) != 0)
		return false;
	memcpy(n, who, digits);
	n[digits] = '\0';
	kit_phrase(out, say("by {n} of the group “{who}”"), "n", n, "who",
	    who + digits + strlen(" of group "), NULL);
	return true;
}

static const char *unit_of(char unit, unsigned long n)
{
	switch (unit) {
	case 's':
		return say_n("{n} second", "{n} seconds", n);
	case 'm':
		return say_n("{n} minute", "{n} minutes", n);
	case 'h':
		return say_n("{n} hour", "{n} hours", n);
	case 'd':
		return say_n("{n} day", "{n} days", n);
	case 'w':
		return say_n("{n} week", "{n} weeks", n);
	default:
		return NULL;
	}
}

void mail_outcome(struct buf *out, const char *outcome)
{
	size_t digits = strspn(outcome, "0123456789");
	char number[8];
	const char *unit;

	buf_add_text(out, "");
	if (digits > 0 && digits < sizeof number && outcome[digits] != '\0' &&
	    outcome[digits + 1] == '\0') {
		memcpy(number, outcome, digits);
		number[digits] = '\0';
		unit = unit_of(outcome[digits], strtoul(number, NULL, 10));
		if (unit != NULL) {
			kit_phrase(out, unit, "n", number, NULL);
			return;
		}
	}
	if (find(outcomes, COUNT_OF(outcomes), outcome, NULL) != NULL) {
		buf_add_text(out, find(outcomes, COUNT_OF(outcomes), outcome, outcome));
		return;
	}
	for (size_t i = 0; i < COUNT_OF(outcomes_of); i++) {
		const char *who = outcome + strlen(outcomes_of[i].word);

		if (strncmp(outcome, outcomes_of[i].word, strlen(outcomes_of[i].word)) != 0)
			continue;
		if (!say_several(out, who))
			kit_phrase(out, say(outcomes_of[i].text), "who", who, NULL);
		return;
	}
	buf_add_text(out, outcome);
}
