"""``--task nat_translation``: fairseq's own non-autoregressive models under the same conditions as ours."""

from dataclasses import dataclass

from fairseq.tasks import register_task
from fairseq.tasks.translation_lev import TranslationLevenshteinConfig, TranslationLevenshteinTask

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
