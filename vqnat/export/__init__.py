"""A checkpoint as ONNX graphs that :mod:`vqnat_serving` runs.

``folder.py`` writes the whole export. On its way there a model is cut into functions of tensors (``graphs.py``; the
searches over codes in ``search_turns.py``), traced with the inputs of ``example_inputs.py`` by ``onnx_files.py``, which
also holds every graph against torch, its attention as one operator (``fused_attention.py``), its searches as loops
(``search_loop.py``), and quantized to int8 (``row_int8.py``).
"""
