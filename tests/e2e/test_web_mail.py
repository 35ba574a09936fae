"""The pages "my mail" and "one mail" at the level of HTTP: each act by the link of a notice and by a session, what the pages
tell, that looking changes nothing, that nothing of a mail gets into a page but as text, and what a page weighs."""
import re
import urllib.parse
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from conftest import REPO, replace, wait_for
from examples_kit import letter
from held_kit import ALICE, BOB, BOSS, CAROL, DAVE, MINUTE, PATIENCE, at
from web_kit import Client, Form, Page, WebDesk, web_desk

ACT = "/gate/m/act"
STATIC = REPO / "etc/web/static"
HOSTILE = """"><script>alert(1)</script>'&amp;{{name}}"""
PIN = "31415"


@pytest.fixture(scope="module")
def desk() -> Iterator[WebDesk]:
    with web_desk(people=(ALICE, BOB, BOSS, CAROL, DAVE), settings={"urgent-per-week": "50", "web-name": "Office & Co"}) as made:
        partners = made.gw.root / "etc/partners"
        replace(partners, partners.read_text() + f"{at('hour').split('@')[1]} | Hours & Sons\n")
        assert made.gw.seki("reload").returncode == 0
        yield made


def waiting(desk: WebDesk, subject: str, way: str | list[str] = "hour", sender: str = BOB, **more) -> str:
    """Mail that waits, of somebody whose pages are English."""
    sent = desk.mail(way, subject=subject, sender=sender, **more)
    first = at(way) if isinstance(way, str) else way[0]
    desk.await_leg(sent, lambda leg: first in leg.to and leg.state in ("hold", "approve"), "it waits")
    return sent


class Reader:
    """Somebody who looks at one mail: by the link that he was mailed, or logged in."""

    def __init__(self, desk: WebDesk, how: str, who: str, sent: str, subject: str) -> None:
        self.client = desk.client() if how == "link" else desk.logged_in(who)
        self.client.cookies["sekisho-lang"] = "en"
        self.url = desk.notified(who, subject) if how == "link" else f"/gate/m/?id={sent}"
        self.by = "t" if how == "link" else "id"

    def look(self) -> Page:
        page = self.client.get(self.url)
        assert page.status == 200, (page.status, page.text[:300])
        return page

    def press(self, page: Page, word: str, **typed: str) -> Page:
        """The button with that word: it answers with another place (303), whose reloading repeats nothing."""
        form = page.form(ACT, word=word)
        assert form.method == "post" and [k for k, _ in form.fields if k in ("t", "id")] == [self.by]
        answer = self.client.post(form, ("word", word), **typed)
        assert answer.status == 303 and not answer.body, (answer.status, answer.text[:500])
        self.url = answer.headers["Location"]
        return self.look()


by_both = pytest.mark.parametrize("how", ["link", "session"])


def status_of(page: Page) -> str:
    """What the page says was done just now."""
    found = re.search(r'role="status">([^<]*)<', page.html)
    return found[1] if found else ""


# ---- acts ----------------------------------------------------------------------------------------


@by_both
def test_S0_11_S2_27_send_now(desk: WebDesk, how: str) -> None:
    """S0-11, S2-27: one button, and it has left; the page behind it says so, with its subject, and has no button any more."""
    sent = waiting(desk, f"now {how}")
    me = Reader(desk, how, BOB, sent, f"now {how}")
    page = me.press(me.look(), "release")
    assert status_of(page) == "It is on its way now." and f"now {how}" in page.text
    desk.rests(sent, "sent")
    again = me.look()
    assert not again.has(ACT) and "Sent" in again.text and "Sent on by" in again.text
    assert set(desk.got(sent)) == {at("hour")}


@by_both
def test_S0_11_discard_and_bring_back(desk: WebDesk, how: str) -> None:
    """S0-11: discarded at once; undone by one more button; by a link, too, which is another one from then on."""
    sent = waiting(desk, f"throw {how}")
    me = Reader(desk, how, BOB, sent, f"throw {how}")
    first = me.url
    page = me.press(me.look(), "discard")
    assert status_of(page) == "It was discarded. It will not be sent." and "Discarded by you." in page.text
    assert not page.has(ACT, word="release") and not page.has(ACT, word="discard")
    desk.rests(sent, "trash")
    page = me.press(page, "restore")
    desk.rests(sent, "hold")
    assert status_of(page).startswith("It was brought back") and page.has(ACT, word="discard")
    if how == "link":
        assert me.client.get(first).status == 410


@by_both
def test_one_recipient_is_taken_out(desk: WebDesk, how: str) -> None:
    """Each has a button; the last one has none, as that would be to discard the mail."""
    sent = waiting(desk, f"out {how}", [at("hour", "right"), at("hour", "wrong+x")])
    me = Reader(desk, how, BOB, sent, f"out {how}")
    page = me.look()
    asks = me.client.get(next(url for url in page.urls if "word=remove" in url and "wrong%2Bx" in url))
    assert "This cannot be undone" in asks.text
    desk.rests(sent, "hold")
    form = asks.form(ACT, word="remove", rcpt=at("hour", "wrong+x"))
    me.url = me.client.post(form).headers["Location"]
    page = me.look()
    assert status_of(page) == "The recipient was taken out and gets nothing." and "Removed" in page.text
    assert desk.record(sent, "removed")["address"] == at("hour", "wrong+x") and not any("word=remove" in url for url in page.urls)
    assert f"{at('hour', 'wrong+x')} was taken out by you." in page.text


@by_both
def test_held_for_longer(desk: WebDesk, how: str) -> None:
    """Ten minutes or an hour more; the button says until when, so that pressed twice it is that time."""
    sent = waiting(desk, f"longer {how}", "five")
    before = desk.leg(sent, at("five"), "hold").until()
    me = Reader(desk, how, BOB, sent, f"longer {how}")
    form = me.look().form(ACT, word="extend")
    times = [value for name, value in form.buttons if name == "until"]
    assert len(times) >= 2 and times == sorted(set(times)), times
    answer = me.client.post(form, ("until", times[0]))
    assert answer.status == 303
    again = me.client.post(form, ("until", times[0]))
    assert again.status == 409 and "It is held at least as long already." in again.text
    assert desk.record(sent, "extended")["until"] == times[0]
    assert (datetime.fromisoformat(times[0]) - before).total_seconds() == 10 * MINUTE


@by_both
def test_S4_09_the_check(desk: WebDesk, how: str) -> None:
    """S4-09: a box for each point, none of them ticked; without all of them nothing leaves, whatever the browser thinks."""
    sent = waiting(desk, f"check {how}", ["p@check.example", "q@check.example"])
    me = Reader(desk, how, BOB, sent, f"check {how}")
    page = me.look()
    points = re.findall(r'type="checkbox" name="checked" value="([^"]+)" required', page.html)
    assert points and not page.has(ACT, word="release")
    form = page.form(ACT, word="check")
    for some in ([], points[:-1], ["", ","], ["x" * 900]):
        answer = me.client.ask("POST", form.action, form.body() + [("checked", one) for one in some])
        assert answer.status == 409 and "Please confirm each point of the check." in answer.text
    assert desk.states(sent) == {"hold"}
    answer = me.client.ask("POST", form.action, form.body() + [("checked", one) for one in points])
    assert answer.status == 303
    desk.rests(sent, "sent")
    assert set(desk.record(sent, "held")["checked"].split(",")) == set(points)


@by_both
@pytest.mark.parametrize("word,said,state", [("approve", "You have approved it.", "sent"), ("reject", "You have rejected it.", "trash"),
                                             ("return", "You have returned it.", "trash")])
def test_S4_14_the_boss_decides(desk: WebDesk, how: str, word: str, said: str, state: str) -> None:
    """S4-14: who asks, a comment, and three buttons; whoever reads the mail's page later reads who decided, and why."""
    subject = f"decide {how} {word}"
    sent = waiting(desk, subject, "boss", ALICE)
    me = Reader(desk, how, BOSS, sent, subject)
    page = me.look()
    assert page.html.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert f"{ALICE} asks you to approve this mail." in page.text and not page.has(ACT, word="release")
    page = me.press(page, word, reason=f"because {HOSTILE}")
    assert status_of(page).startswith(said) and not page.has(ACT, word=word) and "<script>alert" not in page.html
    desk.rests(sent, state)
    assert f"because {HOSTILE}" in desk.record(sent, "vote")["comment"]
    assert f"because {HOSTILE}" in desk.logged_in(ALICE).get(f"/gate/m/?id={sent}").text


@by_both
def test_urgent_needs_a_reason(desk: WebDesk, how: str) -> None:
    """The sender may let it go without the approval, with a reason; without one he is asked, and nothing happens."""
    sent = waiting(desk, f"urgent {how}", "boss")
    me = Reader(desk, how, BOB, sent, f"urgent {how}")
    page = me.look()
    form = page.form(ACT, word="urgent")
    answer = me.client.post(form, None, reason="")
    assert answer.status == 409 and "Please write a reason." in answer.text and desk.states(sent) == {"approve"}
    page = me.press(page, "urgent", reason="the house is on fire")
    desk.rests(sent, "sent")
    boss = desk.logged_in(BOSS).get(f"/gate/m/?id={sent}")
    assert "the house is on fire" in boss.text and any(u.startswith("/gate/review?id=") for u in boss.urls)


# ---- what does not act ---------------------------------------------------------------------------


def lying(desk: WebDesk) -> dict[str, bytes]:
    """What lies where in the spool, but for who was told of it and what the cleaner does: notices of other tests' mail may still
    be on their way, and what was sent is emptied a moment later."""
    beside = (b" noticed what=", b" emptied from=")
    return {name: b"\n".join(line for line in content.split(b"\n") if not any(word in line for word in beside))
            for name, content in desk.kept().items() if name.startswith("spool/")}


def test_W1_looking_changes_nothing(desk: WebDesk) -> None:
    """W1: GET, HEAD and OPTIONS of everything that the pages link to, as scanners do, by link and logged in."""
    sent = waiting(desk, "look at me", [at("hour"), at("boss")], files=[("a.csv", b"1,2\r\n")], body="text\n")
    desk.leg(sent, at("boss"), "approve")
    desk.noticed(sent, "hold")
    desk.noticed(sent, "request")
    reader, walker = Reader(desk, "link", BOB, sent, "look at me"), desk.logged_in(BOB)
    before = lying(desk)
    seen: set[str] = set()
    for client, start in ((desk.client(), reader.url), (walker, "/gate/"), (walker, f"/gate/m/?id={sent}"),
                          (walker, f"/gate/m/confirm?id={sent}&word=discard")):
        todo = [start]
        while todo and len(seen) < 250:
            url = urllib.parse.urljoin("/gate/m/", todo.pop())
            if url in seen or "/gate/login" in url or "static" in url or not urllib.parse.urlsplit(url).path.startswith("/gate/"):
                continue
            seen.add(url)
            for method in ("GET", "HEAD", "OPTIONS"):
                page = client.ask(method, url)
                assert page.status < 500, (method, url, page.status)
                todo += page.urls
    assert any("/gate/m/file" in url for url in seen) and any("/gate/m/act" in url for url in seen)
    assert lying(desk) == before


def test_W4_who_comes_second_hears_who_was_first(desk: WebDesk) -> None:
    """W4: two windows; the second one's act is not done, and its page says what was decided, by whom and when."""
    sent = waiting(desk, "two windows", "any", ALICE)
    first, second = (Reader(desk, "link", who, sent, "two windows") for who in (BOB, DAVE))
    open_page = second.look()
    first.press(first.look(), "approve")
    form = open_page.form(ACT, word="reject")
    late = second.client.post(form, ("word", "reject"), reason="too risky")
    assert late.status == 409 and 'role="alert"' in late.html, (late.status, late.text)
    assert re.search(rf"Approved by {re.escape(BOB)}\. \(\w{{3}} \d+ \w{{3}} \d\d:\d\d\)", late.text), late.text
    desk.rests(sent, "sent")
    assert not desk.record(sent, "rejected")


@pytest.mark.parametrize("fields", [[], [("word", "list")], [("word", "release"), ("word", "discard")], [("word", "remove")],
                                    [("word", "extend"), ("until", "tomorrow")], [("word", "release"), ("leg", "../../etc")],
                                    [("word", "remove"), ("rcpt", "nobody@nowhere.example")], [("word", "check"), ("checked", "x," * 4000)]])
def test_what_is_no_act_does_nothing(desk: WebDesk, fields: list[tuple[str, str]]) -> None:
    subject = f"no act {abs(hash(str(fields)))}"
    sent = waiting(desk, subject)
    me = Reader(desk, "session", BOB, sent, subject)
    token = dict(me.look().form(ACT, word="release").fields)["form"]
    answer = me.client.ask("POST", ACT, [("form", token), ("id", sent), *fields[-1:]] if len(fields) == 2 and fields[0][0] == fields[1][0]
                           else [("form", token), ("id", sent), *fields])
    if ("word", "discard") in fields:
        assert answer.status == 303  # that alone is one
        return
    assert answer.status in (400, 403, 404, 409, 410), (answer.status, answer.text[:300])
    assert desk.states(sent) == {"hold"} and not desk.record(sent, "removed")


def test_a_word_in_the_address_is_not_believed(desk: WebDesk) -> None:
    """Anybody can write said=, about= and seal= behind an address: a mail that waits is not told to have been sent, or to be another."""
    sent = waiting(desk, "still here", "boss", BOB)
    client = desk.logged_in(BOB)
    for word in ("discard", "approve", "reject", "<b>x</b>"):
        page = client.get(f"/gate/m/?id={sent}&said={urllib.parse.quote(word)}&about=Other&seal=AAAA")
        assert page.status == 200 and (not status_of(page) or word == "approve") and "Other" not in page.text, (word, page.text[:400])
    desk.does(BOB, "discard", sent)


def test_a_word_in_the_address_makes_nobody_wait(desk: WebDesk) -> None:
    """Only behind an act of one's own a mail that has gone is looked for once more."""
    client = desk.logged_in(BOB)
    page = client.get(f"/gate/m/?id={'0' * 32}&said=discard")
    assert page.seconds < 1, page.seconds


def test_copies_are_shown_before_anything_is_done_to_them(desk: WebDesk) -> None:
    """What was not shown is left alone: a form of the page as it was before another copy came does not act on that."""
    mail = letter(subject="copied", sender=BOB, to=[at("hour", "one"), at("hour", "two")]).as_bytes()
    sent = desk.send(mail, to=at("hour", "one"))
    desk.await_leg(sent, lambda leg: leg.state == "hold", "it waits")
    me = Reader(desk, "session", BOB, sent, "copied")
    page = me.look()
    copy = desk.send(mail, to=at("hour", "two"))
    desk.await_leg(copy, lambda leg: leg.state == "hold", "the copy waits")
    wait_for(lambda: at("hour", "two") in me.look().text, PATIENCE, "both are on the page")
    answer = me.client.post(page.form(ACT, word="discard"), ("word", "discard"))
    assert answer.status == 303 and "copies=yes" in answer.headers["Location"]
    desk.rests(sent, "trash")
    assert desk.states(copy) == {"hold"}
    seen = me.client.get(answer.headers["Location"])
    assert "There are copies of this mail that you have not seen yet." in seen.text
    assert me.client.post(seen.form(ACT, word="discard"), ("word", "discard")).status == 303
    desk.rests(copy, "trash")


# ---- what the site asks for beside a link --------------------------------------------------------


@pytest.fixture
def link_asks(desk: WebDesk) -> Iterator:
    def ask(what: str) -> None:
        desk.gw.setting(link_asks=what)
        done = desk.gw.seki("reload")
        assert done.returncode == 0, done.stderr
    yield ask
    ask("nothing")


def test_W1_by_a_link_with_a_pin(desk: WebDesk, link_asks) -> None:
    """W1: the page has no form that acts; the one behind each button has, with a field for the PIN. A wrong one does nothing."""
    link_asks("pin")
    client = desk.logged_in(BOB)
    form = next(f for f in client.get("/gate/me").forms if f.action == "/gate/me/pin")
    client.post(form, None, pin=PIN, again=PIN)
    sent = waiting(desk, "with a pin", [at("hour"), at("hour", "q")])
    me = Reader(desk, "link", BOB, sent, "with a pin")
    page = me.look()
    assert not page.has(ACT)
    words = {dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(u).query)).get("word") for u in page.urls if "/gate/m/confirm" in u}
    assert words == {"release", "discard", "extend", "remove"}
    asked = me.client.get(next(u for u in page.urls if "word=discard" in u))
    form = asked.form(ACT, word="discard")
    assert 'name="pin"' in asked.html and asked.status == 200
    for typed, title in (({}, "Please type your PIN"), ({"pin": "27182"}, "The PIN is not right")):
        answer = me.client.post(form, None, **typed)
        assert answer.status == 403 and title in answer.text and answer.has(ACT, word="discard"), (answer.status, answer.text)
    assert desk.states(sent) == {"hold"}
    # Logged in, nobody asks for it.
    assert desk.logged_in(BOB).get(f"/gate/m/?id={sent}").has(ACT, word="discard")
    answer = me.client.post(form, None, pin="12a4")
    assert answer.status == 403 and "4 to 12 digits" in answer.text
    wide = "".join(chr(0xff10 + int(digit)) for digit in PIN)  # as a Japanese keyboard types it
    answer = me.client.post(form, None, pin=wide)
    assert answer.status == 303
    desk.rests(sent, "trash")


def test_W1_by_a_link_with_a_login(desk: WebDesk, link_asks) -> None:
    """W1: by the link one can look, and the page leads to the login and back to the mail; a form of before acts no more."""
    sent = waiting(desk, "with a login")
    me = Reader(desk, "link", BOB, sent, "with a login")
    form = me.look().form(ACT, word="discard")
    link_asks("login")
    page = me.look()
    assert not page.has(ACT) and not any("/gate/m/confirm" in u for u in page.urls)
    way = next(u for u in page.urls if u.startswith("/gate/login?back="))
    assert urllib.parse.parse_qs(urllib.parse.urlsplit(way).query)["back"] == [f"/gate/m/?id={sent}"]
    answer = me.client.post(form, ("word", "discard"))
    assert answer.status == 303 and answer.headers["Location"].startswith("/gate/login") and desk.states(sent) == {"hold"}
    assert me.client.login(BOB, back=f"/gate/m/?id={sent}").has(ACT, word="discard")


# ---- what a page tells ---------------------------------------------------------------------------


def test_S0_13_what_a_mails_page_tells(desk: WebDesk) -> None:
    """S0-13: the subject, from whom, each recipient with class, company and whether he is new, what happens when, and why."""
    sent = waiting(desk, "An offer", [at("hour", "some.body"), at("hour")], body="Please find the offer enclosed.\n")
    page = Reader(desk, "session", BOB, sent, "An offer").look()
    assert f"<title>An offer – Office &amp; Co</title>" in page.html and page.html.count("<h1") == 1
    for words in (BOB, at("hour"), at("hour", "some.body"), "Outside", "Hours & Sons", "First mail to this address", "If nobody stops it, it is sent at", "Put on hold: 60 minutes",
                  "Rule “hour”", "must/", f"Handed in by {BOB}."):
        assert words in page.text, (words, page.text)
    assert re.search(r'data-until="\d{4}-\d\d-\d\dT[\d:.]+Z"', page.html)


def test_parts_that_go_different_ways(desk: WebDesk) -> None:
    """One mail, two fates: each part says what becomes of it, and has buttons of its own, which do nothing to the other."""
    sent = waiting(desk, "two ways", [at("hour"), at("confirm")])
    desk.leg(sent, at("hour"), "hold")
    me = Reader(desk, "session", BOB, sent, "two ways")
    page = me.look()
    assert "This mail goes different ways to different recipients." in page.text
    legs = {leg.to[0]: leg for leg in desk.legs(sent)}
    alone = [f for f in page.forms if f.action == ACT and f.sends(word="discard") and "leg" in dict(f.fields)]
    assert len(alone) == 2, page.html
    name = next(n for n in (dict(f.fields)["leg"] for f in alone) if n in legs[at("hour")].name)
    form = next(f for f in alone if dict(f.fields)["leg"] == name)
    assert me.client.post(form, ("word", "discard")).status == 303
    wait_for(lambda: {leg.to[0]: leg.state for leg in desk.legs(sent)} == {at("hour"): "trash", at("confirm"): "hold"}, PATIENCE, "one of two")


def test_why_something_cannot_be_done(desk: WebDesk) -> None:
    """No button for what is not possible, and a sentence that says why."""
    sent = waiting(desk, "for an administrator", "operator")
    page = Reader(desk, "session", BOB, sent, "for an administrator").look()
    assert "An administrator has to look at it first." in page.text and not page.has(ACT, word="release") and page.has(ACT, word="discard")
    sent = waiting(desk, "for two", "two", ALICE)
    me = Reader(desk, "link", BOB, sent, "for two")
    page = me.press(me.look(), "approve")
    assert "You have decided about this mail already." in page.text and not page.has(ACT, word="approve")


# ---- contents ------------------------------------------------------------------------------------


def test_S0_13_text_and_files(desk: WebDesk) -> None:
    """S0-13, W5, W6: text as text; files with what is odd about them, to download and never to be opened as a page."""
    name = "見積 '\"<b>;.pdf"
    content = b"MZ" + bytes(range(256)) * 8
    sent = waiting(desk, f"files {HOSTILE}", files=[(name, content), ("list.csv", b"a,b\r\n")], body=f"Hello {HOSTILE}\n")
    client = desk.logged_in(BOB)
    page = client.get(f"/gate/m/?id={sent}")
    assert f"files {HOSTILE}" in page.text and "<script>alert" not in page.html
    frame = re.search(r'<iframe[^>]*src="([^"]+)"[^>]*>', page.html)
    assert 'sandbox="allow-same-origin allow-downloads"' in frame[0]
    url = frame[1].replace("&amp;", "&")
    inner = client.get(url)
    assert inner.status == 200 and f"Hello {HOSTILE}" in inner.text and "<script" not in inner.html
    assert inner.headers["X-Frame-Options"] == "SAMEORIGIN" and "frame-ancestors 'self'" in inner.headers["Content-Security-Policy"]
    assert "another kind of file than its name says" in inner.text
    ways = [u for u in inner.urls if "/gate/m/file" in u]
    assert len(ways) == 2
    file = client.get(ways[0])
    assert file.body == content and file.headers["Content-Type"] == "application/octet-stream"
    assert file.headers["Content-Disposition"].startswith("attachment; filename=\"") and file.headers["X-Content-Type-Options"] == "nosniff"
    assert "\r" not in file.headers["Content-Disposition"] and "filename*=UTF-8''%E8%A6%8B%E7%A9%8D" in file.headers["Content-Disposition"]
    for part in ("9", "../1", "2.1.1", "%00", "x" * 300):
        assert client.get(f"/gate/m/file?id={sent}&part={part}").status in (400, 404), part
    assert client.get(f"/gate/m/html?id={sent}").status == 404  # it has none


# ---- my mail -------------------------------------------------------------------------------------


def rows(page: Page) -> list[str]:
    return re.findall(r'<span class="subject">([^<]*)</span>', page.html)


def test_S0_12_my_mail_by_state(desk: WebDesk) -> None:
    """S0-12: one's own mail alone, by state; each empty list has kind words."""
    client = desk.logged_in(CAROL)
    for state in ("", "held", "approval", "staggered", "sent", "refused", "discarded"):
        page = client.get(f"/gate/?state={state}")
        assert page.status == 200 and 'class="card empty"' in page.html and f'value="{state}"' in page.html or not state, page.html
        assert re.search(r'href="/gate/(\?state=%s)?" aria-current="true"' % state if state else r'href="/gate/" aria-current="true"', page.html)
    # Nobody keeps account of such mail: the page does not say that there is none.
    page = client.get("/gate/?state=staggered")
    assert "will be shown here" in page.text and "Nothing is" not in page.text and "Not all mail" not in page.text
    sent = waiting(desk, "carol's", sender=CAROL)
    waiting(desk, "carol's to be approved", "boss", CAROL)
    assert rows(client.get("/gate/")) == ["carol&#39;s to be approved", "carol&#39;s"]
    assert rows(client.get("/gate/?state=held")) == ["carol&#39;s"]
    assert rows(client.get("/gate/?state=held&q=APPROVED")) == []
    desk.does(CAROL, "discard", sent)
    wait_for(lambda: rows(client.get("/gate/?state=discarded")) == ["carol&#39;s"], PATIENCE, "discarded")


@pytest.mark.parametrize("query", ["state=no-such", "page=0", "page=-1", "page=99999999999999999999", "page=x", "q=" + "x" * 3000, "q=%FF%FE",
                                   "q=" + urllib.parse.quote(HOSTILE), "state=" + urllib.parse.quote(HOSTILE), "page=7"])
def test_odd_lists(desk: WebDesk, query: str) -> None:
    page = desk.logged_in(DAVE).get(f"/gate/?{query}")
    assert page.status in (200, 400) and "<script>alert" not in page.html


def test_who_is_not_logged_in_has_no_list(desk: WebDesk) -> None:
    page = desk.client().get("/gate/?state=sent")
    assert page.status == 303 and page.headers["Location"] == "/gate/login?back=%2Fgate%2F%3Fstate%3Dsent"


# ---- the look ------------------------------------------------------------------------------------


def test_the_first_page_weighs_little(desk: WebDesk) -> None:
    """Made for people: the first page with all that it loads is at most 50 kB, without counting on gzip."""
    sent = waiting(desk, "light", [at("hour", f"person{n}") for n in range(10)], files=[("a.csv", b"1\r\n")])
    client = desk.client()
    page = client.get(desk.notified(BOB, "light"))
    loads = {u for u in page.urls if u.startswith("/gate/static/")}
    assert loads == {"/gate/static/style.css", "/gate/static/pages.js", "/gate/static/logo.svg", "/gate/static/favicon.svg"}
    weights = {u: len(client.get(u).body) for u in loads}
    frame = client.get(next(u for u in page.urls if "/gate/m/contents" in u))
    assert len(page.body) + len(frame.body) + sum(weights.values()) <= 50_000, (len(page.body), weights)
    assert weights["/gate/static/style.css"] < 16_384
    assert all(not u.startswith(("http:", "https:", "//")) for u in page.urls), page.urls
    assert sent


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(c * 2 for c in digits) if len(digits) == 3 else digits
    parts = [int(digits[i:i + 2], 16) / 255 for i in (0, 2, 4)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
def test_contrast(mode: int) -> None:
    """WCAG 1.4.3 and 1.4.11: texts 4.5 to 1 on each ground on which they stand, edges of fields 3 to 1."""
    style = (STATIC / "style.css").read_text()
    colours = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", block)) for block in re.findall(r":root \{([^}]*)\}", style)]
    c = {**colours[0], **colours[1]} if mode else colours[0]
    texts = [("ink", g) for g in ("bg", "card", "sunk", "accent-soft", "warn-soft", "good-soft", "danger-soft")]
    texts += [("soft", g) for g in ("bg", "card", "sunk")] + [("accent", g) for g in ("bg", "card", "sunk", "accent-soft")]
    texts += [(t, t + "-soft") for t in ("accent", "danger", "good", "warn")]
    texts += [("danger", "card"), ("on-accent", "accent"), ("on-danger", "danger")]
    low = {pair: round(contrast(c[pair[0]], c[pair[1]]), 2) for pair in texts if contrast(c[pair[0]], c[pair[1]]) < 4.5}
    low |= {("edge", g): round(contrast(c["edge"], c[g]), 2) for g in ("bg", "card") if contrast(c["edge"], c[g]) < 3}
    assert not low, low


def test_no_page_has_code_or_style_of_its_own() -> None:
    """What the policy of the pages forbids stands in none of them."""
    for page in sorted(Path(REPO / "etc/web/pages").glob("*.html")):
        text = page.read_text()
        assert not re.search(r"<style|\son\w+=|\sstyle=|javascript:|<script(?! src=\"/gate/static/)", text), page.name


def test_forms_say_what_they_send() -> None:
    """The reader of forms that these tests use sees a button without a name, too."""
    form = Form("/gate/m/act", "post", [("word", "check")])
    assert form.sends(word="check") and not form.sends(word="release") and isinstance(Client("http://127.0.0.1"), Client)
