"""Starting, asking and ending of processes."""
from __future__ import annotations

import contextlib
import functools
import os
import re
import subprocess
import threading
import time
from pathlib import Path
from typing import Iterable, Iterator, Mapping, Optional, Sequence

ROOT = Path(__file__).resolve().parents[1]
PYTHON = "/usr/bin/python3"  # the one that Debian's packages are for


class Failed(Exception):
    """A program that did not give what it should."""


def _idle_ticks() -> dict[int, int]:
    lines = Path("/proc/stat").read_text().splitlines()
    return {int(words[0][3:]): int(words[4]) for words in map(str.split, lines)
            if re.fullmatch(r"cpu\d+", words[0])}


@functools.cache
def _quiet_core() -> int:
    """The core that did least in half a second."""
    before = _idle_ticks()
    time.sleep(0.5)
    after = _idle_ticks()
    return max(os.sched_getaffinity(0), key=lambda core: after[core] - before[core])


def one_core() -> list[str]:
    """The prefix of a command that is to run on one core, the same for all."""
    return ["taskset", "-c", str(_quiet_core())]


def values(lines: Iterable[str]) -> dict[str, float]:
    """The lines `name value` that hold a number."""
    result: dict[str, float] = {}
    for line in lines:
        words = line.split()
        if len(words) == 2:
            try:
                result[words[0]] = float(words[1])
            except ValueError:
                pass
    return result


def run(command: Sequence[str], timeout: float = 300) -> subprocess.CompletedProcess[str]:
    """Runs to the end; what fails says so with its own words."""
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failed(str(error)) from error
    if done.returncode != 0:
        raise Failed(f"{Path(command[0]).name}: exit code {done.returncode}: {done.stderr[-400:]}")
    return done


def stop(process: subprocess.Popen[str]) -> None:
    """Ends a process that this script started, and waits for it."""
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


# PyTorch's own vector code uses AVX2 unasked; where there is AVX-512, that is another variant.
AVX512 = {"ATEN_CPU_CAPABILITY": "avx512"}


@functools.cache
def has_avx512() -> bool:
    return "avx512f" in Path("/proc/cpuinfo").read_text()


class Peer:
    """A peer's script, which answers a line on stdin with lines on stdout, one at a time."""

    def __init__(self, script: str, pinned: bool = True, threads: int = 1,
                 environment: Optional[Mapping[str, str]] = None) -> None:
        env = dict(os.environ, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads),
                   PYTHONDONTWRITEBYTECODE="1", **(environment or {}))
        path = ROOT / "bench" / "peers" / script
        self.script = script
        self.process = subprocess.Popen(
            [*(one_core() if pinned else []), PYTHON, str(path), "-"], cwd=ROOT, env=env,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        stop(self.process)
        self.process.stdout.close()

    def answers(self, line: str, timeout: float = 120) -> Iterator[str]:
        """Asks, and gives the lines as they come; the caller knows which is the last."""
        alarm = threading.Timer(timeout, self.process.kill)
        alarm.start()
        try:
            print(line, file=self.process.stdin, flush=True)
            while answer := self.process.stdout.readline():
                yield answer.rstrip("\n")
        except BrokenPipeError:
            pass
        finally:
            alarm.cancel()
        raise Failed(f"{self.script} ended early, or took more than {timeout:g} s")

    def answer(self, line: str) -> str:
        return next(self.answers(line))
