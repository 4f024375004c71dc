"""The subwords that a checkpoint's dictionary is made of, and the model that splits text into them."""

from collections.abc import Sequence
from pathlib import Path

from fairseq.data.encoders.moses_tokenizer import MosesTokenizer, MosesTokenizerConfig
from fairseq.data.encoders.subword_nmt_bpe import SubwordNMTBPE, SubwordNMTBPEConfig

from vqnat.choices import SUBWORDS, TOKENIZERS
from vqnat.errors import UserError
from vqnat_serving.pieces import Pieces, SentencePieces, Words
from vqnat_serving.vocabulary import Vocabulary

BPE = SUBWORDS


class FairseqPieces:
    """fairseq's own encoders: an optional tokenizer, then optional byte-pair encoding of words."""

    def __init__(self, bpe, tokenizer):
        self._bpe, self._tokenizer = bpe, tokenizer

    @property
    def has_codes(self) -> bool:
        """Whether words are split by byte-pair codes."""
        return self._bpe is not None

    def encode(self, sentence: str) -> list[str]:
        """Subwords of one sentence."""
        for encoder in (self._tokenizer, self._bpe):
            sentence = encoder.encode(sentence) if encoder else sentence
        return sentence.split()

    def decode(self, pieces: Sequence[str]) -> str:
        """The text that subwords spell."""
        text = " ".join(pieces)
        for encoder in (self._bpe, self._tokenizer):
            text = encoder.decode(text) if encoder else text
        return text


def subword_nmt_codes(pieces: Pieces, model: Path | None) -> Path | None:
    """``model`` if it is the codes that ``pieces`` cuts words with; None if it cuts otherwise."""
    return model if isinstance(pieces, FairseqPieces) and pieces.has_codes else None


def find_sentencepiece(folders: Sequence[Path]) -> Path | None:
    """``spm.model``, or else the only ``*.model``, in the first folder that has one."""
    for folder in folders:
        named = folder / "spm.model"
        found = [named] if named.is_file() else sorted(folder.glob("*.model"))
        if len(found) == 1:
            return found[0]
    return None


def build_pieces(
    bpe: str,
    model: Path | None,
    tokenizer: str | None,
    languages: tuple[str, str],
    vocabulary: Vocabulary,
    folders: Sequence[Path],
) -> tuple[Pieces, Path | None]:
    """What splits text into subwords, and the file of the sentencepiece model if it is one.

    Args:
        bpe: one of :data:`BPE`; auto tells by the symbols of the dictionary.
        model: sentencepiece model or subword-nmt codes; None looks for a sentencepiece model in ``folders``.
        tokenizer: one of :data:`TOKENIZERS` or None, for text that was tokenized before its words were split.
        languages: source and target.
        vocabulary: the source dictionary.
        folders: where a sentencepiece model may be.

    Raises:
        UserError: the model is missing or of the wrong kind, or the options contradict each other.
    """
    if bpe not in BPE:
        raise UserError(f"bpe {bpe!r} is unknown; choose from: {', '.join(BPE)}")
    if tokenizer not in (None, *TOKENIZERS):
        raise UserError(f"tokenizer {tokenizer!r} is unknown; choose from: moses")
    if bpe == "auto":
        bpe = _guess(vocabulary, model)
    if bpe == "sentencepiece":
        if tokenizer:
            raise UserError(f"tokenizer {tokenizer!r}: sentencepiece reads plain text; give one of both")
        path = model or find_sentencepiece(folders)
        if path is None:
            looked = ", ".join(str(folder) for folder in folders)
            raise UserError(f"no sentencepiece model (spm.model) in {looked}: name it (bpe_model, --bpe-model)")
        return SentencePieces(path), path
    if bpe == "none":
        if model:
            raise UserError(f"bpe_model {model}: does nothing with bpe 'none'")
        if tokenizer is None:
            return Words(), None
    codes = None
    if bpe == "subword_nmt":
        if model is None or not model.is_file():
            raise UserError(f"bpe_model {model}: no such file; bpe 'subword_nmt' needs the codes of subword-nmt")
        try:
            codes = SubwordNMTBPE(SubwordNMTBPEConfig(bpe_codes=str(model)))
        except ImportError as error:
            raise UserError("subword-nmt is not installed: pip install subword-nmt") from error
        except (SystemExit, ValueError, UnicodeDecodeError) as error:  # subword-nmt exits
            raise UserError(f"bpe_model {model}: not the codes of subword-nmt") from error
    moses = None
    if tokenizer:
        moses = MosesTokenizer(MosesTokenizerConfig(source_lang=languages[0], target_lang=languages[1]))
    return FairseqPieces(codes, moses), None


def _guess(vocabulary: Vocabulary, model: Path | None) -> str:
    if any(symbol.endswith("@@") for symbol in vocabulary.symbols):
        return "subword_nmt"
    marked = any(symbol.startswith("▁") for symbol in vocabulary.symbols)
    return "sentencepiece" if marked or model else "none"
