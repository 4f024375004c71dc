"""A teacher's model folder converted for CTranslate2."""

import tempfile
from pathlib import Path

from vqnat.checkpoints.folder_loading import folder_state
from vqnat.errors import UserError
from vqnat.hub.folder_files import relisted
from vqnat.hub.stock_checkpoint import save_stock_checkpoint
from vqnat.records.atomic import replacing_folder
from vqnat_serving.model_folder import CTRANSLATE2, STOCK_CHECKPOINT, TEACHER, ModelFolder


def convert_teacher(folder: ModelFolder) -> ModelFolder:
    """Write ``ctranslate2/`` into a teacher's model folder, with CTranslate2's own converter.

    Raises:
        UserError: not a teacher's folder, an architecture that CTranslate2 does not know, or CTranslate2 is missing.
    """
    try:
        from ctranslate2.converters import FairseqConverter
    except ImportError as error:
        raise UserError("ctranslate2 is not installed: pip install 'vqnat[ctranslate2]'") from error
    if folder.kind != TEACHER:
        raise UserError(f"{folder.path}: a {folder.kind}; only teachers are converted for CTranslate2")
    if not folder.has(STOCK_CHECKPOINT):
        raise UserError(f"{folder.path}: architecture {folder.arch}: CTranslate2 converts fairseq's transformer only")
    task = {**folder.task, "source_lang": folder.source_lang, "target_lang": folder.target_lang}
    try:
        # From the weights, not from the folder's own stock checkpoint: that would be unpickled.
        with tempfile.TemporaryDirectory() as work, replacing_folder(folder.path / CTRANSLATE2) as temporary:
            checkpoint = Path(work) / STOCK_CHECKPOINT
            save_stock_checkpoint(folder_state(folder.path)["model"], folder.options, task, checkpoint)
            converter = FairseqConverter(str(checkpoint), str(folder.path), folder.source_lang, folder.target_lang)
            converter.convert(str(temporary), force=True)
        return relisted(folder)
    except (NotImplementedError, ValueError) as error:
        raise UserError(f"{folder.path}: CTranslate2: {' '.join(str(error).split())}") from error
    except OSError as error:
        raise UserError(f"{folder.path}: cannot be written ({error.strerror})") from error
