#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/smtp/children.h"

static struct ip address(const char *text)
{
	struct ip ip;

	assert_true(ip_parse(text, &ip));
	return ip;
}

/* A child as the parent writes it down. */
static struct child *start(
    struct children *c, pid_t pid, const char *source, bool proven, int64_t born)
{
	struct child *child = children_add(c);

	assert_non_null(child);
	*child = (struct child){
	    .pid = pid, .control = -1, .source = address(source), .proven = proven, .born = born};
	children_started(c, child);
	return child;
}

static struct children book(void)
{
	struct children c;

	assert_true(children_init(&c));
	return c;
}

static void assert_sums(const struct children *c, size_t alive, size_t busy, size_t idle)
{
	assert_int_equal(c->alive, alive);
	assert_int_equal(c->busy, busy);
	assert_int_equal(c->idle, idle);
}

static void sums_follow_each_change(void **state)
{
	struct children c = book();
	struct child *a, *b;

	(void)state;
	assert_sums(&c, 0, 0, 0);
	a = start(&c, 10, "192.0.2.1", true, 1);
	b = start(&c, 11, "192.0.2.1", true, 2);
	assert_sums(&c, 2, 2, 0);
	children_now_idle(&c, a, 5);
	assert_sums(&c, 2, 1, 1);
	children_now_idle(&c, a, 6); /* it cannot become idle twice */
	assert_sums(&c, 2, 1, 1);
	children_now_busy(&c, a);
	assert_sums(&c, 2, 2, 0);
	assert_int_equal(a->served, 2);
	children_now_idle(&c, b, 7);
	children_gone(&c, b);
	assert_sums(&c, 1, 1, 0);
	children_gone(&c, a);
	assert_sums(&c, 0, 0, 0);
	children_free(&c);
}

static void sessions_of_a_source(void **state)
{
	struct children c = book();
	struct ip one = address("192.0.2.1"), two = address("2001:db8::2");
	struct child *a;

	(void)state;
	a = start(&c, 10, "192.0.2.1", true, 1);
	(void)start(&c, 11, "192.0.2.1", true, 2);
	(void)start(&c, 12, "2001:db8::2", true, 3);
	assert_int_equal(children_busy_of(&c, &one), 2);
	assert_int_equal(children_busy_of(&c, &two), 1);
	children_now_idle(&c, a, 4);
	assert_int_equal(children_busy_of(&c, &one), 1);
	children_gone(&c, a);
	assert_int_equal(children_busy_of(&c, &one), 1);
	children_free(&c);
}

/*
 * S12: whoever has a /64 has all of its addresses. An IPv4 address, which is written within ::/64, is
 * nobody's neighbour there; nor does a session count for it of which a proxy has not yet said whose it is.
 */
static void S12_an_address_and_its_neighbours(void **state)
{
	struct children c = book();
	struct ip v4 = address("192.0.2.1"), v6 = address("2001:db8::ffff"), low = address("::2");

	(void)state;
	(void)start(&c, 10, "2001:db8::1", false, 1);
	(void)start(&c, 11, "2001:db8::8000:0:0:1", false, 1);
	(void)start(&c, 12, "2001:db8:0:1::1", false, 1);
	(void)start(&c, 13, "192.0.2.2", false, 1);
	(void)start(&c, 14, "::1", false, 1);
	(void)start(&c, 15, "::", false, 1); /* not known yet */
	assert_int_equal(children_busy_of(&c, &v6), 2);
	assert_int_equal(children_busy_of(&c, &v4), 0);
	(void)start(&c, 16, "192.0.2.1", false, 1);
	assert_int_equal(children_busy_of(&c, &v4), 1);
	assert_int_equal(children_busy_of(&c, &low), 2);
	children_free(&c);
}

/* A connection goes to the process that served its very address last, and to no other. */
static void idle_ones_of_a_source(void **state)
{
	struct children c = book();
	struct ip one = address("192.0.2.1"), other = address("192.0.2.3");
	int pair[2];
	struct child *old, *young, *else_;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	assert_null(children_idle_of(&c, &one));
	old = start(&c, 10, "192.0.2.1", true, 1);
	young = start(&c, 11, "192.0.2.1", true, 2);
	else_ = start(&c, 12, "192.0.2.2", true, 3);
	old->control = dup(pair[0]);
	young->control = dup(pair[0]);
	else_->control = dup(pair[0]);
	children_now_idle(&c, young, 20);
	children_now_idle(&c, old, 10);
	children_now_idle(&c, else_, 30);

	assert_ptr_equal(children_idle_of(&c, &one), young);
	assert_null(children_idle_of(&c, &other));
	assert_ptr_equal(children_oldest_idle(&c), old);
	children_dismiss(&c, young); /* told to go: it takes no more */
	assert_ptr_equal(children_idle_of(&c, &one), old);
	children_dismiss(&c, old);
	assert_null(children_idle_of(&c, &one));
	assert_ptr_equal(children_oldest_idle(&c), else_);
	children_dismiss(&c, else_);
	assert_null(children_oldest_idle(&c));
	assert_sums(&c, 3, 0, 3);
	close(pair[0]);
	close(pair[1]);
	children_free(&c);
}

static void dismissing_closes_once(void **state)
{
	struct children c = book();
	int pair[2];
	struct child *a;
	char byte;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	a = start(&c, 10, "192.0.2.1", true, 1);
	a->control = pair[0];
	assert_ptr_equal(children_by_control(&c, pair[0]), a);
	children_dismiss(&c, a);
	assert_int_equal(recv(pair[1], &byte, 1, MSG_DONTWAIT), 0);
	assert_null(children_by_control(&c, pair[0]));
	assert_ptr_equal(children_by_pid(&c, 10), a); /* it has yet to end */
	assert_int_equal(dup2(pair[1], pair[0]), pair[0]);
	children_dismiss(&c, a); /* the number may be somebody else's by now */
	children_gone(&c, a);
	assert_true(fcntl(pair[0], F_GETFD) >= 0);
	assert_null(children_by_pid(&c, 10));
	close(pair[0]);
	close(pair[1]);
	children_free(&c);
}

/* S12: who gives way is a stranger, the one that came first, and nobody who is known. */
static void S12_the_oldest_stranger_gives_way(void **state)
{
	struct children c = book();
	struct child *known, *first, *second, *idle;

	(void)state;
	assert_null(children_oldest_stranger(&c, INT64_MAX));
	known = start(&c, 10, "192.0.2.1", true, 1);
	second = start(&c, 11, "198.51.100.2", false, 30);
	first = start(&c, 12, "198.51.100.1", false, 20);
	idle = start(&c, 13, "192.0.2.2", false, 2);
	children_now_idle(&c, idle, 3);
	assert_int_equal(children_strangers(&c), 2);
	assert_ptr_equal(children_oldest_stranger(&c, INT64_MAX), first);
	assert_ptr_equal(children_oldest_stranger(&c, 21), first);
	assert_null(children_oldest_stranger(&c, 20)); /* each has his time */

	first->shed = true; /* killed, but not gone: it does not give way twice */
	assert_int_equal(children_strangers(&c), 1);
	assert_ptr_equal(children_oldest_stranger(&c, INT64_MAX), second);
	second->proven = true; /* he has logged in meanwhile */
	assert_int_equal(children_strangers(&c), 0);
	assert_null(children_oldest_stranger(&c, INT64_MAX));
	children_gone(&c, first);
	assert_sums(&c, 3, 2, 1);
	assert_false(known->shed);
	children_free(&c);
}

/* S12: the book has an end, and its lines are used again. */
static void S12_the_book_is_bounded(void **state)
{
	struct children c = book();
	struct child *middle;

	(void)state;
	for (pid_t pid = 1; pid <= CHILDREN_MAX; pid++)
		(void)start(&c, pid, "198.51.100.1", false, pid);
	assert_null(children_add(&c));
	assert_int_equal(children_strangers(&c), CHILDREN_MAX);
	middle = children_by_pid(&c, CHILDREN_MAX / 2);
	assert_non_null(middle);
	children_gone(&c, middle);
	assert_null(children_by_pid(&c, CHILDREN_MAX / 2));
	assert_ptr_equal(children_add(&c), middle);
	children_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sums_follow_each_change),
	    cmocka_unit_test(sessions_of_a_source),
	    cmocka_unit_test(S12_an_address_and_its_neighbours),
	    cmocka_unit_test(idle_ones_of_a_source),
	    cmocka_unit_test(dismissing_closes_once),
	    cmocka_unit_test(S12_the_oldest_stranger_gives_way),
	    cmocka_unit_test(S12_the_book_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
