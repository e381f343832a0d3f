"""When everything happens, as arithmetic without gateware: foldings, slot orders, schedules, buffer depths, charts.

Belongs here: what can be computed from sizes and latencies. Does not: Amaranth. Begin with `schedule`.
"""
