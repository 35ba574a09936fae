"""S1-00: sources that strangers share, their second proof; clients known by their certificate; loop marks."""
import os
import re
import ssl

import pytest

from conftest import wait_for
from door_kit import (Authority, Door, arrived, content_of, kept, no_crash, put_key, reload, start_door, subject,
                      trust)

PROOF = b"0123456789abcdef0123456789abcdef"
FIELD = b"X-Example-Proof: " + PROOF + b"\r\n"
CLOUD, OFFICE, BOTH, STRANGER = "127.0.2.1", "127.0.3.1", "127.0.4.1", "127.0.9.1"
RELAY = f"""\
127.0.2.0/24 @example.co.jp @.example.co.jp cloud secret=cloud quota=none
{OFFICE} @example.co.jp quota=none
{BOTH} @example.com quota=none
cert=mx1.example.co.jp @cert.example.co.jp quota=none
cert=cloud.example @example.co.jp cloud secret=cloud quota=none
"""


@pytest.fixture(scope="module")
def ca():
    return Authority()


@pytest.fixture(scope="module")
def pairs(ca):
    return {"named": ca.pair("mx1.example.co.jp"), "cloud": ca.pair("cloud.example"), "digest": Authority("x").pair("any"),
            "other": ca.pair("mx2.example.co.jp"), "expired": ca.pair("mx1.example.co.jp", days=-1),
            "early": ca.pair("mx1.example.co.jp", early=True), "unsigned": Authority("y").pair("mx1.example.co.jp"),
            "wild": ca.pair("*.example.co.jp")}


@pytest.fixture(scope="module")
def gw(ca, pairs):
    digest = f"cert-sha256={pairs['digest'].sha256()} @digest.example.co.jp quota=none\n"
    made = start_door({"tls-client-ca": str(ca.crt), "smtp-errors": "1000"})
    put_key(made, "secrets/cloud", FIELD.replace(b"\r", b""))
    (made.root / "etc/relay").write_text(RELAY + digest)
    reload(made)
    yield made
    no_crash(made)
    made.stop()


def cloud(gateway, source=CLOUD, secure=True):
    door = Door(gateway, source=source)
    return door.starttls() if secure else door


def with_certificate(pair):
    context = trust()
    context.load_cert_chain(pair.crt, pair.key)
    return context


# ---- the second proof --------------------------------------------------------------------------------------------


def test_S2_43_the_right_header_opens_and_is_gone(gw):
    content = b"From: ceo@example.co.jp\r\n" + FIELD + b"Subject: proven\r\nX-Other: \xff\x00\t \r\n\r\n" + FIELD + b"b\r\n"
    with cloud(gw) as door:
        kept(door.mail(content))
    mail = arrived(gw, "proven")
    assert content_of(mail) == content.replace(FIELD, b"", 1) + b"\r\n"
    assert mail.count(PROOF) == 1  # that of the body


@pytest.mark.parametrize("name,header", [
    ("first", FIELD + b"From: a@example.co.jp\r\n"),
    ("case", b"From: a@example.co.jp\r\nx-EXAMPLE-proof \t:" + PROOF + b"\r\n"),
    ("folded", b"X-Example-Proof:\r\n\t" + PROOF + b"\r\nFrom: a@example.co.jp\r\n"),
    ("copies", FIELD + b"From: a@example.co.jp\r\n" + FIELD + FIELD),
    ("wrong-copy", FIELD + b"From: a@example.co.jp\r\nX-Example-Proof: other\r\n more of it\r\n"),
])
def test_S2_43_every_copy_is_removed_and_nothing_else(gw, name, header):
    with cloud(gw) as door:
        kept(door.mail(header + b"Subject: " + name.encode() + b"\r\n\r\nb\r\n"))
    assert content_of(arrived(gw, name)) == b"From: a@example.co.jp\r\nSubject: " + name.encode() + b"\r\n\r\nb\r\n\r\n"


WRONG = {
    "none": b"", "empty": b"X-Example-Proof:\r\n", "other": b"X-Example-Proof: guess\r\n",
    "short": b"X-Example-Proof: " + PROOF[:-1] + b"\r\n", "long": b"X-Example-Proof: " + PROOF + b"0\r\n",
    "case": b"X-Example-Proof: " + PROOF.upper() + b"\r\n", "quoted": b'X-Example-Proof: "' + PROOF + b'"\r\n',
    "near-name": b"X-Example-Proof-2: " + PROOF + b"\r\n", "continued": b"X: y\r\n " + FIELD,
    "nul": b"X-Example-Proof: " + PROOF + b"\0\r\n", "split": b"X-Example-Proof: " + PROOF[:9] + b"\r\n " + PROOF[9:] + b"\r\n",
}


@pytest.mark.parametrize("name", WRONG)
def test_S2_43_the_right_domain_without_the_header_is_550(gw, name):
    with cloud(gw) as door:
        assert door.mail(subject("unproven-" + name, WRONG[name])).startswith(b"550 5.7.1 ")
        assert door.mail(subject("unproven-" + name, WRONG[name]) + FIELD).startswith(b"550 5.7.1 ")  # in the body
        kept(door.mail(subject("proven-" + name, FIELD)))
    arrived(gw, "proven-" + name)
    assert not [m for m in gw.delivered() if b"unproven-" + name.encode() + b"\r" in m]


def test_S2_43_the_proof_cut_anywhere(gw):
    content = FIELD + b"A: b\r\n\r\n"
    with cloud(gw) as door:
        for cut in range(1, len(content)):
            for line in (b"MAIL FROM:<a@example.co.jp>\r\n", b"RCPT TO:<x@partner.example>\r\n", b"DATA\r\n"):
                assert door.say(line)[:1] in (b"2", b"3")
            door.send(content[:cut])
            assert door.say(content[cut:] + b"cut-%d-\r\n.\r\n" % cut).startswith(b"250 "), cut
    for mail in gw.wait_delivered(lambda m: b"\r\n\r\ncut-" in m, len(content) - 1):
        assert content_of(mail).startswith(b"A: b\r\n\r\ncut-") and PROOF not in mail


def test_S2_43_the_right_header_with_a_foreign_sender_is_550(gw):
    with cloud(gw) as door:
        for sender in (b"a@partner.example", b"a@example.co.jp.evil.example", b"a@xexample.co.jp", b"a@co.jp"):
            assert door.mail(subject("x", FIELD), sender).startswith(b"550 5.7.1 "), sender
        for sender in (b"a@example.co.jp", b"a@sub.example.co.jp", b"a@EXAMPLE.co.JP", b""):
            kept(door.mail(subject("domains", FIELD), sender))


def test_S2_43_a_bounce_needs_the_proof_too(gw):
    with cloud(gw) as door:
        assert door.mail(subject("x", b""), b"").startswith(b"550 5.7.1 ")


def test_S2_43_not_in_the_clear(gw):
    with cloud(gw, secure=False) as door:
        assert door.mail(subject("x", FIELD)).startswith(b"530 5.7.0 ")
        assert door.say(b"MAIL FROM:<>\r\n").startswith(b"530 5.7.0 ")
        door.starttls()
        kept(door.mail(subject("then-under-tls", FIELD)))


def test_an_office_has_no_need_of_it_and_keeps_it(gw):
    """Only a shared source's mail is looked at for it."""
    with Door(gw, source=OFFICE) as door:
        kept(door.mail(subject("office", FIELD), b"a@example.co.jp"))
    assert FIELD in arrived(gw, "office")


def test_never_an_open_relay(gw):
    for service in ("relay", "submission"):
        with Door(gw, service, source=STRANGER) as door:
            door.starttls()
            assert door.mail(subject("x", FIELD))[:9] in (b"550 5.7.1", b"530 5.7.0")
            assert door.say(b"MAIL FROM:<>\r\n")[:3] in (b"550", b"530")
            assert door.say(b"RCPT TO:<bob@partner.example>\r\n").startswith(b"503 ")
            assert door.say(b"DATA\r\n").startswith(b"503 ")


def test_the_secret_stays_out_of_the_logs_and_the_spool(gw):
    with cloud(gw) as door:
        kept(door.mail(subject("quiet", FIELD)))
        assert door.mail(subject("x", FIELD[:-2] + b"0\r\n")).startswith(b"550 ")
    arrived(gw, "quiet")
    for folder in (gw.root / "log").iterdir():
        if folder.is_dir():
            assert PROOF.decode() not in gw.log(folder.name)
    for path in (gw.root / "spool/sent").iterdir():
        assert b"Subject: quiet" not in path.read_bytes() or PROOF not in path.read_bytes()
    assert PROOF.decode() not in gw.seki("config").stdout + gw.seki("check").stdout


def test_S2_42_a_cloud_without_a_secret_is_refused(gw):
    """By seki check, and by the door itself."""
    relay = gw.root / "etc/relay"
    before = relay.read_text()
    for wrong, at in (("127.0.5.0/24 @example.co.jp cloud\n", "etc/relay:1:"),
                      ("127.0.5.0/24 any cloud secret=cloud\n", "etc/relay:1:"),
                      ("40.92.0.1 @example.co.jp\n", "etc/relay:1:"),
                      ("cert=mail.protection.outlook.com @example.co.jp\n", "etc/relay:1:"),
                      ("127.0.5.0/24 @example.co.jp cloud secret=nothere\n", "nothere")):
        relay.write_text(wrong + before)
        try:
            checked = gw.seki("check")
            assert checked.returncode != 0 and at in checked.stdout + checked.stderr, checked
            n = gw.log("seki-smtpd").count("event=reload-refused")
            gw.svc("-h", "seki-smtpd")
            wait_for(lambda n=n: gw.log("seki-smtpd").count("event=reload-refused") > n, 10, wrong)
        finally:
            relay.write_text(before)
    with cloud(gw) as door:
        kept(door.mail(subject("after-refusals", FIELD)))
    reload(gw)


def test_a_secret_that_others_can_read_is_refused(gw):
    secret = gw.root / "etc/secrets/cloud"
    os.chmod(secret, 0o644)
    try:
        done = gw.seki("reload")
        assert done.returncode != 0 and "etc/secrets/cloud" in done.stdout + done.stderr
        assert PROOF.decode() not in done.stdout + done.stderr
    finally:
        os.chmod(secret, 0o640)
    reload(gw)


def test_a_new_secret(gw):
    """Taken with a reload; the old one is then worth nothing."""
    fresh = b"X-Example-Proof: " + PROOF[::-1] + b"\r\n"
    put_key(gw, "secrets/cloud", fresh.replace(b"\r", b""))
    try:
        reload(gw)
        with cloud(gw) as door:
            assert door.mail(subject("x", FIELD)).startswith(b"550 5.7.1 ")
            kept(door.mail(subject("fresh", fresh)))
    finally:
        put_key(gw, "secrets/cloud", FIELD.replace(b"\r", b""))
        reload(gw)


# ---- certificates ------------------------------------------------------------------------------------------------

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


def sends(gateway, context, domain, source=STRANGER):
    """The answer to MAIL FROM of this domain, under this context."""
    with Door(gateway, source=source) as door:
        door.starttls(context)
        return door.say(b"MAIL FROM:<a@" + domain + b">\r\n")[:9]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_certificate_by_name_and_by_digest(gw, pairs, version):
    for name, domain in (("named", b"cert.example.co.jp"), ("digest", b"digest.example.co.jp")):
        context = with_certificate(pairs[name])
        context.minimum_version = context.maximum_version = version
        assert sends(gw, context, domain) == b"250 2.1.0"
        assert sends(gw, context, b"example.co.jp") == b"550 5.7.1"


@pytest.mark.parametrize("name", ["other", "expired", "early", "unsigned"])
def test_certificates_that_prove_nothing(gw, pairs, name):
    """The handshake does not fail for one, but it opens nothing, and closes nothing: its address still counts."""
    context = with_certificate(pairs[name])
    assert sends(gw, context, b"cert.example.co.jp") == b"550 5.7.1"
    assert sends(gw, context, b"example.com", BOTH) == b"250 2.1.0"


def test_a_wildcard_is_a_name(gw, pairs):
    assert sends(gw, with_certificate(pairs["wild"]), b"cert.example.co.jp") == b"250 2.1.0"


def test_a_certificate_goes_before_an_address(gw, pairs):
    context = with_certificate(pairs["named"])
    assert sends(gw, context, b"cert.example.co.jp", OFFICE) == b"250 2.1.0"
    assert sends(gw, context, b"example.co.jp", OFFICE) == b"550 5.7.1"


def test_a_certificate_is_forgotten_with_its_session(gw, pairs):
    """The same address a moment later, without it: a stranger again. In the clear he is told to come with it, by a
    code that bounces nothing."""
    assert sends(gw, with_certificate(pairs["named"]), b"cert.example.co.jp") == b"250 2.1.0"
    assert sends(gw, trust(), b"cert.example.co.jp") == b"550 5.7.1"
    with Door(gw, source=STRANGER) as door:
        assert door.say(b"MAIL FROM:<a@cert.example.co.jp>\r\n").startswith(b"454 4.7.0 ")


def test_a_resumed_session_is_the_same_client(gw, pairs):
    context = with_certificate(pairs["named"])
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with Door(gw, source=STRANGER) as door:
        door.starttls(context)
        session = door.tls.session
    with Door(gw, source=STRANGER) as door:
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
        door.ehlo()
        assert door.say(b"MAIL FROM:<a@cert.example.co.jp>\r\n").startswith(b"250 ")


def test_S2_43_a_shared_certificate_needs_the_proof(gw, pairs):
    context = with_certificate(pairs["cloud"])
    with Door(gw, source=STRANGER) as door:
        door.starttls(context)
        assert door.mail(subject("x", b"From: a@example.co.jp\r\n")).startswith(b"550 5.7.1 ")
        kept(door.mail(subject("cloud-certificate", FIELD)))
    assert PROOF not in arrived(gw, "cloud-certificate")


def test_users_are_not_asked_for_certificates(gw, pairs):
    """And one that is offered opens no submission."""
    with Door(gw, "submission", source=STRANGER) as door:
        door.starttls(with_certificate(pairs["named"]))
        assert door.say(b"MAIL FROM:<a@cert.example.co.jp>\r\n").startswith(b"530 ")


# ---- the loop mark -----------------------------------------------------------------------------------------------


def test_S2_70_what_comes_back_is_known(gw):
    """S12: delivered here and handed in again: 554 5.4.6, once more with loop-passes 2; a mark of nobody's is a text."""
    with Door(gw, source=OFFICE) as door:
        kept(door.mail(subject("round")))
    first = arrived(gw, "round")
    first = first[first.index(b"Received: "):].replace(b"Subject: round", b"Subject: round-2")
    mark = re.search(rb"\(mark ([0-9a-f]{16})\)", first).group(1)
    forged = first.replace(mark, mark[:-1] + (b"0" if mark[-1:] != b"0" else b"1"))
    other_id = re.sub(rb" id [0-9a-f]{32}", b" id " + b"0" * 31 + b"1", first)
    folded = first.replace(b"\r\n\t(mark", b" (mark").replace(b" id ", b"\r\n  id ")

    with Door(gw, source=OFFICE) as door:
        for content in (first, folded, b"Received: from x by y; now\r\n" + first):
            assert door.mail(content).startswith(b"554 5.4.6 ")
        for n, content in enumerate((forged, other_id)):
            kept(door.mail(content.replace(b"round-2", b"forged-%d" % n)))
    with cloud(gw) as door:  # with the proof, and as a bounce
        assert door.mail(FIELD + first, b"").startswith(b"554 5.4.6 ")
    arrived(gw, "forged-0")
    arrived(gw, "forged-1")

    reload(gw, loop_passes="2")
    try:
        with Door(gw, source=OFFICE) as door:
            kept(door.mail(first))
        second = arrived(gw, "round-2")
        second = second[second.index(b"Received: "):]
        assert second.count(b"(mark ") == 2
        with Door(gw, source=OFFICE) as door:
            assert door.mail(second).startswith(b"554 5.4.6 ")
    finally:
        reload(gw, loop_passes="1")


def test_S12_received_lines(gw):
    """received-max of them pass, one more does not; those of the body are text."""
    line = b"Received: from a by b; now\r\n"
    with Door(gw, source=OFFICE) as door:
        kept(door.mail(subject("thirty", line * 30) + line * 40))
        assert door.mail(subject("thirty-one", line * 31)).startswith(b"554 5.4.6 ")
    arrived(gw, "thirty")


def test_a_damaged_loop_key_is_said(gw):
    """P: mail is taken, but nobody is left to believe that a loop would be seen by its mark."""
    key = gw.root / "lib/loop/key"
    good = key.read_bytes()
    before = gw.log("seki-smtpd").count("event=loop-key-failed alarm=yes")
    try:
        with open(key, "r+b") as file:  # in place: its owner and mode stay
            file.write(b"?")
        reload(gw)
        for n in range(3):
            with Door(gw, source=OFFICE) as door:
                kept(door.mail(subject(f"no-key-{n}")))
        gw.wait_log("seki-smtpd", "event=loop-key-failed alarm=yes")
        assert gw.log("seki-smtpd").count("event=loop-key-failed alarm=yes") == before + 1  # not for each client
    finally:
        with open(key, "r+b") as file:
            file.write(good)
        reload(gw)
    assert gw.log("seki-smtpd").count("event=loop-key-failed alarm=yes") == before + 1
