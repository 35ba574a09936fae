#!/usr/bin/python3
"""Makes real messages of the labelled mails.

    tests/corpus/build.py FOLDER [NNN...]      FOLDER/NNN.eml, of all mails or of those named

Everything is chosen by the mail's number, so that each run makes the same bytes: the transfer
encoding, whether HTML stands beside the plain text, how a charset is called, the encoding of each
attachment, and whether its name is written by RFC 2231 or as an encoded word within quotes.
"""
import base64
import html
import io
import re
import sys
import zlib
from pathlib import Path
from urllib.parse import quote

import mailfile
from mailfile import Attachment, Mail

LINE = 76


# ---- charsets ----------------------------------------------------------------------------------


def _microsoft_rows() -> dict[str, bytes]:
    """The letters of CP932 that JIS X 0208 lacks and that fit into ISO-2022-JP: NEC's rows."""
    rows = {}
    for lead in (0x87, 0xED, 0xEE):
        for trail in (*range(0x40, 0x7F), *range(0x80, 0xFD)):
            try:
                rows.setdefault(bytes((lead, trail)).decode("cp932"), bytes((lead, trail)))
            except UnicodeDecodeError:
                pass
    return rows


MICROSOFT = _microsoft_rows()


def _jis(shifted: bytes) -> bytes:
    """Two bytes of Shift JIS as two of seven bits."""
    lead, trail = shifted
    row = (lead - (0x70 if lead < 0xA0 else 0xB0)) * 2
    if trail < 0x9F:
        return bytes((row - 1, trail - (0x1F if trail < 0x7F else 0x20)))
    return bytes((row, trail - 0x7E))


def iso_2022_jp(text: str) -> bytes:
    """As Microsoft's mail programs write it (CP50221): NEC's rows, half-width kana by ESC ( I."""
    out, mode = bytearray(), b"\x1b(B"
    for letter in text:
        if ord(letter) < 0x80:
            want, code = b"\x1b(B", letter.encode()
        elif "｡" <= letter <= "ﾟ":
            want, code = b"\x1b(I", bytes((ord(letter) - 0xFF61 + 0x21,))
        else:
            want, code = b"\x1b$B", _jis(_two_bytes(letter))
        if want != mode:
            out += want
            mode = want
        out += code
    return bytes(out) + (b"" if mode == b"\x1b(B" else b"\x1b(B")


def _two_bytes(letter: str) -> bytes:
    if letter in MICROSOFT:
        return MICROSOFT[letter]
    for codec in ("cp932", "shift_jis"):
        try:
            code = letter.encode(codec)
        except UnicodeEncodeError:
            continue
        if len(code) == 2 and code[0] < 0xF0:
            return code
    raise UnicodeEncodeError("iso-2022-jp", letter, 0, 1, "no letter of it")


def euc_jp(text: str) -> bytes:
    """As Microsoft writes it (CP51932): the same rows."""
    out = bytearray()
    for letter in text:
        if ord(letter) < 0x80:
            out += letter.encode()
        elif "｡" <= letter <= "ﾟ":
            out += bytes((0x8E, ord(letter) - 0xFF61 + 0xA1))
        else:
            out += bytes(b | 0x80 for b in _jis(_two_bytes(letter)))
    return bytes(out)


def cp932(text: str) -> bytes:
    """Letter by letter: a wave dash and a full-width tilde are one there."""
    try:
        return text.encode("cp932")
    except UnicodeEncodeError:
        return b"".join(letter.encode("shift_jis" if letter in "〜−‖¢£¬" else "cp932") for letter in text)


def encode(text: str, charset: str) -> bytes:
    special = {"iso-2022-jp": iso_2022_jp, "euc-jp": euc_jp, "cp932": cp932}
    return special[charset](text) if charset in special else text.encode(charset)


def encodable(text: str, charset: str) -> bool:
    try:
        encode(text, charset)
    except UnicodeEncodeError:
        return False
    return True


def called(charset: str, turn: int) -> str:
    """What a mail program calls it."""
    return {"cp932": ("Shift_JIS", "windows-31j", "CP932"), "utf-8": ("utf-8", "UTF-8"),
            "euc-jp": ("EUC-JP", "euc-jp"), "iso-2022-jp": ("ISO-2022-JP", "iso-2022-jp")}[charset][turn % 2]


# ---- header ------------------------------------------------------------------------------------


def words(text: str, charset: str, turn: int, room: int = LINE - 20) -> list[str]:
    """Encoded words of at most 75 letters, each whole in itself (RFC 2047 section 5)."""
    label = called(charset, turn)
    # A quarter of UTF-8's by Q; the others are rarely seen so.
    quoted = charset == "utf-8" and turn % 4 == 1

    def word(piece: str) -> str:
        code = encode(piece, charset)
        if quoted:
            return f"=?{label}?Q?{''.join(chr(b) if chr(b).isascii() and chr(b).isalnum() else f'={b:02X}' for b in code)}?="
        return f"=?{label}?B?{base64.b64encode(code).decode()}?="

    out, piece = [], ""
    for letter in text:
        if piece and len(word(piece + letter)) > min(75, room):
            out.append(word(piece))
            piece = ""
        piece += letter
    return [*out, word(piece)]


def unstructured(name: str, text: str, charset: str, turn: int) -> bytes:
    if text.isascii() and not re.search(r"=\?", text) and len(text) < 900:
        return f"{name}: {text}\r\n".encode()
    return (f"{name}: " + "\r\n ".join(words(text, charset, turn)) + "\r\n").encode()


def addresses(name: str, text: str, charset: str, turn: int) -> bytes:
    """Mailboxes "NAME <ADDRESS>", apart by commas."""
    out = []
    for one in re.split(r",\s*(?=[^>]*(?:<|$))", text):
        match = re.fullmatch(r"\s*(.*?)\s*<([^<>]+)>\s*", one)
        shown, address = match.groups() if match else ("", one.strip())
        if shown.isascii():
            out.append(f'"{shown}" <{address}>' if shown else address)
        else:
            out.append("\r\n ".join(words(shown.strip('"'), charset, turn)) + f"\r\n <{address}>")
    return (f"{name}: " + ",\r\n ".join(out) + "\r\n").encode()


def name_2231(parameter: str, name: str, charset: str, turn: int) -> str:
    """In pieces where it is long (RFC 2231 sections 3 and 4)."""
    code = quote(encode(name, charset), safe="")
    if len(code) < 60:
        return f";\r\n {parameter}*={called(charset, turn)}''{code}"
    pieces = re.findall(r"(?:%..|[^%]){1,18}", code)
    pieces[0] = f"{called(charset, turn)}''{pieces[0]}"
    return "".join(f";\r\n {parameter}*{i}*={piece}" for i, piece in enumerate(pieces))


def name_2047(parameter: str, name: str, charset: str, turn: int) -> str:
    """Against RFC 2047 section 5, and what most mail programs in Japan send."""
    return f';\r\n {parameter}="' + "\r\n ".join(words(name, charset, turn * 2)) + '"'


def named(parameter: str, name: str, charset: str, turn: int) -> str:
    if name.isascii():
        return f';\r\n {parameter}="{name}"'
    return (name_2047 if turn % 2 else name_2231)(parameter, name, charset, turn // 2)


# ---- bodies ------------------------------------------------------------------------------------


def transfer(content: bytes, how: str) -> bytes:
    if how == "base64":
        return base64.encodebytes(content).replace(b"\n", b"\r\n")
    if how == "quoted-printable":
        return quoted_printable(content)
    return content


def quoted_printable(content: bytes) -> bytes:
    lines = []
    for line in content.split(b"\r\n"):
        atoms = [b"=%02X" % b if b > 126 or b == 61 or (b < 32 and b != 9) else bytes((b,)) for b in line]
        if atoms and atoms[-1] in (b" ", b"\t"):
            atoms[-1] = b"=%02X" % atoms[-1][0]
        row = b""
        for atom in atoms:
            if len(row) + len(atom) > LINE - 1:
                lines.append(row + b"=")
                row = b""
            row += atom
        lines.append(row)
    return b"\r\n".join(lines)


def part(fields: str, content: bytes, how: str) -> bytes:
    body = transfer(content, how)
    return f"{fields}\r\nContent-Transfer-Encoding: {how}\r\n\r\n".encode() + body + (b"" if body.endswith(b"\r\n") else b"\r\n")


def text_part(text: str, subtype: str, charset: str, turn: int) -> bytes:
    content = encode(re.sub(r"\r?\n", "\r\n", text), charset)
    if charset == "iso-2022-jp":
        how = "7bit"
    else:
        how = ("base64", "8bit", "quoted-printable")[turn % 3]
    return part(f"Content-Type: text/{subtype}; charset={called(charset, turn)}", content, how)


def multipart(kind: str, boundary: str, parts: list[bytes]) -> bytes:
    """Its field, and the parts between its delimiters."""
    out = f'Content-Type: multipart/{kind};\r\n boundary="{boundary}"\r\n\r\n'.encode()
    for one in parts:
        out += f"--{boundary}\r\n".encode() + one
    return out + f"--{boundary}--\r\n".encode()


def as_html(text: str) -> str:
    """Plain text as a mail program makes HTML of it."""
    lines = html.escape(text).replace("  ", "&nbsp; ").split("\n")
    return ("<html><head><style>body { font-size: 10pt }</style></head>\n<body>\n<div>"
            + "<br>\n".join(lines) + "</div>\n</body></html>\n")


# ---- attachments -------------------------------------------------------------------------------

# (encoding, how it is declared): what spreadsheets and editors save, and mail programs say of it.
SAVED = (
    ("utf-8-sig", "utf-8"), ("cp932", ""), ("utf-8", ""), ("cp932", "Shift_JIS"), ("utf-16", ""),
    ("euc-jp", "euc-jp"), ("iso-2022-jp", "iso-2022-jp"), ("utf-8-sig", ""),
)


def saved(text: str, turn: int) -> tuple[bytes, str]:
    """The bytes of a text file and its declared charset."""
    encoding, declared = SAVED[turn % len(SAVED)]
    text = text.replace("\n", "\r\n")
    if encoding.startswith("utf"):
        return text.encode(encoding), declared
    if not encodable(text, encoding):
        return text.encode("utf-8-sig"), "utf-8"
    return encode(text, encoding), declared


def sheet(rows: list[list[str]]) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    for row in rows:
        book.active.append([as_cell(text) for text in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def as_cell(text: str) -> str | int:
    """What was typed as digits is a number, as long as nothing of it gets lost."""
    number = text.isascii() and text.isdigit() and text[0] != "0" and 2 <= len(text) <= 15
    return int(text) if number else text


def attachment(file: Attachment, charset: str, turn: int) -> bytes:
    if not encodable(file.name, charset):
        charset = "utf-8"
    if file.sheet is not None:
        kind, content = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", sheet(file.sheet)
    else:
        content, declared = saved(file.text, turn)
        suffix = file.name.lower().rpartition(".")[2]
        kind = "text/plain"
        if suffix == "csv":
            kind = ("text/csv", "application/vnd.ms-excel", "application/octet-stream")[turn % 3]
        if declared and kind.startswith("text/"):
            kind += f"; charset={declared}"
    fields = "Content-Type: " + kind + named("name", file.name, charset, turn + 1) + "\r\n"
    fields += "Content-Disposition: attachment" + named("filename", file.name, charset, turn)
    return part(fields, content, "base64")


# ---- the whole ---------------------------------------------------------------------------------


def turn_of(mail: Mail) -> int:
    return int(mail.name) if mail.name.isdigit() else zlib.crc32(mail.name.encode()) % 1000


def message(mail: Mail) -> bytes:
    turn, charset = turn_of(mail), mail.charset
    head = addresses("From", mail.fields["from"], charset, turn)
    head += addresses("To", mail.fields["to"], charset, turn)
    if "cc" in mail.fields:
        head += addresses("Cc", mail.fields["cc"], charset, turn)
    head += unstructured("Subject", mail.fields["subject"], charset, turn)
    head += b"Date: Mon, 16 Nov 2026 09:30:00 +0900\r\n"
    head += f"Message-ID: <corpus-{mail.name}@sekisho.example>\r\nMIME-Version: 1.0\r\n".encode()

    if mail.html:
        body = text_part(mail.body, "html", charset, turn)
    elif turn % 8 == 5:
        body = multipart("alternative", f"alternative-{mail.name}", [
            text_part(mail.body, "plain", charset, turn), text_part(as_html(mail.body), "html", charset, turn + 1)])
    else:
        body = text_part(mail.body, "plain", charset, turn)
    if mail.files:
        files = [attachment(f, charset, turn + i) for i, f in enumerate(mail.files)]
        body = multipart("mixed", f"mixed-{mail.name}", [body, *files])
    return head + body


def main(arguments: list[str]) -> int:
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 100
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    chosen = set(arguments[1:])
    for mail in mailfile.mails():
        if not chosen or mail.name in chosen:
            (folder / f"{mail.name}.eml").write_bytes(message(mail))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
