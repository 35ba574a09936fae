/* seki-scan: judges what has been accepted and sends it on its way. See seki-scan(8). */
#include "lib/scan/scan.h"

int main(void)
{
	struct scan scan = {.pool = NULL};

	return scan_main(&scan);
}
