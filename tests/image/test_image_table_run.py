"""A whole table in miniature: data, VQ-VAE, prior, figures, results; continued, nothing is done again."""

import json

import bitext
import pictures
import pytest

from vqnat.commands.run_workflow import main

TABLE = """
name: Squares
prepare: [data-prep/prepare-images.py, --size, "8"]
tables:
  tiny:
    title: Squares
    source: "Paper: none."
    columns: [bpd, mse_e3]
    epochs: 50
    prior_epochs: 50
    options:
      arch: image_vqvae_roy2018
      criterion: image_vqvae_loss
      hidden-size: 8
      latent-channels: 2
      code-dim: 4
      residual-layers: 1
      codebook-size: 8
      codebook-start-updates: "{updates/4}"
      batch-size: 8
      optimizer: adam
      lr: 1.0e-3
    prior:
      arch: image_latent_transformer_small
      criterion: image_prior_loss
      prior-dim: 8
      prior-ffn-dim: 8
      batch-size: 8
      optimizer: adam
      lr: 1.0e-3
    rows:
      - {name: hard, title: Hard, paper: {bpd: 7.0}, options: {bottleneck: hard_em}}
"""
MADE = ("trained", "hard.json", "results.json")


@pytest.mark.slow
def test_a_table_from_one_command(tmp_path, capfd, monkeypatch):
    monkeypatch.setenv("VQNAT_PYTHON", bitext.forked_python())
    pictures.write_files(tmp_path / "raw", 40)
    (tmp_path / "table.yaml").write_text(TABLE, encoding="utf-8")
    command = ["--config", str(tmp_path / "table.yaml"), "--run", str(tmp_path / "run")]
    command += ["--from", str(tmp_path / "raw"), "--budget", "0.001"]
    assert main(command) == 0, capfd.readouterr().err[-4000:]
    results = json.loads((tmp_path / "run" / "results.json").read_text(encoding="utf-8"))
    (row,) = results["tables"]["tiny"]["rows"]
    assert row["figures"]["train_updates"] == row["figures"]["prior_updates"] == 20
    assert row["epochs"] == 5.0  # 20 updates of 8 from 32 images
    assert row["figures"]["bpd"] > row["figures"]["pixel_bits"] > 0
    assert results["images"] == {"train": 32, "valid": 4, "test": 4}
    assert "| Hard | 7.00 |" in capfd.readouterr().out

    stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*") if path.name in MADE}
    assert len(stamps) == 4
    assert main(command) == 0
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps
