"""Parallel text on disk: how it becomes fairseq's binary format, and one reader of that format.

:mod:`.binarize` goes from raw text to a joint vocabulary and binarized splits (``python -m vqnat.data.binarize``);
:mod:`.bitext` finds the languages, splits and dictionaries of such a folder and reads its sentences.
"""
