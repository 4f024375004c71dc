"""Image autoencoders with discrete latents and a prior over their codes: the ``--user-dir vqnat/image`` of fairseq.

Importing it registers the tasks ``image_vqvae`` and ``image_latent_transformer`` with their models and criterions.

fairseq imports a user-dir as a top-level module of its folder's name, here ``image``, after putting the folder
around it on the module path. Everything real lives in ``vqnat.image``, and a module of that name is executed once
however it is reached: ``image`` only imports it. So ``--user-dir vqnat/image``, ``--user-dir vqnat`` and
``import vqnat.image`` may come in any order without registering anything twice.
"""

import sys
from pathlib import Path

if __name__ == "vqnat.image":
    import vqnat.plugin
    from vqnat.image import prior_criterion, prior_presets, prior_task, vae, vqvae_criterion, vqvae_presets, vqvae_task  # noqa: F401
else:
    _package = Path(__file__).resolve().parents[1]
    # On the module path, the package's folder would make top-level modules of `errors`, `models`, `tasks`: what is
    # meant is the checkout that holds the package.
    sys.path[:] = [str(_package.parent) if Path(entry).resolve() == _package else entry for entry in sys.path]
    import vqnat.image  # noqa: F401  (registration)
