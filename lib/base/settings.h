/*
 * The settings: every bound of every program, in one table with its type, its limits and its
 * default. etc/settings holds lines "NAME VALUE"; a name that is not in the table is an error, a
 * name that is left out has its default. Syntax and meaning: sekisho-settings(5).
 */
#ifndef SEKISHO_BASE_SETTINGS_H
#define SEKISHO_BASE_SETTINGS_H

#include "lib/base/compat.h"
#include "lib/base/conf.h"

/* clang-format off */

/*
 * TYPE      field of struct settings     how it is written
 * YESNO     bool                         yes | no
 * NUMBER    int64_t                      digits
 * SIZE      int64_t bytes                digits and B, KB, MB, GB (1 KB = 1,024 bytes)
 * SPAN      int64_t microseconds         digits and s, m, h, d, w
 * TEXT      char[SETTING_TEXT_MAX]       one word
 * LIST      char[SETTING_TEXT_MAX]       words, joined by one space each
 * CHOICE    int64_t, index into words    one of the words in the default's row ("a|b|c": a is default)
 *
 * S(TYPE, name in etc/settings, field, default, smallest, largest, what it is)
 */
#define SETTINGS(S) \
S(YESNO,  "trial",                 trial,                 "no",     0, 0, "this instance is a trial or a test: say what an installed service would refuse, and go on") \
S(TEXT,   "hostname",              hostname,              "-",      0, 0, "the name in the banner and in Received; - is the machine's own") \
S(YESNO,  "spool-any-filesystem",  spool_any_filesystem,  "no",     0, 0, "run on a file system whose journal was not tested") \
S(NUMBER, "space-percent",         space_percent,         "5",      0, 90, "new mail gets 452 below this much free space, or below space-bytes, whichever is less") \
S(SIZE,   "space-bytes",           space_bytes,           "256MB",  0, 1099511627776, "see space-percent") \
S(NUMBER, "space-files",           space_files,           "1000",   0, 1000000000, "new mail gets 452 when fewer files than this can still be made") \
S(SIZE,   "ballast",               ballast,               "16MB",   0, 17179869184, "space kept aside for trailers and logs on a full disk") \
S(SPAN,   "sweep-every",           sweep_every,           "5m",     1, 86400, "each stage reads its whole directory this often, in case an event was lost") \
S(SIZE,   "trailer-max",           trailer_max,           "4MB",    65536, 67108864, "a leg with more records than this stops for the operator") \
S(NUMBER, "legs-max",              legs_max,              "50",     1, 10000, "a message that would become more legs waits for the operator") \
S(SIZE,   "split-max",             split_max,             "2GB",    1, 1099511627776, "a message whose legs would take more space waits for the operator") \
S(SPAN,   "keep-sent",             keep_sent,             "26w",    0, 315360000, "how long head, header and trailer of sent mail are kept; 0s is for ever") \
S(SPAN,   "keep-trash",            keep_trash,            "14d",    0, 315360000, "how long discarded mail can be brought back; 0s is for ever") \
S(SPAN,   "keep-refused",          keep_refused,          "14d",    0, 315360000, "how long refused mail is kept; 0s is for ever") \
S(SPAN,   "keep-bad",              keep_bad,              "0s",     0, 315360000, "how long what could not be read is kept; 0s is for ever") \
S(LIST,   "smtp-listen",           smtp_listen,           "*:25",   0, 0, "where seki-smtpd listens: ADDRESS:PORT, [V6]:PORT or *:PORT") \
S(NUMBER, "smtp-sessions",         smtp_sessions,         "200",    1, 10000, "SMTP sessions at once") \
S(NUMBER, "smtp-sessions-source",  smtp_sessions_source,  "100",    1, 10000, "SMTP sessions at once from one address") \
S(NUMBER, "smtp-reuse",            smtp_reuse,            "100",    1, 10000, "connections of one relay source that one process serves before it ends; 1 is never again") \
S(SPAN,   "smtp-reuse-time",       smtp_reuse_time,       "60s",    1, 3600, "how old such a process may become") \
S(SPAN,   "smtp-timeout",          smtp_timeout,          "5m",     1, 3600, "silence that ends a session") \
S(SPAN,   "smtp-transaction-time", smtp_transaction_time, "1h",     1, 86400, "from MAIL to the final dot at most") \
S(NUMBER, "smtp-errors",           smtp_errors,           "20",     1, 1000, "wrong commands after which a session is closed") \
S(NUMBER, "recipients",            recipients,            "1000",   1, 10000, "recipients of one message") \
S(SIZE,   "message-size",          message_size,          "150MB",  65536, 17179869184, "largest message taken") \
S(CHOICE, "bare-newline",          bare_newline,          "refuse|repair", 0, 0, "a CR or LF that stands alone in a message") \
S(LIST,   "submission-listen",     submission_listen,     "-",      0, 0, "where seki-smtpd takes mail from users by STARTTLS and AUTH; - is nowhere") \
S(LIST,   "submissions-listen",    submissions_listen,    "-",      0, 0, "the same with TLS from the first byte; - is nowhere") \
S(LIST,   "proxy-from",            proxy_from,            "-",      0, 0, "networks of proxies: each of their connections begins with a PROXY v2 header; - is none") \
S(SPAN,   "proxy-time",            proxy_time,            "5s",     1, 60, "how long a proxy may take for its PROXY header") \
S(CHOICE, "tls-minimum",           tls_minimum,           "1.2|1.3", 0, 0, "the oldest version of TLS that is spoken") \
S(TEXT,   "tls-client-ca",         tls_client_ca,         "/etc/ssl/certs/ca-certificates.crt", 0, 0, "the authorities that are believed about the certificates of relay sources") \
S(SPAN,   "tls-tickets",           tls_tickets,           "1d",     0, 2592000, "how long a TLS session can be resumed; 0s is never") \
S(NUMBER, "smtp-strangers",        smtp_strangers,        "100",    1, 10000, "sessions at once of clients that have not yet proved who they are") \
S(SPAN,   "smtp-stranger-time",    smtp_stranger_time,    "60s",    5, 3600, "how long a client may take to prove who it is") \
S(SPAN,   "smtp-stranger-grace",   smtp_stranger_grace,   "3s",     0, 60, "what every stranger has to himself before he may have to make room") \
S(NUMBER, "smtp-rate",             smtp_rate,             "120",    1, 1000000, "connections a minute from one address that is no relay source") \
S(NUMBER, "smtp-messages",         smtp_messages,         "1000",   1, 1000000, "messages of one session") \
S(NUMBER, "smtp-idle-commands",    smtp_idle_commands,    "100",    1, 100000, "commands in a row that bring a session no further, before each counts as wrong") \
S(SIZE,   "smtp-line",             smtp_line,             "16MB",   998, 17179869184, "longest line of a message") \
S(SIZE,   "header-size",           header_size,           "1MB",    65536, 16777216, "largest header of a message") \
S(NUMBER, "received-max",          received_max,          "30",     5, 100, "Received lines, behind which a message is taken for one that goes round in circles") \
S(NUMBER, "loop-passes",           loop_passes,           "1",      1, 30, "how often one message may pass this gateway") \
S(CHOICE, "foreign-sender",        foreign_sender,        "refuse|hold|allow", 0, 0, "mail of a login whose sender is none of its own addresses") \
S(NUMBER, "quota-login-hour",      quota_login_hour,      "500",    0, 10000000, "recipients that a login may have in an hour; 0 is any number") \
S(NUMBER, "quota-login-day",       quota_login_day,       "2000",   0, 10000000, "the same in a day") \
S(NUMBER, "quota-source-hour",     quota_source_hour,     "500",    0, 10000000, "recipients that a relay source may have in an hour; 0 is any number") \
S(NUMBER, "quota-source-day",      quota_source_day,      "2000",   0, 10000000, "the same in a day") \
S(NUMBER, "quota-entries",         quota_entries,         "100000", 1000, 10000000, "logins and sources that are counted") \
S(NUMBER, "auth-clients",          auth_clients,          "256",    1, 4096, "sessions that seki-auth listens to at once") \
S(NUMBER, "auth-checks",           auth_checks,           "8",      1, 256, "passwords that are checked at once") \
S(SPAN,   "auth-timeout",          auth_timeout,          "30s",    1, 300, "how long a check of a password may take") \
S(SPAN,   "auth-cache",            auth_cache,            "5m",     0, 86400, "how long a password that was right is remembered; 0s is not at all") \
S(SPAN,   "auth-failures-time",    auth_failures_time,    "15m",    60, 86400, "how long a wrong password counts") \
S(NUMBER, "auth-failures-source",  auth_failures_source,  "20",     1, 100000, "wrong passwords from one address (IPv6: one /64) before it is not heard any more for a while") \
S(NUMBER, "auth-failures-login",   auth_failures_login,   "50",     1, 100000, "wrong passwords for one login before only known addresses may try") \
S(NUMBER, "auth-tries",            auth_tries,            "3",      1, 100, "wrong passwords in one session before it is closed") \
S(SPAN,   "auth-delay",            auth_delay,            "1s",     0, 60, "how long the answer to the first wrong password is withheld; each further one twice as long") \
S(SPAN,   "auth-delay-longest",    auth_delay_longest,    "15s",    0, 60, "the longest such delay") \
S(NUMBER, "auth-remember",         auth_remember,         "65536",  1024, 10000000, "addresses and logins whose failures and successes are remembered") \
S(NUMBER, "queue-clients",         queue_clients,         "256",    1, 4096, "messages received at once by seki-queue") \
S(SPAN,   "queue-timeout",         queue_timeout,         "10m",    1, 86400, "silence after which seki-queue gives a half-sent message up") \
S(LIST,   "plan-states",           plan_states,           "deliver", 0, 0, "for tests and trials: the states that every message passes, out of approve hold encrypt stagger deliver") \
S(SPAN,   "plan-hold",             plan_hold,             "0s",     0, 31536000, "for tests and trials: how long hold keeps a message, from its acceptance") \
S(SPAN,   "plan-stagger",          plan_stagger,          "0s",     0, 31536000, "for tests and trials: how long stagger keeps a message, from its acceptance") \
S(CHOICE, "plan-divide",           plan_divide,           "no|domain|recipient", 0, 0, "for tests and trials: a leg of its own for each recipient domain or recipient") \
S(TEXT,   "route",                 route,                 "mx",     0, 0, "where mail goes that etc/routes has no line for: mx, host:PLACE, maildir:PATH or refuse:WORD") \
S(NUMBER, "deliver-workers",       deliver_workers,       "4",      1, 64, "threads of seki-deliver that read and write the spool") \
S(SPAN,   "retry-first",           retry_first,           "5m",     1, 86400, "the first wait after a delivery that failed for now; each further wait is twice as long") \
S(SPAN,   "retry-longest",         retry_longest,         "4h",     1, 604800, "the longest such wait") \
S(NUMBER, "deliver-sessions",     deliver_sessions,      "20",      1, 1000, "SMTP sessions at once to one destination") \
S(NUMBER, "deliver-sessions-all", deliver_sessions_all,  "100",     1, 2000, "SMTP sessions at once to all destinations") \
S(NUMBER, "deliver-session-messages",deliver_session_messages,"100",     1, 100000, "messages that one session carries") \
S(SPAN,   "deliver-session-idle", deliver_session_idle,  "5s",      0, 300, "how long a session is kept open for the next message") \
S(SPAN,   "deliver-session-time", deliver_session_time,  "2h",      60, 86400, "the longest that a session may last") \
S(NUMBER, "deliver-recipients",   deliver_recipients,    "100",     1, 10000, "recipients of one transaction; more are sent in several") \
S(NUMBER, "deliver-addresses",    deliver_addresses,     "8",       1, 100, "addresses of a destination that one session tries") \
S(NUMBER, "deliver-legs",         deliver_legs,          "1000",    10, 100000, "legs that are being sent at once; others wait in deliver/") \
S(NUMBER, "deliver-destinations", deliver_destinations,  "10000",   100, 1000000, "destinations that are remembered") \
S(NUMBER, "deliver-sessions-first",deliver_sessions_first,"5",       1, 1000, "sessions to a destination at first; each message that it takes allows one more") \
S(NUMBER, "deliver-recipients-all",deliver_recipients_all,"100000",  1000, 10000000, "recipients of the legs that are being sent at once, beyond which no other is begun") \
S(SPAN,   "deliver-fallback-time", deliver_fallback_time, "1h",     1, 2592000, "how long a destination that refused mail over IPv6 by its policy gets it over IPv4 alone") \
S(SPAN,   "deliver-dead",         deliver_dead,          "5m",      1, 86400, "how long a destination that could not be reached is left alone") \
S(CHOICE, "deliver-tls",          deliver_tls,           "may|none", 0, 0, "TLS to other servers: if they offer it, or never") \
S(CHOICE, "deliver-ip",           deliver_ip,            "any|4|6", 0, 0, "the addresses that are used: IPv6 and then IPv4, or one of them alone") \
S(CHOICE, "deliver-eightbit",         deliver_eightbit,          "send|bounce", 0, 0, "8-bit mail for a server that does not offer 8BITMIME: sent as it is, or returned") \
S(TEXT,   "deliver-name",         deliver_name,          "-",       0, 0, "the name in EHLO; - is hostname") \
S(LIST,   "own-names",            own_names,             "-",       0, 0, "names that are this gateway as well: mail for them by DNS is a loop; - is none but hostname") \
S(NUMBER, "mx-port",              mx_port,               "25",      1, 65535, "for tests and trials: the port of servers that are found in the DNS") \
S(SPAN,   "expire",               expire,                "5d",      1, 31536000, "how long mail is tried, from its first try on, before it is returned") \
S(SPAN,   "delay-warning",        delay_warning,         "4h",      0, 31536000, "after this long the sender is told that his mail is late; 0s is never") \
S(SPAN,   "remote-connect",       remote_connect,        "30s",     1, 600, "until a connection to one address is there") \
S(SPAN,   "remote-greeting",      remote_greeting,       "5m",      1, 3600, "until a server has greeted") \
S(SPAN,   "remote-command",       remote_command,        "5m",      1, 3600, "until a command has its whole reply") \
S(SPAN,   "remote-data",          remote_data,           "2m",      1, 3600, "until DATA, or STARTTLS, has its reply") \
S(SPAN,   "remote-block",         remote_block,          "3m",      1, 3600, "until a server has taken another 64 KB of a message") \
S(SPAN,   "remote-dot",           remote_dot,            "10m",     1, 3600, "until the final dot has its reply") \
S(SIZE,   "remote-reply",         remote_reply,          "16KB",    512, 1048576, "the longest reply that is read") \
S(LIST,   "resolve-servers",      resolve_servers,       "-",       0, 0, "name servers that are asked, ADDRESS or ADDRESS@PORT; - asks the DNS from the root on") \
S(LIST,   "resolve-stubs",        resolve_stubs,         "-",       0, 0, "name servers of single zones, ZONE=ADDRESS or ZONE=ADDRESS@PORT; - is none") \
S(LIST,   "resolve-anchors",      resolve_anchors,       "-",       0, 0, "files with trust anchors beside the root's; - is none") \
S(LIST,   "resolve-insecure",     resolve_insecure,      "-",       0, 0, "zones at and below which nothing is validated; - is none") \
S(SPAN,   "resolve-time",         resolve_time,          "30s",     1, 600, "how long a question may take") \
S(NUMBER, "resolve-clients",      resolve_clients,       "64",      1, 1024, "connections to seki-resolve at once") \
S(NUMBER, "resolve-questions",    resolve_questions,     "256",     1, 1024, "questions that are worked on at once") \
S(TEXT,   "notice-from",          notice_from,           "-",       0, 0, "the address in From of what the gateway itself sends; - is MAILER-DAEMON at hostname") \
S(SIZE,   "notice-return",        notice_return,         "256KB",   0, 1073741824, "the largest mail that a notice of failure returns as a whole; of a larger one its header") \
S(NUMBER, "notice-clients",       notice_clients,        "64",      1, 1024, "connections to seki-notice at once") \
S(SPAN,   "notice-time",          notice_time,           "60s",     1, 3600, "how long a notice may take to be made") \
S(CHOICE, "notice-charset",       notice_charset,        "utf-8|iso-2022-jp", 0, 0, "the charset of notices about held mail; what ISO-2022-JP cannot write goes as UTF-8") \
S(TEXT,   "web-url",              web_url,               "-",       0, 0, "where people reach their pages, as https://mail.example.co.jp: notices link there; - is nowhere") \
S(NUMBER, "inspectors",           inspectors,            "4",       1, 256, "messages that are inspected at once") \
S(SPAN,   "inspect-time",         inspect_time,          "60s",     1, 3600, "how long the inspection of one message may take") \
S(SPAN,   "inspect-cpu",          inspect_cpu,           "30s",     1, 3600, "processor time that the inspection of one message may take") \
S(SIZE,   "inspect-memory",       inspect_memory,        "64MB",    16777216, 4294967296, "memory of its own that the process has which inspects a message") \
S(NUMBER, "inspect-depth",        inspect_depth,         "50",      1, 500, "parts within parts of a message, and archives within archives") \
S(NUMBER, "inspect-parts",        inspect_parts,         "2000",    1, 100000, "parts of one message") \
S(SIZE,   "inspect-header",       inspect_header,        "256KB",   4096, 16777216, "the largest header of one part of a message") \
S(NUMBER, "inspect-members",      inspect_members,       "10000",   1, 10000000, "files in all archives of one message together") \
S(SIZE,   "inspect-expansion",    inspect_expansion,     "512MB",   1048576, 1099511627776, "what all archives of one message may become when they are unpacked") \
S(NUMBER, "inspect-ratio",        inspect_ratio,         "200",     10, 100000, "bytes that one byte of an archive may become, behind its first 8 MB") \
S(SIZE,   "inspect-html",         inspect_html,          "2MB",     65536, 67108864, "the longest HTML text that is read as a reader sees it") \
S(SIZE,   "inspect-names",        inspect_names,         "16MB",    65536, 1073741824, "text of one message that is searched for names of persons") \
S(NUMBER, "inspect-evidence",     inspect_evidence,      "20",      0, 100000, "values of each kind that a fact shows, masked") \
S(NUMBER, "regex-steps",          regex_steps,           "100000",  1000, 100000000, "steps of one regular expression, beyond which it counts as a match") \
S(NUMBER, "sealers",              sealers,               "2",       1, 64, "messages that are changed at once before they leave") \
S(SPAN,   "seal-time",            seal_time,             "10m",     1, 3600, "how long changing one message may take") \
S(NUMBER, "converters",           converters,            "2",       1, 64, "files that are converted at once") \
S(SPAN,   "convert-time",         convert_time,          "20s",     1, 600, "how long the conversion of one file may take") \
S(SIZE,   "convert-memory",       convert_memory,        "512MB",   67108864, 17179869184, "memory that a converter has") \
S(SIZE,   "convert-size",         convert_size,          "64MB",    65536, 1073741824, "the largest file that is converted") \
S(SIZE,   "convert-text",         convert_text,          "32MB",    65536, 1073741824, "the longest text that a conversion may give") \
S(TEXT,   "clamd",                clamd,                 "-",       0, 0, "the socket of clamd, which is asked about viruses; - is not at all") \
S(SPAN,   "clamd-time",           clamd_time,            "60s",     1, 600, "how long clamd may take for one message") \
S(CHOICE, "plan-facts",           plan_facts,            "no|yes",  0, 0, "for tests and trials: every message is inspected, and one that cannot be waits for an operator") \
S(TEXT,   "time-zone",            time_zone,             "-",       0, 0, "the site's time zone, as Asia/Tokyo, in which rules tell the time; - is the machine's") \
S(CHOICE, "watch-only",           watch_only,            "no|yes",  0, 0, "rules change nothing: mail is delivered, and what they would have done is recorded") \
S(CHOICE, "unknown-senders",      unknown_senders,       "relay|enrol|hold|refuse", 0, 0, "mail of senders who are not in etc/people: judged like any other, enrolled at the first, held for the operator or refused") \
S(NUMBER, "contracted-addresses", contracted_addresses,  "0",       0, 100000000, "registered addresses that were agreed on; 0 is none") \
S(TEXT,   "report-to",            report_to,             "-",       0, 0, "who gets the weekly report of what rules did and would have done; - is nobody") \
S(NUMBER, "visible-many",         visible_many,          "10",      2, 100000, "addresses in To and Cc from which on a sender is told that they can all be seen") \
S(CHOICE, "hold-notice",          hold_notice,           "risky|always|digest|never", 0, 0, "when a sender is told that mail waits, where no rule says it") \
S(SPAN,   "link-time",            link_time,             "14d",     3600, 31536000, "how long the link in a notice about held mail may be used") \
S(TEXT,   "web-listen",            web_listen,            "-",       0, 0, "where nginx serves people's pages, ADDRESS:PORT or *:PORT; - is nowhere") \
S(YESNO,  "web-tls",               web_tls,               "no",      0, 0, "the pages are served by TLS, with etc/tls/default.crt and .key") \
S(LIST,   "web-name",              web_name,              "-",       0, 0, "the name at the head of people's pages; - is none") \
S(NUMBER, "web-workers",           web_workers,           "4",       1, 64, "requests for people's pages that are dealt with at once") \
S(NUMBER, "web-connections",       web_connections,       "4096",    64, 100000, "connections of browsers at once") \
S(NUMBER, "web-source-connections",web_source_connections,"200",     8, 100000, "requests at once from one address, which may be a whole office") \
S(LIST,   "web-proxy",             web_proxy,             "-",       0, 0, "networks of proxies in front of the pages, which say in X-Forwarded-For who asks; - is none") \
S(SIZE,   "web-request",           web_request,           "64KB",    4096, 1048576, "largest form that a browser may send") \
S(SPAN,   "session-idle",          session_idle,          "30m",     60, 2592000, "who is logged in and does nothing this long has to log in again") \
S(SPAN,   "session-longest",       session_longest,       "12h",     60, 31536000, "and after this time in any case") \
S(NUMBER, "sessions",              sessions,              "10000",   10, 1000000, "people's logins that are remembered; one person has 20 of them at most") \
S(SPAN,   "login-link-time",       login_link_time,       "15m",     60, 86400, "how long the link may be used that is mailed to somebody who wants to log in") \
S(NUMBER, "login-links",           login_links,           "5",       0, 1000, "such links that one person is mailed in an hour if he asks from one network; 0: nobody logs in by mail") \
S(NUMBER, "login-links-source",    login_links_source,    "200",     1, 100000, "such links that are asked for from one address (IPv6: one /64) in an hour") \
S(CHOICE, "link-asks",             link_asks,             "nothing|pin|login", 0, 0, "what somebody must know, beside the link of a notice, to act by it") \
S(NUMBER, "own-rules",             own_rules,             "50",      0, 1000, "rules that one person may write on his pages") \
S(NUMBER, "own-rules-changes",     own_rules_changes,     "30",      0, 10000, "changes of his own rules that one person may make in an hour") \
S(NUMBER, "own-rules-changes-all", own_rules_changes_all, "300",     1, 10000, "such changes of all people together in an hour") \
S(SIZE,   "view-html",             view_html,             "1MB",     4096, 67108864, "HTML of a mail beyond this is not shown on people's pages; its text is") \
S(SIZE,   "view-image",            view_image,            "256KB",   0, 16777216, "largest image within a mail that is shown with its HTML") \
S(SPAN,   "view-time",             view_time,             "20s",     1, 600, "how long one mail may take to be rendered for a page") \
S(SPAN,   "remind-every",         remind_every,          "4h",      0, 2592000, "how often somebody is reminded of mail that waits for him, in one digest; 0s is never") \
S(TEXT,    "working-hours",        working_hours,         "09:00-18:00",0, 0, "when people work, Monday to Friday but for etc/holidays, in the site's time zone") \
S(SPAN,    "approve-escalate",     approve_escalate,      "4h",    0, 31536000, "working time after which deputies, and the boss's boss, may approve too; 0s is never") \
S(SPAN,    "approve-expire",       approve_expire,        "16h",   0, 31536000, "working time that an approval is waited for; 0s is for ever") \
S(CHOICE,  "approve-expiry",       approve_expiry,        "wait|discard",0, 0, "what becomes of mail that nobody approved in that time: it waits on, with an alarm, or is thrown away") \
S(SPAN,    "approve-warn",         approve_warn,          "2h",    0, 31536000, "how much working time before it is thrown away people are warned; 0s is not at all") \
S(SPAN,    "discard-after",        discard_after,         "3d",    60, 31536000, "when mail is thrown away that its sender did not confirm, by a rule that says so without a time") \
S(SPAN,    "warn-before",          warn_before,           "1d",    0, 31536000, "how long before mail is thrown away its sender is warned; 0s is not at all") \
S(SPAN,    "hold-longest",         hold_longest,          "30d",   60, 315360000, "how far from its acceptance the end of a hold can be put off") \
S(TEXT,    "quiet-hours",          quiet_hours,           "19:00-08:00",0, 0, "when nobody is reminded, as on days on which nobody works; - is no hour of the day") \
S(NUMBER,  "urgent-per-week",      urgent_per_week,       "0",     0, 1000, "how often in a week a sender may send at once what needs an approval, to be reviewed afterwards; 0 is never") \
S(YESNO,   "discard-draft",        discard_draft,         "yes",   0, 0, "the sender gets mail that a person threw away back as a draft") \
S(SPAN,   "past-time",            past_time,             "5s",      1, 600, "how long seki-db may take to answer") \
S(SPAN,   "keep-history",         keep_history,          "156w",    0, 315360000, "how long it is known who has written to whom") \
S(SPAN,   "dormant",              dormant,               "52w",     86400, 315360000, "a known recipient who was not written to for so long looks like a mistake") \
S(SIZE,   "tray-max",             tray_max,              "64MB",    65536, 17179869184, "what a program has told seki-db, or seki-audit, and neither has read yet") \
S(YESNO,  "audit",                 audit,                 "yes",    0, 0, "every decision is told to seki-audit; while that cannot write, new mail gets 451 and held mail stays") \
S(SPAN,   "audit-lag",             audit_lag,             "30s",    5, 3600, "seki-audit that has not said for so long that it is well is not") \
S(SPAN,   "clock-step",            clock_step,            "5m",     1, 86400, "a step of the wall clock of more than this is suspect: timers freeze") \
S(SPAN,   "clock-gap",             clock_gap,             "72h",    1, 31536000, "a start this long after the time last seen is suspect: timers freeze") \
S(SPAN,   "clock-mark-every",      clock_mark_every,      "60s",    1, 3600, "how often the time is written down")

/* clang-format on */

#define SETTING_TEXT_MAX 512

enum setting_type {
	SETTING_YESNO,
	SETTING_NUMBER,
	SETTING_SIZE,
	SETTING_SPAN,
	SETTING_TEXT,
	SETTING_LIST,
	SETTING_CHOICE,
};

enum bare_newline { BARE_NEWLINE_REFUSE, BARE_NEWLINE_REPAIR };
enum tls_minimum { TLS_MINIMUM_12, TLS_MINIMUM_13 };
enum foreign_sender { FOREIGN_SENDER_REFUSE, FOREIGN_SENDER_HOLD, FOREIGN_SENDER_ALLOW };
enum deliver_tls { DELIVER_TLS_MAY, DELIVER_TLS_NONE };
enum deliver_ip { DELIVER_IP_ANY, DELIVER_IP_4, DELIVER_IP_6 };
enum deliver_eightbit { DELIVER_EIGHTBIT_SEND, DELIVER_EIGHTBIT_BOUNCE };
enum notice_charset { NOTICE_UTF_8, NOTICE_ISO_2022_JP };
enum plan_facts { PLAN_FACTS_NO, PLAN_FACTS_YES };
enum watch_only { WATCH_ONLY_NO, WATCH_ONLY_YES };
enum unknown_senders { UNKNOWN_RELAY, UNKNOWN_ENROL, UNKNOWN_HOLD, UNKNOWN_REFUSE };
enum hold_notice { HOLD_NOTICE_RISKY, HOLD_NOTICE_ALWAYS, HOLD_NOTICE_DIGEST, HOLD_NOTICE_NEVER };
enum approve_expiry { APPROVE_EXPIRY_WAIT, APPROVE_EXPIRY_DISCARD };
enum plan_divide { PLAN_DIVIDE_NO, PLAN_DIVIDE_DOMAIN, PLAN_DIVIDE_RECIPIENT };

#define SETTING_FIELD_YESNO(field)  bool field
#define SETTING_FIELD_NUMBER(field) int64_t field
#define SETTING_FIELD_SIZE(field)   int64_t field
#define SETTING_FIELD_SPAN(field)   int64_t field
#define SETTING_FIELD_CHOICE(field) int64_t field
#define SETTING_FIELD_TEXT(field)   char field[SETTING_TEXT_MAX]
#define SETTING_FIELD_LIST(field)   char field[SETTING_TEXT_MAX]

struct settings {
#define S(type, name, field, fallback, smallest, largest, what) SETTING_FIELD_##type(field);
	SETTINGS(S)
#undef S
};

/* One row of the table, for what lists or documents the settings. */
struct setting {
	const char *name;
	enum setting_type type;
	const char *fallback; /* the default as it would be written; a CHOICE: all words, "a|b" */
	int64_t smallest;     /* in seconds for a SPAN */
	int64_t largest;
	const char *what;
	size_t offset; /* into struct settings */
};

/* The table itself; `*n` rows in the order above. */
const struct setting *settings_table(size_t *n);

/* Sets every field to its default. */
void settings_default(struct settings *s);

/*
 * Reads the file "settings" in the directory `etc` into `s`, defaults first. A missing file is an
 * error. Returns false with the first fault in `fault`; `s` is then not to be used.
 */
NODISCARD bool settings_read(int etc, struct settings *s, struct conf_fault *fault);

/* Reads "HH:MM-HH:MM", as minutes of a day: 0 <= begin < 1440, 0 <= end <= 1440; over midnight if end < begin.
 * False: it is none, or no time at all. */
NODISCARD bool settings_hours(const char *text, int *begin, int *end);

/* The setting hostname, or, if that is "-", the machine's own name. */
void settings_hostname(const struct settings *s, char name[SETTING_TEXT_MAX]);

/* Writes the value in force as it would stand in etc/settings. `room` >= SETTING_TEXT_MAX. */
void settings_show(const struct settings *s, const struct setting *row, char *text, size_t room);

#endif
