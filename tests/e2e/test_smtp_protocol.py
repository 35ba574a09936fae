"""S4-S9, S11: what a session says to commands, right ones and others."""
import time

import pytest

from test_smtp_talk import MAIL, RCPT, RELAY, Talk, eventually


@pytest.fixture
def gw(gateway):
    return gateway


def test_ehlo_offers_what_is_there_and_no_more(gw):
    with Talk(gw, helo=None) as talk:
        lines = talk.say(b"EHLO client.example\r\n").split(b"\r\n")
        words = {line[4:].split()[0] for line in lines[1:] if line}
        assert words == {b"PIPELINING", b"SIZE", b"8BITMIME", b"SMTPUTF8", b"DSN", b"STARTTLS",
                         b"ENHANCEDSTATUSCODES"}


def test_S4_no_login_on_the_relay_service(gw):
    with Talk(gw) as talk:
        assert talk.say(b"AUTH PLAIN AGEAYg==\r\n").startswith(b"502 5.5.1")
        assert talk.say(b"EXPN x\r\n").startswith(b"502")
        assert talk.say(b"VRFY bob\r\n").startswith(b"252")
        assert talk.say(b"HELP\r\n").startswith(b"214")


def test_order_of_commands(gw):
    with Talk(gw, helo=None) as talk:
        assert talk.say(MAIL).startswith(b"503")
        assert talk.say(b"HELO x\r\n").startswith(b"250 ")
        assert talk.say(RCPT).startswith(b"503")
        assert talk.say(b"DATA\r\n").startswith(b"503")
        assert talk.say(MAIL).startswith(b"250")
        assert talk.say(MAIL).startswith(b"503")
        assert talk.say(b"DATA\r\n").startswith(b"554 5.5.1")
        assert talk.say(RCPT).startswith(b"250")
        assert talk.say(b"RSET\r\n").startswith(b"250")
        assert talk.say(RCPT).startswith(b"503")
        assert talk.say(b"EHLO x\r\n").startswith(b"250-")
        assert talk.say(b"QUIT\r\n").startswith(b"221")
        assert talk.closed()


def test_pipelining(gw):
    """RFC 2920: a whole group at once, answered in order, twice in one session."""
    with Talk(gw) as talk:
        for n in range(2):
            talk.send(MAIL + RCPT + b"RCPT TO:<bad\r\n" + RCPT + b"DATA\r\n")
            codes = [talk.reply()[:3] for _ in range(5)]
            assert codes == [b"250", b"250", b"501", b"250", b"354"]
            talk.send(b"Subject: piped-%d\r\n\r\n.\r\nNOOP\r\n" % n)
            assert talk.reply().startswith(b"250 2.0.0 kept as ")
            assert talk.reply().startswith(b"250")
    gw.wait_delivered(lambda mail: b"Subject: piped-" in mail, 2)


def test_S5_early_talker(gw):
    """Who talks before the banner gets 554. The pause of the server is none, so try some times."""
    early = 0
    for _ in range(50):
        with Talk(gw, greet=False) as talk:
            talk.send(b"EHLO x\r\n")
            if talk.reply().startswith(b"554 5.5.0"):
                early += 1
                assert talk.closed()
    assert early > 0


@pytest.mark.parametrize("command", [b"EHLO x\r\n", b"HELO x\r\n"])
def test_S5_data_before_the_greeting_is_answered(gw, command):
    with Talk(gw, helo=None) as talk:
        assert talk.say(command + MAIL).startswith(b"554 5.5.0")
        assert talk.closed()


def test_S5_data_before_354(gw):
    """The body sent with DATA is not a message, and none of it is a command."""
    with Talk(gw) as talk:
        talk.send(MAIL + RCPT + b"DATA\r\nSubject: early\r\n\r\n.\r\n" + MAIL)
        replies = [talk.reply() for _ in range(3)]
        assert replies[2].startswith(b"554 5.5.0")
        assert talk.closed()
    assert not any(b"Subject: early" in m for m in gw.delivered())


def test_S5_data_refused_and_body_behind_it(gw):
    """No recipient, DATA refused: the body that follows at once must not be executed."""
    with Talk(gw) as talk:
        talk.send(MAIL + b"DATA\r\nRCPT TO:<x@y.example>\r\nQUIT\r\n")
        assert talk.reply().startswith(b"250")
        assert talk.reply().startswith(b"554 5.5.0")
        assert talk.closed()


def test_S5_silence(fresh_gateway):
    gw = fresh_gateway(settings={"smtp-timeout": "1s"}, relay=RELAY)
    with Talk(gw) as talk:
        assert talk.reply().startswith(b"421 4.4.2")
        assert talk.closed()
    with Talk(gw) as talk:
        talk.to_data()
        assert talk.reply().startswith(b"421 4.4.2")


def test_S5_a_byte_now_and_then(fresh_gateway):
    """A command as a whole has the timeout; a message as a whole the transaction's time."""
    gw = fresh_gateway(settings={"smtp-timeout": "2s", "smtp-transaction-time": "4s"}, relay=RELAY)
    with Talk(gw) as talk:
        start = time.monotonic()
        trickle(talk, b"NOOP ", 0.3)
        assert talk.reply().startswith(b"421 4.4.2")
        assert time.monotonic() - start < 6
    with Talk(gw) as talk:
        start = time.monotonic()
        talk.to_data()
        trickle(talk, b"Subject: s", 0.3)
        assert talk.reply().startswith(b"421 4.4.2")
        assert time.monotonic() - start < 9


def trickle(talk, first, pause):
    talk.sock.settimeout(0.001)
    talk.send(first)
    for _ in range(60):
        try:
            talk.send(b"x")
            time.sleep(pause)
            got = talk.sock.recv(4096)
            if got:
                talk.rest += got
                break
        except TimeoutError:
            continue
        except ConnectionError:
            break
    talk.sock.settimeout(20)


def test_S5_a_client_that_does_not_read(fresh_gateway):
    """Replies nobody takes hold a process for the timeout at most."""
    gw = fresh_gateway(settings={"smtp-timeout": "1s", "smtp-errors": 1000}, relay=RELAY)
    with Talk(gw) as talk:
        talk.sock.settimeout(6)
        with pytest.raises(OSError):
            for _ in range(100000):
                talk.send(b"HELP\r\n" * 1000)


@pytest.mark.parametrize("size,reply", [(512, b"250"), (513, b"500 5.5.2"), (5000, b"500 5.5.2"),
                                        (1000000, b"500 5.5.2")])
def test_S6_long_commands(gw, size, reply):
    with Talk(gw) as talk:
        assert talk.say(b"NOOP " + b"x" * (size - 7) + b"\r\n").startswith(reply)
        assert talk.say(b"NOOP\r\n").startswith(b"250"), "the session goes on at the next CRLF"


def test_S6_long_mail(gw):
    with Talk(gw) as talk:
        line = b"MAIL FROM:<alice@example.co.jp> ENVID=" + b"a" * 1900 + b"\r\n"
        assert talk.say(line).startswith(b"501 5.5.4")
        assert talk.say(b"MAIL FROM:<" + b"a" * 2040 + b"@b>\r\n").startswith(b"500 5.5.2")


def test_S6_no_newline_ever(gw):
    with Talk(gw) as talk:
        assert talk.say(b"x" * 300000).startswith(b"500 5.5.2")
        talk.send(b"\nMAIL\n" + b"y" * 1000)
        assert talk.say(b"\r\nNOOP\r\n").startswith(b"250"), "a LF alone ends nothing"


def test_S6_bare_lf_in_commands(gw):
    with Talk(gw) as talk:
        assert talk.say(b"NOOP\rx\r\n").startswith(b"500")
        assert talk.say(b"NOOP x\ry\r\n").startswith(b"501")
        assert talk.say(b"NOOP\n").startswith(b"500 5.5.2")
        assert talk.closed()


@pytest.mark.parametrize("length", [999, 2049, 10 * 1024 * 1024])
def test_S6_long_body_lines(gw, length):
    with Talk(gw) as talk:
        assert talk.mail(b"long-%d-" % length, b"z" * length).startswith(b"250")
    gw.wait_delivered(lambda m: b"Subject: long-%d-" % length in m)
    whole = [m for m in gw.delivered() if b"Subject: long-%d-" % length in m]
    assert len(whole) == 1 and b"z" * length in whole[0]


def test_S7_bdat(gw):
    """Not offered; its octets are never commands."""
    for command in (b"BDAT 40 LAST\r\n", b"BDAT 18446744073709551616\r\n", b"BDAT -1\r\n",
                    b"BDAT " + b"9" * 3000 + b"\r\n"):
        with Talk(gw) as talk:
            assert talk.say(MAIL).startswith(b"250")
            assert talk.say(RCPT).startswith(b"250")
            assert talk.say(command + b"RSET\r\n" + MAIL).startswith(b"502")
            assert talk.closed()


@pytest.mark.parametrize("line", [b"NOOP \0\r\n", b"NOOP \xc3\xbc\r\n", b"EHLO \xff\r\n",
                                  b"MAIL FROM:<a\0@example.co.jp>\r\n", b"\x80\xff\r\n",
                                  b"MAIL FROM:<\xc3@example.co.jp> SMTPUTF8\r\n", b"\0\r\n",
                                  b"RSET\t\r\n"])
def test_S8_bytes_that_no_command_has(gw, line):
    with Talk(gw) as talk:
        assert talk.say(line)[:3] in (b"500", b"501")
        assert talk.say(b"NOOP\r\n").startswith(b"250")


def test_S8_smtputf8(gw):
    with Talk(gw) as talk:
        jp = "太郎@example.co.jp".encode()
        assert talk.say(b"MAIL FROM:<" + jp + b">\r\n").startswith(b"553 5.6.7")
        assert talk.say(b"MAIL FROM:<" + jp + b"> SMTPUTF8\r\n").startswith(b"250")
        assert talk.say("RCPT TO:<花子@例え.jp>\r\n".encode()).startswith(b"250")
        assert talk.say(b"RSET\r\n").startswith(b"250")
        assert talk.say(MAIL).startswith(b"250")
        assert talk.say("RCPT TO:<花子@例え.jp>\r\n".encode()).startswith(b"553 5.6.7")


def test_S8_eight_bits_without_8bitmime(gw):
    with Talk(gw) as talk:
        body = "日本語".encode()
        assert talk.mail(b"raw8", body).startswith(b"250")
    gw.wait_delivered(lambda mail: b"Subject: raw8" in mail and body in mail)


def test_S9_size(fresh_gateway):
    gw = fresh_gateway(settings={"message-size": "64KB"}, relay=RELAY)
    with Talk(gw) as talk:
        mail = b"MAIL FROM:<alice@example.co.jp> SIZE="
        assert talk.say(mail + b"65537\r\n").startswith(b"552 5.3.4")
        assert talk.say(mail + b"99999999999999999999\r\n").startswith(b"501")
        assert talk.say(mail + b"65536\r\n").startswith(b"250")
        assert talk.say(b"RSET\r\n").startswith(b"250")

        # A body over the limit, whatever was declared: drained, refused, nothing kept.
        assert talk.say(mail + b"10\r\n").startswith(b"250")
        assert talk.say(RCPT).startswith(b"250")
        assert talk.say(b"DATA\r\n").startswith(b"354")
        body = b"Subject: toolarge\r\n\r\n" + b"x" * 78 + b"\r\n"
        assert talk.say(body + (b"y" * 78 + b"\r\n") * 20000 + b".\r\n").startswith(b"552 5.3.4")
        assert talk.mail(b"after").startswith(b"250"), "the session goes on"
    gw.wait_delivered(lambda m: b"Subject: after" in m)
    assert not any(b"Subject: toolarge" in m for m in gw.delivered())
    assert eventually(lambda: not gw.spool("tmp"))


STRANGE = [b'";id;"@c.example', b"|cmd@c.example", b"/etc/x@c.example", b"-oX@c.example",
           b'"a\\@b"@c.example', b"`reboot`@c.example"]


def test_S11_strange_addresses_are_data(gw):
    with Talk(gw) as talk:
        assert talk.say(b"MAIL FROM:<>\r\n").startswith(b"250")
        for address in STRANGE:
            assert talk.say(b"RCPT TO:<" + address + b">\r\n").startswith(b"250"), address
        for address in (b";id;@c.example", b"a" * 65 + b"@c.example", b"", b"a@b_c", b"a",
                        b"@hop:a@b.example", b"$(id)@c.example"):
            assert talk.say(b"RCPT TO:<" + address + b">\r\n").startswith(b"501"), address
        assert talk.say(b"DATA\r\n").startswith(b"354")
        assert talk.say(b"Subject: strange\r\n\r\n.\r\n").startswith(b"250")
    gw.wait_delivered(lambda mail: b"Subject: strange" in mail)


def test_S10_injection_by_helo_and_parameters(gw):
    with Talk(gw, helo=b'EHLO "x"%0a=y+0A\r\n') as talk:
        assert talk.say(b"MAIL FROM:<alice@example.co.jp> ENVID=a+0Ab\r\n").startswith(b"501")
        assert talk.say(b"MAIL FROM:<alice@example.co.jp> ENVID=a+20+3D\r\n").startswith(b"250")
        assert talk.say(b"RCPT TO:<b@c.example> ORCPT=rfc822;x+0Dy\r\n").startswith(b"501")
        assert talk.say(b"RCPT TO:<b@c.example> NOTIFY=FAILURE,DELAY ORCPT=rfc822;x+2By@z\r\n"
                        ).startswith(b"250")
        assert talk.say(b"DATA\r\n").startswith(b"354")
        assert talk.say(b"Subject: quoted\r\n\r\n.\r\n").startswith(b"250")
    gw.wait_delivered(lambda mail: b"Subject: quoted" in mail)
