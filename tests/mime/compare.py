#!/usr/bin/python3
"""Compares what lib/mime sees in messages with what others see.

    tests/mime/compare.py DRIVER GMIME FOLDER...     prints the disagreements that the table lacks

DRIVER and GMIME are driver.c and gmime.c, compiled. Lines are those of the table, without a reason.
"""
import hashlib
import importlib.util
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
TABLE = HERE / "disagreements"
RECORDED = HERE / "recorded.json"
PARSERS = ("gmime", "python", "postal-mime")
SHOWN = 40


def _python():
    """python.py, a name that no import may shadow."""
    spec = importlib.util.spec_from_file_location("mime_python", HERE / "python.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


python = _python()


@dataclass(frozen=True, order=True)
class Disagreement:
    message: str
    part: str
    parser: str
    what: str  # part, type, name, content, text
    ours: str
    theirs: str

    def __str__(self) -> str:
        return "\t".join((self.message, self.part, self.parser, self.what, f"ours={self.ours}", f"theirs={self.theirs}"))


def told_by(program: Path, files: list[Path]) -> dict[str, dict]:
    """By name of message."""
    said = subprocess.run([program, *files], stdout=subprocess.PIPE, check=True, timeout=300).stdout
    return {Path(told["message"]).stem: told for told in map(json.loads, said.splitlines())}


def shown(value: str) -> str:
    """As the table has it: one word of a line, no longer than it can be read."""
    text = json.dumps(value, ensure_ascii=False)[1:-1].replace("\x7f", "\\u007f")
    text = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
    if len(text) > SHOWN:
        text = f"{text[:SHOWN - 9]}#{hashlib.sha256(value.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    return text or "-"


def plain(text: str) -> str:
    """Line ends are a matter of the form."""
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")


def leaf_against(ours: dict, theirs: dict, lines: bool) -> list[tuple[str, str, str]]:
    """(what, ours, theirs). `lines`: theirs does not keep line ends."""
    found = []
    for what in ("type", "name"):
        if what in theirs and ours[what] != theirs[what]:
            found.append((what, ours[what], theirs[what]))
    key = "lines" if lines else "sha256"
    if ours[key] != theirs[key]:
        found.append(("content", f"{ours['size']}:{ours[key][:8]}", f"{theirs['size']}:{theirs[key][:8]}"))
    elif "text" in theirs and "text" in ours and plain(ours["text"]) != plain(theirs["text"]):
        found.append(("text", plain(ours["text"]), plain(theirs["text"])))
    return found


def message_against(name: str, parser: str, ours: list[dict], theirs: list[dict]) -> list[Disagreement]:
    here, there = ({leaf["path"]: leaf for leaf in leaves} for leaves in (ours, theirs))
    found = []
    for path in list(here) + [p for p in there if p not in here]:
        if path not in there:
            found.append((path, "part", here[path]["type"], ""))
        elif path not in here:
            found.append((path, "part", "", there[path]["type"]))
        else:
            found += [(path, *one) for one in leaf_against(here[path], there[path], parser == "postal-mime")]
    return [Disagreement(name, path, parser, what, shown(a), shown(b)) for path, what, a, b in found]


def disagreements(ours: dict[str, dict], gmime: dict[str, dict], files: list[Path], recorded: dict) -> list[Disagreement]:
    found = []
    for file in files:
        leaves = ours[file.stem]["leaves"]
        found += message_against(file.stem, "gmime", leaves, gmime[file.stem]["leaves"])
        found += message_against(file.stem, "python", leaves, python.leaves(file.read_bytes()))
        if file.stem in recorded["messages"]:
            found += message_against(file.stem, "postal-mime", leaves, recorded["messages"][file.stem]["leaves"])
    return found


def table() -> dict[Disagreement, str]:
    """Each line of the table, and its reason."""
    explained = {}
    for number, line in enumerate(TABLE.read_text().splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        words = line.split("\t")
        marks = [word.split("=", 1)[0] for word in words[4:]]
        assert len(words) == 7 and marks == ["ours", "theirs", "why"], f"disagreements:{number}: {line}"
        values = [word.split("=", 1)[1] for word in words[4:]]
        one = Disagreement(*words[:4], *values[:2])
        assert values[2] and one not in explained, f"disagreements:{number}: {line}"
        explained[one] = values[2]
    return explained


def main(arguments: list[str]) -> int:
    if len(arguments) < 3:
        print(__doc__, file=sys.stderr)
        return 100
    files = [file for folder in arguments[2:] for file in sorted(Path(folder).glob("*.eml"))]
    ours, gmime = (told_by(Path(program), files) for program in arguments[:2])
    found = disagreements(ours, gmime, files, json.loads(RECORDED.read_text()))
    explained = table()
    for one in found:
        if one not in explained:
            print(one)
    for one in explained:
        if one not in found and one.message in ours:
            print(f"# no longer so: {one}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
