"""Attacks on people's pages, W1 to W7: programs that follow every link, guessed and forged tokens, guessed passwords, forms of
other sites, two people at once, names that are code, and what leaks. Much of W6 and W7 stands in test_web_http.py."""
import email.utils
import http.client
import json
import re
import secrets
import statistics
import threading
import time
import unicodedata
import urllib.parse
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage

import pytest

from conftest import wait_for
from examples_kit import letter
from held_kit import ALICE, BOB, BOSS, CAROL, DAVE, MINUTE, PATIENCE, at, words
from web_kit import DESKTOP, Browser, Client, Form, Page, WebDesk, browser_open, naughty, web_desk

EVE = "eve@example.co.jp"
BOOSTED = 8  # threads that ask for pages
FILE = ("list.csv", b"name,tel\r\nx,1\r\n")


@pytest.fixture(scope="module")
def desk() -> Iterator[WebDesk]:
    with web_desk(people=(ALICE, BOB, BOSS, CAROL, DAVE), settings={"urgent-per-week": "20", "login-links": "100",
                                                                         "auth-delay-longest": "4s"}) as made:
        made.allow("user hold files password bcc stagger")
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browser_open() as made:
        yield made


def held_mail(desk: WebDesk, subject: str, way: str = "hour", sender: str = ALICE, **more) -> str:
    sent = desk.mail(way, subject=subject, sender=sender, **more)
    desk.leg(sent, at(way), "hold" if way in ("hour", "five", "check", "confirm", "lost") else "approve")
    return sent


def with_html(subject: str, way: str = "hour", sender: str = ALICE) -> EmailMessage:
    made = letter(subject=subject, sender=sender, to=[at(way)], body="the text\n")
    made.add_alternative('<p>the <b>HTML</b> <a href="http://evil.example/">x</a><img src="http://evil.example/i"></p>', subtype="html")
    made.add_attachment(FILE[1], maintype="text", subtype="csv", filename=FILE[0])
    return made


# ---- W1: who opens everything --------------------------------------------------------------------


def crawl(client: Client, starts: list[str], methods: tuple[str, ...] = ("GET", "HEAD", "OPTIONS"), most: int = 400) -> dict[str, Page]:
    """Opens every link, form and frame of every page that it finds, with each method; pages by address."""
    base = urllib.parse.urlsplit(client.base).netloc
    todo, seen, known = list(starts), {}, set()
    while todo and len(seen) < most:
        url = urllib.parse.urldefrag(urllib.parse.urljoin(client.base + "/gate/", todo.pop(0)))[0]
        at_ = urllib.parse.urlsplit(url)
        # Where a form leads back to, and its token, make no other page.
        key = at_.path, at_.query if "=" not in at_.query else tuple(sorted(
            pair for pair in urllib.parse.parse_qsl(at_.query) if pair[0] not in ("back", "form", "shown")))
        if key in known or at_.netloc != base:
            continue
        known.add(key)
        for method in methods:
            page = client.ask(method, url)
            if method == "GET":
                seen[url] = page
                if page.status in (301, 302, 303):
                    todo.append(urllib.parse.urljoin(url, page.headers["Location"]))
                todo += [urllib.parse.urljoin(url, one) for one in page.urls]
                for form in page.forms:  # a form's words in the query, as if it had no method
                    for button in form.buttons or [("", "")]:
                        todo.append(urllib.parse.urljoin(url, form.action) + "?" + urllib.parse.urlencode(form.body(button)))
            elif method == "OPTIONS":
                assert page.status in (204, 404, 405), (url, page.status)
    assert len(seen) < most, "it never ends"
    return seen


def audited(desk: WebDesk) -> list[str]:
    """Each entry of the audit log."""
    desk.gw.seki("audit", "verify")
    return [line for path in sorted((desk.gw.root / "lib/audit/log").iterdir()) if path.is_file()
            for line in path.read_text(errors="replace").splitlines()]


@pytest.fixture(scope="module")
def doors(desk: WebDesk) -> list[str]:
    """Every kind of link that people are mailed: a mail that is held, one of a list of points, one to approve, an urgent one to
    review, and one to log in."""
    sent = desk.send(with_html("W1 held"))
    desk.leg(sent, at("hour"), "hold")
    held_mail(desk, "W1 check", "check")
    held_mail(desk, "W1 boss", "boss", files=[FILE])
    urgent = held_mail(desk, "W1 urgent", "boss")
    desk.does(ALICE, "urgent", urgent, reason="the train leaves")
    found = [desk.notified(ALICE, "W1 held"), desk.notified(ALICE, "W1 check"), desk.notified(BOSS, "W1 boss"),
             desk.notified(BOSS, "W1 urgent")]
    client = desk.client()
    page = client.get("/gate/login")
    client.follow(client.post(page.form("/gate/login/link"), address=ALICE))
    mail = wait_for(lambda: [m for m in desk.letters(ALICE) if "/gate/login?" in words(m)], PATIENCE, "the mailed link")[-1]
    found.append(re.search(r"https?://\S+/gate/login\?\S+", words(mail))[0])
    return found


def test_W1_a_scanner_that_opens_everything_changes_nothing(desk: WebDesk, doors: list[str]) -> None:
    """S0-11: GET, HEAD and OPTIONS of each link, form action and frame, and of what these lead to: not a byte of a leg, a record
    or a rule is another; and the audit has looked-at bodies alone."""
    before, said = desk.rest(), audited(desk)
    pages = crawl(desk.client(), doors)
    assert sum(page.status == 200 for page in pages.values()) >= 12, {u: p.status for u, p in pages.items()}
    assert any("/gate/m/contents" in url and page.status == 200 for url, page in pages.items())
    assert any("/gate/m/html" in url and page.status == 200 for url, page in pages.items())
    assert any("/gate/m/file" in url and page.body == FILE[1] for url, page in pages.items())
    assert any(page.forms for page in pages.values())
    assert desk.kept() == before
    more = wait_for(lambda: audited(desk)[len(said):], PATIENCE, "bodies were looked at, and the audit has nothing of it")
    assert {re.search(r" what=(\S+)", line)[1] for line in more} == {"read"}, more


def test_W1_a_scanner_that_is_logged_in_changes_nothing(desk: WebDesk, doors: list[str]) -> None:
    """A browser that fetches ahead: every page of a sender and of a boss, by GET, HEAD and OPTIONS; not even the logout."""
    for address in (ALICE, BOSS):
        client = desk.logged_in(address)
        before = desk.rest()
        pages = crawl(client, ["/gate/", "/gate/approvals", "/gate/absences", "/gate/rules", "/gate/rules/new", "/gate/review", "/gate/me",
                               "/gate/logout", *doors])
        assert sum(page.status == 200 for page in pages.values()) >= 15
        assert desk.kept() == before
        assert client.get("/gate/me").status == 200, "it was logged out"


def test_W1_looking_at_a_login_link_does_not_use_it_up(desk: WebDesk, doors: list[str]) -> None:
    """Opened a hundred times by programs, it is still good for the one who presses its button."""
    client = desk.client()
    asked = client.follow(client.post(client.get("/gate/login").form("/gate/login/link"), address=DAVE))
    mail = wait_for(lambda: [m for m in desk.letters(DAVE) if "/gate/login?" in words(m)], PATIENCE, "the mailed link")[-1]
    link = re.search(r"https?://\S+/gate/login\?\S+", words(mail))[0]
    for method in ("GET", "HEAD", "OPTIONS") * 30:
        desk.client().ask(method, link)
    page = client.get(link)
    done = client.follow(client.post(page.form("/gate/login/open")))
    assert done.status == 200 and DAVE in client.get("/gate/me").text, (asked.status, done.text)


def test_W1_a_scanner_that_runs_scripts_changes_nothing(desk: WebDesk, doors: list[str], browser: Browser) -> None:
    """In a real browser, scripts and frames and all: each page is loaded, stays open until it has loaded all, and is left."""
    before = desk.rest()
    browser.forgets()
    todo, seen = list(doors), set()
    while todo:
        url = todo.pop(0)
        if url in seen or not url.startswith(desk.base) or "/gate/m/file" in url:
            continue
        seen.add(url)
        browser.open(url)
        wait_for(lambda: browser.run("return document.readyState") == "complete", PATIENCE, url)
        browser.run("window.dispatchEvent(new Event('focus')); window.dispatchEvent(new Event('blur'));"
                    "document.querySelectorAll('a, summary, input').forEach(e => e.dispatchEvent(new MouseEvent('mouseover', {bubbles: true})))")
        todo += browser.run("return [...document.links].map(a => a.href).concat([...document.querySelectorAll('iframe')].map(f => f.src))")
    assert len(seen) >= 8, seen
    assert desk.kept() == before


def test_W1_who_presses_all_buttons_needs_a_number(desk: WebDesk) -> None:
    """A scanner that even sends the forms: with link-asks pin or login the mail stays where it is; the person goes on."""
    desk.gw.setting(link_asks="pin")
    assert desk.gw.seki("reload").returncode == 0
    try:
        sent = held_mail(desk, "W1 buttons")
        link = desk.notified(ALICE, "W1 buttons")
        before = desk.rest()
        client = desk.client()
        page = client.get(link)
        assert page.status == 200
        for form in page.forms:
            for button in form.buttons:
                if form.method == "post" and "language" not in form.action:
                    client.post(form, button)
        desk.gw.setting(link_asks="login")
        assert desk.gw.seki("reload").returncode == 0
        for form in page.forms:
            for button in form.buttons:
                if form.method == "post" and "language" not in form.action:
                    client.post(form, button)
        assert desk.states(sent) == {"hold"}
        assert {k: v for k, v in desk.kept().items() if sent in k} == {k: v for k, v in before.items() if sent in k}
    finally:
        desk.gw.setting(link_asks="nothing")
        assert desk.gw.seki("reload").returncode == 0
    client = desk.client()
    client.does(client.get(link), "/gate/m/act", word="discard")
    desk.rests(sent, "trash")


# ---- W2: tokens ----------------------------------------------------------------------------------


def plain(page: Page) -> str:
    """What it says, without what differs each time."""
    return re.sub(r'(name="(?:form|back|t|token)"\s+value=")[^"]*|(value=")[^"]*("\s+name="(?:form|back|t|token)")', "", page.html)


def changed(token: str, i: int) -> str:
    return token[:i] + ("A" if token[i] != "A" else "B") + token[i + 1:]


def test_W2_unknown_and_forged_links_are_told_the_same(desk: WebDesk) -> None:
    """One page, one status, about one time, for a token of nobody, one that was changed, and one of a mail that is not there."""
    held_mail(desk, "W2 secret subject")
    token = desk.notified(ALICE, "W2 secret subject").split("?")[1]
    kinds: dict[str, Callable[[], str]] = {
        "random": lambda: secrets.token_urlsafe(45), "mac": lambda: changed(token, 55), "person": lambda: changed(token, 38),
        "mail": lambda: changed(token, 20), "rights": lambda: changed(token, 2), "time": lambda: changed(token, 6)}
    client = desk.client()
    took: dict[str, list[float]] = {name: [] for name in kinds}
    pages = {}
    for _ in range(30):
        for name, made in kinds.items():
            page = client.get(f"/gate/m/?{made()}")
            took[name].append(page.seconds)
            pages[name] = page
            assert "W2 secret" not in page.html
    first = pages["random"]
    assert first.status in (403, 404, 410)
    for name, page in pages.items():
        assert (page.status, plain(page)) == (first.status, plain(first)), name
        assert dict(page.headers.items()).keys() == dict(first.headers.items()).keys()
    middle = {name: statistics.median(times) * 1e3 for name, times in took.items()}
    assert max(middle.values()) < 2 * min(middle.values()) + 2, middle
    for text in ("short", "x" * 60, "%00", "../../etc/passwd", "A" * 59, "A" * 61, token[:-1], token + "A", "-", "." * 60):
        page = client.get("/gate/m/?" + text)
        assert page.status in (400, first.status), text
        assert page.status == 400 or plain(page) == plain(first), text


def test_W2_unknown_used_and_expired_login_links_are_told_the_same(desk: WebDesk) -> None:
    """Whoever opens one learns nothing but that it is of no use."""
    client = desk.client()

    def mailed() -> str:
        n = len(desk.letters(CAROL))
        client.follow(client.post(client.get("/gate/login").form("/gate/login/link"), address=CAROL))
        mail = wait_for(lambda: [m for m in desk.letters(CAROL)[n:] if "/gate/login?" in words(m)], PATIENCE, "the mailed link")[-1]
        return re.search(r"/gate/login\?\S+", words(mail))[0]

    def opened(link: str) -> Page:
        other = desk.client()
        other.cookies = {k: v for k, v in client.cookies.items() if not k.endswith("sekisho")}
        page = other.get(link)
        return other.follow(other.post(page.form("/gate/login/open"))) if page.status == 200 else page
    used = mailed()
    assert opened(used).status == 200
    again = opened(used)
    late = mailed()
    desk.later(20 * MINUTE)
    expired = opened(late)
    unknown = opened("/gate/login?" + secrets.token_urlsafe(32))
    for page in (again, expired):
        assert page.status == unknown.status and page.status >= 400, (page.status, unknown.status)
        assert plain(page) == plain(unknown), page.text


def test_W2_no_link_is_mailed_to_strangers_and_nobody_can_tell(desk: WebDesk) -> None:
    """A person, somebody who is not there, a machine and somebody outside: the answers are the same, in words and in time."""
    answers, took = {}, {}
    for address in (ALICE, "nobody-at-all@example.co.jp", "copier@example.co.jp", "bob@partner.example", "not an address"):
        client = desk.client()
        form = client.get("/gate/login").form("/gate/login/link")
        page = client.post(form, address=address)
        took[address] = page.seconds
        answers[address] = client.follow(page)
    first = answers[ALICE]

    def told(page: Page, address: str) -> str:
        return re.sub(r"\b\d{4}\b", "NNNN", plain(page).replace(address, "ADDRESS").replace(urllib.parse.quote(address), "ADDRESS"))
    for address in ("nobody-at-all@example.co.jp", "copier@example.co.jp", "bob@partner.example"):
        assert answers[address].status == first.status
        assert told(answers[address], address) == told(first, ALICE), address
        assert took[address] < took[ALICE] + 0.25 and took[ALICE] < took[address] + 0.25, took
    assert not desk.letters("copier@example.co.jp") and not desk.letters("bob@partner.example")


# ---- W3: passwords -------------------------------------------------------------------------------


class From(Client):
    """From another address of this machine."""

    def __init__(self, base: str, source: str) -> None:
        super().__init__(base)
        self.source = source

    def ask(self, method: str, url: str, *words, **headers) -> Page:
        to = urllib.parse.urlsplit(self.base)
        self.wire = self.wire or http.client.HTTPConnection(to.hostname, to.port, timeout=60, source_address=(self.source, 0))
        return super().ask(method, url, *words, **headers)


def test_W3_guessing_is_slowed_and_the_owner_gets_in(desk: WebDesk) -> None:
    """One after the other, then 30 at once, then with another X-Forwarded-For each: few of them are looked at. Whose password
    it is logs in meanwhile, from where he is; and by a mailed link from anywhere."""
    guesser = From(desk.base, "127.0.0.66")
    From(desk.base, "127.0.0.77").login(BOB)  # as on any morning

    def guess(n: int, **headers: str) -> int:
        one = From(desk.base, "127.0.0.66")
        page = one.get("/gate/login")
        form = next(f for f in page.forms if f.action.endswith("/gate/login") and f.method == "post")
        return one.ask("POST", form.action, form.body(form.buttons[0] if form.buttons else None, address=BOB, password=f"guess {n}"),
                       **headers).status
    begun = time.monotonic()
    serial = [guess(n) for n in range(4)]
    with ThreadPoolExecutor(30) as pool:
        parallel = list(pool.map(guess, range(4, 34)))
        spoofed = list(pool.map(lambda n: guess(n, X_Forwarded_For=f"192.0.2.{n}", X_Real_IP=f"192.0.2.{n}", Forwarded=f"for=192.0.2.{n}"),
                                range(34, 54)))
    took = time.monotonic() - begun
    checked = [s for s in serial + parallel + spoofed if s == 403]
    turned = [s for s in serial + parallel + spoofed if s in (429, 503)]
    assert len(checked) + len(turned) == 54, (serial, parallel, spoofed)
    assert len(checked) <= 20 + took / 2, f"{len(checked)} of 54 guesses were looked at within {took:.1f} s"
    assert 429 in parallel and 429 in spoofed
    # The owner, from elsewhere, while all this goes on.
    owner = From(desk.base, "127.0.0.77")
    begun = time.monotonic()
    page = owner.login(BOB)
    assert page.status == 200 and BOB in owner.get("/gate/me").text, page.text
    assert time.monotonic() - begun < 15
    # Even from the guesser's address there is a way in: by mail.
    page = guesser.get("/gate/login")
    guesser.follow(guesser.post(page.form("/gate/login/link"), address=BOB))
    mail = wait_for(lambda: [m for m in desk.letters(BOB) if "/gate/login?" in words(m)], PATIENCE, "the mailed link")[-1]
    page = guesser.get(re.search(r"/gate/login\?\S+", words(mail))[0])
    guesser.follow(guesser.post(page.form("/gate/login/open")))
    assert BOB in guesser.get("/gate/me").text
    # And time heals: an hour later the guesser's address is as good as any.
    desk.later(70 * MINUTE)
    late = From(desk.base, "127.0.0.66")
    late.login(BOB)
    assert BOB in late.get("/gate/me").text


def test_W3_the_number_of_a_mailed_link_cannot_be_guessed(desk: WebDesk) -> None:
    """Another browser than the one that asked needs the number: five wrong ones and the link is dead."""
    asker, other = desk.client(), desk.client()
    n = len(desk.letters(ALICE))
    asked = asker.follow(asker.post(asker.get("/gate/login").form("/gate/login/link"), address=ALICE))
    number = re.search(r"\b\d{4}\b", re.sub(r"\b(19|20)\d\d\b", "", asked.text))[0]
    mail = wait_for(lambda: [m for m in desk.letters(ALICE)[n:] if "/gate/login?" in words(m)], PATIENCE, "the mailed link")[-1]
    link = re.search(r"/gate/login\?\S+", words(mail))[0]
    assert number not in words(mail), "the number goes by the same way as the link"
    form = other.get(link).form("/gate/login/open")
    for i in range(8):
        page = other.post(form, number=f"{(int(number) + 1 + i) % 10000:04d}")
        assert page.status >= 400, page.status
    page = other.post(form, number=number)
    assert page.status >= 400 and not any(k.endswith("sekisho") for k in other.cookies)


# ---- W4: forms -----------------------------------------------------------------------------------


def refused(page: Page) -> None:
    if page.status == 303 and (page.headers.get("Location") or "").startswith("/gate/login"):
        return  # he is nobody, and is asked who he is
    assert page.status in (400, 403, 404, 405, 409, 410), f"{page.url}: {page.status} {page.text[:300]}"


def test_W4_no_form_of_another_site_acts(desk: WebDesk) -> None:
    """No token, an old one, somebody else's; Origin and Sec-Fetch-Site of elsewhere: for each thing that a page can do."""
    sent = held_mail(desk, "W4 forms")
    link = desk.notified(ALICE, "W4 forms")
    alice, bob = desk.logged_in(ALICE), desk.logged_in(BOB)
    token_of_bob = dict(next(f for f in bob.get("/gate/me").forms if dict(f.fields).get("form")).fields)["form"]
    forms: list[tuple[Client, Form]] = []
    by_link = desk.client()
    for client, url in ((by_link, link), (alice, f"/gate/m/?id={sent}"), (alice, "/gate/absences"), (alice, "/gate/me"), (alice, "/gate/rules"),
                        (desk.client(), "/gate/login")):
        page = client.get(url)
        found = [f for f in page.forms if f.method == "post" and not f.action.endswith("/language")]
        assert found or url == "/gate/rules", url
        forms += [(client, form) for form in found]
    before = desk.rest()
    for client, form in forms:
        assert dict(form.fields).get("form"), f"{form.action} has no token"
        for button in form.buttons or [("", "")]:
            right = form.body(button)
            for wrong in ([p for p in right if p[0] != "form"], [("form", "")] + [p for p in right if p[0] != "form"],
                          [("form", token_of_bob)] + [p for p in right if p[0] != "form"],
                          [("form", "A" * 32)] + [p for p in right if p[0] != "form"]):
                refused(client.ask("POST", form.action, wrong))
            # Our own pages say "Origin: null", as they let no referrer out.
            for headers in ({"Origin": "http://evil.example"}, {"Origin": "null", "Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "cross-site"},
                            {"Origin": client.base.replace("http://", "http://evil."), "Sec_Fetch_Site": "cross-site"}):
                refused(client.ask("POST", form.action, right, **headers))
            refused(Client(desk.base).ask("POST", form.action, right)) if not any(k == "t" for k, _ in right) else None
    assert desk.kept() == before
    assert alice.get("/gate/me").status == 200 and desk.states(sent) == {"hold"}


def test_W4_other_kinds_of_bodies_do_not_act(desk: WebDesk) -> None:
    """What a form of another site could send without being asked (text/plain, multipart), and JSON; and words twice."""
    sent = held_mail(desk, "W4 bodies")
    client = desk.client()
    page = client.get(desk.notified(ALICE, "W4 bodies"))
    form = page.form("/gate/m/act", word="discard")
    body = form.body(("word", "discard"))
    for kind, text in (("text/plain", urllib.parse.urlencode(body)), ("application/json", json.dumps(dict(body))),
                       ("multipart/form-data; boundary=x", "".join(f'--x\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'
                                                                   for k, v in body) + "--x--\r\n")):
        to = urllib.parse.urlsplit(client.base)
        wire = http.client.HTTPConnection(to.hostname, to.port, timeout=30)
        wire.request("POST", form.action, text, {"Content-Type": kind})
        assert wire.getresponse().status >= 400, kind
        wire.close()
    assert desk.states(sent) == {"hold"}


def test_W4_headers_and_cookies(desk: WebDesk) -> None:
    """No page in anybody's frame, no script but ours, cookies that no script reads; on every page and every status."""
    held_mail(desk, "W4 headers")
    link = desk.notified(ALICE, "W4 headers")
    client = desk.client()
    login = client.get("/gate/login")
    pages = [login, client.get(link), client.get("/gate/m/?" + "A" * 60), client.get("/gate/nothing"), client.get("/gate/m/act"),
             client.ask("OPTIONS", link), client.get("/gate/"), client.get("/"), client.ask("POST", "/gate/m/act", [])]
    wire = desk.client()
    form = next(f for f in wire.get("/gate/login").forms if f.action.endswith("/gate/login"))
    done = wire.post(form, address=ALICE, password="correct horse battery staple")
    pages.append(done)
    pages += [wire.get(p) for p in ("/gate/", "/gate/approvals", "/gate/absences", "/gate/rules", "/gate/me")]
    for page in pages:
        policy = page.headers.get("Content-Security-Policy") or ""
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy, (page.url, page.status, policy)
        assert "unsafe" not in policy and "*" not in policy and "base-uri 'none'" in policy and "form-action" in policy, policy
        assert page.headers.get("X-Frame-Options", "").upper() == "DENY", page.url
        assert page.headers.get("X-Content-Type-Options") == "nosniff", page.url
        assert page.headers.get("Referrer-Policy") == "no-referrer", page.url
        assert "no-store" in page.headers.get("Cache-Control", ""), page.url
        assert not re.search(r"nginx/|/1\.\d", page.headers.get("Server", "")), page.headers["Server"]
        for name in ("Access-Control-Allow-Origin", "X-Powered-By"):
            assert name not in page.headers, name
    contents = next(urllib.parse.urljoin(link, u) for u in client.get(link).urls if "/gate/m/contents" in u)
    page = client.get(contents)
    assert "frame-ancestors 'self'" in page.headers["Content-Security-Policy"] and page.headers["X-Frame-Options"].upper() == "SAMEORIGIN"
    for page in pages:
        for line in page.headers.get_all("Set-Cookie") or []:
            flags = {part.strip().lower() for part in line.split(";")[1:]}
            assert "httponly" in flags and "path=/" in flags and flags & {"samesite=lax", "samesite=strict"}, line
            assert not any(f.startswith("domain") for f in flags), line
    session = [line for line in done.headers.get_all("Set-Cookie") or [] if re.match(r"(__Host-)?sekisho=", line)]
    assert len(session) == 1 and not re.search(r"max-age=[1-9]|expires", session[0], re.I), session


def test_W4_a_session_is_made_at_login_and_dies_at_logout(desk: WebDesk) -> None:
    """Fixation: a cookie that was there before is no session afterwards. Logout, here and everywhere, at once."""
    client = desk.client()
    client.get("/gate/login")
    planted = secrets.token_urlsafe(32)
    client.cookies["sekisho"] = planted
    client.login(ALICE)
    assert client.cookies["sekisho"] != planted
    other = desk.client()
    other.cookies["sekisho"] = planted
    assert ALICE not in other.get("/gate/me").text
    first = client.cookies["sekisho"]
    client.login(ALICE) if not client.get("/gate/login").status == 303 else None
    second, third = desk.logged_in(ALICE), desk.logged_in(ALICE)
    copy = dict(client.cookies)
    form = next(f for f in client.get("/gate/me").forms if f.action.endswith("/gate/logout") and not any(
        k == "everywhere" for k, _ in [*f.fields, *f.buttons]))
    client.follow(client.post(form, form.buttons[0] if form.buttons else None))
    client.cookies = copy
    assert ALICE not in client.get("/gate/me").text and first == copy["sekisho"]
    assert ALICE in second.get("/gate/me").text
    page = second.get("/gate/me")
    form = next(f for f in page.forms if f.action.endswith("/gate/logout") and any(k == "everywhere" for k, _ in [*f.fields, *f.buttons]))
    copy = dict(second.cookies)
    second.follow(second.post(form, next((b for b in form.buttons if b[0] == "everywhere"), form.buttons[0])))
    second.cookies = copy
    for one in (second, third):
        assert ALICE not in one.get("/gate/me").text
        refused(one.ask("POST", "/gate/absences", [("clear", "yes")])) if one.get("/gate/absences").status >= 400 else None


def test_W4_nobody_sees_or_acts_on_another_ones_mail(desk: WebDesk) -> None:
    """Bob, logged in, with a link of his own: pages, frames, files and forms of Alice's mail by its id, by forms of his own in
    which ids, legs and tokens are swapped, and in the list by search."""
    hers = held_mail(desk, "W4 Alice's secret", files=[FILE])
    his = held_mail(desk, "W4 Bob's own", sender=BOB)
    bob, alice = desk.logged_in(BOB), desk.logged_in(ALICE)
    link = desk.notified(BOB, "W4 Bob's own")
    cap = link.split("?")[1]
    leg = desk.legs(hers)[0].name.split(".", 1)[1] if desk.legs(hers)[0].due else desk.legs(hers)[0].name
    before = desk.rest()
    for client, who in ((bob, {"id": hers}), (desk.client(), {"id": hers}), (desk.client(), {"t": cap, "id": hers}), (bob, {"t": cap, "id": hers})):
        for path in ("", "contents", "html", "file", "confirm"):
            page = client.get(f"/gate/m/{path}?" + urllib.parse.urlencode({**who, "leg": leg, "part": "2", "word": "release"}))
            assert "Alice's secret" not in page.html and page.body != FILE[1] and "p@hour.example" not in page.text.replace(
                "p@hour.example", "", 1) if "t" in who else "Alice's secret" not in page.html, (path, page.status, page.text)
    nothing = bob.get("/gate/?q=secret")
    assert "Alice's secret" not in nothing.html
    # Her own form, sent by him; his own form with her ids.
    forms = {"hers": alice.get(f"/gate/m/?id={hers}"), "his": bob.get(f"/gate/m/?id={his}"), "link": desk.client().get(link)}
    for word in ("release", "discard", "extend"):
        for name, page in forms.items():
            form = page.form("/gate/m/act", word=word)
            swapped = [(k, hers if k == "id" else leg if k == "leg" else v) for k, v in form.body(("word", word)) if name == "hers" or k != "shown"]
            if not any(k == "id" for k, _ in swapped):
                swapped.append(("id", hers))
            bob.ask("POST", form.action, swapped)
            desk.client().ask("POST", form.action, [p for p in swapped if p[0] != "t"])
    assert desk.states(hers) == {"hold"}
    now = desk.kept()
    assert {k: v for k, v in now.items() if hers in k} == {k: v for k, v in before.items() if hers in k}


def test_W4_an_approver_of_one_mail_decides_no_other(desk: WebDesk) -> None:
    """Carol approves what is asked of her, and nothing that is asked of the boss; nobody approves his own."""
    asked = held_mail(desk, "W4 for the boss", "boss")
    carols = held_mail(desk, "W4 for Carol", "named")
    carol, alice = desk.logged_in(CAROL), desk.logged_in(ALICE)
    form = carol.get(f"/gate/m/?id={carols}").form("/gate/m/act", word="approve")
    for client in (carol, alice):
        mine = form if client is carol else next(f for f in client.get(f"/gate/m/?id={asked}").forms if f.action.endswith("/gate/m/act"))
        body = [(k, asked if k == "id" else v) for k, v in mine.body() if k not in ("word", "shown", "leg")]
        for word in ("approve", "reject", "return"):
            page = client.follow(client.ask("POST", mine.action, [*body, ("word", word), ("reason", "x")]))
            assert page.status >= 400 or desk.states(asked) == {"approve"}
    assert not carol.get(f"/gate/m/?id={asked}").has("/gate/m/act")
    assert desk.states(asked) == {"approve"} and not desk.record(asked, "approved")
    assert not alice.get(f"/gate/m/?id={asked}").has("/gate/m/act", word="approve")


def test_W4_a_form_sent_twice_acts_once(desk: WebDesk) -> None:
    """The same button of one page, pressed 8 times at once: it leaves once, and each page says that it has been sent."""
    for round_ in range(3):
        sent = held_mail(desk, f"W4 double {round_}")
        client = desk.client()
        form = client.get(desk.notified(ALICE, f"W4 double {round_}")).form("/gate/m/act", word="release")
        clients = [Client(desk.base) for _ in range(BOOSTED)]
        with ThreadPoolExecutor(BOOSTED) as pool:
            pages = list(pool.map(lambda c: c.follow(c.post(form, ("word", "release"))), clients))
        desk.rests(sent, "sent")
        assert set(desk.got(sent)) == {at("hour")}
        assert all(page.status in (200, 409, 410) for page in pages), [p.status for p in pages]
        assert len(done(desk, sent, "release")) == 1


def done(desk: WebDesk, sent: str, word: str) -> list:
    """The records of such an act in its legs."""
    what, key, value = {"approve": ("approved", "ended", "votes"), "reject": ("discarded", "cause", "rejected"),
                        "release": ("held", "ended", "released"), "discard": ("discarded", "cause", None)}[word]
    return [r for leg in desk.legs(sent) for r in leg.records if r.words[1] == what and (
        r.keys.get(key) == value if value else r.keys.get(key) != "rejected")]


@pytest.mark.parametrize("pair", ["approve-discard", "approve-reject", "release-discard"])
def test_W4_two_at_once_and_exactly_one_wins(desk: WebDesk, pair: str) -> None:
    """The boss approves while the sender throws it away; two deciders differ; the same sender in two windows. Both pages tell what
    was done, and by whom."""
    first, second = pair.split("-")
    wins = []
    for round_ in range(8):
        way = "any" if pair == "approve-reject" else "boss" if first == "approve" else "hour"
        sent = held_mail(desk, f"W4 {pair} {round_}", way)
        people = {"approve-discard": (BOSS, ALICE), "approve-reject": (BOB, DAVE), "release-discard": (ALICE, ALICE)}[pair]
        both = []
        for person, word in zip(people, (first, second)):
            client = desk.client()
            page = client.get(desk.notified(person, f"W4 {pair} {round_}"))
            both.append((client, page.form("/gate/m/act", word=word), word))
        gate = threading.Barrier(2)

        def press(one: tuple[Client, Form, str]) -> Page:
            client, form, word = one
            gate.wait()
            return client.follow(client.post(form, ("word", word), reason="as it is"))
        with ThreadPoolExecutor(2) as pool:
            pages = list(pool.map(press, both))
        desk.rests(sent, "sent") if desk.states(sent) & {"sent", "deliver", "encrypt"} else desk.rests(sent, "trash")
        won = [w for w in (first, second) if done(desk, sent, w)]
        assert len(won) == 1, (won, desk.legs(sent))
        wins += won
        assert desk.states(sent) == {"sent" if won[0] in ("approve", "release") else "trash"}
        # Looked at once more, both say the same about it.
        last = [re.sub(r"\s+", " ", c.get(f.action.replace("/act", "/") + "?" + dict(f.fields)["t"]).text) for c, f, _ in both]
        assert all(page.status in (200, 403, 409, 410) for page in pages), [p.status for p in pages]
        state = {"sent": r"[Ss]ent|[Aa]pproved|[Rr]eleased|[Dd]elivered|left", "trash": r"[Dd]iscard|[Rr]eject|thrown"}[next(iter(desk.states(sent)))]
        for text in last + [p.text for p in pages]:
            assert re.search(state, text), f"{won}: {text}"
    assert set(wins) <= {first, second}


# ---- W5: names that are code ---------------------------------------------------------------------


def encoded(text: str) -> str:
    """As encoded-words (RFC 2047), whatever it is."""
    pieces, piece = [], ""
    for c in text:
        if len((piece + c).encode("utf-8", "surrogatepass")) > 42:
            pieces.append(piece)
            piece = ""
        piece += c
    return "\r\n ".join(f"=?utf-8?B?{b64encode(p.encode('utf-8', 'surrogatepass')).decode()}?=" for p in [*pieces, piece] if p)


def naughty_letter(subject: str, name: str, file: str) -> bytes:
    """Each of them as a mail program could have encoded it."""
    filename = urllib.parse.quote(file.encode("utf-8", "surrogatepass"), safe="")
    parts = [filename[i:i + 60] for i in range(0, len(filename), 60)] or [""]
    # A piece that is cut within %XX is put together again by its readers (RFC 2231, section 3).
    named = ";\r\n ".join(f"filename*{i}*={'UTF-8' + chr(39) * 2 if i == 0 else ''}{p}" for i, p in enumerate(parts))
    head = (f"From: {encoded(name)}{' ' if name else ''}<{EVE}>\r\nTo: <p@hour.example>\r\nSubject: {encoded(subject)}\r\n"
            f"Date: {email.utils.formatdate()}\r\nMessage-ID: {email.utils.make_msgid(domain='example.co.jp')}\r\nMIME-Version: 1.0\r\n"
            "Content-Type: multipart/mixed; boundary=b0\r\n\r\n")
    # Control characters would make it no text, but a file.
    body = re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", f"{subject}\n{name}\n{file}\n").encode()
    return (head + "--b0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n").encode() + wrapped(body) + (
        f"\r\n--b0\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment;\r\n {named}\r\n\r\nx\r\n--b0--\r\n").encode()


def wrapped(raw: bytes) -> bytes:
    text = b64encode(raw)
    return b"\r\n".join(text[i:i + 76] for i in range(0, len(text), 76))


SHAPES = """
    const done = [];
    for (const html of arguments[0]) {
        const page = new DOMParser().parseFromString(html, 'text/html');
        const shape = [], bad = [];
        for (const e of page.querySelectorAll('*')) {
            const names = [...e.attributes].map(a => a.name).sort();
            shape.push(e.localName + ' ' + e.namespaceURI.slice(-5) + ' ' + names.join(','));
            for (const a of e.attributes) {
                if (/^on/.test(a.name) || a.name === 'style' || a.name === 'srcdoc') bad.push(e.outerHTML.slice(0, 200));
                if (['href', 'src', 'action', 'formaction', 'data', 'poster', 'background'].includes(a.name) && !a.value.startsWith('/gate/') && !a.value.startsWith('#'))
                    bad.push(e.outerHTML.slice(0, 200));
            }
        }
        const walk = page.createTreeWalker(page, NodeFilter.SHOW_COMMENT);
        let comments = 0;
        while (walk.nextNode()) comments++;
        done.push({shape, bad, comments, text: page.body.textContent, title: page.title});
    }
    return done;"""


def shapes(browser: Browser, pages: list[Page]) -> list[dict]:
    """Each page's elements and attributes, as Chromium's own parser sees them; nothing of it runs."""
    browser.open("about:blank")
    found = []
    for i in range(0, len(pages), 40):
        found += browser.run(SHAPES, [p.html for p in pages[i:i + 40]])
    return found


def fetched(desk: WebDesk, cookies: dict[str, str], urls: list[str]) -> list[Page]:
    local = threading.local()

    def one(url: str) -> Page:
        if not hasattr(local, "client"):
            local.client = Client(desk.base)
            local.client.cookies = dict(cookies)
        return local.client.get(url)
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(one, urls))


def kinds_of(shape: list[str]) -> set[str]:
    return set(shape)


def test_W5_500_naughty_strings_stay_inert(browser: Browser) -> None:
    """As subject, as sender's name and as the name of a file, each string in each place: the list, the mail's page, its contents
    and the notice have the elements that a harmless mail's have, and in a browser nothing runs, loads or complains."""
    texts = naughty()
    assert len(texts) >= 500
    n = len(texts)
    with web_desk(people=(EVE,), settings={"remind-every": "0s"}) as desk:
        plain_id = desk.send(naughty_letter("harmless subject", "Harmless Name", "harmless.bin"), to=at("hour"), sender=EVE)
        ids = hand_in(desk, [naughty_letter(t, texts[(i + n // 3) % n], texts[(i + 2 * n // 3) % n]) for i, t in enumerate(texts)])
        wait_for(lambda: len(desk.gw.spool("hold")) == n + 1, 120, "all held")
        client = desk.logged_in(EVE)
        everything = [plain_id, *ids]
        mails = fetched(desk, client.cookies, [f"/gate/m/?id={i}" for i in everything])
        assert {p.status for p in mails} == {200}
        frames = fetched(desk, client.cookies, [next(u for u in p.urls if "/gate/m/contents" in u) for p in mails])
        assert {p.status for p in frames} == {200}, [p.text for p in frames if p.status != 200][:1]
        lists = fetched(desk, client.cookies, [f"/gate/?page={i}" for i in range(1, (n + 1 + 49) // 50 + 1)])
        for name, pages in (("mail", mails), ("contents", frames)):
            inert(shapes(browser, pages), name, ["", *texts])
        for shape in shapes(browser, lists):
            assert not shape["bad"], shape["bad"]
            assert len({s for s in shape["shape"]} - rows_of(shapes(browser, lists[:1])[0])) == 0, "a list has other elements"
        hrefs = [u for p in lists for u in p.urls]
        assert sum("/gate/m/?id=" in u for u in hrefs) >= n, "some mails are not in the list"
        # The files: whatever their names are, they come as files, under a header of one line.
        files = fetched(desk, client.cookies, [u for p in frames[::5] for u in p.urls if "/gate/m/file" in u])
        for page in files:
            assert page.status == 200 and page.body.rstrip() == b"x", (page.status, page.url, desk.gw.log("seki-view")[-600:], desk.gw.log("seki-web")[-600:])
            disposition = page.headers.get_all("Content-Disposition")
            assert len(disposition) == 1 and disposition[0].startswith("attachment") and "\n" not in disposition[0], disposition
            assert page.headers["Content-Type"] == "application/octet-stream" and page.headers["X-Content-Type-Options"] == "nosniff"
            assert not {"x-injected", "set-cookie", "location"} & {k.lower() for k in page.headers}
        notices_are_whole(desk, n)
        # And for real: nothing runs, asks or is refused by the policy.
        browser.forgets().looks("ja", DESKTOP)
        browser.open(desk.at("/gate/login"))
        browser.press("/gate/login", typed={"address": EVE, "password": "correct horse battery staple"})
        browser.said(), browser.requested()
        worst = [i for i, t in enumerate(texts) if re.search(r"<|javascript|onload|{{|&#|%0d|\x1b", t, re.I)][::4]
        for url in [f"/gate/?page={i + 1}" for i in range(len(lists))] + [f"/gate/m/?id={ids[i]}" for i in worst]:
            browser.open(desk.at(url))
            assert not browser.has_dialog(), url
        said = browser.said()
        assert not said, said[:5]
        assert all(u.startswith(desk.base) for u in browser.requested() if not u.startswith(("data:", "about:"))), "something else was loaded"


def hand_in(desk: WebDesk, mails: list[bytes]) -> list[str]:
    """Many at a time; their ids in order."""
    def some(part: list[bytes]) -> list[str]:
        ids = []
        with desk.gw.connect() as smtp:
            smtp.ehlo()
            for raw in part:
                for code, said in (smtp.mail(EVE), smtp.rcpt(at("hour")), smtp.data(raw)):
                    assert code == 250, said
                ids.append(re.search(rb"\b[0-9a-f]{32}\b", said)[0].decode())
        return ids
    size = -(-len(mails) // 4)
    with ThreadPoolExecutor(4) as pool:
        return [one for part in pool.map(some, [mails[i:i + size] for i in range(0, len(mails), size)]) for one in part]


def rows_of(shape: dict) -> set[str]:
    return kinds_of(shape["shape"])


def active(shape: dict) -> list[str]:
    """What can be pressed, asks for something, or is asked for, in order."""
    return [s.split()[0] for s in shape["shape"] if s.split()[0] in ("form", "button", "input", "a", "iframe", "script", "link", "img", "meta")]


def inert(found: list[dict], name: str, texts: list[str]) -> None:
    """No page has an element or attribute that a harmless one has not, but for the marks of warnings."""
    known = kinds_of(found[0]["shape"])
    for shape, text in zip(found, texts):
        assert not shape["bad"], (name, text, shape["bad"])
        assert shape["comments"] == found[0]["comments"], (name, text)
        strange = [s for s in shape["shape"] if s not in known and not re.match(r"(p|li|ul|span|strong|dl|dt|dd|em|b|small|code) \S+ (class)?$", s)]
        assert not strange, (name, text, strange)
        assert abs(len(shape["shape"]) - len(found[0]["shape"])) <= 25, (name, text, len(shape["shape"]), len(found[0]["shape"]))
        assert active(shape) == active(found[0]), (name, text)
        if text.strip() and not any(unicodedata.category(c)[0] in "CM" or c in "\u115f\u1160\u3164\uffa0" for c in text):
            seen = re.sub(r"\s+", " ", shape["text"])
            assert re.sub(r"\s+", " ", text.strip())[:20] in seen, (name, text, seen[:400])


def notices_are_whole(desk: WebDesk, n: int) -> None:
    """What tells the sender of it is one mail to him, with our fields, our text and our link."""
    notices = wait_for(lambda: x if len(x := desk.letters(EVE)) >= n + 1 else None, 120, "each told")
    for mail in notices:
        assert mail.get_all("To") == [EVE] or [a.addr_spec for a in mail["To"].addresses] == [EVE], mail["To"]
        assert not mail["Bcc"] and not mail["Set-Cookie"] and not mail["X-Injected"] and len(mail.get_all("Subject")) == 1
        assert mail.get_content_type() in ("text/plain", "multipart/mixed", "multipart/alternative")
        links = re.findall(r"^\[URL\] (\S+)$", words(mail), flags=re.M)
        assert any(one.startswith(desk.base + "/gate/m/?") for one in links), words(mail)[:600]


# ---- W6, W7: what leaks --------------------------------------------------------------------------


def test_W6_links_are_made_of_settings_and_never_of_the_request(desk: WebDesk) -> None:
    """Host, X-Forwarded-Host and friends appear nowhere: not in a page, a place to go to, or a mailed link."""
    client = desk.client()
    n = len(desk.letters(ALICE))
    for headers in ({"Host": "evil.example"}, {"X_Forwarded_Host": "evil.example"}, {"X_Forwarded_Proto": "https", "Forwarded": "host=evil.example"},
                    {"X_Original_URL": "/evil", "X_Rewrite_URL": "/evil"}):
        page = client.get("/gate/", **headers)
        assert "evil" not in page.html and "evil" not in page.headers.get("Location", ""), headers
        form = client.get("/gate/login").form("/gate/login/link")
        client.ask("POST", form.action, form.body(address=ALICE), **headers)
    for mail in wait_for(lambda: [m for m in desk.letters(ALICE)[n:] if "/gate/login?" in words(m)], PATIENCE, "the mailed link"):
        assert "evil" not in words(mail) and f"{desk.base}/gate/login?" in words(mail)


def test_W6_back_leads_nowhere_else(desk: WebDesk) -> None:
    """What the login goes on to is one of our pages."""
    for back in ("http://evil.example/", "//evil.example/", "/\\evil.example", "\\\\evil.example", "https:evil.example", "javascript:alert(1)",
                 "/gate/../../evil", "/gate/%0d%0aSet-Cookie:x=y", "/evil", "/gate/\r\nX: y", "/gate/m/?id=1", "///evil.example", "/gate//evil.example"):
        client = desk.client()
        page = client.get("/gate/login?back=" + urllib.parse.quote(back))
        form = next(f for f in page.forms if f.action.endswith("/gate/login"))
        body = [(k, v) for k, v in form.body(address=ALICE, password="correct horse battery staple") if k != "back"] + [("back", back)]
        for page in (page, client.ask("POST", form.action, body)):
            place = page.headers.get("Location")
            assert place is None or place.startswith("/gate/") and "evil" not in place.replace("/gate//evil.example", "x") and "\n" not in place, (back, place)
            assert "X" not in page.headers and "x=y" not in str(page.headers.get_all("Set-Cookie"))


def test_W7_no_token_stands_in_a_log_or_leaves_in_a_referer(desk: WebDesk, browser: Browser) -> None:
    """Links, cookies and form tokens of a whole visit are in no file of the instance but the mail that they were sent by."""
    held_mail(desk, "W7 leaks")
    link = desk.notified(ALICE, "W7 leaks")
    cap = link.split("?")[1]
    client = desk.logged_in(ALICE)
    client.get(link), client.get(link + "A"), client.get(link.replace("/gate/m/", "/gate/x/")), client.ask("BREW", link)
    client.get("/gate/" + "x" * 9000 + cap)
    page = client.get(link)
    client.post(page.form("/gate/m/act", word="extend"), ("word", "extend"), until="nonsense")
    secrets_ = [cap, client.cookies["sekisho"], dict(page.form("/gate/m/act", word="release").fields)["form"], "correct horse battery staple"]
    for path in desk.gw.root.rglob("*"):
        if not path.is_file() or str(path.relative_to(desk.gw.root)).startswith(("outbox", "spool")):
            continue
        content = path.read_bytes()
        for secret in secrets_:
            assert secret.encode() not in content, f"{secret[:12]}... in {path}"
    browser.forgets().open(link)
    browser.one("iframe")
    assert browser.run("return document.referrer") == ""
    asked = [json.loads(one["message"])["message"] for one in browser.driver.get_log("performance")]
    heads = [m["params"]["request"]["headers"] for m in asked if m["method"] == "Network.requestWillBeSent"]
    assert heads and not any(k.lower() == "referer" and v for h in heads for k, v in h.items()), heads
