"""Layers that the models are built of: Transformer blocks, compressor, expander. Batch first, pads masked."""
