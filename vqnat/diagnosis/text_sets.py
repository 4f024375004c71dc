"""The texts of one diagnosis: the set to translate, its references, the teacher's translations, samples."""

from collections.abc import Callable
from dataclasses import dataclass, field

from vqnat.data.bitext import Split, find_pairs, open_split
from vqnat.diagnosis.decoding import Written, text_of, translate
from vqnat.diagnosis.diagnose_options import Options
from vqnat.diagnosis.models import longest_pair
from vqnat.diagnosis.pairs import DISTILLED, Pairs, check_lengths, read_pairs, read_references, same_sources
from vqnat.errors import UserError
from vqnat.hub.translator import LatentTranslator

TEACHER_GREEDY = "teacher, greedy"


@dataclass
class Sets:
    """The texts that are available, None for those that are not.

    Attributes:
        chosen: the set to translate, with its references as targets.
        references: their text.
        training: a sample of the training text.
        valid: validation, raw.
        distilled: the same sources with the teacher's translations.
        distilled_from: the split that holds them, or "teacher" if they were made here.
        taught: the set to translate with the teacher's translations as targets.
        taught_from: likewise.
        searches: name of a search -> what the teacher wrote for the set.
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
        """The texts whose codes are examined, by their names in the table."""
        return {
            "training": self.training,
            "distilled validation": self.distilled,
            "raw validation": self.valid,
            "reference": self.chosen,
            "teacher's translation": self.taught,
        }


def read_sets(options: Options, split: Split, model: LatentTranslator, say: Callable[[str], None]) -> Sets:
    """Read what DATA holds. Raises UserError."""
    languages = (split.source, split.target)
    chosen = read_pairs(split, options.sentences, options.seed)
    check_lengths(chosen, longest_pair(model))
    if options.references:
        lines = len(read_pairs(split, None, options.seed).ids)
        references = read_references(options.references, split.subset, lines, chosen.ids)
    else:
        references = [text_of(model, target) for target in chosen.targets]

    def read(name: str, count: int | None) -> Pairs | None:
        if count == 0 or find_pairs(options.data).get(name, set()).isdisjoint((languages, languages[::-1])):
            return None
        return read_pairs(open_split(options.data, name, *languages), count, options.seed)

    valid, distilled = read("valid", options.sentences), read(DISTILLED, options.sentences)
    if distilled is not None and (valid is None or not same_sources(valid, distilled)):
        say(f"{DISTILLED} of {options.data} has other sources than valid: ignored")
        distilled = None
    sets = Sets(chosen, references, read("train", options.training_sentences), valid, distilled)
    if distilled is not None:
        sets.distilled_from = DISTILLED
        if split.subset == "valid":
            sets.taught, sets.taught_from = distilled, DISTILLED
    return sets


def add_teacher(
    sets: Sets, teacher: LatentTranslator, options: Options, longest: tuple[int, int], say: Callable[[str], None]
) -> None:
    """Add the teacher's translations of the set, and of validation if DATA has no distilled validation set.

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
    """Name of the row whose text is the teacher's translation."""
    return f"teacher, beam {options.beam}"
