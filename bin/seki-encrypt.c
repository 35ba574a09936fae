/* seki-encrypt: transforms what must not leave as it is. See seki-encrypt(8). */
#include "lib/encrypt/encrypt.h"

int main(void)
{
	return encrypt_main();
}
