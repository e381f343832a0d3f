import numpy as np
import pytest

from sw.oracle.merging import Merging

WORDS = [np.int16, np.int32, np.float32, np.float64]


def rows(word: type, models: int, parameters: int = 50, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1000, 1000, (models, parameters)).astype(word)


def rounded(mean: np.ndarray, word: type) -> np.ndarray:
    """Halves go up, as in every shift of `sw.spec.numerics`."""
    return (np.floor(mean + 0.5) if np.issubdtype(word, np.integer) else mean).astype(word)


@pytest.mark.parametrize("models", [1, 2, 3, 8])
@pytest.mark.parametrize("word", WORDS)
def test_each_becomes_the_mean_of_all(word, models):
    after = rows(word, models)
    merged = Merging().merged(rows(word, models, seed=1), after, (0,))
    expected = rounded(sum(row.astype(float) for row in after) / models, word)
    assert merged.shape == after.shape and merged.dtype == word
    assert all(np.array_equal(row, expected) for row in merged)


@pytest.mark.parametrize("models", [1, 2, 5, 8])
@pytest.mark.parametrize("word", WORDS)
def test_each_becomes_the_mean_of_the_pair_it_is_in(word, models):
    """Whoever is left over stays as it is."""
    after = rows(word, models)
    merged = Merging("pairs").merged(after, after, (1, 2, 3))
    partners = [
        [other for other in range(models) if np.array_equal(merged[one], merged[other])] for one in range(models)
    ]
    assert sorted(map(len, partners)) == [1] * (models % 2) + [2] * (models - models % 2)
    for one, pair in enumerate(partners):
        assert np.array_equal(merged[one], rounded(after[pair].astype(float).mean(axis=0), word))


def test_pairs_change_with_the_seed():
    after = rows(np.float64, 8)
    merged = [Merging("pairs").merged(after, after, (0, number)) for number in range(4)]
    assert np.array_equal(merged[0], Merging("pairs").merged(after, after, (0, 0)))
    assert any(not np.array_equal(merged[0], other) for other in merged[1:])


@pytest.mark.parametrize("merge", ["mean", "pairs"])
@pytest.mark.parametrize("word", WORDS)
def test_relaxation_makes_the_step_longer(word, merge):
    before, after = rows(word, 2), rows(word, 2, seed=1)
    start, mean = before.astype(float).mean(axis=0), after.astype(float).mean(axis=0)
    merged = Merging(merge, 1.5).merged(before, after, (0,))
    assert np.allclose(
        merged[0], start + 1.5 * (mean - start), rtol=1e-6, atol=0.5000001 if word in WORDS[:2] else 1e-3
    )
    assert np.array_equal(merged[0], merged[1])


def test_words_are_rounded_to_the_nearest_and_stay_words():
    after = np.array([[1, -1, 3, 32767, -32768], [2, -2, 3, 32767, -32768], [2, -2, 4, 32767, -32768]], np.int16)
    assert Merging().merged(after, after, ())[0].tolist() == [2, -2, 3, 32767, -32768]
    assert Merging().merged(after[:2], after[:2], ())[0].tolist() == [2, -1, 3, 32767, -32768]
    assert Merging(relaxation=2).merged(np.zeros_like(after), after, ())[0].tolist() == [3, -3, 7, 32767, -32768]


@pytest.mark.parametrize("word", WORDS)
def test_it_does_not_matter_how_models_lie_in_memory(word):
    """Since processes have them in different ways."""
    before, after = np.broadcast_to(rows(word, 1), (7, 50)), rows(word, 7, seed=1)
    expected = Merging(relaxation=1.25).merged(before.copy(), after, ())
    assert np.array_equal(Merging(relaxation=1.25).merged(before, np.asfortranarray(after), ()), expected)


@pytest.mark.parametrize(
    ("arguments", "message"), [(("median",), "'median' is not one of mean, pairs"), (("mean", 0), "relaxation 0")]
)
def test_what_is_not_legal_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        Merging(*arguments)
