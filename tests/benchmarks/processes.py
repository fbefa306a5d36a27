"""Programs that are measured: started on loopback, ended by their id."""

import os
import re
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
HARNESS = (sys.executable, "-c", "import sys; from harness.cli import main; sys.exit(main())")
START_S = 60.0
END_S = 5.0


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: Sequence[str], *, port: int, cwd: Path = ROOT) -> Iterator[subprocess.Popen[bytes]]:
    """A program for as long as it is needed; it is there once its port takes connections."""
    process = subprocess.Popen(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _await_port(process, command, port)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_port(process: subprocess.Popen[bytes], command: Sequence[str], port: int) -> None:
    until_s = time.monotonic() + START_S
    while time.monotonic() < until_s:
        if process.poll() is not None:
            raise RuntimeError(f"{' '.join(command)}: ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{' '.join(command)}: port {port} takes no connection after {START_S:g} s")


@contextmanager
def stub_of(contract: str, *, credential: str) -> Iterator[tuple[str, int]]:
    """The stub of a contract in a process of its own: its origin and the process's id."""
    port = free_port()
    with running([*HARNESS, "stub", contract, "--port", str(port), "--credential", credential], port=port) as process:
        yield f"http://127.0.0.1:{port}", process.pid


def cpu_s(pid: int) -> float:
    """The CPU seconds that a process has used so far; 0 where the system doesn't tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children_cpu_s() -> float:
    """The CPU seconds of all programs that this one has started and seen ending."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def wrk(url: str, script: Path, *, seconds: int, settings: dict[str, str]) -> float:
    """Good answers a second, asked by one thread over 16 connections."""
    command = ["wrk", "-t1", "-c16", f"-d{seconds}s", "-s", str(script), url]
    done = subprocess.run(command, env={**os.environ, **settings}, capture_output=True, text=True, check=True, timeout=seconds + 30)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    if rate is None or "Non-2xx" in done.stdout:
        raise RuntimeError(f"{url} did not answer well:\n{done.stdout}{done.stderr}")
    return float(rate[1])
