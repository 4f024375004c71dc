"""Options of other programs as the configuration states them: a mapping without the leading dashes."""

import re
from pathlib import Path

from vqnat.errors import UserError
from vqnat.experiments.schema import invalid

OPTION = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
PLACEHOLDER = re.compile(r"\{([a-z0-9_]+)\}")

# Options that the workflow sets itself.
RESERVED = {
    *("data", "path", "out", "save-dir", "max-update", "seed", "cpu", "user-dir", "source-lang", "target-lang"),
    *("log-format", "log-file", "gen-subset", "results-path", "remove-bpe", "post-process", "nbest", "jobs", "scoring"),
}


def check_options(name: str, options: dict) -> None:
    """Raise UserError for what cannot be an option, or for one that the workflow sets itself."""
    for option, value in options.items():
        if not isinstance(option, str) or not OPTION.fullmatch(option):
            raise invalid(name, option, "an option as on the command line, without the leading dashes")
        if option in RESERVED:
            raise UserError(f"{name}.{option}: the workflow sets this option itself; remove it")
        if isinstance(value, dict):
            raise invalid(f"{name}.{option}", value, "a number, text, true, false, null or a list")


def arguments(options: dict) -> list[str]:
    """``{"lr": 0.005, "fp16": True, "x": None}`` -> ``--lr 0.005 --fp16``; false and null are left out."""
    words = []
    for option, value in options.items():
        if value is None or value is False:
            continue
        words.append(f"--{option}")
        if value is not True:
            words.extend(str(item) for item in (value if isinstance(value, list) else [value]))
    return words


def placeholders(options: dict) -> set[str]:
    """Trainings whose checkpoints the options name, as in ``rescore-with: "{teacher}"``."""
    return {name for value in options.values() for name in PLACEHOLDER.findall(str(value))}


def fill(options: dict, checkpoints: dict[str, Path]) -> dict:
    """The options with each name in braces replaced by that training's checkpoint."""
    return {
        option: PLACEHOLDER.sub(lambda found: str(checkpoints[found[1]]), value) if isinstance(value, str) else value
        for option, value in options.items()
    }
