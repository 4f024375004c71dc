"""Discrete bottlenecks: from encoder vectors to codes and back. Knows torch only.

One file, one bottleneck, written as its paper writes it; what they share is in :mod:`.core`. Start with :mod:`.em`
(hard and soft EM, the paper's method), then :mod:`.core.bottleneck` (the contract). :mod:`.residual` is the smallest
complete example built from the parts: 100 lines and its test, no other file changed.

    em           hard_em, soft_em: nearest code or m samples, codes by moving averages
    vq           codes trained by a loss or by alternating steps;  sim_vq: codes C W with a learned W
    product      quantizers side by side;  residual: quantizers one after another
    gumbel_softmax, gumbel_vqvae, sq_vae, gm_vq: a softmax over all codes with Gumbel noise
    fsq, lfq, semhash: no code vectors; a code is its levels or bits

How a training batch passes, z (B, T, D) with the padding mask (B, T):

1. ``forward`` flattens z to N = B T vectors in fp32 and calls :meth:`prepare` (unit vectors, where asked for);
2. :meth:`quantize` finds the codes (N, m) and the vectors that the decoder reads (N, D), with the estimator's gradient,
   and the losses, sums over real positions; before the codebook's start it returns z itself and code 0;
3. ``codebook.accumulate`` adds counts and sums of this micro-batch; nothing else changes;
4. ``forward`` returns a :class:`BottleneckOutput`; the criterion adds up its losses;
5. after the optimizer's step the task calls :meth:`apply_update` once, on every replica: totals are summed over them,
   counts and codes move, dead codes are replaced; or it calls :meth:`discard` if the step overflowed.

In evaluation ``encode(z, mask)`` gives the codes (B, T), and ``embed(codes)`` their vectors (B, T, D); both are
deterministic and change nothing.

A new bottleneck is one file here: a dataclass of options, and a subclass of :class:`Bottleneck` under
``@register_bottleneck`` with ``quantize``, ``assign``, ``embed``, and ``draws = True`` if it draws in training. The
command line, ``--help``, the errors and the tests of all bottlenecks find it by its name.
"""

import importlib
import pkgutil

from vqnat.bottlenecks.core.bottleneck import Bottleneck, BottleneckOutput
from vqnat.bottlenecks.core.codebook import perplexity
from vqnat.bottlenecks.core.registry import bottleneck_fields, bottleneck_names, bottleneck_options, build_bottleneck

for _module in sorted(module.name for module in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_module}")  # registration

__all__ = [
    "Bottleneck",
    "BottleneckOutput",
    "bottleneck_fields",
    "bottleneck_names",
    "bottleneck_options",
    "build_bottleneck",
    "perplexity",
]
