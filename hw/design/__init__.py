"""A network on a board: the design, and the plan of its trainer.

Belongs here: what is decided once and obeyed by gateware, planner and host alike. Does not: arithmetic of schedules
(`hw.schedule`), the search for a good folding (`hw.plan`). Begin with `design`.
"""
