"""What the tests of people's pages share: a Chromium that is phone or desktop, Japanese or English, with or without scripts;
a client of HTTP that is no browser; and the links that notices really have. No tests here."""
import http.client
import json
import os
import re
import shutil
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path

import pytest

from conftest import REPO, replace, wait_for
from held_kit import PATIENCE, Desk, desk_open, words

AXE = REPO / "tests/web/axe/axe.min.js"
NAUGHTY = REPO / "tests/web/naughty.txt"
PHONE, DESKTOP, NARROW = (390, 844), (1280, 900), (320, 640)
PASSWORD = "correct horse battery staple"


# ---- a browser ---------------------------------------------------------------------------------


class Browser:
    """Chromium, as a person has it. It waits for what is to be seen, never for time to pass."""

    def __init__(self, scripts: bool = True, downloads: Path | None = None) -> None:
        webdriver = pytest.importorskip("selenium.webdriver", reason="python3-selenium")
        from selenium.webdriver.chrome.service import Service
        options = webdriver.ChromeOptions()
        for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run",
                     "--disable-background-networking", "--disable-component-update", "--disable-sync"):
            options.add_argument(word)
        options.add_experimental_option("prefs", {
            "profile.managed_default_content_settings.javascript": 1 if scripts else 2,
            "profile.password_manager_leak_detection": False, "credentials_enable_service": False,
            "profile.password_manager_enabled": False})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.scripts = scripts
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.driver.set_page_load_timeout(30)
        self.driver.set_script_timeout(60)
        if downloads:
            self.cdp("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(downloads))
        self.cdp("Network.enable")
        self.looks()

    def cdp(self, command: str, **words: object) -> dict:
        return self.driver.execute_cdp_cmd(command, words)

    def looks(self, lang: str = "ja", size: tuple[int, int] = DESKTOP, dark: bool = False) -> "Browser":
        """From the next page on."""
        self.lang, self.size = lang, size
        self.cdp("Emulation.setDeviceMetricsOverride", width=size[0], height=size[1], deviceScaleFactor=1,
                 mobile=size[0] < 600)
        self.cdp("Network.setExtraHTTPHeaders", headers={"Accept-Language": lang})
        return self.darkens(dark)

    def darkens(self, dark: bool = True) -> "Browser":
        """At once."""
        self.cdp("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce"}])
        return self

    def forgets(self) -> "Browser":
        """Another browser than before: no cookies, nothing kept, no words in its log."""
        self.driver.switch_to.default_content()
        self.driver.get("about:blank")
        self.cdp("Network.clearBrowserCookies")
        self.cdp("Network.clearBrowserCache")
        self.said()
        self.requested()
        return self

    def close(self) -> None:
        self.driver.quit()

    # ---- looking ----

    def open(self, url: str) -> "Browser":
        self.driver.switch_to.default_content()
        self.driver.get(url)
        return self

    def run(self, script: str, *words: object) -> object:
        return self.driver.execute_script(script, *words)

    @property
    def url(self) -> str:
        return self.driver.current_url

    def text(self) -> str:
        """All words of the page, whether or not they are to be seen just now."""
        return self.run("return document.body ? document.body.textContent.replace(/\\s+/g, ' ') : ''")

    def seen(self) -> str:
        """The words that can be seen."""
        return self.run("return document.body ? document.body.innerText.replace(/\\s+/g, ' ') : ''")

    def all(self, css: str) -> list:
        return self.driver.find_elements("css selector", css)

    def one(self, css: str):
        return wait_for(lambda: self.all(css), PATIENCE, f"{css} on {self.url}: {self.seen()[:600]}")[0]

    def shows(self, what: str) -> "Browser":
        """Waits until these words can be seen."""
        wait_for(lambda: what in self.seen(), PATIENCE, f"{what!r} on {self.url}: {self.seen()[:900]}")
        return self

    @contextmanager
    def frame(self, css: str = "iframe") -> Iterator["Browser"]:
        self.driver.switch_to.frame(self.one(css))
        try:
            yield self
        finally:
            self.driver.switch_to.parent_frame()

    def width(self) -> tuple[int, int]:
        """What the page takes, and what there is."""
        return tuple(self.run("return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"))

    # ---- acting ----

    def follows(self, act: Callable[[], object]) -> "Browser":
        """Does something that leads to another page, and waits until that is there."""
        mark = str(time.monotonic_ns())
        self.run("document.documentElement.dataset.before = arguments[0]", mark)
        act()
        wait_for(lambda: self._new(mark), 30, f"another page than {self.url}: {self.seen()[:600]}")
        return self

    def _new(self, mark: str) -> bool:
        from selenium.common.exceptions import WebDriverException
        try:
            return self.run("return document.readyState === 'complete' && document.documentElement.dataset.before !== arguments[0]",
                            mark)
        except WebDriverException:
            return False

    def button(self, action: str, **values: str):
        """The button of a form to `action` that sends these values; None if there is none."""
        return self.run("""
            const [action, values] = arguments;
            for (const form of document.forms) {
                for (const button of form.elements) {
                    if (!button.matches('button:not([type=button]), input[type=submit]')) continue;
                    if (!new URL(button.hasAttribute('formaction') ? button.formAction : form.action).pathname.endsWith(action)) continue;
                    const sent = new FormData(form, button);
                    if (Object.entries(values).every(([k, v]) => sent.getAll(k).includes(v))) return button;
                }
            }
            return null;""", action, values)

    def offers(self, action: str, **values: str) -> bool:
        return self.button(action, **values) is not None

    def press(self, action: str, typed: dict[str, str] | None = None, ticked: tuple[str, ...] = (), **values: str) -> "Browser":
        """Fills the form and presses its button."""
        button = wait_for(lambda: self.button(action, **values), PATIENCE,
                          f"a button for {action} {values} on {self.url}: {self.seen()[:900]}")
        self.unfold(button)
        for name, text in (typed or {}).items():
            self.types(self.field(button, name), text)
        for name in ticked:
            for box in self.run("return [...arguments[0].form.elements].filter(e => e.name === arguments[1])", button, name):
                if not box.is_selected():
                    self.clicks(box)
        return self.follows(lambda: self.clicks(button))

    def field(self, button, name: str):
        found = self.run("return [...arguments[0].form.elements].find(e => e.name === arguments[1] && e.type !== 'hidden')", button, name)
        assert found, f"no field {name} on {self.url}"
        return found

    def types(self, field, text: str) -> None:
        if field.tag_name == "select":
            self.run("arguments[0].value = arguments[1]", field, text)
            assert self.run("return arguments[0].value", field) == text, f"no choice {text}"
        elif field.get_attribute("type") == "radio":
            radio = self.run("return [...arguments[0].form.elements].find(e => e.name === arguments[0].name && e.value === arguments[1])",
                             field, text)
            assert radio, f"no choice {text}"
            self.clicks(radio)
        elif field.get_attribute("type") in ("date", "time", "datetime-local"):
            self.run("arguments[0].value = arguments[1]", field, text)
        else:
            field.clear()
            field.send_keys(text)

    def unfold(self, element) -> None:
        """Opens each <details> around it, as a person does."""
        for summary in self.run("""
                const found = [];
                for (let e = arguments[0].parentElement; e; e = e.parentElement)
                    if (e.tagName === 'DETAILS' && !e.open) found.unshift(e.querySelector('summary'));
                return found;""", element):
            self.clicks(summary)

    def clicks(self, element) -> None:
        self.run("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
        element.click()

    def link(self, path: str, **query: str):
        """A link to that page; None if there is none."""
        return self.run("""
            const [path, query] = arguments;
            return [...document.links].find(a => { const to = new URL(a.href); return to.pathname === path
                && Object.entries(query).every(([k, v]) => to.searchParams.get(k) === v); }) || null;""", path, query)

    def goes(self, path: str, **query: str) -> "Browser":
        """Follows a link of the page."""
        link = wait_for(lambda: self.link(path, **query), PATIENCE, f"a link to {path} {query} on {self.url}: {self.seen()[:600]}")
        self.unfold(link)
        return self.follows(lambda: self.clicks(link))

    # ---- what happened in it ----

    def said(self) -> list[str]:
        """What the console was told since the last look: faults of the page."""
        return [one["message"] for one in self.driver.get_log("browser")
                if one["level"] in ("SEVERE", "WARNING") and "favicon.ico" not in one["message"]]

    def requested(self) -> list[str]:
        """Each address asked for since the last look."""
        found = []
        for one in self.driver.get_log("performance"):
            told = json.loads(one["message"])["message"]
            if told["method"] == "Network.requestWillBeSent":
                found.append(told["params"]["request"]["url"])
        return found

    def has_dialog(self) -> bool:
        from selenium.common.exceptions import NoAlertPresentException
        try:
            self.driver.switch_to.alert.dismiss()
            return True
        except NoAlertPresentException:
            return False

    def axe(self, *rules: str) -> list[str]:
        """What axe-core finds serious or critical, by all its rules or by these."""
        if not self.run("return typeof window.axe === 'object'"):
            self.run(AXE.read_text() + "; window.axe = axe;")
        return self.driver.execute_async_script("""
            const done = arguments[arguments.length - 1], only = arguments[0];
            axe.run(document, {resultTypes: ['violations'], iframes: false, ...(only.length ? {runOnly: only} : {})}).then(
                r => done(r.violations.filter(v => ['serious', 'critical'].includes(v.impact)).map(
                    v => v.impact + ' ' + v.id + ': ' + v.nodes.slice(0, 4).map(
                        n => n.html.slice(0, 200) + ' ' + n.failureSummary).join(' | '))),
                e => done(['axe-core: ' + e]));""", list(rules))


@contextmanager
def browser_open(**how) -> Iterator[Browser]:
    made = Browser(**how)
    try:
        yield made
    finally:
        made.close()


# ---- no browser --------------------------------------------------------------------------------


@dataclass
class Form:
    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    def sends(self, **values: str) -> bool:
        """Whether one of its buttons sends these."""
        return any(all(pair in [*self.fields, button] for pair in values.items()) for button in self.buttons or [("", "")])

    def body(self, button: tuple[str, str] | None = None, **values: str) -> list[tuple[str, str]]:
        kept = [(k, v) for k, v in self.fields if k not in values]
        return kept + [pair for pair in values.items() if pair[1] is not None] + ([button] if button and button[0] else [])


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self.urls: list[str] = []
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.words: list[str] = []
        self.ids: dict[str, Form] = {}
        self.inside: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        got = {k: v or "" for k, v in attrs}
        self.tags.append((tag, tuple(sorted(got))))
        self.urls += [got[k] for k in ("href", "src", "action", "formaction") if k in got]
        form = self.ids.get(got.get("form", ""), self.inside)
        if tag == "form":
            self.inside = Form(got.get("action", ""), got.get("method", "get").lower())
            self.forms.append(self.inside)
            self.ids[got.get("id") or "-"] = self.inside
        elif form and tag == "input" and got.get("type") not in ("submit", "button") and "name" in got:
            if got.get("type") not in ("checkbox", "radio") or "checked" in got:
                form.fields.append((got["name"], got.get("value", "")))
        elif form and tag in ("button", "input") and got.get("type", "submit" if tag == "button" else "") == "submit":
            button = (got.get("name", ""), got.get("value", ""))
            if "formaction" in got:  # the same words, to another place
                self.forms.append(Form(got["formaction"], form.method, form.fields, [button]))
            else:
                form.buttons.append(button)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = None

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@dataclass
class Page:
    url: str
    status: int
    headers: http.client.HTTPMessage
    body: bytes
    seconds: float

    def __post_init__(self) -> None:
        self.html = self.body.decode("utf-8", "replace")
        reader = _Reader()
        if (self.headers.get("Content-Type") or "").startswith("text/html"):
            reader.feed(self.html)
        self.forms, self.urls, self.tags = reader.forms, reader.urls, reader.tags
        self.text = re.sub(r"\s+", " ", " ".join(reader.words))

    def form(self, action: str, **values: str) -> Form:
        for one in self.forms:
            if urllib.parse.urlsplit(one.action).path.endswith(action) and one.sends(**values):
                return one
        raise AssertionError(f"no form for {action} {values} on {self.url}: {self.status} {self.text[:600]}")

    def has(self, action: str, **values: str) -> bool:
        return any(urllib.parse.urlsplit(one.action).path.endswith(action) and one.sends(**values) for one in self.forms)


class Client:
    """Speaks HTTP to the pages, with cookies, and follows nothing unasked."""

    def __init__(self, base: str, lang: str = "en") -> None:
        self.base = base.rstrip("/")
        self.lang = lang
        self.cookies: dict[str, str] = {}
        self.wire: http.client.HTTPConnection | None = None

    def ask(self, method: str, url: str, fields: list[tuple[str, str]] | None = None, **headers: str) -> Page:
        """One request; header names with "_" for "-"."""
        to = urllib.parse.urlsplit(urllib.parse.urljoin(self.base + "/gate/", url))
        assert to.netloc == urllib.parse.urlsplit(self.base).netloc, f"{url} leads elsewhere"
        target = to.path + ("?" + to.query if to.query else "")
        head = {"Accept-Language": self.lang, **({"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())} if self.cookies else {}),
                **({"Content-Type": "application/x-www-form-urlencoded"} if fields is not None else {}),
                **{k.replace("_", "-"): v for k, v in headers.items()}}
        body = urllib.parse.urlencode(fields, errors="surrogateescape").encode() if fields is not None else None
        begun = time.monotonic()
        for again in (True, False):
            try:
                if not self.wire:
                    self.wire = http.client.HTTPConnection(to.hostname, to.port or 80, timeout=60)
                self.wire.request(method, target, body, head)
                answer = self.wire.getresponse()
                data = answer.read()
                break
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self.wire = None  # an idle connection that nginx has closed
                if not again:
                    raise
        took = time.monotonic() - begun
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = line.split(";")[0].partition("=")
            if value and not re.search(r"max-age=0(;|$)", line, re.I):
                self.cookies[name.strip()] = value
            else:
                self.cookies.pop(name.strip(), None)
        if answer.will_close:
            self.wire = None
        return Page(urllib.parse.urlunsplit(to), answer.status, answer.headers, data, took)

    def get(self, url: str, **headers: str) -> Page:
        return self.ask("GET", url, **headers)

    def post(self, form: Form, button: tuple[str, str] | None = None, headers: dict[str, str] | None = None, **values: str) -> Page:
        return self.ask("POST", form.action, form.body(button, **values), **(headers or {}))

    def follow(self, page: Page) -> Page:
        """Where it sends the browser."""
        for _ in range(5):
            if page.status not in (301, 302, 303):
                return page
            page = self.get(page.headers["Location"])
        raise AssertionError(f"round and round: {page.url}")

    def does(self, page: Page, action: str, **values: str) -> Page:
        """Presses the button of the page that sends these values; the page that comes of it."""
        form = page.form(action, **values)
        button = next((b for b in form.buttons if b in values.items()), form.buttons[0] if form.buttons else None)
        return self.follow(self.post(form, button))

    def login(self, address: str, password: str = PASSWORD, back: str = "") -> Page:
        """By password, with the form of the page; what comes behind it."""
        page = self.get("/gate/login" + (f"?back={urllib.parse.quote(back)}" if back else ""))
        form = next(f for f in page.forms if urllib.parse.urlsplit(f.action).path == "/gate/login" and f.method == "post")
        return self.follow(self.post(form, form.buttons[0] if form.buttons else None, address=address, password=password))


# ---- the office with its pages -------------------------------------------------------------------


class WebDesk:
    """A desk whose pages are served, and what people find there."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.gw = desk, desk.gw
        self.base = desk.gw.web_url.rstrip("/")

    def __getattr__(self, name: str):
        return getattr(self.desk, name)

    def at(self, path: str) -> str:
        return self.base + path

    def password(self, *people: str, word: str = PASSWORD) -> None:
        for address in people:
            done = self.gw.seki("passwd", address, stdin=word + "\n")
            assert done.returncode == 0, done.stderr

    def owns_rules(self) -> None:
        """The directory of people's own rules is seki-rules', also after Desk.rules has made it anew."""
        if os.geteuid() == 0:
            shutil.chown(self.gw.root / "etc/policy/user", "sekik", "sekik")

    def allow(self, line: str) -> None:
        replace(self.gw.root / "etc/allow", line + "\n")
        done = self.gw.seki("reload")
        assert done.returncode == 0, done.stderr

    def client(self, lang: str = "en") -> Client:
        return Client(self.base, lang)

    def logged_in(self, address: str, lang: str = "en") -> Client:
        made = self.client(lang)
        page = made.login(address)
        assert page.status == 200 and any(name.endswith("sekisho") for name in made.cookies), (page.status, page.text[:300])
        return made

    def tapped(self, notice: EmailMessage) -> str:
        """The link in a notice, as a mail program finds it."""
        (found,) = re.findall(r"^\[URL\] (\S+)$", words(notice), flags=re.M)
        assert found.startswith(self.base + "/gate/"), found
        return found

    def notified(self, to: str, subject: str, prefix: str = "") -> str:
        """Waits for the one notice to him about that subject; its link."""
        def look() -> list[EmailMessage]:
            return [m for m in self.desk.letters(to, prefix) if subject in m["Subject"] and "/gate/" in words(m)]
        return self.tapped(wait_for(look, PATIENCE, f"a notice about {subject} to {to}")[-1])

    def kept(self) -> dict[str, bytes]:
        """All that acting by people would change: legs with their records, what was delivered, and what seki-hold,
        seki-login and seki-rules keep. What was sent is emptied a moment later by itself: it counts by its name."""
        root = self.gw.root
        found = {}
        for folder in ("spool", "outbox", "lib/hold", "etc/policy"):
            for path in sorted((root / folder).rglob("*")):
                name = str(path.relative_to(root))
                if path.is_file() and path.name != "ballast" and not name.startswith("spool/tmp/"):
                    try:
                        found[name] = b"" if name.startswith("spool/sent/") else path.read_bytes()
                    except FileNotFoundError:
                        pass
        assert found
        return found

    def rest(self) -> dict[str, bytes]:
        """The same, as soon as nothing is under way any more: nothing to be judged or delivered, and all still for half a
        second."""
        last, since = None, time.monotonic()

        def still() -> dict[str, bytes] | None:
            nonlocal last, since
            now = self.kept()
            if now != last or any(name.startswith(("spool/new/", "spool/deliver/")) for name in now):
                last, since = now, time.monotonic()
            return now if time.monotonic() - since > 0.5 else None
        return wait_for(still, 30, "a desk at rest")


@contextmanager
def web_desk(people: tuple[str, ...] = (), **how) -> Iterator[WebDesk]:
    with desk_open(web=True, **how) as desk:
        made = WebDesk(desk)
        made.owns_rules()
        made.password(*people)
        yield made


def naughty() -> list[str]:
    return [json.loads(line) for line in NAUGHTY.read_text().splitlines()]

