"""Training losses."""

from vqnat.criterions import latent_transformer_loss  # noqa: F401  (registration)
