/* seki-remote(8): an SMTP session with another server, for the program that started it. */
#include <signal.h>
#include <sys/socket.h>

#include <openssl/crypto.h>

#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/remote/protocol.h"
#include "lib/remote/remote.h"

int main(int argc, char **argv)
{
	int type = 0;
	socklen_t len = sizeof type;

	(void)argv;
	if (argc != 1 || getsockopt(REMOTE_FD, SOL_SOCKET, SO_TYPE, &type, &len) != 0 ||
	    type != SOCK_STREAM) {
		LOG("usage", kv("text", "seki-remote, without arguments, its employer's socket on "
					"descriptor 3"));
		return EXIT_USAGE;
	}
	(void)signal(SIGPIPE, SIG_IGN); /* a server that has gone is an error like others */
	/* No file can be read later, and the system's openssl.cnf means other programs. */
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		die_environ("OpenSSL");
	remote_confine();
	return remote_serve(REMOTE_FD);
}
