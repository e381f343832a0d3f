"""What a trained model says: its parts that matter, and a formula of its functions.

Belongs here: pruning and the fit of known functions to learned ones. Does not: drawing them. Begin with `formula`.
"""
