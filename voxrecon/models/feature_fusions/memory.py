# SPDX-License-Identifier: MIT
from __future__ import annotations

import torch
from mmengine.dist import all_gather
from torch import Tensor, nn
from torch.nn.functional import normalize

from voxrecon.errors import ConfigError

KEY_DTYPES = {"float32": torch.float32, "float16": torch.float16}
CHUNK = 256  # slots unpacked at once
NEVER = -torch.inf


def pack_bits(grids: Tensor) -> Tensor:
    """Grids (N, G) bool to (N, G/8) uint8, the first voxel in the highest bit."""
    return (grids.unflatten(1, (-1, 8)) * _weights(grids)).sum(2, dtype=torch.uint8)


def unpack_bits(packed: Tensor) -> Tensor:
    """(N, G/8) uint8 to grids (N, G) bool."""
    return (packed[..., None] & _weights(packed)).flatten(1) != 0


def _weights(like: Tensor) -> Tensor:
    return 2 ** torch.arange(7, -1, -1, dtype=torch.uint8, device=like.device)


def grid_similarity(both: Tensor, first: Tensor, second: Tensor, cells: int, kind: str) -> Tensor:
    """Similarity of grids of ``cells`` voxels, of which two have ``first`` and ``second`` occupied
    and ``both`` in common, float32 of any shape.

    ``"mse"``: 1 minus the mean squared difference, as published. ``"iou"``: intersection over
    union, 1 for two empty grids.
    """
    either = first + second - both
    if kind == "mse":
        return 1 - (either - both) / cells
    return torch.where(either == 0, 1.0, both / either)


class ShapeMemory(nn.Module):
    """Slots of (key, value, age): the external memory of Mem3D (Yang et al., CVPR 2021).

    A key is the feature of an image, a value the true grid that belongs to it, an age the number of
    writes since the slot was last used. Keys and queries are normalised, as in the memory that this
    one follows (Kaiser et al., "Learning to Remember Rare Events", ICLR 2017); hit, miss and age
    are recalled from there, the paper's own wording is not verified. All are buffers: they travel
    in checkpoints.

    Args:
        slots: Their number m.
        features: Values K of a key.
        cells: Voxels G of a grid, a multiple of 8; eight are one byte.
        key_dtype: ``"float32"`` or ``"float16"``, in which keys are stored.
        delta: From this similarity on two grids are the same shape.
        similarity: Of grids, ``"mse"`` or ``"iou"``.
    """

    def __init__(
        self,
        slots: int,
        features: int,
        cells: int,
        key_dtype: str = "float32",
        delta: float = 0.9,
        similarity: str = "mse",
    ) -> None:
        super().__init__()
        if cells % 8:
            raise ConfigError(f"ShapeMemory: cells={cells}, expected a multiple of 8")
        self.cells, self.delta, self.similarity = cells, delta, similarity
        self.register_buffer("keys", torch.zeros(slots, features, dtype=KEY_DTYPES[key_dtype]))
        self.register_buffer("values", torch.zeros(slots, cells // 8, dtype=torch.uint8))
        self.register_buffer("ages", torch.full((slots,), -1))  # -1: empty

    @torch.no_grad()
    def similarities(self, queries: Tensor) -> Tensor:
        """Cosine of queries (N, K), normalised, with each key: (N, m), -inf for empty slots."""
        parts = [_cosine(queries, keys) for keys in self.keys.split(CHUNK)]
        return torch.cat(parts, dim=1).masked_fill(self.ages < 0, NEVER)

    @torch.no_grad()
    def value_similarities(self, grids: Tensor) -> Tensor:
        """Similarity of grids (N, G) bool with each value: (N, m), -inf for empty slots."""
        grids, parts = grids.float(), []
        first = grids.sum(1, keepdim=True)  # (N, 1)
        for values in self.values.split(CHUNK):
            stored = unpack_bits(values).float()
            # a product of zeros and ones counts, exactly up to 2^24
            both = grids @ stored.T
            parts.append(grid_similarity(both, first, stored.sum(1), self.cells, self.similarity))
        return torch.cat(parts, dim=1).masked_fill(self.ages < 0, NEVER)

    def read(self, slots: Tensor) -> Tensor:
        """The grids of slots (N,): (N, G) bool."""
        return unpack_bits(self.values.index_select(0, slots))

    @torch.no_grad()
    def write(self, queries: Tensor, grids: Tensor) -> None:
        """Write features (N, K), normalised, and their grids (N, G) bool, one after the other.

        A hit is where the value of the most similar key is the same shape: its key moves towards
        the feature and its value stays. A miss replaces the oldest slot, empty ones first. Of
        several processes each writes what all of them have, in the order of their ranks, so all
        hold the same.
        """
        queries = torch.cat(all_gather(queries.contiguous()))
        packed = torch.cat(all_gather(pack_bits(grids)))
        similarities = self.similarities(queries)
        # no number leaves the device: the loop would wait for it
        for query, value, row in zip(
            queries.split(1), packed.split(1), similarities.split(1), strict=True
        ):
            best, nearest = row.max(dim=1)  # (1,), the first of equal ones
            stored = self.values.index_select(0, nearest)
            hit = (best > NEVER) & (self._compare(value, stored) >= self.delta)  # (1,)
            slot = torch.where(hit, nearest, self._oldest())
            merged = normalize(query + self.keys.index_select(0, nearest).float())
            key = torch.where(hit[:, None], merged, query).to(self.keys.dtype)
            self.keys.index_copy_(0, slot, key)
            self.values.index_copy_(0, slot, torch.where(hit[:, None], stored, value))
            self.ages.add_(self.ages >= 0)
            self.ages.index_fill_(0, slot, 0)
            # one slot has changed; the rows still to come are views of this
            similarities.index_copy_(1, slot, _cosine(queries, key))

    def _compare(self, a: Tensor, b: Tensor) -> Tensor:
        """Similarity (1,) of two packed grids (1, G/8)."""
        a, b = unpack_bits(a), unpack_bits(b)
        counts = ((a & b).sum(1).float(), a.sum(1).float(), b.sum(1).float())
        return grid_similarity(*counts, self.cells, self.similarity)

    def _oldest(self) -> Tensor:
        """(1,), the first of equal ones."""
        oldest = torch.iinfo(self.ages.dtype).max
        return self.ages.masked_fill(self.ages < 0, oldest).argmax(dim=0, keepdim=True)


def _cosine(queries: Tensor, keys: Tensor) -> Tensor:
    """(N, K) and (m, K), both normalised, to (N, m); NaN is similar to nothing."""
    return (queries @ keys.float().T).clamp(-1, 1).nan_to_num(nan=NEVER, neginf=NEVER)
