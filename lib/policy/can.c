#include "lib/policy/policy.h"

static bool can_hold(const struct rule_action *action)
{
	/* Nobody can be asked yet, and nothing is thrown away by the clock. */
	if (action->discard)
		return false;
	return action->hold != HOLD_CONFIRMED && action->hold != HOLD_CHECKED;
}

bool policy_can(const struct rule_action *action)
{
	switch (action->function) {
	case FUNCTION_REFUSE:
	case FUNCTION_BOUNCE:
	case FUNCTION_FORWARD:
	case FUNCTION_NOTICE: /* nobody is told anything yet, and no mail waits for that */
		return true;
	case FUNCTION_APPROVE:
	case FUNCTION_STAGGER:
		return !action->yes;
	case FUNCTION_HOLD:
		return can_hold(action);
	case FUNCTION_FILES:
		return action->files == FILES_KEEP;
	case FUNCTION_BCC:
		return action->bcc == BCC_NO;
	case FUNCTION_PASSWORD:
	case FUNCTION_TLS:
	case FUNCTION_SIGN:
	case FUNCTION_ROUTE:
	case FUNCTION_ADD_BCC:
	case FUNCTION_INSERT:
	case FUNCTION_COPY:
	case FUNCTION_ARCHIVE:
	case FUNCTION_COUNT:
		break;
	}
	return false;
}
