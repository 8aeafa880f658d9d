# SPDX-License-Identifier: MIT
"""What ``voxrecon infer`` is to write, refused before the network runs where that cannot be."""

from __future__ import annotations

import argparse
import errno
import os
from pathlib import Path

from voxrecon.choices import FORMATS
from voxrecon.errors import ConfigError, FileError


def check_outputs(args: argparse.Namespace, many: bool) -> None:
    """ConfigError or FileError unless the files of one object, or the folder of many, can be
    written."""
    if many:
        _check_many(args)
    else:
        _check_files(args)


def _check_many(args: argparse.Namespace) -> None:
    folder = args.out[0]
    of_a_file = Path(folder).suffix.lower()[1:] in FORMATS and not os.path.isdir(folder)
    if len(args.out) > 1 or of_a_file:
        raise ConfigError(f"--out {' '.join(args.out)}: many objects, expected a folder")
    for option in ("show_scores", "show_inputs", "boxes"):
        if getattr(args, option):
            raise ConfigError(f"--{option.replace('_', '-')}: of one object, not of many")
    _check_folder(folder)


def _check_files(args: argparse.Namespace) -> None:
    from voxrecon.apis.reconstruction import check_output

    if args.formats:
        raise ConfigError("--formats: of many objects; of one the suffix of --out says it")
    for path in args.out:
        check_output(path)
    shown = [path for path in (args.show_scores, args.show_inputs) if path]
    for path in shown:
        if Path(path).suffix.lower() != ".png":
            raise FileError(f"{path}: expected a file of type .png")
    files = [*args.out, *shown]
    photos = [path for path in args.photos if os.path.exists(path)]
    for path in files:
        if os.path.isdir(path):
            raise FileError(f"{path}: a folder, expected a file")
        if os.path.exists(path) and any(os.path.samefile(path, photo) for photo in photos):
            raise FileError(f"{path}: is one of the photos, expected another file")
        if files.count(path) > 1:
            raise ConfigError(f"{path}: named twice, expected a file of its own for each output")
        _check_folder(os.path.dirname(path))


def _check_folder(folder: str) -> None:
    """FileError unless it, or the nearest above it that there is, can be written; makes none."""
    there = os.path.abspath(folder)
    while not os.path.lexists(there):
        there = os.path.dirname(there)
    if not os.path.isdir(there):
        raise FileError(f"{there}: a file, expected a folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise FileError(f"{there}: cannot be written: {os.strerror(errno.EACCES)}")
