"""The audit log in a running instance (N2, S1-20): what is decided stands in it once, whatever dies; every
change of it is found; and while it cannot be written no new mail is taken."""
import contextlib
import json
import os
import signal
import smtplib
import subprocess
import time
from pathlib import Path

import pytest
from conftest import wait_for

MAIL = b"From: alice@example.co.jp\r\nTo: bob@partner.example\r\nSubject: %s\r\n\r\nhello\r\n"


def lines(gw, *options: str) -> list[dict]:
    done = gw.seki("-j", "audit", "show", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def judged(gw) -> list[str]:
    return [line["id"] for line in lines(gw, "--what", "judged")]


def verify(gw, *options: str) -> list[dict]:
    done = gw.seki("-j", "audit", "verify", *options)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert found and found[-1]["what"] == "head", done.stdout + done.stderr
    assert done.returncode == (1 if found[-1]["faults"] else 0)
    return found


def reply(gw, tag: bytes = b"x") -> int:
    try:
        gw.send(MAIL % tag)
        return 250
    except smtplib.SMTPDataError as e:
        return e.smtp_code
    except smtplib.SMTPRecipientsRefused as e:
        return next(iter(e.recipients.values()))[0]
    except smtplib.SMTPSenderRefused as e:
        return e.smtp_code


def the_log(gw) -> Path:
    return sorted(p for p in (gw.root / "lib/audit/log").iterdir() if p.name != "torn")[-1]


def test_every_judgement_is_told(fresh_gateway):
    """S1-20: who, what, by which rules; in the chain within a second."""
    gw = fresh_gateway(testing=True, files={
        "etc/policy/must/50-rules": "rule alice-waits\n    from    alice@example.co.jp\n    do      hold for operator\n"})
    gw.send(MAIL % b"one", to=["bob@partner.example", "carol@partner.example"])
    begun = time.monotonic()
    found = wait_for(lambda: lines(gw, "--what", "judged"), 5)
    assert time.monotonic() - begun < 2  # a second, and the time of seki and of a slow machine
    assert len(found) == 1
    line = found[0]
    assert line["program"] == "seki-scan" and line["from"] == "alice@example.co.jp"
    assert (line["to"], line["to2"], line["rcpts"]) == ("bob@partner.example", "carol@partner.example", "2"), line
    assert line["steps"] == "hold,deliver" and "rule=must/50-rules:1" in line["decided"]
    assert len(line["rules"]) == 16 and len(line["org"]) == 16
    assert lines(gw, "--id", line["id"].split(".")[0]) == found
    assert lines(gw, "--id", line["id"]) == found
    assert lines(gw, "--since", "1h", "--what", "judged") == found
    assert lines(gw, "--by", "nobody") == []
    assert verify(gw)[-1]["faults"] == 0


def test_reading_a_body_is_told(fresh_gateway):
    """Who reads a mail stands there before he has it; and if it cannot be written he has not."""
    gw = fresh_gateway(testing=True)
    gw.send(MAIL % b"private")
    leg = wait_for(lambda: gw.spool("deliver") or gw.spool("sent") or judged(gw))
    leg = wait_for(lambda: judged(gw))[0]
    wait_for(lambda: gw.spool("sent"))
    # The body is removed after delivery: that of one that waits is read.
    gw.setting(plan_states="hold deliver", plan_hold="1d")
    assert gw.seki("reload").returncode == 0
    gw.send(MAIL % b"waits")
    leg = wait_for(lambda: gw.spool("hold"))[0].name.split(".", 1)[1]
    done = gw.seki("cat", leg)
    assert done.returncode == 0 and "Subject: waits" in done.stdout
    found = wait_for(lambda: lines(gw, "--what", "read"))
    assert len(found) == 1 and found[0]["id"] == leg and found[0]["via"] == "shell"
    assert lines(gw, "--by", found[0]["by"]) == found

    tray = gw.root / "lib/audit/trays/seki"
    tray.rename(tray.with_name("kept.seki"))
    done = gw.seki("cat", leg)
    assert done.returncode == 111 and done.stdout == "" and "audit log" in done.stderr
    tray.with_name("kept.seki").rename(tray)
    assert gw.seki("cat", leg).returncode == 0


def test_N2_changes_are_found(fresh_gateway):
    """N2: a byte, a line, the end; an old head must be there."""
    gw = fresh_gateway(testing=True)
    for i in range(3):
        gw.send(MAIL % b"%d" % i)
    wait_for(lambda: len(judged(gw)) == 3)
    gw.svc("-wD", "-T", "20000", "-d", "seki-audit")
    log = the_log(gw)
    good = log.read_bytes()
    head = verify(gw)[-1]
    assert head["faults"] == 0 and verify(gw, "--head", head["chain"])[-1]["faults"] == 0
    assert verify(gw, "--head", "0" * 64)[-1]["faults"] == 1

    at = good.index(b"alice")
    log.write_bytes(good[:at] + b"A" + good[at + 1:])
    found = verify(gw)
    assert found[0]["what"] == "fault"
    number = good[:at].count(b"\n") + 1
    assert found[0]["where"] == f"{log.name}:{number}"
    kept = good.splitlines(keepends=True)
    log.write_bytes(b"".join(kept[:-2] + kept[-1:]))
    assert "missing" in verify(gw)[0]["why"]
    log.write_bytes(b"".join(kept[:-1]))
    assert "missing at the end" in verify(gw)[0]["why"]
    log.write_bytes(good)
    assert verify(gw)[-1]["faults"] == 0


def test_broken_chain_waits_for_a_person(fresh_gateway):
    """New mail gets 451, held mail stays, the state says what to do; and then it goes on."""
    gw = fresh_gateway(testing=True, settings={"audit-lag": "5s"})
    gw.send(MAIL % b"one")
    wait_for(lambda: judged(gw))
    gw.svc("-wD", "-T", "20000", "-d", "seki-audit")
    log = the_log(gw)
    log.write_bytes(log.read_bytes().replace(b"alice", b"mallo", 1))
    gw.svc("-wU", "-T", "20000", "-u", "seki-audit")
    assert "seki+20audit+20verify" in gw.wait_log("seki-audit", "event=audit-failed")
    wait_for(lambda: reply(gw) == 451)
    assert "seki-audit" in gw.wait_log("seki-queue", "event=refused")
    done = gw.seki("audit", "accept", "--reason", "a test did it")
    assert done.returncode == 0, done.stderr
    wait_for(lambda: reply(gw, b"two") == 250, why="new mail")
    wait_for(lambda: len(judged(gw)) >= 1)
    found = verify(gw)
    assert found[0]["what"] == "accepted" and found[-1]["faults"] == 0
    wait_for(lambda: lines(gw, "--what", "accepted"))
    assert lines(gw, "--what", "accepted")[0]["reason"] == "a test did it"


def test_not_running_is_451(fresh_gateway):
    """After audit-lag; when it is back nobody has to say so, and what was said meanwhile is there."""
    gw = fresh_gateway(testing=True, settings={"audit-lag": "5s"})
    assert reply(gw, b"one") == 250
    wait_for(lambda: len(judged(gw)) == 1)
    gw.svc("-wD", "-T", "20000", "-d", "seki-audit")
    assert reply(gw, b"two") == 250  # it may be back in a moment
    gw.clock(0, 6, True)
    wait_for(lambda: reply(gw, b"three") == 451)
    assert "audit-lag" in gw.wait_log("seki-queue", "event=refused")
    gw.svc("-wU", "-T", "20000", "-u", "seki-audit")
    wait_for(lambda: reply(gw, b"four") == 250)
    wait_for(lambda: len(judged(gw)) == 3)
    assert verify(gw)[-1]["faults"] == 0


def test_unwritable_log_is_451(fresh_gateway):
    """A log that cannot be written: told within seconds, new mail 451; it recovers by itself."""
    if os.geteuid() != 0:
        pytest.skip("root is needed: without it the owner of the log is who changes its mode")
    gw = fresh_gateway(testing=True)
    assert reply(gw, b"one") == 250
    wait_for(lambda: len(judged(gw)) == 1)
    log = the_log(gw)
    os.chmod(log, 0o440)
    wait_for(lambda: reply(gw, b"two") == 451)
    assert "Permission" in gw.wait_log("seki-audit", "event=audit-failed")
    os.chmod(log, 0o640)
    wait_for(lambda: reply(gw, b"three") == 250)
    gw.wait_log("seki-audit", "event=audit-recovered")
    assert verify(gw)[-1]["faults"] == 0


def test_full_disk_is_451(fresh_gateway):
    """A disk of its own for the log, which is full: the same."""
    if os.geteuid() != 0:
        pytest.skip("root is needed to mount a file system")
    gw = fresh_gateway(testing=True)
    gw.svc("-wD", "-T", "20000", "-d", "seki-audit")
    place = gw.root / "lib/audit/log"
    st = place.stat()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size=8m,uid={st.st_uid},gid={st.st_gid},mode=750",
                            "tmpfs", str(place)], capture_output=True, text=True, check=False)
    if mount.returncode:
        pytest.skip(f"mount: {mount.stderr.strip()}")
    try:
        gw.svc("-u", "seki-audit")
        # The log that was there is not on this disk: its lines are missing, and a person says that this is known.
        gw.wait_log("seki-audit", "event=audit-failed")
        assert gw.seki("audit", "accept", "--reason", "a new disk").returncode == 0
        wait_for(lambda: reply(gw, b"one") == 250)
        wait_for(lambda: len(judged(gw)) == 1)
        filler = place / "filler"
        with filler.open("wb", buffering=0) as f, pytest.raises(OSError):
            while True:
                f.write(b"x" * 4096)
        wait_for(lambda: reply(gw, b"two") == 451)
        filler.unlink()
        wait_for(lambda: reply(gw, b"three") == 250)
        wait_for(lambda: len(judged(gw)) >= 2)
        assert verify(gw)[-1]["faults"] == 0
    finally:
        gw.svc("-wD", "-T", "20000", "-d", "seki-audit")
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_killed_again_and_again(fresh_gateway):
    """kill -9 of seki-audit at any moment: no line is lost, and none is there twice."""
    gw = fresh_gateway(testing=True)
    sent = 0
    for _ in range(8):
        for _ in range(5):
            gw.send(MAIL % b"%d" % sent)
            sent += 1
        pid = gw.pid("seki-audit")
        if pid > 1:
            with contextlib.suppress(ProcessLookupError):  # s6 has not yet seen the last one end
                os.kill(pid, signal.SIGKILL)
    wait_for(lambda: len(judged(gw)) >= sent, 60, f"{sent} lines")
    found = judged(gw)
    assert len(found) == len(set(found)) == sent
    assert verify(gw)[-1]["faults"] == 0


def test_head_is_logged(fresh_gateway):
    """N2: the head stands in another log, too, each day."""
    gw = fresh_gateway(testing=True)
    head = gw.wait_log("seki-audit", "event=head")
    chain = head.rsplit("chain=", 1)[1].split()[0]
    assert verify(gw, "--head", chain)[-1]["faults"] == 0
    gw.clock(86400, 86400, True)
    wait_for(lambda: gw.log("seki-audit").count("event=head") == 2)


def test_switched_off(fresh_gateway):
    """audit no: nothing is told, and nothing waits for it."""
    gw = fresh_gateway(testing=True, settings={"audit": "no"})
    gw.svc("-wD", "-T", "20000", "-d", "seki-audit")
    gw.clock(0, 3600, True)
    assert reply(gw, b"one") == 250
    gw.wait_delivered()
    assert (gw.root / "lib/audit/trays/seki-scan").stat().st_size == 0
