"""From gateware to a checked bitstream: synthesis, floor plan, place and route, packing.

Belongs here: what runs the tools and reads what they say. Does not: what differs from one FPGA family to the next
(`hw.fpga`). Begin with `bitstream`.
"""
