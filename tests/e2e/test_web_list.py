"""What people's pages need of the door of seki-hold beyond the mail that waits, through "seki gate": what was sent, who
is written to for the first time and at which company, what is risky, undoing by the link that did it, and what a link
asks for (S0-03, S0-07, S0-11, S3-05, W1)."""
import base64
import hmac
import os
import signal
import time
from collections.abc import Iterator

import pytest

from conftest import Gateway, wait_for
from facts_kit import attached, mail, text
from rules_kit import ALICE, BOB, CAROL, instance, reload, send
from test_gate import as_, gate, held, in_state, token, waits

RULES = """rule waits
    header  Subject "waits"
    do      hold 60m

rule asked-first
    header  Subject "approve"
    do      approve by dave@example.co.jp
"""
PEOPLE = """alice@example.co.jp alias=a.suzuki@example.co.jp shared=desk@example.co.jp
bob@example.co.jp shared=desk@example.co.jp
carol@example.co.jp
dave@example.co.jp
"""


@pytest.fixture(scope="module")
def gw() -> Iterator[Gateway]:
    made = instance(rules={"must/10-waits": RULES}, settings={"hold-notice": "never"},
                    files={"etc/people": PEOPLE, "etc/groups": "", "etc/allow": "",
                           "etc/partners": "partner.example | 株式会社パートナー | Partner\n"})
    try:
        yield made.start()
    finally:
        made.stop()


def sent(gw: Gateway, who: str, *words: str) -> dict:
    answer = as_(gw, who, "list", "state=sent", *words)
    assert answer["result"] == "done" and answer["complete"], answer
    return answer


def subjects(answer: dict) -> list[str]:
    return [mail["subject"] for mail in answer["mails"]]


def settings(gw: Gateway, **rows: str) -> None:
    path = gw.root / "etc/settings"
    old = path.read_text().splitlines()
    names = [name.replace("_", "-") for name in rows]
    kept = [line for line in old if not line.split() or line.split()[0] not in names]
    path.write_text("\n".join(kept + [f"{n} {v}" for n, v in zip(names, rows.values())]) + "\n")
    reload(gw)


# ---- what was sent -----------------------------------------------------------------------------


def test_S3_05_what_a_person_has_sent(gw: Gateway) -> None:
    """S3-05: by any of his addresses and for the mailboxes that he shares; the newest first, by subject and recipient;
    nobody else's."""
    send(gw, "Sent one", to=["s1@partner.example", "s2@other.example"], sender=CAROL)
    wait_for(lambda: subjects(sent(gw, CAROL)) == ["Sent one"])
    one = sent(gw, CAROL)["mails"][0]
    assert one["state"] == "sent" and one["fate"] == "delivered" and one["from"] == CAROL
    assert sorted(one["to"]) == ["s1@partner.example", "s2@other.example"]
    assert (one["recipients"], one["delivered"], one["failed"], one["returned"]) == (2, 2, 0, 0)
    assert one["accepted"] <= one["ended"]

    send(gw, "By the alias", sender="a.suzuki@example.co.jp")
    send(gw, "For the desk", sender="desk@example.co.jp")
    wait_for(lambda: len(sent(gw, ALICE)["mails"]) == 2)
    assert subjects(sent(gw, ALICE)) == ["For the desk", "By the alias"]
    assert subjects(sent(gw, BOB)) == ["For the desk"]
    assert subjects(sent(gw, CAROL)) == ["Sent one"] and subjects(sent(gw, "dave@example.co.jp")) == []
    assert subjects(sent(gw, ALICE, "query=ＡＬＩＡＳ")) == ["By the alias"]
    assert subjects(sent(gw, CAROL, "query=s2@OTHER")) == ["Sent one"] and subjects(sent(gw, CAROL, "query=none")) == []
    assert sent(gw, CAROL, "as=approver")["total"] == 0 and subjects(sent(gw, CAROL, "page=2")) == []


def test_what_was_returned_or_only_partly_delivered(gw: Gateway) -> None:
    """S3-05: what became of it, also if nobody got it."""
    assert gw.seki("freeze", "recipient", "@other.example").returncode == 0
    both = send(gw, "To both", to=["f1@partner.example", "f2@other.example"], sender=BOB)
    none = send(gw, "To none", to="f3@other.example", sender=BOB)
    for message in (both, none):
        waits(gw, message, "deliver")
    assert not [m for m in sent(gw, BOB)["mails"] if m["id"] == none]
    assert gw.seki("bounce", both, none).returncode == 0
    fates = lambda: {m["id"]: m["fate"] for m in sent(gw, BOB)["mails"]}
    wait_for(lambda: {fates().get(both), fates().get(none)} == {"partly", "returned"}, why="both have ended")
    assert gw.seki("thaw", "recipient", "@other.example").returncode == 0


def test_pages_of_what_was_sent(gw: Gateway) -> None:
    before = sent(gw, "dave@example.co.jp")["total"]
    ids = [send(gw, f"Page {n:02}", sender="dave@example.co.jp", to=f"q{n}@partner.example") for n in range(60)]
    wait_for(lambda: sent(gw, "dave@example.co.jp")["total"] == before + 60, why="all delivered")
    first, second = (sent(gw, "dave@example.co.jp", f"page={n}") for n in (1, 2))
    assert first["pages"] == 2 and len(first["mails"]) == 50
    assert [m["id"] for m in first["mails"] + second["mails"]] == sorted(ids, reverse=True)
    assert sent(gw, "dave@example.co.jp", "query=page 59")["total"] == 1


def test_S3_05_a_list_without_seki_db(gw: Gateway) -> None:
    """Mail and people do not wait for seki-db: what cannot be told is said to be missing."""
    pid = gw.pid("seki-db")
    os.kill(pid, signal.SIGSTOP)
    try:
        message = held(gw, "waits while it sleeps", to="new@partner.example")
        begun = time.monotonic()
        shown = as_(gw, ALICE, "show", f"id={message}")
        assert shown["result"] == "done" and time.monotonic() - begun < 5
        answer = as_(gw, ALICE, "list", "state=sent")
        assert answer["result"] == "done" and answer["complete"] is False
    finally:
        os.kill(pid, signal.SIGCONT)
    as_(gw, ALICE, "act", "word=discard", f"id={message}")
    assert as_(gw, ALICE, "list", "state=staggered") == {
        "result": "done", "page": 1, "pages": 0, "total": 0, "complete": False, "mails": []}


# ---- recipients --------------------------------------------------------------------------------


def test_S0_03_company_and_first_mail(gw: Gateway) -> None:
    """S0-03: each recipient with its company, and whether it is the first mail to this address."""
    send(gw, "An earlier one", to="known@partner.example", sender=CAROL)
    wait_for(lambda: any("known@partner.example" in m["to"] for m in sent(gw, CAROL)["mails"]))
    message = held(gw, "It waits", sender=CAROL,
                   to=["known@partner.example", "unknown@partner.example", "x@other.example", BOB])

    def known() -> dict[str, dict]:
        legs = as_(gw, CAROL, "show", f"id={message}")["legs"]
        rcpts = {r["address"]: r for leg in legs for r in leg["recipients"]}
        return {} if any(r["first"] is None for r in rcpts.values()) else rcpts

    # On a busy machine seki-db may need longer than a page waits for it.
    rcpts = wait_for(known)
    assert {a: r["company"] for a, r in rcpts.items()} == {
        "known@partner.example": "株式会社パートナー", "unknown@partner.example": "株式会社パートナー",
        "x@other.example": "", BOB: ""}
    assert rcpts["known@partner.example"]["first"] is False
    assert rcpts["unknown@partner.example"]["first"] is True and rcpts["x@other.example"]["first"] is True
    done = as_(gw, CAROL, "act", "word=release", f"id={message}")
    assert done["result"] == "done"
    wait_for(lambda: message in [m["id"] for m in sent(gw, CAROL)["mails"]], why="seki-db was told")
    assert as_(gw, CAROL, "show", f"id={message}")["state"] == "sent"
    rcpts = wait_for(known)
    assert rcpts["unknown@partner.example"]["first"] is True and rcpts["known@partner.example"]["first"] is False


def test_S0_11_what_is_risky_is_on_top(gw: Gateway) -> None:
    """S0-11: an approver sees what is risky first, and why."""
    dave = "dave@example.co.jp"
    inside = waits(gw, send(gw, "approve inside", to=BOB), "approve")
    outside = waits(gw, send(gw, "approve outside", to="known@partner.example", raw=mail(
        text("Hello."), attached(b"a,b\n", "list.csv"), head=f"From: {ALICE}\r\nTo: known@partner.example\r\n",
        subject="approve outside")), "approve")
    later = waits(gw, send(gw, "approve later", to=BOB), "approve")
    queue = lambda *words: [m["id"] for m in as_(gw, dave, "list", "as=approver", *words)["mails"]]
    wait_for(lambda: queue() == [later, outside, inside])
    assert queue("order=risk") == [outside, later, inside]
    risks = {m["id"]: m["risk"] for m in as_(gw, dave, "list", "as=approver")["mails"]}
    assert risks[inside]["level"] == 0 and risks[inside]["outside"] == 0
    assert risks[outside]["level"] >= 1 and risks[outside]["outside"] == 1 and risks[outside]["files"] == 1
    assert as_(gw, dave, "list", "order=size")["code"] == "words"
    for message in (inside, outside, later):
        assert as_(gw, dave, "act", "word=reject", f"id={message}")["result"] == "done"


# ---- acting ------------------------------------------------------------------------------------


def test_S0_07_the_link_undoes_what_it_did(gw: Gateway) -> None:
    """S0-07: discarded by a link, brought back by the same one, and its answer has the link with which the page goes on,
    twice over; the old one opens nothing any more."""
    message = held(gw, "waits to be undone")
    cap = token(gw, message)
    for _ in range(2):
        assert gate(gw, cap, "act", "word=discard")["result"] == "done"
        waits(gw, message, "trash")
        assert "restore" in gate(gw, cap, "show")["legs"][0]["can"]
        back = gate(gw, cap, "act", "word=restore")
        assert back["result"] == "done" and back["link"] != cap and len(back["link"]) == 60
        assert gate(gw, back["link"], "show")["result"] in ("gone", "done")
        waits(gw, message)
        old, cap = cap, back["link"]
        wait_for(lambda: gate(gw, cap, "show")["result"] == "done")
        told = gate(gw, old, "show")
        assert (told["result"], told["code"]) == ("expired", "restored")
    assert gate(gw, cap, "act", "word=release")["result"] == "done"
    wait_for(lambda: in_state(gw, message) == {"sent"})


def proof(gw: Gateway, cap: str, seconds: int = 60) -> str:
    """What seki-login gives for a right PIN: about this capability alone."""
    key = bytes.fromhex((gw.root / "lib/gate/key").read_text())
    said = "p1.%010d" % (time.time() + seconds)
    mac = hmac.digest(key, b"proof\0" + f"{said} {cap}".encode(), "sha256")[:16]
    return f"{said}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def test_W1_what_an_act_by_a_link_asks_for(gw: Gateway) -> None:
    """W1: with the setting link-asks a link alone changes nothing: a PIN, or a login, is needed, and a page is told so."""
    message, other = held(gw, "waits for a number"), held(gw, "waits as well")
    cap = token(gw, message)
    assert gate(gw, cap, "show")["asks"] == "nothing"
    settings(gw, link_asks="pin")
    assert gate(gw, cap, "show")["asks"] == "pin"
    for words in ((), ("proof=p1.1",), (f"proof={proof(gw, token(gw, other))}",), (f"proof={proof(gw, cap, -1)}",)):
        refused = gate(gw, cap, "act", "word=discard", *words)
        assert (refused["result"], refused["code"]) == ("forbidden", "pin"), words
    settings(gw, link_asks="login")
    refused = gate(gw, cap, "act", "word=discard", f"proof={proof(gw, cap)}")
    assert (refused["result"], refused["code"]) == ("forbidden", "login") and gate(gw, cap, "show")["asks"] == "login"
    assert as_(gw, ALICE, "show", f"id={message}")["asks"] == "nothing"
    assert as_(gw, ALICE, "act", "word=discard", f"id={other}")["result"] == "done"
    assert in_state(gw, message) == {"hold"}
    settings(gw, link_asks="pin")
    assert gate(gw, cap, "act", "word=discard", f"proof={proof(gw, cap)}")["result"] == "done"
    settings(gw, link_asks="nothing")


def test_S0_11_why_something_is_not_possible(gw: Gateway) -> None:
    """S0-11: each act that is not possible says why by a word that pages can translate."""
    message = held(gw, "waits for reasons")
    leg = as_(gw, ALICE, "show", f"id={message}")["legs"][0]
    codes = {one["word"]: one["code"] for one in leg["cannot"]}
    assert codes["restore"] == "not-discarded" and codes["approve"] == "no-approval" and codes["check"] == "no-check"
    no = as_(gw, ALICE, "act", "word=restore", f"id={message}")
    assert (no["result"], no["code"]) == ("no", "not-discarded")
    no = as_(gw, ALICE, "act", "word=extend", "until=2099-01-01T00:00:00Z", f"id={message}")
    assert (no["result"], no["code"]) == ("no", "too-late")
