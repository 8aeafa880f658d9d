# SPDX-License-Identifier: MIT
"""Words that Python and the commands share; nothing is imported, so that ``--help`` is quick."""

from __future__ import annotations

from typing import Literal, get_args

DEFAULT_MODEL = "pix2voxpp_f_shapes13"

Background = Literal["auto", "alpha", "grabcut", "keep"]
Framing = Literal["object", "whole", "rendering"]
MeshKind = Literal["smooth", "surface", "boxes"]
BACKGROUNDS: tuple[str, ...] = get_args(Background)
FRAMINGS: tuple[str, ...] = get_args(Framing)
MESH_KINDS: tuple[str, ...] = get_args(MeshKind)

PORTABLE = ("onnx", "openvino")  # backends of exported files
BACKENDS = ("torch", *PORTABLE)

MESH_FORMATS = ("glb", "obj", "ply", "stl")
FORMATS = (*MESH_FORMATS, "binvox", "npz", "png", "gif")  # of a reconstruction, as suffixes
