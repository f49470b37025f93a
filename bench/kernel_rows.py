"""The kernel rows: ours and the peers' in turn, a row at a time."""
from __future__ import annotations

import re
import statistics
from contextlib import ExitStack
from typing import Callable

from processes import AVX512, ROOT, Failed, Peer, has_avx512, one_core, run, values

KERNEL_BENCH = ROOT / "build" / "release" / "bench" / "kernel_bench"
COMPARED = {
    "letters_full": ("torch", "numpy"),
    "letters_b64": ("torch",),
    "mlp_16_256_128_26_b64": ("torch",),
    "mnist_784_512_10_b256": ("torch",),
}
# What is measured of ours in one go.
GFLOPS = ("letters_full", "mlp_16_256_128_26_b64", "mnist_784_512_10_b256")
ALONE = ("peak_f32_gflops", "peak_f64_gflops", "predict_letters_rows_per_s",
         "double_letters_full_gflops", "eigen_mnist_784_512_10_b256_gflops")
BOTH_CORES = ("letters_full_threads2",)


class Ours:
    """The kernel's own figures, a list of runs for each."""

    def __init__(self) -> None:
        self.runs: dict[str, list[float]] = {}
        self.isa = ""

    def measure(self, names: tuple[str, ...], pinned: bool = True) -> dict[str, float]:
        done = run([*(one_core() if pinned else []), str(KERNEL_BENCH), "--rows", ",".join(names)])
        found = values(done.stdout.splitlines())
        for name in names:
            if name not in found:
                raise Failed(f"kernel_bench does not print {name}")
            self.runs.setdefault(name, []).append(found[name])
        isa = re.search(r"kernel_isa\W+(.+)", done.stderr)
        self.isa = isa.group(1).strip() if isa else self.isa
        return found


class Candidate:
    """A variant of a row in a peer's process."""

    def __init__(self, peer: Peer, where: str, name: str) -> None:
        self.peer, self.name = peer, name
        self.variant = name.split("/")[1] + where
        self.plain = self.variant.startswith(("modules", "rows"))

    def rate(self, seconds: float) -> float:
        return float(self.peer.answer(f"{self.name} {seconds}").split()[1])


def candidates(stack: ExitStack, peer: str) -> list[Candidate]:
    """All variants of a peer, each in a process that stays."""
    environments = [("", {})]
    if peer == "torch" and has_avx512():
        environments.append((", AVX-512", AVX512))
    result: list[Candidate] = []
    for where, environment in environments:
        process = stack.enter_context(Peer(f"{peer}_steps.py", environment=environment))
        result += [Candidate(process, where, name) for name in process.answer("?").split()]
    return result


def best_of(found: list[Candidate], row: str, plain: bool = False) -> Candidate:
    """The fastest variant of a row: a short run each, and a second one of the first three."""
    fitting = [c for c in found if c.name.startswith(row + "/") and (c.plain or not plain)]
    rates = {c: c.rate(0.05) for c in fitting}
    leaders = sorted(fitting, key=lambda c: -rates[c])[:3]
    return max(leaders, key=lambda c: max(rates[c], c.rate(0.1)))


def measure(runs: int, say: Callable[[str], None]) -> tuple[dict[str, float], dict[str, str]]:
    """The figures, and words on them: the variants that the peers run, and our instruction set."""
    ours = Ours()
    figures: dict[str, float] = {}
    about: dict[str, str] = {}
    with ExitStack() as stack:
        say("choosing the peers' fastest variants")
        chosen: dict[tuple[str, str], Candidate] = {}
        for peer in ("torch", "numpy"):
            found = candidates(stack, peer)
            for row, peers in COMPARED.items():
                if peer in peers:
                    chosen[row, peer] = best_of(found, row, plain=True)
                    chosen[row, f"{peer}_by_hand"] = best_of(found, row)
        rates: dict[tuple[str, str], list[float]] = {key: [] for key in chosen}
        ratios: dict[tuple[str, str], list[float]] = {key: [] for key in chosen}
        for number in range(runs):
            say(f"kernel rows, run {number + 1} of {runs}")
            for row in COMPARED:
                names = (f"{row}_samples_per_s",) + ((f"{row}_gflops",) if row in GFLOPS else ())
                mine = ours.measure(names)[names[0]]
                for key in (key for key in chosen if key[0] == row):
                    theirs = chosen[key].rate(0.2)
                    rates[key].append(theirs)
                    ratios[key].append(mine / theirs)
            for name in ALONE:
                ours.measure((name,))
            for name in BOTH_CORES:
                ours.measure((name,), pinned=False)
    for name, measured in ours.runs.items():
        figures[name] = statistics.median(measured)
    for (row, peer), candidate in chosen.items():
        figures[f"{peer}_{row}_samples_per_s"] = statistics.median(rates[row, peer])
        figures[f"{row}_vs_{peer}"] = statistics.median(ratios[row, peer])
        about[f"{row} {peer}"] = candidate.variant
    about["kernel_isa"] = ours.isa
    return figures, about
