#include "lib/scan/faults.h"

#include <string.h>

static int64_t longer(int64_t pause)
{
	if (pause == 0)
		return FAULTS_FIRST;
	return pause < FAULTS_LONG / 2 ? pause * 2 : FAULTS_LONG;
}

/* ---- everybody ---------------------------------------------------------------------------- */

int64_t faults_left(const struct faults *f, int64_t now)
{
	return f->pause > 0 && now < f->until ? f->until - now : 0;
}

void faults_pause(struct faults *f, int64_t now)
{
	if (faults_left(f, now) > 0)
		return;
	f->pause = longer(f->pause);
	f->until = now + f->pause;
}

void faults_over(struct faults *f)
{
	f->pause = 0;
}

/* ---- one leg ------------------------------------------------------------------------------ */

static struct faults_leg *find(struct faults *f, const struct leg_name *name)
{
	for (size_t i = 0; i < FAULTS_LEGS; i++) {
		if (strcmp(f->leg[i].id, name->id) == 0 && strcmp(f->leg[i].k, name->k) == 0)
			return &f->leg[i];
	}
	return NULL;
}

static struct faults_leg *find_or_make(struct faults *f, const struct leg_name *name)
{
	struct faults_leg *leg = find(f, name);

	if (leg != NULL)
		return leg;
	leg = &f->leg[f->next];
	f->next = (f->next + 1) % FAULTS_LEGS;
	*leg = (struct faults_leg){.killed = 0};
	(void)stpcpy(leg->id, name->id);
	(void)stpcpy(leg->k, name->k);
	return leg;
}

int64_t faults_leg_pause(struct faults *f, const struct leg_name *name)
{
	struct faults_leg *leg = find_or_make(f, name);

	leg->pause = longer(leg->pause);
	return leg->pause;
}

unsigned faults_leg_killed(struct faults *f, const struct leg_name *name)
{
	return ++find_or_make(f, name)->killed;
}

void faults_leg_over(struct faults *f, const struct leg_name *name)
{
	struct faults_leg *leg = find(f, name);

	if (leg != NULL)
		*leg = (struct faults_leg){.killed = 0};
}

/* ---- alarms ------------------------------------------------------------------------------- */

bool faults_tell(struct faults *f, enum heard_fault fault, int64_t now)
{
	if (f->told[fault] && now - f->told_at[fault] < FAULTS_ALARM)
		return false;
	f->told[fault] = true;
	f->told_at[fault] = now;
	return true;
}
