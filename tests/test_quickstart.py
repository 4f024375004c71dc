"""The quickstart's own configuration, end to end, with trainings too short to learn anything."""

import json

import bitext
import pytest
from toy_experiment import write_toy_experiment


@pytest.mark.slow
def test_quickstart_end_to_end_and_again(tmp_path, monkeypatch):
    monkeypatch.setenv("VQNAT_PYTHON", bitext.forked_python())
    path = write_toy_experiment(tmp_path / "quickstart.yaml")
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
