#!/usr/bin/python3
"""Counts false hits on text that nobody generated.

    tests/corpus/ordinary.py [-v] [--seki PROGRAM] [--mb N] [FOLDER...]

Collects up to N million bytes (100) of what is installed here: documentation, manual pages, headers,
sources of scripts, data, lists of packages, logs. Packs it into messages of some MB, half as bodies and half as
attachments, and prints the hits of each kind for 100 MB. What is found is no fault by itself: a manual
page has its author's address. Cards and My Numbers are: nobody writes a real one there. -v lists them.
"""
import argparse
import gzip
import os
import re
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import build
import evaluate
import mailfile
from mailfile import KINDS

FOLDERS = (
    "/usr/share/man/ja", "/usr/share/doc/debian/FAQ/ja",  # Japanese: it is short of it
    "/var/log", "/var/lib/dpkg/info", "/var/lib/apt/lists", "/usr/share/doc", "/usr/share/man", "/usr/include",
    "/usr/lib/python3", "/usr/lib/python3.11", "/usr/share/perl", "/usr/share/perl5", "/usr/share")
SUFFIXES = re.compile(r"\.(txt|json|xml|html?|csv|md|rst|conf|ini|ya?ml|py|pl|pm|sh|h|c|tcl|el|lua|js|css|sql|log|tab|list|svg|po|pot|desktop)$")
FILE_MAX = 2_000_000  # of one file: no single table decides the figure
SHARE_MAX = 0.16      # nor does one folder
MESSAGE = 4_000_000


def texts(folders: list[str], most: int):
    """(path, text) of files that are text, no file twice, until there are `most` bytes."""
    seen, total = set(), 0
    for folder in folders:
        taken = 0
        for path in files_of(folder):
            if taken >= most * SHARE_MAX:
                break
            text = content(path, seen)
            if text:
                yield path, text
                taken += len(text)
                total += len(text)
            if total >= most:
                return


def files_of(folder: str):
    for root, names, files in os.walk(folder):
        names.sort()
        for name in sorted(files):
            if folder != "/usr/share" or SUFFIXES.search(name):
                yield Path(root, name)


def content(path: Path, seen: set) -> bytes:
    """A file's text, b"" if it is none or was there already."""
    try:
        real = path.resolve()
        if real in seen or not real.is_file():
            return b""
        seen.add(real)
        opened = gzip.open(real) if real.suffix == ".gz" else real.open("rb")
        with opened:
            text = opened.read(FILE_MAX)
    except (OSError, EOFError, gzip.zlib.error):
        return b""
    return b"" if b"\0" in text else text


def packed(folder: Path, folders: list[str], most: int) -> tuple[list[Path], dict[str, list[str]], int]:
    """Messages, what files each holds, how many bytes of text."""
    messages, holds, size, total = [], {}, 0, 0
    parts: list[tuple[Path, bytes]] = []

    def close() -> None:
        nonlocal parts, size
        if not parts:
            return
        path = folder / f"{len(messages):04}.eml"
        path.write_bytes(message(parts, len(messages)))
        messages.append(path)
        holds[path.name] = [str(p) for p, _ in parts]
        parts, size = [], 0

    for path, text in texts(folders, most):
        parts.append((path, text))
        size += len(text)
        total += len(text)
        if size >= MESSAGE or len(parts) >= 150:
            close()
    close()
    return messages, holds, total


def message(parts: list[tuple[Path, bytes]], turn: int) -> bytes:
    head = (b"From: alice@example.co.jp\r\nTo: bob@alpha.example\r\nSubject: Texts\r\n"
            b"Date: Mon, 16 Nov 2026 09:30:00 +0900\r\nMIME-Version: 1.0\r\n")
    pieces = []
    for number, (_, text) in enumerate(parts):
        fields = "Content-Type: text/plain; charset=utf-8"
        if turn % 2:
            fields += f'\r\nContent-Disposition: attachment; filename="{number:04}.txt"'
        pieces.append(build.part(fields, text, "base64"))
    return head + build.multipart("mixed", f"ordinary-{turn}", pieces)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("-v", action="store_true", help="list the hits")
    parser.add_argument("--seki", type=Path, default=evaluate.SEKI)
    parser.add_argument("--mb", type=float, default=100)
    parser.add_argument("folders", nargs="*", default=list(FOLDERS))
    asked = parser.parse_args()

    hits: dict[str, list[tuple[str, str]]] = defaultdict(list)
    closed = []
    with tempfile.TemporaryDirectory(prefix="sekisho-ordinary-", dir="/var/tmp") as name:
        messages, holds, total = packed(Path(name), asked.folders, int(asked.mb * 1e6))
        for path in messages:
            answer = evaluate.facts([path], asked.seki)[0]
            closed += [f"{path.name}: {what}" for what in answer.get("uninspectable", [])]
            for kind, _, value in evaluate.found_in(answer):
                hits[kind].append((path.name, value))
        if asked.v:
            for kind in ("card", "mynumber", "corporate", "phone", "address"):
                for message_name, value in hits[kind]:
                    print(f"{kind}\t{value}\t{where(value, kind, holds[message_name])}")

    scale = 1e8 / max(total, 1)
    print(f"{total / 1e6:.0f} MB in {len(messages)} messages:\n\n| kind | hits | in 100 MB | must |\n| --- | --- | --- | --- |")
    rates = {kind: len(hits[kind]) * scale for kind in KINDS}
    for kind in KINDS:
        must = {"card": "≤ 1, both", "mynumber": "≤ 1, both", "phone": "≤ 20"}.get(kind, "")
        print(f"| {kind} | {len(hits[kind])} | {rates[kind]:.1f} | {must} |")
    for line in closed:
        print(f"uninspectable: {line}")
    return 1 if closed or rates["card"] + rates["mynumber"] > 1 or rates["phone"] > 20 else 0


def where(value: str, kind: str, paths: list[str]) -> str:
    """The files that may hold it."""
    found = []
    for path in paths:
        text = content(Path(path), set()).decode(errors="replace")
        flat = mailfile.flat(text)
        if value in (re.sub(r"[-().+]", "", flat) if kind in mailfile.DIGITS else flat):
            found.append(path)
    return " ".join(found[:3])


if __name__ == "__main__":
    sys.exit(main())
