"""Small batches of decoder outputs for the tests of output layers."""

import torch

from vqnat.output_layers import Positions

SYMBOLS = 9  # four special ones and five words


def batch(lengths, targets, dim=8, seed=1, symbols=SYMBOLS):
    """Positions with random features and logits that want a gradient, and targets of random words and an end."""
    generator = torch.Generator().manual_seed(seed)
    longest, width = max(lengths), max(targets)
    features = torch.randn(len(lengths), longest, dim, generator=generator, requires_grad=True)
    real = torch.arange(longest) < torch.tensor(lengths).unsqueeze(1)
    logits = (2 * torch.randn(sum(lengths), symbols, generator=generator)).requires_grad_()
    target = torch.ones(len(targets), width, dtype=torch.long)
    for row, length in enumerate(targets):
        target[row, :length] = torch.randint(4, symbols, (length,), generator=generator)
        target[row, length - 1] = 2
    return Positions(features, real, logits), target


def rows(positions):
    """The log-probabilities (L, V) of each sentence."""
    lengths = positions.real.sum(1).tolist()
    return [part.log_softmax(-1) for part in positions.logits.split(lengths)]
