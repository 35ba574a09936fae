"""A seki-web that has been taken over: a program of ours under its user, with all that it can reach. It can act for nobody who
is not logged in, and for those who are only as long as they are (W2, W3, W4; lib/gate/gate.h)."""
import array
import base64
import hashlib
import hmac
import json
import os
import pickle
import pwd
import re
import secrets
import socket
import stat
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conftest import wait_for
from held_kit import ALICE, BOB, BOSS, MINUTE, PATIENCE, words, xtext
from web_kit import PASSWORD, WebDesk, web_desk

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="other users need root")

USER = "sekiw"
REACHED = {"run/gate/socket", "run/login/socket", "run/rules/socket", "run/view/socket"}
NONCE = secrets.token_urlsafe(32)


@pytest.fixture(scope="module")
def desk() -> Iterator[WebDesk]:
    with web_desk(people=(ALICE, BOB, BOSS), settings={"link-asks": "pin", "auth-delay-longest": "4s"}) as made:
        yield made


def as_web(call: Callable[[], object]) -> object:
    """What a child says that is seki-web's user, with its groups and nothing else."""
    entry = pwd.getpwnam(USER)
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(out)
            os.setgroups(os.getgrouplist(USER, entry.pw_gid))
            os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
            os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)
            said = pickle.dumps(("said", call()))
        except BaseException:  # noqa: B902 - a child that goes on would run the tests again
            said = pickle.dumps(("raised", traceback.format_exc()))
        with open(into, "wb") as f:
            f.write(said)
        os._exit(0)
    os.close(into)
    with open(out, "rb") as f:
        how, what = pickle.loads(f.read())
    os.waitpid(child, 0)
    assert how == "said", what
    return what


def asks(desk: WebDesk, program: str, line: str) -> dict:
    """One request at one of its sockets; the answer."""
    path = str(desk.gw.root / f"run/{program}/socket")

    def call() -> bytes:
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(60)
            s.connect(path)
            s.sendall(line.encode() + b"\n")
            return s.makefile("rb").read()
    said = as_web(call)
    assert said, f"{program} closed: {line[:80]}"
    return json.loads(said)


def words_of(**keys: str) -> str:
    return "".join(f" {k}={xtext(v)}" for k, v in keys.items())


def gate(desk: WebDesk, credential: str, verb: str, **keys: str) -> dict:
    return asks(desk, "gate", f"{credential} {verb}{words_of(**keys)}")


def login(desk: WebDesk, verb: str, **keys: str) -> dict:
    return asks(desk, "login", f"{verb}{words_of(**keys)}")


def rules(desk: WebDesk, credential: str, verb: str, **keys: str) -> dict:
    return asks(desk, "rules", f"{credential} {verb}{words_of(**keys)}")


def letters(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def bytes_of(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def token_of(desk: WebDesk, client) -> str:
    """What a browser shows: the cookie of somebody who has logged in."""
    (token,) = [v for k, v in client.cookies.items() if k in ("sekisho", "__Host-sekisho")]
    return token


def ticket_of(desk: WebDesk, token: str) -> str:
    answer = login(desk, "session", token=token)
    assert answer["result"] == "done", answer
    return answer["ticket"]


def none_of_ours(answer: dict) -> None:
    assert answer["result"] in ("forged", "expired"), answer
    assert set(answer) <= {"result", "why", "code", "last"}, f"it is told more than no: {answer}"


# ---- what it reaches -----------------------------------------------------------------------------


def test_hostile_web_reads_no_secret_and_no_mail(desk: WebDesk) -> None:
    """W2: of all that an instance has it can read the settings and the pages, and nothing that somebody else keeps."""
    desk.leg(desk.mail("hour", subject="not for the pages"), "p@hour.example", "hold")
    desk.logged_in(ALICE)
    root = str(desk.gw.root)

    files = [str(p.relative_to(root)) for p in desk.gw.root.rglob("*") if p.is_file() and not p.is_symlink()]

    def readable() -> dict[str, str]:
        found = {}
        for name in files:
            for what, flags in (("r", os.O_RDONLY), ("w", os.O_WRONLY)):
                try:
                    os.close(os.open(os.path.join(root, name), flags))
                    found[name] = found.get(name, "") + what
                except OSError:
                    pass
        return found
    found = as_web(readable)
    assert any(name.startswith("etc/web/") for name in found), "it reads nothing at all: is it the user?"
    for name, how in found.items():
        assert "w" not in how or name.startswith(("run/web/", "run/taken/seki-web")), f"it can write {name}"
        assert name.endswith("/README") or not name.startswith(("spool/", "lib/gate/", "lib/login/", "lib/hold/", "lib/audit/log", "lib/history/db", "lib/quota/",
                                    "etc/passwd", "etc/secrets/", "etc/logins/", "etc/passwords/", "log/seki-login")), name
        assert not name.endswith(".key"), name
    assert {"lib/gate/key", "etc/passwd"} <= set(files)
    for folder in ("spool/hold/", "lib/login/"):
        assert any(name.startswith(folder) for name in files), folder


def test_hostile_web_reaches_four_doors_and_no_other(desk: WebDesk) -> None:
    """It cannot ask for passwords, queue mail, have notices written or look into the history but through those who prove it."""
    root = desk.gw.root
    sockets = sorted(str(p.relative_to(root)) for p in root.rglob("*") if stat.S_ISSOCK(p.lstat().st_mode))
    assert REACHED <= set(sockets), sockets

    def knock() -> list[str]:
        got = []
        os.chdir(root)
        for name in sockets:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(5)
                try:
                    s.connect(name)
                    s.settimeout(1)
                    s.sendall(b"x\n")
                    s.recv(1)
                    got.append(name)
                except TimeoutError:
                    got.append(name)
                except OSError:
                    pass
        return got
    reached = {name for name in as_web(knock) if not name.startswith(("run/web/", "service/", "log/"))}
    assert reached <= REACHED, reached
    assert {"run/gate/socket", "run/login/socket"} <= reached


def test_hostile_web_sees_no_other_process(desk: WebDesk) -> None:
    """Neither memory nor descriptors of the programs that know more."""
    pids = {name: desk.gw.pid(name) for name in ("seki-login", "seki-hold", "seki-rules")}

    def peek() -> list[str]:
        got = []
        for name, pid in pids.items():
            for what in ("mem", "environ", "maps"):
                try:
                    with open(f"/proc/{pid}/{what}", "rb") as f:
                        if what != "mem" and f.read(1):
                            got.append(f"{name} {what}")
                        elif what == "mem":
                            got.append(f"{name} {what}")
                except OSError:
                    pass
            try:
                got += [f"{name} fd {n}" for n in os.listdir(f"/proc/{pid}/fd")]
            except OSError:
                pass
            try:
                os.kill(pid, 0)
                got.append(f"{name} signal")
            except OSError:
                pass
        return got
    assert as_web(peek) == []


# ---- what it cannot make -------------------------------------------------------------------------


def forged_sessions(address: str, now: int, good: str = "") -> list[str]:
    """What looks like a session of `address`; `good` is one of somebody else."""
    head = f"s1.{letters(address.encode())}.{now + 3600:010d}"
    tried = [head + "." + letters(b"\0" * 16), head + "." + letters(secrets.token_bytes(16)), head + ".", head,
             head + "." + letters(hmac.digest(b"\0" * 32, b"session\0" + head.encode(), "sha256")[:16]),
             head + "." + letters(hashlib.sha256(b"session\0" + head.encode()).digest()[:16]), "s1...", "s1", "s2" + head[2:]]
    if good:
        version, who, until, mac = good.split(".")
        tried += [f"{version}.{letters(address.encode())}.{until}.{mac}", f"{version}.{who}.{int(until) + 1:010d}.{mac}",
                  f"{version}.{who}.9999999999.{mac}", f"{version}.{who}{letters(address.encode())}.{until}.{mac}",
                  f"{good}A", good[:-1], f"{version}.{who}.{until}.{'A' if mac[0] != 'A' else 'B'}{mac[1:]}"]
    return tried


def test_W2_hostile_web_forges_no_session(desk: WebDesk) -> None:
    """It may hold Bob's ticket, as he is logged in; nothing that it makes of it or of nothing is Alice's."""
    sent = desk.mail("hour", subject="Alice's own")
    desk.leg(sent, "p@hour.example", "hold")
    bob = ticket_of(desk, token_of(desk, desk.logged_in(BOB)))
    now = int(desk.now().timestamp())
    before = desk.rest()
    for text in forged_sessions(ALICE, now, bob):
        for verb, keys in (("list", {}), ("show", {"id": sent}), ("body", {"id": sent}), ("act", {"word": "release", "id": sent}),
                           ("absent", {}), ("review", {})):
            none_of_ours(gate(desk, f"session={text}", verb, **keys))
        none_of_ours(rules(desk, f"session={text}", "rules"))
    # Bob's own is good, for Bob.
    assert gate(desk, f"session={bob}", "list")["result"] == "done"
    for verb, keys in (("show", {}), ("body", {}), ("act", {"word": "discard"}), ("act", {"word": "release"})):
        answer = gate(desk, f"session={bob}", verb, id=sent, **keys)
        assert answer["result"] == "forbidden", answer
    assert desk.kept() == before


def test_W2_hostile_web_forges_no_link(desk: WebDesk) -> None:
    """A capability is about one mail and one person: changed in any byte it is none; and what nobody was mailed is not found
    by guessing."""
    first, second = (desk.mail("hour", subject=f"link {n}") for n in (1, 2))
    for sent in (first, second):
        desk.leg(sent, "p@hour.example", "hold")
    good = bytes_of(desk.notified(ALICE, "link 1").split("?")[1])
    other = bytes_of(desk.notified(ALICE, "link 2").split("?")[1])
    before = desk.rest()
    tried = [good[:i] + bytes([good[i] ^ bit]) + good[i + 1:] for i in range(len(good)) for bit in (1, 0x80)]
    tried += [good[:8] + bytes.fromhex(second) + good[24:], good[:32] + other[32:], good[:24] + other[24:], bytes(45),
              *(secrets.token_bytes(45) for _ in range(20)), good[:-1], good + b"\0"]
    for one in tried:
        if one == good:
            continue
        none_of_ours(gate(desk, f"cap={letters(one)}", "show"))
        none_of_ours(gate(desk, f"cap={letters(one)}", "act", word="release"))
    answer = gate(desk, f"cap={letters(good)}", "show", id=second)
    assert answer["result"] in ("forbidden", "no"), answer
    assert desk.kept() == before


def test_W4_hostile_web_forges_no_proof(desk: WebDesk) -> None:
    """With link-asks pin a link alone reads; what proves the number is made by seki-login alone, is about that link, and is
    good for a minute."""
    first, second = (desk.mail("hour", subject=f"proof {n}") for n in (1, 2))
    for sent in (first, second):
        desk.leg(sent, "p@hour.example", "hold")
    caps = [desk.notified(ALICE, f"proof {n}").split("?")[1] for n in (1, 2)]
    shown = gate(desk, f"cap={caps[0]}", "show")
    assert shown["result"] == "done" and shown["asks"] == "pin", shown

    def act(cap: str, **more: str) -> dict:
        return gate(desk, f"cap={cap}", "act", word="discard", **more)
    session = token_of(desk, desk.logged_in(ALICE))
    assert login(desk, "pin", token=session, pin="271828")["result"] == "done"
    good = login(desk, "proof", cap=caps[0], pin="271828", source="192.0.2.1")
    assert good["result"] == "done", good
    proof = good["proof"]
    wrong = ["", "p1", "271828", proof[:-1], proof + "A", proof[:-4] + ("AAAA" if proof[-4:] != "AAAA" else "BBBB"),
             proof.replace("p1.", "s1.", 1), "p1." + ".".join(proof.split(".")[1:])[::-1], ticket_of(desk, session)]
    before = desk.rest()
    for one in wrong:
        answer = act(caps[0], proof=one) if one else act(caps[0])
        assert answer["result"] in ("no", "forged", "expired", "forbidden"), (one, answer)
    for answer in (act(caps[1], proof=proof), act(caps[1])):
        assert answer["result"] != "done", answer
    assert login(desk, "proof", cap=caps[1], pin="271829", source="192.0.2.1")["result"] == "no"
    assert desk.kept() == before
    desk.later(2 * MINUTE)
    answer = act(caps[0], proof=proof)
    assert answer["result"] != "done", f"a proof of two minutes ago: {answer}"
    fresh = login(desk, "proof", cap=caps[0], pin="271828", source="192.0.2.1")["proof"]
    assert act(caps[0], proof=fresh)["result"] == "done"
    desk.rests(first, "trash")
    assert desk.states(second) == {"hold"}


def test_W3_hostile_web_guesses_no_pin(desk: WebDesk) -> None:
    """It may say that it comes from anywhere: numbers are counted by person. And he can still log in."""
    sent = desk.mail("hour", sender=BOB, subject="guess the number")
    desk.leg(sent, "p@hour.example", "hold")
    cap = desk.notified(BOB, "guess the number").split("?")[1]
    session = token_of(desk, desk.logged_in(BOB))
    assert login(desk, "pin", token=session, pin="9127")["result"] == "done"
    codes = []
    for n in range(12):
        answer = login(desk, "proof", cap=cap, pin=f"{n:04d}", source=f"192.0.2.{n + 1}")
        assert answer["result"] == "no", answer
        codes.append(answer.get("code"))
    assert codes[-1] == "capped" and codes.count("capped") >= 5, codes
    answer = login(desk, "proof", cap=cap, pin="9127", source="198.51.100.7")
    assert answer["result"] == "no" and answer.get("code") == "capped", f"the right one while it is capped: {answer}"
    assert desk.logged_in(BOB)
    desk.later(70 * MINUTE)  # failures count for an hour and an eighth of it at most
    answer = login(desk, "proof", cap=cap, pin="9127", source="198.51.100.7")
    assert answer["result"] == "done", answer


# ---- logins --------------------------------------------------------------------------------------


def test_W2_hostile_web_opens_no_mailed_link_that_it_never_saw(desk: WebDesk) -> None:
    """It can have a link mailed to anybody, and knows what the browser would; the token goes by mail alone."""
    asked = login(desk, "link", address=ALICE, source="192.0.2.9", lang="en")
    assert asked["result"] == "done" and len(asked["nonce"]) == 43, asked
    nobody = login(desk, "link", address="nobody-here@example.co.jp", source="192.0.2.9", lang="en")
    assert set(nobody) == set(asked), "it tells who there is"
    for token in (asked["nonce"], asked["number"], "", "A" * 43, "A" * 60, *(secrets.token_urlsafe(32) for _ in range(20))):
        answer = login(desk, "open", token=token or "-", nonce=asked["nonce"], number=str(asked["number"]), source="192.0.2.9")
        assert answer["result"] in ("forged", "expired", "no"), answer
        assert "token" not in answer
    # What was mailed is good, for who has it.
    mail = wait_for(lambda: [m for m in desk.letters(ALICE) if "/gate/login?" in words(m)], PATIENCE, "the mailed link")[-1]
    (token,) = re.findall(r"/gate/login\?([A-Za-z0-9_.-]+)", words(mail))
    answer = login(desk, "open", token=token, nonce=asked["nonce"], source="192.0.2.9")
    assert answer["result"] == "done" and answer["address"] == ALICE, answer
    again = login(desk, "open", token=token, nonce=asked["nonce"], source="192.0.2.9")
    assert again["result"] in ("expired", "forged") and "token" not in again, again


def test_W3_hostile_web_checks_passwords_no_faster(desk: WebDesk) -> None:
    """It may name any source: guesses at one login are slowed whatever it says; and what it gets for a right one is what the
    owner gets."""
    took, codes = [], []
    for n in range(6):
        begun = time.monotonic()
        answer = login(desk, "password", login=BOSS, password=f"guess {n}", source=f"203.0.113.{n + 1}")
        took.append(time.monotonic() - begun)
        assert answer["result"] == "no" and "token" not in answer, answer
        codes.append(answer.get("code"))
    assert codes[0] == "wrong", codes
    assert set(codes[1:]) <= {"capped", "later"} or took[-1] >= 3.5 > took[1], f"{took} s: {codes}"

    # As many as it likes at once: no more of them are looked at, and the answers come no sooner.
    def guess(n: int) -> dict:
        return login(desk, "password", login=BOSS, password=f"more {n}", source=f"203.0.113.{n + 50}")
    begun = time.monotonic()
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(guess, range(10)))
    assert all(a["result"] == "no" and "token" not in a for a in answers)
    assert time.monotonic() - begun >= 3.5 or sum(a.get("code") == "wrong" for a in answers) <= 2, answers


def test_W4_hostile_web_has_a_minute_behind_a_logout(desk: WebDesk) -> None:
    """A session that has logged out is unknown from then on; the last ticket that was drawn from it ends within a minute."""
    token = token_of(desk, desk.logged_in(ALICE))
    other = token_of(desk, desk.logged_in(ALICE))
    ticket = ticket_of(desk, token)
    assert gate(desk, f"session={ticket}", "list")["result"] == "done"
    assert login(desk, "logout", token=token)["result"] == "done"
    none_of_ours(login(desk, "session", token=token))
    assert login(desk, "session", token=other)["result"] == "done", "only this one was to end"
    desk.later(MINUTE + 2)
    assert gate(desk, f"session={ticket}", "list")["result"] == "expired"
    none_of_ours(rules(desk, f"session={ticket}", "rules"))
    assert login(desk, "everywhere", token=other)["result"] == "done"
    none_of_ours(login(desk, "session", token=other))
    for text in (ticket, token[:-1], token + "A", letters(hashlib.sha256(token.encode()).digest()), "A" * 43):
        none_of_ours(login(desk, "session", token=text))


def test_W4_hostile_web_keeps_no_session_alive_for_ever(desk: WebDesk) -> None:
    """It can ask about a token as often as it likes: after session-longest it is over."""
    token = token_of(desk, desk.logged_in(ALICE))
    for _ in range(12 * 60 // 25 + 1):
        desk.later(25 * MINUTE)
        answer = login(desk, "session", token=token)
        if answer["result"] != "done":
            break
    none_of_ours(answer)
    assert desk.logged_in(ALICE)


def test_hostile_web_writes_no_rules_for_others(desk: WebDesk) -> None:
    """S0-03: whose file it is stands in the ticket, and nothing else that is asked says it."""
    bob = ticket_of(desk, token_of(desk, desk.logged_in(BOB)))
    before = desk.rest()
    for keys in ({"address": ALICE}, {"user": ALICE}, {"as": ALICE}, {"file": "../must/50-x"}, {"file": f"user/{ALICE}"}):
        answer = rules(desk, f"session={bob}", "add", when="to", value="x@alpha.example", do="hold", arg="10m", **keys)
        assert answer["result"] != "done", answer
    assert {k: v for k, v in desk.kept().items() if k.startswith("etc/policy")} == {
        k: v for k, v in before.items() if k.startswith("etc/policy")}


def test_hostile_web_makes_view_open_nothing_but_what_it_hands_over(desk: WebDesk) -> None:
    """seki-view is given descriptors, no names: what is not a regular file, or no mail, ends with no answer and no harm."""
    path = str(desk.gw.root / "run/view/socket")
    pid = desk.gw.pid("seki-view")

    def hand(what: str) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
            s.settimeout(10)
            try:
                s.connect(path)
            except OSError:
                return False
            r, w = os.pipe()
            fd = {"pipe": r, "dir": os.open("/", os.O_RDONLY), "socket": s.fileno()}[what]
            try:
                s.sendmsg([b"outline 0 100000\n"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))])
                s.shutdown(socket.SHUT_WR)
                s.recv(65536)
            except OSError:
                pass
            return True
    for what in ("pipe", "dir", "socket"):
        as_web(lambda: hand(what))
    assert desk.gw.pid("seki-view") == pid and desk.gw.state("seki-view", "up") == "true"


def test_hostile_web_floods_and_the_rest_goes_on(desk: WebDesk) -> None:
    """Hundreds of connections that say nothing to each of its doors: mail still passes, and the owner's shell still acts."""
    root = desk.gw.root
    sent = desk.mail("hour", subject="beside a flood")
    desk.leg(sent, "p@hour.example", "hold")

    def flood() -> int:
        opened = []
        for name in sorted(REACHED):
            for _ in range(100):
                s = socket.socket(socket.AF_UNIX)
                s.settimeout(0.2)
                try:
                    s.connect(str(root / name))
                    s.sendall(b"session=")
                    opened.append(s)
                except OSError:
                    s.close()
        return len(opened)
    assert as_web(flood) > 100
    assert desk.gw.seki("release", sent).returncode == 0
    desk.rests(sent, "sent")
    assert desk.logged_in(ALICE)


def test_passwords_and_tokens_stand_in_no_log(desk: WebDesk) -> None:
    """W7: after all of the above no log and no record has what people showed."""
    client = desk.logged_in(ALICE)
    token = token_of(desk, client)
    ticket = ticket_of(desk, token)
    link = desk.notified(ALICE, "link 1").split("?")[1]
    client.get(f"/gate/m/?{link}")
    for path in (p for d in ("log", "lib/audit") for p in (desk.gw.root / d).rglob("*") if p.is_file()):
        content = path.read_bytes()
        for secret in (token, ticket, link, PASSWORD, "271828"):
            assert secret.encode() not in content, f"{secret} in {path}"
    kept = b"".join(p.read_bytes() for p in Path(desk.gw.root / "lib/login").rglob("*") if p.is_file())
    assert token.encode() not in kept and bytes_of(token) not in kept, "sessions are kept as they are shown"
    assert b"271828" not in kept
