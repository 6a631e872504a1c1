"""Members of two lists in pairs."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_fns.equivalence.pairing import can_pair_off


@pytest.mark.parametrize(
    ("is_pair", "expected"),
    [
        ([], True),
        ([[True]], True),
        ([[False]], False),
        ([[True, True], [True, False]], True),  # the first row has to leave the first column to the second
        ([[True, False], [True, False]], False),  # both rows want the first column
        ([[True, True, False], [True, False, False], [False, True, False]], False),  # three rows, two columns
    ],
)
def test_every_row_gets_a_column_of_its_own(is_pair, expected):
    assert can_pair_off(is_pair) is expected


@given(
    st.integers(1, 5).flatmap(
        lambda size: st.lists(st.lists(st.booleans(), min_size=size, max_size=size), min_size=size, max_size=size)
    )
)
def test_it_finds_a_pairing_exactly_where_trying_all_orders_does(is_pair):
    size = len(is_pair)
    exists = any(all(is_pair[row][order[row]] for row in range(size)) for order in permutations(range(size)))
    assert can_pair_off(is_pair) is exists
