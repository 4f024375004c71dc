"""Non-autoregressive translation with discrete latents: a fairseq plug-in and the tools around it.

Importing this package loads nothing else: not torch, not fairseq. :mod:`vqnat.plugin` registers what fairseq is to
know; ``--user-dir vqnat`` and our own programs load it.
"""

import importlib

from vqnat.moved import install_old_names

__version__ = "0.1.0"


class _UserDir(list):
    """The package's search path, which also notices when fairseq asks for its ``--user-dir``.

    fairseq imports a user-dir and the files in its ``tasks`` and ``models``; but when the package has been imported
    before, it only looks whether the folder is ``in vqnat.__path__`` and registers nothing.
    """

    def __contains__(self, folder: object) -> bool:
        found = super().__contains__(folder)
        if found:
            importlib.import_module("vqnat.plugin")
        return found


__path__ = _UserDir(__path__)
install_old_names()
