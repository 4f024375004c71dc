"""Fast kernels, each beside its plain reference, ``NAME_reference``; tests hold them equal. They know torch only.

Each file can be read alone. ``argmax.py``, ``nearest.py`` and ``sampling.py`` choose: the largest value, the nearest
code, m codes at random. ``linear.py`` and ``dropout.py`` are layers in training, ``packed_linear.py`` is the linear
layer at inference. ``smoothed_cross_entropy.py`` and ``word_log_probs.py`` read logits of a whole vocabulary, by the
chunks of ``chunks.py``.
"""
