"""Draws meanings: which sentences the corpus has, and how often each construction occurs."""

import random
from dataclasses import replace

from vqnat.embedded.meaning import Clause, Link, NounPhrase, Relative, Sentence
from vqnat.embedded.modifiers import (
    ANY_TIMES,
    ATTRIBUTES,
    DEGREES,
    FUTURE_TIMES,
    GOALS,
    LEADING,
    MANNERS,
    PAST_TIMES,
    PLURAL_QUANTIFIERS,
    POSSESSIVE_OF,
    PREDICATES,
)
from vqnat.embedded.nouns import CLASS_OF, CLASSES, EVENTS, NAMES, NOUNS, OBJECTS, PERSONS, PLACES
from vqnat.embedded.verbs import MODALS, PARTICLE_VERBS, PAST, PAST_PERFECT, VERBS

_FRAMES = {frame: [base for base, verb in VERBS.items() if verb.frame == frame] for frame in ("report", "tell")}
_ACTIONS = [base for base, verb in VERBS.items() if verb.frame in ("object", "recipient", "place", "goal")]
# Verbs are weighted by their number of German forms, so that every form is frequent: one with a separable prefix
# has two for each finite form ("rief ... an", "anrief").
_ACTION_WEIGHTS = [sum(2 if german.prefix else 1 for german in VERBS[base].german) for base in _ACTIONS]
_EVENT_VERBS = [base for base, verb in VERBS.items() if verb.frame == "event"]
_TRANSITIVES = [base for base, verb in VERBS.items() if verb.frame == "object"]
_MODALS = [modal for modal in MODALS if modal != "will"]
# Tenses of an action after each conjunction; main clauses in the future are drawn separately.
_PAST_TENSES = (PAST, PAST, PAST, "modal")
_TENSES = {
    "and": _PAST_TENSES,
    "but": _PAST_TENSES,
    "because": (PAST, PAST_PERFECT, "modal"),
    "although": (PAST, PAST_PERFECT, "modal"),
    "that": (PAST, PAST_PERFECT, PAST_PERFECT, "modal"),
    "when": (PAST,),
    "whenever": (PAST,),
    "before": (PAST,),
    "while": (PAST,),
    "after": (PAST_PERFECT,),
}
_LOOSE = ("and", "but", "because", "although")
_STATES = ("and", "but", "because", "although", "that")


def draw_sentence(rng: random.Random) -> Sentence:
    """Draws a meaning."""
    future = rng.random() < 0.2
    lead = None
    if not future and rng.random() < 0.2:
        conjunction = rng.choice(LEADING)
        lead = Link(conjunction, _linked(rng, conjunction, None, None))
    kind = "action" if future else rng.choices(("action", "state", "report"), (8, 1.5, 2))[0]
    links = []
    if kind == "report":
        main = _report(rng, lead is None)
        links.append(Link("that", _linked(rng, "that", main, None)))
    elif kind == "state":
        main = _state(rng, None)
    else:
        main = _action(rng, "will" if future else _main_tense(rng), lead is None)
    wanted = rng.choices((0, 1, 2), (1, 8, 11))[0] - (lead is not None)
    antecedent = _antecedent(main)
    while len(links) < wanted:
        joins = _LOOSE if future or links else (*_LOOSE, "because", "when", "whenever", "before", "while")
        conjunction = rng.choice([join for join in joins if not links or join != links[-1].conjunction])
        keeps_future = future and conjunction in ("and", "but")
        # Only the next clause refers back to the object: later, another thing would be nearer.
        clause = _linked(rng, conjunction, main, None if links else antecedent, future=keeps_future)
        links.append(Link(conjunction, clause))
    meaning = Sentence(main, tuple(links), lead)
    # A passive subject would be mistaken for the antecedent of a later pronoun.
    return meaning if meaning.has_anaphora else _with_passives(rng, meaning)


def _with_passives(rng: random.Random, meaning: Sentence) -> Sentence:
    """Puts some clauses of the English sentence in the passive."""

    def voiced(clause: Clause) -> Clause:
        return replace(clause, passive=True) if clause.can_be_passive and rng.random() < 0.5 else clause

    links = tuple(Link(link.conjunction, voiced(link.clause)) for link in meaning.links)
    return Sentence(voiced(meaning.main), links, meaning.lead)


def _main_tense(rng: random.Random) -> str:
    return rng.choice(_MODALS) if rng.random() < 0.2 else PAST


def _antecedent(main: Clause) -> NounPhrase | None:
    """Returns the thing that a later "it" or "they" can take up, or None."""
    thing = main.object
    if thing is None or CLASS_OF.get(thing.noun) not in OBJECTS or thing.determiner == "no":
        return None
    return thing


def _linked(
    rng: random.Random,
    conjunction: str,
    main: Clause | None,
    antecedent: NounPhrase | None,
    future: bool = False,
) -> Clause:
    """Draws the clause after a conjunction; it may take up the subject or the object of the main clause."""
    if antecedent and conjunction in _LOOSE and not future and rng.random() < 0.25:
        return _state(rng, NounPhrase(antecedent.pronoun), CLASS_OF[antecedent.noun])
    taken_up = main.subject.pronoun if main else ""
    subject = None
    if taken_up not in ("", "it") and rng.random() < 0.5:
        subject = NounPhrase(taken_up)
    if conjunction in _STATES and not future and rng.random() < 0.25:
        return _state(rng, subject)
    if conjunction in ("when", "after", "before", "while") and rng.random() < 0.25:
        return _event(rng, _TENSES[conjunction][0])
    tense = "will" if future else rng.choice(_TENSES[conjunction])
    tense = rng.choice(_MODALS) if tense == "modal" else tense
    is_first = conjunction in ("and", "but")
    return _action(rng, tense, is_first, subject, conjunction, taken_up if subject is None else "", antecedent)


def _state(rng: random.Random, subject: NounPhrase | None, noun_class: str = "people") -> Clause:
    """Draws a state of ``subject``, a pronoun for a noun of ``noun_class``; None draws a subject."""
    if subject is None:
        noun = rng.choice(_nouns_of(OBJECTS))
        determiner = rng.choice(("the", "this", "a", "a", "my", "our"))
        subject = _noun(rng, noun, determiner) if rng.random() < 0.6 else _person(rng, None)
        noun_class = CLASS_OF.get(subject.noun, "people")
    adjectives = [adjective for adjective in PREDICATES[noun_class] if adjective != subject.adjective]
    return Clause(subject, state=rng.choice(adjectives), degree=rng.choice(("", *DEGREES)))


def _event(rng: random.Random, tense: str) -> Clause:
    subject = _noun(rng, rng.choice(list(EVENTS)), "the")
    return Clause(subject, tense, rng.choice(_EVENT_VERBS))


def _report(rng: random.Random, may_front: bool) -> Clause:
    subject = _person(rng, None)
    if rng.random() < 0.35:
        return Clause(subject, verb=_FRAMES["tell"][0], recipient=_person(rng, subject))
    time = rng.choice([*PAST_TIMES, *ANY_TIMES]) if may_front and rng.random() < 0.4 else ""
    return Clause(subject, verb=rng.choice(_FRAMES["report"]), time=time, time_first=bool(time))


def _action(
    rng: random.Random,
    tense: str,
    may_front: bool,
    subject: NounPhrase | None = None,
    conjunction: str = "",
    other: str = "",
    antecedent: NounPhrase | None = None,
) -> Clause:
    """Draws an action.

    Args:
        rng: source of the draws.
        tense: tense as in ``Clause``.
        may_front: whether the time phrase may begin the English clause.
        subject: the subject, or None to draw one.
        conjunction: the conjunction before the clause, or empty in the main clause.
        other: pronoun of the main clause's subject, which may become an object here, or empty.
        antecedent: thing of the main clause that may become an object here.
    """
    subject = subject or _person(rng, None)
    base = rng.choices(_ACTIONS, _ACTION_WEIGHTS)[0]
    verb = VERBS[base]
    recipient = target = goal = companion = place = relative = None
    if verb.frame == "recipient":
        recipient = _object_person(rng, subject, other, base not in PARTICLE_VERBS)
    if verb.objects:
        name = CLASS_OF[rng.choice(_nouns_of(verb.objects))]
        if name in PERSONS:
            target = _object_person(rng, subject, other, base not in PARTICLE_VERBS)
        elif antecedent and verb.frame == "object" and base not in PARTICLE_VERBS and rng.random() < 0.3:
            target = _taken_up(antecedent, verb.objects)
        if target is None:
            target = _thing(rng, subject, name)
            if not conjunction and target.determiner in ("the", "a") and rng.random() < 0.2:
                relative = _relative(rng, name)
    if relative:
        target = NounPhrase(target.noun, "the", target.adjective, target.plural, relative)
    if verb.frame == "goal":
        goal = _place(rng, GOALS)
    manner = rng.choice(list(MANNERS)) if tense in (PAST, PAST_PERFECT) and rng.random() < 0.15 else ""
    if verb.frame in ("place", "goal") and rng.random() < 0.45:
        companion = _person(rng, subject)
    if verb.frame == "place" or (verb.frame == "object" and not relative and rng.random() < 0.3):
        place = _place(rng, tuple(PLACES))
    time = ""
    if rng.random() < (0.25 if conjunction else 0.55):
        times = [*(FUTURE_TIMES if tense == "will" else PAST_TIMES), *ANY_TIMES]
        time = rng.choice(times)
    first = bool(time) and may_front and (relative is not None or rng.random() < 0.4)
    if relative and not first:
        time = ""
    return Clause(
        subject,
        tense,
        base,
        recipient=recipient,
        object=target,
        goal=goal,
        manner=manner,
        companion=companion,
        place=place,
        time=time,
        time_first=first,
    )


def _person(rng: random.Random, subject: NounPhrase | None) -> NounPhrase:
    """Draws a person: the subject (which may be a pronoun), or another person beside ``subject``."""
    kind = rng.random()
    if subject is None and kind < 0.2:
        return NounPhrase(rng.choice(("I", "we", "we", "he", "she", "they", "they")))
    if kind < 0.4:
        return NounPhrase(rng.choice([name for name in NAMES if not subject or name != subject.noun]))
    if kind < 0.75:
        return _noun(rng, rng.choice(list(CLASSES["people"])), rng.choice(("the", "the", "a", "a", "this")))
    possessive = rng.choice(("my", "our"))
    if subject and subject.pronoun and rng.random() < 0.7:
        possessive = POSSESSIVE_OF[subject.pronoun]
    return _noun(rng, rng.choice(list(CLASSES["relatives"])), possessive)


def _object_person(rng: random.Random, subject: NounPhrase, other: str, allows_pronoun: bool) -> NounPhrase:
    """Draws the person that an action is done to, maybe the pronoun ``other`` (unless that is empty)."""
    speakers = ("I", "we")
    if allows_pronoun:
        is_speaker = subject.noun in speakers
        if other not in ("", "it", subject.pronoun, *(speakers if is_speaker else ())) and rng.random() < 0.5:
            return NounPhrase(other)
        if not is_speaker and rng.random() < 0.15:
            return NounPhrase(rng.choice(speakers))
    return _person(rng, subject)


def _thing(rng: random.Random, subject: NounPhrase, noun_class: str) -> NounPhrase:
    """Draws the object of an action."""
    determiner = rng.choice(("the", "the", "the", "a", "a", "a", "this", "no", "own", "own", "many"))
    if determiner == "own":
        determiner = POSSESSIVE_OF.get(subject.pronoun, "my")
    return _noun(rng, rng.choice(list(CLASSES[noun_class])), determiner)


def _taken_up(antecedent: NounPhrase, classes: tuple[str, ...]) -> NounPhrase | None:
    return NounPhrase(antecedent.pronoun) if CLASS_OF[antecedent.noun] in classes else None


def _relative(rng: random.Random, noun_class: str) -> Relative:
    person = NounPhrase(rng.choice(list(NAMES)))
    if rng.random() < 0.4:
        person = NounPhrase(rng.choice(list(CLASSES["people"])), "the")
    return Relative(person, rng.choice([base for base in _TRANSITIVES if noun_class in VERBS[base].objects]))


def _nouns_of(classes: tuple[str, ...]) -> list[str]:
    return [noun for name in classes for noun in CLASSES[name]]


def _place(rng: random.Random, places: tuple[str, ...]) -> NounPhrase:
    adjective = rng.choice(ATTRIBUTES["places"]) if rng.random() < 0.4 else ""
    return NounPhrase(rng.choice(places), "the", adjective)


def _noun(rng: random.Random, noun: str, determiner: str) -> NounPhrase:
    """Draws number and adjective for a noun; plural quantifiers stand in for "many" and some others."""
    plural = bool(NOUNS[noun].plural) and determiner not in ("a", "this", "no") and rng.random() < 0.5
    if determiner == "many":
        plural = bool(NOUNS[noun].plural)
        determiner = rng.choice(PLURAL_QUANTIFIERS) if plural else "the"
    adjective = rng.choice(ATTRIBUTES[CLASS_OF[noun]]) if rng.random() < 0.5 else ""
    return NounPhrase(noun, determiner, adjective, plural)
