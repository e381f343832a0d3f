"""Pictures: a network with its functions on its edges, convergence, predictions.

Belongs here: what Matplotlib draws. Does not: computing what is drawn. Begin with `network_diagram`.
"""
