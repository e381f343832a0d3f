"""What the compiled trainers of both arithmetics have in common."""

from abc import abstractmethod
from typing import Any

import numpy as np

from sw.engine.encoded import Encoded, EncodedArguments
from sw.engine.kernels.compiling import compile_for, is_compiled
from sw.engine.kernels.layout import MemoryLayout
from sw.spec.network import Network
from sw.spec.records import Records
from sw.spec.schedule import Rates
from sw.spec.trainer import Statistics, Trainer


class CompiledTrainer(Trainer):
    """A trainer whose passes are compiled kernels.

    Parameters
    ----------
    network : Network
        The network to train.
    groups : tuple of int
        First addends of the groups that each have a residual of their own, as in pre-training; none to train all
        addends together.
    word : type
        NumPy type of arguments, targets and nodes.
    row : tuple of int
        Size of the rows that the kernels work on at a time, as `MemoryLayout` takes it.

    Attributes
    ----------
    parameters : ndarray
        All that training changes and merging takes the mean of, in one array, where the kernels have it.
    groups : ndarray of int
        First addends of the groups, and the number of addends; only that, if there are no groups.
    result_scale : float
        Encoded targets, and residuals of statistics, times this are words.

    Raises
    ------
    ValueError
        For groups of a network that cannot have any.
    """

    word: type
    parameters: np.ndarray
    result_scale = 1.0

    def __init__(self, network: Network, groups: tuple[int, ...], word: type, row: tuple[int, ...]):
        self.network, self.word = network, word
        addends = network.layers[-1].inputs
        self.groups = np.array([*groups, addends])
        if groups:
            network.addend_slice(0, addends)  # raises, unless there are groups of addends
        self._layout = MemoryLayout(network, word, row, grouped=bool(groups))

    @property
    def _views(self) -> list[np.ndarray]:
        return self._layout.views(self._memory.rows, self._memory.pairs)

    _memory: Any
    _layers: np.ndarray
    _kernels: Any  # module with `train` and `predict`
    _result_type: type  # of what `predict` stores

    def _train(self, records: Records, rates: Rates) -> Statistics:
        return self._pass(records, rates)

    def _predict_and_train(self, records: Records, rates: Rates) -> tuple[np.ndarray, Statistics]:
        results = self.results_for(len(records))
        return results, self._pass(records, rates, results)

    def _pass(self, records: Records, rates: Rates, results: np.ndarray | None = None) -> Statistics:
        return self.run(self.encode(records), rates, results)

    def _predict(self, arguments: np.ndarray) -> np.ndarray:
        return self.results(self.encode_arguments(arguments))

    def encode(self, records: Records) -> Encoded:
        """Encode records for the kernels."""
        return Encoded.of(records.arguments, records.targets, self.word)

    def encode_arguments(self, arguments: np.ndarray) -> EncodedArguments:
        """Encode arguments (n, features) for the kernels."""
        return EncodedArguments.of(arguments, self.word)

    @property
    def ready(self) -> bool:
        """Whether the kernels that the trainer needs are compiled, in this process or on disk."""
        return all(is_compiled(*call) for call in self._calls())

    def prepare(self) -> None:
        """Compile the kernels that the trainer needs, or load them from disk, without running them.

        The first `run` and the first `results` do it otherwise. It takes seconds if they are not `ready`. A `run` that
        keeps its results has a kernel of its own, which it compiles when it is first called.
        """
        for call in self._calls():
            compile_for(*call)

    def results_for(self, records: int) -> np.ndarray:
        """Make an array (n, outputs) of zeros for the results of `run`."""
        return np.zeros((records, self.network.outputs), self._result_type)

    @abstractmethod
    def set_rates(self, rates: Rates) -> None:
        """Set the learning rates, and what merging may have left to do, as `run` does before its first record."""

    @abstractmethod
    def run(self, records: Encoded, rates: Rates, results: np.ndarray | None = None) -> Statistics:
        """Make one pass, as `train`, over records that are encoded for the kernels.

        Parameters
        ----------
        records : Encoded
            The records, n of them.
        rates : Rates
            The learning rates of the pass.
        results : ndarray of shape (n, outputs), optional
            Made by `results_for`; the predictions of `predict_and_train` are put there.

        Returns
        -------
        Statistics
            The counts of the pass.

        Raises
        ------
        ValueError
            For results of another shape.
        """

    def results(self, arguments: EncodedArguments) -> np.ndarray:
        """Compute results, as `predict`, for arguments that are encoded for the kernels."""
        call = self._prediction(arguments)
        self._kernels.predict(*call)
        return call[-1]

    def _calls(self) -> list[tuple]:
        """List the kernels, each with arguments of the types that it is called with."""
        records = Encoded.of(np.zeros((0, self.network.features)), np.zeros((0, self.network.outputs)), self.word)
        return [
            (self._kernels.train, *self._training(records)),
            (self._kernels.predict, *self._prediction(records.arguments)),
        ]

    @abstractmethod
    def _training(self, records: Encoded, results: np.ndarray | None = None) -> tuple:
        """Arguments of the training kernel, the array for the results last, if they are kept."""

    def _checked(self, results: np.ndarray | None, records: Encoded) -> np.ndarray | None:
        """Return the array for the results, after a check of its shape, which the kernels trust."""
        if results is not None and results.shape != records.targets.shape:
            raise ValueError(f"results of shape {results.shape}; those of the records have {records.targets.shape}")
        return results

    def _prediction(self, arguments: EncodedArguments) -> tuple:
        """Arguments of the predicting kernel, the array for the results last."""
        return self._memory, self._layers, self._layout.size, arguments.flat, self.results_for(len(arguments))
