"""The serial link's gateware: UART, COBS, frames with CRC, commands on a bus.

Belongs here: bytes of the line to bus transfers and back. Does not: what the transfers do (`hw.soc`); the host's side
(`sw.device`). The format of frames is `sw.spec.protocol`. Begin with `endpoint`.
"""
