"""What the rows of image tables measured, as one JSON file."""

import json
from pathlib import Path
from typing import Any

from vqnat.image.datasets.split_files import SPLITS, read_header, split_file
from vqnat.image.tables.table_commands import row_options
from vqnat.image.tables.table_config import Config
from vqnat.records.results import provenance, workflow_command


def collect(config: Config, run: Path) -> dict[str, Any]:
    """The content of ``results.json``.

    Args:
        config: the tables.
        run: folder of their data and figures.
    """
    data = run / "data"
    counts = {split: read_header(data, split)["count"] for split in SPLITS}
    tables: dict[str, Any] = {}
    for key, rows in config.chosen.items():
        table = config.tables[key]
        about = {"title": table.title, "source": table.source, "columns": table.columns, "epochs": table.epochs}
        if config.budget:
            about["budget_minutes"] = config.budget * table.budget_times
            about["budget_options"] = {"": table.budget_options, "prior ": table.budget_prior}
        tables[key] = {**about, "rows": []}
        for row in rows:
            figures = json.loads((run / "figures" / key / f"{row.name}.json").read_text(encoding="utf-8"))
            entry = {"name": row.name, "title": row.title, "paper": row.paper, "figures": figures}
            batch = row_options(config, table, row)["batch-size"]
            entry["epochs"] = round(figures["train_updates"] * batch / counts["train"], 2)
            tables[key]["rows"].append(entry)
    header = read_header(data, "train")
    about = {"name": config.name, "data_source": header["source"], "images": counts, "shape": header["shape"]}
    files = {path.name: path for path in (split_file(data, split) for split in SPLITS)}
    return about | provenance(config.seed, files, workflow_command()) | {"tables": tables}
