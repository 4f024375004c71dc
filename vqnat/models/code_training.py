"""What the decoder and the latent predictor read in training instead of the bottleneck's own output.

At inference both read one code per position, chosen by the predictor, right or wrong. In training they would read the
true codes (in soft EM the mean of m of them); the options here close that gap (exposure bias).
"""

from dataclasses import dataclass, field
from typing import Optional

import torch
from fairseq.dataclass import FairseqDataclass
from torch import Tensor

from vqnat.bottlenecks import Bottleneck, BottleneckOutput

CODES_READ = ("mean", "one")
PARTS = ("encoder", "target_encoder", "bottleneck", "predictor", "decoder", "output_proj", "output_layer", "helper")


@dataclass
class CodeTrainingConfig(FairseqDataclass):
    """Options of the codes that training reads; none changes the model or its decoding."""

    codes_read: str = field(
        default="mean",
        metadata={
            "help": "what decoder and predictor read in training where a position has m codes: their mean (Roy et al. "
            "2018, eq. 11), or one, as at inference"
        },
    )
    code_noise: float = field(
        default=0.0,
        metadata={
            "help": "share of codes that decoder and predictor read replaced by one of their nearest neighbors in "
            "training (as RobusTok's latent perturbation, arXiv:2509.12474)"
        },
    )
    code_noise_neighbors: int = field(
        default=8, metadata={"help": "how many of the nearest codes --code-noise chooses from"}
    )
    predicted_codes: float = field(
        default=0.0,
        metadata={
            "help": "share of positions at which the decoder reads the predictor's best code in training instead of "
            "the true one (CNAT, Bao et al. 2021, arXiv:2103.11405, mixes half)"
        },
    )
    predictable_codes: float = field(
        default=0.0,
        metadata={
            "help": "lambda: codes are drawn by -||z - e||^2 + lambda log p(code | codes before it, source), the "
            "predictor's probability as the prior of the E step, uniform in Roy et al. 2018, section 3.2; 0: uniform. "
            "Only soft_em and hard_em"
        },
    )
    predictable_codes_floor: float = field(
        default=0.25,
        metadata={
            "help": "guard against collapse: --predictable-codes rests while the moving code perplexity is below this "
            "share of the codebook"
        },
    )
    train_only: str = field(
        default="",
        metadata={
            "help": "a second stage (with --finetune-from-model): parts to train, the others frozen, without dropout; "
            f"of {', '.join(PARTS)}, with ',' between; default: all. 'predictor' learns fixed codes; 'decoder' with "
            "--predicted-codes 1 learns to read predicted ones"
        },
    )
    predictor_dropout: Optional[float] = field(  # noqa: UP045  (fairseq's parser does not read `float | None`)
        default=None, metadata={"help": "dropout probability of the latent predictor; default: --dropout"}
    )
    tie_predictor_output: bool = field(
        default=False,
        metadata={"help": "the predictor's output layer scores codes by their vectors (Press & Wolf 2017)"},
    )


def code_training_checks(config: CodeTrainingConfig) -> tuple[tuple[str, bool, str], ...]:
    """(option, whether its value is valid, the valid values) of each option."""
    rate = config.predictor_dropout
    return (
        ("codes-read", config.codes_read in CODES_READ, ", ".join(CODES_READ)),
        ("code-noise", 0 <= config.code_noise <= 1, "0 to 1"),
        ("code-noise-neighbors", config.code_noise_neighbors >= 1, "1 or more"),
        ("predicted-codes", 0 <= config.predicted_codes <= 1, "0 to 1"),
        ("predictable-codes", config.predictable_codes >= 0, "0 or more"),
        ("predictable-codes-floor", 0 <= config.predictable_codes_floor < 1, "0 <= value < 1"),
        ("train-only", trained_parts(config) <= {*PARTS}, f"some of {', '.join(PARTS)}, with ',' between"),
        ("predictor-dropout", rate is None or 0 <= rate < 1, "0 <= value < 1"),
    )


def trained_parts(config: CodeTrainingConfig) -> set[str]:
    """The parts of the model that training changes."""
    return set(filter(None, config.train_only.split(","))) or {*PARTS}


def vectors_read(config: CodeTrainingConfig, bottleneck: Bottleneck, latents: BottleneckOutput, real: Tensor) -> Tensor:
    """The vectors (B, T, D) that predictor and decoder read in training; real (B, T).

    Values are those of codes, gradients those of the bottleneck's output, so that what the encoder learns through its
    estimator stays what it was.
    """
    one = config.codes_read == "one" and latents.samples.shape[-1] > 1
    if not one and not config.code_noise:
        return latents.quantized
    quantized, table = latents.quantized, code_table(bottleneck)
    values = table[latents.codes] if one else quantized.detach().to(table)  # (B, T, D)
    if config.code_noise:
        swapped = real & (torch.rand(real.shape, device=real.device) < config.code_noise)
        neighbors = near_codes(latents.codes[swapped], table, config.code_noise_neighbors)
        values = values.masked_scatter(swapped.unsqueeze(-1), table[neighbors])
    values = values.to(quantized) * real.unsqueeze(-1)
    return quantized + (values - quantized).detach()


def mix_predicted(
    rate: float, bottleneck: Bottleneck, vectors: Tensor, code_logits: Tensor, real: Tensor, expectation: bool = False
) -> Tensor:
    """Vectors (B, T, D) with a share ``rate`` of the real positions (B, T) replaced by what the predictor says.

    The predictions (B, T + 1, K + 1) are those of teacher forcing. No gradient passes what is replaced.

    Args:
        rate: 0 to 1.
        bottleneck: of the codes.
        vectors: (B, T, D).
        code_logits: (B, T + 1, K + 1).
        real: (B, T) True at real codes.
        expectation: replaced by :func:`expected_vectors`, not by the best code's vector.
    """
    chosen = real & (torch.rand(real.shape, device=real.device) < rate)
    table = code_table(bottleneck)
    logits = code_logits.detach()[:, :-1, : len(table)][chosen]  # (n, K)
    read = expected_vectors(logits, table) if expectation else table[logits.argmax(-1)]
    return vectors.masked_scatter(chosen.unsqueeze(-1), read.to(vectors))


def expected_vectors(logits: Tensor, table: Tensor) -> Tensor:
    """sum_k p(k) e_k (..., D) float32, from logits (..., K) of the codes alone and their vectors (K, D)."""
    return logits.softmax(-1, dtype=torch.float32) @ table


def near_codes(codes: Tensor, table: Tensor, neighbors: int) -> Tensor:
    """For each of the codes (n,) one of its nearest neighbors in the table (K, D), drawn uniformly."""
    neighbors = min(neighbors, len(table) - 1)
    scores = torch.addmm(-table.square().sum(-1), table[codes], table.t(), alpha=2)  # (n, K)
    nearest = scores.scatter_(1, codes.unsqueeze(1), -torch.inf).topk(neighbors, -1).indices  # (n, neighbors)
    picked = torch.randint(neighbors, (len(codes), 1), device=codes.device)
    return nearest.gather(1, picked).squeeze(1)


@torch.no_grad()
def code_table(bottleneck: Bottleneck) -> Tensor:
    """The vectors (K, D) of all codes, float32."""
    device = next(iter(bottleneck.buffers())).device
    return bottleneck.embed(torch.arange(bottleneck.num_codes, device=device).unsqueeze(0))[0].float()
