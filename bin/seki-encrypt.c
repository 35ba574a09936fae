/* seki-encrypt: transforms what must not leave as it is. See seki-encrypt(8). */
#include "lib/base/compat.h"
#include "queue/stage.h"

static const enum spool_state states[] = {STATE_ENCRYPT};

static struct stage_outcome decide(
    struct stage *stage, enum spool_state state, struct stage_opened *opened)
{
	(void)stage;
	(void)state;
	if (stage_step_is(opened, "encrypt keep"))
		return (struct stage_outcome){.action = STAGE_PASS, .details = "by=nobody"};
	return (struct stage_outcome){
	    .action = STAGE_STOP, .why = "a sealing that this version cannot do"};
}

static const struct stage_order orders[] = {
    {ORDER_DISCARD, STATE_ENCRYPT, NULL},
};

static const struct stage_role role = {
    .program = "seki-encrypt",
    .states = states,
    .n_states = COUNT_OF(states),
    .split_of = "encrypt",
    .decide = decide,
    .orders = orders,
    .n_orders = COUNT_OF(orders),
};

int main(void)
{
	return stage_main(&role, NULL);
}
