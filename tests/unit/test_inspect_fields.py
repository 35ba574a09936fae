"""Header fields that a rule asks for by name ("header X-Class …"): whole, decoded, each occurrence, and
what was not read of them is told (S1-10, law: what is not known is not taken for clean)."""

import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEKI = pathlib.Path(os.environ.get("SEKISHO_BUILD", ROOT / "build")).resolve() / "bin" / "seki"
HEAD = "From: a@example.jp\r\nTo: b@example.com\r\nSubject: s\r\n"
VALUE_MAX = 2000


@pytest.fixture
def ask(tmp_path):
    def asked(fields, *names, plain=True):
        kind = "" if plain else "Content-Type: text/html\r\n"
        path = tmp_path / "message.eml"
        path.write_bytes(f"{HEAD}{fields}{kind}\r\nhello\r\n".encode())
        options = [word for name in names for word in ("--field", name)]
        done = subprocess.run([SEKI, "facts", "--json", *options, path], capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
    return asked


def texts(told):
    return [(f["number"], f["text"]) for f in told["fields"]]


def doubts(told):
    return [u["reason"] for u in told["uninspectable"]]


@pytest.mark.parametrize("plain", [True, False])
def test_each_occurrence_by_the_number_of_its_name(ask, plain):
    told = ask("X-Class: one\r\nX-Other: no\r\nx-class : Two  \r\nX-Mailer: m\r\n", "X-Mailer", "X-Class", "X-None",
               plain=plain)
    assert texts(told) == [(2, "one"), (2, "Two"), (1, "m")] and doubts(told) == []


def test_decoded_and_unfolded(ask):
    told = ask("X-Class: =?utf-8?B?56S+5aSW56eY?=\r\n =?iso-2022-jp?B?GyRCPFIzME4kGyhC?=\r\n\t-end\r\n", "X-CLASS")
    assert texts(told) == [(1, "社外秘社外里\t-end")]


def test_nothing_is_told_that_was_not_asked_for(ask):
    assert ask("X-Class: one\r\n")["fields"] == []


def test_an_empty_field_is_there(ask):
    assert texts(ask("X-Class:\r\nX-Class: \r\n \r\n", "X-Class")) == [(1, ""), (1, "")]


def test_no_nul_hides_what_is_behind_it(ask):
    assert texts(ask("X-Class: =?utf-8?Q?con=00fidential?=\r\n", "X-Class")) == [(1, "confidential")]


@pytest.mark.parametrize("letters, cut", [(VALUE_MAX, False), (VALUE_MAX + 1, True)])
def test_what_is_cut_is_told(ask, letters, cut):
    told = ask(f"X-Class: {'a' * letters}\r\n", "X-Class")
    assert texts(told) == [(1, "a" * VALUE_MAX)] and doubts(told) == ["header"] * cut


def test_an_unknown_charset_is_told(ask):
    assert doubts(ask("X-Class: =?x-nobody?Q?=E0=E1?=\r\n", "X-Class")) == ["charset"]
    assert doubts(ask("X-Class: =?x-nobody?Q?=E0=E1?=\r\n")) == [], "nobody asked"


def test_what_is_no_name_of_a_field(tmp_path):
    path = tmp_path / "message.eml"
    path.write_bytes(f"{HEAD}\r\nhello\r\n".encode())
    for name in ("X:y", "X y", "見積"):
        done = subprocess.run([SEKI, "facts", "--field", name, path], capture_output=True, timeout=60)
        assert done.returncode == 100, name
