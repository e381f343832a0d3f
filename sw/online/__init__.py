"""Learning from a stream, record by record: ranges that are learnt from the first records and widen later.

Belongs here: what a model does when its records come one after the other and nothing is known of those to come. Does
not: passes over records that are all there (`sw.engine`). Begin with `learner`.
"""
