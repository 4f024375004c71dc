"""A teacher as a checkpoint that fairseq and CTranslate2's converter read without our plug-in.

A checkpoint of fairseq-train pickles an ``argparse.Namespace``, which torch no longer loads unless it is told to, and
it names the task and criterion of the training, which only our plug-in knows. This one is made of tensors, numbers,
texts and ordered dictionaries. CTranslate2's converter reads the options as attributes and fairseq reads them as items,
so they are written as both: an ``OrderedDict`` may have attributes, and torch restores them.
"""

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from vqnat.checkpoints.fairseq_files import save

TASK, ARCH = "translation", "transformer"


def save_stock_checkpoint(
    weights: Mapping[str, Tensor], options: Mapping[str, Any], task: Mapping[str, Any], path: Path
):
    """Write the checkpoint.

    Args:
        weights: the model's state dict.
        options: of fairseq's Transformer, every one of them.
        task: of fairseq's task ``translation``, the languages among them.
        path: file to write.
    """
    task = {name: value for name, value in task.items() if name != "_name"}
    everything = {**task, **options, "arch": ARCH, "task": TASK, "criterion": "cross_entropy"}
    state = {
        "args": None,
        "cfg": {
            "_name": None,
            "task": {**task, "_name": TASK},
            "model": _items_and_attributes(everything),
            "criterion": {"_name": "cross_entropy", "sentence_avg": False},
        },
        "model": OrderedDict(weights),
        "optimizer_history": [
            {
                "criterion_name": "CrossEntropyCriterion",
                "optimizer_name": "",
                "lr_scheduler_state": {},
                "num_updates": 0,
            }
        ],
        "extra_state": {"train_iterator": {"epoch": 1, "iterations_in_epoch": 0}},
        "last_optimizer_state": None,
    }
    save(state, path)


def _items_and_attributes(values: Mapping[str, Any]) -> OrderedDict[str, Any]:
    found = OrderedDict(values)
    vars(found).update(values)
    return found
