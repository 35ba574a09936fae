"""The words of people's pages in Japanese (features.md, "Made for people"): all there, none fuzzy, none unused, with
the same holes; and tests/messages finds it when that is not so."""

import importlib.machinery
import importlib.util
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = ROOT / "tests/messages"


def load():
    loader = importlib.machinery.SourceFileLoader("messages", str(TOOL))
    spec = importlib.util.spec_from_loader("messages", loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules["messages"] = module
    wrote, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = wrote
    return module


m = load()

HEADER = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n"Plural-Forms: nplurals=1; plural=0;\\n"\n'


def test_the_japanese_catalogue_is_complete():
    done = subprocess.run([str(TOOL), "--check"], cwd="/", capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "in Japanese" in done.stdout


def test_the_catalogue_is_one_for_gettext(tmp_path):
    done = subprocess.run(["msgfmt", "--check-format", "--check-domain", "-o", str(tmp_path / "x.mo"), str(m.CATALOGUE)],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "x.mo").stat().st_size > 1000


def test_it_finds_the_words_of_pages():
    text = "<p>{{_ One\n  and two}} {{name}} {{! {{_ not this}}<b title=\"{{_n n|{n} mail|{n} mails}}\">{{_ by {who.name}}}</b>"
    assert [(line, one.key) for line, one in m.of_page(text)] == [
        (1, ("One and two", "")), (2, ("{n} mail", "{n} mails")), (2, ("by {who.name}", ""))]


@pytest.mark.parametrize("text", ["{{_ no end", "{{_n n|one}}"])
def test_it_does_not_pass_over_a_broken_page(text):
    with pytest.raises(ValueError):
        m.of_page(text)


def test_it_finds_the_words_of_programs(tmp_path, monkeypatch):
    monkeypatch.setattr(m, "ROOT", tmp_path)
    (tmp_path / "a.c").write_text('f(say("Hello " "you"), say_n("{n} mail", "{n} mails", n)); x = N_("Later"); y = "none";')
    assert [one.key for one in m.of_sources([tmp_path / "a.c"])] == [
        ("Hello you", ""), ("Later", ""), ("{n} mail", "{n} mails")]


def check(*wanted, entries: str, header: str = HEADER) -> list[str]:
    return m.faults([m.Message(*w) if isinstance(w, tuple) else m.Message(w) for w in wanted], m.read(header + "\n" + entries))


def test_a_good_catalogue_has_no_faults():
    entries = ('#: a.html\nmsgid "From {a} to {b}"\nmsgstr "{b}へ{a}から"\n\n'
               'msgid "{n} mail"\nmsgid_plural "{n} mails"\nmsgstr[0] "{n}通"\n\n'
               'msgid "%s of \\"%d\\""\nmsgstr "\\"%2$d\\" の %1$s"\n\n'
               '#~ msgid "old"\n#~ msgstr "古い"\n')
    assert check("From {a} to {b}", ("{n} mail", "{n} mails"), '%s of "%d"', entries=entries) == []


@pytest.mark.parametrize("wanted, entries, why", [
    ("Send", "", "has no translation"),
    ("Send", 'msgid "Send"\nmsgstr ""\n', "has no translation"),
    ("Send", '#, fuzzy\nmsgid "Send"\nmsgstr "送信"\n', "is fuzzy"),
    ("Send", 'msgid "Send"\nmsgstr "送信"\n\nmsgid "Old"\nmsgstr "古い"\n', "is used nowhere"),
    ("Send", 'msgid "Send"\nmsgstr "送信"\n\nmsgid "Send"\nmsgstr "送る"\n', "stands there twice"),
    ("To {a}", 'msgid "To {a}"\nmsgstr "宛先"\n', "its translation {}"),
    ("To {a}", 'msgid "To {a}"\nmsgstr "{b}へ"\n', "its translation {b}"),
    ("%d of %s", 'msgid "%d of %s"\nmsgstr "%s の %d"\n', "its translation"),
    (("{n} mail", "{n} mails"), 'msgid "{n} mail"\nmsgid_plural "{n} mails"\nmsgstr[0] "通"\n', "its translation {}"),
    (("{n} mail", "{n} mails"), 'msgid "{n} mail"\nmsgstr "{n}通"\n', "has no translation"),
    (("{n} mail", "{n} mails"),
     'msgid "{n} mail"\nmsgid_plural "{n} mails"\nmsgstr[0] "{n}通"\nmsgstr[1] "{n}通"\n', "one form"),
])
def test_it_finds_what_is_wrong(wanted, entries, why):
    found = check(wanted, entries=entries)
    assert len(found) == 1 and why in found[0], found


def test_a_catalogue_needs_its_header():
    assert check(entries="", header='msgid ""\nmsgstr "Language: ja\\n"\n')
    assert check("a", ("a", "b"), entries='msgid "a"\nmsgstr "あ"\n')
