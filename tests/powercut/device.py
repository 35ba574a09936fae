"""A disk that is recorded, and rebuilt as a power cut could have left it at any moment.

A flush makes everything before it stable. Of what was written after it any part may be on the
disk, and because any part may be missing, in any order. A piece of 4 KiB is there or it is not.
"""
import os
import random
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
BLOCK = 4096
SIZE = {"ext4": 64 << 20, "xfs": 300 << 20}  # mkfs.xfs makes nothing smaller
MKFS = {
    # Nothing is left to be initialised in the background: every write is the programs' doing.
    "ext4": ["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0"],
    "xfs": ["mkfs.xfs", "-q", "-f"],
}
MOUNT = {"ext4": "loop", "xfs": "loop,nouuid"}


class Fault(Exception):
    """The test itself could not do its work."""


def command(*argv):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise Fault("%s: %s" % (argv[0], done.stdout.strip()))


# ---- mounting ----------------------------------------------------------------------------------


@contextmanager
def mounted(image, fs, where):
    """The loop device is mount's own: it goes away with the mount."""
    command("mount", "-n", "-t", fs, "-o", MOUNT[fs], str(image), str(where))
    try:
        yield where
    finally:
        unmount(where)


def unmount(where):
    for _ in range(50):
        if subprocess.run(["umount", "-n", str(where)], stderr=subprocess.DEVNULL).returncode == 0:
            return
        time.sleep(0.05)
    raise Fault("%s is still in use" % where)


def make(fs, image, where, fill):
    """A fresh file system, in which `fill` has put what is to be there before the recording."""
    with open(image, "wb") as f:
        f.truncate(SIZE[fs])
    command(*MKFS[fs], str(image))
    with mounted(image, fs, where):
        fill(where)


# ---- recording ---------------------------------------------------------------------------------


@contextmanager
def recorded(fs, base, log, work):
    """Mounts a copy of `base` whose every write and flush goes to `log`. Yields the mount.

    What is in memory at the end is written by the unmounting, and that is recorded too.
    """
    live, fuse, mnt, ready = work / "live.img", work / "fuse", work / "recorded", work / "ready"
    Disk(base).store(live)
    log.write_bytes(b"")
    fuse.mkdir()
    mnt.mkdir()
    device = subprocess.Popen(
        ["nbdfuse", "-P", str(ready), str(fuse / "disk"), "--command", "nbdkit", "-s",
         "--exit-with-parent", "python", str(HERE / "logdisk.py"), "image=%s" % live, "log=%s" % log],
        stdin=subprocess.DEVNULL)
    try:
        await_file(ready, device)
        with mounted(fuse / "disk", fs, mnt):
            yield mnt
        unmount(fuse)
        device.wait(timeout=20)
    finally:
        device.kill()
        device.wait()
        live.unlink()


def await_file(path, process):
    until = time.monotonic() + 20
    while not path.exists():
        if process.poll() is not None or time.monotonic() > until:
            raise Fault("nbdfuse did not start")
        time.sleep(0.02)


def read_log(path):
    """The records: ("W", offset, bytes), ("F", 0, b"") or ("A", 0, text)."""
    records = []
    with open(path, "rb") as f:
        for line in f:
            kind, *words = line.split()
            if kind == b"W":
                offset, length = map(int, words)
                data = f.read(length)
                if len(data) != length:
                    raise Fault("the log ends within a write")
                records.append(("W", offset, data))
            elif kind == b"F":
                records.append(("F", 0, b""))
            elif kind == b"A":
                records.append(("A", 0, line[2:-1].decode()))
            else:
                raise Fault("damaged log: %r" % line[:60])
    return records


# ---- replaying ---------------------------------------------------------------------------------


class Disk:
    """What a disk holds: its blocks that are not all zeros."""

    def __init__(self, image=None):
        self.blocks = {}
        self.size = 0
        if image is not None:
            self.size = os.stat(image).st_size
            self.load(image)

    def load(self, image):
        with open(image, "rb", buffering=0) as f:
            for start, end in extents(f.fileno(), self.size):
                for at in range(start - start % BLOCK, end, BLOCK):
                    block = os.pread(f.fileno(), BLOCK, at)
                    if block.count(0) != len(block):
                        self.blocks[at] = block

    def copy(self):
        other = Disk()
        other.size, other.blocks = self.size, dict(self.blocks)
        return other

    def write(self, piece):
        offset, data = piece
        at, skip = offset - offset % BLOCK, offset % BLOCK
        if len(data) < BLOCK:
            old = self.blocks.get(at, bytes(BLOCK))
            data = old[:skip] + data + old[skip + len(data):]
        self.blocks[at] = data

    def store(self, image):
        """Always a new file: what the kernel still holds of an old one is not seen again."""
        image.unlink(missing_ok=True)
        with open(image, "xb", buffering=0) as f:
            f.truncate(self.size)
            run, start = [], 0
            for at in sorted(self.blocks):
                if run and (at != start + len(run) * BLOCK or len(run) == 512):
                    os.pwritev(f.fileno(), run, start)
                    run = []
                start = start if run else at
                run.append(self.blocks[at])
            if run:
                os.pwritev(f.fileno(), run, start)


def extents(fd, size):
    end = 0
    while end < size:
        try:
            start = os.lseek(fd, end, os.SEEK_DATA)
        except OSError:  # nothing but a hole from here on
            return
        end = os.lseek(fd, start, os.SEEK_HOLE)
        yield start, end


def pieces(offset, data):
    """A write, cut where the disk may tear it."""
    at = 0
    while at < len(data):
        length = BLOCK - (offset + at) % BLOCK
        yield offset + at, data[at:at + length]
        at += length


def epochs(records):
    """What came between two flushes: (its pieces, its cuts). A cut is (pieces, promises) by then."""
    written, cuts, promises = [], [(0, 0)], 0
    for kind, offset, data in records:
        if kind == "F":
            yield written, cuts
            written, cuts = [], []
            continue
        if kind == "W":
            written += pieces(offset, data)
        else:
            promises += 1
        cuts.append((len(written), promises))
    yield written, cuts


def parts(written, cuts, n, rnd):
    """n random parts of an epoch: all but one piece, one alone, few, half, nearly all."""
    cuts = [cut for cut in cuts if cut[0] > 1]
    for _ in range(n if cuts else 0):
        count, promises = cuts[-1] if rnd.random() < 0.5 else rnd.choice(cuts)
        one, how = rnd.randrange(count), rnd.randrange(5)
        if how == 0:
            keep = [i for i in range(count) if i != one]
        elif how == 1:
            keep = [one]
        else:
            keep = [i for i in range(count) if rnd.random() < (0.15, 0.5, 0.85)[how - 2]]
        yield [written[i] for i in keep], promises, "%d of %d pieces" % (len(keep), count)


def points(records, subsets, seed):
    """All points of a log, in its order: (pieces on the disk beside what is stable, promises, label).

    One after each write and each promise, and `subsets` random parts for each flush. None for
    the promises means: these pieces are stable from here on.
    """
    rnd = random.Random(seed)
    for number, (written, cuts) in enumerate(epochs(records)):
        for count, promises in cuts:
            yield written[:count], promises, "flush %d and %d pieces" % (number, count)
        for some, promises, label in parts(written, cuts, subsets, rnd):
            yield some, promises, "flush %d and %s" % (number, label)
        yield written, None, ""


def images(base, records, subsets, seed, most):
    """Yields (disk, promises heard, label) for at most `most` points, evenly over the log."""
    total = sum(1 for p in points(records, subsets, seed) if p[1] is not None)
    chosen = {i * total // most for i in range(most)} if total > most else set(range(total))
    heard = [text for kind, _, text in records if kind == "A"]
    stable, number = Disk(base), -1
    for some, promises, label in points(records, subsets, seed):
        number += promises is not None
        if promises is None or number in chosen:
            disk = stable if promises is None else stable.copy()
            for piece in some:
                disk.write(piece)
            if promises is not None:
                yield disk, heard[:promises], "point %d of %d (%s)" % (number, total, label)
