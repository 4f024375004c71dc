"""Tasks. fairseq imports this folder of a ``--user-dir``, and with it the whole plug-in."""

import vqnat.plugin  # noqa: F401
