"""Runs with several seeds as one table, through scripts/render_tables.py."""

import copy
import json

import bitext
import pytest

from vqnat.reporting.paper import markdown_paper
from vqnat.reporting.seeds import markdown_seeds

MEASURED = json.loads((bitext.REPO / "examples/multi30k/gap.json").read_text())


def run(seed, **bleu):
    """A run of two or more systems with other figures; what one run does not name, it has not."""
    made = copy.deepcopy(MEASURED) | {"seed": seed, "commit": f"{seed}" * 20}
    made["systems"] = [system for system in made["systems"] if system["name"] in bleu]
    for system in made["systems"]:
        system["sacrebleu"] = bleu[system["name"]]
        system["speedup_over_greedy"] = 1.0 if system["name"] == "teacher_greedy" else 3.0 + seed / 10
    return made


def test_means_and_ranges(tmp_path):
    runs = [
        run(1, teacher_greedy=36.0, latent_ctc=36.5, ctc=35.0),
        run(2, teacher_greedy=37.0, latent_ctc=36.0),
        run(10, teacher_greedy=36.5, latent_ctc=36.1),
    ]
    for one in runs:
        (tmp_path / f"gap.seed{one['seed']}.json").write_text(json.dumps(one))
    readme = tmp_path / "README.md"
    readme.write_text("<!-- results: gap.seed*.json seeds -->\n<!-- end -->\n")
    bitext.run("scripts/render_tables.py", readme)
    rows = {line.split(" | ")[0].strip("| "): line.split(" | ")[1:] for line in readme.read_text().splitlines()[1:]}
    assert rows["system"][1] == "minus teacher_greedy"
    assert rows["latent_ctc"][0] == "36.2 (36.0 to 36.5)"
    # To each run's own teacher, not to the mean of teachers' best.
    assert rows["latent_ctc"][1] == "-0.3 (-1.0 to +0.5)"
    assert rows["latent_ctc"][3:] == ["3.43× (3.10× to 4.00×)", "3 |"]
    assert rows["ctc"][0] == "35.0" and rows["ctc"][-1] == "1 |"
    assert "Means over seeds 1, 2, 10" in readme.read_text()
    bitext.run("scripts/render_tables.py", "--check", readme)


def test_runs_that_do_not_belong_together():
    with pytest.raises(ValueError, match="seeds 1, 1: must all be different"):
        markdown_seeds([run(1, teacher_greedy=1.0), run(1, teacher_greedy=2.0)])
    with pytest.raises(ValueError, match="not of one experiment"):
        markdown_seeds([run(1, teacher_greedy=1.0), run(2, teacher_greedy=2.0) | {"direction": "de-en"}])


def test_no_such_runs_is_one_line(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("<!-- results: gap.seed*.json seeds -->\n<!-- end -->\n")
    done = bitext.run("scripts/render_tables.py", readme, check=False)
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1].endswith("gap.seed*.json: no such files")


def test_a_papers_figures_stand_beside_ours(results):
    names = [system["name"] for system in results["systems"]]
    greedy, ours = names.index("teacher_greedy"), names.index("lt_soft_em_distilled")
    other = copy.deepcopy(results) | {"seed": 2}
    for run, more in ((results, 0), (other, 1)):
        run["greedy"] = "teacher_greedy"
        run["systems"][greedy] |= {"paper": {"bleu": 27.0, "speedup": 1.25}, "sacrebleu": 60.0}
        run["systems"][ours] |= {"paper": {"bleu": 26.7}, "sacrebleu": 57.0 + more, "speedup_over_beam4": None}
    lines = markdown_paper([results, other]).splitlines()
    cells = {line.split(" | ")[0].strip("| "): line.strip("|").split(" | ")[1:] for line in lines[:-2]}
    assert cells["system"][:5] == [
        "BLEU: paper",
        "ours, sacreBLEU",
        "minus the greedy teacher: paper",
        "ours",
        "difference",
    ]
    assert cells["teacher_greedy"][:6] == [
        "27.0",
        "60.0 (60.0 to 60.0)",
        "+0.0",
        "+0.0 (+0.0 to +0.0)",
        "+0.0",
        "1.25×",
    ]
    # 2.5 behind on average where the paper is 0.3 behind.
    assert cells["lt_soft_em_distilled"][:5] == ["26.7", "57.5 (57.0 to 58.0)", "-0.3", "-2.5 (-3.0 to -2.0)", "-2.2"]
    assert cells["lt_soft_em_distilled"][5:] == ["–", "–", "2 "]
    assert cells["teacher_beam4"][0] == "–" and cells["teacher_beam4"][4] == "–"
    assert "Means over seeds, at most 2" in lines[-1] and "Means" not in markdown_paper(results)
    # One teacher for both seeds is one training.
    for run in (results, other):
        run["systems"][greedy]["training"] |= {"seed": 1}
    line = next(line for line in markdown_paper([results, other]).splitlines() if "teacher_greedy |" in line)
    assert "| 60.0 | +0.0 | +0.0 |" in line and line.endswith("| 1 |")


def test_rows_that_not_every_seed_has_are_selected_too(tmp_path):
    for one in (run(1, teacher_greedy=36.0, latent_ctc=36.5, ctc=35.0), run(2, teacher_greedy=36.0, latent_ctc=36.1)):
        (tmp_path / f"gap.seed{one['seed']}.json").write_text(json.dumps(one))
    readme = tmp_path / "README.md"
    marker = "<!-- results: gap.seed*.json paper only={} -->\n<!-- end -->\n"
    readme.write_text(marker.format("teacher_greedy,ctc,latent_ctc") + marker.format("ctc"))
    bitext.run("scripts/render_tables.py", readme)
    both, alone = readme.read_text().split("<!-- end -->")[:2]
    assert "| latent_ctc | – | 36.3 (36.1 to 36.5) |" in both and "| ctc | – | 35.0 |" in both
    assert "| ctc | – | 35.0 |" in alone and "latent_ctc" not in alone.split("-->")[1]
    readme.write_text(marker.format("ctc,ctcc"))
    done = bitext.run("scripts/render_tables.py", readme, check=False)
    assert done.returncode == 2 and "no system 'ctcc'; there are " in done.stderr
