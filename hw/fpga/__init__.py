"""What FPGA families and boards offer: hard blocks, PLLs, sites, tool flows.

Belongs here: facts of a device or a board, one file a family, each constant with its document. Does not: anything of
networks. Boards themselves are in `boards`. Begin with `technology`, then a family such as `ecp5`.
"""
