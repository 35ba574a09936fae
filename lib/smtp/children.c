#include "lib/smtp/children.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/smtp/worker.h"

bool children_init(struct children *c)
{
	*c = (struct children){0};
	/* Pages that are never touched cost nothing. */
	c->line = calloc(CHILDREN_MAX, sizeof *c->line);
	return c->line != NULL;
}

void children_free(struct children *c)
{
	free(c->line);
	*c = (struct children){0};
}

void children_hear(struct children *c)
{
	for (size_t i = 0; i < c->high; i++) {
		struct child *child = &c->line[i];
		char word;

		/* One that keeps, or that a proxy speaks for, has more to say: its words are waited for. */
		if (child->pid == 0 || child->proven || child->control < 0 || child->keep ||
		    child->proxied)
			continue;
		if (recv(child->control, &word, 1, MSG_DONTWAIT) == 1 && word == WORKER_PROVEN)
			child->proven = true;
	}
}

struct child *children_add(struct children *c)
{
	for (size_t i = 0; i < c->high; i++) {
		if (c->line[i].pid == 0)
			return &c->line[i];
	}
	return c->high < CHILDREN_MAX ? &c->line[c->high++] : NULL;
}

struct child *children_by_control(struct children *c, int control)
{
	for (size_t i = 0; i < c->high; i++) {
		if (c->line[i].pid != 0 && c->line[i].control == control)
			return &c->line[i];
	}
	return NULL;
}

struct child *children_by_pid(struct children *c, pid_t pid)
{
	for (size_t i = 0; i < c->high; i++) {
		if (c->line[i].pid == pid)
			return &c->line[i];
	}
	return NULL;
}

size_t children_busy_of(const struct children *c, const struct ip *source)
{
	size_t n = 0;

	for (size_t i = 0; i < c->high; i++) {
		const struct child *child = &c->line[i];

		if (child->pid != 0 && !child->idle && ip_one_client(&child->source, source))
			n++;
	}
	return n;
}

static bool is_stranger(const struct child *child)
{
	return child->pid != 0 && !child->idle && !child->shed && !child->proven;
}

size_t children_strangers(const struct children *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->high; i++)
		n += is_stranger(&c->line[i]);
	return n;
}

struct child *children_oldest_stranger(const struct children *c, int64_t before)
{
	struct child *best = NULL;

	for (size_t i = 0; i < c->high; i++) {
		struct child *child = &c->line[i];

		if (is_stranger(child) && child->born < before &&
		    (best == NULL || child->born < best->born))
			best = child;
	}
	return best;
}

struct child *children_idle_of(const struct children *c, const struct ip *source)
{
	struct child *best = NULL;

	for (size_t i = 0; c->idle > 0 && i < c->high; i++) {
		struct child *child = &c->line[i];

		if (child->pid != 0 && child->idle && child->control >= 0 &&
		    (best == NULL || child->idle_since > best->idle_since) &&
		    ip_equal(&child->source, source))
			best = child;
	}
	return best;
}

struct child *children_oldest_idle(const struct children *c)
{
	struct child *best = NULL;

	for (size_t i = 0; c->idle > 0 && i < c->high; i++) {
		struct child *child = &c->line[i];

		if (child->pid != 0 && child->idle && child->control >= 0 &&
		    (best == NULL || child->idle_since < best->idle_since))
			best = child;
	}
	return best;
}

void children_started(struct children *c, struct child *child)
{
	child->idle = false;
	child->served = 1;
	c->alive++;
	c->busy++;
}

void children_now_idle(struct children *c, struct child *child, int64_t now)
{
	if (child->idle)
		return;
	child->idle = true;
	child->idle_since = now;
	c->busy--;
	c->idle++;
}

void children_now_busy(struct children *c, struct child *child)
{
	child->idle = false;
	child->served++;
	c->busy++;
	c->idle--;
}

void children_dismiss(struct children *c, struct child *child)
{
	(void)c;
	if (child->control >= 0)
		close(child->control); /* which also takes it out of the epoll set */
	child->control = -1;
}

void children_gone(struct children *c, struct child *child)
{
	children_dismiss(c, child);
	if (child->idle)
		c->idle--;
	else
		c->busy--;
	c->alive--;
	*child = (struct child){.control = -1};
}
