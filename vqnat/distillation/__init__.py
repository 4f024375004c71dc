"""Sequence-level knowledge distillation (Kim & Rush 2016, arXiv:1606.07947, section 3.2).

The targets of a binarised bitext's train split are replaced by a teacher's beam search output; valid, test
and the dictionaries stay as they are. Monolingual source text can be translated too and follows the bitext, and
so can the validation set, which becomes a second one. The work is cut into batches that depend only on the data,
the batches are dealt out to shards, each shard appends finished batches to a journal, and the merge writes the
journals out in the order of the original. ``scripts/distill.py`` is the command line.
"""
