"""A network and a training schedule to start from, for a data set by name or by the size of a table.

Belongs here: choices that were found by search. Does not: data (`sw.datasets`). Begin with `catalogue`.
"""
