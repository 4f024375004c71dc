"""The verbs of the embedded corpus: English forms, what each verb takes, and the German verbs for each."""

from dataclasses import dataclass

from vqnat.embedded.nouns import OBJECTS, PERSONS


@dataclass(frozen=True)
class GermanVerb:
    """A German verb.

    Attributes:
        infinitive: with the separable prefix, if any (``anrufen``).
        preterite: third person singular without the prefix (``rief``).
        participle: past participle (``angerufen``).
        auxiliary: ``haben`` or ``sein``, which forms the perfect.
        prefix: separable prefix, or empty.
        case: case of the object, ``acc`` or ``dat``.
    """

    infinitive: str
    preterite: str
    participle: str
    auxiliary: str
    prefix: str
    case: str


@dataclass(frozen=True)
class Verb:
    """An English verb with what it takes and its translations.

    Attributes:
        base, past, participle: English forms (several words for verbs such as ``throw away``).
        frame: ``object``, ``recipient`` (recipient and object), ``place``, ``goal``, ``event`` (the subject
            is an event), ``report`` (a that-clause follows) or ``tell`` (recipient and that-clause).
        objects: noun classes of the object.
        passive: whether the passive is natural in both languages.
        german: the German verbs that translate it, all equally right.
    """

    base: str
    past: str
    participle: str
    frame: str
    objects: tuple[str, ...]
    passive: bool
    german: tuple[GermanVerb, ...]


def _german(entry: str) -> tuple[GermanVerb, ...]:
    """Reads ``an|rufen rief angerufen / ...``; ``sein`` and ``dat`` may follow."""
    verbs = []
    for option in entry.split(" / "):
        infinitive, preterite, participle, *marks = option.split()
        prefix = infinitive.partition("|")[0] if "|" in infinitive else ""
        auxiliary = "sein" if "sein" in marks else "haben"
        case = "dat" if "dat" in marks else "acc"
        verb = GermanVerb(infinitive.replace("|", ""), preterite, participle, auxiliary, prefix, case)
        verbs.append(verb)
    return tuple(verbs)


def _verbs(frame: str, objects: tuple[str, ...], table: str) -> dict[str, Verb]:
    """Reads lines ``base, past, participle: german entry``; a leading ``*`` marks a natural passive."""
    verbs = {}
    for line in table.strip().splitlines():
        head, entry = line.split(": ")
        base, past, participle = head.removeprefix("*").split(", ")
        verbs[base] = Verb(base, past, participle, frame, objects, head[0] == "*", _german(entry))
    return verbs


VERBS = {
    **_verbs(
        "object",
        OBJECTS,
        """
*buy, bought, bought: kaufen kaufte gekauft
*sell, sold, sold: verkaufen verkaufte verkauft
*find, found, found: finden fand gefunden
*forget, forgot, forgotten: vergessen vergaß vergessen
*throw away, threw away, thrown away: weg|werfen warf weggeworfen
""",
    ),
    **_verbs("object", ("things", "machines", "containers", "texts"), "lose, lost, lost: verlieren verlor verloren"),
    **_verbs(
        "object",
        ("texts",),
        """
*read, read, read: lesen las gelesen
*write, wrote, written: schreiben schrieb geschrieben
""",
    ),
    **_verbs("object", ("machines",), "*repair, repaired, repaired: reparieren reparierte repariert"),
    **_verbs(
        "object",
        ("containers",),
        """
*open, opened, opened: öffnen öffnete geöffnet / auf|machen machte aufgemacht
*close, closed, closed: schließen schloss geschlossen / zu|machen machte zugemacht
""",
    ),
    **_verbs(
        "object",
        ("foods",),
        """
*eat, ate, eaten: essen aß gegessen
*prepare, prepared, prepared: zu|bereiten bereitete zubereitet
*try, tried, tried: probieren probierte probiert / kosten kostete gekostet
""",
    ),
    **_verbs(
        "object",
        PERSONS,
        """
*visit, visited, visited: besuchen besuchte besucht
*call, called, called: an|rufen rief angerufen
*invite, invited, invited: ein|laden lud eingeladen
*greet, greeted, greeted: begrüßen begrüßte begrüßt / grüßen grüßte gegrüßt
*pick up, picked up, picked up: ab|holen holte abgeholt
help, helped, helped: helfen half geholfen dat
follow, followed, followed: folgen folgte gefolgt sein dat
listen to, listened to, listened to: zu|hören hörte zugehört dat
""",
    ),
    **_verbs(
        "object",
        (*PERSONS, *OBJECTS),
        """
look for, looked for, looked for: suchen suchte gesucht
""",
    ),
    **_verbs(
        "recipient",
        OBJECTS,
        """
give, gave, given: geben gab gegeben
show, showed, shown: zeigen zeigte gezeigt
send, sent, sent: schicken schickte geschickt / senden sandte gesandt
bring, brought, brought: bringen brachte gebracht
offer, offered, offered: an|bieten bot angeboten
""",
    ),
    **_verbs(
        "place",
        (),
        """
sleep, slept, slept: schlafen schlief geschlafen
work, worked, worked: arbeiten arbeitete gearbeitet
dance, danced, danced: tanzen tanzte getanzt
wait, waited, waited: warten wartete gewartet
arrive, arrived, arrived: an|kommen kam angekommen sein / ein|treffen traf eingetroffen sein
""",
    ),
    **_verbs(
        "goal",
        (),
        """
go, went, gone: gehen ging gegangen sein
run, ran, run: rennen rannte gerannt sein / laufen lief gelaufen sein
return, returned, returned: zurück|kehren kehrte zurückgekehrt sein
""",
    ),
    **_verbs(
        "event",
        (),
        """
begin, began, begun: beginnen begann begonnen / an|fangen fing angefangen
end, ended, ended: enden endete geendet
""",
    ),
    **_verbs(
        "report",
        (),
        """
say, said, said: sagen sagte gesagt
know, knew, known: wissen wusste gewusst
think, thought, thought: denken dachte gedacht / glauben glaubte geglaubt
hear, heard, heard: hören hörte gehört
""",
    ),
    **_verbs("tell", (), "tell, told, told: erzählen erzählte erzählt / sagen sagte gesagt"),
}

# A pronoun object would stand before the particle ("picked him up"): the grammar has none with these.
PARTICLE_VERBS = ("throw away", "pick up")

# English modal (or "will") to German singular, plural and first-person-singular finite forms.
MODALS = {
    "will": ("wird", "werden", "werde"),
    "wanted to": ("wollte", "wollten", "wollte"),
    "had to": ("musste", "mussten", "musste"),
    "could": ("konnte", "konnten", "konnte"),
}
PAST = "past"
PAST_PERFECT = "past perfect"

# Finite forms of the German auxiliaries: singular, plural, first person singular.
PRESENT_AUXILIARY = {"haben": ("hat", "haben", "habe"), "sein": ("ist", "sind", "bin")}
PRETERITE_AUXILIARY = {"haben": ("hatte", "hatten", "hatte"), "sein": ("war", "waren", "war")}
PASSIVE_AUXILIARY = ("wurde", "wurden", "wurde")
