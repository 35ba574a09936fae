"""S2-42, S2-43: the users' services: TLS, then AUTH, then mail; and that no password stays anywhere."""
import base64
import ctypes
import errno
import os
import pwd
import shutil
import smtplib
import subprocess
import threading
from pathlib import Path

import pytest

from door_kit import (ALICE, BOB, FROM, PASSWORDS, Door, arrived, content_of, kept, no_crash, plain, reload,
                      server_pid, start_door, subject, trust, user)

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can look into the processes")


@pytest.fixture(scope="module")
def gw():
    made = start_door()
    yield made
    no_crash(made)
    made.stop()


def secure(gateway):
    """A client behind STARTTLS that has not logged in."""
    return Door(gateway, "submission").starttls()


def b64(text):
    return base64.b64encode(text if isinstance(text, bytes) else text.encode())


# ---- what comes before what --------------------------------------------------------------------------------------


def test_S4_nothing_before_tls_and_nothing_before_auth(gw):
    with Door(gw, "submission") as door:
        for line in (b"AUTH PLAIN " + plain(ALICE), b"AUTH LOGIN", b"AUTH", b"AUTH GSSAPI"):
            assert door.say(line + b"\r\n").startswith(b"538 5.7.11 "), line
        assert door.say(b"MAIL FROM:<alice@example.co.jp>\r\n").startswith(b"530 5.7.0 ")
        assert door.say(b"RCPT TO:<bob@partner.example>\r\n").startswith(b"503 ")
        assert door.say(b"DATA\r\n").startswith(b"503 ")
        door.starttls(ehlo=False)
        assert door.say(b"AUTH PLAIN " + plain(ALICE) + b"\r\n").startswith(b"503 ")
        door.ehlo()
        assert door.say(b"MAIL FROM:<alice@example.co.jp>\r\n").startswith(b"530 5.7.0 ")
        assert door.say(b"MAIL FROM:<>\r\n").startswith(b"530 5.7.0 ")


def test_S4_a_password_in_the_clear_is_not_even_looked_at(gw):
    """Nobody may learn by 538 and 535 whether it was right."""
    with Door(gw, "submission") as door:
        right = door.say(b"AUTH PLAIN " + plain(ALICE) + b"\r\n")
        wrong = door.say(b"AUTH PLAIN " + plain(ALICE, "wrong") + b"\r\n")
        assert right == wrong
    assert "event=login " not in gw.log("seki-smtpd")


def test_S2_70_an_account_is_added_while_mail_flows(gw):
    """Nothing is restarted and nobody else notices; the new user only names this server."""
    with secure(gw) as other:
        done = gw.seki("passwd", "new@example.co.jp", stdin="a new password\n")
        assert done.returncode == 0, done.stderr
        assert other.say(b"AUTH PLAIN " + plain(ALICE) + b"\r\n").startswith(b"235 ")
    with smtplib.SMTP("127.0.0.1", gw.submission_port, timeout=30) as smtp:
        smtp.starttls(context=trust())
        smtp.login("new@example.co.jp", "a new password")
        smtp.sendmail("new@example.co.jp", ["bob@partner.example"],
                      "From: new@example.co.jp\r\nTo: bob@partner.example\r\nSubject: S2-70\r\n\r\nhello\r\n")
    gw.wait_delivered(lambda mail: b"Subject: S2-70\r\n" in mail)
    assert gw.seki("passwd", "-d", "new@example.co.jp").returncode == 0
    with smtplib.SMTP("127.0.0.1", gw.submission_port, timeout=30) as smtp:
        smtp.starttls(context=trust())
        with pytest.raises(smtplib.SMTPAuthenticationError):
            smtp.login("new@example.co.jp", "a new password")


def test_no_logins_at_the_relay_service(gw):
    """Users and servers have doors of their own."""
    with Door(gw) as door:
        assert b"AUTH" not in door.ehlo()
        assert door.say(b"AUTH PLAIN " + plain(ALICE) + b"\r\n").startswith(b"502 ")
        door.starttls()
        assert b"AUTH" not in door.ehlo()
        assert door.say(b"AUTH PLAIN " + plain(ALICE) + b"\r\n").startswith(b"502 ")


def test_an_address_opens_no_submission(gw):
    """What etc/relay says is for the relay service alone: 127.0.0.1 stands in it."""
    with secure(gw) as door:
        assert door.mail(subject("address")).startswith(b"530 ")


def test_after_a_login(gw):
    with user(gw) as door:
        assert b"AUTH" not in door.ehlo()
        assert door.say(b"AUTH PLAIN " + plain(BOB) + b"\r\n").startswith(b"503 ")
        assert door.say(b"RSET\r\n").startswith(b"250")
        assert door.say(b"MAIL FROM:<alice@example.co.jp>\r\n").startswith(b"250")
        assert door.say(b"AUTH PLAIN " + plain(ALICE) + b"\r\n").startswith(b"503 ")
        assert door.say(b"RSET\r\n").startswith(b"250")
        message = kept(door.mail(subject("after-a-login")))
    mail = arrived(gw, "after-a-login")
    assert b" with ESMTPSA id " + message.encode() in mail
    assert content_of(mail) == subject("after-a-login") + b"\r\n"
    assert "login=alice@example.co.jp" in gw.wait_log("seki-smtpd", "event=login ")


def test_login_in_any_case(gw):
    """A login is the same in either case of letters."""
    with secure(gw) as door:
        assert door.say(b"AUTH PLAIN " + plain("Alice@Example.CO.JP", PASSWORDS[ALICE]) + b"\r\n").startswith(b"235 ")
        kept(door.mail(subject("any-case")))


# ---- the exchange ------------------------------------------------------------------------------------------------

EXCHANGES = {
    "plain": [b"AUTH PLAIN " + plain(ALICE)],
    "plain-lower": [b"auth plain " + plain(ALICE)],
    "plain-asked": [b"AUTH PLAIN", plain(ALICE)],
    "plain-as-himself": [b"AUTH PLAIN " + plain(ALICE, acting=ALICE)],
    "login": [b"AUTH LOGIN", b64(ALICE), b64(PASSWORDS[ALICE])],
    "login-initial": [b"AUTH LOGIN " + b64(ALICE), b64(PASSWORDS[ALICE])],
}


@pytest.mark.parametrize("name", EXCHANGES)
@pytest.mark.parametrize("step", [0, 1])
def test_S4_exchanges(gw, name, step):
    """Each mechanism, whole and in segments of one byte."""
    lines = EXCHANGES[name]
    with secure(gw) as door:
        for line in lines[:-1]:
            assert door.say(line + b"\r\n", step).startswith(b"334 "), line
        assert door.say(lines[-1] + b"\r\n", step).startswith(b"235 2.7.0 ")


@pytest.mark.parametrize("name", ["plain-asked", "login", "plain"])
def test_S4_one_record_a_byte(gw, name):
    """Not only the segments: TLS itself hands over one byte at a time."""
    with secure(gw) as door:
        for line in EXCHANGES[name]:
            for byte in line + b"\r\n":
                door.send(bytes([byte]))
            answer = door.reply()
        assert answer.startswith(b"235 ")


@pytest.mark.parametrize("first", [b"AUTH PLAIN\r\n", b"AUTH LOGIN\r\n", b"AUTH LOGIN " + b64(ALICE) + b"\r\n"])
def test_S4_given_up(gw, first):
    with secure(gw) as door:
        assert door.say(first).startswith(b"334 ")
        assert door.say(b"*\r\n").startswith(b"501 ")
        assert door.say(b"AUTH PLAIN " + plain(ALICE) + b"\r\n").startswith(b"235 ")


BAD = {
    "no-base64": b"!!!!", "cut": plain(ALICE)[:-1], "padding": plain(ALICE) + b"=", "within": b"AG=FsaWNl",
    "three": b"A===", "space": b"AGFs aWNl", "url": b"AG_-", "empty": b"", "nothing": b"=", "blank": b" ", "crs": b"AGE\rAGE=",
    "no-nul": b64("alice"), "one-nul": b64("\0alice"), "three-nul": b64("\0alice\0alpha\0x"),
    "nul-in-password": b64("\0" + ALICE + "\0" + PASSWORDS[ALICE] + "\0"), "all-nul": b64("\0\0\0\0"),
    "12k": b64("\0alice\0" + "x" * 9204), "16k": b64("\0alice\0" + "x" * 12000),
    "64k": b64("\0alice\0" + "x" * 50000), "wide": "パスワード".encode(), "bom": b"\xff\xfe",
}


@pytest.mark.parametrize("name,mechanism", [(name, "asked") for name in BAD] +
                         [(name, "initial") for name in BAD if BAD[name].strip()])
def test_S4_bad_responses_are_501(gw, name, mechanism):
    """Never a crash, never a login; and the session goes on in step: what was bad is not read as a command."""
    with secure(gw) as door:
        if mechanism == "asked":
            assert door.say(b"AUTH PLAIN\r\n").startswith(b"334 ")
            answer = door.say(BAD[name] + b"\r\n")
        else:
            answer = door.say(b"AUTH PLAIN " + BAD[name] + b"\r\n")
        allowed = (b"501 ", b"535 ") if name in ("12k", "all-nul") else (b"501 ",)
        if name in ("64k", "16k", "12k") and mechanism == "initial":
            allowed = (b"500 ", b"501 ")
        assert answer.startswith(allowed), answer
        assert door.say(b"NOOP\r\n").startswith(b"250 ")
        assert door.say(b"MAIL FROM:<alice@example.co.jp>\r\n").startswith(b"530 ")


@pytest.mark.parametrize("line", [b"*", b"!!!!", b64("no nul"), b"x" * 20000])
def test_S4_they_are_counted(gw, line):
    """smtp-errors of them end the session."""
    with secure(gw) as door:
        for n in range(20):
            assert door.say(b"AUTH PLAIN\r\n").startswith(b"334 "), n
            assert door.say(line + b"\r\n").startswith(b"501 ")
        assert door.reply().startswith(b"421 4.7.0 ")
        assert door.closed()


def test_S4_wrong_passwords_of_one_session(gw):
    """auth-tries of them end it."""
    reload(gw, auth_tries="2")
    try:
        with secure(gw) as door:
            assert door.say(b"AUTH PLAIN " + plain(ALICE, "wrong") + b"\r\n").startswith(b"535 ")
            assert door.say(b"AUTH PLAIN " + plain(ALICE, "wrong") + b"\r\n").startswith(b"535 ")
            assert door.reply().startswith(b"421 4.7.0 ")
            assert door.closed()
    finally:
        reload(gw, auth_tries="3")


@pytest.mark.parametrize("split", range(1, 9))
def test_S4_a_bare_newline_ends_no_response(gw, split):
    """`...\\nNOOP` is an error that ends the session: nothing behind it is read as a command. Cut anywhere."""
    with secure(gw) as door:
        assert door.say(b"AUTH PLAIN\r\n").startswith(b"334 ")
        door.send((plain(ALICE) + b"\nNOOP\r\n")[:-split])
        door.send((plain(ALICE) + b"\nNOOP\r\n")[-split:])
        assert door.reply().startswith(b"500 ")
        assert door.closed()
        assert "235" not in door.rest.decode()


def test_S4_unknown_mechanisms(gw):
    with secure(gw) as door:
        for name in (b"CRAM-MD5", b"PLAINS", b"PLAI", b"XOAUTH2 " + plain(ALICE), b"", b" "):
            assert door.say(b"AUTH " + name + b"\r\n")[:3] in (b"504", b"501"), name


def test_acting_for_somebody_else_is_not_offered(gw):
    with secure(gw) as door:
        assert door.say(b"AUTH PLAIN " + plain(ALICE, acting=BOB) + b"\r\n").startswith(b"535 ")


def test_wrong_passwords(gw):
    """The same words for a wrong password and for a login that is not there; the third ends the session."""
    answers = set()
    with secure(gw) as door:
        for login, password in ((ALICE, "wrong"), ("nobody@example.co.jp", "wrong"), (ALICE, PASSWORDS[BOB])):
            answers.add(door.say(b"AUTH PLAIN " + plain(login, password) + b"\r\n"))
        assert len(answers) == 1 and answers.pop().startswith(b"535 5.7.8 ")
        assert door.reply().startswith(b"421 ")
        assert door.closed()


@pytest.mark.parametrize("password", ["", "x" * 1024, "x" * 1025, "x" * 4000, "\r\n", "a\nb", "%s%n", "\x7f"])
def test_S10_strange_passwords_are_wrong_ones(gw, password):
    with secure(gw) as door:
        assert door.say(b"AUTH PLAIN " + plain(ALICE, password) + b"\r\n").startswith((b"535 ", b"501 "))


@pytest.mark.parametrize("login", ["", "x" * 255, "x" * 256, "x" * 3000, "a\r\nb", "../../etc/passwd", "%n%n", "'; --",
                                   "alice@example.co.jp\n", "ａｌｉｃｅ@example.co.jp", "\x1b[2J"])
def test_S10_strange_logins(gw, login):
    """They reach neither a path nor the log as they are."""
    with secure(gw) as door:
        assert door.say(b"AUTH PLAIN " + plain(login, "wrong") + b"\r\n").startswith((b"535 ", b"501 "))
    assert "\x1b[2J" not in gw.log("seki-smtpd") + gw.log("seki-auth")


def test_S4_capped(gw):
    """W3, in spirit: beyond the cap nothing is checked, and the client is told to come later."""
    reload(gw, auth_failures_source="3")
    try:
        answers = []
        for _ in range(3):
            with Door(gw, "submission", source="127.0.7.1") as door:
                door.starttls()
                answers += [door.say(b"AUTH PLAIN " + plain(ALICE, f"wrong{len(answers)}") + b"\r\n") for _ in range(2)]
        assert answers[0].startswith(b"535 ") and answers[-1][:3] in (b"454", b""), answers
        with Door(gw, "submission", source="127.0.7.1") as door:
            door.starttls()
            assert door.say(b"AUTH PLAIN " + plain(ALICE) + b"\r\n").startswith(b"454 4.7.0 ")
            assert door.closed()
        with user(gw, source="127.0.7.2") as door:
            assert door.say(b"NOOP\r\n").startswith(b"250")
    finally:
        reload(gw, auth_failures_source="1000")


def test_without_seki_auth(gw):
    """454, and mail of relay sources goes on."""
    gw.svc("-wD", "-d", "seki-auth")
    try:
        with secure(gw) as door:
            assert door.say(b"AUTH PLAIN " + plain(ALICE) + b"\r\n").startswith(b"454 4.7.0 ")
            assert door.say(b"MAIL FROM:<alice@example.co.jp>\r\n").startswith(b"530 ")
        with Door(gw) as door:
            kept(door.mail(subject("without-seki-auth")))
    finally:
        gw.svc("-wU", "-u", "seki-auth")
    with user(gw) as door:
        assert door.say(b"NOOP\r\n").startswith(b"250")


# ---- S10: AUTH= --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [b"<>", b"e+3Dmc2@example.com", b"alice@example.co.jp", b"a+2Bb@example.com"])
def test_S10_auth_parameter_is_taken_and_not_believed(gw, value):
    with user(gw) as door:
        assert door.say(b"MAIL FROM:<alice@example.co.jp> AUTH=" + value + b"\r\n").startswith(b"250 ")
    with Door(gw) as door:
        assert door.say(b"MAIL FROM:<alice@example.co.jp> SIZE=10 AUTH=" + value + b" BODY=7BIT\r\n").startswith(b"250 ")


@pytest.mark.parametrize("value", [b"=", b"=a+0Ab", b"=a+0D+0AQUIT", b"=a+00", b"=a+", b"=a+3", b"=a+3g", b"=a+3d", b"=a b",
                                   b"=a\tb", b"=a\xffb", b"=\0", b"", b"=x=y", b"=" + b"x" * 1500, b"=a AUTH=b",
                                   b"=+E2+80+AE"])
def test_S10_malformed_auth_parameters(gw, value):
    """CVE-2020-28021: no newline becomes a line of the envelope."""
    with user(gw) as door:
        answer = door.say(b"MAIL FROM:<alice@example.co.jp> AUTH" + value + b"\r\n")
        assert answer.startswith((b"501 ", b"555 ", b"500 ") if value != b"=a+3d" else (b"501 ", b"250 ")), answer
        if answer.startswith(b"250"):
            assert door.say(b"RSET\r\n").startswith(b"250")
        kept(door.mail(subject("auth-parameter")))


# ---- clients of others -------------------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("swaks") is None, reason="swaks is not installed")
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
@pytest.mark.parametrize("service", ["submission", "submissions"])
def test_swaks(gw, service, mechanism):
    text = f"swaks-{service}-{mechanism}"
    port, tls = (gw.submission_port, "--tls") if service == "submission" else (gw.submissions_port, "--tls-on-connect")
    done = subprocess.run(
        ["swaks", "--server", f"127.0.0.1:{port}", tls, "--auth", mechanism, "--auth-user", BOB, "--auth-password",
         PASSWORDS[BOB], "--from", BOB, "--to", "carol@partner.example", "--h-Subject", text],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
    assert done.returncode == 0, done.stdout.decode()
    arrived_crlf(gw, text)


def arrived_crlf(gateway, text):
    """swaks and smtplib end lines as they like within their own headers: only that it came counts."""
    gateway.wait_delivered(lambda mail: b"Subject: " + text.encode() in mail)


@pytest.mark.parametrize("service", ["submission", "submissions"])
def test_smtplib(gw, service):
    context = trust(gw.certificate)
    if service == "submission":
        client = smtplib.SMTP("localhost", gw.submission_port, timeout=20)
        client.starttls(context=context)
    else:
        client = smtplib.SMTP_SSL("localhost", gw.submissions_port, timeout=20, context=context)
    with client:
        with pytest.raises(smtplib.SMTPSenderRefused):
            client.sendmail(ALICE, "carol@partner.example", subject("too-early"))
        client.login(BOB, PASSWORDS[BOB])
        for n in range(3):
            assert client.sendmail(BOB, ["carol@partner.example", "dave@partner.example"],
                                   subject(f"smtplib-{service}-{n}", b"From: Bob <bob@example.co.jp>\r\n")) == {}
    for n in range(3):
        arrived(gw, f"smtplib-{service}-{n}")


@pytest.mark.parametrize("service", ["submission", "submissions"])
def test_openssl_s_client(gw, service):
    """A person at a terminal: one line behind each answer."""
    port = gw.submission_port if service == "submission" else gw.submissions_port
    lines = [b"ehlo me.example", b"auth plain " + plain(ALICE), b"mail from:<alice@example.co.jp>",
             b"rcpt to:<bob@partner.example>", b"data", subject(f"s-client-{service}").replace(b"\r\n", b"\n") + b".",
             b"quit"]
    with subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-crlf",
                           *(["-starttls", "smtp"] if service == "submission" else []), "-CAfile", str(gw.certificate),
                           "-verify_return_error", "-verify_hostname", "localhost"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as client:
        stop = threading.Timer(20, client.kill)
        stop.start()
        said = b""
        for answer in client.stdout:
            said += answer
            if answer[3:4] == b" " and answer[:3].isdigit() and lines:
                client.stdin.write(lines.pop(0) + b"\n")
                client.stdin.flush()
        stop.cancel()
    assert lines == [] and b"\n221 " in said.replace(b"\r\n", b"\n"), said.decode(errors="replace")
    assert arrived(gw, f"s-client-{service}").endswith(b"\r\n\r\nbody\r\n")


# ---- two passwords -----------------------------------------------------------------------------------------------


def others_memory(pid, what):
    """What somebody with the sessions' own user tries; the words "refused" or "READ"."""
    user_ = pwd.getpwnam("sekid")
    libc = ctypes.CDLL(None, use_errno=True)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups(os.getgrouplist("sekid", user_.pw_gid))
            os.setresgid(user_.pw_gid, user_.pw_gid, user_.pw_gid)
            os.setresuid(user_.pw_uid, user_.pw_uid, user_.pw_uid)
            if what.startswith("/"):
                try:
                    with open(what.format(pid=pid), "rb") as file:
                        seen = bool(file.read(1)) or True
                except PermissionError:
                    seen = False
            elif what == "ptrace":
                seen = libc.ptrace(16, pid, 0, 0) == 0  # PTRACE_ATTACH
                assert seen or ctypes.get_errno() in (errno.EPERM, errno.EACCES)
            elif what == "seize":
                seen = libc.ptrace(0x4206, pid, 0, 0) == 0
            elif what == "vm":
                buffer = ctypes.create_string_buffer(16)
                local = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 16)
                remote = (ctypes.c_void_p * 2)(0x400000, 16)
                seen = libc.process_vm_readv(pid, local, 1, remote, 1, 0) >= 0
                assert seen or ctypes.get_errno() == errno.EPERM  # not EFAULT: it was not even tried
            else:
                descriptor = libc.syscall(434, pid, 0)  # pidfd_open, which is open to everybody
                seen = libc.syscall(438, descriptor, 3, 0) >= 0  # pidfd_getfd
                assert seen or ctypes.get_errno() == errno.EPERM
            os.write(writer, b"READ" if seen else b"refused")
        except BaseException as error:  # the report goes through the pipe
            os.write(writer, repr(error).encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as pipe:
        return pipe.read().decode()


@ROOT
def test_two_logins_cannot_see_each_other(gw):
    """A process with the user of every session, more free than any session is: it reads nothing of Alice's, of their
    parent or of seki-auth."""
    with user(gw) as alice, user(gw, BOB):
        parent = gw.pid("seki-smtpd")
        for pid in (server_pid(alice, parent), parent, gw.pid("seki-auth")):
            for what in ("/proc/{pid}/mem", "/proc/{pid}/environ", "/proc/{pid}/maps", "/proc/{pid}/auxv",
                         "/proc/{pid}/stack", "ptrace", "seize", "vm", "getfd"):
                assert others_memory(pid, what) == "refused", (pid, what)


def memory(pid):
    """All that a process holds, for root."""
    parts = []
    with open(f"/proc/{pid}/mem", "rb", 0) as file:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            words = line.split()
            if "r" not in words[1] or words[-1] in ("[vvar]", "[vsyscall]", "[vvar_vclock]"):
                continue
            start, end = (int(x, 16) for x in words[0].split("-"))
            try:
                file.seek(start)
                parts.append(file.read(end - start))
            except OSError:
                continue
    return b"\n".join(parts)


def forms(login, password):
    """A password as it could lie about: as text, and in base64 as each mechanism carries it."""
    return {"text": password.encode(), "plain": plain(login, password)[-16:], "login": b64(password)}


@ROOT
@pytest.mark.parametrize("service", ["submission", "submissions"])
@pytest.mark.parametrize("name", EXCHANGES)
def test_a_password_does_not_stay(gw, service, name):
    """Behind the answer it is in the memory of no process of the gateway."""
    with Door(gw, service) as door:
        if service == "submission":
            door.starttls()
        for line in EXCHANGES[name]:
            answer = door.say(line + b"\r\n")
        assert answer.startswith(b"235 ")
        parent = gw.pid("seki-smtpd")
        for pid in (server_pid(door, parent), parent, gw.pid("seki-auth")):
            held = memory(pid)
            assert b"alice" in held or pid == parent  # it is the right process
            assert [form for form, text in forms(ALICE, PASSWORDS[ALICE]).items() if text in held] == [], pid


@ROOT
@pytest.mark.parametrize("case", ["wrong", "cut", "nul", "given-up", "long", "pipelined"])
def test_a_password_that_was_not_taken_does_not_stay(gw, case):
    """A mistyped one is nearly right."""
    secret = "mistyped-secret-" + case
    sent = plain(ALICE, secret)
    with secure(gw) as door:
        if case == "wrong":
            assert door.say(b"AUTH PLAIN " + sent + b"\r\n").startswith(b"535 ")
        elif case == "cut":
            assert door.say(b"AUTH PLAIN " + sent + b"!\r\n").startswith(b"501 ")
        elif case == "nul":
            sent = plain(ALICE, secret + "\0")
            assert door.say(b"AUTH PLAIN " + sent + b"\r\n").startswith(b"501 ")
        elif case == "given-up":
            assert door.say(b"AUTH LOGIN " + b64(secret) + b"\r\n").startswith(b"334 ")
            assert door.say(b"*\r\n").startswith(b"501 ")
        elif case == "long":
            sent = plain(ALICE, secret + "x" * 12000 + secret)
            assert door.say(b"AUTH PLAIN\r\n").startswith(b"334 ")
            assert door.say(sent + b"\r\n").startswith(b"501 ")
        else:
            door.send(b"AUTH PLAIN " + sent + b"\r\nNOOP\r\nNOOP\r\n")
            assert [door.reply()[:3] for _ in range(3)] == [b"535", b"250", b"250"]
        assert door.say(b"NOOP\r\n").startswith(b"250")
        held = memory(server_pid(door, gw.pid("seki-smtpd")))
        shown = {"text": secret.encode(), "plain": plain(ALICE, secret)[-16:], "login": b64(secret)}
        shown["sent"] = sent[40:72]
        assert [form for form, text in shown.items() if text in held] == []


def test_no_password_in_any_log(gw):
    """I6."""
    for name in (p.name for p in (gw.root / "log").iterdir() if p.is_dir()):
        log = gw.log(name)
        for login, password in PASSWORDS.items():
            for text in forms(login, password).values():
                assert text.decode() not in log and text.decode().replace(" ", "+20") not in log, name
        assert "mistyped-secret" not in log


def test_no_password_in_argv_or_environment(gw):
    with user(gw):
        for proc in Path("/proc").glob("[0-9]*"):
            for name in ("cmdline", "environ"):
                try:
                    text = (proc / name).read_bytes()
                except OSError:
                    continue
                assert PASSWORDS[ALICE].encode() not in text or int(proc.name) == os.getpid()
