/* seki-hold: keeps what waits for people or for a time, and what was refused. See seki-hold(8). */
#include "lib/hold/hold.h"

int main(void)
{
	return hold_main();
}
