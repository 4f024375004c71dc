"""The small model that ships with the package: it is what its checksums say, and it translates its grammar."""

import subprocess
import sys

from bitext import REPO

from vqnat.embedded import right_translation_rate
from vqnat_serving import ModelFolder, OnnxTranslator
from vqnat_serving.model_folder import SMALL_MODEL

SENTENCES = [
    "The old woman wanted to buy three books.",
    "Julia heard that she could call Peter after the party.",
    "This small student will pick up Julia.",
    "Our father told Maria that a teacher wanted to throw away the beautiful bicycle.",
    "We were too ill, when the game began, and we called Peter.",
    "They looked for the old lamps before the meeting.",
]


def test_every_file_is_what_its_checksum_says():
    folder = ModelFolder.read(SMALL_MODEL)
    folder.check()
    there = {path.relative_to(SMALL_MODEL).as_posix() for path in SMALL_MODEL.rglob("*") if path.is_file()}
    assert there == {*folder.files, "config.json", "README.md"}
    assert sum((SMALL_MODEL / name).stat().st_size for name in there) < 10e6
    assert (folder.source_lang, folder.target_lang) == ("en", "de")
    assert folder.code_words() and folder.scores()["rows"][0]["right_translation_rate"] > 0.8


def test_it_translates_the_grammar():
    assert right_translation_rate(SENTENCES, OnnxTranslator().translate(SENTENCES)) >= 5 / 6


def test_a_process_needs_neither_torch_nor_fairseq():
    program = (
        "import sys; from vqnat_serving import OnnxTranslator; print(*OnnxTranslator().translate([sys.argv[1]])); "
        "assert not {'torch', 'fairseq', 'vqnat', 'huggingface_hub'} & set(sys.modules)"
    )
    words = [sys.executable, "-c", program, SENTENCES[0]]
    done = subprocess.run(words, cwd=REPO, capture_output=True, text=True, timeout=60, check=True)
    assert right_translation_rate(SENTENCES[:1], [done.stdout.strip()]) == 1
