"""What the sender is told: notifications per RFC 3461, 3464 and 6522, what the remote server lacks, and that nobody
gets any who should not (S8; no backscatter, no loops)."""
import re

import pytest

from conftest import wait_for
from deliver_kit import (ALICE, GATEWAY, HOME, Notice, Receiver, World, files, is_notice, letter, records, submit,
                         wait_record, wait_sent, world)
from test_spool_kit import places

UTF8_MAIL = "José <jose@partner.example>"
LIMIT = 200_000
REFUSED = b"550-5.1.1 no such person here\r\n550 5.1.1 ask somebody else"


@pytest.fixture(scope="module")
def w():
    with world(settings={"notice-return": "64KB"}) as made:
        yield made


@pytest.fixture
def strict(w):
    """deliver-eightbit bounce."""
    w.reload(deliver_eightbit="bounce")
    yield w
    w.reload(deliver_eightbit="send")


@pytest.fixture
def r():
    with Receiver() as made:
        yield made


def refusing(offers=("PIPELINING", "DSN", "8BITMIME", "SMTPUTF8"), reply: bytes = REFUSED) -> Receiver:
    return Receiver(offers, RCPT=reply)


def owed_nobody(w: World, leg_id: str, address: str) -> None:
    """The leg is finished, and no notification about it has been made or is on its way."""
    done = wait_sent(w.gw, leg_id)
    w.settle()
    assert not w.notices_now(address)
    assert all(x.values.get("notice", "none") == "none" for x in done if x.word in ("bounced", "told", "warned")), done


# ---- a failure -----------------------------------------------------------------------------------------------------


def test_a_failure_comes_back(w):
    """RFC 3464 and RFC 6522: to alice, from nobody, by the same way as all mail; three parts, all that is known."""
    with refusing() as r:
        domain = w.lane(r.place)
        to = f"bob@{domain}"
        leg_id = w.send("lost", to, mail=["RET=FULL"])
        [notice] = w.notices(to)
        done = wait_sent(w.gw, leg_id)

    mail, message = notice.mail, notice.message
    assert mail.sender == "" and mail.to == [ALICE]
    assert message["Auto-Submitted"].startswith("auto-") and message["MIME-Version"] == "1.0"
    assert message["To"] == ALICE and f"MAILER-DAEMON@{GATEWAY}" in message["From"]
    assert message["Date"] and message["Message-ID"].endswith(f"{GATEWAY}>") and message["Subject"]
    assert mail.content.count(b"\r\nReceived: ") + mail.content.startswith(b"Received: ") >= 1

    assert notice.fields["reporting-mta"] == f"dns; {GATEWAY}"
    assert "arrival-date" in notice.fields and "original-envelope-id" not in notice.fields
    fields = notice.of(to)
    assert (fields["action"], fields["status"]) == ("failed", "5.1.1")
    assert fields["diagnostic-code"].startswith("smtp; 550") and "ask somebody else" in fields["diagnostic-code"]
    assert "127.0.0.1" in fields.get("remote-mta", "127.0.0.1") and "last-attempt-date" in fields

    assert notice.full and notice.parts[2].get_payload()[0]["Subject"] == "lost"
    assert to in notice.words and "no such person" in notice.words
    assert re.search("[ぁ-ん]", notice.words) and re.search("[A-Za-z]{4}", notice.words)

    [failed], [bounced] = [[x for x in done if x.word == word] for word in ("failed", "bounced")]
    assert failed.rcpts == bounced.rcpts == [1] and failed.values["status"] == "5.1.1"
    assert re.fullmatch("[0-9a-f]{32}", bounced.values["notice"])
    assert bounced.values["notice"] in mail.content.decode(errors="replace")
    assert [s for s, _ in files(w.gw, bounced.values["notice"])] == ["sent"]


def test_the_words_of_a_failure_say_what_was_sent(w):
    """The body that comes back is the mail as it was, 8-bit and all."""
    with refusing() as r:
        domain = w.lane(r.place)
        body = "今日は\r\n.\r\n..dot\r\n".encode()
        w.send("returned", f"bob@{domain}", body, mail=["RET=FULL"])
        [notice] = w.notices(f"bob@{domain}")
        assert notice.full and body in notice.mail.content
        assert "BODY=8BITMIME" in notice.mail.params


def test_a_large_mail_comes_back_as_its_header(w):
    with refusing() as r:
        domain = w.lane(r.place)
        w.send("large", f"bob@{domain}", b"x" * 70 + b"\r\n" + b"line\r\n" * 20000, mail=["RET=FULL"])
        [notice] = w.notices(f"bob@{domain}")
        assert not notice.full and "rfc822-headers" in notice.parts[2].get_content_type()
        assert "Subject: large" in notice.parts[2].get_payload() and len(notice.mail.content) < 20000


@pytest.mark.parametrize("ret,full", [("FULL", True), ("HDRS", False), (None, False)])
def test_RET(w, ret, full):
    """Not said: the header, which is enough to know the mail again."""
    with refusing() as r:
        domain = w.lane(r.place)
        w.send("ret", f"bob@{domain}", mail=[f"RET={ret}"] if ret else [])
        [notice] = w.notices(f"bob@{domain}")
        assert notice.full is full


def test_ENVID_and_ORCPT_come_back(w):
    """RFC 3461 section 6.3: decoded from xtext."""
    with refusing() as r:
        domain = w.lane(r.place)
        w.send("envid", f"bob@{domain}", mail=["ENVID=QQ+2B314159"], rcpt=["ORCPT=rfc822;Bob+2Bx@Old.Example"])
        [notice] = w.notices(f"bob@{domain}")
        assert notice.fields["original-envelope-id"] == "QQ+314159"
        assert notice.of(f"bob@{domain}")["original-recipient"] == "rfc822; Bob+x@Old.Example"


def test_options_are_handed_on_to_who_knows_them(w, r):
    """RFC 3461 section 5.2.1; to a server without DSN nothing is said."""
    domain = w.lane(r.place)
    w.send("handed", f"bob@{domain}", mail=["ENVID=abc", "RET=HDRS"],
           rcpt=["NOTIFY=FAILURE,DELAY", f"ORCPT=rfc822;bob@{domain}"])
    [mail] = r.wait_tag("handed")
    assert {"ENVID=abc", "RET=HDRS"} <= set(mail.params)
    said = mail.rcpt[0].decode().split(">", 1)[1].split()
    assert f"ORCPT=rfc822;bob@{domain}" in said
    assert {"NOTIFY=FAILURE,DELAY", "NOTIFY=DELAY,FAILURE"} & set(said)
    with Receiver(["PIPELINING"]) as plain:
        domain = w.lane(plain.place)
        w.send("plain", f"bob@{domain}", mail=["ENVID=abc", "RET=HDRS"], rcpt=["NOTIFY=FAILURE"])
        [mail] = plain.wait_tag("plain")
        assert mail.params == [] and mail.rcpt[0].endswith(b">")


def test_a_sender_whose_address_needs_SMTPUTF8_is_told_by_it(w):
    """RFC 6533: the notification's own envelope says so; what is for programs stays ASCII."""
    with refusing() as r:
        domain = w.lane(r.place)
        sender = f"アリス@{HOME}"
        submit(w.gw, letter("utf8-sender"), f"bob@{domain}", sender=sender, mail=["SMTPUTF8", "BODY=8BITMIME"])
        [notice] = w.notices(f"bob@{domain}")
        assert notice.mail.to == [sender] and "SMTPUTF8" in notice.mail.params
        assert notice.of(f"bob@{domain}")["status"] == "5.1.1"


# ---- who wants to know ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("notify", ["NEVER", "SUCCESS", "DELAY"])
def test_a_failure_that_nobody_wants_to_hear_of(w, notify):
    """RFC 3461 section 4.1: without FAILURE in NOTIFY= there is no notification of one."""
    with refusing() as r:
        domain = w.lane(r.place)
        leg_id = w.send("unheard", f"bob@{domain}", rcpt=[f"NOTIFY={notify}"])
        owed_nobody(w, leg_id, f"bob@{domain}")
        assert [x.rcpts for x in records(w.gw, leg_id, "bounced")] == [[1]]


def test_one_notification_for_all_that_failed_and_want_it(w):
    with Receiver(RCPT=lambda c: b"250 ok" if c.address.startswith("yes") else REFUSED) as r:
        domain = w.lane(r.place)
        to = [f"{n}@{domain}" for n in ("no1", "no2", "never", "yes")]
        leg_id = w.send("mixed", to, rcpt={to[2]: ["NOTIFY=NEVER"], to[1]: ["NOTIFY=FAILURE"]})
        [notice] = w.notices(to[0])
        wait_sent(w.gw, leg_id)
        assert {x["final-recipient"] for x in notice.rcpts} == {f"rfc822; {to[0]}", f"rfc822; {to[1]}"}
        assert to[2].encode() not in notice.words.encode()


@pytest.mark.parametrize("notify", ["NOTIFY=SUCCESS", "NOTIFY=SUCCESS,FAILURE,DELAY"])
def test_relayed_to_a_server_that_does_not_know_DSN(w, notify):
    """RFC 3461 section 5.2.2: SUCCESS was asked for, and nobody behind us will tell: we do."""
    with Receiver(["PIPELINING"]) as r:
        domain = w.lane(r.place)
        leg_id = w.send("relayed", f"bob@{domain}", mail=["RET=FULL"], rcpt=[notify])
        r.wait_tag("relayed")
        [notice] = w.notices(f"bob@{domain}")
        fields = notice.of(f"bob@{domain}")
        assert fields["action"] == "relayed" and fields["status"].startswith("2.")
        assert not notice.full  # RFC 3461 section 4.3: never for a success
        done = wait_sent(w.gw, leg_id)
        [told] = [x for x in done if x.word == "told"]
        assert told.rcpts == [1] and told.values["notice"] in notice.mail.content.decode(errors="replace")


@pytest.mark.parametrize("notify", ["NOTIFY=FAILURE", "NOTIFY=NEVER", None])
def test_a_success_that_nobody_asked_for(w, notify):
    with Receiver(["PIPELINING"]) as r:
        domain = w.lane(r.place)
        leg_id = w.send("quiet", f"bob@{domain}", rcpt=[notify] if notify else [])
        owed_nobody(w, leg_id, f"bob@{domain}")


def test_a_success_at_a_server_that_knows_DSN_is_told_by_that(w, r):
    domain = w.lane(r.place)
    leg_id = w.send("theirs", f"bob@{domain}", rcpt=["NOTIFY=SUCCESS"])
    [mail] = r.wait_tag("theirs")
    assert b"NOTIFY=SUCCESS" in mail.rcpt[0]
    owed_nobody(w, leg_id, f"bob@{domain}")


# ---- null senders --------------------------------------------------------------------------------------------------


def test_nobody_is_told_of_nobodys_mail(w):
    """RFC 5321 section 6.1: a notification that cannot be delivered ends here, and the log says so."""
    with refusing() as r:
        domain = w.lane(r.place)
        leg_id = w.send("double", f"bob@{domain}", sender="")
        owed_nobody(w, leg_id, f"bob@{domain}")
        [bounced] = records(w.gw, leg_id, "bounced")
        assert bounced.rcpts == [1] and bounced.values["notice"] == "none"
        said = [line for s in ("seki-deliver", "seki-notice") for line in w.gw.log(s).splitlines() if leg_id in line]
        assert [line for line in said if "double-bounce" in line or "null-sender" in line or "undeliverable" in line], said


def test_a_notification_that_cannot_be_delivered_ends(w):
    """No backscatter, no loops: the sender of a forged mail does not exist; nothing is made of his notification."""
    nowhere = refusing(reply=b"550 5.1.1 forged")
    with nowhere, refusing() as r:
        domain = w.lane(r.place)
        w.route(f"@gone.{HOME}", nowhere.place)
        (w.gw.root / "etc/relay").write_text("127.0.0.0/8 @example.co.jp @.example.co.jp quota=none\n")
        w.reload()
        leg_id = w.send("forged", f"bob@{domain}", sender=f"nobody@gone.{HOME}")
        done = wait_sent(w.gw, leg_id)
        [notice] = [x.values["notice"] for x in done if x.word == "bounced"]
        assert re.fullmatch("[0-9a-f]{32}", notice)
        ends = wait_sent(w.gw, notice)
        [bounced] = [x for x in ends if x.word == "bounced"]
        assert bounced.values["notice"] == "none"
        w.settle()
        assert len([s for s in nowhere.sessions if s.words("MAIL FROM:<>")]) == 1
        assert all(c == b"MAIL FROM:<>" or b"MAIL FROM:<> " in c for s in nowhere.sessions for c in s.words("MAIL"))


def test_mail_that_looks_like_a_notification_is_answered_only_by_its_envelope(w):
    """Auto-Submitted and a report's body, but a sender: the envelope decides, once, and the answer ends there."""
    with refusing() as r:
        domain = w.lane(r.place)
        raw = (f"From: MAILER-DAEMON@{GATEWAY}\r\nTo: x@y\r\nSubject: fake\r\nAuto-Submitted: auto-replied\r\n"
               "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n")
        leg_id = submit(w.gw, raw.encode(), f"bob@{domain}")
        wait_sent(w.gw, leg_id)
        w.settle()
        found = w.notices_now(f"bob@{domain}")
        assert len(found) == 1 and found[0].mail.sender == "" and found[0].mail.to == [ALICE]


def test_a_notification_is_not_notified_about(w, r):
    """However often it is asked for: our own mail goes with NOTIFY=NEVER, or without a word, and from <>."""
    with refusing() as lane:
        domain = w.lane(lane.place)
        w.send("ours", f"bob@{domain}", rcpt=["NOTIFY=FAILURE,DELAY"])
        [notice] = w.notices(f"bob@{domain}")
        assert notice.mail.sender == ""
        assert not re.search(rb"NOTIFY=(?!NEVER)", notice.mail.rcpt[0])


# ---- what the remote server lacks x what the message needs ------------------------------------------------------------


def test_table_SMTPUTF8_missing_and_needed(w):
    """An address that only SMTPUTF8 can carry: back at once, 5.6.7, and not a byte was sent (S8: never mangled)."""
    with Receiver(["PIPELINING", "8BITMIME", "DSN"]) as r:
        domain = w.lane(r.place)
        to = f"ビル@{domain}"
        leg_id = submit(w.gw, letter("utf8", to="x@y"), to, mail=["SMTPUTF8", "BODY=8BITMIME"])
        done = wait_sent(w.gw, leg_id)
        [failed] = [x for x in done if x.word == "failed"]
        assert failed.values["status"] == "5.6.7"
        [mail] = w.home.wait(1, lambda m: is_notice(m) and domain.encode() in m.content)
        notice = Notice(mail)
        [fields] = notice.rcpts
        assert fields["status"] == "5.6.7" and fields["final-recipient"].startswith("utf-8; ")
        assert r.mails == [] and not any(s.words("RCPT") for s in r.sessions)
        assert all(ord(c) < 128 for c in str(fields))


def test_table_SMTPUTF8_missing_and_only_a_header_needs_it(w):
    """SMTPUTF8 was said and the header has UTF-8: it is not sent to who cannot take it."""
    with Receiver(["PIPELINING", "8BITMIME"]) as r:
        domain = w.lane(r.place)
        raw = f"From: {UTF8_MAIL}\r\nSubject: 件名\r\n\r\nbody\r\n".encode()
        leg_id = submit(w.gw, raw, f"bob@{domain}", mail=["SMTPUTF8", "BODY=8BITMIME"])
        done = wait_sent(w.gw, leg_id)
        assert [x.values["status"] for x in done if x.word == "failed"] == ["5.6.7"] and r.mails == []


def test_table_SMTPUTF8_missing_and_not_needed(w):
    with Receiver(["PIPELINING"]) as r:
        domain = w.lane(r.place)
        w.send("ascii", f"bob@{domain}")
        assert r.wait_tag("ascii")[0].params == []


def test_table_SMTPUTF8_there_and_needed(w, r):
    domain = w.lane(r.place)
    to = f"ビル@{domain}"
    submit(w.gw, letter("utf8-there"), to, mail=["SMTPUTF8", "BODY=8BITMIME"])
    [mail] = r.wait_tag("utf8-there")
    assert "SMTPUTF8" in mail.params and mail.to == [to]


def test_table_8BITMIME_missing_and_needed(w):
    """By default the mail goes as it is, and BODY= is not said."""
    with Receiver(["PIPELINING"]) as r:
        domain = w.lane(r.place)
        body = "日本語\r\n".encode()
        w.send("eight", f"bob@{domain}", body, mail=["BODY=8BITMIME"])
        [mail] = r.wait_tag("eight")
        assert mail.content.endswith(body) and not any("BODY" in p for p in mail.params)


def test_table_8BITMIME_missing_and_needed_and_bounce(strict):
    """deliver-eightbit bounce: back, 5.6.3, unsent."""
    with Receiver(["PIPELINING"]) as r:
        domain = strict.lane(r.place)
        strict.send("eight-bounce", f"bob@{domain}", "日本語\r\n".encode(), mail=["BODY=8BITMIME"])
        [notice] = strict.notices(f"bob@{domain}")
        assert notice.of(f"bob@{domain}")["status"] == "5.6.3" and r.mails == []


def test_table_8BITMIME_missing_and_not_needed_and_bounce(strict):
    """Seven bits go, even to an old server, also where BODY=8BITMIME was said for nothing."""
    with Receiver(["PIPELINING"]) as r:
        domain = strict.lane(r.place)
        strict.send("seven", f"bob@{domain}", mail=["BODY=7BIT"])
        r.wait_tag("seven")


def test_table_8BITMIME_there_and_needed(w, r):
    domain = w.lane(r.place)
    w.send("eight-there", f"bob@{domain}", "日本語\r\n".encode(), mail=["BODY=8BITMIME"])
    assert "BODY=8BITMIME" in r.wait_tag("eight-there")[0].params


def test_table_SIZE_exceeded(w):
    """Back, 5.3.4, and the server has not seen a byte of it."""
    with Receiver([f"SIZE {LIMIT}", "PIPELINING"]) as r:
        domain = w.lane(r.place)
        w.send("too-big", f"bob@{domain}", b"x" * 70 + b"\r\n" + b"0123456\r\n" * (LIMIT // 8))
        [notice] = w.notices(f"bob@{domain}")
        assert notice.of(f"bob@{domain}")["status"] == "5.3.4"
        assert r.mails == [] and not any(s.words("DATA") for s in r.sessions)


def test_table_SIZE_not_exceeded_unknown_and_missing(w):
    for offers, said in ((["SIZE 10000000"], True), (["SIZE"], True), (["SIZE 0"], True), ([], False)):
        with Receiver(offers) as r:
            domain = w.lane(r.place)
            w.send("size", f"bob@{domain}", b"0123456\r\n" * (LIMIT // 8))
            [mail] = r.wait_tag("size")
            assert any(p.startswith("SIZE=") for p in mail.params) is said, offers


def test_table_SIZE_refused_by_the_server_itself(w):
    """552 to MAIL with a SIZE= that it does not like."""
    with Receiver(MAIL=b"552 5.3.4 too big for me") as r:
        domain = w.lane(r.place)
        w.send("552", f"bob@{domain}")
        [notice] = w.notices(f"bob@{domain}")
        assert notice.of(f"bob@{domain}")["status"] == "5.3.4"


def test_table_PIPELINING_missing(w):
    """One command at a time; the mail is the same."""
    with Receiver(["8BITMIME"]) as r:
        domain = w.lane(r.place)
        w.send("one-by-one", [f"a@{domain}", f"b@{domain}"])
        [mail] = r.wait_tag("one-by-one")
        assert len(mail.to) == 2


def test_table_EHLO_missing(w):
    """HELO, and then nothing at all is offered."""
    with Receiver(EHLO=b"502 5.5.1 what?") as r:
        domain = w.lane(r.place)
        w.send("helo", f"bob@{domain}")
        [mail] = r.wait_tag("helo")
        assert mail.params == [] and mail.session.words("HELO")


def test_refused_by_route(w):
    """refuse:WORD: back at once, 5.7.1, and nobody was asked anything."""
    domain = w.lane("refuse:competitor")
    leg_id = w.send("refused", f"bob@{domain}")
    [notice] = w.notices(f"bob@{domain}")
    assert notice.of(f"bob@{domain}")["status"] == "5.7.1" and "competitor" in str(notice.rcpts)
    assert not records(w.gw, leg_id, "deferred")


# ---- seki-notice is not there --------------------------------------------------------------------------------------


def test_without_seki_notice_the_mail_waits_and_is_told_of_once(w):
    """It is down: the leg stays, its failure written down; up again: exactly one notification."""
    w.gw.svc("-wD", "-d", "seki-notice")
    try:
        with refusing() as r:
            domain = w.lane(r.place)
            to = f"bob@{domain}"
            leg_id = w.send("owed", to)
            wait_record(w.gw, leg_id, "failed")
            assert not w.notices_now(to) and not records(w.gw, leg_id, "bounced")
            assert [state for state, _ in places(w.gw, leg_id)] == ["deliver"]
            assert "failed" in w.gw.seki("show", leg_id).stdout
    finally:
        w.gw.svc("-wU", "-u", "seki-notice")
    w.gw.seki("flush")
    [notice] = w.notices(to, seconds=30)
    wait_sent(w.gw, leg_id)
    w.settle()
    assert len(w.notices_now(to)) == 1
    assert len(r.sessions) == 1  # the server was not asked again


def test_while_the_queue_is_down_the_mail_waits(w):
    """The same when the notification cannot be kept."""
    with refusing() as r:
        gate_domain = w.lane(r.place)
        to = f"bob@{gate_domain}"
        import threading
        gate = threading.Event()
        r.replies["RCPT"] = lambda c: gate.wait(20) and REFUSED
        leg_id = w.send("owed-queue", to)
        r.wait_command("MAIL")
        w.gw.svc("-wD", "-d", "seki-queue")
        try:
            gate.set()
            wait_record(w.gw, leg_id, "failed")
            assert [state for state, _ in places(w.gw, leg_id)] == ["deliver"]
        finally:
            w.gw.svc("-wU", "-u", "seki-queue")
        w.gw.seki("flush")
        w.notices(to, seconds=30)
        wait_sent(w.gw, leg_id)
        w.settle()
        assert len(w.notices_now(to)) == 1


def test_a_person_bounces_a_leg(w):
    """seki bounce ID: what waits is given up, and its sender told."""
    with Receiver(RCPT=b"451 4.2.0 later") as r:
        domain = w.lane(r.place, "retry=1d")
        leg_id = w.send("by-hand", f"bob@{domain}")
        wait_record(w.gw, leg_id, "deferred")
        done = w.gw.seki("bounce", leg_id)
        assert done.returncode == 0, done.stderr
        [notice] = w.notices(f"bob@{domain}")
        assert notice.of(f"bob@{domain}")["action"] == "failed"
        wait_sent(w.gw, leg_id)
        wait_for(lambda: len(w.notices_now(f"bob@{domain}")) == 1, 5)
