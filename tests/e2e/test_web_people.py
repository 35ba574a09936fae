"""The pages approvals, absences, reviews and my rules, over HTTP: S4-14 and trap C14 (an approver looks before he decides),
deputies and absences, urgent mail, and S0-03, S0-07, S0-16, S0-21, S1-24c, S2-28: rules that people write themselves."""
import re
import urllib.parse
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from conftest import replace, wait_for
from examples_kit import letter
from held_kit import ALICE, BOB, BOSS, CHIEF, DEPUTY, HOUR, PATIENCE, at
from web_kit import Client, Form, Page, WebDesk, web_desk

PEOPLE = (ALICE, BOB, BOSS, CHIEF, DEPUTY)


@pytest.fixture(scope="module")
def desk() -> Iterator[WebDesk]:
    with web_desk(people=PEOPLE, settings={"urgent-per-week": "50", "session-idle": "30d", "session-longest": "60d"}) as made:
        yield made


def logged_in(desk: WebDesk, who: str, lang: str = "en") -> Client:
    """In this language, whatever etc/people says of his notices."""
    client = desk.logged_in(who, lang)
    client.cookies["sekisho-lang"] = lang
    return client


def queue(page: Page) -> list[str]:
    """The subjects of what waits for him, from the top."""
    return [re.sub(r"<[^>]*>", "", one).strip() for one in re.findall(r'<h2 id="mail-[0-9a-f]{32}">(.*?)</h2>', page.html, re.S)]


def box(page: Page, subject: str) -> str:
    """The part of the queue about one mail, as words."""
    (found,) = [part for part in re.findall(r'<article.*?</article>', page.html, re.S) if subject in part]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", found))


def waits(client: Client, subject: str) -> Page:
    return wait_for(lambda: page if subject in queue(page := client.get("/gate/approvals")) else None, PATIENCE,
                    f"{subject} in the queue: {queue(client.get('/gate/approvals'))}")


def location(page: Page) -> str:
    assert page.status == 303, (page.status, page.text[:400])
    return page.headers["Location"]


def alert(page: Page) -> str:
    found = re.findall(r'role="alert"[^>]*>(.*?)</(?:p|div)>', page.html, re.S)
    assert len(found) == 1, (page.status, page.text[:600])
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", found[0])).strip()


# ---- approvals ---------------------------------------------------------------------------------


@pytest.mark.parametrize("lang, title, empty", [
    ("ja", "承認", "あなたの判断を待っているメールはありません。"), ("en", "Approvals", "Nothing waits for your decision.")])
def test_an_empty_queue_says_so(desk, lang, title, empty):
    page = logged_in(desk, CHIEF, lang).get("/gate/approvals")
    assert page.status == 200 and f"<h1>{title}</h1>" in page.html and empty in page.text and queue(page) == []


def test_S4_14_the_queue_shows_what_is_risky_on_top(desk):
    """Mail to somebody known stands below mail to a dozen strangers, whichever came first."""
    known = desk.send(letter(subject="the first one", sender=ALICE, to=[at("boss", "friend")]))
    desk.leg(known, at("boss", "friend"), "approve")
    desk.does(BOSS, "approve", known)
    desk.rests(known, "sent")
    calm = desk.send(letter(subject="calm one", sender=ALICE, to=[at("boss", "friend")]))
    desk.leg(calm, at("boss", "friend"), "approve")
    many = [at("boss", f"p{n}") for n in range(12)]
    risky = desk.send(letter(subject="risky one", sender=ALICE, to=many, files=[("list.csv", b"a,b\r\n")]))
    desk.leg(risky, many[0], "approve")
    later = desk.send(letter(subject="later one", sender=ALICE, to=[at("boss", "friend")]))
    desk.leg(later, at("boss", "friend"), "approve")
    boss = logged_in(desk, BOSS)
    page = waits(boss, "later one")
    mine = [s for s in queue(page) if s.endswith("one")]
    assert mine[0] == "risky one" and set(mine) == {"risky one", "calm one", "later one"}, [box(page, s) for s in queue(page)]
    told = box(page, "risky one")
    assert "12 recipients" in told and "Many recipients" in told and ALICE in told and "1 attachment" in told
    assert "Waiting since" in told
    assert "Many recipients" not in box(page, "later one")
    for sent in (calm, risky, later):
        desk.does(BOSS, "reject", sent, reason="only a test")


def test_C14_nothing_is_decided_in_the_queue(desk):
    """Trap C14: who approves opens the mail; the queue has links and no button that decides."""
    sent = desk.mail("boss", subject="look first")
    boss = logged_in(desk, BOSS)
    page = waits(boss, "look first")
    assert {urllib.parse.urlsplit(form.action).path for form in page.forms if form.method == "post"} <= {
        "/gate/language", "/gate/logout"}
    assert f"/gate/m/?id={sent}" in page.urls
    assert boss.get(f"/gate/m/?id={sent}").status == 200
    assert desk.states(sent) == {"approve"}
    desk.does(BOSS, "approve", sent)
    assert "look first" not in boss.get("/gate/approvals").text


def test_the_queue_in_japanese(desk):
    sent = desk.send(letter(subject="見積書の件", sender=ALICE, to=[at("boss", "x"), at("boss", "y")]))
    told = box(waits(logged_in(desk, BOSS, "ja"), "見積書の件"), "見積書の件")
    assert "2名" in told and "差出人" in told and "受付日時" in told and "内容を確認して判断する" in told
    desk.does(BOSS, "reject", sent, reason="x")


@pytest.mark.parametrize("number", ["x", "0", "-1", "99999999999999999999"])
def test_odd_numbers_of_pages_are_the_first(desk, number):
    assert logged_in(desk, BOSS).get(f"/gate/approvals?page={number}").status == 200


def test_others_do_not_see_the_queue(desk):
    sent = desk.mail("boss", subject="not yours")
    waits(logged_in(desk, BOSS), "not yours")
    assert "not yours" not in logged_in(desk, BOB).get("/gate/approvals").text
    assert "not yours" not in logged_in(desk, ALICE).get("/gate/approvals").text, "its sender decides nothing"
    desk.does(BOSS, "reject", sent, reason="x")


# ---- absences ----------------------------------------------------------------------------------


def enter(client: Client, start: str, end: str) -> Page:
    page = client.get("/gate/absences")
    (form,) = [f for f in page.forms if urllib.parse.urlsplit(f.action).path == "/gate/absences" and "until" in dict(f.fields)]
    return client.post(form, **{"from": start, "until": end})


def local(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M")


def test_an_absence_and_its_deputy(desk):
    """Who is absent is asked nothing; his deputy's queue has the mail, and says in whose place."""
    boss, deputy = logged_in(desk, BOSS), logged_in(desk, DEPUTY)
    page = boss.get("/gate/absences")
    assert page.status == 200 and DEPUTY in page.text and "You have not entered any." in page.text
    for name in ("from", "until"):
        assert f'<label for="{name}"' in page.html and re.search(rf'<input id="{name}" [^>]*type="datetime-local"', page.html)
    now = desk.local()
    assert "said=set" in location(enter(boss, local(now - timedelta(minutes=5)), local(now + timedelta(hours=5))))
    page = boss.get("/gate/absences?said=set")
    assert 'role="status"' in page.html and "You have not entered any." not in page.text
    answer = desk.asks(BOSS, "absent")
    until = datetime.fromisoformat(answer["absences"][0]["until"][:19])
    assert until == (now + timedelta(hours=5) - timedelta(hours=9)).replace(second=0, microsecond=0), "times are the site's"
    sent = desk.mail("boss", subject="in his place")
    assert f"on behalf of {BOSS}" in box(waits(deputy, "in his place"), "in his place")
    desk.does(DEPUTY, "reject", sent, reason="x")
    page = boss.get("/gate/absences")
    assert "said=clear" in location(boss.post(page.form("/gate/absences", clear="yes"), ("clear", "yes")))
    assert desk.asks(BOSS, "absent")["absences"] == []


@pytest.mark.parametrize("start, end", [
    ("2030-01-02T09:00", "2030-01-01T09:00"), ("2020-01-01T09:00", "2020-01-02T09:00"), ("", ""), ("x", "y"),
    ("2030-02-30T09:00", "2030-03-30T09:00"), ("2030-01-01T09:00", "2030-13-01T09:00")])
def test_what_is_no_absence_is_refused(desk, start, end):
    boss = logged_in(desk, BOSS)
    page = enter(boss, start, end)
    assert page.status == 422 and alert(page) and 'aria-invalid="true"' in page.html
    assert not end or f'value="{end}"' in page.html, "what was typed is still there"
    assert desk.asks(BOSS, "absent")["absences"] == []


def test_absences_in_japanese(desk):
    page = logged_in(desk, BOSS, "ja").get("/gate/absences")
    assert "<h1>不在設定</h1>" in page.html and "代理の方" in page.text and "開始" in page.text


# ---- reviews -----------------------------------------------------------------------------------


def urgent(desk: WebDesk, subject: str, reason: str) -> str:
    sent = desk.mail("boss", subject=subject)
    desk.leg(sent, at("boss"), "approve")
    desk.does(ALICE, "urgent", sent, reason=reason)
    return sent


def review_form(page: Page, sent: str) -> Form:
    (found,) = [f for f in page.forms if dict(f.fields).get("leg", "").startswith(sent)]
    return found


@pytest.mark.parametrize("lang, verdict, said, comment", [
    ("en", "fine", "fine", "well done"), ("ja", "wrong", "問題あり", "次は<b>電話</b>してください")])
def test_what_was_sent_as_urgent_is_reviewed(desk, lang, verdict, said, comment):
    sent = urgent(desk, f"urgent {lang}", "障害 <対応>")
    boss = logged_in(desk, BOSS, lang)
    assert "/gate/review" in boss.get("/gate/approvals").urls
    page = boss.get("/gate/review")
    assert f"urgent {lang}" in page.text, "which mail it is"
    assert "障害 <対応>" in page.text and "<対応>" not in page.html and ALICE in page.text
    assert re.search(r'<label for="comment-[^"]+"', page.html)
    form = review_form(page, sent)
    before = desk.kept()
    nothing = boss.post(form, None, comment="x")
    assert nothing.status == 422 and alert(nothing) and desk.kept() == before, "a verdict is needed"
    assert "said=done" in location(boss.post(form, ("verdict", verdict), comment=comment))
    page = boss.get("/gate/review")
    assert said in page.text and comment in page.text and "<b>" not in page.html
    again = boss.post(form, ("verdict", "fine"))
    assert again.status == 409 and alert(again)


def test_who_is_not_asked_reviews_nothing(desk):
    sent = urgent(desk, "urgent foreign", "x")
    boss, bob = logged_in(desk, BOSS), logged_in(desk, BOB)
    form = review_form(boss.get("/gate/review"), sent)
    page = bob.get("/gate/review")
    assert "urgent foreign" not in page.text and "Nothing to review." in page.text
    token = dict(page.form("/gate/language", lang="ja").fields)["form"]
    stolen = bob.ask("POST", "/gate/review", [*(pair for pair in form.fields if pair[0] != "form"), ("form", token), ("verdict", "fine")])
    assert stolen.status == 403
    assert review_form(boss.get("/gate/review"), sent), "it is still open"


@pytest.fixture
def asking_pins(desk) -> Iterator[WebDesk]:
    """Who comes by a link has to know his PIN."""
    desk.gw.setting(link_asks="pin")
    assert desk.gw.seki("reload").returncode == 0
    yield desk
    desk.gw.setting(link_asks="nothing")
    assert desk.gw.seki("reload").returncode == 0


def test_a_review_by_a_link_asks_for_the_pin(asking_pins):
    desk, pin = asking_pins, "2468"
    boss = logged_in(desk, BOSS)
    page = boss.get("/gate/me")
    if page.has("/gate/me/pin", remove="yes"):
        boss.post(page.form("/gate/me/pin", remove="yes"), ("remove", "yes"))
    sent = urgent(desk, "urgent without a pin", "x")
    link = desk.notified(BOSS, "urgent without a pin", "[緊急送信]")
    client = desk.client()
    page = client.get("/gate/review?" + urllib.parse.urlencode({"t": link.split("?")[1]}))
    page = client.post(review_form(page, sent), ("verdict", "fine"), pin=pin)
    assert page.status == 403 and "You have no PIN yet" in alert(page), alert(page)
    assert boss.post(boss.get("/gate/me").form("/gate/me/pin"), pin=pin, again=pin).status == 303
    sent = urgent(desk, "urgent by link", "x")
    link = desk.notified(BOSS, "urgent by link", "[緊急送信]")
    by_link = desk.client()
    page = by_link.get("/gate/review?" + urllib.parse.urlencode({"t": link.split("?")[1]}))
    form = review_form(page, sent)
    assert dict(form.fields)["t"] == link.split("?")[1] and re.search(r'<input id="pin-[^"]+" name="pin"', page.html)
    for typed in (None, "1357"):
        page = by_link.post(form, ("verdict", "fine"), pin=typed)
        assert page.status == 403 and alert(page), (page.status, page.text[:300])
        form = review_form(page, sent)
    wide = "".join(chr(0xff10 + int(digit)) for digit in pin)  # as a Japanese keyboard types it
    assert "said=done" in location(by_link.post(form, ("verdict", "fine"), pin=wide))
    assert "fine" in by_link.get("/gate/review?" + urllib.parse.urlencode({"t": link.split("?")[1]})).text


# ---- my rules ----------------------------------------------------------------------------------


@pytest.fixture
def writing(desk) -> Iterator[WebDesk]:
    """People may write rules; there are none."""
    def clear() -> None:
        for path in (desk.gw.root / "etc/policy/user").iterdir():
            path.unlink()
    clear()
    desk.allow("user hold approve files password bcc stagger notice")
    yield desk
    clear()
    desk.allow("# nothing")


def fills(client: Client, **fields: str) -> Page:
    """The form as a browser sends it: what it would write."""
    page = client.get("/gate/rules/new")
    assert page.status == 200, page.text[:300]
    (form,) = [f for f in page.forms if f.method == "get"]
    assert urllib.parse.urlsplit(form.action).path == "/gate/rules/new"
    names = set(re.findall(r'<(?:input|select|textarea)[^>]* name="([^"]+)"', page.html))
    sent = {name.replace("_", "-"): value for name, value in fields.items()}
    assert set(sent) <= names, set(sent) - names
    return client.get("/gate/rules/new?" + urllib.parse.urlencode({**dict(form.fields), **sent}))


def own_file(desk: WebDesk, who: str):
    return desk.gw.root / "etc/policy/user" / who


def save(client: Client, page: Page) -> Page:
    (form,) = [f for f in page.forms if f.method == "post" and urllib.parse.urlsplit(f.action).path == "/gate/rules"]
    return client.post(form)


@pytest.mark.parametrize("lang, words", [("ja", "マイルールはまだ許可されていません"), ("en", "Your organisation has not opened own rules yet")])
def test_where_nothing_is_allowed_the_page_says_whom_to_ask(desk, lang, words):
    desk.allow("# nothing")
    client = logged_in(desk, BOB, lang)
    page = client.get("/gate/rules")
    assert page.status == 200 and words in page.text and "etc/allow" in page.text
    assert "/gate/rules/new" not in page.urls
    assert not [f for f in client.get("/gate/rules/new").forms if f.method == "get"]


def test_S0_07_a_hold_of_ones_own(writing):
    """S0-03, S0-07, S1-24c: a rule by a form; it is shown before it is written, in force at once, and gone when it is removed."""
    alice = logged_in(writing, ALICE)
    page = fills(alice, when_to="@customer.example", what="hold do-time 30m")
    assert page.status == 200, page.text[:800]
    assert "Hold it for 30 minutes" in page.text and "The recipient is: @customer.example" in page.text
    assert re.search(r"rule own-1.*to\s+@customer\.example.*do\s+hold 30m", page.text), page.text
    assert not own_file(writing, ALICE).exists(), "nothing is written by looking"
    assert "said=added" in location(save(alice, page))
    assert "hold 30m" in own_file(writing, ALICE).read_text()
    listed = alice.get("/gate/rules?said=added")
    assert "Hold it for 30 minutes" in listed.text and 'role="status"' in listed.html
    sent = writing.mail(["who@customer.example"], subject="own rule")
    writing.leg(sent, "who@customer.example", "hold")
    assert any("hold" in str(r.words) or "own-1" in str(r.keys) for leg in writing.legs(sent) for r in leg.records)
    removing = listed.form("/gate/rules", remove="1")
    assert "said=removed" in location(alice.post(removing, ("remove", "1")))
    assert "own-1" not in alice.get("/gate/rules").text
    free = writing.mail(["who@customer.example"], subject="no rule")
    writing.rests(free, "sent")
    writing.does(ALICE, "release", sent)


@pytest.mark.parametrize("fields, text", [
    ({"when_visible": "10", "when_class": "external", "what": "bcc do-bcc external"}, r"visible external >= 10.*do\s+bcc external"),
    ({"when_recipients": "20", "what": "hold do-time confirmed"}, r"recipients >= 20.*hold until confirmed"),
    ({"when_subject": "見積, 請求", "what": "hold do-time 5m"}, r'words "見積", "請求" in subject.*hold 5m'),
    ({"when_attachment": "yes", "what": "files do-files link"}, r"file any.*do\s+link"),
    ({"when_attachment": "open", "when_to": "external", "what": "files do-files zip"}, r"file not encrypted.*do\s+zip"),
    ({"when_attachment": "yes", "what": "approve do-who boss"}, r"approve by boss"),
    ({"when_to": "external", "what": "hold do-time", "typed": "45m"}, r"hold 45m"),
], ids=["S2-28", "recipients", "subject", "S0-21", "S0-16", "approve", "typed"])
def test_what_the_form_says_is_what_would_be_written(writing, fields, text):
    bob = logged_in(writing, BOB)
    page = fills(bob, **fields)
    assert page.status == 200 and re.search(text, page.text), page.text[:1500]
    assert 'role="alert"' not in page.html
    assert "said=added" in location(save(bob, page))
    assert re.search(text, re.sub(r"\s+", " ", own_file(writing, BOB).read_text()))


def test_what_cannot_be_done_yet_is_said_before(writing):
    page = fills(logged_in(writing, BOB), when_attachment="yes", what="files do-files zip")
    assert "This cannot be done yet" in page.text and "(not possible yet: such mail waits)" in page.html


@pytest.mark.parametrize("fields, where", [
    ({"when_to": "no address at all", "what": "hold do-time 5m"}, "when-to"),
    ({"when_recipients": "many", "what": "hold do-time 5m"}, "when-recipients"),
    ({"when_size": "-1", "what": "hold do-time 5m"}, "when-size"),
    ({"when_to": "external", "what": "hold do-time", "typed": "soon"}, "typed"),
    ({"when_to": "external", "what": "hold do-time", "typed": ""}, "typed"),
])
def test_what_is_wrong_is_told_at_its_field(writing, fields, where):
    bob = logged_in(writing, BOB)
    page = fills(bob, **fields)
    assert page.status == 422 and alert(page), page.text[:600]
    tag = re.search(rf'<(?:input|select) id="{where}"[^>]*>', page.html).group(0)
    assert 'aria-invalid="true"' in tag, tag
    assert ("<details open>" in page.html) == (where == "when-size"), "what is wrong is not folded away"
    assert not [f for f in page.forms if f.method == "post" and urllib.parse.urlsplit(f.action).path == "/gate/rules"]
    for name, value in fields.items():
        if name.startswith("when"):
            assert f'value="{value}"' in page.html, "what was typed is still there"
    assert not own_file(writing, BOB).exists()


def test_no_condition_is_lost_for_its_length(writing):
    """A rule without one of its conditions would be another rule: what is too long is told, and nothing is written."""
    bob = logged_in(writing, BOB)
    page = fills(bob, when_subject="invoice", what="hold do-time 5m")
    (form,) = [f for f in page.forms if f.method == "post" and urllib.parse.urlsplit(f.action).path == "/gate/rules"]
    for text, status in (("x" * 5000, (409, 422)), (",".join(["word"] * 1500), (409, 422)), ("x" * 500_000, (413,))):
        fields = [(k, text if k == "when-subject" else v) for k, v in form.fields]
        assert ("when-subject", text) in fields
        page = bob.ask("POST", "/gate/rules", fields)
        assert page.status in status and not own_file(writing, BOB).exists(), (len(text), page.status, page.text[:300])


def test_a_name_that_is_taken_is_told(writing):
    bob = logged_in(writing, BOB)
    assert "said=added" in location(save(bob, fills(bob, when_subject="one", what="hold do-time 5m", name="mine")))
    page = fills(bob, when_subject="two", what="hold do-time 5m", name="mine")
    assert page.status == 422 and "Another rule of yours has this name already." in page.text, page.text[:600]
    bob.cookies["sekisho-lang"] = "ja"
    assert "この名前のルールはすでにあります" in fills(bob, when_subject="two", what="hold do-time 5m", name="mine").text


@pytest.mark.parametrize("what", ["refuse", "refuse do-why x", "forward do-who x@evil.example", "sign do-name example.co.jp", "nonsense",
                                  "hold digest x", "hold do-time 5m\n    do refuse \"x\""])
def test_what_is_not_allowed_is_refused(writing, what):
    bob = logged_in(writing, BOB)
    page = fills(bob, when_to="external", what=what)
    assert page.status == 422 and alert(page)
    token = dict(page.form("/gate/language", lang="ja").fields)["form"]
    listed = bob.get("/gate/rules")
    digest = re.search(r'name="digest" value="([^"]*)"', fills(bob, when_to="external", what="hold do-time 5m").html).group(1)
    done = bob.ask("POST", "/gate/rules", [("form", token), ("digest", digest), ("when-to", "external"), ("what", what)])
    assert done.status in (409, 422) and not own_file(writing, BOB).exists() and listed.status == 200


def test_two_windows_do_not_overwrite_each_other(writing):
    one, other = logged_in(writing, ALICE), logged_in(writing, ALICE)
    first = fills(one, when_to="@one.example", what="hold do-time 5m")
    second = fills(other, when_to="@two.example", what="hold do-time 30m")
    assert "said=added" in location(save(one, first))
    late = save(other, second)
    assert late.status == 409 and alert(late), late.text[:500]
    text = own_file(writing, ALICE).read_text()
    assert "@one.example" in text and "@two.example" not in text
    assert "said=added" in location(save(other, late)), "the page that says so shows it once more"
    text = own_file(writing, ALICE).read_text()
    assert "@one.example" in text and "@two.example" in text
    stale = one.ask("POST", "/gate/rules", [(k, v) for k, v in [
        ("form", dict(first.form("/gate/rules").fields)["form"]), ("remove", "1"), ("digest", "0" * 64)]])
    assert stale.status == 409 and own_file(writing, ALICE).read_text() == text


def test_nobody_writes_rules_of_others(writing):
    """W3: whose rules they are says the session alone."""
    alice, bob = logged_in(writing, ALICE), logged_in(writing, BOB)
    page = fills(alice, when_to="@one.example", what="hold do-time 5m")
    save(alice, page)
    text = own_file(writing, ALICE).read_text()
    assert "@one.example" not in bob.get("/gate/rules").text
    token = dict(bob.get("/gate/rules").form("/gate/language", lang="ja").fields)["form"]
    digest = dict(page.form("/gate/rules").fields)["digest"]
    done = bob.ask("POST", "/gate/rules", [("form", token), ("remove", "1"), ("digest", digest), ("address", ALICE)])
    assert done.status in (409, 422) and own_file(writing, ALICE).read_text() == text


def test_naughty_words_stay_words(writing):
    """A rule is quoted by the language's own rules, and shown escaped."""
    bob = logged_in(writing, BOB)
    word = '</textarea><script>alert(1)</script>"\\ {{form-token}} do refuse "x'
    page = fills(bob, when_subject=word, what="hold do-time 5m")
    assert "<script>alert" not in page.html and page.status in (200, 422)
    if page.status == 200:
        assert "said=added" in location(save(bob, page))
        assert "<script>alert" not in bob.get("/gate/rules").html
        text = own_file(writing, BOB).read_text()
        assert not re.search(r"(?m)^\s+do refuse", text) and len(re.findall(r"(?m)^rule ", text)) == 1


def test_rules_of_an_administrator_are_shown_and_kept(writing):
    path = own_file(writing, BOB)
    replace(path, '# by hand\nrule special\n    to @x.example\n    do hold 10m\n')
    assert writing.gw.seki("reload").returncode == 0
    bob = logged_in(writing, BOB)
    page = bob.get("/gate/rules")
    assert "special" in page.text and "An administrator keeps your rules" in page.text
    assert "/gate/rules/new" not in page.urls and not page.has("/gate/rules")


def test_my_rules_in_japanese(writing):
    bob = logged_in(writing, BOB, "ja")
    page = fills(bob, when_to="@customer.example", when_attachment="yes", what="hold do-time 30m")
    assert "30分保留する" in page.text and "添付ファイルがある。" in page.text and "このルールでよろしいですか？" in page.text
    save(bob, page)
    assert "30分保留する" in bob.get("/gate/rules").text


def test_looking_at_rules_changes_nothing(writing):
    """A GET never changes anything, whatever stands in its query."""
    bob = logged_in(writing, BOB)
    save(bob, fills(bob, when_to="@x.example", what="hold do-time 5m"))
    before = writing.kept()
    for query in ("", "?remove=1", "?what=hold+do-time+5m&when-to=external&digest=" + "0" * 64):
        for path in ("/gate/rules", "/gate/rules/new"):
            assert bob.get(path + query).status in (200, 422)
    assert writing.kept() == before


def test_time_goes_on_and_sessions_last_as_long_as_they_should(desk):
    """The settings session-idle and session-longest; here they are days."""
    client = logged_in(desk, CHIEF)
    desk.later(HOUR)
    assert client.get("/gate/approvals").status == 200
