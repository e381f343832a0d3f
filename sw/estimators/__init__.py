"""Estimators with scikit-learn's conventions: `NKRegressor` and `NKClassifier`.

Belongs here: what scikit-learn's users expect of an estimator. Does not: training (`sw.engine`), learning from streams
(`sw.online`). Begin with `base`.
"""

from sw.estimators.classifier import NKClassifier
from sw.estimators.regressor import NKRegressor

__all__ = ["NKClassifier", "NKRegressor"]
