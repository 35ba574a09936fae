"""Delivery by SMTP to several real receivers: byte for byte (N17), sessions that are kept and bounded, results of
each recipient (O: partial refusal)."""
import hashlib
import os
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from deliver_kit import (ALICE, GATEWAY, POSTFIX, PostfixReceiver, Receiver, SmtpSink, World, events, fates, files,
                         letter, records, sequence, submit, until_set, wait_event, wait_record, wait_sent, world)
from conftest import free_port, wait_for
from test_spool_kit import places

SESSION_MESSAGES = 25
MARGIN = 0.7  # for what could have happened and has not


@pytest.fixture(scope="module")
def w():
    with world(settings={"deliver-session-messages": str(SESSION_MESSAGES)}) as made:
        yield made


def by_number(n: int, body: bytes = b"Hello.\r\n") -> list[tuple[str, bytes]]:
    return [(f"m{i}", letter(f"m{i}", body)) for i in range(n)]


def send_many(w: World, tags: list[str], to: str, threads: int = 1) -> list[str]:
    """A message for each tag; their ids."""
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda tag: w.send(tag, to), tags))


# ---- byte for byte -------------------------------------------------------------------------------------------------


NASTY = {
    "dots": b".\r\n..\r\n...\r\n.dot\r\n.\r\n\r\n.",
    "eight-bit": "日本語 éü\r\n".encode() + bytes(range(128, 256)) + b"\r\n",
    "iso-2022-jp": b"\x1b$B4X=j\x1b(B\r\n",
    "long-lines": b"x" * 998 + b"\r\n" + b"y" * 5000 + b"\r\n" + b"." * 3000 + b"\r\n",
    "blanks": b" \r\n\t\r\n   trailing   \r\n\r\n\r\n",
    "no-last-newline": b"the end",
    "nul-and-controls": b"a\0b\x01\x7f\x1b[31m\r\n",
    "only-a-header": b"",
    "mime": b"--x\r\nContent-Type: text/plain\r\n\r\nFrom here\r\nfrom there\r\n>From\r\n--x--\r\n",
    "around-64k": b"".join(b"." * n + b"\r\n" for n in range(60, 400)) + b"z" * 65536 + b"\r\n.\r\n" + b"q" * 65535,
}


def one_received_on_top(content: bytes, raw: bytes, leg_id: str) -> None:
    """N17: what came is what leaves, below one Received field."""
    assert content.endswith(raw), content[-200:]
    top = content[:-len(raw)]
    assert top.startswith(b"Received: from ") and top.endswith(b"\r\n") and leg_id.encode() in top, top
    assert b" by " + GATEWAY.encode() in top.replace(b"\r\n\t", b" ").replace(b"\r\n ", b" "), top
    assert len(re.findall(rb"(?m)^\S", top)) == 1, top


@pytest.mark.parametrize("offers", [("PIPELINING", "8BITMIME", "SIZE"), ()], ids=["pipelining", "plain"])
def test_N17_every_byte(w, offers):
    """Bodies with everything that gateways break, to a server that offers much and one that offers nothing."""
    with Receiver(offers) as r:
        domain = w.lane(r.place)
        raws = {}
        for tag, body in NASTY.items():
            raw = letter(tag, body, to=f"bob@{domain}")
            raws[tag] = raw, submit(w.gw, raw, f"bob@{domain}")
        for tag, (raw, leg_id) in raws.items():
            [mail] = r.wait_tag(tag)
            want = raw if raw.endswith(b"\r\n") else raw + b"\r\n"  # SMTP's lines end
            one_received_on_top(mail.content, want, leg_id)
            assert mail.sender == ALICE and mail.to == [f"bob@{domain}"]


def test_N17_header_oddities(w):
    """Headers that a careful program would mend: nobody does."""
    with Receiver() as r:
        domain = w.lane(r.place)
        for n, head in enumerate([
                b"subject:odd0\r\nSUBJECT : twice\r\nX:\r\n",
                b"Subject: odd1\r\n\tfolded \r\n   more\r\nnot a field\r\n",
                b"Subject: odd2\r\nTo: undisclosed-recipients:;\r\nBcc: secret@partner.example\r\nReturn-Path: <x@y>\r\n",
                b"Received: from a by b; Mon, 1 Jan 2024 00:00:00 +0000\r\nSubject: odd3\r\nDKIM-Signature: v=1; b=xyz\r\n",
                b"Subject: odd4 " + "日本".encode() + b"\r\nDate: yesterday\r\nMessage-ID: none\r\n"]):
            raw = b"From: alice@example.co.jp\r\n" + head + b"\r\nbody\r\n"
            leg_id = submit(w.gw, raw, f"bob@{domain}")
            [mail] = r.wait(1, lambda m, i=leg_id: i.encode() in m.content)
            one_received_on_top(mail.content, raw, leg_id)
            assert n < 5


def test_N17_the_digest_before_and_after_is_logged(w):
    """What the head says, what the log says and what the receiver has is one digest."""
    with Receiver() as r:
        domain = w.lane(r.place)
        leg_id = w.send("digest", f"bob@{domain}", NASTY["dots"])
        [mail] = r.wait_tag("digest")
        digest = hashlib.sha256(mail.content).hexdigest()
        wait_sent(w.gw, leg_id)
        [(_, leg)] = files(w.gw, leg_id)
        assert f"\nsha256 {digest}\n".encode() in leg
        [event] = [e for e in wait_event(w.gw, "seki-deliver", "delivered", sha256=digest) if leg_id in e["id"]]
        assert event["rcpts"] == "1" and digest in event["sha256"]


def test_N17_ten_megabytes(w):
    with Receiver(["PIPELINING", "SIZE 20000000"]) as r:
        domain = w.lane(r.place)
        body = b"".join(b".%d %s\r\n" % (n, b"x" * (n % 300)) for n in range(60000))
        raw = letter("big", body)
        leg_id = submit(w.gw, raw, f"bob@{domain}")
        [mail] = r.wait_tag("big", seconds=40)
        one_received_on_top(mail.content, raw, leg_id)
        assert f"SIZE={len(mail.content)}" in mail.params


# ---- several receivers at once -------------------------------------------------------------------------------------


def in_lf(raw: bytes) -> bytes:
    return raw.replace(b"\r\n", b"\n")


def aiosmtpd_server():
    """aiosmtpd with a handler that keeps what it gets."""
    controller = pytest.importorskip("aiosmtpd.controller", reason="aiosmtpd is missing (package python3-aiosmtpd)")

    class Keep:
        def __init__(self) -> None:
            self.mails = []

        async def handle_DATA(self, server, session, envelope):
            self.mails.append((envelope.mail_from, list(envelope.rcpt_tos), envelope.original_content))
            return "250 2.0.0 kept"

    keep = Keep()
    made = controller.Controller(keep, hostname="127.0.0.1", port=free_port(), enable_SMTPUTF8=True)
    made.start()
    return made, keep


@pytest.mark.skipif(not os.path.exists(POSTFIX), reason="Postfix is not installed (package postfix)")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start Postfix")
def test_several_receivers_at_once(w):
    """Postfix, smtp-sink, aiosmtpd and a server of our own: thirty mails for all of them, each once and as it came."""
    n = 30
    aio, keep = aiosmtpd_server()
    domain = "postfix.test"
    try:
        with PostfixReceiver(domain) as postfix, SmtpSink() as sink, Receiver() as own:
            w.route(f"@{domain}", postfix.place)
            lanes = {"postfix": domain, "sink": w.lane(sink.place), "aio": w.lane(f"host:[127.0.0.1]:{aio.port}"),
                     "own": w.lane(own.place)}
            raws = by_number(n, NASTY["dots"] + NASTY["eight-bit"] + b"x" * 990 + b"\r\n")
            ids = [submit(w.gw, raw, [f"bob@{d}" for d in lanes.values()]) for _, raw in raws]
            for leg_id in ids:
                wait_sent(w.gw, leg_id, 40)
            wait_for(lambda: len(postfix.mails()) >= n, 20, "Postfix's Maildir")

            got = {"postfix": postfix.mails(), "sink": sink.mails(), "aio": [in_lf(c) for _, _, c in keep.mails],
                   "own": [in_lf(m.content) for m in own.mails]}
            for name, mails in got.items():
                assert len(mails) == n, name
                for _, raw in raws:
                    # smtp-sink writes an empty line behind each.
                    assert sum(m.rstrip(b"\n").endswith(in_lf(raw).rstrip(b"\n")) for m in mails) == 1, name
            assert all(m.count(b"Received: from ") == 1 for m in got["own"])
    finally:
        aio.stop()


@pytest.mark.parametrize("options", [["-f", "RCPT"], ["-f", "."], ["-f", "MAIL"], ["-f", "DATA"], ["-A", "0"]],
                         ids=lambda o: o[-1] if o[0] != "-A" else "abort")
def test_smtp_sink_refuses_for_good(w, options):
    """A 5yz at any phase comes back, once, with what the server said."""
    with SmtpSink(*options) as sink:
        domain = w.lane(sink.place)
        leg_id = w.send("hard", f"bob@{domain}")
        [notice] = w.notices(f"bob@{domain}")
        fields = notice.of(f"bob@{domain}")
        assert fields["action"] == "failed" and fields["status"].startswith("5.")
        assert fields["diagnostic-code"].startswith("smtp; 5") or options[0] == "-A"
        wait_sent(w.gw, leg_id)
        assert sink.mails() == [] or options == ["-f", "."] or options[0] == "-A"


@pytest.mark.parametrize("options", [["-r", "RCPT"], ["-r", "."], ["-Q", "MAIL"], ["-q", "RCPT"], ["-q", "CONNECT"],
                                     ["-r", "EHLO,HELO"], ["-Q", "CONNECT"], ["-r", "CONNECT"]], ids=" ".join)
def test_smtp_sink_defers(w, options):
    """A 4yz and a hang-up at any phase: the mail waits, and arrives once when the server is better."""
    with SmtpSink(*options) as sink:
        domain = w.lane(sink.place, "retry=1s")
        leg_id = w.send("soft", f"bob@{domain}")
        [first, *_] = wait_record(w.gw, leg_id, "deferred")
        assert first.rcpts == [1] and first.values["status"].startswith("4."), first
        assert first.values["until"] > first.time
    with Receiver() as r:
        w.route(f"@{domain}", r.place + " retry=1s")
        r.wait_tag("soft")
        wait_sent(w.gw, leg_id)
        assert len(r.mails) == 1
    assert w.notices_now(f"bob@{domain}") == []


def test_silent_servers_are_left():
    """A server that does not answer is given up after remote-command and its like, not after minutes."""
    with world(settings={f"remote-{name}": "1s" for name in ("command", "greeting", "data", "dot")}) as w, ExitStack() as stack:
        # smtp-sink answers what is pipelined behind a delay before it: so it has to be asked one by one.
        sinks = [stack.enter_context(SmtpSink("-p", *options)) for options in (
            ["-W", "CONNECT:30"], ["-W", "EHLO:30"], ["-W", "MAIL:30"], ["-W", "RCPT:30"], ["-w", "30"], ["-W", ".:30"])]
        ids = [w.send("silent", f"bob@{w.lane(sink.place, 'retry=1d')}") for sink in sinks]
        for leg_id in ids:
            [record] = wait_record(w.gw, leg_id, "deferred", seconds=10)
            assert record.values["status"].startswith("4.4"), record
        assert len(w.gw.spool("deliver")) == len(ids)


# ---- sessions ------------------------------------------------------------------------------------------------------


def test_one_session_carries_many_messages_and_ends_after_its_number(w):
    """One connection is enough, and it ends after deliver-session-messages."""
    with Receiver() as r:
        domain = w.lane(r.place, "sessions=1")
        n = 2 * SESSION_MESSAGES + 10
        # All wait behind the first, so that none of the sessions lies idle between.
        gate = threading.Event()
        r.replies["dot"] = until_set(gate)
        send_many(w, [f"many-{i}" for i in range(n)], f"bob@{domain}", 4)
        gate.set()
        r.wait(n)
        assert r.peak == 1
        assert [len(s.mails) for s in r.sessions] == [SESSION_MESSAGES, SESSION_MESSAGES, 10]
        assert sorted(m.tag for m in r.mails) == sorted(f"many-{i}" for i in range(n))
        wait_for(lambda: all(s.over for s in r.sessions[:2]), 10, "the ends")
        assert all(s.words("QUIT") for s in r.sessions[:2])


def test_an_idle_session_is_kept_for_the_next_message(w):
    """What comes within deliver-session-idle uses the same connection; later it has ended by QUIT."""
    with Receiver() as r:
        domain = w.lane(r.place)
        for i in range(3):
            w.send(f"kept-{i}", f"bob@{domain}")
            r.wait_tag(f"kept-{i}")
        assert len(r.sessions) == 1
        wait_for(lambda: r.sessions[0].over, 10, "the end of the idle session")
        assert r.sessions[0].words("QUIT")
        w.send("kept-4", f"bob@{domain}")
        r.wait_tag("kept-4")
        assert len(r.sessions) == 2


def test_a_session_that_the_server_ended_is_made_anew_at_once(w):
    """A hang-up, or 421, while nothing is said costs nobody anything: no deferred record, no wait."""
    with Receiver() as r:
        domain = w.lane(r.place, "retry=1h")
        w.send("before", f"bob@{domain}")
        r.wait_tag("before")
        r.cut()
        leg_id = w.send("after", f"bob@{domain}")
        r.wait_tag("after", seconds=8)
        assert not records(w.gw, leg_id, "deferred")
        for verb in ("MAIL", "RSET"):
            r.replies[verb] = sequence(b"421 4.3.2 idle for too long", then=b"250 2.0.0 ok")
        leg_id = w.send("after-421", f"bob@{domain}")
        r.wait_tag("after-421", seconds=8)
        assert not records(w.gw, leg_id, "deferred")


def test_twenty_sessions_to_a_destination(w):
    """The default bound: a slow server sees as many as that at once, and never more."""
    with Receiver() as r:
        r.replies["dot"] = lambda c: time.sleep(0.25) or b"250 2.0.0 ok"
        domain = w.lane(r.place)
        n = 300
        send_many(w, [f"slow-{i}" for i in range(n)], f"bob@{domain}", 8)
        r.wait(n, seconds=40)
        assert r.peak == 20
        assert len({m.tag for m in r.mails}) == n == len(r.mails)


def test_sessions_to_all_destinations_together():
    """deliver-sessions-all: slow servers hold no more than that, and each has its turn."""
    with world(settings={"deliver-sessions-all": "4", "deliver-session-idle": "1s"}) as w, ExitStack() as stack:
        gate = threading.Event()
        servers = [stack.enter_context(Receiver(dot=until_set(gate))) for _ in range(6)]
        for i, server in enumerate(servers):
            send_many(w, [f"of-{i}-{j}" for j in range(3)], f"bob@{w.lane(server.place)}", 1)
        wait_for(lambda: sum(s.live for s in servers) >= 4, 20, "4 sessions")
        time.sleep(MARGIN)
        assert sum(s.live for s in servers) == 4
        gate.set()
        for server in servers:
            server.wait(3, seconds=30)


def test_sessions_to_a_server_that_has_taken_nothing_yet():
    """deliver-sessions-first: a stranger is not stormed; each message that it takes allows one more."""
    with world(settings={"deliver-sessions-first": "2"}) as w, Receiver() as r:
        gate = threading.Event()
        r.replies["dot"] = until_set(gate)
        send_many(w, [f"first-{i}" for i in range(12)], f"bob@{w.lane(r.place)}", 4)
        wait_for(lambda: r.live == 2, 10, "2 sessions")
        time.sleep(1 + MARGIN)
        assert r.peak == 2
        gate.set()
        r.wait(12)


def test_sessions_by_route(w):
    """sessions= of a route bounds its own destination, and a slow one does not hold up another."""
    with Receiver() as slow, Receiver() as quick:
        gate = threading.Event()
        slow.replies["dot"] = until_set(gate)
        lane, other = w.lane(slow.place, "sessions=3"), w.lane(quick.place, "sessions=3")
        send_many(w, [f"slow-{i}" for i in range(20)], f"bob@{lane}", 4)
        wait_for(lambda: slow.counts.get("DATA", 0) >= 3, 20, "3 sessions")
        send_many(w, [f"quick-{i}" for i in range(20)], f"bob@{other}", 4)
        quick.wait(20, seconds=10)
        time.sleep(MARGIN)
        assert slow.peak == 3 and quick.peak <= 3
        gate.set()
        slow.wait(20)
        assert slow.peak == 3


# ---- recipients ----------------------------------------------------------------------------------------------------


def test_one_transaction_carries_many_recipients(w):
    with Receiver() as r:
        domain = w.lane(r.place)
        to = [f"r{i}@{domain}" for i in range(60)]
        leg_id = w.send("everybody", to)
        [mail] = r.wait_tag("everybody")
        assert mail.to == to and len(r.sessions) == 1
        done = wait_sent(w.gw, leg_id)
        [delivered] = [x for x in done if x.word == "delivered"]
        assert delivered.rcpts == list(range(1, 61)) and delivered.values["rcpt"] == "1-60"


def test_more_recipients_than_one_transaction_takes(w):
    """deliver-recipients: 250 go in transactions of at most 100."""
    with Receiver() as r:
        domain = w.lane(r.place)
        to = [f"r{i}@{domain}" for i in range(250)]
        leg_id = w.send("crowd", to)
        r.wait(3)
        wait_sent(w.gw, leg_id)
        assert max(len(m.to) for m in r.mails) <= 100
        assert sorted(t for m in r.mails for t in m.to) == sorted(to)


def test_a_server_that_takes_few_recipients_gets_the_others_in_the_next_transaction(w):
    """452 4.5.3 behind ten: RFC 5321 section 4.5.3.1.10."""
    with Receiver() as r:
        r.replies["RCPT"] = lambda c: b"452 4.5.3 too many" if len(c.rcpt) >= 10 else b"250 2.1.5 ok"
        domain = w.lane(r.place)
        to = [f"r{i}@{domain}" for i in range(35)]
        leg_id = w.send("few", to)
        wait_sent(w.gw, leg_id)
        assert sorted(t for m in r.mails for t in m.to) == sorted(to)


def test_recipients_of_several_domains_each_by_its_route(w):
    """One message, three destinations: one leg, three sessions, all results in one trailer."""
    with Receiver() as a, Receiver() as b, Receiver() as c:
        domains = [w.lane(r.place) for r in (a, b, c)]
        leg_id = w.send("split", [f"{who}@{d}" for who in ("bob", "carol") for d in domains])
        for r, d in zip((a, b, c), domains):
            [mail] = r.wait_tag("split")
            assert mail.to == [f"bob@{d}", f"carol@{d}"]
        done = wait_sent(w.gw, leg_id)
        assert sorted(n for x in done if x.word == "delivered" for n in x.rcpts) == [1, 2, 3, 4, 5, 6]


REFUSED, LATER = b"550 5.1.1 no such person", b"451 4.2.0 not now"


@pytest.mark.parametrize("offers", [("PIPELINING", "ENHANCEDSTATUSCODES"), ()], ids=["pipelining", "plain"])
def test_O_partial_refusal_splits_the_status(w, offers):
    """O: each recipient by his own reply; only who was told to wait is tried again, and one notification says all."""
    with Receiver(offers) as r:
        gate = threading.Event()

        def rcpt(call):
            if call.address.startswith("no"):
                return REFUSED
            return LATER if call.address.startswith("later") and not gate.is_set() else b"250 2.1.5 ok"
        r.replies["RCPT"] = rcpt
        domain = w.lane(r.place, "retry=2s")
        to = [f"{n}@{domain}" for n in ("yes1", "no1", "later1", "no2", "yes2", "later2")]
        leg_id = w.send("partial", to)
        [mail] = r.wait_tag("partial")
        assert mail.to == [to[0], to[4]]
        [deferred] = wait_record(w.gw, leg_id, "deferred")
        assert deferred.rcpts == [3, 6] and deferred.values["status"] == "4.2.0" and "not now" in deferred.values["reply"]
        wait_record(w.gw, leg_id, "bounced")
        shown = fates(w.gw, leg_id)
        assert [shown[a][1] for a in to] == ["delivered", "bounced", "open", "bounced", "delivered", "open"]
        assert "no such person" in shown[to[1]][4] and "not now" in shown[to[2]][4]
        [notice] = w.notices(to[1])
        assert len(notice.rcpts) == 2 and notice.of(to[3])["status"] == "5.1.1"

        gate.set()
        r.wait(2)
        done = wait_sent(w.gw, leg_id)
        assert [m.to for m in r.mails] == [[to[0], to[4]], [to[2], to[5]]]
        assert sorted(n for x in done if x.word == "delivered" for n in x.rcpts) == [1, 3, 5, 6]
        assert len(w.notices_now(to[1])) == 1 and not w.notices_now(to[2])
        # The refused have been asked for once and never again.
        assert sum(b"no1@" in c for s in r.sessions for c in s.commands) == 1


def test_nobody_is_left_behind_when_all_are_refused_but_data_goes_on(w):
    """All recipients refused: with PIPELINING a DATA may follow; the server that says 354 gets an empty message."""
    with Receiver(["PIPELINING"]) as r:
        r.replies["RCPT"] = REFUSED
        r.replies["DATA"] = b"354 well then"
        r.replies["dot"] = b"554 5.5.1 no valid recipients"
        domain = w.lane(r.place)
        w.send("none", [f"a@{domain}", f"b@{domain}"])
        [notice] = w.notices(f"a@{domain}")
        assert {x["status"] for x in notice.rcpts} == {"5.1.1"} and len(notice.rcpts) == 2
        assert all(len(m.content) == 0 for m in r.mails)


def test_one_deferred_record_for_a_session_and_reply(w):
    """Recipients by number, in ranges: the trailer of a message with many does not grow by a line each."""
    with Receiver() as r:
        r.replies["RCPT"] = lambda c: b"451 4.2.1 " + (b"even" if int(c.address[1:].split("@")[0]) % 2 == 0 else b"odd")
        domain = w.lane(r.place, "retry=1h")
        leg_id = w.send("ranges", [f"r{i}@{domain}" for i in range(1, 91)])
        wait_record(w.gw, leg_id, "deferred", 2)
        found = records(w.gw, leg_id, "deferred")
        assert len(found) == 2
        assert [x.rcpts for x in sorted(found, key=lambda x: x.rcpts)] == [list(range(1, 91, 2)), list(range(2, 91, 2))]
    with Receiver() as r:
        r.replies["RCPT"] = LATER
        domain = w.lane(r.place, "retry=1h")
        leg_id = w.send("range", [f"r{i}@{domain}" for i in range(1, 91)])
        [record] = wait_record(w.gw, leg_id, "deferred")
        assert record.values["rcpt"] == "1-90"


def test_results_say_where_and_how(w):
    """host=, tls=, reply= of a delivery; reply= is whole and decodes."""
    with Receiver(dot=b"250-2.0.0 first line\r\n250 2.0.0 queued as = + \"4711\"") as r:
        domain = w.lane(r.place)
        leg_id = w.send("said", f"bob@{domain}")
        [record] = wait_record(w.gw, leg_id, "delivered")
        assert "127.0.0.1" in record.values["host"] and record.values["tls"] in ("-", "none")
        assert re.search(r'first line.*queued as = \+ "4711"', record.values["reply"], flags=re.S), record
        wait_sent(w.gw, leg_id)
        assert "first line" in fates(w.gw, leg_id)[f"bob@{domain}"][4]


def test_opportunistic_tls(w, tmp_path):
    """TLS is used where it is offered, whatever the certificate; tls=none never; and a broken one is no obstacle."""
    from remote_kit import self_signed
    offers = ("PIPELINING", "STARTTLS", "8BITMIME")
    with Receiver(offers, tls=self_signed(tmp_path)) as r:
        domain, bare = w.lane(r.place), w.lane(r.place, "tls=none")
        leg_id = w.send("secret", f"bob@{domain}")
        [mail] = r.wait_tag("secret")
        assert mail.session.tls
        [record] = wait_record(w.gw, leg_id, "delivered")
        assert "1.3" in record.values["tls"], record
        w.send("bare", f"bob@{bare}")
        [mail] = r.wait_tag("bare")
        assert not mail.session.tls
    with Receiver(offers, STARTTLS=b"454 4.7.0 no TLS today", tls=self_signed(tmp_path)) as r:
        domain = w.lane(r.place)
        w.send("454", f"bob@{domain}")
        [mail] = r.wait_tag("454")
        assert not mail.session.tls


def test_names_in_ehlo(w):
    with Receiver() as r:
        domain = w.lane(r.place)
        w.send("ehlo", f"bob@{domain}")
        [mail] = r.wait_tag("ehlo")
        assert mail.session.words("EHLO") == [b"EHLO " + GATEWAY.encode()]


def test_the_red_button(w):
    """I3: what is frozen is not sent, not even by a session that is open; thawed, it is."""
    with Receiver() as r:
        domain = w.lane(r.place)
        w.send("before", f"bob@{domain}")
        r.wait_tag("before")
        assert w.gw.seki("freeze", "recipient", f"@{domain}").returncode == 0
        leg_id = w.send("frozen", [f"bob@{domain}", f"carol@{domain}"])
        wait_for(lambda: [state for state, _ in places(w.gw, leg_id)] == ["deliver"], 10)
        time.sleep(MARGIN)
        assert len(r.mails) == 1 and not records(w.gw, leg_id)
        assert w.gw.seki("thaw", "recipient", f"@{domain}").returncode == 0
        [mail] = r.wait_tag("frozen")
        assert len(mail.to) == 2


def test_several_smart_hosts_in_their_order(w):
    """The first that can be reached and does not say "not now" has it."""
    with Receiver() as first, Receiver() as second:
        domain = w.lane(f"{first.place},{second.place}")
        w.send("first", f"bob@{domain}")
        first.wait_tag("first")
        assert second.sessions == []
        dead = Receiver()
        dead.close()
        domain = w.lane(f"{dead.place},{second.place}")
        w.send("second", f"bob@{domain}")
        second.wait_tag("second")
        greets = Receiver(banner=b"421 4.3.2 busy")
        domain = w.lane(f"{greets.place},{second.place}")
        w.send("third", f"bob@{domain}")
        second.wait_tag("third")
        greets.close()


def test_a_stream_of_mail(w):
    """Three hundred mails from ten clients, two recipients each in two places: each arrives once."""
    with Receiver() as a, Receiver() as b:
        one, two = w.lane(a.place), w.lane(b.place)
        with ThreadPoolExecutor(10) as pool:
            ids = list(pool.map(lambda i: w.send(f"stream-{i}", [f"x@{one}", f"y@{two}"]), range(300)))
        for r in (a, b):
            r.wait(300, seconds=40)
            assert sorted(m.tag for m in r.mails) == sorted(f"stream-{i}" for i in range(300))
        doubts = events(w.gw, "seki-deliver", "possible-duplicate")
        assert not [e for e in doubts if e["id"].split(".")[0] in ids]
