"""TLS at the door: what came before the handshake is forgotten, which certificate is shown, resumption, reload."""
import os
import re
import ssl
import subprocess
import threading
import time

import pytest

from conftest import wait_for
from door_kit import (ALICE, PAUSE, Authority, Door, Gone, arrived, install, kept, no_crash, plain, put_key,
                      refused_reload, reload, start_door, subject, trust, user)


@pytest.fixture(scope="module")
def ca():
    return Authority()


@pytest.fixture(scope="module")
def gw():
    made = start_door()
    yield made
    no_crash(made)
    made.stop()


@pytest.fixture
def restored(gw):
    """Leaves etc/tls and the settings as they were."""
    folder = gw.root / "etc/tls"
    before = {p.name: (p.read_bytes(), p.stat().st_mode & 0o777) for p in folder.iterdir()}
    settings = (gw.root / "etc/settings").read_text()
    yield gw
    for path in folder.iterdir():
        if path.name not in before:
            path.unlink()
    for name, (content, mode) in before.items():
        put_key(gw, f"tls/{name}", content, mode)
    (gw.root / "etc/settings").write_text(settings)
    reload(gw)


def shown(gateway, name=None, service="submission"):
    """The certificate that a client which asks for `name` is shown, as DER."""
    with Door(gateway, service, name=name) as door:
        if service == "submission":
            door.starttls(name=name)
        return door.tls.getpeercert(binary_form=True)


def s_client(gateway, *options, service="submissions", says=b"quit\n"):
    """openssl s_client's own words. It says quit (Q is a word of its own to it), or what it is told, when it has been greeted."""
    port = gateway.submissions_port if service == "submissions" else gateway.submission_port
    starttls = [] if service == "submissions" else ["-starttls", "smtp"]
    with subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-crlf", *starttls, *options],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as client:
        stop = threading.Timer(20, client.kill)
        stop.start()
        said = b""
        for line in client.stdout:
            said += line
            if line.startswith((b"220 ", b"250 ")):  # the last line of an answer
                try:
                    client.stdin.write(says)
                    client.stdin.flush()
                except BrokenPipeError:
                    pass
        assert stop.is_alive(), said.decode(errors="replace")
        stop.cancel()
    return said.decode(errors="replace")


# ---- S3: nothing survives the handshake ------------------------------------------------------------------------

BEHIND = [b"RSET\r\n", b"N", b"\r\n", b"\n", b"\0", b"EHLO evil\r\nMAIL FROM:<alice@example.co.jp>\r\n",
          b"\x16\x03\x01\x00\x05"]


@pytest.mark.parametrize("service", ["relay", "submission"])
@pytest.mark.parametrize("behind", BEHIND)
def test_S3_what_stands_behind_starttls_ends_the_session(gw, service, behind):
    """Cut at every boundary that leaves a byte of it in the command's own segment: 554, closed, not executed."""
    line = b"STARTTLS\r\n" + behind
    for cut in [*range(1, len(b"STARTTLS\r\n")), len(line) if len(behind) == 1 else len(b"STARTTLS\r\n") + 1]:
        with Door(gw, service) as door:
            door.raw(line, [cut])
            answer = door.reply()
            assert answer.startswith(b"554 5.5.0 "), (cut, answer)
            assert door.closed(), cut


@pytest.mark.parametrize("behind", BEHIND)
def test_S3_what_follows_starttls_in_the_clear_spoils_the_handshake(gw, behind):
    """Too late for 554: then it is no handshake, and never a command."""
    with Door(gw, "submission") as door:
        assert door.say(b"STARTTLS\r\n").startswith(b"220 ")
        door.raw(behind)
        time.sleep(PAUSE)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            door.handshake()
        assert b"250" not in door.rest


def test_S3_within_the_handshake(gw):
    """Between the client's two flights."""
    with Door(gw, "submission") as door:
        assert door.say(b"STARTTLS\r\n").startswith(b"220 ")
        door.begin_tls(trust())
        with pytest.raises(ssl.SSLWantReadError):
            door.tls.do_handshake()
        door.raw(door.outgoing.read() + b"RSET\r\nNOOP\r\n")
        got = b""
        while more := door._more():
            got += more
        assert b"250" not in got and b"221" not in got
    gw.wait_log("seki-smtpd", "event=tls-failed")


def test_S3_the_greeting_is_forgotten(gw):
    """RFC 3207 section 4.2: HELO before TLS counts no more, and its name is not the one in Received."""
    with Door(gw) as door:
        door.ehlo(b"before.example")
        door.starttls(ehlo=False)
        assert door.say(b"MAIL FROM:<alice@example.co.jp>\r\n").startswith(b"503 ")
        assert door.say(b"STARTTLS\r\n").startswith(b"503 ")
        door.ehlo(b"behind.example")
        kept(door.mail(subject("greeting")))
    mail = arrived(gw, "greeting")
    assert b"behind.example" in mail and b"before.example" not in mail
    assert b" with ESMTPS id " in mail


def test_S3_no_transaction_crosses(gw):
    with Door(gw) as door:
        assert door.say(b"MAIL FROM:<alice@example.co.jp>\r\n").startswith(b"250")
        assert door.say(b"STARTTLS\r\n").startswith(b"503 ")
        assert door.say(b"RCPT TO:<bob@partner.example>\r\n").startswith(b"250")
        assert door.say(b"RSET\r\n").startswith(b"250")
        assert door.say(b"STARTTLS now\r\n").startswith(b"501 ")
        door.starttls()
        assert door.say(b"RCPT TO:<bob@partner.example>\r\n").startswith(b"503 ")


def test_S3_tls_is_on_once(gw):
    with Door(gw, "submission") as door:
        assert b"STARTTLS" in door.ehlo() and b"AUTH" not in door.ehlo()
        door.starttls()
        offered = door.ehlo()
        assert b"AUTH" in offered and b"STARTTLS" not in offered
        assert door.say(b"STARTTLS\r\n").startswith(b"503 ")
        assert door.say(b"NOOP\r\n").startswith(b"250 ")


def test_pipelined_behind_the_handshake(gw):
    """In the very segment of the client's last flight: that came under TLS, and counts."""
    with Door(gw, "submission") as door:
        assert door.say(b"STARTTLS\r\n").startswith(b"220 ")
        door.begin_tls(trust())
        with pytest.raises(ssl.SSLWantReadError):
            door.tls.do_handshake()
        door.raw(door.outgoing.read())
        while True:
            door.incoming.write(door._more())
            try:
                door.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                door.raw(door.outgoing.read())
        door.tls.write(b"EHLO client.example\r\n")
        door.raw(door.outgoing.read())
        assert door.reply().startswith(b"250-")


def test_S5_early_talker_under_tls(gw):
    """Commands sent before the banner, on port 465: not listened to."""
    with Door(gw, "submissions", greet=False) as door:
        door.begin_tls(trust())
        while True:
            try:
                door.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                door.raw(door.outgoing.read())
                door.incoming.write(door._more())
        door.tls.write(b"EHLO early.example\r\n")
        door.raw(door.outgoing.read())  # with the last flight of the handshake
        assert door.reply().startswith(b"554 5.5.0 ")
        assert door.closed()


# ---- segments --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("step", [1, 7])
def test_records_cut_anywhere(gw, version, step):
    """Handshake, login and mail in segments of a byte: the same as in one."""
    text = f"cut-{version.name}-{step}"
    with Door(gw, "submission") as door:
        assert door.say(b"STARTTLS\r\n").startswith(b"220 ")
        door.handshake(trust(version=version), step=step * 16)
        for line in (b"EHLO c.example\r\n", b"AUTH PLAIN " + plain(ALICE) + b"\r\n"):
            assert door.say(line, step * 4)[:1] == b"2"
        kept(door.mail(subject(text), step=step))
    assert b" with ESMTPSA id " in arrived(gw, text)


def test_many_records_in_one_segment(gw):
    """More than one record is read at once: none of them waits for the next segment."""
    with user(gw) as door:
        for _ in range(40):
            door.tls.write(b"NOOP\r\n")
        door.raw(door.outgoing.read())
        for _ in range(40):
            assert door.reply().startswith(b"250 ")


def test_a_large_mail_under_tls(gw):
    """S6: records and lines fall where they fall."""
    body = b"".join(b"%07d " % n * 9 + b"\r\n" for n in range(60000))
    with user(gw) as door:
        kept(door.mail(subject("large-tls") + body))
    assert arrived(gw, "large-tls").endswith(b"body\r\n" + body + b"\r\n")


BARE = [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\n", b"\n.\r", b"\r.\r\n", b"\r\n.\r", b"\r\n.\r\r\n",
        b"\r\r\n.\r\r\n"]


@pytest.mark.parametrize("variant", BARE)
def test_S1_across_records(gw, variant):
    """What ends a message does not hang on where a record ends, either: 550, closed, nothing of it executed."""
    evil = b"MAIL FROM:<alice@example.co.jp>\r\nRCPT TO:<victim@partner.example>\r\nDATA\r\nSubject: evil\r\n\r\n.\r\n"
    for cut in range(len(variant) + 1):
        with Door(gw) as door:
            door.starttls()
            for line in (b"MAIL FROM:<alice@example.co.jp>\r\n", b"RCPT TO:<bob@partner.example>\r\n", b"DATA\r\n"):
                assert door.say(line)[:1] in (b"2", b"3")
            door.send(subject("s1-tls") + variant[:cut])
            try:
                door.send(variant[cut:] + evil)
            except ConnectionError:
                pass
            assert door.reply().startswith(b"550 5.6.11 "), cut
            assert door.closed(), cut
    assert not [m for m in gw.delivered() if b"evil" in m or b"s1-tls" in m]


def test_S1_the_true_end_across_records(gw):
    content = subject("true-end") + b"..dot\r\n.\r\n"
    with user(gw) as door:
        for cut in range(len(content) - 8, len(content)):
            for line in (b"MAIL FROM:<alice@example.co.jp>\r\n", b"RCPT TO:<bob@partner.example>\r\n", b"DATA\r\n"):
                assert door.say(line)[:1] in (b"2", b"3")
            door.send(content[:cut])
            kept(door.say(content[cut:]))
    for mail in gw.wait_delivered(lambda m: b"\nSubject: true-end\r\n" in m, 8):
        assert mail.endswith(b"\r\n\r\nbody\r\n.dot\r\n")


# ---- the end of a stream ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("behind", [b"", b".", b"X\r\n.\r\n", b"\x17\x03\x03\x00\x00"])
def test_S7_close_notify_within_a_message(gw, behind):
    """TLS is closed within DATA, then bytes follow in the clear: no mail, no process that falls over."""
    with user(gw) as door:
        for line in (b"MAIL FROM:<alice@example.co.jp>\r\n", b"RCPT TO:<bob@partner.example>\r\n", b"DATA\r\n"):
            assert door.say(line)[:1] in (b"2", b"3")
        door.send(subject("half-a-mail"))
        try:
            door.tls.unwrap()
        except ssl.SSLError:
            pass
        door.raw(door.outgoing.read() + behind)
        assert b"250" not in door.reply()
    with user(gw) as door:
        kept(door.mail(subject("whole-mail" + str(len(behind)))))
    arrived(gw, "whole-mail" + str(len(behind)))
    assert not [m for m in gw.delivered() if b"half-a-mail" in m]
    no_crash(gw)


def test_S7_bdat_under_tls(gw):
    """Its octets are never read as commands."""
    with user(gw) as door:
        assert door.say(b"MAIL FROM:<alice@example.co.jp>\r\n").startswith(b"250")
        assert door.say(b"RCPT TO:<bob@partner.example>\r\n").startswith(b"250")
        door.send(b"BDAT 86 LAST\r\nMAIL FROM:<alice@example.co.jp>\r\n")
        assert door.reply().startswith(b"502 ")
        assert door.closed()


def test_rubbish_instead_of_tls(gw):
    for first in (b"EHLO client.example\r\n", b"\x16\x03\x01\xff\xff" + b"x" * 400, b"\x80\x2e\x01\x00\x02" + b"x" * 44, b"\0" * 600,
                  b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"):
        with Door(gw, "submissions", greet=False, before=first) as door:
            assert b"220" not in door.reply()


# ---- versions --------------------------------------------------------------------------------------------------


def test_tls_1_1_is_not_spoken(gw):
    said = s_client(gw, "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0")
    assert "Cipher is (NONE)" in said or "New, (NONE)" in said, said
    assert "220 " not in said


@pytest.mark.parametrize("cipher", ["AES128-SHA", "AES256-GCM-SHA384", "ECDHE+AES+SHA1", "DHE", "aNULL", "NULL"])
def test_ciphers_without_forward_secrecy_or_aead_are_refused(gw, cipher):
    said = s_client(gw, "-tls1_2", "-cipher", cipher + "@SECLEVEL=0")
    assert "220 " not in said, said


def test_renegotiation_is_refused(gw):
    """And whatever else becomes of that session, others go on."""
    said = s_client(gw, "-tls1_2", says=b"R\n")
    assert re.search(r"no renegotiation|unexpected message|handshake failure", said), said
    kept_by = shown(gw)
    assert kept_by
    no_crash(gw)


def test_compression_and_early_data_are_not_there(gw):
    said = s_client(gw, "-tls1_3")
    assert "Compression: NONE" in said and "Early data was not sent" in said
    assert "Max Early Data: 0" in said or "Max Early Data" not in said


def test_tls_minimum(restored):
    reload(restored, tls_minimum="1.3")
    for version, fine in ((ssl.TLSVersion.TLSv1_2, False), (ssl.TLSVersion.TLSv1_3, True)):
        with Door(restored, "submission") as door:
            assert door.say(b"STARTTLS\r\n").startswith(b"220 ")
            if fine:
                door.handshake(trust(version=version))
                assert door.tls.version() == "TLSv1.3"
            else:
                with pytest.raises((ssl.SSLError, Gone)):
                    door.handshake(trust(version=version))


# ---- certificates ----------------------------------------------------------------------------------------------


def test_the_name_asked_for_chooses_the_certificate(restored, ca):
    gw = restored
    default = shown(gw)
    two = ca.pair("mx2.example.co.jp", "mx2.example.com")
    wild = ca.pair("*.wild.example.co.jp")
    install(gw, "two", two)
    install(gw, "wild", wild)
    reload(gw)
    names = {"mx2.example.co.jp": two.der(), "mx2.example.com": two.der(), "MX2.Example.COM": two.der(),
             "a.wild.example.co.jp": wild.der(), None: default, "other.example": default, "127.0.0.1": default,
             "a.b.wild.example.co.jp": default, "wild.example.co.jp": default, "test": default,
             "x" * 60 + ".mx2.example.com": default}
    for name, right in names.items():
        for service in ("submission", "submissions"):
            assert shown(gw, name, service) == right, (name, service)
    with Door(gw, "submission") as door:
        door.starttls(trust(ca.crt), "mx2.example.com")  # believed, with its name
    assert "event=certificate-" not in gw.log("seki-smtpd")


def test_a_chain_is_sent_whole(restored, ca):
    """What leads to the authority stands behind the certificate in its file."""
    gw = restored
    pair = ca.pair("chain.example")
    put_key(gw, "tls/chain.key", pair.key.read_bytes())
    put_key(gw, "tls/chain.crt", pair.crt.read_bytes() + ca.crt.read_bytes(), 0o644)
    reload(gw)
    said = s_client(gw, "-servername", "chain.example", "-showcerts")
    assert said.count("BEGIN CERTIFICATE") == 2


def test_replaced_while_running(restored, ca):
    """Sessions that run go on under theirs; new ones are shown the new one."""
    gw = restored
    before = shown(gw)
    fresh = ca.pair("gw.example.co.jp")
    with user(gw) as running, Door(gw, "submission") as greeted:
        install(gw, "default", fresh)
        reload(gw)
        kept(running.mail(subject("across-a-reload")))
        assert running.tls.getpeercert(binary_form=True) == before
        greeted.starttls()  # its process was forked before
        assert greeted.tls.getpeercert(binary_form=True) == before
        assert shown(gw) == shown(gw, service="submissions") == fresh.der() != before
        kept(running.mail(subject("across-a-reload-2")))
    arrived(gw, "across-a-reload-2")


def damage(name):
    """What an operator may do to etc/tls by mistake: (files, the file that is named)."""
    def half(gw, ca):
        put_key(gw, "tls/default.crt", ca.pair("x.example").crt.read_bytes()[:300], 0o644)
        return "etc/tls/default.crt"

    def other_key(gw, ca):
        put_key(gw, "tls/default.key", ca.pair("x.example").key.read_bytes())
        return "etc/tls/default.key"

    def no_key(gw, ca):
        (gw.root / "etc/tls/default.key").unlink()
        return "etc/tls/default.key"

    def empty_key(gw, ca):
        put_key(gw, "tls/default.key", b"")
        return "etc/tls/default.key"

    def open_key(gw, ca):
        os.chmod(gw.root / "etc/tls/default.key", 0o644)
        return "etc/tls/default.key"

    def pass_phrase(gw, ca):
        pair = ca.pair("x.example")
        subprocess.run(["openssl", "ec", "-in", str(pair.key), "-out", str(pair.key) + ".enc", "-aes256", "-passout",
                        "pass:secret"], check=True, capture_output=True)
        put_key(gw, "tls/default.crt", pair.crt.read_bytes(), 0o644)
        put_key(gw, "tls/default.key", pair.key.with_name(pair.key.name + ".enc").read_bytes())
        return "etc/tls/default.key"

    def a_second_one(gw, ca):
        put_key(gw, "tls/second.crt", ca.pair("x.example").crt.read_bytes(), 0o644)
        return "etc/tls/second.key"

    def a_pipe(gw, ca):
        os.mkfifo(gw.root / "etc/tls/pipe.crt")
        return "etc/tls/pipe.crt"

    def no_default(gw, ca):
        install(gw, "other", ca.pair("x.example"))
        (gw.root / "etc/tls/default.crt").unlink()
        return "etc/tls/default.crt"

    return locals()[name]


@pytest.mark.parametrize("name", ["half", "other_key", "no_key", "empty_key", "open_key", "pass_phrase",
                                  "a_second_one", "a_pipe", "no_default"])
def test_a_damaged_pair_is_refused_and_the_old_one_kept(restored, ca, name):
    """P: a configuration that is wrong changes nothing; the file is named, the key not shown. Neither does it when
    nobody looked before the signal."""
    gw = restored
    before = shown(gw)
    n = len(alarms(gw, "reload-refused"))
    file = damage(name)(gw, ca)
    said = refused_reload(gw)
    assert file in said and "PRIVATE" not in said
    gw.svc("-h", "seki-smtpd")
    lines = wait_for(lambda: alarms(gw, "reload-refused")[n:], 10, "reload-refused")
    assert file in lines[0]
    assert shown(gw) == before
    with user(gw) as door:
        kept(door.mail(subject("old-pair-" + name)))


def alarms(gw, event):
    return [line for line in gw.log("seki-smtpd").splitlines() if f"event={event} " in line]


@pytest.mark.parametrize("event,made", [("certificate-expired", {"days": -1}), ("certificate-expires", {"days": 5}),
                                        ("certificate-early", {"early": True})])
def test_a_certificate_whose_time_is_not_now(restored, ca, event, made):
    """It is served, for mail goes before; and an alarm says so, with the file."""
    gw = restored
    pair = ca.pair("gw.example.co.jp", **made)
    install(gw, "default", pair)
    n = len(alarms(gw, event))
    reload(gw)
    lines = wait_for(lambda: alarms(gw, event)[n:], why=event)
    assert "etc/tls/default.crt" in lines[0] and "alarm" in lines[0]
    assert shown(gw) == pair.der()
    with user(gw) as door:
        kept(door.mail(subject(event)))


def test_without_a_certificate(restored):
    """seki reload says what is missing. At a start it is an alarm: nobody can log in then, and nothing is taken in
    the clear instead."""
    gw = restored
    n = len(alarms(gw, "no-certificate"))
    (gw.root / "etc/tls/default.crt").unlink()
    assert "etc/tls/default.crt" in refused_reload(gw)
    gw.svc("-h", "seki-smtpd")
    wait_for(lambda: alarms(gw, "no-certificate")[n:], why="no-certificate")
    with Door(gw, "submission") as door:
        assert door.ehlo().isdisjoint({b"STARTTLS", b"AUTH"})
        assert door.say(b"STARTTLS\r\n").startswith(b"454 ")
        assert door.say(b"MAIL FROM:<alice@example.co.jp>\r\n").startswith(b"454 ")
        assert door.say(b"AUTH PLAIN " + plain(ALICE) + b"\r\n").startswith(b"538 ")
    with Door(gw, "submissions", greet=False) as door:
        assert door.closed()
    with Door(gw) as door:  # a relay source has no need of TLS
        assert b"STARTTLS" not in door.ehlo()
        assert door.say(b"STARTTLS\r\n").startswith(b"502 ")
        kept(door.mail(subject("no-certificate")))


# ---- resumption ------------------------------------------------------------------------------------------------


def connect_twice(gw, tmp_path, version, between=lambda: None, service="submissions"):
    """Whether the second connection resumed the session of the first."""
    ticket = tmp_path / "session"
    first = s_client(gw, version, "-sess_out", str(ticket), service=service)
    assert "\nNew, TLSv1." in first, first
    between()
    if not ticket.exists():
        return False
    again = s_client(gw, version, "-sess_in", str(ticket), service=service)
    assert "221 " in again, again
    return "\nReused, TLSv1." in again


@pytest.mark.parametrize("service", ["submission", "submissions"])
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_session_is_resumed_by_another_process(gw, tmp_path, version, service):
    """Each connection has a process of its own; they share the parent's ticket key and no more."""
    assert connect_twice(gw, tmp_path, version, service=service)


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_no_session_survives_a_reload(gw, tmp_path, version):
    assert not connect_twice(gw, tmp_path, version, lambda: reload(gw))


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_no_tickets(restored, tmp_path, version):
    reload(restored, tls_tickets="0s")
    assert not connect_twice(restored, tmp_path, version)


def test_S3_a_resumed_session_has_not_logged_in(gw):
    """What TLS remembers is the key, never the login."""
    context = trust(version=ssl.TLSVersion.TLSv1_2)
    with Door(gw, "submission") as door:
        door.starttls(context).login()
        session = door.tls.session
    with Door(gw, "submission") as door:
        assert door.say(b"STARTTLS\r\n").startswith(b"220 ")
        door.begin_tls(context, session=session)
        while True:
            try:
                door.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                door.raw(door.outgoing.read())
                door.incoming.write(door._more())
        door.raw(door.outgoing.read())
        assert door.tls.session_reused
        door.ehlo()
        assert door.say(b"MAIL FROM:<alice@example.co.jp>\r\n").startswith(b"530 ")
