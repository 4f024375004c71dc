"""Package metadata. Versions that were tested together are in ``constraints.txt``."""

from pathlib import Path

from setuptools import find_packages, setup

setup(
    name="vqnat",
    version="0.1.0",
    description="Non-autoregressive translation with discrete latents, as a fairseq plug-in",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires=">=3.11",
    packages=find_packages(include=["vqnat", "vqnat.*", "vqnat_serving", "vqnat_serving.*"]),
    package_data={"vqnat": ["**/*.yaml", "**/*.html", "**/*.txt"], "vqnat_serving": ["server/page/*"]},
    install_requires=[
        "torch>=2.6",
        "numpy>=1.26",
        "scipy>=1.15",
        "fairseq-fixed>=0.12.3.1,<0.13",  # build it with --no-build-isolation, see scripts/setup.sh
        "sacrebleu>=2.4",
        "sentencepiece>=0.2",
        "sacremoses>=0.1",
        "tqdm>=4.60",
        "PyYAML>=6",
        "matplotlib>=3.8",
        "Pillow>=10",
        "Jinja2>=3.1",
        "tabulate>=0.9",
    ],
    extras_require={
        "dev": [
            "pytest>=8",
            "pytest-timeout>=2",
            "pytest-xdist>=3.6",
            "filelock>=3.12",
            "hypothesis>=6",
            "ruff>=0.6",
            "mypy>=1.15",
            "types-PyYAML",
            "types-tabulate",
            "import-linter>=2.1",
            "pre-commit>=4",
            "vector-quantize-pytorch>=1.32",
            "subword-nmt>=0.3.8",
            "playwright>=1.45",  # drives an installed chromium; it fetches none of its own
        ],
        "serving": ["onnxruntime>=1.23"],  # Attention of opset 23 and 8-bit MatMulNBits on the CPU
        "export": ["onnx>=1.18", "onnxscript>=0.5", "onnxruntime>=1.23"],
        "server": ["onnxruntime>=1.23", "fastapi>=0.115", "uvicorn>=0.30", "httptools>=0.6", "prometheus-client>=0.20"],
        "ctranslate2": ["ctranslate2>=4.5"],  # only to be measured against
        "docs": [
            "mkdocs>=1.6,<2",
            "mkdocs-material>=9.5",
            "mkdocstrings-python>=1.12",
            "latex2mathml>=3.77",
            "nbclient>=0.10",
            "ipykernel>=6.29",
        ],
        "tensorboard": ["tensorboard>=2.15"],
    },
)
