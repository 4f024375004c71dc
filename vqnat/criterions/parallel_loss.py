"""The loss of the parallel transformer: the output layer's own, with glancing."""

from dataclasses import dataclass, field

from fairseq.criterions import FairseqCriterion, register_criterion
from fairseq.dataclass import FairseqDataclass
from fairseq.logging import metrics

from vqnat.criterions.word_logging import reduce_words, word_log
from vqnat.errors import UserError


@dataclass
class ParallelLossConfig(FairseqDataclass):
    """Options of ``--criterion parallel_loss``."""

    label_smoothing: float = field(default=0.0, metadata={"help": "label smoothing of the target words, 0 to 1"})
    glancing: str = field(
        default="0",
        metadata={
            "help": "glancing training (Qian et al. 2021): START[:END], such as 0.5:0.1, the share of wrong positions "
            "at which the decoder is shown the target; 0: off"
        },
    )
    glancing_updates: int = field(
        default=0, metadata={"help": "updates in which the share goes from START to END, linearly"}
    )


def glancing_shares(value: str, updates: int) -> tuple[float, float]:
    """START and END of ``--glancing``.

    Raises:
        UserError: not shares, or a change that takes no updates.
    """
    try:
        shares = [float(part) for part in value.split(":")]
    except ValueError:
        shares = []
    if len(shares) not in (1, 2) or not all(0 <= share <= 1 for share in shares):
        raise UserError(f"--glancing {value} is not possible; valid: START or START:END, each 0 to 1")
    start, end = shares[0], shares[-1]
    if start != end and updates < 1:
        raise UserError(f"--glancing {value} needs --glancing-updates N, 1 or more; found {updates}")
    return start, end


@register_criterion("parallel_loss", dataclass=ParallelLossConfig)
class ParallelLoss(FairseqCriterion):
    """-log p(y | x) of ``--arch parallel_transformer``, summed over sentences; fairseq divides by target words."""

    def __init__(self, task, label_smoothing: float, glancing: str, glancing_updates: int):
        super().__init__(task)
        if not 0 <= label_smoothing < 1:
            raise UserError(f"--label-smoothing {label_smoothing} is not possible; valid: 0 <= value < 1")
        self.label_smoothing = label_smoothing
        self.start, self.end = glancing_shares(glancing, glancing_updates)
        self.updates = glancing_updates

    def glancing(self, num_updates: int) -> float:
        """The share after ``num_updates`` updates."""
        done = min(1.0, num_updates / self.updates) if self.updates else 1.0
        return self.start + (self.end - self.start) * done

    def check_model(self, model) -> None:
        """Raise UserError for another model than a parallel transformer."""
        if not hasattr(model, "num_updates"):
            raise UserError("--criterion parallel_loss: only with --arch parallel_transformer and its presets")

    def forward(self, model, sample, reduce=True):
        """fairseq's contract: (loss, number of target words, what to log)."""
        self.check_model(model)
        target = sample["target"]
        share = self.glancing(model.num_updates) if model.training else 0.0
        net_input = sample["net_input"]
        output = model(net_input["src_tokens"], net_input["src_lengths"], target, share)
        found = model.output_layer.loss(output.positions, target, self.label_smoothing)
        words = int(target.ne(model.pad).sum())
        log = {"loss": found.loss.detach(), "ntokens": words, "nsentences": len(target), "sample_size": words}
        log |= word_log(found)
        if output.glanced is not None:
            log |= {"glanced": output.glanced, "alignable": output.alignable}
        return found.loss, words, log

    @staticmethod
    def reduce_metrics(logging_outputs) -> None:
        """What every criterion logs, and the share of positions at which the decoder was shown the target."""
        reduce_words(logging_outputs)
        alignable = sum(log.get("alignable", 0) for log in logging_outputs)
        if alignable > 0:
            glanced = sum(log.get("glanced", 0) for log in logging_outputs)
            metrics.log_scalar("glanced", glanced / alignable, alignable, priority=90, round=4)

    @staticmethod
    def logging_outputs_can_be_summed() -> bool:
        return True
