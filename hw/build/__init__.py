"""Building a bitstream: `python -m hw.build`.

Belongs here: the command and its report. Does not: how a bitstream is made (`hw.flow`). Begin with `report`.
"""
