#!/usr/bin/python3
"""Makes the samples of this folder: one message for each case of what an attachment is (C7, C8).

    tests/corpus/attachments/make.py [FOLDER]     writes FOLDER/*.eml (this folder)

They are committed; signatures and encrypted content differ from run to run. Needs openssl, gpg, zip, 7z,
qpdf and python3-reportlab. What must be told of each stands in `table`.
"""
import base64
import binascii
import io
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from urllib.parse import quote

CRLF = "\r\n"
HEAD = ("From: alice@example.co.jp\r\nTo: bob@alpha.example\r\nSubject: {}\r\n"
        "Date: Mon, 16 Nov 2026 09:30:00 +0900\r\nMessage-ID: <{}@example.co.jp>\r\nMIME-Version: 1.0\r\n")
TEXT = "Content-Type: text/plain; charset=utf-8\r\n\r\nお世話になっております。\r\n".encode()
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


# ---- messages ----------------------------------------------------------------------------------


def part(fields: str, content: bytes) -> bytes:
    """In base64. `fields` without the last line end."""
    return f"{fields}\r\nContent-Transfer-Encoding: base64\r\n\r\n".encode() + base64.encodebytes(content).replace(b"\n", b"\r\n")


def plain(fields: str, text: str) -> bytes:
    return f"{fields}\r\n\r\n".encode() + text.replace("\n", CRLF).encode()


def multipart(kind: str, parts: list[bytes], boundary: str = "part") -> bytes:
    out = f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'.encode()
    for one in parts:
        out += f"--{boundary}\r\n".encode() + one.removesuffix(b"\r\n") + b"\r\n"
    return out + f"--{boundary}--\r\n".encode()


def attached(name_fields: str, content: bytes, kind: str = "application/octet-stream") -> bytes:
    return part(f"Content-Type: {kind}\r\nContent-Disposition: attachment{name_fields}", content)


def file(name: str, content: bytes, kind: str = "application/octet-stream") -> bytes:
    return attached(f'; filename="{name}"', content, kind)


def with_file(*files: bytes) -> bytes:
    return multipart("mixed", [TEXT, *files])


def run(*argv: str, cwd: Path, given: bytes = b"") -> bytes:
    return subprocess.run(argv, cwd=cwd, input=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True).stdout


# ---- files -------------------------------------------------------------------------------------


def pdf(text: str = "Sample") -> bytes:
    from reportlab.pdfgen import canvas

    out = io.BytesIO()
    page = canvas.Canvas(out, invariant=1)
    page.drawString(72, 720, text)
    page.save()
    return out.getvalue()


def encrypted_pdf(work: Path) -> bytes:
    (work / "plain.pdf").write_bytes(pdf())
    run("qpdf", "--encrypt", "secret", "owner", "256", "--", "plain.pdf", "sealed.pdf", cwd=work)
    return (work / "sealed.pdf").read_bytes()


def program() -> bytes:
    """The smallest that is taken for one of Windows."""
    return b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + struct.pack("<HHIIIHH", 0x14C, 0, 0, 0, 0, 0, 0x102) + bytes(64)


def zipped(*members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name, (2026, 11, 16, 9, 30, 0)), content)
    return out.getvalue()


def tar_gz() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        member = tarfile.TarInfo("a.txt")
        member.size = 6
        archive.addfile(member, io.BytesIO(b"text\r\n"))
    return out.getvalue()


def sealed_zip(work: Path, some: bool) -> bytes:
    for name in ("a.txt", "b.txt"):
        (work / name).write_text(f"text of {name}\n")
    (work / "sealed.zip").unlink(missing_ok=True)
    run("zip", "-q", "-X", "-P", "secret", "sealed.zip", "a.txt", *(() if some else ("b.txt",)), cwd=work)
    if some:
        run("zip", "-q", "-X", "sealed.zip", "b.txt", cwd=work)
    return (work / "sealed.zip").read_bytes()


def sealed_7z(work: Path, kind: str, *options: str) -> bytes:
    (work / "a.txt").write_text("text of a.txt\n")
    name = f"sealed{len(options)}.{kind}"
    (work / name).unlink(missing_ok=True)
    run("7z", "a", "-bd", f"-t{kind}", "-psecret", *options, name, "a.txt", cwd=work)
    return (work / name).read_bytes()


def rar4() -> bytes:
    """RAR 4 with one stored member, marked as encrypted with a salt."""
    def block(kind: int, flags: int, body: bytes) -> bytes:
        head = struct.pack("<BHH", kind, flags, 7 + len(body)) + body
        return struct.pack("<H", binascii.crc32(head) & 0xFFFF) + head

    content, name = bytes(range(48)), b"a.txt"
    member = struct.pack("<IIBIIBBHI", len(content), 40, 2, 0x12345678, 0x5D704BC0, 29, 0x30, len(name), 0x20) + name + bytes(8)
    return (b"Rar!\x1a\x07\0" + block(0x73, 0, bytes(6)) + block(0x74, 0x8404, member) + content + block(0x7B, 0x4000, b""))


def rar5() -> bytes:
    """RAR 5 whose headers are encrypted: names cannot be seen either."""
    body = bytes((4, 0, 0, 0, 15)) + bytes(range(16))
    size = bytes((len(body),))
    return b"Rar!\x1a\x07\x01\0" + struct.pack("<I", binascii.crc32(size + body)) + size + body + bytes(range(64))


def compound_file(streams: list[tuple[str, bytes]]) -> bytes:
    """An OLE2 compound file with streams of at least 4096 bytes, sectors of 512."""
    sector = 512
    data, chain = b"", []
    places = []
    first = 2  # sector 0: the table, sector 1: the directory
    for _, content in streams:
        count = -(-len(content) // sector)
        places.append(first)
        chain += [first + i + 1 for i in range(count - 1)] + [0xFFFFFFFE]
        data += content.ljust(count * sector, b"\0")
        first += count
    table = [0xFFFFFFFD, 0xFFFFFFFE, *chain]
    assert len(table) <= sector // 4
    table += [0xFFFFFFFF] * (sector // 4 - len(table))

    def entry(name: str, kind: int, right: int, child: int, start: int, size: int) -> bytes:
        code = name.encode("utf-16-le") + b"\0\0"
        return (code.ljust(64, b"\0") + struct.pack("<HBBIII", len(code), kind, 1, 0xFFFFFFFF, right, child) + bytes(36)
                + struct.pack("<IQ", start, size))

    directory = entry("Root Entry", 5, 0xFFFFFFFF, 1, 0xFFFFFFFE, 0)
    for i, ((name, content), place) in enumerate(zip(streams, places)):
        right = i + 2 if i + 1 < len(streams) else 0xFFFFFFFF
        directory += entry(name, 2, right, 0xFFFFFFFF, place, len(content))
    head = (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
            + struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0) + struct.pack("<I", 0))
    return head.ljust(sector, b"\xff") + struct.pack("<128I", *table) + directory.ljust(sector, b"\0") + data


def sealed_ooxml() -> bytes:
    """As Office writes it ([MS-OFFCRYPTO] 2.3.4.10); what is in it opens for nobody."""
    info = struct.pack("<HHI", 4, 4, 0x40) + (
        b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n'
        b'<encryption xmlns="http://schemas.microsoft.com/office/2006/encryption" '
        b'xmlns:p="http://schemas.microsoft.com/office/2006/keyEncryptor/password">'
        b'<keyData saltSize="16" blockSize="16" keyBits="256" hashSize="64" cipherAlgorithm="AES" '
        b'cipherChaining="ChainingModeCBC" hashAlgorithm="SHA512" saltValue="AAECAwQFBgcICQoLDA0ODw=="/></encryption>')
    package = struct.pack("<Q", 4000) + bytes(i * 37 % 251 for i in range(4096))
    return compound_file([("EncryptionInfo", info.ljust(4096, b" ")), ("EncryptedPackage", package)])


def tnef(name: str, content: bytes) -> bytes:
    """[MS-OXTNEF]: one attachment, its name in CP932."""
    def attribute(level: int, ident: int, data: bytes) -> bytes:
        return struct.pack("<BII", level, ident, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)

    return (struct.pack("<IH", 0x223E9F78, 1)
            + attribute(1, 0x00089006, struct.pack("<I", 0x10000))
            + attribute(1, 0x00069007, struct.pack("<II", 932, 0))
            + attribute(1, 0x00078008, b"IPM.Microsoft Mail.Note\0")
            + attribute(2, 0x00069002, struct.pack("<HIHHI", 1, 0xFFFFFFFF, 0, 0, 0))
            + attribute(2, 0x00018010, name.encode("cp932") + b"\0")
            + attribute(2, 0x0006800F, content))


def uuencoded(name: str, content: bytes) -> str:
    lines = [binascii.b2a_uu(content[i:i + 45], backtick=True).decode().rstrip("\n") for i in range(0, len(content), 45)]
    return "\r\n".join([f"begin 644 {name}", *lines, "`", "end", ""])


def yencoded(name: str, content: bytes) -> bytes:
    out = bytearray()
    for byte in content:
        code = (byte + 42) & 0xFF
        out += bytes((61, (code + 64) & 0xFF)) if code in (0, 10, 13, 61) else bytes((code,))
    return (f"=ybegin line=128 size={len(content)} name={name}\r\n".encode() + bytes(out)
            + f"\r\n=yend size={len(content)} crc32={binascii.crc32(content):08x}\r\n".encode())


# ---- signatures --------------------------------------------------------------------------------


def certificate(work: Path) -> None:
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "3650",
        "-subj", "/CN=Alice/emailAddress=alice@example.co.jp", cwd=work)


def signed(protocol: str, content: bytes, signature: bytes) -> bytes:
    return multipart(f'signed; protocol="{protocol}"; micalg=sha-256', [content, signature], "signed")


def smime_signature(work: Path, content: bytes) -> bytes:
    return run("openssl", "cms", "-sign", "-binary", "-signer", "cert.pem", "-inkey", "key.pem", "-outform", "DER",
               cwd=work, given=content)


def smime_signed(work: Path, content: bytes) -> bytes:
    content = content.removesuffix(b"\r\n")  # that belongs to the delimiter
    return signed("application/pkcs7-signature", content,
                  file("smime.p7s", smime_signature(work, content), 'application/pkcs7-signature; name="smime.p7s"'))


def smime_opaque(work: Path, kind: str, *options: str) -> bytes:
    code = run("openssl", "cms", *options, "-outform", "DER", *(("cert.pem",) if "-encrypt" in options else ()), cwd=work, given=TEXT)
    return file("smime.p7m", code, f'application/pkcs7-mime; smime-type={kind}; name="smime.p7m"')


def gpg(work: Path, given: bytes, *options: str) -> bytes:
    return run("gpg", "--homedir", str(work / "gpg"), "--batch", "--yes", "--trust-model", "always", "--armor", *options,
               cwd=work, given=given).replace(b"\n", b"\r\n")


def pgp_key(work: Path) -> None:
    (work / "gpg").mkdir(mode=0o700)
    run("gpg", "--homedir", str(work / "gpg"), "--batch", "--passphrase", "", "--quick-generate-key", "alice@example.co.jp", "default",
        "default", "never", cwd=work)


# ---- the cases ---------------------------------------------------------------------------------


def inline(html: str, image: bytes) -> bytes:
    return multipart("related", [plain("Content-Type: text/html; charset=utf-8", f"<html><body>{html}</body></html>\n"), image])


def picture(fields: str) -> bytes:
    return part(f"Content-Type: image/png{fields}", PNG)


def shown_images() -> dict[str, bytes]:
    shows = '<p>Logo <img src="cid:logo@example.co.jp"></p>'
    ident = "\r\nContent-ID: <logo@example.co.jp>"
    named = '; name="logo.png"'
    return {
        "inline-shown": inline(shows, picture(f'{named}{ident}\r\nContent-Disposition: inline; filename="logo.png"')),
        "inline-not-shown": inline("<p>No logo</p>", picture(f'{named}{ident}\r\nContent-Disposition: inline; filename="logo.png"')),
        "inline-nameless": inline(shows, picture(f"{ident}\r\nContent-Disposition: inline")),
        "inline-attached": inline(shows, picture(f'{ident}\r\nContent-Disposition: attachment; filename="logo.png"')),
        "inline-encoded-cid": inline('<img src="cid:logo%40example.co.jp">', picture(f"{named}{ident}")),
        "inline-pdf": inline(shows, part(f'Content-Type: application/pdf; name="logo.pdf"{ident}', pdf())),
    }


def sealed_messages(work: Path) -> dict[str, bytes]:
    certificate(work)
    pgp_key(work)
    version = plain("Content-Type: application/pgp-encrypted", "Version: 1\n")
    armour = gpg(work, TEXT, "--encrypt", "--recipient", "alice@example.co.jp")
    signature = gpg(work, TEXT.removesuffix(b"\r\n"), "--detach-sign")
    return {
        "smime-signed": smime_signed(work, TEXT),
        "smime-signed-file": smime_signed(work, with_file(file("quote.pdf", pdf(), "application/pdf"))),
        "smime-signature-alone": with_file(file("smime.p7s", smime_signature(work, TEXT), "application/pkcs7-signature")),
        "smime-opaque": smime_opaque(work, "signed-data", "-sign", "-nodetach", "-signer", "cert.pem", "-inkey", "key.pem"),
        "smime-encrypted": smime_opaque(work, "enveloped-data", "-encrypt", "-aes256"),
        "pgp-signed": signed("application/pgp-signature", TEXT, plain('Content-Type: application/pgp-signature; name="signature.asc"',
                                                                     signature.decode().replace(CRLF, "\n"))),
        "pgp-encrypted": multipart('encrypted; protocol="application/pgp-encrypted"', [
            version, plain('Content-Type: application/octet-stream; name="encrypted.asc"', armour.decode().replace(CRLF, "\n"))]),
        "pgp-inline": plain("Content-Type: text/plain; charset=utf-8", armour.decode().replace(CRLF, "\n")),
    }


CALENDAR = ("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//example//EN\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:1@example.co.jp\n"
            "DTSTAMP:20261116T003000Z\nDTSTART:20261120T010000Z\nSUMMARY:打ち合わせ\nEND:VEVENT\nEND:VCALENDAR\n")


def structures() -> dict[str, bytes]:
    quote_pdf = file("quote.pdf", pdf(), "application/pdf")
    inner = HEAD.format("Inner", "inner").encode() + with_file(quote_pdf).replace(b'"part"', b'"inner"').replace(b"--part", b"--inner")
    plain_mail = HEAD.format("Plain", "plain").encode() + TEXT
    html = plain("Content-Type: text/html; charset=utf-8", "<p>Text</p>\n")
    apple = multipart("mixed", [html, part('Content-Type: application/pdf; name="quote.pdf"\r\nContent-Disposition: inline; filename="quote.pdf"', pdf()),
                                html], "mixed")
    related = multipart("related", [plain("Content-Type: text/html", '<img src="cid:i@x.example">\n'),
                                    picture('; name="i.png"\r\nContent-ID: <i@x.example>')], "related")
    status = "Reporting-MTA: dns; mail.example.co.jp\n\nFinal-Recipient: rfc822; nobody@alpha.example\nAction: failed\nStatus: 5.1.1\n"
    return {
        "plain": TEXT,
        "alternative": multipart("alternative", [TEXT, html]),
        "calendar-alternative": multipart("alternative", [TEXT, plain("Content-Type: text/calendar; charset=utf-8; method=REQUEST", CALENDAR)]),
        "calendar-attached": with_file(file("invite.ics", CALENDAR.replace("\n", CRLF).encode(), "text/calendar; charset=utf-8")),
        "message": with_file(b"Content-Type: message/rfc822\r\n\r\n" + inner),
        "message-named": with_file(b'Content-Type: message/rfc822; name="forwarded.eml"\r\nContent-Disposition: attachment;'
                                   b' filename="forwarded.eml"\r\n\r\n' + plain_mail),
        "message-base64": with_file(file("forwarded.eml", inner, "message/rfc822")),
        "digest": multipart("digest", [b"\r\n" + plain_mail, b"\r\n" + inner]),
        "winmail": with_file(file("winmail.dat", tnef("見積書.txt", "お見積りは 03-1234-5678 まで\r\n".encode("cp932")), "application/ms-tnef")),
        "winmail-alone": file("winmail.dat", tnef("quote.txt", b"Quote\r\n"), "application/ms-tnef"),
        "partial": plain('Content-Type: message/partial; id="1@example.co.jp"; number=1; total=2', "Content-Type: text/plain\n\nhalf of it\n"),
        "external": with_file(plain('Content-Type: message/external-body; access-type=URL; URL="https://files.alpha.example/a.zip"',
                                    "Content-Type: application/zip\nContent-ID: <1@example.co.jp>\n\n")),
        "apple": multipart("alternative", [TEXT, apple], "alternative"),
        "apple-related": multipart("mixed", [multipart("alternative", [TEXT, related], "alternative"), quote_pdf], "outer"),
        "report": multipart("report; report-type=delivery-status", [TEXT, plain("Content-Type: message/delivery-status", status),
                                                                   plain("Content-Type: text/rfc822-headers", "From: alice@example.co.jp\nSubject: x\n")]),
        "report-original": multipart("report; report-type=delivery-status", [
            TEXT, plain("Content-Type: message/delivery-status", status), b"Content-Type: message/rfc822\r\n\r\n" + plain_mail]),
        "text-attached": with_file(attached("", "メモ\r\n".encode(), "text/plain; charset=utf-8")),
        "text-inline-named": with_file(part('Content-Type: text/plain; charset=utf-8; name="notes.txt"\r\nContent-Disposition: inline',
                                            "メモ\r\n".encode())),
        "text-second": with_file(plain("Content-Type: text/plain; charset=utf-8", "-- \n社名の入ったフッター\n")),
        "html-attached": with_file(file("page.html", b"<html><body>Page</body></html>\r\n", "text/html")),
        "three-files": with_file(*(file(f"{n}.pdf", pdf(n), "application/pdf") for n in "abc")),
        "single-file": file("quote.pdf", pdf(), "application/pdf"),
        "empty-file": with_file(file("empty.txt", b"", "text/plain")),
    }


def in_text() -> dict[str, bytes]:
    words = "資料をお送りします。\r\n\r\n"
    content = "見積り 1,000円\r\n".encode() * 8
    code = base64.encodebytes(content).decode().replace("\n", CRLF)
    head = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    return {
        "uuencode": head + (words + uuencoded("quote.txt", content) + "\r\n以上\r\n").encode(),
        "uuencode-two": head + (words + uuencoded("a.txt", content) + uuencoded("b.zip", zipped(("c.txt", content)))).encode(),
        "uuencode-base64": head + (words + f"begin-base64 644 quote.txt\r\n{code}====\r\n").encode(),
        "uuencode-talk": head + "begin 10 days before\r\nthe fair, please\r\nend\r\n".encode(),
        "yenc": b"Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\nA file:\r\n" + yencoded("quote.txt", content),
    }


def names() -> dict[str, bytes]:
    text = b"text\r\n"

    def star(name: str) -> str:
        return f"; filename*=utf-8''{quote(name, safe='')}"

    def word(name: str, charset: str = "utf-8") -> str:
        return f"=?{charset}?B?{base64.b64encode(name.encode(charset)).decode()}?="

    return {
        "nameless": with_file(attached("", pdf(), "application/pdf")),
        "nameless-empty": with_file(attached('; filename=""', pdf(), "application/pdf")),
        "nameless-blank": with_file(attached('; filename="  "', pdf(), "application/pdf")),
        "name-conflict": with_file(part('Content-Type: application/octet-stream; name="invoice.exe"\r\n'
                                        'Content-Disposition: attachment; filename="invoice.pdf"', program())),
        "name-twice": with_file(attached('; filename="a.txt"; filename="b.exe"', text)),
        "name-plain-and-star": with_file(attached(f'; filename="mitsumori.txt"{star("見積書.txt")}', text)),
        "name-rtlo": with_file(attached(star("invoice\u202efdp.exe"), program())),
        "name-full-width": with_file(attached(star("請求書．ｅｘｅ"), program())),
        "name-cyrillic": with_file(attached(star("рaypаl.pdf"), pdf())),
        "name-double": with_file(attached('; filename="quote.pdf.exe"', program())),
        "name-path": with_file(attached('; filename="../../etc/quote.txt"', text)),
        "name-reserved": with_file(attached('; filename="CON.txt"', text)),
        "name-unseen": with_file(attached(star("quote\u200b.pdf"), pdf())),
        "name-compound": with_file(file("a.TAR.GZ", tar_gz(), "application/gzip")),
        "name-blank-behind": with_file(file("a.tar.gz ", tar_gz(), "application/gzip")),
        "name-2231-split": with_file(attached(";\r\n filename*0*=utf-8''%E8%A6%8B%E7;\r\n filename*1*=%A9%8D%E6%9B%B8;\r\n filename*2=\".xlsx\"", text)),
        "name-2231-order": with_file(attached(";\r\n filename*1=\"second.txt\";\r\n filename*0=\"first-\"", text)),
        "name-2231-gap": with_file(attached(";\r\n filename*0=\"first.txt\";\r\n filename*2=\".exe\"", text)),
        "name-2047-quoted": with_file(attached(f'; filename="{word("見積書.txt")}"', text)),
        "name-2047-microsoft": with_file(part('Content-Type: text/plain; name="=?ISO-2022-JP?B?GyRCLSEbKEIudHh0?="\r\nContent-Disposition: attachment', text)),
        "name-raw": with_file(b'Content-Type: text/plain\r\nContent-Disposition: attachment; filename="' + "見積書.txt".encode("cp932")
                              + b'"\r\n\r\n' + text),
        "name-only-type": with_file(part(f'Content-Type: application/pdf; name="{word("見積書.pdf")}"', pdf())),
        "name-description": with_file(part("Content-Type: application/pdf\r\nContent-Description: quote.pdf\r\nContent-Disposition: attachment", pdf())),
    }


def types(work: Path) -> dict[str, bytes]:
    sealed = file("sealed.zip", sealed_zip(work, False), "application/zip")
    return {
        "type-exe-as-png": with_file(file("photo.png", program(), "image/png")),
        "type-octet-pdf": with_file(file("quote.pdf", pdf(), "application/octet-stream")),
        "type-pdf-as-txt": with_file(file("notes.txt", pdf(), "text/plain")),
        "type-zip": with_file(file("open.zip", zipped(("a.txt", b"text"), ("b.txt", b"text")), "application/zip")),
        "type-zip-sealed": with_file(sealed),
        "type-zip-some": with_file(file("some.zip", sealed_zip(work, True), "application/zip")),
        "type-zip-aes": with_file(file("aes.zip", sealed_7z(work, "zip", "-mem=AES256"), "application/zip")),
        "type-7z-sealed": with_file(file("sealed.7z", sealed_7z(work, "7z"))),
        "type-7z-sealed-names": with_file(file("sealed.7z", sealed_7z(work, "7z", "-mhe=on"))),
        "type-rar4-sealed": with_file(file("sealed.rar", rar4())),
        "type-rar5-sealed-names": with_file(file("sealed.rar", rar5())),
        "type-pdf-sealed": with_file(file("sealed.pdf", encrypted_pdf(work), "application/pdf")),
        "type-ooxml-sealed": with_file(file("sealed.xlsx", sealed_ooxml(), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")),
        "type-one-sealed": with_file(sealed, file("quote.pdf", pdf(), "application/pdf")),
    }


def main(arguments: list[str]) -> int:
    folder = Path(arguments[0]) if arguments else Path(__file__).resolve().parent
    with tempfile.TemporaryDirectory(prefix="sekisho-samples-", dir="/var/tmp") as name:
        work = Path(name)
        samples = shown_images() | sealed_messages(work) | structures() | in_text() | names() | types(work)
        subprocess.run(["gpgconf", "--homedir", str(work / "gpg"), "--kill", "all"], check=False)
    for name, content in samples.items():
        (folder / f"{name}.eml").write_bytes(HEAD.format(name, name).encode() + content)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
