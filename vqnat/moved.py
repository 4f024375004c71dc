"""Module paths and names of version 0.1 that still work, with a warning, until 0.3."""

import importlib
import sys
import warnings
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

# Old module -> where its names are now.
MODULES: dict[str, tuple[str, ...]] = {
    "vqnat.argmax": ("vqnat.kernels.argmax",),
    "vqnat.averaging": (
        "vqnat.checkpoints.averaging",
        "vqnat.checkpoints.reading",
    ),
    "vqnat.benchmarking.clock": (
        "vqnat.benchmarking.harness.clock",
        "vqnat.benchmarking.harness.device",
    ),
    "vqnat.benchmarking.command": (
        "vqnat.commands.latency",
        "vqnat.benchmarking.latency",
        "vqnat.benchmarking.latency_options",
    ),
    "vqnat.benchmarking.ctranslate2_system": ("vqnat.benchmarking.engines.ctranslate2_system",),
    "vqnat.benchmarking.fairseq_system": ("vqnat.benchmarking.engines.fairseq_system",),
    "vqnat.benchmarking.forced": ("vqnat.benchmarking.engines.forced_lengths",),
    "vqnat.benchmarking.loading": ("vqnat.benchmarking.engines.system_loading",),
    "vqnat.benchmarking.memory": ("vqnat.benchmarking.harness.memory",),
    "vqnat.benchmarking.onnx_system": ("vqnat.benchmarking.engines.onnx_system",),
    "vqnat.benchmarking.phases": ("vqnat.benchmarking.harness.phases",),
    "vqnat.benchmarking.plot": ("vqnat.benchmarking.reports.latency_plot",),
    "vqnat.benchmarking.rendering": ("vqnat.benchmarking.reports.benchmark_markdown",),
    "vqnat.benchmarking.report": (
        "vqnat.benchmarking.harness.records",
        "vqnat.benchmarking.reports.latency_tables",
    ),
    "vqnat.benchmarking.sentences": ("vqnat.benchmarking.harness.sentences",),
    "vqnat.benchmarking.specs": ("vqnat.benchmarking.engines.system_specs",),
    "vqnat.benchmarking.statistics": ("vqnat.benchmarking.harness.latency_statistics",),
    "vqnat.benchmarking.training": (
        "vqnat.benchmarking.training_speed",
        "vqnat.benchmarking.engines.trainer_system",
        "vqnat.benchmarking.harness.device",
    ),
    "vqnat.benchmarking.untrained": ("vqnat.benchmarking.engines.untrained",),
    "vqnat.bottlenecks.assignment": ("vqnat.kernels.nearest",),
    "vqnat.bottlenecks.bits": ("vqnat.bottlenecks.core.bits",),
    "vqnat.bottlenecks.bottleneck": ("vqnat.bottlenecks.core.bottleneck",),
    "vqnat.bottlenecks.codebook": ("vqnat.bottlenecks.em",),
    "vqnat.bottlenecks.collectives": ("vqnat.bottlenecks.core.collectives",),
    "vqnat.bottlenecks.estimator": ("vqnat.bottlenecks.core.estimator",),
    "vqnat.bottlenecks.full_precision": ("vqnat.bottlenecks.core.full_precision",),
    "vqnat.bottlenecks.gradient_codebook": (
        "vqnat.bottlenecks.core.gradient_codebook",
        "vqnat.bottlenecks.vq",
        "vqnat.bottlenecks.core.options",
    ),
    "vqnat.bottlenecks.hard_em": ("vqnat.bottlenecks.em",),
    "vqnat.bottlenecks.kmeans": ("vqnat.bottlenecks.core.start",),
    "vqnat.bottlenecks.options": ("vqnat.bottlenecks.core.options",),
    "vqnat.bottlenecks.quantiser": ("vqnat.bottlenecks.core.vector_quantizer",),
    "vqnat.bottlenecks.record": ("vqnat.bottlenecks.core.bottleneck",),
    "vqnat.bottlenecks.registry": ("vqnat.bottlenecks.core.registry",),
    "vqnat.bottlenecks.relaxed": ("vqnat.bottlenecks.core.relaxed",),
    "vqnat.bottlenecks.sampling": ("vqnat.kernels.sampling",),
    "vqnat.bottlenecks.schedules": ("vqnat.bottlenecks.core.schedules",),
    "vqnat.bottlenecks.soft_em": ("vqnat.bottlenecks.em",),
    "vqnat.bottlenecks.start": ("vqnat.bottlenecks.core.codebook",),
    "vqnat.bottlenecks.usage": ("vqnat.bottlenecks.core.codebook",),
    "vqnat.criterions.smoothed_cross_entropy": ("vqnat.kernels.smoothed_cross_entropy",),
    "vqnat.criterions.words": ("vqnat.criterions.word_logging",),
    "vqnat.decoding.generator": ("vqnat.decoding.latent_generator",),
    "vqnat.diagnosis.command": ("vqnat.commands.diagnose",),
    "vqnat.diagnosis.data": ("vqnat.diagnosis.pairs",),
    "vqnat.diagnosis.figures": ("vqnat.diagnosis.code_figures",),
    "vqnat.diagnosis.forced": ("vqnat.diagnosis.teacher_forcing",),
    "vqnat.diagnosis.loading": ("vqnat.diagnosis.models",),
    "vqnat.diagnosis.options": ("vqnat.diagnosis.diagnose_options",),
    "vqnat.diagnosis.plot": ("vqnat.reporting.diagnosis_plot",),
    "vqnat.diagnosis.prefix": ("vqnat.diagnosis.given_prefix",),
    "vqnat.diagnosis.rendering": ("vqnat.reporting.diagnosis",),
    "vqnat.diagnosis.sets": ("vqnat.diagnosis.text_sets",),
    "vqnat.diagnosis.texts": ("vqnat.diagnosis.text_measures",),
    "vqnat.distillation.atomic": ("vqnat.records.atomic",),
    "vqnat.distillation.bitext": ("vqnat.data.bitext",),
    "vqnat.distillation.command": (
        "vqnat.commands.distill",
        "vqnat.distillation.distilling",
        "vqnat.checkpoints.user_dir",
    ),
    "vqnat.distillation.figures": ("vqnat.distillation.result_figures",),
    "vqnat.distillation.jobs": ("vqnat.distillation.parallel_shards",),
    "vqnat.distillation.options": ("vqnat.distillation.distill_options",),
    "vqnat.distillation.progress": ("vqnat.distillation.notes", "vqnat.terminal.progress"),
    "vqnat.distillation.vocabulary": ("vqnat.checkpoints.dictionaries",),
    "vqnat.distillation.writing": ("vqnat.distillation.disk_errors",),
    "vqnat.export.fused": ("vqnat.export.fused_attention",),
    "vqnat.export.loops": ("vqnat.export.search_loop",),
    "vqnat.export.searches": ("vqnat.export.search_turns",),
    "vqnat.export.tracing": ("vqnat.export.example_inputs",),
    "vqnat.fairseq_loading": ("vqnat.checkpoints.loading",),
    "vqnat.hub.pieces": ("vqnat.hub.subwords",),
    "vqnat.hub.search": ("vqnat.hub.search_options",),
    "vqnat.image.autoencoder": ("vqnat.image.autoencoders.autoencoder",),
    "vqnat.image.codebooks": ("vqnat.image.autoencoders.codebooks",),
    "vqnat.image.config": ("vqnat.image.autoencoders.autoencoder_config",),
    "vqnat.image.convolutions": ("vqnat.image.autoencoders.convolutions",),
    "vqnat.image.dataset": ("vqnat.image.datasets.image_dataset",),
    "vqnat.image.likelihood": ("vqnat.image.autoencoders.likelihood",),
    "vqnat.image.loading": ("vqnat.image.trained_models",),
    "vqnat.image.prepare": (
        "vqnat.image.datasets.prepare",
        "vqnat.image.datasets.checksums",
    ),
    "vqnat.image.prior": ("vqnat.image.priors.image_prior",),
    "vqnat.image.prior_criterion": ("vqnat.image.training.prior_criterion",),
    "vqnat.image.prior_presets": ("vqnat.image.priors.prior_presets",),
    "vqnat.image.prior_task": ("vqnat.image.training.prior_task",),
    "vqnat.image.report": ("vqnat.image.reports.html_report",),
    "vqnat.image.show": (
        "vqnat.image.reports.image_grids",
        "vqnat.image.reports.model_images",
        "vqnat.image.trained_models",
    ),
    "vqnat.image.sources": ("vqnat.image.datasets.raw_images",),
    "vqnat.image.store": ("vqnat.image.datasets.split_files",),
    "vqnat.image.table": ("vqnat.image.tables",),
    "vqnat.image.table.budget": ("vqnat.image.tables.budget",),
    "vqnat.image.table.columns": ("vqnat.image.tables.columns",),
    "vqnat.image.table.command": ("vqnat.commands.run_workflow",),
    "vqnat.image.table.config": ("vqnat.image.tables.table_config",),
    "vqnat.image.table.measure": ("vqnat.image.tables.validation_figures",),
    "vqnat.image.table.plan": ("vqnat.image.tables.table_commands",),
    "vqnat.image.table.rendering": ("vqnat.image.tables.image_markdown",),
    "vqnat.image.task": ("vqnat.image.training.image_task",),
    "vqnat.image.vae": ("vqnat.image.autoencoders.vae",),
    "vqnat.image.vqvae": ("vqnat.image.autoencoders.vqvae",),
    "vqnat.image.vqvae_criterion": ("vqnat.image.training.vqvae_criterion",),
    "vqnat.image.vqvae_presets": ("vqnat.image.autoencoders.vqvae_presets",),
    "vqnat.image.vqvae_task": ("vqnat.image.training.vqvae_task",),
    "vqnat.models.config": ("vqnat.models.latent_transformer_options",),
    "vqnat.models.helper": ("vqnat.models.autoregressive_helper",),
    "vqnat.models.parallel_config": ("vqnat.models.parallel_transformer_options",),
    "vqnat.models.position_decoder": ("vqnat.models.source_copy_decoder",),
    "vqnat.modules.dropout": ("vqnat.kernels.dropout",),
    "vqnat.modules.linear": ("vqnat.kernels.linear",),
    "vqnat.modules.packed": ("vqnat.kernels.packed_linear",),
    "vqnat.output_layers.base": ("vqnat.output_layers.output_layer",),
    "vqnat.output_layers.log_probs": (
        "vqnat.kernels.word_log_probs",
        "vqnat.output_layers.smoothing",
    ),
    "vqnat.pipeline": ("vqnat.experiments",),
    "vqnat.pipeline.config": ("vqnat.experiments.config",),
    "vqnat.pipeline.figures": ("vqnat.reporting.svg_plots",),
    "vqnat.pipeline.latency": (
        "vqnat.experiments.latency",
        "vqnat.experiments.commands",
    ),
    "vqnat.pipeline.logs": ("vqnat.records.training_logs",),
    "vqnat.pipeline.options": ("vqnat.experiments.program_options",),
    "vqnat.pipeline.reader": ("vqnat.experiments.schema",),
    "vqnat.pipeline.report": ("vqnat.reporting.html_report",),
    "vqnat.pipeline.results": ("vqnat.experiments.results",),
    "vqnat.pipeline.scores": ("vqnat.experiments.scores",),
    "vqnat.pipeline.seed_tables": ("vqnat.reporting.seeds",),
    "vqnat.pipeline.tables": (
        "vqnat.reporting.systems",
        "vqnat.reporting.markdown",
        "vqnat.records.tables",
    ),
    "vqnat.pipeline.training": (
        "vqnat.experiments.commands",
        "vqnat.experiments.last_checkpoint",
    ),
    "vqnat.pipeline.translate": (
        "vqnat.experiments.translations",
        "vqnat.experiments.commands",
    ),
    "vqnat.prefetching": ("vqnat.tasks.prefetching",),
    "vqnat.results": (
        "vqnat.records.results",
        "vqnat.records.checksums",
    ),
    "vqnat.safe_loading": ("vqnat.checkpoints.safe_globals",),
    "vqnat.tasks.common": (
        "vqnat.tasks.starting_from",
        "vqnat.tasks.reliable_batches",
        "vqnat.tasks.codebook_updates",
    ),
}

# Old name, with its module where two had the same, -> new name.
NAMES: dict[str, str] = {
    "COLOURS": "COLORS",
    "CodeCounts": "Codebook",
    "Codebook": "VectorCodebook",
    "CodebookConfig": "EMOptions",
    "GradientCodebookConfig": "VQOptions",
    "HardEMConfig": "EMOptions",
    "Loaded": "LoadedModel",
    "NeighbourLinear": "NeighborLinear",
    "PositionDecoder": "SourceCopyDecoder",
    "QuantiserConfig": "QuantizerOptions",
    "RelaxedConfig": "RelaxedOptions",
    "SizeConfig": "SizeOptions",
    "SoftEMConfig": "SoftEMOptions",
    "StartConfig": "StartOptions",
    "TestSet": "Split",
    "VQConfig": "VQOptions",
    "VectorQuantiser": "VectorQuantizer",
    "open_bitext": "open_train_split",
    "open_test_set": "open_split",
    "synchroniser": "synchronizer",
    "use_device": "choose_device",
    "vqnat.averaging.load_checkpoint": "read_checkpoint",
    "vqnat.fairseq_loading.load_checkpoint": "load_model",
}


def install_old_names() -> None:
    """Let the old modules be imported; calling it twice is harmless."""
    if not any(isinstance(finder, _OldModules) for finder in sys.meta_path):
        sys.meta_path.append(_OldModules())  # last: asked only for what does not exist


class _OldModules(MetaPathFinder, Loader):
    """Finds an old module and fills it with a look-up in the new ones."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in MODULES:
            return None
        return ModuleSpec(fullname, self, is_package=any(old.startswith(fullname + ".") for old in MODULES))

    def create_module(self, spec: ModuleSpec) -> None:
        return None  # an empty one

    def exec_module(self, module: ModuleType) -> None:
        old, new = module.__name__, MODULES[module.__name__]
        warnings.warn(f"{old} is now {' and '.join(new)}", DeprecationWarning, stacklevel=2)

        def look_up(name: str) -> object:
            if not name.startswith("__"):
                wanted = NAMES.get(f"{old}.{name}", NAMES.get(name, name))
                for place in map(importlib.import_module, new):
                    if hasattr(place, wanted):
                        return getattr(place, wanted)
            raise AttributeError(f"module {old!r} has no attribute {name!r}")

        module.__getattr__ = look_up  # type: ignore[method-assign]
