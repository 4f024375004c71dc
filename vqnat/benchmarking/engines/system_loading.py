"""From a user's specification to a system: what is at the path decides the engine."""

from pathlib import Path

from vqnat.benchmarking.engines.ctranslate2_system import CTranslate2System
from vqnat.benchmarking.engines.fairseq_system import FairseqSystem
from vqnat.benchmarking.engines.onnx_system import OnnxSystem
from vqnat.benchmarking.engines.system_specs import SystemSpec
from vqnat.benchmarking.harness.sentences import TestSet
from vqnat.benchmarking.system import System
from vqnat.checkpoints.user_dir import import_user_dir
from vqnat.errors import UserError
from vqnat_serving.description import NAME
from vqnat_serving.model_folder import WEIGHTS, is_model_folder


def load_system(spec: SystemSpec, test_set: TestSet, device: str, threads: int, user_dir: Path | None) -> System:
    """Import the user-dir, then load the system. A module-level function, so that worker processes can unpickle it.

    Raises:
        UserError: there is nothing at the path, or nothing usable.
    """
    import_user_dir(user_dir)
    path = spec.checkpoint
    if not path.is_dir() or _has_weights(path):
        return FairseqSystem(spec, test_set, device, threads)
    if (path / "model.bin").is_file():
        return CTranslate2System(spec, test_set, device, threads)
    if not (path / NAME).is_file() and not is_model_folder(path):
        raise UserError(
            f"system {spec.name}: {path}: neither a model folder nor of vqnat export nor of ct2-fairseq-converter"
        )
    if device != "cpu":
        raise UserError(f"system {spec.name}: exported models run on the CPU; give --device cpu")
    return OnnxSystem(spec, test_set, threads)


def _has_weights(path: Path) -> bool:
    """Whether torch runs it: a model folder, unless it was made for the runner alone."""
    return is_model_folder(path) and (path / WEIGHTS).is_file()
