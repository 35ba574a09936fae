"""IPv6 with IPv4 behind it (C15), in a network of the tests' own: what the machine has is not touched."""
import ctypes
import itertools
import os
import subprocess
import time

import pytest

from conftest import free_port
from deliver_kit import (Receiver, records, wait_record, wait_sent, world)
from test_resolve import PLAIN, ZONE, NameServer

_numbers = itertools.count()
CLONE_NEWNET = 0x40000000
V4, V6 = "127.0.79.1", "fd00:79::1"
V6_REFUSES, V6_UNREACHABLE, V6_SILENT = "fd00:79::2", "2001:db8:dead::1", "fd00:80::2"
V4_SILENT = "192.0.2.2"
CONNECT = 2  # remote-connect, seconds
POLICY = b"550-5.7.1 [fd00:79::1] does not meet IPv6 sending guidelines\r\n550 5.7.1 regarding PTR records"

RECORDS = f"""$ORIGIN {ZONE}.
$TTL 3600
@ IN SOA ns hostmaster 1 3600 600 86400 3600
@ IN NS ns
ns IN A 127.0.0.1
both-mx IN AAAA {V6}
both-mx IN A {V4}
six IN MX 10 six-mx
six-mx IN AAAA {V6}
refuses IN MX 10 refuses-mx
refuses-mx IN AAAA {V6_REFUSES}
refuses-mx IN A {V4}
unreachable IN MX 10 unreachable-mx
unreachable-mx IN AAAA {V6_UNREACHABLE}
unreachable-mx IN A {V4}
silent IN MX 10 silent-mx
silent-mx IN AAAA {V6_SILENT}
silent-mx IN A {V4}
next IN MX 10 silent4-mx
next IN MX 20 both-mx
silent4-mx IN A {V4_SILENT}
"""
# A domain for each test: a server that was strict over IPv6 is remembered for an hour.
RECORDS += "".join(f"both-{n} IN MX 10 both-mx\n" for n in range(20))
RECORDS += f"crowd IN MX 10 crowd-mx\ncrowd-mx IN A {V4}\n" + "".join(
    f"crowd-mx IN AAAA fd00:79::{n:x}\n" for n in range(0x20, 0x28))

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a network namespace")


class Names(NameServer):
    """nsd with the zone of this file; it is not signed."""

    def sign(self) -> None:
        (self.root / "signed").write_text(RECORDS)
        (self.root / "plain").write_text(PLAIN)


def ip(words: str) -> None:
    done = subprocess.run(["ip", *words.split()], capture_output=True, text=True, timeout=20,
                          env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})
    assert done.returncode == 0, f"ip {words}: {done.stderr}"


@pytest.fixture(scope="module")
def network():
    """The thread that runs the tests, and all that it starts, in a network namespace that goes with them."""
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    if libc.unshare(CLONE_NEWNET) != 0:
        os.close(before)
        pytest.skip(f"no network namespace: {os.strerror(ctypes.get_errno())}")
    try:
        ip("link set lo up")
        for address in (V6, V6_REFUSES):
            ip(f"addr add {address}/128 dev lo nodad")
        # Packets to the silent ones leave, and nobody takes them.
        ip("link add va type veth peer name vb")
        for name in ("va", "vb"):
            ip(f"link set {name} up")
        ip("addr add fd00:80::1/64 dev va nodad")
        ip("addr add 192.0.2.1/24 dev va")
        for address in (V6_SILENT, V4_SILENT):
            ip(f"neigh add {address} lladdr 02:00:00:00:00:99 dev va nud permanent")
        yield
    finally:
        assert libc.setns(before, CLONE_NEWNET) == 0
        os.close(before)


@pytest.fixture(scope="module")
def nsd(network):
    made = Names()
    yield made
    made.remove()


@pytest.fixture(scope="module")
def w(nsd):
    at = f"127.0.0.1@{nsd.port}"
    with world(settings={"route": "mx", "mx-port": str(free_port()), "resolve-stubs": f"{ZONE}={at}", "resolve-time": "3s",
                  "resolve-servers": at, "resolve-insecure": ZONE, "remote-connect": f"{CONNECT}s"}) as made:
        yield made


@pytest.fixture
def port(w):
    return int(next(line.split()[1] for line in (w.gw.root / "etc/settings").read_text().splitlines()
                    if line.startswith("mx-port ")))


@pytest.fixture
def four(port):
    with Receiver(host=V4, port=port) as made:
        yield made


@pytest.fixture
def six(port):
    with Receiver(host=V6, port=port) as made:
        yield made


@pytest.fixture
def both():
    """The next domain of a server with addresses of both kinds."""
    return f"both-{next(_numbers)}"


def to(label: str, who: str = "bob") -> str:
    return f"{who}@{label}.{ZONE}"


def test_IPv6_comes_first(w, four, six, both):
    leg_id = w.send("both", to(both))
    [mail] = six.wait_tag("both")
    assert four.sessions == []
    [record] = wait_record(w.gw, leg_id, "delivered")
    assert V6 in record.values["host"] or "both-mx" in record.values["host"]


@pytest.mark.parametrize("label,most", [("refuses", 2), ("unreachable", 2), ("silent", CONNECT + 3)])
def test_C15_IPv4_takes_what_IPv6_cannot_reach(w, four, label, most):
    """Refused, no way there, no answer (left after remote-connect): the same try goes on over IPv4."""
    begun = time.monotonic()
    leg_id = w.send(label, to(label))
    four.wait_tag(label)
    assert time.monotonic() - begun < most + 2
    wait_sent(w.gw, leg_id)
    assert not records(w.gw, leg_id, "deferred")


@pytest.mark.parametrize("phase", ["banner", "MAIL", "RCPT", "dot"])
def test_C15_IPv4_takes_what_a_policy_refuses_over_IPv6(w, four, six, both, phase):
    """550 5.7.1 over IPv6 alone is no word about the mail: IPv4 is asked before anybody is told no."""
    six.replies[phase] = POLICY.replace(b"550", b"554") if phase == "banner" else POLICY
    who = f"policy-{phase.lower()}"
    leg_id = w.send(who, to(both, who))
    four.wait_tag(who)
    wait_sent(w.gw, leg_id)
    assert not w.notices_now(to(both, who)) and not records(w.gw, leg_id, "failed")


def test_C15_refused_by_both_is_refused_once(w, four, six, both):
    for r in (four, six):
        r.replies["RCPT"] = POLICY
    leg_id = w.send("never", to(both, "never"))
    [notice] = w.notices(to(both, "never"))
    assert notice.of(to(both, "never"))["status"] == "5.7.1"
    wait_sent(w.gw, leg_id)
    assert sum(len(s.words("RCPT")) for r in (four, six) for s in r.sessions) == 2


def test_C15_only_who_was_refused_goes_over_IPv4(w, four, six, both):
    """Two recipients, one refused by policy: the other has it over IPv6 and is not sent it twice."""
    six.replies["RCPT"] = lambda c: POLICY if c.address.startswith("strict") else b"250 2.1.5 ok"
    leg_id = w.send("half", [to(both, "easy"), to(both, "strict")])
    wait_sent(w.gw, leg_id)
    assert [m.to for m in six.of("half")] == [[to(both, "easy")]]
    assert [m.to for m in four.of("half")] == [[to(both, "strict")]]


def test_C15_IPv6_is_tried_again_after_deliver_fallback_time(w, four, six, both):
    """A policy may have changed: after that time the server is asked over IPv6 again."""
    w.reload(deliver_fallback_time="1s", deliver_session_idle="1s")
    try:
        six.replies["RCPT"] = POLICY
        w.send("strict", to(both))
        four.wait_tag("strict")
        six.replies["RCPT"] = b"250 2.1.5 ok"
        time.sleep(1.5)
        w.send("lenient", to(both))
        six.wait_tag("lenient")
    finally:
        w.reload(deliver_fallback_time="1h", deliver_session_idle="5s")


def test_an_unknown_person_is_unknown_over_both(w, four, six, both):
    """550 5.1.1 is no policy: IPv4 is not asked."""
    six.replies["RCPT"] = b"550 5.1.1 nobody"
    w.send("unknown", to(both, "unknown"))
    [notice] = w.notices(to(both, "unknown"))
    assert notice.of(to(both, "unknown"))["status"] == "5.1.1" and four.sessions == []


def test_C15_ipv_4_by_route(w, four, six, both):
    """A domain whose servers are known to be strict: never over IPv6, and from the reload on, whatever session is
    kept from before."""
    w.route(f"@{both}.{ZONE}", "mx ipv=4")
    try:
        w.send("route-4", to(both))
        four.wait_tag("route-4")
        assert six.sessions == []
        w.route(f"@{both}.{ZONE}", "mx ipv=6")
        w.send("route-6", to(both))
        six.wait_tag("route-6")
        assert len(four.sessions) == 1
    finally:
        w.route(f"@{both}.{ZONE}", "mx")


def test_C15_deliver_ip_4_by_setting(w, four, six, both):
    w.reload(deliver_ip="4")
    try:
        w.send("setting-4", to(both))
        four.wait_tag("setting-4")
        assert six.sessions == []
        leg_id = w.send("nothing-left", to("six"))
        wait_record(w.gw, leg_id, "deferred")
        assert six.sessions == []
    finally:
        w.reload(deliver_ip="any")


def test_C15_many_IPv6_addresses_leave_room_for_IPv4(w, four):
    """Eight dead IPv6 addresses and one IPv4: it is among those that one try takes."""
    leg_id = w.send("crowd", to("crowd"))
    four.wait_tag("crowd", seconds=30)
    wait_sent(w.gw, leg_id)


def test_a_silent_server_and_the_next_mx(w, four, six):
    begun = time.monotonic()
    w.send("next", to("next"))
    six.wait_tag("next")
    assert time.monotonic() - begun < CONNECT + 4


def test_literals_of_IPv6(w, six):
    w.send("literal", f"bob@[IPv6:{V6}]")
    [mail] = six.wait_tag("literal")
    assert mail.to == [f"bob@[IPv6:{V6}]"]
