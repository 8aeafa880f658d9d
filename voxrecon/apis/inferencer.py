# SPDX-License-Identifier: MIT
from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.infer import BaseInferencer
from rich.console import Console
from rich.progress import Progress
from torch import Tensor

from voxrecon.captures.cutouts import Background, Cutout, Framing, check_box, cut_photo
from voxrecon.captures.masks import Box
from voxrecon.choices import DEFAULT_MODEL
from voxrecon.errors import CheckpointError, ConfigError
from voxrecon.models import VoxelReconstructor

from .backends import open_backend
from .hub import load_from_hub, push_folder
from .init_model import init_model
from .inputs import Photo, group_masks, group_photos, load_mask, load_photo, match
from .model_folder import read_model_folder
from .model_zoo import find_model
from .reconstruction import Reconstruction, check_threshold

FEW = 4  # photos that are reconstructed within a few seconds
CHUNK = 24  # views of all objects that pass the per-view slots of the torch network at once


@dataclass(frozen=True, eq=False)
class Task:
    """An object before the network: its crops, and its place among the inputs."""

    index: int
    name: str
    views: list[Cutout]


class VoxelInferencer(BaseInferencer):
    """Photos in, voxels and meshes out.

    >>> inferencer = VoxelInferencer("pix2voxpp_f_shapes13")  # doctest: +SKIP
    >>> inferencer(["front.jpg", "side.jpg"]).save("chair.glb")  # doctest: +SKIP

    Args:
        model: A name of ``list_models()``, a model folder as ``voxrecon export`` writes, or a
            config.
        weights: A checkpoint for a config or a name; without one a name has to have weights that
            are shipped.
        device: As torch names it; None: a GPU if there is one.
        backend: "torch", or "onnx" or "openvino" for a model folder that has been exported so.

    Raises:
        ConfigError: no such model, no weights, or a config that does not fit.
        CheckpointError: weights that cannot be used.
    """

    preprocess_kwargs = {"masks", "boxes", "background", "framing"}
    forward_kwargs: set = set()
    visualize_kwargs: set = set()
    postprocess_kwargs = {"threshold", "coarse", "scores"}

    def __init__(
        self,
        model: str | Path | Config = DEFAULT_MODEL,
        weights: str | Path | None = None,
        device: str | None = None,
        backend: str = "torch",
    ) -> None:
        self.scope = "voxrecon"
        self.device = ("cuda" if torch.cuda.is_available() else "cpu") if device is None else device
        self.model, self.folder = load_model(model, weights, self.device)
        self.backend = open_backend(backend, self.model, self.folder)

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        revision: str | None = None,
        token: str | None = None,
        device: str | None = None,
        backend: str = "torch",
    ) -> VoxelInferencer:
        """The model of a folder, or of a repository ``"user/name"`` on the Hugging Face hub.

        Nothing in it is executed; see ``load_from_hub``.
        """
        local = Path(source).is_dir()
        return cls(
            source if local else load_from_hub(str(source), revision, token),
            device=device,
            backend=backend,
        )

    def push_to_hub(self, repo: str, private: bool = False, token: str | None = None) -> str:
        """Upload the model folder to ``"user/name"`` on the Hugging Face hub; its address.

        Raises:
            CheckpointError: the model comes from no folder, or the hub refuses.
        """
        if self.folder is None:
            raise CheckpointError(f"{repo}: only a model folder is uploaded: voxrecon export")
        return push_folder(self.folder, repo, private, token)

    def __call__(
        self,
        inputs: Any,
        masks: Any = None,
        boxes: Sequence[Box] | None = None,
        background: Background = "auto",
        framing: Framing = "object",
        threshold: float = 0.3,
        batch_size: int = 8,
        coarse: bool = False,
        scores: bool = False,
        progress: bool | None = None,
    ) -> Reconstruction | list[Reconstruction]:
        """Reconstruct one object, or many.

        Args:
            inputs: A photo (a path, a PIL image, or an array (H, W), (H, W, 3) or (H, W, 4) uint8),
                a list of photos or a folder of them: one object. A list of lists or of folders, or
                a folder of folders: many.
            masks: A folder of masks with the photos' names (of many objects: of folders with
                theirs); or in the shape of ``inputs`` paths or arrays (H, W), None for a photo
                without one.
                By default the folder ``masks`` in a folder of photos.
            boxes: In the shape of ``inputs`` (left, top, right, bottom) in pixels, or None.
            background: What tells object and background apart, see ``cut_photo``.
            framing: How the object is framed, see ``cut_photo``.
            threshold: Occupied where the probability is at least this.
            batch_size: Objects at once.
            coarse: Keep what each view alone gives.
            scores: Keep the share of each view in the fused volume.
            progress: A bar over the photos; None: if there are more than a few, on a terminal.

        Raises:
            ConfigError, FileError: an input that cannot be used; the message names it.
        """
        check_threshold(threshold)
        if not isinstance(batch_size, int) or batch_size < 1:
            raise ConfigError(f"batch_size {batch_size!r}, expected at least 1")
        groups, names, many = group_photos(inputs)
        masks = group_masks(masks, inputs, groups, names, many)
        boxes = match(boxes, groups, many, "boxes")
        console = Console(stderr=True)
        total = sum(map(len, groups))
        shown = (total > FEW and console.is_terminal) if progress is None else progress
        found: dict[int, Reconstruction] = {}
        with Progress(console=console, disable=not shown, transient=True) as bar:
            done = partial(bar.advance, bar.add_task("reconstructing", total=total))
            for batch in self.preprocess(
                groups, batch_size, names, masks, boxes, background, framing, done
            ):
                for part in split_by_views(batch):
                    out = self.forward(part)
                    found |= self.postprocess(out, part, threshold, coarse, scores)
        results = [found[index] for index in range(len(groups))]
        return results if many else results[0]

    def preprocess(
        self,
        inputs: list[list[Any]],
        batch_size: int,
        names: list[str],
        masks: list[list[Any]],
        boxes: list[list[Any]],
        background: Background = "auto",
        framing: Framing = "object",
        done: Callable[[], None] = lambda: None,
    ) -> Iterator[list[Task]]:
        """Read photos and cut them out, a batch of objects at a time; ``done`` after each photo."""
        batch = []
        for index, sources in enumerate(inputs):
            batch.append(Task(index, names[index], []))
            for number, (source, mask, box) in enumerate(
                zip(sources, masks[index], boxes[index], strict=True), start=1
            ):
                view = self.cut(source, number, mask, box, background, framing)
                batch[-1].views.append(view)
                done()
            if len(batch) == batch_size or index == len(inputs) - 1:
                yield batch
                batch = []

    @staticmethod
    def cut(
        source: Any,
        number: int = 1,
        mask: Any = None,
        box: Box | None = None,
        background: Background = "auto",
        framing: Framing = "object",
    ) -> Cutout:
        """One photo as the network gets it; ``number``, from 1, names one that has no path."""
        photo = load_photo(source, number)
        if mask is not None:
            mask = load_mask(mask, photo)
        if box is not None:
            box = to_pixels(box, photo)
        return cut_photo(photo.pixels, photo.name, mask, box, background, framing)

    @torch.no_grad()
    def forward(self, inputs: list[Task], **_: Any) -> dict[str, Tensor | None]:
        """Run objects with equally many views: ``volume`` (B, X, Y, Z), ``coarse`` and ``scores``
        (B, V, X, Y, Z)."""
        self.model.chunk = max(1, CHUNK // len(inputs))  # views, of each object
        crops = np.stack([np.stack([view.picture for view in task.views]) for task in inputs])
        device = next(self.model.parameters()).device
        images = torch.from_numpy(crops).to(device)  # (B, V, S, S, 4)
        return self.backend.run(self.model.data_preprocessor.prepare(images))

    def visualize(self, inputs: list, preds: Any, **_: Any) -> None:
        """Nothing: a ``Reconstruction`` draws itself when asked to."""

    def postprocess(
        self,
        preds: dict[str, Tensor | None],
        tasks: list[Task],
        threshold: float = 0.3,
        coarse: bool = False,
        scores: bool = False,
    ) -> dict[int, Reconstruction]:
        """The reconstructions by the place of their object among the inputs."""
        shares = preds["scores"] if scores else None
        if shares is not None:
            shares = shares.softmax(dim=1)  # (B, V, X, Y, Z)
        elif scores and len(tasks[0].views) == 1 and self._passes_single_view():
            shares = torch.ones_like(preds["coarse"])
        return {
            task.index: Reconstruction(
                preds["volume"][i].numpy(),
                task.views,
                threshold,
                task.name,
                preds["coarse"][i].numpy() if coarse else None,
                None if shares is None else shares[i].numpy(),
            )
            for i, task in enumerate(tasks)
        }

    def _passes_single_view(self) -> bool:
        """Whether the fusion has scores, of which a single view needs none."""
        return getattr(self.model.volume_fusion, "passes_single_view", False)

    def _init_pipeline(self, cfg: Config) -> None:
        """None: what is done to photos is ``preprocess``."""


def load_model(
    model: str | Path | Config, weights: str | Path | None, device: str
) -> tuple[VoxelReconstructor, Path | None]:
    """A network with its weights, and its model folder if it comes from one."""
    if isinstance(model, str | Path) and os.path.isdir(model):
        if weights:
            raise ConfigError(f"{model}: a model folder has its weights, expected no others")
        return read_model_folder(model, device), Path(model)
    name = str(model)
    if isinstance(model, Config) or name.endswith(".py"):
        if not weights:
            raise ConfigError(f"{getattr(model, 'filename', None) or name}: expected weights, too")
        return init_model(model, weights, device), None
    if os.sep in name or Path(name).suffix:
        raise ConfigError(f"{name}: no such model folder")
    known = find_model(name)
    if weights:
        return init_model(known.config, weights, device), None
    if known.folder is None:
        raise ConfigError(f"{name}: no weights are shipped, expected a checkpoint of it, too")
    return read_model_folder(known.folder, device), known.folder


def to_pixels(box: Box, photo: Photo) -> Box:
    """A box in pixels of the photo's file, in those of the photo as it was read.

    Raises:
        ConfigError: it is empty or reaches beyond the photo.
    """
    width, height = photo.size
    left, top, right, bottom = check_box(box, width, height, photo.name)
    x, y = photo.pixels.shape[1] / width, photo.pixels.shape[0] / height
    # rounding may not lead beyond the photo
    height, width = photo.pixels.shape[:2]
    return left * x, top * y, min(right * x, width), min(bottom * y, height)


def split_by_views(batch: list[Task]) -> list[list[Task]]:
    """The objects with equally many views together."""
    parts: dict[int, list[Task]] = {}
    for task in batch:
        parts.setdefault(len(task.views), []).append(task)
    return list(parts.values())
