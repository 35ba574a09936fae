"""What tests/bench/rules puts in force and sends: all examples, a big organisation, letters; and rspamd's settings."""
import base64, email.utils, io, os, random, re, textwrap, zipfile

SENDER, RCPT, BOSS = "taro@example.co.jp", "sato@alpha.example", "buchou@example.co.jp"
OWN_LAYER = re.compile(r"user-(\w+)$")

# What an action that makes mail wait becomes: the weakest of its function. None: left out.
WEAKEST = {"hold": "hold no", "approve": "approve no", "zip": "keep", "link": "keep", "as": "keep", "keep": "keep",
           "bcc": "bcc no", "stagger": "stagger no", "bounce": "", "forward": "", "refuse": "", "notice": ""}

# What no example asks for. Nothing of it is in the letter.
MORE = """rule everything-else
    to      external
    pii     corporate >= 1, mail >= 100, phone >= 100, card >= 1, mynumber >= 1, name >= 100, address >= 100
    regex   "[A-Z]{4}-[0-9]{9}-[A-Z]"
    do      refuse "never met"

rule other-words
    words   "社外秘", "極秘", "confidential*", "持出禁止"
    do      refuse "never met"

rule other-header
    header  X-Classification "社外秘"
    do      refuse "never met"

rule other-traits
    message uninspectable
    do      hold for operator

rule two-readings
    message ambiguous
    do      hold for operator

rule forgotten-file
    message promises-file
    do      hold for operator

rule somebody-elses-name
    from    mismatched
    do      hold for operator

rule nobody-knows-the-sender
    from    unregistered
    do      hold for operator

rule look-alike shadow
    to      lookalike
    do      hold until confirmed

rule cannot-be-opened
    file    not inspectable
    do      hold for operator
"""


# ---- rules ----

def at_once(text):
    """Rules as they are, but that the letter leaves at once: what would make it wait becomes the weakest action of the
    same function, and refusals do not concern its sender. Conditions are not touched."""
    out = []
    for rule in re.split(r"(?m)^(?=rule\s)", text):
        lines, actions = [], []
        for line in rule.splitlines():
            word = re.match(r"\s+do\s+(\w+)", line)
            if not word:
                lines.append(line)
                continue
            weakest = WEAKEST.get(word.group(1))
            if weakest == "":
                actions.append(line)
            elif weakest and weakest not in "".join(actions):
                actions.append("    do      " + weakest)
        if rule.startswith("rule"):
            while lines and not lines[-1].strip():
                lines.pop()
            if any(re.match(r"\s+do\s+refuse", a) for a in actions):
                lines.append("    unless  from " + SENDER)
            lines += actions or ["    do      notice never"]
        out.append("\n".join(lines) + "\n\n")
    return "".join(out)


def everything(top):
    """The examples and their organisation."""
    files = organisation(top)
    folder = top + "/etc/examples"
    for n, name in enumerate(sorted(x for x in os.listdir(folder) if x.startswith("S"))):
        text = at_once(open("%s/%s" % (folder, name), encoding="utf-8").read())
        own = OWN_LAYER.search(name)
        if own:
            files["policy/user/%s@example.co.jp" % own.group(1)] = text
        else:
            files["policy/must/%02d-%s" % (10 + n, name)] = text
    files["policy/must/90-more"] = MORE
    return files


def organisation(top):
    """etc/examples/etc."""
    folder, files = top + "/etc/examples/etc", {}
    for at, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(at, name)
            files[os.path.relpath(path, folder)] = open(path, "rb").read()
    return files


def two_sets():
    """Two sets of rules, each of two files with 50 rules; each names itself in what it decides."""
    def one(name):
        idle = "".join('rule idle-%d\n    words "%s nobody writes %d"\n    do refuse "no"\n\n' % (n, name, n) for n in range(50))
        return {"policy/must/10-%s" % name: idle + "rule hold-%s\n    always\n    do hold no\n" % name,
                "policy/must/20-%s" % name: idle + "rule keep-%s\n    always\n    do keep\n" % name}
    sets = [one("first"), one("second")]
    # The other set's files stay, without rules.
    return [mine | {path: "# not now\n" for path in other} for mine, other in (sets, sets[::-1])]


def big(partners, people):
    """So many partners and people, and rules that ask about them."""
    pick = random.Random(1)
    groups = ["g%d" % n for n in range(100)]
    files = {"domains": "example.co.jp internal\n", "groups": "".join(g + "\n" for g in groups)}
    files["partners"] = "".join("d%d.example.test d%d-group.example.test | 株式会社第%d商事 | 第%d商事\n" % (n, n, n, n)
                                for n in range(partners))
    files["people"] = "%s group=g1 boss=%s\n%s\n" % (SENDER, BOSS, BOSS) + "".join(
        "p%d@example.co.jp alias=person.%d@example.co.jp group=%s,%s boss=%s\n" % (
            n, n, *pick.sample(groups, 2), BOSS) for n in range(people))
    files["policy/must/50-big"] = ("rule unknown-partner\n    to external\n    to not partner\n    do hold no\n\n"
                                   + "".join("rule group-%d\n    from group %s\n    to partner\n    do hold no\n\n" % (n, g)
                                             for n, g in enumerate(groups)))
    return files


# ---- letters ----

LINES = ["いつもお世話になっております。営業部の山田でございます。",
         "先日ご相談いただきました件につきまして、社内で検討した結果を下記のとおりご連絡申し上げます。",
         "納期は受注後おおよそ3週間を予定しておりますが、在庫の状況により前後する場合がございます。",
         "ご不明な点がございましたら、お手数ですが 03-3456-7890 までお気軽にお問い合わせください。",
         "来週の打ち合わせは 2026年11月30日(月) 14:00 から貴社会議室でお願いいたします。",
         "引き続きどうぞよろしくお願い申し上げます。"]
GREETING = "アルファ商事株式会社\n佐藤様\n\n"
HEAD = ("From: =?UTF-8?B?5bGx55Sw5aSq6YOO?= <%s>\nTo: <%s>\nCc: <%s>\nSubject: =?UTF-8?B?5omT44Gh5ZCI44KP44Gb44Gu5Lu2?=\n"
        "Date: %s\nMessage-ID: <bench@example.co.jp>\nMIME-Version: 1.0\n")
PLAIN = "Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: base64\n\n%s"
FILE = ("Content-Type: application/vnd.openxmlformats-officedocument.%s; name=%s\n"
        "Content-Disposition: attachment; filename=%s\nContent-Transfer-Encoding: base64\n\n%s")


def letter_file(folder, size, rcpt=RCPT, cells=False):
    """A letter of about `size` bytes, for the generator: {sender, rcpt, file}. From 64 KiB on a document of ten pages
    with pictures is in it, or a workbook that is nothing but cells."""
    head = HEAD % (SENDER, rcpt, BOSS, email.utils.formatdate())
    if size < 65536:
        content = head + PLAIN % wrapped(prose(room(size - len(head) - len(PLAIN))))
    else:
        kind, name, made = ("spreadsheetml.sheet", "list.xlsx", workbook) if cells else (
            "wordprocessingml.document", "plan.docx", document)
        parts = [PLAIN % wrapped(prose(1500)), FILE % (kind, name, name, wrapped(made(room(size - 5000))))]
        content = (head + "Content-Type: multipart/mixed; boundary=bench0\n\n"
                   + "".join("--bench0\n%s\n" % part for part in parts) + "--bench0--\n")
    path = "%s/letter-%d%s" % (folder, size, "-cells" if cells else "")
    with open(path, "w") as f:
        f.write(content)
    os.chmod(path, 0o644)
    return dict(sender=SENDER, rcpt=rcpt, file=path)


def room(size):
    """So many bytes become `size` in base64, with CRLF behind 76 letters."""
    return size * 57 // 78


def wrapped(content):
    return "\n".join(textwrap.wrap(base64.b64encode(content).decode(), 76))


def prose(size):
    pick, text = random.Random(1), GREETING
    while len(text.encode()) < size:
        text += pick.choice(LINES) + ("\n" if pick.random() < 0.5 else "")
    return text.encode()[:size].decode(errors="ignore").encode()


def document(size, letters=12_000):
    """A document of about so many bytes: ten pages of text in paragraphs, the rest are pictures that do not pack."""
    pick, body, length = random.Random(3), "", 0
    while length < letters:
        line = pick.choice(LINES)
        body += "<w:p><w:pPr><w:spacing w:after=\"120\"/></w:pPr><w:r><w:t>%s</w:t></w:r></w:p>" % line
        length += len(line)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("[Content_Types].xml", DOCUMENT_TYPES)
        z.writestr("_rels/.rels", RELS % ("officeDocument", "word/document.xml"))
        z.writestr("word/document.xml", DOCUMENT % body)
        for n in range(4):
            picture = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01" + pick.randbytes(size // 4 - 1500) + b"\xff\xd9"
            z.writestr("word/media/image%d.jpeg" % n, picture, zipfile.ZIP_STORED)
    return out.getvalue()


def workbook(size):
    """A workbook of about so many bytes, as a spreadsheet writes one: its cells are letters and numbers."""
    pick = random.Random(2)
    rows, out = size // 90, b""
    while len(out) < size * 0.98:
        rows = int(rows * (size / len(out) if out else 1)) + 1
        out = sheet(pick, rows)
    return out


def sheet(pick, rows):
    cell = '<c r="%s%d" t="inlineStr"><is><t>%s</t></is></c><c r="%s%d"><v>%d</v></c>'
    body = "".join('<row r="%d">%s</row>' % (n, cell % ("A", n, pick.choice(LINES)[:20] + "%x" % pick.getrandbits(96), "B", n,
                                                       pick.getrandbits(40) + 1)) for n in range(1, rows + 1))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("[Content_Types].xml", TYPES)
        z.writestr("_rels/.rels", RELS % ("officeDocument", "xl/workbook.xml"))
        z.writestr("xl/workbook.xml", WORKBOOK)
        z.writestr("xl/_rels/workbook.xml.rels", RELS % ("worksheet", "worksheets/sheet1.xml"))
        z.writestr("xl/worksheets/sheet1.xml", SHEET % body)
    return out.getvalue()


XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
OFFICE = "http://schemas.openxmlformats.org"
MAIN = OFFICE + "/spreadsheetml/2006/main"
TYPES = XML + ('<Types xmlns="%s/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.'
               'openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
               '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.'
               'spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/'
               'vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>' % OFFICE)
RELS = XML + ('<Relationships xmlns="' + OFFICE + '/package/2006/relationships"><Relationship Id="rId1" Type="' + OFFICE
              + '/officeDocument/2006/relationships/%s" Target="%s"/></Relationships>')
WORKBOOK = XML + ('<workbook xmlns="%s" xmlns:r="%s/officeDocument/2006/relationships"><sheets><sheet name="1" '
                  'sheetId="1" r:id="rId1"/></sheets></workbook>' % (MAIN, OFFICE))
WORD = OFFICE + "/wordprocessingml/2006/main"
DOCUMENT_TYPES = XML + ('<Types xmlns="%s/package/2006/content-types"><Default Extension="rels" ContentType="application/'
                        'vnd.openxmlformats-package.relationships+xml"/><Default Extension="jpeg" ContentType="image/jpeg"/>'
                        '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.'
                        'wordprocessingml.document.main+xml"/></Types>' % OFFICE)
DOCUMENT = XML + '<w:document xmlns:w="' + WORD + '"><w:body>%s</w:body></w:document>'
SHEET = XML + '<worksheet xmlns="' + MAIN + '"><sheetData>%s</sheetData></worksheet>'


# ---- rspamd ----

# They ask the network or redis, which are not there.
OFF = ["arc", "asn", "bimi", "dkim", "dkim_signing", "dmarc", "fuzzy_check", "greylist", "history_redis", "mx_check", "neural",
       "ratelimit", "rbl", "replies", "reputation", "rspamd_update", "spf", "surbl", "url_redirector"]


def rspamd(milter):
    """Its local.d: one process a core, which scans what it is handed over that socket."""
    files = {name + ".conf": "enabled = false;\n" for name in OFF}
    files |= {"worker-%s.inc" % name: "enabled = false;\n" for name in ("normal", "controller", "fuzzy")}
    files["worker-proxy.inc"] = ('bind_socket = "%s mode=0666";\ncount = %d;\nupstream "local" { default = yes; '
                                 'self_scan = yes; }\n' % (milter, os.cpu_count()))
    files["options.inc"] = 'dns { nameserver = ["127.0.0.1:9"]; timeout = 0.1; retransmits = 1; }\n'
    return files
