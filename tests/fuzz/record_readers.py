"""Readers of distillations, results and configurations."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from bitext import REPO
from hypothesis import strategies as st

from fuzz.reader import of_file, reader
from fuzz.values import as_json, changed


def manifest_value() -> dict:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # SHA-256 of no bytes
    settings = {"beam": 4, "direction": "en-de", "mix_raw": 0.0, "seed": None}
    return {"settings": settings, "outputs": {"dict.en.txt": empty}, "counts": {"pairs": 3}}


def _manifest(folder: Path) -> Callable[[bytes], None]:
    from vqnat.distillation.distill_options import Options
    from vqnat.distillation.manifest import NAME, finished

    options = Options(Path("data"), "teacher.pt", folder)
    (folder / "dict.en.txt").touch()

    def read(content: bytes) -> None:
        (folder / NAME).write_bytes(content)
        finished(options, {"beam": 4, "direction": "en-de"})

    return read


@reader("manifest, bytes", seeds=lambda: [as_json(manifest_value())])
def manifest_bytes(folder: Path) -> Callable:
    return _manifest(folder)


@reader("manifest", strategy=lambda: changed(manifest_value()))
def manifest(folder: Path) -> Callable:
    read = _manifest(folder)
    return lambda value: read(as_json(value))


def journal_seed() -> bytes:
    import struct
    import zlib

    from vqnat.distillation.journal import END, MAGIC, Record

    content = as_json({"settings": {"beam": 4}, "max_source": 100}) + b"\n"
    for batch in range(2):
        ids, lengths = np.array([0, 1]), np.array([2, 3])
        payload = Record(batch, 0.5, ids, lengths, np.array([-1.0, -2.0]), np.arange(5)).pack()
        content += struct.pack("<4sII", MAGIC, len(payload), zlib.crc32(payload)) + payload + END
    return content


@reader("journal", seeds=lambda: [journal_seed()])
def journal(folder: Path) -> Callable:
    from vqnat.distillation.hypotheses import Hypotheses
    from vqnat.distillation.journal import read_header

    path = folder / "shard-0-of-1.journal"

    def read(content: bytes) -> None:
        path.write_bytes(content)
        header, _ = read_header(path)
        if header is not None:
            found = Hypotheses([path], 2)
            for sentence in range(2):
                found[sentence]

    return read


@reader("journal, checksums right", strategy=lambda: st.lists(st.binary(max_size=80), max_size=3))
def journal_payloads(folder: Path) -> Callable:
    import struct
    import zlib

    from vqnat.distillation.journal import END, MAGIC

    read = journal(folder)

    def framed(payloads: list[bytes]) -> None:
        content = b'{"settings": {}}\n'
        for payload in payloads:
            content += struct.pack("<4sII", MAGIC, len(payload), zlib.crc32(payload)) + payload + END
        read(content)

    return framed


def results_value() -> dict:
    row = {"name": "lt", "training": {"name": "lt"}, "sacrebleu": 30.1, "chrf": 50.2, "decoding": {"beam": 1}}
    return {
        "corpus": "digits",
        "sentences": {"test": 10},
        "systems": [row],
        "command": "x",
        "machine": {"cpu": "y"},
        "versions": {"torch": "2"},
        "date": "2026-01-01",
        "commit": None,
    }


def _scores(folder: Path) -> Callable[[bytes], None]:
    from dataclasses import replace

    from vqnat.hub.model_card import model_card
    from vqnat.hub.scores import read_scores
    from vqnat_serving.checksums import sha256
    from vqnat_serving.model_folder import ModelFolder

    described = ModelFolder(
        folder, "latent_transformer", "m", "en", "de", "latent_transformer", {}, task={"_name": "latent_translation"}
    )

    def read(content: bytes) -> None:
        path = folder / "results.json"
        path.write_bytes(content)
        (folder / "scores.json").write_bytes(as_json(read_scores(path, "lt")))
        model_card(replace(described, files={"scores.json": sha256(folder / "scores.json")}))

    return read


@reader("results, bytes", seeds=lambda: [as_json(results_value()), b'{"sacrebleu": 3.5}'])
def scores_bytes(folder: Path) -> Callable:
    return _scores(folder)


@reader("results", strategy=lambda: changed(results_value()) | changed({"sacrebleu": 3.5, "data": "x"}))
def scores(folder: Path) -> Callable:
    read = _scores(folder)
    return lambda value: read(as_json(value))


SYSTEMS = b"- name: a\n  checkpoint: b.pt\n  beam: 4\n- {name: c, checkpoint: d, lenpen: 1.5}\n"
BOMB = b"a: &a [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (98 + n, 98 + n, b", ".join([b"*%c" % (97 + n)] * 9)) for n in range(9)
)


@reader("YAML: systems", seeds=lambda: [SYSTEMS, BOMB, b"? [a]\n: 2020-13-45\n"])
def systems(folder: Path) -> Callable:
    from vqnat.benchmarking.engines.system_specs import read_systems

    return of_file(folder / "systems.yaml", read_systems)


@reader("YAML: untrained models", seeds=lambda: [b'a: "--arch transformer"\n', BOMB])
def untrained(folder: Path) -> Callable:
    from vqnat.benchmarking.engines.untrained import read_models

    return of_file(folder / "models.yaml", read_models)


def yaml_of(folder: Path, load: Callable[[Path], object]) -> Callable:
    """A value as a YAML file, which JSON is."""
    read = of_file(folder / "config.yaml", load)
    return lambda value: read(as_json(value))


def table_value() -> dict:
    import yaml

    config = yaml.safe_load((REPO / "examples" / "cifar10" / "config.yaml").read_text(encoding="utf-8"))
    table = config["tables"].popitem()[1]
    # One row: the others are like it, and YAML is read slowly.
    return {**config, "tables": {"t": table | {"rows": table["rows"][:1]}}}


def experiment_value() -> dict:
    """The quickstart with one training and one system of each kind."""
    import yaml

    config = yaml.safe_load((REPO / "examples" / "quickstart" / "config.yaml").read_text(encoding="utf-8"))
    trainings = "teacher", "lt_soft_em_distilled"
    systems = "teacher_beam4", "teacher_greedy", "lt_soft_em_distilled"
    config["trainings"] = {name: config["trainings"][name] for name in trainings}
    config["systems"] = [system for system in config["systems"] if system["name"] in systems]
    return config


@reader("YAML: experiments", strategy=lambda: changed(experiment_value()))
def experiments(folder: Path) -> Callable:
    from vqnat.experiments.config import load

    return yaml_of(folder, load)


@reader("YAML: tables of images", strategy=lambda: changed(table_value()))
def image_tables(folder: Path) -> Callable:
    from vqnat.image.tables.table_config import load

    return yaml_of(folder, load)
