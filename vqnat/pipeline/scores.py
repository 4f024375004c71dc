"""Quality of a translated test set."""

from collections.abc import Callable, Sequence
from typing import Any

from sacrebleu.metrics import BLEU, CHRF
from sacremoses import MosesDetokenizer, MosesPunctNormalizer, MosesTokenizer

TOKENISED = (
    "both sides lower-cased, punctuation normalised and tokenised by sacremoses (as Multi30k does), "
    "then sacrebleu with tokenize=none"
)


def score(
    sources: Sequence[str],
    outputs: Sequence[str],
    references: Sequence[str],
    language: str,
    right_rate: Callable[[Sequence[str], Sequence[str]], float] | None = None,
    tokenised: bool = False,
) -> dict[str, Any]:
    """All measures of one system.

    Args:
        sources: the test sentences.
        outputs: their translations, cased and detokenised.
        references: one reference each.
        language: of outputs and references, for the tokeniser.
        right_rate: share of right translations, from 0 to 1, where the corpus has such a measure.
        tokenised: the text is tokenised by Moses, as IWSLT14's is: ``sacrebleu`` is then BLEU of its tokens as they
            stand, which the signature says (tok:none), and chrF is of the text without Moses's ``&apos;`` and the like.
    """
    if not len(sources) == len(outputs) == len(references):
        raise ValueError(f"{len(sources)} sources, {len(outputs)} outputs, {len(references)} references: must be equal")
    bleu, chrf = BLEU(tokenize="none", force=True) if tokenised else BLEU(), CHRF()
    unescape = MosesDetokenizer(language).unescape_xml if tokenised else str
    plain = [[unescape(line) for line in lines] for lines in (outputs, references)]
    result = {
        "sacrebleu": bleu.corpus_score(outputs, [references]).score,
        "signature": str(bleu.get_signature()),
        "chrf": chrf.corpus_score(plain[0], [plain[1]]).score,
        "chrf_signature": str(chrf.get_signature()),
        "right_translation_rate": right_rate(sources, outputs) if right_rate else None,
    }
    if not tokenised:
        how = {"score": _tokenised(outputs, references, language), "how": TOKENISED}
        result["bleu_tokenised_lowercased"] = how
    return result


def _tokenised(outputs: Sequence[str], references: Sequence[str], language: str) -> float:
    normalise, tokenise = MosesPunctNormalizer(language).normalize, MosesTokenizer(language).tokenize

    def prepare(lines: Sequence[str]) -> list[str]:
        return [tokenise(normalise(line.lower()), return_str=True, escape=False) for line in lines]

    # force: without it sacrebleu warns that the text looks tokenised, as it is
    metric = BLEU(tokenize="none", force=True)
    return metric.corpus_score(prepare(outputs), [prepare(references)]).score
