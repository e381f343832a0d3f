"""`NKClassifier` as scikit-learn's users know classifiers."""

import pickle

import numpy as np
import pytest
from sklearn.datasets import load_digits, make_classification, make_moons
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.utils.estimator_checks import parametrize_with_checks

from sw.estimators import NKClassifier

SEED = 5


@parametrize_with_checks([NKClassifier()])
def test_scikit_learns_checks_pass(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def moons():
    features, classes = make_moons(600, noise=0.3, random_state=SEED)
    return train_test_split(features, np.array(["lower", "upper"])[classes], test_size=200, random_state=SEED)


@pytest.fixture(scope="module")
def fitted(moons):
    features, _, classes, _ = moons
    return NKClassifier(random_state=SEED).fit(features, classes)


def test_two_classes_are_told_apart_by_their_names(fitted, moons):
    _, features, _, classes = moons
    assert fitted.score(features, classes) > 0.85
    assert fitted.classes_.tolist() == ["lower", "upper"]
    assert fitted.model_.network.outputs == 1


def test_digits_are_told_apart():
    features, unseen, classes, truth = train_test_split(*load_digits(return_X_y=True), random_state=SEED)
    assert NKClassifier(n_models=2, random_state=SEED).fit(features, classes).score(unseen, truth) > 0.95


def test_probabilities_are_better_than_those_of_boosted_trees():
    data = make_classification(2000, 12, n_informative=6, n_classes=3, flip_y=0.1, random_state=SEED)
    features, unseen, classes, truth = train_test_split(*data, random_state=SEED)
    ours, theirs = (
        estimator.fit(features, classes)
        for estimator in (NKClassifier(random_state=SEED), HistGradientBoostingClassifier(random_state=SEED))
    )
    assert log_loss(truth, ours.predict_proba(unseen)) < log_loss(truth, theirs.predict_proba(unseen))
    assert np.array_equal(ours.classes_[ours.predict_proba(unseen).argmax(axis=1)], ours.predict(unseen))


def test_a_rare_class_counts_as_much_as_the_others_if_it_is_asked_for():
    data = make_classification(3000, 6, n_informative=4, weights=[0.97], flip_y=0.02, random_state=SEED)
    features, unseen, classes, truth = train_test_split(*data, random_state=SEED)
    recalls = [
        np.mean(
            NKClassifier(n_models=2, class_weight=weight, random_state=SEED)
            .fit(features, classes)
            .predict(unseen)[truth == 1]
        )
        for weight in (None, "balanced")
    ]
    assert recalls[1] > recalls[0] + 0.1


def test_a_stream_is_learnt_the_same_however_many_samples_come_at_a_time(moons):
    features, unseen, classes, truth = moons
    whole, singly = NKClassifier(random_state=SEED), NKClassifier(random_state=SEED)
    whole.partial_fit(features, classes, ["upper", "lower"])
    for row, name in zip(features, classes, strict=True):
        singly.partial_fit(row[None], [name], ["lower", "upper"])
    assert np.array_equal(whole.predict_proba(unseen), singly.predict_proba(unseen))
    assert whole.score(unseen, truth) > 0.85
    again = pickle.loads(pickle.dumps(singly)).partial_fit(features, classes)
    assert np.array_equal(again.predict_proba(unseen), singly.partial_fit(features, classes).predict_proba(unseen))


def test_a_stream_needs_to_know_its_classes(moons):
    features, _, classes, _ = moons
    with pytest.raises(ValueError, match="classes must be given in the first call"):
        NKClassifier().partial_fit(features, classes)
    with pytest.raises(ValueError, match=r"y has the classes \['upper'\]; known are \['lower', 'other'\]"):
        NKClassifier().partial_fit(features, classes, ["lower", "other"])
    with pytest.raises(ValueError, match="are not those of the first call"):
        NKClassifier().partial_fit(features, classes, ["lower", "upper"]).partial_fit(features, classes, ["a", "b"])
    with pytest.raises(ValueError, match="'balanced' needs all samples at once"):
        NKClassifier(class_weight="balanced").partial_fit(features, classes, ["lower", "upper"])


def test_a_single_class_is_always_predicted(moons):
    features = moons[0]
    ours = NKClassifier(n_models=1).fit(features, ["only"] * len(features))
    assert set(ours.predict(features)) == {"only"}
    assert np.all(ours.predict_proba(features) == 1)
