"""From meaning to English."""

from vqnat.embedded.meaning import Clause, NounPhrase, Sentence
from vqnat.embedded.modifiers import PLACE_PREPOSITIONS
from vqnat.embedded.nouns import NOUNS, PRONOUNS
from vqnat.embedded.verbs import PAST, PAST_PERFECT, VERBS


def text(words: list[str]) -> str:
    """Joins words and punctuation marks to a sentence with a capital at its beginning."""
    joined = " ".join(words).replace(" ,", ",").replace(" .", ".")
    return joined[0].upper() + joined[1:]


def sentence(meaning: Sentence) -> str:
    """Returns the English sentence for a meaning; different meanings have different sentences."""
    words = []
    if meaning.lead:
        words += [meaning.lead.conjunction, *_clause(meaning.lead.clause), ","]
    words += _clause(meaning.main)
    for link in meaning.links:
        words += [link.conjunction] if link.conjunction == "that" else [",", link.conjunction]
        words += _clause(link.clause)
    return text([*words, "."])


def _clause(clause: Clause) -> list[str]:
    words = _clause_without_time(clause)
    time = clause.time.split()
    return time + words if clause.time_first else words + time


def _clause_without_time(clause: Clause) -> list[str]:
    subject = clause.object if clause.passive else clause.subject
    words = noun_phrase(subject)
    be = "were" if subject.agreement == 1 else "was"
    if clause.state:
        return [*words, be, *clause.degree.split(), clause.state]
    verb = VERBS[clause.verb]
    manner = clause.manner.split()
    if clause.passive:
        words += [be, *manner, *verb.participle.split(), "by", *noun_phrase(clause.subject, True)]
    elif clause.tense == PAST:
        words += [*manner, *verb.past.split()]
    elif clause.tense == PAST_PERFECT:
        words += ["had", *manner, *verb.participle.split()]
    else:
        words += [*clause.tense.split(), *manner, *verb.base.split()]
    if not clause.passive:
        for phrase in (clause.recipient, clause.object):
            if phrase:
                words += noun_phrase(phrase, True)
    if clause.goal:
        words += ["to", *noun_phrase(clause.goal)]
    if clause.companion:
        words += ["with", *noun_phrase(clause.companion, True)]
    if clause.place:
        words += [PLACE_PREPOSITIONS[clause.place.noun][0], *noun_phrase(clause.place)]
    return words


def noun_phrase(phrase: NounPhrase, is_object: bool = False) -> list[str]:
    """Returns the words of a noun phrase, as a subject or as an object."""
    if phrase.noun in PRONOUNS and is_object:
        return [PRONOUNS[phrase.noun][0]]
    if not phrase.determiner:
        return [phrase.noun]
    noun = NOUNS[phrase.noun].plural if phrase.plural else phrase.noun
    words = [*phrase.adjective.split(), noun]
    determiner = "an" if phrase.determiner == "a" and words[0][0] in "aeiou" else phrase.determiner
    words.insert(0, determiner)
    if phrase.relative:
        verb = VERBS[phrase.relative.verb]
        words += ["which", *noun_phrase(phrase.relative.subject), "had", *verb.participle.split()]
    return words
