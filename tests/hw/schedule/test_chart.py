"""Charts of schedules: the delay can be read off them; and those of the documentation are what the command prints."""

import argparse
import re
import shlex
from pathlib import Path

import boards
from hw.plan.__main__ import declare
from hw.plan.options import search_of
from hw.schedule.chart import chart

DOCUMENT = Path(__file__).parents[3] / "docs" / "architecture.md"
COMMAND = "$ python -m hw.plan "


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    declare(parser)
    return parser


def test_the_documentations_charts_are_what_the_command_prints() -> None:
    blocks = [
        block for block in re.findall(r"```\n(.*?)\n```", DOCUMENT.read_text(), re.S) if block.startswith(COMMAND)
    ]
    assert len(blocks) >= 3
    for block in blocks:
        command, found = block.split("\n", 1)
        arguments = parser().parse_args(shlex.split(command.removeprefix(COMMAND)))
        design = search_of(boards.find(arguments.board), arguments).design
        assert found == chart(design.plan, arguments.chart)


def test_a_write_that_a_later_read_does_not_see_is_to_its_right() -> None:
    """Records whose writes of a layer come after a record's reads, less itself: the delay."""
    arguments = parser().parse_args(shlex.split("--board icebreaker --network norm2 --taps 1 --chart 9"))
    design = search_of(boards.find(arguments.board), arguments).design
    lines = dict(re.split(r"  +", line, maxsplit=1) for line in chart(design.plan, 9).splitlines())
    for layer, delay in enumerate(design.plan.schedule.staleness):
        reads, writes = lines[f"layer {layer} forward"], lines[f"layer {layer} write"]
        unseen = [record for record in range(8) if writes.rindex(str(record)) > reads.rindex("8")]
        assert len(unseen) == delay
