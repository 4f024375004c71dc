"""Readers of text, its dictionaries and its subword models."""

import io
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from fuzz.reader import reader
from fuzz.values import TEXTS


@cache
def small_model() -> Any:
    """The model that ships with the package."""
    from vqnat_serving.onnx_translator import OnnxTranslator

    return OnnxTranslator()


def text_seeds() -> list[bytes]:
    return [
        b"The man sleeps.\n",
        "a\u2028b\x85c\r\n\x00\n".encode(),
        "\ud800".encode("utf-8", "surrogatepass"),
        "שלום 😀\n".encode(),
    ]


@reader("lines of text", seeds=text_seeds)
def lines(folder: Path) -> Callable:
    from vqnat.errors import UserError
    from vqnat_serving.text_lines import BadLines, read_lines

    translator = small_model()

    def read(content: bytes) -> None:
        notes: list[str] = []
        found = list(read_lines(io.BytesIO(content), "input", BadLines(notes.append)))
        assert len(found) == content.count(b"\n") + (not content.endswith(b"\n") and content != b"")
        assert all("\n" not in note for note in notes)
        for line in found:
            if line is not None:
                try:
                    assert translator.encode(line.text)[-1] == 2
                except UserError as error:
                    assert "\n" not in str(error)

    return read


@reader("sentences", strategy=lambda: st.lists(TEXTS, max_size=3))
def sentences(folder: Path) -> Callable:
    translator = small_model()

    def read(texts: list[str]) -> None:
        for text in texts:
            tokens = translator.encode(text)
            again = translator.pieces.decode(translator.source.decode(token for token in tokens[:-1]))
            assert isinstance(again, str)

    return read


@reader("raw bitext", seeds=text_seeds, longest=512)
def bitext(folder: Path) -> Callable:
    from vqnat.data.binarize import check_raw, sentences
    from vqnat_serving.text_lines import BadLines

    for split in ("train", "valid", "test"):
        for language in ("en", "de"):
            (folder / f"{split}.{language}").write_bytes(b"a\n")

    def read(content: bytes) -> None:
        middle = content.find(b"|") if b"|" in content else len(content) // 2
        sides = {"en": content[:middle], "de": content[middle:]}
        for language, side in sides.items():
            (folder / f"train.{language}").write_bytes(side)
        _, dropped = check_raw(folder, ("en", "de"), BadLines(lambda note: None))
        kept = [list(sentences(folder / f"train.{language}", dropped["train"])) for language in sides]
        assert len(kept[0]) == len(kept[1]) and all(text and "\n" not in text for side in kept for text in side)

    return read


@reader("dictionary", seeds=lambda: [b"a 1\nb 2\n", "▁der 5\n\u2028 1\n".encode()])
def dictionary(folder: Path) -> Callable:
    from vqnat_serving.vocabulary import Vocabulary

    path = folder / "dict.en.txt"

    def read(content: bytes) -> None:
        path.write_bytes(content)
        found = Vocabulary.read(path)
        assert len(found) == 4 + content.removesuffix(b"\n").count(b"\n") + 1
        found.decode(found.encode(["a", "b"]))

    return read


@cache
def tiny_sentencepiece() -> bytes:
    """A sentencepiece model of few pieces."""
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["one two three", "four five six"] * 20),
        model_writer=model,
        vocab_size=30,
        model_type="bpe",
        normalization_rule_name="nmt_nfkc",
        hard_vocab_limit=False,
        minloglevel=2,
    )
    return model.getvalue()


@reader("sentencepiece model", seeds=lambda: [tiny_sentencepiece()], longest=1 << 19)
def sentencepiece_model(folder: Path) -> Callable:
    from vqnat_serving.pieces import SentencePieces

    path = folder / "spm.model"

    def read(content: bytes) -> None:
        path.write_bytes(content)
        pieces = SentencePieces(path)
        pieces.decode(pieces.encode("one two \u00e4 three"))

    return read
