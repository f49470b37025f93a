"""What the figures depend on: processor, compiler, versions."""
from __future__ import annotations

import os
import platform
import re
from pathlib import Path

from processes import PYTHON, ROOT, Failed, run

PACKAGES = ("python3-torch", "python3-numpy", "python3-sklearn", "libopenblas0-pthread")
FLAGS = r"(fma|avx.*|amx.*|sse4_2)"


def _cpu(field: str) -> str:
    found = re.search(rf"^{field}\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found.group(1) if found else "?"


def _caches() -> str:
    parts: list[str] = []
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = ((index / name).read_text().strip()
                             for name in ("level", "type", "size"))
        if kind != "Instruction":
            parts.append(f"L{level} {size}")
    return ", ".join(parts) or "?"


def _compiler() -> str:
    cache = ROOT / "build" / "release" / "CMakeCache.txt"
    if not cache.exists():
        return "?"
    entries = dict(re.findall(r"^(\w+):\w+=(.*)$", cache.read_text(), re.MULTILINE))
    compiler = entries.get("CMAKE_CXX_COMPILER", "c++")
    version = run([compiler, "--version"]).stdout.splitlines()[0]
    march = entries.get("GRADMILL_MARCH", "")
    flags = [entries.get("CMAKE_CXX_FLAGS", ""), entries.get("CMAKE_CXX_FLAGS_RELEASE", ""),
             f"-march={march}" if march else ""]
    return f"{version}, {' '.join(flag for flag in flags if flag)}"


def _version(package: str) -> str:
    try:
        return run(["dpkg-query", "-W", "-f=${Version}", package]).stdout
    except Failed:
        return "not installed"


def description() -> dict[str, str]:
    """Words on this machine, in the order in which they are to be read."""
    blas = run([PYTHON, "-B", str(ROOT / "bench" / "peers" / "blas.py")]).stdout.strip()
    result = {
        "processor": f"{_cpu('model name')} (family {_cpu('cpu family')}, model {_cpu('model')})",
        "cores": f"{len(os.sched_getaffinity(0))} in use",
        "caches": _caches(),
        "flags": " ".join(f for f in _cpu("flags").split() if re.fullmatch(FLAGS, f)),
        "kernel": f"{platform.system()} {platform.release().split('-')[0]}",
        "compiler": _compiler(),
        "BLAS of the peers": blas,
    }
    return result | {package: _version(package) for package in PACKAGES}
