"""PyTorch without autograd: every pass goes into memory that was allocated beforehand.

Samples are columns, so that softmax runs along vectors. Biases are the last column of the weights,
against a constant 1 below each layer's input. Steps are in the part of Python that TorchScript
compiles.
"""
from typing import List, NamedTuple, Tuple

import torch
from torch import Tensor

from rate import Trainer
from tasks import Task


class Memory(NamedTuple):
    """All that a step reads and writes; lists have an entry a layer."""
    flat: Tensor             # the weights, one after the other
    w: List[Tensor]          # views of flat
    wt: List[Tensor]         # their transposes without the bias
    gradient: Tensor
    g: List[Tensor]          # views of gradient
    h: List[Tensor]          # inputs with the constant 1; h[0] is the batch
    a: List[Tensor]          # outputs: views of h without the 1
    d: List[Tensor]          # deltas
    labels: Tensor
    picked: Tensor
    minus_target: Tensor     # of a sample's own class, without the share that all classes have
    loss: Tensor
    moment1: Tensor
    moment2: Tensor
    scratch: Tensor


class Rule(NamedTuple):
    name: str                # sgd, nesterov, adam
    momentum: float = 0.9
    smoothing: float = 0.0   # of labels


def memory(layers: Tuple[int, ...], batch: int, rows: bool, smoothing: float = 0.0) -> Memory:
    """`rows`: the batch comes with a sample a row. Initial weights are as nn.Linear's."""
    shapes = [(units, inputs + 1) for inputs, units in zip(layers, layers[1:])]
    sizes = [units * inputs for units, inputs in shapes]
    flat = torch.empty(sum(sizes))
    gradient = torch.zeros_like(flat)
    w = [part.view(shape) for part, shape in zip(flat.split(sizes), shapes)]
    for v, inputs in zip(w, layers):
        v.uniform_(-inputs ** -0.5, inputs ** -0.5)
    h = [torch.ones(n + 1, batch) for n in layers[:-1]]
    if rows:
        h[0] = torch.ones(batch, layers[0] + 1).t()
    return Memory(
        flat=flat, w=w, wt=[v[:, :-1].t() for v in w], gradient=gradient,
        g=[part.view(shape) for part, shape in zip(gradient.split(sizes), shapes)],
        h=h, a=[v[:-1] for v in h[1:]] + [torch.empty(layers[-1], batch)],
        d=[torch.empty(n, batch) for n in layers[1:]],
        labels=torch.zeros(1, batch, dtype=torch.long), picked=torch.empty(1, batch),
        minus_target=torch.full((1, batch), smoothing - 1.0), loss=torch.zeros(()),
        moment1=torch.zeros_like(flat), moment2=torch.zeros_like(flat),
        scratch=torch.empty_like(flat))


def softmax(logits: Tensor, result: Tensor, row: Tensor) -> None:
    """Along columns, torch's own is the faster one for small batches only."""
    if logits.size(1) <= 512:
        torch.softmax(logits, 0, out=result)
    else:
        torch.amax(logits, 0, True, out=row)
        torch.sub(logits, row, out=result).exp_()
        torch.sum(result, [0], True, out=row)
        result.mul_(row.reciprocal_())


def forward(m: Memory, x: Tensor, labels: Tensor, smoothing: float) -> None:
    """Fills the outputs, the loss, and the last delta: softmax minus target."""
    last = len(m.w) - 1
    torch.mm(m.w[0], x, out=m.a[0])
    for k in range(last):
        m.a[k].relu_()
        torch.mm(m.w[k + 1], m.h[k + 1], out=m.a[k + 1])
    delta = m.d[last]
    softmax(m.a[last], delta, m.picked)
    torch.gather(delta, 0, labels, out=m.picked)
    torch.sum(m.picked.log_(), [0, 1], out=m.loss)
    if smoothing > 0:
        delta.sub_(smoothing / delta.size(0))
    delta.scatter_add_(0, labels, m.minus_target)


def sgd_step(m: Memory, x: Tensor, labels: Tensor, eta: float, smoothing: float) -> None:
    """The products of the gradient add straight into the weights."""
    forward(m, x, labels, smoothing)
    for i in range(len(m.w) - 1):
        k = len(m.w) - 1 - i
        torch.mm(m.wt[k], m.d[k], out=m.d[k - 1])
        m.w[k].addmm_(m.d[k], m.h[k].t(), alpha=-eta)
        m.d[k - 1].mul_(m.a[k - 1].sign_())
    m.w[0].addmm_(m.d[0], x.t(), alpha=-eta)


def fill_gradient(m: Memory, x: Tensor, labels: Tensor, smoothing: float) -> None:
    """Of the summed loss."""
    forward(m, x, labels, smoothing)
    for i in range(len(m.w) - 1):
        k = len(m.w) - 1 - i
        torch.mm(m.wt[k], m.d[k], out=m.d[k - 1])
        torch.mm(m.d[k], m.h[k].t(), out=m.g[k])
        m.d[k - 1].mul_(m.a[k - 1].sign_())
    torch.mm(m.d[0], x.t(), out=m.g[0])


def nesterov(m: Memory, batch: int, eta: float, momentum: float) -> None:
    m.moment1.mul_(momentum).add_(m.gradient)
    m.flat.add_(m.gradient, alpha=-eta / batch).add_(m.moment1, alpha=-eta / batch * momentum)


def adam(m: Memory, batch: int, eta: float, momentum: float, step: int) -> None:
    """The summed gradient only scales the moments, and so epsilon."""
    correction2 = (1 - 0.999 ** step) ** 0.5
    m.moment1.lerp_(m.gradient, 1 - momentum)
    m.moment2.mul_(0.999).addcmul_(m.gradient, m.gradient, value=1 - 0.999)
    torch.sqrt(m.moment2, out=m.scratch).add_(1e-8 * batch * correction2)
    m.flat.addcdiv_(m.moment1, m.scratch, value=-eta * correction2 / (1 - momentum ** step))


def steps(m: Memory, x: Tensor, labels: Tensor, order: Tensor, batch: int, rows: bool, rule: Rule,
          etas: List[float], first: int) -> None:
    """A step for each eta, on the next `batch` of the order; `first` is the step's number from 1."""
    for i in range(len(etas)):
        index = order[i * batch:(i + 1) * batch]
        torch.index_select(labels, 1, index, out=m.labels)
        if rows:
            torch.index_select(x, 0, index, out=m.h[0].t())
        else:
            torch.index_select(x, 1, index, out=m.h[0])
        if rule.name == "sgd":
            sgd_step(m, m.h[0], m.labels, etas[i] / batch, rule.smoothing)
        else:
            fill_gradient(m, m.h[0], m.labels, rule.smoothing)
            if rule.name == "adam":
                adam(m, batch, etas[i], rule.momentum, first + i)
            else:
                nesterov(m, batch, etas[i], rule.momentum)


def with_one(x: Tensor, rows: bool) -> Tensor:
    x = torch.cat([x, torch.ones(len(x), 1)], 1)
    return x if rows else x.t().contiguous()


def trainer(task: Task, script: bool = False, rows: bool = False) -> Trainer:
    """`script` compiles with TorchScript; `rows` keeps the data set with a sample a row."""
    data = task.rows()
    samples = len(data.labels)
    x, labels = with_one(torch.from_numpy(data.x), rows), torch.from_numpy(data.labels).view(1, -1)
    torch.manual_seed(1)
    m = memory(task.layers, task.batch or samples, rows)
    run_full = torch.jit.script(sgd_step) if script else sgd_step
    run_steps = torch.jit.script(steps) if script else steps
    etas = [task.eta] * (samples // (task.batch or samples))
    rule = Rule(task.optimizer)
    first = 1

    @torch.inference_mode()
    def full() -> int:
        run_full(m, x, labels, task.eta, 0.0)
        return samples

    @torch.inference_mode()
    def epoch() -> int:
        nonlocal first
        run_steps(m, x, labels, torch.randperm(samples), task.batch, rows, rule, etas, first)
        first += len(etas)
        return len(etas) * task.batch

    return epoch if task.batch else full
