"""Image VQ-VAEs and autoregressive priors over their codes: the fairseq plug-in ``--user-dir vqnat/image``.

Importing it registers the tasks ``image_vqvae`` and ``image_latent_transformer`` with their models and criterions.

Read in this order:

    datasets/         raw images -> splits on disk -> ``ImageDataset``, batches (B, 3, H, W) uint8
    autoencoders/     convolutions, a field of latent vectors (B, T, D), any bottleneck; bits per image
    priors/           a causal Transformer over the T codes of an image
    training/         what fairseq-train calls: two tasks, two criterions
    trained_models.py checkpoints -> models
    reports/          reconstructions, samples and curves as PNG and HTML
    tables/           a paper's table from one command

A training batch: ``ImageDataset.collater`` -> ``ImageVQVAE.encode`` -> bottleneck -> ``ImageVQVAE.decode`` ->
``ImageVQVAELoss``; once the VQ-VAE is trained, ``ImagePriorLoss`` encodes each batch to codes and the prior learns
them. A sample goes the other way: ``ImagePrior.sample`` -> ``ImageVQVAE.decode_codes`` -> pixels.

fairseq imports a user-dir as a top-level module named after its folder, here ``image``. Everything real lives in
``vqnat.image``, and ``image`` only imports it, so ``--user-dir vqnat/image``, ``--user-dir vqnat`` and
``import vqnat.image`` work in any order without registering anything twice. For the same reason no folder in here
is called ``tasks`` or ``models``: fairseq would import each of its files a second time, as ``image.models.X``.
"""

import sys
from pathlib import Path

if __name__ == "vqnat.image":
    import vqnat.plugin
    from vqnat.image.autoencoders import vae, vqvae_presets  # noqa: F401
    from vqnat.image.priors import prior_presets  # noqa: F401
    from vqnat.image.training import prior_criterion, prior_task, vqvae_criterion, vqvae_task  # noqa: F401
else:
    _package = Path(__file__).resolve().parents[1]
    # fairseq has put vqnat/ itself on the module path, where `errors`, `models` and `tasks` would become top-level
    # modules. Point to the folder that holds the package instead.
    sys.path[:] = [str(_package.parent) if Path(entry).resolve() == _package else entry for entry in sys.path]
    import vqnat.image  # noqa: F401  (registration)
