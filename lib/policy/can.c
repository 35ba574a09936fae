#include "lib/policy/policy.h"

bool policy_can(const struct rule_action *action)
{
	switch (action->function) {
	case FUNCTION_REFUSE:
	case FUNCTION_BOUNCE:
	case FUNCTION_FORWARD:
	case FUNCTION_APPROVE:
	case FUNCTION_HOLD:
	case FUNCTION_NOTICE:
	case FUNCTION_INSERT:
		return true;
	case FUNCTION_STAGGER:
		return !action->yes;
	case FUNCTION_FILES:
		return action->files == FILES_KEEP;
	case FUNCTION_BCC:
		return action->bcc == BCC_NO;
	case FUNCTION_PASSWORD:
	case FUNCTION_TLS:
	case FUNCTION_SIGN:
	case FUNCTION_ROUTE:
	case FUNCTION_ADD_BCC:
	case FUNCTION_COPY:
	case FUNCTION_ARCHIVE:
	case FUNCTION_COUNT:
		break;
	}
	return false;
}
