"""The oracle in floating point: training as in the paper, and a fixed-point network trained without rounding."""

from dataclasses import replace

import numpy as np

from sw.oracle.grid import Places, end_nodes
from sw.spec.network import Network
from sw.spec.nodes import addend_nodes, groups_of, joined_nodes
from sw.spec.records import Records
from sw.spec.schedule import Rates, shifted_layers
from sw.spec.trainer import Statistics, Trainer

DOMAIN_MARGIN = 0.01  # a domain that must grow does so by this share of its width beyond the argument
OWN_RATES = Rates((), ())
"""The rates of a `FloatReference`'s schedule: no shifts, since the trainer has learning rates of its own."""


def place(arguments: np.ndarray, domains: np.ndarray, segments: int) -> Places:
    """Find where arguments fall on their grids.

    Parameters
    ----------
    arguments : ndarray of shape (..., inputs)
        Arguments of a layer; those outside of their domain count as its ends.
    domains : ndarray of shape (inputs, 2)
        The limits of each input's grid.
    segments : int
        Segments of each grid.

    Returns
    -------
    Places
        Offsets are shares of a segment.
    """
    low, high = domains.T
    position = np.clip((arguments - low) / (high - low) * segments, 0, segments)
    segment = np.minimum(position.astype(int), segments - 1)
    return Places(segment, position - segment)


def interpolate(nodes: np.ndarray, places: Places) -> np.ndarray:
    """Compute the values of all functions of a layer: f_jk(x_j) by linear interpolation.

    Parameters
    ----------
    nodes : ndarray of shape (inputs, nodes, outputs)
        The nodes of the layer.
    places : Places
        Places of the arguments, (..., inputs).

    Returns
    -------
    ndarray of shape (..., inputs, outputs)
        The values; their sum over the inputs, divided by `Layer.divisor`, is the layer's result.
    """
    left, right = end_nodes(nodes, places.segment)
    return left + (right - left) * places.offset[..., None]


def update(nodes: np.ndarray, places: Places, step: np.ndarray) -> None:
    """Update a layer's nodes: each takes its share of the step, by the distance from the argument.

    Parameters
    ----------
    nodes : ndarray of shape (inputs, nodes, outputs)
        The nodes of the layer, changed in place.
    places : Places
        Places of one record's arguments, (inputs,).
    step : ndarray of shape (outputs,)
        The error of each output, times the learning rate.
    """
    segment, offset = places
    inputs = np.arange(len(segment))
    nodes[inputs, segment] += (1 - offset)[:, None] * step
    nodes[inputs, segment + 1] += offset[:, None] * step


def slopes(nodes: np.ndarray, places: Places, domains: np.ndarray, segments: int) -> np.ndarray:
    """Compute the slopes of all functions of a layer, (inputs, outputs), at one record's places."""
    left, right = end_nodes(nodes, places.segment)
    low, high = domains.T
    return (right - left) / ((high - low) / segments)[:, None]


class FloatReference(Trainer):
    """Newton-Kaczmarz training in float64: u_k = mean_j f_jk(x_j), layer after layer, on unit arguments and targets.

    Parameters
    ----------
    network : Network
        The network to train.
    nodes : list of ndarray
        First nodes, one array of `Layer.shape` a layer.
    learning_rates : tuple of float
        The paper's a, one for each layer; the shifts of a schedule do not apply.

    Attributes
    ----------
    domains : list of ndarray
        The limits of each input's grid, (inputs, 2) a layer. Those of a hidden layer grow when an argument falls
        outside.
    """

    def __init__(self, network: Network, nodes: list[np.ndarray], learning_rates: tuple[float, ...]):
        self.network = network
        self.learning_rates = learning_rates
        self.nodes = nodes
        limits = [(0.0, 1.0)] + [(-1.0, 1.0)] * (len(network.layers) - 1)
        self.domains = [np.tile(pair, (layer.inputs, 1)) for pair, layer in zip(limits, network.layers, strict=True)]

    @classmethod
    def random(cls, network: Network, rng: np.random.Generator, rate: float) -> "FloatReference":
        """Draw first nodes uniformly from the range of the targets, as the authors do; all layers have one rate."""
        nodes = [rng.uniform(-1.0, 1.0, layer.shape) for layer in network.layers]
        return cls(network, nodes, (rate,) * len(network.layers))

    @property
    def nodes(self) -> list[np.ndarray]:
        """A copy of the nodes, one float64 array of `Layer.shape` a layer."""
        return [nodes.copy() for nodes in self._nodes]

    @nodes.setter
    def nodes(self, nodes: list[np.ndarray]) -> None:
        self._nodes = [np.array(layer, dtype=float) for layer in nodes]

    def train(self, records: Records, rates: Rates = OWN_RATES) -> Statistics:
        """Make one pass of updates over unit records, in their order; `rates` do not apply.

        Raises
        ------
        ValueError
            For records that do not fit the network.
        """
        return super().train(records, rates)

    def check_rates(self, rates: Rates) -> None:
        """Accept any rates, since they do not apply."""

    def _predict_and_train(self, records: Records, rates: Rates) -> tuple[np.ndarray, Statistics]:
        results, residuals = np.zeros((len(records), self.network.outputs)), 0.0
        for index, (x, target) in enumerate(zip(records.arguments, records.targets, strict=True)):
            places, results[index] = self._forward(x, grow=True)
            residual = target - results[index]
            residuals += float(np.abs(residual).sum())
            self._update(places, residual)
        return results, Statistics(len(records), residuals)

    def _predict(self, arguments: np.ndarray) -> np.ndarray:
        results = np.zeros((len(arguments), self.network.outputs))
        for index, x in enumerate(arguments):
            results[index] = self._forward(x, grow=False)[1]
        return results

    def _forward(self, x: np.ndarray, *, grow: bool) -> tuple[list[Places], np.ndarray]:
        """Compute the places of the arguments in each layer, and the network's outputs."""
        places = []
        for index, layer in enumerate(self.network.layers):
            if grow and index:
                self._grow(index, x)
            places.append(place(x, self.domains[index], layer.segments))
            x = np.sum(interpolate(self._nodes[index], places[-1]), axis=0) / layer.divisor
        return places, x

    def _grow(self, index: int, x: np.ndarray) -> None:
        domain = self.domains[index]
        outside = (x < domain[:, 0]) | (x > domain[:, 1])
        if outside.any():
            low, high = np.minimum(domain[:, 0], x), np.maximum(domain[:, 1], x)
            margin = DOMAIN_MARGIN * (high - low)
            domain[x < domain[:, 0], 0] = (low - margin)[x < domain[:, 0]]
            domain[x > domain[:, 1], 1] = (high + margin)[x > domain[:, 1]]

    def _update(self, places: list[Places], error: np.ndarray) -> None:
        for index in reversed(range(len(places))):
            nodes, segments = self._nodes[index], self.network.layers[index].segments
            slope = slopes(nodes, places[index], self.domains[index], segments)
            update(nodes, places[index], self.learning_rates[index] * error)
            error = slope @ error


class Unquantised:
    """The scales of a fixed-point network that is computed without rounding and limits.

    It takes the same codes and the same schedule of shifts.

    Parameters
    ----------
    network : Network
        The fixed-point network.

    Attributes
    ----------
    result_scale : float
        The outputs times this are in the units of the fixed-point results.
    domains : list of ndarray
        The limits of each input's grid, (inputs, 2) a layer.
    """

    def __init__(self, network: Network):
        self._layers, self._fine = network.layers, network.fine
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
        """Compute the learning rate of each layer that the shifts stand for."""
        learning_rates, passed, fine = [], self.result_scale, 2.0**-self._fine
        shifts = dict(zip(shifted_layers(len(self._layers)), rates.update, strict=True))
        for index in reversed(range(len(self._layers))):
            learning_rates.append(passed * fine * 2.0 ** -shifts.get(index, 0))
            if index:
                low, high = self.domains[index][0]
                passed *= 2.0 ** -rates.back[index - 1] * (high - low) / self._layers[index].segments
        return tuple(reversed(learning_rates))


class UnquantisedTrainer(FloatReference):
    """Training of a fixed-point network without rounding and limits, on the same records of codes and words.

    Parameters
    ----------
    network : Network
        The fixed-point network.
    nodes : list of ndarray
        First nodes, one array of `Layer.shape` a layer.
    pretraining : int, default=0
        Addends of a group in pre-training; 0 for none.

    Attributes
    ----------
    result_scale : float
        Predictions times this are words.
    """

    def __init__(self, network: Network, nodes: list[np.ndarray], *, pretraining: int = 0):
        super().__init__(network, nodes, (0.0,) * len(network.layers))
        self.pretraining = pretraining
        self._unquantised = Unquantised(network)
        self.result_scale = self._unquantised.result_scale
        self.domains = [domain.copy() for domain in self._unquantised.domains]

    def check_rates(self, rates: Rates) -> None:
        """Check that the shifts fit the network; as `Trainer.check_rates`."""
        rates.check(self.network)

    def _predict_and_train(self, records: Records, rates: Rates) -> tuple[np.ndarray, Statistics]:
        """Train on records of codes and words at the rates that the shifts stand for; results are not in words."""
        self.learning_rates = self._unquantised.learning_rates(rates)
        units = Records(records.arguments.astype(float), records.targets / self.result_scale)
        return super()._predict_and_train(units, rates)

    def _pretrain(self, records: Records, rates: Rates) -> Statistics:
        """Train each group as a network of its own, with domains of its own."""
        groups, statistics, (features, hidden) = [], Statistics(), self.domains
        for start, stop in groups_of(self.network, self.pretraining):
            group = UnquantisedTrainer(self.network.addend_slice(start, stop), addend_nodes(self._nodes, start, stop))
            group.domains = [features, hidden[start:stop].copy()]
            statistics += group.train(records, rates)
            groups.append(group)
        self.nodes = joined_nodes([group.nodes for group in groups])
        self.domains = [features, np.concatenate([group.domains[1] for group in groups])]
        return replace(statistics, records=len(records))
