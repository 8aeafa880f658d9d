# SPDX-License-Identifier: MIT
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from voxrecon import sandbox
from voxrecon.errors import ConfigError, FileError
from voxrecon.sandbox import run_limited


def double(value):
    return value * 2


def where():
    return os.getpid(), os.getppid()


def refuse():
    raise FileError("a.obj: bad, expected good")


def refuse_config():
    raise ConfigError("--x: bad, expected good")


def fail(text):
    raise KeyError(text)


def allocate(megabytes):
    return len(bytes(megabytes * 2**20))


def spin():
    while True:
        pass


def sleep_for_ever():
    time.sleep(1000)


def die(number):
    os.kill(os.getpid(), number)


def leave(code):
    os._exit(code)


def write(path):
    with open(path, "w") as file:
        file.write("x" * 100)


def chatter():
    print("noise on the pipe", flush=True)
    os.write(1, b"more of it")
    return os.read(0, 10)


def give_lambda():
    return lambda: 0


def wait_for_writer(path):
    """What somebody writes into a pipe; until then it waits."""
    return Path(path).read_bytes()


@contextmanager
def calls_under_way(folder, count):
    """Calls that are being served until the end; what they give must be in their futures then."""
    pipes = [folder / str(i) for i in range(count)]
    with ThreadPoolExecutor(count) as pool:
        calls: list[Future] = []
        for pipe in pipes:
            os.mkfifo(pipe)
            calls.append(pool.submit(run_limited, wait_for_writer, pipe, name="a", seconds=20))
        streams = [pipe.open("wb") for pipe in pipes]  # waits for the readers
        yield calls
        for stream in streams:
            stream.write(b"end")
            stream.close()
        assert [call.result() for call in calls] == [b"end"] * count


def works():
    """The server is well after whatever came before."""
    return run_limited(double, 21, name="a") == 42


def refusal(function, *args, **limits):
    with pytest.raises(FileError) as error:
        run_limited(function, *args, name="a.obj", **limits)
    assert works()
    return str(error.value)


def test_the_result_comes_from_another_process():
    child, server = run_limited(where, name="a")
    other, same = run_limited(where, name="a")
    assert len({child, other, server, os.getpid()}) == 4 and same == server


def test_large_results_come_through():
    assert run_limited(double, b"x" * 5_000_000, name="a") == b"x" * 10_000_000


def test_the_functions_own_refusal_comes_through():
    assert refusal(refuse) == "a.obj: bad, expected good"
    assert refusal(refuse_config) == "--x: bad, expected good"


def test_other_exceptions_are_named_in_one_line():
    assert refusal(fail, "x\ny" * 3) == "a.obj: cannot be parsed: KeyError: 'x\\nyx\\nyx\\ny'"
    assert len(refusal(fail, "x" * 1000)) < 160
    assert refusal(give_lambda).startswith("a.obj: cannot be parsed: ")


def test_memory_is_limited():
    assert run_limited(allocate, 50, name="a", megabytes=100) == 50 * 2**20
    message = refusal(allocate, 200, megabytes=100)
    assert message == "a.obj: cannot be parsed: it takes more than 100 MB"


@pytest.mark.parametrize("function", [spin, sleep_for_ever])
def test_time_is_limited(function):
    start = time.perf_counter()
    message = refusal(function, seconds=0.2)
    assert message == "a.obj: reading it took longer, expected within 0.2 s and 2048 MB"
    assert time.perf_counter() - start < 5  # not for ever


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_killed_child(number):
    assert f"a.obj: reading it was ended by signal {int(number)}, expected" in refusal(die, number)


def test_a_limit_of_the_shell_stays():
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (16 << 30, 16 << 30));"
        "from voxrecon.sandbox import run_limited; import math;"
        "print(run_limited(math.sqrt, 9.0, name='x'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "3.0\n", done.stderr


def test_a_child_that_leaves():
    assert "a.obj: reading it ended with code 3, expected" in refusal(leave, 3)


def test_a_child_writes_no_files(tmp_path):
    assert "a.obj: " in refusal(write, str(tmp_path / "x"))
    assert not (tmp_path / "x").exists() or (tmp_path / "x").stat().st_size == 0


def test_what_a_parser_prints_does_not_reach_the_reply():
    assert run_limited(chatter, name="a") == b""


def last_server():
    """The server of the last call."""
    return sandbox._pool.queue[-1]


def test_a_killed_server_is_one_failure_and_then_replaced():
    last_server().kill()
    last_server().wait()
    assert works()  # it had ended before the call
    server = run_limited(where, name="a")[1]
    with pytest.raises(FileError, match="a.obj: the process that was to read it has ended"):
        run_limited(die_with, server, name="a.obj")
    assert works()


def die_with(server):
    os.kill(server, signal.SIGKILL)
    os._exit(1)


def test_a_forked_process_has_its_own_server():
    server = run_limited(where, name="a")[1]
    read, write_ = os.pipe()
    child = os.fork()
    if not child:
        try:
            own = run_limited(where, name="a")[1]
            os.write(write_, str(own).encode())
            last_server().kill()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(write_)
    with os.fdopen(read) as stream:
        other = int(stream.read())
    assert other != server and run_limited(where, name="a")[1] == server


def test_a_call_does_not_wait_for_others(tmp_path):
    with calls_under_way(tmp_path, sandbox.SERVERS - 1) as calls:
        assert works()
        assert not any(call.done() for call in calls)


def test_there_are_few_servers():
    with ThreadPoolExecutor(2 * sandbox.SERVERS) as pool:
        calls = [pool.submit(run_limited, where, name="a") for _ in range(6 * sandbox.SERVERS)]
        found = [call.result() for call in calls]
    assert len({child for child, _ in found}) == len(found)
    assert len({server for _, server in found}) <= sandbox.SERVERS


def test_broken_calls_leave_their_places_to_others():
    for _ in range(sandbox.SERVERS):
        server = run_limited(where, name="a")[1]
        refusal(die_with, server)


def test_a_process_forked_amid_calls_does_not_wait_for_them(tmp_path):
    with calls_under_way(tmp_path, sandbox.SERVERS):
        child = os.fork()
        if not child:
            signal.alarm(15)
            try:
                os._exit(0 if works() else 1)
            finally:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_what_lies_in_the_current_folder_is_not_run(tmp_path, monkeypatch):
    (tmp_path / "voxrecon").mkdir()
    (tmp_path / "voxrecon" / "__init__.py").write_text("open('run', 'w')\n")
    (tmp_path / "pickle.py").write_text("open('run', 'w')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sandbox, "_pool", sandbox._new_pool())  # a new one is started here
    assert run_limited(double, 3, name="x") == 6
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pickle.py", "voxrecon"]


def test_relative_paths_are_those_of_the_caller(tmp_path, monkeypatch):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        assert run_limited(os.getcwd, name="x") == str(tmp_path / name)


def test_a_module_that_is_missing_is_named():
    with pytest.raises(FileError, match="x: cannot be parsed: No module named 'no_such_module'"):
        run_limited(double, 3, name="x", preload=["no_such_module"])
    assert run_limited(double, 3, name="x") == 6
