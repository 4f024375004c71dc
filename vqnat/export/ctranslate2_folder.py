"""A teacher's model folder converted for CTranslate2."""

from vqnat.checkpoints.ctranslate2_model import convert
from vqnat.checkpoints.folder_loading import folder_state
from vqnat.errors import UserError
from vqnat.hub.folder_files import relisted
from vqnat.records.atomic import replacing_folder
from vqnat_serving.model_folder import CTRANSLATE2, STOCK_CHECKPOINT, TEACHER, ModelFolder


def convert_teacher(folder: ModelFolder) -> ModelFolder:
    """Write ``ctranslate2/`` into a teacher's model folder.

    Raises:
        UserError: not a teacher's folder, an architecture that CTranslate2 does not know, or CTranslate2 is missing.
    """
    if folder.kind != TEACHER:
        raise UserError(f"{folder.path}: a {folder.kind}; only teachers are converted for CTranslate2")
    if not folder.has(STOCK_CHECKPOINT):
        raise UserError(f"{folder.path}: architecture {folder.arch}: CTranslate2 converts fairseq's transformer only")
    task = {**folder.task, "source_lang": folder.source_lang, "target_lang": folder.target_lang}
    try:
        # From the weights, not from the folder's own stock checkpoint: that would be unpickled.
        weights = folder_state(folder.path)["model"]
        with replacing_folder(folder.path / CTRANSLATE2) as temporary:
            convert(weights, folder.options, task, folder.path, temporary, str(folder.path))
        return relisted(folder)
    except OSError as error:
        raise UserError(f"{folder.path}: cannot be written ({error.strerror})") from error
