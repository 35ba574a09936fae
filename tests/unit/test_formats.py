"""Every cell of tests/formats/table*: format, names, text, encryption, limits (S1-13, S1-27, S1-28, S4-03,
traps C7, C8, attacks M4, M5, M6, M7, M9, M12), within the memory that the inspector has."""

import os
import pathlib
import re
import resource
import shlex
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FORMATS = ROOT / "tests" / "formats"
ASKED = ("label=", "depth=", "members=", "expansion=", "ratio=")
MEMORY = 64 * 1024 * 1024


def cells():
    found = []
    for table in sorted(FORMATS.glob("table*")):
        for number, line in enumerate(table.read_text().splitlines(), 1):
            if line and not line.startswith("#"):
                found.append((f"{table.name}:{number}", line.split("\t")))
    return found


CELLS = cells()


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    folder = tmp_path_factory.mktemp("formats")
    for make in sorted(FORMATS.glob("make*.py")):
        done = subprocess.run(["/usr/bin/python3", make, folder], capture_output=True, timeout=300)
        assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    return folder


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    makefile = (ROOT / "Makefile").read_text()
    system = re.search(r"^SYSTEM := -Wl,--as-needed ((?:.*\\\n)*.*)$", makefile, flags=re.M).group(1)
    program = tmp_path_factory.mktemp("driver") / "driver"
    archives = [ROOT / "build" / f"lib{name}.a" for name in ("extract", "mime", "text", "base")]
    done = subprocess.run(
        ["gcc", "-std=c17", "-D_GNU_SOURCE", f"-I{ROOT}", "-O1", "-g", "-Wall", "-Wextra", "-pthread", "-o",
         program, FORMATS / "driver.c", "-Wl,--start-group", *archives, "-Wl,--end-group", "-Wl,--as-needed",
         *shlex.split(system.replace("\\\n", " "))], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return program


def unescaped(text):
    return text.replace("\\\\", "\0").replace("\\t", "\t").replace("\\n", "\n").replace("\0", "\\")


def look(driver, sample, words, tmp_path):
    def bound():
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, resource.RLIM_INFINITY))  # converters have their own
        resource.setrlimit(resource.RLIMIT_CPU, (30, 30))

    done = subprocess.run([driver, sample, *words], capture_output=True, timeout=60, preexec_fn=bound,
                          env=dict(os.environ, TMPDIR=str(tmp_path)))
    assert done.returncode == 0, (done.returncode, done.stderr)
    told = {}
    for line in done.stdout.decode("utf-8", "replace").split("\n"):
        if not line:
            continue
        key, _, value = line.partition("=")
        told.setdefault(key, []).append(unescaped(value).rstrip(" ") if key == "fault" else unescaped(value))
    return told


def compare(told, expected):
    """What is wrong, as lines."""
    wanted = {}
    for word in expected:
        key, _, value = word.partition("=")
        wanted.setdefault(key, []).append(unescaped(value))
    wrong = []
    for key, default in (("format", None), ("type", None), ("encrypted", ["no"])):
        if wanted.get(key, default) is not None and told[key] != wanted.get(key, default):
            wrong.append(f"{key}: {told[key]}")
    names, texts = told.get("member", []), told.get("text", [])
    if "names" in wanted:
        if len(names) != int(wanted["names"][0]):
            wrong.append(f"{len(names)} names")
    elif names != wanted.get("name", []):
        wrong.append(f"names: {names}")
    if "texts" in wanted and len(texts) != int(wanted["texts"][0]):
        wrong.append(f"{len(texts)} texts: {texts}")
    wrong += [f"no text {t!r} in {texts}" for t in wanted.get("text", []) if not any(t in x for x in texts)]
    wrong += [f"text {t!r}" for t in wanted.get("notext", []) if any(t in x for x in texts)]
    if told.get("convert", []) != wanted.get("convert", []):
        wrong.append(f"convert: {told.get('convert')}")
    faults, fitting = told.get("fault", []), wanted.get("fault", [])
    wrong += [f"fault: {f}" for f in faults if f not in fitting and f.split(" ")[0] not in fitting]
    wrong += [f"no fault {f}" for f in fitting if not any(x == f or x.split(" ")[0] == f for x in faults)]
    return wrong


@pytest.mark.parametrize("cell", [cell for _, cell in CELLS], ids=[f"{where}-{cell[1]}" for where, cell in CELLS])
def test_cell(cell, samples, driver, tmp_path):
    _, name, *rest = cell
    sample = FORMATS / "samples" / name
    sample = sample if sample.exists() else samples / name
    words = [word for word in rest if word.startswith(ASKED)]
    expected = [word for word in rest if not word.startswith(ASKED)]

    told = look(driver, sample, words, tmp_path)
    assert compare(told, expected) == []

    # Type and encryption are the same without a look at the texts, unless that is what found a limit.
    shallow = look(driver, sample, [*words, "shallow"], tmp_path)
    assert shallow["format"] == told["format"] and shallow["type"] == told["type"]
    if told["encrypted"] != ["unknown"]:
        assert shallow["encrypted"] == told["encrypted"]
    assert set(shallow) - {"convert"} == {"format", "type", "encrypted"}


def test_each_sample_is_in_the_table(samples):
    """A sample that nobody asks about proves nothing."""
    asked = {cell[1] for _, cell in CELLS}
    made = {p.name for p in samples.iterdir()} | {p.name for p in (FORMATS / "samples").iterdir()}
    assert made - asked == set()
