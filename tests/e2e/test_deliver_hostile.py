"""Attacks S2, S3 and O upon delivery: servers that lie, flood, cut and inject; and what leaves us, read again by
a receiver that takes nothing but CRLF.CRLF for an end."""
import re
import socket
import ssl
import time

import pytest

from conftest import wait_for
from deliver_kit import (Receiver, World, events, files, letter, records, sequence, submit, wait_event, wait_record,
                         wait_sent, world)
from remote_kit import Line, self_signed, short
from test_smtp_smuggling import BARE, EVIL, WITH_NUL
from test_smtp_talk import Talk
from test_spool_kit import due, leg, new_id, plan, put

OUT = 3  # seconds for a reply


@pytest.fixture(scope="module")
def w():
    with world(settings={"bare-newline": "repair", "remote-greeting": f"{OUT}s", "remote-command": f"{OUT}s",
                  "remote-data": f"{OUT}s", "remote-dot": f"{OUT}s", "remote-block": f"{OUT}s"}) as made:
        yield made


@pytest.fixture
def partner(w):
    """A receiver for partner.example, whom the tests of smuggling write to."""
    with Receiver() as r:
        w.route("@partner.example", r.place + " retry=1s")
        yield r
    w.routes.pop("@partner.example")


def then_good(w: World, domain: str, leg_id: str, tag: str, seconds: float = 20) -> None:
    """The domain has a decent server now: the mail arrives there once."""
    with Receiver() as r:
        w.route(f"@{domain}", r.place + " retry=1s")
        w.gw.seki("flush")
        r.wait_tag(tag, seconds=seconds)
        wait_sent(w.gw, leg_id)
        assert len(r.of(tag)) == 1  # other mail of the tests may come to a port that is used again


def put_off(w: World, place: str, tag: str, options: str = "retry=1s", seconds: float = 15) -> tuple[str, str]:
    """Sends to a bad place; (domain, id) when that has failed for now."""
    domain = w.lane(place, options)
    leg_id = w.send(tag, f"bob@{domain}")
    [record, *_] = wait_record(w.gw, leg_id, "deferred", seconds=seconds)
    assert record.values["status"].startswith("4."), record
    assert not records(w.gw, leg_id, "failed") and not records(w.gw, leg_id, "delivered")
    return domain, leg_id


# ---- S2: what leaves us --------------------------------------------------------------------------------------------


def talk_in(w: World, content: bytes, tag: str) -> None:
    """Hands the bytes in as they are; what stands behind the true end are commands to us."""
    with Talk(w.gw) as talk:
        talk.to_data()
        talk.send(b"Subject: " + tag.encode() + b"\r\n\r\nbody" + content)
        assert talk.reply().startswith(b"250 2.0.0 ")


@pytest.mark.parametrize("variant", BARE + WITH_NUL, ids=short)
def test_S2_one_message_stays_one(w, partner, variant):
    """S2: the bytes of S1, outbound: a second receiver that is strict finds exactly one message, whose lines all end
    in CRLF, with every dot doubled. Receiver itself looks for a CR or LF alone."""
    tag = "smuggle-" + variant.hex()
    talk_in(w, variant + EVIL, tag)
    partner.wait_tag(tag)
    w.settle()
    assert len(partner.mails) == 1 and partner.faults == []
    [mail] = partner.mails
    assert mail.to == ["bob@partner.example"] and mail.sender == "alice@example.co.jp"
    assert b"\r\nSubject: evil\r\n" in mail.content
    assert not any(b"victim" in c for s in partner.sessions for c in s.commands)


def test_S2_dots_everywhere(w, partner):
    """Dots at the start of lines, in every number, around the size of every buffer on the way."""
    for n, pad in enumerate([0, 1, 4095, 4096, 16383, 16384, 65533, 65534, 65535, 65536, 131071]):
        tag = f"dots-{n}"
        body = b"x" * pad + b"\r\n" + b"".join(b"." * i + b"\r\n" for i in range(1, 30)) + b".\r\n.x\r\n..\r\n"
        raw = letter(tag, body)
        submit(w.gw, raw, "bob@partner.example")
        [mail] = partner.wait_tag(tag)
        assert mail.content.endswith(raw) and mail.raw.count(b"\r\n.\r\n") == 1


@pytest.fixture(scope="module")
def spoiled():
    """An instance whose spool is tampered with."""
    made = World()
    try:
        yield made
    finally:
        made.stop()


def alarms(w: World) -> int:
    return sum("event=content-faulty" in line for line in w.gw.log("seki-remote").splitlines())


@pytest.mark.parametrize("content", [b"a\nb\r\n", b"a\r\n.\nb\r\n", b"a\rb\r\n", b"a\r\n.\r\rb\r\n", b"end\r", b"end\n"], ids=short)
def test_S2_content_that_is_no_mail_is_never_sent(spoiled, content):
    """A leg with a CR or LF alone, put into the spool by whoever: its dot is withheld; nobody gets any of it."""
    w, before = spoiled, alarms(spoiled)
    with Receiver() as r:
        domain = w.lane(r.place)
        leg_id = new_id()
        put(w.gw, "deliver", f"{due()}.{leg_id}.1",
            leg(leg_id, letter("evil", content), plan(leg_id, " deliver\n"), to=(f"bob@{domain}",)))
        wait_for(lambda: alarms(w) > before, 15, "the alarm")
        wait_for(lambda: not w.gw.spool("deliver") or records(w.gw, leg_id, "deferred"), 15)
        assert r.mails == [] and not records(w.gw, leg_id, "delivered")
        assert not any(state == "sent" for state, _ in files(w.gw, leg_id))
        w.send("next", f"bob@{domain}")
        r.wait_tag("next")  # and nothing of it has been left on the connection
        assert len(r.mails) == 1


def test_S2_a_leg_that_was_changed_is_never_sent(spoiled):
    """N17, law 4: a content whose digest is another."""
    w = spoiled
    with Receiver() as r:
        domain = w.lane(r.place)
        leg_id = new_id()
        text = leg(leg_id, letter("changed"), plan(leg_id, " deliver\n"), to=(f"bob@{domain}",))
        put(w.gw, "deliver", f"{due()}.{leg_id}.1", text.replace(b"Hello.", b"Jello."))
        wait_for(lambda: [state for state, _ in files(w.gw, leg_id)] == ["bad"], 15, "bad/")
        assert r.mails == [] and alarms(w)


# ---- O: floods and silence -----------------------------------------------------------------------------------------


def flooding(first: bytes, flood: bytes, after: int):
    """Says `first`, takes `after` lines with 250s between, and then floods for ever."""
    def talk(line: Line) -> None:
        line.say(first)
        for n in range(after):
            line.line()
            if n < after - 1:
                line.say(b"250 ok\r\n")
        while True:
            line.say(flood)
    return talk


@pytest.mark.parametrize("flood", [b"250-again\r\n" * 1000, b"250 " + b"x" * 100_000, b"x" * 100_000, b"\0" * 100_000,
                                   b"250-" + b"y" * 60 + b"\r\n"], ids=short)
@pytest.mark.parametrize("after", [0, 1, 2])
def test_O_endless_replies_are_cut(w, flood, after):
    """O: endless 250-, a line without end, at the greeting, EHLO and MAIL: cut off at once, the mail waits."""
    begun = time.monotonic()
    with Receiver(talk=flooding(b"220 hi\r\n" if after else b"220-", flood, after)) as r:
        domain, leg_id = put_off(w, r.place, "endless")
        assert time.monotonic() - begun < OUT + 4
        assert all(len(x.values["reply"]) <= 1100 for x in records(w.gw, leg_id, "deferred"))


def test_O_a_reply_of_10_MB(w):
    """O: whole and well formed, but ten megabytes: cut; the leg does not grow by it, and the log does not."""
    huge = b"".join(b"550-%d %s\r\n" % (n, b"z" * 80) for n in range(110_000)) + b"550 end\r\n"
    with Receiver(RCPT=huge) as r:
        domain, leg_id = put_off(w, r.place, "huge")
        assert sum(len(text) for _, text in files(w.gw, leg_id)) < 20_000
    then_good(w, domain, leg_id, "huge")
    assert max(len(line) for line in w.gw.log("seki-deliver").splitlines()) < 9000


@pytest.mark.parametrize("drip", [b"2", b"250-a\r\n"])
def test_O_a_reply_by_drips_has_its_time(w, drip):
    """A byte, or a line, at a time: the time is that of the whole reply."""
    def talk(line: Line) -> None:
        line.say(b"220 hi\r\n")
        line.line()
        while True:
            line.say(drip)
            time.sleep(0.2)
    begun = time.monotonic()
    with Receiver(talk=talk) as r:
        put_off(w, r.place, "drips")
        assert time.monotonic() - begun < OUT + 4


def test_O_a_server_that_takes_no_content(w):
    """354 and then nothing is read: remote-block ends it."""
    def talk(line: Line) -> None:
        line.raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.say(b"220 hi\r\n")
        for reply in (b"250 hi\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"):
            line.line()
            line.say(reply)
        time.sleep(OUT * 3)
    with Receiver(talk=talk) as r:
        domain = w.lane(r.place)
        leg_id = w.send("stuck", f"bob@{domain}", b"0123456789abcdef\r\n" * 1_000_000)
        wait_record(w.gw, leg_id, "deferred", seconds=OUT * 3 + 5)


# ---- O: lies about what became of it --------------------------------------------------------------------------------


def test_O_the_reply_to_the_dot_is_lost(w):
    """O: it may have the mail or not: tried again later, once, and the log says that it may be there twice."""
    with Receiver(dot=sequence(None)) as r:
        domain = w.lane(r.place, "retry=1s")
        leg_id = w.send("doubt", f"bob@{domain}")
        r.wait_tag("doubt", 2)
        wait_sent(w.gw, leg_id)
        time.sleep(0.5)
        assert len(r.of("doubt")) == 2
        first, second = r.of("doubt")
        assert first.raw == second.raw
        [deferred] = records(w.gw, leg_id, "deferred")
        assert deferred.values["status"].startswith("4.4"), deferred
        text = w.gw.log("seki-remote") + w.gw.log("seki-deliver")
        assert any("event=possible-duplicate" in line for line in text.splitlines())


@pytest.mark.parametrize("reply", [b"hm", b"250", b"2", b"999 what", b"\xff\xfe", b"354 go on"], ids=short)
def test_O_nonsense_to_the_dot(w, reply):
    """No delivery is believed that was not said; nothing is returned either."""
    with Receiver(dot=sequence(reply, then=b"250 2.0.0 ok")) as r:
        domain = w.lane(r.place, "retry=1s")
        leg_id = w.send("nonsense", f"bob@{domain}")
        r.wait_tag("nonsense")
        wait_sent(w.gw, leg_id)
        # "250" alone is a reply (RFC 5321 section 4.2); all others must be tried again.
        assert len(r.of("nonsense")) == (1 if reply == b"250" else 2)
        assert not records(w.gw, leg_id, "failed")


def test_O_a_250_before_the_dot_is_none(w):
    """354 and 250 in one go: the 250 answers nothing, and no dot is sent."""
    with Receiver(DATA=b"354 go on\r\n250 2.0.0 queued") as r:
        domain, leg_id = put_off(w, r.place, "early", "retry=1h")
        assert not records(w.gw, leg_id, "delivered")
    then_good(w, domain, leg_id, "early")


PHASES = ["banner", "EHLO", "MAIL", "RCPT", "DATA", "dot"]


@pytest.mark.parametrize("offers", [("PIPELINING",), ()], ids=["pipelining", "plain"])
def test_O_cut_at_every_phase(w, offers):
    """A connection that ends at each phase, once: the mail arrives at the next try; twice only behind the dot."""
    made = {}
    for phase in PHASES:
        r = Receiver(offers, **{phase: sequence(None, then={
            "banner": b"220 mx.test", "EHLO": b"250-mx.test\r\n250 8BITMIME", "DATA": b"354 go"}.get(phase, b"250 ok"))})
        domain = w.lane(r.place, "retry=1s")
        made[phase] = r, w.send(f"cut-{phase}", f"bob@{domain}")
    for phase, (r, leg_id) in made.items():
        r.wait_tag(f"cut-{phase}", 2 if phase == "dot" else 1)
        wait_sent(w.gw, leg_id)
        # By its tag: a port that was another test's may still be tried with its mail.
        assert len([mail for mail in r.mails if mail.tag == f"cut-{phase}"]) == (2 if phase == "dot" else 1), phase
        assert not records(w.gw, leg_id, "failed")
        r.close()
        assert r.faults == []


def test_O_cut_within_the_content(w):
    """What came of it is a part without an end: no receiver takes that for a message."""
    state = {"n": 0}

    def talk(line: Line) -> None:
        state["n"] += 1
        line.say(b"220 hi\r\n")
        for reply in (b"250 hi\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"):
            line.line()
            line.say(reply)
        line.until(b"777\r\n")
    with Receiver(talk=talk) as r:
        domain = w.lane(r.place, "retry=1h")
        # More than the sockets between can hold: the dot is not on its way when the server hangs up.
        leg_id = w.send("part", f"bob@{domain}", b"777\r\n" + (b"y" * 70 + b"\r\n") * 130_000)
        wait_record(w.gw, leg_id, "deferred")
        assert not any("possible-duplicate" in line and leg_id in line for line in w.gw.log("seki-deliver").splitlines())
    then_good(w, domain, leg_id, "part")


def test_O_421_in_the_middle(w):
    made = {}
    for phase in ("MAIL", "RCPT", "DATA", "dot"):
        r = Receiver(**{phase: sequence(b"421 4.3.2 shutting down", then=b"354 go" if phase == "DATA" else b"250 ok")})
        made[phase] = r, w.send(f"421-{phase}", f"bob@{w.lane(r.place, 'retry=1s')}")
    for phase, (r, leg_id) in made.items():
        wait_sent(w.gw, leg_id)
        assert len(r.of(f"421-{phase}")) == (2 if phase == "dot" else 1)
        assert not records(w.gw, leg_id, "failed")
        r.close()


# ---- O: nonsense and injection -------------------------------------------------------------------------------------


GREETINGS = [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"\0" * 64 + b"\r\n", b"\r\n", b"220", b"2200 hi\r\n",
             b"999 hi\r\n", b"220-hi\r\n250 other\r\n", b"250 hi\r\n", b"220\thi\r\n", b"\x16\x03\x01\x02\x00\x01"]


def test_O_garbage_greetings(w):
    """Whatever answers on that port: the mail waits, and it is not returned."""
    def talk(greeting):
        def say(line: Line) -> None:
            line.say(greeting)
            line.raw.shutdown(socket.SHUT_WR)
            line.drain()
        return say
    made = [Receiver(talk=talk(g)) for g in GREETINGS]
    ids = [w.send(f"garbage-{n}", f"bob@{w.lane(r.place, 'retry=1h')}") for n, r in enumerate(made)]
    for leg_id in ids:
        [record, *_] = wait_record(w.gw, leg_id, "deferred")
        assert record.values["status"].startswith("4.")
        assert not records(w.gw, leg_id, "failed")
    for r in made:
        r.close()


EVIL_REPLIES = {
    "escape": b"550 5.1.1 \x1b[31mred\x1b]0;title\x07\r\n",
    "nul": b"550 5.1.1 a\0b\r\n",
    "cr": b"550 5.1.1 a\rBcc: evil@partner.example\r\n",
    "lf": b"550-5.1.1 a\n550 5.1.1 Bcc: evil@partner.example\r\n",
    "eight": b"550 5.1.1 \xff\xfe \x80 " + "日本語".encode() + b"\r\n",
    "header": b"550-5.1.1 x\r\n550-\r\n550-Injected: yes\r\n550-\r\n550 --boundary--\r\n",
    "record": b"550 5.1.1 2026-11-22T09:36:12.000000Z delivered rcpt=1 host=evil\r\n",
    "long": b"550 5.1.1 " + b"=+\" " * 3000 + b"\r\n",
    "status": b"550 2.0.0 all is fine\r\n",
    "bidi": "550 5.1.1 \u202egnp.exe \u2066x\r\n".encode(),
}


@pytest.mark.parametrize("name", EVIL_REPLIES)
def test_O_replies_are_harmless_wherever_they_are_kept(w, name):
    """Records, logs and notifications take a stranger's bytes and stay what they are."""
    with Receiver(RCPT=EVIL_REPLIES[name]) as r:
        domain = w.lane(r.place, "retry=1h")
        to = f"bob@{domain}"
        leg_id = w.send("evil", to)
        wait_for(lambda: records(w.gw, leg_id, "deferred") or records(w.gw, leg_id, "bounced"), 15)
    [(_, text)] = files(w.gw, leg_id)
    trailer = text.split(f"\n-- {leg_id}\n".encode(), 1)[1]
    assert re.fullmatch(rb"[\x20-\x7e\n]*", trailer), trailer
    assert not [x for x in records(w.gw, leg_id, "delivered")]
    for service in ("seki-deliver", "seki-remote", "seki-notice"):
        lines = [line for line in w.gw.log(service).splitlines() if leg_id in line or "evil" in line]
        assert all(re.fullmatch(r"[\x20-\x7e]*", line) for line in lines), lines
    shown = w.gw.seki("show", leg_id).stdout
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", shown)
    if records(w.gw, leg_id, "bounced"):
        [notice] = w.notices(to)
        head = notice.mail.content.split(b"\r\n\r\n")[0]
        assert not re.search(rb"[^\x20-\x7e\r\n\t]", head)
        assert set(map(str.lower, notice.message.keys())) & {"bcc", "injected"} == set()
        status = notice.mail.content.split(b"message/delivery-status", 1)[1].split(b"\r\n--", 1)[0]
        assert re.fullmatch(rb"[\x20-\x7e\r\n\t]*", status), status
        assert notice.of(to)["status"].startswith("5.") and "injected" not in notice.of(to)
        assert not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", notice.mail.content)
        assert not re.search("[\u202a-\u202e\u2066-\u2069]", notice.words)
    else:
        assert not w.notices_now(to)


@pytest.mark.parametrize("injected", [b"250-mx.test\r\n250 SIZE 5\r\n", b"550 5.7.1 no\r\n", b"220 again\r\n"], ids=short)
def test_S3_plaintext_behind_STARTTLS_is_not_believed(w, tmp_path, injected):
    """S3, the client's side: what a man in the middle puts behind the 220 is no reply of the server."""
    with Receiver(("STARTTLS", "PIPELINING"), tls=self_signed(tmp_path), STARTTLS=b"220 2.0.0 go\r\n" + injected) as r:
        domain = w.lane(r.place, "retry=1h")
        leg_id = w.send("injected", f"bob@{domain}")
        wait_for(lambda: r.of("injected") or records(w.gw, leg_id, "deferred"), 15)
        assert not records(w.gw, leg_id, "failed") and not w.notices_now(f"bob@{domain}")


def test_a_broken_handshake_is_no_obstacle(w, tmp_path):
    """Opportunistic: where TLS was offered and does not come about, the same server gets it in the clear."""
    class Broken:
        def wrap_socket(self, raw, server_side):
            raw.sendall(b"this is no TLS\r\n")
            raise ssl.SSLError("none")
    with Receiver(("STARTTLS",), tls=Broken()) as r:
        domain = w.lane(r.place, "retry=1s")
        w.send("handshake", f"bob@{domain}")
        [mail] = r.wait_tag("handshake")
        assert not mail.session.tls


def test_a_bad_neighbour_holds_nobody_up(w):
    """Ten floods and ten silent servers: mail for a decent one passes at once."""
    def silent(line: Line) -> None:
        line.drain()
    bad = [Receiver(talk=flooding(b"220-", b"220-x\r\n" * 1000, 0)) for _ in range(10)] + [
        Receiver(talk=silent) for _ in range(10)]
    try:
        for r in bad:
            w.send("bad", f"bob@{w.lane(r.place, 'retry=1h')}")
        with Receiver() as good:
            domain = w.lane(good.place)
            begun = time.monotonic()
            w.send("good", f"bob@{domain}")
            good.wait_tag("good")
            assert time.monotonic() - begun < OUT
    finally:
        for r in bad:
            r.close()
    assert not events(w.gw, "seki-deliver", "died")
    assert wait_event(w.gw, "seki-deliver", "deferred")
