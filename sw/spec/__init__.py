"""What gateware and host agree on: number rules, networks, records, rates, a trainer's interface, addresses, protocol.

Belongs here: rules that both sides obey. It is all that `hw` takes from `sw`, presets for its options aside. Begin with
`numerics`.
"""
