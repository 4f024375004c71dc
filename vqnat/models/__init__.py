"""The latent transformer and the parallel transformer, their parts and presets.

Read ``latent_transformer.py`` first: its ``forward`` is the way of a training batch. Source tokens pass
``source_encoder.py``. Target tokens pass ``target_encoder.py`` and a bottleneck and become codes, which
``latent_predictor.py`` learns to predict from the source. The vectors of the codes pass ``parallel_decoder.py`` and an
output layer and become the target again. In decoding the predictor takes the place of the target encoder
(:mod:`vqnat.decoding`). Some options change what predictor and decoder read in training (``code_training.py``) or add a
second task (``autoregressive_helper.py``).

``parallel_transformer.py`` has no latents; its decoder is ``source_copy_decoder.py``. Options are in
``latent_transformer_options.py`` and ``parallel_transformer_options.py``, sizes in ``presets.py``. ``warm_start.py``
begins with the weights of another model; ``inference.py``, ``compilation.py`` and ``cuda_graphs.py`` make a trained one
fast.

fairseq imports every file of this folder.
"""
