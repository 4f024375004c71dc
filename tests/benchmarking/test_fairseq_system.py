"""Real checkpoints: what is measured is what fairseq-generate does."""

import json
import re
import shutil
from functools import partial

import bitext
import pytest
import torch

from vqnat.benchmarking.engines.system_loading import load_system
from vqnat.benchmarking.engines.system_specs import parse_system
from vqnat.benchmarking.harness import sentences as data
from vqnat.benchmarking.harness.phases import measure_phases
from vqnat.benchmarking.harness.rounds import measure
from vqnat.commands.latency import main

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def checkpoints(teacher_checkpoint, nat_checkpoint, latent_checkpoint):
    return {"AR": teacher_checkpoint, "NAT": nat_checkpoint, "LT": latent_checkpoint}


@pytest.fixture(scope="module")
def load(digits, checkpoints):
    """``load("a=AR,beam=4")``, where AR, NAT and LT stand for the checkpoints."""
    test_set = data.open_test_set(digits, "test", None, None)
    return lambda text: load_system(parse_system(filled(text, checkpoints)), test_set, "cpu", 1, None)


@pytest.fixture(scope="module")
def in_batches(digits):
    test_set = data.open_test_set(digits, "test", None, None)
    return partial(data.batches, data.choose(data.read_sentences(test_set)))


def filled(text, checkpoints):
    for name, path in checkpoints.items():
        text = text.replace(f"={name}", f"={path}")
    return text


SYSTEMS = {
    "ar=AR,beam=4,lenpen=0.6": ("AR", "translation", "--beam", 4, "--lenpen", 0.6),
    "nat=NAT,iter=0": ("NAT", "translation_lev", "--iter-decode-max-iter", 0),
    "nat=NAT,iter=2,beam=3": (*("NAT", "translation_lev", "--iter-decode-max-iter", 2, "--iter-decode-with-beam", 3),),
    "lt=LT,beam=3,rescore_with=AR": ("LT", "latent_translation", "--beam", 3, "--rescore-with", "AR"),
}


@pytest.mark.parametrize("text", SYSTEMS)
def test_outputs_are_those_of_fairseq_generate(text, digits, checkpoints, load, in_batches):
    checkpoint, task, *more = (checkpoints.get(word, word) for word in SYSTEMS[text])
    generated = bitext.run(
        *("fairseq-generate", digits, "--user-dir", "vqnat", "--task", task, "--path", checkpoint, "--cpu"),
        # without the multiple fairseq-generate leaves the last batch out, whatever its size
        *("--gen-subset", "test", "--batch-size", 1, "--required-batch-size-multiple", 1, *more),
    )
    expected = {number: found[0][1] for number, found in bitext.hypotheses(generated.stdout).items()}
    system = load(text)
    # In larger batches fairseq's non-autoregressive models translate otherwise: padding is copied as source.
    for size in (1,) if task == "translation_lev" else (1, 16):
        batches = in_batches(size)
        outputs = measure([system], batches, 1, 0, 1)[system.name].outputs
        found = {
            number: system.dictionary.string(torch.tensor(tokens, dtype=torch.long))
            for batch, group in zip(batches, outputs, strict=True)
            for number, tokens in zip(batch.ids, group, strict=True)
        }
        assert found == expected


@pytest.mark.parametrize(
    "text, parts",
    [
        ("ar=AR,beam=2", ["encoder", "decoder"]),
        ("nat=NAT,iter=0", ["encoder", "length predictor", "decoder"]),
        ("lt=LT,beam=1", ["encoder", "latent predictor", "decoder"]),
        ("lt=LT,beam=2,rescore_with=AR", ["encoder", "latent predictor", "decoder", "rescoring"]),
    ],
)
def test_phases(text, parts, load, in_batches):
    split = measure_phases(load(text), in_batches(1)[:5])
    assert list(split) == [*parts, "rest"]
    assert all(ms > 0 for ms in split.values())


def test_one_shot_is_one_pass(load, in_batches):
    system, calls = load("nat=NAT,iter=0"), []
    decoder = system.model.forward_decoder
    system.model.forward_decoder = lambda *a, **k: calls.append(1) or decoder(*a, **k)
    for batch in in_batches(16):
        system.translate(system.prepare(batch))
    assert len(calls) == len(in_batches(16))


def test_each_system_has_its_threads(load, in_batches):
    systems, used = [load("a=AR,threads=2"), load("b=AR")], []
    for system in systems:
        translate = system.translate
        system.translate = lambda x, f=translate: used.append(torch.get_num_threads()) or f(x)
    measure(systems, in_batches(16)[:1], 1, 0, 1)
    torch.set_num_threads(1)
    assert sorted(used) == [1, 2]


def test_command_line_writes_all_figures(digits, checkpoints, tmp_path):
    yaml = tmp_path / "systems.yaml"
    yaml.write_text(filled("- {name: nat, checkpoint: =NAT, iter: 0}\n", checkpoints).replace(": =", ": "))
    done = bitext.run(
        *("scripts/benchmark_latency.py", digits, "--gen-subset", "test", "--user-dir", "vqnat", "--cpu"),
        *(
            "--system",
            filled("beam4=AR,beam=4", checkpoints),
            "--system",
            filled("lt=LT,beam=1", checkpoints),
        ),
        *("--systems", yaml, "--baseline", "beam4", "--sentences", 6, "--repeats", 2),
        *(
            "--batch-size",
            4,
            16,
            "--min-target-words",
            5,
            "--json",
            tmp_path / "out.json",
            "--plot",
            tmp_path / "out.png",
        ),
    )
    assert all(line.startswith("vqnat latency: ") for line in done.stderr.splitlines())
    result = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert result["sentences"]["measured"] == 8 and [len(b) for b in result["batches"]] == [4, 4]
    [further] = result["further"]
    assert further["batch_size"] == 16 and [len(b) for b in further["batches"]] == [16]
    assert all(system["tokens_per_second"] > 0 for system in further["systems"])
    assert (
        result["baseline"] == "beam4"
        and result["lengths"] == "as decoded"
        and result["commit"]
        and len(result["data"]) == 7
    )
    assert [system["name"] for system in result["systems"]] == ["beam4", "lt", "nat"]
    for system in result["systems"]:
        assert system["name"] in done.stdout
        assert set(system["latency_ms"]) == {"mean", "p50", "p95", "standard_error", "round_means"}
        assert set(system["speedups"]) == {"beam4", "lt", "nat"}
        assert set(system["speedup"]) == {"ratio", "low", "high", "of_medians", "rounds"}
        assert system["speedup"] == system["speedups"]["beam4"]
        assert len(system["median_ms"]) == 2 and len(system["output_tokens"]) == 8
        assert sum(system["phases_ms"].values()) == pytest.approx(2 * system["phases_ms"]["total"])
        assert system["memory_mib"]["peak"] > 50 and system["parameters"] > 1000
        assert system["tokens_per_second"] > 0 and system["same_output_in_every_round"]
    assert result["systems"][0]["speedup"]["ratio"] == 1
    assert (tmp_path / "out.png").stat().st_size > 1000


@pytest.fixture
def other_dictionary(digits, tmp_path):
    folder = shutil.copytree(digits, tmp_path / "bin")
    for language in ("en", "de"):
        with open(folder / f"dict.{language}.txt", "a", encoding="utf-8") as file:
            file.write("more 1\n")
    return folder


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--system", "a=none.pt"], "system a: none.pt: no such file"),
        (["--system", "a=BROKEN"], "not a readable checkpoint"),
        (["--system", "a=AR,beem=2"], "unknown key 'beem'"),
        (["--system", "a=AR", "--system", "a=AR"], "the name is given 2 times"),
        (["--system", "a=AR", "--baseline", "b"], "--baseline b: no such system"),
        (["--system", "a=AR", "--gen-subset", "dev"], "--gen-subset dev: not in .* test, train, valid"),
        (["--system", "a=AR", "--min-source-words", "99"], "nothing left of 60 sentences"),
        (["--system", "a=NAT"], "translation_lev needs iter=N"),
        (["--system", "a=NAT,iter=0,lenpen=1"], "lenpen does nothing with task translation_lev"),
        (["--system", "a=NAT,task=translation"], "nonautoregressive_transformer does not decode"),
        (["--system", "a=AR,task=translation_lev,iter=0"], "transformer does not decode with task"),
        (["--system", "a=LT,task=translation"], "does not decode with task translation"),
        (["--system", "a=LT,beam=2,rescore_with=none.pt"], "rescore_with=none.pt: no such file"),
        (["--system", "a=LT,beam=2,rescore_with=BROKEN"], "system a: "),
        (["--system", "a=AR", "--source-lang", "de"], "another source than the others|does not start"),
        (["--system", "a=AR", "--source-lang", "fr"], "pairs there: en-de"),
        (["--system", "a=AR", "--user-dir", "none"], "--user-dir none: cannot be imported"),
        (["--system", "a=AR", "--systems", "none.yaml"], "--systems none.yaml"),
        (["--system", "a=AR", "--json", "BROKEN/out.json"], "cannot be written"),
    ],
)
def test_errors_are_one_line(arguments, message, digits, checkpoints, tmp_path, capsys):
    broken = tmp_path / "broken.pt"
    broken.write_bytes(checkpoints["AR"].read_bytes()[:20000])
    words = [filled(word, {**checkpoints, "BROKEN": broken}) for word in arguments]
    words = [word.replace("BROKEN", str(broken)) for word in words]
    assert main([str(digits), "--cpu", "--no-memory", "--sentences", "2", "--repeats", "1", *words]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("vqnat latency: ")
    assert re.search(message, line), line


@pytest.mark.parametrize("name", ["AR", "NAT", "LT"])
def test_another_dictionary_is_refused(name, other_dictionary, checkpoints, capsys):
    assert main([str(other_dictionary), "--system", filled(f"a={name},iter=0", checkpoints)]) == 2
    assert "source symbols, the dictionary of the data" in capsys.readouterr().err
