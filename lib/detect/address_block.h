/*
 * The numbers at the end of a Japanese address: 36丁目20番9号, 1丁目2-3, 1-2-3, 123番地の4, 一丁目二番三号.
 * Text is normalised (lib/text/norm.h).
 */
#ifndef SEKISHO_DETECT_ADDRESS_BLOCK_H
#define SEKISHO_DETECT_ADDRESS_BLOCK_H

#include "lib/base/compat.h"

/* What was found, the weakest first. */
enum address_block {
	ADDRESS_BLOCK_NONE,
	ADDRESS_BLOCK_BARE,   /* 123 */
	ADDRESS_BLOCK_PAIR,   /* 1-2, 1の2, 12番 */
	ADDRESS_BLOCK_DASHES, /* 1-2-3 */
	ADDRESS_BLOCK_SURE,   /* with 丁目, 番地 or 番 and 号 */
};

/* Whether a number in kanji may begin with the letter. */
NODISCARD bool address_numeral(uint32_t point);

/* The block number that begins at `at`, and in `*end` where it ends. */
NODISCARD enum address_block address_block(const char *text, size_t len, size_t at, size_t *end);

/*
 * Where a number ends that begins at `at` and is part of a town's name ("1条" of 北1条西2丁目, "4番町",
 * "10地割"); 0: none begins there.
 */
NODISCARD size_t address_unit(const char *text, size_t len, size_t at);

#endif
