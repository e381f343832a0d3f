"""The oracle in fixed point, plain NumPy, to be read beside the paper and `sw.spec.numerics`: the law for every bit."""

from collections import deque
from dataclasses import dataclass, replace

import numpy as np

from sw.oracle.grid import Places, end_nodes
from sw.spec.chance import chances
from sw.spec.network import Network
from sw.spec.nodes import addend_nodes, groups_of, joined_nodes
from sw.spec.numerics import LayerFormat, rounding_product, rounding_shift
from sw.spec.records import Records
from sw.spec.schedule import Rates, shifted_layers
from sw.spec.trainer import FixedTrainer, Statistics


def interpolate(form: LayerFormat, nodes: np.ndarray, places: Places) -> np.ndarray:
    """Compute a layer's results before their limits: the interpolation rule of `sw.spec.numerics`.

    Parameters
    ----------
    form : LayerFormat
        The formats of the layer.
    nodes : ndarray of int64, shape (inputs, nodes, outputs)
        The nodes of the layer.
    places : Places
        Places of one record's arguments, (inputs,).

    Returns
    -------
    ndarray of int64, shape (outputs,)
        The mean over the inputs, rounded.
    """
    left, right = end_nodes(nodes, places.segment)
    sums = np.sum((left << form.offset_bits) + (right - left) * places.offset[:, None], axis=0)
    return rounding_shift(sums, form.sum_shift)


def update(form: LayerFormat, nodes: np.ndarray, places: Places, step: np.ndarray, chance: np.ndarray) -> int:
    """Update a layer's nodes: the update rule of `sw.spec.numerics`.

    Parameters
    ----------
    form : LayerFormat
        The formats of the layer.
    nodes : ndarray of int64, shape (inputs, nodes, outputs)
        The nodes of the layer, changed in place.
    places : Places
        Places of one record's arguments, (inputs,).
    step : ndarray of int64, shape (outputs,)
        The error of each output, shifted by the learning rate.
    chance : ndarray of int, shape (inputs,)
        What rounds the steps of each input, a number of `form.word.fine` bits.

    Returns
    -------
    int
        Nodes that saturated.
    """
    word, (segment, offset) = form.word, places
    left, right = end_nodes(nodes, segment)
    change = rounding_product(step, form.fraction(offset)[:, None], word.width) + chance[:, None]
    rest = step + (1 << word.fine) - 1 - change
    inputs, saturations = np.arange(len(segment)), 0
    for node, value in ((segment + 1, right + (change >> word.fine)), (segment, left + (rest >> word.fine))):
        nodes[inputs, node] = word.saturate(value)
        saturations += int(np.count_nonzero(nodes[inputs, node] != value))
    return saturations


def back_propagate(
    form: LayerFormat, nodes: np.ndarray, places: Places, error: np.ndarray, back_shift: int
) -> np.ndarray:
    """Compute the errors of a layer's inputs, before its update: the rules for e_j of `sw.spec.numerics`.

    Parameters
    ----------
    form : LayerFormat
        The formats of the layer.
    nodes : ndarray of int64, shape (inputs, nodes, outputs)
        The nodes of the layer.
    places : Places
        Places of one record's arguments, (inputs,).
    error : ndarray of int64, shape (outputs,)
        The error of each output.
    back_shift : int
        The learning rate of the way back.

    Returns
    -------
    ndarray of int64, shape (inputs,)
        The error of each input.
    """
    left, right = end_nodes(nodes, places.segment)
    errors = form.word.limit(np.sum(rounding_shift(error * (right - left), back_shift), axis=1))
    code = (places.segment << form.offset_bits) + places.offset
    errors = np.where(code == 0, np.maximum(errors, 0), errors)
    return np.where(code == form.last_code, np.minimum(errors, 0), errors)


@dataclass
class _Update:
    """A record's update on its way down the layers.

    `error`: of the outputs of the layer that is updated next. `chance`: the record's word.
    """

    record: int
    places: list[Places]
    error: np.ndarray
    chance: int


class FixedReference(FixedTrainer):
    """Newton-Kaczmarz training in fixed point, by the rules of `sw.spec.numerics`: the law for bit-exact trainers.

    Updates are made in the order of the records. Each of them reads the nodes that the update before it left, for its
    slope too, and adds to them.

    Parameters
    ----------
    network : Network
        The network to train.
    nodes : list of ndarray
        First nodes, one array of `Layer.shape` a layer.
    staleness : tuple of int, optional
        A number of records for each layer; default: 0 for all. The forward pass of record r through layer l reads
        nodes that hold the updates of the records up to r - 1 - staleness[l]. It never grows from one layer to the
        next, since the error of a layer comes out of the update of the layer after it.
    block : int, optional
        After so many records all updates are made before the next forward pass, as on a board whose passes are no
        longer. Default: after all records of a pass.
    pretraining : int, default=0
        Addends of a group in pre-training; 0 for none.

    Raises
    ------
    ValueError
        For nodes or a staleness that do not fit the network.
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
        self._saturations = self._clips = self._zero_steps = 0
        self.staleness = staleness or (0,) * len(network.layers)
        if len(self.staleness) != len(network.layers) or list(self.staleness) != sorted(self.staleness, reverse=True):
            raise ValueError(
                f"staleness {self.staleness}: need {len(network.layers)} values, none larger than the one before"
            )

    def _predict_and_train(self, records: Records, rates: Rates) -> tuple[np.ndarray, Statistics]:
        blocks = records.blocks(self.block or len(records))
        passes = [self.run(block, np.ones(len(block), dtype=bool), rates) for block in blocks]
        return np.concatenate([results for results, _ in passes]), sum((found for _, found in passes), Statistics())

    def _pretrain(self, records: Records, rates: Rates) -> Statistics:
        """Train each group as a network of its own; a record has the same word in all of them."""
        groups = [
            FixedReference(
                self.network.addend_slice(start, stop),
                addend_nodes(self._nodes, start, stop),
                self.staleness,
                self.block,
            )
            for start, stop in groups_of(self.network, self.pretraining)
        ]
        for group in groups:
            group.chance, group.chance_stride = self.chance, self.chance_stride
        statistics = sum((group.train(records, rates) for group in groups), Statistics())
        self._next_chances(len(records))
        self.nodes = joined_nodes([group.nodes for group in groups])
        return replace(statistics, records=len(records))

    def _predict(self, arguments: np.ndarray) -> np.ndarray:
        results = np.zeros((len(arguments), self.network.outputs), np.int64)
        for index, code in enumerate(arguments):
            results[index] = self._forward(code)[1]
        return results

    def run(
        self, records: Records, train: np.ndarray, rates: Rates, words: np.ndarray | None = None
    ) -> tuple[np.ndarray, Statistics]:
        """Make one pass in which some records are trained on, and the others are only inferred.

        Parameters
        ----------
        records : Records
            All records of the pass, in order.
        train : ndarray of bool, shape (n,)
            Which of them are trained on.
        rates : Rates
            The learning rates of the pass.
        words : ndarray of int, shape (n,), optional
            The chance word of each record; default: those that follow `chance` for the records that are trained on.

        Returns
        -------
        results : ndarray of int64, shape (n, outputs)
            What the forward passes gave.
        statistics : Statistics
            The counts of the pass.
        """
        word = self.network.word
        results = np.empty_like(records.targets)
        absolute_residual = 0
        self._saturations = self._clips = self._zero_steps = 0
        self._rates = rates
        if words is None:
            words = np.zeros(len(records), np.int64)
            words[train] = self._next_chances(int(np.count_nonzero(train)))
        for index, (code, target) in enumerate(zip(records.arguments, records.targets, strict=True)):
            places, results[index] = self._forward(code, before=index)
            residual = word.limit(target - results[index])
            absolute_residual += int(np.abs(residual).sum())
            if train[index]:
                self._queues[-1].append(_Update(index, places, residual, int(words[index])))
        self._settle(0, len(records))
        counts = self._saturations, self._clips, self._zero_steps
        return results, Statistics(len(records), absolute_residual, *counts)

    def _forward(self, code: np.ndarray, before: int | None = None) -> tuple[list[Places], np.ndarray]:
        """Compute the places of the arguments in each layer, and the network's results.

        `before`: the number of a record in a pass; its forward pass sees the updates that the staleness allows.
        """
        places = []
        for layer, form in enumerate(self.network.formats):
            if before is not None:
                self._settle(layer, before - self.staleness[layer])
            places.append(Places(form.segment(code), form.offset(code)))
            mean = interpolate(form, self._nodes[layer], places[-1])
            result = np.clip(mean, *form.result_limits)
            if layer < len(self.network.formats) - 1:
                self._clips += int(np.count_nonzero(result != mean))
                code = result + form.result_bias
        return places, result

    def _settle(self, layer: int, before: int) -> None:
        """Make the layer's updates of all records numbered below `before`."""
        queue = self._queues[layer]
        if layer < len(self._queues) - 1:
            self._settle(layer + 1, before)
        while queue and queue[0].record < before:
            late = queue.popleft()
            late.error = self._update(layer, late.places[layer], late.error, late.chance)
            if layer:
                self._queues[layer - 1].append(late)

    def _update(self, layer: int, places: Places, error: np.ndarray, word: int) -> np.ndarray:
        """Update the layer for the error of its outputs; returns the error of its inputs, unless it is the first."""
        form, nodes, shape = self.network.formats[layer], self._nodes[layer], self.network.layers[layer]
        chance = chances(word, shape.first_input + np.arange(shape.inputs), form.word.fine)
        shifted, step, back = shifted_layers(len(self.network.layers)), error, error
        if layer in shifted:
            step = rounding_shift(error, self._rates.update[shifted.index(layer)])
        if layer:
            back = back_propagate(form, nodes, places, error, self._rates.back[layer - 1])
        self._zero_steps += int(np.count_nonzero(step == 0))
        self._saturations += update(form, nodes, places, step, chance)
        return back
