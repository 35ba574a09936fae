/* What the tables of inspect_prepare hold, for those who use them. */
#ifndef SEKISHO_INSPECT_TABLES_H
#define SEKISHO_INSPECT_TABLES_H

#include "lib/extract/extract.h"
#include "lib/inspect/inspect.h"
#include "lib/text/norm.h"
#include "lib/words/list.h"
#include "lib/words/partners.h"

const struct norm_tables *tables_norm(const struct inspect_tables *tables);
struct extract_tables *tables_extract(const struct inspect_tables *tables);
const struct partners *tables_partners(const struct inspect_tables *tables);

const struct word_lists *tables_lists(const struct inspect_tables *tables);

/* The dictionary, opened once. NULL: there is none. */
struct namer *tables_namer(const struct inspect_tables *tables);

#endif
