#include "lib/web/say.h"

#include <libintl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/die.h"

#define DOMAIN "sekisho"

/* gettext's own: counts changes of catalogues, so that what it remembers is looked up anew. */
extern int _nl_msg_cat_cntr;

void say_open(const char *locale)
{
	char path[256];
	int n;

	/*
	 * gettext makes of a relative path an absolute one each time that it is asked: that takes a call that is
	 * denied later, and leads through directories that may be closed to us. This one stays where we are.
	 */
	n = snprintf(path, sizeof path, "/proc/self/cwd/%s", locale);
	if (n < 0 || (size_t)n >= sizeof path)
		die_bug("the path of the catalogues");
	/* In "C" gettext translates nothing; LANGUAGE alone says what is spoken. */
	if (setlocale(LC_ALL, "C.UTF-8") == NULL || bindtextdomain(DOMAIN, path) == NULL ||
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
