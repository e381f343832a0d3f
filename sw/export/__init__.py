"""A trained model as source text of another language, for devices that run no Python.

Belongs here: text that is generated from a model alone. Does not: gateware (`hw`), or reading and writing of files.
Begin with `c_header`.
"""
