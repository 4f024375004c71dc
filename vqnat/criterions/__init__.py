"""Training losses."""

from vqnat.criterions import fast_label_smoothed, latent_transformer_loss, parallel_loss  # noqa: F401  (registration)
