"""The manual tells the truth: a page for each program and format, with its sections, its exit codes,
its files and its subcommands."""
import re
import subprocess
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parent.parent.parent
MAN = REPO / "man"
PROGRAMS = sorted(p.stem for p in (REPO / "bin").glob("*.c"))
# What one copies from is told where it stands: etc/examples/README, and in the files themselves.
FORMATS = sorted(str(p.relative_to(REPO / "etc")) for p in (REPO / "etc").rglob("*")
                 if p.is_file() and p.relative_to(REPO / "etc").parts[0] not in ("examples", "presets"))
# Files of the organisation share a page.
ORG = {"groups", "domains", "lists", "tables", "holidays", "passwords", "texts", "allow"}
SECTIONS = ["NAME", "SYNOPSIS", "DESCRIPTION", "FILES", "EXIT STATUS", "SECURITY"]

# What the programs of an instance make themselves: not in services/layout, but told in FILES.
MADE = [
    r"run/(queue|own|resolve|remote|notice|inspect|convert|seal|db|gate|rules|login|letter|view|web)/socket", r"lib/gate/key", r"lib/compiled/(current|\.lock|[A-Z-]+(/(rules|org.cdb))?)", r"lib/freeze(\.new)?", r"lib/clock/[\w-]+", r"spool/tmp/ballast", r"run/clock",
    r"run/reload", r"run/order/[\w-]+/socket", r"lib/quota/(counts|freeze)(\.bad|\.new)?", r"lib/loop/key",
    r"lib/audit/log/(YYYY-MM|torn)", r"lib/hold/(absences|reminded|reviews)", r"lib/gate/key", r"run/gate/socket",
    r"lib/compiled/current/org.cdb",
]


def page(program: str) -> Path:
    return MAN / ("seki.1" if program == "seki" else f"{program}.8")


def format_page(name: str) -> Path:
    first = name.split("/")[0]
    return MAN / f"sekisho-{'org' if first in ORG else 'pages' if first == 'web' else first}.5"


def sections(path: Path) -> dict[str, str]:
    parts = re.split(r"^\.Sh +(.+)$", path.read_text(), flags=re.M)
    return {name.strip().strip('"'): body for name, body in zip(parts[1::2], parts[2::2])}


def words(text: str) -> str:
    """The text of mdoc without its macros, so that a word is a word."""
    text = re.sub(r"\\f.|\\&|\\", "", text)
    return re.sub(r"^\.(\w+)", " ", text, flags=re.M)


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_program_has_a_page_with_its_sections(program: str) -> None:
    path = page(program)
    assert path.exists(), f"{path.relative_to(REPO)} is missing"
    there = sections(path)
    assert [s for s in SECTIONS if s not in there] == []
    assert re.search(rf"^\.Nm {program}$", there["NAME"], flags=re.M)


@pytest.mark.parametrize("program", PROGRAMS)
def test_exit_codes_are_told(program: str) -> None:
    """lib/base/die.h: 0, 100, 102 and 111 are every program's."""
    told = set(re.findall(r"(?<![\w.])(\d{1,3})(?![\w])", words(sections(page(program)).get("EXIT STATUS", ""))))
    assert {"0", "100", "102", "111"} <= told


@pytest.mark.parametrize("program", PROGRAMS)
def test_files_exist(program: str) -> None:
    """Every path in FILES stands in services/layout or etc/, or is known to be made by a program."""
    known = {line.split()[0] for line in (REPO / "services/layout").read_text().splitlines()
             if line.split("#")[0].strip()}
    known |= {path.rstrip("/") for path in known} | {"etc/" + name for name in FORMATS}
    known |= {path.split("/")[0] for path in known} | {path.split("/")[0] + "/" for path in known}
    wrong = []
    for path in re.findall(r"^\.(?:It )?Pa +(\S+)", sections(page(program)).get("FILES", ""), flags=re.M):
        plain = path.rstrip(",.;:")
        if plain in known or plain.rstrip("/") in known:
            continue
        # A name in capitals stands for a name: log/NAME, spool/split/STAGE.
        shape = "".join("[^/]+" if part.isupper() else re.escape(part) for part in re.split(r"([A-Z]{2,})", plain))
        if any(re.fullmatch(shape, other) for other in known):
            continue
        if any(re.fullmatch(form, plain.replace("STAGE", "seki-hold")) for form in MADE):
            continue
        wrong.append(path)
    assert wrong == []


@pytest.mark.parametrize("name", FORMATS)
def test_every_configuration_file_has_a_page(name: str) -> None:
    path = format_page(name)
    assert path.exists(), f"{path.relative_to(REPO)} is missing"
    # Samples in a folder may be called anything; the page tells of the folder.
    told = words(path.read_text())
    assert name in told or name.split("/")[0] + "/" in told


def test_no_page_without_its_thing() -> None:
    pages = {p.name for p in MAN.glob("*.[0-9]")}
    wanted = {f"sekisho-{n}.5" for n in ("leg", "facts", "policy", "policy-tests", "org", "audit", "gate", "login", "mine")}
    wanted |= {page(p).name for p in PROGRAMS} | {format_page(n).name for n in FORMATS}
    assert sorted(p for p in pages - wanted if not p.endswith(".7")) == []


def test_every_subcommand_of_seki_is_told() -> None:
    tool = REPO / "build/bin/seki"
    assert tool.exists(), "make comes first"
    done = subprocess.run([str(tool), "help"], capture_output=True, text=True, timeout=20, check=True)
    commands = re.findall(r"^  ([a-z][a-z-]*)\b", done.stdout, flags=re.M)
    assert len(commands) > 5, done.stdout
    text = words((MAN / "seki.1").read_text()) if (MAN / "seki.1").exists() else ""
    assert [c for c in commands if not re.search(rf"(?<![\w-]){c}(?![\w-])", text)] == []


def test_every_event_of_the_log_is_told() -> None:
    """Whatever a program logs, some page says what it means."""
    events = set()
    for folder in ("bin", "queue", "lib"):
        for source in (REPO / folder).rglob("*.c"):
            events |= set(re.findall(r'\bLOG(?:_ALARM)?\(\s*"([a-z-]+)"', source.read_text()))
    told = "\n".join(p.read_text() for p in MAN.glob("*.[1-8]"))
    assert sorted(e for e in events if not re.search(rf"\b{e}\b", told)) == []
