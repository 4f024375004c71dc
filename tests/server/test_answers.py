"""What the API answers, through a real process: the same as the runner in process."""

import json
import shutil

import pytest
from serving_process import Served

from vqnat_serving import OnnxTranslator
from vqnat_serving.checksums import sha256
from vqnat_serving.model_folder import ModelFolder

pytestmark = pytest.mark.slow

LINE = "one two three four five"


@pytest.fixture(scope="module")
def runner(model):
    return OnnxTranslator(model.folder)


def texts(answer):
    return [[one["text"] for one in row["candidates"]] for row in answer["translations"]]


def test_texts_in_order(server, runner, model):
    assert server.post("/translate", text=LINE) == {
        "translations": [{"candidates": [{"text": runner.translate([LINE])[0]}]}]
    }
    lines = [line for line in model.sentences if len(line.split()) < 50]
    assert texts(server.post("/translate", text=lines)) == [[text] for text in runner.translate(lines)]
    assert texts(server.post("/translate", text=["", " \t", LINE])) == [[""], [""], runner.translate([LINE])]


def test_candidates_scores_and_codes(server, runner):
    lines = [LINE, "nine nine", ""]
    found = server.post("/translate", text=lines, beam=4, n_best=3, scores=True, codes=True)
    expected = runner.hypotheses(lines, beam=4, n_best=3)
    for row, hypotheses in zip(found["translations"], expected, strict=True):
        assert [one["text"] for one in row["candidates"]] == [one.text for one in hypotheses]
        assert [tuple(one["codes"]) for one in row["candidates"]] == [one.codes or () for one in hypotheses]
        scores = [one["score"] for one in row["candidates"]]
        assert scores == pytest.approx([one.score for one in hypotheses], abs=1e-3)


def test_given_codes_and_their_words(server, runner):
    [found] = server.post("/translate", text=LINE, codes=True, scores=True, alignment=True)["translations"]
    [first] = found["candidates"]
    again = server.post(
        "/translate", text=[LINE], given_codes=[first["codes"]], codes=True, scores=True, alignment=True
    )
    [same] = again["translations"][0]["candidates"]
    assert {**same, "score": None} == {**first, "score": None}
    assert same["score"] == pytest.approx(first["score"], abs=1e-4)
    words = first["alignment"]["words"]
    assert [first["text"][word["start"] : word["end"]] for word in words] == first["text"].split()
    # Two words a code, and the model writes one word for one word.
    assert [word["codes"] for word in words] == [[place // 2] for place in range(5)]
    # The codes of another sentence.
    other = "nine eight seven six five"
    [theirs] = server.post("/translate", text=other, codes=True)["translations"][0]["candidates"]
    [swapped] = server.post("/translate", text=LINE, given_codes=theirs["codes"])["translations"][0]["candidates"]
    assert swapped["text"] == runner.from_codes([LINE], [theirs["codes"]])[0].text != first["text"]


def test_other_codes_for_a_place(server):
    [first] = server.post("/translate", text=LINE, codes=True)["translations"][0]["candidates"]
    found = server.post("/codes", text=LINE, codes=first["codes"], place=1, count=5)
    assert found["place"] == 1 and len(found["proposals"]) == 5
    shares = [one["probability"] for one in found["proposals"]]
    assert shares == sorted(shares, reverse=True) and 0 < sum(shares) < 1.001
    # The search was greedy, so what it chose is the most probable.
    assert found["proposals"][0]["code"] == first["codes"][1]
    assert found["proposals"][0]["candidate"]["text"] == first["text"]
    for one in found["proposals"]:
        codes = [first["codes"][0], one["code"], *first["codes"][2:]]
        [direct] = server.post("/translate", text=LINE, given_codes=codes, codes=True)["translations"][0]["candidates"]
        assert (direct["text"], direct["codes"]) == (one["candidate"]["text"], one["candidate"]["codes"])


def test_step_by_step(server, runner):
    found = server.post("/explain", text=LINE)
    assert found["source"] == [*LINE.split(), "</s>"]
    assert found["candidate"]["text"] == runner.translate([LINE])[0]
    assert [step[0]["code"] for step in found["steps"]] == found["candidate"]["codes"]
    positions = found["candidate"]["alignment"]["positions"]
    kept = [one["piece"] for one in positions if one["kept"]]
    assert " ".join(kept) == found["candidate"]["text"]
    assert [one["code"] for one in positions] == [place // 2 for place in range(len(positions))]
    swapped = server.post("/explain", text=LINE, codes=found["candidate"]["codes"][::-1])
    assert swapped["candidate"]["codes"] == found["candidate"]["codes"][::-1]


def test_times_without_a_teacher(server, runner):
    found = server.post("/compare", text=LINE)
    assert found["model"]["text"] == runner.translate([LINE])[0] and "teacher" not in found
    assert found["model"]["ms"] > 0 and "fp32, 1 thread" in found["model"]["how"]


def test_what_is_served(server):
    found = server.ask("GET", "/model").json
    assert (found["source_lang"], found["target_lang"], found["words_per_code"]) == ("en", "de", 2)
    assert found["codebook"] == 64 and found["likely_codes"] and not found["teacher"]
    assert server.ask("GET", "/healthz").content == b"ok\n"
    assert server.ask("GET", "/readyz").status == 200


def test_openapi_describes_every_address(server):
    api = server.ask("GET", "/openapi.json").json
    assert set(api["paths"]) == {
        *("/translate", "/codes", "/explain", "/compare", "/model"),
        *("/healthz", "/readyz", "/metrics"),
    }
    assert {"413", "422", "503"} <= api["paths"]["/translate"]["post"]["responses"].keys()
    fields = api["components"]["schemas"]["TranslateRequest"]["properties"]
    assert all(field.get("description") for field in fields.values())


def test_batches_change_no_answer(model, runner):
    lines = [line for line in model.sentences if 0 < len(line.split()) < 50]
    expected = [runner.hypotheses([line], beam=2)[0][0] for line in lines]
    with Served(model.folder, "--batch-wait", 300) as server:
        found = server.together([{"text": line, "beam": 2, "scores": True} for line in lines])
        assert server.metric('vqnat_batch_sentences_bucket{le="1.0"}') < server.metric("vqnat_batch_sentences_count")
        assert server.metric("vqnat_batch_sentences_count") < len(lines) / 2
        assert server.metric("vqnat_sentences_total") == len(lines)
    for answer, hypothesis in zip(found, expected, strict=True):
        [one] = answer.json["translations"][0]["candidates"]
        assert one["text"] == hypothesis.text
        assert one["score"] == pytest.approx(hypothesis.score, abs=1e-3)


def test_metrics_count_by_address_and_status(server):
    before = server.metric('vqnat_requests_total{path="/translate",status="200"}')
    server.post("/translate", text=LINE)
    assert server.metric('vqnat_requests_total{path="/translate",status="200"}') == before + 1
    server.ask("GET", "/nowhere/at/all")
    assert server.metric('vqnat_requests_total{path="other",status="404"}') >= 1
    assert b"nowhere" not in server.ask("GET", "/metrics").content


def test_a_model_folder_and_the_words_of_its_codes(model, tmp_path):
    shutil.copytree(model.folder, tmp_path / "onnx")
    words = {
        "format": "vqnat-code-words-1",
        "codes": {str(code): [["eins zwei", 3], ["null", 1]] for code in range(64)},
    }
    (tmp_path / "code_words.json").write_text(json.dumps(words))
    files = {str(path.relative_to(tmp_path)): sha256(path) for path in tmp_path.rglob("*") if path.is_file()}
    about = ModelFolder(tmp_path, "latent_transformer", "digits", "en", "de", "tiny", {}, files=files)
    (tmp_path / "config.json").write_text(about.to_json())
    with Served(tmp_path) as server:
        assert server.ask("GET", "/model").json["name"] == "digits"
        [first] = server.post("/translate", text=LINE, codes=True)["translations"][0]["candidates"]
        found = server.post("/codes", text=LINE, codes=first["codes"], place=0, count=2)
        assert [one["often"] for one in found["proposals"]] == 2 * [["eins zwei", "null"]]
