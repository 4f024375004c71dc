"""Where a latent transformer loses quality: in its codes, its latent predictor, its decoder, its lengths.

Quality can be lost in three places: the target encoder and the bottleneck turn a text into codes, the decoder turns
codes into words, and at inference the predictor has to find the codes without the text. So the model translates the
same set several times: from codes of the reference, of the teacher's translation, and of the predictor. The gap between
the first two and the teacher is lost by codes and decoder, the rest by the predictor.

Read :mod:`.study` first (what is measured, in order) and :mod:`.text_sets` (on which texts), then
:mod:`.teacher_forcing` (codes of given texts), :mod:`.decoding` (texts of given codes, and searches),
:mod:`.given_prefix` (between the two), :mod:`.text_measures` and :mod:`.code_figures`. :mod:`vqnat.reporting` renders
the result; ``vqnat diagnose`` is the command line.
"""
