"""A board as a trainer, at the other end of a serial line, real or virtual.

Belongs here: the host's side of the link. Does not: the format of frames (`sw.spec.protocol`). Begin with `client`. Its
floors, top first: `recovery` (a trainer that outlasts losses), `client` (a trainer), `register_client` (registers by
name), `transport` (reads and writes, each write executed once), `link_session` (HELLO), `frame_port` (frames on a
serial port).
"""
