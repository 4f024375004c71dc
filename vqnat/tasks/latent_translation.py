"""``--task latent_translation``: training and decoding of our models; fairseq's own models work with it too."""

from dataclasses import dataclass, field
from functools import partial
from typing import Optional

import torch
from fairseq import checkpoint_utils
from fairseq.tasks import register_task
from fairseq.tasks.translation import TranslationConfig, TranslationTask

from vqnat.choices import DECODE_ENGINES
from vqnat.decoding.latent_generator import LatentGenerator
from vqnat.decoding.native_decoder import NativeDecoder
from vqnat.decoding.parallel_generator import ParallelGenerator
from vqnat.decoding.rescoring import HELPER
from vqnat.errors import UserError
from vqnat.models.compilation import compile_layers
from vqnat.models.latent_transformer import LatentTransformer
from vqnat.models.parallel_transformer import ParallelTransformer
from vqnat.output_layers.ctc import CTCLayer
from vqnat.output_layers.dag import DAGLayer, check_search
from vqnat.output_layers.output_layer import OutputLayer
from vqnat.tasks.autocast import Autocast, AutocastConfig
from vqnat.tasks.checked_data import CheckedData
from vqnat.tasks.checked_model import CheckedModel
from vqnat.tasks.codebook_updates import CodebookUpdates
from vqnat.tasks.collapse import CollapseConfig, CollapseWatch
from vqnat.tasks.fast_dropout import use_fast_dropout
from vqnat.tasks.reliable_batches import ReliableBatches
from vqnat.tasks.starting_from import TeacherStart, TeacherStartConfig

# Options of fairseq-generate without meaning if all tokens are decoded at once: name -> neutral value.
_UNAVAILABLE = {
    "sampling": False,
    "diverse_beam_groups": -1,
    "diversity_rate": -1.0,
    "match_source_len": False,
    "prefix_size": 0,
    "constraints": None,
    "no_repeat_ngram_size": 0,
    "lm_path": None,
    "print_alignment": None,
}


@dataclass
class LatentTranslationConfig(CollapseConfig, AutocastConfig, TeacherStartConfig, TranslationConfig):
    """Options of ``--task latent_translation``: those of ``translation`` and a few more."""

    rescore_with: Optional[str] = field(  # noqa: UP045  (fairseq's parser does not read `str | None`)
        default=None,
        metadata={
            "help": "what rescores the --beam candidates: the checkpoint of an autoregressive teacher, or 'helper', "
            "the model's own autoregressive decoder (trained with --helper-layers)"
        },
    )
    ctc_blank_penalty: float = field(
        default=0.0,
        metadata={
            "help": "with --output-layer ctc: subtracted from the blank's log-probability in decoding; larger values "
            "make longer texts (tune it on a validation set until texts are as long as the references)"
        },
    )
    dag_search: str = field(
        default="lookahead",
        metadata={
            "help": "with --output-layer dag: greedy (best vertex), lookahead (best vertex and word together), beam "
            "(sums over paths with equal words)"
        },
    )
    dag_beam: int = field(
        default=4,
        metadata={"help": "with latents and --dag-search beam: texts kept for each code sequence (without: --beam)"},
    )
    train_compile: bool = field(
        default=False,
        metadata={
            "help": "for fairseq-train: torch.compile the Transformer layers; needs a C++ compiler and takes a minute "
            "or two before the first update; measure before you use it (scripts/benchmark_training.py)"
        },
    )
    decode_precision: Optional[str] = field(  # noqa: UP045
        default=None,
        metadata={
            "help": "for fairseq-generate and fairseq-interactive: fp32, bf16 (faster on GPUs and CPUs with bfloat16 "
            "instructions), fp16 (GPUs; the same as --fp16), int8_dynamic (CPUs; a translation may then depend on its "
            "batch); default: fp32, or as --fp16 says"
        },
    )
    decode_engine: str = field(
        default="torch",
        metadata={
            "help": "for fairseq-generate and fairseq-interactive: torch, or native: greedy search (--beam 1) on a CPU "
            "in fp32 by the compiled engine of the runner, several times as fast for small models"
        },
    )
    decode_compile: bool = field(
        default=False,
        metadata={
            "help": "for fairseq-generate and fairseq-interactive: torch.compile; needs a C++ compiler and takes "
            "minutes for the first sentences; measure before you use it"
        },
    )
    decode_cuda_graphs: bool = field(
        default=False,
        metadata={
            "help": "for fairseq-generate and fairseq-interactive on a GPU: record greedy search in CUDA graphs, once "
            "for each shape of a batch, and replay them for batches of up to 16 sentences; measure before you use it"
        },
    )


@register_task("latent_translation", dataclass=LatentTranslationConfig)
class LatentTranslationTask(
    CheckedModel, CollapseWatch, CodebookUpdates, CheckedData, ReliableBatches, Autocast, TeacherStart, TranslationTask
):
    """As ``translation``, with latent decoding and the codebook's update once per optimizer step."""

    def build_model(self, cfg, from_checkpoint=False):
        """As fairseq's, then made faster for training; a model that is loaded from a checkpoint stays as it is."""
        model = super().build_model(cfg, from_checkpoint)
        if not from_checkpoint:
            use_fast_dropout(model)
        if self.cfg.train_compile and not from_checkpoint and not compile_layers(model):
            raise UserError(
                "--train-compile: only with --arch latent_transformer, parallel_transformer and their presets"
            )
        return model

    def build_generator(self, models, args, seq_gen_cls=None, extra_gen_cls_kwargs=None, prefix_allowed_tokens_fn=None):
        """Our generators for our models, which write all tokens at once; fairseq's own for other models."""
        if not isinstance(models[0], LatentTransformer | ParallelTransformer):
            return super().build_generator(models, args, seq_gen_cls, extra_gen_cls_kwargs, prefix_allowed_tokens_fn)
        if len(models) > 1:
            raise UserError(f"--path names {len(models)} checkpoints: parallel models cannot be mixed; give one")
        for option, neutral in _UNAVAILABLE.items():
            value = getattr(args, option, neutral)
            if value not in (neutral, None):
                raise UserError(
                    f"--{option.replace('_', '-')} {value}: not available with a latent transformer, "
                    "which decodes all words at once"
                )
        if getattr(args, "score_reference", False):
            raise UserError("--score-reference: not available with a latent transformer; fairseq-validate gives losses")
        beam, nbest = getattr(args, "beam", 1), getattr(args, "nbest", 1)
        if beam < 1 or nbest > beam:
            raise UserError(f"--beam {beam} --nbest {nbest}: needed 1 <= nbest <= beam")
        if self.cfg.dag_beam < 1:
            raise UserError(f"--dag-beam {self.cfg.dag_beam} is not possible; valid: 1 or more")
        by_helper = self.cfg.rescore_with == HELPER
        if by_helper and getattr(models[0], "helper", None) is None:
            raise UserError("--rescore-with helper: this model was trained without one (--helper-layers 0)")
        layer = models[0].output_layer
        self.set_search(layer)
        if isinstance(models[0], LatentTransformer):
            kind = partial(LatentGenerator, word_beam=self.cfg.dag_beam, by_helper=by_helper)
        elif nbest > 1 and layer.choices == 1:
            raise UserError(
                f"--nbest {nbest}: without latents only --output-layer dag with --dag-search beam has more than one "
                "hypothesis"
            )
        else:
            kind = ParallelGenerator
        unk_penalty = getattr(args, "unkpen", 0.0)
        return kind(
            models[0],
            self.target_dictionary,
            beam=beam,
            length_penalty=getattr(args, "lenpen", 1.0),
            max_len_a=getattr(args, "max_len_a", 0.0),
            max_len_b=getattr(args, "max_len_b", 200),
            unk_penalty=unk_penalty,
            teacher=self._teacher(models[0]) if self.cfg.rescore_with and not by_helper else None,
            native=self._native(models[0], beam, unk_penalty),
        )

    def _native(self, model: LatentTransformer | ParallelTransformer, beam: int, unk_penalty: float):
        engine = self.cfg.decode_engine
        if engine not in DECODE_ENGINES:
            raise UserError(f"--decode-engine {engine} is not possible; valid: {', '.join(DECODE_ENGINES)}")
        if engine == "torch":
            return None
        if self.cfg.rescore_with == HELPER:
            raise UserError("--rescore-with helper: not with --decode-engine native")
        if isinstance(model, LatentTransformer) and beam > 1:
            raise UserError(f"--beam {beam}: --decode-engine native searches greedily; give --beam 1")
        return NativeDecoder(model, self.target_dictionary.unk(), unk_penalty, torch.get_num_threads())

    def set_search(self, layer: OutputLayer) -> None:
        """Make an output layer search as the options say.

        Raises:
            UserError: an unknown search, or an option of another layer.
        """
        check_search(self.cfg.dag_search)
        penalty = self.cfg.ctc_blank_penalty
        if isinstance(layer, CTCLayer):
            layer.penalize_blanks(penalty)
        elif penalty:
            message = f"--ctc-blank-penalty {penalty:g}: only with --output-layer ctc"
            raise UserError(f"{message}, this model has {layer.name}")
        if isinstance(layer, DAGLayer):
            layer.how = self.cfg.dag_search

    def _teacher(self, model: LatentTransformer | ParallelTransformer):
        models, _ = checkpoint_utils.load_model_ensemble([self.cfg.rescore_with], task=self)
        parameter = next(model.parameters())
        teacher = models[0].to(device=parameter.device, dtype=parameter.dtype)
        return teacher.eval()
