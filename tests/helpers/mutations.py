# SPDX-License-Identifier: MIT
"""Damaged files for fuzzing: valid ones with bytes changed, cut out, repeated and put in."""

from __future__ import annotations

import resource
import time
import zlib
from collections.abc import Callable, Sequence

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

FILES = 500  # of each kind
SECONDS, MEGABYTES = 2.0, 300  # that a door may take
# numbers that parsers trip over, as they stand in files
ODD = (b"\xff" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0" * 8, b"-1", b"1e999", b"nan")
ODD += (b"99999999999", b"512 512 512", b"[[[[[[[[", b'"', b"\n", b"../../x", b"\xc3\x28")

fuzz = settings(
    max_examples=FILES,
    derandomize=True,  # the same files each time
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

_edits = st.lists(
    st.tuples(
        st.sampled_from(("set", "cut", "repeat", "insert", "truncate")),
        st.floats(0, 1),  # where
        st.integers(1, 64),  # how much
        st.one_of(st.sampled_from(ODD), st.binary(min_size=1, max_size=8)),
    ),
    min_size=1,
    max_size=6,
)


def mutations(seeds: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Damaged variants of whole files."""
    return st.builds(_damage, st.sampled_from(list(seeds)), _edits)


def _damage(data: bytes, edits: list[tuple[str, float, int, bytes]]) -> bytes:
    for kind, where, length, content in edits:
        at = int(where * len(data))
        if kind == "set":
            data = data[:at] + content + data[at + len(content) :]
        elif kind == "cut":
            data = data[:at] + data[at + length :]
        elif kind == "repeat":
            data = data[: at + length] + data[at:]
        elif kind == "insert":
            data = data[:at] + content + data[at:]
        else:
            data = data[:at]
    return data


def with_checksums(png: bytes) -> bytes:
    """A damaged PNG with the right CRC behind each chunk, so that what is inside gets read."""
    out, at = png[:8], 8
    while at + 12 <= len(png):
        end = at + 8 + int.from_bytes(png[at : at + 4], "big")
        if end + 4 > len(png):
            break
        out += png[at:end] + zlib.crc32(png[at + 4 : end]).to_bytes(4, "big")
        at = end + 4
    return out + png[at:]


def within_limits(read: Callable[[], object]) -> None:
    """Call a door: it takes neither 2 s of this process nor, at its peak, 300 MB more."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    try:
        read()
    finally:
        assert time.process_time() - start < SECONDS
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert peak < MEGABYTES * 1024  # kB on Linux
