"""cocotb benches: the runner, ports of gateware as tables of values, a UART driver.

Belongs here: what benches in `tests` share. Begin with `runner`.
"""
