"""From a source sentence to hypotheses, as ``fairseq-generate`` asks for them.

A batch of sentences passes ``latent_generator.py``: the source encoder; ``latent_search.py``, which finds code
sequences with the latent predictor, greedily or with a beam; the parallel decoder; and ``word_generator.py``, which
asks the output layer for texts. ``rescoring.py`` has an autoregressive teacher choose among them.
``parallel_generator.py`` is the same without codes. The runner has its own search (``vqnat_serving/models.py``), which
must find the same.
"""
