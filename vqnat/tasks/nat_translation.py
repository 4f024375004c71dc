"""``--task nat_translation``: fairseq's own non-autoregressive models under the same conditions as ours."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from fairseq.iterative_refinement_generator import IterativeRefinementGenerator
from fairseq.tasks import register_task
from fairseq.tasks.translation_lev import TranslationLevenshteinConfig, TranslationLevenshteinTask

from vqnat.decoding.rescoring import rerank
from vqnat.tasks.autocast import Autocast, AutocastConfig
from vqnat.tasks.checked_data import CheckedData
from vqnat.tasks.reliable_batches import ReliableBatches
from vqnat.tasks.starting_from import TeacherStart, TeacherStartConfig


@dataclass
class NATTranslationConfig(AutocastConfig, TeacherStartConfig, TranslationLevenshteinConfig):
    """Options of ``--task nat_translation``: those of ``translation_lev`` and a few more."""


@register_task("nat_translation", dataclass=NATTranslationConfig)
class NATTranslationTask(CheckedData, ReliableBatches, Autocast, TeacherStart, TranslationLevenshteinTask):
    """``translation_lev`` that skips no sentence and may start from the teacher's encoder."""

    def build_generator(self, models: Sequence[Any], args: Any, **unused: Any) -> IterativeRefinementGenerator:
        """fairseq's, which can also have a teacher choose (``--iter-decode-with-external-reranker``).

        fairseq's own choice fails with every Transformer of today, as it takes what an encoder returns for a tuple; and
        it would show the teacher sources that begin with a symbol which teachers do not know.
        """
        generator = super().build_generator(models, args, **unused)
        generator.rerank = partial(rerank, dictionary=self.target_dictionary)
        return generator
