/*
 * seki-encrypt(8): what of a mail is changed before it leaves. Jobs have it done by seki-seal(8), in a
 * sandbox, and put the new leg into the place of the old one.
 */
#ifndef SEKISHO_ENCRYPT_ENCRYPT_H
#define SEKISHO_ENCRYPT_ENCRYPT_H

/* Runs the stage in the current directory until SIGTERM. Returns an exit code. */
int encrypt_main(void);

#endif
