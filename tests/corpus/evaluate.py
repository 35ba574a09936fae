#!/usr/bin/python3
"""Measures detection: labelled messages against what "seki facts" finds in them.

    tests/corpus/evaluate.py [-v] [--seki PROGRAM] [--count N] [--seed N] [--only mails|generated|manners] [NNN...]

Prints a table in the form of docs/detection.md: for each kind the labels, what was found, precision and
recall over distinct (message, kind, place, value). -v lists every miss and every false hit. NNN: these
mails alone.
"""

from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
import argparse
import build
import generate
import json
import mailfile
import os
import re
import shutil
import subprocess
import sys
import tempfile
from mailfile import KINDS, Mail

ROOT = Path(__file__).resolve().parents[2]
SEKI = ROOT / "build/bin/seki"
AT_ONCE = 50  # messages for one call

# What the gateway has to reach: precision, recall.
FIGURES = {"card": (0.99, 0.99), "mynumber": (0.99, 0.99), "phone": (0.97, 0.97),
           "address": (0.95, 0.95), "name": (0.90, 0.90)}
MANNERS_RIGHT = 0.9  # of the mails of each


class Broken(RuntimeError):
    """The tool did not do what it is there for."""


@dataclass
class Score:
    right: int = 0
    misses: list[tuple[str, str, str]] = field(default_factory=list)  # message, place, value
    false: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def labels(self) -> int:
        return self.right + len(self.misses)

    @property
    def found(self) -> int:
        return self.right + len(self.false)

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        return self.right / self.labels if self.labels else 1.0


# ---- asking ------------------------------------------------------------------------------------


def facts(paths: list[Path], seki: Path = SEKI, root: Path = Path("/nonexistent")) -> list[dict]:
    """The object of each message, in order; partners and lists are those of the instance `root`."""
    out = []
    for at in range(0, len(paths), AT_ONCE):
        some = paths[at:at + AT_ONCE]
        done = subprocess.run([seki, "facts", "--json", "--unmask", *some], capture_output=True, timeout=300,
                              env={**os.environ, "SEKISHO_ROOT": str(root)})
        lines = [json.loads(line) for line in done.stdout.decode().splitlines() if line.strip()]
        if done.returncode or len(lines) != len(some):
            raise Broken(f"{seki} facts: exit {done.returncode}, {len(lines)} of {len(some)} answers\n"
                         + done.stderr.decode(errors="replace")[-2000:])
        out += lines
    return out


def found_in(answer: dict) -> set[tuple[str, str, str]]:
    """(kind, place, value), each value in its one way of writing."""
    found = set()
    for one in answer.get("detectors", []):
        values = {mailfile.normal(one["kind"], v) for v in one["values"]}
        if len(values) < one["count"]:
            raise Broken(f"{one['kind']} {one['place']}: {one['count']} hits, {len(one['values'])} shown")
        found |= {(one["kind"], one["place"], v) for v in values}
    return found


# ---- comparing ---------------------------------------------------------------------------------


def same_address(label: str, found: str) -> bool:
    """
    The same place to the same block: a prefecture or a city that one of them leaves out in front, and
    a building behind, make no difference. A block number that is cut does.
    """
    label, found = plain_block(label), plain_block(found)
    if label == found:
        return True
    short, long = sorted((label, found), key=len)
    at = long.find(short)
    if at < 0 or not re.search(r"[市区町村]", short) or (at > 0 and not re.search(r"[都道府県市区郡町村]$", long[:at])):
        return False
    behind = long[at + len(short):]
    return not behind or (long == found and not re.match(r"[-\d]", behind))


def plain_block(address: str) -> str:
    """Kanji numerals of a block as digits, 丁目, 番地, 番, の and 号 between and behind digits as "-"."""
    address = re.sub(r"[〇一二三四五六七八九十]+(?=丁目|番|号|の\d)", lambda m: str(kanji_number(m.group())), address)
    address = re.sub(r"(?<=\d)(?:丁目|番地の?|番|号|の)(?=\d)", "-", address)
    return re.sub(r"(?<=\d)(?:丁目|番地|番|号)+", "", address)


def kanji_number(text: str) -> int:
    digits = {c: i for i, c in enumerate("〇一二三四五六七八九")}
    if "十" not in text:
        return int("".join(str(digits[c]) for c in text))
    tens, _, ones = text.partition("十")
    return (digits.get(tens, 1) if tens else 1) * 10 + (digits.get(ones, 0) if ones else 0)


def compare(name: str, labels: set, found: set, scores: dict[str, Score]) -> None:
    found = set(found)
    for kind, place, value in sorted(labels):
        match = (kind, place, value)
        if match not in found and kind == "address":
            match = next((f for f in sorted(found) if f[:2] == (kind, place) and same_address(value, f[2])), match)
        if match in found:
            scores[kind].right += 1
            found.discard(match)
        else:
            scores[kind].misses.append((name, place, value))
    for kind, place, value in sorted(found):
        scores[kind].false.append((name, place, value))


def evaluate(mails: list[Mail], seki: Path = SEKI) -> tuple[dict[str, Score], list[str]]:
    """The score of each kind, and what could not be looked into."""
    scores: dict[str, Score] = defaultdict(Score)
    with messages(mails) as paths:
        answers = facts(paths, seki)
    closed = []
    for mail, answer in zip(mails, answers):
        compare(mail.name, mailfile.labels_of(mail), found_in(answer), scores)
        closed += [f"{mail.name}: {what}" for what in answer.get("uninspectable", [])]
    return scores, closed


@contextmanager
def messages(mails: list[Mail]):
    """The paths of files that hold them."""
    with tempfile.TemporaryDirectory(prefix="sekisho-corpus-", dir="/var/tmp") as folder:
        paths = []
        for mail in mails:
            path = Path(folder) / f"{mail.name}.eml"
            path.write_bytes(build.message(mail))
            paths.append(path)
        yield paths


def manners(mails: list[Mail], seki: Path = SEKI) -> dict[str, tuple[int, list[str]]]:
    """Of each of greeting, honorific and promise: how many labels there are, and what was told wrongly."""
    with messages(mails) as paths, tempfile.TemporaryDirectory(prefix="sekisho-partners-") as root:
        os.chmod(root, 0o755)
        (Path(root) / "etc").mkdir()
        shutil.copy(mailfile.FOLDER / "partners", Path(root) / "etc/partners")
        answers = facts(paths, seki, Path(root))
    out: dict[str, tuple[int, list[str]]] = {}
    for mail, answer in zip(mails, answers):
        said = {"greeting": answer["greeting"]["verdict"], "honorific": answer["greeting"]["honorific"],
                "promise": "yes" if answer["message"]["promises-file"] else "no"}
        for what, word in mail.labels:
            labels, wrong = out.get(what, (0, []))
            out[what] = (labels + 1, wrong + ([] if said[what] == word else [f"{mail.name}: {word}, but {said[what]}"]))
    return out


# ---- telling -----------------------------------------------------------------------------------


def table(scores: dict[str, Score]) -> str:
    lines = ["| kind | labels | found | precision | recall | must |", "| --- | --- | --- | --- | --- | --- |"]
    for kind in KINDS:
        s = scores[kind]
        must = "≥ {:.2f}/{:.2f}".format(*FIGURES[kind]) if kind in FIGURES else ""
        lines.append(f"| {kind} | {s.labels} | {s.found} | {s.precision:.3f} | {s.recall:.3f} | {must} |")
    return "\n".join(lines)


def below(scores: dict[str, Score]) -> list[str]:
    """Which kinds miss their figures."""
    out = []
    for kind, (precision, recall) in FIGURES.items():
        s = scores[kind]
        if s.precision < precision or s.recall < recall:
            out.append(f"{kind}: precision {s.precision:.3f}, recall {s.recall:.3f}, must be {precision}/{recall}")
    return out


def listed(scores: dict[str, Score], most: int = 10**9) -> str:
    lines = []
    for kind in KINDS:
        for word, which in (("missed", scores[kind].misses), ("false", scores[kind].false)):
            lines += [f"{kind}\t{word}\t{name}\t{place}\t{value}" for name, place, value in which[:most]]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("-v", action="store_true", help="list misses and false hits")
    parser.add_argument("--seki", type=Path, default=SEKI)
    parser.add_argument("--count", type=int, default=600, help="generated messages")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=("mails", "generated", "manners"))
    parser.add_argument("mails", nargs="*")
    asked = parser.parse_args()

    sets = []
    if asked.only in (None, "mails"):
        some = [m for m in mailfile.mails() if not asked.mails or m.name in asked.mails]
        sets.append((f"{len(some)} hand-written mails", some))
    if asked.only in (None, "generated") and not asked.mails:
        sets.append((f"{asked.count} generated messages, seed {asked.seed}", generate.make(asked.count, asked.seed)))
    bad = False
    for title, mails in sets:
        scores, closed = evaluate(mails, asked.seki)
        print(f"{title}:\n\n{table(scores)}\n")
        for line in closed:
            print(f"uninspectable: {line}")
        if asked.v:
            print(listed(scores) + "\n")
        bad = bad or bool(below(scores)) or bool(closed)
    if asked.only in (None, "manners") and not asked.mails:
        print("Manners:\n\n| mails | labels | of | right | must |\n| --- | --- | --- | --- | --- |")
        for folder in mailfile.MANNERS_ALL:
            for what, (labels, wrong) in manners(mailfile.mails(folder), asked.seki).items():
                right = labels - len(wrong)
                print(f"| {folder.name} | {labels} | {what} | {right} | ≥ {MANNERS_RIGHT:.2f} of them |")
                bad = bad or right < MANNERS_RIGHT * labels
                if asked.v:
                    print("".join(f"{what}\t{line}\n" for line in wrong), end="")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
