"""S4-10, S4-11, S4-13: the gateway between an internal mail server and the world. Clients speak to Postfix as ever, Postfix hands on
to the gateway, and what went in comes out in the Maildir."""
import os
import pwd
import shutil
import smtplib
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

from conftest import clean_env, free_port, wait_for
from door_kit import Authority, Door, no_crash, reload, start_door

MASTER = "/usr/lib/postfix/sbin/master"
RELAY = """\
127.0.0.1 @example.co.jp quota=none
cert=mail.internal.example @example.co.jp quota=none
"""
MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {w}/queue
data_directory = {w}/data
mail_owner = postfix
setgid_group = postdrop
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
maillog_file = {w}/mail.log
maillog_file_prefixes = {w}
myhostname = mail.internal.example
myorigin = example.co.jp
mydestination =
mynetworks = 127.0.0.0/8
local_recipient_maps =
alias_maps =
alias_database =
inet_protocols = ipv4
inet_interfaces = loopback-only
smtpd_peername_lookup = no
smtp_host_lookup = native
smtp_dns_support_level = disabled
relayhost = [127.0.0.1]:{port}
transport_maps = inline:{{ {{tls.example=tls:[127.0.0.1]:{port}}}, {{cert.example=cert:[127.0.0.1]:{port}}} }}
smtputf8_enable = yes
minimal_backoff_time = 300s
smtp_tls_CAfile = {certificate}
"""
MASTER_CF = """\
127.0.0.1:{smtp} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
flush unix n - n 1000? 0 flush
smtp unix - - n - - smtp
tls unix - - n - - smtp
  -o smtp_tls_security_level=secure
  -o smtp_tls_secure_cert_match=localhost
cert unix - - n - - smtp
  -o smtp_tls_security_level=encrypt
  -o smtp_tls_cert_file={pair}.crt
  -o smtp_tls_key_file={pair}.key
  -o smtp_bind_address=127.0.30.1
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""

pytestmark = [
    pytest.mark.skipif(not os.path.exists(MASTER), reason="Postfix is not installed (package postfix)"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can start Postfix"),
]


class Postfix:
    """A mail server of an organisation, with a queue of its own, whose way out is the gateway."""

    def __init__(self, gateway, pair) -> None:
        self.work = Path(tempfile.mkdtemp(prefix="sekisho-postfix-", dir="/var/tmp"))
        self.port = free_port()
        for name in ("", "conf", "queue", "data"):
            (self.work / name).mkdir(exist_ok=True)
            (self.work / name).chmod(0o755)
        user = pwd.getpwnam("postfix")
        os.chown(self.work / "data", user.pw_uid, user.pw_gid)
        for end, source in (("crt", pair.crt), ("key", pair.key)):
            shutil.copy(source, self.work / f"client.{end}")
        shutil.copy(gateway.certificate, self.work / "gateway.crt")
        values = {"w": self.work, "port": gateway.port, "certificate": self.work / "gateway.crt", "smtp": self.port,
                  "pair": self.work / "client"}
        (self.work / "conf/main.cf").write_text(MAIN_CF.format(**values))
        (self.work / "conf/master.cf").write_text(MASTER_CF.format(**values))
        conf = str(self.work / "conf")
        subprocess.run(["postfix", "-c", conf, "check"], check=True, capture_output=True, timeout=60)
        self.process = subprocess.Popen([MASTER, "-c", conf, "-d"], env=clean_env(MAIL_CONFIG=conf), start_new_session=True,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self._speaks, 30, "Postfix")

    def _speaks(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as s:
                return s.recv(3) == b"220"
        except OSError:
            return False

    def queue(self) -> str:
        done = subprocess.run(["postqueue", "-c", str(self.work / "conf"), "-p"], capture_output=True, text=True,
                              timeout=30, check=False)
        return done.stdout

    def flush(self) -> None:
        done = subprocess.run(["postqueue", "-c", str(self.work / "conf"), "-f"], capture_output=True, text=True,
                              timeout=30, check=False)
        assert done.returncode == 0, done.stderr

    def log(self) -> str:
        path = self.work / "mail.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.work, ignore_errors=True)


@pytest.fixture(scope="module")
def gw():
    made = start_door(relay=RELAY)
    yield made
    no_crash(made)
    made.stop()


@pytest.fixture(scope="module")
def postfix(gw):
    ca = Authority()
    gw.setting(tls_client_ca=str(ca.crt))
    reload(gw)
    made = Postfix(gw, ca.pair("mail.internal.example"))
    yield made
    made.stop()


def send(postfix, text, to="bob@partner.example", body=b"body\r\n", sender="alice@example.co.jp", options=()):
    raw = (f"From: Alice <{sender or 'alice@example.co.jp'}>\r\nTo: {to}\r\nDate: Sun, 22 Nov 2026 09:35:01 +0900\r\n"
           f"Message-ID: <{text}@example.co.jp>\r\nSubject: {text}\r\n\r\n").encode() + body
    with smtplib.SMTP("127.0.0.1", postfix.port, timeout=20) as client:
        client.ehlo("pc1.example.co.jp")
        assert client.sendmail(sender, [to], raw, options) == {}
    return raw


def came_out(gw, text):
    mails = gw.wait_delivered(lambda mail: f"\r\nSubject: {text}\r\n".encode() in mail)
    assert len(mails) == 1
    return mails[0]


@pytest.mark.parametrize("name,to,protocol", [("address", "bob@partner.example", b"ESMTP"),
                                              ("tls", "bob@tls.example", b"ESMTPS"),
                                              ("certificate", "bob@cert.example", b"ESMTPS")])
def test_through(gw, postfix, name, to, protocol):
    """By address in the clear, by address under TLS that Postfix verifies, by certificate from anywhere."""
    body = b".\r\n..\r\n.dot\r\n" + "日本語\r\n".encode() + b"\xff\xfe\r\n" + b"x" * 990 + b"\r\n \t \r\n\r\nend\r\n"
    raw = send(postfix, "through-" + name, to, body)
    mail = came_out(gw, "through-" + name)
    assert mail.endswith(raw), mail
    assert b"Delivered-To: " + to.encode() in mail
    assert b" with " + protocol + b" id " in mail
    assert b"from mail.internal.example " in mail


@pytest.mark.skipif(shutil.which("swaks") is None, reason="swaks is not installed")
def test_swaks_through(gw, postfix):
    done = subprocess.run(["swaks", "--server", f"127.0.0.1:{postfix.port}", "--from", "alice@example.co.jp", "--to",
                           "bob@partner.example,carol@partner.example", "--h-Subject", "swaks-through"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
    assert done.returncode == 0, done.stdout.decode()
    gw.wait_delivered(lambda mail: b"Subject: swaks-through" in mail)


def test_many_through(gw, postfix):
    """Ten clients at once, each mail once."""
    done = subprocess.run(["smtp-source", "-s", "10", "-m", "200", "-l", "4096", "-f", "alice@example.co.jp", "-t",
                           "many@partner.example", "-S", "many-through", f"127.0.0.1:{postfix.port}"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
    assert done.returncode == 0, done.stdout.decode()
    mails = gw.wait_delivered(lambda mail: b"Subject: many-through" in mail, 200)
    wait_for(lambda: "many@partner.example" not in postfix.queue(), 20, "Postfix's queue to be empty")
    mails = [mail for mail in gw.delivered() if b"Subject: many-through" in mail]
    assert len(mails) == 200 == len({mail.split(b"Message-Id:")[1][:60] for mail in mails})


def test_international_addresses(gw, postfix):
    raw = send(postfix, "utf8", "bob@partner.example", options=("SMTPUTF8",), sender="alice@example.co.jp")
    assert came_out(gw, "utf8").endswith(raw)


def test_a_foreign_domain_comes_back(gw, postfix):
    """The gateway's 550 becomes Postfix's notice to the sender, which passes the gateway as mail from <>."""
    send(postfix, "foreign", sender="mallory@elsewhere.example")
    notice = gw.wait_delivered(lambda mail: b"Return-Path: <>" in mail and b"mallory@elsewhere.example" in mail)[0]
    assert b"550 5.7.1" in notice.replace(b"\r\n    ", b" ")
    assert not [m for m in gw.delivered() if m.startswith(b"Return-Path: <mallory")]


def test_a_stop_of_the_gateway_loses_nothing(gw, postfix):
    """Down, and what is sent meanwhile waits in Postfix; and again while seki-queue alone is down: 451."""
    for service in ("seki-smtpd", "seki-queue"):
        gw.svc("-wD", "-d", service)
        try:
            send(postfix, "meanwhile-" + service)
            wait_for(lambda s=service: "status=deferred" in postfix.log() and "alice@example.co.jp" in postfix.queue(), 20,
                     "deferred")
        finally:
            gw.svc("-wU", "-u", service)
        wait_for(lambda s=service: postfix.flush() or [m for m in gw.delivered() if b"meanwhile-" + s.encode() in m], 20,
                 "delivered in the end")
        came_out(gw, "meanwhile-" + service)


def test_a_reload_between(gw, postfix):
    """Connections that Postfix keeps open are not cut by a reload."""
    for n in range(10):
        send(postfix, f"between-{n}")
        if n % 3 == 0:
            reload(gw)
    for n in range(10):
        came_out(gw, f"between-{n}")


def test_S4_12_S2_44_mail_from_outside_does_not_pass(gw):
    """Incoming mail has another way: a stranger can send nobody anything through here, our own people least."""
    with Door(gw, source="127.9.9.9") as door:
        door.ehlo()
        for sender in (b"stranger@elsewhere.example", b"alice@example.co.jp", b""):
            assert door.say(b"MAIL FROM:<" + sender + b">\r\n").startswith((b"550 5.7.1 ", b"454 4.7.0 "))
            assert door.say(b"RCPT TO:<bob@example.co.jp>\r\n").startswith(b"503 ")
