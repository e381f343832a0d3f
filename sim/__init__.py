"""Simulation of the gateware: Verilator benches and the virtual board."""
