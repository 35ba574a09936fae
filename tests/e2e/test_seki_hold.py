"""The operator's commands for mail that waits (S2-07, S2-08, S2-27): list with filters, release, discard, restore,
approve, reject, extend, remove-recipient; by ids, from standard input, by filters; what each leaves behind."""
import hashlib
import json
import os
import pty
import re
import subprocess
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest

from conftest import Gateway, clean_env, prepare, wait_for
from test_spool_kit import (NEVER, due, later, leg, mail, new_id, places, plan, put, stamp, wait_in)

RULES = """rule partner-waits
    to      @partner.example
    do      hold 60m

rule boss-approves
    to      @asked.example
    do      approve by boss

rule friends-wait
    to      @friends.example
    do      hold 60m
"""
PEOPLE = "alice@example.co.jp boss=suzuki@example.co.jp\nsuzuki@example.co.jp\nbob@example.co.jp\n"
WHO = r"by=[a-z]\S* via=shell"


@pytest.fixture(scope="module")
def gw() -> Iterator[Gateway]:
    made = prepare(files={"etc/policy/must/50-waits": RULES, "etc/people": PEOPLE,
                          "etc/domains": "example.co.jp internal\n"})
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture(autouse=True)
def nothing_is_left(gw: Gateway) -> Iterator[None]:
    """Every test begins with nothing that waits."""
    yield
    for state in ("hold", "approve"):
        for name in [p.name for p in gw.spool(state)]:
            gw.seki("discard", name)


def rows(done: subprocess.CompletedProcess) -> list[list[str]]:
    return [line.split("\t") for line in done.stdout.splitlines()]


def held(gw: Gateway, tag: str, state: str = "hold", **more) -> str:
    """A message that waits; its id."""
    def standing() -> set[str]:
        return {p.name.split(".")[1] for p in gw.spool(state)}
    before = standing()
    gw.send(mail(tag), **more)
    return wait_for(lambda: standing() - before, why=state).pop()


def ids(gw: Gateway, *words: str) -> set[str]:
    """What list --ids says, as ids."""
    done = gw.seki("list", *words, "--ids")
    assert done.returncode == 0, done.stderr
    assert all(re.fullmatch(r"[0-9a-f]{32}(\.[1-9][0-9]*)+", line) for line in done.stdout.splitlines())
    return {line.split(".")[0] for line in done.stdout.splitlines()}


def trailer(gw: Gateway, leg_id: str) -> str:
    [(state, name)] = places(gw, leg_id)
    return (gw.root / "spool" / state / name).read_bytes().split(f"\n-- {leg_id}\n".encode(), 1)[1].decode()


def record(gw: Gateway, leg_id: str, word: str) -> str:
    """The last record of that word."""
    found = re.findall(rf"^\S+Z ({word}(?: .*)?)$", trailer(gw, leg_id), flags=re.M)
    assert found, trailer(gw, leg_id)
    return found[-1]


def done_with(gw: Gateway, leg_id: str, result: str, state: str, *words: str) -> None:
    """The command does it to this leg, and says so in one line."""
    done = gw.seki(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert rows(done) == [[f"{leg_id}.1", result, state, "-"]]


# ---- one after another --------------------------------------------------------------------------


def test_S2_07_release_with_a_reason(gw: Gateway) -> None:
    leg_id = held(gw, "released")
    done_with(gw, leg_id, "released", "deliver", "release", "--reason", "he called; 急ぎ", leg_id)
    gw.wait_delivered(lambda m: b"Subject: released" in m)
    wait_in(gw, leg_id, "sent")
    assert re.search(rf"^held plan=[0-9a-f]{{16}} ended=released {WHO} reason=he\+20called;\+20\+E6", record(gw, leg_id, "held"))
    assert "he called; 急ぎ" in gw.seki("why", leg_id).stdout
    history = [r[2] for r in rows(gw.seki("show", leg_id)) if r[0] == "history"]
    assert any(re.match(r"released by \S+ \(shell\): he called; 急ぎ$", text) for text in history), history


def test_S2_08_discard_and_restore(gw: Gateway) -> None:
    """What is thrown away stands in trash/, with why and until when, and comes back to wait anew."""
    leg_id = held(gw, "back")
    done_with(gw, leg_id, "discarded", "trash", "discard", leg_id, "--reason=wrong file")
    wait_in(gw, leg_id, "trash")
    assert re.search(rf"^discarded {WHO} reason=wrong\+20file", record(gw, leg_id, "discarded"))
    [row] = [r for r in rows(gw.seki("list", "trash")) if leg_id in r[2]]
    assert row[7] == "person" and row[8].startswith("root" if os.geteuid() == 0 else "")
    kept = datetime.strptime(row[9], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc) - datetime.now(timezone.utc)
    assert timedelta(days=13, hours=23) < kept < timedelta(days=14, minutes=1)
    [told] = [json.loads(line) for line in gw.seki("-j", "list", "trash").stdout.splitlines() if leg_id in line]
    assert told["reason"] == "wrong file" and told["why"] == "person"

    done_with(gw, leg_id, "restored", "new", "restore", leg_id, "--reason", "it was right")
    wait_in(gw, leg_id, "hold")
    assert re.search(rf"^restored {WHO} reason=it\+20was\+20right$", record(gw, leg_id, "restored"))
    why = gw.seki("why", leg_id).stdout
    assert "discarded by" in why and "wrong file" in why and "brought back from trash/" in why
    again = gw.seki("restore", leg_id)
    assert again.returncode == 1 and rows(again)[0][1:3] == ["no", "hold"]
    assert not any(b"Subject: back" in m for m in gw.delivered())


def test_S2_13_approve_in_the_approvers_place(gw: Gateway) -> None:
    leg_id = held(gw, "approved", state="approve", to="bob@asked.example")
    [row] = rows(gw.seki("list", "approve"))
    assert row[7:] == ["boss:suzuki@example.co.jp", "0/1"]
    released = gw.seki("release", leg_id)
    assert released.returncode == 1 and rows(released)[0][1:3] == ["no", "approve"]  # no way round the approval
    done_with(gw, leg_id, "approved", "deliver", "approve", leg_id, "--reason", "boss is ill")
    gw.wait_delivered(lambda m: b"Subject: approved" in m)
    assert re.search(rf"^approved plan=[0-9a-f]{{16}} ended=operator {WHO} reason=boss\+20is\+20ill$",
                     record(gw, leg_id, "approved"))
    assert "approved in the approvers' place by" in gw.seki("why", leg_id).stdout


def test_S2_13_reject(gw: Gateway) -> None:
    """It is thrown away, and its sender gets it back as a draft."""
    leg_id = held(gw, "rejected", state="approve", to="bob@asked.example")
    done_with(gw, leg_id, "rejected", "trash", "reject", leg_id, "--reason", "not this customer")
    said = record(gw, leg_id, "discarded")
    assert "cause=rejected" in said and "tell=draft" in said and "reason=not+20this+20customer" in said
    [row] = [r for r in rows(gw.seki("list", "trash")) if leg_id in r[2]]
    assert row[7] == "rejected"
    assert "not approved" in gw.seki("why", leg_id).stdout


def test_S2_07_extend(gw: Gateway) -> None:
    """By so much longer than it would be held, or to a moment; never to an earlier one."""
    leg_id = held(gw, "extended")
    until = re.search(r"hold until=(\S+)", trailer(gw, leg_id)).group(1)
    ends = datetime.strptime(until, "%Y-%m-%dT%H:%M:%S.%fZ")
    done_with(gw, leg_id, "extended", "hold", "extend", "+30m", leg_id, "--reason", "wait for Taro")
    want = (ends + timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert re.search(rf"^extended until={want} {WHO}", record(gw, leg_id, "extended"))
    [name] = [n for _, n in places(gw, leg_id)]
    assert name > due(ends.replace(tzinfo=timezone.utc) + timedelta(minutes=29))
    done_with(gw, leg_id, "extended", "hold", "extend", "+1h", leg_id)
    want = (ends + timedelta(minutes=90)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert f"until={want}" in record(gw, leg_id, "extended")
    far = later(days=2).strftime("%Y-%m-%dT%H:%M:00Z")
    done_with(gw, leg_id, "extended", "hold", "extend", far, leg_id)
    assert f"until={far[:-1]}.000000Z" in record(gw, leg_id, "extended")
    earlier = gw.seki("extend", later(minutes=5).strftime("%Y-%m-%dT%H:%M:00Z"), leg_id)
    assert earlier.returncode == 1 and rows(earlier)[0][1] == "no"
    assert "held for longer, until" in gw.seki("why", leg_id).stdout
    for wrong in ("+30", "30m", "2020-01-01T00:00:00Z", "yesterday", "+0m", "+-1h"):
        done = gw.seki("extend", wrong, leg_id)
        assert done.returncode == 100 and done.stdout == ""


def test_extend_needs_an_end(gw: Gateway) -> None:
    """What an operator ends has no time that could be put off."""
    leg_id = new_id()
    put(gw, "hold", f"{NEVER}.{leg_id}.1", leg(leg_id, mail("never"), plan(leg_id, " hold operator why=x\n deliver\n")))
    done = gw.seki("extend", "+30m", leg_id)
    assert done.returncode == 1 and rows(done)[0][1] == "no" and "no time ends its hold" in rows(done)[0][3]


def test_S2_16_remove_recipient(gw: Gateway) -> None:
    """Out of the envelope and out of the header; the others get it."""
    text = b"From: alice@example.co.jp\r\nTo: bob@partner.example, carol@partner.example\r\nSubject: one less\r\n\r\nhi\r\n"
    gw.send(text, to=["bob@partner.example", "carol@partner.example"])
    leg_id = wait_for(lambda: gw.spool("hold"), why="hold/")[0].name.split(".")[1]
    done_with(gw, leg_id, "removed", "hold", "remove-recipient", "bob@partner.example", leg_id, "--reason", "left there")
    assert re.search(rf"^drop rcpt=1 {WHO} reason=left\+20there$", record(gw, leg_id, "drop"))
    assert "bob@partner.example taken away as a recipient" in gw.seki("why", leg_id).stdout
    no = gw.seki("remove-recipient", "dave@partner.example", leg_id)
    assert no.returncode == 1 and rows(no)[0][1] == "no"
    assert gw.seki("remove-recipient", leg_id).returncode == 100
    done_with(gw, leg_id, "released", "encrypt", "release", leg_id)
    [sent] = gw.wait_delivered(lambda m: b"Subject: one less" in m)
    assert b"carol@partner.example" in sent and b"bob@" not in sent


def test_every_order_is_in_the_audit_log(gw: Gateway) -> None:
    """Who, what, why; before the leg says so."""
    leg_id = held(gw, "audited")
    acts = [("extend", ["+30m", leg_id]), ("discard", [leg_id]), ("restore", [leg_id]), ("release", [leg_id])]
    for word, words in acts:
        assert gw.seki(word, *words, "--reason", f"reason to {word}").returncode == 0
        if word == "restore":
            wait_in(gw, leg_id, "hold")

    def told() -> dict[str, list[str]]:
        return {row[3]: row for row in rows(gw.seki("audit", "show", "--id", leg_id)) if row[2] == "seki-hold"}
    wait_for(lambda: {word for word, _ in acts} <= set(told()), why="the audit log")
    for word, _ in acts:
        row = told()[word]
        assert f"reason=reason to {word}" in row and "via=shell" in row and any(w.startswith("by=") for w in row)


# ---- which -------------------------------------------------------------------------------------


def test_S2_27_filters(gw: Gateway) -> None:
    """By sender, recipient, rule, age, due time; all that is asked must hold."""
    one = held(gw, "one", to=["bob@partner.example", "carol@partner.example"])
    two = held(gw, "two", sender="bob@example.co.jp", to="eve@friends.example")
    assert ids(gw, "hold") == {one, two}
    cases = [
        (["--sender", "alice@example.co.jp"], {one}),
        (["--sender=ALICE@Example.CO.JP"], {one}),
        (["--sender", "@example.co.jp"], {one, two}),
        (["--sender", "@co.jp"], set()),
        (["--sender", "<>"], set()),
        (["--to", "carol@partner.example"], {one}),
        (["--to", "@friends.example"], {two}),
        (["--rule", "partner-waits"], {one}),
        (["--rule", "must/50-waits"], {one, two}),
        (["--rule", "must/50-waits:1"], {one}),
        (["--rule", "must/50"], set()),
        (["--older", "1h"], set()),
        (["--younger", "1h"], {one, two}),
        (["--due-within", "2h"], {one, two}),
        (["--due-within", "30m"], set()),
        (["--sender", "@example.co.jp", "--rule", "friends-wait"], {two}),
        (["--state", "approve"], {one, two}),
    ]
    for words, want in cases:
        assert ids(gw, "hold", *words) == want, words
    assert ids(gw, "--state", "approve", "--sender", "@example.co.jp") == set()
    for words in (["--sender"], ["--sender", "alice"], ["--older", "soon"], ["--due-within", "2026-01-01"],
                  ["--state", "hodl"], ["--rule="], ["--group", "xyz"], ["--nonsense", "x"]):
        done = gw.seki("list", "hold", *words)
        assert done.returncode == 100 and done.stdout == "" and done.stderr, words


def test_S2_27_older(gw: Gateway) -> None:
    """By acceptance."""
    leg_id = new_id()
    text = leg(leg_id, mail("old"), plan(leg_id, f" hold until={stamp(later(hours=1))} rule=must/50-waits:1\n deliver\n"))
    old = stamp(later(hours=-3)).encode()
    head, rest = text.split(b"\n\n", 1)
    lines = [b"accepted " + old if line.startswith(b"accepted ") else line for line in head.split(b"\n")][:-1]
    above = b"\n".join(lines) + b"\n"
    put(gw, "hold", f"{due(later(hours=1))}.{leg_id}.1",
        above + b"head " + hashlib.sha256(above).hexdigest().encode() + b"\n\n" + rest)
    young = held(gw, "young")
    assert ids(gw, "hold", "--older", "2h") == {leg_id}
    assert ids(gw, "hold", "--younger", "2h") == {young}
    assert ids(gw, "hold", "--older", later(hours=-2).strftime("%Y-%m-%dT%H:%M:%SZ")) == {leg_id}


def test_by_a_filter_directly(gw: Gateway) -> None:
    """It says how many, and does nothing without --yes where nobody can be asked."""
    mine = [held(gw, f"mine-{n}") for n in range(3)]
    other = held(gw, "other", to="eve@friends.example")
    done = gw.seki("discard", "--to", "@partner.example")
    assert done.returncode == 100 and done.stdout == "" and "3 legs fit" in done.stderr and "--yes" in done.stderr
    assert ids(gw, "hold") == {*mine, other}
    done = gw.seki("discard", "--to", "@partner.example", "--yes", "--reason", "all of them")
    assert done.returncode == 0 and sorted(r[0] for r in rows(done)) == sorted(f"{i}.1" for i in mine)
    assert {r[1] for r in rows(done)} == {"discarded"}
    assert ids(gw, "hold") == {other}
    assert all("reason=all+20of+20them" in record(gw, i, "discarded") for i in mine)
    none = gw.seki("discard", "--to", "@partner.example", "--yes")
    assert none.returncode == 1 and "no mail fits" in none.stderr
    assert gw.seki("release").returncode == 100 and gw.seki("release", "--yes").returncode == 100
    assert gw.seki("release", "--to", "@friends.example", other).returncode == 100  # ids, or a filter
    done = gw.seki("remove-recipient", "eve@friends.example", "--rule", "friends-wait", "--yes")
    assert rows(done)[0][0] == f"{other}.1"


@pytest.mark.parametrize("answer, gone", [("yes", True), ("y", True), ("no", False), ("", False), ("yess", False)])
def test_a_terminal_is_asked(gw: Gateway, answer: str, gone: bool) -> None:
    leg_id = held(gw, "asked")
    master, slave = pty.openpty()
    try:
        run = subprocess.Popen([str(gw.root / "bin/seki"), "discard", "--sender", "alice@example.co.jp"], stdin=slave,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env=clean_env(SEKISHO_ROOT=str(gw.root)))
        os.write(master, answer.encode() + b"\n")
        said = run.communicate(timeout=60)
    finally:
        os.close(master)
        os.close(slave)
    assert "1 leg fits" in said[1] and "discard? (yes/no)" in said[1]
    assert run.returncode == (0 if gone else 1)
    assert ids(gw, "hold") == (set() if gone else {leg_id})


def test_a_reason_has_a_bound(gw: Gateway) -> None:
    leg_id = held(gw, "reason")
    assert gw.seki("discard", leg_id, "--reason", "あ" * 167).returncode == 100
    assert ids(gw, "hold") == {leg_id}
    assert gw.seki("discard", leg_id, "--reason", "あ" * 166).returncode == 0
    assert record(gw, leg_id, "discarded").count("+E3+81+82") == 166


def test_json(gw: Gateway) -> None:
    leg_id = held(gw, "json")
    [row] = [json.loads(line) for line in gw.seki("-j", "list", "hold").stdout.splitlines()]
    assert row["leg"] == f"{leg_id}.1" and row["ends"] == "sent"
    [row] = [json.loads(line) for line in gw.seki("-j", "discard", leg_id).stdout.splitlines()]
    assert row == {"leg": f"{leg_id}.1", "result": "discarded", "state": "trash", "why": None}
    [row] = [json.loads(line) for line in gw.seki("-j", "list", "--state", "trash", "--ids").stdout.splitlines()
             if leg_id in line]
    assert row == {"leg": f"{leg_id}.1"}


def test_an_approval_of_several(gw: Gateway) -> None:
    """Whom it asks now, and how many have said yes, from the votes of this plan alone."""
    leg_id = new_id()
    text = plan(leg_id, " approve by=2:staff then=address:suzuki@example.co.jp\n deliver\n")
    digest = re.search(r"sha256=(\S+)", text).group(1)
    body = leg(leg_id, mail("votes"), "")
    content = re.search(rb"\nsha256 (\S{16})", body).group(1).decode()

    def vote(step: int, who: str, of: str = digest, say: str = "yes") -> str:
        return f"{stamp()} vote plan={of} content={content} step={step} say={say} by={who} via=gate\n"

    def listed(trailer_text: str) -> list[str]:
        other = gw.root / "spool/approve" / f"{NEVER}.{leg_id}.1"
        other.unlink(missing_ok=True)
        gw.svc("-wd", "-d", "seki-hold")
        try:
            put(gw, "approve", other.name, body + trailer_text.encode())
            [row] = [r for r in rows(gw.seki("list", "approve")) if leg_id in r[2]]
            shown = gw.seki("why", leg_id).stdout
            assert shown.count("approved by") == trailer_text.count("say=yes")
            return row[7:]
        finally:
            other.unlink(missing_ok=True)
            gw.svc("-wU", "-u", "seki-hold")

    assert listed(text) == ["2:staff", "0/2"]
    assert listed(text + vote(1, "a@example.co.jp") + vote(1, "b@example.co.jp", of="0" * 16)) == ["2:staff", "1/2"]
    assert listed(text + vote(1, "a@example.co.jp") + vote(1, "b@example.co.jp")) == ["address:suzuki@example.co.jp", "0/1"]


# ---- thousands ---------------------------------------------------------------------------------


def test_S2_27_thousands_at_once(gw: Gateway) -> None:
    """From list to discard by a pipe, as the manual shows; nothing is left out."""
    many = 1500
    for _ in range(many):
        leg_id = new_id()
        put(gw, "hold", f"{due(later(hours=1))}.{leg_id}.1",
            leg(leg_id, mail("many"), plan(leg_id, f" hold until={stamp(later(hours=1))} rule=must/50-waits:1\n deliver\n")))
    begun = time.monotonic()
    listed = gw.seki("list", "hold", "--sender", "alice@example.co.jp", "--ids").stdout
    done = gw.seki("discard", "-", stdin=listed, timeout=300)
    assert done.returncode == 0, done.stderr
    assert len(rows(done)) == many and {r[1] for r in rows(done)} == {"discarded"}
    assert gw.spool("hold") == [] and time.monotonic() - begun < 120
