import numpy as np
import pytest

from sw.engine.order import ORDERS, orders

ROWS = np.arange(5, 105)


def epochs(name: str, seed: int) -> list[list[int]]:
    order = orders(name, ROWS, np.random.default_rng(seed))
    return [next(order).tolist() for _ in range(3)]


@pytest.mark.parametrize("name", ORDERS)
def test_every_epoch_has_every_row_once_in_an_order_of_the_seed(name):
    for order in epochs(name, 0):
        assert sorted(order) == ROWS.tolist() and order != ROWS.tolist()
    assert epochs(name, 0) == epochs(name, 0) != epochs(name, 1)


@pytest.mark.parametrize(("name", "different"), [("shuffled", 1), ("reshuffled", 3)])
def test_the_name_says_whether_epochs_have_the_same_order(name, different):
    assert len({tuple(order) for order in epochs(name, 0)}) == different


def test_a_name_that_is_no_order_is_refused():
    with pytest.raises(ValueError, match="'sorted' is not one of shuffled, reshuffled"):
        orders("sorted", ROWS, np.random.default_rng(0))
