"""A Transformer of fairseq converted for CTranslate2, by CTranslate2's own converter."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from vqnat.checkpoints.stock_checkpoint import save_stock_checkpoint
from vqnat.errors import UserError

VOCABULARY_MAP = "vmap.txt"  # of a converted model: its shortlist, where CTranslate2 looks for it


def convert(
    weights: Mapping[str, Tensor], options: Mapping[str, Any], task: Mapping[str, Any], data: Path, out: Path, who: str
) -> None:
    """Write the folder that ``ctranslate2.Translator`` loads.

    Args:
        weights: the model's state dict.
        options: of fairseq's Transformer, every one of them.
        task: of fairseq's task ``translation``, the languages among them.
        data: folder with the dictionaries.
        out: folder to write.
        who: starts every error.

    Raises:
        UserError: CTranslate2 is missing, or does not know this kind of Transformer.
    """
    try:
        from ctranslate2.converters import FairseqConverter
    except ImportError as error:
        raise UserError(f"{who}: ctranslate2 is not installed: pip install 'vqnat[ctranslate2]'") from error
    with tempfile.TemporaryDirectory() as work:
        checkpoint = Path(work) / "model.pt"
        save_stock_checkpoint(weights, options, task, checkpoint)
        try:
            converter = FairseqConverter(str(checkpoint), str(data), task["source_lang"], task["target_lang"])
            converter.convert(str(out), force=True)
        except (NotImplementedError, ValueError) as error:
            raise UserError(f"{who}: CTranslate2: {' '.join(str(error).split())}") from error
