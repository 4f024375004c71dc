"""One diagnosis, from its options to its record."""

from functools import partial
from typing import Any

import torch

from vqnat.checkpoints.reading import checkpoint_file
from vqnat.checkpoints.user_dir import import_user_dir
from vqnat.data.bitext import Split, open_split
from vqnat.diagnosis.code_figures import (
    code_figures,
    ends_right,
    equal_by_position,
    length_figures,
    right_by_position,
    wrong_by_offset,
)
from vqnat.diagnosis.decoding import Written, decode_given, text_of, translate
from vqnat.diagnosis.diagnose_options import Options
from vqnat.diagnosis.given_prefix import translate_after
from vqnat.diagnosis.models import describe, load_model, load_teacher, longest_pair
from vqnat.diagnosis.pairs import readable
from vqnat.diagnosis.teacher_forcing import Forced, force
from vqnat.diagnosis.text_measures import signatures, text_figures
from vqnat.diagnosis.text_sets import TEACHER_GREEDY, Sets, add_teacher, read_sets, teacher_beam
from vqnat.hub.translator import LatentTranslator
from vqnat.records import results
from vqnat.terminal.progress import Steps
from vqnat_serving.console import say as note

GREEDY, REFERENCE, TAUGHT = "predictor, greedy", "reference", "teacher's translation"
GIVEN = {"codes of the reference": REFERENCE, "codes of the teacher's": TAUGHT}  # row -> whose codes
FIRST = (1, 2, 4, 8)  # number of codes given to the predictor before it continues alone


def diagnose(options: Options, steps: Steps | None = None) -> dict[str, Any]:
    """All figures and their provenance. Raises UserError."""
    say = (steps or Steps("diagnose")).step
    if options.threads:
        torch.set_num_threads(options.threads)
    import_user_dir(options.user_dir)
    split = open_split(options.data, options.gen_subset, options.source_lang, options.target_lang)
    model, teacher = load_model(options, split), load_teacher(options, split)
    longest = longest_pair(model)
    sets = read_sets(options, split, model, partial(note, "diagnose"))
    if teacher is not None:
        add_teacher(sets, teacher, options, longest, say)

    say("codes of given texts")
    forced = {}
    for name, pairs in sets.texts().items():
        kept = None if pairs is None else readable(pairs, longest)
        forced[name] = force(model, kept, options) if kept is not None and kept.ids else None

    say(f"the model's translations, {len(sets.chosen.ids)} sentences of {split.subset}")
    sources = sets.chosen.sources
    written = dict(sets.searches)
    for name, text in GIVEN.items():
        if forced[text]:
            written[name] = decode_given(model, sources, [row.codes for row in forced[text]], options)
    written[GREEDY] = translate(model, sources, options, 1)
    written[f"predictor, beam {options.beam}"] = translate(model, sources, options, options.beam)
    say("translations from the teacher's first codes")
    helped = {}
    for first in FIRST if forced[TAUGHT] else ():
        helped[first] = translate_after(model, sources, [row.codes for row in forced[TAUGHT]], first, options)
    return {
        "subset": split.subset,
        "direction": f"{split.source}-{split.target}",
        "sentences": len(sources),
        **{name: getattr(options, name) for name in ("beam", "lenpen", "max_len_a", "max_len_b", "ctc_blank_penalty")},
        "threads": torch.get_num_threads(),
        "model": describe(model, options.checkpoint),
        "teacher": None if options.teacher is None else options.teacher.name,
        "teachers_translation_from": sets.taught_from,
        "distilled_validation_from": sets.distilled_from,
        **signatures(),
        **_figures(model, options, sets, forced, written, helped),
        **results.provenance(options.seed, _inputs(options, split)),
    }


def _figures(
    model: LatentTranslator,
    options: Options,
    sets: Sets,
    forced: dict[str, list[Forced] | None],
    written: dict[str, list[Written]],
    helped: dict[int, list[Written]],
) -> dict[str, Any]:
    size, stride = model.model.bottleneck.num_codes, model.model.stride
    taught_texts = None if sets.taught is None else [text_of(model, tokens) for tokens in sets.taught.targets]
    wanted = None if forced[TAUGHT] is None else [row.codes for row in forced[TAUGHT]]
    lines = {name: [one.text for one in rows] for name, rows in written.items()}
    lines |= {REFERENCE: sets.references} | ({} if taught_texts is None else {teacher_beam(options): taught_texts})
    names = (REFERENCE, TEACHER_GREEDY, teacher_beam(options), *GIVEN, GREEDY, f"predictor, beam {options.beam}")
    texts: dict[str, dict[str, Any]] = {name: {} for name in names}
    for name, record in texts.items():
        if name in lines:
            record |= text_figures(lines[name], sets.references, taught_texts)
        rows = written.get(name)
        if rows and rows[0].codes is not None:
            record |= length_figures([one.codes for one in rows], wanted, size)
        if rows and rows[0].at_limit is not None:
            record["at_limit"] = sum(one.at_limit for one in rows) / len(rows)

    greedy, distilled = [one.codes for one in written[GREEDY]], forced["distilled validation"]
    from_first = {0: texts[GREEDY]}
    for first, rows in helped.items():
        from_first[first] = text_figures([one.text for one in rows], sets.references, taught_texts)
    if wanted:
        from_first[None] = texts["codes of the teacher's"]
    return {
        "texts": [{"name": name, **record} for name, record in texts.items()],
        "codes": [{"name": name, **(code_figures(rows, size) if rows else {})} for name, rows in forced.items()],
        "positions": {
            "right_on_distilled_validation": right_by_position(distilled) if distilled else None,
            "ends_right_on_distilled_validation": ends_right(distilled) if distilled else None,
            "greedy_as_teachers": equal_by_position(greedy, wanted) if wanted else None,
        },
        # first: number of codes from the teacher's translation, None for all; the predictor's follow, greedily
        "from_teachers_first_codes": [
            {"first": first, "sacrebleu": found["sacrebleu"], "bleu_to_teacher": found["bleu_to_teacher"]}
            for first, found in from_first.items()
        ],
        "wrong_words": wrong_by_offset(forced[TAUGHT], stride) if forced[TAUGHT] else None,
    }


def _inputs(options: Options, split: Split) -> dict[str, Any]:
    given = {"checkpoint": options.checkpoint, "teacher": options.teacher, "references": options.references}
    return {name: checkpoint_file(path) for name, path in given.items() if path} | {
        path.name: path for path in split.files()
    }
