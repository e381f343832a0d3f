"""What trains: layers of piecewise-linear functions, their node memories and multipliers, and the sequencing of slots.

Belongs here: gateware whose latency the pipeline computes. Does not: when records start (`hw.schedule`), how data
arrive (`hw.soc`). Begin with `trainer`, then `layer`.
"""
