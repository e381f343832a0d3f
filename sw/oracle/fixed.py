"""The oracle in fixed point, plain NumPy, to be read beside the paper and `sw.spec.numerics`: the law for every bit."""

from collections import deque
from dataclasses import dataclass, replace

import numpy as np

from sw.oracle.floating import Places
from sw.spec.network import Network
from sw.spec.nodes import groups_of, joined_nodes, part_of_nodes
from sw.spec.numerics import rounding_product, rounding_shift
from sw.spec.records import Records
from sw.spec.trainer import FixedTrainer, Rates, Statistics


@dataclass
class _Update:
    """A record's update on its way down the layers: where its arguments fell in each, the error of the layer it is
    at."""

    record: int
    places: Places
    error: np.ndarray


class FixedReference(FixedTrainer):
    """Newton-Kaczmarz training in fixed point, by the rules of `sw.spec.numerics`: the law for every bit-exact machine.

    `staleness`: one number of records per layer, none for the exact schedule. The forward pass of record r through
    layer l reads nodes that hold the updates of the records up to r - 1 - staleness[l]. The updates themselves are made
    in order, each reading, for its slope too, and adding to the nodes that the one before it left. A staleness never
    grows from one layer to the next: a layer's error comes out of the update of the layer after it.
    `block`: after this many records all updates are made before the next forward pass, as a board does whose passes are
    no longer.
    `pretraining`: addends of a group in pre-training.
    """

    def __init__(
        self,
        network: Network,
        nodes: list[np.ndarray],
        staleness: tuple[int, ...] = (),
        block: int | None = None,
        *,
        pretraining: int = 0,
    ):
        self.block, self.pretraining = block, pretraining
        self.network = network
        self.nodes = nodes
        self._queues: list[deque[_Update]] = [deque() for _ in network.layers]
        self._saturations = self._clips = 0
        self.staleness = staleness or (0,) * len(network.layers)
        if len(self.staleness) != len(network.layers) or list(self.staleness) != sorted(self.staleness, reverse=True):
            raise ValueError(
                f"staleness {self.staleness}: need {len(network.layers)} values, none larger than the one before"
            )

    def _train(self, records: Records, rates: Rates) -> Statistics:
        blocks = records.blocks(self.block or len(records))
        return sum((self.run(block, np.ones(len(block), dtype=bool), rates)[1] for block in blocks), Statistics())

    def _pretrain(self, records: Records, rates: Rates) -> Statistics:
        """Each group is a network of its own."""
        parts = [
            FixedReference(
                self.network.part(stop - start), part_of_nodes(self._nodes, start, stop), self.staleness, self.block
            )
            for start, stop in groups_of(self.network, self.pretraining)
        ]
        statistics = sum((part.train(records, rates) for part in parts), Statistics())
        self.nodes = joined_nodes([part.nodes for part in parts])
        return replace(statistics, records=len(records))

    def _predict(self, records: Records) -> np.ndarray:
        results = np.zeros_like(records.targets)
        for index, code in enumerate(records.arguments):
            results[index] = self._forward(code)[1]
        return results

    def run(self, records: Records, train: np.ndarray, rates: Rates) -> tuple[np.ndarray, Statistics]:
        """One pass in which record r is trained on where `train[r]`, and only inferred elsewhere.

        Returns the results (n, outputs) that the forward passes gave, and the statistics.
        """
        word = self.network.word
        results = np.empty_like(records.targets)
        absolute_residual = 0
        self._saturations = self._clips = 0
        self._rates = rates
        for index, (code, target) in enumerate(zip(records.arguments, records.targets, strict=True)):
            places, results[index] = self._forward(code, before=index)
            residual = word.limit(target - results[index])
            absolute_residual += int(np.abs(residual).sum())
            if train[index]:
                self._queues[-1].append(_Update(index, places, residual))
        self._settle(0, len(records))
        return results, Statistics(len(records), absolute_residual, self._saturations, self._clips)

    def _forward(self, code: np.ndarray, before: int | None = None) -> tuple[Places, np.ndarray]:
        """Where each layer's arguments fall, as (segments, offsets), and the network's results.

        `before`: the number of a record in a pass, whose forward pass sees the updates that its staleness let through.
        """
        places = []
        for layer, form in enumerate(self.network.formats):
            if before is not None:
                self._settle(layer, before - self.staleness[layer])
            segment, offset = form.segment(code), form.offset(code)
            left, right = self._at(layer, segment)
            sums = np.sum((left << form.offset_bits) + (right - left) * offset[:, None], axis=0)
            mean = rounding_shift(sums, form.sum_shift)
            result = np.clip(mean, *form.result_limits)
            places.append((segment, offset))
            if layer < len(self.network.formats) - 1:
                self._clips += int(np.count_nonzero(result != mean))
                code = result + form.result_bias
        return places, result

    def _at(self, layer: int, segment: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Left and right nodes (inputs, outputs) of the segments that the inputs fall in."""
        inputs = np.arange(len(segment))
        return self._nodes[layer][inputs, segment], self._nodes[layer][inputs, segment + 1]

    def _settle(self, layer: int, before: int) -> None:
        """Make the layer's updates of all records numbered below `before`."""
        queue = self._queues[layer]
        if layer < len(self._queues) - 1:
            self._settle(layer + 1, before)
        while queue and queue[0].record < before:
            update = queue.popleft()
            update.error = self._update(layer, *update.places[layer], update.error)
            if layer:
                self._queues[layer - 1].append(update)

    def _update(self, layer: int, segment: np.ndarray, offset: np.ndarray, error: np.ndarray) -> np.ndarray:
        """Update the layer for the error of its outputs; returns the error of its inputs."""
        form, word, inputs = self.network.formats[layer], self.network.word, np.arange(len(segment))
        left, right = self._at(layer, segment)
        step = rounding_shift(error, self._rates.update[layer - 1]) if layer else error
        change = rounding_product(step, form.fraction(offset)[:, None], word.width)
        for node, value in ((segment + 1, right + change), (segment, left + step - change)):
            saturated = word.saturate(value)
            self._saturations += int(np.count_nonzero(saturated != value))
            self._nodes[layer][inputs, node] = saturated
        if not layer:
            return error
        products = rounding_shift(error * (right - left), self._rates.back[layer - 1])
        return word.limit(np.sum(products, axis=1))
