"""Time to a validation error: our client on two nodes, and PyTorch's fastest recipe."""
from __future__ import annotations

import math
import statistics
from contextlib import ExitStack
from typing import Callable, NamedTuple

from cluster import Cluster, Training
from processes import AVX512, Peer, has_avx512, values
from recipes import ALL_ROWS, PLAIN_ADAM, RECIPES, Recipe

TARGETS = {"4pct": 0.04, "3pct": 0.03}
ENGINES = ("by-hand", "modules")
KEYS = {"modules": "torch", "by-hand": "torch_by_hand", "adam": "torch_adam"}
Course = list[tuple[float, float]]


class Contender(NamedTuple):
    """A recipe with what runs it."""
    recipe: Recipe
    engine: str
    threads: int = 1
    avx512: bool = False

    def __str__(self) -> str:
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        return f"{threads}{', AVX-512' if self.avx512 else ''}: {self.recipe.name}"


class Torch:
    """PyTorch's processes, one for each script and surroundings, kept between trainings."""

    def __init__(self, stack: ExitStack) -> None:
        self.stack = stack
        self.peers: dict[tuple[str, int, bool], Peer] = {}

    def train(self, who: Contender, seed: int) -> tuple[dict[str, float], Course]:
        key = who.recipe.script, who.threads, who.avx512
        if key not in self.peers:
            self.peers[key] = self.stack.enter_context(
                Peer(who.recipe.script, pinned=who.threads == 1, threads=who.threads,
                     environment=AVX512 if who.avx512 else {}))
        options = f"{who.recipe.options} --engine {who.engine} --threads {who.threads} --seed {seed}"
        lines: list[str] = []
        for line in self.peers[key].answers(options):
            lines.append(line)
            if line.startswith("end "):
                break
        points = [line.split()[1:] for line in lines if line.startswith("at ")]
        return values(lines), [(float(seconds), float(error)) for seconds, error in points]


def chosen(torch: Torch, say: Callable[[str], None]) -> dict[tuple[str, str], Contender]:
    """The fastest contender for each target and engine, by the median of three seeds."""
    medians: dict[Contender, dict[str, float]] = {}

    def measure(who: Contender) -> None:
        runs = [torch.train(who, seed)[0] for seed in (1, 2, 3)]
        medians[who] = {t: statistics.median(r[f"time_to_{t}_s"] for r in runs) for t in TARGETS}

    def best(target: str, engine: str) -> Contender:
        return min((w for w in medians if w.engine == engine), key=lambda w: medians[w][target])

    for engine in ENGINES:
        say(f"PyTorch's recipes, {engine}")
        for recipe in RECIPES:
            if recipe.script == ALL_ROWS or engine == ENGINES[0]:  # many small steps: by hand only
                measure(Contender(recipe, engine))
        for leader in {best(target, engine) for target in TARGETS}:
            measure(leader._replace(threads=2))
            if has_avx512():
                measure(leader._replace(avx512=True))
    return {(target, engine): best(target, engine) for target in TARGETS for engine in ENGINES}


def client(preset: str, seed: int) -> Training:
    """On fresh servers, which know no shard yet."""
    with Cluster() as cluster:
        return cluster.train("--preset", preset, "--seed", str(seed))


def finite(figures: dict[str, float]) -> dict[str, float]:
    """Without what was never reached."""
    return {name: value for name, value in figures.items() if math.isfinite(value) and value > 0}


def compare(runs: int, say: Callable[[str], None]
            ) -> tuple[dict[str, float], dict[str, str], dict[str, Course]]:
    """Ours and PyTorch's in turn, a seed a run: figures, words on them, and the first courses."""
    ours: list[Training] = []
    theirs: dict[tuple[str, str], list[float]] = {}
    courses: dict[str, Course] = {}
    with ExitStack() as stack:
        torch = Torch(stack)
        contenders = chosen(torch, say)
        contenders |= {(target, "adam"): Contender(PLAIN_ADAM, "modules") for target in TARGETS}
        for seed in range(1, runs + 1):
            say(f"time to error, run {seed} of {runs}")
            ours.append(client("fast", seed))
            for (target, engine), who in contenders.items():
                figures, course = torch.train(who, seed)
                theirs.setdefault((target, engine), []).append(figures[f"time_to_{target}_s"])
                courses.setdefault(f"PyTorch {engine}, for {target[0]} %", course)
    courses["gradmill, fast"] = ours[0].course
    figures = {"fast_error": statistics.median(training.course[-1][1] for training in ours),
               "fast_error_s": statistics.median(training.seconds for training in ours)}
    for target, error in TARGETS.items():
        mine = statistics.median(training.reached(error) for training in ours)
        figures[f"time_to_{target}_s"] = mine
        times = {engine: statistics.median(theirs[target, engine]) for engine in KEYS}
        for engine, key in KEYS.items():
            figures[f"{key}_time_to_{target}_s"] = times[engine]
            figures[f"time_to_{target}_vs_{key}"] = times[engine] / mine
    about = {f"time to {target[0]} % {engine}": str(who)
             for (target, engine), who in contenders.items()}
    return finite(figures), about, courses


def accurate(runs: int, say: Callable[[str], None]) -> tuple[dict[str, float], Course]:
    trainings: list[Training] = []
    for seed in range(1, runs + 1):
        say(f"accurate preset, run {seed} of {runs}")
        trainings.append(client("accurate", seed))
    return {"best_error": statistics.median(training.course[-1][1] for training in trainings),
            "best_error_s": statistics.median(training.seconds for training in trainings),
            }, trainings[0].course
