# SPDX-License-Identifier: MIT
"""Triangle meshes from OBJ, OFF, PLY, GLB and STL files, with their colours and textures.

trimesh parses them, in a child process with limits: what comes from outside may be anything.
"""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path

import numpy as np

from voxrecon.errors import FileError
from voxrecon.fileio import reason
from voxrecon.sandbox import run_limited

from .materials import Plain
from .surface import Surface
from .textures import OwnColours, Texture

KINDS = (".obj", ".off", ".ply", ".glb", ".stl")
MAX_BYTES = 512 * 2**20
MAX_TEXTURE_BYTES = 64 * 2**20
MAX_TEXTURE = 1024  # pixels; the renderings have 137
MAX_UV = 1e4  # textures are not repeated more often
SECONDS, MEGABYTES = 120.0, 4096  # of the parser
MIN_EXTENT = 1e-30  # the squares of squares of lengths are still numbers
GREY = (0.6, 0.6, 0.6)  # where a mesh has no colours
DIRECTIONS = {
    sign + name: value * np.eye(3)[axis]
    for axis, name in enumerate("xyz")
    for sign, value in (("+", 1.0), ("-", -1.0))
}


def read_mesh(
    path: str | os.PathLike,
    up: str = "+y",
    front: str = "+x",
    seconds: float = SECONDS,
    megabytes: int = MEGABYTES,
) -> Surface:
    """All triangles of a file, in the axes of :mod:`voxrecon.geometry.grid`.

    Textures are looked for in the mesh's folder and, as ShapeNet has them, in ``../images``. The
    transparency of materials is left out.

    Args:
        path: An OBJ, OFF, PLY, GLB or STL file.
        up, front: Where up is, and where the front looks, in the axes of the file: ``"+x"``,
            ``"-z"``, ... ShapeNetCore v2 has +y and -z, glTF +y and +z.
        seconds, megabytes: Limits of reading it.

    Raises:
        FileError: no such file, too large, of another kind, broken, or without triangles.
        ValueError: ``up`` and ``front`` are not two perpendicular directions.
    """
    turn = frame(up, front)
    path = Path(path)
    if path.suffix.lower() not in KINDS:
        raise FileError(f"{path}: expected a file of type {', '.join(k[1:] for k in KINDS)}")
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise FileError(f"{path}: cannot be read: {reason(error)}") from error
    if not stat.S_ISREG(status.st_mode):
        raise FileError(f"{path}: not a file, expected a mesh")
    if status.st_size > MAX_BYTES:
        raise FileError(f"{path}: {status.st_size} bytes, expected at most {MAX_BYTES}")
    vertices, faces, material_of, materials, coordinates = run_limited(
        _parse,
        path,
        name=str(path),
        seconds=seconds,
        megabytes=megabytes,
        preload=("trimesh", "trimesh.visual.material", "PIL.Image"),
    )
    return Surface(
        vertices @ turn.T, faces, material_of, materials, coordinates=coordinates, two_sided=True
    )


def frame(up: str, front: str) -> np.ndarray:
    """Rotation (3, 3) from axes in which these are up and the front to those of the grid.

    Raises:
        ValueError: they are not two perpendicular directions.
    """
    for name, value in (("up", up), ("front", front)):
        if value not in DIRECTIONS:
            raise ValueError(f"{name} {value!r}, expected one of {', '.join(DIRECTIONS)}")
    x, y = DIRECTIONS[front], DIRECTIONS[up]
    if x @ y:
        raise ValueError(f"up {up!r} and front {front!r}, expected two different axes")
    return np.array((x, y, np.cross(x, y)))


def _parse(path: Path) -> tuple:
    """In the child: vertices, faces, material of each face, materials, coordinates."""
    import trimesh
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = MAX_TEXTURE_BYTES // 4
    kind = path.suffix.lower()[1:]
    scene = trimesh.load_scene(
        io.BytesIO(path.read_bytes()), file_type=kind, process=False, resolver=_Textures(path)
    )
    meshes = [m for m in scene.dump() if isinstance(m, trimesh.Trimesh) and len(m.faces)]
    if not meshes:
        raise FileError(f"{path}: no triangles, expected some")
    vertices, faces, material_of, materials, coordinates = [], [], [], [], []
    start = 0
    for index, mesh in enumerate(meshes):
        inside = np.asarray(mesh.faces, np.int64)
        points = np.asarray(mesh.vertices, np.float64)
        if points.shape[1:] != (3,):
            raise FileError(f"{path}: vertices of {points.shape[-1]} numbers, expected 3")
        if inside.min() < 0 or inside.max() >= len(points):
            raise FileError(f"{path}: a face of vertex {inside.max()}, there are {len(points)}")
        if not np.isfinite(points[inside]).all():
            raise FileError(f"{path}: a vertex that is not finite, expected numbers")
        material, values = _colours(mesh)
        vertices.append(points)
        faces.append(inside + start)
        material_of.append(np.full(len(inside), index))
        materials.append(material)
        coordinates.append(values)
        start += len(points)
    faces = np.concatenate(faces)
    # a file that repeats a vertex for each face would look faceted
    vertices, same = np.unique(np.concatenate(vertices), axis=0, return_inverse=True)
    faces = same.reshape(-1)[faces]
    used, faces = np.unique(faces, return_inverse=True)
    vertices, faces = vertices[used], faces.reshape(-1, 3)
    extent = np.ptp(vertices, axis=0).max()
    if not MIN_EXTENT < extent < 1 / MIN_EXTENT:
        raise FileError(
            f"{path}: an object {extent:g} long, expected between {MIN_EXTENT:g} and "
            f"{1 / MIN_EXTENT:g}"
        )
    a, b, c = np.moveaxis(vertices[faces], 1, 0)
    if not np.cross(b - a, c - a).any():
        raise FileError(f"{path}: no triangle has an area, expected an object that can be seen")
    return (
        vertices,
        faces,
        np.concatenate(material_of),
        tuple(materials),
        np.concatenate(coordinates),
    )


def _colours(mesh) -> tuple[Plain | Texture | OwnColours, np.ndarray]:
    """A mesh's material, and what it is a function of: (F, 3, 5) u, v, r, g, b."""
    values = np.zeros((len(mesh.faces), 3, 5), np.float32)
    visual = mesh.visual
    if visual.kind in ("vertex", "face"):
        if visual.kind == "vertex":
            colours = np.asarray(visual.vertex_colors)[mesh.faces, :3]
        else:
            colours = np.asarray(visual.face_colors)[:, None, :3]
        values[..., 2:] = colours / 255
        return OwnColours(), values
    material = getattr(visual, "material", None)
    if material is None:
        return Plain(GREY), values
    colour = getattr(material, "baseColorFactor", getattr(material, "diffuse", None))
    colour = (255, 255, 255) if colour is None else colour
    tint = np.asarray(colour, np.float64).ravel()[:3] / 255
    tint = tuple(tint.clip(0, 1).tolist()) if np.isfinite(tint).all() and len(tint) == 3 else GREY
    image = getattr(material, "baseColorTexture", getattr(material, "image", None))
    uv = getattr(visual, "uv", None)
    if image is not None and image.size == (2, 2) and not getattr(material, "kwargs", True):
        return Plain(GREY), values  # trimesh's stand-in for a material that is not there
    if image is None or uv is None or len(uv) != len(mesh.vertices):
        return Plain(tint), values
    image = image.convert("RGB")
    image.thumbnail((MAX_TEXTURE, MAX_TEXTURE))
    values[..., :2] = np.nan_to_num(uv[mesh.faces][..., :2]).clip(-MAX_UV, MAX_UV)
    return Texture(np.asarray(image), tint), values


class _Textures:
    """What a mesh names: files in its own folder and below, or in ``../images``."""

    def __init__(self, mesh: Path) -> None:
        self.folder = mesh.parent.resolve()

    def get(self, name: str) -> bytes:
        name = str(name).strip().replace("\\", "/")
        path = (self.folder / name).resolve()
        if not any(
            path.is_relative_to(folder) for folder in (self.folder, self.folder.parent / "images")
        ):
            raise FileNotFoundError(f"{name}: outside of the mesh's folder")
        if not path.is_file() or path.stat().st_size > MAX_TEXTURE_BYTES:
            raise FileNotFoundError(name)
        return path.read_bytes()

    __getitem__ = get

    def namespaced(self, _: str) -> _Textures:
        return self
