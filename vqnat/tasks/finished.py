"""A training that has ended stays as it is when it is run again.

fairseq makes one update before it asks whether ``--max-update`` or ``--stop-time-hours`` was reached, and counts anew
for ``--patience``. Here the count is saved with each checkpoint, and a training that had ended makes no update.
"""

import logging
import math
import sys
from functools import wraps
from pathlib import Path
from typing import Any

from fairseq import checkpoint_utils

from vqnat.tasks.one_writer import lock

logger = logging.getLogger(__name__)

EARLY_STOPPING = "early_stopping"  # in a checkpoint's extra state


class NoEpochs:
    """In place of an iterator over epochs: fairseq trains while ``next_epoch_idx`` is at most ``--max-epoch``."""

    next_epoch_idx = math.nan  # which is at most nothing


def let_finished_trainings_rest() -> None:
    """Make fairseq-train check, when it has loaded its checkpoint, whether anything is left to do."""
    original = checkpoint_utils.load_checkpoint
    if getattr(original, "knows_the_end", False):
        return

    @wraps(original)
    def load_checkpoint(cfg: Any, trainer: Any, **more: Any) -> tuple[Any, Any]:
        if trainer.data_parallel_rank == 0 and not cfg.no_save:
            lock(cfg.save_dir)
        extra_state, epochs = original(cfg, trainer, **more)
        if extra_state is None or not trainer.get_num_updates():  # a new training, or one that starts from another's
            return extra_state, epochs
        restore_patience(extra_state)
        reason = why_finished(trainer, extra_state)
        if reason is None:
            return extra_state, epochs
        if trainer.should_save_checkpoint_on_current_rank:
            remove_superseded(cfg, trainer.checkpoint_suffix)
        logger.info("%s: this training has ended (%s): nothing to do", cfg.save_dir, reason)
        return extra_state, NoEpochs()

    load_checkpoint.knows_the_end = True  # type: ignore[attr-defined]
    checkpoint_utils.load_checkpoint = load_checkpoint
    saved_before = checkpoint_utils.torch_persistent_save

    @wraps(saved_before)
    def torch_persistent_save(state: Any, *where: Any, **how: Any) -> None:
        if isinstance(state, dict) and "extra_state" in state:
            state["extra_state"].update(patience_state())
        saved_before(state, *where, **how)

    checkpoint_utils.torch_persistent_save = torch_persistent_save


def why_finished(trainer: Any, extra_state: dict[str, Any]) -> str | None:
    """The option for which the training has ended; None if it has not."""
    updates, options = trainer.get_num_updates(), trainer.cfg.optimization
    if 0 < (options.max_update or 0) <= updates:
        return f"{updates} updates, --max-update {options.max_update}"
    hours = extra_state.get("previous_training_time", 0) / 3600
    if 0 < options.stop_time_hours < hours:
        return f"{hours:.2f} hours, --stop-time-hours {options.stop_time_hours:g}"
    patience = trainer.cfg.checkpoint.patience
    if 0 < patience <= extra_state.get(EARLY_STOPPING, {}).get("num_runs", 0):
        return f"no better for {patience} validations, --patience {patience}"
    return None


def _counter() -> Any:
    """fairseq's function that counts validations without improvement, in attributes of its own."""
    for name in ("__main__", "fairseq_cli.train"):
        if (found := getattr(sys.modules.get(name), "should_stop_early", None)) is not None:
            return found
    return None


def patience_state() -> dict[str, Any]:
    """What a checkpoint says of ``--patience``; empty without it."""
    counter = _counter()
    if not hasattr(counter, "best"):
        return {}
    return {EARLY_STOPPING: {"best": counter.best, "num_runs": counter.num_runs}}


def restore_patience(extra_state: dict[str, Any]) -> None:
    """Continue to count where the checkpoint was saved."""
    counter, state = _counter(), extra_state.get(EARLY_STOPPING)
    if counter is not None and state is not None:
        counter.best, counter.num_runs = state["best"], state["num_runs"]


def remove_superseded(cfg: Any, suffix: str) -> None:
    """Remove the checkpoints that fairseq removes last, after it has saved the new ones."""

    def remove(name: str, kept: int, lowest: bool = False) -> None:
        if kept > 0:
            paths = checkpoint_utils.checkpoint_paths(cfg.save_dir, pattern=rf"{name}{suffix}\.pt")  # highest first
            for path in (paths[::-1] if lowest else paths)[kept:]:
                Path(path).unlink(missing_ok=True)

    if cfg.keep_interval_updates_pattern == -1:
        remove(r"checkpoint_\d+_(\d+)", cfg.keep_interval_updates)
    remove(r"checkpoint(\d+)", cfg.keep_last_epochs)
    best = rf"checkpoint\.best_{cfg.best_checkpoint_metric}_(\d+\.?\d*)"
    remove(best, cfg.keep_best_checkpoints, lowest=not cfg.maximize_best_checkpoint_metric)
