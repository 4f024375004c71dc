"""The quickstart's own configuration, end to end, with trainings too short to learn anything."""

import json

import bitext
import pytest
import yaml


@pytest.mark.slow
def test_quickstart_end_to_end_and_again(tmp_path):
    config = yaml.safe_load((bitext.REPO / "examples" / "quickstart" / "quickstart.yaml").read_text(encoding="utf-8"))
    config["data"] |= {"train": 300, "valid": 30, "test": 30}
    config["vocabulary"] = 400
    config["common"] |= {"save-interval-updates": 6, "max-tokens": 800}
    config["latency"] |= {"sentences": 4, "repeats": 1}
    for training in config["trainings"].values():
        training |= {"updates": 12}
        training["options"] |= {"total-num-update": 13, "warmup-updates": 2}
        if "codebook-size" in training["options"]:
            training["options"] |= {"codebook-size": 32, "codebook-start-updates": 4}
    path = tmp_path / "quickstart.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    run = tmp_path / "run"
    command = ("scripts/run_workflow.py", "--config", path, "--run", run)
    first = bitext.run(*command)

    results = json.loads((run / "results.json").read_text(encoding="utf-8"))
    names = ["teacher_beam4", "teacher_greedy", "nat_distilled", "lt_soft_em_distilled"]
    assert [system["name"] for system in results["systems"]] == names
    for system in results["systems"]:
        assert 0 <= system["right_translation_rate"] <= 1
        assert system["signature"].startswith("nrefs:1|case:mixed")
        assert 0 < system["latency_ms"]["p50"] <= system["latency_ms"]["p95"]
        assert len((run / "outputs" / f"{system['name']}.de").read_text(encoding="utf-8").splitlines()) == 30
    assert results["systems"][0]["speedup_over_beam4"] == 1
    assert {"machine", "versions", "commit", "seed", "command"} <= results.keys()
    report = (run / "report.html").read_text(encoding="utf-8")
    assert all(name in report for name in names)
    assert 'src="http' not in report and 'href="http' not in report  # one file, nothing to load
    assert "lt_soft_em_distilled" in first.stdout

    made = [path for path in run.rglob("*") if path.is_file() and ".snakemake" not in path.parts]
    stamps = {path: path.stat().st_mtime_ns for path in made if path.name != ".lock"}
    bitext.run(*command)
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps
