# SPDX-License-Identifier: MIT
"""How fast meshes become renderings and grids."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from voxrecon.cli.mesh_folder import MeshFile
from voxrecon.cli.mesh_rendering import Recipe, render_mesh
from voxrecon.geometry import draw_views

VIEWS = 24
RECIPE = Recipe("+y", "-z", "hidden", size=137, resolution=(32,))


def measure_rendering(count: int = 4) -> dict[str, int | list[float]]:
    """Meshes of 5,120 faces with own colours, from their file to 24 pictures and a grid of 32^3 on
    the disk, as ``render_meshes`` does it on one core.

    Returns:
        faces, views, and the seconds of each of ``count`` meshes: ``wall_s`` on the clock and
        ``cpu_s`` of this process, without that of the parser. One more before warms up.
    """
    import trimesh

    mesh = trimesh.creation.icosphere(subdivisions=4)
    x, y, z = mesh.vertices.T
    mesh.vertices *= (1 + 0.3 * np.sin(5 * x + 3 * y) * np.cos(4 * z))[:, None] * (1, 1.5, 0.7)
    mesh.visual.vertex_colors = (127.5 + 127.5 * np.stack((x, y, z), axis=1)).astype(np.uint8)
    views = draw_views(np.random.default_rng(0), VIEWS)
    wall, cpu = [], []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        mesh.export(root / "mesh.ply")
        for number in range(count + 1):
            start, busy = time.perf_counter(), time.process_time()
            file = MeshFile("mesh", str(number), root / "mesh.ply")
            problem = render_mesh(root, file, RECIPE, views)
            assert problem is None, problem
            wall.append(time.perf_counter() - start)
            cpu.append(time.process_time() - busy)
    return {"faces": len(mesh.faces), "views": VIEWS, "wall_s": wall[1:], "cpu_s": cpu[1:]}
