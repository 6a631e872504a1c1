"""The random choices of error correction: seeded by where they are made, with the probabilities asked for."""

import os
import random
import subprocess
import sys
from collections import Counter

import pytest

from recipe.edge_grpo.correction.draws import DrawPlace, draw_order, draw_reflection_text, draw_strategy
from recipe.edge_grpo.settings.choices import RESPONSE_STRATEGIES, Strategy, two_over_group_size

PAPER = {Strategy.REFLECTION: 0.5, Strategy.ANSWER: 0.25, Strategy.SOLUTION: 0.25}


def drawn(seed, global_step, dataset_index, session, probabilities=PAPER):
    return draw_strategy(probabilities, DrawPlace(seed, global_step, dataset_index), session)


def test_draws_are_pinned_so_that_a_run_resumed_with_a_later_version_draws_the_same():
    strategies = [drawn(seed=0, global_step=3, dataset_index=17, session=session) for session in range(8)]
    assert "".join(strategy[0] for strategy in strategies) == "aararrrr"


def test_texts_and_orders_are_pinned_as_well():
    place = DrawPlace(seed=0, global_step=3, dataset_index=17)
    texts = [draw_reflection_text("abcdefgh", place, session, reflection_round=1) for session in range(8)]
    assert "".join(texts) == "ffffdhbd"
    assert draw_order(8, place) == [0, 7, 6, 1, 4, 5, 2, 3]


def test_draws_are_the_same_in_a_process_with_another_hash_seed():
    program = (
        "from recipe.edge_grpo.settings.choices import Strategy\n"
        "from recipe.edge_grpo.correction.draws import DrawPlace, draw_strategy\n"
        "p = {Strategy.REFLECTION: 0.5, Strategy.ANSWER: 0.25, Strategy.SOLUTION: 0.25}\n"
        "print(''.join(draw_strategy(p, DrawPlace(1, 2, 'a'), session)[0] for session in range(40)))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert outputs == {"".join(drawn(1, 2, "a", session)[0] for session in range(40)) + "\n"}


@pytest.mark.parametrize("name", ["seed", "global_step", "dataset_index", "session"])
def test_each_argument_changes_the_draws(name):
    def draws(**changed):
        place = {"seed": 0, "global_step": 0, "dataset_index": 0, "session": 0} | changed
        return [drawn(**place | {other: place[other] + number}) for number in range(40)]

    other = "session" if name != "session" else "seed"
    assert draws() != draws(**{name: 1_000})


def test_draws_of_neighbouring_prompts_and_sessions_do_not_collide():
    # 1/23 and 12/3 must not become the same text "123"
    one = [drawn(seed, 0, 1, 23) for seed in range(60)]
    other = [drawn(seed, 0, 12, 3) for seed in range(60)]
    assert one != other


def test_strategies_are_drawn_with_their_probabilities():
    counts = Counter(drawn(0, 1, index, session) for index in range(1000) for session in range(8))
    # 8000 draws: the standard deviation of a share of 0.5 is sqrt(0.25 / 8000) = 0.0056; five of them are 0.028
    assert counts[Strategy.REFLECTION] / 8000 == pytest.approx(0.5, abs=0.028)
    assert counts[Strategy.ANSWER] / 8000 == pytest.approx(0.25, abs=0.025)
    assert counts[Strategy.SOLUTION] / 8000 == pytest.approx(0.25, abs=0.025)


@pytest.mark.parametrize("certain", RESPONSE_STRATEGIES)
def test_a_strategy_of_probability_zero_is_never_drawn(certain):
    probabilities = {strategy: float(strategy is certain) for strategy in RESPONSE_STRATEGIES}
    assert {drawn(0, 0, 0, session, probabilities) for session in range(200)} == {certain}


def test_the_order_in_which_probabilities_are_written_does_not_change_the_draws():
    backwards = dict(reversed(PAPER.items()))
    draws = [(drawn(0, 0, 0, n), drawn(0, 0, 0, n, backwards)) for n in range(50)]
    assert all(one is other for one, other in draws)


def test_drawing_leaves_the_global_generator_alone():
    before = random.getstate()
    drawn(0, 0, 0, 0)
    assert random.getstate() == before


def test_each_round_of_reflection_draws_its_text_anew_and_the_same_place_the_same():
    texts, place = ["a", "b", "c"], DrawPlace(0, 1, 5)
    first = [draw_reflection_text(texts, place, session, 0) for session in range(60)]
    second = [draw_reflection_text(texts, place, session, 1) for session in range(60)]
    assert first == [draw_reflection_text(texts, place, session, 0) for session in range(60)]
    assert first != second
    # 60 draws of a share of 1/3: the standard deviation is sqrt(60 * 2/9) = 3.7
    assert all(20 - 15 <= first.count(text) <= 20 + 15 for text in texts)


def test_of_one_text_that_text_is_drawn():
    assert draw_reflection_text(["only"], DrawPlace(0, 0, 0), 3, 2) == "only"


def test_an_order_is_a_permutation_that_depends_on_the_place_only():
    orders = [draw_order(8, DrawPlace(0, 1, index)) for index in range(20)]
    assert all(sorted(order) == list(range(8)) for order in orders)
    assert orders == [draw_order(8, DrawPlace(0, 1, index)) for index in range(20)]
    assert len({tuple(order) for order in orders}) == 20
    assert draw_order(0, DrawPlace(0, 1, 0)) == []


@pytest.mark.parametrize(
    ("group_size", "reflection", "others"),
    # 1 - 4/8 = 0.5 and 2/8 = 0.25, the paper's; 1 - 4/4 = 0; 1 - 4/16 = 0.75
    [(8, 0.5, 0.25), (4, 0.0, 0.5), (16, 0.75, 0.125)],
)
def test_two_over_the_group_size(group_size, reflection, others):
    assert two_over_group_size(group_size) == {
        Strategy.REFLECTION: reflection,
        Strategy.ANSWER: others,
        Strategy.SOLUTION: others,
        Strategy.HINT: 0.0,
    }


def test_two_over_the_group_size_is_refused_where_it_would_be_negative():
    with pytest.raises(ValueError, match="at least 4 responses, got 3"):
        two_over_group_size(3)
