"""Sequence-level knowledge distillation (Kim & Rush 2016, arXiv:1606.07947, section 3.2).

The targets of a binarized bitext's train split are replaced with a teacher's beam search output; valid, test and the
dictionaries stay as they are. Monolingual source text may be translated too and is appended to the bitext, and so may
the validation set, which becomes a second one.

Read :mod:`.distilling` first. :mod:`.sources` numbers everything there is to translate, :mod:`.batches` divides it
into batches that depend on the data only, and the batches are dealt out to shards. A shard (:mod:`.shards`, several at
a time in :mod:`.parallel_shards`) decodes batches with the :mod:`.teacher` and appends them to its :mod:`.journal`;
the :mod:`.merge` writes the journals' :mod:`.hypotheses` in the original order, and the :mod:`.manifest` says where
they come from.
"""
