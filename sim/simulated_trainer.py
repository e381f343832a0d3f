"""The gateware's trainer in Amaranth's simulator, which drives it through its ports."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from amaranth.sim import Simulator

from hw.datapath.trainer import TrainerCore
from hw.design.trainer_planning import plan_trainer
from hw.fpga.technology import Technology
from sw.spec.addresses import LAYER_ADDRESS_BITS, Folding, NodeAddresses
from sw.spec.back_windows import check_rates
from sw.spec.chance import chance_after, next_chance
from sw.spec.network import Network
from sw.spec.records import Records
from sw.spec.schedule import Rates, shifted_layers
from sw.spec.trainer import FixedTrainer, Statistics


@dataclass
class _Pass:
    """A pass: what the simulation is given, and what it leaves."""

    records: Records
    train: np.ndarray
    rates: Rates
    pretrain: bool
    results: list[list[int]] = field(default_factory=list)
    statistics: dict[str, int] = field(default_factory=dict)


class SimulatedTrainer(FixedTrainer):
    """A `hw.datapath.trainer.TrainerCore` in Amaranth's simulator; every pass simulates it from reset.

    Parameters
    ----------
    network : Network
        The network that is trained.
    nodes : list of numpy.ndarray
        The nodes at first, one array of `Layer.shape` a layer.
    foldings : tuple of Folding
        Taps and lanes of each layer.
    technology : Technology
        The FPGA family that the gateware is for.
    exact : bool
        Whether each record is trained on with all updates of the record before it.
    pretraining : int
        Addends of a group that is pre-trained alone; 0 for none.
    contexts : int
        Number of interleaved models.
    back_windows : tuple of int, optional
        As `hw.design.trainer_planning.plan_trainer` takes them.

    Attributes
    ----------
    trainer : TrainerCore
        The gateware.
    cycles : int
        Clocks of the last pass with a record in flight or a merge under way.
    """

    def __init__(
        self,
        network: Network,
        nodes: list[np.ndarray],
        foldings: tuple[Folding, ...],
        *,
        technology: Technology,
        exact: bool,
        pretraining: int = 0,
        contexts: int = 1,
        back_windows: tuple[int, ...] | None = None,
    ):
        self.network, self.pretraining = network, pretraining
        self.nodes = nodes
        self.trainer = TrainerCore(
            plan_trainer(
                network,
                foldings,
                technology=technology,
                exact=exact,
                pretraining=pretraining,
                contexts=contexts,
                back_windows=back_windows,
            )
        )
        self.cycles = 0
        self._simulator: Simulator | None = None
        self._columns = [_columns(layer, index) for index, layer in enumerate(self.trainer.addresses)]

    def check_rates(self, rates: Rates) -> None:
        """Check that the gateware was built for these rates; as `Trainer.check_rates`."""
        check_rates(self.network, self.trainer.plan.back_windows, rates)

    def _predict_and_train(self, records: Records, rates: Rates) -> tuple[np.ndarray, Statistics]:
        return self.run(records, np.ones(len(records), dtype=bool), rates)

    def _pretrain(self, records: Records, rates: Rates) -> Statistics:
        return self.run(records, np.ones(len(records), dtype=bool), rates, pretrain=True)[1]

    def _predict(self, arguments: np.ndarray) -> np.ndarray:
        # The record port has targets, too; of a record that is only inferred, the gateware looks at none of them.
        records = Records(arguments, np.zeros((len(arguments), self.network.outputs), np.int64))
        updates = (self.network.word.update_shifts.start,) * len(shifted_layers(len(self.network.layers)))
        rates = Rates(updates, self.trainer.plan.back_windows)
        return self.run(records, np.zeros(len(records), dtype=bool), rates)[0]

    def run(
        self, records: Records, train: np.ndarray, rates: Rates, *, pretrain: bool = False
    ) -> tuple[np.ndarray, Statistics]:
        """Send records through the trainer, some to train on and some to predict only.

        Parameters
        ----------
        records : Records
            The records, n of them, in order.
        train : numpy.ndarray
            Whether a record is trained on, booleans of shape (n,).
        rates : Rates
            Learning rates.
        pretrain : bool
            Whether each group of addends is trained alone.

        Returns
        -------
        results : numpy.ndarray
            Predictions before each record's update, shape (n, outputs).
        statistics : Statistics
            Counts over the pass.
        """
        self._pass = _Pass(records, train, rates, pretrain)
        if self._simulator is None:  # it takes longer to make than a short pass takes
            self._simulator = self._make_simulator()
        else:
            self._simulator.reset()
        self._simulator.run()
        statistics = self._pass.statistics
        self.cycles = statistics.pop("cycles")
        outcome = np.array(self._pass.results, dtype=np.int64).reshape(len(records), self.network.outputs)
        return outcome, Statistics(**statistics)

    def _make_simulator(self) -> Simulator:
        simulator = Simulator(self.trainer)
        simulator.add_clock(1e-6)
        simulator.add_testbench(self._drive)
        simulator.add_process(self._listen)
        return simulator

    async def _drive(self, ctx: Any) -> None:
        trainer, work = self.trainer, self._pass
        ctx.set(trainer.update_shifts, list(map(self.network.word.update_shifts.index, work.rates.update)))
        ctx.set(trainer.back_shifts, list(map(range.index, trainer.plan.back_shifts, work.rates.back)))
        if trainer.plan.pretraining:
            ctx.set(trainer.pretrain, work.pretrain)
        await self._store_nodes(ctx)
        if self.network.fine:
            ctx.set(trainer.chance.value, next_chance(self.chance))
            ctx.set(trainer.chance.set, 1)
            await ctx.tick()
            ctx.set(trainer.chance.set, 0)
        ctx.set(trainer.clear, 1)
        await ctx.tick()
        ctx.set(trainer.clear, 0)
        for arguments, targets, trained in zip(work.records.arguments, work.records.targets, work.train, strict=True):
            record = {"arguments": arguments.tolist(), "targets": targets.tolist(), "train": int(trained)}
            ctx.set(trainer.records.payload, record)
            ctx.set(trainer.records.valid, 1)
            await ctx.tick().until(trainer.records.ready)
        ctx.set(trainer.records.valid, 0)
        await ctx.tick().until(trainer.idle)
        if trainer.plan.contexts > 1:
            ctx.set(trainer.merge, 1)
            await ctx.tick()
            ctx.set(trainer.merge, 0)
            await ctx.tick().until(trainer.idle)
        await self._read_nodes(ctx)
        if self.network.fine:
            self.chance = chance_after(ctx.get(trainer.chance.word), -1)
        work.statistics.update({name: ctx.get(field) for name, field in self._counters()})

    async def _listen(self, ctx: Any) -> None:
        async for _, _, valid, values in ctx.tick().sample(self.trainer.results_valid, self.trainer.results):
            if valid:
                self._pass.results.append([values[output] for output in range(self.network.outputs)])

    def _counters(self) -> list[tuple[str, Any]]:
        counters = self.trainer.statistics
        return [(name, counters[name]) for name in counters.shape().members]

    async def _store_nodes(self, ctx: Any) -> None:
        access = self.trainer.access
        ctx.set(access.write, 1)
        for nodes, columns in zip(self._nodes, self._columns, strict=True):
            for addresses, places in columns:
                for address, node in zip(addresses, nodes.ravel()[places].tolist(), strict=True):
                    ctx.set(access.address, address)
                    ctx.set(access.data_write, node)
                    await ctx.tick().repeat(self.trainer.plan.contexts)
        ctx.set(access.write, 0)

    async def _read_nodes(self, ctx: Any) -> None:
        """Read a row in each clock: only the rest of an address must be stable until its node is there."""
        access, latency = self.trainer.access, self.trainer.access_latency
        ctx.set(access.select, 1)
        for nodes, columns in zip(self._nodes, self._columns, strict=True):
            flat = nodes.reshape(-1)
            for addresses, places in columns:
                for clock in range(len(addresses) + latency - 1):
                    ctx.set(access.address, addresses[min(clock, len(addresses) - 1)])
                    await ctx.tick()
                    if clock + 1 >= latency:
                        flat[places[clock + 1 - latency]] = ctx.get(access.data_read)


def _columns(layer: NodeAddresses, index: int) -> list[tuple[list[int], list[int]]]:
    """Return the addresses of the nodes of a layer and their places in its array, apart by all but their rows."""
    columns: dict[int, tuple[list[int], list[int]]] = {}
    rows = ((1 << layer.fields["row"]) - 1) << layer.fields["lane"]
    for place, address in enumerate(layer.table().ravel().tolist()):
        addresses, places = columns.setdefault(address & ~rows, ([], []))
        addresses.append(address | index << LAYER_ADDRESS_BITS)
        places.append(place)
    return list(columns.values())
