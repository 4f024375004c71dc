"""Any fairseq checkpoint as a system: autoregressive, non-autoregressive or latent transformer."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from fairseq import utils
from fairseq.dataclass.configs import FairseqConfig, GenerationConfig
from fairseq.models import FairseqEncoderDecoderModel
from omegaconf import OmegaConf
from torch import Tensor

import vqnat.plugin  # noqa: F401  (torch.load accepts fairseq's checkpoints)
from vqnat.benchmarking.engines.forced_lengths import force_length
from vqnat.benchmarking.engines.system_specs import NAT_TASKS, SystemSpec, refuse_useless
from vqnat.benchmarking.harness.device import use_threads
from vqnat.benchmarking.harness.sentences import TestSet
from vqnat.benchmarking.system import Batch
from vqnat.checkpoints.loading import LoadedModel, load_model
from vqnat.checkpoints.reading import checkpoint_file
from vqnat.decoding.rescoring import HELPER
from vqnat.errors import UserError
from vqnat.kernels.packed_linear import pack
from vqnat.models.parallel_transformer import ParallelTransformer
from vqnat.records.results import shown

# The settings that each task's generator reads; others would be ignored and are refused.
SETTINGS = {
    "translation": {"beam", "lenpen", "max_len_a", "max_len_b", "packed"},
    "latent_translation": {
        *("beam", "compiled", "cuda_graphs", "lenpen", "max_len_a", "max_len_b"),
        *("rescore_with", "ctc_blank_penalty", "dag_search", "engine"),
    },
    **{task: {"beam", "iter", "iter_decode_eos_penalty", "iter_decode_force_max_iter"} for task in NAT_TASKS},
}


class FairseqSystem:
    """Decodes as fairseq-generate does with the same settings; see :class:`~vqnat.benchmarking.system.System`.

    Args:
        spec: checkpoint and decoding settings.
        test_set: the split that batches are taken from.
        device: ``cpu`` or ``cuda``.
        threads: threads of torch, unless ``spec`` sets them.

    Raises:
        UserError: the checkpoint cannot be used, or not with this data or these settings.
    """

    def __init__(self, spec: SystemSpec, test_set: TestSet, device: str, threads: int) -> None:
        self.name, self.device = spec.name, device
        self.threads = spec.threads or threads
        loaded = load_model(spec.checkpoint, test_set.folder, spec.task, who=f"system {spec.name}: ")
        self.task, self.model = loaded.task, loaded.model.to(device)
        _check_settings(spec, loaded)
        settings = generation(spec)
        if loaded.task_name == "latent_translation":
            self.task.cfg.decode_precision = spec.precision
            self.task.cfg.decode_compile, self.task.cfg.decode_cuda_graphs = bool(spec.compiled), bool(spec.cuda_graphs)
            self.task.cfg.decode_engine = spec.engine or "torch"
        elif spec.precision not in (None, "fp32"):
            raise UserError(f"system {spec.name}: precision={spec.precision}: stock fairseq decodes in fp32 here")
        self.model.prepare_for_inference_(OmegaConf.structured(FairseqConfig(generation=settings, task=self.task.cfg)))
        if spec.packed:
            self.model.decoder = pack(self.model.decoder)
        self.model.eval()
        for key in ("rescore_with", "ctc_blank_penalty", "dag_search"):
            if (value := getattr(spec, key)) is not None:
                setattr(self.task.cfg, key, value)
        try:
            self.generator = self.task.build_generator([self.model], settings)
        except Exception as error:
            reason = " ".join(str(error).split())
            raise UserError(f"system {spec.name}: {type(error).__name__}: {reason}") from error
        try:
            self.task.load_dataset(test_set.subset)
        except Exception as error:
            raise UserError(f"system {spec.name}: {test_set.subset} cannot be read: {error}") from error
        self.dataset = self.task.dataset(test_set.subset)
        self.dictionary = self.task.target_dictionary
        symbols = self.dictionary
        self.specials = frozenset((symbols.bos(), symbols.eos(), symbols.pad()))
        self._set_length: Callable[[int], None] | None = None
        self._describe(spec, loaded)

    def _describe(self, spec: SystemSpec, loaded: LoadedModel) -> None:
        decoding = {k: shown(v) if isinstance(v, Path) else v for k, v in spec.decoding().items()}
        if loaded.task_name not in NAT_TASKS:
            searched = not isinstance(self.model, ParallelTransformer) or decoding.get("dag_search") == "beam"
            decoding["beam"] = spec.beam or (GenerationConfig().beam if searched else 1)
        self.description: Mapping[str, Any] = {
            "checkpoint": shown(spec.checkpoint),
            "task": loaded.task_name,
            "arch": loaded.arch,
            "decoding": {k: v for k, v in decoding.items() if k not in ("task", "threads")},
            "threads": self.threads,
            # including those needed in training only, without the rescoring teacher's
            "parameters": sum(parameter.numel() for parameter in self.model.parameters()),
        }

    @cached_property
    def _longest(self) -> int:
        limit = utils.resolve_max_positions(self.task.max_positions(), self.model.max_positions())
        return int(limit[0] if isinstance(limit, tuple | list) else limit)

    def prepare(self, batch: Batch) -> tuple[dict[str, Any], list[int]]:
        """Collate as for fairseq-generate, from the task's own dataset, which may add symbols."""
        use_threads(self.threads)
        if batch.length is not None:
            if getattr(self.generator, "native", None) is not None:
                raise UserError(f"system {self.name}: engine=native: no forced lengths; export the model for these")
            self._set_length = self._set_length or force_length(self.generator, self.model)
            self._set_length(batch.length)
        items = [self.dataset[number] for number in batch.ids]
        bos = self.task.source_dictionary.bos()
        for number, item, expected in zip(batch.ids, items, batch.sources, strict=True):
            tokens = item["source"].tolist()
            if len(tokens) > self._longest:
                raise UserError(
                    f"system {self.name}: line {number + 1} has {len(tokens)} source tokens, the model reads "
                    f"{self._longest}"
                )
            if tuple(tokens[tokens[0] == bos :]) != expected:
                raise UserError(
                    f"system {self.name}: reads another source than the others in line {number + 1} "
                    "(another direction, or the task cuts sentences)"
                )
        sample = self.dataset.collater(items)
        # The reference must neither be readable nor be copied to the device.
        net_input = {key: sample["net_input"][key] for key in ("src_tokens", "src_lengths")}
        kept = {"id": sample["id"], "nsentences": len(batch), "net_input": net_input}
        rows = sample["id"].tolist()  # sorted by length
        return kept, [rows.index(number) for number in batch.ids]

    def translate(self, prepared: tuple[dict[str, Any], list[int]]) -> Sequence[Tensor]:
        """Decode, including copies to and from an accelerator, which a user waits for too."""
        sample, order = prepared
        if self.device == "cuda":
            sample = utils.move_to_cuda(sample)
        hypotheses = self.task.inference_step(self.generator, [self.model], sample)
        return [hypotheses[row][0]["tokens"].cpu() for row in order]

    def phases(self) -> Mapping[str, Sequence[tuple[object, str]]]:
        """The parts of each kind of generator; all else they do counts as the rest."""
        generator, model = self.generator, self.model
        if getattr(generator, "native", None) is not None:
            return {}  # one call does all
        if hasattr(generator, "predict_codes"):  # latent transformer
            parts = {
                "encoder": [(generator, "encode")],
                "latent predictor": [(generator, "predict_codes")],
                "decoder": [(generator, "write")],
            }
            teacher = getattr(generator, "teacher", None)
            return parts if teacher is None else parts | {"rescoring": [(generator, "rescore")]}
        if hasattr(generator, "texts"):  # no latents
            return {"encoder": [(generator, "encode")], "decoder": [(generator, "decode")]}
        if hasattr(model, "initialize_output_tokens"):  # fairseq's non-autoregressive models
            return {
                "encoder": [(model, "forward_encoder")],
                "length predictor": [(model, "initialize_output_tokens")],
                "decoder": [(model, "forward_decoder")],
            }
        ensemble = generator.model
        return {"encoder": [(ensemble, "forward_encoder")], "decoder": [(ensemble, "forward_decoder")]}


def generation(spec: SystemSpec) -> GenerationConfig:
    """The same settings as fairseq-generate's options.

    One-shot decoding of ``translation_lev`` is ``iter_decode_max_iter=0``: IterativeRefinementGenerator makes
    max_iter + 1 passes, fewer if nothing changes anymore, unless ``iter_decode_force_max_iter``.
    """
    renamed = {"iter": "iter_decode_max_iter"}
    values = {renamed.get(key, key): value for key, value in spec.decoding().items()}
    settings = GenerationConfig()
    for key in values.keys() & vars(settings).keys():
        setattr(settings, key, values[key])
    if spec.iter is not None and spec.beam is not None:
        settings.iter_decode_with_beam = spec.beam
    return settings


def _check_settings(spec: SystemSpec, loaded: LoadedModel) -> None:
    task = loaded.task_name
    refuse_useless(spec, f"task {task}", SETTINGS.get(task, SETTINGS["translation"]) | {"task"})
    if task in NAT_TASKS and spec.iter is None:
        raise UserError(
            f"system {spec.name}: task {task} needs iter=N, refinements after the first pass: 0 for "
            "one-shot models, 10 is fairseq-generate's default for the others"
        )
    iterative = hasattr(loaded.model, "initialize_output_tokens")
    stepwise = isinstance(loaded.model, FairseqEncoderDecoderModel) and not iterative
    if not {**dict.fromkeys(NAT_TASKS, iterative), "latent_translation": not iterative}.get(task, stepwise):
        raise UserError(f"system {spec.name}: a {loaded.arch} does not decode with task {task}")
    if spec.rescore_with not in (None, HELPER) and not checkpoint_file(Path(spec.rescore_with)).is_file():
        raise UserError(f"system {spec.name}: rescore_with={spec.rescore_with}: no such file or model folder")
