"""What the bottlenecks share. In order of reading:

* :mod:`.bottleneck`: the contract, the record that ``forward`` returns, and the masking and counting around it;
* :mod:`.codebook`: codes with moving counts (perplexity, use); code vectors with a start and replacement of dead codes;
* :mod:`.vector_quantizer`: the nearest code, an estimator and the losses: hard and soft EM, ``vq``, ``sim_vq``;
* :mod:`.estimator`: straight-through and rotation; :mod:`.gradient_codebook`: code vectors that a loss trains;
* :mod:`.relaxed`: Gumbel-softmax over all codes: ``gumbel_softmax``, ``gumbel_vqvae``, ``sq_vae``, ``gm_vq``;
* :mod:`.options`, :mod:`.registry`: options with ranges; names, ``--help`` and building by name;
* small tools: :mod:`.start` (k-means), :mod:`.bits`, :mod:`.digits`, :mod:`.schedules`, :mod:`.collectives`,
  :mod:`.full_precision`.

No code here knows a bottleneck by name.
"""
