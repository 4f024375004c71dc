"""The most probable way to write a text under CTC."""

import torch
from torch import Tensor


def best_alignment(scores: Tensor, labels: Tensor, lengths: Tensor, label_lengths: Tensor) -> Tensor:
    """Viterbi over the states blank, word, blank, word, ..., blank (Graves et al. 2006, section 4.1).

    Args:
        scores: (B, L, 1 + S) of the blank and of each word, up to a constant for each position.
        labels: (B, S) the words.
        lengths: (B,) positions.
        label_lengths: (B,) words.

    Returns:
        (B, L): 0 where a position writes a blank, s + 1 where it writes word s; of no meaning after the last
        position, or where the text does not fit.
    """
    batch, length, columns = scores.shape
    states = 2 * columns - 1  # S words between S + 1 blanks
    index = torch.arange(states, device=scores.device)
    column = torch.where(index % 2 == 1, index // 2 + 1, 0)  # what each state writes
    emitted = scores[:, :, column]  # (B, L, 2 S + 1)
    # From word to word without a blank, unless they are the same.
    skips = torch.zeros(batch, states, dtype=torch.bool, device=scores.device)
    skips[:, 3::2] = labels[:, 1:] != labels[:, :-1]
    no_skip = torch.where(skips, 0.0, -torch.inf)
    best = torch.where(index < 2, emitted[:, 0], -torch.inf)  # (B, 2 S + 1)
    steps = torch.zeros(batch, length, states, dtype=torch.long, device=scores.device)  # how far the state before is
    for position in range(1, length):
        padded = torch.nn.functional.pad(best, (2, 0), value=-torch.inf)
        ways = torch.stack([best, padded[:, 1:-1], padded[:, :-2] + no_skip], -1)  # (B, 2 S + 1, 3)
        value, steps[:, position] = ways.max(-1)
        # A sentence that is over keeps its states.
        over = (lengths <= position).unsqueeze(1)
        steps[:, position].masked_fill_(over, 0)
        best = torch.where(over, best, value + emitted[:, position])
    last = 2 * label_lengths.unsqueeze(1)  # (B, 1) the blank after the last word
    word = (last - 1).clamp(min=0)
    state = torch.where(best.gather(1, word) > best.gather(1, last), word, last)
    path = [state]
    for position in range(length - 1, 0, -1):
        state = (state - steps[:, position].gather(1, state)).clamp(min=0)
        path.append(state)
    return column[torch.cat(path[::-1], 1)]
