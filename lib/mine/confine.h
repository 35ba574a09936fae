/* What the process of one request gives up before it reads it. */
#ifndef SEKISHO_MINE_CONFINE_H
#define SEKISHO_MINE_CONFINE_H

/*
 * From now on files of etc/ and what the audit log needs can be read, etc/policy/user and lib/compiled written, and
 * nothing else be reached. Dies if that fails.
 */
void mine_confine(void);

#endif
