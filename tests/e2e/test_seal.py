"""seki-encrypt and seki-seal in an instance: texts and the history of decisions are in what leaves (S1-26b), addresses
that were taken away are in no header (N12), and whatever is killed meanwhile, mail leaves once and sealed (N17)."""
import contextlib
import email
import email.policy
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import conftest
from conftest import Gateway, prepare, wait_for
from test_spool_kit import NEVER, due, leg, new_id, places, plan, put, stamp, wait_in, waiting, words

BUILD = os.environ.get("SEKI_SEAL_BUILD", "build")  # a tree of one's own while others build
CAUTION = "社外秘を含むことがあります。\nThis may be confidential.\n"
RULE = '''rule by-rule
    header  Subject "by-rule"
    do      hold 60m
    do      insert end caution
    do      insert end history
'''
MAIL = (b"From: alice@example.co.jp\r\nTo: bob@partner.example, carol@partner.example\r\nCc: dave@partner.example\r\n"
        b"Subject: %s\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=ISO-2022-JP\r\n\r\n"
        + "こんにちは。\r\n".encode("iso-2022-jp"))


@pytest.fixture(scope="module")
def gw() -> Iterator[Gateway]:
    if BUILD != "build":
        conftest._built.add(BUILD)
    it = prepare(settings={"time-zone": "Asia/Tokyo"}, files={
        "etc/texts/caution": CAUTION, "etc/domains": "example.co.jp internal\n", "etc/policy/must/10-rule": RULE})
    it.build = BUILD
    try:
        yield it.start()
    finally:
        it.stop()


def seal(gw: Gateway, steps: str, records: str = "", content: bytes = b"", tag: str = "x") -> str:
    """A leg that has come to encrypt/; its id. `records` may name the plan as {plan}."""
    i = new_id()
    lines = f"{steps} deliver\n"
    whole = plan(i, lines)
    trailer = whole + records.format(plan=whole.split("sha256=")[1][:16])
    put(gw, "encrypt", f"{due()}.{i}.1", leg(i, content or MAIL % tag.encode(), trailer))
    return i


def out(gw: Gateway, tag: str, n: int = 1):
    found = gw.wait_delivered(lambda mail: f"Subject: {tag}".encode() in mail, n)
    return [email.message_from_bytes(m, policy=email.policy.default) for m in found]


def record(word: str) -> str:
    return f"{stamp()} {word}\n"


def text(message) -> str:
    return message.get_payload(decode=True).decode(message.get_content_charset()).replace("\r\n", "\n")


def sent(gw: Gateway, i: str) -> bytes:
    name = wait_in(gw, i, "sent", 30)
    return (gw.root / "spool/sent" / name).read_bytes()


@contextlib.contextmanager
def down(gw: Gateway, name: str) -> Iterator[None]:
    gw.svc("-wD", "-d", name)
    try:
        yield
    finally:
        gw.svc("-wU", "-u", name)


def test_s1_26b_text_and_history_are_in_what_leaves(gw):
    i = seal(gw, " approve by=boss:boss@example.co.jp\n encrypt insert=end text=caution\n encrypt insert=history\n",
             record("vote plan={plan} content=0 step=1 say=yes by=boss@example.co.jp via=web comment=secret")
             + record("approved plan={plan} ended=votes by=boss@example.co.jp"), tag="texts")
    message, = out(gw, "texts")
    shown = text(message)
    assert shown.startswith("こんにちは。\n\n" + CAUTION + "\n")
    assert "この電子メールは送信前に次のとおり確認されました。\nThis mail was checked before it was sent:\n" in shown
    assert "(UTC+09:00)  承認 / Approved: boss@example.co.jp\n" in shown and "secret" not in shown
    assert message.get_content_charset() == "iso-2022-jp" and message["To"].endswith("carol@partner.example")
    said = sent(gw, i)
    assert said.count(b" sealed plan=") == 2
    assert words(said, i)[:5] == ["plan", "vote", "approved", "sealed", "sealed"]
    assert b"insert=end text=caution inserted=yes" in said and b"insert=history inserted=yes" in said


def test_s1_26b_by_a_rule_and_an_operator(gw):
    gw.send(MAIL % b"by-rule")
    held = waiting(gw, "hold")[0].name.split(".", 1)[1]
    done = gw.seki("release", held)
    assert done.returncode == 0, done.stderr
    message, = out(gw, "by-rule")
    shown = text(message)
    assert shown.startswith("こんにちは。\n\n" + CAUTION)
    assert "(UTC+09:00)  送信を許可 / Released: 運用管理者 / the operator\n" in shown


def test_N12_removed_addresses_do_not_leave(gw):
    i = seal(gw, "", record("removed address=carol@partner.example by=alice@example.co.jp via=web")
             + record("removed address=dave@partner.example by=alice@example.co.jp via=web"), tag="removed")
    message, = out(gw, "removed")
    assert message["To"] == "bob@partner.example" and message["Cc"] is None
    assert b"carol" not in message.as_bytes() and b"dave" not in message.as_bytes()
    said = sent(gw, i)
    assert b" rewritten addresses=2 was=" in said and said.count(b" rewritten ") == 1
    assert text(message) == "こんにちは。\n"


def test_N12_removal_and_text_are_one_sealing(gw):
    i = seal(gw, " encrypt keep\n encrypt insert=top text=caution\n",
             record("removed address=carol@partner.example by=alice@example.co.jp via=web"), tag="both")
    message, = out(gw, "both")
    assert text(message) == CAUTION + "\nこんにちは。\n"
    assert message["To"] == "bob@partner.example"
    assert words(sent(gw, i), i)[:5] == ["plan", "removed", "sealed", "sealed", "rewritten"]


@pytest.mark.parametrize("steps,records,content,why", [
    (" encrypt insert=end text=missing\n", "", b"", "etc/texts"),
    (" encrypt zip method=aes\n", "", b"", "cannot+20do"),
    ("", "removed address=carol@partner.example by=x via=web", b"To: a@b.example carol@partner.example\r\n\r\nx\r\n", "for+20sure"),
])
def test_what_cannot_be_done_stops_the_mail(gw, steps, records, content, why):
    i = seal(gw, steps, record(records) if records else "", content, tag="stopped")
    wait_for(lambda: places(gw, i) == [("encrypt", f"{NEVER}.{i}.1")], 30, f"{places(gw, i)}")
    line = next(line for line in gw.log("seki-encrypt").splitlines() if i in line and "event=stopped" in line)
    assert "alarm=yes" in line and why in line
    gw.seki("discard", f"{i}.1")


def test_mail_waits_while_seki_seal_is_not_there(gw):
    with down(gw, "seki-seal"):
        i = seal(gw, " encrypt insert=end text=caution\n", tag="waits")
        gw.wait_log("seki-encrypt", "event=sealing-failed")
        assert [state for state, _ in places(gw, i)] == ["encrypt"]
    message, = out(gw, "waits")
    assert CAUTION in text(message)


def test_same_text_is_not_put_in_twice_by_another_plan(gw):
    i = seal(gw, " encrypt insert=end text=caution\n",
             record("sealed plan=0123456789abcdef insert=end text=caution inserted=yes"), tag="once")
    message, = out(gw, "once")
    assert text(message) == "こんにちは。\n"
    assert b"inserted=before" in sent(gw, i)


def test_order_discards_what_waits_to_be_sealed(gw):
    with down(gw, "seki-seal"):
        i = seal(gw, " encrypt insert=end text=caution\n", tag="discarded")
        gw.wait_log("seki-encrypt", "event=sealing-failed")
        # A job may have it in hand just then.
        wait_for(lambda: gw.seki("discard", f"{i}.1").returncode == 0, 30, "discarded")
    wait_in(gw, i, "trash")


def large(tag: str, size: int = 30_000_000) -> bytes:
    line = b"x" * 76 + b"\r\n"
    return MAIL % tag.encode() + line * (size // len(line))


@pytest.mark.parametrize("program", ["seki-seal", "seki-encrypt", "worker"])
def test_n17_killed_in_the_middle_it_leaves_once_and_sealed(gw, program):
    """At moments that move through the whole of it, again and again."""
    tag, ids = f"killed-{program}", []
    stop = threading.Event()

    def killing() -> None:
        pause = 0.01
        while not stop.is_set():
            with contextlib.suppress(OSError, ValueError, IndexError, AssertionError):
                pid = gw.pid("seki-encrypt" if program == "seki-encrypt" else "seki-seal")
                if program == "worker":
                    pid = int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
                if pid > 1:
                    os.kill(pid, signal.SIGKILL)
            stop.wait(pause)
            pause += 0.013

    killer = threading.Thread(target=killing)
    killer.start()
    try:
        for n in range(3):
            ids.append(seal(gw, " encrypt insert=end text=caution\n",
                            record("removed address=carol@partner.example by=x via=web"), large(f"{tag}-{n}")))
        time.sleep(2)  # of killing
    finally:
        stop.set()
        killer.join()
    gw.wait_ready("seki-seal", "seki-encrypt")
    for n, i in enumerate(ids):
        message, = out(gw, f"{tag}-{n}")
        assert message["To"] == "bob@partner.example"
        assert text(message).count(CAUTION) == 1
        said = sent(gw, i)
        assert said.count(b" sealed plan=") == said.count(b" rewritten ") == 1
        assert places(gw, i) == [("sent", f"{i}.1")]
    assert list((gw.root / "spool/split/encrypt").iterdir()) == []
