"""S1-00, S4-13: etc/relay, etc/clouds and etc/secrets: what `seki check` refuses, and what a shared
source must prove."""
import os
import smtplib
import ssl
import subprocess
from pathlib import Path

import pytest

from conftest import Gateway, replace

VALUE = "d1f0c2b3a4958677d1f0c2b3a4958677"
PROOF = f"X-Example-Proof: {VALUE}\n"
SECRET = "40.92.0.0/15 @example.co.jp secret=m365\n"


def put_secret(gw: Gateway, content: str, mode: int = 0o640, name: str = "m365") -> Path:
    """As an administrator puts it there: of root and of seki-smtpd's group."""
    folder = gw.root / "etc/secrets"
    path = folder / name
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(content)
    if os.geteuid() == 0:
        os.chown(path, 0, folder.stat().st_gid)
    path.chmod(mode)
    return path


def check(gw: Gateway, relay: str) -> str:
    """What `seki check` says of this etc/relay; "" if it is right."""
    replace(gw.root / "etc/relay", relay)
    done = gw.seki("check")
    assert done.returncode == (102 if done.stderr else 0)
    assert VALUE not in done.stderr + done.stdout
    return done.stderr


@pytest.fixture
def trial(gateway: Gateway):
    """The instance of all tests, with its etc/ put back."""
    before = (gateway.root / "etc/relay").read_text()
    yield gateway
    replace(gateway.root / "etc/relay", before)
    for path in (gateway.root / "etc/secrets").iterdir():
        path.unlink()
    assert gateway.seki("check").returncode == 0


# ---- what seki check refuses ---------------------------------------------------------------------


@pytest.mark.parametrize("source, owner", [
    ("40.92.0.0/15", "Microsoft 365"),
    ("104.47.57.44", "Microsoft 365"),
    ("2a01:111:f400:7c00::/54", "Microsoft 365"),
    ("cert=mail.protection.outlook.com", "Microsoft 365"),
    ("209.85.220.41", "Google Workspace"),
    ("2607:f8b0:4864:20::/64", "Google Workspace"),
    ("cert=smtp.gmail.com", "Google Workspace"),
    ("0.0.0.0/0", "Microsoft 365"),
    ("::/0", "Microsoft 365"),
])
def test_s1_00_a_cloud_without_a_secret_is_refused(trial: Gateway, source: str, owner: str) -> None:
    """S1-00: "a shared cloud needs a second proof", and nobody is an open relay by a slip."""
    said = check(trial, f"127.0.0.0/8 @example.co.jp\n{source} @example.co.jp\n")
    assert said.startswith(f"etc/relay:2:1: {source} is shared by all tenants of {owner} (etc/clouds:")
    assert "secret=NAME" in said and "etc/secrets/NAME" in said
    put_secret(trial, PROOF)
    assert check(trial, f"{source} @example.co.jp secret=m365\n") == ""
    said = check(trial, f"{source} any secret=m365\n")
    assert said.startswith(f"etc/relay:1:{len(source) + 2}: {source} is shared by all tenants of {owner}")
    assert "in place of any" in said


def test_s1_00_a_source_that_is_marked_cloud_needs_a_secret(trial: Gateway) -> None:
    """S1-00: LINE WORKS and others whose addresses no list has."""
    assert check(trial, "192.0.2.1 @example.co.jp\n") == ""
    said = check(trial, "192.0.2.1 @example.co.jp cloud\n")
    assert said.startswith("etc/relay:1:1: 192.0.2.1 is shared by strangers: it needs secret=NAME")


@pytest.mark.parametrize("content, mode, place, words", [
    (PROOF, 0o644, "etc/secrets/m365: ", "chmod 0640 etc/secrets/m365"),
    (PROOF, 0o642, "etc/secrets/m365: ", "chmod 0640 etc/secrets/m365"),
    ("X-Example-Proof: 0123456789abcde\n", 0o640, "etc/secrets/m365:1:18: ", "openssl rand -hex 32"),
    ("", 0o640, "etc/secrets/m365:1:1: ", "no colon"),
    (VALUE + "\n", 0o640, "etc/secrets/m365:1:1: ", "no colon"),
    (f"Subject: {VALUE}\n", 0o640, "etc/secrets/m365:1:1: ", "Subject"),
    (f"Content-Type: {VALUE}\n", 0o640, "etc/secrets/m365:1:1: ", "Content-Type"),
    (f"X Proof: {VALUE}\n", 0o640, "etc/secrets/m365:1:1: ", "before the colon"),
    (f"X-Proof: {VALUE} \n", 0o640, "etc/secrets/m365:1:42: ", "blank at the end"),
    (f"X-Proof: {VALUE}関\n", 0o640, "etc/secrets/m365:1:42: ", "printable"),
    (PROOF + PROOF, 0o640, "etc/secrets/m365: ", "more than one line"),
])
def test_s1_00_a_secret_that_is_none_is_refused(
        trial: Gateway, content: str, mode: int, place: str, words: str) -> None:
    put_secret(trial, content, mode)
    said = check(trial, SECRET)
    assert said.startswith(place) and words in said


def test_a_secret_that_is_no_file_is_refused(trial: Gateway) -> None:
    folder = trial.root / "etc/secrets"
    assert check(trial, SECRET).startswith("etc/relay:1:36: the file etc/secrets/m365 is missing")
    put_secret(trial, PROOF, name="real")
    (folder / "m365").symlink_to("real")
    assert "symbolic link" in check(trial, SECRET)
    (folder / "m365").unlink()
    os.mkfifo(folder / "m365", 0o640)
    assert check(trial, SECRET).startswith("etc/secrets/m365: is not a regular file")
    for name in ("../relay", "/etc/passwd", ".real", "a b", ""):
        said = check(trial, f"192.0.2.1 @example.co.jp secret={name}\n")
        assert said.startswith("etc/relay:1:"), name


@pytest.mark.parametrize("line, place, words", [
    ("192.0.2.1/24 any", "1:1", "bits beyond its /24"),
    ("192.0.2.1", "1:1", "whose mail"),
    ("192.0.2.1 example.co.jp", "1:11", "did you mean @example.co.jp?"),
    ("192.0.2.1 @example.co.jp secrt=x", "1:26", "did you mean secret=?"),
    ("192.0.2.1 any quota=5", "1:21", "500/2000"),
    ("cert=192.0.2.1 any", "1:6", "DNS name"),
    ("cert-sha256=00:11 any", "1:13", "64 hexadecimal digits"),
    ("certificate=mx.example any", "1:1", "cert=NAME"),
    ("10.0.0.0/8 any\n192.0.2.1 any\n10.0.0.0/8 any", "3:1", "line 1 already"),
])
def test_faults_are_told_with_their_place(trial: Gateway, line: str, place: str, words: str) -> None:
    said = check(trial, line + "\n")
    assert said.startswith(f"etc/relay:{place}: ") and words in said


def test_faults_of_the_list_of_clouds_are_told(trial: Gateway) -> None:
    path = trial.root / "etc/clouds"
    before = path.read_text()
    try:
        replace(path, "# mine\n40.92.0.0/33 Microsoft 365\n")
        said = check(trial, "192.0.2.1 any\n")
        assert said.startswith("etc/clouds:2:11: ")
        path.unlink()
        assert check(trial, "40.92.0.0/15 any\n") == ""  # without the list only the mark counts
    finally:
        replace(path, before)


# ---- what is in force ----------------------------------------------------------------------------


def mail(*fields: str) -> bytes:
    lines = ["From: alice@example.co.jp", "To: bob@partner.example", *fields, "Subject: figures", "", "hi", ""]
    return "\r\n".join(lines).encode()


def put_certificate(gw: Gateway) -> None:
    """A certificate that signs itself, in etc/tls/."""
    folder = gw.root / "etc/tls"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=gw.example.co.jp", "-keyout", folder / "default.key", "-out", folder / "default.crt"],
        check=True, capture_output=True, timeout=30)
    if os.geteuid() == 0:
        os.chown(folder / "default.key", 0, folder.stat().st_gid)
    (folder / "default.key").chmod(0o640)


def send(gw: Gateway, raw: bytes, sender: str = "alice@example.co.jp", tls: bool = False) -> tuple[int, bytes]:
    """The last reply: to the first command that was refused, or to the message."""
    anybody = ssl.create_default_context()
    anybody.check_hostname = False
    anybody.verify_mode = ssl.CERT_NONE
    with gw.connect() as smtp:
        if tls:
            smtp.starttls(context=anybody)
        smtp.ehlo()
        for reply in (smtp.mail(sender), smtp.rcpt("bob@partner.example")):
            if reply[0] != 250:
                return reply
        return smtp.data(raw)


def test_s4_13_a_server_sends_by_its_address_alone(fresh_gateway) -> None:
    """S4-13: relay accepts by the source's address, and no client knows of it; others get nothing."""
    gw = fresh_gateway(relay="127.0.0.1 @example.co.jp\n")
    gw.send(mail())
    gw.wait_delivered()
    code, text = send(gw, mail(), sender="alice@other.example")
    assert code == 550 and b"5.7.1" in text
    replace(gw.root / "etc/relay", "127.0.0.2 @example.co.jp\n")
    assert gw.seki("reload").returncode == 0
    code, text = send(gw, mail())
    assert code == 550 and b"5.7.1" in text


def test_s1_00_a_stand_in_cloud_must_prove_whose_mail_it_is(fresh_gateway) -> None:
    """S1-00: the right address alone, with a foreign MAIL FROM, without the header or with a wrong one:
    550. With it the mail passes, and the header stays behind."""
    gw = fresh_gateway(relay="127.0.0.1 @example.co.jp\n")
    put_secret(gw, PROOF)
    put_certificate(gw)
    replace(gw.root / "etc/relay", "127.0.0.1 @example.co.jp cloud secret=m365\n")
    done = gw.seki("reload")
    assert done.returncode == 0, done.stderr

    right = mail("X-Example-Proof: " + VALUE)
    for raw in (mail(), mail("X-Example-Proof: " + VALUE[:-1]), mail("X-Example-Proof: " + VALUE + "0"),
                mail("X-Example-Proof:"), mail("X-Other-Proof: " + VALUE),
                mail("X-Example-Proof: " + VALUE.upper()), mail() + f"X-Example-Proof: {VALUE}\r\n".encode()):
        code, text = send(gw, raw, tls=True)
        assert code == 550 and b"5.7.1" in text, raw
    code, text = send(gw, right, sender="eve@other.example", tls=True)
    assert code == 550 and b"5.7.1" in text
    assert send(gw, right)[0] == 530  # in the clear the secret would soon be none

    assert send(gw, right, tls=True)[0] == 250
    assert send(gw, mail("x-example-PROOF:\t" + VALUE, "X-Example-Proof: other"), tls=True)[0] == 250
    for one in gw.wait_delivered(n=2):
        assert VALUE.encode() not in one and b"example-proof" not in one.lower()
        assert b"Subject: figures" in one
    for log in gw.root.glob("log/*/current"):
        assert VALUE not in log.read_text(errors="replace")


def test_s1_00_a_reload_that_drops_the_proof_changes_nothing(fresh_gateway) -> None:
    """S1-00: a cloud without its secret never comes into force, not even for a moment."""
    gw = fresh_gateway(relay="127.0.0.1 @example.co.jp\n")
    replace(gw.root / "etc/relay", "127.0.0.1 @example.co.jp\n40.92.0.0/15 @example.co.jp\n")
    done = gw.seki("reload")
    assert done.returncode == 102 and "etc/relay:2:1: " in done.stderr
    gw.send(mail())
    gw.wait_delivered()
