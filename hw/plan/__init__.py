"""The folding of a network onto a board, chosen before anything is synthesised: `python -m hw.plan`.

Belongs here: the search over foldings, the estimates of resources and clock that it rests on, and the options that
say a design. Does not: place and route (`hw.flow`). Begin with `search`.
"""
