"""The interface of a training's two stages: pre-training by groups of addends, and rounds of concurrent models."""

from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor

from sw.engine.encoded import Encoded
from sw.model import Model
from sw.spec.schedule import Rates


class Stage(ABC):
    """A stage of a training: models in training, shard after shard."""

    @abstractmethod
    def prepare(self) -> None:
        """Compile the kernels of the stage, or load them, before a clock is started."""

    @abstractmethod
    def train(self, pool: ThreadPoolExecutor, shard: Encoded, rates: Rates, seed: tuple[int, ...], done: int) -> float:
        """Train on a shard.

        Parameters
        ----------
        pool : ThreadPoolExecutor
            The threads to work in.
        shard : Encoded
            The records, in the order to train on them.
        rates : Rates
            The learning rates.
        seed : tuple of int
            Seed of all that is random in this shard.
        done : int
            Records of the training that were trained on before the shard.

        Returns
        -------
        float
            The mean absolute residual, in the units of encoded targets.
        """

    @property
    @abstractmethod
    def models(self) -> list[Model]:
        """The present models of all processes; one alone if all are equal."""
