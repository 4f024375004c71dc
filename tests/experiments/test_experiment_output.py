"""Scores, logs, translations, tables and the report."""

import json
import logging
import os
import runpy
import shutil
import sys
import zipfile
from pathlib import Path

import pytest
import sacrebleu
import sentencepiece
import torch

from vqnat.checkpoints.averaging import last_checkpoints
from vqnat.experiments.last_checkpoint import repair_last_checkpoint
from vqnat.experiments.results import choose_samples, training_facts
from vqnat.experiments.scores import score
from vqnat.experiments.translations import read_hypotheses, read_lines, write_lines
from vqnat.records import training_logs as logs
from vqnat.reporting import markdown
from vqnat.reporting import systems as tables
from vqnat.reporting.html_report import code_counts, write_report

REPOSITORY = Path(__file__).parents[2]
LINE = "2026-11-21 05:37:07 | INFO | {} | {}\n"


def test_scores_of_hand_made_files():
    sources = ["a", "b"]
    references = ["Der Hund sieht die Katze im Garten.", "Heute läuft der Mann nach Hause."]
    perfect = score(sources, references, references, "de")
    assert perfect["sacrebleu"] == pytest.approx(100) and perfect["chrf"] == pytest.approx(100)
    assert "case:mixed" in perfect["signature"] and "tok:13a" in perfect["signature"]
    assert perfect["right_translation_rate"] is None
    lower = score(sources, [line.lower() for line in references], references, "de", lambda s, o: 0.5)
    assert lower["sacrebleu"] < 90
    assert lower["bleu_tokenised_lowercased"]["score"] == pytest.approx(100)
    assert "lower-cased" in lower["bleu_tokenised_lowercased"]["how"]
    assert lower["right_translation_rate"] == 0.5
    with pytest.raises(ValueError, match="2 sources, 1 outputs, 2 references"):
        score(sources, ["x"], references, "de")


def test_scores_of_text_that_is_tokenised():
    references = ["i &apos;m sure it is , as far as i know .", "that &apos;s what we do ."]
    outputs = ["i &apos;m sure it is , as far as we know .", "that 's what we do ."]
    found = score(references, outputs, references, "en", tokenized=True)
    tokens = sacrebleu.corpus_bleu(outputs, [references], tokenize="none", force=True).score
    assert found["sacrebleu"] == pytest.approx(tokens) and "tok:none" in found["signature"]
    assert tokens != pytest.approx(score(references, outputs, references, "en")["sacrebleu"])
    plain = [line.replace("&apos;", "'") for line in references]
    chrf = sacrebleu.corpus_chrf(["i 'm sure it is , as far as we know .", outputs[1]], [plain]).score
    assert found["chrf"] == pytest.approx(chrf)
    assert "bleu_tokenised_lowercased" not in found


def test_notes_and_names_of_scores_stand_at_the_tables(results):
    results |= {"note": "Partial training text.", "tokenised": True}
    for system in results["systems"]:
        system["right_translation_rate"] = None
        del system["bleu_tokenised_lowercased"]
    table = tables.markdown_systems(results)
    assert table.startswith("| system | tokenized BLEU | chrF | ms per sentence |")
    assert "\n\nPartial training text. Latency: " in table
    assert "Partial training text. Latency" in tables.markdown_samples(results)


def test_hypotheses_come_in_the_order_of_the_corpus(tmp_path):
    text = tmp_path / "text"
    text.write_text("Der Hund sieht die Katze.\nDie Katze sieht den Hund.\n" * 20)
    options = {
        "vocab_size": 40,
        "hard_vocab_limit": False,
        "minloglevel": 2,
        "normalization_rule_name": "identity",
    }
    sentencepiece.SentencePieceTrainer.train(input=str(text), model_prefix=str(tmp_path / "spm"), **options)
    model = tmp_path / "spm.model"
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    sentences = ["Der Hund sieht.", "Die Katze", "den Hund"]
    pieces = [" ".join(processor.encode(line, out_type=str)) for line in sentences]
    lines = ["S-2\tx\n", f"H-2\t-0.5\t{pieces[2]}\n", "D-2\t-0.5\tx\n", f"H-0\t-0.1\t{pieces[0]}\n"]
    lines += [f"H-0\t-0.9\t{pieces[1]}\n", f"H-1\t-0.3\t{pieces[1]}\n"]
    assert read_hypotheses(lines, 3, model) == sentences
    assert read_hypotheses(["H-0\t-0.3\t\n"], 1, model) == [""]
    with pytest.raises(ValueError, match="2 of 5 test sentences have no translation: lines 4, 5"):
        read_hypotheses(lines, 5, model)
    write_lines(tmp_path / "a" / "out", ["x", "", "y\u2028z"])
    assert read_lines(tmp_path / "a" / "out") == ["x", "", "y\u2028z"]


def test_logs_are_followed_and_read(tmp_path):
    log = tmp_path / "log"
    follower = logs.Follower(log)
    assert list(follower.new()) == []
    first = LINE.format("train_inner", json.dumps({"loss": "5.5", "num_updates": "2", "wall": "3"}))
    log.write_text("$ fairseq-train\n" + first + first[:40])
    assert [(kind, line["loss"]) for kind, line in follower.new()] == [("train_inner", 5.5)]
    with log.open("a") as file:
        file.write(first[40:] + LINE.format("valid", json.dumps({"valid_loss": "4", "valid_num_updates": "2"})))
        # stopped, begun again from an older checkpoint
        file.write(LINE.format("train_inner", json.dumps({"loss": "5.0", "num_updates": "2", "wall": "9"})))
    assert [kind for kind, _ in follower.new()] == ["train_inner", "valid", "train_inner"]
    found = logs.curves(log)
    assert [line["loss"] for line in found["train_inner"]] == [5.0]
    assert found["valid"] == [{"loss": 4.0, "num_updates": 2.0}]
    assert logs.wall_seconds(log) == 9


def test_the_codes_of_a_training_reach_the_table(tmp_path, results):
    log = tmp_path / "log"
    for n, ups in ((20, "2"), (40, "4"), (60, "3")):
        with log.open("a") as file:
            file.write(LINE.format("train_inner", json.dumps({"num_updates": f"{n}", "ups": ups, "wall": f"{n}"})))
            valid = {"code_ppl": f"{n}.4", "code_use": "0.875", "word_acc": "0.91", "code_acc": "0.5"}
            valid |= {"num_updates": f"{n}", "predictor_loss": "2.345"}
            file.write(LINE.format("valid", json.dumps({f"valid_{name}": value for name, value in valid.items()})))
            distilled = {**valid, "predictor_loss": "1.25"}
            distilled = {f"valid1_{name}": value for name, value in distilled.items()}
            file.write(LINE.format("valid1", json.dumps(distilled)))
    facts = training_facts(log)
    assert facts["updates"] == 60 and facts["seconds"] == 60 and facts["updates_per_second"] == 3
    by_update = facts["codes_by_update"]
    assert by_update["updates"] == [20, 40, 60] and by_update["perplexity"] == [20.4, 40.4, 60.4]
    assert by_update["predictor_bits"] == [2.345] * 3  # not the distilled set's
    results["systems"][-1]["training"] |= facts
    table = tables.markdown_codes(results)
    assert "| lt_soft_em_distilled | 58.2 | 68.2 | 87.5 % | 91.0 % | 50.0 % | 2.35 | 1.25 | 60 | 87.5 % | 3" in table
    assert "teacher" not in table and "| the same, distilled validation set |" in table
    facts["codes_distilled_valid"] = None  # a training on raw text
    results["systems"][-1]["training"] |= facts
    table = tables.markdown_codes(results)
    assert "| 2.35 | 60 |" in table and "distilled validation" not in table
    log.write_text(LINE.format("valid", json.dumps({"valid_loss": "4", "valid_num_updates": "2"})))
    nothing = {"seconds": None, "updates_per_second": None, "codes": None, "codes_distilled_valid": None}
    assert training_facts(log) == {"updates": 2, "codes_by_update": None, **nothing}


def test_a_half_written_last_checkpoint_is_replaced(tmp_path):
    for name, content in (("checkpoint_1_5.pt", "old"), ("checkpoint_1_10.pt", "new")):
        with zipfile.ZipFile(tmp_path / name, "w") as file:
            file.writestr("data", content)
    last = tmp_path / "checkpoint_last.pt"
    last.write_bytes((tmp_path / "checkpoint_1_10.pt").read_bytes()[:50])
    os.utime(tmp_path / "checkpoint_1_5.pt", (1, 1))
    repair_last_checkpoint(tmp_path)
    assert zipfile.ZipFile(last).read("data") == b"new"
    repair_last_checkpoint(tmp_path)
    assert zipfile.ZipFile(last).read("data") == b"new"


def test_checkpoints_of_epochs_are_averaged_where_those_of_updates_are_too_few(tmp_path):
    for name in (
        "checkpoint1.pt",
        "checkpoint2.pt",
        "checkpoint_2_50.pt",
        "checkpoint_best.pt",
        "checkpoint_last.pt",
    ):
        (tmp_path / name).touch()
    assert [path.name for path in last_checkpoints(tmp_path, 2)] == ["checkpoint1.pt", "checkpoint2.pt"]
    (tmp_path / "checkpoint_3_60.pt").touch()
    assert [path.name for path in last_checkpoints(tmp_path, 2)] == ["checkpoint_2_50.pt", "checkpoint_3_60.pt"]


def test_samples_are_spread_over_the_test_set():
    texts = [f"s{n}" for n in range(95)]
    samples = choose_samples(texts, texts, {"x": texts}, 10, lambda s, o: float(s == o))
    assert [sample["line"] for sample in samples] == list(range(5, 95, 9))[:10]
    assert samples[0]["outputs"]["x"] == {"text": "s4", "right": True}
    assert choose_samples(texts, texts, {}, 0, None) == []
    assert len(choose_samples(texts[:3], texts[:3], {}, 10, None)) == 3


@pytest.fixture
def render(monkeypatch):
    """scripts/render_tables.py in this process: a fresh one would spend its time importing torch."""

    def render(*words: object) -> int:
        monkeypatch.setattr(sys, "argv", ["render_tables.py", *map(str, words)])
        monkeypatch.syspath_prepend(REPOSITORY / "scripts")  # as for any program
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(REPOSITORY / "scripts" / "render_tables.py"), run_name="__main__")
        logging.disable(logging.NOTSET)
        return ended.value.code

    return render


def test_tables_in_markdown_are_filled_and_checked(tmp_path, results, render, capsys):
    (tmp_path / "results.json").write_text(json.dumps(results))
    readme = tmp_path / "README.md"
    readme.write_text(
        "# Title\n\n<!-- results: results.json systems -->\n<!-- end -->\nbetween\n"
        "<!-- results: results.json samples -->\nold\n<!-- end -->\nafter\n"
    )
    assert render("--check", readme) == 1
    assert "out of date" in capsys.readouterr().err
    assert render(readme) == 0
    text = readme.read_text()
    assert "| lt_soft_em_distilled | 58.2 | 68.2 | 87.5 % | 8.0 | 5.00× (4.9–5.1) | 3.75× |" in text
    assert "Some CPU, 2 cores, commit 0123456789ab, seed 1, 2026-11-21" in text and "words and more" in text
    assert "| reference | Der Hund. |" in text and "| ✗ Ausgabe &lt;teacher_greedy&gt; &#124; § |" in text
    assert "\nbetween\n" in text and text.endswith("after\n") and "old" not in text
    assert render("--check", readme) == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "<!-- results: results.json rows -->\n<!-- end -->",
            "'rows' is not valid; must be one of systems, samples, codes",
        ),
        ("<!-- results: results.json systems -->\nno end", "without a line '<!-- end -->'"),
        ("<!-- results: gone.json systems -->\n<!-- end -->", "gone.json"),
    ],
)
def test_wrong_markers(tmp_path, results, text, message):
    (tmp_path / "results.json").write_text(json.dumps(results))

    def load(name):
        return json.loads((tmp_path / name).read_text())

    with pytest.raises((ValueError, OSError), match=message.replace("|", r"\|")):
        markdown.fill_markdown(text, load, tables.TEMPLATES)


def test_text_for_the_terminal(results):
    table = tables.text_table(results).splitlines()
    assert len({len(line) for line in table}) == 1 and table[0].startswith("system ")
    assert "87.5 %" in table[-1]
    samples = tables.text_samples(results, 60)
    assert "✗ Ausgabe <teacher_greedy>" in samples and "reference" in samples
    for system in results["systems"]:
        system["right_translation_rate"] = None
    assert "right translations" not in tables.text_table(results)
    assert "tokenized lower-cased BLEU" in tables.text_table(results)


def test_the_report_holds_everything(tmp_path, results):
    (tmp_path / "results.json").write_text(json.dumps(results))
    (tmp_path / "logs").mkdir()
    for name, more in (("teacher", {}), ("lt", {"code_ppl": "100", "code_use": "0.9"})):
        with (tmp_path / "logs" / f"train_{name}.log").open("w") as log:
            for n in (20, 40):
                log.write(LINE.format("train_inner", json.dumps({"loss": f"{100 / n}", "num_updates": n, **more})))
                log.write(LINE.format("valid", json.dumps({"valid_loss": f"{90 / n}", "valid_num_updates": n})))
    checkpoints = {"teacher": tmp_path / "teacher.pt", "lt": tmp_path / "lt.pt"}
    torch.save({"model": {"encoder.weight": torch.zeros(2)}}, checkpoints["teacher"])
    torch.save({"model": {"bottleneck.codebook.counts": torch.tensor([1.0, 0.0, 5.0])}}, checkpoints["lt"])
    assert code_counts(checkpoints["lt"]) == [5, 1, 0]
    logs_of = {name: tmp_path / "logs" / f"train_{name}.log" for name in checkpoints}
    write_report(tmp_path / "results.json", logs_of, checkpoints, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for system in results["systems"]:
        assert page.count(system["name"]) >= 4  # table, two pictures, sample
    titles = [
        "Training loss",
        "Validation loss",
        "Codebook perplexity",
        "Share of codes in use",
        "Frequency of each code",
        "BLEU against latency",
    ]
    for words in [*titles, "Right translations against latency", "0123456789abcdef", "Some CPU", "Der Hund."]:
        assert words in page
    assert "Validation BLEU" not in page
    assert "Ausgabe &lt;teacher_greedy&gt;" in page and page.count('class="wrong" title') == 1
    assert "http" not in page.replace("http://www.w3.org", "")
    assert page.count("<svg") == 7 and "#0304" not in page and "var(--series-1)" in page
    # without logs and codebooks: no empty pictures
    shutil.rmtree(tmp_path / "logs")
    write_report(tmp_path / "results.json", logs_of, {"lt": checkpoints["teacher"]}, tmp_path / "report.html")
    assert "Codebook" not in (tmp_path / "report.html").read_text(encoding="utf-8")
