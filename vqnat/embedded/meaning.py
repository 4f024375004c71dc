"""The meaning of a sentence of the embedded corpus, which both languages express."""

from dataclasses import dataclass

from vqnat.embedded.modifiers import DEFINITE, PLURAL_QUANTIFIERS
from vqnat.embedded.nouns import CLASS_OF, NAMES, NOUNS, PERSONS, PRONOUNS
from vqnat.embedded.verbs import PAST, VERBS


@dataclass(frozen=True)
class NounPhrase:
    """A noun with its determiner and adjective, a name, or a pronoun.

    Attributes:
        noun: English singular noun, name, or pronoun in the subject form.
        determiner: English determiner (``a`` also for "an"); empty for names and pronouns.
        adjective: English adjective, or empty.
        plural: whether the noun is plural.
        relative: the relative clause, or None.
    """

    noun: str
    determiner: str = ""
    adjective: str = ""
    plural: bool = False
    relative: "Relative | None" = None

    @property
    def is_pronoun(self) -> bool:
        """Whether this is a personal pronoun."""
        return self.noun in PRONOUNS or self.noun == "it"

    @property
    def is_definite(self) -> bool:
        """Whether the phrase refers to something known."""
        return self.determiner in ("", *DEFINITE)

    @property
    def agreement(self) -> int:
        """Index of the finite form that agrees with this subject: 0 singular, 1 plural, 2 "I"."""
        if self.noun == "I":
            return 2
        return 1 if self.plural or self.noun in ("we", "they") or self.determiner in PLURAL_QUANTIFIERS else 0

    @property
    def pronoun(self) -> str:
        """The English pronoun that takes this phrase up, or empty where it is not settled."""
        if self.noun in PRONOUNS:
            return self.noun
        if self.plural:
            return "they"
        if self.noun in NAMES:
            return NAMES[self.noun]
        if CLASS_OF.get(self.noun) in PERSONS:
            return NOUNS[self.noun].pronoun
        return "it"


@dataclass(frozen=True)
class Relative:
    """A relative clause in the past perfect whose object is the noun that it belongs to."""

    subject: NounPhrase
    verb: str


@dataclass(frozen=True)
class Clause:
    """A clause: a state ("was very tired", where ``state`` is set) or an action (where ``verb`` is set).

    Attributes:
        subject: who acts, also where the English clause is passive.
        tense: ``past``, ``past perfect`` or an English modal of ``verbs.MODALS``.
        verb: base form of the English verb, or empty.
        state: predicate adjective, or empty.
        degree: adverb of degree before the adjective, or empty.
        recipient: person who receives the object or hears the report.
        object: the object.
        goal: the place of a movement ("to the station").
        manner: adverb of manner, or empty.
        companion: person of "with ...".
        place: where it happened.
        time: English time phrase, or empty.
        time_first: whether the time phrase begins the English clause.
        passive: whether the English clause is passive.
    """

    subject: NounPhrase
    tense: str = PAST
    verb: str = ""
    state: str = ""
    degree: str = ""
    recipient: NounPhrase | None = None
    object: NounPhrase | None = None
    goal: NounPhrase | None = None
    manner: str = ""
    companion: NounPhrase | None = None
    place: NounPhrase | None = None
    time: str = ""
    time_first: bool = False
    passive: bool = False

    @property
    def phrases(self) -> list[NounPhrase]:
        """The persons and things of the clause, in the order of the English active clause."""
        slots = (self.subject, self.recipient, self.object, self.companion)
        return [phrase for phrase in slots if phrase is not None]

    @property
    def can_be_passive(self) -> bool:
        """Whether the clause reads naturally in the passive.

        A possessive of the third person in the object would lose the subject that it refers to, and "no"
        before the subject would deny more than before the object.
        """
        return (
            bool(self.verb)
            and VERBS[self.verb].passive
            and self.tense == PAST
            and self.object is not None
            and not self.object.is_pronoun
            and self.object.relative is None
            and self.object.determiner not in ("his", "her", "their", "no")
            and not self.subject.is_pronoun
            and self.companion is None
        )


@dataclass(frozen=True)
class Link:
    """A clause with the English conjunction that joins it."""

    conjunction: str
    clause: Clause


@dataclass(frozen=True)
class Sentence:
    """A main clause, the clause before it, if any, and the clauses that follow it."""

    main: Clause
    links: tuple[Link, ...] = ()
    lead: Link | None = None

    @property
    def clauses(self) -> list[Clause]:
        """All clauses in their order."""
        lead = [self.lead.clause] if self.lead else []
        return [*lead, self.main, *(link.clause for link in self.links)]

    @property
    def antecedent(self) -> NounPhrase | None:
        """What "it" takes up, the object of the main clause; None without an "it" in a later clause."""
        return self.main.object if any(_has_it(link.clause) for link in self.links) else None

    @property
    def is_sound(self) -> bool:
        """Whether every "it" stands after the main clause and has one thing to take up there."""
        if _has_it(self.main) or (self.lead and _has_it(self.lead.clause)):
            return False
        if not any(_has_it(link.clause) for link in self.links):
            return True
        target = self.antecedent
        return target is not None and not target.is_pronoun and target.pronoun == "it"

    @property
    def has_anaphora(self) -> bool:
        """Whether a pronoun of the third person takes something up: then subjects must stay subjects."""
        phrases = [phrase for clause in self.clauses for phrase in clause.phrases]
        return any(phrase.noun in ("he", "she", "it", "they") for phrase in phrases)


def _has_it(clause: Clause) -> bool:
    return any(phrase.noun == "it" for phrase in clause.phrases)
