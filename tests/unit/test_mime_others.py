"""Parts, types, names, sizes and decoded text that lib/mime sees, against GMime, Python's email package
and postal-mime: each disagreement stands in a table with its reason, and each line of it applies (M1, M3,
M8, M9, M12, traps C7, C8)."""

import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MIME = ROOT / "tests" / "mime"
CORPUS = ROOT / "tests" / "corpus"
ATTACHMENTS = CORPUS / "attachments"
BUILD = pathlib.Path(os.environ.get("SEKISHO_BUILD", ROOT / "build"))
sys.path.insert(0, str(MIME))

import compare  # noqa: E402
import crafted  # noqa: E402
import mutate  # noqa: E402

SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
FLAGS = ["-std=c17", "-D_GNU_SOURCE", f"-I{ROOT}", "-O1", "-g", "-Wall", "-Wextra", "-pthread"]


def compiled(program, source, words):
    done = subprocess.run([os.environ.get("CC", "gcc"), *FLAGS, "-o", program, MIME / source, *words],
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return program


def gmime_words():
    done = subprocess.run(["pkg-config", "--cflags", "--libs", "gmime-3.0"], capture_output=True, text=True)
    if done.returncode:
        pytest.skip("GMime is missing (package libgmime-3.0-dev)")
    return shlex.split(done.stdout)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Samples of attachments, messages of the labelled mails, crafted ones."""
    folder = tmp_path_factory.mktemp("messages")
    subprocess.run(["/usr/bin/python3", "-B", CORPUS / "build.py", folder], check=True, timeout=300)
    assert crafted.main([str(folder)]) == 0
    found = sorted(folder.glob("*.eml")) + sorted(ATTACHMENTS.glob("*.eml"))
    assert len({file.stem for file in found}) == len(found) > 400
    return found


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    archives = [BUILD / "sanitize" / f"lib{name}.a" for name in ("mime", "text", "base")]
    return compiled(tmp_path_factory.mktemp("driver") / "driver", "driver.c",
                    [*SANITIZERS, "-Wl,--start-group", *archives, "-Wl,--end-group", "-Wl,--as-needed",
                     "-ljansson", "-lcrypto", "-lidn2", "-lutf8proc", "-lgumbo"])


@pytest.fixture(scope="module")
def oracle(tmp_path_factory):
    return compiled(tmp_path_factory.mktemp("gmime") / "gmime", "gmime.c",
                    [*gmime_words(), "-ljansson", "-lcrypto"])


@pytest.fixture(scope="module")
def ours(driver, files):
    return compare.told_by(driver, files)


@pytest.fixture(scope="module")
def gmime(oracle, files):
    return compare.told_by(oracle, files)


@pytest.fixture(scope="module")
def found(ours, gmime, files):
    return compare.disagreements(ours, gmime, files, json.loads(compare.RECORDED.read_text()))


def test_every_disagreement_is_explained(found):
    """M1, M3, M8, M9, M12."""
    explained = compare.table()
    unexplained = [str(one) for one in found if one not in explained]
    assert unexplained == [], "tests/mime/disagreements lacks:\n" + "\n".join(unexplained)


def test_every_explanation_applies(found):
    past = [str(one) for one in compare.table() if one not in set(found)]
    assert past == [], "tests/mime/disagreements has what is no longer so:\n" + "\n".join(past)


def test_nothing_is_compared_in_vain(ours, gmime, files):
    """The comparison would pass, too, if nobody saw anything."""
    leaves = sum(len(ours[file.stem]["leaves"]) for file in files)
    assert leaves > 600 and sum(len(gmime[file.stem]["leaves"]) for file in files) > 600
    assert sum(1 for file in files for leaf in ours[file.stem]["leaves"] if leaf.get("text")) > 400
    assert sum(1 for file in files for leaf in ours[file.stem]["leaves"] if leaf["name"]) > 150


def test_what_was_recorded_is_of_these_messages(files):
    """postal-mime's results, which tests/mime/README tells how to make anew."""
    recorded = json.loads(compare.RECORDED.read_text())
    assert recorded["parser"].startswith("postal-mime ")
    committed = {file.stem: hashlib.sha256(file.read_bytes()).hexdigest() for file in files
                 if file.parent == ATTACHMENTS or file.stem.startswith("crafted-")}
    assert {name: told["sha256"] for name, told in recorded["messages"].items()} == committed


def contents(leaves):
    """Digests of what is not empty."""
    nothing = hashlib.sha256(b"").hexdigest()
    return {leaf["lines"] for leaf in leaves if leaf["lines"] != nothing}


# Where another sees bytes that we see in no reading, and the message is not told to be ambiguous:
# what they are decoded from is looked at in another way, as the table says.
ELSEWHERE = ("crafted-base64-", "crafted-quoted-", "crafted-message-", "crafted-encoding-blank", "crafted-delivery",
             "crafted-partial", "crafted-external", "crafted-boundary-unquoted-marks", "report", "partial", "external",
             "message-base64")


def test_what_another_sees_is_in_one_of_our_readings_or_told(ours, gmime, files):
    """M1: the union of readings. Nothing is hidden from us by a message that programs read differently."""
    hidden = []
    for file in files:
        told = ours[file.stem]
        if told["flags"] or told["limits"] or file.stem.startswith(ELSEWHERE):
            continue
        for parser, leaves in (("gmime", gmime[file.stem]["leaves"]), ("python", compare.python.leaves(file.read_bytes()))):
            if not contents(leaves) <= contents(told["leaves"]):
                hidden.append(f"{file.stem} {parser}")
    assert hidden == []


MUTANTS = 3000


def test_mutants_have_the_parts_that_gmime_sees(driver, oracle, tmp_path):
    """M1: of a message that is told to be readable in one way only, GMime sees no part that we do not, and
    no other type."""
    assert mutate.main([str(tmp_path), str(MUTANTS)]) == 0
    files = sorted(tmp_path.glob("*.eml"))
    ours, gmime = compare.told_by(driver, files), compare.told_by(oracle, files)
    compared, faults = 0, []
    for file in files:
        told = ours[file.stem]
        if told["flags"] or told["limits"]:
            continue
        here = {leaf["path"]: leaf["type"] for leaf in told["leaves"]}
        for leaf in gmime[file.stem]["leaves"]:
            compared += 1
            if here.get(leaf["path"]) != leaf["type"]:
                faults.append((file.stem, leaf["path"], leaf["type"], here.get(leaf["path"])))
    assert faults == []
    assert compared > MUTANTS // 5
