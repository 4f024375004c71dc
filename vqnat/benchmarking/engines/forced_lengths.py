"""Force the output length of fairseq's generators and ours, without skipping any work that such an output takes."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from vqnat_serving.code_lengths import codes_for


def force_length(generator: Any, model: Any) -> Callable[[int], None]:
    """Patch a generator so that its outputs have the length that the returned function was last called with.

    Predictions of length and of end of sentence are still computed, then overridden.

    Args:
        generator: built by a fairseq task.
        model: the model it decodes with.

    Returns:
        A function that sets the number of target tokens, without end of sentence.
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
    generator.adaptive = False  # or refinement would end early where an untrained model's output stops changing
    predict, wanted = model.decoder.forward_length_prediction, [0]

    def forced(*args: Any, **kwargs: Any) -> Tensor:
        return torch.full_like(predict(*args, **kwargs), wanted[0])

    model.decoder.forward_length_prediction = forced

    def set_length(tokens: int) -> None:
        wanted[0] = tokens + 2  # begin and end of sentence

    return set_length


def _latent(generator: Any, model: Any) -> Callable[[int], None]:
    predictor, step, wanted = model.predictor, model.predictor.step, [0]
    generator.max_len_a, generator.max_len_b = 0, model.max_decoder_positions()
    # An end of sentence among the words would shorten the text.
    generator.forbidden = torch.cat([generator.forbidden, generator.forbidden.new_tensor([generator.eos])])

    def forced(vectors: Tensor | None, position: int, state: Any) -> Tensor:
        logits = step(vectors, position, state)
        if position == wanted[0]:
            logits.fill_(-torch.inf)
        logits[:, predictor.end] = 0 if position == wanted[0] else -torch.inf
        return logits

    predictor.step = forced

    def set_length(tokens: int) -> None:
        wanted[0] = codes_for(tokens + 1, model.stride)  # codes cover the end of sentence too

    return set_length
