"""The runner's own engine against the exported graphs, on real checkpoints of every kind that it knows."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
from exporting import same
from safetensors.numpy import load_file, save_file

from vqnat_serving import OnnxTranslator
from vqnat_serving.cores import usable_cores
from vqnat_serving.errors import UserError
from vqnat_serving.native import engine as engines
from vqnat_serving.native.library import LEVELS, Engine, find_library
from vqnat_serving.native.weights import FILE, read_weights

KINDS = ("trained", "pieces", "ratio", "ctc", "expecting", "parallel_ctc")
WEIGHTS = f"fp32/{FILE}"


@pytest.fixture(params=KINDS)
def exported(request):
    return request.getfixturevalue(request.param)


def natively(exported, **options):
    translator = OnnxTranslator(exported.folder, engine="native", **options)
    assert translator.native is not None
    return translator


def test_the_same_translations_codes_and_scores_as_the_graphs(exported):
    limits = {"max_len_a": 1.5, "max_len_b": 4}
    graphs = exported.onnx(engine="onnx", **limits)
    assert graphs.native is None
    expected = graphs.hypotheses(exported.sentences)
    assert len({hypothesis.tokens for [hypothesis] in expected}) > 3
    same(natively(exported, **limits).hypotheses(exported.sentences), expected)
    # Without scores, one at a time, several threads.
    texts = [hypothesis.text for [hypothesis] in expected]
    assert natively(exported, **limits).translate(exported.sentences) == texts
    assert natively(exported, max_sentences=1, **limits).translate(exported.sentences) == texts
    assert natively(exported, threads=min(2, usable_cores()), **limits).translate(exported.sentences) == texts


def test_positions_and_their_scores_are_the_same(ctc):
    graphs, native = ctc.onnx(engine="onnx"), natively(ctc)
    for source in graphs.encode_all(ctc.sentences):
        if len(source) == 1:
            continue
        [[theirs]], [[ours]] = graphs.decode_batch([source], 1), native.decode_batch([source], 1)
        assert (ours.symbols, ours.spans, ours.codes) == (theirs.symbols, theirs.spans, theirs.codes)


def test_every_build_that_this_processor_runs(exported):
    sizes, weights = read_weights(exported.folder / WEIGHTS)
    runner = natively(exported)
    sources = [source for source in runner.encode_all(exported.sentences) if len(source) > 1]
    limits = [row % 5 + 1 for row in range(len(sources))]
    library = find_library()
    found = {}
    for level in LEVELS[: LEVELS.index(runner.native.level) + 1]:
        engine = Engine(library, sizes, weights, level)
        assert engine.level == level
        found[level] = engine.translate(sources, limits, False, True)
    plain = found.pop("plain")
    for other in found.values():
        for ours, theirs in zip(other, plain, strict=True):
            assert (ours.words, ours.codes) == (theirs.words, theirs.codes)
            assert ours.scores == pytest.approx(theirs.scores, rel=1e-4, abs=1e-4)


def test_a_sentence_does_not_depend_on_its_batch_to_the_last_bit(exported):
    native = natively(exported).native
    sources = [source for source in exported.runner.encode_all(exported.sentences) if len(source) > 1]
    limits = [6] * len(sources)
    together = native.translate(sources, limits, False, True)
    for row, source in enumerate(sources):
        assert native.translate([source], limits[:1], False, True) == [together[row]]


VOCABULARY = 500  # more than a panel of columns has


def engine_with(folder, level, output, bias, **others):
    """The engine with another output layer, of VOCABULARY words."""
    sizes, _ = read_weights(folder / WEIGHTS)
    shift = np.where(np.arange(VOCABULARY) % 50 == 3, -np.inf, 0).astype(np.float32)[None]
    layer = {"output.weight": output, "output.bias": bias, "output.shift": shift}
    changed = {name: np.ascontiguousarray(value, np.float32) for name, value in (layer | others).items()}
    sizes = dataclasses.replace(sizes, vocabulary=VOCABULARY)
    return Engine(find_library(), sizes, {**load_file(folder / WEIGHTS), **changed}, level)


def hardened(trained):
    """Output layers for which a rounded one is a bad guide: the trained one with noise, and worse and worse ones."""
    random, half = np.random.default_rng(1), VOCABULARY // 2
    noise = random.standard_normal((VOCABULARY, trained.shape[1]))
    weight = trained[random.integers(0, len(trained), VOCABULARY)] + 0.1 * trained.std() * noise
    yield weight
    weight[half:] = weight[:half]  # the first of equals is the best
    yield weight
    weight *= 1 + 1e-6 * random.standard_normal((VOCABULARY, 1))  # the last bits decide
    yield weight
    weight[:, 0] *= 1000  # one input takes all eight bits
    weight[half], weight[half + 1] = 0, 1e6
    yield weight
    yield 1e-3 * noise


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("kind", ["trained", "ctc"])
def test_screened_by_int8_the_best_words_are_those_of_all_logits(kind, level, request):
    exported = request.getfixturevalue(kind)
    runner, random, written = natively(exported), np.random.default_rng(2), set()
    if LEVELS.index(level) > LEVELS.index(runner.native.level):
        pytest.skip(f"this processor has no {level}")
    sources = [source for source in runner.encode_all(exported.sentences) if len(source) > 1]
    limits = [row % 5 + 1 for row in range(len(sources))]
    for output in hardened(load_file(exported.folder / WEIGHTS)["output.weight"]):
        for bias in (np.zeros(VOCABULARY), output.std() * random.standard_normal(VOCABULARY)):
            engine = engine_with(exported.folder, level, output, bias)
            every, best = (engine.translate(sources, limits, False, scored) for scored in (True, False))
            assert [one.words for one in best] == [one.words for one in every]
            assert {score for one in best for score in one.scores} == {0}
            written |= {word for one in best for word in one.words}
    assert len(written) > 50 and not any(word % 50 == 3 for word in written)


def misled(dim, most):
    """Features, two rows of weights, and a bias with which the second is the best when rounded, but not in truth.

    All errors of rounding point the same way: first those of the weights, then those of the features.
    """
    random = np.random.default_rng(3)
    signs, ones, lost = random.choice([-1.0, 1.0], dim), np.ones(dim), 0.45 * (dim - 1)
    weights, up = random.integers(-9, 10, dim).astype(float), 0.45 * signs
    weights[0], up[0] = most, 0  # the largest: what is rounded is rounded to whole numbers
    yield signs, [weights + up, weights - up], 1.6 * lost
    rounded = random.integers(1, 100, dim).astype(float)
    rounded[0] = 127
    yield rounded + np.where(np.arange(dim) > 0, 0.45, 0), [ones, -ones], 2 * rounded.sum() + 1.6 * lost


@pytest.mark.parametrize("level", LEVELS)
def test_screened_by_int8_the_worst_errors_are_allowed_for(level, trained):
    sizes, _ = read_weights(trained.folder / WEIGHTS)
    if LEVELS.index(level) > LEVELS.index(natively(trained).native.level):
        pytest.skip(f"this processor has no {level}")
    decoder, best, other = sizes.decoder, 440, 7
    last = "decoder.norm" if decoder.normalize_before else f"decoder.{decoder.layers - 1}.ffn_norm"
    for features, rows, bias in misled(decoder.dim, 63 if level == "avx2" else 127):
        output, biases = np.zeros((VOCABULARY, decoder.dim)), np.full(VOCABULARY, -1e4)
        output[[best, other]], biases[[best, other]] = rows, (0, bias)
        constant = {f"{last}.weight": np.zeros((1, decoder.dim)), f"{last}.bias": features[None]}  # at every position
        engine = engine_with(trained.folder, level, output, biases, **constant)
        for scored in (True, False):
            [written] = engine.translate([[5, 6, 2]], [4], True, scored)
            assert len(written.words) >= 8 and set(written.words) == {best}


@pytest.mark.parametrize("kind", ["trained", "ctc", "parallel_ctc"])
def test_int8_is_the_graphs_int8_but_for_rounding(kind, request):
    exported = request.getfixturevalue(kind)
    expected = exported.onnx(precision="int8", engine="onnx").hypotheses(exported.sentences)
    native = natively(exported, precision="int8")
    found = native.hypotheses(exported.sentences)
    equal = [ours.tokens == theirs.tokens for [ours], [theirs] in zip(found, expected, strict=True)]
    assert sum(equal) >= 0.9 * len(equal)
    apart = [
        abs(ours.score - theirs.score)
        for ([ours], [theirs]), alike in zip(zip(found, expected, strict=True), equal, strict=True)
        if alike
    ]
    assert max(apart) < 0.05
    weights = load_file(exported.folder / "int8" / FILE)
    assert weights["output.weight"].dtype == np.int8 and abs(weights["output.weight"]).max() == 63
    # one row at a time is what all rows are
    assert native.translate(exported.sentences) == natively(exported, precision="int8", max_sentences=1).translate(
        exported.sentences
    )


def test_what_it_lacks_is_the_graphs_work(trained, dag):
    native, graphs = natively(trained), trained.onnx(engine="onnx")
    same(native.hypotheses(trained.sentences[:10], beam=3, n_best=2), graphs.hypotheses(trained.sentences[:10], 3, 2))
    assert dag.runner.native is None  # its search reads more than words
    with pytest.raises(UserError, match="engine 'native': it has no output layer dag; it has plain, ctc"):
        OnnxTranslator(dag.folder, engine="native")


def test_numpy_and_onnxruntime_are_imported_only_when_they_are_needed(trained):
    import subprocess
    import sys

    code = (
        "import sys; from vqnat_serving import OnnxTranslator; t = OnnxTranslator(sys.argv[1]); "
        "loaded = lambda: [name in sys.modules for name in ('numpy', 'onnxruntime')]; "
        "print(t.translate(['one two'])[0], loaded()); print(t.translate(['one two'], beam=2)[0], loaded())"
    )
    done = subprocess.run([sys.executable, "-c", code, trained.folder], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["eins zwei [False, False]", "eins zwei [True, True]"]


def test_without_the_library_everything_is_onnxruntimes(trained, monkeypatch):
    monkeypatch.setattr(engines, "find_library", lambda: None)
    translator = OnnxTranslator(trained.folder)
    assert translator.native is None and translator.translate(["one two"]) == ["eins zwei"]
    with pytest.raises(UserError, match="engine 'native': it was not built: install vqnat where there is a C"):
        OnnxTranslator(trained.folder, engine="native")


def test_an_earlier_export_and_damaged_weights(trained, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(trained.folder, folder)
    path = folder / WEIGHTS
    about = json.loads((folder / "export.json").read_text())
    about = {name: value for name, value in about.items() if name not in ("files", "checksum")}
    (folder / "export.json").write_text(json.dumps({**about, "format": "vqnat-onnx-2"}))  # without checksums

    def refused():
        with pytest.raises(UserError) as error:
            OnnxTranslator(folder)
        assert str(error.value).startswith(str(path))
        return str(error.value)

    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "not the weights of an exported model" in refused()
    sizes, _ = read_weights(trained.folder / WEIGHTS)
    weights = load_file(trained.folder / WEIGHTS)
    metadata = {"format": "vqnat-native-1", "sizes": json.dumps({**vars(sizes), **_stacks(sizes)})}
    save_file({**weights, "codes": weights["codes"][1:]}, path, metadata)
    assert "codes is float32" in refused() and f"needed {sizes.codes} x" in refused()
    save_file({name: value for name, value in weights.items() if name != "codes"}, path, metadata)
    assert refused().endswith("lacks codes")
    save_file({**weights, "decoder.positions": weights["decoder.positions"][:3]}, path, metadata)
    assert "decoder.positions has 3 rows; needed" in refused()
    save_file(weights, path, {**metadata, "format": "vqnat-native-0"})
    assert "format 'vqnat-native-0', this runner reads 'vqnat-native-1': export again" in refused()
    save_file(weights, path, {**metadata, "sizes": metadata["sizes"].replace('"heads": 2', '"heads": 3')})
    assert "sizes that no model has" in refused() or "needed" in refused()
    path.unlink()
    assert OnnxTranslator(folder).native is None  # as exports were before
    with pytest.raises(UserError, match="has no weights for it: export the checkpoint again"):
        OnnxTranslator(folder, engine="native")
    with pytest.raises(UserError, match="engine 'fast': needed one of native, onnx"):
        OnnxTranslator(folder, engine="fast")


def _stacks(sizes):
    return {name: vars(getattr(sizes, name)) for name in ("encoder", "predictor", "decoder")}


def test_more_threads_than_cores_are_refused(exported):
    most = usable_cores()
    with pytest.raises(UserError, match=rf"^threads {most + 1}: needed 0 \(all cores\) to {most}, the cores"):
        OnnxTranslator(exported.folder, threads=most + 1)
    assert len(natively(exported, threads=0).translate(exported.sentences)) == len(exported.sentences)
