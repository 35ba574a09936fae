#!/usr/bin/python3
"""Makes the samples of "table": make.py FOLDER. Containers; make_office.py makes the rest.

With the tools of others where there are any; what they would not write (archives made to deceive,
formats of closed source) is put together byte by byte."""

import bz2
import gzip
import io
import lzma
import os
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path

SECRET = "お支払いはカード 4111-1111-1111-1111 で、㈱髙橋商店"
OTHER = "見積書は別紙のとおりです"
NAME = "見積書①.txt"


def tool(*argv, cwd, allow=(0,)):
    """A tool of others, quietly; it must do what is asked."""
    done = subprocess.run([str(a) for a in argv], cwd=cwd, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
    if done.returncode not in allow:
        sys.exit(f"{argv[0]}: {done.stdout.decode(errors='replace')}")


class Samples:
    def __init__(self, folder):
        self.folder = folder
        self.made = {}

    def add(self, name, content):
        (self.folder / name).write_bytes(content)
        self.made[name] = content
        return content

    def by_tool(self, name, argv, files, allow=(0,)):
        """A tool that makes `name` of some files, in a folder of its own."""
        with tempfile.TemporaryDirectory() as scratch:
            for file, content in files.items():
                path = os.path.join(os.fsencode(scratch), os.fsencode(file))
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "wb") as f:
                    f.write(content)
            tool(*argv, cwd=scratch, allow=allow)
            return self.add(name, (Path(scratch) / name).read_bytes())


# ---- ZIP ----------------------------------------------------------------------------------------


def zipped(members, compress=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compress) as z:
        for name, content in members:
            z.writestr(zipfile.ZipInfo(name) if name.endswith("/") else name, content,
                       compress_type=compress)
    return out.getvalue()


class RawZip:
    """A ZIP put together by hand: what stands in local headers and directory is up to the caller."""

    def __init__(self, before=b""):
        self.out = bytearray(before)
        self.entries = []

    def local(self, name, content, method=8, flags=0, size=None, packed=None, crc=None, extra=b""):
        data = zlib.compress(content, 9)[2:-4] if method == 8 else content
        where = len(self.out)
        crc = zlib.crc32(content) if crc is None else crc
        size = len(content) if size is None else size
        packed = len(data) if packed is None else packed
        self.out += struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, flags, method, 0, 0x5821, crc, packed,
                                size, len(name), len(extra)) + name + extra + data
        return dict(name=name, method=method, flags=flags, crc=crc, packed=len(data), size=len(content),
                    where=where)

    def entry(self, of, **changed):
        self.entries.append(dict(of, **changed))

    def add(self, name, content, **more):
        self.entry(self.local(name, content, **more))

    def done(self, behind=b"", between=b"", comment=b"", base=0):
        start = len(self.out)
        for e in self.entries:
            extra = e.get("extra", b"")
            self.out += struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", 20, 20, e["flags"], e["method"], 0,
                                    0x5821, e["crc"], e["packed"], e["size"], len(e["name"]), len(extra),
                                    0, 0, 0, 0, e["where"] - base) + e["name"] + extra
        size = len(self.out) - start
        n = len(self.entries)
        self.out += between
        self.out += struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, n, n, size, start - base, len(comment))
        return bytes(self.out + comment + behind)


def make_zip(s):
    secret, other = SECRET.encode(), OTHER.encode()
    big = (SECRET + "\n").encode() * 200

    s.add("plain.zip", zipped([("a.txt", secret), ("b.txt", other)]))
    s.add("stored.zip", zipped([("a.txt", secret)], zipfile.ZIP_STORED))
    s.add("bzip2.zip", zipped([("a.txt", big)], zipfile.ZIP_BZIP2))
    s.add("lzma.zip", zipped([("a.txt", big)], zipfile.ZIP_LZMA))
    s.add("empty.zip", zipped([]))
    s.add("folders.zip", zipped([("d/", b""), ("d/e/a.txt", secret)]))
    s.add("utf8.zip", zipped([(NAME, secret)]))
    z = RawZip()
    z.add(NAME.encode("cp932"), secret)
    s.add("cp932.zip", z.done())
    z = RawZip()
    z.add("報告.txt".encode(), secret)  # UTF-8 without its flag, as on a Mac
    s.add("mac.zip", z.done())
    name = "資料.txt"
    upath = struct.pack("<HHBI", 0x7075, 5 + len(name.encode()), 1, zlib.crc32(b"??.txt")) + name.encode()
    z = RawZip()
    z.entry(z.local(b"??.txt", secret), extra=upath)
    s.add("unicode_path.zip", z.done())
    z = RawZip()
    z.entry(z.local(b"a.txt", secret), extra=upath)
    s.add("two_names.zip", z.done())
    s.add("traversal.zip", zipped([("../../etc/x.txt", secret), ("/root/y.txt", other), ("C:\\z.txt", b"z")]))
    z = RawZip()
    z.add(b"a\0.exe", secret)
    s.add("nul.zip", z.done())
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as f:
        link = zipfile.ZipInfo("link")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        f.writestr(link, "/etc/passwd")
    s.add("symlink.zip", out.getvalue())
    s.by_tool("stream.zip", ["sh", "-c", "zip -q - a.txt | cat > stream.zip"], {"a.txt": big})
    s.by_tool("zip64.zip", ["sh", "-c", "cat a.txt | zip -q -fz zip64.zip -"], {"a.txt": secret})
    s.by_tool("deflate64.zip", ["7z", "a", "-tzip", "-mm=Deflate64", "deflate64.zip", "a.txt"], {"a.txt": big})
    s.add("csv.zip", zipped([("名簿.csv", "氏名,電話\n山田太郎,03-1234-5678\n".encode("cp932"))]))

    # Encrypted, in whole and in part.
    for name, how in (("zipcrypto.zip", ["-mem=ZipCrypto"]), ("aes.zip", ["-mem=AES256"])):
        s.by_tool(name, ["7z", "a", "-tzip", "-ppw", *how, name, "a.txt", "b.txt"], {"a.txt": secret, "b.txt": other})
    s.by_tool("partly.zip", ["sh", "-c", "zip -q -P pw partly.zip a.txt && zip -q partly.zip b.txt"],
              {"a.txt": secret, "b.txt": other})
    z = RawZip()
    z.entry(z.local(b"a", secret, flags=0x2041, size=0, crc=0), name=b"secret.txt", size=len(secret))
    s.add("masked.zip", z.done())
    z = RawZip()
    z.add(b"a.txt", secret)
    hidden = bytearray(z.done())
    at = hidden.rfind(b"PK\1\2")
    hidden[at:at + 40] = bytes((c ^ 0xa5) for c in hidden[at:at + 40])
    s.add("directory_encrypted.zip", bytes(hidden))

    # What two programs see differently.
    z = RawZip()
    z.entry(z.local(b"harmless.txt", secret), name=b"b.txt")
    s.add("other_name.zip", z.done())
    z = RawZip()
    z.entry(z.local(b"a.txt", secret, size=5))
    s.add("other_size.zip", z.done())
    z = RawZip()
    z.entry(z.local(b"a.txt", secret), flags=1)
    s.add("other_flags.zip", z.done())
    z = RawZip()
    z.entry(z.local(b"a.txt", secret, method=0), method=8)
    s.add("other_method.zip", z.done())
    z = RawZip()
    z.local(b"unlisted.txt", secret)
    z.add(b"b.txt", other)
    s.add("unlisted.zip", z.done())
    z = RawZip()
    one = z.local(b"a.txt", secret)
    z.entry(one)
    z.entry(one, where=one["where"] + 3)
    s.add("nowhere.zip", z.done())
    z = RawZip()
    one = z.local(b"a.txt", secret)
    z.entry(one)
    z.entry(one)
    s.add("overlap_same.zip", z.done())
    z = RawZip()
    z.add(b"a.txt", secret)
    z.add(b"a.txt", other)
    s.add("duplicate.zip", z.done())
    z = RawZip(before=b"\x7fELF" + bytes(200))
    z.add(b"a.txt", secret)
    s.add("program.exe", z.done(base=204))
    z = RawZip(before=bytes.fromhex("89504e470d0a1a0a") + bytes(100))
    z.add(b"a.txt", secret)
    s.add("picture.png", z.done())
    z = RawZip()
    z.add(b"a.txt", secret)
    s.add("appended.zip", z.done(behind=b"more"))
    z = RawZip()
    z.add(b"a.txt", secret)
    s.add("between.zip", z.done(between=b"between directory and end"))
    inner = RawZip()
    inner.add(b"inner.txt", other)
    z = RawZip()
    z.add(b"a.txt", secret)
    s.add("comment.zip", z.done(comment=inner.done()))
    z = RawZip()
    z.add(b"a.txt", secret)
    s.add("commented.zip", z.done(comment=b"made by hand"))
    plain = zipped([("a.txt", secret)])
    s.add("cut.zip", plain[:-30])
    z = RawZip()
    z.entry(z.local(b"a.txt", secret), crc=1)
    s.add("sum.zip", z.done())
    z = RawZip()
    z.entry(z.local(b"a.txt", secret, flags=8, size=0, packed=0, crc=0))
    z.out += struct.pack("<4sIII", b"PK\7\b", 0, 999, 999)
    s.add("descriptor.zip", z.done())
    z = RawZip()
    z.add(b"a.txt", secret, method=42)
    s.add("method.zip", z.done())

    # More than anybody wants.
    s.add("bomb.zip", zipped([("zeros", bytes(24 * 1024 * 1024))]))
    z = RawZip()
    kernel = z.local(b"0", bytes(1024 * 1024))
    for i in range(50):
        z.entry(kernel, name=b"%d" % i)
    s.add("overlap.zip", z.done())
    nested = zipped([("a.txt", secret)])
    for i in range(20):
        nested = zipped([(f"{i}.zip", nested)], zipfile.ZIP_STORED if i % 2 else zipfile.ZIP_DEFLATED)
    s.add("nested20.zip", nested)
    s.add("nested3.zip", zipped([("outer.zip", zipped([("inner.zip", zipped([("a.txt", secret)]))]))]))
    s.add("many.zip", zipped([(f"{i}.txt", b"x") for i in range(300)], zipfile.ZIP_STORED))
    z = RawZip()
    z.entry(z.local(b"a.txt", secret), size=0xfffffffe)
    s.add("huge_size.zip", z.done())


# ---- other archives -----------------------------------------------------------------------------


def tarred(members, form=tarfile.PAX_FORMAT, encoding="utf-8"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form, encoding=encoding) as t:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if content is None:
                info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
                t.addfile(info)
            else:
                info.size = len(content)
                t.addfile(info, io.BytesIO(content))
    return out.getvalue()


def lzh_named(raw, content):
    """jlha packs, under a name of the same length; then the name's bytes are put in."""
    with tempfile.TemporaryDirectory() as scratch:
        stand_in = "X" * (len(raw) - 4) + ".txt"
        (Path(scratch) / stand_in).write_bytes(content)
        tool("jlha", "a0", "t.lzh", stand_in, cwd=scratch)
        out = bytearray((Path(scratch) / "t.lzh").read_bytes())
    at = out.find(stand_in.encode())
    out[at:at + len(raw)] = raw
    out[1] = sum(out[2:2 + out[0]]) & 255
    return bytes(out)


def rar4(files, hidden=False):
    def block(kind, flags, body, data=b""):
        head = struct.pack("<BHH", kind, flags, 7 + len(body)) + body
        return struct.pack("<H", zlib.crc32(head) & 0xffff) + head + data

    out = b"Rar!\x1a\x07\x00" + block(0x73, 0x80 if hidden else 0, bytes(6))
    if hidden:
        return out + bytes(range(64))
    for name, content, flags in files:
        body = struct.pack("<IIBIIBBHI", len(content), len(content), 2, zlib.crc32(content), 0x58210000, 29,
                           0x30, len(name), 0x20) + name
        out += block(0x74, 0x8000 | flags, body, content)
    return out + block(0x7b, 0x4000, b"")


def vint(n):
    out = b""
    while n >= 0x80:
        out += bytes([n & 0x7f | 0x80])
        n >>= 7
    return out + bytes([n])


def rar5(files, hidden=False):
    def block(kind, flags, body, extra=b"", data=b""):
        head = vint(kind) + vint(flags | (1 if extra else 0) | (2 if data else 0))
        head += (vint(len(extra)) if extra else b"") + (vint(len(data)) if data else b"") + body + extra
        head = vint(len(head)) + head
        return struct.pack("<I", zlib.crc32(head)) + head + data

    out = b"Rar!\x1a\x07\x01\x00"
    if hidden:
        return out + block(4, 0, vint(0) + vint(0) + b"\x0f" + bytes(16)) + bytes(range(64))
    out += block(1, 0, vint(0))
    for name, content, encrypted in files:
        extra = vint(2 + 33) + vint(1) + bytes(34) if encrypted else b""
        body = vint(4) + vint(len(content)) + vint(0o644) + struct.pack("<I", zlib.crc32(content))
        body += vint(0) + vint(1) + vint(len(name)) + name
        out += block(2, 0, body, extra, content)
    return out + block(5, 0, vint(0))


def packed_name(name):
    """A RAR 4 name: bytes, NUL, then each letter in two bytes."""
    wide = name.encode("utf-16-le")
    out, flags, units = b"\0", [], [wide[i:i + 2] for i in range(0, len(wide), 2)]
    for i in range(0, len(units), 4):
        four = units[i:i + 4]
        out += bytes([sum(2 << (6 - 2 * j) for j in range(len(four)))]) + b"".join(four)
    return name.encode("cp932", "replace") + b"\0" + out


def make_archives(s):
    secret, other = SECRET.encode(), OTHER.encode()
    both = {"a.txt": secret, "b.txt": other}

    for name, how in (("lzma2.7z", []), ("ppmd.7z", ["-m0=PPMd"]), ("bzip2.7z", ["-m0=BZip2"]),
                      ("copy.7z", ["-m0=Copy"]), ("split.7z", ["-ms=off"])):
        s.by_tool(name, ["7z", "a", *how, name, "a.txt", "b.txt"], both)
    s.by_tool("names.7z", ["7z", "a", "names.7z", NAME], {NAME: secret})
    s.by_tool("encrypted.7z", ["7z", "a", "-ppw", "encrypted.7z", "a.txt", "b.txt"], both)
    s.by_tool("headers.7z", ["7z", "a", "-ppw", "-mhe=on", "headers.7z", "a.txt", "b.txt"], both)
    s.add("cut.7z", s.made["lzma2.7z"][:-20])
    s.by_tool("bomb.7z", ["7z", "a", "bomb.7z", "zeros"], {"zeros": bytes(24 * 1024 * 1024)})
    s.add("installer.exe", b"MZ" + bytes(4000) + s.made["lzma2.7z"])

    plain = tarred([("a.txt", secret), ("d/b.txt", other)])
    s.add("plain.tar", plain)
    s.add("a.tar.gz", gzip.compress(plain))
    s.add("a.tar.bz2", bz2.compress(plain))
    s.add("a.tar.xz", lzma.compress(plain))
    s.by_tool("a.tar.zst", ["zstd", "-q", "a.tar"], {"a.tar": plain})
    s.add("gnu.tar", tarred([("長い名前" * 20 + ".txt", secret)], tarfile.GNU_FORMAT))
    s.add("cp932.tar", tarred([(NAME, secret)], tarfile.USTAR_FORMAT, "cp932"))
    s.add("links.tar", tarred([("link", None), ("../../x.txt", secret), ("/abs.txt", other)]))
    s.add("two.tar", plain + tarred([("second.txt", secret)]))
    s.add("cut.tar", tarred([("a.txt", secret * 100)])[:3000])

    s.add("a.txt.gz", gzip.compress(secret))
    s.add("a.txt.bz2", bz2.compress(secret))
    s.add("a.txt.xz", lzma.compress(secret))
    s.by_tool("a.txt.zst", ["zstd", "-q", "a.txt"], {"a.txt": secret})
    s.by_tool("named.gz", ["sh", "-c", "gzip b.txt; mv b.txt.gz named.gz"], {"b.txt": other})
    s.add("two.gz", gzip.compress(secret) + gzip.compress(other))
    s.add("appended.gz", gzip.compress(secret) + b"more")
    s.add("cut.txt.gz", gzip.compress(os.urandom(300) + secret)[:-30])
    s.add("bomb.gz", gzip.compress(bytes(24 * 1024 * 1024)))
    # A dictionary of 1 GB, in its header alone.
    wide = bytearray(lzma.compress(secret))
    wide[16] = 36
    head = (wide[12] + 1) * 4
    wide[12 + head - 4:12 + head] = struct.pack("<I", zlib.crc32(wide[12:12 + head - 4]))
    s.add("dictionary.xz", bytes(wide))
    s.add("gz.gz", gzip.compress(gzip.compress(secret)))

    s.by_tool("plain.lzh", ["jlha", "a", "plain.lzh", "a.txt", "b.txt"], {"a.txt": secret * 20, "b.txt": other})
    s.add("cp932.lzh", lzh_named(NAME.encode("cp932"), secret * 20))
    s.add("bytes.lzh", lzh_named(b"ab\xff\xff\x81.txt", secret * 20))
    s.by_tool("plain.cab", ["gcab", "-c", "plain.cab", "a.txt", "b.txt"], both)
    s.by_tool("plain.iso", ["genisoimage", "-quiet", "-J", "-R", "-o", "plain.iso", "files"],
              {"files/a.txt": secret, "files/d/b.txt": other})

    s.add("plain4.rar", rar4([(b"a.txt", secret, 0), (b"d", b"", 0xe0)]))
    s.add("names4.rar", rar4([(packed_name(NAME), secret, 0x200), (NAME.encode("cp932"), other, 0)]))
    s.add("encrypted4.rar", rar4([(b"a.txt", secret, 4)]))
    s.add("partly4.rar", rar4([(b"a.txt", secret, 4), (b"b.txt", other, 0)]))
    s.add("headers4.rar", rar4([], hidden=True))
    s.add("cut4.rar", rar4([(b"a.txt", secret, 0)])[:60])
    s.add("plain5.rar", rar5([(NAME.encode(), secret, False), (b"b.txt", other, False)]))
    s.add("encrypted5.rar", rar5([(b"a.txt", secret, True)]))
    s.add("partly5.rar", rar5([(b"a.txt", secret, True), (b"b.txt", other, False)]))
    s.add("headers5.rar", rar5([], hidden=True))
    s.add("cut5.rar", rar5([(b"a.txt", secret, False)])[:40])

    s.add("mixed.zip", zipped([("a.tar.gz", s.made["a.tar.gz"]), ("b.7z", s.made["lzma2.7z"]),
                               ("c.lzh", s.made["cp932.lzh"])]))
    s.add("locked_inside.zip", zipped([("locked.7z", s.made["headers.7z"]), ("c.rar", s.made["plain5.rar"])]))


# ---- OOXML and ODF ------------------------------------------------------------------------------

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
TYPES = ('<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
         '<Default Extension="xml" ContentType="application/xml"/>'
         '<Override PartName="/{part}" ContentType="application/{type}+xml"/></Types>')
WORD = "vnd.openxmlformats-officedocument.wordprocessingml.document.main"
SHEET = "vnd.openxmlformats-officedocument.spreadsheetml.sheet.main"


def docx(body, more=(), kind=WORD, part="word/document.xml", prolog=""):
    return zipped([("[Content_Types].xml", TYPES.format(part=part, type=kind)),
                   (part, f'{prolog}<w:document xmlns:w="{W}"><w:body>{body}</w:body></w:document>'), *more])


def xlsx(sheet, strings=None, more=()):
    members = [("[Content_Types].xml", TYPES.format(part="xl/workbook.xml", type=SHEET)),
               ("xl/workbook.xml", '<workbook><sheets><sheet name="顧客一覧" sheetId="1"/></sheets></workbook>'),
               ("xl/worksheets/sheet1.xml", f"<worksheet><sheetData>{sheet}</sheetData></worksheet>"), *more]
    if strings is not None:
        members.append(("xl/sharedStrings.xml", "<sst>" + "".join(f"<si>{x}</si>" for x in strings) + "</sst>"))
    return zipped(members)


def make_ooxml(s):
    import docx as python_docx
    import openpyxl

    out = io.BytesIO()
    d = python_docx.Document()
    d.core_properties.author, d.core_properties.title = "髙橋花子", "社外秘の件"
    p = d.add_paragraph()
    for run in ("カード 4111-11", "11-1111-", "1111 まで"):
        p.add_run(run)
    table = d.add_table(2, 2)
    for i, text in enumerate(("氏名", "電話", "山田太郎", "03-1234-5678")):
        table.cell(i // 2, i % 2).text = text
    d.sections[0].header.paragraphs[0].text = "上の見出し"
    d.sections[0].footer.paragraphs[0].text = "下の見出し"
    d.save(out)
    s.add("plain.docx", out.getvalue())

    out = io.BytesIO()
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "名簿"
    sheet.append(["氏名", "電話", "番号"])
    sheet.append(["山田太郎", "03-1234-5678", 4111111111111111])
    sheet["A3"].value = "=CONCATENATE(\"秘密の\",A1)"
    sheet["A4"].comment = openpyxl.comments.Comment("覚え書き", "鈴木")
    book.create_sheet("二枚目").append(["ふたつめ"])
    book.properties.creator = "佐藤"
    book.save(out)
    s.add("plain.xlsx", out.getvalue())

    t = '<w:r><w:t>{}</w:t></w:r>'.format
    s.add("parts.docx", docx(
        f"<w:p>{t('本文の')}<w:r><w:tab/></w:r>{t('うしろ')}<w:r><w:br/></w:r>{t('次の行')}</w:p>"
        f"<w:p>{t('山')}<w:del><w:r><w:delText>消した語</w:delText></w:r></w:del>{t('田')}"
        f'<w:r><w:instrText> HYPERLINK "mailto:x@example.jp" </w:instrText></w:r>{t("太郎")}</w:p>'
        f"<w:p>{t('枠の')}<w:r><w:pict><w:txbxContent><w:p>{t('枠内の文')}</w:p></w:txbxContent></w:pict></w:r>{t('外')}</w:p>",
        [("word/footnotes.xml", f'<w:footnotes xmlns:w="{W}"><w:p>{t("脚注の文")}</w:p></w:footnotes>'),
         ("word/comments.xml", f'<w:comments xmlns:w="{W}"><w:comment w:author="評者"><w:p>{t("注釈の文")}</w:p></w:comment></w:comments>'),
         ("word/_rels/document.xml.rels", '<Relationships><Relationship TargetMode="External" Target="mailto:y@example.jp"/></Relationships>'),
         ("word/media/image1.png", bytes.fromhex("89504e470d0a1a0a") + bytes(50)),
         ("word/embeddings/inner.xlsx", s.made["plain.xlsx"]),
         ("word/printerSettings1.bin", bytes(range(256)))]))
    s.add("moved.docx", docx(f"<w:p>{t(SECRET)}</w:p>", part="strange/place.bin.xml"))
    s.add("macro.docm", docx(f"<w:p>{t('本文')}</w:p>", [("word/unknown.bin", bytes(range(256)))],
                             kind="vnd.ms-word.document.macroEnabled.main"))
    laughs = "".join(f'<!ENTITY l{i} "{"&l%d;" % (i - 1) * 10}">' for i in range(1, 10))
    s.add("laughs.docx", docx("<w:p><w:r><w:t>&l9;</w:t></w:r></w:p>",
                              prolog=f'<!DOCTYPE w [<!ENTITY l0 "ha">{laughs}]>'))
    s.add("deep.docx", docx("<w:x>" * 5000 + t(SECRET) + "</w:x>" * 5000))
    s.add("broken.docx", docx(f"<w:p>{t(OTHER)}</w:q>"))
    s.add("utf16.docx", zipped([("[Content_Types].xml", TYPES.format(part="word/document.xml", type=WORD)),
                                ("word/document.xml", f'<w:document xmlns:w="{W}"><w:p>{t(SECRET)}</w:p></w:document>'.encode("utf-16"))]))
    s.add("bomb.docx", docx("<w:p>" + t("x") * 800000 + "</w:p>"))

    s.add("shared.xlsx", xlsx(
        '<row><c t="s"><v>1</v></c><c t="s"><v>0</v></c></row><row><c t="inlineStr"><is><t>行内</t></is></c><c><v>42</v></c></row>',
        ["<r><t>03-1234</t></r><r><t>-5678</t></r>", "<t>山田</t><rPh><t>ヤマダ</t></rPh>", "<t>使われない語</t>"],
        [("xl/worksheets/sheet2.xml", "<worksheet><sheetData/><headerFooter><oddHeader>頁の頭</oddHeader></headerFooter></worksheet>")]))
    s.add("missing.xlsx", xlsx('<row><c t="s"><v>7</v></c></row>', ["<t>一つだけ</t>"]))
    s.add("large.xlsx", xlsx("".join(f'<row><c t="s"><v>{(i * 7919) % 60000}</v></c></row>' for i in range(60000)),
                             [f"<t>文字列{i}番</t>" for i in range(60000)]))
    slide = ('<p:sld xmlns:p="p" xmlns:a="a"><p:sp><a:p><a:r><a:t>提案の</a:t></a:r><a:r><a:t>表紙</a:t></a:r></a:p>'
             '<a:p><a:r><a:t>二段目</a:t></a:r></a:p></p:sp></p:sld>')
    s.add("plain.pptx", zipped([
        ("[Content_Types].xml", TYPES.format(part="ppt/presentation.xml", type="vnd.openxmlformats-officedocument.presentationml.presentation.main")),
        ("ppt/slides/slide1.xml", slide),
        ("ppt/notesSlides/notesSlide1.xml", '<p:notes xmlns:p="p" xmlns:a="a"><a:p><a:r><a:t>発表者の覚え</a:t></a:r></a:p></p:notes>')]))
    s.add("binary.xlsb", zipped([
        ("[Content_Types].xml", TYPES.format(part="xl/workbook.bin", type="vnd.ms-excel.sheet.binary.macroEnabled.main")),
        ("xl/workbook.bin", b"\x83\x01\x00" + bytes(range(200))), ("xl/worksheets/sheet1.bin", b"\x81\x01\x00" + bytes(range(200)))]))


def make_odf(s):
    from odf import meta, table, text
    from odf.opendocument import OpenDocumentSpreadsheet, OpenDocumentText

    d = OpenDocumentText()
    d.meta.addElement(meta.InitialCreator(text="髙橋花子"))
    p = text.P()
    for piece in ("カード 4111-11", "11-1111-1111"):
        p.addElement(text.Span(text=piece))
    p.addElement(text.LineBreak())
    p.addText("次の行")
    d.text.addElement(text.H(outlinelevel=1, text="見出し"))
    d.text.addElement(p)
    out = io.BytesIO()
    d.write(out)
    s.add("plain.odt", out.getvalue())

    d = OpenDocumentSpreadsheet()
    sheet = table.Table(name="名簿")
    for row in (("氏名", "電話"), ("山田太郎", "03-1234-5678")):
        r = table.TableRow()
        for value in row:
            c = table.TableCell(valuetype="string")
            c.addElement(text.P(text=value))
            r.addElement(c)
        sheet.addElement(r)
    r = table.TableRow()
    c = table.TableCell(valuetype="float", value="4111111111111111")
    c.addElement(text.P(text="4.1E+15"))
    r.addElement(c)
    sheet.addElement(r)
    d.spreadsheet.addElement(sheet)
    out = io.BytesIO()
    d.write(out)
    s.add("plain.ods", out.getvalue())

    manifest = ('<manifest:manifest xmlns:manifest="m"><manifest:file-entry manifest:full-path="content.xml">'
                "<manifest:encryption-data/></manifest:file-entry></manifest:manifest>")
    s.add("encrypted.odt", zipped([("mimetype", "application/vnd.oasis.opendocument.text"),
                                   ("content.xml", os.urandom(500)), ("META-INF/manifest.xml", manifest)]))
    inline = ('<office:document-content xmlns:office="o" xmlns:text="t"><text:p>田<office:annotation><text:p>付箋'
              "</text:p></office:annotation>中<text:note><text:p>脚注</text:p></text:note>様</text:p>"
              "</office:document-content>")
    s.add("notes.odt", zipped([("mimetype", "application/vnd.oasis.opendocument.text"), ("content.xml", inline)]))
    laughs = '<!DOCTYPE x [<!ENTITY a "aaaa">]><office:document-content xmlns:office="o"/>'
    s.add("laughs.odt", zipped([("mimetype", "application/vnd.oasis.opendocument.text"), ("content.xml", laughs)]))


# ---- winmail.dat, mail, single files ------------------------------------------------------------


def tnef(*attributes):
    out = struct.pack("<IH", 0x223e9f78, 1)
    for level, kind, data in attributes:
        out += struct.pack("<BII", level, kind, len(data)) + data + struct.pack("<H", sum(data) & 0xffff)
    return out


def mapi(*properties):
    out = struct.pack("<I", len(properties))
    for tag, kind, data in properties:
        out += struct.pack("<HH", kind, tag)
        if kind == 3:
            out += data
        else:
            out += struct.pack("<II", 1, len(data)) + data + bytes(-len(data) % 4)
    return out


def lzfu(rtf):
    """Compressed RTF of letters alone, with the end that a reader looks for."""
    body, at = b"", 207
    for i in range(0, len(rtf), 8):
        body += b"\0" + rtf[i:i + 8]
        at += len(rtf[i:i + 8])
    rest = len(rtf) % 8
    end = struct.pack(">H", (at & 0xfff) << 4)
    body = body[:-rest - 1] + bytes([1 << rest]) + rtf[-rest:] + end if rest else body + b"\1" + end
    return struct.pack("<II4sI", len(body) + 12, len(rtf), b"LZFu", 0) + body


def make_tnef(s):
    secret = SECRET.encode()
    page = (1, 0x69007, struct.pack("<II", 932, 0))
    begins = (2, 0x69002, bytes(14))
    long_name = (2, 0x69005, mapi((0x3705, 3, struct.pack("<I", 1)), (0x3707, 0x1f, (NAME + "\0").encode("utf-16-le"))))
    s.add("winmail.dat", tnef(
        page, (1, 0x18004, "件名の語\0".encode("cp932")), (1, 0x2800c, "本文の語\0".encode("cp932")), begins,
        (2, 0x18010, b"MITSUM~1.TXT\0"), (2, 0x6800f, secret), long_name,
        begins, (2, 0x18010, "資料.zip\0".encode("cp932")), (2, 0x6800f, s.made["plain.zip"])))
    s.add("rtf.tnef", tnef(page, (1, 0x69003, mapi((0x1009, 0x102, lzfu(b"{\\rtf1\\ansi Letters of RTF}"))))))
    s.add("html.tnef", tnef(page, (1, 0x69003, mapi((0x1013, 0x102, "<html><body>HTMLの本文</body></html>".encode())))))
    inner = tnef((1, 0x2800c, b"inner text\0"), begins, (2, 0x18010, b"in.txt\0"), (2, 0x6800f, secret))
    s.add("message.tnef", tnef(begins, (2, 0x18010, b"message\0"),
                               (2, 0x69005, mapi((0x3701, 0x0d, bytes(16) + inner)))))
    whole = tnef(page, begins, (2, 0x18010, b"a.txt\0"), (2, 0x6800f, secret))
    s.add("cut.tnef", whole[:-20])
    past = bytearray(whole)
    at = whole.rfind(struct.pack("<BI", 2, 0x6800f)) + 5
    past[at:at + 4] = b"\xff\xff\xff\x7f"
    s.add("past.tnef", bytes(past))
    s.add("sum.tnef", whole[:-1] + b"\x5a")
    s.add("linked.tnef", tnef(begins, (2, 0x18010, b"linked.doc\0")))


def make_single(s):
    secret = SECRET.encode()
    s.add("empty.txt", b"")
    s.add("program.bin", b"\x7fELF" + bytes(100))
    s.add("windows.dll", b"MZ\x90\0\3" + bytes(200))
    s.add("script.sh", b"#!/bin/sh\necho " + secret + b"\n")
    s.add("unknown.bin", bytes(range(256)) * 4)
    s.add("picture.jpg", b"\xff\xd8\xff\xe0" + bytes(100))
    s.add("signed.p7s", bytes.fromhex("3082010006092a864886f70d010702") + bytes(100))
    s.add("sealed.p7m", bytes.fromhex("3082010006092a864886f70d010703") + bytes(100))
    s.add("secret.asc", b"-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n")
    s.add("mail.eml", "From: a@example.jp\nTo: b@example.jp\nSubject: =?utf-8?B?5Lu25ZCN?=\nMIME-Version: 1.0\n"
          'Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/plain; charset=utf-8\n\n本文の語\n'
          '--b\nContent-Type: application/octet-stream; name="a.txt"\nContent-Transfer-Encoding: base64\n\n'
          "44Kr44O844OJNDExMQ==\n--b--\n".encode())
    s.add("mail.zip", zipped([("saved.eml", s.made["mail.eml"])]))


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    samples = Samples(folder)
    for make in (make_zip, make_archives, make_ooxml, make_odf, make_tnef, make_single):
        make(samples)


if __name__ == "__main__":
    main()
