"""PyTorch as most people write it: modules, autograd, an optimiser of torch.optim."""
from __future__ import annotations

import torch
from torch import nn

from rate import Trainer
from tasks import Task


def model(layers: tuple[int, ...]) -> nn.Sequential:
    parts: list[nn.Module] = []
    for fan_in, fan_out in zip(layers, layers[1:]):
        parts += [nn.Linear(fan_in, fan_out), nn.ReLU()]
    return nn.Sequential(*parts[:-1])


def trainer(task: Task, foreach: bool = True) -> Trainer:
    """One epoch a call: permute, then a step for each full batch."""
    torch.manual_seed(1)
    rows = task.rows()
    x, labels = torch.from_numpy(rows.x), torch.from_numpy(rows.labels)
    net = model(task.layers)
    if task.optimizer == "adam":
        optimizer = torch.optim.Adam(net.parameters(), task.eta, foreach=foreach)
    else:
        optimizer = torch.optim.SGD(net.parameters(), task.eta, foreach=foreach)
    loss_of = nn.CrossEntropyLoss(reduction="mean" if task.batch else "sum")

    def step(batch_x: torch.Tensor, batch_labels: torch.Tensor) -> None:
        optimizer.zero_grad(set_to_none=True)
        loss_of(net(batch_x), batch_labels).backward()
        optimizer.step()

    def full() -> int:
        step(x, labels)
        return len(labels)

    def epoch() -> int:
        order = torch.randperm(len(labels))
        batches = len(labels) // task.batch
        for batch in order[:batches * task.batch].split(task.batch):
            step(x.index_select(0, batch), labels.index_select(0, batch))
        return batches * task.batch

    return epoch if task.batch else full
