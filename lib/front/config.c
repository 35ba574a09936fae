/*
 * nginx's configuration. Nothing of a setting is written into it that was not read as what it has to be.
 *
 * Links and sessions are secrets that stand in requests: there is no access log, and what nginx says of errors is cut
 * (front_line).
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/front/front.h"
#include "lib/web/patience.h"

#define CONFIG_MAX  ((size_t)64 * 1024)
#define FILES_SPARE 64
#define PATIENCE    30 /* beyond what seki-web may wait for others, in seconds */

/*
 * What nginx keeps of an answer that is read slowly, on its disk: at most FILES_ALL files out of mails, of message-size
 * each, and no more than ANSWER_KEPT of anything else. seki-web is free as soon as nginx has an answer.
 */
#define FILES_ONE   8 /* of one address at once */
#define FILES_ALL   32
#define ANSWER_KEPT "16m"

/* Of every answer that nginx gives by itself; seki-web's own have theirs. */
#define COMMON_HEADERS                                                                             \
	"    add_header X-Content-Type-Options nosniff always;\n"                                  \
	"    add_header Referrer-Policy no-referrer always;\n"                                     \
	"    add_header X-Frame-Options $front_frame always;\n"                                    \
	"    add_header Permissions-Policy \"accelerometer=(), camera=(), display-capture=(), "    \
	"geolocation=(), microphone=(), payment=(), usb=()\" always;\n"                            \
	"    add_header Cross-Origin-Opener-Policy same-origin always;\n"                          \
	"    add_header Cross-Origin-Resource-Policy same-origin always;\n"

bool front_wanted(const struct settings *settings)
{
	return strcmp(settings->web_listen, "-") != 0;
}

/* ---- where it listens ---------------------------------------------------------------------- */

static bool is_port(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	long port = digits > 0 && digits <= 5 && text[digits] == '\0' ? strtol(text, NULL, 10) : 0;

	return port >= 1 && port <= 65535;
}

/* An address of family `family`, as it is written. */
static bool is_address(int family, const char *text, size_t len)
{
	char copy[INET6_ADDRSTRLEN];
	unsigned char bytes[sizeof(struct in6_addr)];

	if (len >= sizeof copy)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return inet_pton(family, copy, bytes) == 1;
}

static bool is_place(const char *place, bool *any)
{
	const char *colon = strrchr(place, ':');
	size_t len = colon != NULL ? (size_t)(colon - place) : 0;

	*any = len == 1 && place[0] == '*';
	if (len == 0 || !is_port(colon + 1))
		return false;
	if (place[0] == '[')
		return len > 2 && place[len - 1] == ']' && is_address(AF_INET6, place + 1, len - 2);
	return *any || is_address(AF_INET, place, len);
}

/* ---- who may see what passes ---------------------------------------------------------------- */

static bool is_loopback(const char *listen)
{
	return strncmp(listen, "127.", 4) == 0 || strncmp(listen, "[::1]:", 6) == 0;
}

/* Passwords and links do not go over a wire that all can read. */
static bool is_safe(const struct settings *s, char *fault, size_t room)
{
	if (s->trial || s->web_tls || is_loopback(s->web_listen) ||
	    strncmp(s->web_url, "https://", 8) == 0)
		return true;
	(void)snprintf(fault, room,
	    "etc/settings: web-listen %.100s: passwords would go there in clear: set web-tls to "
	    "yes, "
	    "or, behind a proxy with TLS, web-url to https://... and web-proxy, or trial to yes",
	    s->web_listen);
	return false;
}

/* ADDRESS or ADDRESS/BITS. */
static bool is_network(const char *text, size_t len)
{
	const char *slash = memchr(text, '/', len);
	size_t address = slash != NULL ? (size_t)(slash - text) : len;
	bool v4 = is_address(AF_INET, text, address);
	size_t digits = slash != NULL ? strspn(slash + 1, "0123456789") : 0;

	if (!v4 && !is_address(AF_INET6, text, address))
		return false;
	return slash == NULL || (digits > 0 && digits <= 3 && address + 1 + digits == len &&
				    strtol(slash + 1, NULL, 10) <= (v4 ? 32 : 128));
}

/*
 * Each browser has the address that its proxy says: the last in X-Forwarded-For that is none of ours. Of anybody
 * else the field says nothing.
 */
static bool add_proxies(const struct settings *s, struct buf *out, char *fault, size_t room)
{
	const char *at = s->web_proxy;

	if (strcmp(at, "-") == 0)
		return true;
	while (*at != '\0') {
		size_t len = strcspn(at, " ");

		if (!is_network(at, len)) {
			(void)snprintf(fault, room,
			    "etc/settings: web-proxy %.*s: expected ADDRESS or ADDRESS/BITS",
			    (int)(len < 100 ? len : 100), at);
			return false;
		}
		buf_addf(out, "  set_real_ip_from %.*s;\n", (int)len, at);
		at += len + strspn(at + len, " ");
	}
	buf_add_text(out, "  real_ip_header X-Forwarded-For;\n"
			  "  real_ip_recursive on;\n");
	return true;
}

static bool add_listen(const struct settings *s, const struct front_machine *machine,
    struct buf *out, char *fault, size_t room)
{
	const char *tls = s->web_tls ? " ssl" : "";
	bool any;

	if (!is_place(s->web_listen, &any)) {
		(void)snprintf(fault, room,
		    "etc/settings: web-listen %.100s: expected ADDRESS:PORT, [V6]:PORT or *:PORT",
		    s->web_listen);
		return false;
	}
	buf_addf(out, "    listen %s%s default_server;\n", s->web_listen, tls);
	if (any && machine->v6)
		buf_addf(out, "    listen [::]%s%s default_server ipv6only=on;\n",
		    s->web_listen + 1, tls);
	return true;
}

/* ---- the parts ----------------------------------------------------------------------------- */

static void add_main(const struct settings *s, const struct front_machine *machine, struct buf *out)
{
	/* A request that is passed on has two descriptors. */
	uint64_t files = (uint64_t)s->web_connections * 2 + FILES_SPARE;

	buf_add_text(out,
	    "# Written by seki-front(8) at each start and reload: what is changed here is lost.\n"
	    "daemon off;\n"
	    "worker_processes 1;\n"
	    "worker_shutdown_timeout 30s;\n"
	    "pid " FRONT_PID ";\n"
	    "error_log stderr alert;\n");
	if (machine->root)
		buf_add_text(out, "user sekip sekip;\n");
	buf_addf(out, "worker_rlimit_nofile %llu;\n",
	    (unsigned long long)(files < machine->files ? files : machine->files));
	buf_addf(
	    out, "events {\n  worker_connections %lld;\n}\n", (long long)s->web_connections * 2);
}

/* A slow client costs a connection, and never a worker of seki-web: requests are read whole first. */
static void add_limits(const struct settings *s, struct buf *out)
{
	buf_add_text(out, "  access_log off;\n"
			  "  log_not_found off;\n"
			  "  server_tokens off;\n"
			  "  absolute_redirect off;\n"
			  "  max_ranges 0;\n"
			  "  client_header_buffer_size 2k;\n"
			  "  large_client_header_buffers 2 16k;\n"
			  "  client_header_timeout 5s;\n"
			  "  client_body_timeout 10s;\n"
			  "  send_timeout 30s;\n"
			  "  keepalive_timeout 15s;\n"
			  "  lingering_time 5s;\n"
			  "  lingering_timeout 2s;\n"
			  "  reset_timedout_connection on;\n"
			  "  limit_conn_zone $binary_remote_addr zone=sources:1m;\n"
			  "  limit_conn_zone $binary_remote_addr zone=readers:1m;\n"
			  "  limit_conn_zone $server_port zone=files:1m;\n");
	buf_addf(out, "  limit_conn sources %lld;\n", (long long)s->web_source_connections);
	buf_addf(out, "  client_max_body_size %lld;\n  client_body_buffer_size %lld;\n",
	    (long long)s->web_request, (long long)s->web_request);
	buf_add_text(out, "  client_body_temp_path run/front/body;\n"
			  "  fastcgi_temp_path run/front/answers;\n"
			  "  proxy_temp_path run/front/none;\n"
			  "  uwsgi_temp_path run/front/none;\n"
			  "  scgi_temp_path run/front/none;\n"
			  "  charset utf-8;\n"
			  "  charset_types text/css text/javascript;\n"
			  "  default_type application/octet-stream;\n"
			  "  types {\n"
			  "    text/html html;\n"
			  "    text/css css;\n"
			  "    text/javascript js;\n"
			  "    image/svg+xml svg;\n"
			  "    image/png png;\n"
			  "    image/jpeg jpg jpeg;\n"
			  "    image/webp webp;\n"
			  "    image/x-icon ico;\n"
			  "    font/woff2 woff2;\n"
			  "  }\n");
}

static void add_tls(const struct settings *s, struct buf *out)
{
	if (!s->web_tls)
		return;
	/* Relative to where the configuration stands. */
	buf_add_text(out, "    ssl_certificate ../../etc/tls/default.crt;\n"
			  "    ssl_certificate_key ../../etc/tls/default.key;\n");
	buf_addf(out, "    ssl_protocols %sTLSv1.3;\n",
	    s->tls_minimum == TLS_MINIMUM_12 ? "TLSv1.2 " : "");
	buf_add_text(out, "    ssl_ciphers ECDHE+AESGCM:ECDHE+CHACHA20;\n"
			  "    ssl_session_cache shared:web:1m;\n"
			  "    ssl_session_tickets off;\n");
}

static void add_headers(const struct settings *s, struct buf *out)
{
	buf_add_text(out, COMMON_HEADERS);
	if (s->web_tls || strncmp(s->web_url, "https://", 8) == 0)
		buf_add_text(
		    out, "    add_header Strict-Transport-Security max-age=31536000 always;\n");
}

/* Statuses for which nginx has pages of ours; everything that seki-web does not answer is 503. */
static void add_error_pages(struct buf *out)
{
	buf_add_text(out, "    error_page 400 408 495 496 497 =400 /-front/400.html;\n"
			  "    error_page 403 404 /-front/404.html;\n"
			  "    error_page 405 /-front/405.html;\n"
			  "    error_page 413 /-front/413.html;\n"
			  "    error_page 414 /-front/414.html;\n"
			  "    error_page 494 =431 /-front/431.html;\n"
			  "    error_page 500 502 503 504 =503 /-front/503.html;\n");
}

/* What stands in a frame of a page of ours, and what is said there instead of it; nothing else does. */
static void add_frames(struct buf *out)
{
	buf_add_text(out, "  map $request_uri $front_frame {\n"
			  "    default DENY;\n"
			  "    \"~^/gate/m/(contents|html)([?]|$)\" SAMEORIGIN;\n"
			  "  }\n"
			  "  map $request_uri $front_ancestors {\n"
			  "    default \"'none'\";\n"
			  "    \"~^/gate/m/(contents|html)([?]|$)\" \"'self'\";\n"
			  "  }\n");
}

static void add_static(const struct settings *s, struct buf *out)
{
	buf_add_text(out, "    location /-front/ {\n"
			  "    internal;\n"
			  "    alias run/front/pages/;\n"
			  "    }\n"
			  "    location = / {\n"
			  "    return 303 /gate/;\n"
			  "    }\n"
			  "    location ~ ^/gate/static/(.*/)?([.]|.*~$) {\n"
			  "    return 404;\n"
			  "    }\n"
			  "    location /gate/static/ {\n"
			  "    alias etc/web/static/;\n"
			  "    add_header Content-Security-Policy \"default-src 'none'; style-src "
			  "'unsafe-inline'; sandbox; frame-ancestors 'none'\" always;\n"
			  "    add_header Cache-Control \"public, max-age=3600\";\n");
	add_headers(s, out);
	buf_add_text(out, "    gzip on;\n"
			  "    gzip_types text/css text/javascript image/svg+xml;\n"
			  "    }\n");
}

/*
 * seki-web is told what it needs of the header, and nothing else; Host least of all. It can send nginx nowhere else
 * (X-Accel-...).
 */
static void add_fastcgi(const struct settings *s, struct buf *out)
{
	buf_add_text(out,
	    "    fastcgi_pass_request_headers off;\n"
	    "    fastcgi_param REQUEST_METHOD $request_method;\n"
	    "    fastcgi_param REQUEST_URI $request_uri;\n"
	    "    fastcgi_param CONTENT_TYPE $content_type;\n"
	    "    fastcgi_param CONTENT_LENGTH $content_length;\n"
	    "    fastcgi_param REMOTE_ADDR $remote_addr;\n"
	    "    fastcgi_param HTTP_COOKIE $http_cookie;\n"
	    "    fastcgi_param HTTP_ACCEPT_LANGUAGE $http_accept_language;\n"
	    "    fastcgi_param HTTP_SEC_FETCH_SITE $http_sec_fetch_site;\n"
	    "    fastcgi_param HTTP_ORIGIN $http_origin;\n"
	    "    fastcgi_ignore_headers X-Accel-Redirect X-Accel-Expires X-Accel-Limit-Rate "
	    "X-Accel-Buffering X-Accel-Charset;\n"
	    "    fastcgi_ignore_client_abort on;\n"
	    "    fastcgi_buffer_size 32k;\n"
	    "    fastcgi_buffers 16 16k;\n"
	    "    fastcgi_max_temp_file_size " ANSWER_KEPT ";\n"
	    "    fastcgi_connect_timeout 15s;\n"
	    "    fastcgi_send_timeout 15s;\n");
	buf_addf(out, "    fastcgi_read_timeout %llds;\n",
	    (long long)(web_patience_request(s) / CLOCK_SECOND) + PATIENCE);
}

/* seki-web's answers have headers of their own: the empty one here keeps those of this server away. */
static void add_pass(const struct settings *s, struct buf *out)
{
	static const char pass[] = "    add_header X-Content-Type-Options \"\";\n"
				   "    fastcgi_pass unix:run/web/socket;\n";

	buf_addf(out, "    location / {\n%s    }\n    location = /gate/m/file {\n%s", pass, pass);
	buf_addf(out,
	    "    limit_conn sources %lld;\n    limit_conn readers %d;\n    limit_conn files %d;\n"
	    "    fastcgi_max_temp_file_size %lld;\n    }\n",
	    (long long)s->web_source_connections, FILES_ONE, FILES_ALL, (long long)s->message_size);
}

bool front_config(const struct settings *settings, const struct front_machine *machine,
    struct buf *out, char *fault, size_t room)
{
	buf_init(out, CONFIG_MAX);
	if (!is_safe(settings, fault, room))
		return false;
	add_main(settings, machine, out);
	buf_add_text(out, "http {\n");
	add_limits(settings, out);
	add_frames(out);
	if (!add_proxies(settings, out, fault, room))
		return false;
	buf_add_text(out, "  server {\n");
	if (!add_listen(settings, machine, out, fault, room))
		return false;
	add_tls(settings, out);
	buf_add_text(out,
	    "    add_header Content-Security-Policy \"default-src 'none'; style-src 'self'; "
	    "img-src "
	    "'self'; base-uri 'none'; form-action 'none'; frame-ancestors $front_ancestors\" "
	    "always;\n"
	    "    add_header Cache-Control no-store always;\n");
	add_headers(settings, out);
	add_error_pages(out);
	add_static(settings, out);
	add_fastcgi(settings, out);
	add_pass(settings, out);
	buf_add_text(out, "  }\n}\n");
	if (!buf_ok(out))
		(void)snprintf(fault, room, "no memory");
	return buf_ok(out);
}

void front_line(const char *line, size_t len, char out[FRONT_LINE])
{
	/* "2026/11/22 09:35:01 [emerg] 4711#4711: words, client: ..., request: \"...\"" */
	const char *level = memchr(line, '[', len);
	const char *client;

	if (level != NULL) {
		len -= (size_t)(level - line);
		line = level;
	}
	client = memmem(line, len, ", client: ", 10);
	if (client != NULL)
		len = (size_t)(client - line);
	if (len >= FRONT_LINE)
		len = FRONT_LINE - 1;
	memcpy(out, line, len);
	out[len] = '\0';
}
