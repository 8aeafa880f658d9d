# SPDX-License-Identifier: MIT
"""Parameters of a network and the memory that it takes, without running a kernel."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from voxrecon.models import VoxelReconstructor


class PeakMemory(TorchDispatchMode):
    """The largest sum of bytes of tensors alive at once inside the ``with``, in ``peak``.

    It counts each storage once, from the operation that creates it until nobody holds it any more.
    Storages of ``given`` tensors (weights) do not count, nor do the kernels' own workspaces.
    """

    def __init__(self, given: Sequence[Tensor] = ()) -> None:
        super().__init__()
        self.live = self.peak = 0
        # an id serves again once its storage has gone, so it is forgotten with it
        self.known = {id(s): s for s in (t.untyped_storage() for t in given)}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(out):
            if isinstance(leaf, Tensor):
                self._add(leaf.untyped_storage())
        return out

    def _add(self, storage: torch.UntypedStorage) -> None:
        key, size = id(storage), storage.nbytes()
        if key in self.known:
            return
        self.known[key] = None
        weakref.finalize(storage, self._remove, key, size).atexit = False
        self.live += size
        self.peak = max(self.peak, self.live)

    def _remove(self, key: int, size: int) -> None:
        self.live -= size
        del self.known[key]


def count_parameters(module: nn.Module) -> tuple[int, int]:
    """Parameters, and how many of them are trained."""
    sizes = [(p.numel(), p.requires_grad) for p in module.parameters()]
    return sum(n for n, _ in sizes), sum(n for n, trained in sizes if trained)


def peak_memory(model: VoxelReconstructor, images: Tensor, train: bool = False) -> int:
    """Bytes beyond the weights at the peak of a forward pass, or in training of both passes.

    Images (B, V, C, H, W) count, and in training the gradients; the losses' few grids do not.
    """
    model.train(train)
    given = [*model.parameters(), *model.buffers()]
    with PeakMemory(given) as memory, torch.inference_mode(not train):
        inputs = torch.empty_like(images)
        volume = model(inputs)
        if train:
            volume.sum().backward()
    model.zero_grad(set_to_none=True)
    model.eval()
    return memory.peak


@dataclass(frozen=True)
class TrainingMemory:
    """Bytes that training takes: of weights and buffers, of all gradients, of what the optimizer
    keeps, and the most alive at once in a step, all of these and the activations."""

    weights: int
    gradients: int
    optimizer: int
    peak: int


def training_memory(
    model: VoxelReconstructor, images: Tensor, optimizer: Optimizer
) -> TrainingMemory:
    """The memory of training on images (B, V, C, H, W), all on the meta device, in float32."""
    trained = [p for p in model.parameters() if p.requires_grad]
    weights = sum(t.nbytes for t in (*model.parameters(), *model.buffers()))
    step = peak_memory(model, images, train=True)
    for parameter in trained:
        parameter.grad = torch.empty_like(parameter)
    optimizer.step()  # it makes its state in the first one
    state = tree_leaves([*optimizer.state.values()])
    kept = sum(value.nbytes for value in state if isinstance(value, Tensor))
    return TrainingMemory(weights, sum(p.nbytes for p in trained), kept, weights + kept + step)
