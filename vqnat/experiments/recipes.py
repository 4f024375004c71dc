"""The papers' tables as configurations: a table's rows (``workflow/recipes/tables``) at a scale (``.../scales``)."""

import copy
import json
import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from vqnat.errors import UserError
from vqnat.records.yaml_files import read_yaml

REPOSITORY = Path(__file__).resolve().parents[2]
RECIPES = REPOSITORY / "workflow" / "recipes"
AMOUNT = re.compile(r"\{(updates|width)(?:([*/])(\d+))?\}")
BASELINES = ("teacher_beam4", "teacher_greedy")


def tables() -> list[str]:
    """The names of all tables."""
    return sorted(path.stem for path in (RECIPES / "tables").glob("*.yaml"))


def scales() -> list[str]:
    """The names of all scales, the smallest first."""
    return ["tiny", "small", "paper"]


def compose(names: Sequence[str], scale: str, rows: Sequence[str] = (), seeds: Sequence[int] = ()) -> dict[str, Any]:
    """The configuration of a table at a scale, or of several tables as one experiment.

    Rows that differ only in how they decode share a training, whichever tables they are of. It has the name of the
    first such row, chosen or not, so a run may grow row by row.

    Args:
        names: some of :func:`tables`; an image table stands alone.
        scale: one of :func:`scales`.
        rows: names of the rows to keep; empty for all. The teacher's rows are always kept.
        seeds: of the students' trainings; empty for the configuration's one.

    Raises:
        UserError: there is no such table, scale or row, or the table has no seeds.
    """
    for option, value, valid in (*(("TABLE", name, tables()) for name in names), ("--scale", scale, scales())):
        if value not in valid:
            raise UserError(f"{option} {value}: must be one of {', '.join(valid)}")
    recipes = {name: read_yaml(RECIPES / "tables" / f"{name}.yaml") for name in names}
    size = read_yaml(RECIPES / "scales" / f"{scale}.yaml")
    images = [name for name in names if "images" in recipes[name]]
    if images and len(names) > 1:
        raise UserError(f"TABLE {','.join(names)}: {images[0]} is of images and stands alone")
    if images:
        if len(seeds) > 1:
            raise UserError(f"--seeds: {images[0]} is of images, which are trained with one seed")
        return _images(recipes[images[0]], size, rows, seeds)
    experiment = _texts([row for recipe in recipes.values() for row in recipe["rows"]], size, rows)
    title = f"{'; '.join(recipe['title'] for recipe in recipes.values())}, at scale {scale}"
    experiment["name"] = title
    experiment["data"]["note"] = f"{title}: {size['about']}"
    return experiment | ({"seeds": list(seeds)} if seeds else {})


def _texts(known: Sequence[dict[str, Any]], size: dict[str, Any], rows: Sequence[str]) -> dict[str, Any]:
    wanted = _chosen(list(dict.fromkeys(row["name"] for row in known)), rows)
    experiment = copy.deepcopy(size["experiment"])
    experiment["trainings"] = {}
    names: dict[str, str] = {}  # of a training by all that it is
    systems = {}
    for row in known:
        training = _training(size, row)
        name = names.setdefault(
            json.dumps(training, sort_keys=True), "teacher" if row["model"] == "teacher" else row["name"]
        )
        if row["name"] in systems or row["name"] not in (*wanted, *BASELINES):
            continue
        experiment["trainings"].setdefault(name, training)
        system = {"name": row["name"], "training": name, "decoding": row.get("decoding", {})}
        systems[row["name"]] = system | {key: row[key] for key in ("reranker", "paper") if key in row}
    return experiment | {"systems": list(systems.values())}


def _chosen(known: Sequence[str], rows: Sequence[str]) -> Sequence[str]:
    for name in rows:
        if name not in known:
            raise UserError(f"--rows {name}: no such row; must be one of {', '.join(known)}")
    return rows or known


def _training(size: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    model = copy.deepcopy(size["models"][row["model"]])
    amounts = {"updates": model["updates"], "width": int(size["width"] * Fraction(str(row.get("width", 1))))}
    options = {**model["options"], **row.get("options", {})}
    for limit in ("total-num-update",):
        if limit in size["experiment"]["common"] and limit not in options:
            options[limit] = size["experiment"]["common"][limit]
    model["options"] = {key: _filled(value, amounts) for key, value in options.items() if value is not None}
    return model | ({"text": row["text"]} if "text" in row else {})


def _filled(value: Any, amounts: dict[str, int]) -> Any:
    """``{updates/3}`` and ``{width*2}`` as numbers; names of trainings in braces are not ours."""
    found = AMOUNT.fullmatch(value) if isinstance(value, str) else None
    if not found:
        return value
    amount, operator, number = amounts[found[1]], found[2], int(found[3] or 1)
    return amount * number if operator == "*" else max(1, amount // number)


def _images(recipe: dict[str, Any], size: dict[str, Any], rows: Sequence[str], seeds: Sequence[int]) -> dict[str, Any]:
    wanted = recipe["images"]
    config = read_yaml(REPOSITORY / wanted["config"])
    table = config["tables"][wanted["table"]]
    if "sweep" in wanted:
        table |= {"title": recipe["title"], "rows": _sweep(table["rows"], **wanted["sweep"])}
    chosen = _chosen([row["name"] for row in table["rows"]], rows)
    table["rows"] = [row for row in table["rows"] if row["name"] in chosen]
    config |= {"name": recipe["title"], "tables": {wanted["table"]: table}}
    full = {} if size["images"] else {"device": "cuda"}
    return config | size["images"] | full | ({"seed": seeds[0]} if seeds else {})


def _sweep(rows: list[dict[str, Any]], row: str, option: str, values: Sequence[float]) -> list[dict[str, Any]]:
    """One row a value of an option, after a row's example; its published figures are not theirs."""
    example = next(each for each in rows if each["name"] == row)
    made = []
    for value in values:
        name = f"{row}_{str(value).replace('.', '_')}"
        new = {**example, "name": name, "title": f"{example['title']}, {option} {value:g}", "paper": {}}
        made.append(new | {"options": {**example["options"], option: value}})
    return made
