"""From meaning to German noun phrases, prepositional phrases and verb forms."""

from dataclasses import dataclass

from vqnat.embedded.alternatives import Expression, Sequence, choice, words
from vqnat.embedded.meaning import NounPhrase, Relative
from vqnat.embedded.modifiers import (
    ADJECTIVES,
    CONTRACTIONS,
    PLACE_PREPOSITIONS,
    article,
    determiner_options,
    inflect,
)
from vqnat.embedded.nouns import NAMES, NOUNS, PRONOUNS, THIRD_PERSON, GermanNoun
from vqnat.embedded.verbs import (
    MODALS,
    PASSIVE_AUXILIARY,
    PAST,
    PAST_PERFECT,
    PRESENT_AUXILIARY,
    PRETERITE_AUXILIARY,
    VERBS,
    GermanVerb,
)

_CASES = ("nom", "acc", "dat")


@dataclass(frozen=True)
class Reference:
    """The German noun that was chosen for the antecedent of "it"."""

    antecedent: NounPhrase
    noun: GermanNoun


def nouns(phrase: NounPhrase, reference: Reference | None) -> tuple[GermanNoun, ...]:
    """Returns the German nouns that may translate the noun of a phrase."""
    # The antecedent is compared by identity: an equal phrase elsewhere is free to use another synonym.
    if reference and phrase is reference.antecedent:
        return (reference.noun,)
    return NOUNS[phrase.noun].german


def noun_phrase(phrase: NounPhrase, case: str, reference: Reference | None = None) -> Expression:
    """Returns the alternatives of a noun phrase in a case, without its relative clause."""
    if phrase.noun == "it":
        return THIRD_PERSON[reference.noun.gender][_CASES.index(case)]
    if phrase.noun in PRONOUNS:
        return PRONOUNS[phrase.noun][1 + _CASES.index(case)]
    if phrase.noun in NAMES:
        return phrase.noun
    return choice([_with_noun(phrase, noun, case, "") for noun in nouns(phrase, reference)])


def _with_noun(phrase: NounPhrase, noun: GermanNoun, case: str, preposition: str) -> Expression:
    """Returns determiner, adjective and noun, after a preposition if one is given."""
    gender = "pl" if phrase.plural else noun.gender
    options = []
    for determiner, endings in determiner_options(phrase.determiner, gender, case):
        adjectives = [inflect(german, endings, gender, case) for german in ADJECTIVES.get(phrase.adjective, ())]
        adjective = [choice(list(adjectives))] if adjectives else []
        head = f"{preposition} {determiner}".strip()
        options.append(Sequence((words(head), *adjective, noun.form(phrase.plural, case))))
        if head in CONTRACTIONS:
            contracted = Sequence((CONTRACTIONS[head], *adjective, noun.form(phrase.plural, case)))
            # "in dem Garten" without an adjective would point at one garden among several.
            options = [contracted, options[-1]] if adjective or preposition == "von" else [contracted]
    return choice(options)


def prepositional_phrase(preposition: str, phrase: NounPhrase) -> Expression:
    """Returns the alternatives of a preposition with a phrase in the dative ("im Garten", "mit ihr")."""
    if not phrase.determiner:
        return Sequence((preposition, noun_phrase(phrase, "dat")))
    return choice([_with_noun(phrase, noun, "dat", preposition) for noun in NOUNS[phrase.noun].german])


def place(phrase: NounPhrase) -> Expression:
    """Returns the alternatives of a place ("am alten Bahnhof")."""
    return prepositional_phrase(PLACE_PREPOSITIONS[phrase.noun][1], phrase)


def relative_clause(relative: Relative, gender: str) -> Expression:
    """Returns the alternatives of a relative clause, with the comma before it and none after it."""
    options = []
    for verb in VERBS[relative.verb].german:
        final = final_verb(verb, PAST_PERFECT, relative.subject.agreement)[0]
        options.append(Sequence((article(gender, verb.case), noun_phrase(relative.subject, "nom"), words(final))))
    return Sequence((",", choice(options)))


def main_verb(verb: GermanVerb, tense: str, agreement: int) -> list[tuple[str, str]]:
    """Returns pairs of the finite verb and the words at the end of a main clause, for every German tense."""
    if tense == PAST:
        preterite = _agree(verb.preterite, agreement)
        perfect = PRESENT_AUXILIARY[verb.auxiliary][agreement]
        return [(preterite, verb.prefix), (perfect, verb.participle)]
    if tense == PAST_PERFECT:
        return [(PRETERITE_AUXILIARY[verb.auxiliary][agreement], verb.participle)]
    return [(MODALS[tense][agreement], verb.infinitive)]


def final_verb(verb: GermanVerb, tense: str, agreement: int) -> list[str]:
    """Returns the verb-final forms of a subordinate clause, in the order of ``main_verb``."""
    # A separable prefix joins the preterite ("anrief"), every other end is a word of its own.
    return [
        end + finite if end == verb.prefix else f"{end} {finite}" for finite, end in main_verb(verb, tense, agreement)
    ]


def main_passive(verb: GermanVerb, agreement: int) -> list[tuple[str, str]]:
    """Returns pairs of the finite verb and the final words of a passive main clause in the past."""
    perfect = PRESENT_AUXILIARY["sein"][agreement]
    return [(PASSIVE_AUXILIARY[agreement], verb.participle), (perfect, f"{verb.participle} worden")]


def final_passive(verb: GermanVerb, agreement: int) -> list[str]:
    """Returns the verb-final forms of a passive subordinate clause in the past."""
    return [f"{end} {finite}" for finite, end in main_passive(verb, agreement)]


def _agree(preterite: str, agreement: int) -> str:
    """Returns the preterite for a plural subject, or as it is for the first and third person singular."""
    if agreement != 1:
        return preterite
    return preterite + ("n" if preterite.endswith("e") else "en")
