"""A network as a component with streams, for systems of other people: one that trains, one that only predicts.

Belongs here: what such a component needs around the datapath, and what describes it. Does not: a board's link and
record store (`hw.link`, `hw.soc`). Begin with `training_core`; `late_target_core` is for targets that come later.
"""
