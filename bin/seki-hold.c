/* seki-hold: keeps what waits for people or for a time. See seki-hold(8). */
#include "lib/base/compat.h"
#include "queue/stage.h"

static const enum spool_state states[] = {STATE_APPROVE, STATE_HOLD, STATE_TRASH, STATE_REFUSED};

static struct stage_outcome decide(
    struct stage *stage, enum spool_state state, struct stage_opened *opened)
{
	if (opened->law.step == NULL) /* trash/ and refused/: where it belongs */
		return (struct stage_outcome){.action = STAGE_KEEP};
	if (state == STATE_HOLD)
		return stage_timed(stage, state, opened);
	if (stage_step_is(opened, "approve no"))
		return (struct stage_outcome){.action = STAGE_PASS, .details = "by=nobody"};
	return (struct stage_outcome){
	    .action = STAGE_STOP, .why = "an approval that this version cannot ask for"};
}

static const struct stage_order orders[] = {
    {ORDER_RELEASE, STATE_HOLD, NULL},
    {ORDER_RELEASE, STATE_APPROVE, "it waits for an approval, which a release is not"},
    {ORDER_DISCARD, STATE_HOLD, NULL},
    {ORDER_DISCARD, STATE_APPROVE, NULL},
};

static const struct stage_role role = {
    .program = "seki-hold",
    .states = states,
    .n_states = COUNT_OF(states),
    .split_of = "hold",
    .decide = decide,
    .orders = orders,
    .n_orders = COUNT_OF(orders),
};

int main(void)
{
	return stage_main(&role, NULL);
}
