"""Clients that others wrote: smtplib, swaks, smtp-source."""
import shutil
import smtplib
import subprocess

import pytest

@pytest.fixture
def gw(gateway):
    return gateway


def test_smtplib(gw):
    with smtplib.SMTP("127.0.0.1", gw.port, timeout=20) as client:
        client.ehlo("client.example")
        assert client.has_extn("smtputf8") and client.has_extn("pipelining")
        for n in range(3):
            refused = client.sendmail(
                "alice@example.co.jp", ["bob@partner.example", "carol@partner.example"],
                f"Subject: smtplib-{n}-\r\n\r\n.dot\r\n..two\r\n".encode(),
                mail_options=["BODY=8BITMIME", "RET=HDRS"], rcpt_options=["NOTIFY=FAILURE,DELAY"])
            assert refused == {}
    gw.wait_delivered(lambda m: b"Subject: smtplib-" in m and b"\n.dot" in m and b"\n..two" in m, 3)


@pytest.mark.skipif(shutil.which("swaks") is None, reason="swaks is not installed")
@pytest.mark.parametrize("options", [[], ["--pipeline"], ["--protocol", "SMTP"]])
def test_swaks(gw, options):
    done = subprocess.run(
        ["swaks", "--server", f"127.0.0.1:{gw.port}", "--from", "alice@example.co.jp", "--to",
         "bob@partner.example", "--header", "Subject: swaks" + "".join(options), *options],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
    assert done.returncode == 0, done.stdout.decode()
    gw.wait_delivered(lambda mail: b"Subject: swaks" in mail)


@pytest.mark.skipif(shutil.which("smtp-source") is None, reason="smtp-source is not installed")
@pytest.mark.parametrize("options", [["-s", "1"], ["-s", "10"], ["-s", "10", "-d"]])
def test_smtp_source(gw, options):
    subject = "from-smtp-source" + "".join(options) + "-"
    done = subprocess.run(
        ["smtp-source", *options, "-m", "200", "-l", "4096", "-f", "alice@example.co.jp", "-t",
         "bob@partner.example", "-S", subject, f"127.0.0.1:{gw.port}"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False)
    assert done.returncode == 0, done.stdout.decode()
    gw.wait_delivered(lambda mail: subject.encode() in mail, 200)
