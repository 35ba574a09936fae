#!/usr/bin/python3
"""Makes the samples of table_office into a folder: PDF, RTF, text, and the legacy formats of Office.

Real Word 97, Excel 97 and PowerPoint 97 files, plain and with a password, stand in samples/: no tool among the
tests' dependencies writes them. What is made here of those formats are their cases: damage, objects, old versions,
messages of Outlook, and the mark of encryption where no tool encrypts."""
import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen import canvas

TEXT = "見積書 株式会社山田商事 御中 ㈱①髙橋 ｶﾅ〜−"
SAMPLES = Path(__file__).resolve().parent / "samples"
FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD

# ---- compound files (MS-CFB) ----


class Storage(dict):
    """Names and their streams (bytes) or storages."""


def pad(data: bytes, to: int) -> bytes:
    return data + b"\0" * (-len(data) % to)


class Writer:
    def __init__(self, shift: int = 9) -> None:
        self.shift, self.size = shift, 1 << shift
        self.sectors: list[bytes] = []
        self.fat: list[int] = []
        self.mini: list[bytes] = []
        self.mini_fat: list[int] = []
        self.entries: list[dict] = []

    def chain(self, data: bytes) -> int:
        if not data:
            return END
        first = len(self.sectors)
        data = pad(data, self.size)
        count = len(data) // self.size
        self.sectors += [data[i * self.size:(i + 1) * self.size] for i in range(count)]
        self.fat += [first + i + 1 for i in range(count - 1)] + [END]
        return first

    def mini_chain(self, data: bytes) -> int:
        first = len(self.mini)
        data = pad(data, 64)
        count = len(data) // 64
        self.mini += [data[i * 64:(i + 1) * 64] for i in range(count)]
        self.mini_fat += [first + i + 1 for i in range(count - 1)] + [END]
        return first

    def add(self, name: str, kind: int, content: "bytes | Storage") -> int:
        number = len(self.entries)
        entry = {"name": name, "kind": kind, "left": FREE, "right": FREE, "child": FREE, "start": 0, "size": 0}
        self.entries.append(entry)
        if isinstance(content, Storage):
            before = None
            for key, value in sorted(content.items(), key=lambda item: (len(item[0]), item[0].upper())):
                child = self.add(key, 1 if isinstance(value, Storage) else 2, value)
                if before is None:
                    entry["child"] = child
                else:
                    self.entries[before]["right"] = child
                before = child
        else:
            entry["size"] = len(content)
            if content:
                entry["start"] = self.mini_chain(content) if len(content) < 4096 else self.chain(content)
        return number

    def write(self, root: Storage) -> bytes:
        self.add("Root Entry", 5, root)
        self.entries[0]["start"] = self.chain(b"".join(self.mini))
        self.entries[0]["size"] = 64 * len(self.mini)
        directory = b""
        for e in self.entries:
            name = e["name"].encode("utf-16-le") + b"\0\0"
            directory += struct.pack("<64sHBBIII16sIQQIQ", name, len(name), e["kind"], 1, e["left"], e["right"],
                                     e["child"], b"", 0, 0, 0, e["start"] & 0xFFFFFFFF, e["size"])
        first_directory = self.chain(pad(directory, self.size))
        mini_fat = self.chain(pad(struct.pack(f"<{len(self.mini_fat)}I", *self.mini_fat), self.size))
        each = self.size // 4
        tables = 0
        while tables * each < len(self.fat) + tables:
            tables += 1
        first_fat = len(self.sectors)
        fat = self.fat + [FAT] * tables
        fat += [FREE] * (tables * each - len(fat))
        data = struct.pack(f"<{len(fat)}I", *fat)
        self.sectors += [data[i * self.size:(i + 1) * self.size] for i in range(tables)]
        assert tables <= 109
        header = struct.pack("<8s16sHHHHH6s9I", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E,
                             3 if self.shift == 9 else 4, 0xFFFE, self.shift, 6, b"", 0, tables, first_directory, 0,
                             4096, mini_fat, len(pad(struct.pack(f"<{len(self.mini_fat)}I", *self.mini_fat), self.size))
                             // self.size, END, 0)
        header = header[:76] + struct.pack("<109I", *[first_fat + i if i < tables else FREE for i in range(109)])
        return header.ljust(self.size, b"\0") + b"".join(self.sectors)


def compound(root: Storage, shift: int = 9) -> bytes:
    return Writer(shift).write(root)


# ---- Word ----


def word(pieces: list[tuple[str, bool]], flags: int = 0, version: int = 0xC1) -> Storage:
    """A document of pieces: text, and whether it stands in bytes."""
    fib = bytearray(0x400)
    struct.pack_into("<HHHHHH", fib, 0, 0xA5EC, version, 0, 0x411, 0, flags | 0x200)
    text, positions, places = b"", [0], b""
    for content, narrow in pieces:
        at = len(fib) + len(text)
        raw = content.encode("cp1252" if narrow else "utf-16-le")
        places += struct.pack("<HIH", 0, (at * 2 | 0x40000000) if narrow else at, 0)
        positions.append(positions[-1] + (len(raw) if narrow else len(raw) // 2))
        text += raw + b"\0" * (len(raw) % 2)
    plc = struct.pack(f"<{len(positions)}I", *positions) + places
    clx = b"\x01\x02\x00ab" + b"\x02" + struct.pack("<I", len(plc)) + plc
    struct.pack_into("<II", fib, 0x1A2, 16, len(clx))
    return Storage({"WordDocument": pad(bytes(fib) + text, 4096), "1Table": b"\0" * 16 + clx})


def old_word(text: str) -> Storage:
    """Word 95: one stretch of CP932."""
    raw = text.encode("cp932")
    fib = bytearray(0x300)
    struct.pack_into("<HHHHHH", fib, 0, 0xA5DC, 104, 0, 0x411, 0, 0)
    struct.pack_into("<II", fib, 0x18, len(fib), len(fib) + len(raw))
    return Storage({"WordDocument": pad(bytes(fib) + raw, 4096)})


# ---- Excel ----


def record(kind: int, data: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def sst(strings: list[str], split: int = 8000) -> bytes:
    """The table of strings; letters that go on in the next record begin there with their width."""
    records, now = [], struct.pack("<II", len(strings), len(strings))
    for text in strings:
        if split - len(now) < 16:
            records.append(now)
            now = b""
        raw = text.encode("utf-16-le")
        now += struct.pack("<HBH", len(raw) // 2, 1 | 8, 1)
        while raw:
            room = (split - len(now)) // 2 * 2
            if room < 2:
                records.append(now)
                now = b"\x01"
                continue
            now += raw[:room]
            raw = raw[room:]
        now += b"\0\0\1\0"
    records.append(now)
    return record(0xFC, records[0]) + b"".join(record(0x3C, r) for r in records[1:])


def excel(rows: list[list], *more: bytes, split: int = 8000, locked: bool = False) -> bytes:
    strings = list(dict.fromkeys(v for row in rows for v in row if isinstance(v, str)))
    book = record(0x809, struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 0))
    if locked:
        book += record(0x2F, b"\x01\0\x01\0\x01\0" + b"\0" * 48)
    name = "名簿".encode("utf-16-le")
    book += record(0x42, b"\xb0\x04") + record(0x85, struct.pack("<IHBB", 0, 0, 2, 1) + name)
    book += sst(strings, split) + record(0x0A)
    book += record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 0))
    for r, row in enumerate(rows):
        for c, value in enumerate(row):
            place = struct.pack("<HHH", r, c, 0)
            if isinstance(value, str):
                book += record(0xFD, place + struct.pack("<I", strings.index(value)))
            elif isinstance(value, int) and abs(value) < 1 << 29:
                book += record(0x27E, place + struct.pack("<i", value << 2 | 2))
            else:
                book += record(0x203, place + struct.pack("<d", value))
    return book + b"".join(more) + record(0x0A)


def old_excel(texts: list[str]) -> bytes:
    """Excel 5: bytes in the code page that it names."""
    book = record(0x809, struct.pack("<HHHH", 0x500, 5, 0, 0)) + record(0x42, struct.pack("<H", 932))
    for r, text in enumerate(texts):
        raw = text.encode("cp932")
        book += record(0x204, struct.pack("<HHHH", r, 0, 0, len(raw)) + raw)
    return book + record(0x0A)


# ---- PowerPoint ----


def atom(kind: int, data: bytes, instance: int = 0) -> bytes:
    return struct.pack("<HHI", instance << 4, kind, len(data)) + data


def powerpoint(*atoms: bytes, token: int = 0xE391C05F) -> Storage:
    body = b"".join(atoms)
    document = struct.pack("<HHI", 0x0F, 1000, len(body)) + body
    user = atom(0x0FF6, struct.pack("<III", 20, token, 0) + b"\0" * 12)
    return Storage({"PowerPoint Document": document, "Current User": user})


# ---- messages of Outlook ----


def wide(tag: int, text: str) -> dict[str, bytes]:
    return {f"__substg1.0_{tag:04X}001F": text.encode("utf-16-le")}


def narrow(tag: int, text: str) -> dict[str, bytes]:
    return {f"__substg1.0_{tag:04X}001E": text.encode("cp932") + b"\0"}


def attachment(name: str, data: bytes) -> Storage:
    return Storage({"__properties_version1.0": b"\0" * 8, **wide(0x3707, name), "__substg1.0_37010102": data})


def compressed_rtf(rtf: bytes) -> bytes:
    """MS-OXRTFCP, the kind that is not compressed."""
    return struct.pack("<IIII", len(rtf) + 12, len(rtf), 0x414C454D, 0) + rtf


def message(**more: object) -> Storage:
    head = b"\0" * 32 + struct.pack("<IIQ", 0x3FFD0003, 6, 932)
    inner = Storage({"__properties_version1.0": b"\0" * 24, **wide(0x37, "中の件名"), **wide(0x1000, "中の本文です")})
    return Storage({
        "__properties_version1.0": head, **wide(0x37, "件名：" + TEXT), **narrow(0x1000, "本文です。" + "よろしく"),
        "__substg1.0_10130102": "<p>表示<b>され</b>る本文</p>".encode(),
        "__substg1.0_10090102": compressed_rtf(rb"{\rtf1\ansi\ansicpg932 RTF\'82\'cc\'96\'7b\'95\'b6}"),
        "__recip_version1.0_#00000000": Storage({**wide(0x3001, "山田太郎"), **wide(0x39FE, "taro@example.co.jp"),
                                                 "__properties_version1.0": b"\0" * 8}),
        "__attach_version1.0_#00000000": attachment("見積書.txt", TEXT.encode("cp932")),
        "__attach_version1.0_#00000001": Storage({
            "__properties_version1.0": b"\0" * 8, **wide(0x3001, "転送"), "__substg1.0_3701000D": inner}),
        **more})


# ---- objects ----


def package(name: str, data: bytes) -> bytes:
    raw = name.encode("cp932")
    path = b"C:\\tmp\\" + raw
    return (b"\x02\0" + raw + b"\0" + path + b"\0" + b"\0\0\x03\0" + struct.pack("<I", len(path) + 1) + path + b"\0"
            + struct.pack("<I", len(data)) + data)


def native(name: str, data: bytes) -> bytes:
    inner = package(name, data)
    return struct.pack("<I", len(inner)) + inner


def ole1(class_name: bytes, data: bytes) -> bytes:
    return (struct.pack("<II", 0x501, 2) + struct.pack("<I", len(class_name) + 1) + class_name + b"\0"
            + struct.pack("<II", 0, 0) + struct.pack("<I", len(data)) + data)


# ---- PDF ----


def pdf(*lines: str) -> bytes:
    pdfmetrics.registerFont(UnicodeCIDFont("HeiseiMin-W3"))
    out = io.BytesIO()
    page = canvas.Canvas(out)
    page.setFont("HeiseiMin-W3", 12)
    for number, line in enumerate(lines):
        page.drawString(50, 780 - 14 * number, line)
    page.save()
    return out.getvalue()


def qpdf(folder: Path, source: bytes, name: str, *words: str) -> None:
    (folder / "source").write_bytes(source)
    subprocess.run(["qpdf", *words, str(folder / "source"), str(folder / name)], check=True, timeout=60)
    (folder / "source").unlink()


def make_pdfs(folder: Path) -> None:
    plain = pdf(TEXT)
    (folder / "plain.pdf").write_bytes(plain)
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4\nnothing of a PDF\n")
    for name, user, bits in (("locked40.pdf", "pw", "40"), ("locked256.pdf", "pw", "256"), ("owner.pdf", "", "256")):
        weak = ["--allow-weak-crypto"] if bits == "40" else []
        qpdf(folder, plain, name, *weak, "--encrypt", user, "owner", bits, "--")
    qpdf(folder, plain, "streams.pdf", "--object-streams=generate", "--encrypt", "pw", "owner", "256", "--")
    (folder / "attached.txt").write_text(TEXT)
    qpdf(folder, plain, "attached.pdf", "--add-attachment", str(folder / "attached.txt"), "--")
    (folder / "attached.txt").unlink()
    # The name, written as PDF allows to: nobody who only searches finds it.
    hidden = (folder / "locked40.pdf").read_bytes().replace(b"/Encrypt ", b"/#45ncr#79pt ")
    (folder / "hidden.pdf").write_bytes(hidden)


# ---- RTF ----


def rtf_bytes(text: str) -> bytes:
    return b"".join(b"\\'%02x" % c for c in text.encode("cp932"))


def rtf_units(text: str) -> bytes:
    raw = text.encode("utf-16-le")
    units = struct.unpack(f"<{len(raw) // 2}h", raw)
    return b"".join(b"\\u%d?" % u for u in units)


def rtf_object(data: bytes) -> bytes:
    return b"{\\object\\objemb{\\*\\objclass X}{\\*\\objdata \n" + data.hex().encode() + b"}{\\result{\\pard x}}}"


def make_rtfs(folder: Path) -> None:
    fonts = b"{\\fonttbl{\\f0\\fswiss\\fcharset0 Arial;}{\\f1\\fmodern\\fcharset128 MS Mincho;}}"
    head = b"{\\rtf1\\ansi\\ansicpg932\\deff0" + fonts
    plain = "見積書 ㈱①髙橋"
    files = {
        "bytes.rtf": head + b"\\f1 " + rtf_bytes(plain) + b"\\par " + rtf_bytes("能表ソ") + b"}",
        "units.rtf": b"{\\rtf1\\ansi\\ansicpg1252\\uc1 " + rtf_units(plain + "𠮷") + b"\\uc2\\u-26932\\'88\\'c8end}",
        "western.rtf": b"{\\rtf1\\ansi\\ansicpg1252" + fonts + b"\\f0 caf\\'e9 \\f1 " + rtf_bytes("関所") + b"}",
        "associated.rtf": b"{\\rtf1\\ansi\\ansicpg1252" + fonts + b"\\loch\\af0\\hich\\af0\\dbch\\af1 "
                          + rtf_bytes("関所") + b"}",
        "skipped.rtf": head + b"{\\stylesheet{\\s0 HIDDEN1;}}{\\*\\unknown HIDDEN2}{\\pict\\bin3 }}}FFFF}"
                       b"{\\info{\\author HIDDEN3}{\\title " + rtf_bytes("題名") + b"}}shown\\'21}",
        "table.rtf": head + b"\\trowd a\\cell b\\cell\\row c\\tab d\\line e}",
        "notes.rtf": head + b"x{\\header\\pard HEAD}{\\footnote NOTE}{\\*\\annotation COMMENT}{\\*\\shpinst{\\sp{\\sn "
                     b"gtextUNICODE}{\\sv WORDART}}{\\sp{\\sn other}{\\sv HIDDEN}}{\\shptxt BOX}}}",
        "cut.rtf": head + b"text without an end",
        "behind.rtf": head + b"text}more",
        "deep.rtf": head + b"{" * 5000 + b"deep" + b"}" * 5001,
        "object.rtf": head + b"before " + rtf_object(ole1(b"Package", package("中身.txt", TEXT.encode()))) + b"after}",
        "document.rtf": head + rtf_object(ole1(b"Word.Document.8", compound(word([(TEXT, False)])))) + b"}",
        "strange.rtf": head + rtf_object(b"\x01\x05\0\0junk") + b"}",
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)


# ---- text ----


def make_texts(folder: Path) -> None:
    common = TEXT.replace("−", "－").replace("〜", "～")
    japanese = "見積書をお送りします。株式会社山田商事 御中"
    jis = "見積書をお送りします。".encode("iso-2022-jp") + b"\x1b$B-!-j\x1b(I\x36\x45\x1b(B\n"
    files = {
        "utf8.txt": TEXT.encode(), "bom.txt": b"\xef\xbb\xbf" + TEXT.encode(), "cp932.txt": common.encode("cp932"),
        "euc.txt": ("見積書をお送りします。株式会社山田商事" * 3).encode("euc-jp"), "jis.txt": jis,
        "utf16le.txt": b"\xff\xfe" + TEXT.encode("utf-16-le"), "utf16be.txt": b"\xfe\xff" + TEXT.encode("utf-16-be"),
        "utf16bare.txt": (japanese + " ABC 123\r\n").encode("utf-16-le"),
        "list.csv": ("氏名,電話\r\n\"山田,太郎\",090-1234-5678\r\n").encode("cp932"),
        "list.tsv": ("氏名\t電話\r\n山田\t090-1234-5678\r\n").encode(),
        "page.html": ("<html><head><title>題名</title></head><body><p>見積<b>書</b>です<!-- 秘密 --></p>"
                      "<p style='display:none'>隠し</p></body></html>").encode(),
        "pagecp932.html": ("<html><body><p>見積書をお送りします</p></body></html>").encode("cp932"),
        "long.html": b"<html><body>" + "<p>長い文書です</p>".encode() * 100000 + b"</body></html>",
        "latin.txt": "Résumé, naïve café, Übergröße".encode("latin-1"),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)


# ---- legacy Office ----


def make_office(folder: Path) -> None:
    box = record(0x1B6, struct.pack("<HHHHHHHHH", 0, 0, 0, 0, 0, 3, 16, 0, 0)) + record(
        0x3C, b"\x01" + "吹き出".encode("utf-16-le")) + record(0x3C, b"\0" * 16)
    long = ["長い文字列" * 40 + str(n) for n in range(400)]
    embedded = compound(Storage({"Workbook": excel([["埋め込み表", 7]])}))
    files: dict[str, bytes] = {
        "pieces.doc": compound(word([("見積", False), ("ABC \x93quoted\x94\r".encode("latin-1").decode("cp1252"), True),
                                     ("書 𠮷\x07\x13HYPERLINK\x14x\x15", False)])),
        "sectors4k.doc": compound(word([(TEXT, False)]), 12),
        "word95.doc": compound(old_word("見積書をお送りします①\r御中")),
        "marked.doc": compound(word([(TEXT, False)], flags=0x100)),
        "backwards.doc": compound(word([(TEXT, False)])).replace(
            struct.pack("<II", 0, len(TEXT)), struct.pack("<II", 9, 1)),
        "object.doc": compound(Storage({**word([("外の文章", False)]), "ObjectPool": Storage({
            "_1": Storage({"\x01Ole10Native": native("中身.txt", TEXT.encode("cp932"))}),
            "_2": Storage({"Workbook": excel([["別の表"]])})})})),
        "rows.xls": compound(Storage({"Workbook": excel(
            [["山田", "太郎", 4111111111111111], ["山田", "花子", 90312345678, 0.25], [-5, 42]], box)})),
        "split.xls": compound(Storage({"Workbook": excel([[text] for text in long], split=1001)})),
        "excel5.xls": compound(Storage({"Book": old_excel(["見積書①", "能表ソ"])})),
        "both.xls": compound(Storage({"Book": old_excel(["古い表"]), "Workbook": excel([["新しい表"]])})),
        "marked.xls": compound(Storage({"Workbook": excel([["x"]], locked=True)})),
        "cut.xls": compound(Storage({"Workbook": excel([["見える", 1]])[:-20]})),
        "slides.ppt": compound(powerpoint(
            atom(0x0FA0, "題名\r本文①".encode("utf-16-le")), atom(0x0FA8, b"plain\x0btext"),
            atom(0x1011, struct.pack("<I", len(embedded)) + zlib.compress(embedded), 1))),
        "marked.ppt": compound(powerpoint(atom(0x0FA8, b"x"), token=0xF3D1C4DF)),
        "mail.msg": compound(message()),
        "locked.docx": compound(Storage({"EncryptedPackage": b"x" * 5000, "EncryptionInfo": b"\4\0\4\0" + b"<x/>",
                                         "\x06DataSpaces": Storage({"Version": b"1"})})),
        "rights.docx": compound(Storage({"EncryptedPackage": b"x" * 50, "\x06DataSpaces": Storage({"Version": b"1"})})),
        "two.doc": compound(Storage({**word([("ワードの文", False)]), "Workbook": excel([["エクセルの文"]])})),
        "other.bin": compound(Storage({"Something": b"else"})),
    }
    whole = files["sectors4k.doc"]
    files["halved.doc"] = whole[:len(whole) // 2]
    files["header.doc"] = whole[:600]
    loop = bytearray(files["split.xls"])
    at = struct.unpack_from("<I", loop, 0x4C)[0] * 512 + 512
    struct.pack_into("<I", loop, at + 4 * 5, 2)  # a chain that comes back to itself
    files["loop.xls"] = bytes(loop)
    tree = bytearray(files["pieces.doc"])
    directory = struct.unpack_from("<I", tree, 0x30)[0] * 512 + 512
    struct.pack_into("<I", tree, directory + 128 + 68, 1)  # an entry that is its own brother
    files["tree.doc"] = bytes(tree)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def main() -> None:
    folder = Path(sys.argv[1])
    make_pdfs(folder)
    make_rtfs(folder)
    make_texts(folder)
    make_office(folder)


if __name__ == "__main__":
    main()
