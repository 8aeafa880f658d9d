# SPDX-License-Identifier: MIT
from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize, relu

from voxrecon.errors import ConfigError
from voxrecon.registry import MODELS

from .memory import KEY_DTYPES, NEVER, ShapeMemory

KEYS = ("flat", "pooled")
SIMILARITIES = ("mse", "iou")


@MODELS.register_module()
class MemoryBankFusion(nn.Module):
    """The shape priors of Mem3D (Yang et al., CVPR 2021, arXiv 2003.03711): similar shapes that
    training has seen, read from a memory and encoded by an LSTM.

    The grids whose keys are similar to a view's feature are a sequence, most similar first; the
    LSTM's output after the last of them is the view's prior, which is put behind the feature. In
    training the memory is read first, then written. Where nothing is retrieved the prior is zero
    (ours; the paper does not say).

    Args:
        in_shape: (C, h, w) of a view's feature.
        grid_size: Side of the grids.
        slots: Of the memory; 0: none, and a prior that is always zero.
        hidden: Width of the LSTM, and of the prior.
        embedding: Output channels of convolutions that each halve a retrieved grid before the LSTM
            (ours; the paper names no embedding); ``()``: the LSTM reads all its voxels.
        key: ``"flat"``, the feature itself, or ``"pooled"``, its mean over h and w.
        key_dtype: ``"float32"`` or ``"float16"``, in which keys are stored.
        beta: Read what is more similar than this, in [-1, 1].
        delta: From this similarity on two grids are the same shape, in [0, 1].
        similarity: Of grids, ``"mse"`` as published or ``"iou"``.
        margin: Of the triplet loss.
        triplet_weight: Of the triplet loss.
        limit: Grids read at most (ours; the paper's sequence has no bound).
    """

    scope = "per_view"

    def __init__(
        self,
        in_shape: Sequence[int] = (256, 7, 7),
        grid_size: int = 32,
        slots: int = 4000,
        hidden: int = 2048,
        embedding: Sequence[int] = (16, 32, 64),
        key: str = "flat",
        key_dtype: str = "float32",
        beta: float = 0.85,
        delta: float = 0.9,
        similarity: str = "mse",
        margin: float = 0.1,
        triplet_weight: float = 1.0,
        limit: int = 16,
    ) -> None:
        super().__init__()
        side, rest = divmod(grid_size, 2 ** len(embedding))
        for name, value, fits, expected in (
            ("grid_size", grid_size, grid_size > 0 and grid_size % 2 == 0, "an even number"),
            ("slots", slots, slots >= 0, "at least 0"),
            ("embedding", embedding, side and not rest, f"halvings that divide {grid_size}"),
            ("key", key, key in KEYS, f"one of {', '.join(KEYS)}"),
            ("key_dtype", key_dtype, key_dtype in KEY_DTYPES, f"one of {', '.join(KEY_DTYPES)}"),
            ("beta", beta, -1 <= beta <= 1, "a cosine, -1 to 1"),
            ("delta", delta, 0 <= delta <= 1, "0 to 1"),
            ("similarity", similarity, similarity in SIMILARITIES, "mse or iou"),
            ("margin", margin, margin >= 0, "from 0"),
            ("triplet_weight", triplet_weight, triplet_weight >= 0, "from 0"),
            ("limit", limit, limit >= 1, "at least 1"),
        ):
            if not fits:
                raise ConfigError(f"MemoryBankFusion: {name}={value!r}, expected {expected}")
        self.in_shape, self.grid_size, self.hidden = tuple(in_shape), grid_size, hidden
        self.key, self.beta, self.delta, self.limit = key, beta, delta, limit
        self.margin, self.triplet_weight = margin, triplet_weight
        self.memory = None
        if slots:
            features = self.in_shape[0] if key == "pooled" else prod(self.in_shape)
            self.memory = ShapeMemory(slots, features, grid_size**3, key_dtype, delta, similarity)
            widths = [1, *embedding]
            self.embedding = nn.Sequential(
                *(
                    nn.Sequential(nn.Conv3d(a, b, 4, stride=2, padding=1), nn.LeakyReLU(0.2))
                    for a, b in pairwise(widths)
                )
            )
            self.lstm = nn.LSTM(widths[-1] * side**3, hidden, batch_first=True)

    def forward(self, x: Tensor, targets: Tensor | None = None) -> tuple[Tensor, dict]:
        """Features (B, V, C, h, w) to features with their priors (B, V, C*h*w + hidden).

        ``aux`` has ``retrieved``, slots (B, V, limit) that end with -1, ``similarities`` (B, V,
        limit) that end with 0, and in training ``loss_triplet``.
        """
        if x.shape[2:] != self.in_shape:
            raise ConfigError(
                f"MemoryBankFusion: {tuple(x.shape[2:])} a view, expected in_shape={self.in_shape}"
            )
        views = x.shape[:2]
        training = self.training and targets is not None
        # a rounded similarity or count is a wrong one; meta has no autocast to switch off
        with torch.autocast("cpu" if x.is_meta else x.device.type, enabled=False):
            if self.memory is None:
                prior, aux = x.new_zeros(*views, self.hidden), {}
            else:
                prior, aux = self._remember(x.flatten(0, 1).float(), targets if training else None)
                prior = prior.unflatten(0, views).to(x.dtype)
                for name in ("retrieved", "similarities"):
                    aux[name] = aux[name].unflatten(0, views)
        return torch.cat([x.flatten(2), prior], dim=2), aux

    def _remember(self, x: Tensor, targets: Tensor | None) -> tuple[Tensor, dict]:
        """Features (B*V, C, h, w) to priors (B*V, hidden); with targets (B, X, Y, Z) the memory
        learns.
        """
        keys = x.mean((2, 3)) if self.key == "pooled" else x.flatten(1)
        queries = normalize(keys)
        similarities = self.memory.similarities(queries)
        slots, best = self.select(similarities)
        aux = {"retrieved": slots, "similarities": best}
        prior = self.encode_shapes(slots)
        if targets is not None:
            if targets.shape[1:] != (self.grid_size,) * 3:
                raise ConfigError(
                    f"MemoryBankFusion: grids {tuple(targets.shape[1:])}, "
                    f"expected grid_size={self.grid_size}"
                )
            # the views of an object are queries of their own
            grids = (targets > 0.5).flatten(1).repeat_interleave(len(x) // len(targets), dim=0)
            aux["loss_triplet"] = self.triplet_weight * self.triplet(queries, similarities, grids)
            self.memory.write(queries.detach(), grids)
        return prior, aux

    def select(self, similarities: Tensor) -> tuple[Tensor, Tensor]:
        """Similarities (N, m) to slots (N, limit), most similar first, -1 behind the last, and
        their similarities (N, limit).
        """
        # stable: the first slot of equal ones, on every device
        best, slots = similarities.sort(dim=1, descending=True, stable=True)
        best, slots = best[:, : self.limit], slots[:, : self.limit]
        found = best > self.beta
        best, slots = best.masked_fill(~found, 0), slots.masked_fill(~found, -1)
        short = self.limit - slots.shape[1]
        return (
            nn.functional.pad(slots, (0, short), value=-1),
            nn.functional.pad(best, (0, short)),
        )

    def encode_shapes(self, slots: Tensor) -> Tensor:
        """The LSTM's last output for the grids of slots (N, limit): (N, hidden)."""
        sides = (self.grid_size,) * 3
        grids = self.memory.read(slots.flatten().clamp(min=0)).float()
        x = self.embedding(grids.unflatten(1, (1, *sides))).flatten(1)
        # padded, not packed: what stands behind a sequence cannot change its last output, and its
        # length need not leave the device; parameters have gradients also where nothing is found
        states, _ = self.lstm(x.unflatten(0, slots.shape))  # (N, limit, hidden)
        length = (slots >= 0).sum(1)
        last = (length - 1).clamp(min=0)[:, None, None].expand(-1, 1, self.hidden)
        return states.gather(1, last)[:, 0] * (length > 0)[:, None]

    def triplet(self, queries: Tensor, similarities: Tensor, grids: Tensor) -> Tensor:
        """The voxel triplet loss: keys of the same shape are nearer than those of others.

        Of queries (N, K) with grids (N, G) bool, each against the most similar key whose value is
        the same shape and the most similar one whose value is not; mean over those that have both.
        The paper's wording is not verified.
        """
        same = self.memory.value_similarities(grids) >= self.delta
        near, positive = similarities.masked_fill(~same, NEVER).max(dim=1)
        far, negative = similarities.masked_fill(same, NEVER).max(dim=1)
        both = (near > NEVER) & (far > NEVER)  # (N,)
        # copies, through which alone the gradient goes: the memory is written before it is computed
        a, b = (self.memory.keys.index_select(0, i).float() for i in (positive, negative))
        apart = (b - a).masked_fill(~both[:, None], 0)
        losses = relu((queries * apart).sum(1) + self.margin) * both
        return losses.sum() / both.sum().clamp(min=1)
