#include "lib/web/reasons.h"

#include <string.h>

#include "lib/web/pages_mail.h"
#include "lib/web/say.h"

/* Those of seki-hold about one mail stand in pages_mail_words.c. */
static const struct {
	const char *code, *sentence;
} reasons[] = {
    /* seki-hold, sekisho-gate(5) */
    {"nobody", N_("This mail was not written by you, and you are not asked about it.")},
    {"rights", N_("This link is not for that.")},
    {"cross-message", N_("This link is for another mail.")},
    {"pin", N_("Please enter your PIN.")},
    {"login", N_("A link is not enough for that. Please log in.")},
    {"request", N_("That cannot be asked like this. Please go back and try again.")},
    {"words", N_("Something in it cannot be understood. Please go back and try again.")},
    {"restored", N_("The mail was brought back meanwhile. There is a newer link.")},
    {"state", N_("There is no such list.")},
    {"absences", N_("You have entered too many absences. Please remove them first.")},
    {"reviewed", N_("Somebody has reviewed it already.")},
    {"other-word", N_("An administrator has to do that.")},
    /* seki-login, sekisho-login(5) */
    {"wrong", N_("That is not right. Please try again.")},
    {"number", N_("That is not the right number. Please try again.")},
    {"weak", N_("Such a number is tried first. Please choose a PIN that is harder to guess.")},
    {"capped", N_("There were too many attempts. Please wait an hour and try again.")},
    {"later", N_("That cannot be done just now. Please try again later.")},
    /* seki-rules, sekisho-mine(5) */
    {"field", N_("Something in the form is missing or wrong.")},
    {"not-allowed", N_("Your own rules may not do that here.")},
    {"changed",
	N_("Your rules have been changed meanwhile. Look at them again, then try once more.")},
    {"hand", N_("An administrator has written your rules. Please ask him.")},
    {"many", N_("You have as many rules as you may have. Please remove one first.")},
    {"large", N_("Your rules would become too long. Please remove one first.")},
    {"none", N_("This rule is not there any more.")},
    {"fault", N_("The rule cannot be read. Please change it.")},
    {"often", N_("The rules were changed very often within an hour. Please try again later.")},
    {"full",
	N_("The rules of all people together look for too much. Please ask your administrator.")},
    {"tests", N_("A test of the administrator's does not allow this rule.")},
};

const char *reasons_say(const char *code)
{
	for (size_t i = 0; i < COUNT_OF(reasons); i++) {
		if (strcmp(reasons[i].code, code) == 0)
			return say(reasons[i].sentence);
	}
	return mail_reason(code);
}
