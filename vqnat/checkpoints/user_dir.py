"""Code that a checkpoint needs besides ours."""

from argparse import Namespace
from pathlib import Path

from fairseq.utils import import_user_module

from vqnat.errors import UserError


def import_user_dir(user_dir: str | Path | None) -> None:
    """Import plug-in code as fairseq's own command lines do; None imports nothing. Raises UserError."""
    if user_dir is None:
        return
    try:
        import_user_module(Namespace(user_dir=str(user_dir)))
    except Exception as error:  # whatever the user's code raises
        reason = "no such folder" if isinstance(error, FileNotFoundError) else f"{type(error).__name__}: {error}"
        raise UserError(f"--user-dir {user_dir}: cannot be imported ({reason})") from error
