/*
 * Rules that people write themselves: what is asked at the door of seki-rules(8), the Unix stream socket
 * MINE_SOCKET; see sekisho-mine(5). One line from the client, one JSON object and a newline back, then the
 * connection ends. Words, xtext and bounds are those of sekisho-gate(5); keys stand in any order, each once.
 *
 *   session=TICKET rules
 *   session=TICKET try [NAME] WHEN… do=FUNCTION DO…
 *   session=TICKET add digest=HEX64 [NAME] WHEN… do=FUNCTION DO…
 *   session=TICKET remove digest=HEX64 n=N
 *
 * An empty value counts as a key that is not there, so that a form can hand on all of its fields. Keys of another
 * function than `do` names say nothing.
 *
 *   name=             letters A-Z a-z 0-9 - _ . ; left out: own-1, own-2 …
 *   when-to=          addresses, domains (@x.example, @.x.example, x.example), internal, affiliated, external,
 *                     partner, first-time, lookalike; parted by commas, blanks or newlines: one of them is the
 *                     recipient
 *   when-subject=     words, one of which is in the subject; parted by commas (, 、 ，) or newlines
 *   when-words=       the same, anywhere in the mail and its files
 *   when-attachment=  yes (there is a file), no, open (a file that is not encrypted)
 *   when-names=       *.xlsx, *.pdf: a file has such a name; parted as when-subject
 *   when-recipients=  N: it has so many recipients or more
 *   when-visible=     N: so many addresses or more stand in To and Cc
 *   when-class=       external, internal, affiliated: those alone are counted by the two above
 *   when-size=        2MB (B, KB, MB, GB): its files together are so large or larger
 *   when-time=        22:00-07:00, Sat-Sun, holiday: as the language has it; accepted then
 *
 *   do=hold           do-time= no | 5m | 30m | 2h … | HH:MM | HH:MM workday | confirmed | checked;  do-else=discard
 *   do=approve        do-who= no | boss | ADDRESS
 *   do=files          do-files= keep | zip | link;  with link do-time= 7d, if it is said
 *   do=password       do-password= NAME of etc/passwords
 *   do=bcc            do-bcc= no | external | all | each
 *   do=stagger        do-time= no | 60m …
 *   do=tls            do-tls= starttls | verified | sts | dane
 *   do=notice         do-notice= never | digest | risky | always
 *   do=insert         do-text= top NAME | end NAME | end history
 *   do=sign           do-name= DOMAIN
 *   do=route          do-name= NAME
 *   do=add-bcc, copy  do-who= boss | ADDRESS
 *   do=archive
 *
 * Answers. All have "result": done, no (with "code"), forged, expired.
 *
 * rules   done, address, digest, most, hand (bool: written by an administrator; shown, and not changed here),
 *         in-force (bool), allowed [{function, cannot (bool: this version cannot do it yet, such mail waits)}],
 *         passwords [NAME], texts [NAME] (empty unless the function is allowed),
 *         rules [{n, name, line, text, cannot (bool), not-allowed (bool: users may not decide it any more, so
 *         it is left out), fields {KEY: VALUE …} or null: no form can show it}],
 *         fault null or {line, column, text}: the file cannot be read, then rules is empty and "text" is all of it
 * try     done, name, text, warnings [{code, text}]; code: never-reached, never-matches, changes-nothing,
 *         cannot, other
 * add     done, n, name, text, warnings, generation, digest (of the file as it is now)
 * remove  done, generation, digest
 *
 * Codes of "no":
 *   request      that is no request
 *   field        with "field" (the key) and "why": missing, wrong, long, many, unknown, used (name); "text" in
 *                English
 *   not-allowed  etc/allow does not let users decide that function; field is "do"
 *   changed      the file is not the one of `digest` any more; "digest" is that of now
 *   hand         an administrator wrote the file
 *   many         he has own-rules of them already; "most"
 *   large        the file would become too large, or look for too much
 *   full         all people's rules together look for as much as they may
 *   often        so many changes are made in an hour, by him or by all
 *   none         there is no rule n
 *   fault        the file has a fault; "fault" {line, column, text}
 *   tests        a test of the administrator's would fail
 *   nobody       this person can have no rules
 *   later        it cannot be done just now; nothing has changed
 */
#ifndef SEKISHO_MINE_MINE_H
#define SEKISHO_MINE_MINE_H

#include "lib/base/compat.h"
#include "lib/base/settings.h"

#define MINE_SOCKET      "run/rules/socket"
#define MINE_REQUEST_MAX ((size_t)16384)           /* bytes of a request, with its newline */
#define MINE_ANSWER_MAX  ((size_t)4 * 1024 * 1024) /* bytes of an answer, with its newline */
#define MINE_PATIENCE    10 /* seconds for a request to come, and for an answer to be taken */

/* ---- the service ---- */

/*
 * Runs the administrator's tests of rules against the generation `name`, and, unless all pass, against the
 * current one. In a process of its own. True: none fails that does not fail now; false with `*unable` if they
 * cannot be run.
 */
typedef bool mine_test(const char *name, bool *unable);

/* Serves connections of `listener` until SIGTERM, in the instance's directory. `settings` stay the caller's. */
void mine_run(
    int listener, int signals, struct settings *settings, mine_test *test, void (*ready)(void));

/* Ends what a process that was killed has begun; logs what it could not. For the start. */
void mine_start(const struct settings *settings);

#endif
