"""Random rules, random messages, and a second, small reading of the rule language to compare the gateway with. It
shares no line with lib/policy: a rule is a list of questions, each a text for the file and a function here. No tests
here."""
import random
from collections.abc import Callable
from dataclasses import dataclass, field

OWN, AFFILIATED = "example.co.jp", "affiliated.example"
PARTNERS = ("partner.example", "big.example")
OTHERS = ("other.example", "third.example")
CLASSES = ("internal", "affiliated", "external")

# Who is in which group; who decides for whom stands in BOSS.
PEOPLE = {
    f"alice@{OWN}": ("sales", "staff"),
    f"bob@{OWN}": ("temps",),
    f"carol@{OWN}": ("bosses", "staff"),
    f"dave@{OWN}": (),
    f"chief@{OWN}": ("bosses",),
}
CHIEF = f"chief@{OWN}"  # approves, and writes nothing: nobody approves his own mail
BOSS = {f"alice@{OWN}": f"carol@{OWN}", f"bob@{OWN}": f"carol@{OWN}"}
GROUPS = ("bosses", "sales", "staff", "temps")
LISTS = {"vip": (f"p1@{PARTNERS[0]}", f"@{PARTNERS[1]}"), "few": (f"x1@{OTHERS[0]}", f"dave@{OWN}")}
WORDS = ("alpha", "bravo", "charlie")
NAMES = ("plan", "alpha", "charlie")
ENDINGS = (".txt", ".csv", ".dat")
KB = 1024


def class_of(address: str) -> str:
    domain = address.rpartition("@")[2]
    return "internal" if domain == OWN else "affiliated" if domain == AFFILIATED else "external"


def domain_of(address: str) -> str:
    return address.rpartition("@")[2]


@dataclass
class File:
    name: str
    text: str


@dataclass
class Message:
    tag: str
    sender: str
    rcpts: list[str]
    to: list[str]
    cc: list[str]
    subject: str
    body: str
    files: list[File]
    mark: str = ""  # of the field X-Class

    def visible(self) -> list[str]:
        return list(dict.fromkeys(self.to + self.cc))

    def brief(self) -> str:
        return (f"{self.subject!r} from {self.sender} to {self.rcpts}, To {self.to}, Cc {self.cc}, X-Class {self.mark!r}, "
                f"body {self.body!r}, files {[(f.name, len(f.text)) for f in self.files]}")

    def texts(self, places: tuple[str, ...]) -> str:
        """All that stands in these places, a line between."""
        every = {"subject": [self.subject], "body": [self.body], "names": [f.name for f in self.files],
                 "files": [f.text for f in self.files]}
        return "\n".join(text for place in places for text in every[place])


Holds = Callable[[Message, str], bool]  # of a message, and the recipient that is being judged


@dataclass
class Line:
    text: str
    holds: Holds
    unless: bool = False


@dataclass
class Action:
    function: str
    text: str    # as the rule has it, without the function's word
    written: str
    rank: float  # on the function's scale


@dataclass
class Rule:
    name: str
    lines: list[Line]
    actions: list[Action]
    shadow: bool = False
    where: str = ""

    def matches(self, message: Message, rcpt: str) -> bool:
        return all(line.holds(message, rcpt) != line.unless for line in self.lines)


@dataclass
class Rules:
    """Layers by their name: "must", "group/sales", "user/alice@…", "default"."""
    layers: dict[str, list[Rule]] = field(default_factory=dict)

    def files(self) -> dict[str, str]:
        """Path below etc/policy, and what stands there; each rule learns where it stands."""
        out = {}
        for layer, rules in self.layers.items():
            path = layer + "/50-random" if layer in ("must", "default") else layer
            text, line = "", 1
            for rule in rules:
                rule.where = f"{path}:{line}"
                one = written(rule)
                text += one
                line += one.count("\n")
            out[path] = text
        return out


def written(rule: Rule) -> str:
    text = f"rule {rule.name}{' shadow' if rule.shadow else ''}\n"
    text += "".join(f"    {'unless  ' if line.unless else ''}{line.text}\n" for line in rule.lines)
    return text + "".join(f"    do      {action.written}\n" for action in rule.actions) + "\n"


# ---- how rules decide --------------------------------------------------------------------------


@dataclass
class Decision:
    rule: Rule
    action: Action


FUNCTIONS = ("refuse", "approve", "hold", "files", "stagger")


def first(rules: list[Rule], message: Message, rcpt: str, function: str) -> Decision | None:
    for rule in rules:
        if rule.shadow or not any(a.function == function for a in rule.actions):
            continue
        if rule.matches(message, rcpt):
            return Decision(rule, next(a for a in rule.actions if a.function == function))
    return None


def decide(rules: Rules, message: Message, rcpt: str, function: str) -> Decision | None:
    """Layer by layer: what stands may only be raised."""
    stands = first(rules.layers.get("must", []), message, rcpt, function)
    groups = [first(rules.layers.get(f"group/{g}", []), message, rcpt, function)
              for g in sorted(PEOPLE.get(message.sender, ()))]
    own = first(rules.layers.get(f"user/{message.sender}", []), message, rcpt, function)
    for more in (next((g for g in groups if g), None), own):
        if more and (stands is None or more.action.rank > stands.action.rank):
            stands = more
    return stands or first(rules.layers.get("default", []), message, rcpt, function)


@dataclass
class Outcome:
    """Of one recipient: what decided each function, and the words of the plan."""
    by: dict[str, Decision]
    refused: bool
    plan: list[str]
    hold: float  # seconds; -1: the operator


def judge(rules: Rules, message: Message) -> dict[str, Outcome]:
    told = {rcpt: {f: d for f in FUNCTIONS if (d := decide(rules, message, rcpt, f))} for rcpt in message.rcpts}
    refused = any("refuse" in by and by["refuse"].action.rank > 0 for by in told.values())
    if refused:  # of mail that nobody gets nothing else is decided
        told = {rcpt: {f: d for f, d in by.items() if f == "refuse"} for rcpt, by in told.items()}
    return {rcpt: outcome(by, refused) for rcpt, by in told.items()}


def outcome(by: dict[str, Decision], refused: bool) -> Outcome:
    rank = {function: decision.action.rank for function, decision in by.items()}
    plan = [word for word, function in (("approve", "approve"), ("hold", "hold"), ("encrypt", "files"),
                                        ("stagger", "stagger")) if rank.get(function, 0) > 0]
    hold = rank.get("hold", 0)
    return Outcome(by, refused, [] if refused else plan + ["deliver"], -1 if hold == OPERATOR else hold)


# ---- random rules ------------------------------------------------------------------------------

OPERATOR = float("inf")
ACTIONS = (
    Action("refuse", "no", "refuse no", 0), Action("refuse", "never", 'refuse "never"', 1),
    Action("approve", "no", "approve no", 0), Action("approve", f"by {CHIEF}", f"approve by {CHIEF}", 1),
    Action("hold", "no", "hold no", 0), Action("hold", "10m", "hold 10m", 600), Action("hold", "60m", "hold 60m", 3600),
    Action("hold", "for operator", "hold for operator", OPERATOR),
    Action("files", "keep", "keep", 0), Action("files", "zip", "zip", 1), Action("files", "zip aes", "zip aes", 1),
    Action("stagger", "no", "stagger no", 0), Action("stagger", "60m", "stagger 60m", 3600),
)
COMPARE = {">=": lambda a, b: a >= b, ">": lambda a, b: a > b, "<=": lambda a, b: a <= b, "<": lambda a, b: a < b,
           "=": lambda a, b: a == b}


class Maker:
    """Rules and messages of one seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.made = 0

    # ---- who ----

    def address(self) -> str:
        c = self.chance
        return c.choice([*PEOPLE, f"eve@{OWN}", f"f1@{AFFILIATED}", f"p1@{PARTNERS[0]}", f"p2@{PARTNERS[0]}",
                         f"q@{PARTNERS[1]}", f"x1@{OTHERS[0]}", f"y@{OTHERS[1]}"])

    def who(self) -> tuple[str, Callable[[Message, str], bool]]:
        """One of those whom `from`, `to` and `header` may name."""
        c = self.chance
        kind = c.choice(["address", "domain", "group", "list", "boss", "sender"])
        if kind == "address":
            a = self.address()
            return c.choice([a, a.upper() if c.random() < 0.2 else a]), lambda m, who: who == a
        if kind == "domain":
            d = domain_of(self.address())
            return f"@{d}", lambda m, who: domain_of(who) == d
        if kind == "group":
            g = c.choice(GROUPS)
            return f"group {g}", lambda m, who: g in PEOPLE.get(who, ())
        if kind == "list":
            name = c.choice(list(LISTS))
            return f"list {name}", lambda m, who: who in LISTS[name] or "@" + domain_of(who) in LISTS[name]
        if kind == "boss":
            return "boss", lambda m, who: BOSS.get(m.sender) == who
        return "sender", lambda m, who: m.sender == who

    def rcpt(self) -> tuple[str, Callable[[Message, str], bool]]:
        kind = self.chance.choice(["class", "class", "partner", "who", "who"])
        if kind == "class":
            of = self.chance.choice(CLASSES)
            return of, lambda m, who: class_of(who) == of
        if kind == "partner":
            return "partner", lambda m, who: domain_of(who) in PARTNERS
        return self.who()

    def several(self, one: Callable) -> tuple[str, Callable[[Message, str], bool]]:
        """A list of them, perhaps with `not`."""
        picked = [one() for _ in range(self.chance.choice([1, 1, 1, 2, 3]))]
        turned = self.chance.random() < 0.25
        text = ("not " if turned else "") + ", ".join(text for text, _ in picked)
        return text, lambda m, who: any(is_it(m, who) for _, is_it in picked) != turned

    # ---- conditions ----

    def count(self, most: int, unit: str = "") -> tuple[str, Callable[[float], bool]]:
        compare = self.chance.choice(list(COMPARE))
        n = self.chance.randint(int(compare in (">=", "<")), most)  # what always or never holds is an error
        factor = KB if unit else 1
        return f"{compare} {n}{unit}", lambda value: COMPARE[compare](value, n * factor)

    def line(self) -> Line:
        make = self.chance.choice([self.c_from, self.c_to, self.c_to, self.c_to, self.c_header, self.c_mark, self.c_numbers,
                                   self.c_file, self.c_files, self.c_words, self.c_always])
        text, holds = make()
        unless = text != "always" and self.chance.random() < 0.2
        return Line(text, getattr(holds, "as_exception", holds) if unless else holds, unless)

    def c_always(self) -> tuple[str, Holds]:
        return "always", lambda m, rcpt: True

    def c_from(self) -> tuple[str, Holds]:
        text, is_it = self.several(self.who)
        return f"from    {text}", lambda m, rcpt: is_it(m, m.sender)

    def c_to(self) -> tuple[str, Holds]:
        text, is_it = self.several(self.rcpt)
        return f"to      {text}", is_it

    def c_header(self) -> tuple[str, Holds]:
        """`not` turns the value round and never the search: one of the addresses is not so."""
        text, is_it = self.several(self.who)
        name = self.chance.choice(["To", "Cc"])

        def holds(m: Message, rcpt: str) -> bool:
            return any(is_it(m, who) for who in (m.to if name == "To" else m.cc))

        def as_exception(m: Message, rcpt: str) -> bool:
            """Whoever is only written there reads nothing, and excuses nothing."""
            return any(is_it(m, who) for who in (m.to if name == "To" else m.cc) if who in m.rcpts)
        holds.as_exception = as_exception
        return f"header  {name} {text}", holds

    def c_mark(self) -> tuple[str, Holds]:
        word = self.chance.choice(WORDS)
        return f'header  X-Class "{word}"', lambda m, rcpt: word in m.mark

    def c_numbers(self) -> tuple[str, Holds]:
        what = self.chance.choice(["visible", "recipients", "hidden"])
        of = self.chance.choice([None, *CLASSES]) if what != "hidden" else None
        text, fits = self.count(4)

        def holds(m: Message, rcpt: str) -> bool:
            shown = m.visible()
            every = {"visible": shown, "recipients": m.rcpts, "hidden": [r for r in m.rcpts if r not in shown]}[what]
            return fits(sum(of in (None, class_of(a)) for a in every))
        return f"{what:<7} {of + ' ' if of else ''}{text}", holds

    def c_file(self) -> tuple[str, Holds]:
        """All words of one line speak of the same file."""
        c = self.chance
        if c.random() < 0.3:
            return "file    any", lambda m, rcpt: bool(m.files)
        words, asks = [], []
        if c.random() < 0.7:
            globs = c.sample([f"*{e}" for e in ENDINGS] + [f"{n}*" for n in NAMES], c.choice([1, 2]))
            turned = c.random() < 0.3
            words.append(f"name {'not ' if turned else ''}{', '.join(globs)}")
            asks.append(lambda f: any(fits_glob(f.name, g) for g in globs) != turned)
        if not words or c.random() < 0.4:
            text, fits = self.count(3, "KB")
            words.append(f"size {text}")
            asks.append(lambda f: fits(len(f.text)))
        c.shuffle(words)
        return "file    " + " ".join(words), lambda m, rcpt: any(all(ask(f) for ask in asks) for f in m.files)

    def c_files(self) -> tuple[str, Holds]:
        if self.chance.random() < 0.5:
            text, fits = self.count(3)
            return f"files   {text}", lambda m, rcpt: fits(len(m.files))
        text, fits = self.count(6, "KB")
        return f"files   size {text}", lambda m, rcpt: fits(sum(len(f.text) for f in m.files))

    def c_words(self) -> tuple[str, Holds]:
        c = self.chance
        picked = c.sample(WORDS, c.choice([1, 2]))
        places = tuple(p for p in ("subject", "body", "names", "files") if c.random() < 0.5)
        where = f"   in {', '.join(places)}" if places else ""
        places = places or ("subject", "body", "names", "files")
        return (f"words   {', '.join(chr(34) + p + chr(34) for p in picked)}{where}",
                lambda m, rcpt: any(p in m.texts(places) for p in picked))

    # ---- rules ----

    def rule(self, refuses: bool) -> Rule:
        c = self.chance
        self.made += 1
        weights = [int(refuses) if a.function == "refuse" else 3 for a in ACTIONS]
        actions = {a.function: a for a in c.choices(ACTIONS, weights, k=c.choice([1, 1, 2, 3]))}
        lines = [self.line() for _ in range(c.choice([1, 2, 2, 3]))]
        # One that only takes away says nothing yet.
        if all(line.unless for line in lines):
            lines.append(Line("always", lambda m, rcpt: True))
        return Rule(f"r{self.made}", lines, list(actions.values()), shadow=c.random() < 0.08)

    def rules(self) -> Rules:
        out = Rules()
        for layer in ("must", *(f"group/{g}" for g in GROUPS), *(f"user/{u}" for u in PEOPLE), "default"):
            most = 6 if layer == "must" else 3
            # No user may refuse.
            if made := [self.rule(not layer.startswith("user/")) for _ in range(self.chance.randint(0, most))]:
                out.layers[layer] = made
        return out

    # ---- messages ----

    def message(self, tag: str) -> Message:
        c = self.chance
        rcpts = list(dict.fromkeys(self.address() for _ in range(c.choice([1, 2, 3, 5]))))
        shown = [r for r in rcpts if c.random() < 0.8]
        cut = c.randint(0, len(shown))
        to, cc = shown[:cut], shown[cut:]
        if c.random() < 0.2 and (more := self.address()) not in to + cc:
            to = [*to, more]
        sender = c.choice([who for who in PEOPLE if who != CHIEF])
        files = [File(f"{c.choice(NAMES)}-{n}{c.choice(ENDINGS)}", self.prose(c.choice([20, 900, 1024, 3000])))
                 for n in range(c.choice([0, 0, 1, 2, 3]))]
        return Message(tag, sender, rcpts, to, cc, f"{tag} {self.prose(30)}", self.prose(200), files,
                       c.choice(["", *WORDS]))

    def prose(self, size: int) -> str:
        """Words that mean nothing, now and then one that is looked for."""
        c, out = self.chance, ""
        while len(out) < size:
            out += c.choice(WORDS if c.random() < 0.03 else ("lorem", "ipsum", "dolor", "sit", "amet")) + " "
        return out[:size - 1].rstrip().ljust(size - 1, ".") + "."


def fits_glob(name: str, glob: str) -> bool:
    """One star, at one end."""
    return name.endswith(glob[1:]) if glob.startswith("*") else name.startswith(glob[:-1])
