"""Trained models from their files.

:mod:`.reading` returns what a file holds, :mod:`.loading` builds the task and the model from it; every mistake, from a
missing file to another dictionary (:mod:`.dictionaries`), is one line. A model folder works wherever a file does:
:mod:`.folder_loading`, :mod:`.folder_weights`. :mod:`.averaging` writes the mean of several checkpoints.
:mod:`.safe_globals` tells torch which classes a fairseq checkpoint may contain, :mod:`.literal_options` keeps code out
of its options. :mod:`.checkpoint_config` is its configuration in plain values;
:mod:`.stock_checkpoint` and :mod:`.ctranslate2_model` write a teacher for other programs.
"""
