"""The oracle in floating point: training as in the paper, and a fixed-point network trained without rounding."""

from dataclasses import replace

import numpy as np

from sw.spec.network import Network
from sw.spec.nodes import groups_of, joined_nodes, part_of_nodes
from sw.spec.records import Records
from sw.spec.trainer import Rates, Statistics, Trainer

DOMAIN_MARGIN = 0.01  # a domain that must grow does so by this share of its width beyond the argument


Places = list[tuple[np.ndarray, np.ndarray]]
"""For each layer, the segments that its arguments fall in, and the offsets inside them."""


class FloatReference(Trainer):
    """Newton-Kaczmarz training in float64: u_k = mean_j f_jk(x_j), layer after layer, on unit arguments and targets.

    `domains`: per layer (inputs, 2), the limits of each input's grid; those of hidden layers grow when an argument
    falls outside. `learning_rates`: the paper's a, one per layer; the shifts of a schedule do not apply.
    """

    def __init__(self, network: Network, nodes: list[np.ndarray], learning_rates: tuple[float, ...]):
        self.network = network
        self.learning_rates = learning_rates
        self.nodes = nodes
        limits = [(0.0, 1.0)] + [(-1.0, 1.0)] * (len(network.layers) - 1)
        self.domains = [np.tile(pair, (layer.inputs, 1)) for pair, layer in zip(limits, network.layers, strict=True)]

    @classmethod
    def random(cls, network: Network, rng: np.random.Generator, rate: float) -> "FloatReference":
        """Nodes drawn uniformly from the range of the targets, as the authors do; one rate for all layers."""
        nodes = [rng.uniform(-1.0, 1.0, layer.shape) for layer in network.layers]
        return cls(network, nodes, (rate,) * len(network.layers))

    @property
    def nodes(self) -> list[np.ndarray]:
        return [nodes.copy() for nodes in self._nodes]

    @nodes.setter
    def nodes(self, nodes: list[np.ndarray]) -> None:
        self._nodes = [np.array(layer, dtype=float) for layer in nodes]

    def train(self, records: Records, rates: Rates | None = None) -> Statistics:
        """One pass over unit records; `rates` are for fixed point and not used."""
        records.check(self.network)
        residuals = 0.0
        for x, target in zip(records.arguments, records.targets, strict=True):
            places, y = self._forward(x, grow=True)
            residual = target - y
            residuals += float(np.abs(residual).sum())
            self._update(places, residual)
        return Statistics(len(records), residuals)

    def _train(self, records: Records, rates: Rates) -> Statistics:
        return self.train(records)

    def _predict(self, records: Records) -> np.ndarray:
        results = np.zeros(records.targets.shape)
        for index, x in enumerate(records.arguments):
            results[index] = self._forward(x, grow=False)[1]
        return results

    def _forward(self, x: np.ndarray, *, grow: bool) -> tuple[Places, np.ndarray]:
        """Where each layer's arguments fall, as (segments, offsets), and the network's outputs."""
        places = []
        for index, layer in enumerate(self.network.layers):
            if grow and index:
                self._grow(index, x)
            low, high = self.domains[index].T
            position = np.clip((x - low) / (high - low) * layer.segments, 0, layer.segments)
            segment = np.minimum(position.astype(int), layer.segments - 1)
            offset = position - segment
            inputs = np.arange(layer.inputs)
            left, right = self._nodes[index][inputs, segment], self._nodes[index][inputs, segment + 1]
            x = np.sum(left + (right - left) * offset[:, None], axis=0) / layer.divisor
            places.append((segment, offset))
        return places, x

    def _grow(self, index: int, x: np.ndarray) -> None:
        domain = self.domains[index]
        outside = (x < domain[:, 0]) | (x > domain[:, 1])
        if outside.any():
            low, high = np.minimum(domain[:, 0], x), np.maximum(domain[:, 1], x)
            margin = DOMAIN_MARGIN * (high - low)
            domain[x < domain[:, 0], 0] = (low - margin)[x < domain[:, 0]]
            domain[x > domain[:, 1], 1] = (high + margin)[x > domain[:, 1]]

    def _update(self, places: Places, error: np.ndarray) -> None:
        for index in reversed(range(len(places))):
            nodes, (segment, offset) = self._nodes[index], places[index]
            inputs = np.arange(len(segment))
            low, high = self.domains[index].T
            width = (high - low) / self.network.layers[index].segments
            slope = (nodes[inputs, segment + 1] - nodes[inputs, segment]) / width[:, None]
            step = self.learning_rates[index] * error
            nodes[inputs, segment] += (1 - offset)[:, None] * step
            nodes[inputs, segment + 1] += offset[:, None] * step
            error = slope @ error


class Unquantised:
    """What a fixed-point network would be without rounding and limits: the same codes in, the same schedule of shifts.

    Attributes:
        result_scale: the outputs times this are in the units of the fixed-point results.
        domains: of each layer's inputs, (inputs, 2).
    """

    def __init__(self, network: Network):
        self._layers = network.layers
        scales = [
            layer.divisor * 2.0 ** (form.offset_bits - form.sum_shift)
            for layer, form in zip(network.layers, network.formats, strict=True)
        ]
        self.result_scale = scales[-1]
        limits = [np.array([0.0, 2.0 ** network.formats[0].argument_bits])]
        for form, scale in zip(network.formats, scales[:-1], strict=False):
            low, high = form.result_limits
            limits.append(np.array([low, high + 1]) / scale)
        self.domains = [np.tile(pair, (layer.inputs, 1)) for pair, layer in zip(limits, network.layers, strict=True)]

    def learning_rates(self, rates: Rates) -> tuple[float, ...]:
        """Of each layer: what the shifts stand for."""
        learning_rates, passed = [], self.result_scale
        for index in reversed(range(len(self._layers))):
            learning_rates.append(passed * 2.0 ** -rates.update[index - 1] if index else passed)
            if index:
                low, high = self.domains[index][0]
                passed *= 2.0 ** -rates.back[index - 1] * (high - low) / self._layers[index].segments
        return tuple(reversed(learning_rates))


class UnquantisedTrainer(FloatReference):
    """A fixed-point network's `Unquantised`, trained: records of codes and words in, results in the twin's own units.

    `pretraining`: addends of a group in pre-training.
    """

    def __init__(self, network: Network, nodes: list[np.ndarray], *, pretraining: int = 0):
        super().__init__(network, nodes, (0.0,) * len(network.layers))
        self.pretraining = pretraining
        self._twin = Unquantised(network)
        self.result_scale = self._twin.result_scale
        self.domains = [domain.copy() for domain in self._twin.domains]

    def train(self, records: Records, rates: Rates | None = None) -> Statistics:
        """One pass over records of codes and words, at the rates that the shifts stand for."""
        assert rates is not None
        self.learning_rates = self._twin.learning_rates(rates)
        return super().train(Records(records.arguments.astype(float), records.targets / self.result_scale))

    def _pretrain(self, records: Records, rates: Rates) -> Statistics:
        """Each group is a network of its own, with domains of its own."""
        parts, statistics, (features, hidden) = [], Statistics(), self.domains
        for start, stop in groups_of(self.network, self.pretraining):
            part = UnquantisedTrainer(self.network.part(stop - start), part_of_nodes(self._nodes, start, stop))
            part.domains = [features, hidden[start:stop].copy()]
            statistics += part.train(records, rates)
            parts.append(part)
        self.nodes = joined_nodes([part.nodes for part in parts])
        self.domains = [features, np.concatenate([part.domains[1] for part in parts])]
        return replace(statistics, records=len(records))
