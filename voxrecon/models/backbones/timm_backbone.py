# SPDX-License-Identifier: MIT
from __future__ import annotations

from contextlib import suppress

import huggingface_hub
import timm
import torch
from huggingface_hub.errors import EntryNotFoundError
from torch import Tensor, nn

from voxrecon.errors import ConfigError, VoxreconError
from voxrecon.registry import MODELS

from .cut import CutTrunk

WEIGHTS = ("pretrained", "reinitialised", "random")


@MODELS.register_module()
class TimmBackbone(nn.Module):
    """Any timm trunk, cut at a module or at a stage; the parts behind the cut are not kept.

    Args:
        name: A timm model with or without the tag of its weights, such as ``"resnet50.tv_in1k"``.
        stop: The last module kept, by its dotted path (``"features.26"``, ``"layer2"``), or the
            index of a stage of timm's ``features_only`` interface.
        in_chans: Channels of a view: 3, or 4 for RGB-D.
        weights: Where ``init_weights`` takes the trunk from: ``"pretrained"`` (timm's hub),
            ``"reinitialised"`` (as the public Pix2Vox trainer, which draws Kaiming weights over the
            loaded ones), ``"random"`` (timm's own). Building a trunk never downloads.
        frozen: No parameter of the trunk is trained. As in the public code, its batch norm still
            follows the data in training unless ``norm_eval``.
        norm_eval: Batch norm of the trunk always uses its stored statistics.
        args: Further arguments of the timm model.
    """

    def __init__(
        self,
        name: str,
        stop: str | int,
        in_chans: int = 3,
        weights: str = "pretrained",
        frozen: bool = False,
        norm_eval: bool = False,
        args: dict | None = None,
    ) -> None:
        super().__init__()
        if weights not in WEIGHTS:
            raise ConfigError(f"backbone weights {weights!r}: expected one of {', '.join(WEIGHTS)}")
        self.name, self.stop, self.in_chans, self.weights = name, stop, in_chans, weights
        self.norm_eval = norm_eval
        self.args = dict(args or {})
        self.trunk = self._build(pretrained=False)
        if frozen:
            self.trunk.requires_grad_(False)

    @property
    def label(self) -> str:
        """The trunk and where it is cut; the tag of the weights does not matter."""
        return f"{self.name.split('.')[0]}:{self.stop}"

    def _build(self, pretrained: bool) -> nn.Module:
        if not timm.is_model(self.name):
            raise ConfigError(f"backbone {self.name!r}: no such timm model; see timm.list_models()")
        args = {**self.args, "in_chans": self.in_chans, "pretrained": pretrained}
        if isinstance(self.stop, int):
            model = timm.create_model(
                self.name, features_only=True, out_indices=(self.stop,), **args
            )
            self.channels_last = str(getattr(model, "output_fmt", "NCHW")).endswith("NHWC")
            return model
        model = timm.create_model(self.name, **args)
        self.channels_last = str(getattr(model, "output_fmt", "NCHW")).endswith("NHWC")
        if self.stop not in dict(model.named_modules()):
            raise ConfigError(f"backbone {self.name}: it has no module {self.stop!r} to stop at")
        return CutTrunk(model, self.stop)

    def init_weights(self) -> None:
        """Fill the trunk as ``weights`` says; the reconstructor has drawn its own initialisation
        before.
        """
        if self.weights == "reinitialised":
            return
        try:
            if self.weights == "pretrained":
                self._ask_hub()
            source = self._build(pretrained=self.weights == "pretrained")
        except VoxreconError:
            raise
        except Exception as error:  # the hub raises whatever its HTTP client raises
            raise VoxreconError(
                f"backbone {self.name}: its pretrained weights cannot be fetched "
                f"({type(error).__name__}); train without them by "
                "--cfg-options model.backbone.weights=random"
            ) from error
        self.trunk.load_state_dict(source.state_dict())

    def _ask_hub(self) -> None:
        """Ask once for weights that are not in the cache: the hub's client retries for minutes."""
        found = timm.get_pretrained_cfg(self.name)
        if found is None or not found.hf_hub_id or found.file:
            return
        name = found.hf_hub_filename or "model.safetensors"
        repository, _, revision = found.hf_hub_id.partition("@")
        where = {"repo_id": repository, "filename": name, "revision": revision or None}
        if isinstance(huggingface_hub.try_to_load_from_cache(**where), str):
            return
        with suppress(EntryNotFoundError):  # under another name: timm knows
            huggingface_hub.get_hf_file_metadata(huggingface_hub.hf_hub_url(**where), timeout=10)

    def train(self, mode: bool = True) -> TimmBackbone:
        super().train(mode)
        if self.norm_eval:
            for module in self.trunk.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self

    def forward(self, x: Tensor, targets: Tensor | None = None) -> tuple[Tensor, dict]:
        """Images (B*V, C, H, W), normalised, to features (B*V, C', h, w)."""
        if x.shape[1] != self.in_chans:
            raise ConfigError(
                f"{x.shape[1]} channels given, backbone takes in_chans={self.in_chans}"
            )
        # 2D convolutions are faster so, on CPU and GPU alike
        out = self.trunk(x.contiguous(memory_format=torch.channels_last))
        out = out[0] if isinstance(self.stop, int) else out
        if out.ndim != 4:
            raise ConfigError(
                f"backbone {self.name} gives {tuple(out.shape)} at stop={self.stop!r}, "
                "expected a map (B*V, C, h, w); name a stage by its number instead"
            )
        return out.permute(0, 3, 1, 2) if self.channels_last else out, {}
