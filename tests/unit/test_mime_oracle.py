"""lib/mime's reader of mailboxes against Python's two: whoever a field names to one of them must be
among those that we saw, or the field is unclear. So nobody is sent as whom the login does not own."""

import email.errors
import email.policy
import email.utils
import os
import pathlib
import random
import re
import struct
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEED = 20261122
MUTANTS = 20000

# Reads bodies, each behind its length as four big-endian bytes; says a line for each: the verdict
# and the addresses, with tabs between them.
READER = r"""
#include <stdio.h>
#include <stdlib.h>

#include "lib/mime/mailboxes.h"

static bool see(void *context, const char *address, size_t len)
{
	(void)context;
	printf("\t%.*s", (int)len, address);
	return true;
}

int main(void)
{
	static const char *const verdicts[] = {"ok", "unclear", "stopped"};
	unsigned char n[4];

	while (fread(n, 1, 4, stdin) == 4) {
		size_t len = (size_t)n[0] << 24 | (size_t)n[1] << 16 | (size_t)n[2] << 8 | n[3];
		char *body = malloc(len + 1);

		if (body == NULL || fread(body, 1, len, stdin) != len)
			return 1;
		printf("\t%s\n", verdicts[mailboxes_read(body, len, see, NULL)]);
		free(body);
	}
	return 0;
}
"""

CLEAR = [
    "me@example.co.jp",
    " Me Myself <me@example.co.jp>",
    '"Myself, Me" <me@example.co.jp>',
    '"boss@example.co.jp" <me@example.co.jp>',
    '"Boss \\"The\\" Boss" <me@example.co.jp>',
    "me@example.co.jp (Boss)",
    "(Boss (the) \\(boss) me@example.co.jp",
    "M. Q. Yamada <me@example.co.jp>",
    "=?utf-8?b?5bGx55Sw?= =?iso-2022-jp?B?GyRCOzNFRBsoQg==?= <me@example.co.jp>",
    "=?utf-8?q?boss=40example=2Eco=2Ejp?= <me@example.co.jp>",
    "us: boss@example.co.jp, Me <me@example.co.jp>;",
    "none:;",
    "us:me@example.co.jp;, boss@example.co.jp",
    "me@example.co.jp,\r\n boss@example.co.jp",
    "\r\n Me\r\n <me@example.co.jp>",
    "me@example.co.jp, , boss@example.co.jp,",
    '"me"@example.co.jp',
    '"m..e"@example.co.jp',
    "me@[192.0.2.1]",
    "山田 太郎 <太郎@例え.jp>",
    '"山田 太郎" <me@example.co.jp> (営業)',
]

UNCLEAR = [
    "Boss <boss@example.co.jp> <me@example.co.jp>",
    "boss@example.co.jp <me@example.co.jp>",
    "boss@example.co.jp me@example.co.jp",
    "(boss@example.co.jp) me@example.co.jp",
    '"Boss <boss@example.co.jp>" <me@example.co.jp>',
    "<@boss,@example.co.jp:me@example.co.jp>",
    '"boss@example.co.jp"@example.com',
    "boss@example.co.jp(<me@example.co.jp>)",
    "me@example.co.jp)boss@example.co.jp",
    "boss(x)@example.co.jp",
    "boss@example.co.jp(x).example",
    "boss @ example . co . jp",
    "=?utf-8?q?boss=40example.co.jp=3E?=@example.com",
    "us: boss@example.co.jp",
    "us: them: boss@example.co.jp;;",
    "boss@example.co.jp; me@example.co.jp",
    '"boss@example.co.jp <me@example.co.jp>',
    "boss@example.co.jp. <me@example.co.jp>",
    "boss@example.co.jp\0, me@example.co.jp",
    "boss@example.co.jp\r\nme@example.co.jp",
    "bo\r\n ss@example.co.jp",
    "<>",
    "boss",
    "Yamada, Taro <me@example.co.jp>",
    "<boss@example.co.jp\u00a0>",
    "bo\u200bss@example.co.jp",
    "\\\"boss@example.co.jp\\\" <me@example.co.jp>",
]

PIECES = [
    *'"\\()<>@,;:.[] \t', "\r\n ", "\r\n", '\\"', "\\)", "=?utf-8?q?", "?=", "=40", "a", "me", "boss",
    "boss@example.co.jp", "<boss@example.co.jp>", "example.co.jp", '"boss"', "(x)", "us:", ":;", ", ,",
    "山", "\u00a0", "\u3000", "\u200b", "\u2028", "\x00", "\x0b", "\x7f", "\x85", "\ufeff", "..",
]


def mutants() -> list[str]:
    """The same ones in each run."""
    chance = random.Random(SEED)
    made = []
    for _ in range(MUTANTS):
        text = chance.choice(CLEAR + UNCLEAR)
        for _ in range(chance.randint(1, 4)):
            at = chance.randint(0, len(text))
            how = chance.randint(0, 3)
            if how == 0:
                text = text[:at] + chance.choice(PIECES) + text[at:]
            elif how == 1:
                text = text[:at] + text[at + chance.randint(1, 3):]
            elif how == 2:
                text = text[:at] + chance.choice(PIECES) + text[at + 1:]
            else:
                other = chance.choice(CLEAR + UNCLEAR)
                text = text[:at] + other[chance.randint(0, len(other)):]
        made.append(text)
    for _ in range(MUTANTS // 4):
        made.append("".join(chance.choice(PIECES) for _ in range(chance.randint(1, 8))))
    return made


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    directory = tmp_path_factory.mktemp("mailboxes")
    (directory / "reader.c").write_text(READER)
    command = [os.environ.get("CC", "cc"), "-std=c17", "-D_GNU_SOURCE", f"-I{ROOT}", "-O1"]
    command += ["-o", str(directory / "reader"), str(directory / "reader.c")]
    command += [str(ROOT / "lib" / "mime" / name) for name in ("mailboxes.c", "utf8.c")]
    subprocess.run(command, check=True)

    def read(bodies: list[str]) -> list[tuple[str, list[str]]]:
        raw = [body.encode("utf-8") for body in bodies]
        fed = b"".join(struct.pack(">I", len(body)) + body for body in raw)
        said = subprocess.run([directory / "reader"], input=fed, capture_output=True, check=True)
        lines = said.stdout.decode("utf-8", errors="replace").split("\n")[:-1]
        assert len(lines) == len(bodies)
        told = [line.split("\t")[1:] for line in lines]
        return [(words[-1], [plain(address) for address in words[:-1]]) for words in told]

    return read


def plain(address: str) -> str:
    """Without the quotes of the local part: whether they stand there is a matter of form."""
    quoted = re.fullmatch(r'"([^"\\]*)"(@.*)', address, re.S)
    return quoted[1] + quoted[2] if quoted else address


def unfolded(body: str) -> str:
    return re.sub(r"\r\n(?=[ \t])", "", body)


def by_utils(body: str) -> list[str]:
    """What has an '@': it takes pieces of a name that is folded for addresses without one."""
    return [plain(address) for _, address in email.utils.getaddresses([body]) if "@" in address]


def by_registry(body: str) -> tuple[list[str], bool]:
    """The addresses, and whether the field is right by the grammar; None where it breaks down."""
    try:
        field = email.policy.default.header_factory("From", unfolded(body))
        return [plain(a.addr_spec) for a in field.addresses if a.addr_spec != "<>"], not field.defects
    except (IndexError, ValueError, AttributeError, TypeError, UnicodeError, email.errors.MessageError):
        return None, False


def test_the_corpus_is_read_as_meant(reader):
    """The comparison below would prove nothing with a reader that finds everything unclear."""
    assert [verdict for verdict, _ in reader(CLEAR)] == ["ok"] * len(CLEAR)
    assert [verdict for verdict, _ in reader(UNCLEAR)] == ["unclear"] * len(UNCLEAR)


def test_what_is_clear_is_the_same_to_python(reader):
    for body, (_, seen) in zip(CLEAR, reader(CLEAR)):
        # It sees nobody at all where it thinks that it was deceived: its choice differs by version.
        assert by_utils(body) in (seen, []), body
        assert by_registry(body)[0] == seen, body


def test_email_utils_finds_nobody_whom_we_did_not_see(reader):
    bodies = mutants()
    fine = 0
    for body, (verdict, seen) in zip(bodies, reader(bodies)):
        if verdict == "ok":
            fine += 1
            assert set(by_utils(body)) <= set(seen), f"{body!r}: {seen}"
            assert set(by_utils(unfolded(body))) <= set(seen), f"{body!r} unfolded: {seen}"
    assert fine > MUTANTS // 20


def test_email_headerregistry_finds_nobody_whom_we_did_not_see(reader):
    bodies = mutants()
    compared = 0
    for body, (verdict, seen) in zip(bodies, reader(bodies)):
        if verdict != "ok":
            continue
        theirs, right = by_registry(body)
        if theirs is None:
            continue
        assert set(theirs) <= set(seen), f"{body!r}: {seen}"
        if right:
            compared += 1
            assert theirs == seen, repr(body)
    assert compared > MUTANTS // 40
