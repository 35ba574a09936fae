/* Legs and an organisation for the tests of lib/hold. Included by one program each. */
#ifndef SEKISHO_TESTS_HOLD_KIT_H
#define SEKISHO_TESTS_HOLD_KIT_H

#include "tests/unit/queue_kit.h"

#include "lib/org/compile.h"
#include "lib/org/org.h"

/* bob is alice's boss, carol his deputy, dave his boss. staff: erin, frank, and alice herself. */
#define HOLD_KIT_PEOPLE                                                                            \
	"alice@x.example boss=bob@x.example shared=info@x.example group=staff\n"                   \
	"bob@x.example alias=robert@x.example boss=dave@x.example deputy=carol@x.example\n"        \
	"carol@x.example\n"                                                                        \
	"dave@x.example deputy=carol@x.example\n"                                                  \
	"erin@x.example shared=info@x.example group=staff deputy=carol@x.example\n"                \
	"frank@x.example login=frankie group=staff\n"                                              \
	"grace@x.example shared=desk@x.example\n"                                                  \
	"alice+jp@x.example\n"
#define HOLD_KIT_GROUPS "staff\nempty\nall @x.example\nnamed robert@x.example desk@x.example\n"

static inline void hold_kit_file(const char *path, const char *text)
{
	kit_write(path, text, strlen(text));
}

/* In a scratch directory (kit_enter): compiles etc/, and opens it. */
static inline struct org *hold_kit_org(const char *holidays)
{
	struct conf_fault fault;
	struct org *org;
	int etc, out;

	if (mkdir("etc", 0755) == 0)
		assert_int_equal(mkdir("compiled", 0755), 0);
	hold_kit_file("etc/people", HOLD_KIT_PEOPLE);
	hold_kit_file("etc/groups", HOLD_KIT_GROUPS);
	hold_kit_file("etc/domains", "x.example internal\n");
	hold_kit_file("etc/holidays", holidays);
	etc = open("etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	out = open("compiled", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)unlinkat(out, ORG_FILE, 0);
	if (!org_compile(etc, out, NULL, &fault)) {
		char text[512];

		conf_fault_show(&fault, text, sizeof text);
		fail_msg("%s", text);
	}
	org = org_open(out);
	assert_non_null(org);
	(void)close(etc);
	(void)close(out);
	return org;
}

#define HOLD_KIT_TO "to bob@partner.example\nto carol@partner.example\n"

/* The envelope of mail from alice, who has logged in. */
#define HOLD_KIT_ALICE                                                                             \
	"from alice@x.example\n" HOLD_KIT_TO                                                       \
	"client 192.0.2.10 helo=pc1 proto=esmtpsa auth=alice@x.example\n"

/* The first 16 digits of the content's digest, as votes name it. */
static inline const char *hold_kit_content(void)
{
	static char hex[DIGEST_HEX];

	digest_of(KIT_CONTENT, strlen(KIT_CONTENT), hex);
	hex[16] = '\0';
	return hex;
}

/* A leg in memory, with that plan and those records behind it. */
static inline void hold_kit_leg(
    const char *envelope, const char *plan, const char *records, struct leg *leg)
{
	struct kit_bytes trailer = {NULL, 0}, bytes;

	kit_plan(&trailer, KIT_ID, "1", plan);
	kit_text(&trailer, records);
	bytes = kit_leg((struct kit_leg){.envelope = envelope, .trailer = trailer.at});
	assert_int_equal(kit_read(bytes.at, bytes.len, leg), LEG_FINE);
	kit_free(&bytes);
	kit_free(&trailer);
}

#endif
