"""Reconstructions, samples, codebook usage and training curves: PNG files, and one self-contained HTML page."""

import base64
from pathlib import Path

import jinja2
import matplotlib
import torch

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from vqnat.bottlenecks.core.codebook import perplexity
from vqnat.image.autoencoders.autoencoder import ImageAutoencoder
from vqnat.image.autoencoders.vqvae import ImageVQVAE
from vqnat.image.datasets.split_files import open_split
from vqnat.image.reports.image_grids import beside, grid, save_png
from vqnat.image.reports.model_images import pick, reconstruct, sample_images
from vqnat.image.trained_models import load_autoencoder, load_prior
from vqnat.records.atomic import write_text
from vqnat.records.results import shown
from vqnat.records.training_logs import curves

COLUMNS = 8
BATCH = 50
# name in fairseq's log -> title; curves that were not logged are left out
CURVES = {
    "loss": "Loss",
    "mse_e3": "Squared error × 10⁻³",
    "pixel_bits": "Bits per sub-pixel",
    "bpd": "Bits/dim",
    "code_ppl": "Codebook perplexity",
}


def write_report(
    out: Path,
    vqvae: Path,
    data: Path,
    split: str = "test",
    prior: Path | None = None,
    logs: tuple[Path, ...] = (),
    count: int = 32,
    seed: int = 1,
) -> Path:
    """Write ``report.html`` and its pictures.

    Pictures: ``reconstructions.png``; of a VQ-VAE ``usage.png``; given a prior ``samples.png``; given logs
    ``curves.png``.

    Args:
        out: folder to write.
        vqvae: checkpoint of the autoencoder.
        data: folder of images.
        split: the split to reconstruct.
        prior: checkpoint of a prior over its codes.
        logs: output of fairseq-train with ``--log-format json``.
        count: number of images to show.
        seed: of the samples.

    Returns:
        The page's path.

    Raises:
        UserError: a file is missing or is something else.
    """
    out.mkdir(parents=True, exist_ok=True)
    model = load_autoencoder(vqvae, str(data))
    images = pick(data, split, count)
    made = reconstruct(model, images)
    save_png(beside(images, made, COLUMNS), out / "reconstructions.png")
    pictures = [("Reconstructions", "Originals above, reconstructions below.", "reconstructions.png")]
    if prior:
        network, _ = load_prior(prior, vqvae, data)
        samples = sample_images(network, model, count, 1.0, seed)
        save_png(grid(samples, COLUMNS), out / "samples.png")
        pictures.append(("Samples", f"Codes drawn from the prior at temperature 1, seed {seed}.", "samples.png"))
    if isinstance(model, ImageVQVAE):
        counts = code_counts(model, data, split)
        draw_usage(counts, out / "usage.png")
        pictures.append(("Codebook usage", usage_words(counts, split), "usage.png"))
    found = {log.stem: curves(log) for log in logs}
    if draw_curves(found, out / "curves.png"):
        pictures.append(("Curves", "Training, and validation where there was one.", "curves.png"))
    page = out / "report.html"
    write_text(page, render(pictures, out, vqvae, split))
    return page


@torch.no_grad()
def code_counts(model: ImageAutoencoder, data: Path, split: str) -> torch.Tensor:
    """Count how often each code occurs in a split, (codebooks, K) float32."""
    images = open_split(data, split)
    total = 0
    for start in range(0, len(images), BATCH):
        batch = torch.from_numpy(np.array(images[start : start + BATCH])).permute(0, 3, 1, 2)
        z = model.encode(batch)
        total = total + model.bottleneck(z, model.real(len(z), z.device)).code_counts
    return total.view(model.config.codebooks, -1)


def usage_words(counts: torch.Tensor, split: str) -> str:
    """Summarize counts (codebooks, K) in one line."""
    used = float((counts > 0).float().mean())
    each = torch.stack([perplexity(row) for row in counts])
    return f"All images of {split}: {used:.1%} of {counts.shape[1]} codes in use, perplexity {float(each.mean()):.1f}."


def draw_usage(counts: torch.Tensor, path: Path) -> None:
    """Plot the codes' shares in descending order, one line per codebook."""
    figure, axes = plt.subplots(figsize=(6, 3))
    for row in counts:
        share = row.sort(descending=True).values / row.sum()
        axes.plot(np.arange(1, len(share) + 1), share.clamp(min=1e-6).numpy(), linewidth=1.5)
    axes.set(xlabel="code, the most frequent first", ylabel="share of positions", yscale="log")
    _save(figure, path)


def draw_curves(found: dict[str, dict[str, list[dict[str, float]]]], path: Path) -> bool:
    """Plot each quantity that occurs in some log; return False if there is none."""
    wanted = [name for name in CURVES if any(name in line for log in found.values() for line in _lines(log))]
    if not wanted:
        return False
    figure, plots = plt.subplots(1, len(wanted), figsize=(3.6 * len(wanted), 3), squeeze=False)
    for name, axes in zip(wanted, plots[0], strict=True):
        for log, lines in found.items():
            for kind in ("train_inner", "valid"):
                points = [(line["num_updates"], line[name]) for line in lines[kind] if name in line]
                points = [
                    (x, y) for x, y in points if np.isfinite(y)
                ]  # infinite in validation before the codebook starts
                if points:
                    label = f"{log} {'train' if kind == 'train_inner' else kind}"
                    axes.plot(*zip(*points, strict=True), label=label, linewidth=1.5)
        axes.set(title=CURVES[name], xlabel="updates")
    plots[0][0].legend(frameon=False, fontsize=8)
    _save(figure, path)
    return True


def _lines(log: dict[str, list[dict[str, float]]]) -> list[dict[str, float]]:
    return log["train_inner"] + log["valid"]


def _save(figure, path: Path) -> None:
    figure.savefig(path, dpi=130, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)


def render(pictures: list[tuple[str, str, str]], folder: Path, checkpoint: Path, split: str) -> str:
    """Render the page, with its pictures (title, caption, file name) inline."""

    def inline(name: str) -> str:
        return "data:image/png;base64," + base64.b64encode((folder / name).read_bytes()).decode()

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=jinja2.StrictUndefined
    )
    parts = [{"title": title, "words": words, "source": inline(name)} for title, words, name in pictures]
    return environment.get_template("report.html").render(parts=parts, checkpoint=shown(checkpoint), split=split)
