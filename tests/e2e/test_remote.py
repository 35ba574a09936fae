"""seki-remote against decent servers, real ones and hostile ones: attacks O, S2, S3 and S8, feature N17, trap C15."""
import base64
import hashlib
import os
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import free_port
from remote_kit import BODY, Employer, Line, Server, program, scripted, self_signed, short, wait_until

HOSTILE = [
    BODY + b".\r\n..\r\n...\r\n.a\r\n\r\n.\r\n",
    BODY + b".",
    BODY + b".\r\nMAIL FROM:<evil@x>\r\nRCPT TO:<y@z>\r\nDATA\r\n.\r\n",
    b".\r\n",
    b"..",
    b"",
    b"\r\n",
    b"no header, no end of a line",
    BODY + bytes(range(14, 256)) + b"\x00\x01\r\n" + "あ".encode() + b"\r\n",
    BODY + (b"." * 70 + b"\r\n") * 3000,
    BODY + b"x" * 200000,
    BODY + b"a\r\n" * 30000 + b".\r\n",
]


def whole(content: bytes) -> bytes:
    return content if content.endswith(b"\r\n") or not content else content + b"\r\n"


# ---- a decent server -------------------------------------------------------------------------------------------


def test_n17_s2_what_leaves_is_byte_for_byte_what_was_there() -> None:
    """N17, S2: many messages on one session; a receiver of its own finds each whole, alone, and unchanged."""
    with Server() as server, Employer() as employer:
        assert employer.open(server).kind == "O"
        for content in HOSTILE:
            assert employer.one(content).word == "delivered"
            assert employer.done["sha256"] == hashlib.sha256(content).hexdigest()
        employer.close()
        server.wait()
        assert [m.content for m in server.messages] == [whole(c) for c in HOSTILE]
        assert server.connections == 1 and len(server.words("EHLO")) == 1 and server.words("RSET") == []
        assert len(server.words("QUIT")) == 1


@pytest.mark.parametrize("content", [b"a\nb\r\n", b"a\rb\r\n", b"a\r", b"a\r\n.\nQUIT\r\n", b"\n.\r\n", b"a\r\r\nb\r\n"],
                         ids=short)
def test_s2_a_bare_cr_or_lf_never_leaves(content: bytes) -> None:
    """S2: it would be a message's end to somebody; no dot, and an alarm."""
    with Server() as server, Employer() as employer:
        employer.open(server)
        result = employer.one(BODY + content)
        assert (result.word, result["phase"], result["code"], result["status"]) == ("deferred", "content", "000", "4.3.0")
        assert employer.get().kind == "E"
        server.wait()
        assert server.messages == []
        for sent in server.partial:
            rest = sent.replace(b"\r\n", b"")
            assert b"\r" not in rest and b"\n" not in rest
        assert "event=content-faulty alarm=yes" in employer.logged()


@pytest.mark.parametrize("wrong", [{"sha256": "0" * 64}, {"size": 10 ** 6}])
@pytest.mark.parametrize("content", [BODY + b"x\r\n", BODY + b"y" * 70 + b"\r\n" + b"z\r\n" * 60000], ids=short)
def test_a_wrong_digest_or_a_short_file_withholds_the_dot(content: bytes, wrong: dict) -> None:
    """Law 4 of the spool: nothing is said to be a message that is not proven to be the one."""
    with Server(offers=["PIPELINING"]) as server, Employer() as employer:
        employer.open(server)
        result = employer.one(content, **wrong)
        assert (result.word, result["phase"], result["status"]) == ("deferred", "content", "4.3.0")
        assert employer.get().kind == "E"
        server.wait()
        assert server.messages == [] and len(server.partial) == 1
        assert "event=content-faulty" in employer.logged()


@pytest.mark.parametrize("offers", [Server.OFFERS, ()])
def test_every_command_with_and_without_pipelining(offers: tuple) -> None:
    with Server(offers=offers) as server, Employer() as employer:
        employer.open(server)
        results = employer.send(to=["a@x.example", "b@x.example"])
        assert {r.word for r in results.values()} == {"delivered"}
        employer.close()
        server.wait()
        assert [c.split()[0] for c in server.commands] == [b"EHLO", b"MAIL", b"RCPT", b"RCPT", b"DATA", b"QUIT"]


def test_pipelining_is_one_flight_and_only_if_offered() -> None:
    """RFC 2920: MAIL, RCPT and DATA come together; without the offer nothing comes before a reply."""
    seen = {}

    def talk(offer: bytes) -> Callable[[Line], None]:
        def one(line: Line) -> None:
            line.say(b"220 x\r\n")
            line.line()
            line.say(b"250-x\r\n250 " + offer + b"\r\n")
            line.until(b"MAIL FROM:<alice@example.co.jp>\r\n")
            if offer == b"PIPELINING":
                line.until(b"DATA\r\n")  # without any reply
                line.say(b"250 1\r\n250 2\r\n354 3\r\n")
            else:
                line.raw.settimeout(0.2)
                with pytest.raises(TimeoutError):
                    line.line()
                line.raw.settimeout(10)
                line.say(b"250 1\r\n")
                line.until(b"\r\n")
                line.say(b"250 2\r\n")
                line.until(b"DATA\r\n")
                line.say(b"354 3\r\n")
            line.until(b"\r\n.\r\n")
            line.say(b"250 4\r\n")
            seen[offer] = line.drain()

        return one

    for offer in (b"PIPELINING", b"HELP"):
        with Server(talk(offer)) as server, Employer() as employer:
            employer.open(server)
            assert employer.one()["reply"] == "250 4"
            employer.close()
            server.wait()
    assert set(seen.values()) == {b"QUIT\r\n"}


@pytest.mark.parametrize("offers", [Server.OFFERS, ("8BITMIME",)])
def test_o_partial_refusal_is_told_for_each(offers: tuple) -> None:
    """O: some recipients are refused, and the others have the mail."""

    def rcpt(command: bytes) -> str:
        return {b"b": "550 5.1.1 no such user", b"c": "450 4.2.0 greylisted"}.get(command[9:10], "250 ok")

    with Server(offers=offers, RCPT=rcpt) as server, Employer() as employer:
        employer.open(server)
        results = employer.send(to=["a@x.example", "b@x.example", "c@x.example", "d@x.example"])
        assert [(results[n].word, results[n]["phase"], results[n]["code"], results[n]["status"]) for n in range(1, 5)] == [
            ("delivered", "dot", "250", "2.0.0"), ("refused", "rcpt", "550", "5.1.1"),
            ("deferred", "rcpt", "450", "4.2.0"), ("delivered", "dot", "250", "2.0.0")]
        assert results[2]["reply"] == "550 5.1.1 no such user"
        assert employer.one(to=["e@x.example"]).word == "delivered"
        employer.close()
        server.wait()
        assert server.messages[0].rcpts == [b"RCPT TO:<a@x.example>", b"RCPT TO:<d@x.example>"]
        assert len(server.messages) == 2


@pytest.mark.parametrize("offers", [Server.OFFERS, ()])
@pytest.mark.parametrize("phase,replies", [
    ("mail", {"MAIL": "550 5.7.1 not you"}), ("mail", {"MAIL": "451 4.7.1 later"}),
    ("rcpt", {"RCPT": "550 5.1.1 unknown"}), ("rcpt", {"RCPT": "452 4.2.2 full"}),
    ("data", {"DATA": "554 5.7.1 no"}), ("data", {"DATA": "451 4.3.0 later"}),
    ("dot", {"dot": "554 5.6.0 virus"}), ("dot", {"dot": "452 4.3.1 disk"}),
])
def test_o_4yz_and_5yz_at_each_phase_and_the_session_goes_on(phase: str, replies: dict, offers: tuple) -> None:
    """O: refused or deferred by the reply; the next message goes over the same session, behind RSET if need be."""
    with Server(offers=offers, **replies) as server, Employer() as employer:
        employer.open(server)
        results = employer.send(to=["a@x.example", "b@x.example"])
        reply = next(iter(replies.values()))
        for result in results.values():
            assert result.word == ("refused" if reply[0] == "5" else "deferred")
            assert (result["phase"], result["code"], result["status"], result["reply"]) == (
                phase, reply[:3], reply.split()[1], reply)
        assert len(results) == 2
        server.replies.clear()
        assert employer.one().word == "delivered"
        employer.close()
        server.wait()
        assert server.connections == 1 and len(server.messages) == (2 if phase == "dot" else 1)


def test_o_354_without_recipients_gets_an_end_at_once() -> None:
    """RFC 2920 section 3.1: a server that says 354 though it took nobody gets a dot and no content."""

    def talk(line: Line) -> None:
        line.say(b"220 x\r\n")
        line.line()
        line.say(b"250-x\r\n250 PIPELINING\r\n")
        line.until(b"DATA\r\n")
        line.say(b"250 ok\r\n550 5.1.1 no\r\n354 go on\r\n")
        assert line.line() == b".\r\n"
        line.say(b"554 no valid recipients\r\n")
        assert line.line() == b"RSET\r\n"
        line.until(b"DATA\r\n")
        line.say(b"250 ok\r\n250 ok\r\n250 ok\r\n354 go on\r\n")
        line.until(b"\r\n.\r\n")
        line.say(b"250 2.6.0 done\r\n")
        line.drain()

    with Server(talk) as server, Employer() as employer:
        employer.open(server)
        assert (lambda r: (r.word, r["status"]))(employer.one()) == ("refused", "5.1.1")
        assert (lambda r: (r.word, r["status"]))(employer.one()) == ("delivered", "2.6.0")


def test_ten_thousand_recipients_in_transactions() -> None:
    """RFC 5321 section 4.5.3.1.8: at most 100 a transaction, all in one session, each told once."""
    everybody = [f"u{n}@x.example" for n in range(10000)]
    with Server() as server, Employer() as employer:
        employer.open(server)
        results = employer.send(to=everybody)
        assert len(results) == 10000 and {r.word for r in results.values()} == {"delivered"}
        employer.close()
        server.wait()
        assert len(server.messages) == 100 and {len(m.rcpts) for m in server.messages} == {100}
        assert [r for m in server.messages for r in m.rcpts] == [f"RCPT TO:<{a}>".encode() for a in everybody]


@pytest.mark.parametrize("reply", ["452 4.5.3 too many", "452 too many"])
def test_too_many_recipients_come_in_the_next_transaction(reply: str) -> None:
    """RFC 5321 section 4.5.3.1.10: what the server has no room for is sent behind, without a wait of minutes."""
    count = {"n": 0}

    def rcpt(_: bytes) -> str:
        count["n"] += 1
        return "250 ok" if count["n"] <= 3 else reply

    def mail(_: bytes) -> str:
        count["n"] = 0
        return "250 ok"

    with Server(RCPT=rcpt, MAIL=mail) as server, Employer() as employer:
        employer.open(server)
        results = employer.send(to=[f"u{n}@x.example" for n in range(10)])
        assert len(results) == 10 and {r.word for r in results.values()} == {"delivered"}
        employer.close()
        server.wait()
        assert [len(m.rcpts) for m in server.messages] == [3, 3, 3, 1]


def test_a_full_mailbox_among_others_is_deferred() -> None:
    with Server(RCPT=lambda c: "452 no room" if b"<b@" in c else "250 ok") as server, Employer() as employer:
        employer.open(server)
        results = employer.send(to=["a@x.example", "b@x.example", "c@x.example"])
        assert [results[n].word for n in (1, 2, 3)] == ["delivered", "deferred", "delivered"]
        assert len(server.messages) == 1


# ---- what the server lacks -------------------------------------------------------------------------------------


def test_size_is_declared_and_obeyed() -> None:
    """RFC 1870: over the offered size nothing is sent, and the mail is refused for good."""
    with Server(offers=["SIZE 500"]) as server, Employer() as employer:
        assert employer.open(server)["size"] == "500"
        result = employer.one(BODY + b"x" * 600 + b"\r\n")
        assert (result.word, result["status"], result["code"], result["phase"]) == ("refused", "5.3.4", "000", "local")
        content = BODY + b"y\r\n"
        assert employer.one(content).word == "delivered"
        employer.close()
        server.wait()
        assert server.words("MAIL") == [b"MAIL FROM:<alice@example.co.jp> SIZE=%d" % len(content)]


def test_s8_8bitmime_is_said_if_offered_and_else_the_mail_is_sent_as_it_is() -> None:
    """S8: never mangled, never refused for it."""
    content = BODY + "あ\r\n".encode()
    for offers, words in ((["8BITMIME"], b" BODY=8BITMIME"), ([], b"")):
        with Server(offers=offers) as server, Employer() as employer:
            employer.open(server)
            assert employer.one(content, params="body=8bitmime").word == "delivered"
            employer.close()
            server.wait()
            assert server.words("MAIL") == [b"MAIL FROM:<alice@example.co.jp>" + words]
            assert server.messages[0].content == content


def test_s8_8bitmime_can_be_insisted_on() -> None:
    """S8: "eightbit bounce": 5.6.3 without a word to a server that does not offer it; nothing else changes."""
    content = BODY + "あ\r\n".encode()
    with Server(offers=["PIPELINING"]) as server, Employer() as employer:
        employer.open(server, eightbit="bounce")
        results = employer.send(content, params="body=8bitmime", to=["a@x.example", "b@x.example"])
        assert {(n, r.word, r["status"], r["code"], r["phase"]) for n, r in results.items()} == {
            (1, "refused", "5.6.3", "000", "local"), (2, "refused", "5.6.3", "000", "local")}
        assert employer.one(BODY, params="body=7bit").word == "delivered"
        assert employer.one(BODY).word == "delivered"
        employer.close()
        server.wait()
        assert len(server.words("MAIL")) == 2
    with Server(offers=["8BITMIME"]) as server, Employer() as employer:
        employer.open(server, eightbit="bounce")
        assert employer.one(content, params="body=8bitmime").word == "delivered"
        employer.close()
    with Server(offers=[]) as server, Employer() as employer:
        employer.open(server, eightbit="send")
        assert employer.one(content, params="body=8bitmime").word == "delivered"
        employer.close()


@pytest.mark.parametrize("more", [{"params": "smtputf8=yes"}, {"to": ["岡@x.example"]}, {"sender": "岡@example.co.jp"}])
def test_s8_smtputf8_is_said_or_the_mail_is_refused(more: dict) -> None:
    """S8: needed and not offered is 5.6.7, without a word to the server."""
    with Server() as server, Employer() as employer:
        employer.open(server)
        assert employer.one(**more).word == "delivered"
        employer.close()
        server.wait()
        assert server.words("MAIL")[0].endswith(b" SMTPUTF8")
    with Server(offers=["8BITMIME"]) as server, Employer() as employer:
        employer.open(server)
        result = employer.one(**more)
        assert (result.word, result["status"], result["phase"]) == ("refused", "5.6.7", "local")
        employer.close()
        server.wait()
        assert server.words("MAIL") == []


def test_dsn_parameters_are_said_if_offered() -> None:
    """RFC 3461: RET, ENVID, NOTIFY, ORCPT; a value is xtext, whatever it holds."""
    more = {"params": "ret=hdrs envid=a+2Bb", "to": ["b@x.example notify=success,failure orcpt=rfc822;b+2Bc@y.example"]}
    for offers, mail, rcpt in ((["DSN"], b" RET=HDRS ENVID=a+2Bb", b" NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b+2Bc@y.example"),
                               ([], b"", b"")):
        with Server(offers=offers) as server, Employer() as employer:
            employer.open(server)
            assert employer.one(**more).word == "delivered"
            employer.close()
            server.wait()
            assert server.words("MAIL") == [b"MAIL FROM:<alice@example.co.jp>" + mail]
            assert server.words("RCPT") == [b"RCPT TO:<b@x.example>" + rcpt]


def test_the_null_sender_and_addresses_that_cannot_be_said() -> None:
    """S2: no byte of an address ends a command; such an address is refused alone."""
    with Server() as server, Employer() as employer:
        employer.open(server)
        results = employer.send(sender="", to=["a@x.example>\r\nRCPT TO:<evil@x", '"a>b"@x.example', "a>b@x.example"])
        assert [(results[n].word, results[n]["status"]) for n in (1, 2, 3)] == [
            ("refused", "5.1.3"), ("delivered", "2.0.0"), ("refused", "5.1.3")]
        assert employer.one(sender="a\r\nb@x.example")["status"] == "5.1.7"
        employer.close()
        server.wait()
        assert server.words("MAIL") == [b"MAIL FROM:<> SIZE=73"]
        assert server.words("RCPT") == [b'RCPT TO:<"a>b"@x.example>']


def test_helo_where_ehlo_is_unknown() -> None:
    with Server(EHLO="500 5.5.1 what?") as server, Employer() as employer:
        assert employer.open(server)["offers"] == ""
        assert employer.one(params="body=8bitmime ret=full").word == "delivered"
        employer.close()
        server.wait()
        assert server.words("HELO") == [b"HELO gw.example.co.jp"]
        assert server.words("MAIL") == [b"MAIL FROM:<alice@example.co.jp>"]


# ---- TLS and AUTH ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    return self_signed(tmp_path_factory.mktemp("tls"))


def test_opportunistic_tls(context: ssl.SSLContext) -> None:
    """Whatever the certificate; what was offered before TLS is asked again (S3)."""
    with Server(offers=["STARTTLS", "PIPELINING"], tls=context) as server, Employer() as employer:
        opened = employer.open(server, tls="opportunistic", name="mx.partner.example")
        assert opened["tls"] == "TLSv1.3" and opened["cipher"].startswith("TLS_")
        for content in HOSTILE:
            assert employer.one(content).word == "delivered"
        employer.close()
        server.wait()
        assert [m.content for m in server.messages] == [whole(c) for c in HOSTILE]
        assert len(server.words("EHLO")) == 2 and server.words("QUIT") == [b"QUIT"]


def test_no_tls_where_the_policy_says_none(context: ssl.SSLContext) -> None:
    with Server(offers=["STARTTLS"], tls=context) as server, Employer() as employer:
        assert employer.open(server)["tls"] == "-"
        assert server.words("STARTTLS") == []


@pytest.mark.parametrize("reply", ["454 4.7.0 not now", "220 go", None, "421 4.3.0 gone"])
def test_o_starttls_that_fails_is_done_without(reply: "str | None") -> None:
    """O, opportunistic: refused, a handshake that fails, or a lost connection: once more, in the clear."""
    with Server(offers=["STARTTLS"], STARTTLS=reply) as server, Employer() as employer:
        # The decent server without a context takes the handshake for a command, and breaks off.
        server.faults = type("ignored", (list,), {"append": lambda *_: None})()
        opened = employer.open(server, tls="opportunistic", starttls=3000)
        assert opened.kind == "O" and opened["tls"] == "-"
        assert employer.one().word == "delivered"
        employer.close()
        assert server.connections == (1 if reply and reply.startswith("454") else 2)
        assert [a["phase"] for a in employer.attempts] == ["starttls"] * (server.connections - 1)


def test_s3_replies_before_the_handshake_are_discarded(context: ssl.SSLContext) -> None:
    """S3: what an attacker adds in the clear behind 220 is no reply under TLS."""

    def talk(line: Line) -> None:
        line.say(b"220 x\r\n")
        line.line()
        line.say(b"250-x\r\n250 STARTTLS\r\n")
        line.line()
        line.say(b"220 go\r\n250-evil\r\n250-AUTH PLAIN\r\n250 SIZE 1\r\n")
        with context.wrap_socket(line.raw, server_side=True) as raw:
            inside = Line(raw)
            assert inside.line().startswith(b"EHLO")
            inside.say(b"250-good\r\n250 SIZE 12345\r\n")
            assert inside.line() == b"QUIT\r\n"

    with Server(talk) as server, Employer() as employer:
        opened = employer.open(server, tls="opportunistic")
        assert opened["tls"].startswith("TLS") and opened["size"] == "12345"
        employer.close()
        server.wait()


@pytest.mark.parametrize("method", ["PLAIN", "LOGIN"])
def test_auth_under_tls(context: ssl.SSLContext, method: str) -> None:
    words = []

    def auth(command: bytes) -> str:
        words.append(command.strip())
        return "334 VXNlcm5hbWU6" if command.strip() == b"AUTH LOGIN" else "235 2.7.0 ok"

    class Asking(Server):
        def _reply(self, line: Line, verb: str, command: bytes, otherwise: bytes) -> int:
            code = super()._reply(line, verb, command, otherwise)
            if code == 334:
                words.append(line.line().strip())
                line.say(b"334 UGFzc3dvcmQ6\r\n")
                words.append(line.line().strip())
                line.say(b"235 2.7.0 ok\r\n")
            return code

    with Asking(offers=["STARTTLS", f"AUTH CRAM-MD5 {method}"], tls=context, AUTH=auth) as server, Employer() as employer:
        opened = employer.open(server, tls="opportunistic", auth="alice@x p+2Bss")
        assert opened["auth"] == "yes"
        assert employer.one().word == "delivered"
        employer.close()
        server.wait()
        encoded = [base64.b64encode(b) for b in (b"\0alice@x\0p+ss", b"alice@x", b"p+ss")]
        assert words == ([b"AUTH PLAIN " + encoded[0]] if method == "PLAIN" else [b"AUTH LOGIN", *encoded[1:]])
        assert "p+ss" not in employer.logged()


@pytest.mark.parametrize("offers,tls", [(["AUTH PLAIN"], False), (["AUTH PLAIN", "STARTTLS"], True), (["STARTTLS"], True)])
def test_o_a_password_is_never_said_in_the_clear(context: ssl.SSLContext, offers: list, tls: bool) -> None:
    """O: STARTTLS stripped, or failing; then nothing is sent at all, and it is tried again later."""
    replies = {"STARTTLS": "454 4.7.0 not now"} if "AUTH PLAIN" in offers and tls else {}
    with Server(offers=offers, tls=context, **replies) as server, Employer() as employer:
        ended = employer.open(server, server, tls="opportunistic", auth="alice secret")
        assert (ended.kind, ended.word, ended["phase"], ended["status"]) == ("E", "deferred", "auth", "4.7.0")
        server.wait()
        assert server.words("AUTH") == [] and server.words("MAIL") == [] and server.connections == 1


def test_a_password_that_is_refused_bounces_nothing(context: ssl.SSLContext) -> None:
    """The credentials are ours: deferred, whatever the server says; and asked once."""
    with Server(offers=["STARTTLS", "AUTH PLAIN"], tls=context, AUTH="535 5.7.8 no") as server, Employer() as employer:
        ended = employer.open(server, server, tls="opportunistic", auth="alice secret")
        assert (ended.word, ended["phase"], ended["code"], ended["status"]) == ("deferred", "auth", "535", "4.7.8")
        server.wait()
        assert server.connections == 1


# ---- addresses -------------------------------------------------------------------------------------------------


def test_c15_addresses_are_tried_in_order_and_ipv6_falls_back_to_ipv4() -> None:
    """C15: nobody listens at the IPv6 address, another host refuses, the third takes it."""
    with Server(scripted(b"554 5.7.1 no reverse name\r\n")) as refusing, Server() as server, Employer() as employer:
        opened = employer.open(("::1", free_port()), ("127.0.0.1", free_port()), refusing, server, server)
        assert (opened.kind, opened["peer"], opened["port"]) == ("O", "127.0.0.1", str(server.port))
        assert [(a.word, a["phase"], a["code"], a["status"]) for a in employer.attempts] == [
            ("deferred", "connect", "000", "4.4.1"), ("deferred", "connect", "000", "4.4.1"),
            ("refused", "greeting", "554", "5.7.1")]
        assert employer.attempts[0]["peer"] == "::1"


def test_ipv6_first() -> None:
    try:
        server = Server(host="::1")
    except OSError:
        pytest.skip("this machine has no ::1")
    with server, Employer() as employer:
        assert employer.open(("::1", server.port), ("127.0.0.1", 1))["peer"] == "::1"
        assert employer.one().word == "delivered"


def test_an_address_that_does_not_answer_costs_the_connect_limit() -> None:
    """A backlog that is full: the kernel answers nothing."""
    with socket.socket() as deaf, Server() as server, Employer() as employer:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for s in fillers:
            s.setblocking(False)
            s.connect_ex(deaf.getsockname())
        opened = employer.open(deaf.getsockname(), server, connect=500)
        assert opened.kind == "O" and employer.attempts[0]["reply"] == "no connection in time"
        for s in fillers:
            s.close()


def test_refused_for_good_only_if_every_address_says_so() -> None:
    with Server(scripted(b"554 5.3.2 no\r\n")) as a, Server(scripted(b"554 5.3.2 never\r\n")) as b, Employer() as employer:
        ended = employer.open(a, b)
        assert (ended.kind, ended.word, ended["reply"]) == ("E", "refused", "554 5.3.2 never")
    with Server(scripted(b"421 4.3.2 busy\r\n")) as a, Server(scripted(b"554 5.3.2 no\r\n")) as b, Employer() as employer:
        ended = employer.open(a, b)
        assert (ended.kind, ended.word, ended["reply"]) == ("E", "deferred", "421 4.3.2 busy")


# ---- what it may do --------------------------------------------------------------------------------------------


def test_it_is_confined() -> None:
    """Its own uid comes with the service; the rest it gives up by itself."""
    with Server() as server, Employer() as employer:
        employer.open(server)
        pid = employer.process.pid
        status = Path(f"/proc/{pid}/status").read_text()
        limits = Path(f"/proc/{pid}/limits").read_text()
        assert "NoNewPrivs:\t1" in status
        assert "Seccomp:\t2" in status or "sanitize" in str(program())
        for what in ("Max processes", "Max core file size"):
            row = next(line for line in limits.splitlines() if line.startswith(what))
            assert row[26:].split()[:2] == ["0", "0"], row
        assert employer.one().word == "delivered"


def memory(pid: int) -> int:
    return next(int(line.split()[1]) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
                if line.startswith("VmHWM"))


def test_memory_does_not_grow_with_the_message() -> None:
    with Server(offers=["PIPELINING"]) as server, Employer() as employer:
        employer.open(server)
        employer.one()
        before = memory(employer.process.pid)
        assert employer.one(BODY + (b"m" * 998 + b"\r\n") * 16000).word == "delivered"
        assert memory(employer.process.pid) - before < 1024


# ---- real servers ----------------------------------------------------------------------------------------------


def test_smtp_sink(tmp_path: Path) -> None:
    """Postfix's smtp-sink: many messages of several sizes over one session."""
    sink = shutil.which("smtp-sink", path="/usr/sbin:/usr/bin")
    if sink is None:
        pytest.skip("smtp-sink is missing (package postfix)")
    port = free_port()
    process = subprocess.Popen([sink, "-u", "nobody", "-c", f"127.0.0.1:{port}", "100"] if os.geteuid() == 0 else
                               [sink, "-c", f"127.0.0.1:{port}", "100"], stdout=subprocess.DEVNULL, cwd=tmp_path)
    try:
        wait_until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0)
        with Employer() as employer:
            assert employer.open(("127.0.0.1", port)).kind == "O"
            for n in range(50):
                assert employer.one(BODY + b"k" * 70 * n + b"\r\n").word == "delivered"
            employer.close()
    finally:
        process.terminate()
        process.wait(10)


AIOSMTPD = """
import asyncio, pathlib, ssl, sys
from aiosmtpd.smtp import SMTP
folder = pathlib.Path(sys.argv[2])
class Handler:
    n = 0
    async def handle_DATA(self, server, session, envelope):
        Handler.n += 1
        (folder / f"{Handler.n}.eml").write_bytes(envelope.original_content)
        return "250 2.0.0 taken"
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder / "crt.pem", folder / "key.pem")
async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Handler(), enable_SMTPUTF8=True, tls_context=context, hostname="x"),
                                      "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()
asyncio.run(main())
"""


def test_aiosmtpd_finds_the_same_messages(tmp_path: Path) -> None:
    """S2, N17: a receiver that is not ours reads, under TLS, one message for each, with the very bytes."""
    if subprocess.run([sys.executable, "-c", "import aiosmtpd"], capture_output=True, check=False).returncode:
        pytest.skip("aiosmtpd is missing (package python3-aiosmtpd)")
    self_signed(tmp_path)
    port = free_port()
    process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", AIOSMTPD, str(port), str(tmp_path)])
    contents = [c for c in HOSTILE if max(map(len, c.split(b"\r\n"))) < 990]
    try:
        wait_until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0)
        with Employer() as employer:
            assert employer.open(("127.0.0.1", port), tls="opportunistic")["tls"] == "TLSv1.3"
            for content in contents:
                result = employer.one(content, params="body=8bitmime")
                assert result.word == "delivered", result
            employer.close()
        assert len(contents) > 6
        for n, content in enumerate(contents, 1):
            assert (tmp_path / f"{n}.eml").read_bytes() == whole(content)
    finally:
        process.terminate()
        process.wait(10)
