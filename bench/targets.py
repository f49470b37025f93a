"""The figures that matter, in the order of the tables, each with what it has to reach."""
from __future__ import annotations

from typing import Callable, Mapping, NamedTuple, Optional

Figures = Mapping[str, float]

PREDICT_FLOP = 2116  # a row of 16-24-26


class Figure(NamedTuple):
    key: str
    what: str
    goal: Optional[Callable[[Figures], float]] = None
    goal_text: str = ""
    at_most: bool = False  # else at least
    stretch: Optional[float] = None
    value: Optional[Callable[[Figures], float]] = None  # what is compared; else the figure itself
    quick: bool = True


def share(part: float, of: str) -> Callable[[Figures], float]:
    return lambda figures: part * figures[of]


def fixed(value: float) -> Callable[[Figures], float]:
    return lambda figures: value


F32, F64 = "peak_f32_gflops", "peak_f64_gflops"

TRAINING = [
    Figure(F32, "measured FMA peak of one core, float"),
    Figure("letters_full_gflops", "16-24-26, full batch of 1500, one thread, complete step",
           share(0.75, F32), "0.75 × peak"),
    Figure("letters_full_vs_torch", "samples a second against PyTorch", fixed(4.5), "4.5 ×"),
    Figure("letters_full_vs_numpy", "samples a second against NumPy", fixed(3.2), "3.2 ×"),
    Figure("letters_b64_vs_torch", "16-24-26, batch 64, SGD step", fixed(20), "20 ×"),
    Figure("mlp_16_256_128_26_b64_gflops", "batch 64, Adam step", share(0.60, F32), "0.60 × peak"),
    Figure("mlp_16_256_128_26_b64_vs_torch", "the same against PyTorch", fixed(2), "2 ×"),
    Figure("mnist_784_512_10_b256_gflops", "batch 256, SGD step", share(0.80, F32), "0.80 × peak"),
    Figure("mnist_784_512_10_b256_vs_torch", "the same against PyTorch", fixed(1), "1 ×"),
    Figure("letters_full_threads2", "speed-up of 2 threads over 1", fixed(1.75), "1.75"),
    Figure("predict_letters_rows_per_s", "classes of raw rows, one core",
           lambda figures: 0.55 * figures[F32] * 1e9 / PREDICT_FLOP,
           f"0.55 × peak / {PREDICT_FLOP} FLOP"),
    Figure(F64, "measured FMA peak of one core, double"),
    Figure("double_letters_full_gflops", "letters_full in double", share(0.65, F64),
           "0.65 × the double peak"),
    Figure("kernel_example_s", "the example's tasks bare, on 2 threads", quick=False),
    Figure("wall_example_s", "the example (3 × 75, h 24, 11 shards), 2 nodes, start to exit",
           fixed(0.05), "0.05 s beyond kernel_example_s", at_most=True, quick=False,
           value=lambda figures: figures["wall_example_s"] - figures["kernel_example_s"]),
    Figure("task_overhead_us", "time of a task beyond compute and load", fixed(200), "200",
           at_most=True, quick=False),
    Figure("durability_cost", "share of the example's time that the state folder takes",
           fixed(0.05), "0.05", at_most=True, quick=False),
    Figure("heartbeat_cost", "share of a longer example (12 × 75) that heartbeats take", fixed(0.02),
           "0.02, the noise", at_most=True, quick=False),
    Figure("wire_bytes_ratio", "bytes on the wire over weights and deltas, 16-256-128-26",
           fixed(1.05), "1.05", at_most=True, quick=False),
    Figure("time_to_4pct_s", "start of the client to 4 % validation error, 2 nodes", quick=False),
    Figure("time_to_4pct_vs_torch", "PyTorch's time to 4 % over ours", fixed(3), "3 ×",
           stretch=5, quick=False),
    Figure("time_to_3pct_s", "start of the client to 3 % validation error, 2 nodes", quick=False),
    Figure("time_to_3pct_vs_torch", "PyTorch's time to 3 % over ours", fixed(3), "3 ×",
           stretch=5, quick=False),
    Figure("best_error", "last round of the accurate preset, 2 nodes", fixed(0.020), "0.020",
           at_most=True, stretch=0.018, quick=False),
    Figure("best_error_s", "start of that client to its exit",
           lambda figures: 10 if figures["best_error"] <= 0.018 else 6, "6 s, at 0.018 10 s",
           at_most=True, quick=False),
]

SERVING = [
    Figure("bare_two_hop_p50_us_at_2000", "calls that do nothing, by way of a second server, 2000 a "
           "second: median in µs"),
    Figure("bare_two_hop_p99_us_at_2000", "the same: 99th percentile"),
    Figure("bare_two_hop_rps_64_connections", "such calls a second, 64 connections"),
    Figure("predict_p50_us_at_2000", "single rows, 2000 a second, 2 nodes: median in µs", fixed(150),
           "150", at_most=True),
    Figure("predict_p99_us_at_2000", "the same: 99th percentile", fixed(1000), "1000", at_most=True),
    Figure("predict_p99_us_while_training", "the same beside a training job", fixed(5000), "5000",
           at_most=True),
    Figure("predict_rps_64_connections", "single rows a second, 64 connections", fixed(35_000),
           "35,000"),
    Figure("predict_batch4096_rows_per_s", "rows a second in requests of 4096, 4 connections",
           fixed(10e6), "10,000,000"),
    Figure("fair_share_apart_max", "two prediction jobs whose batches differ in cost, 60 s: most that "
           "their rates over 10 s differ", fixed(0.10), "0.10", at_most=True),
    Figure("fair_share_apart_mean", "the same: on average"),
    Figure("holding_task_p95_ms", "tasks of a job that holds all slots: compute, 95th percentile"),
    Figure("first_task_p50_ms", "25 new jobs beside it: median wait of the first task"),
    Figure("first_task_max_ms", "the same: longest", fixed(100), "100", at_most=True),
]

FIGURES = TRAINING + SERVING
QUICK = [figure for figure in TRAINING if figure.quick]


def judge(figure: Figure, figures: Figures) -> str:
    """Reached, or by how much it is missed; empty without a target."""
    if figure.goal is None:
        return ""
    try:
        value = figure.value(figures) if figure.value else figures[figure.key]
        goal = figure.goal(figures)
    except KeyError:
        return "not reached" if figure.key.startswith("time_to") else "not measured"
    if value <= goal if figure.at_most else value >= goal:
        better = figure.stretch is not None and (
            value <= figure.stretch if figure.at_most else value >= figure.stretch)
        return "reached, stretch too" if better else "reached"
    return f"missed by {abs(value - goal) / goal:.1%}"


def goal_of(figure: Figure, figures: Figures) -> str:
    """The target in words, and in numbers where it depends on a measured one."""
    if figure.goal is None:
        return "–"
    text = ("≤ " if figure.at_most else "≥ ") + figure.goal_text
    if "peak" in figure.goal_text:
        try:
            text += f" = {number(figure.goal(figures))}"
        except KeyError:
            pass
    if figure.stretch is not None:
        text += f", stretch {figure.stretch:g}"
    return text


def number(value: float) -> str:
    """Four digits, and thousands apart."""
    return f"{value:,.0f}" if abs(value) >= 10000 else f"{value:.4g}"
