"""How fast trainings are, and how soon they are accurate.

Belongs here: measurement and its baselines. Does not: training (`sw.engine`). Begin with `timing`."""
