"""seki-resolve against a real name server with a signed zone: where mail goes, validated (attacks O: null MX,
100 MX, CNAME loops, bogus and SERVFAIL, truncated replies). Nothing leaves the machine."""
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import REPO, build_once, clean_env, free_port, wait_for
from test_auth_kit import as_3

ZONE = "sekisho.test"
SECONDS = 3  # what a question may take
MANY = 120

BUILD = os.environ.get("SEKI_RESOLVE_BUILD", "build")  # a tree of one's own while others build

for tool in ("nsd", "ldns-keygen", "ldns-signzone"):
    if not shutil.which(tool, path=os.environ["PATH"] + ":/usr/sbin"):
        pytest.skip(f"{tool} is missing (packages nsd, ldnsutils)", allow_module_level=True)

SIGNED = f"""$ORIGIN {ZONE}.
$TTL 3600
@ IN SOA ns hostmaster 1 3600 600 86400 3600
@ IN NS ns
ns IN A 127.0.0.1
ok IN MX 20 mx2
ok IN MX 10 mx1
mx1 IN A 192.0.2.1
mx1 IN AAAA 2001:db8::1
mx2 IN A 192.0.2.2
equal IN MX 10 mx1
equal IN MX 10 mx2
null IN MX 0 .
implicit IN A 192.0.2.3
text IN TXT "no mail"
six IN MX 10 six-host
six-host IN AAAA 2001:db8::6
lacking IN MX 10 nowhere
lacking IN MX 20 text
lacking IN MX 30 mx2
empty IN MX 10 nowhere
empty IN MX 20 text
alias IN CNAME ok
by-alias IN MX 10 mx-alias
mx-alias IN CNAME mx2
implicit-alias IN CNAME implicit
loop-a IN CNAME loop-b
loop-b IN CNAME loop-a
in-plain IN MX 10 host.plain
half-dead IN MX 10 host.dead
half-dead IN MX 20 mx2
all-dead IN MX 10 host.dead
odd IN MX 10 mx\\032x
odd IN MX 20 mx_2
mx_2 IN A 192.0.2.4
bogus IN MX 10 mx1
bogus-host IN MX 10 broken
broken IN A 192.0.2.5
plain IN NS ns
dead IN NS ns
""" + "".join(f"many IN MX {i + 1} h{i}\nh{i} IN A 198.51.100.{i + 1}\n" for i in range(MANY))

PLAIN = f"""$ORIGIN plain.{ZONE}.
$TTL 3600
@ IN SOA ns.{ZONE}. hostmaster 1 3600 600 86400 3600
@ IN NS ns.{ZONE}.
@ IN MX 10 host
host IN A 192.0.2.7
"""

# The client of the gateway itself: prints status and reason.
ASK = r"""
#include <stdio.h>
#include <stdlib.h>
#include "lib/resolve/ask.h"
static struct resolve_answer answer;
int main(int argc, char **argv)
{
	enum resolve_status s = resolve_ask(RESOLVE_SOCKET, RESOLVE_MX, argv[1], argc > 2 ? atoi(argv[2]) : 0, &answer);
	printf("%s %s\n", resolve_status_word(s), resolve_reason_word(answer.reason));
	return 0;
}
"""


def program() -> Path:
    if BUILD == "build":
        build_once(BUILD)
    return REPO / BUILD / "bin/seki-resolve"


def forge(text: str, owner: str, kind: str, old: str, new: str) -> str:
    """The record changed after it was signed."""
    forged, n = re.subn(rf"^({owner}\.{ZONE}\.\s+\d+\s+IN\s+{kind}\s+){re.escape(old)}", rf"\g<1>{new}", text, flags=re.M)
    assert n == 1, text
    return forged


class NameServer:
    """nsd with the signed zone and the one that is not; and a port beside it that swallows every question."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="sekisho-nsd-", dir="/var/tmp"))
        self.port = free_port()
        self.sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sink.bind(("127.0.0.1", 0))
        self.process: subprocess.Popen | None = None
        try:
            self.sign()
            self.start()
        except BaseException:
            self.remove()
            raise

    def sign(self) -> None:
        (self.root / "zone").write_text(SIGNED)
        (self.root / "plain").write_text(PLAIN)

        def tool(*words: str) -> str:
            return subprocess.run(words, cwd=self.root, check=True, capture_output=True, text=True, timeout=60).stdout
        key = tool("ldns-keygen", "-a", "ECDSAP256SHA256", "-k", ZONE).strip()
        tool("ldns-signzone", "-f", "signed", "zone", key)
        self.anchor = self.root / (key + ".key")
        text = (self.root / "signed").read_text()
        text = forge(text, "bogus", "MX", "10 ", "11 ")
        (self.root / "signed").write_text(forge(text, "broken", "A", "192.0.2.5", "192.0.2.6"))

    def start(self) -> None:
        (self.root / "nsd.conf").write_text(f"""server:
  ip-address: 127.0.0.1@{self.port}
  username: ""
  chroot: ""
  zonesdir: "{self.root}"
  database: ""
  pidfile: "{self.root}/pid"
  xfrdfile: "{self.root}/xfrd"
  xfrdir: "{self.root}"
  zonelistfile: "{self.root}/list"
  server-count: 1
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: "{ZONE}"
  zonefile: "signed"
zone:
  name: "plain.{ZONE}"
  zonefile: "plain"
""")
        with open(self.root / "log", "wb") as log:
            self.process = subprocess.Popen(
                ["nsd", "-d", "-c", str(self.root / "nsd.conf")], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=clean_env(PATH=os.environ["PATH"] + ":/usr/sbin"), start_new_session=True)
        wait_for(self.answers, 20, "nsd: " + (self.root / "log").read_text())

    def answers(self) -> bool:
        """Whether it answers for the SOA of the zone."""
        name = b"".join(bytes([len(label)]) + label.encode() for label in ZONE.split("."))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(0.2)
            try:
                s.sendto(b"\x12\x34\0\0\0\1\0\0\0\0\0\0" + name + b"\0\0\6\0\1", ("127.0.0.1", self.port))
                reply = s.recv(4096)
            except OSError:
                return False
        return reply[3] & 15 == 0 and reply[7] > 0

    def remove(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(20)
        self.sink.close()
        shutil.rmtree(self.root)


@dataclass
class Host:
    preference: int
    name: str
    canon: str
    status: str
    reason: str
    secure: bool
    addresses: list[str]


@dataclass
class Answer:
    kind: str
    name: str
    status: str
    reason: str
    secure: bool
    implicit: bool
    more: int
    malformed: int
    hosts: list[Host]

    @property
    def says(self) -> tuple[str, str]:
        return self.status, self.reason


class Client:
    """One connection."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(str(path))
        self.lines = self.socket.makefile("r", encoding="ascii", newline="\n")

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.lines.close()
        self.socket.close()

    def say(self, text: str) -> None:
        self.socket.sendall(text.encode())

    def answer(self) -> Answer | None:
        """The next one; None: the other side hung up."""
        line = self.lines.readline()
        if not line:
            return None
        kind, name, status, reason, secure, implicit, hosts, more, malformed = line.rstrip("\n").split(" ")
        answer = Answer(kind, name, status, reason, secure == "secure=yes", implicit == "implicit=yes",
                        int(more.removeprefix("more=")), int(malformed.removeprefix("malformed=")), [])
        for _ in range(int(hosts.removeprefix("hosts="))):
            answer.hosts.append(self.host())
        return answer

    def host(self) -> Host:
        word, preference, name, canon, status, reason, secure, n = self.lines.readline().rstrip("\n").split(" ")
        assert word == "host"
        at = [self.lines.readline().rstrip("\n") for _ in range(int(n.removeprefix("addresses=")))]
        assert all(a.startswith("at ") for a in at)
        return Host(int(preference), name, canon, status, reason, secure == "secure=yes", [a[3:] for a in at])

    def ask(self, question: str) -> Answer:
        self.say(question + "\n")
        answer = self.answer()
        assert answer is not None and f"{answer.kind} {answer.name}" == question
        return answer


class Resolver:
    """seki-resolve in the least of an instance, with the name server for its zones."""

    def __init__(self, server: NameServer) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="sekisho-resolve-", dir="/var/tmp"))
        os.chmod(self.root, 0o711)
        for name in ("etc", "run", "run/resolve", "run/taken"):
            (self.root / name).mkdir()
        self.taken = self.root / "run/taken/seki-resolve"
        self.taken.touch()
        self.path = self.root / "run/resolve/socket"
        nsd, sink = f"127.0.0.1@{server.port}", f"127.0.0.1@{server.sink.getsockname()[1]}"
        self.values = {
            "trial": "yes", "resolve-anchors": str(server.anchor), "resolve-servers": sink, "resolve-time": f"{SECONDS}s",
            "resolve-stubs": f"{ZONE}={nsd} plain.{ZONE}={nsd} refused.test={nsd} dead.{ZONE}={sink}"}
        self.settings()
        self.process: subprocess.Popen | None = None

    def settings(self, **values: str) -> None:
        """Settings (resolve_time for resolve-time) beyond those of before; taken at the next start or reload."""
        self.values.update({name.replace("_", "-"): value for name, value in values.items()})
        (self.root / "etc/settings").write_text("".join(f"{n} {v}\n" for n, v in self.values.items()))

    def start(self, **values: str) -> "Resolver":
        self.settings(**values)
        read, write = os.pipe()
        with open(self.root / "log", "ab") as log:
            self.process = subprocess.Popen(
                as_3(write, ">", str(program())), cwd=self.root,
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "")},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(write,))
        os.close(write)
        ready, _, _ = select.select([read], [], [], 20)
        said = os.read(read, 1) if ready else b""
        os.close(read)
        assert said == b"\n", self.log()
        return self

    def reload(self, nonce: str, **values: str) -> str:
        """SIGHUP; the answer to it."""
        self.settings(**values)
        (self.root / "run/reload").write_text(nonce + "\n")
        self.process.send_signal(signal.SIGHUP)
        wait_for(lambda: f" {nonce}" in self.taken.read_text(), 20)
        return self.taken.read_text()

    def stop(self, how: int = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        code = self.process.wait(20)
        self.process = None
        return code

    def remove(self) -> None:
        if self.process is not None:
            self.stop(signal.SIGKILL)
        shutil.rmtree(self.root)

    def log(self) -> str:
        return (self.root / "log").read_text(errors="replace")

    def client(self) -> Client:
        return Client(self.path)

    def ask(self, question: str) -> Answer:
        with self.client() as c:
            return c.ask(question)

    def mx(self, label: str) -> Answer:
        return self.ask(f"mx {label}.{ZONE}")


@pytest.fixture(scope="module")
def server() -> Iterator[NameServer]:
    program()
    s = NameServer()
    yield s
    s.remove()


@pytest.fixture(scope="module")
def shared(server: NameServer) -> Iterator[Resolver]:
    """For tests that leave it running."""
    r = Resolver(server)
    try:
        yield r.start()
    finally:
        r.remove()


@pytest.fixture
def own(server: NameServer) -> Iterator[Resolver]:
    r = Resolver(server)
    yield r
    r.remove()


@pytest.fixture(scope="module")
def asker(server: NameServer) -> Path:
    """A program that asks with the gateway's own client."""
    (server.root / "ask.c").write_text(ASK)
    subprocess.run(["gcc", "-std=c17", "-D_GNU_SOURCE", f"-I{REPO}", "-o", "ask", "ask.c", str(REPO / BUILD / "libresolve.a"),
                    str(REPO / BUILD / "libbase.a"), "-lidn2", "-lunbound"], cwd=server.root, check=True, timeout=60)
    return server.root / "ask"


# ---- what a domain says ----


def test_hosts_come_by_preference_with_their_addresses(shared: Resolver) -> None:
    answer = shared.mx("ok")
    assert answer.says == ("ok", "-") and answer.secure and not answer.implicit
    assert answer.hosts == [
        Host(10, f"mx1.{ZONE}", "-", "ok", "-", True, ["2001:db8::1", "192.0.2.1"]),
        Host(20, f"mx2.{ZONE}", "-", "ok", "-", True, ["192.0.2.2"])]


def test_equal_preferences_are_shuffled(shared: Resolver) -> None:
    with shared.client() as c:
        orders = {tuple(h.name for h in c.ask(f"mx equal.{ZONE}").hosts) for _ in range(40)}
    assert len(orders) == 2


def test_no_such_domain(shared: Resolver) -> None:
    answer = shared.mx("nothing")
    assert answer.says == ("none", "nxdomain") and answer.secure and answer.hosts == []


def test_a_domain_that_takes_no_mail_has_neither_mx_nor_address(shared: Resolver) -> None:
    answer = shared.mx("text")
    assert answer.says == ("none", "no-address") and answer.secure
    assert answer.hosts == [Host(0, f"text.{ZONE}", "-", "none", "no-address", True, [])]


def test_null_mx(shared: Resolver) -> None:
    answer = shared.mx("null")
    assert answer.says == ("null", "-") and answer.secure and answer.hosts == []


def test_without_mx_the_domain_is_its_host(shared: Resolver) -> None:
    answer = shared.mx("implicit")
    assert answer.says == ("ok", "-") and answer.implicit and answer.secure
    assert answer.hosts == [Host(0, f"implicit.{ZONE}", "-", "ok", "-", True, ["192.0.2.3"])]


def test_only_ipv6(shared: Resolver) -> None:
    assert shared.mx("six").hosts == [Host(10, f"six-host.{ZONE}", "-", "ok", "-", True, ["2001:db8::6"])]


def test_hosts_without_address_are_said_so(shared: Resolver) -> None:
    answer = shared.mx("lacking")
    assert answer.says == ("ok", "-")
    assert answer.hosts == [
        Host(10, f"nowhere.{ZONE}", "-", "none", "nxdomain", True, []),
        Host(20, f"text.{ZONE}", "-", "none", "no-address", True, []),
        Host(30, f"mx2.{ZONE}", "-", "ok", "-", True, ["192.0.2.2"])]
    answer = shared.mx("empty")
    assert answer.says == ("none", "no-address") and len(answer.hosts) == 2


def test_a_hundred_mx_are_taken_of_more(shared: Resolver) -> None:
    """O: 100 MX. The reply is longer than a datagram, too."""
    answer = shared.mx("many")
    assert answer.says == ("ok", "-") and answer.more == MANY - 100
    assert [(h.name, h.addresses) for h in answer.hosts] == [
        (f"h{i}.{ZONE}", [f"198.51.100.{i + 1}"]) for i in range(100)]


def test_names_that_are_none_are_left_out(shared: Resolver) -> None:
    answer = shared.mx("odd")
    assert answer.malformed == 1 and [h.name for h in answer.hosts] == [f"mx_2.{ZONE}"]


def test_cnames_are_followed(shared: Resolver) -> None:
    assert [h.name for h in shared.mx("alias").hosts] == [f"mx1.{ZONE}", f"mx2.{ZONE}"]
    assert shared.mx("by-alias").hosts == [
        Host(10, f"mx-alias.{ZONE}", f"mx2.{ZONE}", "ok", "-", True, ["192.0.2.2"])]
    assert shared.mx("implicit-alias").hosts == [
        Host(0, f"implicit-alias.{ZONE}", f"implicit.{ZONE}", "ok", "-", True, ["192.0.2.3"])]


def test_a_cname_loop_ends(shared: Resolver) -> None:
    """O: CNAME loop."""
    assert shared.mx("loop-a").status in ("later", "none")


def test_addresses_of_a_host(shared: Resolver) -> None:
    answer = shared.ask(f"a mx1.{ZONE}")
    assert answer.says == ("ok", "-") and answer.secure and not answer.implicit
    assert answer.hosts == [Host(0, f"mx1.{ZONE}", "-", "ok", "-", True, ["2001:db8::1", "192.0.2.1"])]
    assert shared.ask(f"a nowhere.{ZONE}").says == ("none", "nxdomain")


# ---- what can be believed ----


def test_a_zone_that_is_not_signed_is_not_secure(shared: Resolver) -> None:
    answer = shared.mx("plain")
    assert answer.says == ("ok", "-") and not answer.secure
    assert answer.hosts == [Host(10, f"host.plain.{ZONE}", "-", "ok", "-", False, ["192.0.2.7"])]
    answer = shared.mx("in-plain")
    assert answer.secure and not answer.hosts[0].secure and answer.status == "ok"


def test_bogus_is_later(shared: Resolver) -> None:
    """O: bogus. The answer carries data, which are not used, and it is not 'no such domain'."""
    answer = shared.mx("bogus")
    assert answer.says == ("later", "bogus") and not answer.secure and answer.hosts == []
    answer = shared.mx("bogus-host")
    assert answer.says == ("later", "bogus") and answer.secure
    assert answer.hosts == [Host(10, f"broken.{ZONE}", "-", "later", "bogus", False, [])]
    assert f"event=resolve-bogus name=bogus.{ZONE}" in shared.log()


def test_without_its_key_the_same_zone_is_not_secure(own: Resolver) -> None:
    """What makes an answer secure is the anchor, nothing else; here nothing is validated below the zone."""
    own.start(resolve_anchors="-", resolve_insecure=ZONE)
    answer = own.mx("ok")
    assert answer.says == ("ok", "-") and not answer.secure and not answer.hosts[0].secure
    assert own.mx("bogus").status == "ok"


def test_a_server_that_refuses_is_later(shared: Resolver) -> None:
    """O: SERVFAIL."""
    assert shared.ask("mx refused.test").says == ("later", "servfail")


# ---- time ----


def test_a_server_that_is_silent_is_later_within_the_deadline(shared: Resolver) -> None:
    begun = time.monotonic()
    assert shared.mx("dead").says == ("later", "timeout")
    assert SECONDS - 0.1 < time.monotonic() - begun < SECONDS + 10


def test_a_silent_host_does_not_hide_the_others(shared: Resolver) -> None:
    answer = shared.mx("half-dead")
    assert answer.says == ("ok", "-")
    assert [(h.name, h.status, h.reason) for h in answer.hosts] == [
        (f"host.dead.{ZONE}", "later", "timeout"), (f"mx2.{ZONE}", "ok", "-")]


def test_questions_overtake_those_that_take_long(shared: Resolver) -> None:
    with shared.client() as c:
        c.say(f"mx all-dead.{ZONE}\nmx ok.{ZONE}\na mx2.{ZONE}\n")
        c.socket.shutdown(socket.SHUT_WR)
        answers = [c.answer(), c.answer(), c.answer()]
        assert {a.name for a in answers[:2]} == {f"ok.{ZONE}", f"mx2.{ZONE}"}
        assert answers[2].name == f"all-dead.{ZONE}" and answers[2].says == ("later", "timeout")
        assert c.answer() is None


# ---- bounds ----


def test_many_questions_of_one_connection(shared: Resolver) -> None:
    """More than are taken at once: each is answered."""
    with shared.client() as c:
        c.say(f"a mx1.{ZONE}\nmx ok.{ZONE}\nmx nothing.{ZONE}\n" * 200)
        statuses = [c.answer().status for _ in range(600)]
    assert sorted(statuses) == ["none"] * 200 + ["ok"] * 400


@pytest.mark.parametrize("what", ["txt x\n", "mx \n", "mx UPPER.test\n", "mx x\r\n", "mx x\0\n", "x" * 300])
def test_what_is_no_question_ends_the_connection(shared: Resolver, what: str) -> None:
    with shared.client() as c:
        c.say(what)
        assert c.answer() is None
    wait_for(lambda: "event=resolve-malformed" in shared.log(), 10)


def test_places_are_bounded(own: Resolver) -> None:
    """The second client, and the second question, wait for their turn."""
    own.start(resolve_clients="1", resolve_questions="1", resolve_time="1s")
    first = own.client()
    first.ask(f"mx ok.{ZONE}")
    with own.client() as second:
        second.say(f"mx all-dead.{ZONE}\nmx ok.{ZONE}\n")
        assert not select.select([second.socket], [], [], 0.3)[0]
        with first:
            assert first.ask(f"mx ok.{ZONE}").status == "ok"
        assert [second.answer().name for _ in range(2)] == [f"all-dead.{ZONE}", f"ok.{ZONE}"]


def test_a_client_that_goes_leaves_nothing_behind(own: Resolver) -> None:
    own.start(resolve_questions="1")
    with own.client() as c:
        c.say(f"mx dead.{ZONE}\n")
        assert not select.select([c.socket], [], [], 0.3)[0]
    begun = time.monotonic()
    assert own.mx("ok").status == "ok"
    assert time.monotonic() - begun < SECONDS - 0.5  # its place is free before its time is over


# ---- death and restart ----


def test_killed_between_and_within_questions(own: Resolver, asker: Path) -> None:
    """SIGKILL: whoever asks is told 'later', and never waits for ever; after a restart all is well."""
    def ask(label: str) -> subprocess.Popen:
        return subprocess.Popen([str(asker), f"{label}.{ZONE}", "20000"], cwd=own.root, stdout=subprocess.PIPE, text=True)

    own.start(resolve_time="60s")
    assert ask("ok").communicate(timeout=30)[0] == "ok -\n"
    waits = ask("dead")
    with own.client() as c:
        c.say(f"mx dead.{ZONE}\n")
        own.ask(f"mx ok.{ZONE}")  # behind it: that question has been read
        own.stop(signal.SIGKILL)
        assert c.answer() is None
    assert waits.communicate(timeout=30)[0] == "later gone\n"
    begun = time.monotonic()
    assert ask("ok").communicate(timeout=30)[0] == "later gone\n"
    assert time.monotonic() - begun < 10

    own.start()
    assert ask("ok").communicate(timeout=30)[0] == "ok -\n"
    assert ask("bogus").communicate(timeout=30)[0] == "later bogus\n"


def test_stopped_in_order(own: Resolver) -> None:
    own.start(resolve_time="60s")
    with own.client() as c:
        c.say(f"mx dead.{ZONE}\n")
        own.ask(f"mx ok.{ZONE}")
        code = own.stop()
        answer = c.answer()
        assert answer is not None and answer.says == ("later", "stopping")
        assert c.answer() is None
    assert code == 0


def test_it_does_not_start_without_its_anchors(own: Resolver) -> None:
    """Without anchors every answer would look like one that is not signed."""
    broken = own.root / "broken.key"
    broken.write_text("this is no key\n")
    for name, value, what in (("resolve_anchors", str(broken), b"anchors"), ("resolve_anchors", "missing.key", b""),
                              ("resolve_stubs", "zone", b"resolve-stubs"), ("resolve_servers", "x y", b"resolve-servers"),
                              ("resolve_time", "0s", b"etc/settings:")):
        before = dict(own.values)
        own.settings(**{name: value})
        done = subprocess.run([str(program())], cwd=own.root, timeout=30, stdin=subprocess.DEVNULL, capture_output=True)
        assert done.returncode == 102 and what in done.stderr, (name, value, done.stderr)
        assert own.taken.read_text().startswith("refused - ")
        own.values = before
        with pytest.raises(OSError):
            own.client()
    done = subprocess.run([str(program()), "more"], cwd=own.root, timeout=30, stdin=subprocess.DEVNULL, capture_output=True)
    assert done.returncode == 100


# ---- a new configuration ----


def test_a_reload_takes_new_servers_and_forgets_what_was_found(own: Resolver, server: NameServer) -> None:
    """S1: what was validated by an anchor that is not believed any more is not secure any more."""
    own.start()
    assert own.mx("ok").secure
    own.settings()
    assert own.reload("word-1", resolve_anchors="-", resolve_insecure=ZONE) == "taken word-1\n"
    answer = own.mx("ok")
    assert answer.status == "ok" and not answer.secure
    sink = f"127.0.0.1@{server.sink.getsockname()[1]}"
    assert own.reload("word-2", resolve_stubs=f"{ZONE}={sink}", resolve_time="1s") == "taken word-2\n"
    assert own.mx("ok").says == ("later", "timeout")  # nothing of it is left in the cache
    assert "event=reloaded" in own.log()


def test_a_question_that_waits_is_answered_by_the_new_servers(own: Resolver) -> None:
    stubs = own.values["resolve-stubs"]
    sink = own.values["resolve-servers"]
    own.start(resolve_stubs=f"{ZONE}={sink}", resolve_time="60s")
    with own.client() as c:
        c.say(f"mx ok.{ZONE}\nmx null.{ZONE}\n")
        with own.client() as other:  # behind it: those questions have been read
            assert other.ask("a localhost").status == "ok"
        assert own.reload("word", resolve_stubs=stubs) == "taken word\n"
        assert sorted(c.answer().says for _ in range(2)) == [("null", "-"), ("ok", "-")]


def test_a_faulty_reload_is_refused_and_all_stays_as_it_was(own: Resolver) -> None:
    own.start()
    for nonce, name, value in (("a", "resolve_time", "0s"), ("b", "resolve_stubs", "zone"), ("c", "resolve_servers", "x")):
        before = dict(own.values)
        said = own.reload(nonce, **{name: value})
        assert said.startswith(f"refused {nonce} etc/settings:") and name.replace("_", "-") in said, said
        assert own.mx("ok").secure
        own.values = before
    assert own.log().count("event=reload-refused alarm=yes") == 3
    assert own.stop() == 0


def test_many_reloads_leak_nothing(own: Resolver) -> None:
    own.start()
    fds = Path(f"/proc/{own.process.pid}/fd")
    own.reload("first")
    before = len(list(fds.iterdir()))
    for n in range(10):
        own.reload(f"word{n}")
        assert own.mx("ok").secure
    assert len(list(fds.iterdir())) < before + 8  # those of a look-up are there or not
    assert len(list(Path(f"/proc/{own.process.pid}/task").iterdir())) == 2


# ---- what it may do ----


def test_it_is_confined(own: Resolver) -> None:
    """seccomp over both threads, and no new privileges."""
    own.start()
    for task in Path(f"/proc/{own.process.pid}/task").iterdir():
        status = (task / "status").read_text()
        assert "NoNewPrivs:\t1" in status
        assert "Seccomp:\t2" in status or "sanitize" in BUILD
    assert own.mx("ok").status == "ok"
