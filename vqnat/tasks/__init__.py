"""fairseq tasks: data, generators and the training step of our models.

Read :mod:`.latent_translation` first; :mod:`.nat_translation` trains fairseq's own non-autoregressive models under the
same conditions. Both are composed of mixins: :mod:`.checked_data` (files are read), :mod:`.reliable_batches` (a batch
is made), :mod:`.autocast` (its forward pass), :mod:`.codebook_updates` (the optimizer step, then the codebook's),
:mod:`.collapse` (does it go well?), :mod:`.starting_from` (a new training starts from parts of other models). Of every
training that loads the plug-in, :mod:`.finished` lets those rest that have ended, and :mod:`.one_writer` keeps two out
of one folder. fairseq imports this package of a ``--user-dir``, and with it the whole plug-in.
"""

import vqnat.plugin  # noqa: F401
