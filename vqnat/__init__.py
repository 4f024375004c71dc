"""Non-autoregressive translation with discrete latents: the ``--user-dir`` of fairseq.

Importing this package lets fairseq load checkpoints with ``weights_only=True`` and registers the task
``latent_translation``, the architectures ``latent_transformer*`` and ``parallel_transformer*``, and their criterions
``latent_transformer_loss`` and ``parallel_loss``.
"""

import logging

from vqnat.errors import install_hook
from vqnat.safe_loading import allow_fairseq_checkpoints

__version__ = "0.1.0"

logging.getLogger("fairseq.tasks.text_to_speech").setLevel(logging.WARNING)  # or each import asks for tensorboardX
allow_fairseq_checkpoints()
install_hook()

from vqnat import criterions  # noqa: E402, F401  (registration)
from vqnat.models import parallel_transformer, presets  # noqa: E402, F401
from vqnat.prefetching import stop_at_exit  # noqa: E402
from vqnat.tasks import latent_translation, nat_translation  # noqa: E402, F401

stop_at_exit()
