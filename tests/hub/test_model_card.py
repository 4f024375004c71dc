"""The model card as the Hub reads it, and the scores that it tells."""

import json
import shutil

import folders
import pytest
from bitext import REPO
from huggingface_hub import ModelCard

from vqnat.commands import export
from vqnat.errors import UserError
from vqnat.hub.scores import read_scores
from vqnat_serving import ModelFolder

RESULTS = REPO / "examples" / "quickstart" / "results.json"


def test_the_hub_reads_the_card(latent_folder):
    card = ModelCard.load(latent_folder / "README.md")
    data = card.data
    assert (data.language, data.license, data.datasets) == (["en", "de"], "mit", ["digits"])
    assert {"translation", "latent-transformer", "non-autoregressive"} <= set(data.tags)
    assert data.metrics == ["bleu", "chrf"]
    found = {(one.metric_type, one.metric_value, one.dataset_name) for one in data.eval_results}
    assert found == {("bleu", 98.76, "digits, test set"), ("chrf", 99.5, "digits, test set")}
    assert data.model_name == "digits-latent"
    assert 'translator.translate(["one two three"])' in card.text and "Names of digits." in card.text
    assert "one for 2 target tokens" in card.text


def test_export_tells_the_card_unless_somebody_has_edited_it(onnx_folder, latent_folder, tmp_path, monkeypatch):
    card = (onnx_folder / "README.md").read_text()
    assert "- onnx\n" in card and "from vqnat_serving import OnnxTranslator" in card
    assert "Nothing was measured." in card
    monkeypatch.setattr("vqnat.export.folder.write_models", lambda *arguments: None)  # the graphs take long
    folder = shutil.copytree(latent_folder, tmp_path / "edited")
    (folder / "README.md").write_text("# My words\n")
    folders.done(export, folder, "--precision", "int8")
    assert (folder / "README.md").read_text() == "# My words\n"
    ModelFolder.read(folder).check()  # the card may be edited


def test_scores_of_a_results_file():
    scores = read_scores(RESULTS, "lt_soft_em_distilled")
    results = json.loads(RESULTS.read_text())
    [row] = [row for row in results["systems"] if row["name"] == "lt_soft_em_distilled"]
    assert [one["sacrebleu"] for one in scores["rows"]] == [row["sacrebleu"]]
    assert scores["sentences"] == 500 and scores["measured"]["commit"] == results["commit"]
    assert [one["decoding"] for one in read_scores(RESULTS, "teacher")["rows"]] == [{"beam": 4}, {"beam": 1}]
    assert read_scores(RESULTS, "checkpoint_best", "teacher_greedy")["rows"][0]["decoding"] == {"beam": 1}


@pytest.mark.parametrize(
    ("content", "system", "message"),
    [
        (RESULTS, None, r"no system of training 'average'; choose one with --system: teacher_beam4, "),
        (RESULTS, "lt", r"no system 'lt'; choose one with --system: teacher_beam4, "),
        ("[1]", None, r"not an object with sacrebleu.*: needed an object, found list"),
        ("{", None, r"not an object with sacrebleu.* \(JSONDecodeError\)"),
        ('{"bleu": 3}', None, r"has none of sacrebleu, chrf, right_translation_rate"),
        ('{"chrf": 3}', "lt", r"--system lt: .* has no systems"),
        ('{"systems": [{"name": "lt"}]}', None, r"not an experiment's results.json"),
    ],
)
def test_other_scores_are_refused(tmp_path, content, system, message):
    path = content
    if isinstance(content, str):
        path = tmp_path / "scores.json"
        path.write_text(content)
    with pytest.raises(UserError, match=message) as caught:
        read_scores(path, "average", system)
    assert "\n" not in str(caught.value)
