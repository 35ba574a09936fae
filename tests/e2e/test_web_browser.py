"""People's pages in a real browser: every way from the link in a mail to the mail that is delivered or stopped, in Japanese and
English, on a phone and on a desktop, with and without scripts; and whether everybody can use them (WCAG 2.2)."""
import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from conftest import wait_for
from examples_kit import letter
from held_kit import ALICE, BOB, BOSS, CAROL, DAVE, DEPUTY, HOUR, MINUTE, PATIENCE, at, words
from web_kit import DESKTOP, NARROW, PASSWORD, PHONE, Browser, WebDesk, browser_open, web_desk

PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63606060000000040001f61738550000000049454e44ae426082")
LANGS = {"ja": ALICE, "en": BOB}  # who is told in that language
SIZES = {"phone": PHONE, "desktop": DESKTOP}
ALL = [(lang, size, scripts) for lang in LANGS for size in SIZES for scripts in (True, False)]
ACT = "/gate/m/act"
many = pytest.mark.parametrize("lang,size,scripts", ALL, ids=[f"{l}-{s}-{'scripts' if j else 'plain'}" for l, s, j in ALL])


@pytest.fixture(scope="module")
def desk() -> Iterator[WebDesk]:
    with web_desk(people=(ALICE, BOB, BOSS, CAROL, DAVE, DEPUTY), settings={"urgent-per-week": "20", "login-links": "100"}) as made:
        made.allow("user hold files bcc")
        yield made


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def browsers(downloads: Path) -> Iterator[dict[bool, Browser]]:
    with browser_open(scripts=True, downloads=downloads) as with_scripts, browser_open(scripts=False) as without:
        yield {True: with_scripts, False: without}


@pytest.fixture
def browser(browsers: dict[bool, Browser]) -> Iterator[Browser]:
    """With scripts, Japanese, a desktop; nobody is logged in. What its page did must not have been refused by its own policy."""
    one = browsers[True].forgets().looks("ja", DESKTOP)
    yield one
    assert not [said for said in one.said() if "Content Security Policy" in said or "Uncaught" in said]


def phone(browsers: dict[bool, Browser], lang: str, size: str, scripts: bool) -> Browser:
    return browsers[scripts].forgets().looks(lang, SIZES[size])


def log_in(desk: WebDesk, browser: Browser, address: str, password: str = PASSWORD) -> Browser:
    if "/gate/login" not in browser.url:
        browser.open(desk.at("/gate/login"))
    return browser.press("/gate/login", typed={"address": address, "password": password})


def held(desk: WebDesk, subject: str, sender: str = ALICE, way: str | list[str] = "hour", **more) -> str:
    sent = desk.mail(way, subject=subject, sender=sender, **more)
    first = at(way) if isinstance(way, str) else way[0]
    desk.await_leg(sent, lambda leg: first in leg.to and leg.state in ("hold", "approve"), "it waits")
    return sent


def whole(browser: Browser, lang: str) -> None:
    """The page is one of ours: its language, one heading, a place to skip to, nothing beyond its width, nothing of elsewhere."""
    assert browser.run("return document.documentElement.lang") == lang
    assert browser.run("return document.querySelectorAll('h1').length") == 1
    assert browser.run("return document.querySelectorAll('main').length") == 1
    needed, there = browser.width()
    assert needed <= there, f"{browser.url}: {needed} of {there} pixels"
    assert not [u for u in browser.requested() if re.match(r"(https?|wss?):", u) and not u.startswith(browser.run("return location.origin"))]


# ---- the sender, from the link in his notice -----------------------------------------------------


@many
def test_S0_11_S2_27_send_now_from_the_link(desk: WebDesk, browsers: dict[bool, Browser], lang: str, size: str, scripts: bool) -> None:
    """S0-11, S0-13, S2-27, S2-47: the link in the notice opens the mail, without login or searching; one tap more and it has
    been delivered."""
    subject = f"今すぐ {lang} {size} {scripts}"
    sent = held(desk, subject, LANGS[lang], body="本文 body\n")
    link = desk.notified(LANGS[lang], subject)
    assert re.match(re.escape(desk.base) + r"/gate/m/\?[A-Za-z0-9_-]{60}$", link)
    browser = phone(browsers, lang, size, scripts).open(link)
    browser.shows(subject).shows(at("hour"))
    whole(browser, lang)
    with browser.frame():
        browser.shows("本文 body")
    browser.press(ACT, word="release")
    desk.rests(sent, "sent")
    assert set(desk.got(sent)) == {at("hour")}
    whole(browser, lang)
    assert not browser.offers(ACT, word="release") and not browser.offers(ACT, word="discard")
    assert subject in browser.seen()


@many
def test_S0_11_discard_and_undo(desk: WebDesk, browsers: dict[bool, Browser], lang: str, size: str, scripts: bool) -> None:
    """S0-11, S2-27: two taps from the notice and it is stopped; one more, and it waits again, as nothing is lost."""
    subject = f"破棄 {lang} {size} {scripts}"
    sent = held(desk, subject, LANGS[lang])
    browser = phone(browsers, lang, size, scripts).open(desk.notified(LANGS[lang], subject))
    browser.press(ACT, word="discard")
    desk.rests(sent, "trash")
    whole(browser, lang)
    browser.press(ACT, word="restore")
    desk.rests(sent, "hold")
    whole(browser, lang)
    # The rules look at it anew; without scripts one looks again.
    wait_for(lambda: browser.offers(ACT, word="discard") or (not scripts and browser.open(browser.url) and None), PATIENCE, "it can be discarded")
    browser.press(ACT, word="discard")
    desk.rests(sent, "trash")
    assert not desk.got(sent)


@pytest.mark.parametrize("lang,size,scripts", [("ja", "phone", True), ("en", "desktop", False)])
def test_remove_one_wrong_recipient(desk: WebDesk, browsers: dict[bool, Browser], lang: str, size: str, scripts: bool) -> None:
    """Who was wrong is taken out of the mail; the others get it, and the header no longer names him."""
    subject = f"一人だけ {lang}"
    sent = held(desk, subject, LANGS[lang], [at("hour", "right"), at("hour", "wrong")])
    browser = phone(browsers, lang, size, scripts).open(desk.notified(LANGS[lang], subject))
    browser.goes("/gate/m/confirm", word="remove", rcpt=at("hour", "wrong"))
    browser.press(ACT, word="remove", rcpt=at("hour", "wrong"))
    wait_for(lambda: desk.record(sent, "removed"), PATIENCE, "taken away")
    assert not browser.all("a[href*='word=remove']")
    browser.press(ACT, word="release")
    desk.rests(sent, "sent")
    got = desk.got(sent)
    assert set(got) == {at("hour", "right")} and b"wrong@" not in got[at("hour", "right")].split(b"\r\n\r\n")[0]


@pytest.mark.parametrize("scripts", [True, False])
def test_hold_it_longer(desk: WebDesk, browsers: dict[bool, Browser], scripts: bool) -> None:
    """One hour more, as the page offers; the new time stands there, and the mail leaves then."""
    subject = f"延長 {scripts}"
    sent = held(desk, subject, BOB, "five")
    before = desk.leg(sent, at("five"), "hold").until()
    browser = phone(browsers, "en", "phone", scripts).open(desk.notified(BOB, subject))
    browser.press(ACT, word="extend")
    wait_for(lambda: desk.record(sent, "extended"), PATIENCE, "extended")
    desk.later(6 * MINUTE)
    leg = desk.leg(sent, at("five"), "hold")
    assert desk.states(sent) == {"hold"} and before is not None and leg
    desk.later(26 * HOUR)
    desk.rests(sent, "sent")


@pytest.mark.parametrize("lang,size,scripts", [("ja", "phone", True), ("en", "desktop", False)])
def test_S4_09_S4_18_the_checklist(desk: WebDesk, browsers: dict[bool, Browser], lang: str, size: str, scripts: bool) -> None:
    """S4-09, S4-18: each point of the check is ticked by the person; with one missing nothing is sent."""
    subject = f"確認 {lang}"
    sent = held(desk, subject, LANGS[lang], "check")
    link = desk.notified(LANGS[lang], subject)
    browser = phone(browsers, lang, size, scripts).open(link)
    assert not browser.offers(ACT, word="release")
    boxes = browser.all("input[type=checkbox][name=checked]")
    assert boxes and not any(box.is_selected() for box in boxes)
    # All but the last; without required fields, as another browser could.
    button = browser.button(ACT, word="check")
    for box in boxes[:-1]:
        browser.clicks(box)
    browser.run("arguments[0].form.noValidate = true", button)
    browser.follows(lambda: browser.clicks(button))
    assert desk.states(sent) == {"hold"} and not desk.got(sent)
    browser.open(link)
    browser.press(ACT, ticked=("checked",), word="check")
    desk.rests(sent, "sent")


def test_S3_07_confirmed_on_the_page(desk: WebDesk, browser: Browser) -> None:
    """S3-07: what is never sent until it is confirmed is sent by the page's button, and says before that it waits."""
    sent = held(desk, "要確認", way="confirm")
    desk.later(3 * HOUR)
    browser.open(desk.notified(ALICE, "要確認"))
    browser.press(ACT, word="release")
    desk.rests(sent, "sent")


def test_S0_12_my_mail_and_nobody_elses(desk: WebDesk, browser: Browser) -> None:
    """S0-12: who logs in has his own mail, by state: held, awaiting approval, sent, discarded; and from there to each."""
    mine = held(desk, "私の保留")
    held(desk, "私の承認待ち", way="boss")
    held(desk, "別人の保留", BOB)
    gone, away = held(desk, "私の送信済み"), held(desk, "私の破棄済み")
    assert desk.gw.seki("release", gone).returncode == 0
    desk.rests(gone, "sent")
    desk.does(ALICE, "discard", away)
    log_in(desk, browser, ALICE)
    if "/gate/m/" in browser.url or not browser.url.split("?")[0].endswith("/gate/"):
        browser.open(desk.at("/gate/"))
    browser.shows("私の保留")
    assert "別人の保留" not in browser.text()
    for state, subject, others in (("held", "私の保留", "私の破棄済み"), ("approval", "私の承認待ち", "私の保留"),
                                   ("discarded", "私の破棄済み", "私の送信済み"), ("sent", "私の送信済み", "私の保留")):
        wait_for(lambda: browser.open(desk.at(f"/gate/?state={state}")) and subject in browser.seen(), PATIENCE, f"{subject} in {state}")
        assert others not in browser.text(), state
        whole(browser, "ja")
    browser.open(desk.at("/gate/"))
    assert browser.link("/gate/", state="discarded"), "no filter by state"
    browser.goes("/gate/m/", id=mine).shows("私の保留")
    browser.press(ACT, word="discard")
    desk.rests(mine, "trash")


def test_search_and_paging_over_many(desk: WebDesk, browser: Browser) -> None:
    """120 mails: three pages, each once, newest first; a search over subjects and recipients, in any width and case."""
    ids = [desk.mail([f"person{n}@never.example"], subject=f"月報 第{n:03}号", sender=DAVE) for n in range(120)]
    wait_for(lambda: sum(any(i in p.name for i in ids) for p in desk.gw.spool("hold")) == 120, 60, "all held")
    log_in(desk, browser, DAVE)
    browser.open(desk.at("/gate/"))
    seen = []
    for _ in range(3):
        seen += re.findall(r"月報 第(\d{3})号", browser.seen())
        whole(browser, "ja")
        n = len(seen)
        if n < 120:
            number = int(re.search(r"page=(\d+)", browser.url)[1]) if "page=" in browser.url else 1
            browser.goes("/gate/", page=str(number + 1))
    assert seen == [f"{n:03}" for n in reversed(range(120))]
    for query, found in (("第077号", {"077"}), ("ＰＥＲＳＯＮ１１５@", {"115"}), ("person7@", {"007"}), ("そんな件名はない", set())):
        browser.open(desk.at("/gate/"))
        browser.press("/gate/", typed={"q": query})
        assert set(re.findall(r"月報 第(\d{3})号", browser.seen())) == found, query
        assert browser.run("return document.querySelector('[name=q]').value") == query
        whole(browser, "ja")


# ---- the boss ------------------------------------------------------------------------------------


@many
def test_S4_14_approve_from_the_link(desk: WebDesk, browsers: dict[bool, Browser], lang: str, size: str, scripts: bool) -> None:
    """S4-14: the request's link, one look, one tap: approved, and delivered."""
    subject = f"承認 {lang} {size} {scripts}"
    sent = held(desk, subject, DAVE, "boss", body="本文 body\n")
    browser = phone(browsers, lang, size, scripts).open(desk.notified(BOSS, subject))
    lang_seen = browser.run("return document.documentElement.lang")
    browser.shows(subject).shows(DAVE)
    whole(browser, lang_seen)
    with browser.frame():
        browser.shows("本文 body")
    browser.press(ACT, word="approve")
    desk.rests(sent, "sent")
    assert set(desk.got(sent)) == {at("boss")}
    whole(browser, lang_seen)
    assert not browser.offers(ACT, word="approve")


@pytest.mark.parametrize("word,state", [("approve", "sent"), ("reject", "trash"), ("return", "trash")])
def test_decide_from_the_queue_with_a_comment(desk: WebDesk, browser: Browser, word: str, state: str) -> None:
    """Login, the queue, the mail, a comment and a decision; the sender is told the comment, and in the end the queue has one less."""
    subject = f"部長へ {word}"
    sent = held(desk, subject, ALICE, "boss", files=[("list.csv", b"a,b\r\n")])
    log_in(desk, browser, BOSS)
    browser.goes("/gate/approvals").shows(subject)
    whole(browser, "ja")
    browser.goes("/gate/m/", id=sent).shows(subject).shows("list.csv") if "list.csv" in browser.seen() else browser.goes("/gate/m/", id=sent)
    browser.press(ACT, typed={"reason": f"ひとこと {word}"}, word=word)
    desk.rests(sent, state)
    told = wait_for(lambda: [m for m in desk.letters(ALICE) if subject in m["Subject"] and f"ひとこと {word}" in words(m)], PATIENCE,
                    "the sender is told")
    assert told
    browser.goes("/gate/approvals")
    assert subject not in browser.text()


def test_what_is_risky_stands_on_top_of_the_queue(desk: WebDesk, browser: Browser) -> None:
    """S4-14: an address that looks like another one is above mail that came earlier."""
    held(desk, "普通の承認", DAVE, [at("boss", "known")])
    for _ in range(2):
        desk.later(MINUTE)
    held(desk, "危険な承認", DAVE, [at("boss", f"p{n}") for n in range(15)])
    log_in(desk, browser, BOSS)
    browser.goes("/gate/approvals")
    text = browser.seen()
    assert text.index("危険な承認") < text.index("普通の承認")


def test_urgent_with_a_reason_and_its_review(desk: WebDesk, browser: Browser) -> None:
    """Sent at once with a reason, by the sender; the boss looks at it afterwards, by the link that he was mailed, and by his page."""
    for n, by_link in enumerate((True, False)):
        subject = f"至急 {n}"
        sent = held(desk, subject, ALICE, "boss")
        browser.forgets().open(desk.notified(ALICE, subject))
        browser.press(ACT, typed={"reason": "障害対応のため"}, word="urgent")
        desk.rests(sent, "sent")
        link = desk.notified(BOSS, subject)
        browser.forgets()
        if by_link:
            mail = wait_for(lambda: [m for m in desk.letters(BOSS) if subject in m["Subject"] and "障害対応のため" in words(m)], PATIENCE, "the review")[-1]
            link = desk.tapped(mail)
            browser.open(link)
            if not browser.offers("/gate/review", verdict="fine"):
                browser.goes("/gate/review")
        else:
            log_in(desk, browser, BOSS)
            browser.open(desk.at("/gate/review"))
        browser.shows("障害対応のため")
        whole(browser, browser.run("return document.documentElement.lang"))
        browser.press("/gate/review", typed={"comment": "問題ありません"}, verdict="fine")
        review = [r for r in desk.asks(BOSS, "review")["reviews"] if r["leg"].startswith(sent)]
        assert review and review[0]["verdict"] == "fine" and review[0]["comment"] == "問題ありません", review


def test_absence_and_the_deputy(desk: WebDesk, browser: Browser) -> None:
    """The boss is away: he says so on his page, and his deputy is asked, and approves in his place."""
    log_in(desk, browser, BOSS)
    browser.goes("/gate/absences")
    whole(browser, "ja")
    now = desk.local()
    browser.press("/gate/absences", typed={"from": f"{now - timedelta(minutes=1):%Y-%m-%dT%H:%M}", "until": f"{now + timedelta(days=3):%Y-%m-%dT%H:%M}"})
    assert browser.offers("/gate/absences", clear="yes")
    assert len(desk.asks(BOSS, "absent")["absences"]) == 1
    sent = held(desk, "代理の承認", ALICE, "boss")
    desk.notified(DEPUTY, "代理の承認")
    browser.forgets().looks("ja", PHONE)
    log_in(desk, browser, DEPUTY)
    browser.open(desk.at("/gate/approvals")).shows("代理の承認").shows(BOSS)
    browser.goes("/gate/m/", id=sent)
    browser.press(ACT, word="approve")
    desk.rests(sent, "sent")
    browser.forgets()
    log_in(desk, browser, BOSS)
    browser.open(desk.at("/gate/absences")).press("/gate/absences", clear="yes")
    assert not desk.asks(BOSS, "absent")["absences"]


# ---- logging in ----------------------------------------------------------------------------------


@pytest.mark.parametrize("lang,size,scripts", [("ja", "phone", True), ("en", "desktop", False)])
def test_log_in_by_password_and_back(desk: WebDesk, browsers: dict[bool, Browser], lang: str, size: str, scripts: bool) -> None:
    """A wrong password is told without telling which was wrong; the right one leads to the page that was wanted."""
    browser = phone(browsers, lang, size, scripts).open(desk.at("/gate/absences"))
    whole(browser, lang)
    browser.press("/gate/login", typed={"address": ALICE, "password": "wrong"})
    whole(browser, lang)
    assert "/gate/login" in browser.url and browser.run("return document.querySelector('[name=password]').value") == ""
    assert browser.run("return document.querySelector('[name=address]').value") == ALICE
    browser.press("/gate/login", typed={"password": PASSWORD})
    assert browser.url == desk.at("/gate/absences") and browser.offers("/gate/absences")
    assert not browser.all("input[name=password]")


def mailed(desk: WebDesk, address: str, n: int) -> str:
    """The link of the mail behind the first n of them."""
    mail = wait_for(lambda: [m for m in desk.letters(address) if "/gate/login?" in words(m)][n:], PATIENCE, "the mailed link")[-1]
    return re.search(r"https?://\S+/gate/login\?\S+", words(mail))[0]


def count(desk: WebDesk, address: str) -> int:
    return len([m for m in desk.letters(address) if "/gate/login?" in words(m)])


@pytest.mark.parametrize("lang,size,scripts", [("en", "phone", True), ("ja", "desktop", False)])
def test_log_in_by_a_mailed_link_in_the_same_browser(desk: WebDesk, browsers: dict[bool, Browser], lang: str, size: str, scripts: bool) -> None:
    """For those whose mail has no password any more: an address, a mail, one tap."""
    address = LANGS[lang]
    n = count(desk, address)
    browser = phone(browsers, lang, size, scripts).open(desk.at("/gate/login"))
    browser.press("/gate/login/link", typed={"address": address})
    whole(browser, lang)
    browser.open(mailed(desk, address, n))
    whole(browser, lang)
    assert not browser.all("input[name=number]"), "the browser that asked needs no number"
    browser.press("/gate/login/open")
    browser.open(desk.at("/gate/me")).shows(address)


def test_log_in_by_a_mailed_link_in_another_browser(desk: WebDesk, browsers: dict[bool, Browser]) -> None:
    """Asked for on the desktop, opened on the phone: the number that the desktop shows is needed there."""
    n = count(desk, ALICE)
    asking = browsers[True].forgets().looks("ja", DESKTOP).open(desk.at("/gate/login"))
    asking.press("/gate/login/link", typed={"address": ALICE})
    number = re.search(r"(?<!\d)\d{4}(?!\d)", asking.one(".number").text)[0]
    opening = browsers[False].forgets().looks("ja", PHONE).open(mailed(desk, ALICE, n))
    wrong = f"{(int(number) + 1) % 10000:04}"
    opening.press("/gate/login/open", typed={"number": wrong})
    whole(opening, "ja")
    opening.press("/gate/login/open", typed={"number": "".join(chr(0xfee0 + ord(c)) for c in number)})  # as a Japanese keyboard types it
    opening.open(desk.at("/gate/me")).shows(ALICE)


def test_log_out_everywhere(desk: WebDesk, browsers: dict[bool, Browser]) -> None:
    """From the phone, of which the desktop learns at its next page."""
    desktop, phone_ = browsers[True].forgets().looks("en", DESKTOP), browsers[False].forgets().looks("en", PHONE)
    for one in (desktop, phone_):
        log_in(desk, one, BOB)
    desktop.open(desk.at("/gate/me")).shows(BOB)
    phone_.open(desk.at("/gate/me")).press("/gate/logout", everywhere="yes")
    for one in (phone_, desktop):
        one.open(desk.at("/gate/me"))
        assert "/gate/login" in one.url and one.all("input[name=password]")
        whole(one, "en")
    log_in(desk, desktop, BOB)
    desktop.open(desk.at("/gate/me"))
    button = next(b for b in desktop.all("form[action='/gate/logout'] button") if not b.get_attribute("name"))
    desktop.follows(lambda: desktop.clicks(button))
    assert "/gate/login" in desktop.open(desk.at("/gate/")).url


@pytest.fixture
def link_asks(desk: WebDesk) -> Iterator:
    def ask(what: str) -> None:
        desk.gw.setting(link_asks=what)
        done = desk.gw.seki("reload")
        assert done.returncode == 0, done.stderr
    yield ask
    ask("nothing")


@pytest.mark.parametrize("lang,size,scripts", [("ja", "phone", True), ("en", "desktop", False)])
def test_W1_the_link_asks_for_the_pin(desk: WebDesk, browsers: dict[bool, Browser], link_asks, lang: str, size: str, scripts: bool) -> None:
    """W1: the person sets a PIN on his page; from then on the link sends and stops nothing without it."""
    link_asks("pin")
    address, subject = LANGS[lang], f"暗証番号 {lang}"
    browser = phone(browsers, lang, size, scripts)
    log_in(desk, browser, address)
    browser.open(desk.at("/gate/me")).press("/gate/me/pin", typed={"pin": "31415", "again": "31415"})
    whole(browser, lang)
    sent = held(desk, subject, address)
    browser.forgets().looks(lang, SIZES[size]).open(desk.notified(address, subject))
    if not browser.all("input[name=pin]"):
        browser.press(ACT, word="discard") if browser.offers(ACT, word="discard") else browser.goes("/gate/m/confirm", word="discard")
    assert desk.states(sent) == {"hold"}
    whole(browser, lang)
    browser.press(ACT, typed={"pin": "27182"}, word="discard")
    assert desk.states(sent) == {"hold"}
    whole(browser, lang)
    browser.press(ACT, typed={"pin": "31415"}, word="discard")
    desk.rests(sent, "trash")


def test_W1_the_link_asks_for_a_login(desk: WebDesk, browser: Browser, link_asks) -> None:
    """W1: the link shows the mail; who wants to act logs in, and comes back to it."""
    link_asks("login")
    sent = held(desk, "ログインが必要")
    browser.looks("ja", PHONE).open(desk.notified(ALICE, "ログインが必要")).shows("ログインが必要")
    for word in ("release", "discard"):
        if browser.offers(ACT, word=word):
            browser.press(ACT, word=word)
            break
    else:
        browser.goes("/gate/login")
    assert desk.states(sent) == {"hold"}
    if "/gate/login" not in browser.url:
        browser.goes("/gate/login")
    log_in(desk, browser, ALICE)
    browser.shows("ログインが必要").press(ACT, word="discard")
    desk.rests(sent, "trash")


# ---- my rules ------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang,size,scripts", [("ja", "phone", True), ("en", "desktop", False)])
def test_S0_03_S0_07_S1_24c_my_rules(desk: WebDesk, browsers: dict[bool, Browser], lang: str, size: str, scripts: bool) -> None:
    """S0-03, S0-07, S1-24c: a form writes a rule, shows it first, and the next mail obeys it; with the organisation's rule the
    longer hold wins. Removed, it is over."""
    address = LANGS[lang]
    browser = phone(browsers, lang, size, scripts)
    log_in(desk, browser, address)
    browser.open(desk.at("/gate/rules"))
    whole(browser, lang)
    browser.goes("/gate/rules/new")
    whole(browser, lang)
    choice = browser.run("return [...document.querySelector('[name=what]').options].map(o => o.value).find(v => /^hold do-time (1h|60m|2h|120m|30m)$/.test(v))")
    assert choice, browser.run("return [...document.querySelector('[name=what]').options].map(o => o.value)")
    seconds = {"m": 60, "h": 3600}[choice[-1]] * int(re.search(r"(\d+)[mh]$", choice)[1])
    browser.press("/gate/rules/new", typed={"when-to": "@five.example", "what": choice})
    whole(browser, lang)
    browser.shows("@five.example")
    assert not (desk.gw.root / f"etc/policy/user/{address}").exists(), "it is only shown"
    browser.press("/gate/rules", **{"when-to": "@five.example"})
    whole(browser, lang)
    assert "five.example" in (desk.gw.root / f"etc/policy/user/{address}").read_text()

    def waits(subject: str) -> float:
        sent = held(desk, subject, address, "five")
        leg = desk.leg(sent, at("five"), "hold")
        assert desk.gw.seki("discard", sent).returncode == 0
        return (leg.until() - leg.accepted()).total_seconds()
    assert waits(f"規則 {lang}") == pytest.approx(seconds, abs=0.01)
    browser.open(desk.at("/gate/rules"))
    browser.press("/gate/rules", remove="1")
    whole(browser, lang)
    assert waits(f"規則なし {lang}") == pytest.approx(5 * MINUTE, abs=0.01)


def test_my_rules_tell_what_is_wrong(desk: WebDesk, browser: Browser) -> None:
    """What cannot be a rule is told at its field, and nothing is written; what was typed is still there."""
    log_in(desk, browser, CAROL)
    browser.open(desk.at("/gate/rules/new"))
    browser.press("/gate/rules/new", typed={"when-recipients": "many", "what": browser.run("return document.querySelector('[name=what] option[value^=hold]').value")})
    assert browser.run("return document.querySelector('[name=when-recipients]').getAttribute('aria-invalid')") == "true"
    assert browser.run("return document.querySelector('[name=when-recipients]').value") == "many"
    assert not browser.offers("/gate/rules")
    assert not (desk.gw.root / f"etc/policy/user/{CAROL}").exists()


# ---- what is in it -------------------------------------------------------------------------------


FILES = {"見積書 2026.csv": "品名,価格\r\n机,1000\r\n".encode(), "invoice.pdf": b"MZ\x90\x00\x03" + bytes(range(256)) * 20,
         "report.txt.exe": b"MZ" + b"\0" * 400, "写真.png": PNG}


@pytest.mark.parametrize("lang,size,scripts", [("ja", "desktop", True), ("en", "phone", True)])
def test_S0_13_attachments_with_warnings_byte_for_byte(desk: WebDesk, browsers: dict[bool, Browser], downloads: Path, lang: str, size: str,
                                                       scripts: bool) -> None:
    """S0-13: each with its name, size and what is odd about it; downloaded it is what was attached, and never opened as a page."""
    for old in downloads.iterdir():
        old.unlink()
    subject = f"添付 {lang}"
    held(desk, subject, LANGS[lang], files=list(FILES.items()))
    browser = phone(browsers, lang, size, scripts).open(desk.notified(LANGS[lang], subject))
    with browser.frame():
        for name in FILES:
            browser.shows(name)
        rows = browser.run("return [...document.links].filter(a => a.pathname === '/gate/m/file').length")
        assert rows == len(FILES)
        warned = browser.run("""return Object.fromEntries([...document.links].filter(a => a.pathname === '/gate/m/file').map(
            a => { let e = a; while (e.parentElement && [...e.parentElement.querySelectorAll('a')].filter(
                       b => b.pathname === '/gate/m/file').length === 1) e = e.parentElement;
                   return [a.textContent.trim() + ' ' + e.textContent, e.querySelectorAll('.bad, .warn, .badge').length]; }))""")
        for name, odd in (("invoice.pdf", True), ("report.txt.exe", True), ("写真.png", False)):
            found = [n for text, n in warned.items() if name in text]
            assert found and (max(found) > 0) == odd, (name, warned)
        for name, content in FILES.items():
            link = browser.run("""return [...document.links].find(a => { let e = a;
                while (e.parentElement && [...e.parentElement.querySelectorAll('a')].filter(b => b.pathname === '/gate/m/file').length === 1) e = e.parentElement;
                return a.pathname === '/gate/m/file' && e.textContent.includes(arguments[0]); })""", name)
            browser.clicks(link)
            path = wait_for(lambda: next((p for p in downloads.iterdir() if p.name.replace("_", " ") == name.replace("_", " ")), None), PATIENCE,
                            f"{name}: {[p.name for p in downloads.iterdir()]}")
            wait_for(lambda: path.read_bytes() == content, PATIENCE, f"{name} byte for byte")


class Counter(BaseHTTPRequestHandler):
    asked: list[str] = []

    def do_GET(self) -> None:  # noqa: N802
        self.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.end_headers()
        self.wfile.write(PNG)

    do_HEAD = do_POST = do_OPTIONS = do_GET

    def log_message(self, *_) -> None:
        pass


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[tuple[str, list[str]]]:
    """A server on the internet, and what it was asked for."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Counter)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", Counter.asked
    server.shutdown()
    thread.join()
    server.server_close()


def html_mail(subject: str, base: str) -> EmailMessage:
    made = letter(subject=subject, sender=ALICE, to=[at("hour")], body="text part\n")
    made.add_alternative(f"""<html><head><link rel=stylesheet href="{base}/css"><style>@import url({base}/import); body {{background: url({base}/bg)}}
        @font-face {{font-family: x; src: url({base}/font)}} p {{font-family: x; color: #c00}}</style><meta http-equiv=refresh content="0;url={base}/meta">
        <base href="{base}/"><script src="{base}/js"></script></head><body background="{base}/body" onload="fetch('{base}/onload')">
        <h2>HTML の本文</h2><p style="background:url({base}/inline)">a <b>bold</b> word</p><img src="{base}/img"><img src="cid:picture@x" alt="inside">
        <img srcset="{base}/srcset 2x"><picture><source srcset="{base}/source"><img src=x></picture><video poster="{base}/poster" src="{base}/video"></video>
        <iframe src="{base}/frame"></iframe><object data="{base}/object"></object><embed src="{base}/embed"><svg><image href="{base}/svg"/></svg>
        <form action="{base}/form"><input name=password><button>OK</button></form><a href="{base}/click" ping="{base}/ping">a link</a>
        <table background="{base}/table"><tr><td>cell</td></tr></table><script>document.body.innerHTML = 'taken over'; fetch('{base}/script')</script>
        </body></html>""", subtype="html")
    made.get_payload()[1].add_related(PNG, maintype="image", subtype="png", cid="<picture@x>")
    return made


def test_S0_13_html_mail_is_shown_and_asks_nobody(desk: WebDesk, browser: Browser, elsewhere: tuple[str, list[str]]) -> None:
    """S0-13: the mail as its reader will see it, in a frame of a frame: no script, no form, and not one request to elsewhere."""
    base, asked = elsewhere
    sent = desk.send(html_mail("HTML メール", base))
    desk.leg(sent, at("hour"), "hold")
    link = desk.notified(ALICE, "HTML メール")
    browser.requested()
    browser.open(link)
    with browser.frame():
        browser.shows("text part") if "text part" in browser.text() else None
        for summary in browser.all("summary"):
            browser.clicks(summary)
        if not browser.all("iframe"):
            browser.goes("/gate/m/html")
            nested = None
        else:
            nested = browser.one("iframe")
            assert nested.get_attribute("sandbox") in ("", "allow-popups allow-popups-to-escape-sandbox"), nested.get_attribute("outerHTML")
            browser.run("arguments[0].scrollIntoView()", nested)
            browser.driver.switch_to.frame(nested)
        browser.shows("HTML の本文")
        assert "taken over" not in browser.text() and browser.all("b")
        for tag in ("script", "form", "input", "iframe", "object", "embed", "link", "meta[http-equiv=refresh]", "base", "video"):
            assert not browser.all(tag), tag
        assert browser.run("return [...document.images].filter(i => i.src.startsWith('data:') && i.naturalWidth > 0).length") == 1
        browser.driver.switch_to.default_content()
    assert not asked, asked
    urls = [u for u in browser.requested() if u.startswith("http") and not u.startswith(desk.base)]
    assert not urls, urls
    # By itself, as if somebody opened the frame's address: its policy keeps it as quiet.
    html = browser.run("return location.href") and next(u for u in crawl_frames(desk, link) if "/gate/m/html" in u)
    browser.open(html)
    browser.shows("HTML の本文")
    assert not asked, asked
    browser.said()


def crawl_frames(desk: WebDesk, link: str) -> list[str]:
    client = desk.client()
    found = []
    for url in client.get(link).urls:
        if "/gate/m/contents" in url:
            found += [desk.at(u) if u.startswith("/") else u for u in client.get(url).urls]
    return found


# ---- for everybody -------------------------------------------------------------------------------


def test_keyboard_alone_sends_it(desk: WebDesk, browser: Browser) -> None:
    """WCAG 2.1.1, 2.4.3, 2.4.7: tab by tab to the button, each stop to be seen; Enter sends. The first stop skips to the content."""
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys
    sent = held(desk, "キーボードだけ")
    browser.open(desk.notified(ALICE, "キーボードだけ"))
    wanted = browser.button(ACT, word="release")
    keys = lambda *k: ActionChains(browser.driver).send_keys(*k).perform()  # noqa: E731
    keys(Keys.TAB)
    assert browser.run("return document.activeElement.getAttribute('href')") == "#main"
    for _ in range(60):
        if browser.run("return document.activeElement === arguments[0]", wanted):
            break
        style = browser.run("""const e = document.activeElement, s = getComputedStyle(e), r = e.getBoundingClientRect();
            return e === document.body ? null : [s.outlineStyle, s.outlineWidth, s.boxShadow, r.width, r.height, e.outerHTML.slice(0, 120)]""")
        assert style is None or style[0] != "none" and style[1] != "0px" or style[2] != "none" or "iframe" in style[5], f"no focus is to be seen: {style}"
        keys(Keys.TAB)
    else:
        pytest.fail("60 tabs, and the button was not among them")
    browser.follows(lambda: keys(Keys.ENTER))
    desk.rests(sent, "sent")


def luminance(colour: str) -> float:
    r, g, b = (int(x) / 255 for x in re.findall(r"\d+", colour)[:3])
    part = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in (r, g, b)]
    return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2]


def test_dark_mode(desk: WebDesk, browser: Browser) -> None:
    """As the system wants it: light on dark, the frame of the contents too."""
    held(desk, "暗い画面")
    link = desk.notified(ALICE, "暗い画面")
    seen = {}
    for dark in (False, True):
        browser.looks("ja", PHONE, dark=dark).open(link)
        colours = browser.run("const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]")
        with browser.frame():
            browser.one("body")
            inner = browser.run("const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]")
        seen[dark] = [luminance(c) for c in colours] + [luminance(inner[1])]
    assert seen[False][0] > 0.8 and seen[False][1] < 0.1 and seen[False][2] < 0.1, seen
    assert seen[True][0] < 0.1 and seen[True][1] > 0.6 and seen[True][2] > 0.6, seen
    browser.looks()


@pytest.fixture(scope="module")
def places(desk: WebDesk) -> dict[str, tuple[str | None, str]]:
    """Every page that there is: its name, who is logged in, and its address."""
    base = letter(subject="すべて入り <b>題</b>", sender=ALICE, to=[at("hour", "a.very.long.local.part.of.an.address.of.somebody"), at("hour", "q")],
                  body="とても長い行" * 60 + "\n" + "x" * 300 + "\n", files=list(FILES.items()))
    base.get_payload()[0].add_alternative("<p>HTML</p><table><tr><td>" + "w" * 200 + "</td></tr></table>", subtype="html")
    rich = desk.send(base)
    desk.await_leg(rich, lambda leg: leg.state == "hold", "it waits")
    held(desk, "見本 確認", way="check")
    boss = held(desk, "見本 承認", way="boss")
    gone, away = held(desk, "見本 送信済み"), held(desk, "見本 破棄")
    urgent = held(desk, "見本 至急", way="boss")
    desk.does(ALICE, "urgent", urgent, reason="急ぎ")
    desk.gw.seki("release", gone), desk.does(ALICE, "discard", away)
    desk.rests(gone, "sent")
    link = desk.notified(ALICE, "すべて入り")
    client = desk.client()
    frames = {re.search(r"/gate/m/(\w+)", u)[1]: u for u in [desk.at(u) for u in client.get(link).urls if "/gate/m/contents" in u] + crawl_frames(desk, link)
              if re.search(r"/gate/m/(contents|html)\b", u)}
    found = {"login": (None, "/gate/login"), "link": (None, link), "check": (None, desk.notified(ALICE, "見本 確認")),
             "request": (None, desk.notified(BOSS, "見本 承認")), "contents": (None, frames["contents"]), "forged": (None, "/gate/m/?" + "A" * 60),
             "nothing": (None, "/gate/nothing"), "login-open": (None, "/gate/login?" + "A" * 43),
             "list": (ALICE, "/gate/"), "empty": (ALICE, "/gate/?q=nothing-like-that"), "mail": (ALICE, f"/gate/m/?id={rich}"),
             "gone": (ALICE, f"/gate/m/?id={gone}"), "away": (ALICE, f"/gate/m/?id={away}"),
             **{state: (ALICE, f"/gate/?state={state}") for state in ("held", "approval", "sent", "discarded", "refused", "staggered")},
             "confirm": (ALICE, f"/gate/m/confirm?id={rich}&word=discard"), "rules": (ALICE, "/gate/rules"), "rules-new": (ALICE, "/gate/rules/new"),
             "rules-look": (ALICE, "/gate/rules/new?when-to=%40alpha.example&what=hold+do-time+2h"), "me": (ALICE, "/gate/me"),
             "approvals": (BOSS, "/gate/approvals"), "absences": (BOSS, "/gate/absences"), "review": (BOSS, "/gate/review"),
             "decide": (BOSS, f"/gate/m/?id={boss}")}
    return {name: (who, url if url.startswith("http") else desk.at(url)) for name, (who, url) in found.items()}


def visits(desk: WebDesk, browser: Browser, places: dict[str, tuple[str | None, str]]) -> Iterator[str]:
    """Each of them, by whom it is for."""
    browser.forgets()
    now = None
    for name, (who, url) in places.items():
        if who != now:
            browser.forgets()
            log_in(desk, browser, who)
            browser.press("/gate/language", lang=browser.lang)  # his line in etc/people has another
            now = who
        browser.open(url)
        yield name


@pytest.mark.parametrize("lang,size", [("ja", PHONE), ("en", DESKTOP)], ids=["ja", "en"])
def test_axe_finds_nothing_serious(desk: WebDesk, browser: Browser, places: dict[str, tuple[str | None, str]], lang: str,
                                   size: tuple[int, int]) -> None:
    """WCAG 2.2 AA: names, labels, landmarks, order, targets, and contrast in both colour schemes, on every page."""
    browser.looks(lang, size)
    found, titles = {}, {}
    for name in visits(desk, browser, places):
        browser.run("document.querySelectorAll('details').forEach(d => d.open = true)")
        faults = browser.axe()
        faults += browser.darkens().axe("color-contrast")
        browser.darkens(False)
        if faults:
            found[name] = faults
        titles[name] = browser.driver.title
        assert browser.run("return document.documentElement.lang") == lang, name
    browser.looks()
    assert not found, "\n".join(f"{name}: {fault}" for name, faults in found.items() for fault in faults)
    assert all(titles.values()), titles


def test_axe_finds_what_is_wrong(browser: Browser) -> None:
    """It does look: a page with grey on grey, a field without a name and a picture without words."""
    browser.open("data:text/html,<html lang=en><title>x</title><main><h1>x</h1><p style='color:%23999;background:%23aaa'>grey</p><input><img src=x>")
    assert {fault.split()[1].rstrip(":") for fault in browser.axe()} == {"color-contrast", "label", "image-alt"}
    browser.said()


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_no_page_is_wider_than_320_pixels(desk: WebDesk, browser: Browser, places: dict[str, tuple[str | None, str]], lang: str) -> None:
    """WCAG 1.4.10, 2.5.8: nothing to scroll sideways, whatever an address or a subject is; and nothing too small for a finger."""
    browser.looks(lang, NARROW)
    wide, small = {}, {}
    for name in visits(desk, browser, places):
        browser.run("document.querySelectorAll('details').forEach(d => d.open = true)")
        needed, there = browser.width()
        if needed > there:
            wide[name] = (needed, browser.run("""const w = document.documentElement.clientWidth; return [...document.querySelectorAll('body *')].filter(
                e => e.getBoundingClientRect().right > w + 1).slice(0, 4).map(e => e.outerHTML.slice(0, 160))"""))
        tiny = browser.run("""return [...document.querySelectorAll('button, select, input:not([type=hidden]):not([type=checkbox]):not([type=radio]), a.button')].filter(
            e => { const r = e.getBoundingClientRect(); return r.width && (r.height < 24 || r.width < 24); }).map(e => e.outerHTML.slice(0, 120))""")
        main = browser.run("""return [...document.querySelectorAll('button.primary, button[value=discard], button[value=release]')].filter(
            e => { const r = e.getBoundingClientRect(); return r.width && r.height < 43.5; }).map(e => e.outerHTML.slice(0, 120))""")
        if tiny or main:
            small[name] = tiny + main
    browser.looks()
    assert not wide and not small, (wide, small)


def test_both_languages_are_complete(desk: WebDesk, places: dict[str, tuple[str | None, str]]) -> None:
    """No Japanese words on an English page and no English ones on a Japanese one, but for what the mails themselves say."""
    clients = {(who, lang): desk.logged_in(who, lang) if who else desk.client(lang) for who in (None, ALICE, BOSS) for lang in ("ja", "en")}
    for (_, lang), client in clients.items():
        client.cookies["sekisho-lang"] = lang
    wrong = {}
    for name, (who, url) in places.items():
        page = clients[who, "en"].get(url)
        text = re.sub(r"\s+", " ", page.text)
        for mail in ("すべて入り <b>題</b>", "見本 確認", "見本 承認", "見本 送信済み", "見本 破棄", "見本 至急", "急ぎ", "障害対応のため", "問題ありません", "日本語", *FILES, "とても長い行"):
            text = text.replace(mail, "")
        text = re.sub(r"\S*(規則|承認|破棄|保留|今すぐ|添付|至急|部長|確認|延長|私の|代理|暗証|ログイン|要確認|キーボード|暗い|一人|普通|危険|HTML メール)\S*( \S+){0,3}", "", text) if name in (
            "list", "held", "approval", "sent", "discarded", "approvals", "review", "refused") else text
        if found := re.findall(r"[ぁ-んァ-ヶ一-龠]{2,}", text):
            wrong[name, "en"] = found[:5]
        page = clients[who, "ja"].get(url)
        if not re.search(r"[ぁ-ん]{2,}", page.text):
            wrong[name, "ja"] = page.text[:100]
        english = re.findall(r"\b(?:Send|Discard|Approve|Reject|Recipients?|Attachments?|Subject|Waiting|Held|Logged?|My|Rules?|From|Until|Remove|Language|Opening)\b[a-z ]*",
                             re.sub(r"[\w.+-]+@[\w.-]+|https?://\S+", "", page.text))
        if english:
            wrong[name, "ja"] = english[:5]
    assert not wrong, wrong


def test_the_language_is_chosen_and_kept(desk: WebDesk, browser: Browser) -> None:
    """By the browser's wish at first, then by the button at the foot of each page; it leads back to the same page."""
    browser.looks("en", PHONE).open(desk.at("/gate/login"))
    assert browser.run("return document.documentElement.lang") == "en"
    browser.press("/gate/language", lang="ja")
    assert browser.url.startswith(desk.at("/gate/login")) and browser.run("return document.documentElement.lang") == "ja"
    browser.open(desk.at("/gate/nothing"))
    assert browser.run("return document.documentElement.lang") == "ja"
    browser.looks()


def test_a_page_that_is_open_tells_what_became_of_it(desk: WebDesk, browser: Browser) -> None:
    """With scripts: the mail leaves meanwhile, and the open page says so without being asked."""
    sent = held(desk, "開いたまま")
    browser.open(desk.notified(ALICE, "開いたまま"))
    assert browser.offers(ACT, word="discard")
    assert desk.gw.seki("release", sent).returncode == 0
    desk.rests(sent, "sent")
    browser.run("window.dispatchEvent(new Event('focus')); document.dispatchEvent(new Event('visibilitychange'))")
    wait_for(lambda: not browser.offers(ACT, word="discard"), 45, f"the page knows: {browser.seen()[:500]}")
