#!/usr/bin/python3
"""Makes labelled messages in any number.

    tests/corpus/generate.py FOLDER [COUNT [SEED]]     FOLDER/g0001.eml … and FOLDER/labels.json

Names and places come from faker's Japanese provider, which the detectors do not use; numbers are drawn
at random with their check digits, telephone numbers within Japan's area codes. Every third message
holds only what looks like personal data and is none. The same seed makes the same messages.

labels.json: {"g0001.eml": [[KIND, PLACE, VALUE], …]}; what the labels mean is told in README.
"""
import json
import random
import sys
from pathlib import Path

from faker import Factory
from faker.providers.address.ja_JP import Provider as Places
from faker.providers.person.ja_JP import Provider as People

import build
import mailfile
from mailfile import Attachment, Label, Mail

HONORIFICS = "様 さん 氏 殿 先生 部長 課長 係長 主任 社長".split()
FULL_WIDTH = str.maketrans("0123456789-()+. ", "０１２３４５６７８９－（）＋．　")
KANJI = "〇一二三四五六七八九"

# Area codes, each as long as it is written; the number behind it fills up to ten digits.
AREAS = (
    "03 06 011 017 018 019 022 023 024 025 026 027 028 029 042 043 044 045 046 047 048 049 052 053 054 "
    "055 058 059 072 073 075 076 077 078 079 082 083 084 086 087 088 089 092 093 095 096 097 098 099 "
    "0123 0134 0138 0154 0166 0172 0178 0191 0220 0238 0246 0258 0263 0270 0280 0297 0422 0463 0465 0475 "
    "0532 0545 0565 0568 0584 0595 0721 0742 0748 0761 0773 0791 0823 0836 0852 0867 0877 0884 0898 0940 "
    "0952 0957 0968 0977 0985 0994").split()
DOMAINS = "example.co.jp example.jp alpha.example beta-shoji.example mail.gamma.example".split()
# Towns of faker that are buildings.
TOWNS = [t for t in Places.towns if not any(word in t for word in ("タワー", "ヒルズ"))]


def prefecture(city: str) -> str:
    """Of one of faker's cities, which stand in order: Chiba, Tokyo from 千代田区 on, Kanagawa from 横浜市 on."""
    at = Places.cities.index(city)
    if at < Places.cities.index("千代田区"):
        return "千葉県"
    return "東京都" if at < Places.cities.index("横浜市鶴見区") else "神奈川県"


class Maker:
    def __init__(self, seed: int):
        self.rnd = random.Random(seed)
        self.fake = Factory.create("ja_JP")
        self.fake.seed(seed)

    # Each of these returns how it is written, and the label's value.

    def name(self) -> tuple[str, str]:
        family, given = self.rnd.choice(People.last_names), self.fake.first_name()
        if self.rnd.random() < 0.12:
            family, given = self.rnd.choice(People.last_kana_names), self.fake.first_kana_name()
            return f"{family} {given}", family + given
        return family + self.rnd.choice(("", " ", "\u3000")) + given, family + given

    def polite(self) -> tuple[str, str]:
        family = self.rnd.choice(People.last_names)
        return family + self.rnd.choice(HONORIFICS), family

    def address(self) -> tuple[str, str]:
        rnd = self.rnd
        city = rnd.choice(Places.cities)
        place = (prefecture(city) if rnd.random() < 0.85 else "") + city + rnd.choice(TOWNS)
        block = [rnd.randint(1, 9), rnd.randint(1, 30), rnd.randint(1, 40)]
        shape = rnd.randrange(6)
        if shape == 0:
            value = place + "{}丁目{}番{}号".format(*block)
        elif shape == 1:
            value = place + "{}丁目{}番地{}".format(*block)
        elif shape == 2:
            value = place + "{}丁目{}-{}".format(KANJI[block[0]], *block[1:])
        elif shape == 3:
            value = place + "{}-{}-{}".format(*block).translate(FULL_WIDTH)
        elif shape == 4:
            value = place + "{}-{}".format(*block[1:])
        else:
            value = place + "{}-{}-{}".format(*block)
        shown = value
        if rnd.random() < 0.3:
            shown += rnd.choice((" ", "\u3000")) + self.fake.building_name() + str(rnd.randint(101, 905))
        if rnd.random() < 0.4:
            shown = f"〒{rnd.randint(100, 999)}-{rnd.randint(0, 9999):04} " + shown
        return shown, value

    def phone(self) -> tuple[str, str]:
        rnd, digit = self.rnd, lambda n: "".join(rnd.choices("0123456789", k=n))
        kind = rnd.random()
        if kind < 0.35:
            groups = [rnd.choice(("090", "080", "070")), rnd.choice("123456789") + digit(3), digit(4)]
        elif kind < 0.42:
            groups = ["050", rnd.choice(("3", "5")) + digit(3), digit(4)]
        elif kind < 0.50:
            groups = rnd.choice((["0120", digit(3), digit(3)], ["0800", digit(3), digit(4)]))
        else:
            area = rnd.choice(AREAS)
            groups = [area, rnd.choice("23456789") + digit(5 - len(area)), digit(4)]
        return self.as_phone(groups), "".join(groups)

    def as_phone(self, groups: list[str]) -> str:
        rnd, shape = self.rnd, self.rnd.random()
        if shape < 0.45:
            shown = "-".join(groups)
        elif shape < 0.55:
            shown = f"({groups[0]}){groups[1]}-{groups[2]}"
        elif shape < 0.62:
            shown = f"{groups[0]}({groups[1]}){groups[2]}"
        elif shape < 0.72:
            return rnd.choice("‐−–ー").join(groups)
        elif shape < 0.78:
            shown = " ".join(groups)
        elif shape < 0.84:
            return "".join(groups)
        elif shape < 0.92 and groups[0] not in ("0120", "0800"):
            mark = rnd.choice("- ")
            return rnd.choice((f"+81{mark}{groups[0][1:]}", f"+81{mark}(0){groups[0][1:]}")) + mark + mark.join(groups[1:])
        else:
            shown = ".".join(groups)
        return shown.translate(FULL_WIDTH) if rnd.random() < 0.15 else shown

    def grouped(self, digits: str, groups: tuple[int, ...]) -> str:
        pieces, at = [], 0
        for size in groups:
            pieces.append(digits[at:at + size])
            at += size
        shown = self.rnd.choice(("", "", "-", " ")).join(pieces)
        return shown.translate(FULL_WIDTH) if self.rnd.random() < 0.12 else shown

    def card(self) -> tuple[str, str]:
        rnd = self.rnd
        prefix, length = rnd.choice((
            ("4", 16), ("4", 16), (str(rnd.randint(51, 55)), 16), (str(rnd.randint(2221, 2720)), 16),
            (str(rnd.randint(3528, 3589)), 16), (rnd.choice(("34", "37")), 15), (rnd.choice(("36", "38", "300")), 14),
            (rnd.choice(("6011", "65")), 16)))
        body = prefix + "".join(rnd.choices("0123456789", k=length - len(prefix) - 1))
        digits = next(body + d for d in "0123456789" if mailfile.luhn(body + d))
        return self.grouped(digits, {14: (4, 6, 4), 15: (4, 6, 5), 16: (4, 4, 4, 4)}[length]), digits

    def mynumber(self) -> tuple[str, str]:
        body = "".join(self.rnd.choices("0123456789", k=11))
        digits = body + str(mailfile.mynumber_check(body))
        return self.grouped(digits, (4, 4, 4)), digits

    def corporate(self) -> tuple[str, str]:
        body = self.rnd.choice("0123456789") + "".join(self.rnd.choices("0123456789", k=11))
        digits = str(mailfile.corporate_check(body)) + body
        shown = digits.translate(FULL_WIDTH) if self.rnd.random() < 0.15 else digits
        return self.rnd.choice(("", "T")) + shown, digits

    def mail(self) -> tuple[str, str]:
        rnd = self.rnd
        local = rnd.choice(People.last_romanized_names).lower() + rnd.choice(".-_") + rnd.choice("abcdefghkmnrsty") + str(rnd.randint(1, 999))
        value = f"{local}@{rnd.choice(DOMAINS)}"
        return value if rnd.random() < 0.9 else value.upper(), value

    # What is none.

    def order(self) -> str:
        rnd = self.rnd
        day = f"2026{rnd.randint(1, 12):02}{rnd.randint(1, 28):02}"
        digit = lambda n: "".join(rnd.choices("0123456789", k=n))
        return rnd.choice((
            lambda: f"注文番号 {day}{digit(8)}",
            lambda: f"伝票番号: {digit(4)}-{digit(4)}-{digit(4)}",
            lambda: f"請求書番号 {day[:6]}{digit(6)}",
            lambda: f"お問い合わせ番号 {digit(12)}",
            lambda: f"受付番号 {day}{rnd.randint(0, 235959):06}",
            lambda: f"日時 2026-{rnd.randint(1, 12):02}-{rnd.randint(1, 28):02} {rnd.randint(0, 23):02}:{rnd.randint(0, 59):02}:{rnd.randint(0, 59):02}",
            lambda: f"JAN 49{digit(11)}",
            lambda: f"ISBN 978-4-{digit(2)}-{digit(6)}-{digit(1)}",
            lambda: f"口座 普通 {digit(7)}",
            lambda: f"UUID {digit(8)}-{digit(4)}-4{digit(3)}-8{digit(3)}-{digit(12)}",
            lambda: f"ID {self.fake.uuid4()}",
            lambda: f"サーバー 10.{rnd.randint(0, 255)}.{rnd.randint(0, 255)}.{rnd.randint(1, 254)}",
            lambda: f"会議ID {digit(3)} {digit(4)} {digit(4)}",
            lambda: f"品番 {rnd.choice('ABKSX')}{digit(3)}-{digit(4)}-{digit(2)}",
            lambda: f"金額 {rnd.randint(1, 99)},{digit(3)},{digit(3)}円",
            lambda: f"版 {rnd.randint(1, 20)}.{rnd.randint(0, 99)}.{rnd.randint(0, 9999)}",
            lambda: f"内線 {digit(4)}",
            lambda: f"〒{digit(3)}-{digit(4)}",
            lambda: f"照合 {day}{digit(6)}.{digit(3)}",
            lambda: f"顧客コード 00{digit(8)}",
        ))()

    def company(self) -> str:
        return self.fake.company().replace(" ", self.rnd.choice(("", " ")))

    def small_talk(self) -> str:
        rnd, place = self.rnd, self.fake.city()
        return rnd.choice((
            f"{place}の{rnd.choice(('工場', '営業所', '倉庫'))}で打ち合わせをお願いいたします。",
            f"{self.company()}からの納品は来週の予定です。",
            f"{rnd.choice(People.last_names)}製作所の図面は別便でお送りします。",
            f"{self.fake.prefecture()}内の店舗は{rnd.randint(3, 40)}か所です。",
            f"納期は{rnd.randint(1, 12)}月{rnd.randint(1, 28)}日、数量は{rnd.randint(10, 900)}個でお願いします。",
            f"会場は{place}の市民ホール{rnd.randint(1, 9)}階です。",
        ))


WRITTEN = {"card": ("カード番号", "クレジットカード", "Card"), "mynumber": ("個人番号", "マイナンバー"),
           "corporate": ("法人番号", "登録番号"), "phone": ("TEL", "電話", "携帯", "FAX", "ご連絡先"),
           "address": ("住所", "所在地", "お届け先", "ご住所"), "mail": ("メール", "E-mail", "Mail"), "name": ("氏名", "お名前", "ご担当")}
LIST_KINDS = ("name", "phone", "address", "mail", "card", "mynumber", "corporate")


def entry(maker: Maker, kind: str) -> tuple[str, str]:
    return getattr(maker, kind)()


def body_lines(maker: Maker, kinds: list[str], labels: set[Label]) -> list[str]:
    lines = []
    for kind in kinds:
        shown, value = entry(maker, kind)
        labels.add((kind, "body", value))
        mark = maker.rnd.choice(("：", ":", " ", " : ", "\u3000"))
        lines.append(maker.rnd.choice(("", " ", "・", "> ")) + maker.rnd.choice(WRITTEN[kind]) + mark + shown)
    return lines


def people_list(maker: Maker, labels: set[Label]) -> Attachment:
    """A list of persons as CSV or XLSX."""
    rnd = maker.rnd
    kinds = ["name", *sorted(rnd.sample(LIST_KINDS[1:], rnd.randint(1, 4)), key=LIST_KINDS.index)]
    rows = [["No", *(WRITTEN[k][0] for k in kinds), "備考"]]
    for number in range(1, rnd.randint(4, 25)):
        row = [str(number)]
        for kind in kinds:
            shown, value = entry(maker, kind)
            labels.add((kind, "files", value))
            row.append(shown)
        rows.append([*row, rnd.choice(("", "済", "要確認", f"R{rnd.randint(1, 9)}"))])
    if rnd.random() < 0.4:
        return Attachment("名簿.xlsx", "", rows)
    return Attachment(rnd.choice(("名簿.csv", "一覧表_2026.csv", "list.csv")), "\n".join(",".join(r) for r in rows) + "\n")


def plain_list(maker: Maker) -> Attachment:
    """Orders, stock, a log: nothing personal."""
    rows = [["No", "項目", "内容", "数量"]]
    for number in range(1, maker.rnd.randint(8, 40)):
        rows.append([str(number), *maker.order().replace(",", "").split(None, 1), str(maker.rnd.randint(1, 500))])
    if maker.rnd.random() < 0.3:
        return Attachment("出荷明細.xlsx", "", rows)
    return Attachment("受注一覧.csv", "\n".join(",".join(r) for r in rows) + "\n")


def one(maker: Maker, number: int) -> Mail:
    rnd, labels = maker.rnd, set()
    none = number % 3 == 0
    lines = [maker.company(), "ご担当者 各位" if none else "", "", "いつもお世話になっております。"]
    if not none:
        shown, value = maker.polite()
        labels.add(("name", "body", value))
        lines[1] = shown
        lines += body_lines(maker, rnd.choices(LIST_KINDS, (5, 6, 5, 3, 3, 2, 1), k=rnd.randint(2, 6)), labels)
    lines += [rnd.choice((maker.order, maker.small_talk))() for _ in range(rnd.randint(4, 12))]
    rest = lines[4:]
    rnd.shuffle(rest)
    lines[4:] = rest
    files = []
    if rnd.random() < 0.45:
        files.append(plain_list(maker) if none else people_list(maker, labels))
    lines += ["", "よろしくお願いいたします。", "営業部"]
    fields = {"from": "営業部 <sales@example.co.jp>", "to": "ご担当者 <info@alpha.example>",
              "subject": rnd.choice(("ご連絡", "資料送付の件", "【確認】手配について", "Re: お見積り"))}
    body = "\n".join(lines) + "\n"
    charset = rnd.choice(mailfile.CHARSETS)
    fields["charset"] = charset if build.encodable(body + fields["subject"], charset) else "utf-8"
    if number % 7 == 0:
        fields["html"] = "yes"
        body = build.as_html(body)
    return Mail(f"g{number:04}", fields, sorted(labels), body, files)


def make(count: int, seed: int) -> list[Mail]:
    maker = Maker(seed)
    return [one(maker, number) for number in range(1, count + 1)]


def main(arguments: list[str]) -> int:
    if not 1 <= len(arguments) <= 3:
        print(__doc__, file=sys.stderr)
        return 100
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    count, seed = (int(n) for n in (*arguments[1:], *("600", "1")[len(arguments) - 1:]))
    labels = {}
    for mail in make(count, seed):
        (folder / f"{mail.name}.eml").write_bytes(build.message(mail))
        labels[f"{mail.name}.eml"] = mail.labels
    (folder / "labels.json").write_text(json.dumps(labels, ensure_ascii=False, indent=0))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
