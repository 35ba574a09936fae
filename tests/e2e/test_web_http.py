"""People's pages as HTTP: what is no request, what takes long, what is not there, and what every answer says (W6, W7). The
requests are bytes on a socket: no client mends them."""
import base64
import contextlib
import ctypes
import html
import os
import re
import select
import signal
import socket
import ssl
import struct
import subprocess
import time
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import conftest
from conftest import Gateway, free_port, prepare, replace, wait_for

BUILD = os.environ.get("SEKI_WEB_BUILD", "build")  # a tree of one's own while others build
RULES = "rule outsiders-wait\n    to      external\n    do      hold 60m\n"
MAIL = b"From: alice@example.co.jp\r\nTo: bob@partner.example\r\nSubject: secret plan\r\n\r\nhi\r\n"
COOKIE = "sekisho=" + "C00kieOfSomebody" * 2
HEADERS = ("content-security-policy", "x-content-type-options", "referrer-policy", "x-frame-options", "cache-control",
           "permissions-policy", "cross-origin-opener-policy", "cross-origin-resource-policy")
PROMPT = 2.0  # seconds within which somebody is answered who did nothing wrong
CLOSED = 20  # seconds within which who does nothing is shown the door

if BUILD != "build":
    conftest._built.add(BUILD)


def made(settings: dict[str, str] | None = None, web: bool = True) -> Gateway:
    gw = prepare({"foreign-sender": "allow", **(settings or {})}, web=web, submission=False,
                 files={"etc/policy/must/10-wait": RULES, "etc/domains": "example.co.jp internal\n",
                        "etc/people": "alice@example.co.jp\n"})
    gw.build = BUILD
    return gw


@pytest.fixture(scope="module")
def gw() -> Iterator[Gateway]:
    gateway = made()
    try:
        yield gateway.start()
    finally:
        gateway.stop()


@pytest.fixture
def another() -> Iterator:
    """Makes gateways of one's own; prepared, not started."""
    gateways: list[Gateway] = []

    def make(**how) -> Gateway:
        gateways.append(made(**how))
        return gateways[-1]

    yield make
    for gateway in gateways:
        gateway.stop()


@pytest.fixture(scope="module")
def link(gw: Gateway) -> str:
    """Path and query of the page of a mail that waits."""
    return link_of(gw)


def link_of(gw: Gateway) -> str:
    gw.send(MAIL)
    wait_for(lambda: gw.spool("hold"), why="held")
    ident = gw.spool("hold")[0].name.split(".")[1]
    said = gw.seki("link", ident)
    assert said.returncode == 0, said.stderr
    url = re.search(r"http\S+", said.stdout).group(0)
    return url[len(gw.web_url):]


# ---- HTTP, by hand -------------------------------------------------------------------------------


class Answer:
    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1]) if lines[0].startswith("HTTP/1.1 ") else 0
        self.headers: dict[str, str] = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            assert name == "set-cookie" or name not in self.headers, f"{name} twice"
            self.headers[name] = value.strip()

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")


def connect(gw: Gateway, timeout: float = 30) -> socket.socket:
    return socket.create_connection(("127.0.0.1", gw.web_port), timeout=timeout)


def raw(gw: Gateway, request: bytes, timeout: float = 30) -> bytes:
    """All that is answered until the connection is closed."""
    heard = b""
    with connect(gw, timeout) as s:
        try:
            s.sendall(request)
        except OSError:
            pass  # it may have closed before it has read all
        try:
            while piece := s.recv(65536):
                heard += piece
        except ConnectionResetError:
            pass
    return heard


def ask(gw: Gateway, target: str, method: str = "GET", headers: dict[str, str] | None = None,
        body: bytes | None = None) -> Answer:
    lines = [f"{method} {target} HTTP/1.1", "Connection: close"]
    words = {"Host": "127.0.0.1", **(headers or {})}
    if body is not None:
        words = {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body)), **words}
    lines += [f"{name}: {value}" for name, value in words.items()]
    return Answer(raw(gw, "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")))


def is_prompt(gw: Gateway, target: str = "/gate/login", status: int = 200) -> None:
    begun = time.monotonic()
    answer = ask(gw, target)
    took = time.monotonic() - begun
    assert answer.status == status, answer.raw
    assert took < PROMPT, f"{took:.1f} s"


def has_headers(answer: Answer) -> None:
    missing = [name for name in HEADERS if not answer.headers.get(name)]
    assert not missing, f"{answer.status}: without {missing}"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "frame-ancestors" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["server"] == "nginx", "its version is nobody's business"


# ---- what is no request (W6) ---------------------------------------------------------------------


@pytest.mark.parametrize("target", [
    "/../etc/settings", "/gate/../../etc/passwd", "/gate/static/../../settings", "/gate/static/..%2f..%2fsettings",
    "/gate/static/%2e%2e/%2e%2e/settings", "/gate/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/gate/static/..%5c..%5csettings",
    "/gate/static%00/style.css", "/gate/static/style.css%00.html", "/gate/m/%00", "/gate/m/?%00", "/gate/m/?t=%00", "/gate/%ff%fe",
    "/gate/static/%c0%ae%c0%ae/settings", "/gate/static//etc/passwd", "//etc/passwd", "/gate/static/.hidden",
    "/gate/static/style.css~", "/-front/503.html", "/gate/%252e%252e/", "/gate/m/?t=%zz"])
def test_W6_paths_lead_nowhere_else(gw: Gateway, target: str) -> None:
    answer = ask(gw, target)
    assert answer.status in (400, 404), answer.raw
    assert b"root:" not in answer.raw and b"web-listen" not in answer.raw
    has_headers(answer)


@pytest.mark.parametrize("request_line", [
    b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 4 + b"\r\n\r\n", b"G\x00T / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX\x00Y: z\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"])
def test_W6_what_is_no_http(gw: Gateway, request_line: bytes) -> None:
    heard = raw(gw, request_line)
    assert not heard or Answer(heard).status in (0, 303, 400, 404, 405, 505), heard
    is_prompt(gw)


@pytest.mark.parametrize("header", ["Cookie", "X-Long", "Accept-Language"])
def test_W6_a_header_of_a_megabyte(gw: Gateway, header: str) -> None:
    heard = raw(gw, f"GET /gate/login HTTP/1.1\r\nHost: a\r\n{header}: ".encode() + b"a" * 1_000_000 + b"\r\n\r\n")
    assert not heard or Answer(heard).status in (400, 413, 414, 431), heard[:200]
    is_prompt(gw)


def test_W6_a_target_of_a_megabyte(gw: Gateway) -> None:
    heard = raw(gw, b"GET /gate/" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n")
    assert not heard or Answer(heard).status in (400, 414), heard[:200]
    answer = ask(gw, "/gate/" + "a" * 10_000)
    assert answer.status == 414
    has_headers(answer)
    is_prompt(gw)


def test_W6_a_thousand_headers(gw: Gateway) -> None:
    lines = "".join(f"X-{n}: {'a' * 40}\r\n" for n in range(1000))
    heard = raw(gw, f"GET /gate/login HTTP/1.1\r\nHost: a\r\n{lines}\r\n".encode())
    assert not heard or Answer(heard).status in (200, 400, 431), heard[:200]
    is_prompt(gw)


@pytest.mark.parametrize("lines", [
    "Content-Length: 5\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 5",
    "Content-Length: 5\r\nContent-Length: 6", "Content-Length: -1", "Content-Length: 0x5", "Content-Length: 99999999999999999999",
    "Transfer-Encoding: chunked, identity", "Transfer-Encoding: xchunked", "Transfer-Encoding : chunked"])
def test_W6_bodies_whose_length_is_in_doubt(gw: Gateway, lines: str) -> None:
    """One of them may be refused later than the other, but nothing behind it is taken for a request."""
    request = (f"POST /gate/language HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n{lines}\r\n\r\n"
               "0\r\n\r\nGET /gate/login HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").encode()
    heard = raw(gw, request)
    assert heard.count(b"HTTP/1.1 ") == 1, heard
    assert Answer(heard).status in (400, 413, 501), heard


def test_W6_bodies(gw: Gateway) -> None:
    """Too large, of another type, with a GET: refused, with all headers."""
    large = ask(gw, "/gate/language", "POST", body=b"a=" + b"x" * 200_000)
    assert large.status == 413
    has_headers(large)
    for headers, body in (({"Content-Type": "multipart/form-data; boundary=x"}, b"--x--"),
                          ({"Content-Type": "application/json"}, b"{}"), ({"Content-Type": "text/plain"}, b"form=x&lang=en"),
                          ({}, b"form=%00"), ({}, b"form=%ff"), ({}, b"form=%zz")):
        answer = ask(gw, "/gate/language", "POST", headers, body)
        assert answer.status == 400, (headers, body, answer.raw)
        has_headers(answer)
    assert ask(gw, "/gate/login", body=b"a=b").status == 400


@pytest.mark.parametrize("span", ["bytes=0-", "bytes=5-2", "bytes=-99999999999999999999", "bytes=" + ",".join(["0-"] * 200), "x=1-2",
                                  "bytes=0-0,-1", "bytes=a-b"])
def test_W6_ranges(gw: Gateway, link: str, span: str) -> None:
    """Whatever is asked for: the whole once, or that it cannot be had."""
    for target in ("/gate/static/style.css", link):
        answer = ask(gw, target, headers={"Range": span})
        assert answer.status in (200, 416)
        assert len(answer.body) <= len(ask(gw, target).body)


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "MKCOL", "get", "POST"])
def test_W1_other_methods_change_nothing(gw: Gateway, link: str, method: str) -> None:
    for target in (link, "/gate/", "/gate/static/style.css", "/nix"):
        answer = ask(gw, target, method)
        assert answer.status in (400, 403, 404, 405), answer.raw
        assert answer.status != 405 or method in ("TRACE", "CONNECT") or "static" in target or answer.headers.get("allow")
    assert gw.spool("hold")


# ---- what every answer says ----------------------------------------------------------------------


def test_W7_headers_of_every_answer(gw: Gateway, link: str) -> None:
    """S0-12: each status that there is, from nginx and from seki-web."""
    other = link[:-1] + ("A" if link[-1] != "A" else "B")
    asked = {
        200: [("GET", link), ("GET", "/gate/login"), ("HEAD", link), ("GET", "/gate/static/style.css")],
        303: [("GET", "/"), ("GET", "/gate"), ("GET", "/gate/"), ("GET", "/gate/rules")],
        400: [("GET", "/gate/../x"), ("GET", "/gate/%00")],
        403: [("POST", "/gate/language"), ("POST", "/gate/login")],
        404: [("GET", "/nix"), ("GET", "/gate/static/nix"), ("GET", other), ("GET", "/gate/m/?short")],
        405: [("OPTIONS", link), ("TRACE", link), ("GET", "/gate/logout"), ("POST", "/gate/static/style.css"), ("POST", "/gate/")],
        414: [("GET", "/gate/" + "a" * 10_000)],
    }
    for status, requests in asked.items():
        for method, target in requests:
            answer = ask(gw, target, method, body=b"" if method == "POST" else None)
            assert answer.status == status, (method, target, answer.raw[:300])
            has_headers(answer)
            if "static/style" in target and status == 200:
                assert answer.headers["cache-control"] == "public, max-age=3600"
                assert answer.headers["content-type"] == "text/css; charset=utf-8"
            else:
                assert answer.headers["cache-control"] == "no-store"
            if method == "HEAD":
                assert answer.body == b"" and int(answer.headers["content-length"]) > 1000


def test_W6_the_host_that_is_asked_for_is_never_believed(gw: Gateway, link: str) -> None:
    for headers in ({"Host": "evil.example"}, {"Host": "evil.example:80"}, {"X-Forwarded-Host": "evil.example"},
                    {"X-Forwarded-Proto": "https"}, {"Forwarded": "host=evil.example"}, {"X-Original-URL": "/nix"}):
        for target in (link, "/", "/gate/", "/gate/login", "/nix", "/gate/static/nix"):
            answer = ask(gw, target, headers=headers)
            assert b"evil.example" not in answer.raw
            assert answer.status == ask(gw, target).status
            if "location" in answer.headers:
                assert answer.headers["location"].startswith("/gate/")
    absolute = Answer(raw(gw, f"GET http://evil.example{link} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".encode()))
    assert absolute.status == 200 and b"evil.example" not in absolute.raw


def test_what_nginx_says_is_in_words(gw: Gateway) -> None:
    """Both languages, and not the server's own page."""
    for target, status in (("/gate/static/nix", 404), ("/gate/" + "a" * 10_000, 414)):
        answer = ask(gw, target)
        assert answer.status == status
        assert 'lang="ja"' in answer.text and 'lang="en"' in answer.text and "<center>" not in answer.text


# ---- what takes long -----------------------------------------------------------------------------


def closes(sockets: list[socket.socket], seconds: float) -> float:
    """Waits until the other side has closed all of them; how long that took."""
    begun, left = time.monotonic(), list(sockets)
    while left:
        rest = seconds - (time.monotonic() - begun)
        assert rest > 0, f"{len(left)} of {len(sockets)} are still open after {seconds} s"
        for s in select.select(left, [], [], rest)[0]:
            try:
                gone = s.recv(65536) == b""
            except ConnectionResetError:
                gone = True
            if gone:
                left.remove(s)
    return time.monotonic() - begun


def test_W6_slowloris(gw: Gateway) -> None:
    """Headers and forms that do not come hold a connection for seconds, and nobody up."""
    slow = []
    try:
        for n in range(150):
            s = connect(gw)
            s.sendall([b"GET /gate/login HTTP/1.1\r\nHost: a\r\nX-Slow: ", b"GET", b"",
                       b"POST /gate/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                       b"Content-Length: 1000\r\n\r\nform="][n % 4 if n < 120 else 0])
            slow.append(s)
        for _ in range(5):
            is_prompt(gw)
            for s in slow[::4]:
                s.sendall(b"a")  # one byte more does not buy time
        assert closes(slow, CLOSED) < CLOSED
    finally:
        for s in slow:
            s.close()
    is_prompt(gw)


def test_W6_who_reads_slowly_holds_nobody_up(gw: Gateway, link: str) -> None:
    """The answers of seki-web are taken whole: its workers do not wait for readers."""
    slow = []
    try:
        for _ in range(40):
            s = connect(gw)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            s.sendall(f"GET {link} HTTP/1.1\r\nHost: a\r\n\r\n".encode() * 20)
            slow.append(s)
        for _ in range(5):
            is_prompt(gw, link)
    finally:
        for s in slow:
            s.close()


def test_500_idle_connections_do_not_starve_the_501st(gw: Gateway, link: str) -> None:
    idle = []
    try:
        for n in range(500):
            s = connect(gw)
            if n % 2:  # one that was served once and is kept
                s.sendall(b"GET /gate/static/style.css HTTP/1.1\r\nHost: a\r\n\r\n")
            idle.append(s)
        for target in ("/gate/login", link, "/gate/static/style.css"):
            is_prompt(gw, target)
    finally:
        for s in idle:
            s.close()


def test_wrong_passwords_are_waited_for_by_others(another) -> None:
    """Answers to guesses come late on purpose. Meanwhile there is a worker for everybody else."""
    gw = another(settings={"web-workers": "2", "auth-delay": "4s", "auth-delay-longest": "4s"}).start()
    link = link_of(gw)
    done = gw.seki("passwd", "alice@example.co.jp", stdin="correct horse battery staple\n")
    assert done.returncode == 0, done.stderr
    page = ask(gw, "/gate/login")
    visit = page.headers["set-cookie"].split(";")[0]
    token = re.search(r'name="form" value="([\w-]{32})"', page.text).group(1)
    body = urllib.parse.urlencode({"address": "alice@example.co.jp", "password": "guess", "form": token}).encode()
    with ThreadPoolExecutor(12) as pool:
        begun = time.monotonic()
        guesses = [pool.submit(ask, gw, "/gate/login", "POST", {"Cookie": visit}, body) for _ in range(12)]
        is_prompt(gw, link)
        is_prompt(gw)
        assert not all(g.done() for g in guesses), "the guesses were not late: this test shows nothing"
        assert {g.result().status for g in guesses} <= {200, 403, 409, 422, 429, 503}
        assert time.monotonic() - begun > 3
    is_prompt(gw, link)
    wait_for(lambda: len(workers(gw)) == 2, why="as many workers as before")


def test_W6_slow_mails_hold_up_nobody_else(another) -> None:
    """While mails are opened that take long the other pages are there; more of them than seki-view deals with are not waited
    for. Behind that all is as before."""
    gw = another(settings={"web-workers": "2", "view-time": "20s"}).start()
    link = link_of(gw)
    contents = link.replace("/gate/m/?", "/gate/m/contents?t=")
    assert ask(gw, contents).status == 200
    view = gw.pid("seki-view")
    os.kill(view, signal.SIGSTOP)
    with ThreadPoolExecutor(7) as pool:
        try:
            slow = [pool.submit(ask, gw, contents) for _ in range(7)]
            wait_for(lambda: sum(s.done() for s in slow) >= 3, why="those for whom there is no place")
            for _ in range(3):
                is_prompt(gw, link)
                is_prompt(gw)
            assert sum(s.done() for s in slow) == 3
            refused = [s.result() for s in slow if s.done()]
            assert [r.status for r in refused] == [503] * 3
            for answer in refused:
                assert answer.headers["x-frame-options"] == "SAMEORIGIN"
        finally:
            os.kill(view, signal.SIGCONT)
        assert sorted(s.result().status for s in slow) == [200] * 4 + [503] * 3
    gw.wait_log("seki-web", "event=waiting-full alarm=yes for=view")
    wait_for(lambda: len(workers(gw)) == 2, why="as many workers as before")
    assert ask(gw, contents).status == 200


def logs_in(gw: Gateway, password: str, headers: dict[str, str] | None = None) -> Answer:
    page = ask(gw, "/gate/login")
    visit = page.headers["set-cookie"].split(";")[0]
    token = re.search(r'name="form" value="([\w-]{32})"', page.text).group(1)
    body = urllib.parse.urlencode({"address": "alice@example.co.jp", "password": password, "form": token}).encode()
    return ask(gw, "/gate/login", "POST", {"Cookie": visit, **(headers or {})}, body)


def sets_password(gw: Gateway) -> str:
    word = "correct horse battery staple"
    done = gw.seki("passwd", "alice@example.co.jp", stdin=word + "\n")
    assert done.returncode == 0, done.stderr
    return word


def test_those_who_have_logged_in_wait_no_more(another) -> None:
    """More logins one behind the other than may wait at once."""
    gw = another(settings={"web-workers": "1"}).start()
    word = sets_password(gw)
    for n in range(40):
        answer = logs_in(gw, word)
        assert answer.status == 303, f"login {n}: {answer.raw[:300]}"


def socket_of(pid: int, parent: int) -> socket.socket:
    """That by which a worker asks its parent."""
    libc = ctypes.CDLL(None, use_errno=True)
    handle = os.pidfd_open(pid)
    for name in os.listdir(f"/proc/{pid}/fd"):
        if not os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:"):
            continue
        fd = libc.syscall(438, handle, int(name), 0)  # pidfd_getfd
        if fd < 0:
            pytest.skip(f"pidfd_getfd: {os.strerror(ctypes.get_errno())}")
        s = socket.socket(fileno=fd)
        peer = struct.unpack("3i", s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
        if not s.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) and peer == parent:
            os.close(handle)
            return s
        s.close()
    pytest.fail("it has no such socket")


@pytest.mark.skipif(os.geteuid() != 0, reason="another's descriptors need root")
def test_W2_a_worker_speaks_for_itself_alone(another) -> None:
    """One that was taken over may say what it likes: it takes one place of those who wait, and nobody else's."""
    gw = another(settings={"web-workers": "2"}).start()
    word = sets_password(gw)
    bad = workers(gw)[0]
    with socket_of(bad, gw.pid("seki-web")) as s:
        for _ in range(100):
            try:
                s.send(b"\0", socket.MSG_NOSIGNAL)
            except OSError:
                break
        wait_for(lambda: len(workers(gw)) == 3, why="another in its place")
        for _ in range(3):
            assert logs_in(gw, word).status == 303
    with socket_of(workers(gw)[-1], gw.pid("seki-web")) as s:
        s.send(b"\xff" * 5, socket.MSG_NOSIGNAL)
    assert logs_in(gw, word).status == 303
    assert "waiting-full" not in gw.log("seki-web")
    with contextlib.suppress(ProcessLookupError):  # with its next long wait it ends by itself
        os.kill(bad, signal.SIGKILL)
    wait_for(lambda: len(workers(gw)) == 2, why="as many workers as before")


def test_W6_slow_readers_do_not_fill_the_disk(another) -> None:
    """Of the files in mails one address has eight at once: the ninth is answered, and pages go on."""
    gw = another(settings={"web-workers": "2"}).start()
    content = base64.encodebytes(os.urandom(9_000_000))
    gw.send(MAIL.replace(b"\r\n\r\nhi\r\n", b"\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n"
                         b"Content-Disposition: attachment; filename=big\r\nContent-Transfer-Encoding: base64\r\n\r\n")
            + content.replace(b"\n", b"\r\n"))
    wait_for(lambda: gw.spool("hold"), why="held")
    link = re.search(r"http\S+", gw.seki("link", gw.spool("hold")[0].name.split(".")[1]).stdout).group(0)[len(gw.web_url):]
    contents = ask(gw, link.replace("/gate/m/?", "/gate/m/contents?t="))
    target = html.unescape(re.search(r'href="(/gate/m/file[^"]+)"', contents.text).group(1))
    readers = []
    try:
        for _ in range(8):
            s = socket.socket()
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.settimeout(60)
            s.connect(("127.0.0.1", gw.web_port))
            s.sendall(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            assert s.recv(12) == b"HTTP/1.1 200", "a reader"
            readers.append(s)
        ninth = ask(gw, target)
        assert ninth.status == 503, ninth.raw[:300]
        has_headers(ninth)
        is_prompt(gw, link)
    finally:
        for s in readers:
            s.close()
    wait_for(lambda: ask(gw, target).status == 200, why="a place again")


@pytest.mark.parametrize("proxy", ["-", "127.0.0.1"])
def test_W6_behind_a_proxy_each_browser_has_its_own_address(another, proxy: str) -> None:
    """And nobody else says who he is."""
    gw = another(settings={"web-proxy": proxy}).start()
    assert logs_in(gw, sets_password(gw), {"X-Forwarded-For": "203.0.113.9, 198.51.100.7"}).status == 303
    gw.wait_log("seki-login", "event=login ")
    [line] = [one for one in gw.log("seki-login").splitlines() if "event=login " in one]
    assert ("source=127.0.0.1" if proxy == "-" else "source=198.51.100.7") in line, line


def test_passwords_do_not_go_in_clear(another) -> None:
    """What is no trial serves no pages where all can read them."""
    gw = another().start()
    gw.setting(trial="no", web_listen=f"0.0.0.0:{gw.web_port}")
    gw.svc("-h", "seki-front")
    gw.wait_log("seki-front", "event=reload-refused alarm=yes what=etc/settings:+20web-listen")
    is_prompt(gw)


# ---- secrets -------------------------------------------------------------------------------------


def test_W7_no_secret_stands_in_a_log(another) -> None:
    """Links, cookies and forms, in good requests and bad ones, and with each service gone in turn."""
    gw = another().start()
    link = link_of(gw)
    token = link.split("?")[1]
    secrets = [token, COOKIE.split("=")[1], "F0rmOfSomebody", "Passw0rdOfSomebody"]
    body = f"t={token}&form=F0rmOfSomebody&password=Passw0rdOfSomebody&address=a".encode()
    targets = [link, f"/gate/static/{token}", f"/gate/{token}", f"/gate/login?{token}", f"/gate/m/file?t={token}&part=1",
               f"/gate/m/contents?t={token}", f"/gate/../{token}", f"/gate/%00{token}"]

    def everything() -> None:
        for target in targets:
            for method in ("GET", "POST", "OPTIONS", "TRACE"):
                ask(gw, target, method, {"Cookie": COOKIE, "Referer": gw.web_url + link}, body if method == "POST" else None)
        ask(gw, "/gate/login", "POST", {"Cookie": COOKIE}, body)
        ask(gw, "/gate/m/act", "POST", {"Cookie": COOKIE}, body)
        raw(gw, f"GET {link} HTTP/1.1\r\nHost: a\r\nX-\x00: {COOKIE}\r\n\r\n".encode())

    everything()
    for service in ("seki-hold", "seki-login", "seki-web"):
        gw.svc("-d", service)
        wait_for(lambda s=service: gw.state(s, "up") == "false", why=f"{service} down")
        if service == "seki-web":  # what nginx calls critical: the socket is not there at all
            (gw.root / "run/web/socket").unlink(missing_ok=True)
            answer = ask(gw, link)
            assert answer.status == 503
        everything()
        gw.svc("-u", service)
        gw.wait_ready(service)
    for path in (gw.root / "log").rglob("*"):
        if path.is_file():
            said = path.read_bytes()
            for secret in secrets:
                assert secret.encode() not in said, (path, secret)


# ---- what is not there ---------------------------------------------------------------------------


def pss(pid: int) -> int:
    """KB."""
    return int(re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), flags=re.M).group(1))


def children(pid: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def workers(gw: Gateway) -> list[int]:
    pid = gw.pid("seki-web")
    return children(pid) if pid > 1 else []


def test_idle_it_is_small(gw: Gateway, link: str) -> None:
    """All processes of seki-web together, after some requests: 16 MiB at most."""
    for _ in range(20):
        assert ask(gw, link).status == 200
    all_of_them = [gw.pid("seki-web"), *workers(gw)]
    assert len(all_of_them) == 5
    sizes = [pss(pid) for pid in all_of_them]
    print("PSS in KB:", sizes)
    assert sum(sizes) <= 16 * 1024, sizes


def test_a_worker_that_dies_is_replaced(gw: Gateway) -> None:
    before = workers(gw)
    os.kill(before[0], signal.SIGKILL)
    wait_for(lambda: len(workers(gw)) == 4 and before[0] not in workers(gw), why="another worker")
    gw.wait_log("seki-web", "event=worker-killed")
    is_prompt(gw)


def test_seki_web_that_dies_is_started_again(gw: Gateway, link: str) -> None:
    old = [gw.pid("seki-web"), *workers(gw)]
    os.kill(old[0], signal.SIGKILL)
    wait_for(lambda: gw.pid("seki-web") not in (-1, old[0]) and gw.state("seki-web", "ready") == "true", why="started again")
    wait_for(lambda: not any(Path(f"/proc/{p}").exists() for p in old), why="no worker of the old one")
    is_prompt(gw, link)


def test_without_seki_web_nginx_says_so(gw: Gateway, link: str) -> None:
    """503 in words, with all headers; nothing of the request comes back."""
    gw.svc("-d", "seki-web")
    try:
        wait_for(lambda: gw.state("seki-web", "up") == "false")
        answer = ask(gw, link)
        assert answer.status == 503
        has_headers(answer)
        assert "しばらくして" in answer.text and "try again" in answer.text and link.split("?")[1] not in answer.text
        assert ask(gw, "/gate/static/style.css").status == 200
        assert answer.headers["x-frame-options"] == "DENY"
        framed = ask(gw, link.replace("/gate/m/?", "/gate/m/contents?t="))
        assert framed.status == 503 and framed.headers["x-frame-options"] == "SAMEORIGIN"
        assert "frame-ancestors 'self'" in framed.headers["content-security-policy"]
    finally:
        gw.svc("-u", "seki-web")
        gw.wait_ready("seki-web")
    is_prompt(gw, link)


def test_without_seki_hold_the_page_says_so(gw: Gateway, link: str) -> None:
    gw.svc("-d", "seki-hold")
    try:
        wait_for(lambda: gw.state("seki-hold", "up") == "false")
        answer = ask(gw, link, headers={"Accept-Language": "en"})
        assert answer.status == 503 and "try again in a moment" in answer.text and "<main" in answer.text
        has_headers(answer)
        is_prompt(gw)  # what needs it not goes on
    finally:
        gw.svc("-u", "seki-hold")
        gw.wait_ready("seki-hold")
    wait_for(lambda: ask(gw, link).status == 200, why="the page of the mail")


def test_nginx_that_dies_is_started_again(gw: Gateway) -> None:
    """Also what a master that was killed leaves behind goes."""
    front = gw.pid("seki-front")
    [master] = children(front)
    left = children(master)
    os.kill(master, signal.SIGKILL)
    wait_for(lambda: gw.pid("seki-front") not in (-1, front) and gw.state("seki-front", "ready") == "true", why="started again")
    wait_for(lambda: not any(Path(f"/proc/{p}").exists() for p in left), why="what it left gone")
    is_prompt(gw)
    gw.wait_log("seki-front", "event=nginx-ended")


def test_seki_front_that_dies_takes_nginx_with_it(gw: Gateway) -> None:
    front = gw.pid("seki-front")
    [master] = children(front)
    left = [master, *children(master)]
    os.kill(front, signal.SIGKILL)
    wait_for(lambda: gw.pid("seki-front") not in (-1, front) and gw.state("seki-front", "ready") == "true", why="started again")
    wait_for(lambda: not any(Path(f"/proc/{p}").exists() for p in left), why="the old nginx gone")
    is_prompt(gw)


# ---- configuration -------------------------------------------------------------------------------


def test_a_page_with_a_fault_is_refused_and_the_old_one_stays(gw: Gateway) -> None:
    """There is no way to write an unescaped value by accident: the file, the line and the column are told."""
    page = gw.root / "etc/web/pages/login.html"
    before = page.read_text()
    running = gw.pid("seki-web")
    try:
        replace(page, before.replace("</main>", "<p title={{title}}>x</p>\n</main>"))
        done = gw.seki("reload")
        line = before[:before.index("</main>")].count("\n") + 1
        assert done.returncode != 0 and f"etc/web/pages/login.html:{line}:" in done.stdout + done.stderr, done.stdout + done.stderr
        gw.svc("-h", "seki-web")  # seki-web sees it itself, too
        gw.wait_log("seki-web", f"reload-refused alarm=yes what=etc/web/pages/login.html:{line}:")
        assert gw.pid("seki-web") == running
        is_prompt(gw)
        replace(page, before.replace("</main>", "<p>words of this site</p>\n</main>"))
        done = gw.seki("reload")
        assert done.returncode == 0, done.stdout + done.stderr
        wait_for(lambda: "words of this site" in ask(gw, "/gate/login").text, why="the new page")
        assert gw.pid("seki-web") == running
    finally:
        replace(page, before)
        assert gw.seki("reload").returncode == 0


def test_a_name_of_the_site(gw: Gateway) -> None:
    gw.setting(web_name="<b>株式会社 例")
    assert gw.seki("reload").returncode == 0
    wait_for(lambda: "&lt;b&gt;株式会社 例" in ask(gw, "/gate/login").text, why="its name")


def test_reload_moves_the_port(another) -> None:
    """A place that is none is refused, and nginx goes on; a good one is taken; and none at all."""
    gw = another().start()
    gw.setting(web_listen="127.0.0.1:0")
    done = gw.seki("reload")
    assert done.returncode != 0 and "web-listen" in done.stdout + done.stderr
    is_prompt(gw)
    old, gw.web_port = gw.web_port, free_port()
    gw.setting(web_listen=f"127.0.0.1:{gw.web_port}")
    done = gw.seki("reload")
    assert done.returncode == 0, done.stdout + done.stderr

    def listens(port: int) -> bool:
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", port)) == 0

    wait_for(lambda: listens(gw.web_port) and not listens(old), why="the new port")
    is_prompt(gw)
    gw.setting(web_listen="-")
    assert gw.seki("reload").returncode == 0
    wait_for(lambda: not listens(gw.web_port), why="no port")
    assert gw.state("seki-front", "up") == "true"
    gw.setting(web_listen=f"127.0.0.1:{gw.web_port}")
    assert gw.seki("reload").returncode == 0
    wait_for(lambda: listens(gw.web_port), why="the port again")
    is_prompt(gw)


def test_a_port_in_use_is_told(another) -> None:
    gw = another()
    with socket.socket() as s:
        s.bind(("127.0.0.1", gw.web_port))
        s.listen()
        done = gw.instance("up")
        assert done.returncode != 0 and f"port {gw.web_port} on 127.0.0.1 is in use" in done.stderr


def test_a_first_make_up_beside_another_has_no_pages(tmp_path: Path) -> None:
    """Nobody asked for port 8025: if it is in use the instance starts without pages, and says how to have some."""
    root = tmp_path / "run"
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", 8025))
            s.listen()
        except OSError:
            pass  # somebody else has it
        gw = Gateway(root, free_port(), build=BUILD, sample=False)
        try:
            done = gw.instance("up")
            assert done.returncode == 0, done.stdout + done.stderr
            assert "Port 8025 on 127.0.0.1 is in use: no pages; WEB_PORT=" in done.stderr
            assert "People's pages" not in done.stdout
            lines = (root / "etc/settings").read_text().splitlines()
            assert not [line for line in lines if line.startswith(("web-listen 127", "web-url http"))]
        finally:
            gw.down()


def test_no_pages_unless_they_are_asked_for(another) -> None:
    gw = another(web=False).start()
    assert "web-listen" not in (gw.root / "etc/settings").read_text()
    assert children(gw.pid("seki-front")) == []


def test_down_leaves_nothing(another) -> None:
    """nginx goes with the instance, also when nobody is there to end it."""
    gw = another().start()
    front = gw.pid("seki-front")
    [master] = children(front)
    everything = [front, master, *children(master), gw.pid("seki-web"), *workers(gw)]
    gw.down()
    assert [p for p in everything if Path(f"/proc/{p}").exists()] == []
    left = [p for p in Path("/proc").iterdir() if p.name.isdigit() and stands_in(p, gw.root)]
    assert left == []


def stands_in(process: Path, root: Path) -> bool:
    try:
        return (process / "cwd").readlink() == root
    except OSError:
        return False


def test_tls(another) -> None:
    """S0-12: with a certificate; cookies that leave by TLS alone; HSTS; no old version of TLS."""
    gw = another(settings={"web-tls": "yes"})
    (gw.root / "etc/tls").mkdir()
    done = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(gw.root / "etc/tls/default.key"), "-out",
         str(gw.certificate)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    gw.start()
    trusting = ssl.create_default_context(cafile=str(gw.certificate))
    with connect(gw) as plain, trusting.wrap_socket(plain, server_hostname="127.0.0.1") as s:
        s.sendall(b"GET /gate/login HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        heard = b""
        while piece := s.recv(65536):
            heard += piece
    answer = Answer(heard)
    assert answer.status == 200
    has_headers(answer)
    assert answer.headers["strict-transport-security"].startswith("max-age=")
    assert answer.headers["set-cookie"].startswith("__Host-sekisho-visit=") and "; Secure" in answer.headers["set-cookie"]
    assert ask(gw, "/gate/login").status == 400  # plain HTTP
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with connect(gw) as plain, pytest.raises(ssl.SSLError):
        old.wrap_socket(plain)
