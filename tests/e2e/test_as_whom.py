"""As whom a login may send; and what becomes of mail with a sender that is not its own."""
import pytest

from conftest import wait_for
from door_kit import ALICE, Door, arrived, content_of, kept, no_crash, reload, start_door, subject, user

PEOPLE = """\
alice@example.co.jp alias=a.sato@example.co.jp,alice@example.com shared=info@example.co.jp
bob@example.co.jp shared=info@example.co.jp
copier@example.co.jp login=copier foreign=hold
scanner@example.co.jp login=scanner foreign=allow
guest@example.co.jp login=guest foreign=refuse
"""
MACHINES = ("copier", "scanner", "guest", "nobody@example.co.jp")
OWN = [b"alice@example.co.jp", b"ALICE@Example.CO.JP", b"a.sato@example.co.jp", b"alice@example.com",
       b"info@example.co.jp"]
FOREIGN = [b"bob@example.co.jp", b"alice@example.org", b"alice@sub.example.co.jp", b"xalice@example.co.jp",
           b"alice+x@example.co.jp", b"ceo@partner.example", b"\"alice\"@example.co.jp.evil.example"]


@pytest.fixture(scope="module")
def gw():
    made = start_door({"smtp-errors": "1000"}, files={"etc/people": PEOPLE})
    for login in MACHINES:
        assert made.seki("passwd", login, stdin="machine password\n").returncode == 0
    yield made
    no_crash(made)
    made.stop()


def machine(gateway, login):
    return Door(gateway, "submission").starttls().login(login, "machine password")


def held(gateway, text):
    """The id of the message with this subject that waits in hold/."""
    def look():
        for path in gateway.spool("hold"):
            if b"\nSubject: " + text.encode() in path.read_bytes():
                return path.name.split(".")[0].split(".")[-1]
        return None
    return wait_for(look, 10, f"{text} in hold")


# ---- MAIL FROM ---------------------------------------------------------------------------------------------------


def test_own_addresses(gw):
    with user(gw) as door:
        for sender in OWN:
            assert door.say(b"MAIL FROM:<" + sender + b">\r\n").startswith(b"250 "), sender
            assert door.say(b"RSET\r\n").startswith(b"250 ")


def test_foreign_addresses_are_refused_at_once(gw):
    with user(gw) as door:
        for sender in FOREIGN:
            assert door.say(b"MAIL FROM:<" + sender + b">\r\n")[:9] in (b"550 5.7.1", b"501 5.1.7"), sender
        assert door.say(b"RCPT TO:<bob@partner.example>\r\n").startswith(b"503 ")


def test_a_login_without_a_line_is_its_one_address(gw):
    with machine(gw, "nobody@example.co.jp") as door:
        assert door.say(b"MAIL FROM:<nobody@example.co.jp>\r\n").startswith(b"250 ")
        assert door.say(b"RSET\r\n").startswith(b"250 ")
        assert door.say(b"MAIL FROM:<alice@example.co.jp>\r\n").startswith(b"550 5.7.1")


def test_a_shared_mailbox_of_two(gw):
    for login in (ALICE, "bob@example.co.jp"):
        with user(gw, login) as door:
            text = "shared-" + login.split("@")[0]
            kept(door.mail(subject(text, b"From: Info <info@example.co.jp>\r\n"), b"info@example.co.jp"))
        arrived(gw, text)


# ---- From and Sender ---------------------------------------------------------------------------------------------

FINE = {
    "alias": b"From: a.sato@example.co.jp\r\n",
    "display": b"From: =?utf-8?b?5Y+3?= =?utf-8?q?boss=40partner=2Eexample?= <alice@example.co.jp>\r\n",
    "folded": b"From:\r\n \"Sato, A.\"\r\n\t<alice@example.co.jp>\r\n",
    "two-own": b"From: alice@example.co.jp, Info <info@example.co.jp>\r\nSender: alice@example.com\r\n",
    "reply-to": b"From: alice@example.co.jp\r\nReply-To: boss@partner.example\r\n",
    "body": b"From: alice@example.co.jp\r\nX: y\r\n",
}

NOT_FINE = {
    "other": b"From: bob@example.co.jp\r\n",
    "one-of-two": b"From: alice@example.co.jp, bob@example.co.jp\r\n",
    "sender": b"From: alice@example.co.jp\r\nSender: bob@example.co.jp\r\n",
    "two-fields": b"From: alice@example.co.jp\r\nFrom: alice@example.co.jp\r\n",
    "two-fields-case": b"From: alice@example.co.jp\r\nfROM : bob@example.co.jp\r\n",
    "none": b"To: bob@partner.example\r\n",
    "empty": b"From:\r\n",
    "group": b"From: Friends:;\r\n",
    "quoted-angle": b"From: \"<alice@example.co.jp>\" <bob@example.co.jp>\r\n",
    "two-angles": b"From: <alice@example.co.jp> <bob@example.co.jp>\r\n",
    "route": b"From: <@alice.example:bob@example.co.jp>\r\n",
    "comment": b"From: bob@example.co.jp (alice@example.co.jp)\r\n",
    "comment-angle": b"From: alice@example.co.jp (<bob@example.co.jp>)\r\n",
    "encoded-address": b"From: =?utf-8?q?alice=40example=2Eco=2Ejp?=\r\n",
    "unclosed": b"From: \"alice@example.co.jp\r\n",
    "nul": b"From: alice@example.co.jp\0, bob@example.co.jp\r\n",
    "long-fold": b"From: alice@example.co.jp,\r\n \r\n bob@example.co.jp\r\n",
    "no-domain": b"From: alice\r\n",
    "semicolon": b"From: alice@example.co.jp; bob@example.co.jp\r\n",
    "8bit": b"From: alice@example.co.jp, \xe3\x81\x82@example.co.jp\r\n",
    "behind-rubbish": b"this is no field\r\nFrom: bob@example.co.jp\r\n",
}


@pytest.mark.parametrize("name", FINE)
def test_from_is_the_logins(gw, name):
    text = "fine-" + name
    with user(gw) as door:
        kept(door.mail(subject(text, FINE[name]), b"a.sato@example.co.jp"))
    assert content_of(arrived(gw, text)) == subject(text, FINE[name]) + b"\r\n"


@pytest.mark.parametrize("name", NOT_FINE)
def test_from_is_somebody_elses(gw, name):
    """550 5.7.1 after the dot, the session goes on, and nothing of it is in the spool."""
    with user(gw) as door:
        assert door.mail(subject("refused-" + name, NOT_FINE[name])).startswith(b"550 5.7.1 ")
        kept(door.mail(subject("next-" + name)))
    arrived(gw, "next-" + name)
    assert not [m for m in gw.delivered() if b"refused-" + name.encode() + b"\r" in m]
    assert gw.spool("hold") == [] and gw.spool("new") == []


def test_the_header_is_judged_wherever_it_is_cut(gw):
    """Every byte of it at the end of a segment; right and wrong."""
    fine, wrong = b"From: alice@example.co.jp\r\n\r\n", b"From: bob@example.co.jp\r\n\r\n"
    with user(gw) as door:
        for content, code in ((fine, b"250 "), (wrong, b"550 ")):
            for cut in range(1, len(content)):
                for line in (b"MAIL FROM:<alice@example.co.jp>\r\n", b"RCPT TO:<x@partner.example>\r\n", b"DATA\r\n"):
                    assert door.say(line)[:1] in (b"2", b"3")
                door.send(content[:cut])
                assert door.say(content[cut:] + b"b\r\n.\r\n").startswith(code), (cut, content)


def test_a_bounce_of_ones_own(gw):
    """<> has no owner; who wrote it is asked of From."""
    with user(gw) as door:
        kept(door.mail(subject("null-sender"), b""))
        assert door.mail(subject("null-foreign", b"From: bob@example.co.jp\r\n"), b"").startswith(b"550 5.7.1 ")
    assert b"Return-Path: <>\r\n" in arrived(gw, "null-sender")


def test_a_relay_source_is_not_asked_for_from(gw):
    with Door(gw) as door:
        kept(door.mail(subject("relay-from", b"From: anybody@elsewhere.example\r\n")))
        assert door.mail(subject("x"), b"alice@elsewhere.example").startswith(b"550 5.7.1 ")
        assert door.mail(subject("x"), b"alice@sub.example.co.jp").startswith(b"550 5.7.1 ")
    arrived(gw, "relay-from")


# ---- refuse, hold, allow -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sender,header", [(b"copier@example.co.jp", b"From: visitor@partner.example\r\n"),
                                           (b"visitor@partner.example", b"From: copier@example.co.jp\r\n"),
                                           (b"", b"From: visitor@partner.example\r\n"),
                                           (b"visitor@partner.example", b"From: visitor@partner.example\r\n")])
@pytest.mark.parametrize("then", ["release", "discard"])
def test_S2_44_hold(gw, sender, header, then):
    """250, and it waits for an operator: released it goes out, discarded it does not; and no timer does either."""
    text = f"hold-{then}-{sender.decode()}-{len(header)}"
    with machine(gw, "copier") as door:
        message = kept(door.mail(subject(text, header), sender))
    assert held(gw, text)
    shown = gw.seki("show", message).stdout
    assert "hold" in shown and "foreign-sender" in shown, shown
    assert not [m for m in gw.delivered() if text.encode() + b"\r" in m]
    done = gw.seki(then, message)
    assert done.returncode == 0, done.stderr
    if then == "release":
        assert content_of(arrived(gw, text)) == subject(text, header) + b"\r\n"
    else:
        wait_for(lambda: not gw.spool("hold"), 10, "hold/ empty")
        wait_for(lambda: [p for p in gw.spool("trash") if message in p.name], 10, "in trash/")
        assert not [m for m in gw.delivered() if text.encode() + b"\r" in m]


def test_what_is_the_copiers_own_is_not_held(gw):
    with machine(gw, "copier") as door:
        kept(door.mail(subject("copier-own", b"From: copier@example.co.jp\r\n"), b"copier@example.co.jp"))
    arrived(gw, "copier-own")


def test_a_hold_ends_with_its_message(gw):
    """What one MAIL has brought about is not the next one's: RSET, another MAIL, a refusal."""
    with machine(gw, "copier") as door:
        assert door.say(b"MAIL FROM:<visitor@partner.example>\r\n").startswith(b"250 ")
        assert door.say(b"RSET\r\n").startswith(b"250 ")
        kept(door.mail(subject("after-rset", b"From: copier@example.co.jp\r\n"), b"copier@example.co.jp"))
        message = kept(door.mail(subject("held-between", b"From: v@partner.example\r\n"), b"copier@example.co.jp"))
        kept(door.mail(subject("after-held", b"From: copier@example.co.jp\r\n"), b"copier@example.co.jp"))
    arrived(gw, "after-rset")
    arrived(gw, "after-held")
    held(gw, "held-between")
    assert gw.seki("discard", message).returncode == 0


def test_hold_does_not_loosen_other_bounds(gw):
    """A header that is judged late: refusals that no operator could lift stay refusals, and nothing is kept."""
    loop = b"".join(b"Received: from a by b; now\r\n" for _ in range(31))
    with machine(gw, "copier") as door:
        assert door.mail(subject("x", loop + b"From: v@partner.example\r\n"), b"copier@example.co.jp").startswith(b"554 5.4.6")
        large = b"".join(b"X-%d: %s\r\n" % (n, b"x" * 900) for n in range(1300))
        assert door.mail(subject("x", large), b"copier@example.co.jp").startswith(b"552 5.3.4 ")
        answer = door.mail(b"", b"copier@example.co.jp")  # no header at all: nobody's
        message = kept(answer)
    wait_for(lambda: [p for p in gw.spool("hold") if message in p.name], 10, "held")
    assert gw.seki("discard", message).returncode == 0


def test_allow(gw):
    with machine(gw, "scanner") as door:
        kept(door.mail(subject("allowed", b"From: visitor@partner.example\r\nFrom: two@x.example\r\n"),
                       b"visitor@partner.example"))
    arrived(gw, "allowed")


def test_the_setting_speaks_where_a_line_does_not(gw):
    """foreign-sender for everybody, and foreign= before it."""
    for word, alice, guest in (("hold", b"250", b"550"), ("allow", b"250", b"550"), ("refuse", b"550", b"550")):
        reload(gw, foreign_sender=word)
        text = "setting-" + word
        header = b"From: ceo@example.co.jp\r\n"
        with user(gw) as door, machine(gw, "guest") as other:
            answer = door.mail(subject(text, header))
            assert answer.startswith(alice)
            assert other.mail(subject(text, header), b"guest@example.co.jp").startswith(guest)
        if word == "hold":
            held(gw, text)
            assert gw.seki("discard", kept(answer)).returncode == 0
        elif word == "allow":
            arrived(gw, text)


def test_a_running_session_keeps_the_people_that_it_began_with(gw):
    """And the next one has the new ones."""
    people = gw.root / "etc/people"
    before = people.read_text()
    with user(gw) as door:
        people.write_text(before.replace(",alice@example.com", ""))
        try:
            reload(gw)
            assert door.say(b"MAIL FROM:<alice@example.com>\r\n").startswith(b"250 ")
            with user(gw) as fresh:
                assert fresh.say(b"MAIL FROM:<alice@example.com>\r\n").startswith(b"550 5.7.1 ")
        finally:
            people.write_text(before)
            reload(gw)


def test_a_mistake_in_people_is_refused_and_the_old_ones_kept(gw):
    people = gw.root / "etc/people"
    before = people.read_text()
    for wrong in ("bob@example.co.jp alias=alice@example.co.jp\n", "x\n", "a@b.example foreign=maybe\n", "a@b.example"):
        people.write_text(before + wrong)
        try:
            done = gw.seki("reload")
            assert done.returncode != 0 and "etc/people:6" in done.stdout + done.stderr, done.stderr
            gw.svc("-h", "seki-smtpd")
            gw.wait_log("seki-smtpd", "etc/people:6")
        finally:
            people.write_text(before)
    with user(gw) as door:
        kept(door.mail(subject("old-people")))
    reload(gw)
