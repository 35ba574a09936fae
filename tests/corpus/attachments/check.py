#!/usr/bin/python3
"""Compares what "seki facts" tells of each sample with `table`.

    tests/corpus/attachments/check.py [-v] [--seki PROGRAM] [SAMPLE...]     -v: all facts of what differs
"""
import argparse
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
SEKI = HERE.parents[2] / "build/bin/seki"

Fact = tuple[str, dict[str, str]]


@dataclass
class Case:
    sample: str
    facts: list[str]

    @property
    def path(self) -> Path:
        return HERE / f"{self.sample}.eml"


def table() -> list[Case]:
    cases = []
    for line in (HERE / "table").read_text().splitlines():
        if line and not line.startswith("#"):
            sample, *facts = line.split("\t")
            cases.append(Case(sample, facts))
    return cases


def from_xtext(text: str) -> str:
    """Values are xtext (RFC 3461 section 4) over UTF-8."""
    code = re.sub(rb"\+([0-9A-F]{2})", lambda m: bytes((int(m.group(1), 16),)), text.encode())
    return code.decode(errors="replace")


def read(line: str) -> Fact:
    word, *fields = line.split(" ")
    return word, {key: from_xtext(value) for key, _, value in (f.partition("=") for f in fields)}


def wanted(text: str) -> Fact:
    word, *fields = text.split(" ")
    return word, {key: value.replace("\\40", " ") for key, _, value in (f.partition("=") for f in fields)}


def holds(fact: Fact, want: Fact) -> bool:
    """Marks and places are lists: each that is wanted must be in it."""
    word, fields = fact
    for key, value in want[1].items():
        have = fields.get(key)
        if have != value and not (key in ("marks", "places") and have is not None and value in have.split(",")):
            return False
    return word == want[0]


def told(path: Path, seki: Path = SEKI) -> list[Fact]:
    done = subprocess.run([seki, "facts", path], capture_output=True, timeout=60)
    if done.returncode:
        raise RuntimeError(f"{seki} facts {path}: exit {done.returncode}\n{done.stderr.decode(errors='replace')}")
    return [read(line) for line in done.stdout.decode().splitlines() if line]


def faults(case: Case, facts: list[Fact]) -> list[str]:
    """What is not as the table says."""
    out = []
    if not any(want.startswith("uninspectable") for want in case.facts):
        case = Case(case.sample, [*case.facts, "!uninspectable"])
    for want in case.facts:
        if want.startswith("files="):
            count = sum(1 for fact in facts if holds(fact, ("file", {"counts": "yes"})))
            if count != int(want[6:]):
                out.append(f"{want}, but {count} count")
            if not any(holds(fact, ("message", {"files": want[6:]})) for fact in facts):
                out.append(f"{want}, but message says otherwise")
        elif want.startswith("!"):
            out += [f"{want}, but {fact}" for fact in facts if holds(fact, wanted(want[1:]))]
        elif not any(holds(fact, wanted(want)) for fact in facts):
            near = [fact for fact in facts if fact[0] == want.split(" ")[0]]
            out.append(f"{want}, but " + ("; ".join(f"{w} {d}" for w, d in near) or "no such fact"))
    return out


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("-v", action="store_true")
    parser.add_argument("--seki", type=Path, default=SEKI)
    parser.add_argument("samples", nargs="*")
    asked = parser.parse_args()
    bad = 0
    for case in table():
        if asked.samples and case.sample not in asked.samples:
            continue
        facts = told(case.path, asked.seki)
        wrong = faults(case, facts)
        bad += bool(wrong)
        for line in wrong:
            print(f"{case.sample}: {line}")
        if wrong and asked.v:
            print("".join(f"    {word} {fields}\n" for word, fields in facts), end="")
    print(f"{bad} of the samples differ")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
