# SPDX-License-Identifier: MIT
from __future__ import annotations

from itertools import chain
from operator import attrgetter
from typing import Any

from timm.layers import get_notrace_functions, get_notrace_modules
from torch import Tensor, fx, nn
from torch.fx.node import map_arg


class CutTrunk(nn.Module):
    """A timm model from its input to what one of its modules gives; the rest is not kept.

    What it does is traced as a graph, in training and in evaluation, since the two may differ. The
    graph is interpreted: ``fx.GraphModule`` would write it out as code and execute that, which
    reading a model is not to do. Parameters keep their names.

    Args:
        model: Its modules up to ``stop`` are taken over, not copied.
        stop: The dotted path of a module.
    """

    def __init__(self, model: nn.Module, stop: str) -> None:
        super().__init__()
        # training last: in that mode the parts stay, as those of any new module
        self.graphs = {mode: _Tracer(stop).cut(model.train(mode)) for mode in (False, True)}
        for node in chain(*(graph.nodes for graph in self.graphs.values())):
            if node.op in ("call_module", "get_attr"):
                self._adopt(node.target, attrgetter(node.target)(model))

    def _adopt(self, path: str, value: nn.Module | nn.Parameter | Tensor) -> None:
        *folders, name = path.split(".")
        owner = self
        for folder in folders:
            if not hasattr(owner, folder):
                owner.add_module(folder, nn.Module())
            owner = getattr(owner, folder)
        if isinstance(value, nn.Module | nn.Parameter):
            setattr(owner, name, value)
        else:
            owner.register_buffer(name, value)

    def forward(self, x: Tensor) -> Tensor:
        """Images (B, C, H, W) to the output of the module ``stop``."""
        values: dict[fx.Node, Any] = {}
        waiting: dict[fx.Node, int] = {}  # how many nodes still need a value
        for node in self.graphs[self.training].nodes:
            args, kwargs = map_arg((node.args, node.kwargs), values.__getitem__)
            if node.op == "output":
                return args[0]
            if node.op == "placeholder":  # behind the images: arguments at their defaults
                value = args[0] if values else x
            elif node.op == "get_attr":
                value = attrgetter(node.target)(self)
            elif node.op == "call_module":
                value = self.get_submodule(node.target)(*args, **kwargs)
            elif node.op == "call_method":
                value = getattr(args[0], node.target)(*args[1:], **kwargs)
            else:
                value = node.target(*args, **kwargs)
            values[node], waiting[node] = value, len(node.users)
            for source in node.all_input_nodes:
                waiting[source] -= 1
                if not waiting[source]:
                    del values[source]
        raise AssertionError("a graph ends with its output")


class _Tracer(fx.Tracer):
    """Follows a model and remembers what one module gives."""

    def __init__(self, stop: str) -> None:
        super().__init__(autowrap_functions=tuple(get_notrace_functions()))
        self.stop, self.output = stop, None

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, tuple(get_notrace_modules())) or super().is_leaf_module(
            m, module_qualified_name
        )

    def call_module(self, m: nn.Module, *args: Any, **kwargs: Any) -> Any:
        output = super().call_module(m, *args, **kwargs)
        if self.path_of_module(m) == self.stop:
            self.output = output
        return output

    def cut(self, model: nn.Module) -> fx.Graph:
        """The graph of ``model`` up to the module."""
        graph = self.trace(model)
        if self.output is None:
            raise ValueError(f"{self.stop!r} is a part of what cannot be cut")
        for node in reversed(graph.nodes):
            if node is self.output.node:
                break
            graph.erase_node(node)
        graph.output(self.output.node)
        return graph
