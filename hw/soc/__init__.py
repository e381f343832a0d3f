"""The whole system behind a serial line: link, registers, record store, passes and trainer on one bus.

Belongs here: what surrounds the trainer on the chip. Does not: the trainer (`hw.datapath`), the link (`hw.link`).
Begin with `soc`.
"""
