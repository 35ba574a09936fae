#!/usr/bin/python3
"""Messages that mail programs read in different ways, beside those of tests/corpus/attachments.

    tests/mime/crafted.py FOLDER     writes FOLDER/NAME.eml

Charsets (M8), nesting, boundaries and headers against the grammar (M1), names (M3), transfer encodings
(M12), types of parts that some descend into (M9).
"""
import base64
import sys
from pathlib import Path

HEAD = b"From: a@example.co.jp\r\nTo: b@alpha.example\r\nSubject: crafted\r\nMIME-Version: 1.0\r\n"
TEXT = b"Content-Type: text/plain\r\n\r\nfirst\r\n"
FILE = b"Content-Type: application/x-sample\r\nContent-Disposition: attachment; filename=a.bin\r\n\r\nsecond\r\n"
JAPANESE = "見積書をお送りします。"


def of(fields: str | bytes, body: bytes = b"content\r\n") -> bytes:
    """One part alone. `fields` without the last line end."""
    return HEAD + (fields if isinstance(fields, bytes) else fields.encode()) + b"\r\n\r\n" + body


def mixed(body: bytes, parameter: bytes = b"boundary=AAA", kind: bytes = b"mixed") -> bytes:
    return HEAD + b"Content-Type: multipart/" + kind + b"; " + parameter + b"\r\n\r\n" + body


def two(boundary: bytes = b"AAA", parameter: bytes = b"boundary=AAA", kind: bytes = b"mixed") -> bytes:
    line = b"--" + boundary
    return mixed(line + b"\r\n" + TEXT + line + b"\r\n" + FILE + line + b"--\r\n", parameter, kind)


def named(fields: bytes, name: bytes = b"") -> bytes:
    """A file beside a text. `fields`: what stands behind "attachment"; `name`: behind the type."""
    part = b"Content-Type: application/x-sample" + name + b"\r\nContent-Disposition: attachment" + fields
    return mixed(b"--AAA\r\n" + TEXT + b"--AAA\r\n" + part + b"\r\n\r\nsecond\r\n--AAA--\r\n")


def text(charset: str, body: bytes, encoding: str = "8bit") -> bytes:
    label = f"; charset={charset}" if charset else ""
    return of(f"Content-Type: text/plain{label}\r\nContent-Transfer-Encoding: {encoding}", body)


def encoded(encoding: str, body: bytes) -> bytes:
    return of(f"Content-Type: application/x-sample\r\nContent-Transfer-Encoding: {encoding}", body)


def charsets() -> dict[str, bytes]:
    jis = JAPANESE.encode("iso-2022-jp")
    return {
        "jis": text("iso-2022-jp", jis + b"\r\n", "7bit"),
        "jis-half-kana": text("iso-2022-jp", b"\x1b(I6@\x36\x45\x1b(B\r\n", "7bit"),
        "jis-nec": text("iso-2022-jp", b"\x1b$B-!-j\x1b(B\r\n", "7bit"),
        "jis-roman": text("iso-2022-jp", b"\x1b(Ja\\b~c\x1b(B\r\n", "7bit"),
        "jis-open": text("iso-2022-jp", jis[:-3] + b"\r\nplain\r\n", "7bit"),
        "jis-unlabelled": text("", jis + b"\r\n", "7bit"),
        "jis-as-ascii": text("us-ascii", jis + b"\r\n", "7bit"),
        "jis-base64": text("iso-2022-jp", base64.encodebytes(jis).replace(b"\n", b"\r\n"), "base64"),
        "cp932": text("Shift_JIS", "①㈱髙\r\n".encode("cp932")),
        "cp932-cut": text("Shift_JIS", "見積".encode("cp932")[:-1] + b"\r\n"),
        "cp932-unlabelled": text("", (JAPANESE + "\r\n").encode("cp932")),
        "euc": text("euc-jp", (JAPANESE + "\r\n").encode("euc-jp")),
        "euc-three-bytes": text("euc-jp", b"\x8f\xb0\xa1\r\n"),
        "utf8-unlabelled": text("", (JAPANESE + "\r\n").encode()),
        "utf8-as-ascii": text("us-ascii", (JAPANESE + "\r\n").encode()),
        "utf8-as-latin": text("iso-8859-1", "é\r\n".encode()),
        "utf8-overlong": text("utf-8", b"\xc0\xafetc\xf8\x88\x80\x80\x80\r\n"),
        "utf8-surrogate": text("utf-8", b"a\xed\xa0\x80b\r\n"),
        "utf8-mark": text("utf-8", b"\xef\xbb\xbfmark\r\n"),
        "utf7": text("utf-7", b"+ADw-script+AD4-\r\n", "7bit"),
        "utf16": text("utf-16", base64.b64encode("見積\r\n".encode("utf-16")) + b"\r\n", "base64"),
        "utf16be": text("utf-16be", base64.b64encode("見積\r\n".encode("utf-16-be")) + b"\r\n", "base64"),
        "latin-control": text("iso-8859-1", b"\x80 \x93quoted\x94\r\n"),
        "charset-unknown": text("x-none", b"plain \xe9\r\n"),
        "charset-quoted": text('"utf-8"', (JAPANESE + "\r\n").encode()),
        "charset-comment": text("utf-8 (as sent)", (JAPANESE + "\r\n").encode()),
        "charset-twice": text("utf-8; charset=shift_jis", (JAPANESE + "\r\n").encode()),
        "gb18030": text("gb2312", "见积书\r\n".encode("gb18030")),
        "korean": text("ks_c_5601-1987", "견적서\r\n".encode("cp949")),
        "text-nul": text("utf-8", b"a\0b\r\n"),
    }


def nested() -> dict[str, bytes]:
    inner = of("Content-Type: text/html; charset=utf-8", b"<p>inner</p>\r\n")
    message = b"--AAA\r\nContent-Type: message/rfc822\r\n\r\n" + inner + b"--AAA--\r\n"
    deep = two()
    for _ in range(4):
        deep = HEAD + b"Content-Type: message/rfc822\r\n\r\n" + deep
    related = (b"--BBB\r\nContent-Type: multipart/alternative; boundary=CCC\r\n\r\n"
               b"--CCC\r\n" + TEXT + b"--CCC\r\nContent-Type: text/html\r\n\r\n<p>x</p>\r\n--CCC--\r\n"
               b"--BBB\r\nContent-Type: image/x-sample\r\nContent-ID: <i@x>\r\n\r\nimage\r\n--BBB--\r\n")
    status = b"Reporting-MTA: dns; example.co.jp\r\n\r\nFinal-Recipient: rfc822; b@alpha.example\r\nAction: failed\r\n"
    return {
        "message": mixed(b"--AAA\r\n" + TEXT + message),
        "message-multipart": mixed(b"--AAA\r\nContent-Type: message/rfc822\r\n\r\n"
                                   + two(b"BBB", b"boundary=BBB") + b"--AAA--\r\n"),
        "message-deep": deep,
        "message-same-boundary": mixed(b"--AAA\r\nContent-Type: message/rfc822\r\n\r\n" + two() + b"--AAA--\r\n"),
        "message-without-header": mixed(b"--AAA\r\nContent-Type: message/rfc822\r\n\r\n\r\nbody\r\n--AAA--\r\n"),
        "message-empty": mixed(b"--AAA\r\nContent-Type: message/rfc822\r\n\r\n--AAA--\r\n"),
        "message-base64": mixed(b"--AAA\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
                                + base64.encodebytes(inner) + b"--AAA--\r\n"),
        "message-quoted": mixed(b"--AAA\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: quoted-printable"
                                b"\r\n\r\n" + inner.replace(b"=", b"=3D") + b"--AAA--\r\n"),
        "message-global": mixed(b"--AAA\r\nContent-Type: message/global\r\n\r\n" + inner + b"--AAA--\r\n"),
        "message-news": mixed(b"--AAA\r\nContent-Type: message/news\r\n\r\n" + inner + b"--AAA--\r\n"),
        "message-http": mixed(b"--AAA\r\nContent-Type: message/http\r\n\r\nGET / HTTP/1.1\r\n--AAA--\r\n"),
        "message-attached": mixed(b"--AAA\r\nContent-Type: message/rfc822\r\nContent-Disposition: attachment; "
                                  b"filename=a.eml\r\n\r\n" + inner + b"--AAA--\r\n"),
        "digest": mixed(b"--AAA\r\n\r\n" + inner + b"--AAA\r\nContent-Type: text/plain\r\n\r\ntext\r\n--AAA--\r\n",
                        kind=b"digest"),
        "related": mixed(b"--AAA\r\nContent-Type: multipart/related; boundary=BBB\r\n\r\n" + related
                         + b"--AAA\r\n" + FILE + b"--AAA--\r\n"),
        "delivery-status": mixed(b"--AAA\r\n" + TEXT + b"--AAA\r\nContent-Type: message/delivery-status\r\n\r\n"
                                 + status + b"--AAA--\r\n", kind=b"report"),
        "headers": mixed(b"--AAA\r\nContent-Type: text/rfc822-headers\r\n\r\n" + HEAD + b"--AAA--\r\n"),
        "partial": of('Content-Type: message/partial; id="x@y"; number=1; total=2', inner),
        "external": of("Content-Type: message/external-body; access-type=URL; URL=\"http://alpha.example/\"",
                       b"Content-Type: text/plain\r\n\r\nphantom\r\n"),
        "unknown-multipart": two(kind=b"x-none"),
        "parallel": two(kind=b"parallel"),
        "form-data": two(kind=b"form-data"),
    }


def boundaries() -> dict[str, bytes]:
    long = b"L" * 100
    other = b"--BBB\r\nContent-Type: text/html\r\n\r\n<p>other</p>\r\n--BBB--\r\n"
    inner = b"Content-Type: multipart/mixed; boundary=AAAB\r\n\r\n--AAAB\r\n" + TEXT + b"--AAAB--\r\n"
    return {
        "boundary-quoted": two(b"A B?", b'boundary="A B?"'),
        "boundary-escaped": two(b'A"B', b'boundary="A\\"B"'),
        "boundary-pieces": two(b"AAABBB", b"boundary*0=AAA; boundary*1=BBB"),
        "boundary-extended": two(b"AAA", b"boundary*=us-ascii''%41AA"),
        "boundary-word": two(b"AAA", b'boundary="=?us-ascii?Q?AAA?="'),
        "boundary-comment": two(b"AAA", b"boundary=AAA (comment)"),
        "boundary-comment-within": two(b"AAA", b"boundary=(comment)AAA"),
        "boundary-blank-quoted": two(b"AAA", b'boundary="AAA "'),
        "boundary-blank-line": two(b"AAA \t", b"boundary=AAA"),
        "boundary-case": two(b"aaa", b"boundary=AAA"),
        "boundary-twice": mixed(b"--AAA\r\n" + TEXT + b"--AAA--\r\n" + other, b"boundary=AAA; boundary=BBB"),
        "boundary-missing": two(b"AAA", b"charset=utf-8"),
        "boundary-empty": two(b"", b'boundary=""'),
        "boundary-long": two(long, b"boundary=" + long),
        "boundary-unquoted-marks": two(b"A=?:B", b"boundary=A=?:B"),
        "boundary-open-quote": two(b"AAA", b'boundary="AAA'),
        "boundary-prefix": mixed(b"--AAA\r\n" + inner + b"--AAA\r\n" + FILE + b"--AAA--\r\n"),
        "boundary-text": mixed(b"--AAA\r\n" + TEXT + b"--AAA more\r\n" + FILE + b"--AAA--\r\n"),
        "boundary-text-joined": mixed(b"--AAA\r\n" + TEXT + b"--AAAmore\r\n" + FILE + b"--AAA--\r\n"),
        "boundary-same": mixed(b"--AAA\r\nContent-Type: multipart/mixed; boundary=AAA\r\n\r\n--AAA\r\n" + TEXT
                               + b"--AAA--\r\n--AAA\r\n" + FILE + b"--AAA--\r\n"),
        "boundary-not-at-start": mixed(b"--AAA\r\n" + TEXT + b" --AAA\r\n" + FILE + b"--AAA--\r\n"),
        "boundary-inner-ends-outer": mixed(b"--AAA\r\nContent-Type: multipart/mixed; boundary=BBB\r\n\r\n--BBB\r\n"
                                           + TEXT + b"--AAA\r\n" + FILE + b"--AAA--\r\n"),
        "close-missing": mixed(b"--AAA\r\n" + TEXT + b"--AAA\r\n" + FILE),
        "close-first": mixed(b"--AAA--\r\n" + TEXT + b"--AAA\r\n" + FILE + b"--AAA--\r\n"),
        "close-behind": mixed(b"--AAA\r\n" + TEXT + b"--AAA--\r\n--AAA\r\n" + FILE + b"--AAA--\r\n"),
        "close-text": mixed(b"--AAA\r\n" + TEXT + b"--AAA--more\r\n" + FILE),
        "preamble-epilogue": mixed(b"before\r\n\r\n--AAA\r\n" + TEXT + b"--AAA--\r\nbehind\r\n"),
        "multipart-empty": mixed(b""),
        "multipart-only-close": mixed(b"--AAA--\r\n"),
        "multipart-empty-part": mixed(b"--AAA\r\n\r\n--AAA\r\n--AAA--\r\n"),
        "multipart-base64": HEAD + b"Content-Transfer-Encoding: base64\r\n" + two()[len(HEAD):],
        "multipart-encoded": HEAD + b"Content-Transfer-Encoding: base64\r\nContent-Type: multipart/mixed; boundary=AAA"
                             b"\r\n\r\n" + base64.encodebytes(b"--AAA\r\n" + TEXT + b"--AAA--\r\n"),
    }


def headers() -> dict[str, bytes]:
    plain = of("Content-Type: text/plain")
    cr = two().replace(b"\r\n", b"\r")
    return {
        "type-twice": of("Content-Type: text/plain\r\nContent-Type: text/html", b"<p>x</p>\r\n"),
        "type-twice-multipart": HEAD + b"Content-Type: text/plain\r\n" + two()[len(HEAD):],
        "type-twice-second-plain": HEAD + b"Content-Type: multipart/mixed; boundary=AAA\r\n" + TEXT[:-7]
                                   + b"--AAA\r\n" + FILE + b"--AAA--\r\n",
        "type-empty": of("Content-Type: "),
        "type-alone": of("Content-Type: text"),
        "type-blank": of("Content-Type: text / html", b"<p>x</p>\r\n"),
        "type-comment": of("Content-Type: text/html (comment)", b"<p>x</p>\r\n"),
        "type-comment-first": of("Content-Type: (comment) text/html", b"<p>x</p>\r\n"),
        "type-upper": of("CONTENT-TYPE: TEXT/HTML", b"<p>x</p>\r\n"),
        "type-folded": of("Content-Type:\r\n text/html;\r\n\tcharset=utf-8", b"<p>x</p>\r\n"),
        "type-comma": of("Content-Type: text/html, charset=utf-8", b"<p>x</p>\r\n"),
        "type-missing": HEAD + b"\r\ncontent\r\n",
        "encoding-twice": of("Content-Type: application/x-sample\r\nContent-Transfer-Encoding: 7bit\r\n"
                             "Content-Transfer-Encoding: base64", b"dGV4dA==\r\n"),
        "encoding-comment": encoded("base64 (as ever)", b"dGV4dA==\r\n"),
        "encoding-blank": encoded(" base64 ", b"dGV4dA==\r\n"),
        "encoding-quoted": encoded('"base64"', b"dGV4dA==\r\n"),
        "encoding-semicolon": encoded("base64;", b"dGV4dA==\r\n"),
        "encoding-unknown": encoded("base-64", b"dGV4dA==\r\n"),
        "encoding-uuencode": encoded("x-uuencode", b"begin 644 a.txt\r\n$=&5X=```\r\n`\r\nend\r\n"),
        "header-open": HEAD.replace(b"crafted\r\n", b"crafted\r\nno field at all\r\n") + b"\r\ncontent\r\n",
        "header-blank-line": HEAD + b" \r\nContent-Type: text/html\r\n\r\n<p>x</p>\r\n",
        "header-blank-colon": of("Content-Type : text/html", b"<p>x</p>\r\n"),
        "header-folded-first": b" folded\r\n" + plain,
        "header-from-line": b"From a@example.co.jp Mon Nov 16 09:30:00 2026\r\n" + plain,
        "header-no-end": HEAD + b"Content-Type: text/plain",
        "header-nul": of(b"Content-Type: text/ht\0ml", b"<p>x</p>\r\n"),
        "header-bare-cr": of(b"X-A: b\rContent-Type: text/html", b"<p>x</p>\r\n"),
        "empty": b"",
        "one-line-end": b"\r\n",
        "only-body": b"\r\nbody\r\n",
        "only-header": HEAD + b"\r\n",
        "no-field": b"just text\r\nand more\r\n",
        "lf": two().replace(b"\r\n", b"\n"),
        "cr": cr,
        "lf-header": of("Content-Type: text/plain").replace(b"\r\n", b"\n", 5),
        "lf-parts": mixed(b"--AAA\n" + TEXT.replace(b"\r\n", b"\n") + b"--AAA\n" + FILE.replace(b"\r\n", b"\n")
                          + b"--AAA--\n"),
        "part-header-line": mixed(b"--AAA\r\nno field\r\nContent-Type: text/html\r\n\r\n<p>x</p>\r\n--AAA--\r\n"),
        "part-header-open": mixed(b"--AAA\r\nContent-Type: text/html\r\n--AAA--\r\n"),
    }


def names() -> dict[str, bytes]:
    word = "=?utf-8?B?" + base64.b64encode("見積書.pdf".encode()).decode() + "?="
    half = base64.b64encode("見積書".encode()[:4]).decode(), base64.b64encode("見積書".encode()[4:] + b".pdf").decode()
    return {
        "name-token": named(b"; filename=a.bin"),
        "name-blank": named(b"; filename=a b.bin"),
        "name-semicolon": named(b'; filename="a;b.bin"'),
        "name-escaped": named(b'; filename="a\\"b.bin"'),
        "name-backslash": named(b'; filename="C:\\tmp\\a.bin"'),
        "name-single-quotes": named(b"; filename='a.bin'"),
        "name-comment": named(b"; filename=a.bin (comment)"),
        "name-open-quote": named(b'; filename="a.bin'),
        "name-folded": named(b';\r\n filename="a\r\n b.bin"'),
        "name-no-semicolon": named(b" filename=a.bin"),
        "name-blanks-around": named(b"; filename = a.bin"),
        "name-2231": named("; filename*=utf-8''%E8%A6%8B%E7%A9%8D.pdf".encode()),
        "name-2231-language": named(b"; filename*=utf-8'ja'%E8%A6%8B.pdf"),
        "name-2231-quoted": named(b"; filename*=\"utf-8''%E8%A6%8B.pdf\""),
        "name-2231-jis": named(b"; filename*=iso-2022-jp''%1B%24B8%2B%1B%28B.pdf"),
        "name-2231-no-charset": named(b"; filename*=%E8%A6%8B.pdf"),
        "name-2231-bad-charset": named(b"; filename*=x-none''%E8%A6%8B.pdf"),
        "name-2231-bad-percent": named(b"; filename*=utf-8''a%ZZb%4.pdf"),
        "name-2231-pieces": named(b"; filename*0*=utf-8''%E8%A6; filename*1*=%8B; filename*2=.pdf"),
        "name-2231-plain-pieces": named(b"; filename*0=\"long \"; filename*1=\"name.pdf\""),
        "name-2231-gap": named(b"; filename*0=a; filename*2=b.pdf"),
        "name-2231-from-one": named(b"; filename*1=a; filename*2=.pdf"),
        "name-2231-and-plain": named(b"; filename=plain.pdf; filename*=utf-8''star.pdf"),
        "name-percent-plain": named(b"; filename=\"%E8%A6%8B.pdf\""),
        "name-2047": named(f'; filename="{word}"'.encode()),
        "name-2047-token": named(f"; filename={word}".encode()),
        "name-2047-split": named(f'; filename="=?utf-8?B?{half[0]}?= =?utf-8?B?{half[1]}?="'.encode()),
        "name-2047-behind-text": named(f'; filename="a {word}"'.encode()),
        "name-2047-joined": named(f'; filename="a{word}"'.encode()),
        "name-2047-blank-within": named(b'; filename="=?utf-8?Q?a b.pdf?="'),
        "name-2047-in-2231": named(b"; filename*=utf-8''=?utf-8?Q?a.pdf?="),
        "name-raw-utf8": named('; filename="見積書.pdf"'.encode()),
        "name-raw-cp932": named('; filename="見積書.pdf"'.encode("cp932")),
        "name-raw-jis": named('; filename="見積書.pdf"'.encode("iso-2022-jp")),
        "name-twice": named(b"; filename=a.pdf; filename=b.exe"),
        "name-conflict": named(b"; filename=a.pdf", b"; name=b.exe"),
        "name-of-type": named(b"", b"; name=a.pdf"),
        "name-empty": named(b'; filename=""', b"; name=a.pdf"),
        "name-upper": named(b"; FILENAME=a.pdf"),
        "name-nul": named(b'; filename="a.pdf\0.exe"'),
    }


def encodings() -> dict[str, bytes]:
    return {
        "base64-junk": encoded("base64", b"dG!V4*d\r\n-A==\r\n"),
        "base64-cut": encoded("base64", b"dGV4dA\r\n"),
        "base64-one-letter": encoded("base64", b"dGV4d\r\n"),
        "base64-padding-within": encoded("base64", b"dGV4dA==\r\ndGV4dA==\r\n"),
        "base64-behind": encoded("base64", b"dGV4dA==\r\n\r\nbehind the end\r\n"),
        "base64-one-line": encoded("base64", base64.b64encode(b"x" * 3000)),
        "base64-short-lines": encoded("base64", b"d\r\nG\r\nV\r\n4\r\nd\r\nA\r\n=\r\n=\r\n"),
        "base64-blank-lines": encoded("base64", b"\r\n\r\ndGV4\r\n\r\ndA==\r\n"),
        "base64-url": encoded("base64", b"-_-_\r\n"),
        "base64-text-first": encoded("base64", b"This is text:\r\n\r\ndGV4dA==\r\n"),
        "base64-binary": encoded("base64", base64.encodebytes(bytes(range(256))).replace(b"\n", b"\r\n")),
        "base64-three-padding": encoded("base64", b"dA===\r\n"),
        "quoted-soft": encoded("quoted-printable", b"one=\r\ntwo=20=\r\n three\r\n"),
        "quoted-soft-blanks": encoded("quoted-printable", b"one= \t\r\ntwo\r\n"),
        "quoted-lower": encoded("quoted-printable", b"=e3=81=82\r\n"),
        "quoted-bad": encoded("quoted-printable", b"a=ZZb=4\r\n==41\r\n"),
        "quoted-end": encoded("quoted-printable", b"end="),
        "quoted-blanks-at-end": encoded("quoted-printable", b"one  \r\ntwo\t\r\n"),
        "quoted-raw": encoded("quoted-printable", "é\r\n".encode()),
        "quoted-cr": encoded("quoted-printable", b"one=\rtwo\r\n"),
        "quoted-lf": encoded("quoted-printable", b"one=\ntwo\n"),
        "binary": of("Content-Type: application/x-sample\r\nContent-Transfer-Encoding: binary",
                     bytes(range(256))),
        "long-line": encoded("7bit", b"x" * 70000 + b"\r\n"),
        "no-line-end": encoded("7bit", b"no line end"),
    }


def messages() -> dict[str, bytes]:
    found = {}
    for group in (charsets, nested, boundaries, headers, names, encodings):
        for name, message in group().items():
            assert f"crafted-{name}" not in found, name
            found[f"crafted-{name}"] = message
    return found


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 100
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    for name, message in messages().items():
        (folder / f"{name}.eml").write_bytes(message)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
