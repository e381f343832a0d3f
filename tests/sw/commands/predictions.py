"""What a model predicts, by the oracle."""

import numpy as np

from sw.model import Model
from sw.oracle.fixed import FixedReference


def true_predictions(model: Model, features: np.ndarray) -> np.ndarray:
    """The predictions of the law, in the user's units."""
    arguments = model.encode(features, np.zeros((len(features), 1))).arguments
    return model.decode(FixedReference(model.network, model.nodes).predict(arguments))
