# SPDX-License-Identifier: MIT
"""Third-party parsers in a child process: a crash, endless work or a flood of memory that a hostile
file provokes ends there.

A server process is started at the first call; it forks a child for each call, which takes some
milliseconds. A child has a limit of time and of memory and writes no files. Calls of several
threads have a server each, up to ``SERVERS``; further ones wait.
"""

from __future__ import annotations

import importlib
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from queue import LifoQueue
from typing import BinaryIO

from voxrecon.errors import FileError, VoxreconError

# without the folder that one stands in: what lies there may be named like a module
SERVER = (
    "import sys; sys.path[:] = [p for p in sys.path if p]; "
    "from voxrecon.sandbox import serve; serve()"
)
SERVERS = 4


def run_limited(
    function: Callable,
    *args: object,
    name: str,
    seconds: float = 60.0,
    megabytes: int = 2048,
    preload: Iterable[str] = (),
) -> object:
    """``function(*args)`` in a child process; function, arguments and result must pickle.

    Args:
        name: What is parsed, for messages: the path of a file.
        seconds: Time on the clock after which the child is killed.
        megabytes: Memory that it may take beside what is there at the start.
        preload: Modules that ``function`` imports, loaded once for all calls.

    Raises:
        FileError: the function raised one, raised anything else, or broke a limit.
    """
    request = pickle.dumps((function, args, seconds, megabytes))
    # where one stands may change between two calls
    modules = pickle.dumps((os.getcwd(), list(sys.path), [function.__module__, *preload]))
    try:
        with _borrow_server() as server:
            _write(server.stdin, modules)
            _write(server.stdin, request)
            kind, value = pickle.loads(_read(server.stdout))
    except (OSError, EOFError) as error:
        raise FileError(f"{name}: the process that was to read it has ended") from error
    if kind == "result":
        return value
    if kind == "killed":
        limits = f"{seconds:g} s and {megabytes} MB"
        raise FileError(f"{name}: reading it {_end(value)}, expected within {limits}")
    raise FileError(value if kind == "refused" else f"{name}: cannot be parsed: {value}")


def _end(code: int) -> str:
    if code == -signal.SIGALRM:
        return "took longer"
    return f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"


def _new_pool() -> LifoQueue[subprocess.Popen | None]:
    """Servers that wait for a call, the last used on top; None: one that was never needed."""
    pool = LifoQueue()
    for _ in range(SERVERS):
        pool.put(None)
    return pool


def _forget_pool() -> None:
    """In a fork, which may not use its parent's."""
    global _pool
    _pool = _new_pool()


_pool = _new_pool()
os.register_at_fork(after_in_child=_forget_pool)


@contextmanager
def _borrow_server() -> Iterator[subprocess.Popen]:
    pool = _pool
    server = pool.get()
    try:
        if server is None or server.poll() is not None:
            server = _start()
        yield server
    except BaseException:
        # Ctrl-C, too: a reply that nobody waits for must not reach the next call
        if server is not None:
            server.kill()
            server.wait()
        raise
    finally:
        pool.put(server)


def _start() -> subprocess.Popen:
    threads = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
    return subprocess.Popen(
        [sys.executable, "-c", SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **threads, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        start_new_session=True,  # Ctrl-C is for the parent
    )


def serve() -> None:
    """The server: reads requests from stdin until that is closed."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):
        os.dup2(nothing, stream)
    while True:
        try:
            folder, paths, modules = pickle.loads(_read(requests))
            request = _read(requests)
        except EOFError:
            return
        try:
            sys.path[:] = paths
            os.chdir(folder)
            for module in modules:
                importlib.import_module(module)
        except (ImportError, OSError) as error:
            _write(replies, pickle.dumps(("failed", str(error))))
            continue
        child = os.fork()
        if not child:
            _work(request, replies)
        _, status = os.waitpid(child, 0)
        if status:
            _write(replies, pickle.dumps(("killed", os.waitstatus_to_exitcode(status))))


def _work(request: bytes, replies: BinaryIO) -> None:
    """In the child of one call: reply, and end."""
    import resource

    try:
        function, args, seconds, megabytes = pickle.loads(request)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        limit = _address_space() + megabytes * 2**20
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]  # of the shell or the cluster
        if hard != resource.RLIM_INFINITY:
            limit = min(limit, hard)
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
        signal.setitimer(signal.ITIMER_REAL, seconds)  # ends the process, whatever it does
        try:
            reply = pickle.dumps(("result", function(*args)))
        except VoxreconError as error:
            reply = pickle.dumps(("refused", str(error)))
        except MemoryError:
            reply = pickle.dumps(("failed", f"it takes more than {megabytes} MB"))
        except Exception as error:
            brief = " ".join(f"{type(error).__name__}: {error}".split())[:120]
            reply = pickle.dumps(("failed", brief))
        signal.setitimer(signal.ITIMER_REAL, 0)
        _write(replies, reply)
        os._exit(0)
    finally:
        os._exit(1)


def _address_space() -> int:
    """Bytes that this process has mapped."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 2**33  # not Linux: what an interpreter may have mapped at most


def _write(stream: BinaryIO, data: bytes) -> None:
    stream.write(len(data).to_bytes(8, "big") + data)
    stream.flush()


def _read(stream: BinaryIO) -> bytes:
    size = int.from_bytes(_exactly(stream, 8), "big")
    return _exactly(stream, size)


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data
