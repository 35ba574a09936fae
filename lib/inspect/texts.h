/* What texts.c keeps of a message, and evidence.c tells. */
#ifndef SEKISHO_INSPECT_TEXTS_H
#define SEKISHO_INSPECT_TEXTS_H

#include "lib/inspect/facts.h"
#include "lib/text/quote.h"
#include "lib/words/greeting.h"
#include "lib/words/partners.h"
#include "lib/words/promise.h"

#define TEXTS_READERS 5

struct texts {
	const struct inspector *by;
	struct hits *hits;
	struct windows *windows;
	struct norm *norm; /* of the text that is open */
	struct quote *quote;
	struct said_run *said;
	struct partners_named *named; /* NULL: companies were not asked for */
	struct greeting_head head;
	struct promise promise;
	uint64_t names_left; /* bytes that may still be searched for names */
	bool cut;            /* more than that came */
	bool failed;         /* no memory: some text was not looked at */
	enum detect_place place;
	bool quoted;
	bool values_only; /* the text that is open is for the detectors of values, */
	bool words_only;  /* or for words and expressions alone */
	bool greets;      /* the text that is open is the one that greets */
};

#endif
