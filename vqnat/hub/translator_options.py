"""How a checkpoint translates: the keyword arguments of :meth:`LatentTranslator.from_pretrained`."""

import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vqnat.choices import OLD_PRECISIONS, PRECISIONS
from vqnat.errors import UserError


@dataclass(frozen=True, kw_only=True)
class TranslatorOptions:
    """What may be chosen when a checkpoint is loaded.

    Attributes:
        bpe: sentencepiece, subword_nmt, none (the text is in subwords already), or auto, which tells by the dictionary.
        bpe_model: sentencepiece model or subword-nmt codes; None looks for ``spm.model`` in the data's folder, in its
            parent, and beside the checkpoint.
        tokenizer: ``moses`` if the text was tokenized by Moses before it was split into subwords.
        source_lang: names the dictionary, ``dict.LANG.txt``; None: as in training, or as in the data's file names.
        target_lang: likewise.
        device: of torch, such as ``cuda``.
        dtype: one of :data:`PRECISIONS`; int8_dynamic is for latent transformers on a CPU, and a translation may then
            depend on its batch.
        length_penalty: as ``--lenpen``.
        max_len_a: as ``--max-len-a``.
        max_len_b: as ``--max-len-b``.
        max_tokens: source tokens times beam in a batch, see :class:`vqnat_serving.translator.Translator`.
        max_sentences: sentences in a batch.
        packed: False leaves a latent transformer's modules as they were trained, for export.
        compiled: torch.compile for a latent transformer, as ``--decode-compile``.
        cuda_graphs: recorded greedy search for a latent transformer on a GPU, as ``--decode-cuda-graphs``.
        ctc_blank_penalty: as ``--ctc-blank-penalty``.
        dag_search: as ``--dag-search``.
        compare_dictionaries: refuse ``data`` whose dictionaries differ from those that the model was trained with.
    """

    bpe: str = "auto"
    bpe_model: str | Path | None = None
    tokenizer: str | None = None
    source_lang: str | None = None
    target_lang: str | None = None
    device: str = "cpu"
    dtype: str = "fp32"
    length_penalty: float = 1.0
    max_len_a: float = 0.0
    max_len_b: int = 200
    max_tokens: int = 1024
    max_sentences: int = 64
    packed: bool = True
    compiled: bool = False
    cuda_graphs: bool = False
    ctc_blank_penalty: float = 0.0
    dag_search: str = "lookahead"
    compare_dictionaries: bool = False

    def checked(self) -> "TranslatorOptions":
        """These options with the precision's present name. Raises UserError if it has none."""
        if self.dtype in OLD_PRECISIONS:
            name = OLD_PRECISIONS[self.dtype]
            warnings.warn(f"dtype {self.dtype!r} is now called {name!r}", FutureWarning, stacklevel=3)
            return replace(self, dtype=name)
        if self.dtype not in PRECISIONS:
            raise UserError(f"dtype {self.dtype!r} is unknown; choose from: {', '.join(PRECISIONS)}")
        return self

    @property
    def generation(self) -> dict[str, Any]:
        """The options of a search, under the names of fairseq's ``GenerationConfig``."""
        return {"lenpen": self.length_penalty, "max_len_a": self.max_len_a, "max_len_b": self.max_len_b}
