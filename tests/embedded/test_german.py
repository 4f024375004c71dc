"""German that was checked by hand, phenomenon by phenomenon."""

import pytest

from vqnat.embedded import count_right_translations, is_right, right_translations

# Each source with all of its right translations.
COMPLETE = {
    "perfect and preterite": (
        "Anna visited Peter.",
        [
            *("Anna besuchte Peter.", "Anna hat Peter besucht."),
            *("Peter wurde von Anna besucht.", "Peter ist von Anna besucht worden."),
        ],
    ),
    "separable verb in a main clause": (
        "He called my aunt.",
        ["Er rief meine Tante an.", "Er hat meine Tante angerufen."],
    ),
    "separable verb in a subordinate clause": (
        "He said that he called me.",
        [
            f"Er {said}, dass er mich {called}."
            for said in ("sagte", "hat gesagt")
            for called in ("anrief", "angerufen hat")
        ],
    ),
    "verb second after a fronted adverb": (
        "Yesterday we called them.",
        [
            *("Gestern riefen wir sie an.", "Wir riefen sie gestern an."),
            *("Gestern haben wir sie angerufen.", "Wir haben sie gestern angerufen."),
        ],
    ),
    "perfect with sein, separable synonyms": (
        "I arrived at the station.",
        [
            *("Ich kam am Bahnhof an.", "Ich bin am Bahnhof angekommen."),
            *("Ich traf am Bahnhof ein.", "Ich bin am Bahnhof eingetroffen."),
        ],
    ),
    "gender switch by synonym": (
        "The red car was very old.",
        ["Das rote Auto war sehr alt.", "Der rote Wagen war sehr alt."],
    ),
    "gender switch with the indefinite article": (
        "A new computer was big, and a new box was small.",
        [
            f"Ein neuer {computer} war groß, und {box} war klein."
            for computer in ("Computer", "Rechner")
            for box in ("eine neue Kiste", "ein neuer Kasten")
        ],
    ),
    "pronoun that follows the gender of the synonym": (
        "I will sell my car, because it was old.",
        [
            f"Ich werde {car} verkaufen, {reason}."
            for car, pronoun in (("mein Auto", "es"), ("meinen Wagen", "er"))
            for reason in (f"weil {pronoun} alt war", f"da {pronoun} alt war", f"denn {pronoun} war alt")
        ],
    ),
    "relative pronoun that follows the gender, in place or extraposed": (
        "I could read the story which Anna had written.",
        [
            f"Ich konnte die {story}{rest}."
            for story in ("Geschichte", "Erzählung")
            for rest in (", die Anna geschrieben hatte, lesen", " lesen, die Anna geschrieben hatte")
        ],
    ),
    "accusative of a masculine relative pronoun, no comma twice": (
        "I forgot the letter which Paul had read.",
        [
            "Ich vergaß den Brief, den Paul gelesen hatte.",
            "Ich habe den Brief vergessen, den Paul gelesen hatte.",
            "Ich habe den Brief, den Paul gelesen hatte, vergessen.",
        ],
    ),
    "dative and accusative, strong plural": (
        "She will give her old friend three red books.",
        ["Sie wird ihrem alten Freund drei rote Bücher geben."],
    ),
    "dative plural with -n": (
        "They helped their young brothers.",
        ["Sie halfen ihren jungen Brüdern.", "Sie haben ihren jungen Brüdern geholfen."],
    ),
    "weak nouns": (
        "This student will follow a boy.",
        ["Dieser Student wird einem Jungen folgen."],
    ),
    "kein, viele, einige": (
        "We wanted to find no key, but she had to find some old keys.",
        [
            f"Wir wollten keinen Schlüssel finden, {but} sie musste {some} alte Schlüssel finden."
            for but in ("aber", "doch")
            for some in ("einige", "ein paar")
        ],
    ),
    "passive of a plural": (
        "Many letters were written by the teacher.",
        [
            *("Der Lehrer schrieb viele Briefe.", "Der Lehrer hat viele Briefe geschrieben."),
            *(
                "Viele Briefe wurden vom Lehrer geschrieben.",
                "Viele Briefe wurden von dem Lehrer geschrieben.",
            ),
            "Viele Briefe sind vom Lehrer geschrieben worden.",
            "Viele Briefe sind von dem Lehrer geschrieben worden.",
        ],
    ),
    "inversion after a subordinate clause, pluperfect": (
        "After the film had begun, he could sleep in the old garden.",
        [
            f"Nachdem der Film {begun} hatte, konnte er {garden} schlafen."
            for begun in ("begonnen", "angefangen")
            for garden in ("im alten Garten", "in dem alten Garten")
        ],
    ),
    "contracted preposition of direction": (
        "I wanted to go to the school with the tired children.",
        ["Ich wollte mit den müden Kindern zur Schule gehen."],
    ),
    "modal in a subordinate clause": (
        "I knew that she wanted to open this present.",
        [
            f"Ich {knew}, dass sie dieses Geschenk {opened} wollte."
            for knew in ("wusste", "habe gewusst")
            for opened in ("öffnen", "aufmachen")
        ],
    ),
    "adjective stem of teuer, feminine dative": (
        "I will show my old grandmother an expensive dress.",
        [f"Ich werde meiner alten {name} ein teures Kleid zeigen." for name in ("Großmutter", "Oma")],
    ),
}

# Longer sources, each with some of their right translations.
RIGHT = [
    (
        "Yesterday the old teacher gave his friend a red book, because she had helped him.",
        "Gestern gab der alte Lehrer seinem Freund ein rotes Buch, weil sie ihm geholfen hatte.",
    ),
    (
        "Yesterday the old teacher gave his friend a red book, because she had helped him.",
        "Der alte Lehrer hat seinem Freund gestern ein rotes Buch gegeben, denn sie hatte ihm geholfen.",
    ),
    (
        "Anna secretly sold this bicycle in the small shop, although we finally looked for it.",
        "Anna hat dieses Rad heimlich in dem kleinen Laden verkauft, obgleich wir es schließlich suchten.",
    ),
    (
        "Anna secretly sold this bicycle in the small shop, although we finally looked for it.",
        "Im kleinen Geschäft verkaufte Anna heimlich dieses Fahrrad, obwohl wir es endlich gesucht haben.",
    ),
    (
        "Whenever I visited our neighbour, he offered me a small cake.",
        "Immer wenn ich unseren Nachbarn besucht habe, bot er mir eine kleine Torte an.",
    ),
    (
        "The farmer thought that the new lamp was thrown away by my sister last week.",
        "Der Landwirt glaubte, dass die neue Lampe letzte Woche von meiner Schwester weggeworfen worden ist.",
    ),
]

WRONG = [
    ("He called my aunt.", "Er anrief meine Tante.", "separable verb in a main clause"),
    ("He called my aunt.", "Er rief meiner Tante an.", "case"),
    ("Yesterday we called them.", "Gestern wir riefen sie an.", "verb third"),
    ("Yesterday we called them.", "gestern riefen wir sie an.", "small letter"),
    ("Yesterday we called them.", "Gestern riefen wir sie an", "no full stop"),
    ("Yesterday we called them.", "Gestern  riefen wir sie an.", "two spaces"),
    ("The red car was very old.", "Der rote Auto war sehr alt.", "gender"),
    ("The red car was very old.", "Das rotes Auto war sehr alt.", "adjective ending"),
    ("I will sell my car, because it was old.", "Ich werde mein Auto verkaufen, weil er alt war.", "pronoun"),
    (
        "I will sell my car, because it was old.",
        "Ich werde mein Auto verkaufen, weil es war alt.",
        "verb-final",
    ),
    ("I will sell my car, because it was old.", "Ich werde mein Auto verkaufen , weil es alt war.", "space"),
    ("They helped their young brothers.", "Sie halfen ihren jungen Brüder.", "dative plural"),
    ("This student will follow a boy.", "Dieser Student wird einem Junge folgen.", "weak noun"),
    ("I arrived at the station.", "Ich habe am Bahnhof angekommen.", "auxiliary"),
    ("I arrived at the station.", "Ich kam am Bahnhof ein.", "prefix of the other synonym"),
    ("I arrived at the station.", "", "empty"),
    ("I arrived at the station.", ".", "only a full stop"),
    ("I arrived at the station.", " , .", "only punctuation"),
]


@pytest.mark.parametrize("phenomenon", COMPLETE)
def test_all_right_translations(phenomenon: str) -> None:
    source, expected = COMPLETE[phenomenon]
    assert sorted(right_translations(source)) == sorted(expected)
    assert count_right_translations(source) == len(expected)
    assert all(is_right(source, output) for output in expected)


@pytest.mark.parametrize(("source", "output"), RIGHT)
def test_right(source: str, output: str) -> None:
    assert is_right(source, output)
    assert is_right(source, f"  {output}\n")
    assert output in set(right_translations(source))


@pytest.mark.parametrize(("source", "output", "mistake"), WRONG)
def test_wrong(source: str, output: str, mistake: str) -> None:
    assert not is_right(source, output), mistake


def test_relative_clause_is_not_put_after_another_noun() -> None:
    source = "After the party I lost the letter which Anna had written."
    assert is_right(source, "Ich habe den Brief, den Anna geschrieben hatte, nach der Feier verloren.")
    assert is_right(source, "Ich habe nach der Feier den Brief verloren, den Anna geschrieben hatte.")
    assert not is_right(source, "Ich verlor den Brief nach der Feier, den Anna geschrieben hatte.")
