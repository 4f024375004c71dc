"""The quickstart's own configuration with trainings too short to learn anything.

python tests/toy_experiment.py FILE.yaml       writes it
"""

import sys
from pathlib import Path
from typing import Any

import yaml

QUICKSTART = Path(__file__).resolve().parents[1] / "examples" / "quickstart" / "config.yaml"


def toy_experiment() -> dict[str, Any]:
    """The configuration."""
    config: dict[str, Any] = yaml.safe_load(QUICKSTART.read_text(encoding="utf-8"))
    config["data"] |= {"train": 300, "valid": 30, "test": 30}
    config["vocabulary"] = 400
    config["common"] |= {"save-interval-updates": 6, "max-tokens": 800, "log-interval": 2}
    config["latency"] |= {"sentences": 4, "repeats": 1}
    for training in config["trainings"].values():
        training |= {"updates": 12}
        training["options"] |= {"total-num-update": 13, "warmup-updates": 2, "autocast": "none"}
        if "codebook-size" in training["options"]:
            training["options"] |= {"codebook-size": 32, "codebook-start-updates": 4}
    return config


def write_toy_experiment(path: Path) -> Path:
    """Write it as YAML."""
    path.write_text(yaml.safe_dump(toy_experiment(), sort_keys=False), encoding="utf-8")
    return path


if __name__ == "__main__":
    write_toy_experiment(Path(sys.argv[1]))
