"""What ``fairseq-train --user-dir vqnat`` loads; our own programs import it where they use fairseq.

It lets fairseq load checkpoints with ``weights_only=True`` and without evaluating their options, and model folders as
checkpoints; has it check what it reads and write it safely; lets trainings that have ended rest; turns users' mistakes
into one line; and registers the tasks ``latent_translation`` and ``nat_translation``, the architectures
``latent_transformer*`` and ``parallel_transformer*``, the criterions ``latent_transformer_loss``, ``parallel_loss`` and
``fast_label_smoothed_cross_entropy``, and the optimizer ``fused_adam``.
"""

import logging

logging.getLogger("fairseq.tasks.text_to_speech").setLevel(logging.WARNING)  # or each import asks for tensorboardX

from vqnat.checkpoints.fairseq_files import let_fairseq_send_checkpoints, let_fairseq_write_safely  # noqa: E402
from vqnat.checkpoints.folder_loading import let_fairseq_read_folders  # noqa: E402
from vqnat.checkpoints.literal_options import evaluate_literals_only  # noqa: E402
from vqnat.checkpoints.safe_globals import allow_fairseq_checkpoints  # noqa: E402
from vqnat.errors import install_hook  # noqa: E402

allow_fairseq_checkpoints()
let_fairseq_read_folders()
let_fairseq_write_safely()
let_fairseq_send_checkpoints()
install_hook()

from vqnat import criterions, optimizers  # noqa: E402, F401  (registration)
from vqnat.models import parallel_transformer, presets  # noqa: E402, F401
from vqnat.tasks import latent_translation, nat_translation  # noqa: E402, F401
from vqnat.tasks.finished import let_finished_trainings_rest  # noqa: E402
from vqnat.tasks.prefetching import stop_at_exit  # noqa: E402
from vqnat.tasks.reliable_batches import let_idle_replicas_count  # noqa: E402

evaluate_literals_only()
stop_at_exit()
let_finished_trainings_rest()
let_idle_replicas_count()
