"""Determiners, adjectives, adverbs, time phrases, prepositions and conjunctions of the embedded corpus."""

from vqnat.embedded.nouns import EVENTS

# English adjective to German adjectives (uninflected), all equally right.
ADJECTIVES = {
    "old": ("alt",),
    "new": ("neu",),
    "young": ("jung",),
    "big": ("groß",),
    "small": ("klein",),
    "good": ("gut",),
    "red": ("rot",),
    "blue": ("blau",),
    "heavy": ("schwer",),
    "expensive": ("teuer",),
    "cheap": ("billig", "günstig"),
    "beautiful": ("schön",),
    "strange": ("seltsam",),
    "long": ("lang",),
    "important": ("wichtig",),
    "interesting": ("interessant",),
    "quiet": ("ruhig", "still"),
    "famous": ("berühmt",),
    "friendly": ("freundlich", "nett"),
    "clever": ("klug",),
    "tired": ("müde",),
    "ill": ("krank",),
    "happy": ("glücklich", "froh"),
}
_STEMS = {"müde": "müd", "teuer": "teur"}

# Which adjectives go with which noun class: before the noun, and after "was".
_PERSON_ADJECTIVES = ("old", "young", "small", "friendly", "clever", "famous", "tired")
_THING_ADJECTIVES = (
    "old",
    "new",
    "big",
    "small",
    "red",
    "blue",
    "expensive",
    "cheap",
    "beautiful",
)
ATTRIBUTES = {
    "people": _PERSON_ADJECTIVES,
    "relatives": ("old", "young", "friendly", "clever", "tired"),
    "texts": ("long", "important", "interesting", "strange", "new", "good"),
    "things": _THING_ADJECTIVES,
    "machines": _THING_ADJECTIVES,
    "containers": ("big", "small", "heavy", "red", "blue", "strange", "beautiful"),
    "foods": ("good", "big", "small", "expensive", "cheap"),
    "events": ("long", "important", "beautiful"),
    "places": ("old", "new", "big", "small", "beautiful", "quiet", "famous"),
}
PREDICATES = {
    "people": ("tired", "ill", "happy"),
    "relatives": ("tired", "ill", "happy"),
    "texts": ("long", "important", "interesting", "strange", "good"),
    "things": ("old", "new", "expensive", "cheap", "beautiful", "big", "small"),
    "machines": ("old", "new", "expensive", "cheap", "beautiful", "heavy"),
    "containers": ("heavy", "expensive", "beautiful", "big", "small"),
    "foods": ("good", "expensive", "cheap", "big"),
    "events": ("long", "interesting", "beautiful", "quiet"),
}
DEGREES = {"very": "sehr", "too": "zu"}

POSSESSIVES = {"my": "mein", "our": "unser", "his": "sein", "her": "ihr", "their": "ihr"}
POSSESSIVE_OF = {"I": "my", "we": "our", "he": "his", "she": "her", "they": "their"}
NUMBERS = {"two": "zwei", "three": "drei", "four": "vier", "five": "fünf"}
# English determiner to stems of German determiners that are declined like "ein" (mixed adjective endings).
EIN_WORDS = {"a": "ein", "no": "kein", **POSSESSIVES}
PLURAL_QUANTIFIERS = (*NUMBERS, "many", "some")
DEFINITE = ("the", "this", *POSSESSIVES)
SINGULAR_DETERMINERS = ("the", "this", *EIN_WORDS)
PLURAL_DETERMINERS = ("the", *POSSESSIVES, *PLURAL_QUANTIFIERS)

_CASES = ("nom", "acc", "dat")
_DER = {"m": "der den dem", "f": "die die der", "n": "das das dem", "pl": "die die den"}
_DIES = {"m": "er en em", "f": "e e er", "n": "es es em", "pl": "e e en"}
_EIN = {"m": " en em", "f": "e e er", "n": "  em", "pl": "e e en"}
_WEAK = {"m": "e en en", "f": "e e en", "n": "e e en", "pl": "en en en"}
_MIXED = {"m": "er en en", "f": "e e en", "n": "es es en", "pl": "en en en"}
_STRONG_PLURAL = {"pl": "e e en"}


def _ending(table: dict[str, str], gender: str, case: str) -> str:
    """Returns the ending for a gender (``pl`` for plural) and case."""
    return table[gender].split(" ")[_CASES.index(case)]


def article(gender: str, case: str) -> str:
    """Returns the definite article, which is also the relative pronoun in the nominative and accusative."""
    return _ending(_DER, gender, case)


def determiner_options(determiner: str, gender: str, case: str) -> list[tuple[str, dict[str, str]]]:
    """Returns German determiners for an English one, each with the adjective endings that follow it."""
    if determiner == "the":
        return [(article(gender, case), _WEAK)]
    if determiner == "this":
        return [("dies" + _ending(_DIES, gender, case), _WEAK)]
    if determiner in EIN_WORDS:
        return [(EIN_WORDS[determiner] + _ending(_EIN, gender, case), _MIXED)]
    if determiner in NUMBERS:
        return [(NUMBERS[determiner], _STRONG_PLURAL)]
    ending = _ending(_DIES, gender, case)
    if determiner == "many":
        return [("viel" + ending, _STRONG_PLURAL)]
    return [("einig" + ending, _STRONG_PLURAL), ("ein paar", _STRONG_PLURAL)]


def inflect(adjective: str, endings: dict[str, str], gender: str, case: str) -> str:
    """Returns a German adjective with its ending."""
    return _STEMS.get(adjective, adjective) + _ending(endings, gender, case)


# Time phrases by the tenses that they go with; German phrases are equally right.
PAST_TIMES = {
    "yesterday": ("gestern",),
    "last week": ("letzte Woche", "vorige Woche"),
    "last year": ("letztes Jahr", "voriges Jahr"),
    "two days ago": ("vor zwei Tagen",),
    "three weeks ago": ("vor drei Wochen",),
}
FUTURE_TIMES = {
    "tomorrow": ("morgen",),
    "next week": ("nächste Woche", "in der nächsten Woche"),
}
ANY_TIMES = {
    "on Monday": ("am Montag",),
    "on Friday": ("am Freitag",),
    "on Sunday": ("am Sonntag",),
    "in the morning": ("am Morgen",),
    "in the evening": ("am Abend",),
} | {
    f"{english} the {event}": tuple(
        f"{german} {article(option.gender, 'dat')} {option.singular}" for option in noun.german
    )
    for english, german in (("before", "vor"), ("after", "nach"))
    for event, noun in EVENTS.items()
}
TIMES = PAST_TIMES | FUTURE_TIMES | ANY_TIMES

MANNERS = {
    "quickly": ("schnell", "rasch"),
    "secretly": ("heimlich",),
    "suddenly": ("plötzlich", "auf einmal"),
    "finally": ("endlich", "schließlich"),
}

# Place to the English preposition and the German one (with the dative).
PLACE_PREPOSITIONS = {
    "garden": ("in", "in"),
    "kitchen": ("in", "in"),
    "park": ("in", "in"),
    "library": ("in", "in"),
    "school": ("at", "in"),
    "station": ("at", "an"),
    "market": ("at", "auf"),
    "beach": ("on", "an"),
    "shop": ("in", "in"),
    "hotel": ("in", "in"),
    "church": ("in", "in"),
    "village": ("in", "in"),
}
GOALS = ("park", "library", "school", "station", "market", "beach", "shop", "hotel", "church")
CONTRACTIONS = {"in dem": "im", "an dem": "am", "zu dem": "zum", "zu der": "zur", "von dem": "vom"}

# English conjunction to German ones; the second field tells whether the German clause is verb-final.
CONJUNCTIONS = {
    "because": (("weil", True), ("da", True), ("denn", False)),
    "although": (("obwohl", True), ("obgleich", True)),
    "but": (("aber", False), ("doch", False)),
    "and": (("und", False),),
    "when": (("als", True),),
    "whenever": (("wenn", True), ("immer wenn", True)),
    "after": (("nachdem", True),),
    "before": (("bevor", True), ("ehe", True)),
    "while": (("während", True),),
    "that": (("dass", True),),
}
COORDINATING = ("and", "but")
# Clauses with these can stand before the main clause ("denn" cannot, so "because" is not among them).
LEADING = ("when", "whenever", "after", "although")
