"""All texts of one diagnosis: the set, its reference, the teacher's translations, samples beside them."""

from collections.abc import Callable
from dataclasses import dataclass, field

from vqnat.benchmarking.harness.sentences import TestSet
from vqnat.diagnosis import data
from vqnat.diagnosis.data import Pairs
from vqnat.diagnosis.decoding import Written, text_of, translate
from vqnat.diagnosis.loading import longest_pair
from vqnat.diagnosis.options import Options
from vqnat.errors import UserError
from vqnat.hub.translator import LatentTranslator

TEACHER_GREEDY = "teacher, greedy"


@dataclass
class Sets:
    """What is there; None for the rest.

    Attributes:
        chosen: the set to translate, with its references as targets.
        references: their text.
        training: a sample of the training text.
        valid: validation, raw.
        distilled: the same sources with the teacher's translations.
        distilled_from: the split that holds them, or "teacher" where they were made here.
        taught: the set to translate with the teacher's translations as targets.
        taught_from: likewise.
        searches: the teacher's own, name -> what it wrote for the set.
    """

    chosen: Pairs
    references: list[str]
    training: Pairs | None
    valid: Pairs | None
    distilled: Pairs | None
    distilled_from: str | None = None
    taught: Pairs | None = None
    taught_from: str | None = None
    searches: dict[str, list[Written]] = field(default_factory=dict)

    def texts(self) -> dict[str, Pairs | None]:
        """Those whose codes are looked at, by the names of the table."""
        return {
            "training": self.training,
            "distilled validation": self.distilled,
            "raw validation": self.valid,
            "reference": self.chosen,
            "teacher's translation": self.taught,
        }


def read_sets(options: Options, split: TestSet, model: LatentTranslator, say: Callable[[str], None]) -> Sets:
    """Read what DATA holds. Raises UserError."""
    languages = (split.source, split.target)
    chosen = data.read_pairs(split, options.sentences, options.seed)
    data.check_lengths(chosen, longest_pair(model))
    if options.references:
        lines = len(data.read_pairs(split, None, options.seed).ids)
        references = data.read_references(options.references, split.subset, lines, chosen.ids)
    else:
        references = [text_of(model, target) for target in chosen.targets]

    def read(name: str, count: int | None) -> Pairs | None:
        if count == 0 or not data.has_split(options.data, name, languages):
            return None
        return data.read_pairs(data.open_split(options.data, name, languages), count, options.seed)

    valid, distilled = read("valid", options.sentences), read(data.DISTILLED, options.sentences)
    if distilled is not None and (valid is None or not data.same_sources(valid, distilled)):
        say(f"{data.DISTILLED} of {options.data} has other sources than valid: left aside")
        distilled = None
    sets = Sets(chosen, references, read("train", options.training_sentences), valid, distilled)
    if distilled is not None:
        sets.distilled_from = data.DISTILLED
        if split.subset == "valid":
            sets.taught, sets.taught_from = distilled, data.DISTILLED
    return sets


def add_teacher(
    sets: Sets, teacher: LatentTranslator, options: Options, longest: tuple[int, int], say: Callable[[str], None]
) -> None:
    """Add the teacher's translations of the set, and of validation where DATA has no distilled one.

    Raises:
        UserError: a translation of the set is longer than the latent transformer can read.
    """
    say(f"the teacher's translations, {len(sets.chosen.ids)} sentences of {sets.chosen.split}")
    for name, beam in ((TEACHER_GREEDY, 1), (teacher_beam(options), options.beam)):
        sets.searches[name] = translate(teacher, sets.chosen.sources, options, beam)
    best = sets.searches[teacher_beam(options)]
    sets.taught, sets.taught_from = sets.chosen.with_targets([one.tokens for one in best]), "teacher"
    for number, tokens in zip(sets.taught.ids, sets.taught.targets, strict=True):
        if len(tokens) > longest[1]:
            raise UserError(
                f"--teacher {options.teacher}: its translation of line {number + 1} has {len(tokens)} tokens, the "
                f"latent transformer reads at most {longest[1]}: give smaller --max-len-a and --max-len-b"
            )
    if sets.distilled is not None or sets.valid is None:
        return
    sets.distilled_from = "teacher"
    if sets.chosen.split == "valid":
        sets.distilled = sets.taught
        return
    say(f"the teacher's translations, {len(sets.valid.ids)} sentences of valid")
    found = translate(teacher, sets.valid.sources, options, options.beam)
    sets.distilled = sets.valid.with_targets([one.tokens for one in found])


def teacher_beam(options: Options) -> str:
    """The name of the row whose text is the teacher's translation."""
    return f"teacher, beam {options.beam}"
