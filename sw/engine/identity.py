"""Whether a training is the one that a checkpoint was written by, and in plain words why it is not.

An identity is what `Training.identity` returns: plain data, which JSON may have turned tuples into lists of.
"""

import json
from typing import Any

from sw.spec.network import Network

Identity = dict[str, Any]

WORDS = {
    "data": "the data set {}",
    "columns": "the columns {}",
    "records": "{} records to train on",
    "holdout": "{} records held out",
    "shard_records": "shards of {} records",
    "seed": "the seed {}",
    "arithmetic": "the arithmetic {}",
    "models": "{} models",
    "round_records": "rounds of {} records",
    "merge": "models merged by {}",
    "relaxation": "the relaxation {}",
}
"""What the values of an identity are, in words."""


def differences(theirs: Identity, ours: Identity) -> list[str]:
    """Say what keeps a training from going on where another one was saved.

    A schedule may be longer than the other one, if it begins like it: what has been trained is the same.

    Parameters
    ----------
    theirs : dict
        Identity of the training that was saved.
    ours : dict
        Identity of the training that is to go on.

    Returns
    -------
    list of str
        A phrase for each difference; nothing if the training can go on.
    """
    theirs, ours = json.loads(json.dumps([theirs, ours]))
    found = []
    if theirs["network"] != ours["network"]:
        found.append(_networks(theirs["network"], ours["network"]))
    flat = [{**each, **each["strategy"], **each["strategy"]["merging"]} for each in (theirs, ours)]
    for name, words in WORDS.items():
        values = [", ".join(each[name]) if name == "columns" else each[name] for each in flat]
        if values[0] != values[1]:
            found.append(f"{words.format(values[0])}, not {values[1]}")
    if theirs["first"] != ours["first"]:
        found.append("other values in the first records")
    elif theirs["start"] != ours["start"] and not found:
        found.append("other first nodes, or other ranges of the data")
    return found + _schedules(theirs["strategy"], ours["strategy"])


def _networks(theirs: Any, ours: Any) -> str:
    names = [str(Network.from_description(each)) for each in (theirs, ours)]
    if names[0] == names[1]:
        return f"another network that is called {names[0]}, too: its gains or its numbers' widths differ"
    return f"the network {names[0]}, not {names[1]}"


def _schedules(theirs: Any, ours: Any) -> list[str]:
    """Say how a schedule differs from one that it should continue."""
    before, after = _runs(theirs), _runs(ours)
    for index, (epochs, kind) in enumerate(before):
        if index == len(after) or epochs > after[index][0]:
            lengths = [sum(epochs for epochs, _ in runs) for runs in (before, after)]
            if lengths[0] > lengths[1]:
                return [f"{lengths[0]} epochs, not {lengths[1]}: it can be continued, not shortened"]
            return ["a schedule whose first epochs have other learning rates"]
        if kind != after[index][1] or (epochs < after[index][0] and index + 1 < len(before)):
            if any(kind["addends"] for kind in (kind, after[index][1])):
                return ["other pre-training"]
            return ["a schedule whose first epochs have other learning rates"]
    return []


def _runs(strategy: Any) -> list[tuple[int, Any]]:
    """Return the epochs of a strategy's schedule: how many in succession are of one kind, and that kind."""
    phases = [{"addends": 0, "epochs": each["epochs"], "rates": each["rates"]} for each in strategy["phases"]]
    runs: list[tuple[int, Any]] = []
    for phase in [strategy["pretraining"], *phases] if strategy["pretraining"] else phases:
        kind = {name: phase[name] for name in ("addends", "rates")}
        if runs and runs[-1][1] == kind:
            runs[-1] = runs[-1][0] + phase["epochs"], kind
        elif phase["epochs"]:
            runs.append((phase["epochs"], kind))
    return runs
