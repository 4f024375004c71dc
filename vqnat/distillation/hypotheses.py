"""Random access to the hypotheses in a set of journals, without holding them in memory."""

from pathlib import Path

import numpy as np
import torch

from vqnat.distillation.journal import read_header, scan


class Hypotheses:
    """``hypotheses[i]`` is the list of hypotheses of sentence i, best first, each a 1-d int64 tensor.

    Keeps 20 bytes per hypothesis in memory; the tokens stay in the mapped files.

    Args:
        paths: the journals, each batch in exactly one of them.
        sentences: N, total number of sentences.
    """

    def __init__(self, paths: list[Path], sentences: int) -> None:
        self.files = [np.memmap(path, mode="r") for path in paths]
        self.seconds, self.batches = 0.0, 0  # decoding time summed over batches, and their number
        score = 0.0
        none = np.empty(0, dtype=np.int64)
        ids, files, offsets, lengths = [none], [none], [none], [none]
        for number, path in enumerate(paths):
            _, first = read_header(path)
            for at, _, record in scan(path, first):
                ids.append(record.ids.copy())  # a view would keep the tokens in memory
                files.append(np.full(len(record.ids), number))
                offsets.append(record.token_offsets(at))
                lengths.append(record.lengths.copy())
                score += float(record.scores.sum(dtype=np.float64))
                self.seconds += record.seconds
                self.batches += 1
        sentence = np.concatenate(ids)
        order = np.argsort(sentence, kind="stable")  # keeps the order among the hypotheses of a sentence
        self.first = np.searchsorted(sentence[order], np.arange(sentences + 1))  # (N + 1,)
        self.counts = np.diff(self.first)  # (N,) hypotheses per sentence
        self.file = np.concatenate(files)[order]
        self.offset = np.concatenate(offsets)[order]
        self.length = np.concatenate(lengths)[order]
        self.mean_score = score / max(1, len(order))  # natural logarithm, normalized by length

    def tokens_of(self, sentences: np.ndarray) -> int:
        """Tokens in all hypotheses of these sentences."""
        ends = np.concatenate([[0], np.cumsum(self.length, dtype=np.int64)])
        return int((ends[self.first[sentences + 1]] - ends[self.first[sentences]]).sum())

    def __getitem__(self, sentence: int) -> list[torch.Tensor]:
        rows = range(self.first[sentence], self.first[sentence + 1])
        return [
            torch.from_numpy(
                np.frombuffer(self.files[self.file[row]], "<i4", self.length[row], self.offset[row]).astype(np.int64)
            )
            for row in rows
        ]
