"""People write rules of their own (S0-03, S0-07, S0-16, S0-21, S1-24c, S2-28): seki-rules proves who asks, writes what
the form says in the language, checks it with all other rules, and puts it in force; seki-scan goes by it with the next
mail. The client here stands for the program of the pages, and says whatever it likes."""
import base64
import contextlib
import hashlib
import hmac
import json
import os
import random
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import Gateway, wait_for
from facts_kit import mail, text, to_xtext
from rules_kit import ALICE, BOB, CAROL, DAVE, Client, digest, instance, legs, rests, send

ALLOW = "user hold approve bcc files password stagger\n"
MUST = "rule floor\n    to @floor.example\n    do hold 60m\n"
PASSWORD = "generate 10 upper lower digit symbol\ntell recipient\nafter 3m\n"


def made(**settings: str) -> Gateway:
    own = {"own-rules": "60", "own-rules-changes": "10000", "own-rules-changes-all": "10000"}
    return instance({"must/50-floor": MUST}, settings=own | settings,
                    files={"etc/allow": ALLOW, "etc/passwords/random-10": PASSWORD})


@pytest.fixture(scope="module")
def gw() -> Iterator[Gateway]:
    it = made()
    try:
        yield it.start()
    finally:
        it.stop()


# ---- asking ------------------------------------------------------------------------------------


def letters(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def ticket(gw: Gateway, who: str, seconds: int = 60, key: bytes | None = None) -> str:
    """A session as seki-login gives one out."""
    key = key or bytes.fromhex((gw.root / "lib/gate/key").read_text().strip())
    said = f"s1.{letters(who.encode())}.{int(time.time()) + seconds:010d}"
    return f"{said}.{letters(hmac.new(key, b'session' + bytes(1) + said.encode(), hashlib.sha256).digest()[:16])}"


def tell(gw: Gateway, line: str) -> dict:
    """{}: hung up without an answer."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        client.connect(str(gw.root / "run/rules/socket"))
        client.sendall(line.encode())
        said = b"".join(iter(lambda: client.recv(65536), b""))
    return json.loads(said) if said else {}


def ask(gw: Gateway, who: str, verb: str, credential: str = "", **words: str) -> dict:
    pairs = "".join(f" {key.rstrip('_').replace('_', '-')}={to_xtext(value)}" for key, value in words.items())
    return tell(gw, f"session={credential or ticket(gw, who)} {verb}{pairs}\n")


def seen(gw: Gateway, who: str) -> str:
    """The digest of the file as it is shown."""
    answer = ask(gw, who, "rules")
    assert answer["result"] == "done", answer
    return answer["digest"]


def add(gw: Gateway, who: str, **form: str) -> dict:
    return ask(gw, who, "add", digest=seen(gw, who), **form)


def own_file(gw: Gateway, who: str) -> Path:
    return gw.root / "etc/policy/user" / who


def forget(gw: Gateway, who: str) -> None:
    """Takes all of somebody's rules away, as he would."""
    while (answer := ask(gw, who, "rules"))["rules"]:
        assert ask(gw, who, "remove", digest=answer["digest"], n="1")["result"] == "done"


def unchanged_by_compile(gw: Gateway) -> None:
    """What is in force is what "seki compile" would make of etc/."""
    before = os.readlink(gw.root / "lib/compiled/current")
    done = gw.seki("compile")
    assert done.returncode == 0 and "unchanged" in done.stdout, done.stdout + done.stderr
    assert os.readlink(gw.root / "lib/compiled/current") == before


def hold_of(gw: Gateway, message: str) -> str:
    """By which hold it waits: "30m", or where it is."""
    rests(gw, [message])
    [leg] = legs(gw, message)
    return next((d["outcome"] for d in leg.of("decided") if d["function"] == "hold"), leg.state)


@pytest.fixture(autouse=True)
def nobody_has_rules(gw: Gateway) -> Iterator[None]:
    """A test that failed is in no other's way."""
    yield
    for who in (ALICE, BOB, CAROL, DAVE):
        if not own_file(gw, who).is_dir():
            forget(gw, who)


# ---- rules that people have --------------------------------------------------------------------


def test_S0_03_S0_07_ones_own_rule_holds_ones_own_mail(gw: Gateway) -> None:
    """With the next mail, and nobody reloads."""
    to = "c@x.example"
    assert hold_of(gw, send(gw, "before", to, ALICE)) == "sent"
    answer = add(gw, ALICE, when_to="@x.example", do="hold", do_time="30m")
    assert answer["result"] == "done" and answer["warnings"] == [], answer
    assert own_file(gw, ALICE).read_text() == "rule own-1\n    to      @x.example\n    do      hold 30m\n"
    mine = send(gw, "mine", to, ALICE)
    assert hold_of(gw, mine) == "30m"
    assert hold_of(gw, send(gw, "theirs", to, DAVE)) == "sent"
    assert hold_of(gw, send(gw, "elsewhere", "c@y.example", ALICE)) == "sent"

    # All tools see it as after "seki compile".
    why = gw.seki("why", mine).stdout
    assert f"user/{ALICE}:1" in why and "own-1" in why, why
    assert digest(gw) in gw.seki("rules").stdout and digest(gw) in why
    assert gw.seki("check").returncode == 0
    replayed = gw.seki("replay", mine)
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    assert "event=rules-taken" in gw.wait_log("seki-scan", "event=rules-taken")
    unchanged_by_compile(gw)
    done = gw.seki("reload")
    assert done.returncode == 0, done.stderr
    forget(gw, ALICE)
    assert not own_file(gw, ALICE).exists()
    assert hold_of(gw, send(gw, "after", to, ALICE)) == "sent"
    unchanged_by_compile(gw)


def test_S1_24c_below_the_administrators_rule_it_changes_nothing(gw: Gateway) -> None:
    shorter = add(gw, BOB, when_to="@floor.example", do="hold", do_time="5m")
    assert [w["code"] for w in shorter["warnings"]] == ["changes-nothing"]
    assert hold_of(gw, send(gw, "floor", "a@floor.example", BOB)) == "60m"
    longer = add(gw, BOB, when_to="vip@floor.example", name="longer", do="hold", do_time="2h")
    assert longer["warnings"] == []
    # In a layer the first rule that holds decides: the shorter one stands before it.
    assert hold_of(gw, send(gw, "vip", "vip@floor.example", BOB)) == "60m"
    assert ask(gw, BOB, "remove", digest=longer["digest"], n="1")["result"] == "done"
    assert hold_of(gw, send(gw, "vip", "vip@floor.example", BOB)) == "2h"
    forget(gw, BOB)


def test_S2_28_S0_16_S0_21_what_cannot_be_done_yet_is_said(gw: Gateway) -> None:
    """Bcc by a number, encryption, and files behind a link are a user's, too: such mail waits, and he is told."""
    allowed = {a["function"]: a["cannot"] for a in ask(gw, CAROL, "rules")["allowed"]}
    assert allowed == {"hold": False, "approve": False, "bcc": True, "files": True, "password": True, "stagger": True}
    assert ask(gw, CAROL, "rules")["passwords"] == ["random-10"]
    forms = [({"when_visible": "5", "when_class": "external", "do": "bcc", "do_bcc": "all"},
              "    visible external >= 5\n    do      bcc all\n"),
             ({"when_attachment": "open", "do": "files", "do_files": "zip"},
              "    file    not encrypted\n    do      zip\n"),
             ({"when_size": "2MB", "do": "files", "do_files": "link", "do_time": "7d"},
              "    files   size >= 2MB\n    do      link for 7d\n")]
    for form, text_of in forms:
        answer = ask(gw, CAROL, "try", **form)
        assert answer["text"] == f"rule own-1\n{text_of}", answer
        assert [w["code"] for w in answer["warnings"]] == ["cannot"]
    assert not own_file(gw, CAROL).exists()
    assert add(gw, CAROL, **forms[0][0])["result"] == "done"
    to = [f"c{n}@v.example" for n in range(5)]
    message = send(gw, "seen by all", to, CAROL)
    rests(gw, [message])
    assert "this version cannot" in gw.seki("why", message).stdout
    forget(gw, CAROL)


def test_what_a_form_says_is_quoted(gw: Gateway) -> None:
    """No value ends its rule: neither a quote nor a newline, nor what would be words of the language."""
    nasty = 'a"b\\c, # x, ） do refuse "no"'
    answer = add(gw, ALICE, when_subject=nasty + "\nrule other\n    always\n    do hold no", do="hold", do_time="5m")
    assert answer["result"] == "done", answer
    [rule] = ask(gw, ALICE, "rules")["rules"]
    assert rule["text"].count("\n") == 3 and rule["fields"]["when-subject"].startswith('a"b\\c, # x, ')
    # seki-scan takes what asks something else with pauses of ten seconds.
    wait_for(lambda: hold_of(gw, send(gw, 'say a"b\\c', "c@x.example", ALICE)) == "5m", 30, "the rule in force")
    assert hold_of(gw, send(gw, "say abc", "c@x.example", ALICE)) == "sent"
    for field, value in (("name", "a\nrule b"), ("when_to", "a@b.example\n    do hold no"),
                         ("do_time", "5m\n    do hold no"), ("when_time", "Sat\nrule b"), ("when_size", "2MB\n")):
        words = {"when_to": "@x.example", "do": "hold", "do_time": "5m"} | {field: value}
        answer = ask(gw, ALICE, "try", **words)
        assert (answer["result"], answer["code"]) == ("no", "field"), (field, answer)
    forget(gw, ALICE)


# ---- what is refused ---------------------------------------------------------------------------


def test_functions_that_are_not_allowed(gw: Gateway) -> None:
    for function in ("refuse", "bounce", "forward", "notice", "sign", "route", "insert", "archive", "copy", "add-bcc",
                     "tls"):
        answer = add(gw, ALICE, do=function, do_notice="never", do_name="x.example", do_who="boss", do_text="top a",
                     do_tls="dane")
        assert (answer["code"], answer["field"]) == ("not-allowed", "do"), (function, answer)
    assert not own_file(gw, ALICE).exists()


def test_W5_W6_who_asks_is_proved(gw: Gateway) -> None:
    """A program of the pages that is taken over acts for nobody who is not logged in."""
    good = ticket(gw, ALICE)
    assert ask(gw, ALICE, "rules", good)["result"] == "done"
    assert ask(gw, ALICE, "rules", ticket(gw, ALICE, -1))["result"] == "expired"
    assert ask(gw, ALICE, "rules", ticket(gw, ALICE, key=bytes(32)))["result"] == "forged"
    assert ask(gw, ALICE, "rules", good[:-2] + ("AA" if good[-2:] != "AA" else "BB"))["result"] == "forged"
    swapped = good.split(".")
    swapped[1] = letters(BOB.encode())
    assert ask(gw, BOB, "rules", ".".join(swapped))["result"] == "forged"
    for line in ("rules\n", "cap=x rules\n", f"session={good} rules", f"session={good} rules\nsession={good} rules\n",
                 f"session={good} rules x=1\n", "\n", "x" * 17000):
        answer = tell_and_close(gw, line)
        assert answer == {} or answer["code"] == "request", (line[:40], answer)
    for who in ("somebody@elsewhere.example", f"../../must/50-floor@{ALICE}", "a/b@example.co.jp",
                ".hidden@example.co.jp", "#x@example.co.jp", '"a b"@example.co.jp', "x@example.co.jp.bak",
                "x" * 241 + "@example.co.jp", "nobody"):
        answer = ask(gw, who, "rules")
        assert answer.get("code") == "nobody" or answer["result"] == "forged", (who, answer)
    assert [p.name for p in (gw.root / "etc/policy/user").iterdir()] == []


def tell_and_close(gw: Gateway, line: str) -> dict:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(30)
        client.connect(str(gw.root / "run/rules/socket"))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            client.sendall(line.encode())
        client.shutdown(socket.SHUT_WR)
        try:
            said = b"".join(iter(lambda: client.recv(65536), b""))
        except ConnectionResetError:
            said = b""
    return json.loads(said) if said else {}


def test_two_browsers_do_not_overwrite_each_other(gw: Gateway) -> None:
    before = seen(gw, ALICE)
    assert ask(gw, ALICE, "add", digest=before, do="hold", do_time="5m")["result"] == "done"
    late = ask(gw, ALICE, "add", digest=before, do="hold", do_time="9m")
    assert (late["code"], late["digest"]) == ("changed", seen(gw, ALICE))
    # Of many at once exactly one is done.
    now, answers = seen(gw, ALICE), []
    threads = [threading.Thread(target=lambda n=n: answers.append(
        ask(gw, ALICE, "add", digest=now, name=f"n{n}", do="hold", do_time="9m"))) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(a["result"] for a in answers) == ["done"] + ["no"] * 7
    assert {a["code"] for a in answers if a["result"] == "no"} == {"changed"}
    assert len(ask(gw, ALICE, "rules")["rules"]) == 2
    unchanged_by_compile(gw)
    forget(gw, ALICE)


def test_how_often(gw: Gateway) -> None:
    """Whatever somebody changes, others go on."""
    gw.setting(own_rules_changes="0")
    assert gw.seki("reload").returncode == 0
    try:
        assert add(gw, ALICE, do="hold", do_time="5m")["code"] == "often"
        assert ask(gw, ALICE, "try", do="hold", do_time="5m")["result"] == "done"
        assert not own_file(gw, ALICE).exists()
    finally:
        gw.setting(own_rules_changes="10000")
        assert gw.seki("reload").returncode == 0


def test_what_is_asked_changes_at_intervals(gw: Gateway) -> None:
    """What was found out for mail on its way is lost by it: of two changes in a row the second one waits 10 seconds."""
    time.sleep(10.5)
    assert add(gw, ALICE, when_subject="first-word", do="hold", do_time="5m")["result"] == "done"
    assert hold_of(gw, send(gw, "first-word", sender=ALICE)) == "5m"
    assert add(gw, ALICE, when_subject="second-word", do="hold", do_time="6m")["result"] == "done"
    assert hold_of(gw, send(gw, "second-word", sender=ALICE)) == "sent"
    assert hold_of(gw, send(gw, "first-word", sender=ALICE)) == "5m"
    time.sleep(10.5)
    assert hold_of(gw, send(gw, "second-word", sender=ALICE)) == "6m"
    assert add(gw, ALICE, when_subject="third-word", do="hold", do_time="7m")["result"] == "done"
    assert gw.seki("reload").returncode == 0  # an administrator does not wait
    assert hold_of(gw, send(gw, "third-word", sender=ALICE)) == "7m"


def test_how_many(gw: Gateway) -> None:
    gw.setting(own_rules="2")
    assert gw.seki("reload").returncode == 0
    try:
        for _ in range(2):
            assert add(gw, ALICE, do="hold", do_time="5m")["result"] == "done"
        many = add(gw, ALICE, do="hold", do_time="5m")
        assert (many["code"], many["most"]) == ("many", 2)
    finally:
        forget(gw, ALICE)
        gw.setting(own_rules="60")
        assert gw.seki("reload").returncode == 0


def test_nothing_is_done_that_the_audit_log_does_not_hear_of(gw: Gateway) -> None:
    before = os.readlink(gw.root / "lib/compiled/current")
    tray = gw.root / "lib/audit/trays/seki-rules"
    away = tray.with_name("away")
    tray.rename(away)
    try:
        assert add(gw, ALICE, do="hold", do_time="5m")["code"] == "later"
        assert "event=rules-unable alarm=yes" in gw.wait_log("seki-rules", "event=rules-unable")
    finally:
        away.rename(tray)
    assert not own_file(gw, ALICE).exists()
    assert os.readlink(gw.root / "lib/compiled/current") == before
    answer = add(gw, ALICE, do="hold", do_time="5m")
    assert answer["result"] == "done"

    def said() -> list[str]:
        log = "".join(p.read_text() for p in (gw.root / "lib/audit/log").iterdir() if p.name[0] == "2")
        return [line for line in log.splitlines() if f"after={answer['digest']}" in line]

    line = wait_for(said, why="the change in the audit log")[-1]
    assert "what=own-rules" in line and f"by={ALICE}" in line and "do=add" in line
    assert f"before={hashlib.sha256().hexdigest()}" in line
    forget(gw, ALICE)


def test_a_change_that_cannot_be_published_is_taken_back(gw: Gateway) -> None:
    assert add(gw, ALICE, do="hold", do_time="5m")["result"] == "done"
    before = own_file(gw, ALICE).read_text()
    stone = gw.root / "lib/compiled/.current"
    stone.mkdir()
    (stone / "x").touch()
    try:
        assert add(gw, ALICE, do="hold", do_time="9m")["code"] == "later"
        assert add(gw, BOB, do="hold", do_time="9m")["code"] == "later"
    finally:
        (stone / "x").unlink()
        stone.rmdir()
    assert own_file(gw, ALICE).read_text() == before and not own_file(gw, BOB).exists()
    unchanged_by_compile(gw)
    forget(gw, ALICE)


def test_a_test_of_the_administrators_stands_in_the_way(gw: Gateway) -> None:
    """Else "seki reload" would refuse from then on."""
    tests = gw.root / "etc/policy/tests"
    test = tests / "10-alice.test"
    test.write_text(f"test alice-does-not-wait\n    from {ALICE}\n    to c@x.example\n"
                    "    expect c@x.example hold nothing\n")
    try:
        done = gw.seki("compile")
        assert done.returncode == 0, done.stderr
        assert add(gw, ALICE, when_to="@x.example", do="hold", do_time="30m")["code"] == "tests"
        assert not own_file(gw, ALICE).exists()
        assert add(gw, ALICE, when_to="@y.example", do="hold", do_time="30m")["result"] == "done"
    finally:
        test.unlink()
        forget(gw, ALICE)
    assert gw.seki("compile").returncode == 0


def test_what_an_administrator_is_just_writing_stays_out_of_force(gw: Gateway) -> None:
    fresh = gw.root / "etc/policy/must/60-fresh"
    fresh.write_text("rule everything-waits\n    always\n    do hold 6h\n\nrule half-writ")
    try:
        assert add(gw, BOB, when_to="@x.example", do="hold", do_time="30m")["result"] == "done"
        assert hold_of(gw, send(gw, "own", "c@x.example", BOB)) == "30m"
        assert hold_of(gw, send(gw, "other", "c@y.example", BOB)) == "sent"
    finally:
        fresh.unlink()
        forget(gw, BOB)
    unchanged_by_compile(gw)


def test_what_an_administrator_wrote_is_shown_and_left_alone(gw: Gateway) -> None:
    path = own_file(gw, BOB)
    path.mkdir()
    (path / "10-a").write_text("rule by-hand\n    to @x.example\n    do hold 9m\n")
    assert gw.seki("reload").returncode == 0
    try:
        answer = ask(gw, BOB, "rules")
        assert answer["hand"] and [r["name"] for r in answer["rules"]] == ["by-hand"]
        assert add(gw, BOB, do="hold", do_time="5m")["code"] == "hand"
        assert ask(gw, BOB, "remove", digest=answer["digest"], n="1")["code"] == "hand"
        assert (path / "10-a").read_text() == "rule by-hand\n    to @x.example\n    do hold 9m\n"
    finally:
        (path / "10-a").unlink()
        path.rmdir()
    if os.geteuid() == 0:
        path.write_text("rule by-hand\n    to @x.example\n    do hold 9m\n")
        assert gw.seki("reload").returncode == 0
        assert add(gw, BOB, do="hold", do_time="5m")["code"] == "hand"
        assert path.read_text() == "rule by-hand\n    to @x.example\n    do hold 9m\n"
        path.unlink()
    assert gw.seki("reload").returncode == 0


def test_what_root_compiles_is_seki_rules_to_change(gw: Gateway) -> None:
    """Each of them goes on with what the other has made, also with one that was in force before."""
    must = gw.root / "etc/policy/must/50-floor"
    for hold in ("60m", "90m", "60m"):
        must.write_text(MUST.replace("60m", hold))
        assert gw.seki("reload").returncode == 0
        assert add(gw, ALICE, name=f"n{hold}-{time.time_ns()}", do="hold", do_time="5m")["result"] == "done"
        unchanged_by_compile(gw)
    forget(gw, ALICE)
    if os.geteuid() == 0:
        owner = os.stat(gw.root / "lib/compiled").st_uid
        assert {os.stat(p).st_uid for p in (gw.root / "lib/compiled").rglob("*") if not p.is_symlink()} == {owner}


# ---- being killed ------------------------------------------------------------------------------


def serving(main: int) -> list[int]:
    """The processes that serve requests, asked in less time than one takes."""
    return [int(pid) for pid in Path(f"/proc/{main}/task/{main}/children").read_text().split()]


def test_killed_at_any_moment_it_is_the_old_or_the_new(gw: Gateway) -> None:
    """SIGKILL to the process of a change, at 25 moments; then what is in force is what the file says."""
    def change(old: str, n: int, answers: list[dict]) -> None:
        with contextlib.suppress(ConnectionResetError):
            answers.append(ask(gw, ALICE, "add", digest=old, name=f"n{n}", do="hold", do_time="5m"))

    chance = random.Random(17)
    main = gw.pid("seki-rules")
    old, begun = seen(gw, ALICE), time.monotonic()
    assert ask(gw, ALICE, "add", digest=old, name="first", do="hold", do_time="5m")["result"] == "done"
    takes = time.monotonic() - begun
    cut = 0
    for n in range(25):
        before = own_file(gw, ALICE).read_text() if own_file(gw, ALICE).exists() else ""
        old = seen(gw, ALICE)
        answers: list[dict] = []
        thread = threading.Thread(target=change, args=(old, n, answers))
        thread.start()
        while thread.is_alive() and not serving(main):
            pass  # it is there for a moment only
        time.sleep(chance.random() * takes)  # any moment of it: no event is waited for
        for pid in serving(main):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)
        thread.join()
        cut += answers in ([], [{}])  # hung up, or the connection was reset
        # Whoever changes something next ends, or takes back, what was begun.
        assert ask(gw, BOB, "remove", digest=seen(gw, BOB), n="1")["code"] == "none"
        now = own_file(gw, ALICE).read_text() if own_file(gw, ALICE).exists() else ""
        fresh = rf"\n?rule n{n}\n    always\n    do      hold 5m\n"
        assert now == before or re.fullmatch(re.escape(before) + fresh, now)
        assert ask(gw, ALICE, "rules")["in-force"] is True
        unchanged_by_compile(gw)
    assert gw.pid("seki-rules") == main and cut > 0
    assert [p.name for p in (gw.root / "etc/policy/user").iterdir() if p.name.startswith(".")] == []
    forget(gw, ALICE)


# ---- under load --------------------------------------------------------------------------------


def rules_of(gw: Gateway, digest_of: str) -> str:
    [folder] = [p for p in (gw.root / "lib/compiled").glob(f"{digest_of}-*")]
    return (folder / "rules").read_text()


def test_50_changes_under_load_misjudge_nothing(gw: Gateway) -> None:
    """Every mail is judged by one whole set, the one that its leg names, and by its sender's rules in it."""
    to = "c@x.example"
    assert add(gw, ALICE, when_to="@x.example", do="hold", do_time="30m")["result"] == "done"
    ids: dict[str, list[str]] = {ALICE: [], BOB: [], DAVE: []}
    faults: list[BaseException] = []
    done = threading.Event()

    def load(who: str) -> None:
        try:
            n = 0
            while n < 40 or (n < 600 and not done.is_set()):
                with Client(gw) as client:  # a session takes so many and no more
                    for _ in range(20):
                        raw = mail(text(f"hello {n}"), head=f"From: {who}\r\nTo: {to}\r\n", subject=f"{who} {n}")
                        ids[who].append(client.send(raw, who, to))
                        n += 1
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=load, args=(who,)) for who in ids]
    for thread in threads:
        thread.start()
    try:
        for n in range(50):
            answer = ask(gw, BOB, "rules")
            if answer["rules"] and n % 2:
                answer = ask(gw, BOB, "remove", digest=answer["digest"], n="1")
            else:
                # Half of them ask what is in the mail, which is found out anew then.
                form = {"when_words": "hello", "do_time": f"{n + 1}m"} if n % 4 else {"do_time": f"{n + 1}m"}
                answer = ask(gw, BOB, "add", digest=answer["digest"], when_to="@x.example", do="hold", **form)
            assert answer["result"] == "done", answer
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert not faults and min(len(sent) for sent in ids.values()) >= 40
    rests(gw, [i for sent in ids.values() for i in sent], seconds=120)
    used = set()
    for who, sent in ids.items():
        for message in sent:
            [leg] = legs(gw, message)
            [judged] = leg.of("judged")
            used.add(judged["rules"])
            bundle = rules_of(gw, judged["rules"])
            part = bundle.partition(f"file user/{who} ")[2].partition("\nfile ")[0]
            [want] = re.findall(r"do      hold (\S+)", part) or ["sent"]
            got = next((d["outcome"] for d in leg.of("decided") if d["function"] == "hold"), leg.state)
            assert got == want, (who, message, got, want)
    assert digest(gw) and len(used) > 5, used
    assert "alarm=yes" not in "".join(line for line in gw.log("seki-scan").splitlines() if "rules-" in line)
    unchanged_by_compile(gw)
    forget(gw, ALICE)
    forget(gw, BOB)


def test_a_generation_that_cannot_be_read_leaves_the_old_one(gw: Gateway) -> None:
    compiled = gw.root / "lib/compiled"
    good = os.readlink(compiled / "current")
    assert hold_of(gw, send(gw, "good", "a@floor.example", DAVE)) == "60m"

    def lead(name: str) -> None:
        link = compiled / ".test"
        link.symlink_to(name)
        os.rename(link, compiled / "current")

    lead("0" * 16 + "-" + "0" * 16)
    try:
        for n in range(3):
            assert hold_of(gw, send(gw, f"old {n}", "a@floor.example", DAVE)) == "60m"
        alarms = [line for line in gw.log("seki-scan").splitlines() if "event=rules-unread" in line]
        assert len(alarms) == 1 and "alarm=yes" in alarms[0]
    finally:
        lead(good)
    assert hold_of(gw, send(gw, "good", "a@floor.example", DAVE)) == "60m"
