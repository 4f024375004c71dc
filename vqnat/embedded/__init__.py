"""The embedded corpus: an English-German grammar that generates pairs and judges any translation of them.

Every source has many right translations (synonyms, word order, voice, tense), one of which is drawn for the
corpus, and the grammar decides for any output whether it is right. Standard library only.
``python -m vqnat.embedded --help`` is the command line.
"""

from vqnat.embedded.corpus import (
    count_right_translations,
    generate,
    is_right,
    right_translation_rate,
    right_translations,
)

__all__ = ["count_right_translations", "generate", "is_right", "right_translation_rate", "right_translations"]
