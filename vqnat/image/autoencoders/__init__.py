"""Image autoencoders: a convolutional encoder and decoder around a field of latent vectors.

Read ``autoencoder`` (images to latent vectors and back), ``convolutions`` (the two halves), ``vqvae`` (any discrete
bottleneck in between) and ``vae`` (Gaussian latents), then ``codebooks`` (one codebook per latent channel),
``likelihood`` (bits and squared error of a reconstruction), ``autoencoder_config`` and ``vqvae_presets`` (options).

Images (B, 3, H, W) uint8 become latents (B, T, D) with T = h w c, ordered by row, column and channel.
"""
