/* seki-stagger: keeps outsiders' copies back until it is their turn. See seki-stagger(8). */
#include "lib/base/compat.h"
#include "queue/stage.h"

static const enum spool_state states[] = {STATE_STAGGER};

static const struct stage_order orders[] = {
    {ORDER_DISCARD, STATE_STAGGER, NULL},
};

static const struct stage_role role = {
    .program = "seki-stagger",
    .states = states,
    .n_states = COUNT_OF(states),
    .decide = stage_timed,
    .orders = orders,
    .n_orders = COUNT_OF(orders),
};

int main(void)
{
	return stage_main(&role, NULL);
}
