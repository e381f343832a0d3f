"""Measurement of trainings: time of a record's update, and time to an accuracy.

Belongs here: measurement and its baselines. Does not: training (`sw.engine`). Begin with `timing`.
"""
