"""What "make up" and "make down" promise."""
import grp
import os
import pwd
import re
import shutil
import signal
import smtplib
import socket
import ssl
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import INSTANCE, REPO, SERVICES, Gateway, clean_env, free_port, wait_for

IS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not IS_ROOT, reason="root is missing")
USERS = {
    "seki-auth": "sekia",
    "seki-smtpd": "sekid", "seki-queue": "sekiq", "seki-scan": "sekis", "seki-hold": "sekih",
    "seki-encrypt": "seke", "seki-stagger": "sekit", "seki-deliver": "sekir",
}


def table(name: str) -> list[list[str]]:
    lines = (REPO / "services" / name).read_text().splitlines()
    return [words for line in lines if (words := line.split("#")[0].split())]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def processes(root: Path) -> set[int]:
    """Whatever runs a program of this instance or stands in its directories."""
    found = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        for link in ("exe", "cwd"):
            try:
                at = os.readlink(entry / link)
            except OSError:
                continue
            if at == str(root) or at.startswith(str(root) + "/"):
                found.add(int(entry.name))
    return found


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory for instances whose parent nobody else may enter."""
    path = Path(tempfile.mkdtemp(prefix="sekisho-up-", dir="/var/tmp"))
    yield path
    for marker in path.glob("**/run/instance"):
        root = marker.parent.parent
        subprocess.run([str(INSTANCE), "down"], env=clean_env(RUN=str(root)), stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=120, check=False)
    shutil.rmtree(path, ignore_errors=True)


def up(root: Path, port: int | None = None, **more: str) -> subprocess.CompletedProcess:
    words = {"RUN": str(root), **({"SMTP_PORT": str(port)} if port else {}), **more}
    if not (root / "etc/settings").exists():
        words.setdefault("SUBMISSION_PORT", str(free_port()))
    return subprocess.run([str(INSTANCE), "up"], cwd=REPO, env=clean_env(**words), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=300)


def down(root: Path) -> subprocess.CompletedProcess:
    return subprocess.run([str(INSTANCE), "down"], cwd=REPO, env=clean_env(RUN=str(root)),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)


def make_words(target: str, root: Path, port: int) -> list[str]:
    return ["make", "-s", target, f"RUN={root}", f"SMTP_PORT={port}", f"SUBMISSION_PORT={free_port()}", "PRESET=none"]


def test_make_up_sends_a_sample_and_says_where(place: Path) -> None:
    port = free_port()
    root = place / "run"
    done = subprocess.run(make_words("up", root, port), cwd=REPO, env=clean_env(), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    files = list((root / "outbox/new").iterdir())
    assert len(files) == 1
    assert b"Subject: Sekisho sample" in files[0].read_bytes()
    for text in (str(files[0]), f"127.0.0.1:{port}", str(root / "etc"), str(root / "log"), "make down"):
        assert text in done.stdout
    ident = re.search(r"\bid ([0-9a-f]{32})\b", done.stdout)
    assert ident, done.stdout
    assert any(ident.group(1) in p.name for p in (root / "spool/sent").iterdir())

    done = subprocess.run(make_words("down", root, port), cwd=REPO, env=clean_env(), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not processes(root)


def held_sample(root: Path, said: str) -> str:
    """The id of the sample message, which waits, as `make up` has said."""
    [leg] = (root / "spool/hold").iterdir()
    ident = leg.name.split(".")[1]
    assert str(leg) in said and not samples(root)
    return ident


def samples(root: Path) -> list[Path]:
    """Sample messages that were delivered; a notice to their sender is none."""
    return [p for p in (root / "outbox/new").iterdir() if b"\nSubject: Sekisho sample" in p.read_bytes()]


def test_make_up_begins_with_rules(place: Path) -> None:
    """S2-22: of itself it is the preset standard: the sample waits for five minutes, and what it says lets it go."""
    root, web = place / "run", free_port()
    done = up(root, free_port(), WEB_PORT=str(web))
    assert done.returncode == 0, done.stdout + done.stderr
    ident = held_sample(root, done.stdout)
    assert "preset standard" in (root / "etc/policy/README").read_text().splitlines()
    assert f"web-url http://127.0.0.1:{web}" in (root / "etc/settings").read_text().splitlines()
    [link] = re.findall(r"^  (http://\S+)$", done.stdout, flags=re.M)
    assert re.fullmatch(rf"http://127\.0\.0\.1:{web}/gate/m/\?[\w-]{{60}}", link)
    for word in ("release", "discard", "why"):
        assert f"  {root}/bin/seki {word} {ident}\n" in done.stdout
    assert f"  {root}/bin/seki list hold\n" in done.stdout
    said = re.search(rf"^  (\S+/bin/seki) release ({ident})$", done.stdout, flags=re.M)
    env = clean_env(SEKISHO_ROOT=str(root))
    released = subprocess.run([said.group(1), "release", said.group(2)], env=env, capture_output=True, text=True, timeout=60)
    assert released.returncode == 0, released.stdout + released.stderr
    wait_for(lambda: samples(root), 15, "the sample")


def test_a_second_make_up_keeps_its_rules(place: Path) -> None:
    """With rules, or without: what it began with stays, and PRESET= is told so."""
    for preset, begun in (("", "standard"), ("none", "none")):
        root = place / begun
        assert up(root, free_port(), PRESET=preset).returncode == 0
        for name in ("must/50-outsiders", "tests/standard.test"):
            (root / "etc/policy" / name).unlink(missing_ok=True)
        (root / "etc/policy/must/50-mine").write_text("rule mine\n    to external\n    do hold 3m\n")
        before = sorted(p.name for p in (root / "etc/policy/must").iterdir())
        for more in ({}, {"PRESET": "self"}):
            done = up(root, **more)
            assert done.returncode == 0, done.stdout + done.stderr
            assert sorted(p.name for p in (root / "etc/policy/must").iterdir()) == before
            assert not (root / "etc/policy/tests/standard.test").exists()
            assert ("has its rules already" in done.stderr) == bool(more)
        assert f"preset {begun}" in (root / "etc/policy/README").read_text().splitlines()


def test_a_prepared_etc_gets_no_rules_unasked(place: Path) -> None:
    root = place / "run"
    (root / "etc").mkdir(parents=True)
    (root / "etc/settings").write_text(f"trial yes\nsmtp-listen 127.0.0.1:{free_port()}\nroute maildir:outbox\n")
    done = up(root, SUBMISSION_PORT="")
    assert done.returncode == 0, done.stdout + done.stderr
    assert list((root / "etc/policy/must").iterdir()) == [] and len(samples(root)) == 1


def test_it_takes_seconds_when_built(place: Path) -> None:
    assert up(place / "warm", free_port()).returncode == 0
    down(place / "warm")
    begun = time.monotonic()
    assert up(place / "a", free_port()).returncode == 0
    assert down(place / "a").returncode == 0
    assert time.monotonic() - begun < 15


@needs_root
def test_parent_that_others_may_not_enter(place: Path) -> None:
    os.chmod(place, 0o700)
    done = up(place / "run", free_port())
    assert done.returncode == 0, done.stdout + done.stderr
    assert mode(place) == 0o700


@needs_root
def test_run_of_mode_0700_becomes_0711(place: Path) -> None:
    (place / "run").mkdir(mode=0o700)
    assert up(place / "run", free_port()).returncode == 0
    assert mode(place / "run") == 0o711


def test_two_side_by_side_and_down_stops_only_its_own(place: Path) -> None:
    first, second = place / "a", place / "b"
    ports = free_port(), free_port()
    assert up(first, ports[0]).returncode == 0
    assert up(second, ports[1]).returncode == 0
    theirs = processes(second)
    assert len(theirs) >= 2 * len(SERVICES)
    assert down(first).returncode == 0
    assert not processes(first)
    assert processes(second) == theirs
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", ports[0]), timeout=5)
    with socket.create_connection(("127.0.0.1", ports[1]), timeout=5) as s:
        assert s.recv(100).startswith(b"220 ")


def test_down_ends_what_outlived_its_supervisor(place: Path) -> None:
    root = place / "run"
    assert up(root, free_port()).returncode == 0
    os.kill(int((root / "run/svscan.pid").read_text()), signal.SIGKILL)
    assert down(root).returncode == 0
    assert not processes(root)
    assert up(root).returncode == 0


def test_down_believes_no_pid_that_is_another_process(place: Path) -> None:
    root = place / "run"
    assert up(root, free_port()).returncode == 0
    assert down(root).returncode == 0
    with subprocess.Popen(["sleep", "60"]) as other:
        (root / "run/svscan.pid").write_text(f"{other.pid}\n")
        assert down(root).returncode == 0
        assert other.poll() is None
        other.kill()


def test_a_directory_that_is_no_instance_is_left_alone(place: Path) -> None:
    """A slip like RUN=/usr: no file is written and no process ended there."""
    other = place / "other"
    (other / "bin").mkdir(parents=True)
    (other / "etc").mkdir()
    shutil.copy("/bin/sleep", other / "bin/seki-queue")
    with subprocess.Popen([str(other / "bin/seki-queue"), "60"]) as process:
        done = up(other, free_port())
        assert done.returncode != 0
        assert "neither empty nor an instance" in done.stderr
        assert down(other).returncode == 0
        assert process.poll() is None
        process.kill()
    assert sorted(p.name for p in other.iterdir()) == ["bin", "etc"]


@pytest.mark.parametrize("command", ["up", "down"])
def test_nothing_left_running_holds_input_or_output(place: Path, command: str) -> None:
    """`make up | cat` and `x=$(make up)` return, and so does a reader of standard error."""
    words = " ".join(make_words(command, place / "run", free_port()))
    if command == "down":
        assert up(place / "run", free_port()).returncode == 0
    for form in (f"{words} 2>&1 | cat >/dev/null", f"x=$({words} 2>&1); test -n \"$x\"", f"{words} 7>&1 8>&1 | cat"):
        subprocess.run(["bash", "-c", form], cwd=REPO, env=clean_env(), check=True, timeout=120,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def test_second_up_keeps_what_was_edited(place: Path) -> None:
    root, port = place / "run", free_port()
    assert up(root, port).returncode == 0
    assert down(root).returncode == 0
    settings = (root / "etc/settings").read_text() + "# mine\nsmtp-errors 7\n"
    relay = "127.0.0.0/8 @example.co.jp  # mine\n"
    (root / "etc/settings").write_text(settings)
    (root / "etc/relay").write_text(relay)
    assert up(root).returncode == 0
    assert (root / "etc/settings").read_text() == settings
    assert (root / "etc/relay").read_text() == relay
    # A port that is given is written where the old one stood, and nothing else changes.
    other = free_port()
    done = up(root, other)
    assert done.returncode == 0
    assert "Already up" in done.stdout and "seki-smtpd" in done.stdout
    assert (root / "etc/settings").read_text() == settings.replace(f":{port}", f":{other}")
    with socket.create_connection(("127.0.0.1", other), timeout=5) as s:
        assert s.recv(100).startswith(b"220 ")


def test_up_on_a_running_instance_changes_nothing(place: Path) -> None:
    root = place / "run"
    assert up(root, free_port()).returncode == 0
    before = processes(root)
    done = up(root)
    assert done.returncode == 0
    assert "Already up" in done.stdout
    # What told of the sample mail may have ended meanwhile; nothing was started again.
    assert processes(root) <= before


def test_up_restarts_a_service_whose_program_changed(place: Path) -> None:
    gw = Gateway(place / "run", free_port()).start()
    before = {name: gw.pid(name) for name in SERVICES}
    program = gw.root / "bin/seki-hold"
    other = program.with_name("other")
    other.write_bytes(program.read_bytes() + b"\n")
    os.chmod(other, 0o755)
    os.replace(other, program)
    done = gw.instance("up")
    assert done.returncode == 0, done.stdout + done.stderr
    after = {name: gw.pid(name) for name in SERVICES}
    assert [name for name in SERVICES if after[name] != before[name]] == ["seki-hold"]
    gw.stop()


def test_two_ups_at_once(place: Path) -> None:
    port = free_port()
    words = clean_env(RUN=str(place / "run"), SMTP_PORT=str(port), SUBMISSION_PORT=str(free_port()))
    both = [subprocess.Popen([str(INSTANCE), "up"], env=words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True) for _ in range(2)]
    said = [p.communicate(timeout=300)[0] for p in both]
    assert [p.returncode for p in both] == [0, 0], said
    assert sorted("Already up" in text for text in said) == [False, True]


def test_port_in_use(place: Path) -> None:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        port = s.getsockname()[1]
        done = up(place / "run", port)
    assert done.returncode != 0
    assert f"port {port} on 127.0.0.1 is in use" in done.stderr
    assert not processes(place / "run")


def test_submission_port_in_use(place: Path) -> None:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        port = s.getsockname()[1]
        done = up(place / "run", free_port(), SUBMISSION_PORT=str(port))
    assert done.returncode != 0
    assert f"port {port} on 127.0.0.1 is in use by something else; make up SUBMISSION_PORT=" in done.stderr
    assert not processes(place / "run")


def test_submission_is_left_off_when_its_usual_port_is_taken(place: Path) -> None:
    """Nobody asked for 2587: the gateway comes up without it, and says so."""
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", 2587))
            s.listen()
        except OSError:
            pass  # somebody else has it: the same
        done = up(place / "run", free_port(), SUBMISSION_PORT="")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Port 2587 on 127.0.0.1 is in use: no submission" in done.stderr
    assert "#submission-listen -" in (place / "run/etc/settings").read_text().splitlines()
    assert "swaks" not in done.stdout


def test_submission_port_is_written_and_told(place: Path) -> None:
    """S2-43: users hand in mail by TLS and password; make up says how to try it."""
    root, ports = place / "run", [free_port(), free_port()]
    done = up(root, free_port(), SUBMISSION_PORT=str(ports[0]))
    assert done.returncode == 0, done.stdout + done.stderr
    for text in (f"{root}/bin/seki passwd alice@example.co.jp", f"swaks --server 127.0.0.1:{ports[0]} --tls"):
        assert text in done.stdout
    done = up(root, SUBMISSION_PORT=str(ports[1]))
    assert done.returncode == 0, done.stdout + done.stderr
    subprocess.run([str(root / "bin/seki"), "passwd", "alice@example.co.jp"], env=clean_env(SEKISHO_ROOT=str(root)),
                   input="a long secret\n", text=True, check=True, capture_output=True, timeout=60)
    with smtplib.SMTP("localhost", ports[1], timeout=60) as smtp:
        smtp.starttls(context=ssl.create_default_context(cafile=str(root / "etc/tls/default.crt")))
        smtp.login("alice@example.co.jp", "a long secret")
        smtp.sendmail("alice@example.co.jp", ["bob@partner.example"], "From: alice@example.co.jp\r\n\r\nby login\r\n")
    lines = (root / "etc/settings").read_text().splitlines()
    assert [line for line in lines if line.startswith("submission-listen")] == [f"submission-listen 127.0.0.1:{ports[1]}"]


def test_trial_has_a_certificate_of_its_own(place: Path) -> None:
    """S4: made once, for this machine's names, its key for seki-smtpd alone; one that is there is not touched."""
    root = place / "run"
    assert up(root, free_port()).returncode == 0
    crt, key = root / "etc/tls/default.crt", root / "etc/tls/default.key"
    said = subprocess.run(["openssl", "x509", "-in", str(crt), "-noout", "-text"], capture_output=True, text=True,
                          check=True, timeout=30).stdout
    for text in ("CN = localhost", "DNS:localhost", f"DNS:{os.uname().nodename}", "IP Address:127.0.0.1",
                 "ASN1 OID: prime256v1"):
        assert text in said
    days = subprocess.run(["openssl", "x509", "-in", str(crt), "-noout", "-checkend", str(824 * 86400)], timeout=30)
    assert days.returncode == 0
    assert (mode(crt), mode(key), mode(crt.parent)) == (0o644, 0o640, 0o750)
    if IS_ROOT:
        assert key.group() == "sekid" and crt.parent.group() == "sekid" and key.owner() == "root"
    before = crt.read_bytes(), key.read_bytes()
    assert up(root).returncode == 0
    assert (crt.read_bytes(), key.read_bytes()) == before


@pytest.mark.parametrize("words, said", [
    ({"PRESET": "wrong"}, "PRESET=wrong"),
    ({"ROUTE": "nonsense"}, "maildir:PATH"),
    ({"SMTP_PORT": "70000"}, "SMTP_PORT=70000"),
    ({"SMTP_PORT": "smtp"}, "SMTP_PORT=smtp"),
    ({"SUBMISSION_PORT": "x"}, "SUBMISSION_PORT=x"),
    ({"WEB_PORT": "0"}, "WEB_PORT=0"),
])
def test_wrong_words(place: Path, words: dict[str, str], said: str) -> None:
    done = up(place / "run", **{"SMTP_PORT": str(free_port()), **words})
    assert done.returncode == 100
    assert said in done.stderr
    assert not (place / "run").exists()


def test_a_failure_is_one_sentence_and_leaves_nothing_running(place: Path) -> None:
    root = place / "run"
    (root / "etc").mkdir(parents=True)
    (root / "etc/settings").write_text(f"trial yes\nsmtp-listen 127.0.0.1:{free_port()}\nno-such-setting 1\n")
    done = up(root)
    assert done.returncode != 0
    last = done.stderr.rstrip().splitlines()[-1]
    assert re.match(r"services/instance: the configuration in /\S+/etc is wrong: etc/settings:3:1: ", last), done.stderr
    assert not processes(root)


@needs_root
def test_tree_equals_the_layout(gateway: Gateway) -> None:
    for path, wanted, owner, group in table("layout"):
        full = gateway.root / path
        assert full.is_dir() == path.endswith("/"), path
        info = full.lstat()
        seen = (f"{stat.S_IMODE(info.st_mode):04o}", pwd.getpwuid(info.st_uid).pw_name, grp.getgrgid(info.st_gid).gr_name)
        assert seen == (wanted, owner, group), path
    # And nothing is there that the layout does not name, but what the programs make.
    known = {line[0].rstrip("/") for line in table("layout")}
    for folder in ("", "spool", "spool/split", "log", "run/taken"):
        for entry in (gateway.root / folder).iterdir():
            name = str(entry.relative_to(gateway.root))
            assert name in known or name in ("log/build", "log/svscan"), name


@needs_root
def test_users_are_as_the_table_says() -> None:
    for kind, name, *rest in table("users"):
        if kind == "group":
            grp.getgrnam(name)
            continue
        entry = pwd.getpwnam(name)
        primary, extra = rest[0], set() if rest[1] == "-" else set(rest[1].split(","))
        assert grp.getgrgid(entry.pw_gid).gr_name == primary, name
        assert {g.gr_name for g in grp.getgrall() if name in g.gr_mem} == extra, name
        assert entry.pw_shell.endswith("nologin") and entry.pw_uid < 1000, name


@needs_root
def test_every_service_drops_to_its_user(gateway: Gateway) -> None:
    for name, user in USERS.items():
        status = Path(f"/proc/{gateway.pid(name)}/status").read_text()
        uids = re.search(r"^Uid:\s+(.*)$", status, flags=re.M).group(1).split()
        gids = re.search(r"^Gid:\s+(.*)$", status, flags=re.M).group(1).split()
        groups = set(re.search(r"^Groups:[ \t]*(.*)$", status, flags=re.M).group(1).split())
        entry = pwd.getpwnam(user)
        assert set(uids) == {str(entry.pw_uid)}, name
        assert set(gids) == {str(entry.pw_gid)}, name
        allowed = {str(g.gr_gid) for g in grp.getgrall() if user in g.gr_mem} | {str(entry.pw_gid)}
        assert groups <= allowed, name
        assert re.search(r"^CapEff:\s+0+$", status, flags=re.M), name


@needs_root
def test_every_logger_drops_to_its_user(gateway: Gateway) -> None:
    for name in SERVICES:
        status = Path(f"/proc/{gateway.pid(name + '/log')}/status").read_text()
        assert f"Uid:\t{pwd.getpwnam('sekil').pw_uid}\t" in status, name


@needs_root
def test_environment_is_clean(gateway: Gateway) -> None:
    """No variable of whoever said "make up" reaches a program: no password, token or key (I6)."""
    allowed = {"PATH", "LC_ALL", "UID", "GID", "GIDLIST", "TZ"}
    for name in SERVICES:
        for service in (name, name + "/log"):
            raw = Path(f"/proc/{gateway.pid(service)}/environ").read_bytes()
            names = {item.split(b"=")[0].decode() for item in raw.split(b"\0") if item}
            assert names <= allowed, service


def test_every_service_comes_back(fresh_gateway) -> None:
    gw = fresh_gateway()
    for name in SERVICES:
        old = gw.pid(name)
        gw.svc("-k", name)
        wait_for(lambda: gw.state(name, "pid") not in ("-1", str(old)), 15, f"{name} comes back")
    gw.wait_ready()
    gw.send("Subject: after\r\n\r\nall were killed\r\n")
    gw.wait_delivered(lambda mail: b"all were killed" in mail)
    assert "event=ended service=seki-queue code=256 signal=9" in gw.log("seki-queue")


def test_a_wrong_configuration_stays_down_until_it_is_mended(fresh_gateway) -> None:
    gw = fresh_gateway()
    good = (gw.root / "etc/settings").read_text()
    gw.setting(no_such_setting="1")
    gw.svc("-r", "seki-hold")
    wait_for(lambda: gw.state("seki-hold", "up,wantedup") == "false false", 15, "seki-hold stays down")
    assert gw.state("seki-hold", "exitcode") == "102"
    assert "next=down" in gw.log("seki-hold")
    (gw.root / "etc/settings").write_text(good)
    done = gw.instance("up")
    gw.svc("-u", "seki-hold")
    gw.wait_ready("seki-hold")
    assert done.returncode in (0, 111)


def test_logs_are_rotated_and_timed(gateway: Gateway) -> None:
    for name in SERVICES:
        script = (gateway.root / "service" / name / "log/run").read_text()
        assert f"n20 s1000000 T ./log/{name}" in script
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+  event=", gateway.log("seki-queue"))


@needs_root
def test_without_root(place: Path) -> None:
    """On a copied tree, under a user who is nobody: everything as that user, and it says so."""
    tree = place / "tree"
    # What git would have, and what "make" has built; a second later it must not be built again.
    kept = {"bin", "lib", "queue"}
    shutil.copytree(REPO, tree, symlinks=True, ignore=lambda folder, names: [
        n for n in names if (Path(folder) == REPO and n in (".git", "run"))
        or (Path(folder) == REPO / "build" and n not in kept and not n.endswith(".a"))])
    os.chmod(place, 0o711)
    subprocess.run(["chown", "-R", "nobody:nogroup", str(tree)], check=True)
    port, submission = free_port(), free_port()

    def as_nobody(action: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "make", "-s", action, f"SMTP_PORT={port}",
             f"SUBMISSION_PORT={submission}", "PRESET=none"],
            cwd=tree, env=clean_env(HOME="/nonexistent"), stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=400)

    done = as_nobody("up")
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Without root" in done.stdout
        owner = pwd.getpwnam("nobody").pw_uid
        assert {os.stat(f"/proc/{pid}").st_uid for pid in processes(tree / "run")} <= {owner, 0}
        for path, wanted, _, _ in table("layout"):
            full = tree / "run" / path
            assert f"{mode(full):04o}" == wanted, path
            assert full.stat().st_uid == owner, path
        assert list((tree / "run/outbox/new").iterdir())
    finally:
        done = as_nobody("down")
    assert done.returncode == 0, done.stdout + done.stderr
    wait_for(lambda: not processes(tree / "run"), 15, "all ended")


def test_no_virtual_clock_in_what_is_installed() -> None:
    """The virtual clock is in the test build, and only there."""
    assert (REPO / "build/testing/bin/seki-hold").exists(), "make TESTING=1 comes first"
    for name in [*SERVICES, "seki"]:
        installed = (REPO / "build/bin" / name).read_bytes()
        assert b"SEKISHO_CLOCK" not in installed and b"run/clock" not in installed, name
    for name in SERVICES[1:]:
        assert b"SEKISHO_CLOCK" in (REPO / "build/testing/bin" / name).read_bytes(), name
