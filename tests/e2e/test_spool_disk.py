"""Q5: a spool on a small disk of its own that runs full, out of inodes, or read-only."""
import contextlib
import os
import smtplib
import subprocess

import pytest

from conftest import wait_for
from test_spool_kit import due, leg, mail, new_id, plan, put, reply_code, later, stamp, wait_in

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a disk needs root")


def run(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{argv}: {done.stderr}"


def mount_image(root, megabytes: int, options: list[str]) -> None:
    image = root / "etc" / "disk"  # beside the configuration: nothing else may be there before the start
    with open(image, "wb") as f:
        f.truncate(megabytes << 20)
    run("mkfs.ext4", "-q", "-m", "0", *options, str(image))
    (root / "spool").mkdir()
    (root / "run").mkdir()
    (root / "run/instance").touch()  # what stands in it is an instance that has not been started yet
    run("mount", "-o", "loop", str(image), str(root / "spool"))
    os.rmdir(root / "spool/lost+found")


@pytest.fixture
def on_disk(fresh_gateway):
    """on_disk(megabytes, mkfs options, settings): an instance whose spool is a file system of its own."""
    mounted = []

    def make(megabytes: int, options: list[str], **settings: str):
        gw = fresh_gateway(settings={name.replace("_", "-"): value for name, value in settings.items()}, start=False)
        mount_image(gw.root, megabytes, options)
        mounted.append(gw)
        return gw.start()

    yield make
    for gw in mounted:
        gw.down()
        run("umount", str(gw.root / "spool"))


def free(gw) -> int:
    st = os.statvfs(gw.root / "spool")
    return st.f_bavail * st.f_frsize


def fill(gw, leave: int) -> None:
    """Takes all space but about `leave` bytes."""
    with open(gw.root / "spool/.fill", "ab") as f, contextlib.suppress(OSError):
        while free(gw) > leave:
            os.posix_fallocate(f.fileno(), os.fstat(f.fileno()).st_size, max(4096, free(gw) - leave))


def give_back(gw) -> None:
    (gw.root / "spool/.fill").unlink()
    os.sync()


def hold_one(gw, tag: str, seconds: float) -> str:
    """A leg that stands in hold/ for so long."""
    leg_id = new_id()
    until = later(seconds=seconds)
    lines = f" hold until={stamp(until)}\n deliver\n"
    put(gw, "hold", f"{due(until)}.{leg_id}.1", leg(leg_id, mail(tag), plan(leg_id, lines)))
    return leg_id


def test_Q5_disk_full(on_disk):
    """Below the limit 452, and queued mail is still delivered; at zero the ballast is released and
    transitions go on; when space returns new mail is taken again, and nobody has to say so."""
    gw = on_disk(64, [], ballast="2MB", space_percent="10")
    assert reply_code(gw, "before") == 250
    ballast = gw.root / "spool/tmp/ballast"
    wait_for(lambda: ballast.exists() and ballast.stat().st_size == 2 << 20, why="ballast")
    held = hold_one(gw, "held-below", 2)

    fill(gw, 3 << 20)  # below 10 % of 64 MiB
    assert reply_code(gw, "below") == 452
    gw.wait_delivered(lambda m: b"held-below" in m)
    assert wait_in(gw, held, "sent")
    assert ballast.exists()

    second = hold_one(gw, "held-at-zero", 4)
    fill(gw, 0)
    gw.wait_log("seki-queue", "event=disk-full")
    wait_for(lambda: not ballast.exists(), why="ballast released")
    assert free(gw) > 1 << 20
    assert reply_code(gw, "at-zero") == 452
    gw.wait_delivered(lambda m: b"held-at-zero" in m)
    assert wait_in(gw, second, "sent")

    give_back(gw)
    wait_for(lambda: reply_code(gw, "after") == 250, why="new mail")
    gw.wait_delivered(lambda m: b"Subject: after" in m)
    wait_for(lambda: ballast.exists() and ballast.stat().st_size == 2 << 20, why="ballast again")
    assert not any(b"below" in m.replace(b"held-below", b"") or b"Subject: at-zero" in m for m in gw.delivered())
    assert list(gw.spool("bad")) == []


def test_Q5_inodes(on_disk):
    """Out of inodes: the same."""
    gw = on_disk(64, ["-N", "512"], space_files="50")
    assert reply_code(gw, "before") == 250
    held = hold_one(gw, "held-inodes", 2)
    heap = gw.root / "spool/.heap"
    heap.mkdir()
    with contextlib.suppress(OSError):
        for n in range(1000):
            (heap / str(n)).touch()
    assert os.statvfs(gw.root / "spool").f_ffree == 0
    assert reply_code(gw, "none-left") == 452
    gw.wait_delivered(lambda m: b"held-inodes" in m)
    wait_in(gw, held, "sent")
    for path in heap.iterdir():
        path.unlink()
    os.sync()
    wait_for(lambda: reply_code(gw, "again") == 250, why="new mail")
    gw.wait_delivered(lambda m: b"Subject: again" in m)


def test_Q5_read_only(on_disk):
    """The file system turns read-only under the running gateway: 4xx, and back to work afterwards."""
    gw = on_disk(64, [])
    assert reply_code(gw, "before") == 250
    gw.wait_delivered(lambda m: b"Subject: before" in m)
    wait_for(lambda: b" emptied " in gw.spool("sent")[0].read_bytes() if gw.spool("sent") else False, why="sent")
    run("mount", "-o", "remount,ro", str(gw.root / "spool"))
    try:
        for n in range(3):
            assert 400 <= reply_code(gw, f"read-only-{n}") < 500
    finally:
        run("mount", "-o", "remount,rw", str(gw.root / "spool"))
    wait_for(lambda: reply_code(gw, "writable") == 250, why="new mail")
    gw.wait_delivered(lambda m: b"Subject: writable" in m)
    assert not any(b"read-only" in m for m in gw.delivered())


def test_Q5_large_message_meets_the_limit(on_disk):
    """A message that would eat the room of the transitions is given up while it arrives."""
    gw = on_disk(64, ["-O", "^has_journal"], message_size="150MB", space_percent="10")
    with smtplib.SMTP("127.0.0.1", gw.port, timeout=60) as client:
        client.helo("client.example")
        client.mail("alice@example.co.jp")
        client.rcpt("bob@partner.example")
        assert client.data(b"Subject: large\r\n\r\n" + (b"x" * 998 + b"\r\n") * 80000)[0] == 452
    assert free(gw) > 20 << 20  # nothing of it is left
    assert reply_code(gw, "small") == 250
