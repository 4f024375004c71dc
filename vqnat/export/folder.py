"""A checkpoint as a folder that :class:`vqnat_serving.OnnxTranslator` reads."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from omegaconf import OmegaConf

import vqnat
from vqnat.checkpoints.reading import checkpoint_file
from vqnat.errors import UserError
from vqnat.export.example_inputs import examples
from vqnat.export.graphs import graphs_of
from vqnat.export.lexical_shortlist import write_shortlist
from vqnat.export.onnx_files import TOLERANCE, fp32_model, largest_difference, save, versions
from vqnat.export.row_int8 import quantize_linear_maps
from vqnat.hub.translator import LatentTranslator
from vqnat.kernels.packed_linear import Int8Linear, PackedLinear
from vqnat.models.latent_transformer import LatentTransformer
from vqnat.models.native_weights import native_sizes, native_weights
from vqnat.models.parallel_transformer import ParallelTransformer
from vqnat.records.atomic import replacing_folder
from vqnat.records.checksums import sha256
from vqnat_serving.description import NAME, Description
from vqnat_serving.model_folder import SENTENCEPIECE
from vqnat_serving.native.engine import OUTPUT_LAYERS
from vqnat_serving.native.weights import FILE, write_weights
from vqnat_serving.pieces import Words
from vqnat_serving.vocabulary import SPECIALS

MODELS = {"fp32": lambda model: model, "int8": quantize_linear_maps}  # from the fp32 model


def export(
    translator: LatentTranslator,
    checkpoint: Path,
    out: Path,
    precisions: Sequence[str] = ("fp32", "int8"),
    shortlist: Path | None = None,
) -> None:
    """Write graphs, dictionaries, the sentencepiece model and ``export.json``; the folder appears whole.

    Args:
        translator: a latent or parallel transformer on the CPU in float32, loaded with ``packed=False``.
        checkpoint: the file it was loaded from.
        out: folder to write; an earlier export there is replaced.
        precisions: which models to write, of :data:`vqnat_serving.description.PRECISIONS`.
        shortlist: a binarized folder from whose training set to make a shortlist; None: none is made.

    Raises:
        UserError: not such a model, or a prepacked one; text that the runner cannot cut into pieces; a folder that is
            not in the model's symbols; or ``out`` exists and is no export.
    """
    check_exportable(translator, checkpoint)
    check_replaceable(out)
    try:
        with replacing_folder(out) as temporary:
            description = write_export(translator, checkpoint, temporary, precisions, shortlist)
            translator.task.source_dictionary.save(str(temporary / description.source_dictionary))
            translator.task.target_dictionary.save(str(temporary / description.target_dictionary))
            if translator.sentencepiece:
                shutil.copyfile(translator.sentencepiece, temporary / SENTENCEPIECE)
            files = {p.relative_to(temporary).as_posix(): sha256(p) for p in temporary.rglob("*.*") if p.is_file()}
            replace(description, files={name: files[name] for name in sorted(files) if name != NAME}).write(temporary)
    except OSError as error:
        raise UserError(f"{out}: cannot be written ({error.strerror})") from error


def check_exportable(translator: LatentTranslator, checkpoint: Path) -> None:
    """Raises UserError unless the model can be exported and the runner can cut its text."""
    model = translator.model
    if not isinstance(model, LatentTransformer | ParallelTransformer):
        raise UserError(f"{checkpoint}: not a latent or parallel transformer; only these can be exported")
    if any(isinstance(module, PackedLinear | Int8Linear) for module in model.modules()):
        raise UserError(f"{checkpoint}: was loaded packed for this processor; export needs packed=False")
    if translator.sentencepiece is None and not isinstance(translator.pieces, Words):
        raise UserError("the runner knows sentencepiece only: export with bpe 'none', and give it text in pieces")
    if translator.task.cfg.dag_search == "beam":
        raise UserError("--dag-search beam: a graph returns one successor per vertex; choose from: greedy, lookahead")


def write_export(
    translator: LatentTranslator,
    checkpoint: Path,
    folder: Path,
    precisions: Sequence[str],
    shortlist: Path | None = None,
) -> Description:
    """Write graphs, shortlist and ``export.json`` into a folder that is there, but no dictionaries.

    Raises:
        OSError: it cannot be written.
        UserError: the folder for the shortlist is missing, or not in the model's symbols.
    """
    model, task = translator.model, translator.task
    if shortlist is not None:
        if model.output_layer.name not in OUTPUT_LAYERS:
            valid = ", ".join(OUTPUT_LAYERS)
            raise UserError(
                f"--shortlist {shortlist}: not for the output layer {model.output_layer.name}; valid: {valid}"
            )
        always = sorted({*range(len(SPECIALS))} - {*model.output_layer.forbidden})
        symbols = task.source_dictionary.symbols, task.target_dictionary.symbols
        write_shortlist(folder, shortlist, *symbols, always)
    write_models(model, list(model.output_layer.forbidden), folder, precisions)
    description = describe(translator, checkpoint, precisions)
    description.write(folder)
    return description


def check_replaceable(out: Path) -> None:
    """Raises UserError when ``out`` is anything but new, empty or an earlier export."""
    if not out.exists():
        return
    if not out.is_dir() or (any(out.iterdir()) and not (out / NAME).is_file()):
        raise UserError(f"{out}: exists and is no export; give a new folder")


def write_models(
    model: LatentTransformer | ParallelTransformer, forbidden: list[int], folder: Path, precisions: Sequence[str]
) -> None:
    """Export every graph, check it against torch, quantize it; then the weights for the runner's own engine."""
    graphs = graphs_of(model, forbidden)
    traced = examples(model, batch=3, source=7, codes=5)
    # Other sizes, and so other padding, than it was traced with.
    checks = [examples(model, *sizes) for sizes in ((2, 1, 1, 1), (4, 11, 2, 3))]
    for part, graph in graphs.items():
        made = fp32_model(graph.eval(), traced[part])
        for check in checks:
            difference = largest_difference(graph, check[part], made)
            if not difference < TOLERANCE:
                raise RuntimeError(f"the exported {part} differs from torch by {difference:.1e}: do not use it")
        for precision in precisions:
            model_of = MODELS[precision]
            save(model_of(made), traced[part].turn, folder / Description.model_file(precision, part))
    if model.output_layer.name in OUTPUT_LAYERS:
        sizes = native_sizes(model)
        for precision in precisions:
            write_weights(folder / precision / FILE, sizes, native_weights(model, precision == "int8"))


def describe(translator: LatentTranslator, checkpoint: Path, precisions: Sequence[str]) -> Description:
    """What the runner has to know, and where the model comes from."""
    model, task = translator.model, translator.task
    latents = isinstance(model, LatentTransformer)
    shape = model.predictor.stack.shape if latents else None
    upsample = model.decoder.upsample.factor
    languages = (task.cfg.source_lang, task.cfg.target_lang)
    about = {
        "checkpoint": checkpoint.name,
        "checkpoint_sha256": sha256(checkpoint_file(checkpoint)),
        "options": OmegaConf.to_container(OmegaConf.create(model.config)),
        "versions": {"vqnat": vqnat.__version__, **versions()},
    }
    return Description(
        source_lang=languages[0],
        target_lang=languages[1],
        source_dictionary=f"dict.{languages[0]}.txt",
        target_dictionary=f"dict.{languages[1]}.txt",
        sentencepiece=SENTENCEPIECE if translator.sentencepiece else None,
        stride=model.stride if latents else 1,
        end=model.predictor.end if latents else 0,
        max_codes=model.max_codes if latents else 0,
        max_source_tokens=translator.max_source_tokens,
        length_mode=model.config.length_mode if latents else "",
        length_ratio=model.config.length_ratio if latents else 0.0,
        cache=(shape.layers, shape.heads, shape.dim // shape.heads) if latents else (0, 0, 0),
        precisions=tuple(precisions),
        about=about,
        latents=latents,
        output_layer=model.output_layer.name,
        expectation=latents and model.config.decoder_reads == "expectation",
        upsample=(upsample.numerator, upsample.denominator),
    )
