"""The directed acyclic decoder: positions are vertices, a translation is a path."""

from contextlib import nullcontext

import torch
from torch import Tensor

from vqnat.choices import DAG_SEARCHES
from vqnat.errors import UserError
from vqnat.kernels.linear import Linear
from vqnat.kernels.word_log_probs import word_log_probs
from vqnat.output_layers.dag_beam import beam_texts
from vqnat.output_layers.dag_paths import best_path, log_likelihood
from vqnat.output_layers.output_layer import BOS, EOS, PAD, OutputLayer, Positions, Text, WordLoss
from vqnat.output_layers.smoothing import smoothing_loss

SEARCHES = DAG_SEARCHES
BEAM_WORDS = 8  # the best of each vertex; what a path writes is nearly always among them


class DAGLayer(OutputLayer):
    """Directed acyclic Transformer (Huang et al. 2022).

    Vertex 0 starts and writes nothing, a sentence's last vertex ends and writes the end of sentence, every other vertex
    has words of its own. From vertex u a path goes to a later vertex v with probability

        E(u, v) = sum over heads h of gate_h(u) * softmax over v > u of q_h(u) k_h(v) / sqrt(D / H)

    (section 3.2) and p(y | x) is the sum over all paths of len(y) steps (equation 6).
    """

    name = "dag"
    marker = "gate_proj.weight"
    forbidden = (PAD, BOS, EOS)
    graph_outputs = ("next", "links")
    upsample, upsample_source = 2.0, 3.0

    def __init__(self, dim: int, heads: int):
        super().__init__()
        self.heads = heads
        self.query_proj, self.key_proj = Linear(dim, dim), Linear(dim, dim)
        self.gate_proj = Linear(dim, heads)
        self.how = "lookahead"

    @property
    def choices(self) -> int:
        """How many words at a vertex the search reads."""
        return BEAM_WORDS if self.how == "beam" else 1

    def transitions(self, features: Tensor, real: Tensor) -> Tensor:
        """E (B, L, L) in float32, from features (B, L, D), real (B, L)."""
        query, key = (
            part.float().unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (B, H, L, D / H)
            for part in (self.query_proj(features), self.key_proj(features))
        )
        index = torch.arange(real.shape[1], device=real.device)
        allowed = (index > index.unsqueeze(1)) & real.unsqueeze(1)  # (B, L, L)
        # Only where there is one to turn off: an exported graph has no such thing.
        mixed = torch.is_autocast_enabled(real.device.type)
        with torch.autocast(real.device.type, enabled=False) if mixed else nullcontext():
            scores = (query * query.shape[-1] ** -0.5) @ key.transpose(2, 3)  # (B, H, L, L)
            # Not -inf: the last vertex has no successor, and a softmax of nothing is no number.
            scores = scores.masked_fill(~allowed.unsqueeze(1), torch.finfo(torch.float32).min).softmax(-1)
            gates = self.gate_proj(features).float().softmax(-1).transpose(1, 2)  # (B, H, L)
            mixture: Tensor = (scores * gates.unsqueeze(-1)).sum(1)  # (B, L, L)
            return mixture * allowed

    def loss(self, positions: Positions, target: Tensor, smoothing: float = 0.0) -> WordLoss:
        """-log p(y | x)."""
        lengths, ends, rows = target.ne(PAD).sum(1), positions.real.sum(1) - 1, positions.rows()
        reachable = lengths <= ends
        found, mean = word_log_probs(positions.logits, target[rows], smoothing > 0)  # (N, T)
        emissions = positions.padded(found).transpose(1, 2)  # (B, T, L)
        transitions = self.transitions(positions.features, positions.real)
        nll = -torch.where(reachable, log_likelihood(transitions, emissions, lengths, ends), 0).sum()
        counted = torch.where(reachable, lengths, 0)
        loss = nll
        if smoothing > 0:
            loss = (1 - smoothing) * nll + smoothing * smoothing_loss(mean, rows, ends + 1, counted)
        return WordLoss(loss, nll.detach(), counted.sum(), (~reachable).sum())

    @torch.no_grad()
    def align(self, positions: Positions, target: Tensor) -> Tensor:
        """Each word but the end of sentence at its vertex of the most probable path."""
        lengths, ends = target.ne(PAD).sum(1), positions.real.sum(1) - 1
        found, _ = word_log_probs(positions.logits, target[positions.rows()])
        transitions = self.transitions(positions.features, positions.real)
        path = best_path(transitions, positions.padded(found).transpose(1, 2), lengths, ends)  # (B, T)
        written = target.ne(PAD) & target.ne(EOS) & (lengths <= ends).unsqueeze(1)
        aligned = torch.full_like(positions.real, PAD, dtype=torch.long)
        rows, words = written.nonzero(as_tuple=True)
        aligned[rows, path[rows, words]] = target[rows, words]
        return aligned

    def graph(self, features: Tensor, real: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
        """The chosen successor of each vertex (B, L) and the log-probability of going there.

        greedy: the most probable one; lookahead: the one with the most probable word and way there together (section
        3.4). What comes after does not depend on what came before, so all are found at once.
        """
        links = self.transitions(features, real).clamp(min=1e-30).log()  # (B, L, L)
        index = torch.arange(real.shape[1], device=real.device)
        later = (index > index.unsqueeze(1)) & real.unsqueeze(1)
        value = links
        if self.how == "lookahead":
            last = index == (real.sum(1, keepdim=True) - 1)  # (B, L) its end of sentence is certain
            value = links + scores.masked_fill(last, 0.0).unsqueeze(1)
        chosen = value.masked_fill(~later, -torch.inf).argmax(-1)
        return chosen, links.gather(2, chosen.unsqueeze(-1)).squeeze(-1)

    def search(self, words: Tensor, scores: Tensor, features: Tensor, real: Tensor) -> list[Text]:
        """The words along the chosen successors, from the first vertex to the last."""
        chosen, links = (value.tolist() for value in self.graph(features, real, scores))
        words_, scores_, ends = words.tolist(), scores.tolist(), (real.sum(1) - 1).tolist()
        found = []
        for row, end in enumerate(ends):
            tokens, each, vertex = [], [], 0
            while vertex < end:
                link, vertex = links[row][vertex], chosen[row][vertex]
                tokens.append(words_[row][vertex] if vertex < end else EOS)
                each.append(link + scores_[row][vertex] if vertex < end else link)
            if not tokens:  # a single vertex
                tokens, each = [EOS], [0.0]
            found.append((torch.tensor(tokens), torch.tensor(each)))
        return found

    def n_best(
        self, words: Tensor, scores: Tensor, features: Tensor, real: Tensor, beam: int, length_penalty: float
    ) -> list[list[Text]]:
        """Up to ``beam`` texts of each sentence with ``--dag-search beam``, else the one that :meth:`search` finds."""
        if self.how != "beam":
            return super().n_best(words, scores, features, real, beam, length_penalty)
        links = self.transitions(features, real).cpu()
        words, scores, lengths = words.cpu(), scores.cpu(), real.sum(1).tolist()
        return [
            beam_texts(links[row, :n, :n], words[row, :n], scores[row, :n], beam, length_penalty)
            for row, n in enumerate(lengths)
        ]


def check_search(how: str) -> None:
    """Raises UserError for an unknown ``--dag-search``."""
    if how not in SEARCHES:
        raise UserError(f"--dag-search {how} is not possible; valid: {', '.join(SEARCHES)}")
