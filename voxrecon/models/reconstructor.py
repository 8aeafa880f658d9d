# SPDX-License-Identifier: MIT
from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from mmengine.model import BaseModel, initialize
from torch import Tensor, nn

from voxrecon.errors import ConfigError
from voxrecon.registry import MODELS
from voxrecon.structures import VoxelDataSample

SCOPES = ("per_view", "causal", "set")
# what arguments of the wrong kind provoke in a constructor
UNFIT = (ValueError, TypeError, LookupError, ArithmeticError, RuntimeError, AssertionError)
SLOTS = ("backbone", "neck", "feature_fusion", "decoder", "volume_fusion", "refiner")


def _initialise(module: nn.Module) -> None:
    """The initialisation of the public Pix2Vox trainer; fan-in of a transposed convolution is
    torch's.
    """
    if isinstance(module, (nn.Conv2d, nn.Conv3d, nn.ConvTranspose3d)):
        nn.init.kaiming_normal_(module.weight)
    elif isinstance(module, (nn.BatchNorm2d, nn.BatchNorm3d)):
        nn.init.ones_(module.weight)
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, 0, 0.01)
    else:
        return
    if module.bias is not None:
        nn.init.zeros_(module.bias)


def _build(slot: str, cfg: dict) -> nn.Module:
    """A slot; ConfigError for arguments of the wrong kind."""
    try:
        return MODELS.build(cfg)
    except UNFIT as error:
        given = ", ".join(f"{key}={value!r}" for key, value in cfg.items() if key != "type")
        raise ConfigError(
            f"model.{slot}: {cfg.get('type')}({given}) cannot be built: "
            f"{' '.join(str(error).split()) or type(error).__name__}"
        ) from error


@MODELS.register_module()
class VoxelReconstructor(BaseModel):
    """One or more views of an object to one grid of occupancy probabilities; every paper fills the
    same slots.

    Images (B, V, C, H, W) pass backbone and neck per view, the optional feature fusion over views,
    the decoder per view, the volume fusion over views and the optional refiner. A slot is built
    from the registry and answers ``forward(x, targets=None) -> (x, aux)``; ``aux`` may hold
    ``loss_*`` entries, which are added up, and things to look at. The volume fusion has two methods
    instead, ``score`` (per view) and ``fuse`` (over views).

    Args:
        loss: Losses, each applied in float32 to the fused volume and, with a refiner, to the
            refined one.
        eval_views: Numbers of views that ``mode="predict"`` reconstructs from (the first n of those
            given); None: all that are given.
        eval_orders: In so many random orders of the most views ``mode="predict"`` reconstructs
            once more (``order_volumes``), of few views in all the orders there are.
        chunk: At most so many views pass the per-view slots at once in evaluation; None: all. For
            little memory.
        init_cfg: An initialisation of mmengine in place of that of the public Pix2Vox trainer, such
            as ``{"type": "Xavier", "layer": ["Conv2d", "Linear"]}``.
    """

    def __init__(
        self,
        backbone: dict,
        neck: dict,
        decoder: dict,
        volume_fusion: dict,
        feature_fusion: dict | None = None,
        refiner: dict | None = None,
        loss: dict | Sequence[dict] = ({"type": "BCELoss"},),
        eval_views: Sequence[int] | None = None,
        eval_orders: int = 0,
        chunk: int | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(
            data_preprocessor=MODELS.build(data_preprocessor or {"type": "VoxelDataPreprocessor"}),
            init_cfg=init_cfg,
        )
        self.backbone = _build("backbone", backbone)
        self.neck = _build("neck", neck)
        self.feature_fusion = _build("feature_fusion", feature_fusion) if feature_fusion else None
        self.decoder = _build("decoder", decoder)
        self.volume_fusion = _build("volume_fusion", volume_fusion)
        self.refiner = _build("refiner", refiner) if refiner else None
        self.losses = nn.ModuleList(
            MODELS.build(cfg) for cfg in ([loss] if isinstance(loss, dict) else loss)
        )
        names = [loss.name for loss in self.losses]
        if len(set(names)) < len(names):
            raise ConfigError(f"loss: {', '.join(names)}: expected each name once")
        if self.scope not in SCOPES:
            raise ConfigError(
                f"feature fusion: scope {self.scope!r}, expected of {', '.join(SCOPES)}"
            )
        self.eval_views = tuple(eval_views) if eval_views else None
        self.eval_orders = eval_orders
        self.chunk = chunk
        self.frozen: tuple[str, ...] = ()  # slots that the stage does not train
        self.fixed = {name for name, p in self.named_parameters() if not p.requires_grad}

    @property
    def grid_size(self) -> int:
        """Side of the reconstructed grid, in voxels."""
        return self.decoder.grid_size

    @property
    def in_chans(self) -> int:
        """Channels of a view; 3 where the backbone does not say."""
        return getattr(self.backbone, "in_chans", 3)

    @property
    def network(self) -> str:
        """What fills the slots, in words; a checkpoint carries it, so that it is not loaded into
        another network.
        """
        return " > ".join(
            getattr(slot, "label", type(slot).__name__) for slot in self.slots().values()
        )

    @property
    def scope(self) -> str:
        """How far the feature fusion looks: ``per_view``, ``causal`` (views before it) or ``set``
        (all views).
        """
        return self.feature_fusion.scope if self.feature_fusion else "per_view"

    def slots(self) -> dict[str, nn.Module]:
        """The filled slots by name, in the order of the data flow."""
        return {name: getattr(self, name) for name in SLOTS if getattr(self, name) is not None}

    def freeze(self, slots: Sequence[str] = ()) -> None:
        """Train every slot but these; batch norm of these stays in eval. What a config has frozen
        stays so.
        """
        self.frozen = tuple(slots)
        for name, parameter in self.named_parameters():
            parameter.requires_grad_(name.split(".")[0] not in slots and name not in self.fixed)

    def train(self, mode: bool = True) -> VoxelReconstructor:
        super().train(mode)
        for name in self.frozen:
            if self.slots().get(name) is not None:
                self.slots()[name].eval()
        return self

    def init_weights(self) -> None:
        """Initialise as the public trainer does, or as ``init_cfg`` says, then let each slot that
        knows better do so (pretrained trunks).
        """
        if self.init_cfg:
            initialize(self, self.init_cfg)
        else:
            self.apply(_initialise)
        for slot in self.slots().values():
            if hasattr(slot, "init_weights"):
                slot.init_weights()

    def forward(
        self,
        inputs: Tensor,
        data_samples: list[VoxelDataSample] | None = None,
        mode: str = "tensor",
    ):
        """Run on normalised images (B, V, C, H, W), channels in the order of the config.

        ``"tensor"``: the volume (B, X, Y, Z), occupancy probability. ``"loss"``: a dict of scalars,
        from ``gt_voxels`` of the data samples. ``"predict"``: the data samples with
        ``pred_volumes`` filled.
        """
        if mode == "tensor":
            return self.fuse(self.encode(inputs))["volume"]
        if mode == "loss":
            return self.loss(
                inputs, torch.stack([sample.gt_voxels for sample in data_samples]).float()
            )
        if mode == "predict":
            return self.predict(inputs, data_samples, self.eval_views, self.eval_orders)
        raise ValueError(f"mode {mode!r}: expected tensor, loss or predict")

    def encode(
        self,
        images: Tensor,
        targets: Tensor | None = None,
        picks: Tensor | None = None,
        reorders: bool = False,
    ) -> dict:
        """Do once all that is per view (or causal).

        Args:
            picks: (B, V), as which one (from 0) each view was selected, where the views are in
                another order than that of their selection.
            reorders: Keep what ``reorder`` needs.

        Returns:
            A state for ``fuse``: ``coarse`` (B, V', X, Y, Z), ``scores`` (B, V', X, Y, Z) or None,
            ``aux``, ``picks``, and the views' ``features`` where the feature fusion must run again
            for fewer views.
        """
        if images.ndim != 5:
            raise ConfigError(f"images {tuple(images.shape)}: expected (B, V, C, H, W)")
        features, aux = self.extract_features(images, targets)
        state = self._decode(features, targets)
        state["aux"], state["picks"] = {**aux, **state["aux"]}, picks
        # a state after n views of a sorted sequence has seen others than the first n selected
        state["again"] = self.runs_again(picks is not None)
        if state["again"] or (reorders and self.scope != "per_view"):
            state["features"] = features
        return state

    def runs_again(self, sorted_views: bool = False) -> bool:
        """Whether fewer views need the feature fusion and what follows once more."""
        return self.scope == "set" or (self.scope == "causal" and sorted_views)

    def reorder(self, state: dict, order: Sequence[int]) -> dict:
        """The state that the views selected first, as many as ``order`` has, have in this order."""
        n, picks, order = len(order), state["picks"], list(order)
        if "features" in state:
            shuffled = self._decode(_first(state["features"], n, picks)[:, order], None)
        else:
            shuffled = {
                key: None if state[key] is None else _first(state[key], n, picks)[:, order]
                for key in ("coarse", "scores")
            }
        return {"aux": {}, **shuffled, "picks": None, "again": False}

    def fuse(self, state: dict, n: int | None = None, targets: Tensor | None = None) -> dict:
        """Volumes from the first ``n`` views of a state (all by default): ``fused`` and ``volume``
        (B, X, Y, Z).

        The first are those that were selected first, also where the views are in another order.
        What ``aux`` of a per-view or causal slot shows is still of all views.
        """
        coarse, scores, aux = state["coarse"], state["scores"], dict(state["aux"])
        again = state["again"]
        views = state["features" if again else "coarse"].shape[1]
        if n is not None and not 1 <= n <= views:
            raise ConfigError(f"{n} views asked for, {views} given")
        if n is not None and n < views:
            if again:
                shorter = self._decode(_first(state["features"], n, state["picks"]), targets)
                coarse, scores, aux = shorter["coarse"], shorter["scores"], shorter["aux"]
            else:
                coarse = _first(coarse, n, state["picks"])
                scores = None if scores is None else _first(scores, n, state["picks"])
        fused = volume = self.volume_fusion.fuse(coarse, scores)
        if self.refiner:
            volume, more = self.refiner(fused, targets)
            aux.update(more)
        return {"fused": fused, "volume": volume, "aux": aux}

    def loss(self, images: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """Losses of images (B, V, C, H, W) against grids (B, X, Y, Z) float."""
        if targets.shape[-1] != self.grid_size:
            raise ConfigError(
                f"grids {tuple(targets.shape[1:])}: the network reconstructs {self.grid_size}^3"
            )
        out = self.fuse(self.encode(images, targets), targets=targets)
        volumes = {"fused": out["fused"]}
        if self.refiner:
            volumes["refined"] = out["volume"]
        losses = {key: value for key, value in out["aux"].items() if key.startswith("loss_")}
        with torch.autocast(images.device.type, enabled=False):
            for loss in self.losses:
                for name, volume in volumes.items():
                    losses[f"loss_{loss.name}_{name}"] = loss(volume.float(), targets.float())
        return losses

    def predict(
        self,
        images: Tensor,
        data_samples: list[VoxelDataSample] | None = None,
        views: Sequence[int] | None = None,
        orders: int = 0,
    ) -> list[VoxelDataSample]:
        """Fill ``pred_volumes`` {n: (X, Y, Z)} of the data samples for the first n views, n in
        ``views``; with ``orders``, ``order_volumes`` (K, X, Y, Z) for the most of them in K orders.
        """
        picks = [sample.get("picks") for sample in data_samples or ()]
        sorted_views = bool(picks) and picks[0] is not None
        state = self.encode(
            images,
            picks=torch.tensor(picks, device=images.device) if sorted_views else None,
            reorders=orders > 0,
        )
        samples = data_samples or [VoxelDataSample() for _ in range(len(images))]
        volumes = {n: self.fuse(state, n)["volume"] for n in views or (images.shape[1],)}
        for i, sample in enumerate(samples):
            sample.pred_volumes = {n: volume[i] for n, volume in volumes.items()}
        most = max(volumes)
        if orders and most > 1:
            shuffled = [
                self.fuse(self.reorder(state, order))["volume"]
                for order in draw_orders(most, orders)
            ]
            for sample, volume in zip(samples, torch.stack(shuffled, dim=1), strict=True):
                sample.order_volumes = volume
        return samples

    def extract_features(
        self, images: Tensor, targets: Tensor | None = None
    ) -> tuple[Tensor, dict]:
        """Backbone and neck, views folded into the batch: (B, V, C, H, W) to (B, V, c, h', w')."""
        aux: dict = {}

        def run(views: Tensor) -> tuple[Tensor]:
            x = views.flatten(0, 1)
            for slot in (self.backbone, self.neck):
                x, more = slot(x, targets)
                aux.update(more)
            return (x.unflatten(0, views.shape[:2]),)

        return self._by_views(run, images)[0], aux

    def _decode(self, features: Tensor, targets: Tensor | None) -> dict:
        """Feature fusion, decoder, scores: (B, V, c, h', w') to two of (B, V', X, Y, Z)."""
        aux: dict = {}
        if self.feature_fusion:
            features, aux = self.feature_fusion(features, targets)
        state = self._decode_views(features, targets)
        state["aux"] = {**aux, **state["aux"]}
        return state

    def _decode_views(self, features: Tensor, targets: Tensor | None = None) -> dict:
        """Decoder and scores, per view."""
        aux: dict = {}
        if self.training and getattr(self.volume_fusion, "uses_last_only", False):
            features = features[:, -1:]
        idle = features.shape[1] == 1 and self._fusion_is_idle()

        def run(views: Tensor) -> tuple[Tensor, Tensor | None]:
            (coarse, context), more = self.decoder(views, targets)
            aux.update(more)
            return coarse, None if idle else self.volume_fusion.score(context)

        coarse, scores = self._by_views(run, features)
        return {"coarse": coarse, "scores": scores, "aux": aux}

    def decode(self, latents: Tensor) -> Tensor:
        """What lies behind the feature fusion: its output (B, V', ...) to volumes (B, X, Y, Z)."""
        return self.fuse(self._decode_views(latents) | {"picks": None, "again": False})["volume"]

    def _fusion_is_idle(self) -> bool:
        """Whether scores of a single view would be computed in vain.

        They would where the fusion passes a single view unchanged, unless it is being trained: its
        gradients are then exactly zero, yet a distributed wrapper waits for them.
        """
        learns = torch.is_grad_enabled() and any(
            p.requires_grad for p in self.volume_fusion.parameters()
        )
        return getattr(self.volume_fusion, "passes_single_view", False) and not learns

    def _by_views(self, run: Callable, x: Tensor) -> tuple:
        """``run`` on (B, V, ...), in evaluation on ``chunk`` views at a time."""
        if self.training or not self.chunk or x.shape[1] <= self.chunk:
            return run(x)
        parts = zip(*(run(part) for part in x.split(self.chunk, dim=1)), strict=True)
        return tuple(None if part[0] is None else torch.cat(part, dim=1) for part in parts)


def draw_orders(views: int, count: int) -> list[list[int]]:
    """``count`` distinct orders of ``views`` views, or all, where there are fewer; always the same
    ones."""
    generator = torch.Generator().manual_seed(0)
    orders: dict[tuple, None] = {}  # in the order in which they were drawn
    while len(orders) < min(count, math.factorial(views)):
        orders[tuple(torch.randperm(views, generator=generator).tolist())] = None
    return [list(order) for order in orders]


def _first(x: Tensor, n: int, picks: Tensor | None) -> Tensor:
    """(B, V, ...) to (B, n, ...): the views selected first, in the order they have."""
    return x[:, :n] if picks is None else x[picks < n].unflatten(0, (len(x), n))
