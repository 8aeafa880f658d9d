# SPDX-License-Identifier: MIT
"""Small sets as Pix3D, Pascal 3D+ and Things3D have them, of one object without symmetry."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from scipy.io import savemat

from voxrecon.geometry.binvox import write_binvox

# seat, back at low x, one arm at high z, one leg: first and last corner in cells of a grid of 32
BOXES = (
    ((0, 12, 4), (32, 16, 28)),
    ((0, 16, 4), (4, 30, 28)),
    ((4, 16, 24), (20, 22, 28)),
    ((26, 2, 4), (30, 12, 8)),
)
FACES = (  # of a box, its corners numbered 4 x + 2 y + z; counter-clockwise from outside
    (0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5), (0, 4, 5), (0, 5, 1),
    (2, 3, 7), (2, 7, 6), (0, 2, 6), (0, 6, 4), (1, 5, 7), (1, 7, 3),
)  # fmt: skip


def make_solid() -> np.ndarray:
    """The object, (32, 32, 32) bool."""
    grid = np.zeros((32, 32, 32), bool)
    for low, high in BOXES:
        grid[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = True
    return grid


def mesh(turn: Callable) -> tuple[list, list]:
    """Vertices and faces; ``turn`` takes x, y, z of the grid to the axes of a file."""
    vertices, faces = [], []
    for low, high in BOXES:
        faces += [[len(vertices) + corner for corner in face] for face in FACES]
        ends = list(zip(low, high, strict=True))
        vertices += [turn(x, y, z) for x in ends[0] for y in ends[1] for z in ends[2]]
    return vertices, faces


def write_obj(path: Path) -> None:
    """In the axes of Pix3D: x to the viewer's left, y up, z away from the viewer."""
    vertices, faces = mesh(lambda x, y, z: (z, y, -x))
    lines = [f"v {x} {y} {z}" for x, y, z in vertices]
    lines += [f"f {a + 1} {b + 1} {c + 1}" for a, b, c in faces]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


def write_off(path: Path) -> None:
    """In the axes of Pascal 3D+: the front looks along -y, z is up."""
    vertices, faces = mesh(lambda x, y, z: (-z, -x, y))
    lines = ["OFF", f"{len(vertices)} {len(faces)} 0"]
    lines += [f"{x} {y} {z}" for x, y, z in vertices]
    lines += [f"3 {a} {b} {c}" for a, b, c in faces]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


def write_voxels(path: Path, times: int = 2) -> None:
    """The official grid of Pix3D, ``times`` as fine: x leftward, y to the viewer, z up."""
    fine = make_solid().repeat(times, 0).repeat(times, 1).repeat(times, 2)
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, {"voxel": fine.transpose(2, 0, 1).astype(np.uint8)}, do_compression=True)


def picture(key: int, width: int = 40, height: int = 30) -> np.ndarray:
    """(H, W, 3) uint8 BGR, smooth, so that JPEG changes little."""
    y, x = np.mgrid[:height, :width]
    return np.dstack([x * 6, y * 8, np.full_like(x, key * 20 % 256)]).astype(np.uint8)


def write_picture(path: Path, key: int, grey: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = picture(key)
    data = cv2.imencode(path.suffix, image[..., 1] if grey else image)[1]
    path.write_bytes(data.tobytes())


def entry(category: str, stem: str, model: str = "IKEA_A", kind: str = "png", **changes) -> dict:
    """A photo as ``pix3d.json`` has it."""
    folder = f"model/{category}/{model}"
    return {
        "img": f"img/{category}/{stem}.{kind}",
        "category": category,
        "img_size": [40, 30],
        "model": f"{folder}/model.obj",
        "voxel": f"{folder}/voxel.mat",
        "bbox": [10, 5, 30, 25],
        "truncated": False,
        "occluded": False,
        "slightly_occluded": False,
        **changes,
    }


PHOTOS = [
    entry("chair", "0001"),
    entry("chair", "0002", kind="jpg", bbox=[-10, 5, 20, 45]),  # grey, and beyond the border
    entry("chair", "0003", truncated=True),
    entry("chair", "0004", occluded=True),
    entry("chair", "0005", slightly_occluded=True),
    entry("chair", "0006", "IKEA_B"),
    entry("table", "0001", "IKEA_T"),
]


def make_pix3d(root: Path, photos: list[dict] = PHOTOS) -> Path:
    """``pix3d.json``, photos, meshes and official voxels; no grids and no splits."""
    for key, photo in enumerate(photos):
        write_picture(root / photo["img"], key, grey=photo["img"].endswith("jpg"))
        write_obj(root / photo["model"])
        write_voxels(root / photo["voxel"])
    (root / "pix3d.json").write_text(json.dumps(photos))
    return root


def write_splits(root: Path, **classes: dict) -> None:
    """``taxonomy.json`` of the ids by split of each class."""
    entries = [{"taxonomy_id": c, "taxonomy_name": c, **splits} for c, splits in classes.items()]
    (root / "taxonomy.json").write_text(json.dumps(entries))


def write_annotation(path: Path, *objects: tuple) -> None:
    """A Pascal 3D+ record of objects (box, number of the CAD model or None)."""
    kind = [("class", object), ("bbox", object), ("cad_index", object)]
    rows = np.zeros(len(objects), kind)
    for row, (box, cad) in zip(rows, objects, strict=True):
        row["class"] = "chair"
        row["bbox"] = np.array(box, float)
        row["cad_index"] = np.zeros(0) if cad is None else np.array(float(cad))
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, {"record": {"imgsize": np.array([40, 30, 3]), "objects": rows}})


def make_pascal3d(root: Path) -> Path:
    """Chairs a, b, c (without a model) for training, d for testing; two CAD models."""
    small, large = (2, 2, 8, 8), (5.5, 4, 30.5, 28)
    objects = {
        "a": [(small, 1), (large, 2)],
        "b": [((30, 20, 60, 50), 1)],  # beyond the border
        "c": [(large, None)],
        "d": [(large, None), (small, 2)],
    }
    for key, (name, listed) in enumerate(objects.items()):
        write_picture(root / "Images" / "chair_imagenet" / f"{name}.JPEG", key)
        write_annotation(root / "Annotations" / "chair_imagenet" / f"{name}.mat", *listed)
    for number in (1, 2):
        write_off(root / "CAD" / "chair" / f"{number:02d}.off")
    (root / "Image_sets").mkdir()
    (root / "Image_sets" / "chair_imagenet_train.txt").write_text("a\nb\nc\n")
    (root / "Image_sets" / "chair_imagenet_val.txt").write_text("d\n")
    return root


def make_things3d(root: Path) -> Path:
    """Chair m-1 in rooms s1 (3 views) and s2 (1 view), chair m2 in s1, m3 without a grid."""
    shape = make_solid()
    for model in ("m-1", "m2"):
        path = root / "ShapeNetVox32" / "03001627" / model / "model.binvox"
        path.parent.mkdir(parents=True)
        write_binvox(path, shape)
    for model, scene, views in (
        ("m-1", "s1", 3),
        ("m-1", "s2", 1),
        ("m2", "s1", 2),
        ("m3", "s", 1),
    ):
        folder = root / "03001627" / model / scene
        for view in range(views):
            write_picture(folder / f"render_{view:02d}_final.png", view)
            write_picture(folder / f"render_{view:02d}_clean.png", 9)
    return root
