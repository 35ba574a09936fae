"""The people's door of seki-hold (sekisho-gate(5)) in a running instance, through "seki gate": who may see and do what
with mail that waits, by a link or a session; one outcome for all who act at the same time."""
import base64
import hmac
import json
import re
import socket
import subprocess
import threading
from collections.abc import Iterator

import pytest

from conftest import Gateway, clean_env, wait_for
from rules_kit import ALICE, BOB, CAROL, instance, send

RULES = """rule asked-first
    to      @asked.example
    do      approve by dave@example.co.jp

rule waits
    to      @partner.example, @other.example
    do      hold 60m
"""
DAVE = "dave@example.co.jp"


@pytest.fixture(scope="module")
def gw() -> Iterator[Gateway]:
    made = instance(rules={"must/10-waits": RULES}, settings={"hold-notice": "never"})
    try:
        yield made.start()
    finally:
        made.stop()


def gate(gw: Gateway, *words: str) -> dict:
    done = gw.seki("gate", *words)
    assert done.stdout, done.stderr
    answer = json.loads(done.stdout)
    assert (done.returncode == 0) == (answer["result"] == "done"), (done.returncode, answer)
    return answer


def as_(gw: Gateway, who: str, *words: str) -> dict:
    return gate(gw, "--as", who, *words)


def link(gw: Gateway, message: str, *who: str) -> str:
    done = gw.seki("link", message, *who)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def token(gw: Gateway, message: str, *who: str) -> str:
    return link(gw, message, *who).rpartition("?")[2]


def waits(gw: Gateway, message: str, state: str = "hold") -> str:
    wait_for(lambda: any(message in p.name for p in (gw.root / "spool" / state).iterdir()), why=f"{message} in {state}")
    return message


def held(gw: Gateway, tag: str, **more) -> str:
    return waits(gw, send(gw, tag, **more))


def in_state(gw: Gateway, message: str) -> set[str]:
    return {p.parent.name for p in (gw.root / "spool").glob("*/*") if message in p.name}


def last(answer: dict) -> tuple:
    return answer["last"]["what"], answer["last"]["by"]


# ---- what is shown -----------------------------------------------------------------------------


def test_S2_47_the_link_opens_the_held_message(gw: Gateway) -> None:
    """S2-47: the URL of a notice opens the message, without searching: everything that its page needs."""
    message = held(gw, "Figures", to=["p1@partner.example", "p2@other.example"])
    shown = gate(gw, link(gw, message), "show")
    assert shown["id"] == message and shown["you"]["address"] == ALICE
    legs = shown["legs"]
    assert {leg["state"] for leg in legs} == {"held"} and all(leg["sender"] for leg in legs)
    assert {leg["subject"] for leg in legs} == {"Figures"}
    rcpts = [r for leg in legs for r in leg["recipients"]]
    assert sorted(r["address"] for r in rcpts) == ["p1@partner.example", "p2@other.example"]
    assert {(r["fate"], r["class"]) for r in rcpts} == {("open", "external")}
    rules = [r for leg in legs for r in leg["rules"]]
    assert {(r["function"], r["name"], r["rule"]) for r in rules} == {("hold", "waits", "must/10-waits:5")}
    assert "60分" in rules[0]["text"] and "waits" in rules[0]["text"]
    assert legs[0]["times"]["pass"] and "に送信されます" in legs[0]["next"]
    assert {"release", "discard", "remove", "extend"} <= set(legs[0]["can"])
    assert "approve" not in legs[0]["can"]
    english = gate(gw, token(gw, message), "show", "lang=en")["legs"][0]
    assert english["next"].startswith("It will be sent at") and "60 minutes" in english["rules"][0]["text"]


def test_S0_36_the_approver_sees_who_is_asked(gw: Gateway) -> None:
    message = waits(gw, send(gw, "Contract", to="p1@asked.example"), "approve")
    leg = as_(gw, DAVE, "show", f"id={message}")["legs"][0]
    assert leg["state"] == "approval" and leg["approver"] and not leg["sender"]
    assert leg["approval"]["you"] == "own" and [a["address"] for a in leg["approval"]["asked"]] == [DAVE]
    assert {"approve", "reject", "return"} <= set(leg["can"]) and "release" not in leg["can"]
    mine = as_(gw, ALICE, "show", f"id={message}")["legs"][0]
    assert mine["sender"] and "approve" not in mine["can"] and "release" not in mine["can"]


def test_list_of_a_person(gw: Gateway) -> None:
    """Each sees his own, the newest first; by subject and recipient, in pages."""
    ids = [held(gw, f"Listed {n}", sender=BOB, to=f"r{n}@partner.example") for n in range(3)]

    def listed(who: str, *words: str) -> list[str]:
        return [mail["id"] for mail in as_(gw, who, "list", *words)["mails"]]

    wait_for(lambda: listed(BOB) == ids[::-1])
    assert listed(BOB, "query=LISTED 1") == [ids[1]] and listed(BOB, "query=r2@") == [ids[2]]
    assert listed(BOB, "query=nothing") == [] and listed(BOB, "page=2") == []
    assert listed(BOB, "as=approver") == [] and listed(BOB, "as=sender") == ids[::-1]
    assert not set(ids) & set(listed(ALICE)) and listed(CAROL) == []
    as_(gw, BOB, "act", "word=discard", f"id={ids[0]}")
    wait_for(lambda: listed(BOB, "state=discarded") == [ids[0]])
    assert listed(BOB, "state=held") == ids[:0:-1]
    assert as_(gw, BOB, "list", "state=bad")["code"] == "state"


# ---- what is done ------------------------------------------------------------------------------


def test_S3_05_release_and_what_is_told_afterwards(gw: Gateway) -> None:
    message = held(gw, "Now")
    mine = token(gw, message)
    done = gate(gw, mine, "act", "word=release", "reason=見積は急ぎ")
    assert done["legs"] == [{"leg": f"{message}.1", "result": "done", "state": "deliver"}]
    again = gate(gw, mine, "act", "word=discard")
    assert again["result"] == "gone" and again["last"]["by"] == ALICE
    wait_for(lambda: in_state(gw, message) == {"sent"})
    shown = gate(gw, mine, "show")
    assert shown["result"] == "gone" and shown["state"] == "sent" and last(shown) == ("held", ALICE)
    assert shown["last"]["reason"] == "見積は急ぎ" and shown["legs"][0]["can"] == []
    assert as_(gw, BOB, "show", f"id={message}")["last"] is None  # not his to know


def test_S2_08_discard_restore_and_the_old_link(gw: Gateway) -> None:
    """S2-08; a link from before the mail was brought back is of no use any more."""
    message = held(gw, "Wrong")
    old = token(gw, message)
    assert gate(gw, old, "act", "word=discard")["legs"][0]["state"] == "discarded"
    wait_for(lambda: in_state(gw, message) == {"trash"})
    assert last(gate(gw, old, "act", "word=release")) == ("discarded", ALICE)
    assert gate(gw, old, "act", "word=restore")["result"] == "done"
    waits(gw, message)
    assert gate(gw, old, "show")["result"] == "expired"
    assert gate(gw, old, "act", "word=release")["result"] == "expired"
    assert in_state(gw, message) == {"hold"}
    assert gate(gw, token(gw, message), "act", "word=release")["result"] == "done"


def test_one_recipient_is_removed(gw: Gateway) -> None:
    message = held(gw, "One of two", to=["p1@partner.example", "p2@partner.example"])
    mine = token(gw, message)
    assert gate(gw, mine, "act", "word=remove")["code"] == "words"
    assert gate(gw, mine, "act", "word=remove", "rcpt=nobody@partner.example")["result"] == "no"
    assert gate(gw, mine, "act", "word=remove", "rcpt=p2@partner.example")["result"] == "done"
    rcpts = gate(gw, mine, "show")["legs"][0]["recipients"]
    assert {r["address"]: r["fate"] for r in rcpts} == {"p1@partner.example": "open", "p2@partner.example": "removed"}


def test_approval_is_not_the_senders(gw: Gateway) -> None:
    """S1-15a: without the approval it is not sent, whoever wants it."""
    message = waits(gw, send(gw, "Mine", to="p1@asked.example"), "approve")
    assert as_(gw, ALICE, "act", "word=approve", f"id={message}")["result"] == "no"
    assert as_(gw, ALICE, "act", "word=release", f"id={message}")["result"] == "no"
    assert gate(gw, token(gw, message), "act", "word=approve")["code"] == "rights"
    assert gate(gw, token(gw, message, DAVE), "act", "word=release")["code"] == "rights"
    assert in_state(gw, message) == {"approve"}
    assert gate(gw, token(gw, message, DAVE), "act", "word=approve", "reason=fine")["result"] == "done"
    assert gate(gw, token(gw, message), "act", "word=discard")["result"] == "gone"


def test_who_is_asked_may_throw_it_away_by_his_link(gw: Gateway) -> None:
    """seki-hold(8), "States and events": who is asked may discard, and take a recipient out."""
    message = waits(gw, send(gw, "No", to=["p1@asked.example", "p2@asked.example"]), "approve")
    his = token(gw, message, DAVE)
    assert {"discard", "remove"} <= set(gate(gw, his, "show")["legs"][0]["can"])
    assert gate(gw, his, "act", "word=remove", "rcpt=p2@asked.example")["result"] == "done"
    assert gate(gw, his, "act", "word=discard")["legs"][0]["state"] == "discarded"
    wait_for(lambda: in_state(gw, message) == {"trash"})


# ---- copies of one message -----------------------------------------------------------------------


def parts(boundary: str, subject: str, message_id: str) -> bytes:
    """Of one body, and of two texts in it the one that the header names."""
    body = "".join(f"--{name}\r\nContent-Type: text/plain\r\n\r\n{said}\r\n--{name}--\r\n"
                   for name, said in (("one", "The usual order."), ("two", "All our secrets.")))
    return (f"Message-ID: <{message_id}@mail.example.co.jp>\r\nFrom: {ALICE}\r\nTo: p1@asked.example\r\n"
            f"Subject: {subject}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary={boundary}\r\n"
            f"\r\n{body}").encode()


@pytest.mark.parametrize("boundary, subject", [("two", "Order"), ("one", "Another")])
def test_S1_15a_one_approval_is_not_for_mail_that_looks_otherwise(gw: Gateway, boundary: str, subject: str) -> None:
    """S1-15a: one body and one Message-ID, but another text or subject in it: no copy, whatever is shown."""
    name = f"forged-{boundary}"
    one = waits(gw, send(gw, "", to="p1@asked.example", raw=parts("one", "Order", name)), "approve")
    two = waits(gw, send(gw, "", to="p2@asked.example", raw=parts(boundary, subject, name)), "approve")
    shown = gate(gw, token(gw, one, DAVE), "show")
    assert [leg["leg"] for leg in shown["legs"]] == [f"{one}.1"]
    assert gate(gw, token(gw, one, DAVE), "act", "word=approve", f"shown={shown['shown']}")["copies"] == 0
    wait_for(lambda: in_state(gw, one) == {"sent"})
    assert in_state(gw, two) == {"approve"}


def test_S1_15a_copies_are_decided_about_by_who_was_shown_them(gw: Gateway) -> None:
    """S1-15a, C6: one decision for all copies, if the page has shown all of them; for its own message without that."""
    ids = [waits(gw, send(gw, "", to=f"p{n}@asked.example", raw=parts("one", "Copies", "copies")), "approve")
           for n in range(3)]
    his = token(gw, ids[0], DAVE)
    shown = wait_for(lambda: x if len((x := gate(gw, his, "show"))["legs"]) == 3 else None)["shown"]
    late = waits(gw, send(gw, "", to="p9@asked.example", raw=parts("one", "Copies", "copies")), "approve")
    wait_for(lambda: len(gate(gw, his, "show")["legs"]) == 4)
    alone = gate(gw, his, "act", "word=approve", f"shown={shown}")
    assert alone["copies"] == 3 and [leg["leg"] for leg in alone["legs"]] == [f"{ids[0]}.1"]
    wait_for(lambda: in_state(gw, ids[0]) == {"sent"})
    assert all(in_state(gw, one) == {"approve"} for one in [*ids[1:], late])
    his = token(gw, ids[1], DAVE)
    shown = gate(gw, his, "show")["shown"]
    both = gate(gw, his, "act", "word=approve", f"shown={shown}")
    assert both["copies"] == 0 and {leg["result"] for leg in both["legs"]} == {"done"} and len(both["legs"]) == 3
    wait_for(lambda: all(in_state(gw, one) == {"sent"} for one in [*ids, late]))


# ---- who is turned away ------------------------------------------------------------------------


def changed(text: str) -> str:
    raw = bytearray(base64.urlsafe_b64decode(text))
    raw[20] ^= 1
    return base64.urlsafe_b64encode(raw).decode()


def test_forged_cross_message_and_strangers(gw: Gateway) -> None:
    one, two = held(gw, "A"), held(gw, "B")
    cap = token(gw, one)
    assert gate(gw, changed(cap), "show")["result"] == "forged"
    assert gate(gw, cap, "show", f"id={two}")["code"] == "cross-message"
    assert gate(gw, cap, "act", "word=discard", f"id={two}")["code"] == "cross-message"
    assert gate(gw, cap, "list")["code"] == "rights"
    assert gate(gw, token(gw, one, BOB), "show")["result"] == "forbidden"
    assert as_(gw, BOB, "show", f"id={one}")["result"] == "forbidden"
    assert as_(gw, BOB, "act", "word=discard", f"id={one}")["result"] == "forbidden"
    assert gate(gw, "session=s1.YQ.9999999999.AAAAAAAAAAAAAAAAAAAAAA", "list")["result"] == "forged"
    assert in_state(gw, one) == {"hold"} and in_state(gw, two) == {"hold"}
    log = gw.log("seki-hold")
    assert {"forged", "cross-message", "nobody", "rights"} <= set(re.findall(r"event=gate-refused why=(\S+)", log))
    assert cap not in log and changed(cap) not in log


def talk(gw: Gateway, said: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        s.connect(str(gw.root / "run/gate/socket"))
        s.sendall(said)
        heard = b""
        while piece := s.recv(65536):
            heard += piece
        return heard


@pytest.mark.parametrize("said", [b"hello\n", b"cap=x show more\n", b"cap=x show\ncap=x show\n", b"a" * 16384, b"\xff\n"])
def test_what_is_no_request(gw: Gateway, said: bytes) -> None:
    assert json.loads(talk(gw, said))["code"] == "request"


def test_silent_clients_do_not_keep_others_out(gw: Gateway) -> None:
    """More clients than there are places, that say nothing: who speaks is heard, and mail goes on."""
    silent = []
    try:
        for _ in range(80):
            s = socket.socket(socket.AF_UNIX)
            s.connect(str(gw.root / "run/gate/socket"))
            s.sendall(b"cap=")
            silent.append(s)
        assert as_(gw, ALICE, "list")["result"] == "done"
        gw.send(b"Subject: passes\r\n\r\nx\r\n", sender=ALICE, to=BOB)
        wait_for(lambda: any(b"Subject: passes" in mail for mail in gw.delivered()))
    finally:
        for s in silent:
            s.close()


# ---- bodies and absences -----------------------------------------------------------------------


def test_the_body_is_read_by_who_may_and_that_is_written_down(gw: Gateway) -> None:
    message = held(gw, "Body", body="Only for your eyes.")
    done = gw.seki("gate", token(gw, message), "body")
    assert done.returncode == 0 and "Only for your eyes." in done.stdout
    assert gate(gw, "--as", BOB, "body", f"id={message}")["result"] == "forbidden"
    shown = wait_for(lambda: [line for line in gw.seki("audit", "show", "--id", message).stdout.splitlines()
                              if "read" in line])
    assert len(shown) == 1 and ALICE in shown[0]


def test_absences_are_ones_own(gw: Gateway) -> None:
    until = "2099-12-31T00:00:00.000000Z"
    assert as_(gw, CAROL, "absent")["absences"] == []
    assert as_(gw, CAROL, "absent", "until=2001-01-01T00:00:00Z")["code"] == "words"
    (one,) = as_(gw, CAROL, "absent", f"until={until}")["absences"]
    assert one["until"] == until and one["by"] == CAROL
    assert as_(gw, DAVE, "absent")["absences"] == []
    assert as_(gw, CAROL, "absent", "clear=yes")["absences"] == []


# ---- at the same time --------------------------------------------------------------------------


def test_two_at_once_one_outcome(gw: Gateway) -> None:
    """Release and discard at one instant: one of them happens, and both are told which."""
    for n in range(6):
        message = held(gw, f"Race {n}")
        cap, answers = token(gw, message), {}
        env = clean_env(SEKISHO_ROOT=str(gw.root))
        running = {word: subprocess.Popen([str(gw.root / "bin/seki"), "gate", cap, "act", f"word={word}"], env=env,
                                          stdout=subprocess.PIPE, text=True) for word in ("release", "discard")}
        for word, process in running.items():
            answers[word] = json.loads(process.communicate(timeout=30)[0])
        results = {word: answer["result"] for word, answer in answers.items()}
        (winner,) = [word for word, result in results.items() if result == "done"]
        (loser,) = [answer for word, answer in answers.items() if word != winner]
        assert loser["result"] in ("no", "gone") and loser["last"]["by"] == ALICE
        assert loser["last"]["what"] == {"release": "held", "discard": "discarded"}[winner]
        end = {"release": "sent", "discard": "trash"}[winner]
        wait_for(lambda: in_state(gw, message) == {end})


def test_many_ask_at_once(gw: Gateway) -> None:
    message = held(gw, "Crowd")
    heard = []
    cap = token(gw, message).encode()
    crowd = [threading.Thread(target=lambda: heard.append(json.loads(talk(gw, b"cap=" + cap + b" show\n"))))
             for _ in range(40)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    assert len(heard) == 40 and {answer["result"] for answer in heard} == {"done"}


# ---- without a key -----------------------------------------------------------------------------


def test_law_without_its_key_nobody_is_believed() -> None:
    """A key that is none: no door, so that nobody is anybody by a session that is signed with zero bytes; a reload
    takes one that was mended."""
    gw = instance(rules={"must/10-waits": RULES}, settings={"hold-notice": "never"})
    try:
        gw.start()
        message = held(gw, "Keyless")
        key = gw.root / "lib/gate/key"
        good = key.read_bytes()
        gw.svc("-wD", "-d", "seki-hold")
        key.write_bytes(b"garbage\n")
        gw.svc("-wU", "-u", "seki-hold")
        wait_for(lambda: "event=no-key" in gw.log("seki-hold"))
        said = f"s1.{base64.urlsafe_b64encode(ALICE.encode()).decode().rstrip('=')}.9999999999"
        mac = hmac.new(bytes(32), b"session\0" + said.encode(), "sha256").digest()[:16]
        session = f"session={said}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
        with pytest.raises(OSError):
            talk(gw, f"{session} act word=release id={message}\n".encode())
        assert in_state(gw, message) == {"hold"}
        key.write_bytes(good)
        assert gw.seki("reload").returncode == 0
        answer = json.loads(wait_for(lambda: heard_by(gw, f"{session} show id={message}\n".encode())))
        assert answer["result"] == "forged"
        assert as_(gw, ALICE, "show", f"id={message}")["result"] == "done"
    finally:
        gw.stop()


def heard_by(gw: Gateway, said: bytes) -> bytes:
    try:
        return talk(gw, said)
    except OSError:
        return b""
