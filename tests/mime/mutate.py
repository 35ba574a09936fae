#!/usr/bin/python3
"""Messages that nobody meant, made of samples: the same ones for a seed.

    tests/mime/mutate.py FOLDER COUNT [SEED]     writes FOLDER/NNNNN.eml
"""
import base64
import random
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CORPUS = HERE.parent / "corpus"
sys.path.insert(0, str(HERE))

import crafted  # noqa: E402

SEED = 20261123
LONGEST = 120_000
FIELDS = (
    b"Content-Type: multipart/mixed; boundary=AAA", b"Content-Type: text/html; charset=utf-7",
    b"Content-Type: message/rfc822", b"Content-Type: multipart/mixed", b"Content-Type: text/plain; charset=iso-2022-jp",
    b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: quoted-printable",
    b"Content-Disposition: attachment; filename*0*=utf-8''%E3; filename*2=x.zip", b"Content-Type: application/ms-tnef",
    b"Content-Disposition: inline; filename=\"=?iso-2022-jp?B?GyRC?=\"", b"To: a: b@c.example, ;, <@d:e@f.example>",
    b"Subject: =?utf-8?B?=?= =?utf-8?Q?=?=", b"Content-Type: text/plain; charset=utf-16", b"no field",
    b"Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=\"\"", b" folded", b"",
    b"Content-Type: message/partial; number=1", b"Content-Type: multipart/digest; boundary=part", b"\tx\0y",
)
BYTES = (b"\0", b"\r", b"\n", b"\x1b$B", b"\x1b(I", b"\x1b(J", b"\xff", b"\x80", b"=?", b"?=", b"--", b'"', b"(", b")", b";", b"=",
         b"%", b"\\", b"\r\n\r\n", b"\r\n ", b"'", b"*", b"PK\x03\x04", b"<", b"&#", b"\xe2\x80\xae", b"begin 644 x\r\n", b"=\r\n")


def seeds() -> list[bytes]:
    """Samples of attachments, crafted ones, and messages of the first labelled mails."""
    found = [file.read_bytes() for file in sorted((CORPUS / "attachments").glob("*.eml"))]
    found += crafted.messages().values()
    sys.path.insert(0, str(CORPUS))
    import build
    import mailfile

    found += [build.message(mail) for mail in mailfile.mails()[:80]]
    return [message for message in found if 0 < len(message) <= LONGEST]


def _at(chance: random.Random, message: bytes) -> int:
    return chance.randint(0, len(message))


def bytes_changed(chance: random.Random, message: bytes, _: list) -> bytes:
    out = bytearray(message)
    for _ in range(chance.choice((1, 1, 2, 8, 64))):
        if out:
            out[chance.randrange(len(out))] = chance.randrange(256)
    return bytes(out)


def bytes_put(chance: random.Random, message: bytes, _: list) -> bytes:
    at = _at(chance, message)
    return message[:at] + chance.choice(BYTES) * chance.choice((1, 1, 1, 3, 200)) + message[at + chance.choice((0, 0, 1, 4)):]


def lines_moved(chance: random.Random, message: bytes, _: list) -> bytes:
    lines = message.splitlines(keepends=True)
    for _ in range(chance.randint(1, 4)):
        if len(lines) > 1:
            how, i, j = chance.randrange(4), chance.randrange(len(lines)), chance.randrange(len(lines))
            if how == 0:
                del lines[i]
            elif how == 1:
                lines.insert(i, lines[j])
            elif how == 2:
                lines[i], lines[j] = lines[j], lines[i]
            else:
                lines[i] = lines[i].rstrip(b"\r\n") + chance.choice((b"", b"\n", b"\r", b" \r\n", b"\r\r\n"))
    return b"".join(lines)


def boundaries(chance: random.Random, message: bytes, _: list) -> bytes:
    delimiters = [m for m in re.finditer(rb"(?m)^--[^\r\n]+", message)]
    if not delimiters:
        return message + b"--AAA\r\n"
    one = chance.choice(delimiters)
    line = one.group()
    new = chance.choice((line + b"--", line[:-1], line + b"x", line + b" ", b" " + line, line + b"\r\n\r\n" + line, b"",
                         line.upper(), chance.choice(delimiters).group(), line + b"\r\n" + line + b"--\r\n" + line))
    return message[:one.start()] + new + message[one.end():]


def fields(chance: random.Random, message: bytes, _: list) -> bytes:
    """A header line before, behind or in place of another, wherever a header may be."""
    lines = list(re.finditer(rb"(?m)^[A-Za-z-]+:[^\r\n]*\r?\n", message))
    field = chance.choice(FIELDS) + b"\r\n"
    if not lines:
        return field + message
    line = chance.choice(lines)
    end = line.end() if chance.random() < 0.5 else line.start()
    return message[:line.start()] + field + message[end:]


def cut(chance: random.Random, message: bytes, _: list) -> bytes:
    at = _at(chance, message)
    return message[:at] if chance.random() < 0.7 else message[:at] + message[_at(chance, message):]


def spliced(chance: random.Random, message: bytes, others: list) -> bytes:
    other = chance.choice(others)
    return message[:_at(chance, message)] + other[_at(chance, other):]


def wrapped(chance: random.Random, message: bytes, others: list) -> bytes:
    """As a part of another, or beside it."""
    if chance.random() < 0.5:
        return crafted.HEAD + b"Content-Type: message/rfc822\r\n\r\n" + message
    boundary = chance.choice((b"AAA", b"part", b"x" * 69))
    parts = b"".join(b"--" + boundary + b"\r\n" + one + b"\r\n" for one in (message, chance.choice(others)))
    return crafted.mixed(parts, b"boundary=" + boundary)


def encoded(chance: random.Random, message: bytes, _: list) -> bytes:
    """Damages base64, or what it holds."""
    runs = list(re.finditer(rb"(?:[A-Za-z0-9+/]{40,76}\r?\n)+[A-Za-z0-9+/=]*", message))
    if not runs:
        return bytes_changed(chance, message, [])
    run = chance.choice(runs)
    text = run.group()
    if chance.random() < 0.6:
        letters = text.translate(None, b"\r\n=")
        content = bytearray(base64.b64decode(letters[:len(letters) // 4 * 4]))
        for _ in range(chance.choice((1, 2, 16))):
            content[chance.randrange(len(content))] = chance.choice((0, 0xFF, chance.randrange(256)))
        if chance.random() < 0.2:
            del content[chance.randrange(len(content)):]
        text = base64.encodebytes(bytes(content)).replace(b"\n", b"\r\n")
    else:
        at = chance.randrange(len(text))
        text = text[:at] + chance.choice((b"=", b"==", b"!", b"\r\n\r\n", b"-_", b"")) + text[at + chance.choice((0, 1, 2)):]
    return message[:run.start()] + text + message[run.end():]


WAYS = (bytes_changed, bytes_put, lines_moved, boundaries, fields, cut, spliced, wrapped, encoded, encoded)


def mutants(count: int, seed: int = SEED):
    """Yields `count` messages."""
    chance = random.Random(seed)
    samples = seeds()
    for _ in range(count):
        message = chance.choice(samples)
        for _ in range(chance.choice((1, 1, 2, 3, 6))):
            message = chance.choice(WAYS)(chance, message, samples)[:2 * LONGEST]
        yield message


def main(arguments: list[str]) -> int:
    if len(arguments) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 100
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    for i, message in enumerate(mutants(int(arguments[1]), int(arguments[2]) if len(arguments) == 3 else SEED)):
        (folder / f"{i:05}.eml").write_bytes(message)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
