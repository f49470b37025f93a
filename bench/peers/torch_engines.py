"""Two ways to take the same steps in PyTorch: with modules and autograd, or by hand."""
from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn

import torch_by_hand
import torch_modules


class Engine(Protocol):
    def train(self, order: Tensor, etas: list[float]) -> None:
        """A step for each eta, on the next batch of the order."""

    def errors(self, x: Tensor, labels: Tensor) -> int:
        """How many rows the weights of now get wrong."""

    def parameters(self) -> Tensor:
        """All weights in one vector, to be read and written."""

    def restart(self) -> None:
        """Forgets the optimiser's state."""


class Modules:
    def __init__(self, layers: tuple[int, ...], x: Tensor, labels: Tensor, batch: int,
                 rule: torch_by_hand.Rule) -> None:
        self.x, self.labels, self.batch = x, labels, batch
        self.net = torch_modules.model(layers)
        self.flat = nn.utils.parameters_to_vector(self.net.parameters()).detach()
        offset = 0
        for p in self.net.parameters():
            p.data = self.flat[offset:offset + p.numel()].view_as(p)
            offset += p.numel()
        self.loss_of = nn.CrossEntropyLoss(label_smoothing=rule.smoothing)
        if rule.name == "adam":
            self.optimizer = torch.optim.Adam(self.net.parameters(), 1.0, (rule.momentum, 0.999),
                                              foreach=True)
        else:
            momentum = rule.momentum if rule.name == "nesterov" else 0
            self.optimizer = torch.optim.SGD(self.net.parameters(), 1.0, momentum,
                                             nesterov=momentum > 0, foreach=True)

    def train(self, order: Tensor, etas: list[float]) -> None:
        for eta, index in zip(etas, order.split(self.batch)):
            self.optimizer.param_groups[0]["lr"] = eta
            self.optimizer.zero_grad(set_to_none=True)
            output = self.net(self.x.index_select(0, index))
            self.loss_of(output, self.labels.index_select(0, index)).backward()
            self.optimizer.step()

    @torch.inference_mode()
    def errors(self, x: Tensor, labels: Tensor) -> int:
        return int((self.net(x).argmax(1) != labels).sum())

    def parameters(self) -> Tensor:
        return self.flat

    def restart(self) -> None:
        self.optimizer.state.clear()


class ByHand:
    @torch.inference_mode()
    def __init__(self, layers: tuple[int, ...], x: Tensor, labels: Tensor, batch: int,
                 rule: torch_by_hand.Rule) -> None:
        self.x, self.labels, self.batch = torch_by_hand.with_one(x, True), labels.view(1, -1), batch
        self.rule = rule
        self.memory = torch_by_hand.memory(layers, batch, True, rule.smoothing)
        self.steps = torch.jit.script(torch_by_hand.steps)
        self.first = 1

    @torch.inference_mode()
    def train(self, order: Tensor, etas: list[float]) -> None:
        self.steps(self.memory, self.x, self.labels, order, self.batch, True, self.rule, etas,
                   self.first)
        self.first += len(etas)

    @torch.inference_mode()
    def errors(self, x: Tensor, labels: Tensor) -> int:
        for k, w in enumerate(self.memory.w):
            x = torch.addmm(w[:, -1], x.relu_() if k else x, w[:, :-1].t())
        return int((x.argmax(1) != labels).sum())

    def parameters(self) -> Tensor:
        return self.memory.flat

    @torch.inference_mode()
    def restart(self) -> None:
        self.memory.moment1.zero_()
        self.memory.moment2.zero_()
        self.first = 1


ENGINES = {"modules": Modules, "by-hand": ByHand}
