"""The compiled trainers in floating point."""

import numpy as np

from sw.engine.compiled.trainer import CompiledTrainer
from sw.engine.encoded import Encoded, EncodedArguments
from sw.engine.kernels.floating import memory as floating
from sw.engine.kernels.floating import passes
from sw.engine.kernels.layout import arena
from sw.oracle.floating import DOMAIN_MARGIN, Unquantised
from sw.spec.network import Network
from sw.spec.records import Records
from sw.spec.schedule import Rates
from sw.spec.trainer import Statistics


class CompiledFloat(CompiledTrainer):
    """`sw.oracle.floating.FloatReference`, compiled: equal to it within the rounding of the word.

    Parameters
    ----------
    network : Network
        The network to train.
    nodes : list of ndarray
        First nodes, one array of `Layer.shape` a layer.
    domains : list of ndarray
        First limits of each input's grid, (inputs, 2) a layer.
    learning_rates : tuple of float, optional
        One for each layer; needed to train, unless a derived class has others.
    groups : tuple of int, optional
        First addends of the groups that are trained alone in every pass.
    word : {numpy.float32, numpy.float64}
        The floating-point type.
    """

    _kernels, _result_type = passes, np.float64

    def __init__(
        self,
        network: Network,
        nodes: list[np.ndarray],
        domains: list[np.ndarray],
        learning_rates: tuple[float, ...] | None = None,
        *,
        groups: tuple[int, ...] = (),
        word: type = np.float32,
    ):
        super().__init__(network, groups, word, floating.ROW)
        layout, integer = self._layout, np.int32 if word == np.float32 else np.int64
        slots = 2 * layout.slot
        memory = arena(
            {
                "statistics": (floating.STATISTICS, np.float64),
                "layers": (len(network.layers) * len(floating.FIELDS), np.int64),
                "rates": (len(network.layers), word),
                "starts": (layout.kept, integer),
                "places": (slots, integer),
                "offsets": (slots, word),
                "remainders": (slots, word),
                "errors": (slots, word),
                "found": (2 * slots, word),
                "back": (slots, word),
                "arguments": (layout.kept, word),
                "scale": (layout.kept, word),
                "parameters": (layout.rows + layout.pairs + 2 * layout.kept, word),
            }
        )
        self._statistics, self._layers = memory.pop("statistics"), memory.pop("layers")
        self.parameters = memory.pop("parameters")
        rows, pairs, low, high = np.split(self.parameters, np.cumsum([layout.rows, layout.pairs, layout.kept]))
        self._memory = floating.FloatMemory(rows=rows, pairs=pairs, low=low, high=high, **memory)
        self._memory.starts[:] = layout.starts
        self._memory.high[:] = 1
        self._layers.reshape(len(network.layers), -1)[:] = layout.places
        self.learning_rates = learning_rates
        self.domains = domains
        self.nodes = nodes

    @property
    def nodes(self) -> list[np.ndarray]:
        """A copy of the nodes, one float64 array of `Layer.shape` a layer."""
        return [view.astype(float) for view in self._views]

    @nodes.setter
    def nodes(self, nodes: list[np.ndarray]) -> None:
        for view, values in zip(self._views, nodes, strict=True):
            view[:] = values

    @property
    def domains(self) -> list[np.ndarray]:
        """The limits of each input's grid, (inputs, 2) a layer."""
        limits = np.stack([self._memory.low, self._memory.high], axis=1).astype(float)
        return [limits[place.inputs_at :][: place.inputs] for place in self._layout.places]

    @domains.setter
    def domains(self, domains: list[np.ndarray]) -> None:
        for place, limits in zip(self._layout.places, domains, strict=True):
            inputs = slice(place.inputs_at, place.inputs_at + place.inputs)
            self._memory.low[inputs], self._memory.high[inputs] = limits.T

    def _rescale(self) -> None:
        """Compute the widths of the domains, which merging may have changed."""
        for place in self._layout.places:
            inputs = slice(place.inputs_at, place.inputs_at + place.padded)
            width = self._memory.high[inputs] - self._memory.low[inputs]
            self._memory.scale[inputs] = (place.nodes - 1) / width

    def set_rates(self, rates: Rates) -> None:
        """Set the learning rates, and the widths of the domains; as `CompiledTrainer.set_rates`."""
        self._rescale()
        self._memory.rates[:] = self._rates(rates)

    def _rates(self, rates: Rates) -> tuple[float, ...]:
        """Compute the learning rates of a pass."""
        assert self.learning_rates is not None
        return self.learning_rates

    def run(self, records: Encoded, rates: Rates, results: np.ndarray | None = None) -> Statistics:
        """Make one pass over records that are encoded for the kernels; as `CompiledTrainer.run`."""
        self.set_rates(rates)
        self._statistics[:] = 0
        self._kernels.train(*self._training(records, results))
        count, residual = self._statistics.tolist()
        return Statistics(int(count), residual)

    def results(self, arguments: EncodedArguments) -> np.ndarray:
        """Compute results, as `predict`, for arguments that are encoded for the kernels."""
        self._rescale()
        return super().results(arguments)

    def _training(self, records: Encoded, results: np.ndarray | None = None) -> tuple:
        return (
            self._memory,
            self._layers,
            self._layout.size,
            self._layout.slot,
            records.arguments.flat,
            records.targets,
            self.groups,
            DOMAIN_MARGIN,
            self._statistics,
            self._checked(results, records),
        )


class CompiledUnquantised(CompiledFloat):
    """`sw.oracle.floating.UnquantisedTrainer`, compiled; but its results are in words, as its targets are.

    Parameters
    ----------
    network : Network
        The fixed-point network.
    nodes : list of ndarray
        First nodes, one array of `Layer.shape` a layer.
    domains : list of ndarray, optional
        First limits of each input's grid, (inputs, 2) a layer; default: those of the fixed-point network.
    groups : tuple of int, optional
        First addends of the groups that are trained alone in every pass.
    word : {numpy.float32, numpy.float64}
        The floating-point type.
    """

    def __init__(
        self,
        network: Network,
        nodes: list[np.ndarray],
        domains: list[np.ndarray] | None = None,
        *,
        groups: tuple[int, ...] = (),
        word: type = np.float32,
    ):
        self._unquantised = Unquantised(network)
        self.result_scale = self._unquantised.result_scale
        super().__init__(network, nodes, domains or self._unquantised.domains, groups=groups, word=word)

    def encode(self, records: Records) -> Encoded:
        """Encode records of codes and words for the kernels."""
        return Encoded.of(records.arguments, records.targets / self.result_scale, self.word)

    def _rates(self, rates: Rates) -> tuple[float, ...]:
        return self._unquantised.learning_rates(rates)

    def run(self, records: Encoded, rates: Rates, results: np.ndarray | None = None) -> Statistics:
        """Make one pass as `CompiledTrainer.run`; results are in words."""
        statistics = super().run(records, rates, results)
        if results is not None:
            results *= self.result_scale
        return statistics

    def results(self, arguments: EncodedArguments) -> np.ndarray:
        """Compute results in words for arguments that are encoded for the kernels."""
        return super().results(arguments) * self.result_scale
