"""seki-remote against hostile servers (attacks O and S2), and against employers that go away or talk nonsense."""
import contextlib
import hashlib
import os
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from remote_kit import BODY, Employer, Line, Server, program, scripted, short, wait_until

# ---- hostile servers -------------------------------------------------------------------------------------------

SHORT = {name: 1200 for name in ("greeting", "helo", "mail", "rcpt", "data", "dot", "block")}
OPENING = (b"220 x\r\n", b"250-x\r\n250 PIPELINING\r\n")


def endless(data: bytes) -> Callable[[Line], None]:
    def say(line: Line) -> None:
        while True:
            line.say(data)

    return say


def drip(line: Line) -> None:
    while True:
        line.say(b"2")
        time.sleep(0.05)


@pytest.mark.parametrize("attack", [
    endless(b"x" * 65536), endless(b"220-" + b"y" * 500 + b"\r\n"), endless(b"220-\r\n" * 100),
    scripted(b"hello\r\n"), scripted(b"\r\n"), scripted(b"220\x00x\r\n"), scripted(b"999 x\r\n"), scripted(b"22\r\n"),
    scripted(b"220-x\r\n550 y\r\n"), scripted(b"2200 x\r\n"), scripted(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    scripted(b""), drip, scripted(b"354 x\r\n"), scripted(b"250 x\r\n"), scripted(b"220 x\r\n", b"x" * 20000),
    scripted(b"220 x\r\n", b"250-x\r\n" * 5000), scripted(b"220 x\r\n", b"354 x\r\n", b"354 x\r\n"), lambda line: line.say(b""),
], ids=short)
def test_o_a_hostile_greeting_is_cut_off_and_the_next_address_tried(attack: Callable[[Line], None]) -> None:
    """O: 10 MB of reply, endless 250-, no digits, a byte a while, silence, an end: bounded, deferred, and on."""
    with Server(attack) as hostile, Server() as server, Employer() as employer:
        opened = employer.open(hostile, server, **SHORT)
        assert opened.kind == "O" and opened["port"] == str(server.port)
        assert [a.word for a in employer.attempts] == ["deferred"]
        assert employer.one().word == "delivered"


@pytest.mark.parametrize("answer", [
    b"", b"nonsense\r\n", b"250 ok\r\n250 ok\r\nx\r\n", b"250 ok\r\n250 ok\r\n354-", b"250 ok\r\n250 ok\r\n250 what?\r\n",
    b"250-" + b"z" * 30000, b"250 ok\r\n250-" + b"\r\n250-" * 5000, None,
], ids=short)
def test_o_hostile_replies_to_the_envelope_are_deferred(answer: "bytes | None") -> None:
    """O: whatever comes instead of replies; no content is sent, and nothing is thought delivered."""
    heard = []

    def talk(line: Line) -> None:
        line.say(OPENING[0])
        line.line()
        line.say(OPENING[1])
        line.until(b"DATA\r\n")
        if answer is not None:
            line.say(answer)
            heard.append(line.drain())

    with Server(talk) as server, Employer() as employer:
        employer.open(server, **SHORT)
        result = employer.one()
        assert result.word == "deferred" and result["status"][0] == "4"
        employer.socket.close()
        server.wait()
        assert b"Subject" not in b"".join(heard)


STAGES = {"banner": b"220", "EHLO": b"250", "MAIL": b"250", "RCPT": b"250", "DATA": b"354", "dot": b"250"}


def outcome_at(stage: str, reply: Callable[[Line], None], **limits: int) -> tuple[str, str]:
    """What becomes of a message for whose `stage` the server says what `reply` says."""
    def talk(line: Line) -> None:
        for name, code in STAGES.items():
            if name == "dot":
                line.until(b"\r\n.\r\n")
            elif name != "banner":
                line.line()
            if name == stage:
                reply(line)
            line.say(code + b" x\r\n")

    with Server(talk) as server, Employer() as employer:
        frame = employer.open(server, **limits)
        if frame.kind == "O":
            frame = employer.one()
        assert len(frame["reply"]) <= 1000
        return frame.word, frame["phase"]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("size", [0, 10 << 20])
def test_o_a_reply_of_10_mb_or_without_end_is_cut(stage: str, size: int) -> None:
    """O: at every stage, long before it would be there; behind the dot it is unknown, and never delivered."""
    taken = [0]

    def reply(line: Line) -> None:
        data = STAGES[stage] + b"-" + b"z" * 507 + b"\r\n"
        while size == 0 or taken[0] < size:
            line.say(data * 16)
            taken[0] += len(data) * 16

    begun = time.monotonic()
    phase = {"banner": "greeting", "EHLO": "helo"}.get(stage, stage.lower())
    assert outcome_at(stage, reply) == ("unknown" if stage == "dot" else "deferred", phase)
    assert time.monotonic() - begun < 5
    assert taken[0] < 10 << 20  # what the kernel holds between both, and no more


@pytest.mark.parametrize("stage,limit", [
    ("banner", "greeting"), ("EHLO", "helo"), ("MAIL", "mail"), ("RCPT", "rcpt"), ("DATA", "data"), ("dot", "dot")])
def test_o_a_byte_a_while_does_not_buy_time(stage: str, limit: str) -> None:
    """O: a time bounds a whole reply, however often something comes."""
    def reply(line: Line) -> None:
        for byte in STAGES[stage] + b"-" + b"z" * 400:
            line.say(bytes([byte]))
            time.sleep(0.05)

    begun = time.monotonic()
    phase = {"banner": "greeting", "EHLO": "helo"}.get(stage, stage.lower())
    assert outcome_at(stage, reply, **{limit: 700}) == ("unknown" if stage == "dot" else "deferred", phase)
    assert 0.6 < time.monotonic() - begun < 5


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "dot", "RSET"])
@pytest.mark.parametrize("offers", [Server.OFFERS, ()])
def test_o_421_at_any_time(stage: str, offers: tuple) -> None:
    """O: the server ends the session; told once for everybody, nothing else is said."""
    replies = {stage: "421 4.3.2 shutting down"}
    if stage == "RSET":
        replies["MAIL"] = "450 4.7.1 not yet"
    with Server(offers=offers, **replies) as server, Employer() as employer:
        employer.open(server)
        results = employer.send(to=["a@x.example", "b@x.example"])
        if stage == "RSET":
            results = employer.send(to=["a@x.example", "b@x.example"])
        word = "untried" if stage == "RSET" else "deferred"  # nobody was named yet, on a session used before
        assert len(results) == 2
        assert {(r.word, r["code"], r["phase"], r["status"]) for r in results.values()} == {
            (word, "421", stage.lower(), "4.3.2")}
        ended = employer.get()
        assert (ended.kind, ended["code"]) == ("E", "421")
        assert employer.process.wait(10) == 0


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
def test_o_a_close_at_any_time_is_deferred(stage: str) -> None:
    with Server(**{stage: None}) as server, Employer() as employer:
        employer.open(server)
        results = employer.send(to=["a@x.example", "b@x.example"])
        assert {r.word for r in results.values()} == {"deferred"} and len(results) == 2
        assert employer.get().kind == "E"


@pytest.mark.parametrize("answer", [None, b"", b"250", b"25", b"hello\r\n", b"250-" + b"a" * 20000, b"354 go on\r\n"],
                         ids=short)
def test_o_the_reply_to_the_dot_lost_is_unknown(answer: "bytes | None") -> None:
    """O: 250 lost after the dot: in doubt, logged as a possible duplicate, and the session is over."""
    got = []

    def talk(line: Line) -> None:
        line.say(OPENING[0])
        line.line()
        line.say(OPENING[1])
        line.until(b"DATA\r\n")
        line.say(b"250 ok\r\n250 ok\r\n550 5.1.1 no\r\n250 ok\r\n354 ok\r\n")
        got.append(line.until(b"\r\n.\r\n"))
        if answer is not None:
            line.say(answer)
            line.drain()

    with Server(talk) as server, Employer() as employer:
        employer.open(server, **SHORT)
        results = employer.send(to=["a@x.example", "b@x.example", "c@x.example"])
        assert [(results[n].word, results[n]["phase"]) for n in (1, 2, 3)] == [
            ("unknown", "dot"), ("refused", "rcpt"), ("unknown", "dot")]
        assert employer.get().kind == "E"
        assert "event=possible-duplicate" in employer.logged() and len(got) == 1


@pytest.mark.parametrize("answer,word,code", [
    (b"250 2.0.0 thank you\r\n", "deferred", "000"), (b"354 more\r\n", "deferred", "000"),
    (b"552 5.3.4 too large\r\n", "refused", "552"), (b"451 4.3.0 stop\r\n", "deferred", "451"),
    (b"421 4.4.2 slow\r\n", "deferred", "421"),
], ids=short)
def test_o_a_reply_before_the_dot_is_none_to_the_dot(answer: bytes, word: str, code: str) -> None:
    """O: a 250 that comes with 354 delivers nothing; the dot is not sent."""
    rest = []

    def talk(line: Line) -> None:
        line.say(OPENING[0])
        line.line()
        line.say(OPENING[1])
        line.until(b"DATA\r\n")
        line.say(b"250 ok\r\n250 ok\r\n354 ok\r\n" + answer)
        rest.append(line.drain())

    with Server(talk) as server, Employer() as employer:
        employer.open(server)
        result = employer.one()
        assert (result.word, result["phase"], result["code"]) == (word, "content", code)
        assert employer.get().kind == "E"
        server.wait()
        assert b"\r\n.\r\n" not in rest[0]


def test_o_a_reply_amid_the_content_is_none_to_the_dot() -> None:
    """O: the same, in a segment of its own, while the content is on its way."""
    rest = []

    def talk(line: Line) -> None:
        line.say(OPENING[0])
        line.line()
        line.say(OPENING[1])
        line.until(b"DATA\r\n")
        line.say(b"250 ok\r\n250 ok\r\n354 ok\r\n")
        line.until(b"Subject: n")
        line.say(b"250 2.0.0 thank you\r\n")
        rest.append(line.drain())

    with Server(talk) as server, Employer() as employer:
        employer.open(server)
        result = employer.one(BODY + (b"m" * 998 + b"\r\n") * 30000)
        assert (result.word, result["phase"], result["code"]) == ("deferred", "content", "000")
        server.wait()
        assert b"\r\n.\r\n" not in rest[0]


def test_o_a_server_that_reads_nothing_is_given_up() -> None:
    """O: the limit of a block, RFC 5321 section 4.5.3.2.5."""

    def talk(line: Line) -> None:
        line.raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.say(OPENING[0])
        line.line()
        line.say(OPENING[1])
        line.until(b"DATA\r\n")
        line.say(b"250 ok\r\n250 ok\r\n354 ok\r\n")
        wait_until(lambda: told)

    told = []
    with Server(talk) as server, Employer() as employer:
        employer.open(server, **SHORT)
        result = employer.one(BODY + b"x" * 76 + b"\r\n" * 8000000)
        told.append(True)
        assert (result.word, result["phase"], result["reply"]) == ("deferred", "content", "no answer in time")


def test_o_the_whole_session_is_bounded() -> None:
    """O: a server that answers each command just in time does not hold us for ever."""
    with Server(RCPT=lambda _: time.sleep(0.1) or "250 ok") as server, Employer() as employer:
        employer.open(server, session=2000)
        begun = time.monotonic()
        results = employer.send(to=[f"u{n}@x.example" for n in range(90)])
        assert len(results) == 90 and {r.word for r in results.values()} == {"deferred"}
        assert "whole session" in results[90]["reply"] and time.monotonic() - begun < 8
        employer.socket.close()
        for raw in server.live:
            raw.shutdown(socket.SHUT_RDWR)


def test_long_replies_are_taken_cut_and_harmless() -> None:
    """RFC 5321 section 4.5.3.1.5 says 512; more is taken up to a bound. No control character goes further."""
    text = "550-5.7.1 " + "r" * 3000 + "\r\n550 5.7.1 \x1b[31mred\x07\x00 end\r\n"
    with Server(RCPT=text) as server, Employer() as employer:
        employer.open(server)
        result = employer.one()
        assert (result.word, result["status"], len(result["reply"])) == ("refused", "5.7.1", 1000)
        server.replies["RCPT"] = b"550-5.1.1 \x1b[31mred\x07\r\n550-\r\n550 5.1.1 a=b \xe3\x81\x82\tend\r\n"
        assert employer.one()["reply"].encode(errors="surrogateescape") == (
            b"550 5.1.1 ?[31mred?\n\n5.1.1 a=b \xe3\x81\x82 end")


def test_many_replies_at_once_do_not_stop_both_sides() -> None:
    """RFC 2920 section 3.1: replies are read while commands are still being sent."""
    with Server(RCPT="250 2.1.5 " + "o" * 480) as server, Employer() as employer:
        employer.open(server, recipients=2000)
        results = employer.send(to=[f"{'u' * 60}{n}@{'x' * 60}.example" for n in range(2000)])
        assert len(results) == 2000 and {r.word for r in results.values()} == {"delivered"}
        assert len(server.messages) == 1


# ---- the employer ----------------------------------------------------------------------------------------------


def test_a_server_that_ends_an_idle_session() -> None:
    """It is told at once; what is sent ahead on a session that has ended was not begun."""
    for last in (b"421 4.4.2 idle too long\r\n", b""):
        with Server(dot=lambda _, last=last: b"250 ok\r\n" + last) as server, Employer() as employer:
            employer.open(server)
            assert employer.one().word == "delivered"
            if not last:
                for raw in server.live:
                    raw.shutdown(socket.SHUT_RDWR)
            ended = employer.get()
            assert (ended.kind, ended.word, ended["phase"]) == ("E", "deferred", "idle")
            assert ended["code"] == (last[:3].decode() or "000") and employer.process.wait(10) == 0


def test_an_idle_session_ends_by_itself() -> None:
    with Server() as server, Employer() as employer:
        employer.open(server, idle=1000)
        assert employer.one().word == "delivered"
        ended = employer.get()
        assert (ended.kind, ended.word, ended["phase"]) == ("E", "delivered", "idle")
        server.wait()
        assert server.words("QUIT") == [b"QUIT"]


def test_messages_may_be_sent_ahead() -> None:
    with Server() as server, Employer() as employer:
        employer.order(server)
        for n in range(20):
            employer.say_message(BODY + b"%d\r\n" % n)
        employer.put("C")
        assert employer.get().kind == "O"
        for _ in range(20):
            assert employer.results()[1].word == "delivered"
        assert employer.get().word == "delivered"
        server.wait()
        assert [m.content for m in server.messages] == [BODY + b"%d\r\n" % n for n in range(20)]


def test_an_employer_that_goes_away_between_messages_means_quit() -> None:
    with Server() as server, Employer() as employer:
        employer.open(server)
        employer.one()
        employer.socket.close()
        assert employer.process.wait(10) == 0
        server.wait()
        assert server.words("QUIT") == [b"QUIT"]


@pytest.mark.parametrize("stage", ["banner", "EHLO", "RCPT"])
def test_an_employer_that_goes_away_within_anything_ends_it(stage: str) -> None:
    """Nobody could write down what became of it: no dot is sent any more."""
    reached, leave = [], []

    def wait(_: bytes) -> None:
        reached.append(True)
        wait_until(lambda: leave)

    with Server(**{stage: wait}) as server, Employer() as employer:
        employer.order(server)
        employer.say_message(BODY)
        wait_until(lambda: reached)
        employer.socket.close()
        assert employer.process.wait(10) == 0
        leave.append(True)
        server.wait()
        assert server.messages == []


@pytest.mark.parametrize("frames", [
    [("X", b"")], [("S", b"")], [("O", b"")], [("O", b"helo x\n")], [("O", b"peer localhost 25 -\nhelo x\n")],
    [("O", b"peer 127.0.0.1 0 -\nhelo x\n")], [("O", b"peer 127.0.0.1 25 -\nhelo x+0D+0AQUIT\n")], [("C", b"")],
    [("O", b"peer 127.0.0.1 25 -\nhelo x\ntls perhaps\n")], [("O", b"peer 127.0.0.1 25 -\nhelo x\nlimit dot 0\n")],
    [("O", b"peer 127.0.0.1 25 -\nhelo x\nauth a b over=clear\n")], [("O", b"peer 127.0.0.1 25 -\nhelo x\neightbit maybe\n")],
    [("O", b"peer 127.0.0.1 25 -\nhelo x")],
    [("O", b"x" * 70000)],
], ids=short)
def test_an_order_that_is_none_is_a_bug(frames: list) -> None:
    with Employer() as employer:
        for kind, text in frames:
            with contextlib.suppress(BrokenPipeError):
                employer.put(kind, text)
        assert employer.process.wait(10) == 101
        assert "event=remote-protocol alarm=yes" in employer.logged()


@pytest.mark.parametrize("kind", ["none", "writable", "directory", "two"])
def test_a_message_comes_with_one_file_that_can_only_be_read(kind: str, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(BODY)
    text = f"content 0 {len(BODY)} {hashlib.sha256(BODY).hexdigest()}\nfrom <>\nto a@x.example\nclient -\n"
    with Server() as server, Employer() as employer:
        employer.open(server)
        fd = os.open(tmp_path if kind == "directory" else tmp_path / "f", os.O_RDWR if kind == "writable" else os.O_RDONLY)
        if kind == "two":
            socket.send_fds(employer.socket, [b"S"], [fd, fd])
        else:
            employer.put("S", text, None if kind == "none" else fd)
        os.close(fd)
        assert employer.process.wait(10) == 101
        server.wait()
        assert server.words("MAIL") == []


def test_it_needs_its_employer() -> None:
    done = subprocess.run([str(program()), "-s"], stdin=subprocess.DEVNULL, capture_output=True, timeout=10, check=False)
    assert done.returncode == 100 and b"event=usage" in done.stderr
