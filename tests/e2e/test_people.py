"""seki people and seki compile: the organisation in etc/, by commands, and what is made of it (S0-05, S1-12, S2-34,
S2-35, S2-36, S2-40, S2-41). Most of it needs no running instance."""
import csv
import io
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import REPO, Gateway, build_once, clean_env, free_port

PEOPLE = """# 社員
taro@example.co.jp\tlogin=taro  group=sales   # the first

hanako@example.co.jp boss=taro@example.co.jp
"""
SEKI = REPO / "build/bin/seki"


class Site:
    """A directory with an etc/ and a lib/compiled, and no program that runs."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.etc = root / "etc"
        self.compiled = root / "lib/compiled"
        self.compiled.mkdir(parents=True)
        for name in ("must", "group", "user", "default", "tests"):
            (self.etc / "policy" / name).mkdir(parents=True)
        for name in ("relay", "auth"):
            shutil.copy(REPO / "etc" / name, self.etc / name)
        self.write("settings", "smtp-listen 127.0.0.1:2525\n")
        self.write("people", PEOPLE)
        self.write("groups", "sales\n")

    def write(self, name: str, text: str | bytes) -> None:
        path = self.etc / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)

    def csv(self, text: str | bytes) -> None:
        (self.root / "people.csv").write_bytes(text.encode() if isinstance(text, str) else text)

    def read(self, name: str) -> str:
        return (self.etc / name).read_text()

    def seki(self, *args: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess:
        return subprocess.run([SEKI, "--root", self.root, *args], cwd=cwd or self.root, env=clean_env(),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)

    def good(self, *args: str | Path) -> list[list[str]]:
        done = self.seki(*args)
        assert done.returncode == 0, done.stdout + done.stderr
        return [line.split("\t") for line in done.stdout.splitlines()]

    def files(self) -> dict[str, bytes]:
        return {str(p): p.read_bytes() for p in sorted(self.etc.rglob("*")) if p.is_file()}

    def current(self) -> str:
        return os.readlink(self.compiled / "current")

    def state(self) -> tuple[str, list[str]]:
        return self.current(), sorted(p.name for p in self.compiled.iterdir())

    def hold(self, minutes: int) -> None:
        self.write("policy/must/50-external", f"rule outsiders-wait\n    to external\n    do hold {minutes}m\n")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    build_once("build")
    return Site(tmp_path / "site")


# ---- people add, remove, list ----


def test_add_makes_a_line_and_declares_its_groups(site: Site) -> None:
    """S0-05, S2-41: a person with group and boss, in one command."""
    os.chmod(site.etc / "people", 0o640)
    done = site.seki("people", "add", "jiro@example.co.jp", "--group", "temps", "--group", "sales", "--boss",
                     "taro@example.co.jp", "--name", "鈴木 次郎", "--lang", "en")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "temps\tnew group\njiro@example.co.jp\tadded\n"
    assert "seki reload" in done.stderr
    assert site.read("people") == PEOPLE + ("jiro@example.co.jp name=鈴木+20次郎 boss=taro@example.co.jp "
                                            "group=temps,sales lang=en\n")
    assert site.read("groups") == "sales\ntemps\n"
    assert (site.etc / "people").stat().st_mode & 0o777 == 0o640
    assert (site.etc / "groups").stat().st_mode & 0o777 == 0o644
    assert not [p.name for p in site.etc.iterdir() if p.name.endswith(".new")]


def test_add_extends_a_line(site: Site) -> None:
    assert site.good("people", "add", "TARO@example.co.jp", "--group", "sales", "--deputy", "hanako@example.co.jp") == [
        ["TARO@example.co.jp", "changed"]]
    assert site.read("people").splitlines()[1] == (
        "taro@example.co.jp\tlogin=taro  group=sales deputy=hanako@example.co.jp   # the first")
    before = site.files()
    assert site.good("people", "add", "taro@example.co.jp", "--group", "sales") == [["taro@example.co.jp", "unchanged"]]
    assert site.files() == before


@pytest.mark.parametrize("args, told", [
    (["add"], "usage"),
    (["add", "taro"], "an address is expected"),
    (["add", "x@y.example", "--grop", "sales"], "no such option"),
    (["add", "x@y.example", "--group"], "usage"),
    (["add", "x@y.example", "--boss", "a@b foreign=allow"], "cannot be a boss"),
    (["add", "x@y.example", "--lang", "fr"], "lang is one of ja en"),
    (["add", "x@y.example", "--group", "ha nako"], "cannot be a group"),
    (["add", "x@y.example", "--alias", "hanako@example.co.jp"], "is that of line 4"),
    (["remove", "nobody@example.co.jp"], "no line of etc/people"),
    (["list", "--group", "sale"], "near: sales (etc/groups:1)"),
    (["frobnicate"], "usage"),
])
def test_what_cannot_be_changes_nothing(site: Site, args: list[str], told: str) -> None:
    before = site.files()
    done = site.seki("people", *args)
    assert done.returncode in (1, 100)
    assert told in done.stderr
    assert site.files() == before


def test_remove_tells_who_is_left_without_a_boss(site: Site) -> None:
    done = site.seki("people", "remove", "taro@example.co.jp")
    assert (done.returncode, done.stdout) == (0, "taro@example.co.jp\tremoved\n")
    assert "hanako@example.co.jp: etc/people:4 still has this boss" in done.stderr
    assert site.read("people") == "# 社員\n\nhanako@example.co.jp boss=taro@example.co.jp\n"


def test_list_shows_people_and_groups(site: Site) -> None:
    site.write("groups", "sales\nstaff @example.co.jp\nauditors hanako@example.co.jp\n")
    assert [row[0] for row in site.good("people", "list")] == ["taro@example.co.jp", "hanako@example.co.jp"]
    assert [row[0] for row in site.good("people", "list", "--group", "sales")] == ["taro@example.co.jp"]
    assert [row[0] for row in site.good("people", "list", "--group", "auditors")] == ["hanako@example.co.jp"]
    assert len(site.good("people", "list", "--group", "staff")) == 2
    done = site.seki("-j", "people", "list", "--group", "sales")
    assert json.loads(done.stdout) == {
        "address": "taro@example.co.jp", "name": None, "group": "sales", "boss": None, "deputy": None, "lang": None,
        "alias": None, "shared": None, "login": "taro"}


def test_two_at_once_lose_nothing(site: Site) -> None:
    """Each reads, changes and replaces one file: each waits for the others."""
    def add(first: int) -> None:
        for i in range(first, first + 10):
            site.seki("people", "add", f"user{i}@example.co.jp", "--group", f"g{i}")

    threads = [threading.Thread(target=add, args=(n,)) for n in (0, 10, 20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(site.good("people", "list")) == 2 + 30
    assert len(site.read("groups").splitlines()) == 1 + 30


# ---- people import ----


def table(*rows: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def test_import_with_a_dry_run(site: Site) -> None:
    """S2-40, S2-41: a table of another system, first as a dry run that says what would be."""
    site.csv(table(["address", "name", "group"], ["taro@example.co.jp", "山田 太郎", "sales"],
                   ["hanako@example.co.jp", "", ""], ["jiro@example.co.jp", "鈴木, 次郎", "sales; temps"]))
    before = site.files()
    expected = [["taro@example.co.jp", "changed", "2"], ["hanako@example.co.jp", "unchanged", "3"],
                ["temps", "new group"], ["jiro@example.co.jp", "added", "4"]]
    assert site.good("people", "import", "--dry-run", "people.csv") == expected
    assert site.files() == before
    assert site.good("people", "import", "people.csv") == expected
    assert site.read("people") == (
        "# 社員\ntaro@example.co.jp\tlogin=taro  group=sales name=山田+20太郎   # the first\n\n"
        "hanako@example.co.jp boss=taro@example.co.jp\njiro@example.co.jp name=鈴木+2C+20次郎 group=sales,temps\n")
    assert [row[1] for row in site.good("people", "import", "people.csv")] == ["unchanged"] * 3


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_import_reads_what_spreadsheets_write(site: Site, encoding: str) -> None:
    site.csv(table(["address", "name"], ["jiro@example.co.jp", "髙橋 二郎"],
                   ["saburo@example.co.jp", "山田 三郎"]).encode(encoding))
    site.good("people", "import", "people.csv")
    assert "jiro@example.co.jp name=髙橋+20二郎\n" in site.read("people")


def test_import_removes_only_when_asked(site: Site) -> None:
    site.csv(table(["address"], ["hanako@example.co.jp"]))
    assert site.good("people", "import", "people.csv") == [["hanako@example.co.jp", "unchanged", "2"]]
    assert "taro@example.co.jp" in site.read("people")
    assert site.good("people", "import", "--remove-missing", "people.csv")[1] == ["taro@example.co.jp", "removed", "-"]
    assert site.read("people") == "# 社員\n\nhanako@example.co.jp boss=taro@example.co.jp\n"
    site.csv("address\n")
    assert site.seki("people", "import", "--remove-missing", "people.csv").returncode == 1
    assert "hanako" in site.read("people")


@pytest.mark.parametrize("text, told", [
    ("address,boss\njiro@example.co.jp,x\n", '"x" is no address'),
    ("address,boss\nsaburo@example.co.jp,\nsaburo@example.co.jp,\n",
     "people.csv:3: this person stands in line 2 already"),
    ("address,boss\njiro,\n", 'people.csv:2: an address is expected, not "jiro"'),
    ("address,alias\njiro@example.co.jp,a@b foreign=allow\n", "people.csv:2: alias cannot be"),
    ("address,alias\njiro@example.co.jp,taro@example.co.jp\n", "is that of line 2"),
    ("adress\njiro@example.co.jp\n", 'no column "adress"'),
    ('address,name\njiro@example.co.jp,"x\n', "a quote is missing"),
    ("address,lang\njiro@example.co.jp,fr\n", "lang is one of ja en"),
])
@pytest.mark.parametrize("dry", [True, False])
def test_a_wrong_row_changes_nothing(site: Site, text: str, told: str, dry: bool) -> None:
    site.csv(text)
    before = site.files()
    done = site.seki("people", "import", *(["--dry-run"] if dry else []), "people.csv")
    assert done.returncode == 1, done.stdout
    assert told in done.stderr
    assert site.files() == before


def test_import_of_ten_thousand(site: Site) -> None:
    rows = [[f"user{i}@example.co.jp", f"社員 {i}", f"g{i % 100}", f"user{i // 10}@example.co.jp"] for i in range(10000)]
    site.csv(table(["address", "name", "group", "boss"], *rows))
    assert len(site.good("people", "import", "people.csv")) == 10100
    assert len(site.good("people", "list", "--group", "g7")) == 100


def test_a_file_is_found_from_where_the_caller_is(site: Site, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/p.csv").write_text("address\njiro@example.co.jp\n")
    done = site.seki("people", "import", "p.csv", cwd=tmp_path / "elsewhere")
    assert done.returncode == 0, done.stderr
    assert "jiro@example.co.jp" in site.read("people")


# ---- compile ----


def test_compile_makes_a_generation(site: Site) -> None:
    """S1-12: partners, people, groups; S2-40: minutes, not days."""
    site.write("partners", "alpha.example | アルファ商事\n")
    site.hold(60)
    [row] = site.good("compile")
    assert row == [site.current(), "new", "1", "0", "2", "1"]
    rules = (site.compiled / "current/rules").read_bytes()
    assert rules.startswith(b"sekisho-rules 1\nfile must/50-external ")
    assert [r[:2] for r in site.good("compile")] == [[row[0], "unchanged"]]
    for name in ("rules", "org.cdb"):
        # The organisation is read by programs that are no stages, too.
        assert (site.compiled / "current" / name).stat().st_mode & 0o777 == (0o644 if name == "org.cdb" else 0o640)


@pytest.mark.parametrize("name, text, told", [
    ("people", "a@b.example group=sale\n", 'etc/people:1:19: no group "sale"; near: sales (etc/groups:1)'),
    ("domains", "example.co.jp intern\n", "etc/domains:1:15: "),
    ("lists/vip", "example\n", "etc/lists/vip:1:1: "),
    ("tables/t", "@a.example zipp\n", "etc/tables/t:1:12: "),
    ("passwords/p", "generate 3 upper\n", "etc/passwords/p:1:10: "),
    ("texts/t", b"\xff\n", "etc/texts/t:1: "),
    ("holidays", "2026-02-30\n", "etc/holidays:1:1: "),
    ("policy/must/10-a", "rule a\n    to external\n    do hold 60\n", "must/10-a:3:"),
    ("policy/must/10-a", "rule a\n    from group sale\n    do hold 60m\n", "sales (etc/groups:1)"),
    ("policy/group/sale/10-a", "rule a\n    always\n    do hold 60m\n", "etc/policy/group/sale: no group"),
    ("policy/default/x y", "", "etc/policy/default/x y: a name has"),
])
def test_a_fault_is_told_with_its_place_and_changes_nothing(site: Site, name: str, text: str | bytes, told: str) -> None:
    site.good("compile")
    before = site.state()
    site.write(name, text)
    done = site.seki("compile")
    assert done.returncode == 102, done.stdout + done.stderr
    assert told in done.stderr
    assert site.state() == before


def test_a_red_rule_test_changes_nothing(site: Site) -> None:
    """Tests of rules run against what would be in force, before it is: a red one blocks it."""
    site.good("compile")
    before = site.state()
    site.hold(60)
    rule_test = "test outsiders\n    from taro@example.co.jp\n    to bob@partner.example\n    text hello\n"
    site.write("policy/tests/a.test", rule_test + "    expect bob@partner.example hold 30m\n")
    done = site.seki("compile")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "a.test:5" in done.stderr
    assert site.state() == before
    site.write("policy/tests/a.test", rule_test + "    expect bob@partner.example hold 60m\n")
    [row] = site.good("compile")
    assert row[:4] == [site.current(), "new", "1", "1"]


def test_rules_are_kept_and_databases_are_not(site: Site) -> None:
    """A leg names the rules that it was judged by: they are there as long as it may be."""
    names = []
    for minutes in (5, 6, 7, 8):
        site.hold(minutes)
        names.append(site.good("compile")[0][0])
    assert len(set(names)) == 4
    for i, name in enumerate(names):
        assert (site.compiled / name / "rules").exists()
        assert (site.compiled / name / "org.cdb").exists() == (i >= 2)


def test_whoever_opens_current_sees_one_generation(site: Site) -> None:
    """The link is replaced by one rename: it is never away, and what it leads to has both files."""
    site.good("compile")
    done = threading.Event()
    seen: set[str] = set()
    faults: list[str] = []

    def look() -> None:
        while not done.is_set():
            try:
                folder = os.open(site.compiled / "current", os.O_RDONLY | os.O_DIRECTORY)
                seen.add(os.readlink(f"/proc/self/fd/{folder}").rsplit("/", 1)[1])
                for name in ("rules", "org.cdb"):
                    os.close(os.open(name, os.O_RDONLY, dir_fd=folder))
                os.close(folder)
            except OSError as fault:
                faults.append(str(fault))

    thread = threading.Thread(target=look)
    thread.start()
    made = {site.current()}
    for minutes in range(1, 8):
        site.hold(minutes)
        made.add(site.good("compile")[0][0])
    done.set()
    thread.join()
    assert not faults
    assert seen <= made


def test_compile_says_why_it_cannot_write(site: Site) -> None:
    site.compiled.rmdir()
    done = site.seki("compile")
    assert done.returncode == 111
    assert "lib/compiled/ cannot be opened" in done.stderr


# ---- in a running instance ----


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    made = Gateway(tmp_path / "run", free_port(), sample=False, submission=False)
    made.start()
    yield made
    made.stop()


def test_reload_takes_people_in(gateway: Gateway) -> None:
    """`make up` has compiled; `seki people` changes etc/ alone, and `seki reload` puts it in force (S2-40)."""
    link = gateway.root / "lib/compiled/current"
    before = os.readlink(link)
    assert gateway.seki("people", "add", "taro@example.co.jp", "--group", "sales").returncode == 0
    assert os.readlink(link) == before
    done = gateway.seki("reload")
    assert done.returncode == 0, done.stdout + done.stderr
    assert os.readlink(link) != before
    assert b"taro@example.co.jp" in (link / "org.cdb").read_bytes()
    assert (gateway.root / "etc/people").stat().st_mode & 0o004  # seki-smtpd reads it
