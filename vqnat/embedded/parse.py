"""From English back to the meaning: a recursive-descent parser with backtracking.

Every function yields pairs of a meaning and the position after its words, for all readings that begin at a
position. A reading counts only if it renders to the very sentence, so the parser may be more permissive
than the renderer (about "a" and "an" or "was" and "were", for example).
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from vqnat.embedded import english
from vqnat.embedded.meaning import Clause, Link, NounPhrase, Relative, Sentence
from vqnat.embedded.modifiers import (
    ADJECTIVES,
    CONJUNCTIONS,
    DEGREES,
    GOALS,
    LEADING,
    MANNERS,
    PLACE_PREPOSITIONS,
    PLURAL_DETERMINERS,
    SINGULAR_DETERMINERS,
    TIMES,
)
from vqnat.embedded.nouns import CLASS_OF, NAMES, NOUNS, OBJECTS, PERSONS, PRONOUNS
from vqnat.embedded.verbs import MODALS, PARTICLE_VERBS, PAST, PAST_PERFECT, VERBS

Words = tuple[str, ...]
Readings = Iterator[tuple[Any, int]]

_PLURALS = {noun.plural: name for name, noun in NOUNS.items() if noun.plural}
_OBJECT_PRONOUNS = {forms[0]: pronoun for pronoun, forms in PRONOUNS.items()} | {"it": "it"}
_SUBJECT_PRONOUNS = {pronoun: pronoun for pronoun in PRONOUNS} | {"it": "it"}


def parse(sentence: str) -> Sentence:
    """Returns the meaning of an English sentence of the grammar.

    Raises:
        ValueError: the grammar has no such sentence.
    """
    stripped = sentence.strip()
    words = tuple(stripped.removesuffix(".").replace(",", " ,").split())
    if words:
        for first in (words[0], words[0].lower()):
            for meaning in _sentences((first, *words[1:])):
                if meaning.is_sound and english.sentence(meaning) == stripped:
                    return meaning
    raise ValueError(f"not a sentence of the embedded grammar: {sentence!r}")


def _phrases(table: dict[str, Any]) -> Callable[[Words, int], Readings]:
    """Returns a function that reads one of the (possibly multi-word) keys of ``table``."""
    by_first: dict[str, list[tuple[str, Words]]] = {}
    for key in table:
        split = tuple(key.split())
        by_first.setdefault(split[0], []).append((key, split))

    def read(words: Words, start: int) -> Readings:
        for key, split in by_first.get(words[start] if start < len(words) else "", ()):
            if words[start : start + len(split)] == split:
                yield key, start + len(split)

    return read


_time, _manner, _degree, _modal = map(_phrases, (TIMES, MANNERS, DEGREES, MODALS))
_conjunction, _state = map(_phrases, (CONJUNCTIONS, ADJECTIVES))


def _verb_reader(form: str) -> Callable[[Words, int], Readings]:
    """Returns a function that reads one form (``base``, ``past`` or ``participle``) of a verb."""
    forms = {getattr(verb, form): base for base, verb in VERBS.items()}
    read = _phrases(forms)

    def read_verb(words: Words, start: int) -> Readings:
        for key, end in read(words, start):
            yield forms[key], end

    return read_verb


_base, _past, _participle = map(_verb_reader, ("base", "past", "participle"))


def _optional(read: Callable[[Words, int], Readings], words: Words, start: int, absent: Any) -> Readings:
    """Yields the readings of ``read``, then the reading without it."""
    yield from read(words, start)
    yield absent, start


def _sentences(words: Words) -> Iterator[Sentence]:
    for conjunction, start in _conjunction(words, 0):
        if conjunction in LEADING:
            for lead, end in _clause(words, start):
                if words[end : end + 1] == (",",):
                    for main, after in _clause(words, end + 1):
                        for links in _links(words, after, main):
                            yield Sentence(main, links, Link(conjunction, lead))
    for main, end in _clause(words, 0):
        for links in _links(words, end, main):
            yield Sentence(main, links)


def _links(words: Words, start: int, previous: Clause) -> Iterator[tuple[Link, ...]]:
    """Yields the chains of links that read all words from ``start``."""
    reports = bool(previous.verb) and VERBS[previous.verb].frame in ("report", "tell")
    if start == len(words):
        if not reports:
            yield ()
        return
    comma = words[start] == ","
    for conjunction, after in _conjunction(words, start + comma):
        # A report needs its that-clause, which nothing else has and no comma precedes.
        if (conjunction == "that") == reports and comma != reports:
            for clause, end in _clause(words, after):
                for rest in _links(words, end, clause):
                    yield (Link(conjunction, clause), *rest)


def _clause(words: Words, start: int) -> Readings:
    for time, after in _optional(_time, words, start, ""):
        for clause, end in _clause_without_front(words, after):
            if time and not clause.time:
                yield replace(clause, time=time, time_first=True), end
            elif not time:
                yield clause, end


def _clause_without_front(words: Words, start: int) -> Readings:
    for subject, after in _noun_phrase(words, start):
        if words[after : after + 1] in (("was",), ("were",)):
            for degree, state_start in _optional(_degree, words, after + 1, ""):
                for state, end in _state(words, state_start):
                    yield Clause(subject, state=state, degree=degree), end
            yield from _passive(words, after + 1, subject)
        yield from _active(words, after, subject)


def _passive(words: Words, start: int, patient: NounPhrase) -> Readings:
    for manner, verb_start in _optional(_manner, words, start, ""):
        for verb, after in _participle(words, verb_start):
            if words[after : after + 1] == ("by",):
                for agent, adjuncts in _noun_phrase(words, after + 1, is_object=True):
                    clause = Clause(agent, verb=verb, object=patient, manner=manner, passive=True)
                    if clause.can_be_passive and _fits(agent, PERSONS) and _fits(patient, VERBS[verb].objects):
                        yield from _adjuncts(words, adjuncts, clause)


def _active(words: Words, start: int, subject: NounPhrase) -> Readings:
    tenses = [(PAST, start, _past)]
    if words[start : start + 1] == ("had",):
        tenses.append((PAST_PERFECT, start + 1, _participle))
    tenses += [(modal, after, _base) for modal, after in _modal(words, start)]
    for tense, manner_start, read_verb in tenses:
        for manner, verb_start in _optional(_manner, words, manner_start, ""):
            for verb, after in read_verb(words, verb_start):
                clause = Clause(subject, tense, verb, manner=manner)
                if not _fits(subject, ("events",) if VERBS[verb].frame == "event" else PERSONS):
                    continue
                for whole, end in _arguments(words, after, clause):
                    yield from _adjuncts(words, end, whole)


def _arguments(words: Words, start: int, clause: Clause) -> Readings:
    verb = VERBS[clause.verb]
    if verb.frame == "object":
        for phrase, end in _noun_phrase(words, start, is_object=True):
            if _fits(phrase, verb.objects) and not (phrase.is_pronoun and clause.verb in PARTICLE_VERBS):
                yield replace(clause, object=phrase), end
    elif verb.frame == "recipient":
        for recipient, middle in _noun_phrase(words, start, is_object=True):
            for phrase, end in _noun_phrase(words, middle, is_object=True):
                if _fits(recipient, PERSONS) and _fits(phrase, verb.objects) and not phrase.is_pronoun:
                    yield replace(clause, recipient=recipient, object=phrase), end
    elif verb.frame == "tell":
        for recipient, end in _noun_phrase(words, start, is_object=True):
            if _fits(recipient, PERSONS):
                yield replace(clause, recipient=recipient), end
    elif verb.frame == "goal" and words[start : start + 1] == ("to",):
        for goal, end in _noun_phrase(words, start + 1):
            if goal.noun in GOALS and goal.determiner == "the":
                yield replace(clause, goal=goal), end
    elif verb.frame in ("place", "event", "report"):
        yield clause, start


def _adjuncts(words: Words, start: int, clause: Clause) -> Readings:
    """Reads the companion, place and time that follow the arguments, in this order, if they are there."""

    def companion(words: Words, start: int) -> Readings:
        if words[start : start + 1] == ("with",):
            yield from _noun_phrase(words, start + 1, is_object=True)

    def place(words: Words, start: int) -> Readings:
        for phrase, end in _noun_phrase(words, start + 1):
            preposition, _ = PLACE_PREPOSITIONS.get(phrase.noun, (None, None))
            if words[start] == preposition and phrase.determiner == "the":
                yield phrase, end

    for somebody, after_companion in _optional(companion, words, start, None):
        for somewhere, after_place in _optional(place, words, after_companion, None):
            for time, end in _optional(_time, words, after_place, ""):
                yield replace(clause, companion=somebody, place=somewhere, time=time), end


def _noun_phrase(words: Words, start: int, is_object: bool = False) -> Readings:
    if start >= len(words):
        return
    first = words[start]
    pronouns = _OBJECT_PRONOUNS if is_object else _SUBJECT_PRONOUNS
    if first in pronouns:
        yield NounPhrase(pronouns[first]), start + 1
    if first in NAMES:
        yield NounPhrase(first), start + 1
    determiner = "a" if first == "an" else first
    for adjective, after in _optional(_state, words, start + 1, ""):
        word = words[after] if after < len(words) else ""
        if word in NOUNS and determiner in SINGULAR_DETERMINERS:
            phrase = NounPhrase(word, determiner, adjective)
        elif word in _PLURALS and determiner in PLURAL_DETERMINERS:
            phrase = NounPhrase(_PLURALS[word], determiner, adjective, plural=True)
        else:
            continue
        if words[after + 1 : after + 2] == ("which",) and CLASS_OF[phrase.noun] in OBJECTS:
            for relative, end in _relative(words, after + 2):
                yield replace(phrase, relative=relative), end
        yield phrase, after + 1


def _relative(words: Words, start: int) -> Readings:
    for subject, after in _noun_phrase(words, start):
        if words[after : after + 1] == ("had",):
            for verb, end in _participle(words, after + 1):
                if VERBS[verb].frame == "object" and _fits(subject, PERSONS):
                    yield Relative(subject, verb), end


def _fits(phrase: NounPhrase, classes: tuple[str, ...]) -> bool:
    """Tells whether a phrase can stand where a noun of ``classes`` is wanted."""
    if phrase.noun == "it":
        return any(name in OBJECTS for name in classes)
    if phrase.noun in PRONOUNS or phrase.noun in NAMES:
        is_thing_too = phrase.noun == "they" and any(name in OBJECTS for name in classes)
        return is_thing_too or any(name in PERSONS for name in classes)
    return CLASS_OF[phrase.noun] in classes
