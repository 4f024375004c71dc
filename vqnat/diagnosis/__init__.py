"""Where a latent transformer loses quality: in its codes, its latent predictor, its decoder, its lengths.

A translation passes three places. The target encoder and the bottleneck put a text into codes, the decoder makes
words of codes, and at inference the predictor has to find the codes without the text. So the model writes the same
set several times: from codes of the reference, of the teacher's translation, and of the predictor. What separates
the first two from the teacher is lost by codes and decoder, the rest by the predictor.

Read ``study.py`` first (what is measured, in order) and ``sets.py`` (on which texts), then ``forced.py`` (codes of
given texts), ``decoding.py`` (texts of given codes, and searches), ``prefix.py`` (between the two), ``texts.py`` and
``figures.py`` (measures), ``rendering.py`` and ``plot.py``.
``scripts/diagnose.py`` is the command line.
"""
