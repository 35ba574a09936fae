"""Refusing (S0-34, S0-35, S2-30, S1-32, C18): a refused leg stands in refused/, its sender hears why in plain words or
nothing at all, auditors get it whole; each once, whatever dies in between."""
import email
import email.policy
import hashlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from conftest import Gateway, wait_for
from test_notice import BUILD, MAIL, REPO, ROOT, WHY, Leg, Place, make_leg, xtext
from test_spool_kit import stamp

AUDIT = "internal-audit@example.co.jp"


# ---- seki-hold, with refused legs that somebody put there -----------------------------------------


def refused(tell: str, more: str = "", **leg) -> bytes:
    """A leg as seki-scan leaves it."""
    return make_leg(trailer=f"{stamp()} judged rules=0011223344556677 org=8899aabbccddeeff\n"
                    f"{stamp()} refused rule=must/20-files:3 name=three-files why={xtext(WHY)} tell={tell}{more}\n", **leg)


def put(place: Place, raw: bytes, state: str = "refused") -> Path:
    """As a stage does: whole, by a rename."""
    name = re.search(rb"^id (\w+)$", raw, flags=re.M).group(1).decode() + ".1"
    beside = place.root / "spool/split" / name
    beside.write_bytes(raw)
    if ROOT:
        whole = place.root / "spool/refused"
        os.chown(beside, whole.stat().st_uid, whole.stat().st_gid)
    beside.chmod(0o660)
    path = place.root / "spool" / state / name
    beside.rename(path)
    return path


def records(path: Path, word: str) -> list[str]:
    """The records of this word, without their times."""
    return re.findall(rf"^\S+Z {word} (.*)$", path.read_bytes().decode(errors="replace"), flags=re.M)


def told(path: Path, n: int = 1, word: str = "told") -> list[str]:
    return wait_for(lambda: found if len(found := records(path, word)) >= n else [], 20, f"{word} in {path.name}")


def mails(place: Place) -> list[Leg]:
    """What is in the spool for others, as it stands in new/."""
    return [Leg(p.read_bytes()) for p in place.spool("new")]


@pytest.fixture
def bare() -> Iterator[Place]:
    if ROOT:
        subprocess.run(["sh", "-c", '. services/common; die() { exit 1; }; tables=services; make_users'], cwd=REPO, check=True,
                       timeout=60)
    made = Place()
    yield made
    made.remove()


@pytest.fixture
def place(bare: Place) -> Place:
    return bare.start("seki-queue", "seki-notice", "seki-hold")


def test_S0_35_the_sender_is_told_once(place: Place) -> None:
    path = put(place, refused("sender"))
    [record] = told(path)
    [mail] = mails(place)
    assert record == f"notice={mail.head['id']}"
    assert mail.head["to"] == "alice@example.co.jp notify=never"
    assert WHY in next(iter(mail.mail().iter_parts())).get_content()
    # Nothing is told again, at a start or a sweep.
    for _ in range(2):
        place.stop("seki-hold")
        place.start("seki-hold")
    second = put(place, refused("sender"))
    told(second)
    assert len(mails(place)) == 2 and len(records(path, "told")) == 1
    assert path.exists()


def test_S1_32_every_combination(place: Place) -> None:
    """Bounce, silent, forwarded, and each with the others."""
    silent = put(place, refused("nobody", to=("bob@partner.example notify=success,failure,delay",)))
    both = put(place, refused("sender", f" forward={AUDIT},boss@example.co.jp"))
    audit = put(place, refused("nobody", f" forward={AUDIT}"))
    told(both)
    assert {r.split()[0] for r in told(both, 2, "forwarded")} == {f"to={AUDIT}", "to=boss@example.co.jp"}
    [record] = told(audit, 1, "forwarded")
    by_id = {mail.head["id"]: mail for mail in mails(place)}
    assert len(by_id) == 4
    forwarded = by_id[re.search(r"notice=(\w+)$", record).group(1)]
    assert forwarded.head["to"].split()[0] == AUDIT
    assert list(forwarded.mail().iter_parts())[1].get_content_type() == "message/rfc822"
    assert records(silent, "told") == records(audit, "told") == records(silent, "forwarded") == []


def test_S2_a_null_sender_is_told_nothing(place: Place) -> None:
    path = put(place, refused("sender", f" forward={AUDIT}", sender="<>"))
    assert told(path) == ["notice=none reason=null-sender"]
    told(path, 1, "forwarded")
    assert [mail.head["to"].split()[0] for mail in mails(place)] == [AUDIT]


def test_the_senders_own_wish_is_kept(place: Place) -> None:
    path = put(place, refused("sender", to=("bob@partner.example notify=never",)))
    assert told(path) == ["notice=none reason=not-wanted"]
    assert mails(place) == []


def test_what_is_owed_waits_for_seki_notice(bare: Place) -> None:
    """Down, or the disk full: an alarm once a minute, and nothing is lost."""
    bare.settings(space_files="1000000000")
    bare.start("seki-queue", "seki-hold")
    paths = [put(bare, refused("sender", f" forward={AUDIT}")) for _ in range(3)]
    line = bare.wait_log("seki-hold", "event=notice-failed")
    assert "alarm=yes" in line and "why=seki-notice-unreachable" in line
    bare.start("seki-notice")
    bare.wait_log("seki-notice", "why=disk-full")
    assert [records(path, "told") for path in paths] == [[], [], []]
    assert bare.reload("seki-queue", space_files="0").startswith("taken ")
    bare.running["seki-hold"].send_signal(signal.SIGALRM)
    for path in paths:
        told(path)
        told(path, 1, "forwarded")
    assert len(mails(bare)) == 6
    assert bare.log("seki-hold").count("event=notice-failed") == 1
    assert all(path.exists() for path in paths)


def test_what_is_owed_survives_a_restart(bare: Place) -> None:
    bare.start("seki-queue", "seki-hold")
    path = put(bare, refused("sender", f" forward={AUDIT}"))
    bare.wait_log("seki-hold", "event=notice-failed")
    bare.stop("seki-hold", signal.SIGKILL)
    bare.start("seki-notice", "seki-hold")
    told(path)
    told(path, 1, "forwarded")
    assert len(mails(bare)) == 2


def test_killed_at_any_time(bare: Place) -> None:
    """Everybody is told of every leg; twice only if it died between the answer and the record."""
    bare.start("seki-queue", "seki-notice", "seki-hold")
    paths = []
    for n in range(12):
        paths += [put(bare, refused("sender", f" forward={AUDIT}")) for _ in range(3)]
        time.sleep(0.004 * n)  # any moment will do
        bare.stop("seki-hold", signal.SIGKILL)
        bare.start("seki-hold")
    for path in paths:
        told(path)
        told(path, 1, "forwarded")
    assert all(len(records(path, word)) == 1 for path in paths for word in ("told", "forwarded"))
    named = {re.search(r"notice=(\w+)$", records(path, word)[0]).group(1) for path in paths for word in ("told", "forwarded")}
    there = {mail.head["id"] for mail in mails(bare)}
    assert named <= there and len(there) - len(named) <= 12 * 3  # THREADS of them at each death
    assert bare.spool("bad") == []


def test_a_person_who_refused_it_by_hand_tells_nobody(place: Place) -> None:
    path = put(place, make_leg(trailer=f"{stamp()} refused by=root\n"))
    other = put(place, refused("sender"))
    told(other)
    assert records(path, "told") == [] and path.exists() and len(mails(place)) == 1


def test_a_refusal_in_words_of_a_later_version_stops(place: Place) -> None:
    path = put(place, refused("everybody"))
    line = place.wait_log("seki-hold", "event=stopped")
    assert "alarm=yes" in line and xtext("a refusal that this version cannot tell of") in line
    assert path.exists() and mails(place) == []


def test_an_address_that_is_none_keeps_nobody_waiting(place: Place) -> None:
    path = put(place, refused("sender", f" forward=nowhere,{AUDIT}"))
    told(path)
    assert [r.split()[0] for r in told(path, 1, "forwarded")] == [f"to={AUDIT}"]
    assert "why=address" in place.wait_log("seki-hold", "event=notice-failed")


def test_the_loop_goes_on_while_somebody_is_told(bare: Place) -> None:
    """seki-notice is silent: a hold ends all the same, and an order is carried out."""
    bare.start("seki-queue", "seki-notice", "seki-hold")
    bare.running["seki-notice"].send_signal(signal.SIGSTOP)
    for _ in range(10):
        put(bare, refused("sender"))
    holding = make_leg()
    leg_id = re.search(rb"^id (\w+)$", holding, flags=re.M).group(1).decode()
    lines = " hold no\n deliver\n"
    digest = hashlib.sha256(f"{leg_id}.1\n{lines}".encode()).hexdigest()[:16]
    name = put(bare, holding + f"plan 2 sha256={digest}\n{lines}".encode(), "bad").name
    begun = time.monotonic()
    (bare.root / "spool/bad" / name).rename(bare.root / "spool/hold" / f"20261122T093501Z.{name}")
    wait_for(lambda: bare.spool("deliver"), 10, "the hold has ended")
    assert time.monotonic() - begun < 8
    bare.running["seki-notice"].send_signal(signal.SIGCONT)


# ---- the whole gateway, with rules --------------------------------------------------------------


TEMPS = """
rule files-from-temps
    from    temp@example.co.jp
    to      external
    file    any
    do      refuse "{why}"
    {more}
"""
FILE = (b"From: temp@example.co.jp\r\nTo: bob@partner.example\r\nSubject: secret\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nsee\r\n"
        b"--b\r\nContent-Type: application/octet-stream; name=a.bin\r\nContent-Disposition: attachment; filename=a.bin\r\n\r\n"
        b"\x31\x32\r\n--b--\r\n")


def parsed(mail: bytes) -> EmailMessage:
    return email.message_from_bytes(mail, policy=email.policy.default)


@pytest.fixture
def ruled(fresh_gateway: Callable[..., Gateway]) -> Callable[..., Gateway]:
    def make(more: str, **settings: str) -> Gateway:
        rules = TEMPS.format(why=WHY, more=more)
        return fresh_gateway(files={"etc/policy/must/50-temps": rules},
                             settings={name.replace("_", "-"): value for name, value in settings.items()})
    return make


def refuse_one(gw: Gateway, to: tuple[str, ...] = ("bob@partner.example", "carol@other.example"), **more) -> Path:
    gw.send(FILE, sender="temp@example.co.jp", to=to, **more)
    return wait_for(lambda: gw.spool("refused"), 30, "refused")[0]


def test_S0_34_S2_30_a_rule_refuses_and_says_why(ruled) -> None:
    """The message is refused to all, who sent it hears why in plain words, and `seki show` tells all of it."""
    gw = ruled("do      bounce sender")
    leg = refuse_one(gw)
    told(leg)
    [mail] = gw.wait_delivered(lambda m: b"report-type=delivery-status" in m)
    message = parsed(mail)
    assert message["To"].addresses[0].addr_spec == "temp@example.co.jp"
    words = next(iter(message.iter_parts())).get_content()
    assert words.count(WHY) == 2 and "bob@partner.example" in words and "carol@other.example" in words
    assert len(gw.delivered()) == 1  # nobody else got anything
    shown = gw.seki("show", leg.name).stdout
    assert re.search(r"\trefused\t.*rule=must/50-temps:2", shown) and "\ttold\tnotice=" in shown


def test_S1_32_silent_and_to_the_auditor(ruled) -> None:
    """No word to the sender, whatever NOTIFY says; the whole mail, from our own address, to internal audit."""
    gw = ruled(f"do      bounce nobody\n    do      forward refused {AUDIT}")
    leg = refuse_one(gw, rcpt_options=("NOTIFY=SUCCESS,FAILURE,DELAY",))
    told(leg, 1, "forwarded")
    [mail] = gw.wait_delivered(lambda m: AUDIT.encode() in m)
    message = parsed(mail)
    assert message["From"].addresses[0].addr_spec == "MAILER-DAEMON@gw.example.co.jp"
    words, attached = message.iter_parts()
    for text in ("temp@example.co.jp", "bob@partner.example", "carol@other.example", WHY, "files-from-temps",
                 "must/50-temps:2", leg.name):
        assert text in words.get_content(), text
    assert attached.get_content_type() == "message/rfc822"
    assert attached.get_payload(0)["Subject"] == "secret"
    # Time enough for a notification that ought not to be: another mail goes all the way meanwhile.
    gw.send(MAIL)
    gw.wait_delivered(lambda m: b"Subject: Figures" in m)
    assert len(gw.delivered()) == 2
    assert records(leg, "told") == []


def test_S0_35_both(ruled) -> None:
    gw = ruled(f"do      bounce sender\n    do      forward refused {AUDIT}")
    refuse_one(gw)
    gw.wait_delivered(lambda m: b"report-type=delivery-status" in m)
    gw.wait_delivered(lambda m: b"multipart/mixed" in m.split(b"\n\n")[0] and AUDIT.encode() in m)
    assert len(gw.delivered()) == 2


def test_what_no_rule_refuses_is_delivered(ruled) -> None:
    gw = ruled("do      bounce sender")
    gw.send(FILE, sender="alice@example.co.jp")
    gw.wait_delivered(lambda m: b"Subject: secret" in m)
    assert gw.spool("refused") == []


# ---- the weekly report ----------------------------------------------------------------------------


def test_the_weekly_report_comes_once(fresh_gateway: Callable[..., Gateway]) -> None:
    """To whom the settings name, when seki-db says that it is due; of a refusal, too."""
    gw = fresh_gateway(files={"etc/policy/must/50-temps": TEMPS.format(why=WHY, more="do      bounce nobody")},
                       settings={"report-to": "chief@example.co.jp"}, testing=True)
    refuse_one(gw)

    def reports() -> list[EmailMessage]:
        return [parsed(mail) for mail in gw.delivered() if b"chief@example.co.jp" in mail]

    week = 7 * 24 * 3600  # whatever day it is, a Monday comes, and today is among the days before
    gw.clock(week, week, True)
    wait_for(lambda: [r for r in reports() if "files-from-temps" in r.get_content()], 30, "the report")
    sent = reports()
    assert "週報" in sent[-1]["Subject"] and sent[-1]["Auto-Submitted"] == "auto-generated"
    gw.clock(week + 7200, week + 7200, True)
    gw.send(MAIL)
    gw.wait_delivered(lambda m: b"Subject: Figures" in m)
    assert len(reports()) == len(sent)
