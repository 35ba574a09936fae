"""seki route test with seki-resolve and a real name server behind it: what would be tried, in which order, and in
plain words why nothing would (issue 4). Its zone is that of test_resolve."""
import json
import os
import subprocess
from collections.abc import Iterator

import pytest

from conftest import REPO, build_once, clean_env
from test_resolve import SECONDS, ZONE, NameServer, Resolver, program

BUILD = os.environ.get("SEKI_BUILD", "build")  # a tree of one's own while others build


@pytest.fixture(scope="module")
def dns() -> Iterator[Resolver]:
    program()
    server = NameServer()
    resolver = Resolver(server)
    try:
        resolver.settings(hostname="gw.example", own_names="-")
        yield resolver.start()
    finally:
        resolver.remove()
        server.remove()


def route(dns: Resolver, *words: str, routes: str = "", **settings: str) -> tuple[int, list[list[str]]]:
    """`route test WORDS` with these routes and settings; seki-resolve keeps those that it started with."""
    kept = dict(dns.values)
    dns.settings(**settings)
    (dns.root / "etc/routes").write_text(routes)
    try:
        done = tool(dns, "route", "test", *words)
    finally:
        dns.values = kept
        dns.settings()
    assert done.stderr == ""
    return done.returncode, [line.split("\t") for line in done.stdout.splitlines()]


def tool(dns: Resolver, *words: str) -> subprocess.CompletedProcess:
    if BUILD == "build":
        build_once(BUILD)
    return subprocess.run([str(REPO / BUILD / "bin/seki"), *words], env=clean_env(SEKISHO_ROOT=str(dns.root)),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)


def peers(rows: list[list[str]]) -> list[list[str]]:
    return [row[2:] for row in rows if row[0] == "peer"]


def test_mx_are_tried_by_preference_ipv6_first(dns: Resolver) -> None:
    """S2: the very order of seki-deliver, with the port that it uses."""
    code, rows = route(dns, f"bob@ok.{ZONE}", mx_port="2525")
    assert code == 0
    assert rows[2:] == [
        ["answer", "mx", f"ok.{ZONE}", "ok", "secure", "-"],
        ["peer", "1", "2001:db8::1", "2525", f"mx1.{ZONE}", "10", "secure"],
        ["peer", "2", "192.0.2.1", "2525", f"mx1.{ZONE}", "10", "secure"],
        ["peer", "3", "192.0.2.2", "2525", f"mx2.{ZONE}", "20", "secure"],
        ["verdict", "tried", "-"]]


def test_a_family_and_a_bound_of_ones_own(dns: Resolver) -> None:
    _, rows = route(dns, f"bob@ok.{ZONE}", routes=f"@ok.{ZONE} mx ipv=4\n")
    assert [p[0] for p in peers(rows)] == ["192.0.2.1", "192.0.2.2"]
    _, rows = route(dns, f"bob@ok.{ZONE}", deliver_addresses="1")
    assert [p[0] for p in peers(rows)] == ["2001:db8::1"]
    code, rows = route(dns, f"bob@six.{ZONE}", deliver_ip="4")
    assert code == 111 and rows[-1] == ["verdict", "waits", "its addresses are of the other version of IP"]


def test_smart_hosts_one_after_another(dns: Resolver) -> None:
    """Addresses of a name, not its MX; one that is not there does not stop the next."""
    code, rows = route(dns, "bob@any.example",
                       routes=f"* host:gone.{ZONE},host:mx2.{ZONE}:587,host:[192.0.2.77]:26,host:mx1.{ZONE}\n")
    assert code == 0
    assert [row[2:] for row in rows if row[0] == "answer"] == [
        [f"gone.{ZONE}", "none", "secure", "there is no such name"],
        [f"mx2.{ZONE}", "ok", "secure", "-"], [f"mx1.{ZONE}", "ok", "secure", "-"]]
    assert [p[:3] for p in peers(rows)] == [
        ["192.0.2.2", "587", f"mx2.{ZONE}"], ["192.0.2.77", "26", "-"],
        ["2001:db8::1", "25", f"mx1.{ZONE}"], ["192.0.2.1", "25", f"mx1.{ZONE}"]]
    code, rows = route(dns, "bob@any.example", route=f"host:gone.{ZONE}")
    assert code == 111 and rows[-1] == ["verdict", "waits", "there is no such name"]


@pytest.mark.parametrize("label, result, why, code", [
    ("null", "returned", "it says that it takes no mail (null MX)", 1),
    ("nothing", "returned", "there is no such name", 1),
    ("text", "returned", "there is no address", 1),
    ("empty", "returned", "there is no address", 1),
    ("bogus", "waits", "its signatures (DNSSEC) are wrong or missing", 111),
])
def test_why_nothing_is_tried(dns: Resolver, label: str, result: str, why: str, code: int) -> None:
    """O: null MX, no such domain, no address, wrong signatures; the last of them waits."""
    status, rows = route(dns, f"bob@{label}.{ZONE}")
    assert status == code and peers(rows) == [] and rows[-1] == ["verdict", result, why]


def test_name_servers_that_are_silent(dns: Resolver) -> None:
    """Within the question's time, and a little."""
    code, rows = route(dns, f"bob@www.dead.{ZONE}")
    assert code == 111 and rows[-1][:2] == ["verdict", "waits"]
    assert rows[2][3] == "later" and rows[-1][2] == rows[2][5] != "-", SECONDS


def test_hosts_without_address_are_shown_too(dns: Resolver) -> None:
    code, rows = route(dns, f"bob@lacking.{ZONE}")
    assert code == 0
    assert [row for row in rows if row[0] == "host"] == [
        ["host", "10", f"nowhere.{ZONE}", "none", "secure", "there is no such name"],
        ["host", "20", f"text.{ZONE}", "none", "secure", "there is no address"]]
    assert [p[0] for p in peers(rows)] == ["192.0.2.2"]


def test_without_mx_the_domain_itself(dns: Resolver) -> None:
    code, rows = route(dns, f"bob@implicit.{ZONE}")
    assert code == 0 and rows[2][-1] == "there is no MX: it is the domain itself"
    assert peers(rows) == [["192.0.2.3", "25", f"implicit.{ZONE}", "0", "secure"]]


def test_without_signatures_it_is_insecure(dns: Resolver) -> None:
    code, rows = route(dns, f"bob@plain.{ZONE}")
    assert code == 0 and rows[2][4] == "insecure"
    assert peers(rows) == [["192.0.2.7", "25", f"host.plain.{ZONE}", "10", "insecure"]]


def test_mail_that_would_come_back_to_us(dns: Resolver) -> None:
    """RFC 5321 section 5.1: we, and who is not preferred to us, are left out; if we come first it is a loop."""
    code, rows = route(dns, f"bob@ok.{ZONE}", own_names=f"other.example mx2.{ZONE}")
    assert code == 0 and [p[0] for p in peers(rows)] == ["2001:db8::1", "192.0.2.1"]
    assert ["left-out", f"ok.{ZONE}", "this gateway, and servers that are not preferred to it"] in rows
    for settings in ({"own_names": f"mx1.{ZONE}"}, {"hostname": f"MX1.{ZONE}"}):
        code, rows = route(dns, f"bob@ok.{ZONE}", **settings)
        assert code == 1 and peers(rows) == []
        assert rows[-1] == ["verdict", "returned", "it would come back to this gateway: a loop"]


def test_a_name_in_other_letters_and_json(dns: Resolver) -> None:
    dns.settings()
    (dns.root / "etc/routes").write_text("")
    done = tool(dns, "-j", "route", "test", f"bob@OK.{ZONE.upper()}", f"bob@例.{ZONE}")
    assert done.returncode == 1
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["name"] for row in rows if row["what"] == "answer"] == [f"ok.{ZONE}", f"xn--fsq.{ZONE}"]
    assert [(p["number"], p["address"], p["port"], p["preference"]) for p in rows if p["what"] == "peer"] == [
        (1, "2001:db8::1", 25, 10), (2, "192.0.2.1", 25, 10), (3, "192.0.2.2", 25, 20)]
