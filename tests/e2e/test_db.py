"""seki-db in a running instance: who has really got mail is known, whatever dies in between, and mail
never waits for it (S1-20, S0-38, S2-34, S2-36)."""
import os
import socket
import subprocess
import time
from pathlib import Path

import pytest

from conftest import Gateway, wait_for
from facts_kit import BUILD, tree

ALICE, BOB = "alice@example.co.jp", "bob@partner.example"


def mail(subject: str) -> bytes:
    return f"From: {ALICE}\r\nTo: {BOB}\r\nSubject: {subject}\r\n\r\nBody.\r\n".encode()


def talk(gw: Gateway, request: str, last: str) -> list[list[str]]:
    """Lines of an answer, as words, up to the one that begins with `last`."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(30)
        s.connect(str(gw.root / "run/db/socket"))
        s.sendall(request.encode())
        got = b""
        while not got.endswith(b"\n") or not got.splitlines()[-1].startswith(last.encode()):
            more = s.recv(65536)
            assert more, f"{request!r}: {got!r}"
            got += more
    return [line.split(" ") for line in got.decode().splitlines()]


def asked(gw: Gateway, rcpt: str = BOB, sender: str = ALICE) -> tuple[int, int, str]:
    """Mails to a recipient by the sender and by anybody, and what it looks like."""
    words = talk(gw, f"ask {sender} 1 look\nrcpt {rcpt} =\n", "rcpt")[-1]
    return int(words[1]), int(words[3]), words[5]


def tray(gw: Gateway, name: str = "seki-deliver") -> Path:
    return gw.root / "lib/history/trays" / name


@pytest.fixture
def make(fresh_gateway):
    def one(**settings: str) -> Gateway:
        tree()
        gw = fresh_gateway(settings={n.replace("_", "-"): v for n, v in settings.items()}, start=False, submission=False)
        gw.build = BUILD
        return gw.start()
    return one


def test_known_when_delivered_and_not_before(make) -> None:
    """S1-20: what counts is a message that was really delivered; a frozen one, or one that was discarded, is not."""
    gw = make()
    assert gw.seki("freeze", "recipient", "@partner.example", "wait").returncode == 0
    gw.send(mail("first"))
    wait_for(lambda: gw.spool("deliver"), why="it waits")
    assert asked(gw) == (0, 0, "none")
    assert gw.seki("discard", gw.spool("deliver")[0].name.split(".")[1]).returncode == 0
    assert gw.seki("thaw", "recipient", "@partner.example").returncode == 0
    gw.send(mail("second"))
    gw.wait_delivered()
    wait_for(lambda: asked(gw) == (1, 1, "none"), why="one mail")
    assert asked(gw, sender="carol@example.co.jp") == (0, 1, "none")
    assert asked(gw, rcpt="bbo@partner.example") == (0, 0, "edit")
    assert tray(gw).stat().st_size == 0


def test_each_recipient_is_counted(make) -> None:
    """S1-20: of a mail to several, each."""
    gw = make()
    to = [f"r{i}@partner{i % 3}.example" for i in range(40)]
    gw.send(mail("many"), to=to)
    wait_for(lambda: all(asked(gw, rcpt=r)[0] == 1 for r in to), why="all are known")


def test_mail_flows_without_seki_db(make) -> None:
    """S1-20: nobody waits for the database; what happened meanwhile is known when it is back."""
    gw = make()
    gw.svc("-wD", "-T", "20000", "-d", "seki-db")
    for i in range(3):
        gw.send(mail(f"down {i}"))
    gw.wait_delivered(n=3)
    gw.svc("-wU", "-T", "20000", "-u", "seki-db")
    wait_for(lambda: asked(gw)[:2] == (3, 3), why="three mails")


def test_kill_9_at_any_moment(make) -> None:
    """S4: killed again and again while mail flows, it recovers by itself and has counted each mail once."""
    gw = make()
    sent = 0
    for round_ in range(6):
        for _ in range(5):
            gw.send(mail(f"mail {sent}"))
            sent += 1
        # The supervisor kills what is there, if something is: between two lives there is no process.
        gw.svc("-k", "seki-db")
        gw.wait_log("seki-db", "event=ended")
        time.sleep(0.01 * round_)  # another moment of its start each time
        gw.svc("-k", "seki-db")
    gw.wait_ready("seki-db")
    gw.wait_delivered(n=sent)
    wait_for(lambda: asked(gw)[:2] == (sent, sent), why=f"{sent} mails")


def test_the_tray_is_not_there(make) -> None:
    """S4: it is said once, and the mail goes on."""
    gw = make()
    tray(gw).rename(tray(gw).with_name("away"))
    for i in range(3):
        gw.send(mail(f"no tray {i}"))
    gw.wait_delivered(n=3)
    assert gw.log("seki-deliver").count("event=not-told") == 1
    tray(gw).with_name("away").rename(tray(gw))
    gw.send(mail("again"))
    wait_for(lambda: asked(gw)[:2] == (1, 1), why="the next one is told")


def test_addresses(make) -> None:
    """S0-38, S2-34, S2-36: 10, then 40, then 20 gives a peak of 40; 30 were contracted, so 10 are too many."""
    gw = make(contracted_addresses="30")
    for n in (10, 40, 20):
        with open(tray(gw, "seki"), "a") as f:
            f.write(f"people {int(time.time())} {n}\n")
        wait_for(lambda n=n: talk(gw, "months\n", "end")[-1][1] == str(n), why=f"{n} people")
    assert talk(gw, "enrol new@example.co.jp\n", "registered")
    shown = gw.seki("addresses")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.splitlines()[-1].split("\t")[1:] == ["40", "21", "1", "30", "10"]
    assert gw.seki("addresses", "--month", "1999-01").returncode == 1
    assert gw.seki("addresses", "enrolled").stdout.startswith("new@example.co.jp\t")
    assert gw.seki("addresses", "remove", "New@Example.co.jp").returncode == 0
    assert gw.seki("addresses", "remove", "new@example.co.jp").returncode == 1
    assert gw.seki("addresses", "enrolled").stdout == ""


def test_report(make) -> None:
    """What shadow rules would have done, by "seki report"."""
    gw = make()
    now = int(time.time())
    with open(tray(gw, "seki-scan"), "a") as f:
        f.write(f"judged {now} 2 refused -\nwould {now} must/90:3 look-alike hold until+20confirmed 3 shadow\n")
    wait_for(lambda: "look-alike" in gw.seki("report").stdout, why="the row")
    rows = [line.split("\t") for line in gw.seki("report", "--days", "2").stdout.splitlines()]
    assert ["judged", "1"] in rows and ["refused", "1"] in rows
    assert ["shadow", "1", "3", "hold", "until confirmed", "must/90:3", "look-alike"] in rows
    assert '"rule":"look-alike"' in gw.seki("-j", "report", "--since", "1d").stdout.replace(" ", "")
    assert gw.seki("report", "--days", "0").returncode == 100
    assert gw.seki("report", "--since", "2w", "more").returncode == 100


@pytest.mark.skipif(os.geteuid() != 0, reason="another user needs root")
def test_only_root_takes_away(make) -> None:
    """S2-34: a stage may enrol, and not take away; nobody else reaches the socket."""
    gw = make()
    talk(gw, "enrol new@example.co.jp\n", "registered")
    code = ("import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); "
            "s.sendall(b'remove new@example.co.jp\\n'); print(repr(s.recv(99)))")
    argv = ["/usr/bin/python3", "-c", code, str(gw.root / "run/db/socket")]
    stage = subprocess.run(["s6-setuidgid", "sekis", *argv], capture_output=True, text=True, timeout=30, check=False)
    assert stage.stdout == "b''\n", stage.stderr
    other = subprocess.run(["s6-setuidgid", "sekix", *argv], capture_output=True, text=True, timeout=30, check=False)
    assert "PermissionError" in other.stderr
    assert gw.seki("addresses", "enrolled").stdout.startswith("new@")
    for name in ("lib/history/db/count.db", "lib/history/db"):
        assert (gw.root / name).stat().st_mode & 0o077 == 0


def test_damaged_beyond_recovery(make) -> None:
    """S4: it does not start and says why, mail goes on, and an empty one in its place is a beginning."""
    gw = make()
    gw.send(mail("before"))
    wait_for(lambda: asked(gw)[0] == 1, why="one mail")
    gw.svc("-wD", "-T", "20000", "-d", "seki-db")
    folder = gw.root / "lib/history/db"
    with open(folder / "count.db", "r+b") as f:
        f.write(b"Z" * 512)
    gw.svc("-u", "seki-db")
    assert "lib/history/db" in gw.wait_log("seki-db", "event=history-damaged")
    wait_for(lambda: gw.state("seki-db", "wantedup") == "false", why="it stays down")
    gw.send(mail("meanwhile"))
    gw.wait_delivered(n=2)
    owner = folder.stat()
    folder.rename(folder.with_name("db.bad"))
    folder.mkdir(mode=0o700)
    os.chown(folder, owner.st_uid, owner.st_gid)
    gw.svc("-wU", "-T", "20000", "-u", "seki-db")
    wait_for(lambda: asked(gw)[0] == 1, why="what was told meanwhile")


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a disk needs root")
def test_disk_full(make) -> None:
    """Q5: without room trays wait, questions are answered, and nothing is lost."""
    gw = make()
    folder = gw.root / "lib/history/db"
    owner = folder.stat()
    gw.svc("-wD", "-T", "20000", "-d", "seki-db")
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size=40m,mode=0700,uid={owner.st_uid},gid={owner.st_gid}", "none",
                    str(folder)], check=True, timeout=30)
    try:
        gw.svc("-wU", "-T", "20000", "-u", "seki-db")
        gw.send(mail("room"))
        wait_for(lambda: asked(gw)[0] == 1, why="one mail")
        with open(folder / "fill", "wb") as f:
            os.posix_fallocate(f.fileno(), 0, 30 << 20)
        gw.send(mail("no room"))
        gw.wait_delivered(n=2)
        gw.wait_log("seki-db", "event=history-full")
        assert asked(gw)[0] == 1
        assert tray(gw).stat().st_size > 0
        (folder / "fill").unlink()
        wait_for(lambda: asked(gw)[0] == 2, why="the second mail")
        assert tray(gw).stat().st_size == 0
    finally:
        gw.svc("-wD", "-T", "20000", "-d", "seki-db")
        subprocess.run(["umount", str(folder)], check=True, timeout=30)
