"""One distillation from its options to its result: find out what is left to do, and do it."""

from typing import Any

import vqnat.plugin  # noqa: F401  (registration)
from vqnat.checkpoints.user_dir import import_user_dir
from vqnat.data.bitext import open_train_split
from vqnat.distillation.batches import plan_batches, shard_batches
from vqnat.distillation.distill_options import Options
from vqnat.distillation.manifest import finished, shard_settings
from vqnat.distillation.merge import merge, remove_journals
from vqnat.distillation.notes import say
from vqnat.distillation.parallel_shards import run_jobs
from vqnat.distillation.shards import Tail, check_journals, journal_path, missing_batches, run_shard
from vqnat.distillation.sources import Sources, check_sources, open_sources
from vqnat.errors import UserError
from vqnat.terminal.progress import Progress
from vqnat_serving.model_folder import is_model_folder


def distill(options: Options) -> None:
    """Do what is left to do. Raises UserError."""
    import_user_dir(options.user_dir)
    for path in options.teachers:  # before anything that takes time
        if not path.is_file() and not is_model_folder(path):
            raise UserError(f"--path {path}: no such file or model folder")
    bitext = open_train_split(options.data, options.source_lang, options.target_lang)
    check_sources(options, bitext)
    settings = shard_settings(options, bitext)
    if finished(options, settings):
        remove_journals(options)  # the run that finished may have been killed just before this
        say(f"{options.out} is finished for these settings: nothing to do")
        return
    check_journals(options, settings)
    sources = open_sources(options, bitext)
    if sources.text:
        say(sources.text.summary())
    if not options.merge:
        decode(options, sources, settings)
    if options.shard is None:
        report_result(options, merge(options, sources, settings))


def decode(options: Options, sources: Sources, settings: dict[str, Any]) -> None:
    """Decode what is left of this process's share: one shard, or all shards with ``--jobs``."""
    batches = plan_batches(sources.lengths, options.max_tokens, options.batch_size)
    shards = range(options.shards) if options.shard is None else range(options.shard, options.shard + 1)
    total = sum(len(batches[b]) for shard in shards for b in shard_batches(len(batches), shard, options.shards))
    missing = [missing_batches(options, len(batches), shard) for shard in shards]
    if all(left == [] for left in missing):
        return
    done = sum(Tail(journal_path(options, shard), batches).more() for shard in shards)
    if done:
        say(f"{done} of {total} sentences were done before")
    progress = Progress("distill", total, done)
    try:
        if options.jobs > 1:
            run_jobs(options, sources, settings, progress)
        else:
            decoded = run_shard(options, sources, settings, shards[0], progress.update)
    finally:
        progress.close()
    if options.jobs == 1:
        say(f"decoded {decoded} batches")


def report_result(options: Options, figures: dict[str, Any]) -> None:
    """Print what was written, how many sources kept their raw target, and which extra lines have no translation."""
    counts, extra = figures["counts"], figures.get("source_text")
    reasons = {key: count for key, count in counts.items() if key.startswith("raw_kept_") and count}
    if reasons:
        text = ", ".join(f"{count} {key.removeprefix('raw_kept_').replace('_', ' ')}" for key, count in reasons.items())
        say(f"warning: {sum(reasons.values())} sources keep their raw target ({text})")
    if extra:
        limit = f"longer than the teacher's {figures['teacher_max_source_tokens']} positions"
        for name, reason in (("dropped_too_long", limit), ("dropped_no_hypothesis", "without a translation")):
            if extra[name]:
                numbers = extra[f"{name}_lines"]
                shown = ", ".join(map(str, numbers)) + (" ..." if len(numbers) < extra[name] else "")
                say(f"warning: {options.source_text}: {extra[name]} dropped, {reason}: line {shown}")
    sentences = f"{counts['sentences']} sentences" + (f" and {extra['translated']} extra lines" if extra else "")
    say(f"{options.out}: {counts['pairs']} pairs from {sentences}")
