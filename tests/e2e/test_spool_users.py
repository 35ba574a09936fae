"""The real users on the real directories: what the state table of queue/README.md lets each do, and
what it refuses to everybody else. I3, I6: who may not see or move mail cannot."""
import errno
import os
import pwd
from collections.abc import Callable

import pytest

from test_spool_kit import OWNER, due, leg, mail, new_id, own, stamp

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="other users need root")

STAGES = ["sekis", "sekih", "seke", "sekit", "sekir"]
OUTSIDERS = ["sekid", "sekix", "sekil", "nobody"]
EVERYBODY = ["sekiq", *STAGES, *OUTSIDERS]
SPLIT = {"scan": "sekis", "hold": "sekih", "encrypt": "seke", "deliver": "sekir"}
DENIED = (errno.EACCES, errno.EPERM)
points = 0


@pytest.fixture(scope="module")
def spool():
    """The directories of an instance that nobody works in."""
    from conftest import prepare
    made = prepare().start()
    try:
        made.down()
        yield made.root / "spool"
    finally:
        made.stop()
        print(f"\npoints: {points} calls under {len(EVERYBODY)} users")


def as_user(user: str, call: Callable[[], object]) -> int:
    """The errno of a call made by a child that is this user, with his groups and nothing else; 0: done."""
    global points
    points += 1
    entry = pwd.getpwnam(user)
    child = os.fork()
    if child == 0:
        code = 255
        try:
            os.setgroups(os.getgrouplist(user, entry.pw_gid))
            os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
            os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)
            call()
            code = 0
        except OSError as error:
            code = error.errno
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def allowed(user: str, call: Callable[[], object], what: str) -> None:
    code = as_user(user, call)
    assert code == 0, f"{user} cannot {what}: {os.strerror(code)}"


def denied(user: str, call: Callable[[], object], what: str) -> None:
    code = as_user(user, call)
    assert code in DENIED, f"{user} can {what}" if code == 0 else f"{user}, {what}: {os.strerror(code)}"


def one_leg(spool, state: str, owner: str = "sekiq", group: str | None = None):
    """A leg that stands in a state, owned as seki-queue leaves it."""
    path = spool / state / (f"{due()}.{new_id()}.1")
    path.write_bytes(leg(new_id(), mail("users")))
    own(path, owner)
    if group:
        os.chown(path, -1, __import__("grp").getgrnam(group).gr_gid)
    os.chmod(path, 0o660)
    return path


def append_and_cut(path) -> None:
    """As spool_append does it: no O_CREAT, one write, a cut."""
    fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW)
    size = os.fstat(fd).st_size
    os.write(fd, f"{stamp()} note\n".encode())
    os.ftruncate(fd, size)
    os.fsync(fd)


def test_only_the_owner_lists(spool):
    for state, owner in OWNER.items():
        for user in EVERYBODY:
            check = allowed if user == owner else denied
            check(user, lambda: os.listdir(spool / state), f"list {state}/")
    for stage, owner in SPLIT.items():
        for user in EVERYBODY:
            check = allowed if user == owner else denied
            check(user, lambda: os.listdir(spool / "split" / stage), f"list split/{stage}/")


def test_only_the_owner_takes_out(spool):
    """The rename of a transition, and the unlink of retention. (Every leg here is seki-queue's, as
    those that have never been divided are.)"""
    for state, owner in OWNER.items():
        if state == "tmp":
            continue
        for user in [u for u in EVERYBODY if u != owner and not (u == "sekiq" and state == "new")]:
            path = one_leg(spool, state)
            for target in ("new", "deliver", "bad"):
                denied(user, lambda: os.rename(path, spool / target / "taken"), f"move from {state}/ to {target}/")
            denied(user, lambda: os.unlink(path), f"unlink in {state}/")
            denied(user, lambda: os.rename(path, path.with_name("x")), f"rename in {state}/")
            assert path.exists()
            path.unlink()
        path = one_leg(spool, state)
        allowed(owner, lambda: os.rename(path, path.with_name("renamed")), f"rename in {state}/")
        allowed(owner, lambda: os.unlink(path.with_name("renamed")), f"unlink in {state}/")


def test_every_stage_moves_on(spool):
    """From each stage's own directories into every state, and into its own split/; nobody else can put
    anything anywhere."""
    for state, owner in OWNER.items():
        if owner not in STAGES:
            continue
        for target in [t for t in OWNER if t != "tmp"]:
            path = one_leg(spool, state, group="seki-in")
            there = spool / target / path.name.replace(".1", ".1.1")
            allowed(owner, lambda: os.rename(path, there), f"move from {state}/ to {target}/")
            there.unlink()
        path = one_leg(spool, state)
        denied(owner, lambda: os.rename(path, spool / "tmp/x"), "move into tmp/")
        path.unlink()
    for state in OWNER:
        for user in OUTSIDERS:
            denied(user, lambda: (spool / state / "intruder").write_bytes(b"x"), f"make a file in {state}/")


def test_legs_are_read_and_appended_by_stages(spool):
    for state in [s for s in OWNER if s != "tmp"]:
        for kind in (("sekiq", "seki-in"), ("sekis", "seki")):  # as received; as divided
            path = one_leg(spool, state, *kind)
            for user in STAGES:
                allowed(user, lambda: append_and_cut(path), f"append in {state}/")
            for user in OUTSIDERS:
                denied(user, lambda: os.open(path, os.O_RDONLY), f"read in {state}/")
                denied(user, lambda: append_and_cut(path), f"append in {state}/")
                denied(user, lambda: os.stat(path), f"look at a name in {state}/")
            if state != "new":
                denied("sekiq", lambda: os.open(path, os.O_RDONLY), f"read in {state}/")
            path.unlink()


def test_the_queue_reaches_tmp_and_new_only(spool):
    def accept() -> None:
        path = spool / "tmp" / f"{new_id()}.1"
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o660)
        os.write(fd, b"x")
        os.fsync(fd)
        os.rename(path, spool / "new" / "accepted")

    allowed("sekiq", accept, "accept")
    (spool / "new/accepted").unlink()
    allowed("sekiq", lambda: (spool / "tmp/x").write_bytes(b"x"), "write in tmp/")
    for state in [s for s in OWNER if s not in ("tmp", "new")]:
        denied("sekiq", lambda: os.rename(spool / "tmp/x", spool / state / "x"), f"move into {state}/")
        denied("sekiq", lambda: (spool / state / "x").write_bytes(b"x"), f"make a file in {state}/")
    for user in [*STAGES, *OUTSIDERS]:
        denied(user, lambda: os.open(spool / "tmp/x", os.O_RDONLY), "read in tmp/")
        denied(user, lambda: os.unlink(spool / "tmp/x"), "unlink in tmp/")
        denied(user, lambda: (spool / "tmp/y").write_bytes(b"x"), "make a file in tmp/")
    allowed("sekiq", lambda: os.unlink(spool / "tmp/x"), "unlink in tmp/")


def test_divisions_are_their_stage_s(spool):
    """Make, sync, commit, move on, unlink: only the stage itself."""
    for stage, owner in SPLIT.items():
        folder = spool / "split" / stage
        state = {"scan": "new", "hold": "hold", "encrypt": "encrypt", "deliver": "deliver"}[stage]
        parent = one_leg(spool, state)

        def divide() -> None:
            fd = os.open(folder / ".child", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o660)
            os.write(fd, b"x")
            os.fsync(fd)
            os.rename(parent, folder / "parent")
            os.rename(folder / ".child", spool / "deliver" / "child")
            os.unlink(folder / "parent")

        for user in [u for u in EVERYBODY if u != owner]:
            denied(user, lambda: (folder / "x").write_bytes(b"x"), f"make a file in split/{stage}/")
            denied(user, lambda: os.rename(parent, folder / "parent"), f"commit into split/{stage}/")
        allowed(owner, divide, f"divide in split/{stage}/")
        (spool / "deliver/child").unlink()


def test_nobody_else_enters_what_is_beside_the_spool(spool):
    root = spool.parent
    for user in EVERYBODY:
        check = allowed if user in STAGES else denied
        check(user, lambda: (root / "lib/clock" / f"seki-{user}").write_bytes(b"x"), "write a clock's mark")
        denied(user, lambda: (root / "lib/freeze").write_bytes(b"all\n"), "press the red button")
        denied(user, lambda: (root / "etc/settings").write_bytes(b""), "write the settings")
        denied(user, lambda: (root / "bin/seki").write_bytes(b""), "write a program")
    for user in [u for u in EVERYBODY if u not in ("sekiq", "sekid")]:
        denied(user, lambda: os.stat(root / "run/queue/socket"), "reach the queue's door")
    for user in [u for u in EVERYBODY if u != "sekil"]:
        denied(user, lambda: os.listdir(root / "log/seki-queue"), "list the logs")
