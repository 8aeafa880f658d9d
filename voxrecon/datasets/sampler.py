# SPDX-License-Identifier: MIT
"""Batches of sample keys: all that is random about a sample follows from its key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
from torch.utils.data import Sampler

from voxrecon.errors import ConfigError
from voxrecon.registry import DATA_SAMPLERS

VIEWS_STREAM = 2**31  # keeps this stream apart from those of the samples


class SampleKey(NamedTuple):
    """What a data set is asked for; (seed, epoch, index) determine views and augmentation."""

    index: int
    epoch: int
    n_views: int
    seed: int


@DATA_SAMPLERS.register_module()
class ViewBatchSampler(Sampler):
    """Yields lists of :class:`SampleKey` with one number of views per batch.

    The number follows from (seed, epoch, number of the batch), so it is the same on all ranks. Seed
    and epoch are the inner sampler's; hence mmengine's loops and its DistSamplerSeedHook, which
    call ``batch_sampler.sampler.set_epoch``, and ``set_epoch`` here do the same thing.

    Args:
        sampler: mmengine's ``DefaultSampler`` or another with ``seed``, ``epoch``, ``set_epoch``
            and a length.
        batch_size: Samples in a batch, per process.
        drop_last: Leave out a last batch that is not full.
        views: The number of views, or (lowest, highest) of the numbers to draw from.

    Raises:
        ConfigError: an argument does not fit, or there would be no batch at all.
    """

    def __init__(
        self,
        sampler: Sampler,
        batch_size: int,
        drop_last: bool = True,
        views: int | Sequence[int] = 1,
    ) -> None:
        if not isinstance(batch_size, int) or batch_size < 1:
            raise ConfigError(f"batch_size {batch_size!r}, expected an integer from 1")
        seed = getattr(sampler, "seed", None)
        if not isinstance(seed, int) or seed < 0:
            raise ConfigError(
                f"seed {seed!r} of {type(sampler).__name__}, expected an integer from 0"
            )
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last
        self.set_views(views)
        if not len(self):
            raise ConfigError(
                f"training needs at least one batch: {len(sampler)} samples, "
                f"batch_size {batch_size} per process, drop_last {drop_last}"
            )

    @property
    def seed(self) -> int:
        return self.sampler.seed

    @property
    def epoch(self) -> int:
        return self.sampler.epoch

    def set_epoch(self, epoch: int) -> None:
        """Takes effect with the next ``iter()``."""
        self.sampler.set_epoch(epoch)

    def set_views(self, views: int | Sequence[int]) -> None:
        """Set the number of views or its range, ends included, from the next ``iter()`` on."""
        span = [views, views] if isinstance(views, int) else list(views)
        if (
            len(span) != 2
            or not all(isinstance(v, int) for v in span)
            or not 1 <= span[0] <= span[1]
        ):
            raise ConfigError(f"views {views!r}, expected a number from 1 or (lowest, highest)")
        self.views = (span[0], span[1])

    def __iter__(self) -> Iterator[list[SampleKey]]:
        seed, epoch, (low, high) = self.seed, self.epoch, self.views
        indices = iter(self.sampler)
        for number in range(len(self)):
            rng = np.random.default_rng((seed, epoch, number, VIEWS_STREAM))
            n_views = int(rng.integers(low, high + 1))
            batch = islice(indices, self.batch_size)
            yield [SampleKey(index, epoch, n_views, seed) for index in batch]

    def __len__(self) -> int:
        full, rest = divmod(len(self.sampler), self.batch_size)
        return full + (rest > 0 and not self.drop_last)
