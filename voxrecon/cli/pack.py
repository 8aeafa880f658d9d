# SPDX-License-Identifier: MIT
from __future__ import annotations

import argparse
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

from voxrecon.cli.common import command_line, guard, parser, quote_path, with_bar
from voxrecon.datasets import R2N2Dataset, read_taxonomy
from voxrecon.datasets.storage import PACK, import_lmdb, read_bytes
from voxrecon.errors import ConfigError, FileError
from voxrecon.fileio import atomic_write, reason
from voxrecon.geometry.r2n2_layout import write_taxonomy

SUFFIXES = (".png", ".jpg", ".jpeg", ".binvox", ".mat", ".txt", ".json")  # what data sets read
MAX_BYTES = 2**28  # of a file; the largest grid that is read
BATCH = 500  # files in a transaction
PAGE = 4096  # bytes; a value beyond half of one takes whole pages


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``voxrecon data pack``."""
    arguments = parser(
        "data pack",
        "Pack the files of a data set into one, which every command takes as --data-root: for\n"
        "disks that are slow with a million small files. Needs lmdb.",
        "data/ShapeNet data/ShapeNet.lmdb",
    )
    arguments.add_argument("data", metavar="DATA", help="folder of the data set")
    arguments.add_argument("out", metavar="OUT.lmdb", help="the packed data set")
    return arguments


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    return build_parser().parse_args(argv)


def pack(args: argparse.Namespace) -> None:
    """Pack as the command line says."""
    if not args.out.endswith(PACK) or os.path.basename(args.out) == PACK:
        raise ConfigError(f"{args.out}: expected a name that ends with {PACK}")
    if os.path.lexists(args.out):
        raise ConfigError(f"{args.out}: is there already, expected a new file")
    import_lmdb()
    if not os.path.isdir(args.data):
        raise FileError(f"{args.data}: no such folder, expected a data set")
    read_taxonomy(os.path.join(args.data, "taxonomy.json"))
    files = dict(sorted(_list_files(args.data)))
    size = write_pack(args.data, files, args.out, lambda keys: with_bar(keys, "packing"))
    print(f"{args.out}: {len(files)} files, {size / 1e6:,.1f} MB")
    place = quote_path(args.out)
    print(f"train on it: {command_line('train')} CONFIG --data-root {place}")


def write_pack(
    root: str | os.PathLike,
    files: dict[bytes, int],
    out: str | os.PathLike,
    watch: Callable[[Iterable[bytes]], Iterable[bytes]] = iter,
) -> int:
    """Write files of ``root``, their keys and sizes in order of the keys; returns bytes.

    ``watch`` yields the keys it is given, and may show how far they are.

    Raises:
        FileError: a file cannot be read, or the pack not be written.
    """
    lmdb = import_lmdb()
    room = sum(-(-size // PAGE) + 1 for size in files.values()) * PAGE + 2**20
    left = iter(watch(files))
    with atomic_write(out) as temporary:
        try:
            with lmdb.open(
                str(temporary), subdir=False, lock=False, sync=False, map_size=room
            ) as environment:
                if files and max(map(len, files)) > environment.max_key_size():
                    longest = max(files, key=len).decode(errors="replace")
                    raise FileError(
                        f"{root}/{longest}: a path of {len(longest)} characters, "
                        f"expected at most {environment.max_key_size()}"
                    )
                while batch := [(key, _read(root, key)) for key in islice(left, BATCH)]:
                    while not _put(lmdb, environment, batch):
                        room *= 2
                        environment.set_mapsize(room)
        except lmdb.Error as error:
            cause = str(error).removeprefix(f"{temporary}: ")
            raise FileError(f"{out}: cannot be written: {cause}") from error
        return temporary.stat().st_size


def pack_samples(dataset: R2N2Dataset, count: int, folder: Path) -> dict[str, str]:
    """Pack the first ``count`` samples of a data set, all their views; for a data set of them.

    Returns:
        ``data_root`` and ``taxonomy`` of it, below ``folder``.
    """
    samples = [dataset.get_data_info(i) for i in range(min(count, len(dataset)))]
    paths = [path for sample in samples for path in dataset.list_grids(sample)]
    for sample in samples:
        _, views = dataset.list_views(sample)
        paths += [view.path for view in views]
        paths.append(os.path.join(os.path.dirname(views[0].path), "rendering_metadata.txt"))
    found = {p: os.path.getsize(p) for p in paths if os.path.isfile(p)}
    files = {os.fsencode(os.path.relpath(p, dataset.data_root)): n for p, n in found.items()}
    write_pack(dataset.data_root, dict(sorted(files.items())), folder / f"samples{PACK}")

    ids: dict[tuple[str, str], list[str]] = {}
    for sample in samples:
        ids.setdefault((sample["taxonomy"], sample["name"]), []).append(sample["id"])
    taxonomy = folder / "samples.json"
    write_taxonomy(taxonomy, [(*key, {dataset.split: part}) for key, part in ids.items()])
    return {"data_root": str(folder / f"samples{PACK}"), "taxonomy": str(taxonomy)}


def _put(lmdb, environment, batch: list[tuple[bytes, bytes]]) -> bool:
    """Whether there was room for them."""
    try:
        with environment.begin(write=True) as transaction:
            for key, value in batch:
                transaction.put(key, value, append=True)  # sorted: faster, and pages get full
    except lmdb.MapFullError:
        return False
    return True


def _read(root: str | os.PathLike, key: bytes) -> bytes:
    path = os.path.join(root, os.fsdecode(key))
    try:
        return read_bytes(path, MAX_BYTES)
    except FileNotFoundError as error:
        raise FileError(f"{path}: cannot be read: {reason(error)}") from error


def _list_files(root: str | os.PathLike) -> Iterator[tuple[bytes, int]]:
    """Keys and sizes of the files that data sets read, links followed."""
    root = Path(root)
    pending, seen = [root], set()
    while pending:
        folder = pending.pop()
        try:
            found = folder.stat()
            if (found.st_dev, found.st_ino) in seen:  # a link back to a folder above
                continue
            seen.add((found.st_dev, found.st_ino))
            entries = list(os.scandir(folder))
        except OSError as error:
            raise FileError(f"{folder}: cannot be read: {reason(error)}") from error
        for entry in entries:
            path = folder / entry.name
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                pending.append(path)
            elif path.suffix.lower() in SUFFIXES:
                status = path.stat()
                if stat.S_ISREG(status.st_mode):
                    yield os.fsencode(path.relative_to(root).as_posix()), status.st_size


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    guard(lambda: pack(parse_args(argv)))


if __name__ == "__main__":
    main()
