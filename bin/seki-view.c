/* seki-view(8): shows people's pages what is in a message, in a sandbox; the same as "seki-inspect --view". */
#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/view/service.h"

#ifdef __SANITIZE_ADDRESS__
/* In the sandbox no leak can be looked for. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "detect_leaks=0:intercept_memmem=0";
}
#endif

int main(int argc, char **argv)
{
	(void)argv;
	if (argc == 1)
		return view_service();
	LOG("usage", kv("text", "seki-view, without arguments, in the instance's directory"));
	return EXIT_USAGE;
}
