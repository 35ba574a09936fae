"""Logging in to people's pages and out again, over HTTP: by a password or by a mailed link, sessions, PINs and language; and
that nobody else's page can do it (W2, W4; the issue's "Sessions with idle and absolute limits, revocation, logout everywhere")."""
import re
import urllib.parse
from collections.abc import Iterator

import pytest

from conftest import wait_for
from held_kit import ALICE, BOB, MINUTE, PATIENCE, words
from web_kit import PASSWORD, Client, Page, WebDesk, web_desk

PAGES = ["/gate/", "/gate/approvals", "/gate/absences", "/gate/review", "/gate/rules", "/gate/rules/new", "/gate/me"]
PIN = "482915"
FOREIGN = ["https://evil.example/", "//evil.example/gate/", "/\\evil.example/", "/gate/\\evil.example", "/gate//evil.example/",
           "javascript:alert(1)", "/gate/\r\nSet-Cookie: a=b", "/elsewhere", "gate/", "/gate/../x", "/gate/ x"]


@pytest.fixture(scope="module")
def desk() -> Iterator[WebDesk]:
    with web_desk(people=(ALICE, BOB), settings={
            "auth-delay": "0s", "auth-failures-source": "1000", "auth-failures-login": "1000", "login-links": "100"}) as made:
        yield made


def cookies(page: Page) -> dict[str, str]:
    """What it sets: name to all of the line behind it."""
    return {line.split("=", 1)[0]: line.split("=", 1)[1] for line in page.headers.get_all("Set-Cookie") or []}


def path_of(page: Page) -> str:
    """Where it sends the browser: a path of its own."""
    assert page.status == 303, (page.status, page.text[:300])
    to = urllib.parse.urlsplit(page.headers["Location"])
    base = urllib.parse.urlsplit(page.url)
    assert (to.scheme or base.scheme, to.netloc or base.netloc) == (base.scheme, base.netloc), page.headers["Location"]
    return urllib.parse.urlunsplit(("", "", to.path, to.query, ""))


def logged_in(desk: WebDesk, who: str, lang: str = "en") -> Client:
    """In this language, whatever etc/people says of his notices."""
    client = desk.logged_in(who, lang)
    client.cookies["sekisho-lang"] = lang
    return client


def is_in(client: Client) -> bool:
    page = client.get("/gate/me")
    assert page.status in (200, 303), page.status
    return page.status == 200


def tries(client: Client, address: str, password: str, back: str = "") -> Page:
    """The answer to the form, not followed."""
    page = client.get("/gate/login" + (f"?{urllib.parse.urlencode({'back': back})}" if back else ""))
    return client.post(page.form("/gate/login"), address=address, password=password)


def alert(page: Page) -> str:
    """The one message that a screen reader tells at once."""
    found = re.findall(r'role="alert"[^>]*>(.*?)</(?:p|div)>', page.html, re.S)
    assert len(found) == 1, (page.status, page.text[:400])
    return re.sub(r"<[^>]*>", " ", found[0]).strip()


# ---- by a password -----------------------------------------------------------------------------


@pytest.mark.parametrize("lang, title", [("ja", "ログイン"), ("en", "Log in")])
def test_the_login_page_in_both_languages(desk, lang, title):
    page = desk.client(lang).get("/gate/login")
    assert page.status == 200 and f'<html lang="{lang}"' in page.html and f"<h1>{title}</h1>" in page.html
    for name in ("address", "password"):
        assert f'<label for="{name}"' in page.html and re.search(rf'<input id="{name}"[^>]* aria-describedby="', page.html)
    assert 'role="alert"' not in page.html


def test_a_password_logs_in(desk):
    client = desk.client()
    page = tries(client, ALICE, PASSWORD)
    assert path_of(page) == "/gate/"
    assert ALICE in client.get("/gate/me").text


def test_the_cookie_of_a_session_is_for_this_site_alone(desk):
    line = cookies(tries(desk.client(), ALICE, PASSWORD))["sekisho"]
    flags = {word.strip().lower() for word in line.split(";")[1:]}
    assert flags == {"path=/", "httponly", "samesite=lax"}, line  # Secure: web-url is http here
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", line.split(";")[0])


def test_over_https_cookies_are_secure_and_bound_to_the_host(fresh_https):
    client = fresh_https.client()
    page = client.get("/gate/login")
    form = page.form("/gate/login")
    done = client.post(form, address=ALICE, password=PASSWORD)
    line = cookies(done)["__Host-sekisho"]
    assert {word.strip().lower() for word in line.split(";")[1:]} == {"path=/", "httponly", "samesite=lax", "secure"}
    assert done.status == 303 and "__Host-sekisho" in client.cookies


def test_a_wrong_password_tells_nothing_about_who_there_is(desk):
    known, unknown = tries(desk.client(), ALICE, "wrong"), tries(desk.client(), "nobody@example.co.jp", "wrong")
    for page in (known, unknown):
        assert page.status == 403 and "sekisho" not in cookies(page)
        assert 'aria-invalid="true"' in page.html
        assert "wrong" not in page.html.replace('name="wrong"', ""), "what was typed as a password is not shown"
    assert alert(known) == alert(unknown)
    assert f'value="{ALICE}"' in known.html, "the address need not be typed again"


@pytest.mark.parametrize("address, password", [("", PASSWORD), (ALICE, ""), (" ", "")])
def test_what_is_missing_is_asked_for(desk, address, password):
    page = tries(desk.client(), address, password)
    assert page.status == 422 and alert(page)


def test_an_address_may_have_blanks_around_it(desk):
    assert tries(desk.client(), f" {ALICE}\t", PASSWORD).status == 303


def test_a_new_token_at_every_login(desk):
    """Session fixation: what was there before is worth nothing, and an old session of the browser is over."""
    client = desk.client()
    planted = "A" * 43
    client.cookies["sekisho"] = planted
    assert tries(client, ALICE, PASSWORD).status == 303
    first = client.cookies["sekisho"]
    assert first != planted
    thief = desk.client()
    thief.cookies["sekisho"] = planted
    assert not is_in(thief)
    page = client.get("/gate/me")
    again = client.ask("POST", "/gate/login", [("form", token_of(page)), ("address", BOB), ("password", PASSWORD)])
    assert again.status == 303 and client.cookies["sekisho"] != first
    assert BOB in client.get("/gate/me").text
    thief.cookies["sekisho"] = first
    assert not is_in(thief), "the session before is over"


def test_guesses_of_one_address_leave_the_others_alone(desk):
    """W2: who is guessed at gets in with the right password; delays are the login's own (sekisho-login(5))."""
    guesser = desk.client()
    for n in range(8):
        assert tries(guesser, BOB, f"guess {n}").status in (403, 429)
    assert tries(desk.client(), ALICE, PASSWORD).status == 303


# ---- back --------------------------------------------------------------------------------------


def test_after_the_login_one_is_where_one_wanted_to_be(desk):
    client = desk.client()
    asked = path_of(client.get("/gate/?state=held&q=a%26b"))
    assert urllib.parse.urlsplit(asked).path == "/gate/login"
    page = client.get(asked)
    done = client.post(page.form("/gate/login"), address=ALICE, password=PASSWORD)
    assert path_of(done) == "/gate/?state=held&q=a%26b"


@pytest.mark.parametrize("back", FOREIGN)
def test_back_never_leads_elsewhere(desk, back):
    client = desk.client()
    assert path_of(tries(client, ALICE, PASSWORD, back=back)) == "/gate/"
    page = client.get("/gate/login?" + urllib.parse.urlencode({"back": back}))
    assert path_of(page) == "/gate/", "also for who is logged in already"
    form = client.get("/gate/me").form("/gate/language", lang="ja")
    assert path_of(client.post(form, ("lang", "ja"), back=back)) == "/gate/"


@pytest.mark.parametrize("path", PAGES)
def test_pages_lead_who_is_not_logged_in_to_the_login(desk, path):
    to = path_of(desk.client().get(path))
    assert urllib.parse.urlsplit(to).path == "/gate/login"


# ---- by a mailed link --------------------------------------------------------------------------


def ask_link(client: Client, address: str) -> Page:
    return client.post(client.get("/gate/login").form("/gate/login/link"), address=address)


def mailed_link(desk: WebDesk, address: str, n: int = 1) -> str:
    """The link of the n-th such mail; nobody else's mail is like it. Who asks often waits longer for it: up to half a minute."""
    desk.later(MINUTE)

    def look() -> list[str]:
        found = []
        for mail in desk.letters(address):
            found += re.findall(r"(?m)^\S*(http\S+/gate/login\?\S+)$|\s(http\S+/gate/login\?\S+)", words(mail))
        return [one or other for one, other in found]
    links = wait_for(lambda: x if len(x := look()) >= n else None, PATIENCE, f"{n} links for {address}")
    return links[-1]


def links_of(desk: WebDesk, address: str) -> int:
    return sum("/gate/login?" in words(mail) for mail in desk.letters(address))


def number_of(page: Page) -> str:
    (found,) = re.findall(r'class="number"[^>]*>\s*(\d{4})\s*<', page.html)
    return found


def token_of(page: Page) -> str:
    return re.search(r'name="form" value="([^"]+)"', page.html).group(1)


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_a_mailed_link_logs_in_once(desk, lang):
    client = desk.client(lang)
    had = links_of(desk, ALICE)
    sent = ask_link(client, ALICE)
    assert sent.status == 200 and ALICE in sent.text and number_of(sent)
    (kept,) = [line for name, line in cookies(sent).items() if name.endswith("visit-link")]
    flags = {word.strip().lower() for word in kept.split(";")[1:]}
    assert {"path=/", "httponly", "samesite=lax"} <= flags and any(f.startswith("max-age=") for f in flags)
    link = mailed_link(desk, ALICE, had + 1)
    # Programs look at links: nothing happens, however often.
    for method in ("GET", "HEAD", "OPTIONS", "GET"):
        desk.client().ask(method, link)
    page = client.get(link)
    assert page.status == 200 and "number" not in dict(page.form("/gate/login/open").fields)
    done = client.post(page.form("/gate/login/open"))
    assert path_of(done) == "/gate/" and is_in(client)
    assert not any(name.endswith("visit-link") for name in client.cookies), "the nonce is taken away"
    page = desk.client(lang).get(link)
    again = client.post(client.get(link).form("/gate/login/open"), number="0000")
    assert again.status in (403, 410) and "sekisho" not in cookies(again)
    gone = client.ask("POST", "/gate/login/open", [("form", token_of(client.get("/gate/me"))), ("token", "x" * 43)])
    assert gone.status == 410 and alert(gone)


def test_a_mailed_link_leads_where_one_wanted_to_be(desk):
    """In the browser that asked for it; what it kept for that is taken away."""
    client, had = desk.client(), links_of(desk, ALICE)
    page = client.get("/gate/login?back=" + urllib.parse.quote("/gate/?state=held&q=a%26b", safe=""))
    assert client.post(page.form("/gate/login/link"), address=ALICE).status == 200
    link = mailed_link(desk, ALICE, had + 1)
    done = client.post(client.get(link).form("/gate/login/open"))
    assert path_of(done) == "/gate/?state=held&q=a%26b" and is_in(client)
    assert not any("visit-back" in name for name in client.cookies)


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/", "/gate/;x=y", "/gate/" + "x" * 3000])
def test_a_kept_way_back_never_leads_elsewhere(desk, back):
    client, had = desk.client(), links_of(desk, ALICE)
    client.cookies["sekisho-visit-back"] = back.replace(";", "")
    page = client.get("/gate/login")
    fields = [(k, back if k == "back" else v) for k, v in page.form("/gate/login/link").fields if k != "address"]
    sent = client.ask("POST", "/gate/login/link", [*fields, ("address", ALICE)])
    assert sent.status == 200 and "visit-back" not in client.cookies
    assert links_of(desk, ALICE) >= had


def test_asking_for_a_link_tells_nothing_about_who_there_is(desk):
    """W2: the same page, whoever it is; only who is one of us is sent a mail."""
    pages = {who: ask_link(desk.client(), who) for who in (BOB, "nobody@example.co.jp", "eve@elsewhere.example")}
    same = {re.sub(r"\d{4}", "#", page.text.replace(who, "@")) for who, page in pages.items()}
    assert {page.status for page in pages.values()} == {200} and len(same) == 1
    mailed_link(desk, BOB)
    assert not desk.letters("eve@elsewhere.example")


def test_elsewhere_the_number_is_needed(desk):
    """Who has only the link, as a program that reads mail, does not get in: it takes what the asking browser shows."""
    had = links_of(desk, BOB)
    sent = ask_link(desk.client(), BOB)
    number, link = number_of(sent), mailed_link(desk, BOB, had + 1)
    other = desk.client()
    page = other.get(link)
    assert re.search(r'<input id="number"[^>]*required', page.html) and '<label for="number"' in page.html
    form = page.form("/gate/login/open")
    wrong = f"{(int(number) + 1) % 10000:04}"
    for typed in ("", wrong, "12x4", "123456"):
        page = other.post(form, number=typed)
        assert page.status in (403, 422) and alert(page) and not is_in(other), typed
        form = page.form("/gate/login/open")
    wide = "".join(chr(0xff10 + int(digit)) for digit in number)  # as a Japanese keyboard types it
    assert other.post(form, number=wide).status == 303 and is_in(other)


def test_a_link_that_cannot_be_opened_just_now_is_not_called_used(desk):
    """Without the audit log nobody is logged in: the pages say so, and the link is good afterwards."""
    client, had = desk.client(), links_of(desk, ALICE)
    ask_link(client, ALICE)
    link = mailed_link(desk, ALICE, had + 1)
    form = client.get(link).form("/gate/login/open")
    desk.gw.svc("-wD", "-T", "20000", "-d", "seki-audit")
    try:
        desk.later(40)  # audit-lag
        page = client.post(form)
        assert page.status == 503 and "used already" not in page.text, (page.status, page.text[:300])
        page = tries(desk.client(), BOB, PASSWORD)
        assert page.status == 503 and "too many" not in page.text, (page.status, page.text[:300])
    finally:
        desk.gw.svc("-wU", "-T", "20000", "-u", "seki-audit")
    wait_for(lambda: client.post(form).status == 303, PATIENCE, "the link opens")


def test_guessed_numbers_kill_the_link(desk):
    had = links_of(desk, BOB)
    sent = ask_link(desk.client(), BOB)
    number, link = number_of(sent), mailed_link(desk, BOB, had + 1)
    other = desk.client()
    form = other.get(link).form("/gate/login/open")
    for n in range(1, 7):
        assert other.post(form, number=f"{(int(number) + n) % 10000:04}").status in (403, 410)
    assert other.post(form, number=number).status == 410 and not is_in(other)


# ---- out ---------------------------------------------------------------------------------------


def test_logging_out_ends_the_session_for_good(desk):
    client = logged_in(desk, ALICE)
    kept = dict(client.cookies)
    out = client.post(client.get("/gate/me").form("/gate/logout"))
    assert urllib.parse.urlsplit(path_of(out)).path == "/gate/login" and "sekisho" not in client.cookies
    assert 'role="status"' in client.follow(out).html
    client.cookies = kept
    assert not is_in(client), "the token is unknown from then on"


def test_logging_out_everywhere(desk):
    one, other, bob = logged_in(desk, ALICE), logged_in(desk, ALICE), logged_in(desk, BOB)
    page = one.get("/gate/me")
    assert page.html.count("<tr>") >= 3, "both are listed"
    assert page.text.count("this browser") == 1
    one.post(page.form("/gate/logout", everywhere="yes"), ("everywhere", "yes"))
    assert not is_in(other) and not is_in(one) and is_in(bob)


def test_sessions_survive_a_restart(desk):
    client = logged_in(desk, ALICE)
    desk.gw.svc("-wR", "-T", "30000", "-r", "seki-login")
    assert is_in(client)


# ---- acts of other pages -----------------------------------------------------------------------


ACTS = [("/gate/login", {"address": ALICE, "password": PASSWORD}), ("/gate/login/link", {"address": ALICE}),
        ("/gate/login/open", {"token": "x" * 43}), ("/gate/logout", {}), ("/gate/logout", {"everywhere": "yes"}),
        ("/gate/me/pin", {"pin": PIN, "again": PIN}), ("/gate/language", {"lang": "ja", "back": "/gate/me"}),
        ("/gate/absences", {"until": "2099-01-01T09:00"}), ("/gate/absences", {"clear": "yes"}),
        ("/gate/review", {"leg": "0" * 32 + ".1", "verdict": "fine"}), ("/gate/rules", {"remove": "1", "digest": "0" * 64})]


@pytest.mark.parametrize("path, fields", ACTS, ids=lambda x: x if isinstance(x, str) else "-".join(x) or "-")
def test_forms_of_others_do_nothing(desk, path, fields):
    """W4: no token, somebody else's token, or a browser that says that the request comes from another site."""
    client, other = logged_in(desk, ALICE), logged_in(desk, ALICE)
    token, foreign = token_of(client.get("/gate/me")), token_of(other.get("/gate/me"))
    assert token != foreign
    before = desk.kept()
    for form, headers in [(None, {}), ("", {}), (foreign, {}), (token[:-1] + ("A" if token[-1] != "A" else "B"), {}),
                          (token, {"Sec_Fetch_Site": "cross-site"}), (token, {"Sec_Fetch_Site": "same-site"}),
                          (token, {"Origin": "https://evil.example"}), (token, {"Origin": "http://127.0.0.1:1"})]:
        page = client.ask("POST", path, [("form", form)] * (form is not None) + list(fields.items()), **headers)
        assert page.status == 403, (form, headers, page.status)
        assert not cookies(page).get("sekisho") and "sekisho-lang" not in cookies(page)
    assert desk.kept() == before and is_in(client) and is_in(other)
    assert not re.search("PIN set|暗証番号 設定済み", client.get("/gate/me").text)


def test_a_form_without_a_visit_does_nothing(desk):
    """Login by a foreign form (login CSRF): without the cookie of a visit no token fits."""
    page = desk.client().get("/gate/login")
    stranger = desk.client()
    assert stranger.post(page.form("/gate/login"), address=ALICE, password=PASSWORD).status == 403
    assert not is_in(stranger)


@pytest.mark.parametrize("path", sorted({path for path, _ in ACTS}))
def test_what_acts_takes_no_get(desk, path):
    client = logged_in(desk, ALICE)
    before = desk.kept()
    fields = {"form": token_of(client.get("/gate/me"))}
    for one, more in ACTS:
        if one == path:
            fields |= more
    page = client.get(path + "?" + urllib.parse.urlencode(fields))
    assert page.status in (200, 303, 405), page.status
    assert desk.kept() == before and is_in(client)


def test_looking_at_pages_changes_nothing(desk):
    client = logged_in(desk, ALICE)
    before = desk.kept()
    for path in PAGES:
        assert client.get(path).status == 200 and client.ask("HEAD", path).status == 200, path
    assert desk.kept() == before and is_in(client)


# ---- me ----------------------------------------------------------------------------------------


def pin_form(client: Client, **values: str) -> Page:
    page = client.get("/gate/me")
    return client.post(page.form("/gate/me/pin"), ("remove", "yes") if values.pop("remove", None) else None, **values)


def test_a_pin_is_set_changed_and_removed(desk):
    client = logged_in(desk, BOB)
    assert "not set" in client.get("/gate/me").text
    done = client.follow(pin_form(client, pin=PIN, again=PIN))
    assert 'role="status"' in done.html and "not set" not in done.text and PIN not in done.html
    wide = "".join(chr(0xff10 + int(digit)) for digit in "1357")
    assert pin_form(client, pin=wide, again="1357").status == 303
    page = client.get("/gate/me")
    done = client.follow(client.post(page.form("/gate/me/pin", remove="yes"), ("remove", "yes")))
    assert "not set" in done.text


@pytest.mark.parametrize("pin, again", [("123", "123"), ("1" * 13, "1" * 13), ("12a4", "12a4"), ("1234", "4321"), ("", "")])
def test_what_is_no_pin_is_refused(desk, pin, again):
    client = logged_in(desk, BOB)
    page = pin_form(client, pin=pin, again=again)
    assert page.status == 422 and alert(page) and "not set" in page.text
    assert not pin or pin not in re.sub(r'name="form" value="[^"]*"', "", page.html)


def test_the_language_can_be_chosen(desk):
    client = desk.client("en")
    page = client.get("/gate/login")
    done = client.post(page.form("/gate/language", lang="ja"), ("lang", "ja"))
    line = cookies(done)["sekisho-lang"]
    assert line.startswith("ja;") and "samesite=lax" in line.lower() and path_of(done).startswith("/gate/login")
    assert '<html lang="ja"' in client.follow(done).html
    client.post(page.form("/gate/language", lang="en"), ("lang", "tlh"))
    assert client.cookies["sekisho-lang"] == "ja", "only languages that there are"


def test_nothing_of_it_stands_in_a_log(desk):
    """Tokens are secrets; they stand in no log, nor does what was typed."""
    client = logged_in(desk, ALICE)
    had = links_of(desk, ALICE)
    sent = ask_link(desk.client(), ALICE)
    link = mailed_link(desk, ALICE, had + 1)
    client.get(link)
    secrets = [client.cookies["sekisho"], link.split("?")[1], PASSWORD, PIN]
    logs = "".join(p.read_text(errors="replace") for p in (desk.gw.root / "log").rglob("*") if p.is_file() and p.parent.name != "seki-audit")
    assert number_of(sent) and not [one for one in secrets if one in logs]


# ---- one without TLS in front, told that there is ------------------------------------------------


@pytest.fixture
def fresh_https() -> Iterator[WebDesk]:
    """web-url is https, as behind a proxy that speaks TLS: cookies are those of https."""
    with web_desk(people=(ALICE,), settings={"auth-delay": "0s"}) as made:
        made.gw.setting(web_url="https://mail.example.co.jp")
        done = made.gw.seki("reload")
        assert done.returncode == 0, done.stderr
        made.gw.svc("-wR", "-T", "30000", "-r", "seki-web")
        yield made
