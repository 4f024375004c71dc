"""The systems that are measured, each behind the interface of :class:`vqnat.benchmarking.system.System`.

``system_specs`` parses what the user asks for, ``system_loading`` decides by the path which engine it is:
``fairseq_system`` (any fairseq checkpoint), ``ctranslate2_system`` or ``onnx_system`` (exported models).
``forced_lengths`` makes fairseq's generators write outputs of a given length. ``trainer_system`` is a model under
fairseq's trainer, for training speed; ``untrained`` writes checkpoints of random weights to measure.
"""
