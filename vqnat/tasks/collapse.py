"""A training that goes wrong says so while it runs: codes that collapse, a predictor that learns nothing.

fairseq ends a training whose gradients are not finite; :mod:`vqnat.errors` says what to do then. What else goes wrong
costs hours before validation shows it. ``--on-collapse`` says what happens: a warning, an end, or new codes.
"""

import logging
import math
from dataclasses import dataclass, field

from fairseq.dataclass import FairseqDataclass
from torch import nn

from vqnat.bottlenecks.core.codebook import VectorCodebook
from vqnat.errors import UserError

logger = logging.getLogger(__name__)

CHOICES = ("warn", "stop", "restart-codes")
EVERY = 10  # updates between looks at the codebook: reading a figure waits for the device
LEAST_IN_USE = 0.02  # share of codes; with fewer, the predictor chooses among thousands that mean nothing
SMOOTHING = 0.98  # of the predictor's loss, over updates
WORSE = 0.5  # nats per code above its best smoothed loss, at which the predictor diverges
CODES_ADVICE = (
    "try a smaller --codebook-size, --dead-code-threshold 0.1, --codebook-l2, a lower --lr, "
    "or --on-collapse restart-codes"
)
PREDICTOR_ADVICE = "try a lower --lr, more --warmup-updates, --clip-norm 1, or a smaller --codebook-size"


@dataclass
class CollapseConfig(FairseqDataclass):
    """The options of :class:`CollapseWatch`."""

    on_collapse: str = field(
        default="warn",
        metadata={
            "help": "when code perplexity falls below --collapse-perplexity, almost no code is used, or the latent "
            "predictor is no better than chance or diverges: warn (once, with advice), stop, or restart-codes (start "
            "the codebook anew from encoder vectors, as at its start; else as warn)"
        },
    )
    collapse_perplexity: float = field(
        default=0.01,
        metadata={"help": "share of the codebook size; a code perplexity below it, or below 1.5 codes, is a collapse"},
    )
    collapse_after: int = field(
        default=500,
        metadata={
            "help": "updates after the start of the codebook before anything is called a collapse; "
            "twice as many for the latent predictor"
        },
    )


@dataclass
class Watched:
    """What is remembered of a training.

    Attributes:
        chance: loss of a predictor that knows nothing, in nats per code; infinite for models without one.
        started_at: update at which the codebook was first seen started; None before.
        losses: updates whose predictor loss was seen since then.
        loss: of the predictor, smoothed over updates, in nats per code.
        best_loss: the lowest of those.
        said: what was warned of and is not over.
    """

    chance: float = math.inf
    started_at: int | None = None
    losses: int = 0
    loss: float = math.nan
    best_loss: float = math.inf
    said: set[str] = field(default_factory=set)


class CollapseWatch:
    """Looks at the codebook after optimizer steps, and at what the criterion logs.

    All replicas have the same moving counts and the same summed losses, and so come to the same decision.
    """

    _watched: Watched | None = None  # from when the model is built

    def build_model(self, cfg, from_checkpoint=False):
        """As fairseq's, after checking the options."""
        model = super().build_model(cfg, from_checkpoint)
        if self.cfg.on_collapse not in CHOICES:
            raise UserError(f"--on-collapse {self.cfg.on_collapse} is not possible; valid: {', '.join(CHOICES)}")
        if not 0 <= self.cfg.collapse_perplexity < 1:
            value = self.cfg.collapse_perplexity
            raise UserError(f"--collapse-perplexity {value:g} is not possible; valid: 0 <= value < 1")
        bottleneck = getattr(model, "bottleneck", None)
        if bottleneck is None:
            return model
        if self.cfg.on_collapse == "restart-codes" and not codebooks_of(bottleneck):
            raise UserError(
                f"--on-collapse restart-codes: --bottleneck {cfg.bottleneck} has no code vectors; valid: warn, stop"
            )
        self._watched = Watched(chance=math.log(bottleneck.num_codes + 1))
        return model

    def optimizer_step(self, optimizer, model, update_num):
        """As fairseq's; then a look at the codebook."""
        super().optimizer_step(optimizer, model, update_num)
        bottleneck, watched = getattr(model, "bottleneck", None), self._watched
        if watched is None or bottleneck is None or not bottleneck.training:
            return
        if not bottleneck.started:
            watched.started_at = None
            return
        if watched.started_at is None:
            watched.started_at, watched.losses = update_num, 0
            watched.loss, watched.best_loss = math.nan, math.inf
        if update_num - watched.started_at < self.cfg.collapse_after or update_num % EVERY:
            return
        problem = collapse_of(bottleneck, self.cfg.collapse_perplexity)
        if problem is None:
            watched.said.discard("codes")
        elif self.cfg.on_collapse == "restart-codes":
            logger.warning("update %d: %s: the codebook starts anew from encoder vectors", update_num + 1, problem)
            for codebook in codebooks_of(bottleneck):
                codebook.restart()
            watched.started_at = None
        else:
            self._say("codes", f"update {update_num + 1}: {problem}", CODES_ADVICE)

    def reduce_metrics(self, logging_outputs, criterion):
        """As fairseq's; then, in training, a look at the latent predictor's loss."""
        super().reduce_metrics(logging_outputs, criterion)
        watched = self._watched
        if watched is None or watched.started_at is None or not criterion.training:
            return
        codes = float(sum(log.get("ncodes", 0) for log in logging_outputs))
        if not codes:
            return
        loss = float(sum(log.get("predictor_loss", 0) for log in logging_outputs)) / codes
        before = loss if math.isnan(watched.loss) else watched.loss
        watched.loss = SMOOTHING * before + (1 - SMOOTHING) * loss
        watched.best_loss = min(watched.best_loss, watched.loss)
        watched.losses += 1
        if watched.losses < 2 * self.cfg.collapse_after or watched.losses % EVERY:
            return
        if watched.loss > watched.best_loss + WORSE:
            found = f"{watched.loss:.2f} nats per code after {watched.best_loss:.2f} at its best"
            self._say("predictor", f"the latent predictor diverges: {found}", PREDICTOR_ADVICE)
        elif watched.loss >= watched.chance:
            found = f"{watched.loss:.2f} nats per code, chance is {watched.chance:.2f}"
            self._say("predictor", f"the latent predictor is no better than chance: {found}", PREDICTOR_ADVICE)
        else:
            watched.said.discard("predictor")

    def _say(self, what: str, problem: str, advice: str) -> None:
        """Warn, once until it is over; or end the training."""
        if self.cfg.on_collapse == "stop":
            raise UserError(f"{problem}; {advice}. Stopped by --on-collapse stop; the last checkpoint is kept")
        if what not in self._watched.said:
            logger.warning("%s; %s", problem, advice)
        self._watched.said.add(what)


def codebooks_of(bottleneck: nn.Module) -> list[VectorCodebook]:
    """The codebooks of a bottleneck that can start from data."""
    return [module for module in bottleneck.modules() if isinstance(module, VectorCodebook)]


def collapse_of(bottleneck: nn.Module, share: float) -> str | None:
    """What is wrong with the codes, by their moving counts; None if nothing is."""
    usage = {name: float(value) for name, value in bottleneck.usage().items()}
    size, perplexity, in_use = bottleneck.num_codes, usage["code_ppl"], usage["code_use"]
    if not math.isfinite(perplexity):
        return f"the codebook is not finite (code perplexity {perplexity})"
    if perplexity < max(1.5, share * size):
        return f"the codes have collapsed: perplexity {perplexity:.1f} of {size}"
    if in_use < LEAST_IN_USE:
        return f"almost no code is used: {100 * in_use:.1f}% of {size}"
    return None
