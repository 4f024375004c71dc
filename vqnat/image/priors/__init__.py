"""Autoregressive priors over the codes of an image: ``image_prior`` the model, ``prior_presets`` its named sizes.

Codes (B, T, m) become logits (B, T, K); sampling goes code by code with a cache of keys and values.
"""
