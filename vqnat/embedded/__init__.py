"""The embedded corpus: an English-German grammar that generates pairs and judges any translation of them.

Every source has many right translations (synonyms, word order, voice, tense). One of them is drawn for the corpus,
and the grammar can decide whether any output is one of them. Standard library only.

A pair is made in these steps: ``draw`` draws a ``meaning.Sentence``; ``english`` writes its only English sentence;
``german`` (with ``german_phrases``) turns it into one expression of all German translations (``alternatives``), from
which one is drawn. To judge a translation, ``parse`` reads the English back to its meaning and ``german`` does the
rest. ``nouns``, ``verbs`` and ``modifiers`` are the lexicon. ``corpus`` ties these together;
``vqnat embedded`` is the command line.
"""

from vqnat.embedded.corpus import (
    count_right_translations,
    generate,
    is_right,
    right_translation_rate,
    right_translations,
)

__all__ = ["count_right_translations", "generate", "is_right", "right_translation_rate", "right_translations"]
