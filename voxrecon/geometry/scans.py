# SPDX-License-Identifier: MIT
"""Scans of phones and scanners: from a noisy surface with a floor and stray parts to the object."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .surface import Surface

SEED = 0
POINTS = 3000  # samples of the surface, for its floor
DRAWS, PLANES = 50_000, 2000  # planes through three of them, and how many level ones are tried
TILT = 12.0  # degrees that a floor may be out of level
NEAR = 0.01  # of the scan's diagonal: what counts as on a plane, until its noise is known
SHARE = 0.05  # of the surface that must lie on a floor
BELOW = 0.03  # of the surface that may lie beneath it
SPREAD = 4.0  # noise of the floor, in standard deviations, that is cut away with it
LEAST, MOST = 0.002, 0.03  # of the scan's diagonal: bounds of that
CRUMB = 2.0  # times the cut: what is lower is no object
DENSE = 200_000  # samples of the surface for its parts
GAP = 0.02  # of the square root of the area: parts that are nearer to each other are one
ROUNDS = 10  # of smoothing
PASS, STOP = 0.5, -0.53  # steps of Taubin's filter (SIGGRAPH 1995): the second undoes shrinking


@dataclass(frozen=True, eq=False)
class Scan:
    """A scanned object that stands upright on its floor.

    Attributes:
        surface: The object alone, without an underside.
        tilt: degrees by which the floor was out of level; None if no floor was found.
        noise: standard deviation of the floor's height, in units of the scan; 0 without a floor.
        left_out: Share of the area above the floor that other parts had.
    """

    surface: Surface
    tilt: float | None
    noise: float
    left_out: float


def clean_scan(surface: Surface) -> Scan:
    """Take the floor and all parts but the largest away from a scan with y up.

    The floor is the plane, level to ``TILT``, on which most of the surface lies and beneath which
    next to nothing lies (RANSAC, Fischler and Bolles 1981, the same draws for every scan). The
    object is turned upright on it and its lowest faces are drawn down to it. How rough the floor is
    says how noisy the scan is: by so much the object's vertices may move when it is smoothed.

    Raises:
        ValueError: there is nothing but a floor.
    """
    vertices = surface.vertices - surface.center
    plane = _find_floor(vertices[surface.faces])
    if plane is not None and plane[2] > 0:
        vertices = _smooth(vertices, surface.faces, SPREAD * plane[2])
        plane = _find_floor(vertices[surface.faces]) or plane
    keep = np.ones(len(surface.faces), bool)
    tilt, noise, cut = None, 0.0, 0.0
    if plane is not None:
        normal, offset, noise = plane
        tilt = float(np.degrees(np.arccos(np.clip(normal[1], -1, 1))))
        vertices = vertices @ _level(normal).T - (0, offset, 0)  # the floor is at height 0
        top = vertices[surface.faces, 1].max()
        cut = float(np.clip(SPREAD * noise, LEAST * surface.diagonal, MOST * surface.diagonal))
        keep = (vertices[surface.faces, 1] > cut).any(axis=1)
        if top <= CRUMB * cut:
            raise ValueError("nothing but a floor, expected an object on it")
    part = _parts(vertices[surface.faces[keep]])
    sizes = np.bincount(part, _areas(vertices[surface.faces[keep]]))
    keep[keep] = part == sizes.argmax()
    faces = surface.faces[keep]
    if plane is not None:
        vertices[vertices[:, 1] <= cut, 1] = 0.0
    if not np.ptp(vertices[faces], axis=(0, 1)).min() > CRUMB * cut:
        raise ValueError("nothing but flat parts, expected an object with a volume")
    coordinates = None if surface.coordinates is None else surface.coordinates[keep]
    alone = replace(
        surface,
        vertices=vertices,
        faces=faces,
        material_of=surface.material_of[keep],
        coordinates=coordinates,
    )
    return Scan(alone, tilt, noise, float(1 - sizes.max() / sizes.sum()))


def turn(surface: Surface, degrees: float) -> Surface:
    """The surface turned about y, so that what a camera at this azimuth sees becomes the front."""
    a = np.radians(degrees)
    rows = ((np.cos(a), 0, np.sin(a)), (0, 1, 0), (-np.sin(a), 0, np.cos(a)))
    return replace(surface, vertices=surface.vertices @ np.array(rows).T)


def _find_floor(triangles: np.ndarray) -> tuple[np.ndarray, float, float] | None:
    """Normal (3,), height along it, and noise of the floor of triangles (F, 3, 3)."""
    rng = np.random.default_rng(SEED)
    points = _sample(triangles, POINTS)[0]
    near = NEAR * float(np.linalg.norm(np.ptp(points, axis=0)))
    best, plane = SHARE * len(points), None
    first, b, c = np.moveaxis(points[rng.integers(len(points), size=(DRAWS, 3))], 1, 0)
    normals = np.cross(b - first, c - first)
    normals *= np.sign(normals[:, 1:2])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    level = np.flatnonzero(normals[:, 1] >= np.cos(np.radians(TILT)))[:PLANES]
    for a, normal in zip(first[level], normals[level], strict=True):
        height = (points - a) @ normal
        on = np.count_nonzero(np.abs(height) <= near)
        if on > best and np.count_nonzero(height < -near) <= BELOW * len(points):
            best, plane = on, (normal, a @ normal)
    if plane is None:
        return None
    normal, offset = plane
    noise = near
    for _ in range(4):  # least squares on what is near, which gets narrower
        on = points[np.abs(points @ normal - offset) <= min(near, 3 * noise)]
        middle = on.mean(axis=0)
        normal = np.linalg.svd(on - middle, full_matrices=False)[2][2]
        normal *= np.sign(normal[1])
        offset = middle @ normal
        noise = 1.4826 * float(np.median(np.abs(on @ normal - offset)))  # of a normal law
        noise = max(noise, 1e-9 * near)
    return normal, float(offset), noise if noise > 1e-3 * near else 0.0


def _sample(triangles: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Points (N, 3), evenly over the area, and the triangle (N,) of each."""
    rng = np.random.default_rng(SEED)
    area = np.cumsum(_areas(triangles))
    face = np.searchsorted(area, rng.random(count) * area[-1], side="right")
    face = np.minimum(face, len(area) - 1)
    a, b, c = np.moveaxis(triangles[face], 1, 0)
    u, v = np.sort(rng.random((2, count, 1)), axis=0)
    return a * u + b * (v - u) + c * (1 - v), face


def _areas(triangles: np.ndarray) -> np.ndarray:
    a, b, c = np.moveaxis(triangles, 1, 0)
    return np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2


def _level(normal: np.ndarray) -> np.ndarray:
    """The smallest rotation (3, 3) that takes a unit vector to +y."""
    axis = np.cross(normal, (0.0, 1.0, 0.0))
    skew = np.cross(np.eye(3), axis)
    return np.eye(3) + skew + skew @ skew / (1 + normal[1])


def _parts(triangles: np.ndarray) -> np.ndarray:
    """The part, from 0, that each triangle (F,) belongs to.

    What meets in a cell of two lattices is one part: scanners tear surfaces at every seam.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    step = GAP * np.sqrt(_areas(triangles).sum())
    inner, face = _sample(triangles, DENSE)
    number = np.arange(len(triangles))
    points = np.concatenate((triangles.reshape(-1, 3), inner))
    owner = np.concatenate((np.repeat(number, 3), face))
    links, count = [], len(triangles)
    for shift in (0.0, 0.5):  # the second lattice bridges the borders of the first
        place = np.floor((points - points.min(axis=0)) / step + shift).astype(np.int64)
        span = place.max(axis=0) + 1
        key = (place[:, 0] * span[1] + place[:, 1]) * span[2] + place[:, 2]
        _, cell = np.unique(key, return_inverse=True)
        links.append(np.stack((owner, cell.reshape(-1) + count)))
        count += cell.max() + 1
    rows, columns = np.concatenate(links, axis=1)
    graph = coo_matrix((np.ones(len(rows), bool), (rows, columns)), (count, count))
    label = connected_components(graph, directed=False)[1][: len(triangles)]
    return np.unique(label, return_inverse=True)[1].reshape(-1)


def _smooth(vertices: np.ndarray, faces: np.ndarray, most: float) -> np.ndarray:
    """Vertices without what is rough in their heights over their neighbours, moved by at most
    ``most``."""
    from scipy.sparse import coo_matrix, diags

    a, b = np.concatenate((faces[:, :2], faces[:, 1:], faces[:, ::2])).T
    one = np.ones(2 * len(a), np.float32)
    size = (len(vertices), len(vertices))
    links = coo_matrix((one, (np.append(a, b), np.append(b, a))), size).tocsr()
    links.data[:] = 1  # an edge of two faces counts once
    degree = np.asarray(links.sum(axis=1)).ravel()
    mean = diags(1 / np.maximum(degree, 1)) @ links
    smooth = vertices
    for _ in range(ROUNDS):
        for step in (PASS, STOP):
            smooth = smooth + step * (mean @ smooth - smooth * (degree > 0)[:, None])
    move = smooth - vertices
    length = np.linalg.norm(move, axis=1, keepdims=True)
    return vertices + move * np.minimum(1, most / np.maximum(length, 1e-12))
