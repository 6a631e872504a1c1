"""Pairs the members of two lists whose order does not matter."""

from collections.abc import Sequence


def can_pair_off(is_pair: Sequence[Sequence[bool]]) -> bool:
    """Whether every row can get a column of its own among those where it is True, by augmenting paths.

    First come, first served is not enough, because equality of answers is not transitive: 28% may stand for 28 or for
    0.28, and leaves the other one to whom it is the only one.
    """
    row_of: dict[int, int] = {}

    def finds_column(row: int, tried: set[int]) -> bool:
        for column, fits in enumerate(is_pair[row]):
            if fits and column not in tried:
                tried.add(column)
                if column not in row_of or finds_column(row_of[column], tried):
                    row_of[column] = row
                    return True
        return False

    return all(finds_column(row, set()) for row in range(len(is_pair)))
