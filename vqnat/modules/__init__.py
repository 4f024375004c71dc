"""Layers that the models are built of. Batch first; padding reaches no real position. They know torch only.

Read ``attention.py`` (self-attention and attention to the source), ``key_value_cache.py`` (what a decoding step keeps),
``transformer.py`` (layers, the stack, the padding mask, positions), then what changes lengths: ``compressor.py`` and
``expander.py``, both of blocks from ``residual_conv.py``. ``local_attention.py`` is for images.
"""
