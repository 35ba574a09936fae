"""PROXY v2: from listed proxies the client is who the header names; from anybody else it is an error."""
import ctypes
import os
import select
import socket
import struct

import pytest

from conftest import wait_for
from door_kit import Door, arrived, kept, no_crash, reload, server_pid, start_door, subject, trust, user

MAGIC = b"\r\n\r\n\0\r\nQUIT\n"
BALANCER, OTHER_BALANCER, OFFICE, STRANGER = "127.0.20.1", "127.0.20.2", "192.0.2.9", "203.0.113.5"
RELAY = "192.0.2.0/24 @example.co.jp quota=none\n2001:db8::/32 @example.co.jp quota=none\n127.0.0.1 @example.co.jp\n"


@pytest.fixture(scope="module")
def gw():
    made = start_door({"proxy-from": "127.0.20.0/24 ::1", "smtp-sessions-source": "5"}, relay=RELAY)
    yield made
    no_crash(made)
    made.stop()


def header(source=OFFICE, port=54321, more=b"", command=1):
    """The header that names this client; `more`: TLVs."""
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    to = "2001:db8::1" if ":" in source else "198.51.100.1"
    block = socket.inet_pton(family, source) + socket.inet_pton(family, to) + struct.pack("!HH", port, 25) + more
    kind = 0x21 if ":" in source else 0x11
    return MAGIC + bytes([0x20 | command, kind]) + struct.pack("!H", len(block)) + block


def proxied(gateway, source=OFFICE, service="relay", **more):
    return Door(gateway, service, source=BALANCER, before=header(source), **more)


@pytest.mark.parametrize("source", [OFFICE, "2001:db8:1::7"])
def test_the_client_is_the_one_named(gw, source):
    """In Received, in the log of what was accepted, and for etc/relay."""
    text = "proxied-" + source
    with proxied(gw, source) as door:
        message = kept(door.mail(subject(text)))
    mail = arrived(gw, text)
    assert source.encode() + b"])\r\n" in mail, mail
    assert b"127.0.20.1" not in mail
    assert f"peer={source} " in gw.wait_log("seki-queue", message)


def test_the_proxys_own_address_opens_nothing(gw):
    """A stranger behind a proxy is a stranger, and a source behind one is a source, wherever the proxy stands."""
    with proxied(gw, STRANGER) as door:
        assert door.mail(subject("x")).startswith(b"550 5.7.1 ")
    with proxied(gw, "127.0.0.1") as door:  # whom the proxy names is believed
        assert door.say(b"MAIL FROM:<a@example.co.jp>\r\n").startswith(b"250 ")


def test_each_byte_of_the_header_at_the_end_of_a_segment(gw):
    for source in (OFFICE, "2001:db8::7"):
        whole = header(source, more=b"\x04\x00\x02xx")
        for cut in range(1, len(whole)):
            with Door(gw, source=BALANCER, greet=False) as door:
                door.raw(whole, [cut])
                assert door.reply().startswith(b"220 "), cut
                door.ehlo()
                if cut % 8 == 0:
                    assert door.say(b"MAIL FROM:<a@example.co.jp>\r\n").startswith(b"250 "), cut


def test_one_byte_at_a_time(gw):
    whole = header()
    with Door(gw, source=BALANCER, greet=False) as door:
        door.raw(whole, range(1, len(whole)))
        assert door.reply().startswith(b"220 ")


def test_S5_what_stands_behind_the_header_is_an_early_talker(gw):
    for cut in (0, 5, 28):
        with Door(gw, source=BALANCER, greet=False) as door:
            door.raw(header() + b"EHLO early.example\r\n", [cut] if cut else [])
            assert door.reply()[:3] in (b"554", b"220")
            if cut == 0:
                assert door.closed()


BAD = {
    "none": b"EHLO client.example\r\n" * 3, "version-1": b"PROXY TCP4 192.0.2.9 192.0.2.1 5 25\r\n",
    "first-byte": b"\n" + header()[1:], "last-of-magic": header()[:11] + b"X" + header()[12:],
    "version-3": header()[:12] + b"\x31" + header()[13:], "command-2": header(command=2),
    "udp": header()[:13] + b"\x12" + header()[14:], "unix": header()[:13] + b"\x31" + header()[14:],
    "unspecified": MAGIC + b"\x21\x00\x00\x00", "short-block": MAGIC + b"\x21\x11\x00\x0b" + b"x" * 11,
    "length-0": MAGIC + b"\x21\x11\x00\x00", "64k": MAGIC + b"\x21\x11\xff\xff" + b"x" * 2000,
    "v4-in-v6": MAGIC + b"\x21\x21\x00\x0c" + b"x" * 12, "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 40,
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("service", ["relay", "submission", "submissions"])
def test_without_a_header_it_is_closed(gw, service, name):
    """And nothing is said: what speaks there is no mail client of ours."""
    with Door(gw, service, source=BALANCER, greet=False, before=BAD[name]) as door:
        assert door.closed()


def test_half_a_header_and_then_silence(gw):
    """It is given up soon; the proxy's connections do not pile up."""
    with Door(gw, source=BALANCER, greet=False, before=header()[:20]) as door:
        door.sock.settimeout(15)
        assert door.closed()
    gw.wait_log("seki-smtpd", "event=proxy-header")


@pytest.mark.parametrize("service", ["relay", "submission"])
def test_from_anywhere_else_it_is_an_error(gw, service):
    """Or every stranger could be who he likes."""
    for source in ("127.0.0.1", "127.0.21.1"):
        with Door(gw, service, source=source, greet=False) as door:
            door.raw(header())
            answer = door.reply()
            if answer.startswith(b"220 "):  # it came behind the banner
                answer = door.reply()
            assert answer[:3] in (b"554", b"500"), answer
            assert b"250" not in door.say(b"MAIL FROM:<a@example.co.jp>\r\n")


def test_local(gw):
    """The proxy itself, for its health: its own address holds, and is no source."""
    with Door(gw, source=BALANCER, before=MAGIC + b"\x20\x00\x00\x00") as door:
        assert door.mail(subject("x")).startswith(b"550 5.7.1 ")
        assert door.say(b"QUIT\r\n").startswith(b"221 ")


@pytest.mark.parametrize("service", ["submission", "submissions"])
def test_tls_and_a_login_behind_it(gw, service):
    text = "proxied-" + service
    with user(gw, service=service, source=BALANCER, before=header(STRANGER)) as door:
        kept(door.mail(subject(text)))
    assert STRANGER.encode() in arrived(gw, text)
    assert f"peer={STRANGER} " in gw.wait_log("seki-smtpd", "event=login ")


def test_tls_in_the_headers_own_segment(gw):
    """Balancers send the client's hello right behind it; not a byte of that is taken for the header's."""
    for cut in (0, 1, 16, 27, 28, 29, 60):
        with Door(gw, "submissions", source=BALANCER, greet=False) as door:
            door.begin_tls(trust())
            try:
                door.tls.do_handshake()
            except OSError:  # it wants the server's answer
                pass
            door.raw(header(STRANGER) + door.outgoing.read(), [cut] if cut else [])
            while True:
                door.incoming.write(door._more())
                try:
                    door.tls.do_handshake()
                    break
                except OSError:
                    door.raw(door.outgoing.read())
            door.raw(door.outgoing.read())
            assert door.reply().startswith(b"220 ")


def test_limits_are_the_clients(gw):
    """smtp-sessions-source counts who is named, not the proxy."""
    doors = [proxied(gw) for _ in range(5)]
    try:
        with Door(gw, source=BALANCER, greet=False, before=header()) as door:
            assert door.reply().startswith(b"421 ")
            assert door.closed()
        with Door(gw, source=OTHER_BALANCER, greet=False, before=header()) as door:
            assert door.reply().startswith(b"421 ")
        with proxied(gw, "192.0.2.10") as door:  # another client of the same proxy
            kept(door.mail(subject("another-client")))
    finally:
        for door in doors:
            door.__exit__()

    def again():
        with Door(gw, source=BALANCER, greet=False, before=header()) as door:
            return door.reply().startswith(b"220 ")
    wait_for(again, 10, "room again")


def test_the_rate_is_the_clients(gw):
    reload(gw, smtp_rate="3")
    try:
        answers = []
        for _ in range(4):
            with Door(gw, source=BALANCER, greet=False, before=header("203.0.113.77")) as door:
                answers.append(door.reply()[:3])
        assert answers == [b"220", b"220", b"220", b"421"]
        with Door(gw, source=BALANCER, greet=False, before=header("203.0.113.6")) as door:
            assert door.reply().startswith(b"220 ")
    finally:
        reload(gw, smtp_rate="100000")


def test_a_process_is_never_the_next_clients(gw):
    """The proxy's connections are many people's: each has a process of its own."""
    parent, seen = gw.pid("seki-smtpd"), []
    for _ in range(3):
        with proxied(gw) as door:
            seen.append(server_pid(door, parent))
            assert door.say(b"QUIT\r\n").startswith(b"221 ")
    assert len(set(seen)) == 3


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can speak in a session's name")
def test_a_session_cannot_say_that_it_serves_somebody_else(gw):
    """A process that somebody has taken over tells the parent that it is another source's: it would be handed that
    source's next connection, and read its mail. Only a proxied session is asked whom it serves, and once."""
    (gw.root / "etc/relay").write_text(RELAY + "127.0.0.0/24 @example.co.jp quota=none\n")
    reload(gw)
    parent = gw.pid("seki-smtpd")
    with Door(gw, source="127.0.0.5") as door:
        pid = server_pid(door, parent)
        control = take_control(pid)
        control.send(b"S" + b"\0" * 10 + b"\xff\xff" + bytes([127, 0, 0, 6]))
        if select.select([control], [], [], 1)[0]:
            control.recv(1, socket.MSG_DONTWAIT)  # the answer
        door.say(b"QUIT\r\n")
    control.close()
    with Door(gw, source="127.0.0.6") as door:
        assert server_pid(door, parent) != pid


def take_control(pid):
    """The end of the socket over which a session speaks with its parent."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = os.pidfd_open(pid)
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            fd = libc.syscall(438, descriptor, int(name), 0) if int(name) > 2 else -1  # pidfd_getfd
            if fd >= 0:
                found = socket.socket(fileno=fd)
                if found.family == socket.AF_UNIX and found.type == socket.SOCK_SEQPACKET:
                    return found
                found.close()
    finally:
        os.close(descriptor)
    raise AssertionError("it has no such socket")
