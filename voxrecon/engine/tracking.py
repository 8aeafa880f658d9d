# SPDX-License-Identifier: MIT
"""TensorBoard, W&B and MLflow beside the local log."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from mmengine import Config
from mmengine.utils.manager import _release_lock
from mmengine.visualization import MLflowVisBackend, Visualizer
from mmengine.visualization.vis_backend import force_init_env

from voxrecon.errors import ConfigError
from voxrecon.registry import VISBACKENDS, VISUALIZERS

TRACKERS = {
    "tensorboard": {"type": "TensorboardVisBackend"},
    "wandb": {"type": "WandbVisBackend"},
    "mlflow": {"type": "MLflowBackend"},
}
PACKAGES = {tracker["type"]: name for name, tracker in TRACKERS.items()}


@VISUALIZERS.register_module()
class TrackingVisualizer(Visualizer):
    """mmengine's Visualizer, with further backends by name.

    Args:
        name: Of the instance, mmengine's.
        track: Of ``"tensorboard"``, ``"wandb"``, ``"mlflow"``, one or several, with their default
            arguments; those that need arguments stand in ``vis_backends``.
        vis_backends: Backends as mmengine builds them.
        kwargs: Those of mmengine's Visualizer.

    Raises:
        ConfigError: An unknown name, or a package that is not installed.
    """

    def __init__(
        self,
        name: str = "visualizer",
        track: str | Sequence[str] | None = None,
        vis_backends: Sequence[dict] | dict = (),
        **kwargs,
    ) -> None:
        names = track if isinstance(track, (list, tuple)) else [track] if track else []
        for tracker in names:
            if tracker not in TRACKERS:
                raise ConfigError(
                    f"visualizer.track={tracker!r}: expected of {', '.join(TRACKERS)}"
                )
        given = [vis_backends] if isinstance(vis_backends, dict) else list(vis_backends)
        backends = [*given, *(dict(TRACKERS[tracker]) for tracker in names)]
        for backend in backends:
            package = PACKAGES.get(backend.get("type"))
            if package and find_spec(package) is None:
                raise ConfigError(f"{package} is not installed: pip install {package}")
        super().__init__(name, vis_backends=backends, **kwargs)

    @classmethod
    def get_instance(cls, name: str, **kwargs) -> TrackingVisualizer:
        """mmengine's, which would keep its lock for ever where a constructor raises: whatever asks
        for a logger in another thread would wait."""
        try:
            return super().get_instance(name, **kwargs)
        except BaseException:
            _release_lock()
            raise


# one run has one visualizer, and mmengine finds it there
TrackingVisualizer._instance_dict = Visualizer._instance_dict


@VISBACKENDS.register_module()
class MLflowBackend(MLflowVisBackend):
    """mmengine's, for MLflow from 3 on, which has given up plain files and refuses some names.

    Runs go to the server or database of ``tracking_uri``, or else of the environment's
    ``MLFLOW_TRACKING_URI``, or else to ``mlflow.db`` in the folder of the log, its artifacts beside
    it. Pictures are logged by step.
    """

    def _init_env(self) -> None:
        import mlflow

        self._mlflow = mlflow
        folder = Path(self._save_dir).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        uri, place = self._tracking_uri or os.environ.get("MLFLOW_TRACKING_URI"), None
        if not uri:
            uri, place = f"sqlite:///{folder / 'mlflow.db'}", (folder / "mlflow").as_uri()
        mlflow.set_tracking_uri(uri)
        name = self._exp_name or "voxrecon"
        if mlflow.get_experiment_by_name(name) is None:
            mlflow.create_experiment(name, artifact_location=self._artifact_location or place)
        mlflow.set_experiment(name)
        mlflow.start_run(run_name=self._run_name, tags=self._tags)
        mlflow.log_params(self._params or {})

    @force_init_env
    def add_config(self, config: Config, **kwargs) -> None:
        """Log the config as a file."""
        self.cfg = config
        self._mlflow.log_text(config.pretty_text, "config.py")

    @force_init_env
    def add_image(self, name: str, image: np.ndarray, step: int = 0, **kwargs) -> None:
        """Log a uint8 RGB picture."""
        self._mlflow.log_image(image, key=_plain(name), step=step)

    @force_init_env
    def add_scalars(self, scalar_dict: dict, step: int = 0, file_path=None, **kwargs) -> None:
        """Log numbers."""
        numbers = {_plain(key): float(value) for key, value in scalar_dict.items()}
        self._mlflow.log_metrics(numbers, step)

    def close(self) -> None:
        """Add the log and end the run, as failed if an error is on its way."""
        if not hasattr(self, "_mlflow") or not self._mlflow.active_run():
            return
        for log in Path(self._save_dir).parent.glob("*.log"):
            self._mlflow.log_artifact(str(log))
        self._mlflow.end_run("FAILED" if sys.exc_info()[0] else "FINISHED")


def _plain(name: str) -> str:
    """A name without what MLflow refuses: ``iou@0.3`` is ``iou_at_0.3``."""
    return re.sub(r"[^\w\-. /]", "_", name.replace("@", "_at_"), flags=re.ASCII)
