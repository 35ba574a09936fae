/* seki-deliver: sends what has proved its way, and keeps what was sent. See seki-deliver(8). */
#include "lib/base/compat.h"
#include "lib/deliver/deliver.h"

int main(void)
{
	return deliver_main();
}
