"""What is written last into a model folder, and again whenever a file was added: ``config.json`` and the card."""

from dataclasses import replace

from vqnat.hub.model_card import model_card
from vqnat.records.atomic import replacing
from vqnat.records.checksums import sha256
from vqnat_serving.model_folder import CARD, CONFIG, ModelFolder


def write_config(folder: ModelFolder) -> ModelFolder:
    """Write ``config.json`` with the checksums of the files that are there now. Raises OSError."""
    files = {}
    for path in sorted(folder.path.rglob("*")):
        name = path.relative_to(folder.path)
        hidden = any(part.startswith(".") for part in name.parts)  # what git, the Hub and killed programs leave
        if path.is_file() and not hidden and name.as_posix() not in (CONFIG, CARD):
            files[name.as_posix()] = sha256(path)
    written = replace(folder, files=files)
    with replacing(folder.path / CONFIG) as temporary:
        temporary.write_text(written.to_json(), encoding="utf-8")
    return written


def write_card(folder: ModelFolder, before: ModelFolder | None = None) -> None:
    """Write the model card, but not over one that somebody has edited.

    Args:
        folder: as ``config.json`` says now.
        before: as it said when the card was last written; None writes in any case.

    Raises:
        OSError: no space or no permission.
    """
    path = folder.path / CARD
    if before is None or (path.is_file() and path.read_text(encoding="utf-8") == model_card(before)):
        with replacing(path) as temporary:
            temporary.write_text(model_card(folder), encoding="utf-8")


def relisted(folder: ModelFolder) -> ModelFolder:
    """List in ``config.json`` what was added to a folder, and tell the card. Raises OSError."""
    written = write_config(folder)
    write_card(written, before=folder)
    return written
