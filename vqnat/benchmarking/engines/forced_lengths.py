"""Makes fairseq's generators and ours write outputs of a given length, with the work that such outputs take."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def force_length(generator: Any, model: Any) -> Callable[[int], None]:
    """From now on outputs have the length that the returned function was last called with.

    Nothing is left out: predictors of lengths and of ends are computed, and overruled.

    Args:
        generator: of a fairseq task.
        model: what it decodes with.

    Returns:
        A function of the number of target tokens, end of sentence not counted.
    """
    if hasattr(generator, "predict_codes"):
        return _latent(generator, model)
    if hasattr(model, "initialize_output_tokens"):
        return _refining(generator, model)
    return _stepwise(generator)


def _stepwise(generator: Any) -> Callable[[int], None]:
    generator.max_len_a = 0

    def set_length(tokens: int) -> None:
        generator.min_len = generator.max_len_b = tokens

    return set_length


def _refining(generator: Any, model: Any) -> Callable[[int], None]:
    generator.adaptive = False  # outputs of an untrained model may stop changing, which would end the refinement
    predict, wanted = model.decoder.forward_length_prediction, [0]

    def forced(*args: Any, **kwargs: Any) -> Tensor:
        return torch.full_like(predict(*args, **kwargs), wanted[0])

    model.decoder.forward_length_prediction = forced

    def set_length(tokens: int) -> None:
        wanted[0] = tokens + 2  # begin and end

    return set_length


def _latent(generator: Any, model: Any) -> Callable[[int], None]:
    predictor, step, wanted = model.predictor, model.predictor.step, [0]
    generator.max_len_a, generator.max_len_b = 0, model.max_decoder_positions()
    # An end of sentence among the words would make the text shorter.
    generator.never = torch.cat([generator.never, generator.never.new_tensor([generator.eos])])

    def forced(vectors: Tensor | None, position: int, state: Any) -> Tensor:
        logits = step(vectors, position, state)
        if position == wanted[0]:
            logits.fill_(-torch.inf)
        logits[:, predictor.end] = 0 if position == wanted[0] else -torch.inf
        return logits

    predictor.step = forced

    def set_length(tokens: int) -> None:
        wanted[0] = -(-(tokens + 1) // model.stride)  # the codes stand for the end of sentence too

    return set_length
