"""Mathematics and host: networks, their arithmetic, training on a CPU, and the client of a board.

Belongs here: what runs without gateware. Does not: Amaranth. Floors from the top: `commands`; `bench`, `figures` and
`estimators`; `experiment`, `online` and `device`; `engine`; `oracle` and `presets`; `model`; `datasets`; `spec`. A room
imports only from rooms below it. Begin with `sw.spec.numerics` and `sw.oracle`.
"""
