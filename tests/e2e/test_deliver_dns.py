"""Where mail goes as the DNS says, with a real name server and signed zones: attacks O (null MX, 100 MX, loops to
ourselves, CNAME loops, bogus and SERVFAIL), smart hosts with logins, address literals."""
import os
import re
import subprocess
import time

import pytest

from conftest import free_port
from deliver_kit import (Receiver, World, events, records, wait_record, wait_sent, world)
from remote_kit import self_signed
from test_resolve import PLAIN, ZONE, NameServer, forge

MARGIN = 0.7  # for what could have happened and has not
MANY = 120
RECEIVERS = ["127.0.77.1", "127.0.77.2", "127.0.77.3"]
DEAD = "127.0.77.99"  # nobody listens there

RECORDS = f"""$ORIGIN {ZONE}.
$TTL 3600
@ IN SOA ns hostmaster 1 3600 600 86400 3600
@ IN NS ns
ns IN A 127.0.0.1
mx1 IN A {RECEIVERS[0]}
mx2 IN A {RECEIVERS[1]}
mx3 IN A {RECEIVERS[2]}
down IN A {DEAD}
order IN MX 30 mx3
order IN MX 20 mx2
order IN MX 10 mx1
second IN MX 10 down
second IN MX 20 mx2
two-a IN MX 10 mx1
two-b IN MX 10 mx1
fresh IN MX 10 mx1
implicit IN A {RECEIVERS[0]}
null IN MX 0 .
text IN TXT "no mail"
gone IN MX 10 nowhere
loop-a IN CNAME loop-b
loop-b IN CNAME loop-a
in-loop IN MX 10 loop-a
alias IN CNAME order
us IN MX 10 gateway
us IN MX 20 mx1
gateway IN A {RECEIVERS[2]}
behind-us IN MX 10 mx1
behind-us IN MX 20 gateway
behind-us IN MX 30 mx3
bogus IN MX 10 mx1
bogus-host IN MX 10 broken
broken IN A {RECEIVERS[0]}
half-bogus IN MX 10 broken
half-bogus IN MX 20 mx2
smart IN A {RECEIVERS[0]}
smart IN MX 10 mx2
plain IN NS ns
""" + "".join(f"many IN MX {i + 1} h{i}\nh{i} IN A 127.0.78.{i + 1}\n" for i in range(MANY))

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can prepare the logins")


class Names(NameServer):
    """nsd with the zones of this file."""

    def sign(self) -> None:
        (self.root / "zone").write_text(RECORDS)
        (self.root / "plain").write_text(PLAIN.replace("192.0.2.7", RECEIVERS[0]))

        def tool(*words: str) -> str:
            return subprocess.run(words, cwd=self.root, check=True, capture_output=True, text=True, timeout=60).stdout
        key = tool("ldns-keygen", "-a", "ECDSAP256SHA256", "-k", ZONE).strip()
        tool("ldns-signzone", "-f", "signed", "zone", key)
        self.anchor = self.root / (key + ".key")
        text = forge((self.root / "signed").read_text(), "bogus", "MX", "10 ", "11 ")
        (self.root / "signed").write_text(forge(text, "broken", "A", RECEIVERS[0], RECEIVERS[1]))


@pytest.fixture(scope="module")
def nsd():
    made = Names()
    yield made
    made.remove()


@pytest.fixture(scope="module")
def w(nsd):
    """An instance that sends by the DNS, to the port of the receivers."""
    at, sink = f"127.0.0.1@{nsd.port}", f"127.0.0.1@{nsd.sink.getsockname()[1]}"
    with world(settings={
        "route": "mx", "mx-port": str(free_port()), "own-names": f"gateway.{ZONE}", "resolve-time": "2s",
        "resolve-stubs": f"{ZONE}={at} plain.{ZONE}={at} refused.test={at} silent.test={sink}",
        "resolve-servers": sink, "resolve-anchors": "etc/anchor.key"},
        files={"etc/anchor.key": nsd.anchor.read_bytes()}) as made:
        yield made


@pytest.fixture
def mx(w):
    """The three receivers that the zone knows."""
    port = int(re.search(r"(?m)^mx-port (\d+)$", (w.gw.root / "etc/settings").read_text()).group(1))
    # Sessions of the test before this one may be kept: they end with their receivers.
    made = [Receiver(host=host, port=port) for host in RECEIVERS]
    yield made
    for r in made:
        r.close()
        assert r.faults == []
    w.gw.seki("flush")


def to(label: str) -> str:
    return f"bob@{label}.{ZONE}"


def comes_back(w: World, address: str, status: str, leg_id: str) -> None:
    """At once: without a try that failed for now."""
    [notice] = w.notices(address)
    assert notice.of(address)["status"] == status, notice.rcpts
    wait_sent(w.gw, leg_id)
    assert not records(w.gw, leg_id, "deferred")


def waits(w: World, leg_id: str) -> None:
    """It is tried again, and nobody has been told anything."""
    [record, *_] = wait_record(w.gw, leg_id, "deferred")
    assert record.values["status"].startswith("4."), record
    time.sleep(MARGIN)
    assert not records(w.gw, leg_id, "failed") and not records(w.gw, leg_id, "bounced")


# ---- servers by the DNS --------------------------------------------------------------------------------------------


def test_the_first_mx_gets_it(w, mx):
    w.send("order", to("order"))
    mx[0].wait_tag("order")
    assert mx[1].sessions == mx[2].sessions == []


def test_the_next_mx_when_one_is_not_there(w, mx):
    w.send("second", to("second"))
    mx[1].wait_tag("second")


@pytest.mark.parametrize("banner", [b"421 4.3.2 busy", b"554 5.7.1 not you", None])
def test_the_next_mx_when_one_does_not_greet(w, mx, banner):
    """RFC 5321 section 5.1: the others are tried before the mail waits."""
    mx[0].replies["banner"] = banner
    w.send("greeting", to("order"))
    mx[1].wait_tag("greeting")


def test_what_an_mx_refuses_for_good_is_refused(w, mx):
    """5yz to the recipient: no other server is asked."""
    mx[0].replies["RCPT"] = b"550 5.1.1 nobody"
    leg_id = w.send("refused", to("order").replace("bob", "refused"))
    comes_back(w, to("order").replace("bob", "refused"), "5.1.1", leg_id)
    assert mx[1].sessions == []


def test_without_mx_the_domain_is_its_own_server(w, mx):
    w.send("implicit", to("implicit"))
    mx[0].wait_tag("implicit")


def test_an_alias_is_followed(w, mx):
    w.send("alias", to("alias"))
    [mail] = mx[0].wait_tag("alias")
    assert mail.to == [to("alias")]  # and nothing is rewritten


def test_a_zone_that_is_not_signed_is_used_like_any_other(w, mx):
    w.send("plain", f"bob@plain.{ZONE}")
    mx[0].wait_tag("plain")


def test_O_null_mx(w):
    """RFC 7505: the domain takes no mail: 5.1.10, at once."""
    leg_id = w.send("null", to("null"))
    comes_back(w, to("null"), "5.1.10", leg_id)


@pytest.mark.parametrize("label", ["nothing", "text", "gone"])
def test_a_domain_that_takes_no_mail_or_is_none_comes_back(w, label):
    """NXDOMAIN; a name without MX or address; an MX whose name is none."""
    leg_id = w.send("none", to(label))
    [notice] = w.notices(to(label))
    assert notice.of(to(label))["status"].startswith("5."), notice.rcpts
    wait_sent(w.gw, leg_id)
    assert not records(w.gw, leg_id, "deferred")


def test_O_servfail_waits(w):
    waits(w, w.send("servfail", "bob@refused.test"))


def test_O_a_silent_name_server_waits(w):
    waits(w, w.send("silent", "bob@silent.test"))


def test_O_bogus_waits(w, mx):
    """DNSSEC: an answer that somebody changed is neither used nor taken for "no such domain"."""
    ids = [w.send("bogus", to("bogus")), w.send("bogus", to("bogus-host"))]
    for leg_id in ids:
        waits(w, leg_id)
    assert all(r.sessions == [] for r in mx)


def test_O_a_bogus_host_among_others_is_left_out(w, mx):
    w.send("half-bogus", to("half-bogus"))
    mx[1].wait_tag("half-bogus")
    assert mx[0].sessions == []


@pytest.mark.parametrize("label", ["loop-a", "in-loop"])
def test_O_cname_loop_is_bounded(w, label):
    """It waits, or comes back; the next mail is not held up by it."""
    leg_id = w.send("loop", to(label))
    begun = time.monotonic()
    while not (records(w.gw, leg_id, "deferred") or records(w.gw, leg_id, "failed")):
        assert time.monotonic() - begun < 15
        time.sleep(0.05)


def test_O_mx_to_ourselves(w, mx):
    """We are the best of its servers: nobody else would take it, and to send it is a loop: 5.4.6."""
    leg_id = w.send("us", to("us"))
    comes_back(w, to("us"), "5.4.6", leg_id)
    assert all(r.sessions == [] for r in mx)


def test_O_mx_behind_us_are_not_tried(w, mx):
    """RFC 5321 section 5.1: those before us are, those behind us would give it back to us."""
    mx[0].replies["banner"] = b"421 4.3.2 busy"
    leg_id = w.send("busy", to("behind-us"))
    wait_record(w.gw, leg_id, "deferred")
    assert mx[0].sessions
    mx[0].replies.clear()
    mx[0].wait_tag("busy")
    assert mx[2].sessions == []


def test_O_a_hundred_mx_are_bounded(w, mx):
    """None of 120 servers is there: at most deliver-addresses of them are tried a time, and the mail waits."""
    begun = time.monotonic()
    leg_id = w.send("many", to("many"))
    waits(w, leg_id)
    assert time.monotonic() - begun < 15


def test_two_domains_with_the_same_server(w, mx):
    ids = [w.send("same", to("two-a")), w.send("same", to("two-b"))]
    mx[0].wait(2)
    for leg_id in ids:
        wait_sent(w.gw, leg_id)


def test_one_message_for_many_domains(w, mx):
    """Each recipient by his own domain; one of them cannot be reached."""
    addresses = [to("order"), to("second"), to("implicit"), to("null"), "bob@refused.test"]
    leg_id = w.send("spread", addresses)
    mx[0].wait(2, lambda m: m.tag == "spread")
    mx[1].wait_tag("spread")
    wait_record(w.gw, leg_id, "deferred", where=lambda x: x.rcpts == [5])
    wait_record(w.gw, leg_id, "bounced", where=lambda x: x.rcpts == [4])
    delivered = sorted(n for x in records(w.gw, leg_id, "delivered") for n in x.rcpts)
    assert delivered == [1, 2, 3]


# ---- literals, smart hosts -----------------------------------------------------------------------------------------


def test_address_literals(w, mx):
    """[127.0.77.1] needs no look-up."""
    leg_id = w.send("literal", f"bob@[{RECEIVERS[0]}]")
    [mail] = mx[0].wait_tag("literal")
    assert mail.to == [f"bob@[{RECEIVERS[0]}]"]
    wait_sent(w.gw, leg_id)


def test_a_smart_host_by_its_name_is_its_address_not_its_mx(w, mx):
    w.route("@smart-host.test", f"host:smart.{ZONE}:{mx[0].port}")
    w.send("smart", "bob@smart-host.test")
    mx[0].wait_tag("smart")
    assert mx[1].sessions == []


def test_a_smart_host_whose_name_is_bogus_waits(w, mx):
    w.route("@bogus-smart.test", f"host:broken.{ZONE}:{mx[0].port}")
    waits(w, w.send("bogus-smart", "bob@bogus-smart.test"))
    assert all(r.sessions == [] for r in mx)


PASSWORD = "a pass word with \x22quotes\x22 = + ü"


def login(w: World, name: str, text: str) -> None:
    import grp
    path = w.gw.root / "etc/logins" / name
    path.write_text(text)
    os.chmod(path, 0o640)
    os.chown(path, 0, grp.getgrnam("seki").gr_gid)


def test_a_smart_host_with_a_login(w, tmp_path):
    """AUTH within TLS, and nowhere is the password written down."""
    login(w, "provider", f"alice@provider.test {PASSWORD}\n")
    offers = ("PIPELINING", "STARTTLS", "AUTH PLAIN LOGIN")
    with Receiver(offers, tls=self_signed(tmp_path), logins={"alice@provider.test": PASSWORD}) as r:
        domain = w.lane(r.place, "login=provider")
        leg_id = w.send("login", f"bob@{domain}")
        [mail] = r.wait_tag("login")
        assert mail.session.tls and mail.session.words("AUTH")
        at = [c.split(b" ")[0].strip() for c in mail.session.commands]
        assert at.index(b"STARTTLS") < at.index(b"AUTH") < at.index(b"MAIL")
        wait_sent(w.gw, leg_id)
    import base64
    forms = [PASSWORD, "pass word with", base64.b64encode(PASSWORD.encode()).decode()]
    for folder in (w.gw.root / "log").iterdir():
        if folder.is_dir():
            assert not any(form in w.gw.log(folder.name) for form in forms)
    shown = w.gw.seki("show", leg_id).stdout + w.gw.seki("route", "test", f"bob@{domain}").stdout
    assert not any(form in shown for form in forms)


def test_no_TLS_no_password(w):
    """I6: a server that offers no TLS is told nothing, and the mail waits; so it does where the handshake fails."""
    login(w, "bare", f"alice {PASSWORD}\n")
    with Receiver(("PIPELINING", "AUTH PLAIN LOGIN"), logins={"alice": PASSWORD}) as r:
        domain = w.lane(r.place, "login=bare")
        waits(w, w.send("bare", f"bob@{domain}"))
        assert r.mails == [] and not any(s.words("AUTH") for s in r.sessions)
    with Receiver(("PIPELINING", "STARTTLS", "AUTH PLAIN"), talk=None, STARTTLS=b"454 4.7.0 not now") as r:
        domain = w.lane(r.place, "login=bare")
        waits(w, w.send("bare", f"bob@{domain}"))
        assert r.mails == [] and not any(s.words("AUTH") for s in r.sessions)


def test_a_wrong_password_waits(w, tmp_path):
    login(w, "wrong", "alice wrong\n")
    with Receiver(("STARTTLS", "AUTH PLAIN"), tls=self_signed(tmp_path), logins={"alice": PASSWORD}) as r:
        domain = w.lane(r.place, "login=wrong")
        waits(w, w.send("wrong", f"bob@{domain}"))
        assert r.mails == []


def test_a_login_that_is_missing_waits(w, tmp_path):
    """The file is not there: the mail waits, nothing is sent without it."""
    login(w, "missing", "a b\n")
    with Receiver(("STARTTLS", "AUTH PLAIN"), tls=self_signed(tmp_path)) as r:
        domain = w.lane(r.place, "login=missing")
        (w.gw.root / "etc/logins/missing").unlink()
        waits(w, w.send("missing", f"bob@{domain}"))
        assert r.mails == []
    w.routes.pop(f"@{domain}")


def test_route_test_shows_what_would_be_tried(w):
    """seki route test ADDRESS: the line that decides and the servers in their order."""
    done = w.gw.seki("route", "test", to("order"))
    assert done.returncode == 0, done.stderr
    at = [done.stdout.find(host) for host in RECEIVERS]
    assert -1 not in at and at == sorted(at), done.stdout
    assert "loop" in (said := w.gw.seki("route", "test", to("us"))).stdout + said.stderr or "5.4.6" in said.stdout + said.stderr
    assert events(w.gw, "seki-deliver", "died") == []


def test_the_resolver_dies_and_the_mail_waits(w, mx):
    """Down: nothing is sent anywhere and nothing comes back; up again: all arrives."""
    w.gw.svc("-wD", "-d", "seki-resolve")
    try:
        leg_id = w.send("resolver", to("fresh"))
        time.sleep(MARGIN)
        assert all(r.sessions == [] for r in mx)
        assert not records(w.gw, leg_id, "failed") and not records(w.gw, leg_id, "bounced")
    finally:
        w.gw.svc("-wU", "-u", "seki-resolve")
    w.gw.seki("flush")
    mx[0].wait_tag("resolver")
    wait_sent(w.gw, leg_id)
