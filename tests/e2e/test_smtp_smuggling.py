"""S1: only CRLF.CRLF ends a message, over a real socket, whatever the segments."""
import time

import pytest

from test_smtp_talk import MAIL, RELAY, Talk

EVIL = MAIL + b"RCPT TO:<victim@partner.example>\r\nDATA\r\nSubject: evil\r\n\r\n.\r\nQUIT\r\n"
BARE = [
    b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\n", b"\n.\r", b"\r.\r\n", b"\r\n.\r",
    b"\r\n.\r\r\n", b"\r\r\n.\r\r\n",
]
WITH_NUL = [b"\r\n\0.\r\n", b"\r\n.\0\r\n"]


def send_split(talk, data, at):
    """In two segments; the pause lets the server read the first by itself."""
    talk.send(data[:at])
    time.sleep(0.003)
    try:
        talk.send(data[at:])
    except ConnectionError:
        pass


@pytest.fixture
def refusing(fresh_gateway):
    return fresh_gateway(settings={"bare-newline": "refuse"}, relay=RELAY)


@pytest.fixture
def repairing(fresh_gateway):
    return fresh_gateway(settings={"bare-newline": "repair"}, relay=RELAY)


def test_S1_bare_newlines_are_refused(refusing):
    """Each variant, split at every boundary: 550, closed, and nothing behind it is executed."""
    for variant in BARE:
        for at in range(len(variant) + 1):
            with Talk(refusing) as talk:
                talk.to_data()
                head = b"Subject: s1\r\n\r\nbody"
                send_split(talk, head + variant + EVIL, len(head) + at)
                assert talk.reply().startswith(b"550 5.6.11 "), variant
                assert talk.closed(), variant
    with Talk(refusing) as talk:
        assert talk.mail(b"last").startswith(b"250 2.0.0")
    refusing.wait_delivered(lambda mail: b"Subject: last" in mail)
    assert not any(b"evil" in m or b"Subject: s1" in m for m in refusing.delivered())


def test_S1_bare_newlines_are_repaired(repairing):
    """What smuggling would send as a second message arrives as text of the first."""
    n = 0
    for variant in BARE:
        for at in range(len(variant) + 1):
            n += 1
            with Talk(repairing) as talk:
                talk.to_data()
                head = b"Subject: fixed-%d-\r\n\r\nbody" % n
                send_split(talk, head + variant + EVIL, len(head) + at)
                assert talk.reply().startswith(b"250 2.0.0 "), variant
                assert talk.reply().startswith(b"221 "), variant
    repairing.wait_delivered(lambda mail: b"Subject: fixed-" in mail, n)
    for mail in repairing.delivered():
        if b"Subject: fixed-" in mail:
            assert b"\r\nSubject: evil" in mail.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def test_S1_nul_does_not_end_a_line(refusing):
    """A NUL is content: the message goes on to its true end and is whole."""
    n = 0
    for variant in WITH_NUL:
        for at in range(len(variant) + 1):
            n += 1
            with Talk(refusing) as talk:
                talk.to_data()
                head = b"Subject: nul-%d-\r\n\r\nbody" % n
                send_split(talk, head + variant + b"after\r\n.\r\nQUIT\r\n", len(head) + at)
                assert talk.reply().startswith(b"250 2.0.0 ")
                assert talk.reply().startswith(b"221 ")
    refusing.wait_delivered(lambda mail: b"Subject: nul-" in mail, n)


def test_S1_true_end_at_every_split(refusing):
    """CRLF.CRLF ends the message, and what follows are commands, wherever it is cut."""
    data = b"Subject: true\r\n\r\n..dot\r\n.\r\nNOOP\r\nQUIT\r\n"
    for at in range(1, len(data)):
        with Talk(refusing) as talk:
            talk.to_data()
            send_split(talk, data, at)
            assert talk.reply().startswith(b"250 2.0.0 kept as ")
            assert talk.reply().startswith(b"250 2.0.0 ")
            assert talk.reply().startswith(b"221 ")
    refusing.wait_delivered(lambda mail: b"Subject: true" in mail, len(data) - 1)
    assert all(b"\n.dot" in m for m in refusing.delivered() if b"Subject: true" in m)


def test_S1_a_byte_at_a_time(refusing):
    with Talk(refusing) as talk:
        talk.to_data()
        for byte in b"Subject: slow\r\n\r\n.\r\n.\r\n"[:-5]:
            talk.send(bytes([byte]))
            time.sleep(0.002)
        for byte in b"\r\n.\r\n":
            talk.send(bytes([byte]))
            time.sleep(0.002)
        assert talk.reply().startswith(b"250 2.0.0 ")
