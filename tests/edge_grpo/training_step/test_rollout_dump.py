"""What a dumped rollout says beside what verl writes, by the table in conftest.py."""

import json

import pytest

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]

COLUMNS = {
    *("dataset_index", "strategy", "skipped", "guard_role", "first_pass_text", "first_pass_score"),
    *("hint_number", "hint_skipped"),
    *("first_pass_accuracy", "accuracy", "tokens_injected", "tokens_regenerated", "entropy", "entropy_ratio"),
    *("group", "injected_texts", "advantage_before_eda", "advantage"),
}


class Words:
    """A tokenizer as far as a dump needs one."""

    pad_token_id = 0

    def decode(self, ids, skip_special_tokens):
        return " ".join(str(int(token_id)) for token_id in ids if token_id != 0)


@pytest.fixture
def dumped(store, build, tmp_path):
    """dumped(): {key: line of the dump} of the batch, and the trainer."""

    def dumped():
        trainer = build("edge_grpo", f"trainer.rollout_data_dir={tmp_path}")
        trainer.tokenizer, trainer.global_steps = Words(), 7
        trainer._init_dump_executor()
        batch = store(batch_multiple=5)
        trainer._compute_advantage(batch, {})
        trainer._log_rollout_data(batch, {}, str(tmp_path))
        trainer._shutdown_dump_executor()
        lines = [json.loads(line) for line in (tmp_path / "7.jsonl").read_text().splitlines()]
        return {line["uid"]: line for line in lines}, trainer

    return dumped


def test_every_response_has_its_correction_both_scores_entropy_and_ratio(dumped):
    lines, _ = dumped()
    reflected = lines["a_2_0"]
    assert reflected.keys() >= COLUMNS
    assert (reflected["strategy"], reflected["first_pass_score"], reflected["score"]) == ("reflection", 0.0, 1.0)
    assert (reflected["first_pass_accuracy"], reflected["accuracy"]) == (0.0, 1.0)
    assert (reflected["tokens_injected"], reflected["tokens_regenerated"]) == (1, 2)
    assert reflected["entropy"] == pytest.approx(1.2)
    assert reflected["entropy_ratio"] == pytest.approx(1.5)
    assert reflected["first_pass_text"] == "3 3"
    assert lines["a_1_0"]["skipped"] == "prompt_too_long"
    assert lines["a_0_0"]["strategy"] is None and lines["a_0_0"]["first_pass_text"] is None
    assert lines["c_0_0"]["first_pass_score"] == lines["c_0_0"]["score"] == 1.0  # error correction did not look at it


def test_the_responses_of_a_prompt_have_its_group_and_their_advantages_before_and_after(dumped):
    lines, _ = dumped()
    assert len({line["group"] for key, line in lines.items() if key.startswith("a_")}) == 1
    assert {line["group"] for line in lines.values()} == {0, 1, 2, 3}
    reflected = lines["a_2_0"]
    assert reflected["advantage"] == pytest.approx(reflected["advantage_before_eda"] / reflected["entropy_ratio"])
    assert reflected["advantage_before_eda"] > 0
    assert reflected["injected_texts"] == ["3"]  # one token, `tokens_injected`
    assert lines["a_0_0"]["injected_texts"] == []


def test_rows_that_verl_padded_are_not_dumped_and_what_was_dumped_is_forgotten(dumped, table):
    lines, trainer = dumped()  # 8 rows, padded to 10
    assert set(lines) == {row.key for row in table}
    assert trainer.rollout_columns == {}


def test_validation_is_dumped_as_verl_dumps_it(build, tmp_path):
    trainer = build("edge_grpo", f"trainer.rollout_data_dir={tmp_path}/train")
    trainer.global_steps, trainer.rollout_columns = 0, {"a_0_0": {"strategy": "answer"}}
    trainer._init_dump_executor()
    trainer._dump_generations(["in"], ["out"], [None], [1.0], {"acc": [1.0]}, f"{tmp_path}/validation")
    trainer._shutdown_dump_executor()
    line = json.loads((tmp_path / "validation" / "0.jsonl").read_text())
    assert line == {"input": "in", "output": "out", "gts": None, "score": 1.0, "step": 0, "acc": 1.0}


def test_without_a_folder_for_rollouts_nothing_is_kept(store, build):
    trainer = build("edge_grpo", "trainer.rollout_data_dir=null")
    trainer._compute_advantage(store(), {})
    assert trainer.rollout_columns == {}
