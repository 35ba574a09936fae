/* seki-scan: judges what has been accepted and sends it on its way. See seki-scan(8). */
#include "lib/scan/scan.h"

int main(void)
{
	static struct scan scan; /* as large as its tables; one a process */

	return scan_main(&scan);
}
