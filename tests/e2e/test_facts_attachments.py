"""The table of what an attachment is (tests/corpus/attachments/table): traps C7 and C8; S1-13, S1-22, S1-30, S1-31; M3,
M4, M6, M9, M12. A line of it is a sample and what must be told of it."""
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import REPO
from facts_kit import Desk, Facts, Told, program

HERE = REPO / "tests/corpus/attachments"
sys.path.insert(0, str(HERE))
import check  # noqa: E402

CASES = {case.sample: case for case in check.table()}


@pytest.fixture(scope="module")
def told() -> Iterator[dict[str, Facts]]:
    """The facts of all samples, from one call: a worker that has seen one message sees the next as it is."""
    desk = Desk()
    paths = [case.path for case in CASES.values()]
    said = desk.run(*paths)
    assert said.code == 0, said.err
    facts: dict[str, Facts] = {}
    for fact in said.facts:
        if fact[0] == "of":
            facts[Path(fact[1]["path"]).stem] = Facts()
        else:
            facts[next(reversed(facts))].append(fact)
    yield facts
    os.rmdir(desk.root)
    os.rmdir(desk.folder)


@pytest.mark.parametrize("sample", CASES)
def test_the_table(told: dict[str, Facts], sample: str) -> None:
    assert check.faults(CASES[sample], told[sample]) == []


@pytest.mark.parametrize("sample", [
    "plain", "inline-shown", "smime-signed", "winmail", "uuencode-two", "partial", "name-conflict"])
def test_alone_it_is_the_same(told: dict[str, Facts], sample: str) -> None:
    alone = check.told(CASES[sample].path, program("seki"))
    assert sorted(map(str, alone)) == sorted(map(str, told[sample]))


def test_every_sample_stands_in_the_table() -> None:
    assert {path.stem for path in HERE.glob("*.eml")} == set(CASES)


def test_the_table_covers_the_roles_and_marks_of_the_manual(told: dict[str, Facts]) -> None:
    roles = {f["role"] for facts in told.values() for f in facts.all("part")}
    assert roles >= {"container", "body", "file", "calendar", "report", "signature", "sealed", "message"}
    inline = {f["role"] for facts in told.values() for f in facts.all("file")}
    assert "inline" in inline
    marks = {m for facts in told.values() for f in facts.all("file") for m in f["marks"].split(",")}
    assert marks >= {"direction", "unseen", "path", "width", "mixed", "reserved", "tail", "double"}


@pytest.mark.parametrize("sample", CASES)
def test_parts_lie_in_the_message(told: dict[str, Facts], sample: str) -> None:
    """Byte ranges that sealing could splice: within the message, in order, and a child within its parent."""
    size = CASES[sample].path.stat().st_size
    parts = {f["path"]: tuple(int(f[k]) for k in ("start", "body", "end")) for f in told[sample].all("part")}
    assert len(parts) == len(told[sample].all("part"))
    for path, (start, body, end) in parts.items():
        assert 0 <= start <= body <= end <= size
        around = parts.get(path.rpartition(".")[0])
        assert around is None or (around[1] <= start and end <= around[2])
    roles = {f["path"]: f["role"] for f in told[sample].all("part")}
    for file in told[sample].all("file"):
        assert file["part"] in roles


def test_view_shows_no_more_than_the_texts(told: dict[str, Facts]) -> None:
    """Every part of every sample can be rendered, and none of it acts on a terminal."""
    desk = Desk()
    try:
        for sample in ("winmail", "calendar-alternative", "uuencode", "type-zip", "name-rtlo", "message", "html-attached"):
            for part in told[sample].all("part"):
                if part["role"] == "container":
                    continue
                seen: Told = desk.run("--view", part["path"], CASES[sample].path)
                assert seen.code == 0, seen.err
                assert not any(ord(c) < 32 and c not in "\n\t" or 0x7f <= ord(c) < 0xa0 for c in seen.text)
    finally:
        os.rmdir(desk.root)
        os.rmdir(desk.folder)
