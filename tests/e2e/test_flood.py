"""S12, S5, S6: too many, too often, too slow, too long: turned away or shed, and others do not notice."""
import os
import re
import resource
import select
import socket
import threading
import time
from pathlib import Path

import pytest

from conftest import wait_for
from door_kit import ALICE, Door, Gone, arrived, kept, no_crash, plain, reload, start_door, subject, trust, user

OFFICE = "127.0.0.1"
STRANGERS, FLOOD = 50, 10000
RELAY = f"{OFFICE} @example.co.jp quota=none\n"


@pytest.fixture(scope="module")
def gw():
    made = start_door({"smtp-strangers": str(STRANGERS), "smtp-sessions": "100"}, relay=RELAY)
    yield made
    no_crash(made)
    made.stop()


def children(gateway):
    parent = gateway.pid("seki-smtpd")
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def memory_kib(gateway):
    """What all of seki-smtpd takes of the machine: its share of what is shared, too."""
    total = 0
    for pid in [gateway.pid("seki-smtpd"), *children(gateway)]:
        try:
            total += int(re.search(r"^Pss: +(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), flags=re.M).group(1))
        except (FileNotFoundError, ProcessLookupError, AttributeError):
            continue  # it has ended
    return total


def come(port, n):
    """One of many strangers: an address of his own, and nothing said."""
    sock = socket.socket()
    sock.settimeout(10)
    try:
        sock.bind((f"127.{1 + n % 200}.{n // 200 % 250}.{1 + n % 250}", 0))
        sock.connect(("127.0.0.1", port))
    except OSError:
        sock.close()
        return None
    return sock


def many_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < FLOOD + 500:
        pytest.skip(f"{hard} descriptors at most")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, FLOOD + 500), hard))


# ---- S12: 10,000 sessions ----------------------------------------------------------------------------------------


def test_S12_connections_opened_and_left(gw):
    """10,000 of them, from as many addresses, to all three services. Mail of a relay source and of a login that is in
    passes all the while; then somebody else logs in, though they are all still there; memory and processes are
    bounded."""
    many_descriptors()
    ports = (gw.port, gw.submission_port, gw.submissions_port)
    left, stop = [], threading.Event()

    def flood():
        for n in range(FLOOD):
            left.append(come(ports[n % 3], n))
        stop.set()

    slowest, most, peak, n = 0.0, 0, 0, 0
    with user(gw) as login:
        crowd = threading.Thread(target=flood)
        crowd.start()
        try:
            while not stop.is_set() or n == 0:
                began = time.monotonic()
                kept(login.mail(subject(f"flood-login-{n}")))
                with Door(gw, source=OFFICE) as office:
                    kept(office.mail(subject(f"flood-office-{n}")))
                slowest = max(slowest, time.monotonic() - began)
                if n % 20 == 0:
                    most, peak = max(most, len(children(gw))), max(peak, memory_kib(gw))
                n += 1
            arrived(gw, f"flood-login-{n - 1}")
            arrived(gw, f"flood-office-{n - 1}")
            # They are left. Who comes now pushes the oldest of them out.
            began = time.monotonic()
            wait_for(lambda: came_in(gw), 10, "a login behind the flood")
            assert time.monotonic() - began < 8
            assert most <= 100 + 8 and peak < 100 * 1024, (most, peak)
            assert slowest < 5, slowest
            print(f"{len(left)} connections, {n} mails of each meanwhile, the slowest pair {slowest:.2f} s, "
                  f"{most} processes, {peak} KiB")
        finally:
            crowd.join()
            for sock in left:
                if sock is not None:
                    sock.close()
    assert sum(sock is not None for sock in left) > FLOOD * 0.9
    gw.wait_log("seki-smtpd", "event=turned-away")
    gw.wait_log("seki-smtpd", "event=stranger-shed")


def came_in(gateway):
    """Whether a client that is turned away now and then logs in and sends."""
    try:
        with user(gateway) as door:
            kept(door.mail(subject("behind-the-flood")))
            return True
    except (AssertionError, Gone, OSError):
        return False


def test_S12_afterwards_nothing_is_left(gw):
    """No process, no descriptor of the parent's; and nothing was killed that was known."""
    wait_for(lambda: len(children(gw)) <= 1, 15, "the children's end")
    assert len(os.listdir(f"/proc/{gw.pid('seki-smtpd')}/fd")) < 30
    log = gw.log("seki-smtpd")
    assert "event=accept-paused" not in log
    assert len(log) < 4_000_000


def test_S12_a_shed_stranger_was_nobody(gw):
    """Room is made by strangers alone: a login stays, however long it is silent."""
    with user(gw) as door:
        crowd = [come(gw.submission_port, n) for n in range(STRANGERS)]
        wait_for(lambda: len(children(gw)) >= STRANGERS - 5, 10, "the strangers' sessions")

        def pressed_out():
            crowd.append(come(gw.submission_port, len(crowd)))
            return any(ended(sock) for sock in crowd[:STRANGERS])
        wait_for(pressed_out, 10, "the oldest to be shed")
        kept(door.mail(subject("still-there")))
        for sock in crowd:
            sock.close()
    arrived(gw, "still-there")


def ended(sock):
    """Whether the server has closed a connection of which nobody has read."""
    poll = select.poll()
    poll.register(sock, select.POLLRDHUP)
    return bool(poll.poll(0))


# ---- how often ---------------------------------------------------------------------------------------------------


def test_S12_rate(gw):
    """Connections a minute of one address, whichever service; a relay source's are not counted."""
    reload(gw, smtp_rate="5")
    try:
        answers = []
        for n in range(7):
            with Door(gw, "submission" if n % 2 else "relay", source="127.0.77.7", greet=False) as door:
                answers.append(door.reply()[:3])
        assert answers == [b"220"] * 5 + [b"421"] * 2
        with Door(gw, source="127.0.77.8") as door:
            assert door.say(b"QUIT\r\n").startswith(b"221")
        for _ in range(8):
            with Door(gw, source=OFFICE) as door:
                assert door.say(b"QUIT\r\n").startswith(b"221")
    finally:
        reload(gw, smtp_rate="100000")


def test_S12_neighbours_do_not_hide_each_other(gw):
    """The hundred addresses of one office have a rate each: none of them is forgotten for the others."""
    reload(gw, smtp_rate="2")
    try:
        turned = 0
        for round_ in range(3):
            for host in range(1, 31):
                with Door(gw, source=f"127.0.78.{host}", greet=False) as door:
                    answer = door.reply()[:3]
                    turned += answer == b"421"
                    assert answer == b"220" or round_ == 2
        assert turned >= 28
    finally:
        reload(gw, smtp_rate="100000")


def test_messages_of_a_session(gw):
    reload(gw, smtp_messages="2")
    try:
        for door in (user(gw), Door(gw, source=OFFICE)):
            with door:
                for _ in range(2):
                    kept(door.mail(subject("one-of-two")))
                assert door.say(b"MAIL FROM:<alice@example.co.jp>\r\n").startswith(b"421 ")
                assert door.closed()
    finally:
        reload(gw, smtp_messages="1000")


def test_S5_idle_commands(gw):
    """Commands that bring nothing: behind smtp-idle-commands each is an error; a message starts the count anew."""
    reload(gw, smtp_idle_commands="5", smtp_errors="3")
    try:
        with Door(gw, source=OFFICE) as door:  # its EHLO is the first
            for _ in range(2):
                for _ in range(4):
                    assert door.say(b"NOOP\r\n").startswith(b"250")
                kept(door.mail(subject("idle")))
            for _ in range(7):
                assert door.say(b"RSET\r\n").startswith(b"250")
            assert door.say(b"RSET\r\n").startswith(b"250")
            assert door.reply().startswith(b"421 ")
            assert door.closed()
    finally:
        reload(gw, smtp_idle_commands="100", smtp_errors="20")


# ---- how slowly --------------------------------------------------------------------------------------------------


def test_S5_a_stranger_has_his_time(gw):
    """However busily he talks, or shakes hands a byte at a time; one who is known is not hurried."""
    reload(gw, smtp_stranger_time="5s")
    talker, silent, slow = (Door(gw, "submission", source=f"127.0.66.{n}") for n in (1, 2, 3))
    shaker = Door(gw, "submissions", source="127.0.66.4", greet=False)
    relay_stranger = Door(gw, source="127.0.66.5")
    known, office = user(gw), Door(gw, source=OFFICE)
    doors = [talker, silent, slow, shaker, relay_stranger, known, office]
    try:
        began = time.monotonic()
        shaker.begin_tls(trust())
        try:
            shaker.tls.do_handshake()
        except OSError:
            pass
        hello = shaker.outgoing.read()
        n = 0
        while time.monotonic() - began < 4:
            assert talker.say(b"NOOP\r\n").startswith(b"250")
            slow.send(b"N")
            shaker.raw(hello[n:n + 1])
            n += 1
            time.sleep(0.25)
        for door in (talker, silent, slow, relay_stranger):
            door.sock.settimeout(4)
            assert door.reply().startswith(b"421 "), door
            assert door.closed()
        assert shaker.receive() == b""
        assert time.monotonic() - began < 8
        kept(known.mail(subject("not-hurried")))
        kept(office.mail(subject("nor-he")))
    finally:
        for door in doors:
            door.__exit__()
        reload(gw, smtp_stranger_time="60s")


def test_S5_a_transaction_has_its_time(gw):
    """A byte now and then keeps nobody: the deadline is that of the whole."""
    reload(gw, smtp_transaction_time="2s", smtp_timeout="30s")
    try:
        with user(gw) as door:
            for line in (b"MAIL FROM:<alice@example.co.jp>\r\n", b"RCPT TO:<bob@partner.example>\r\n", b"DATA\r\n"):
                assert door.say(line)[:1] in (b"2", b"3")
            door.sock.setblocking(False)
            began = time.monotonic()
            while time.monotonic() - began < 8:
                door.send(b"x")
                if select.select([door.sock], [], [], 0.2)[0]:
                    break
            assert time.monotonic() - began < 5
            door.sock.setblocking(True)
            assert door.reply().startswith(b"421 4.4.2 ")
    finally:
        reload(gw, smtp_transaction_time="1h", smtp_timeout="5m")


# ---- how long ----------------------------------------------------------------------------------------------------


def test_S6_lines_and_headers(gw):
    """Bounds of a message: at them it is taken whole, beyond them refused whole, and the session goes on."""
    reload(gw, smtp_line="998B", header_size="64KB")
    try:
        with user(gw) as door:
            for n, code in ((998, b"250"), (999, b"554"), (20000, b"554"), (997, b"250")):
                assert door.mail(subject(f"line-{n}") + b"x" * n).startswith(code), n
            fields = b"".join(b"X: %s\r\n" % (b"y" * 895) for _ in range(72))
            for extra, code in ((0, b"250"), (2000, b"552")):
                content = subject(f"header-{extra}", b"From: alice@example.co.jp\r\n" + fields +
                                  b"Z: %s\r\n" % (b"z" * 400) * (extra // 400))
                assert door.mail(content).startswith(code), extra
        for n in (998, 997):
            assert b"\r\n" + b"x" * n + b"\r\n" in arrived(gw, f"line-{n}")
        arrived(gw, "header-0")
        assert not [m for m in gw.delivered() if b"Subject: line-999" in m or b"Subject: header-2000" in m]
    finally:
        reload(gw, smtp_line="16MB", header_size="1MB")


@pytest.mark.parametrize("line", [b"NOOP " + b"x" * 506, b"X" * 1_000_000, b"EHLO " + b"e" * 600,
                                  b"MAIL FROM:<" + b"a" * 3000 + b"@example.co.jp>"],
                         ids=["noop", "no-verb", "ehlo", "mail"])
def test_S6_commands_under_tls(gw, line):
    """513 bytes, and a megabyte without its end: 500, and what it held is never a command."""
    with Door(gw, "submission").starttls() as door:
        assert door.say(line[:400000] + b"\r\n").startswith(b"500 ")
        assert door.say(b"NOOP\r\n").startswith(b"250 ")


@pytest.mark.parametrize("line", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"POST /mail HTTP/1.0\r\n\r\nMAIL FROM:<a@b>\r\n",
                                  b"CONNECT x:25 HTTP/1.1\r\n\r\n"], ids=["get", "post", "connect"])
def test_S12_http_first(gw, line):
    for service in ("submission", "submissions"):
        with Door(gw, service) as door:
            assert door.say(line).startswith(b"554 ")
            assert door.closed()


def test_S8_bytes_that_no_command_has(gw):
    with user(gw) as door:
        for line in (b"NO\0OP", b"RSET\0", b"\xffEHLO x", b"EHLO \x80", b"AUTH \0", b"RCPT TO:<b\0b@x.example>",
                     b"MAIL FROM:<alice\0@example.co.jp>", b"MAIL FROM:<alice@example.co.jp> AUTH=\xff"):
            assert door.say(line + b"\r\n")[:3] in (b"500", b"501", b"503", b"550", b"553"), line


def test_S9_a_size_that_lies(gw):
    """552 at MAIL, and 552 after all of it has been read; no file stays."""
    reload(gw, message_size="64KB")
    try:
        with user(gw) as door:
            assert door.say(b"MAIL FROM:<alice@example.co.jp> SIZE=65537\r\n").startswith(b"552 ")
            assert door.say(b"MAIL FROM:<alice@example.co.jp> SIZE=10\r\n").startswith(b"250 ")
            assert door.say(b"RCPT TO:<bob@partner.example>\r\n").startswith(b"250 ")
            assert door.say(b"DATA\r\n").startswith(b"354 ")
            door.send(subject("lie"))
            for _ in range(30):
                door.send(b"x" * 8190 + b"\r\n")
            assert door.say(b".\r\n").startswith(b"552 ")
            assert door.say(b"NOOP\r\n").startswith(b"250 ")
        assert gw.spool("tmp") == [] or wait_for(lambda: gw.spool("tmp") == [], 5)
    finally:
        reload(gw, message_size="150MB")


def test_a_session_of_an_old_password(gw):
    """The login of a session that is in stays what it was; the next one needs the new password."""
    with user(gw) as door:
        assert gw.seki("passwd", ALICE, stdin="another password\n").returncode == 0
        try:
            kept(door.mail(subject("old-session")))
        finally:
            assert gw.seki("passwd", ALICE, stdin="alpha pässword 17\n").returncode == 0
    with Door(gw, "submission").starttls() as door:
        assert door.say(b"AUTH PLAIN " + plain(ALICE) + b"\r\n").startswith(b"235 ")
