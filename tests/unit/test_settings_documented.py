"""Every setting of the table stands in etc/settings and in sekisho-settings(5), with its default."""

import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Prints the table, one row a line, and the bounds as sekisho-settings(5) would write them.
LISTER = r"""
#include <stdio.h>
#include <string.h>

#include "lib/base/settings.h"

/* The bound as the program itself would show it. */
static void bound(const struct setting *row, int64_t value, char *text, size_t room)
{
	static struct settings s;
	int64_t scaled = row->type == SETTING_SPAN ? value * 1000000 : value;

	memcpy((char *)&s + row->offset, &scaled, sizeof scaled);
	settings_show(&s, row, text, room);
}

int main(void)
{
	static const char *const types[] = {
	    "yes or no", "number", "size", "span", "word", "words", "choice"};
	size_t n;
	const struct setting *table = settings_table(&n);

	for (size_t i = 0; i < n; i++) {
		char smallest[SETTING_TEXT_MAX] = "", largest[SETTING_TEXT_MAX] = "";

		if (table[i].largest > 0) {
			bound(&table[i], table[i].smallest, smallest, sizeof smallest);
			bound(&table[i], table[i].largest, largest, sizeof largest);
		}
		printf("%s\t%s\t%s\t%s\t%s\n", table[i].name, types[table[i].type],
		    table[i].fallback, smallest, largest);
	}
	return 0;
}
"""

# Reads the directory named by its argument and says the fault, if there is one.
READER = r"""
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/settings.h"

int main(int argc, char **argv)
{
	struct settings s, fresh;
	struct conf_fault fault;
	char text[512];
	int etc = argc == 2 ? open(argv[1], O_RDONLY | O_DIRECTORY) : -1;

	if (settings_read(etc, &s, &fault)) {
		settings_default(&fresh);
		puts(memcmp(&s, &fresh, sizeof s) == 0 ? "default" : "other");
		return 0;
	}
	conf_fault_show(&fault, text, sizeof text);
	puts(text);
	return 1;
}
"""


def build(directory, name, source):
    """Compiles one small program with the whole of lib/base."""
    path = directory / f"{name}.c"
    path.write_text(source)
    program = directory / name
    command = [os.environ.get("CC", "cc"), "-std=c17", "-D_GNU_SOURCE", f"-I{ROOT}", "-pthread"]
    command += ["-o", str(program), str(path)]
    command += sorted(str(c) for c in (ROOT / "lib" / "base").glob("*.c"))
    subprocess.run(command, check=True)
    return program


class Row:
    """One setting, as the program knows it."""

    def __init__(self, line):
        self.name, self.type, fallback, self.smallest, self.largest = line.split("\t")
        self.default = fallback.split("|")[0]
        self.choices = fallback.split("|") if self.type == "choice" else []


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("settings")


@pytest.fixture(scope="module")
def table(directory):
    lister = build(directory, "lister", LISTER)
    listed = subprocess.run([lister], check=True, capture_output=True, text=True).stdout
    rows = [Row(line) for line in listed.splitlines()]
    assert len(rows) > 30
    return rows


@pytest.fixture(scope="module")
def reader(directory):
    return build(directory, "reader", READER)


@pytest.fixture(scope="module")
def installed():
    """etc/settings: name -> (its commented line's value, the comment above it)."""
    found = {}
    comment = []
    for line in (ROOT / "etc" / "settings").read_text(encoding="utf-8").splitlines():
        shown = re.fullmatch(r"#([a-z][a-z-]*) (.*)", line)
        if shown:
            assert shown[1] not in found, f"{shown[1]} stands twice"
            found[shown[1]] = (shown[2], " ".join(comment))
            comment = []
        elif line.startswith("# ") or line == "#":
            comment.append(line[1:].strip())
        else:
            assert line == "", f"neither comment nor commented setting: {line}"
            comment = []
    return found


@pytest.fixture(scope="module")
def manual():
    """sekisho-settings(5): name -> the source of its entry."""
    source = (ROOT / "man" / "sekisho-settings.5").read_text(encoding="utf-8")
    section = source.split("\n.Sh SETTINGS\n")[1].split("\n.Sh ")[0]
    entries = re.split(r"^\.It Cm ", section, flags=re.M)[1:]
    found = {}
    for entry in entries:
        name, text = entry.split("\n", 1)
        assert name not in found, f"{name} stands twice"
        found[name] = text.split("\n.El")[0]
    return found


def test_etc_settings_shows_every_setting_and_no_other(table, installed):
    assert sorted(installed) == sorted(row.name for row in table)


def test_the_manual_has_every_setting_and_no_other(table, manual):
    assert sorted(manual) == sorted(row.name for row in table)


def test_etc_settings_shows_the_defaults(table, installed):
    assert {n: v for n, (v, _) in installed.items()} == {r.name: r.default for r in table}


def test_etc_settings_says_type_bounds_and_meaning(table, installed):
    for row in table:
        comment = installed[row.name][1]
        kind = row.type
        if row.choices:
            kind = " or ".join([", ".join(row.choices[:-1]), row.choices[-1]])
        assert comment.startswith(kind), f"{row.name}: {comment}"
        if row.largest:
            assert f"{row.smallest} to {row.largest}" in comment, f"{row.name}: {comment}"
        assert len(comment) > len(kind) + 20, f"{row.name}: {comment}"


def test_the_manual_says_type_bounds_and_default(table, manual):
    for row in table:
        text = manual[row.name]
        assert text.startswith(row.type.capitalize()), f"{row.name}: {text}"
        if row.largest:
            bounds = f"{row.type.capitalize()}, {row.smallest} to {row.largest}; default\n"
            assert text.startswith(bounds), f"{row.name}: {text}"
        default = re.search(r"default\n\.Li (.*) \.\n(.+)", text)
        assert default, f"{row.name}: {text}"
        assert default[1] == row.default
        for choice in row.choices:
            assert re.search(rf"^\.Cm .*\b{choice}\b", text, re.M), f"{row.name}: {choice}"


def test_the_manual_is_well_formed():
    page = ROOT / "man" / "sekisho-settings.5"
    said = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True
    )
    assert said.returncode == 0, said.stdout


def test_as_installed_everything_is_default(reader):
    said = subprocess.run([reader, ROOT / "etc"], capture_output=True, text=True)
    assert (said.returncode, said.stdout) == (0, "default\n")


def test_with_every_line_uncommented_everything_is_default(reader, tmp_path):
    text = (ROOT / "etc" / "settings").read_text(encoding="utf-8")
    (tmp_path / "settings").write_text(re.sub(r"(?m)^#(?=[a-z])", "", text), encoding="utf-8")
    said = subprocess.run([reader, tmp_path], capture_output=True, text=True)
    assert (said.returncode, said.stdout) == (0, "default\n")


def test_the_manuals_example_is_read(reader, tmp_path):
    source = (ROOT / "man" / "sekisho-settings.5").read_text(encoding="utf-8")
    example = re.search(r"\.Bd -literal.*?\n(.*?)\.Ed", source, re.S)[1]
    (tmp_path / "settings").write_text(example, encoding="utf-8")
    said = subprocess.run([reader, tmp_path], capture_output=True, text=True)
    assert (said.returncode, said.stdout) == (0, "other\n")


def test_the_manuals_diagnostics_are_the_programs(reader, tmp_path):
    """Each fault that the manual quotes with a line that can be made again."""
    source = (ROOT / "man" / "sekisho-settings.5").read_text(encoding="utf-8")
    quoted = {
        re.sub(r"^etc/settings(:\d+)*: ", "", text).replace(r"\(dq", '"')
        for text in re.findall(r'^\.It "(etc/settings.*)"$', source, re.M)
    }
    lines = [
        b"",
        b"trial no",
        b"trial \x1b\n",
        b"trial no\r\n",
        b"\xef\xbb\xbftrial no\n",
        b"a" * 4097 + b"\n",
        b"a " * 129 + b"\n",
        b"smtp-lisen *:25\n",
        b"\n" * 11 + b"smtp-listen *:25\nsmtp-listen *:25\n",
        b"smtp-listen\n",
        b"hostname a b\n",
        b"keep-sent 60\n",
        b"ballast 16M\n",
        b"smtp-errors many\n",
        b"smtp-errors 20s\n",
        b"smtp-timeout 2h\n",
        b"trial on\n",
        b"bare-newline refus\n",
        b"plan-states encrpyt deliver\n",
        b"plan-states encrypt hold deliver\n",
        b"plan-states hold\n",
        b"hostname gw_1\n",
        b"smtp-listen 25\n",
        b"route outbox\n",
        b"route maildir:../x\n",
        b"route maildir:" + b"a" * 600 + b"\n",
        b"\n" * (16 * 1024 * 1024 + 1),
    ]
    said = set()
    for line in lines:
        (tmp_path / "settings").write_bytes(line)
        out = subprocess.run([reader, tmp_path], capture_output=True, text=True).stdout
        said.add(re.sub(r"^etc/settings(:\d+)*: ", "", out.rstrip("\n")))
    said.discard("default")
    said |= {"the file is missing", "is not a regular file"}
    assert quoted == said
