"""``code_words.json``: what each code most often writes, counted over the translations of a text."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from vqnat.errors import UserError
from vqnat.records.atomic import replacing
from vqnat_serving.model_folder import CODE_WORDS_FORMAT
from vqnat_serving.onnx_translator import OnnxTranslator
from vqnat_serving.text_lines import read_texts
from vqnat_serving.translator import Decoded

CodeCounts = Mapping[int, Counter[str]]


def count_code_words(translator: OnnxTranslator, text: Path) -> tuple[CodeCounts, int]:
    """For each code what it wrote and how often, and the number of sentences.

    Args:
        translator: a model with codes.
        text: source sentences, one a line; empty ones and those that are too long are left out.

    Raises:
        UserError: no such file, or a model without codes.
    """
    if not translator.description.latents:
        raise UserError(f"--code-words {text}: this model has no codes")
    try:
        with open(text, "rb") as file:
            sources = [
                encoded for line in read_texts(file, f"--code-words {text}") if (encoded := _encoded(translator, line))
            ]
    except OSError as error:
        raise UserError(f"--code-words {text}: cannot be read ({error.strerror})") from error
    counts: dict[int, Counter[str]] = {}
    for [decoded] in translator.decode(sources, beam=1, scored=False):
        for code, written in texts_of_codes(translator, decoded):
            counts.setdefault(code, Counter())[written] += 1
    return counts, len(sources)


def _encoded(translator: OnnxTranslator, line: str) -> list[int] | None:
    """The tokens of a line that can be translated and is not empty."""
    try:
        tokens = translator.encode(line)
    except UserError:
        return None
    return tokens if len(tokens) > 1 else None


def texts_of_codes(translator: OnnxTranslator, decoded: Decoded) -> Iterable[tuple[int, str]]:
    """Each code of a translation, and the words that were written at its positions."""
    words = translator.align(decoded).words
    for place, code in enumerate(decoded.codes):
        written = " ".join(word.text for word in words if place in word.codes)
        if written:
            yield code, written


def write_code_words(path: Path, counts: CodeCounts, sentences: int, most: int) -> None:
    """Write the file: at most ``most`` texts a code, the most frequent first, equal ones by the alphabet."""
    rows = {
        str(code): sorted(counts[code].items(), key=lambda item: (-item[1], item[0]))[:most] for code in sorted(counts)
    }
    lines = ",\n".join(f"  {json.dumps(code)}: {json.dumps(texts, ensure_ascii=False)}" for code, texts in rows.items())
    head = f'"format": {json.dumps(CODE_WORDS_FORMAT)},\n "sentences": {sentences}'
    with replacing(path) as temporary:
        temporary.write_text(f'{{\n {head},\n "codes": {{\n{lines}\n }}\n}}\n', encoding="utf-8")
