"""What "make install", setup and the unit promise (P: installation), on a machine of its own: a copy-on-write
view of this one, with its own processes, mounts and network, that ends with the test."""
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import REPO, build_once, clean_env, wait_for

BUILD = "build"
INSTANCE = "/var/lib/sekisho/instance"
OWN = "/usr/local/lib/sekisho"
UNIT = REPO / "services/sekisho.service"
SERVICES = sorted(p.name for p in (REPO / "services").glob("seki-*"))
MAIL = "From: alice@example.co.jp\\r\\nTo: bob@partner.example\\r\\nSubject: {}\\r\\n\\r\\ninstalled\\r\\n"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="root is missing")

# Process 1: ends when its test does, and leaves no zombies.
KEEPER = """
import os, signal
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.write(1, b"ready\\n")
while True: signal.pause()
"""
# The overlay cannot have its upper directory in what is below it: that is on a tmpfs.
MACHINE = """set -e
mount --make-rprivate /
mount -t tmpfs none "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" none "$1/root"
cd "$1/root"
mount --rbind /dev dev
mount -t proc none proc
mount -t sysfs -o ro none sys
mount -t tmpfs none run
mkdir -m 1777 run/lock
ip link set lo up
exec chroot . /usr/bin/python3 -c "$2"
"""
KILL_ALL = """
import os, signal, time
try:
    os.kill(-1, signal.SIGKILL)  # all but process 1 and this one
except ProcessLookupError:
    pass
while any(name.isdigit() and int(name) not in (1, os.getpid()) for name in os.listdir("/proc")):
    time.sleep(0.01)
"""
SEND = """
import smtplib, sys
with smtplib.SMTP("127.0.0.1", 25, timeout=60) as smtp:
    smtp.sendmail("alice@example.co.jp", ["bob@partner.example"], sys.argv[1])
"""


# A user's program: port 587, STARTTLS with a certificate that it checks, a password.
SUBMIT = """
import smtplib, ssl, sys
with smtplib.SMTP("localhost", 587, timeout=60) as smtp:
    smtp.starttls(context=ssl.create_default_context(cafile="/etc/sekisho/tls/default.crt"))
    smtp.login("alice@example.co.jp", "a long secret")
    smtp.sendmail("alice@example.co.jp", ["bob@partner.example"], sys.argv[1])
"""
# What certbot has when it calls its deploy hooks.
CERTIFICATE = """mkdir -p /etc/letsencrypt/live/localhost && chmod 0700 /etc/letsencrypt/live
cd /etc/letsencrypt/live/localhost && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 \
-subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout privkey.pem -out fullchain.pem 2>/dev/null
RENEWED_LINEAGE=$PWD /usr/local/share/sekisho/certbot-deploy"""
SHOWN = "openssl s_client -connect 127.0.0.1:587 -starttls smtp </dev/null 2>/dev/null | openssl x509 -noout -serial"


def table(name: str) -> list[list[str]]:
    lines = (REPO / "services" / name).read_text().splitlines()
    return [words for line in lines if (words := line.split("#")[0].split())]


def make(target: str, **words: str) -> list[str]:
    return ["make", "-s", "-C", str(REPO), target, f"B={BUILD}", *(f"{k}={v}" for k, v in words.items())]


def unit() -> dict[str, str]:
    return dict(re.findall(r"^(\w+)=(.*)$", UNIT.read_text(), flags=re.M))


class Machine:
    """Runs commands on the machine of its own, as its root, with nothing of our environment."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.keeper = subprocess.Popen(
            ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--propagation", "private",
             "sh", "-c", MACHINE, "sh", str(place), KEEPER],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env={"PATH": os.environ["PATH"]})
        assert self.keeper.stdout.readline() == "ready\n"
        children = Path(f"/proc/{self.keeper.pid}/task/{self.keeper.pid}/children").read_text().split()
        self.first = int(children[0])

    def words(self, *argv: str) -> list[str]:
        return ["nsenter", "-t", str(self.first), "-m", "-n", "-p", "-r", "-w", "env", "-i", "LC_ALL=C.UTF-8",
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", *argv]

    def run(self, *argv: str, code: int | None = 0, timeout: float = 120) -> str:
        """Both streams of a command; its exit code must be `code`, if that is not None."""
        done = subprocess.run(self.words(*argv), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=timeout)
        assert code is None or done.returncode == code, f"{argv}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def sh(self, script: str, code: int | None = 0) -> str:
        return self.run("sh", "-c", script, code=code)

    def path(self, name: str) -> Path:
        """A file of the machine as we see it. No links are followed there: they would lead to ours."""
        return Path(f"/proc/{self.first}/root{name}")

    def end(self) -> None:
        self.kill_all()
        if "sekisho" in self.sh("cat /proc/mounts"):
            self.sh("umount /var/spool/sekisho")  # or its loop device would stay
        self.keeper.kill()  # and with it process 1, and with that all others
        self.keeper.wait(timeout=30)
        self.keeper.stdout.close()

    def kill_all(self) -> None:
        """Every process but the first, at once."""
        self.run("python3", "-c", KILL_ALL)

    # ---- the gateway on it ----

    def spool_disk(self) -> None:
        """A small ext4 for the spool: the machine's own disk is no file system that was tested."""
        self.sh("mkdir -p /var/spool/sekisho; truncate -s 200M /var/spool.img; mkfs.ext4 -q /var/spool.img;"
                "mount -o loop /var/spool.img /var/spool/sekisho")

    def start(self, *places: str) -> subprocess.Popen:
        """What the unit's ExecStart says, with the rights and the writable places that the unit (and a drop-in) leaves it."""
        said = unit()
        rights = ",".join("+" + word.removeprefix("CAP_").lower() for word in said["CapabilityBoundingSet"].split())
        confined = (f"for p in {said['ReadWritePaths']} {' '.join(places)}; do mount --bind $p $p; done; mount -o remount,bind,ro /;"
                    "mount -t tmpfs none /tmp; echo $$ >/run/svscan.pid; mount -o remount,bind,ro /run;"
                    f"exec setpriv --bounding-set -all,{rights} {said['ExecStart']}")
        supervisor = subprocess.Popen(self.words("unshare", "--mount", "sh", "-c", confined),
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # A status that a dead supervisor left may say "ready": what counts is a program that is there.
        ready = (f"for s in {INSTANCE}/service/seki-*; do s6-svok $s && s6-svwait -U -t 10000 $s &&"
                 " [ $(basename $(readlink /proc/$(s6-svstat -o pid $s)/exe)) = ${s##*/} ] || echo ${s##*/}; done 2>/dev/null")
        late = [""]  # what was not ready when it was looked at last
        try:
            wait_for(lambda: not (late.append(self.sh(ready)) or late[-1].strip()), 60, "all ready")
        except pytest.fail.Exception as error:
            logs = self.sh(f"for s in {' '.join(late[-1].split())}; do echo $s:; tail -n 5 /var/log/sekisho/$s/current; done")
            raise AssertionError(f"not ready: {late[-1]}\n{logs}") from error
        return supervisor

    def send(self, subject: str, script: str = SEND) -> None:
        self.run("python3", "-c", script, MAIL.replace("\\r\\n", "\r\n").format(subject))

    def arrived(self, subject: str) -> str:
        return wait_for(lambda: self.sh(f"grep -lr 'Subject: {subject}' {INSTANCE}/outbox/new || :").strip(), 30, subject)

    def modes(self) -> dict[str, str]:
        paths = [line[0] for line in table("layout")]
        said = self.sh(f"cd {INSTANCE} && stat -Lc '%04a %U %G' " + " ".join(paths))
        return dict(zip(paths, said.splitlines(), strict=True))

    def everything(self) -> str:
        """Whatever a second setup could have touched, with the time of its last change."""
        return self.sh(r"find /var/lib/sekisho /etc/sekisho /var/spool/sekisho /var/log/sekisho /usr/local/lib/sekisho"
                       r" /usr/local/bin /etc/passwd /etc/group /etc/systemd ! -type d -printf '%p %m %U %G %s %l %i %C@\n' -o"
                       r" -type d -printf '%p %m %U %G %C@\n' | sort")  # an overlay's directory may get another number


@pytest.fixture
def place() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="sekisho-install-", dir="/var/tmp"))
    os.chmod(path, 0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def machine(place: Path) -> Iterator[Machine]:
    """A machine without our users and without any file of a gateway."""
    build_once(BUILD)
    made = Machine(place)
    try:
        names = " ".join({line[1] for line in table("users")})
        made.sh(f"for n in {names}; do sed -i -e \"/^$n:/d\" -e \"s/\\b$n\\b//\" /etc/passwd /etc/group /etc/shadow"
                " /etc/gshadow; done; rm -rf /usr/local/lib/sekisho /etc/sekisho /var/lib/sekisho /var/spool/sekisho")
        yield made
    finally:
        made.end()


@needs_root
def test_a_machine_from_nothing_to_mail_and_back(machine: Machine) -> None:
    """P: INSTALL's own way, from "make install" to a message on port 25, a stop, and "make uninstall"."""
    # The disk of such a machine is no ext4: it is refused in words, and nothing is in the spool yet.
    said = machine.run(*make("install"), code=None)
    assert "/var/spool/sekisho is on a file system (overlayfs) whose journal was not tested" in said, said
    assert not machine.sh("ls /var/spool/sekisho")
    machine.spool_disk()
    said = machine.run(*make("install"))
    assert "It is not running. Next:" in said and "systemctl enable --now sekisho" in said

    wanted = {path: f"{mode} {owner} {group}" for path, mode, owner, group in table("layout")}
    assert machine.modes() == wanted
    for name, target in (("etc", "/etc/sekisho"), ("spool", "/var/spool/sekisho"), ("log", "/var/log/sekisho"),
                         ("bin", f"{OWN}/bin")):
        assert machine.run("readlink", f"{INSTANCE}/{name}").strip() == target
    machine.run("systemd-analyze", "verify", "--man=no", "/etc/systemd/system/sekisho.service")

    # A second setup has nothing to do, and does nothing.
    before = machine.everything()
    assert machine.run(f"{OWN}/setup") == said[said.index("The gateway is installed"):]
    after = machine.everything()
    assert sorted(set(after.splitlines()) ^ set(before.splitlines())) == []

    machine.sh("echo 'route maildir:outbox' >>/etc/sekisho/settings")  # nothing leaves this machine
    supervisor = machine.start()
    machine.sh("echo '127.0.0.0/8 @example.co.jp' >/etc/sekisho/relay")
    machine.run("seki", "check")
    machine.run("seki", "reload")
    machine.send("first")
    machine.arrived("first")

    # Users hand in mail, too: the new port is root's to bind, so seki-smtpd is started again.
    machine.sh("printf 'hostname localhost\\nsubmission-listen *:587\\n' >>/etc/sekisho/settings")
    assert "etc/tls" in machine.run("seki", "check", code=None)
    assert "not for the gateway" in machine.sh(CERTIFICATE.replace("live/localhost", "live/www.example.co.jp"))
    machine.sh(CERTIFICATE, code=None)
    assert machine.sh("cd /etc/sekisho/tls && stat -c '%n %a %U %G' *") == (
        "default.crt 644 root root\ndefault.key 640 root sekid\n")
    machine.run("seki", "check")
    machine.sh("echo a long secret | seki passwd alice@example.co.jp")
    machine.sh(f"s6-svc -r -wR -T 20000 {INSTANCE}/service/seki-smtpd")
    machine.send("by login", SUBMIT)
    machine.arrived("by login")
    old, pid = machine.sh(SHOWN), machine.sh(f"s6-svstat -o pid {INSTANCE}/service/seki-smtpd")
    assert "seki-smtpd\ttaken" in machine.sh(CERTIFICATE)
    assert old.startswith("serial=") and machine.sh(SHOWN).startswith("serial=") and machine.sh(SHOWN) != old
    assert machine.sh(f"s6-svstat -o pid {INSTANCE}/service/seki-smtpd") == pid
    # The tree runs as the table of users says: nobody is root but the supervisors, and nginx's first process.
    drops = {line[4]: line[1] for line in table("users") if line[0] == "user"}
    drops |= {"seki-view": drops["seki-inspect"], "seki-front": "root"}
    for name in SERVICES:
        uids = machine.sh(f"grep ^Uid: /proc/$(s6-svstat -o pid {INSTANCE}/service/{name})/status").split()[1:]
        assert {machine.run("id", "-nu", uid).strip() for uid in uids} == {drops[name]}, name
    assert "is up" in machine.run(*make("uninstall"), code=2)

    machine.sh("kill -TERM $(cat /run/svscan.pid)")
    assert supervisor.wait(timeout=60) == 0
    left = machine.sh("ls -d /proc/[0-9]* | wc -l; ls -l /proc/[0-9]*/exe 2>/dev/null | grep -c 'seki\\|s6-' || :")
    assert left.split()[-1] == "0", machine.sh("ls -l /proc/[0-9]*/exe")

    files = machine.sh(f"cat {OWN}/installed").split()
    said = machine.run(*make("uninstall"))
    assert "the mail in /var/spool/sekisho" in said
    assert not machine.sh("for f in " + " ".join(files) + "; do [ ! -e $f -a ! -L $f ] || echo $f; done")
    assert machine.sh(f"ls -d {OWN} /usr/local/share/sekisho /usr/local/share/doc/sekisho 2>&1", code=2).count("No such") == 3
    assert machine.sh("cat /etc/sekisho/relay") == "127.0.0.0/8 @example.co.jp\n"
    assert machine.sh("ls /var/spool/sekisho/sent")


@needs_root
def test_upgrade_keeps_what_is_there_and_says_what_to_start_again(machine: Machine) -> None:
    """P: configuration, spool and running programs survive an upgrade; only what changed is to be started again."""
    machine.spool_disk()
    machine.run(*make("install"))
    machine.sh("echo '127.0.0.0/8 @example.co.jp' >/etc/sekisho/relay;"
               "printf 'smtp-errors 7\\nroute maildir:outbox\\n' >>/etc/sekisho/settings;"
               "mkdir /srv/log; cp -a /var/log/sekisho/. /srv/log/; ln -sfn /srv/log /var/lib/sekisho/instance/log")
    supervisor = machine.start("/srv/log")
    kept = machine.sh("md5sum /etc/sekisho/relay /etc/sekisho/settings")
    said = machine.run(*make("install"))
    assert "nothing needs to be started again" in said and "must say [Service] ReadWritePaths=/srv/log" in said

    # An upgrade: another program, another script, a file that the new version does not have any more.
    machine.sh(f"cp {OWN}/bin/seki-hold /var/tmp/h; echo >>/var/tmp/h; mv /var/tmp/h {OWN}/bin/seki-hold;"
               f"echo '# new' >>{OWN}/services/seki-scan/run;"
               f"touch {OWN}/bin/seki-old; echo {OWN}/bin/seki-old >>{OWN}/installed")
    said = machine.run(f"{OWN}/setup")
    assert re.findall(r"s6-svc -r \S+/service/(\S+)", said) == ["seki-hold", "seki-scan"], said
    assert machine.sh(f"tail -n 1 {INSTANCE}/service/seki-scan/run") == "# new\n"
    for name in ("seki-hold", "seki-scan"):
        machine.sh(f"s6-svc -r -wR -T 20000 {INSTANCE}/service/{name}")
    assert "nothing needs to be started again" in machine.run(f"{OWN}/setup")
    machine.run(*make("install"))
    assert not machine.sh(f"ls {OWN}/bin/seki-old 2>/dev/null || :")
    assert machine.sh("md5sum /etc/sekisho/relay /etc/sekisho/settings") == kept
    assert machine.run("readlink", f"{INSTANCE}/log") == "/srv/log\n"
    machine.send("upgraded")
    machine.arrived("upgraded")

    # A power cut: every process gone at once, sockets and pids of yesterday still there.
    machine.kill_all()
    supervisor.wait(timeout=30)
    assert machine.sh(f"ls {INSTANCE}/run/queue/socket")
    supervisor = machine.start("/srv/log")
    machine.send("again")
    machine.arrived("again")
    machine.sh("kill -TERM $(cat /run/svscan.pid)")
    assert supervisor.wait(timeout=60) == 0


@needs_root
def test_setup_follows_no_link_of_a_service(machine: Machine) -> None:
    """I: whoever owns a service cannot have root change another file for him at the next setup."""
    machine.spool_disk()
    machine.run(*make("install"))
    machine.sh(f"cd {INSTANCE}/outbox && rmdir cur && ln -s /root cur && chown -h sekir cur; chmod 0755 /root")
    machine.run(f"{OWN}/setup", code=None)
    assert machine.sh("stat -c '%04a %U' /root") == "0755 root\n"


@needs_root
def test_users_that_are_other_people_stop_setup(machine: Machine) -> None:
    machine.spool_disk()
    machine.sh("useradd --system --user-group sekil; useradd --system --gid games sekiq")
    said = machine.run(*make("install"), code=2)
    assert "the user sekiq is there already, with other groups" in said


def test_users_of_an_older_release_get_the_groups_they_lack(machine: Machine) -> None:
    """And nobody else's user of that name does."""
    machine.spool_disk()
    machine.sh("useradd --system --user-group --comment 'Sekisho mail gateway' sekid")
    machine.sh("useradd --system --user-group --comment 'somebody else' sekik")
    said = machine.run(*make("install"), code=2)
    assert "the user sekik is there already, with other groups" in said
    machine.sh("id -Gn sekid | grep -qw seki-pw && ! id -Gn sekik | grep -qw seki-gk")


@pytest.mark.parametrize("prefix, unit", [("/usr", "/lib/systemd/system"), ("/opt/sekisho", "/etc/systemd/system")])
def test_destdir_takes_every_file_and_gives_it_back(place: Path, prefix: str, unit: str) -> None:
    """P: a package is made without root, and nothing is written outside DESTDIR; uninstall takes all of it."""
    build_once(BUILD)
    destination = place / "dest dir"
    destination.mkdir()
    os.chmod(destination, 0o777)
    drop = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []

    def run(target: str, code: int = 0) -> str:
        done = subprocess.run([*drop, *make(target, DESTDIR=str(destination), PREFIX=prefix)], env=clean_env(),
                              cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    run("install")
    files = {"/" + str(p.relative_to(destination)) for p in destination.rglob("*") if not p.is_dir() or p.is_symlink()}
    programs = {p.stem for p in (REPO / "bin").glob("*.c")}
    assert {f"{prefix}/lib/sekisho/bin/{name}" for name in programs} <= files
    for page in (REPO / "man").glob("*.[1-9]"):
        assert f"{prefix}/share/man/man{page.suffix[1:]}/{page.name}" in files
    for name in ("etc/relay", "etc/settings"):
        assert f"{prefix}/share/sekisho/{name}" in files
    assert f"{unit}/sekisho.service" in files
    assert os.readlink(f"{destination}{prefix}/bin/seki") == "../lib/sekisho/bin/seki"
    assert (destination / prefix[1:] / "bin/seki").resolve().is_file()
    assert all(f.startswith((prefix + "/", unit + "/")) for f in files)
    assert files == set(Path(f"{destination}{prefix}/lib/sekisho/installed").read_text().split())
    # What is installed may be read by everybody and written by its owner alone.
    for name in files:
        if not (destination / name[1:]).is_symlink():
            mode = (destination / name[1:]).stat().st_mode & 0o7777
            assert mode in (0o644, 0o755), name
    run("install")

    run("uninstall")
    assert not [p for p in destination.rglob("*") if not p.is_dir()]
    assert not [p for p in destination.rglob("*sekisho*") if str(p) != f"{destination}{prefix}"]
    assert "nothing is installed" in run("uninstall", code=2)


@pytest.mark.parametrize("word", ["PREFIX=usr", "PREFIX=/usr/../etc", "PREFIX=/", "PREFIX=/a b"])
def test_a_prefix_that_is_none(place: Path, word: str) -> None:
    build_once(BUILD)
    done = subprocess.run([*make("install"), f"DESTDIR={place}", word], env=clean_env(), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 2 and "PREFIX=" in done.stderr
    assert not list(place.iterdir())


def test_unit_is_as_s6_needs_it() -> None:
    """s6-svscan ends in order at SIGTERM and tells readiness to nobody; sessions get time to finish."""
    said = unit()
    assert said["Type"] == "simple" and said["KillMode"] == "mixed" and said["Restart"] == "always"
    assert said["ExecStart"] == f"/usr/bin/s6-svscan -c 500 {INSTANCE}/service"
    assert int(said["TimeoutStopSec"]) >= 120
    assert "ExecStop" not in said and "NoNewPrivileges" not in said and "ProtectClock" not in said
