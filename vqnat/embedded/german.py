"""From meaning to all right German translations, as one expression of alternatives."""

from vqnat.embedded.alternatives import Expression, Sequence, choice, words
from vqnat.embedded.german_phrases import (
    Reference,
    final_passive,
    final_verb,
    main_passive,
    main_verb,
    noun_phrase,
    nouns,
    place,
    prepositional_phrase,
    relative_clause,
)
from vqnat.embedded.meaning import Clause, NounPhrase, Sentence
from vqnat.embedded.modifiers import ADJECTIVES, CONJUNCTIONS, DEGREES, MANNERS, TIMES
from vqnat.embedded.nouns import NOUNS
from vqnat.embedded.verbs import PRETERITE_AUXILIARY, VERBS, GermanVerb

Slots = dict[str, Expression]
# Word orders of the middle field; only a definite object precedes time and manner.
_ORDERS = (
    "time recipient manner companion place object goal",
    "time recipient manner object companion place goal",
    "recipient time manner companion place object goal",
)
_DEFINITE_ORDERS = (
    "time recipient object manner companion place goal",
    "recipient object time manner companion place goal",
)
_PASSIVE_ORDER = "time agent manner place"
# Weight of the voice that the English clause does not have.
_OTHER_VOICE = 0.25


def sentence(meaning: Sentence) -> Expression:
    """Returns the alternatives of a sentence, with its final full stop."""
    antecedent = meaning.antecedent
    if antecedent is None:
        return _sentence(meaning, None)
    return choice([_sentence(meaning, Reference(antecedent, noun)) for noun in NOUNS[antecedent.noun].german])


def _sentence(meaning: Sentence, reference: Reference | None) -> Expression:
    free_voice = not meaning.has_anaphora
    parts: list[Expression] = []
    if meaning.lead:
        for_conjunction = []
        for conjunction, _ in CONJUNCTIONS[meaning.lead.conjunction]:
            clause = _clause(meaning.lead.clause, "final", free_voice, reference)
            for_conjunction.append(Sequence((words(conjunction), clause)))
        parts += [choice(for_conjunction), ",", _clause(meaning.main, "inverted", free_voice, reference)]
    else:
        parts.append(_clause(meaning.main, "main", free_voice, reference))
    for link in meaning.links:
        options: list[Expression] = []
        for conjunction, is_final in CONJUNCTIONS[link.conjunction]:
            clause = _clause(link.clause, "final" if is_final else "main", free_voice, reference)
            options.append(Sequence((words(conjunction), clause)))
        parts += [",", choice(options)]
    return Sequence((*parts, "."))


def _clause(clause: Clause, order: str, free_voice: bool, reference: Reference | None) -> Expression:
    """Returns the alternatives of a clause.

    Args:
        clause: the meaning.
        order: ``main`` (verb second), ``inverted`` (the verb is first, as another clause is in the first
            position) or ``final`` (verb last).
        free_voice: whether the German voice may differ from the English one.
        reference: the German noun that "it" takes up, if any.
    """
    if clause.state:
        return _state(clause, order, reference)
    same = _passive(clause, order, reference) if clause.passive else _active(clause, order, reference)
    if not (free_voice and clause.can_be_passive):
        return same
    other = _active(clause, order, reference) if clause.passive else _passive(clause, order, reference)
    return choice([same, other], [1 - _OTHER_VOICE, _OTHER_VOICE])


def _state(clause: Clause, order: str, reference: Reference | None) -> Expression:
    subject = noun_phrase(clause.subject, "nom", reference)
    finite = PRETERITE_AUXILIARY["sein"][clause.subject.agreement]
    degree = (DEGREES[clause.degree],) if clause.degree else ()
    predicate = Sequence((*degree, choice(list(ADJECTIVES[clause.state]))))
    if order == "final":
        return Sequence((subject, predicate, finite))
    return Sequence((finite, subject, predicate) if order == "inverted" else (subject, finite, predicate))


def _active(clause: Clause, order: str, reference: Reference | None) -> Expression:
    subject = noun_phrase(clause.subject, "nom", reference)
    orders = _ORDERS
    if clause.object and clause.object.is_definite:
        orders = (*_ORDERS, *_DEFINITE_ORDERS)
    options = []
    for verb in VERBS[clause.verb].german:
        pairs = _finite_and_end(clause, verb, order)
        slots = {"subject": subject} | _adjuncts(clause)
        if clause.recipient:
            name = "pronoun" if clause.recipient.is_pronoun else "recipient"
            slots[name] = noun_phrase(clause.recipient, "dat")
        if clause.object and clause.object.relative:
            options += [
                _arrange(slots | with_relative, orders, order, pairs)
                for with_relative in _objects_with_relative(clause.object, verb, reference)
            ]
            continue
        if clause.object:
            name = "pronoun" if clause.object.is_pronoun else "object"
            slots[name] = noun_phrase(clause.object, verb.case, reference)
        options.append(_arrange(slots, orders, order, pairs))
    return choice(options)


def _finite_and_end(clause: Clause, verb: GermanVerb, order: str) -> list[tuple[str, str]]:
    """Returns pairs of the finite verb (empty in verb-final clauses) and the words at the end."""
    agreement = clause.subject.agreement
    if order == "final":
        return [("", end) for end in final_verb(verb, clause.tense, agreement)]
    return main_verb(verb, clause.tense, agreement)


def _adjuncts(clause: Clause) -> Slots:
    slots: Slots = {}
    if clause.time:
        slots["time"] = choice([words(time) for time in TIMES[clause.time]])
    if clause.manner:
        slots["manner"] = choice([words(manner) for manner in MANNERS[clause.manner]])
    if clause.companion:
        slots["companion"] = prepositional_phrase("mit", clause.companion)
    if clause.place:
        slots["place"] = place(clause.place)
    if clause.goal:
        slots["goal"] = prepositional_phrase("zu", clause.goal)
    return slots


def _objects_with_relative(phrase: NounPhrase, verb: GermanVerb, reference: Reference | None) -> list[Slots]:
    """Returns the slots of an object and its relative clause, whose pronoun agrees with the chosen noun."""
    return [
        {
            "object": noun_phrase(phrase, verb.case, Reference(phrase, noun)),
            "relative": relative_clause(phrase.relative, "pl" if phrase.plural else noun.gender),
        }
        for noun in nouns(phrase, reference)
    ]


def _passive(clause: Clause, order: str, reference: Reference | None) -> Expression:
    agreement = clause.object.agreement
    slots = _adjuncts(clause) | {
        "subject": noun_phrase(clause.object, "nom", reference),
        "agent": prepositional_phrase("von", clause.subject),
    }
    options = []
    for verb in VERBS[clause.verb].german:
        if order == "final":
            pairs = [("", end) for end in final_passive(verb, agreement)]
        else:
            pairs = main_passive(verb, agreement)
        options.append(_arrange(slots, (_PASSIVE_ORDER,), order, pairs))
    return choice(options)


def _arrange(slots: Slots, orders: tuple[str, ...], order: str, pairs: list[tuple[str, str]]) -> Expression:
    """Returns the alternatives of word order for every pair of finite verb and final words."""
    options = []
    for finite, end in pairs:
        verbs = ({"finite": finite} if finite else {}) | ({"end": words(end)} if end else {})
        expressions = slots | verbs
        options += [_join(names, expressions) for names in _word_orders(expressions, orders, order)]
    return choice(options)


def _word_orders(expressions: Slots, orders: tuple[str, ...], order: str) -> list[tuple[str, ...]]:
    """Returns the distinct sequences of slot names that are right in a clause."""
    arranged = []
    for middle_order in orders:
        middle = [name for name in ("subject", "pronoun", *middle_order.split()) if name in expressions]
        fronts = ["subject"]
        if "time" in expressions:
            fronts.append("time")
        elif "place" in expressions and "object" in expressions:
            # With an intransitive verb the place is new information, which does not come first.
            fronts.append("place")
        if order == "main":
            fields = [[front, "finite", *(name for name in middle if name != front)] for front in fronts]
        else:
            fields = [["finite", *middle] if order == "inverted" else middle]
        for field in fields:
            whole = [*field, "end"] if "end" in expressions else field
            if "relative" in expressions:
                # The relative clause follows its noun, or the end of the clause if nothing else is between them:
                # after another noun it would be read as belonging to that one.
                after = whole.index("object") + 1
                arranged.append((*whole[:after], "relative", *whole[after:]))
                if whole[after:] == ["end"]:
                    arranged.append((*whole, "relative"))
            else:
                arranged.append(tuple(whole))
    return list(dict.fromkeys(arranged))


def _join(names: tuple[str, ...], expressions: Slots) -> Expression:
    parts: list[Expression] = []
    for position, name in enumerate(names, 1):
        parts.append(expressions[name])
        # Whatever follows the whole clause begins with its own comma.
        if name == "relative" and position < len(names):
            parts.append(",")
    return Sequence(tuple(parts))
