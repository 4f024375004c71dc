"""Training losses, as fairseq calls them: a batch goes in; its loss, its size and what to log come out.

Read ``latent_transformer_loss.py``: the output layer's loss of the words, the cross-entropy of the latent predictor
over the codes, and the bottleneck's losses. ``parallel_loss.py`` is the loss of a model without latents, with glancing;
``fast_label_smoothed.py`` that of an autoregressive teacher. ``word_logging.py`` and ``code_usage.py`` are what they
log.
"""

from vqnat.criterions import fast_label_smoothed, latent_transformer_loss, parallel_loss  # noqa: F401  (registration)
