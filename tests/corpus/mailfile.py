"""The labelled mails of this corpus, as text: what a file NNN.mail holds, and what its labels mean.

A file is UTF-8. First fields "from:", "to:", "cc:", "subject:", "charset:", "html:", then the sections
"=== labels", "=== body" and any number of "=== file NAME". A label is "KIND PLACE VALUE". README has
the definitions.
"""
import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
MAILS = FOLDER / "mails"
MANNERS = FOLDER / "manners"
MANNERS_ALL = [MANNERS, FOLDER / "greeting", FOLDER / "honorific", FOLDER / "promise"]

KINDS = ("card", "mynumber", "corporate", "phone", "address", "mail", "name")
PLACES = ("subject", "body", "names", "files")
FIELDS = ("from", "to", "cc", "subject", "charset", "html")
CHARSETS = ("utf-8", "iso-2022-jp", "cp932", "euc-jp")
DIGITS = ("card", "mynumber", "corporate", "phone")  # kinds whose value is digits alone

DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−－ｰ⁃﹣─━"), "-")
# Letters that are written in two ways, and are one in a name.
SAME = str.maketrans("髙﨑濵𠮷栁德塚", "高崎浜吉柳徳塚")

# Labels of manners, with the words of sekisho-facts(5).
WORDS = {"greeting": ("fits", "other", "none", "unknown"), "honorific": ("given", "missing", "none"), "promise": ("yes", "no")}

Label = tuple[str, ...]


@dataclass
class Attachment:
    name: str
    text: str
    sheet: list[list[str]] | None = None  # rows: it becomes an XLSX, and `text` is not used


@dataclass
class Mail:
    name: str
    fields: dict[str, str]
    labels: list[Label]
    body: str
    files: list[Attachment] = field(default_factory=list)

    @property
    def charset(self) -> str:
        return self.fields.get("charset", "utf-8")

    @property
    def html(self) -> bool:
        return self.fields.get("html") == "yes"

    def place(self, place: str) -> str:
        """The text in which a label of this place must stand."""
        if place == "subject":
            return self.fields["subject"]
        if place == "body":
            return self.body
        if place == "names":
            return "\n".join(f.name for f in self.files)
        return "\n".join(f.text if f.sheet is None else "\n".join(map("\t".join, f.sheet)) for f in self.files)


class Malformed(ValueError):
    pass


def parse(text: str, name: str) -> Mail:
    head, *rest = re.split(r"^=== (.+)\n", text, flags=re.M)
    fields = {}
    for line in head.splitlines():
        key, colon, value = line.partition(":")
        if not colon or key not in FIELDS or key in fields:
            raise Malformed(f"{name}: {line}: no field, or twice")
        fields[key] = value.strip()
    mail = Mail(name, fields, [], "")
    seen = []
    for title, body in zip(rest[::2], rest[1::2]):
        seen.append(title.split()[0])
        if title == "labels":
            mail.labels = [label(line, name) for line in body.splitlines() if line.strip()]
        elif title == "body":
            mail.body = body
        elif title.startswith("file "):
            mail.files.append(Attachment(title[5:].strip(), body))
        else:
            raise Malformed(f"{name}: === {title}: no such section")
    if seen[:2] != ["labels", "body"] or set(seen[2:]) - {"file"}:
        raise Malformed(f"{name}: sections {seen}")
    return mail


def label(line: str, name: str) -> Label:
    words = line.split(None, 2)
    if words[0] in WORDS and len(words) == 2 and words[1] in WORDS[words[0]]:
        return words[0], words[1]
    if len(words) != 3 or words[0] not in KINDS or words[1] not in PLACES:
        raise Malformed(f"{name}: {line}: no label")
    return words[0], words[1], words[2].strip()


def read(path: Path) -> Mail:
    return parse(path.read_text(encoding="utf-8"), path.stem)


def mails(folder: Path = MAILS) -> list[Mail]:
    return [read(path) for path in sorted(folder.glob("*.mail"))]


# ---- one way of writing each value -------------------------------------------------------------


def flat(text: str) -> str:
    """Without width, blanks and separators: two writings of one value are the same text."""
    text = unicodedata.normalize("NFKC", text.translate(DASHES)).translate(DASHES).translate(SAME)
    # Quote marks at the start of a line: a value that goes on in the next line of a quoted reply.
    text = re.sub(r"\n[>| ]+", "\n", text)
    return re.sub(r"[\s\u200b\u00ad]+", "", text).lower()


def normal(kind: str, value: str) -> str:
    """What two values of a kind are compared by."""
    value = flat(value)
    if kind in DIGITS:
        return re.sub(r"\D", "", value)
    if kind == "name":
        return re.sub(r"[・･.,]", "", hiragana_as_katakana(value))
    return value


def hiragana_as_katakana(text: str) -> str:
    return "".join(chr(ord(c) + 0x60) if "ぁ" <= c <= "ゖ" else c for c in text)


def labels_of(mail: Mail) -> set[Label]:
    return {(kind, place, normal(kind, value)) for kind, place, value in mail.labels}


# ---- check digits ------------------------------------------------------------------------------


def luhn(digits: str) -> bool:
    doubled = [int(d) * (2 if i % 2 else 1) for i, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def issuer(digits: str) -> str:
    """The brand that gives out cards with this prefix and length, or ""."""
    first2, first3, first4, first6 = (int(digits[:n]) for n in (2, 3, 4, 6))
    length = len(digits)
    if digits[0] == "4" and length == 16:
        return "visa"
    if length == 16 and (51 <= first2 <= 55 or 2221 <= first4 <= 2720):
        return "mastercard"
    if length == 16 and 3528 <= first4 <= 3589:
        return "jcb"
    if length == 15 and first2 in (34, 37):
        return "amex"
    if length in (14, 16) and (300 <= first3 <= 305 or first2 in (36, 38, 39) or first4 == 3095):
        return "diners"
    if length == 16 and (first4 == 6011 or first2 == 65 or 644 <= first3 <= 649 or 622126 <= first6 <= 622925):
        return "discover"
    return "unionpay" if length == 16 and first2 == 62 else ""


def mynumber_check(digits11: str) -> int:
    """The twelfth digit (ordinance 85 of 2014 of the Ministry of Internal Affairs, article 5)."""
    total = sum(int(p) * (n + 1 if n <= 6 else n - 5) for n, p in enumerate(reversed(digits11), 1))
    rest = total % 11
    return 0 if rest <= 1 else 11 - rest


def corporate_check(digits12: str) -> int:
    """The first digit (ordinance 70 of 2014 of the Ministry of Finance, article 2)."""
    return 9 - sum(int(p) * (1 if n % 2 else 2) for n, p in enumerate(reversed(digits12), 1)) % 9


def digits_right(kind: str, digits: str) -> str:
    """What is wrong with the digits of such a value, or ""."""
    if not digits.isascii() or not digits.isdigit():
        return "not digits alone"
    if kind == "card":
        return "" if 14 <= len(digits) <= 16 and luhn(digits) and issuer(digits) else "no card number"
    if kind == "mynumber":
        return "" if len(digits) == 12 and int(digits[-1]) == mynumber_check(digits[:11]) else "check digit"
    if kind == "corporate":
        return "" if len(digits) == 13 and int(digits[0]) == corporate_check(digits[1:]) else "check digit"
    return "" if re.fullmatch(r"0[1-9]\d{8,9}", digits) else "no phone number"
