"""`NKRegressor` as scikit-learn's users know estimators, and what it makes of data that are not nice."""

import pickle
import re

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_friedman1
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from sw.engine.compiled import CompiledFixed
from sw.engine.conversion import ARITHMETICS, compiled_trainer
from sw.estimators import NKRegressor
from sw.model import Model

SEED = 5


@parametrize_with_checks([NKRegressor()])
def test_scikit_learns_checks_pass(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def samples():
    features, targets = make_friedman1(400, noise=0.5, random_state=SEED)
    return features[:300], targets[:300], features[300:], targets[300:]


@pytest.fixture(scope="module")
def fitted(samples):
    features, targets, _, _ = samples
    return NKRegressor(random_state=SEED).fit(features, targets)


def test_defaults_predict_unseen_samples(fitted, samples):
    _, _, features, targets = samples
    assert fitted.score(features, targets) > 0.85


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_every_arithmetic_predicts_unseen_samples(samples, arithmetic):
    features, targets, unseen, truth = samples
    ours = NKRegressor(n_models=2, arithmetic=arithmetic, random_state=SEED).fit(features, targets)
    assert ours.score(unseen, truth) > 0.8


def test_several_targets_are_predicted_each(samples):
    features, targets, unseen, truth = samples
    both = np.column_stack([targets, -1e6 * features[:, 3]])
    predicted = NKRegressor(random_state=SEED).fit(features, both).predict(unseen)
    assert predicted.shape == (len(unseen), 2)
    assert np.corrcoef(predicted[:, 0], truth)[0, 1] > 0.9
    assert np.corrcoef(predicted[:, 1], -unseen[:, 3])[0, 1] > 0.95


def test_the_random_state_decides_and_the_threads_do_not(fitted, samples):
    features, targets, unseen, _ = samples
    threaded = clone(fitted).set_params(n_jobs=2).fit(features, targets)
    other = clone(fitted).set_params(random_state=SEED + 1).fit(features, targets)
    assert np.array_equal(threaded.predict(unseen), fitted.predict(unseen))
    assert threaded.validation_scores_ == fitted.validation_scores_
    assert not np.array_equal(other.predict(unseen), fitted.predict(unseen))


def test_a_pickled_estimator_predicts_the_same(fitted, samples):
    unseen = samples[2]
    assert np.array_equal(pickle.loads(pickle.dumps(fitted)).predict(unseen), fitted.predict(unseen))


def test_the_model_in_a_file_predicts_the_same(fitted, samples, tmp_path):
    unseen = samples[2]
    fitted.model_.save(tmp_path / "model.npz")
    model = Model.load(tmp_path / "model.npz")
    trainer = compiled_trainer(model, "fixed16")
    results = trainer.predict(model.encode_features(unseen))
    assert np.array_equal(model.decode(results)[:, 0], fitted.predict(unseen))


def test_names_of_features_are_kept_and_others_refused(samples):
    arrow = pytest.importorskip("pyarrow")
    features, targets, _, _ = samples
    names = [f"column {index}" for index in range(features.shape[1])]
    frame = arrow.table(dict(zip(names, features.T, strict=True)))
    ours = NKRegressor(n_models=1, max_iter=2).fit(frame, targets)
    assert ours.feature_names_in_.tolist() == names == list(ours.model_.feature_names)
    with pytest.raises(ValueError, match="feature names"):
        ours.predict(frame.select(names[::-1]))


def test_it_is_a_step_of_pipelines(samples):
    features, targets, _, _ = samples
    pipeline = make_pipeline(StandardScaler(), NKRegressor(n_models=2, random_state=SEED)).set_output(
        transform="default"
    )
    assert cross_val_score(pipeline, features, targets, cv=2).mean() > 0.7


def test_holdouts_are_never_trained_on(monkeypatch, samples):
    features, targets, _, _ = samples
    trained, held = [], []

    def run(trainer, records, rates, run=CompiledFixed.run):
        trained.append(set(map(bytes, records.arguments.rows)))
        return run(trainer, records, rates)

    def results(trainer, arguments, results=CompiledFixed.results):
        held.append(set(map(bytes, arguments.rows)))
        return results(trainer, arguments)

    monkeypatch.setattr(CompiledFixed, "run", run)
    monkeypatch.setattr(CompiledFixed, "results", results)
    NKRegressor(n_models=3, max_iter=1, random_state=SEED).fit(features, targets)
    assert [len(holdout) for holdout in held] == [30, 30, 30]
    assert [len(rows) for rows in trained] == [len(features) - 30] * 3
    assert all(not holdout & rows for holdout, rows in zip(held, trained, strict=True))
    assert len(set.union(*held)) == 90


def test_targets_that_are_noise_stop_early_and_those_that_are_not_do_not():
    rng = np.random.default_rng(SEED)
    features = rng.uniform(-1, 1, (500, 4))
    noise = NKRegressor(n_models=2, random_state=SEED).fit(features, rng.normal(size=500))
    smooth = NKRegressor(n_models=2, random_state=SEED).fit(features, features[:, 0] * features[:, 1])
    assert noise.n_iter_ < 40 < smooth.n_iter_ <= 200
    assert smooth.validation_scores_
    assert len(smooth.validation_scores_) == len(smooth.loss_curve_) == smooth.n_iter_
    assert max(smooth.validation_scores_) > 0.9
    assert np.var(noise.predict(features)) < 0.5


def test_without_early_stopping_all_epochs_are_run_on_all_samples(samples):
    features, targets, _, _ = samples
    ours = NKRegressor(n_models=1, early_stopping=False, max_iter=7, random_state=SEED).fit(features, targets)
    assert ours.n_iter_ == len(ours.loss_curve_) == 7
    assert ours.validation_scores_ is None
    assert ours.loss_curve_[-1] < ours.loss_curve_[0]


def test_a_stream_is_learnt_the_same_however_many_samples_come_at_a_time(samples):
    features, targets, unseen, truth = samples
    whole, singly, in_parts = (NKRegressor(random_state=SEED) for _ in range(3))
    whole.partial_fit(features, targets)
    for row, target in zip(features, targets, strict=True):
        singly.partial_fit(row[None], [target])
    for rows in (slice(0, 50), slice(50, 51), slice(51, 300)):
        in_parts.partial_fit(features[rows], targets[rows])
    assert np.array_equal(singly.predict(unseen), whole.predict(unseen))
    assert np.array_equal(in_parts.predict(unseen), whole.predict(unseen))
    assert whole.score(unseen, truth) > 0.75
    assert (whole.n_iter_, singly.n_iter_, in_parts.n_iter_) == (1, 300, 3)


def test_a_stream_is_predicted_from_its_first_sample_on(samples):
    features, targets, unseen, _ = samples
    ours = NKRegressor(random_state=SEED).partial_fit(features[:1], targets[:1])
    assert np.all(ours.predict(unseen) == targets[0])


def test_a_stream_that_moves_is_followed():
    rng = np.random.default_rng(SEED)
    features = rng.uniform(-1, 1, (6000, 3)) + np.linspace(0, 30, 6000)[:, None]
    targets = 5 * features[:, 0] + features[:, 1] - features[:, 2]
    ours, errors = NKRegressor(random_state=SEED).partial_fit(features[:5000], targets[:5000]), []
    frozen = pickle.loads(pickle.dumps(ours))
    for start in range(5000, 6000, 100):
        now = slice(start, start + 100)
        errors.append([np.abs(each.predict(features[now]) - targets[now]).mean() for each in (ours, frozen)])
        ours.partial_fit(features[now], targets[now])
    following, standing = np.mean(errors, axis=0)
    assert following < 0.1 * targets.std()
    assert following < standing / 2


def test_a_pickled_estimator_goes_on_learning_the_same(samples):
    features, targets, unseen, _ = samples
    ours = NKRegressor(random_state=SEED).partial_fit(features[:100], targets[:100], np.full(100, 0.7))
    other = pickle.loads(pickle.dumps(ours))
    for each in (ours, other):
        each.partial_fit(features[100:], targets[100:], np.full(200, 0.7))
    assert np.array_equal(ours.predict(unseen), other.predict(unseen))


def test_partial_fit_goes_on_from_fit_and_learns_what_has_changed(fitted, samples):
    features, targets, unseen, truth = samples
    ours = pickle.loads(pickle.dumps(fitted))
    for _ in range(10):
        ours.partial_fit(features, -targets)
    assert ours.score(unseen, -truth) > 0.7
    assert ours.n_iter_ == fitted.n_iter_ + 10


def test_partial_fit_refuses_another_number_of_targets(samples):
    features, targets, _, _ = samples
    ours = NKRegressor().partial_fit(features, targets)
    with pytest.raises(ValueError, match="2 outputs"):
        ours.partial_fit(features, np.column_stack([targets, targets]))


def test_the_order_of_the_samples_makes_no_difference(fitted, samples):
    features, targets, unseen, _ = samples
    order = np.random.default_rng(SEED).permutation(len(features))
    ours = clone(fitted).fit(features[order], targets[order])
    assert np.array_equal(ours.predict(unseen), fitted.predict(unseen))


def test_weights_say_which_samples_count(samples):
    features, targets, unseen, truth = samples
    both = np.vstack([features, features]), np.concatenate([targets, -targets])
    weights = np.repeat([0.9, 0.1], len(features))
    ours = NKRegressor(n_models=2, random_state=SEED).fit(*both, sample_weight=weights)
    assert np.corrcoef(ours.predict(unseen), truth)[0, 1] > 0.8
    assert np.ptp(ours.predict(unseen)) < 0.95 * np.ptp(truth)


@pytest.mark.parametrize("weights", [np.zeros(300), np.full(300, -1.0), np.full(300, np.nan), np.ones(299)])
def test_weights_that_say_nothing_are_refused(samples, weights):
    features, targets, _, _ = samples
    with pytest.raises(ValueError, match=r"[Ss]ample.weight|weights of all samples"):
        NKRegressor().fit(features, targets, sample_weight=weights)


def test_a_warm_start_goes_on_and_widens_its_ranges(samples):
    features, targets, unseen, truth = samples
    ours = NKRegressor(n_models=2, max_iter=3, warm_start=True, random_state=SEED)
    first = ours.fit(features, targets).score(unseen, truth)
    for _ in range(5):
        ours.fit(features, targets)
    cold = clone(ours).set_params(warm_start=False, max_iter=3).fit(features, targets)
    assert ours.score(unseen, truth) > first == cold.score(unseen, truth)
    ours.fit(2 * features, targets)
    assert np.all(ours.model_.scaling.feature_high >= 1.7)


@pytest.mark.parametrize("arithmetic", ["fixed16", "float32"])
def test_deep_networks_are_trained_joined_and_go_on(samples, arithmetic):
    features, targets, unseen, truth = samples
    ours = NKRegressor(
        n_models=2, hidden_layer_sizes=(16, 4), arithmetic=arithmetic, max_iter=10, warm_start=True, random_state=SEED
    )
    first = ours.fit(features, targets).score(unseen, truth)
    assert [layer.outputs for layer in ours.model_.network.layers] == [32, 8, 1]
    for _ in range(3):
        ours.fit(features, targets)
    assert ours.score(unseen, truth) > max(first, 0.85)
    ours.partial_fit(features[:20], targets[:20])
    with pytest.raises(ValueError, match="learnt together"):
        ours.fit(features, targets)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"n_models": 3}, "goes on from 2 networks, and n_models is 3"),
        (
            {"hidden_layer_sizes": 8},
            "goes on from networks of (16,) hidden units and (2, 8) segments, not (8,) and (2, 8)",
        ),
        ({"segments": [4, 8]}, "goes on from networks of (16,) hidden units and (2, 8) segments, not (16,) and (4, 8)"),
    ],
)
def test_a_warm_start_with_other_networks_is_refused(samples, changed, message):
    features, targets, _, _ = samples
    ours = NKRegressor(n_models=2, max_iter=1, warm_start=True).fit(features, targets)
    with pytest.raises(ValueError, match=re.escape(message)):
        ours.set_params(**changed).fit(features, targets)


UNIT = np.random.default_rng(SEED).uniform(-1, 1, (200, 4))
SIGNAL = UNIT[:, 0] + UNIT[:, 1] * UNIT[:, 2]


@pytest.mark.parametrize("arithmetic", ["fixed16", "float32"])
@pytest.mark.parametrize(
    ("features", "targets"),
    [
        pytest.param(1e-30 * UNIT, 1e-30 * SIGNAL, id="tiny"),
        pytest.param(1e30 * UNIT, 1e30 * SIGNAL, id="huge"),
        pytest.param(1e305 * UNIT, 1e305 * SIGNAL, id="spans near overflow"),
        pytest.param(5e-324 * np.round(9 * UNIT), 5e-324 * np.round(9 * SIGNAL), id="subnormal"),
        pytest.param(UNIT * [1e-300, 1e300, 1e-30, 1], SIGNAL, id="mixed"),
        pytest.param(UNIT + 1e9, SIGNAL - 1e9, id="far from zero"),
        pytest.param(np.column_stack([UNIT, np.full(200, 1e200)]), SIGNAL, id="a constant feature"),
        pytest.param(np.exp(4 * UNIT), SIGNAL, id="heavy tails"),
    ],
)
def test_any_scale_is_learnt(features, targets, arithmetic):
    predicted = NKRegressor(arithmetic=arithmetic, random_state=SEED).fit(features, targets).predict(features)
    largest = np.abs(targets).max()
    assert np.corrcoef(predicted / largest, targets / largest)[0, 1] > 0.98


@pytest.mark.parametrize(
    ("features", "targets"),
    [
        pytest.param(UNIT[:1], SIGNAL[:1], id="one sample"),
        pytest.param(UNIT[:2], SIGNAL[:2], id="two samples"),
        pytest.param(UNIT[:, :1], SIGNAL, id="one feature"),
        pytest.param(np.zeros((200, 3)), SIGNAL, id="constant features"),
        pytest.param(np.random.default_rng(SEED).standard_cauchy((200, 3)), SIGNAL, id="no variance"),
        pytest.param(np.where(UNIT > 0.97, 1e300, UNIT), np.where(UNIT[:, 0] > 0.97, -1e300, SIGNAL), id="outliers"),
    ],
)
def test_predictions_are_finite_whatever_comes(features, targets):
    ours = NKRegressor(random_state=SEED).fit(features, targets)
    for asked in (features, np.full_like(features, 1e308), np.full_like(features, -1e308)):
        assert np.isfinite(ours.predict(asked)).all()


def test_constant_targets_are_predicted_exactly():
    both = np.column_stack([np.full(200, 0.1), SIGNAL])
    ours = NKRegressor(random_state=SEED).fit(UNIT, both)
    assert np.all(ours.predict(UNIT)[:, 0] == 0.1)
    assert ours.validation_scores_ and max(ours.validation_scores_) > 0.4


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_are_refused(value):
    features, targets = UNIT.copy(), SIGNAL.copy()
    features[3, 1] = targets[7] = value
    message = "NaN" if np.isnan(value) else "infinity"
    with pytest.raises(ValueError, match=f"Input X contains {message}"):
        NKRegressor().fit(features, SIGNAL)
    with pytest.raises(ValueError, match=f"Input y contains {message}"):
        NKRegressor().fit(UNIT, targets)
    with pytest.raises(ValueError, match=f"Input X contains {message}"):
        NKRegressor(max_iter=1).fit(UNIT, SIGNAL).predict(features)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_models": 0}, "'n_models' parameter of NKRegressor must be an int in the range [1, inf). Got 0"),
        ({"hidden_layer_sizes": 0}, "'hidden_layer_sizes' parameter"),
        ({"hidden_layer_sizes": (8, 0)}, "hidden_layer_sizes (8, 0): must be numbers of 1 or more"),
        ({"segments": 4}, "'segments' parameter"),
        ({"segments": (4,)}, "segments 4: a network of 2 layers needs 2 numbers"),
        ({"segments": (3, 8)}, "3 segments: must be a power of two"),
        ({"arithmetic": "fixed17"}, "Got 'fixed17' instead"),
        ({"max_iter": 0}, "'max_iter' parameter"),
        ({"early_stopping": "no"}, "'early_stopping' parameter"),
        ({"validation_fraction": 1.0}, "must be a float in the range (0.0, 1.0). Got 1.0"),
        ({"n_iter_no_change": 0}, "'n_iter_no_change' parameter"),
        ({"tol": -1.0}, "'tol' parameter"),
        ({"tol": float("nan")}, "'tol' parameter"),
    ],
)
def test_parameters_that_are_not_legal_are_named_by_fit(parameters, message):
    ours = NKRegressor(**parameters)
    with pytest.raises(ValueError, match=re.escape(message)):
        ours.fit(UNIT, SIGNAL)


def test_predicting_before_fitting_is_refused():
    with pytest.raises(NotFittedError):
        NKRegressor().predict(UNIT)


@pytest.mark.parametrize(
    ("records", "features", "weights", "noise", "least"),
    [(1000, 400, (2.0,), 0.1, 0.95), (2000, 300, (1.0, 1.0), 0.0, 0.99)],
)
def test_a_signal_among_many_features_is_found(records, features, weights, noise, least):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(records + 500, features))
    y = x[:, : len(weights)] @ np.array(weights) + noise * rng.normal(size=len(x))
    fitted = NKRegressor(n_models=2, random_state=0).fit(x[:records], y[:records])
    assert fitted.score(x[records:], y[records:]) > least


def test_a_schedule_without_early_stopping_finds_a_signal_among_many_features():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1200, 400))
    fitted = NKRegressor(n_models=1, early_stopping=False, random_state=0).fit(x[:800], 2 * x[:800, 0])
    assert fitted.score(x[800:], 2 * x[800:, 0]) > 0.95


def test_a_single_wild_target_does_not_spoil_the_others():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(900, 3))
    y = x[:, 0] + x[:, 1] ** 2
    wild = y.copy()
    wild[17] = 1e9
    fitted = NKRegressor(n_models=2, random_state=0).fit(x[:600], wild[:600])
    assert np.sqrt(np.mean((fitted.predict(x[600:]) - y[600:]) ** 2)) < 0.5
