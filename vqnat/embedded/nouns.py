"""The nouns, names and pronouns of the embedded corpus: English words and the German words for each."""

from dataclasses import dataclass


@dataclass(frozen=True)
class GermanNoun:
    """A German noun.

    Attributes:
        singular: nominative singular.
        gender: ``m``, ``f`` or ``n``.
        plural: nominative plural (empty where the grammar never uses it).
        oblique: accusative and dative singular (differs from the nominative for weak nouns only).
    """

    singular: str
    gender: str
    plural: str
    oblique: str

    def form(self, plural: bool, case: str) -> str:
        """Returns the form for a number and a case (``nom``, ``acc`` or ``dat``)."""
        if plural:
            return self.plural + "n" if case == "dat" and self.plural[-1] not in "ns" else self.plural
        return self.singular if case == "nom" else self.oblique


@dataclass(frozen=True)
class Noun:
    """An English noun with its translations.

    Attributes:
        plural: English plural (empty where the grammar never uses it).
        german: the German nouns that translate it, all equally right.
        pronoun: ``he`` or ``she`` for persons whose English pronoun is settled, else empty.
    """

    plural: str
    german: tuple[GermanNoun, ...]
    pronoun: str = ""


def _german(entry: str) -> tuple[GermanNoun, ...]:
    """Reads ``Auto n Autos / Wagen m Wagen``; a fourth word is the oblique singular of a weak noun."""
    nouns = []
    for option in entry.split(" / "):
        singular, gender, *rest = option.split()
        nouns.append(GermanNoun(singular, gender, rest[0] if rest else "", rest[1] if rest[1:] else singular))
    return tuple(nouns)


def _nouns(table: str) -> dict[str, Noun]:
    """Reads lines ``english plural pronoun: german entry`` (``-`` for an empty field)."""
    nouns = {}
    for line in table.strip().splitlines():
        head, entry = line.split(": ")
        english, plural, pronoun = head.split()
        nouns[english] = Noun(plural.replace("-", ""), _german(entry), pronoun.replace("-", ""))
    return nouns


# "girl" and "child" are grammatically neuter in German, so that both "sie" and "es" could take them up:
# the grammar never refers back to them, which the empty pronoun says.
PEOPLE = _nouns("""
man men he: Mann m Männer
woman women she: Frau f Frauen
boy boys he: Junge m Jungen Jungen
girl girls -: Mädchen n Mädchen
child children -: Kind n Kinder
teacher teachers he: Lehrer m Lehrer
doctor doctors he: Arzt m Ärzte
farmer farmers he: Bauer m Bauern Bauern / Landwirt m Landwirte
neighbour neighbours he: Nachbar m Nachbarn Nachbarn
student students he: Student m Studenten Studenten
guest guests he: Gast m Gäste
""")

# Persons that are always somebody's: they take possessive determiners.
RELATIVES = _nouns("""
friend friends he: Freund m Freunde
brother brothers he: Bruder m Brüder
sister sisters she: Schwester f Schwestern
son sons he: Sohn m Söhne
daughter daughters she: Tochter f Töchter
mother - she: Mutter f
father - he: Vater m
uncle - he: Onkel m
aunt - she: Tante f
grandmother - she: Großmutter f / Oma f
grandfather - he: Großvater m / Opa m
""")

TEXTS = _nouns("""
book books -: Buch n Bücher
letter letters -: Brief m Briefe
newspaper newspapers -: Zeitung f Zeitungen
story stories -: Geschichte f Geschichten / Erzählung f Erzählungen
report reports -: Bericht m Berichte
""")

THINGS = _nouns("""
table tables -: Tisch m Tische
lamp lamps -: Lampe f Lampen
coat coats -: Mantel m Mäntel
dress dresses -: Kleid n Kleider
hat hats -: Hut m Hüte
key keys -: Schlüssel m Schlüssel
cup cups -: Tasse f Tassen / Becher m Becher
picture pictures -: Bild n Bilder / Foto n Fotos
ticket tickets -: Ticket n Tickets / Fahrkarte f Fahrkarten
""")

MACHINES = _nouns("""
car cars -: Auto n Autos / Wagen m Wagen
bicycle bicycles -: Fahrrad n Fahrräder / Rad n Räder
watch watches -: Uhr f Uhren
computer computers -: Computer m Computer / Rechner m Rechner
sofa sofas -: Sofa n Sofas / Couch f Couchs
""")

CONTAINERS = _nouns("""
box boxes -: Kiste f Kisten / Kasten m Kästen
bag bags -: Tasche f Taschen
suitcase suitcases -: Koffer m Koffer
present presents -: Geschenk n Geschenke
""")

FOODS = _nouns("""
cake cakes -: Kuchen m Kuchen / Torte f Torten
apple apples -: Apfel m Äpfel
orange oranges -: Orange f Orangen / Apfelsine f Apfelsinen
soup soups -: Suppe f Suppen
egg eggs -: Ei n Eier
fish - -: Fisch m
""")

EVENTS = _nouns("""
party - -: Feier f / Fest n
concert - -: Konzert n
film - -: Film m
game - -: Spiel n
meeting - -: Besprechung f / Sitzung f
lesson - -: Unterricht m
""")

PLACES = _nouns("""
garden - -: Garten m
kitchen - -: Küche f
park - -: Park m
library - -: Bibliothek f / Bücherei f
school - -: Schule f
station - -: Bahnhof m
market - -: Markt m
beach - -: Strand m
shop - -: Laden m / Geschäft n
hotel - -: Hotel n
church - -: Kirche f
village - -: Dorf n
""")

NAMES = {
    "Anna": "she",
    "Maria": "she",
    "Julia": "she",
    "Clara": "she",
    "Peter": "he",
    "Thomas": "he",
    "Paul": "he",
    "Felix": "he",
}

# English object form; German nominative, accusative, dative. "it" is not here: its German form depends on
# the gender of the German noun that was chosen for its antecedent (THIRD_PERSON).
PRONOUNS = {
    "I": ("me", "ich", "mich", "mir"),
    "we": ("us", "wir", "uns", "uns"),
    "he": ("him", "er", "ihn", "ihm"),
    "she": ("her", "sie", "sie", "ihr"),
    "they": ("them", "sie", "sie", "ihnen"),
}
THIRD_PERSON = {"m": ("er", "ihn", "ihm"), "f": ("sie", "sie", "ihr"), "n": ("es", "es", "ihm")}

CLASSES = {
    "people": PEOPLE,
    "relatives": RELATIVES,
    "texts": TEXTS,
    "things": THINGS,
    "machines": MACHINES,
    "containers": CONTAINERS,
    "foods": FOODS,
    "events": EVENTS,
    "places": PLACES,
}
NOUNS = {english: noun for nouns in CLASSES.values() for english, noun in nouns.items()}
CLASS_OF = {english: name for name, nouns in CLASSES.items() for english in nouns}
PERSONS = ("people", "relatives")
OBJECTS = ("texts", "things", "machines", "containers", "foods")
