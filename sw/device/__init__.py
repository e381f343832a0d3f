"""A board as a trainer, at the other end of a serial line, real or virtual.

Belongs here: the host's side of the link. Does not: the format of frames (`sw.spec.protocol`). Begin with `client`."""
