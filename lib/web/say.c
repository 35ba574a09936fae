#include "lib/web/say.h"

#include <libintl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/die.h"

#define DOMAIN "sekisho"

/* gettext's own: counts changes of catalogues, so that what it remembers is looked up anew. */
extern int _nl_msg_cat_cntr;

void say_open(const char *locale)
{
	/* In "C" gettext translates nothing; LANGUAGE alone says what is spoken. */
	if (setlocale(LC_ALL, "C.UTF-8") == NULL || bindtextdomain(DOMAIN, locale) == NULL ||
	    bind_textdomain_codeset(DOMAIN, "UTF-8") == NULL || textdomain(DOMAIN) == NULL)
		die_environ("opening the catalogues of words");
	/* A catalogue is read when it is first asked. */
	say_speak("ja");
	(void)say("Back");
	say_speak("en");
	(void)say("Back");
}

void say_speak(const char *lang)
{
	if (setenv("LANGUAGE", strcmp(lang, "ja") == 0 ? "ja" : "en", 1) != 0)
		die_environ("changing the language");
	_nl_msg_cat_cntr++;
}

const char *say(const char *text)
{
	/* The text of "" is the catalogue's own header. */
	return text[0] == '\0' ? text : dgettext(DOMAIN, text);
}

const char *say_n(const char *one, const char *many, unsigned long n)
{
	return dngettext(DOMAIN, one, many, n);
}
