"""PRESET=none|standard|self (S2-22, S2-23): what an instance begins with, that it works at once, and that nothing of it is
ever written over what somebody has changed."""
import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import conftest
from conftest import REPO, Gateway, clean_env, free_port
from examples_kit import AFFILIATED, BUILD, HANAKO, MINUTE, OUTSIDER, TARO, Office, letter

PRESETS = REPO / "etc/presets"
ZIP_CRYPTED = bytes.fromhex("504b0304140001000000000021007ac56d0a")  # a ZIP that is broken off: nobody looks into it


def begun(preset: str, prepared: dict[str, str] | None = None) -> Office:
    """An instance whose first "up" was with that preset."""
    office = Office.__new__(Office)
    office.lines = {}
    office.gw = conftest.prepare({"time-zone": "Asia/Tokyo"}, files=prepared, submission=False)
    if BUILD != "build":
        office.gw.build = BUILD
        conftest._built.add(BUILD)
    done = office.gw.instance("up", PRESET=preset)
    assert done.returncode == 0, done.stdout + done.stderr
    for path in sorted((office.gw.root / "etc/policy").rglob("*")):
        if path.is_file():
            office.lines[str(path.relative_to(office.gw.root / "etc/policy"))] = path.read_text().splitlines()
    return office


@pytest.fixture
def begin() -> Iterator[Callable[..., Office]]:
    made: list[Office] = []

    def make(preset: str, prepared: dict[str, str] | None = None) -> Office:
        made.append(begun(preset, prepared))
        return made[-1]
    yield make
    for office in made:
        office.gw.stop()


def settings(gw: Gateway) -> dict[str, str]:
    rows = [line.split() for line in (gw.root / "etc/settings").read_text().splitlines()]
    return {row[0]: row[1] for row in rows if len(row) > 1 and not row[0].startswith("#")}


def files(root: Path) -> dict[str, str]:
    return {str(p.relative_to(root)): p.read_text(errors="surrogateescape") for p in sorted(root.rglob("*")) if p.is_file()}


def in_force(gw: Gateway) -> str:
    return os.readlink(gw.root / "lib/compiled/current")


def test_none_loads_no_rule(begin: Callable[..., Office]) -> None:
    """PRESET=none: not one rule is there, unknown senders are relayed, nobody waits; what it relays is its own domain."""
    office = begin("none")
    assert [n for n in files(office.gw.root / "etc/policy") if n != "README"] == []
    assert "unknown-senders" not in settings(office.gw)
    assert "example.co.jp internal" in (office.gw.root / "etc/domains").read_text().splitlines()
    office.passes(office.send(letter(sender="nobody-knows@example.co.jp", to=[OUTSIDER, HANAKO])), OUTSIDER, HANAKO)
    assert not (office.gw.root / "etc/presets").exists() and not (office.gw.root / "etc/examples").exists()


def test_S2_22_standard_holds_outsiders_for_five_minutes(begin: Callable[..., Office]) -> None:
    """S2-22, S2-15, S2-27: works at once; the sender of a held mail has released it, or discards it."""
    office = begin("standard")
    assert settings(office.gw)["unknown-senders"] == "enrol"
    sent = office.send(letter(to=[OUTSIDER, HANAKO]))
    office.delivered(sent, HANAKO)
    leg = office.held(sent, OUTSIDER, 5 * MINUTE, "outsiders-wait")
    assert office.gw.seki("release", leg.name).returncode == 0
    office.delivered(sent, OUTSIDER)

    forgot = office.send(letter(body="見積書を添付いたします。\n"))
    office.held(forgot, OUTSIDER, 30 * MINUTE, "forgot-the-file")
    assert office.gw.seki("discard", office.leg(forgot, OUTSIDER).name).returncode == 0

    # Told when there is something to look at: S2-45.
    assert {s.keys["notice"] for s in leg.steps("hold")} == {"risky"}

    broken = office.send(letter(files=[("a.zip", ZIP_CRYPTED)]), to=[OUTSIDER, HANAKO])
    for rcpt in (OUTSIDER, HANAKO):
        office.waits(broken, rcpt, "hold", "cannot-look-inside", "hold", "operator")
    bounce = office.send(letter(sender=f"MAILER-DAEMON <{TARO}>"), to=OUTSIDER, sender="")
    office.delivered(bounce, OUTSIDER)


def test_N11_an_answer_waits_shortly(begin: Callable[..., Office]) -> None:
    """N11: to somebody whom the sender has written to before, without a file; all others five minutes."""
    office = begin("standard")

    def answer(**more) -> str:
        mail = letter(subject="Re: 先日の件", **more)
        mail["In-Reply-To"] = "<1@outside.example>"
        return office.send(mail)
    first = answer()
    leg = office.held(first, OUTSIDER, 5 * MINUTE, "outsiders-wait")
    assert office.gw.seki("release", leg.name).returncode == 0
    office.delivered(first, OUTSIDER)

    def known() -> bool:
        return office.leg(answer(), OUTSIDER).step("hold").keys["rule"] == office.where("replies-wait-shortly")
    conftest.wait_for(known, why="the history has the delivered mail")
    office.held(answer(), OUTSIDER, MINUTE, "replies-wait-shortly")
    office.held(answer(files=[("a.txt", b"x")]), OUTSIDER, 5 * MINUTE, "outsiders-wait")
    office.held(answer(to=[OUTSIDER, "new@partner.example"]), OUTSIDER, 5 * MINUTE, "outsiders-wait")
    office.held(office.send(letter()), OUTSIDER, 5 * MINUTE, "outsiders-wait")


def test_S2_22_machines_wait_for_nobody(begin: Callable[..., Office]) -> None:
    """S2-22: whom the administrator has called a machine."""
    office = begin("standard")
    (office.gw.root / "etc/lists/machines").write_text("monitor@example.co.jp\n")
    assert office.gw.seki("reload").returncode == 0
    office.delivered(office.send(letter(sender="monitor@example.co.jp")), OUTSIDER)
    office.held(office.send(letter()), OUTSIDER, 5 * MINUTE, "outsiders-wait")


def test_S2_22_what_is_commented_out_can_be_read(begin: Callable[..., Office]) -> None:
    """S2-22: the link rule waits for links; without its "#" it is a good rule, of which "seki check" warns."""
    office = begin("standard")
    path = office.gw.root / "etc/policy/must/60-later"
    text = path.read_text()
    assert "#rule files-by-link" in text and not [x for x in text.splitlines() if x.strip() and not x.startswith("#")]
    path.write_text("".join(x[1:] if x[:5] in ("#rule", "#    ") else x for x in text.splitlines(keepends=True)))
    done = office.gw.seki("check")
    assert done.returncode == 0, done.stderr
    assert "must/60-later:" in done.stdout + done.stderr


def test_S2_23_self_lets_groups_and_users_decide(begin: Callable[..., Office]) -> None:
    """S2-23, S0-03, S0-05: a group's and a user's own holds; who says nothing has the default; nobody refuses by his own
    rules."""
    office = begin("self", {
        "etc/groups": "sales\n", "etc/people": f"{TARO} group=sales\n",
        "etc/policy/group/sales": "rule sales-wait-shortly\n    to external\n    do hold 1m\n",
        f"etc/policy/user/{TARO}": "rule my-customers\n    to @customer.example\n    do hold 30m\n"})
    assert settings(office.gw)["unknown-senders"] == "enrol"
    office.held(office.send(letter()), OUTSIDER, MINUTE, "sales-wait-shortly")
    office.held(office.send(letter(to="x@customer.example")), "x@customer.example", 30 * MINUTE, "my-customers")
    office.held(office.send(letter(sender=HANAKO)), OUTSIDER, 5 * MINUTE, "outsiders-wait")
    office.delivered(office.send(letter(to=HANAKO)), HANAKO)

    before = in_force(office.gw)
    (office.gw.root / f"etc/policy/user/{TARO}").write_text('rule mine\n    always\n    do refuse "no"\n')
    done = office.gw.seki("reload")
    assert done.returncode != 0 and f"user/{TARO}:3" in done.stderr, done.stderr
    assert in_force(office.gw) == before


def test_second_up_keeps_what_was_changed_and_takes_it(begin: Callable[..., Office]) -> None:
    """Edits stay as they are, what was removed does not come back, and what is new is in force."""
    office = begin("standard")
    etc = office.gw.root / "etc"
    rule = etc / "policy/must/50-outsiders"
    rule.write_text("rule outsiders-wait\n    to external\n    do hold 20m\n")
    (etc / "policy/must/40-slips").unlink()
    (etc / "policy/tests/standard.test").unlink()  # it expects what has gone
    office.lines["must/50-outsiders"] = rule.read_text().splitlines()
    office.gw.setting(unknown_senders="relay")
    before, old = files(etc), in_force(office.gw)
    for preset in ("standard", "", "self"):
        done = office.gw.instance("up", PRESET=preset)
        assert done.returncode == 0, done.stdout + done.stderr
        assert ("keeps them" in done.stderr) == (preset == "self"), done.stderr
        assert files(etc) == before
    assert in_force(office.gw) != old
    office.held(office.send(letter()), OUTSIDER, 20 * MINUTE, "outsiders-wait")


def test_never_over_existing_files(begin: Callable[..., Office]) -> None:
    """What somebody has prepared before the first "up" stays."""
    office = begin("standard", {"etc/policy/must/50-outsiders": "rule outsiders-wait\n    to external\n    do hold 1m\n",
                                "etc/domains": "example.co.jp internal\ngroup.example affiliated\n"})
    office.held(office.send(letter(to=[OUTSIDER, AFFILIATED])), OUTSIDER, MINUTE, "outsiders-wait")
    assert (office.gw.root / "etc/policy/must/35-machines").exists()
    assert (office.gw.root / "etc/domains").read_text().startswith("example.co.jp internal\n")


def test_a_rule_that_is_wrong_stops_the_first_up_and_the_second_changes_nothing(begin: Callable[..., Office]) -> None:
    """"up" compiles the configuration before it starts anything, and says file, line and column."""
    office = begin("standard")
    old = in_force(office.gw)
    pid = office.gw.pid("seki-scan")
    (office.gw.root / "etc/policy/must/50-outsiders").write_text("rule outsiders-wait\n    to external\n    do hold 60\n")
    done = office.gw.instance("up")
    assert done.returncode != 0 and "must/50-outsiders:3" in done.stderr, done.stderr
    assert in_force(office.gw) == old and office.gw.pid("seki-scan") == pid
    assert office.gw.seki("list").returncode == 0
    office.gw.down()
    done = office.gw.instance("up")
    assert done.returncode != 0 and "must/50-outsiders:3" in done.stderr, done.stderr
    assert not (office.gw.root / "run/svscan.pid").exists()


def test_a_test_that_is_red_stops_it_too(begin: Callable[..., Office]) -> None:
    """What a preset promises is checked: a change that breaks it is not taken until the test says so, too."""
    office = begin("standard")
    old = in_force(office.gw)
    (office.gw.root / "etc/policy/must/50-outsiders").write_text("rule outsiders-wait\n    to internal\n    do hold 5m\n")
    for done in (office.gw.seki("reload"), office.gw.instance("up")):
        assert done.returncode != 0 and "tests/standard.test" in done.stdout + done.stderr, done.stdout + done.stderr
    assert in_force(office.gw) == old


def test_S2_37_several_domains_of_one_s_own(begin: Callable[..., Office]) -> None:
    """S2-37: two domains of one organisation, and what lies below one: none of them is outside."""
    office = begin("standard", {"etc/domains": "example.co.jp internal\n.example.co.jp internal\nexample.jp internal\n"})
    own = [HANAKO, "a@example.jp", "b@tokyo.example.co.jp"]
    sent = office.send(letter(to=[*own, "c@tokyo.example.jp"]))
    office.delivered(sent, *own)
    office.held(sent, "c@tokyo.example.jp", 5 * MINUTE, "outsiders-wait")


def test_S2_40_S2_41_registered_in_no_time(begin: Callable[..., Office]) -> None:
    """S2-40, S2-41: a person is registered by one command and has the rules of the group at once; whoever is not registered
    sends all the same, and is enrolled."""
    office = begin("standard")
    assert office.gw.seki("people", "add", "new@example.co.jp", "--group", "quick").returncode == 0
    path = office.gw.root / "etc/policy/must/15-quick"
    path.write_text("rule quick\n    from group quick\n    do hold no\n")
    office.lines["must/15-quick"] = path.read_text().splitlines()
    done = office.gw.seki("reload")
    assert done.returncode == 0, done.stderr
    assert "new@example.co.jp" in office.gw.seki("people", "list").stdout
    office.delivered(office.send(letter(sender="new@example.co.jp")), OUTSIDER)
    office.held(office.send(letter(sender="newer@example.co.jp")), OUTSIDER, 5 * MINUTE, "outsiders-wait")


@pytest.mark.parametrize("word", ["nonsense", "../presets/self", "Standard", "standard self"])
def test_unknown_presets_are_named(word: str, tmp_path: Path) -> None:
    """Before anything is made, and with the words that are known."""
    done = subprocess.run([str(conftest.INSTANCE), "up"], cwd=REPO, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env=clean_env(RUN=str(tmp_path / "run"), SMTP_PORT=str(free_port()), PRESET=word), timeout=60)
    assert done.returncode == 100
    assert f"PRESET={word}" in done.stderr and "none, self, standard" in done.stderr
    assert not (tmp_path / "run").exists()


def test_the_sample_of_a_preset_waits_and_is_told() -> None:
    """"make up PRESET=standard" does not fail because its sample is held: it says where that stands."""
    root = Path("/var/tmp") / f"sekisho-preset-{os.getpid()}"
    words = {"RUN": str(root), "SMTP_PORT": str(free_port()), "SUBMISSION_PORT": str(free_port()), "PRESET": "standard",
             "BUILD": BUILD, "MAKE": "true"}
    if BUILD == "build":
        conftest.build_once(BUILD)
    try:
        done = subprocess.run([str(conftest.INSTANCE), "up"], cwd=REPO, env=clean_env(**words), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"{root}/spool/hold/" in done.stdout and "why" in done.stdout
        assert [p for p in (root / "outbox/new").iterdir() if b"\nSubject: Sekisho sample" in p.read_bytes()] == []
    finally:
        subprocess.run([str(conftest.INSTANCE), "down"], cwd=REPO, env=clean_env(**words), stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=120, check=False)
        shutil.rmtree(root, ignore_errors=True)


def test_presets_and_examples_are_installed(tmp_path: Path) -> None:
    """Beside the configuration, not in it: setup copies none of them to /etc/sekisho, and an upgrade brings new ones."""
    done = subprocess.run([str(REPO / "services/install"), "install"], cwd=REPO, stdin=subprocess.DEVNULL,
                          env=clean_env(DESTDIR=str(tmp_path), PREFIX="/usr", BUILD=BUILD), capture_output=True, text=True,
                          timeout=120)
    assert done.returncode == 0, done.stderr
    share = tmp_path / "usr/share/sekisho"
    for name in ("presets", "examples"):
        assert files(share / name) == files(REPO / "etc" / name)
        assert not (share / "etc" / name).exists()
    assert stat.S_IMODE((share / "presets/standard/policy/must/50-outsiders").stat().st_mode) == 0o644
