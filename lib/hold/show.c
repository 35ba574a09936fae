#include "lib/hold/show.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/xtext.h"
#include "lib/checks/checks.h"
#include "lib/hold/act.h"
#include "lib/hold/reasons.h"

#define WORDS_MAX    ((size_t)65536)
#define DECISIONS    ((size_t)200) /* that are told of a leg */
#define EXTEND_TRIED (3600 * CLOCK_SECOND)

/* ---- values ------------------------------------------------------------------------------- */

json_t *show_text(const char *text, size_t len)
{
	json_t *string = json_stringn(text, len);
	struct buf clean;

	if (string != NULL)
		return string;
	buf_init(&clean, 3 * len + 1);
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < 0x80)
			buf_add(&clean, text + i, 1);
		else
			buf_add_text(&clean, "\xef\xbf\xbd");
	}
	if (buf_ok(&clean))
		string = json_stringn(clean.len > 0 ? clean.bytes : "", clean.len);
	buf_free(&clean);
	return string;
}

static json_t *text(const char *nul_ended)
{
	return show_text(nul_ended, strlen(nul_ended));
}

json_t *show_time(int64_t time)
{
	char moment[CLOCK_TEXT];

	if (time <= 0)
		return json_null();
	clock_format(time, moment);
	return json_string(moment);
}

/* What a buffer says; null for one that has failed. Frees it. */
static json_t *text_of_buf(struct buf *b)
{
	json_t *string = buf_ok(b) ? show_text(b->len > 0 ? b->bytes : "", b->len) : json_null();

	buf_free(b);
	return string;
}

static void set(json_t *object, const char *key, json_t *value)
{
	(void)json_object_set_new(object, key, value); /* NULL fails; what is lost is left out */
}

const char *show_state(enum spool_state state)
{
	switch (state) {
	case STATE_APPROVE:
		return "approval";
	case STATE_HOLD:
		return "held";
	case STATE_TRASH:
		return "discarded";
	case STATE_STAGGER:
		return "staggered";
	case STATE_TMP:
	case STATE_NEW:
	case STATE_ENCRYPT:
	case STATE_DELIVER:
	case STATE_SENT:
	case STATE_REFUSED:
	case STATE_BAD:
		break;
	}
	return state_name(state);
}

/* ---- records ------------------------------------------------------------------------------ */

/* The value of a key, decoded and NUL-ended, in `room`; "" if it is not there. */
static const char *value_of(const struct leg_record *record, const char *key, struct buf *room)
{
	size_t len = 0, n = 0;
	const char *value = leg_record_value(record, key, &len);
	char *to;

	buf_clear(room);
	to = value != NULL ? buf_reserve(room, len + 1) : NULL;
	if (to == NULL)
		return "";
	if (!xtext_decode(value, len, to, &n)) {
		memcpy(to, value, len);
		n = len;
	}
	to[n] = '\0';
	room->len = n;
	return to;
}

static json_t *json_value(const struct leg_record *record, const char *key)
{
	struct buf room;
	json_t *value;

	buf_init(&room, WORDS_MAX);
	(void)value_of(record, key, &room);
	value = show_text(room.len > 0 ? room.bytes : "", room.len);
	buf_free(&room);
	return value;
}

/* A record as an object: at, what, and its keys. */
static json_t *json_record(const struct leg_record *record)
{
	const char *at = record->text, *end = record->text + record->len;
	const char *blank = memchr(at, ' ', record->len);
	json_t *object = json_object();

	set(object, "at", show_time(record->time));
	set(object, "what", show_text(at, blank != NULL ? (size_t)(blank - at) : record->len));
	while (blank != NULL) {
		const char *word = blank + 1, *sign;
		char key[32];
		size_t len;

		blank = memchr(word, ' ', (size_t)(end - word));
		len = (size_t)((blank != NULL ? blank : end) - word);
		sign = memchr(word, '=', len);
		if (sign == NULL || sign == word || (size_t)(sign - word) >= sizeof key)
			continue;
		memcpy(key, word, (size_t)(sign - word));
		key[sign - word] = '\0';
		if (json_object_get(object, key) == NULL)
			set(object, key, json_value(record, key));
	}
	return object;
}

/* What people, time and servers did with the leg. The rest of its records is told elsewhere. */
static bool is_history(const struct leg_record *record)
{
	static const char *const others[] = {"about", "check", "judged", "decided", "emptied"};

	for (size_t i = 0; i < COUNT_OF(others); i++) {
		if (leg_record_is(record, others[i]))
			return false;
	}
	return true;
}

/*
 * Who is only the sender is not told whom else the gateway told of it, nor what is tried out or watched for:
 * a rule may forward a refused mail without his knowledge.
 */
static bool is_only_sender(const struct asker_role *role)
{
	return role->sender && !role->approver;
}

/* A record as this person may see it. */
static json_t *json_record_for(const struct leg_record *record, const struct asker_role *role)
{
	json_t *object = json_record(record);

	if (is_only_sender(role))
		(void)json_object_del(object, "forward");
	return object;
}

static json_t *history_of(const struct leg *leg, const struct asker_role *role)
{
	json_t *list = json_array();
	struct leg_record record;
	size_t at = 0;

	while (leg_next_record(leg, &at, &record)) {
		if (!is_history(&record) ||
		    (is_only_sender(role) && leg_record_is(&record, "forwarded")))
			continue;
		if (json_array_size(list) >= SHOW_RECORDS_MAX)
			(void)json_array_remove(list, 0);
		(void)json_array_append_new(list, json_record_for(&record, role));
	}
	return list;
}

json_t *show_last(const struct leg *leg, const struct asker_role *role)
{
	static const char *const words[] = {
	    "held", "approved", "vote", "extended", "drop", "discarded", "restored", "refused"};
	struct leg_record record, last = {.text = NULL};
	size_t at = 0;

	while (leg_next_record(leg, &at, &record)) {
		for (size_t i = 0; i < COUNT_OF(words); i++) {
			if (leg_record_is(&record, words[i]))
				last = record;
		}
	}
	return last.text != NULL ? json_record_for(&last, role) : json_null();
}

/* ---- recipients of a record ---------------------------------------------------------------- */

/*
 * "1,3-5": calls for each number that is one of the leg's recipients, the first SHOW_RCPTS_MAX of them; each
 * range begins behind the last.
 */
typedef void see_rcpt(void *context, size_t i);

static size_t number(const char **at, const char *end)
{
	size_t n = 0;

	while (*at < end && **at >= '0' && **at <= '9' && n <= LEG_RCPTS_MAX)
		n = n * 10 + (size_t)(*(*at)++ - '0');
	return n;
}

static void each_rcpt(
    const struct leg *leg, const struct leg_record *record, see_rcpt *see, void *context)
{
	size_t len = 0;
	const char *at = leg_record_value(record, "rcpt", &len), *end = at != NULL ? at + len : at;
	size_t before = 0, seen = 0;

	while (at != NULL && at < end) {
		size_t first = number(&at, end), last = first;

		if (at < end && *at == '-') {
			at++;
			last = number(&at, end);
		}
		if (first <= before)
			return;
		before = last > first ? last : first;
		for (size_t i = first; i <= last && i <= leg->rcpts; i++) {
			if (seen++ == SHOW_RCPTS_MAX)
				return;
			see(context, i - 1);
		}
		if (at < end && *at++ != ',')
			return;
	}
}

static void see_number(void *context, size_t i)
{
	(void)json_array_append_new(context, json_integer((json_int_t)i + 1));
}

static json_t *numbers_of(const struct leg *leg, const struct leg_record *record)
{
	json_t *list = json_array();

	each_rcpt(leg, record, see_number, list);
	return list;
}

static const char *const fates[] = {[RCPT_OPEN] = "open",
    [RCPT_DELIVERED] = "delivered",
    [RCPT_FAILED] = "failed",
    [RCPT_BOUNCED] = "returned",
    [RCPT_DROPPED] = "removed"};

/* As etc/partners calls it; "": nothing is known of it. */
static json_t *company_of(const struct org *org, const char *address)
{
	const char *domain = strrchr(address, '@'), *name = NULL;
	size_t len = 0;

	if (org != NULL && domain != NULL)
		name = org_partner_name(org, org_partner(org, domain + 1), &len);
	return name != NULL ? show_text(name, len) : json_string("");
}

static json_t *rcpts_of(const struct asker *asker, const struct leg *leg)
{
	json_t *list = json_array();
	char normal[ORG_ADDRESS_MAX];

	for (size_t i = 0; i < leg->rcpts && i < SHOW_RCPTS_MAX; i++) {
		json_t *one = json_object();

		set(one, "n", json_integer((json_int_t)i + 1));
		set(one, "address", text(leg->rcpt[i].address));
		set(one, "fate", json_string(fates[leg->rcpt[i].fate]));
		(void)!org_normal(leg->rcpt[i].address, normal);
		if (asker->h->org != NULL)
			set(one, "class",
			    json_string(policy_class_word(org_class(asker->h->org, normal))));
		set(one, "company", company_of(asker->h->org, normal));
		(void)json_array_append_new(list, one);
	}
	return list;
}

/* ---- checks and rules ---------------------------------------------------------------------- */

struct addresses {
	const struct leg *leg;
	const char *address[SHOW_RCPTS_MAX];
	size_t n;
};

static void see_address(void *context, size_t i)
{
	struct addresses *a = context;

	if (a->n < COUNT_OF(a->address))
		a->address[a->n++] = a->leg->rcpt[i].address;
}

/* "check fact=WORD …": the sentence of a fact that this version knows. NULL: it does not. */
static json_t *check_of(const struct leg *leg, const struct leg_record *record, bool english)
{
	struct addresses rcpts = {.leg = leg};
	size_t word_len = 0, len = 0;
	const char *word = leg_record_value(record, "fact", &word_len), *value;
	enum check_fact fact = word != NULL ? check_fact_find(word, word_len) : CHECK_COUNT;
	struct buf sentence;
	json_t *one;

	if (fact == CHECK_COUNT)
		return NULL;
	each_rcpt(leg, record, see_address, &rcpts);
	value = leg_record_value(record, "value", &len);
	buf_init(&sentence, WORDS_MAX);
	check_sentence(&sentence, english, fact, value, len, rcpts.address, rcpts.n);
	one = json_object();
	set(one, "fact", json_string(check_fact_word(fact)));
	set(one, "rcpt", numbers_of(leg, record));
	set(one, "text", text_of_buf(&sentence));
	return one;
}

static bool says_yes(const struct leg_record *record, const char *key)
{
	size_t len = 0;
	const char *value = leg_record_value(record, key, &len);

	return value != NULL && len == 3 && memcmp(value, "yes", 3) == 0;
}

static json_t *rule_of(const struct leg *leg, const struct leg_record *record, bool english)
{
	static const char *const keys[] = {"function", "outcome", "name", "rule", "evidence"};
	struct buf value[COUNT_OF(keys)], sentence;
	const char *said[COUNT_OF(keys)];
	json_t *one = json_object();

	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		buf_init(&value[i], WORDS_MAX);
		said[i] = value_of(record, keys[i], &value[i]);
		set(one, keys[i], text(said[i]));
	}
	set(one, "rcpt", numbers_of(leg, record));
	set(one, "shadow", json_boolean(says_yes(record, "shadow")));
	set(one, "watch", json_boolean(says_yes(record, "watch")));
	buf_init(&sentence, WORDS_MAX);
	words_of_rule(&sentence, english,
	    &(const struct rule_said){.function = said[0],
		.outcome = said[1],
		.rule = said[2],
		.where = said[3],
		.evidence = said[4],
		.shadow = says_yes(record, "shadow"),
		.watch = says_yes(record, "watch")});
	set(one, "text", text_of_buf(&sentence));
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		buf_free(&value[i]);
	return one;
}

static bool is_told(const struct leg_record *decided, const struct asker_role *role)
{
	static const char forward[] = "forward";
	size_t len = 0;
	const char *function = leg_record_value(decided, "function", &len);

	if (!is_only_sender(role))
		return true;
	return !says_yes(decided, "shadow") && !says_yes(decided, "watch") &&
	       (function == NULL || len != sizeof forward - 1 ||
		   memcmp(function, forward, len) != 0);
}

/* Of the last judgement: each begins with `judged`. */
static void add_judgement(
    json_t *object, const struct leg *leg, const struct asker_role *role, bool english)
{
	json_t *checks = json_array(), *rules = json_array();
	struct leg_record record;
	size_t at = 0;

	while (leg_next_record(leg, &at, &record)) {
		if (leg_record_is(&record, "judged")) {
			(void)json_array_clear(rules);
			(void)json_array_clear(checks);
		} else if (leg_record_is(&record, "decided") &&
			   json_array_size(rules) < DECISIONS) {
			if (is_told(&record, role))
				(void)json_array_append_new(rules, rule_of(leg, &record, english));
		} else if (leg_record_is(&record, "check") &&
			   json_array_size(checks) < CHECK_COUNT) {
			(void)json_array_append_new(checks, check_of(leg, &record, english));
		}
	}
	set(object, "checks", checks);
	set(object, "rules", rules);
}

/* ---- approval ------------------------------------------------------------------------------ */

static bool see_asked(void *context, const char *address, enum approval_right right)
{
	json_t *one = json_object();

	set(one, "address", text(address));
	set(one, "deputy", json_boolean(right == RIGHT_DEPUTY));
	(void)json_array_append_new(context, one);
	return true;
}

static json_t *stages_of(const struct approval *approval)
{
	static const char *const kinds[] = {
	    [APPROVE_BOSS] = "boss", [APPROVE_ADDRESS] = "address", [APPROVE_GROUP] = "group"};
	json_t *list = json_array();

	for (size_t i = 0; i < approval->stages; i++) {
		const struct approval_stage *stage = &approval->stage[i];
		json_t *one = json_object();

		set(one, "kind", json_string(kinds[stage->kind]));
		set(one, "who", text(stage->who));
		set(one, "need", json_integer((json_int_t)stage->need));
		set(one, "yes", json_integer((json_int_t)stage->yes));
		(void)json_array_append_new(list, one);
	}
	return list;
}

static json_t *votes_of(const struct approval *approval)
{
	static const char *const says[] = {
	    [VOTE_YES] = "yes", [VOTE_NO] = "no", [VOTE_RETURN] = "return"};
	json_t *list = json_array();

	for (size_t i = 0; i < approval->votes; i++) {
		const struct approval_vote *vote = &approval->vote[i];
		json_t *one = json_object();

		set(one, "stage", json_integer((json_int_t)vote->stage + 1));
		set(one, "say", json_string(says[vote->say]));
		set(one, "by", text(vote->by));
		set(one, "for", vote->for_whom[0] != '\0' ? text(vote->for_whom) : json_null());
		set(one, "at", show_time(vote->time));
		(void)json_array_append_new(list, one);
	}
	return list;
}

static json_t *approval_of(
    struct asker *asker, const struct asked_leg *leg, const struct asker_role *role)
{
	static const char *const rights[] = {[RIGHT_NONE] = "none",
	    [RIGHT_OWN] = "own",
	    [RIGHT_DEPUTY] = "deputy",
	    [RIGHT_VOTED] = "voted",
	    [RIGHT_AUTHOR] = "author"};
	const struct approval *approval = &leg->approval;
	json_t *object = json_object(), *asked = json_array();
	bool open = leg->open && leg->step.form == STEP_APPROVE;

	if (open && approval->at < approval->stages) {
		struct approval_place place = asking_place(asker->h, leg);

		approval_each_asked(&place, &leg->o.leg, approval, see_asked, asked);
	}
	set(object, "open", json_boolean(open));
	set(object, "stage", json_integer((json_int_t)approval->at + 1));
	set(object, "stages", stages_of(approval));
	set(object, "since", show_time(approval->since));
	set(object, "refused", json_boolean(approval->refused));
	set(object, "votes", votes_of(approval));
	set(object, "asked", asked);
	set(object, "you", json_string(rights[role->right]));
	set(object, "for", role->for_whom[0] != '\0' ? text(role->for_whom) : json_null());
	return object;
}

/* ---- what can be done ---------------------------------------------------------------------- */

/* An order as it would be: of what a person still has to say, something that can be said. */
static void would(struct asker *asker, const struct asked_leg *leg, struct act *act)
{
	const struct leg *l = &leg->o.leg;
	int64_t now = asking_now(asker->h);
	size_t n = 0;

	asking_order(asker, leg->state, &l->name, act);
	if (act->word == ACT_EXTEND)
		act->order.until = (leg->times.pass > now ? leg->times.pass : now) + EXTEND_TRIED;
	for (size_t i = 0; act->word == ACT_REMOVE && i < l->rcpts; i++) {
		if (l->rcpt[i].fate != RCPT_OPEN)
			continue;
		n = xtext_encode_cut(l->rcpt[i].address, strlen(l->rcpt[i].address),
		    act->order.rcpt, sizeof act->order.rcpt - 1);
		break;
	}
	act->order.rcpt[n] = '\0';
}

static void add_acts(
    json_t *object, struct asker *asker, struct asked_leg *leg, const struct asker_role *role)
{
	json_t *can = json_array(), *cannot = json_array();

	for (enum act_word word = 0; word < ACT_COUNT; word++) {
		struct act act = {.word = word, .who = asker->address, .checked = ""};
		struct order_answer no;

		if (leg->o.law.verdict != LAW_ACT || !asking_word_allowed(asker, word, role))
			continue;
		would(asker, leg, &act);
		if (act_possible(asker->h, &act, &leg->o, &no)) {
			(void)json_array_append_new(can, json_string(act_name(word)));
		} else {
			json_t *one = json_object();

			set(one, "word", json_string(act_name(word)));
			set(one, "code",
			    json_string(no.code != NULL ? no.code : reason_word(REASON_NONE)));
			set(one, "why", text(no.why));
			(void)json_array_append_new(cannot, one);
		}
	}
	set(object, "can", can);
	set(object, "cannot", cannot);
}

/* ---- a leg --------------------------------------------------------------------------------- */

static const char *const forms[] = {[STEP_NO] = "no",
    [STEP_UNTIL] = "until",
    [STEP_OPERATOR] = "operator",
    [STEP_CONFIRMED] = "confirmed",
    [STEP_CHECKED] = "checked",
    [STEP_WINDOW] = "window",
    [STEP_APPROVE] = "approve",
    [STEP_ODD] = "odd"};

json_t *show_expires(const struct asker *asker, const struct asked_leg *leg)
{
	static const char *const ends[] = {
	    [APPROVE_EXPIRY_WAIT] = "wait", [APPROVE_EXPIRY_DISCARD] = "discard"};

	if (!leg->open || leg->step.form != STEP_APPROVE)
		return json_null();
	return json_string(ends[asker->h->stage->settings.approve_expiry]);
}

/* Until when a discard can be taken back; 0: for ever, or it was not discarded. */
static int64_t removed_at(const struct asker *asker, const struct asked_leg *leg)
{
	int64_t keep = asker->h->stage->settings.keep_trash, since = 0;
	struct leg_record record;
	size_t at = 0;

	if (leg->state != STATE_TRASH || leg->o.leg.emptied || keep == 0)
		return 0;
	while (leg_next_record(&leg->o.leg, &at, &record)) {
		if (leg_record_is(&record, "discarded"))
			since = record.time;
	}
	return since > 0 ? since + keep : 0;
}

/* What a person may ask for, so that no page offers what is refused: only an end can be put off. */
static int64_t longest(const struct asker *asker, const struct asked_leg *leg)
{
	if (!leg->open || leg->step.form == STEP_APPROVE ||
	    (leg->times.pass <= 0 && leg->times.discard <= 0))
		return 0;
	return act_longest(asker->h, &leg->o.leg);
}

static json_t *times_of(const struct asker *asker, const struct asked_leg *leg)
{
	json_t *object = json_object();

	set(object, "pass", show_time(leg->times.pass));
	set(object, "warn", show_time(leg->times.warn));
	set(object, "escalate", show_time(leg->times.escalate));
	set(object, "discard", show_time(leg->times.discard));
	set(object, "expire", show_time(leg->times.expire));
	set(object, "remove", show_time(removed_at(asker, leg)));
	set(object, "longest", show_time(longest(asker, leg)));
	return object;
}

static void add_about(json_t *object, const struct leg *leg)
{
	struct leg_record record, about = {.text = NULL};
	size_t at = 0;

	while (leg_next_record(leg, &at, &record)) {
		if (leg_record_is(&record, "about"))
			about = record;
	}
	set(object, "from", text(leg->from));
	set(object, "accepted", show_time(leg->accepted));
	set(object, "size", json_integer((json_int_t)leg->size));
	if (about.text == NULL)
		return;
	set(object, "subject", json_value(&about, "subject"));
	set(object, "files", json_value(&about, "files"));
}

json_t *show_leg(struct asker *asker, struct asked_leg *leg, const struct asker_role *role,
    bool english, bool copy)
{
	const struct leg *l = &leg->o.leg;
	json_t *object = json_object();
	char name[NAME_TEXT];
	struct buf words;

	name_format(&l->name, STATE_NEW, name);
	set(object, "leg", json_string(name));
	set(object, "state", json_string(show_state(leg->state)));
	set(object, "copy", json_boolean(copy));
	set(object, "sender", json_boolean(role->sender));
	set(object, "approver", json_boolean(role->approver));
	set(object, "restores", json_integer((json_int_t)l->restores));
	add_about(object, l);
	set(object, "recipients", rcpts_of(asker, l));
	set(object, "more-recipients",
	    json_integer((json_int_t)(l->rcpts > SHOW_RCPTS_MAX ? l->rcpts - SHOW_RCPTS_MAX : 0)));
	add_judgement(object, l, role, english);
	set(object, "step", leg->open ? json_string(forms[leg->step.form]) : json_null());
	set(object, "discards", json_boolean(leg->open && leg->step.discard));
	set(object, "times", times_of(asker, leg));
	set(object, "expires", show_expires(asker, leg));
	buf_init(&words, WORDS_MAX);
	words_of_times(&words, english, leg);
	set(object, "next", text_of_buf(&words));
	set(object, "approval", leg->approving ? approval_of(asker, leg, role) : json_null());
	add_acts(object, asker, leg, role);
	set(object, "last", show_last(l, role));
	set(object, "history", history_of(l, role));
	return object;
}
