"""Quality of a translated test set."""

from collections.abc import Callable, Sequence
from typing import Any

from sacrebleu.metrics import BLEU, CHRF
from sacremoses import MosesDetokenizer, MosesPunctNormalizer, MosesTokenizer

from vqnat.records.corpus_scores import corpus_score

RightRate = Callable[[Sequence[str], Sequence[str]], float]  # of sources and translations
TOKENIZED = (
    "both sides lower-cased, punctuation normalized and tokenized by sacremoses (as Multi30k does), "
    "then sacrebleu with tokenize=none"
)


def score(
    sources: Sequence[str],
    outputs: Sequence[str],
    references: Sequence[str],
    language: str,
    right_rate: RightRate | None = None,
    tokenized: bool = False,
) -> dict[str, Any]:
    """All measures of one system.

    Args:
        sources: the test sentences.
        outputs: their translations, cased and detokenized.
        references: one reference each.
        language: of outputs and references, for the tokenizer.
        right_rate: share of right translations, 0 to 1, if the corpus has such a measure.
        tokenized: whether Moses tokenized the text, as it did IWSLT14's: ``sacrebleu`` is then BLEU of the tokens as
            they are (tok:none in the signature), and chrF is of the text without Moses's ``&apos;`` and the like.
    """
    if not len(sources) == len(outputs) == len(references):
        raise ValueError(f"{len(sources)} sources, {len(outputs)} outputs, {len(references)} references: must be equal")
    bleu, chrf = BLEU(tokenize="none", force=True) if tokenized else BLEU(), CHRF()
    unescape = MosesDetokenizer(language).unescape_xml if tokenized else str
    plain = [[unescape(line) for line in lines] for lines in (outputs, references)]
    result = {
        "sacrebleu": corpus_score(bleu, outputs, references),
        "signature": str(bleu.get_signature()),
        "chrf": corpus_score(chrf, *plain),
        "chrf_signature": str(chrf.get_signature()),
        "right_translation_rate": right_rate(sources, outputs) if right_rate else None,
    }
    if not tokenized:
        how = {"score": _tokenized(outputs, references, language), "how": TOKENIZED}
        result["bleu_tokenised_lowercased"] = how
    return result


def _tokenized(outputs: Sequence[str], references: Sequence[str], language: str) -> float:
    normalize, tokenize = MosesPunctNormalizer(language).normalize, MosesTokenizer(language).tokenize

    def prepare(lines: Sequence[str]) -> list[str]:
        return [tokenize(normalize(line.lower()), return_str=True, escape=False) for line in lines]

    # force: sacrebleu would warn that the text looks tokenized, which it is
    metric = BLEU(tokenize="none", force=True)
    return corpus_score(metric, prepare(outputs), prepare(references))


def right_rate(corpus: str) -> RightRate | None:
    """The embedded corpus's own measure, the share of right translations; None for other text."""
    if corpus != "embedded":
        return None
    from vqnat.embedded import right_translation_rate  # only this corpus needs its grammar

    return right_translation_rate
