"""Dynamic programs over the paths of a directed acyclic graph.

A path begins at vertex 0, goes to later vertices only, writes a word at each of them and the end of sentence at its
sentence's last vertex.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

TINY = 1e-300  # what nothing falls below, so that its logarithm is finite
STEEPEST = 1e30  # of a gradient with respect to a probability that is nearly zero


class _LogLikelihood(torch.autograd.Function):
    """Forward-backward (Huang et al. 2022, section 3.3, equation 6), in fp64, each step scaled to a maximum of 1.

    fp64 is for its range: of long sentences only a tiny share of all prefixes can still be completed, and in fp32 the
    others would scale it to zero. In the log domain each step would need L^2 exponentials instead of products.
    """

    @staticmethod
    def forward(ctx: Any, transitions: Tensor, emissions: Tensor, lengths: Tensor, ends: Tensor) -> Tensor:
        matrix = transitions.double()  # (B, L, L)
        emitted = _emitted(emissions.double().exp(), lengths, ends)  # (T, B, L)
        reached = torch.zeros_like(emitted[0])  # (B, L) probability of the words so far and to be at a vertex, scaled
        reached[:, 0] = 1
        before: list[Tensor] = []
        each_scale: list[Tensor] = []
        for emission in emitted:
            before.append(reached)
            reached = torch.bmm(reached.unsqueeze(1), matrix).squeeze(1) * emission
            scale = reached.amax(1, keepdim=True).clamp_(min=TINY)  # (B, 1)
            reached = reached / scale
            each_scale.append(scale)
        scales = torch.stack(each_scale)  # (T, B, 1)
        open_ = torch.arange(len(emitted), device=lengths.device).unsqueeze(1) < lengths  # (T, B)
        ctx.save_for_backward(matrix, emitted, torch.stack(before), reached, scales, lengths)
        return torch.where(open_, scales.squeeze(-1).log(), 0).sum(0).float()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        matrix, emitted, before, last, scales, lengths = ctx.saved_tensors
        after = torch.cat([before[1:], last.unsqueeze(0)])  # (T, B, L) reached after each step
        completes = torch.zeros_like(last)  # (B, L) scaled so that sum(reached * completes) is 1
        flows = torch.empty_like(emitted)  # (T, B, L) what enters a vertex at a step is worth
        posterior = torch.zeros_like(emitted)
        for step in range(len(emitted) - 1, -1, -1):
            ending = (lengths == step + 1).unsqueeze(1)
            # At the last step nothing but the last vertex is reached.
            completes = torch.where(ending, (after[step] > 0).to(completes), completes)
            posterior[step] = torch.where(ending, 0, after[step] * completes)  # the end of sentence is certain
            flows[step] = emitted[step] * completes / scales[step]
            completes = torch.bmm(matrix, flows[step].unsqueeze(-1)).squeeze(-1) * (before[step] > 0)
        grad = grad.double()
        # d log Z / d E(u, v) = sum over steps of reached(u) * flow(v)
        pairs = torch.bmm((before * grad.unsqueeze(-1)).permute(1, 2, 0), flows.transpose(0, 1))  # (B, L, L)
        posterior = posterior.permute(1, 0, 2) * grad[:, None, None]
        return pairs.clamp_(-STEEPEST, STEEPEST).float(), posterior.float(), None, None


def _emitted(emissions: Tensor, lengths: Tensor, ends: Tensor) -> Tensor:
    """(B, T, L) -> (T, B, L), with the end of sentence at the last vertex and nowhere else."""
    steps, vertices = (torch.arange(size, device=lengths.device) for size in emissions.shape[1:])
    ending = steps == (lengths - 1).unsqueeze(1)  # (B, T)
    last = (vertices == ends.unsqueeze(1)).to(emissions).unsqueeze(1)  # (B, 1, L)
    return torch.where(ending.unsqueeze(-1), last, emissions).transpose(0, 1).contiguous()


def log_likelihood(transitions: Tensor, emissions: Tensor, lengths: Tensor, ends: Tensor) -> Tensor:
    """log of the sum over all paths of the probability of path and words, with gradients.

    Args:
        transitions: (B, L, L) probabilities from row to column, zero unless the column is later.
        emissions: (B, T, L) log-probabilities of target word t at each vertex; the end of sentence's are not read.
        lengths: (B,) target words, the end of sentence included.
        ends: (B,) the last vertex of each sentence.

    Returns:
        (B,) float32, in nats; finite, but of no meaning where ``lengths > ends``: no path is that long.
    """
    likelihood: Tensor = _LogLikelihood.apply(transitions, emissions, lengths, ends)
    return likelihood


@torch.no_grad()
def best_path(transitions: Tensor, emissions: Tensor, lengths: Tensor, ends: Tensor) -> Tensor:
    """The most probable path's vertex for each target word, (B, T); arguments as in :func:`log_likelihood`."""
    matrix = transitions.float().clamp(min=1e-30).log_().transpose(1, 2).contiguous()  # (B, to, from)
    batch, steps, size = emissions.shape
    score = emissions.new_full((batch, size), -torch.inf, dtype=torch.float32)
    score[:, 0] = 0
    vertices = torch.arange(size, device=lengths.device)
    later = vertices.unsqueeze(1) > vertices  # (to, from)
    matrix.masked_fill_(~later, -torch.inf)
    back = []
    for step in range(steps):
        best, source = (matrix + score.unsqueeze(1)).max(-1)  # (B, L)
        back.append(source)
        score = best + emissions[:, step]
    path = torch.zeros(batch, steps, dtype=torch.long, device=lengths.device)
    vertex = ends.unsqueeze(1)  # (B, 1)
    for step in range(steps - 1, -1, -1):
        path[:, step] = vertex.squeeze(1)
        inside = (lengths > step).unsqueeze(1)
        vertex = torch.where(inside, back[step].gather(1, vertex), vertex)
    return path
