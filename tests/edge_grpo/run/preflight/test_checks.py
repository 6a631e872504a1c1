"""What is found before Ray starts, on real files and real compositions of verl's configuration."""

import pytest
from support.configurations import VLLM

from recipe.edge_grpo.run.preflight.checks import look_before_start, needs_gold
from recipe.edge_grpo.run.preflight.findings import Level, refuse_problems


@pytest.fixture
def look(compose, write_rows, make_row, model):
    """look(rows, *overrides): what is found about a run of these training rows, with 8 to a batch."""

    def look(rows, *overrides, val=None, **options):
        train = rows if isinstance(rows, str) else write_rows(rows)
        val = write_rows([make_row()] if val is None else val, "val.parquet")
        config = compose(
            "+recipe=edge_grpo", VLLM, f"data.train_files={train}", f"data.val_files={val}",
            f"actor_rollout_ref.model.path={model}", "data.train_batch_size=8", *overrides,
        )  # fmt: skip
        return look_before_start(config, **options)

    return look


VERLS_REWARD = "reward.custom_reward_function.path=null"
SOLUTION_IN_EVERY_GROUP = (
    "edge_grpo.gec.solution_in_every_group=True",
    "edge_grpo.gec.scope=group",
    "edge_grpo.gec.probabilities={reflection: 0, answer: 0, solution: 1, hint: 0}",
)
ONLY_REFLECTS = "edge_grpo.gec.probabilities={reflection: 1, answer: 0, solution: 0, hint: 0}"


def texts(findings, level):
    return [str(finding) for finding in findings if finding.level is level]


@pytest.fixture
def rows(make_row):
    return [make_row(number) for number in range(8)]


def test_a_sound_run_has_no_warning_and_no_problem(look, rows):
    findings = look(rows)
    assert texts(findings, Level.WARNING) == texts(findings, Level.PROBLEM) == []
    assert any("tells the reference answer '2' from a wrong one" in text for text in texts(findings, Level.OK))


def test_without_the_block_nothing_is_looked_at(compose):
    assert look_before_start(compose("data.train_files=/missing/train.parquet")) == []


def test_raw_columns_are_named_with_those_that_are_needed(look):
    problems = texts(look([{"question": "1 + 1 ?", "answer": "2\n#### 2"}] * 8), Level.PROBLEM)
    assert "data.train_files: no column 'prompt' (data.prompt_key); the file has question, answer" in problems[0]
    assert "'data_source'" in problems[1] and "'reward_model'" in problems[2]


@pytest.mark.parametrize("extra_info", [{"index": 0}, "text"])
def test_rows_without_a_place_for_a_solution_are_refused_where_one_is_to_be_in_every_group(look, make_row, extra_info):
    rows = [make_row(number, extra_info=extra_info) for number in range(8)]
    (problem,) = texts(look(rows, *SOLUTION_IN_EVERY_GROUP), Level.PROBLEM)
    assert problem.startswith(
        "data.train_files: no extra_info.solution, and edge_grpo.gec.solution_in_every_group=True"
    )
    assert texts(look(rows), Level.PROBLEM) == []  # without the setting nothing is missing


def test_fewer_rows_than_a_batch_are_counted(look, rows):
    (problem,) = texts(look(rows[:4]), Level.PROBLEM)
    assert problem.startswith("data.train_files: 4 rows, and one batch takes data.train_batch_size=8; set data.train_b")


def test_an_empty_validation_file_is_a_problem(look, rows, write_rows, make_row, compose, model):
    import pyarrow.parquet

    file = write_rows([make_row()], "empty.parquet")
    table = pyarrow.parquet.read_table(file)
    pyarrow.parquet.write_table(table.slice(0, 0), file)
    (problem,) = texts(look(rows, f"data.val_files={file}"), Level.PROBLEM)
    assert problem == "data.val_files: no rows; name a file that has some"


@pytest.mark.slow
@pytest.mark.parametrize(("is_filtered", "words"), [(True, "are dropped"), (False, "verl cuts off their beginning")])
def test_prompts_that_are_too_long_are_counted(look, rows, make_row, is_filtered, words):
    long = [make_row(number, "one " * 30) for number in range(8, 11)]
    overrides = ("data.max_prompt_length=20", f"data.filter_overlong_prompts={is_filtered}")
    findings = look(rows + long, *overrides)
    (warning,) = texts(findings, Level.WARNING)
    assert "3 of 11 prompts exceed data.max_prompt_length=20 tokens" in warning and words in warning
    assert texts(findings, Level.PROBLEM) == []


def test_rows_that_are_left_after_dropping_long_prompts_must_fill_a_batch(look, rows, make_row):
    long = [make_row(number, "one " * 30) for number in range(8, 11)]
    (problem,) = texts(look(rows[:6] + long, "data.max_prompt_length=20"), Level.PROBLEM)
    assert "6 rows within data.max_prompt_length=20" in problem
    assert (
        texts(look(rows[:6] + long, "data.max_prompt_length=20", "data.filter_overlong_prompts=False"), Level.PROBLEM)
        == []
    )


@pytest.mark.parametrize(("is_filtered", "words"), [(True, "are dropped"), (False, "verl cuts off their beginning")])
def test_prompts_that_are_all_too_long_are_one_problem(look, make_row, is_filtered, words):
    long = [make_row(number, "one " * 30) for number in range(8)]
    overrides = ("data.max_prompt_length=20", f"data.filter_overlong_prompts={is_filtered}")
    findings = look(long, *overrides)
    (problem,) = texts(findings, Level.PROBLEM)
    assert problem.startswith("data.train_files: 8 of 8 prompts exceed data.max_prompt_length=20 tokens")
    assert words in problem and problem.endswith("; raise data.max_prompt_length")
    assert texts(findings, Level.WARNING) == []


@pytest.mark.slow
def test_prompts_that_another_agent_loop_makes_are_no_problem_unless_they_are_dropped(look, make_row):
    long = [make_row(number, "one " * 30) for number in range(8)]
    mine = ("data.max_prompt_length=20", "actor_rollout_ref.rollout.agent.default_agent_loop=mine")
    assert texts(look(long, *mine, "data.filter_overlong_prompts=False"), Level.PROBLEM) == []
    assert len(texts(look(long, *mine, "data.filter_overlong_prompts=True"), Level.PROBLEM)) == 1


def test_a_missing_chat_template_is_one_problem(look, rows, model):
    (model / "chat_template.jinja").unlink()
    (problem,) = texts(look(rows), Level.PROBLEM)
    assert "the chat template does not render" in problem and "custom_chat_template" in problem
    assert (
        texts(look(rows, "actor_rollout_ref.model.custom_chat_template='{{ messages[0].content }}'"), Level.PROBLEM)
        == []
    )


def test_prompts_as_text_are_refused_with_their_type(look, make_row):
    (problem,) = texts(look([make_row(number, prompt="1+1?") for number in range(8)]), Level.PROBLEM)
    assert "the column 'prompt' holds string, and verl needs lists of messages" in problem


def test_answers_of_two_types_in_two_files_are_refused(look, rows, write_rows):
    lists = [{**row, "reward_model": {"style": "rule", "ground_truth": ["2"]}} for row in rows]
    files = [str(write_rows(rows, "a.parquet")), str(write_rows(lists, "b.parquet"))]
    (problem,) = texts(look(f"[{','.join(files)}]"), Level.PROBLEM)
    assert "the column 'reward_model' holds" in problem and "b.parquet" in problem and "a.parquet" in problem


@pytest.mark.slow
def test_whole_solutions_as_answers_are_refused_where_they_are_needed(look, make_row):
    solution = {"style": "rule", "ground_truth": "48/2 = 24\n24+48 = 72\n#### 72"}
    rows = [make_row(number, reward_model=solution) for number in range(8)]
    (problem,) = texts(look(rows), Level.PROBLEM)
    assert problem.startswith(
        "data.train_files: reward_model.ground_truth is no final answer in 8 of 8 rows: '####' in the answer in 8, row"
    )
    assert "keep the final answer alone" in problem
    findings = look(rows, "edge_grpo.gec.enabled=False")
    assert texts(findings, Level.PROBLEM) == []
    assert any("'####' in the answer in 8" in text for text in texts(findings, Level.WARNING))


def test_answers_of_validation_problems_that_are_none_are_a_warning(look, rows, make_row):
    findings = look(rows, val=[make_row(reward_model={"style": "rule", "ground_truth": "proof"})])
    (warning,) = texts(findings, Level.WARNING)
    assert warning.startswith(
        "data.val_files: reward_model.ground_truth is no final answer in 1 of 1 rows: placeholder"
    )
    assert texts(findings, Level.PROBLEM) == []


def test_an_empty_data_source_is_a_warning(look, rows):
    (warning,) = texts(look([{**rows[0], "data_source": ""}, *rows[1:]]), Level.WARNING)
    assert "data_source is empty in 1 of 8 rows, row 0 (from 0) first" in warning


def test_prompts_that_ask_for_another_form_than_our_reward_reads_are_refused(look, make_row):
    asking = [make_row(number, 'one one? Write the final answer after "####".') for number in range(8)]
    (problem,) = texts(look(asking), Level.PROBLEM)
    assert r"8 of 8 training prompts ask for the answer as '####'" in problem and r"'\\boxed'" in problem
    both = [make_row(number, r"one? Write \boxed{} and ####.") for number in range(8)]
    assert texts(look(both), Level.PROBLEM) == []


@pytest.mark.process
def test_verls_own_reward_is_tried_with_the_data_source_of_the_rows(look, rows):
    known = [{**row, "data_source": "openai/gsm8k"} for row in rows]
    findings = look(known, VERLS_REWARD)
    assert texts(findings, Level.PROBLEM) == []
    assert any("tells the reference answer '2' from a wrong one, given as ####" in str(each) for each in findings)
    (problem,) = texts(look([{**row, "data_source": "mine"} for row in rows], VERLS_REWARD), Level.PROBLEM)
    assert problem.startswith("reward.custom_reward_function.path=null (verl chooses by data_source): raised NotImpl")
    assert "data_source='mine'; name a function (pkg://reward_fns.math_reward)" in problem


def test_rows_without_an_answer_are_refused_where_they_are_needed(look, rows):
    without = [{**rows[0], "reward_model": {"style": "rule", "ground_truth": None}}, *rows[1:]]
    (problem,) = texts(look(without), Level.PROBLEM)
    assert "1 of 8 rows have no reward_model.ground_truth, row 0 (from 0) first" in problem
    findings = look(without, "edge_grpo.gec.enabled=False")
    assert texts(findings, Level.PROBLEM) == [] and len(texts(findings, Level.WARNING)) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ([], True),
        (["edge_grpo.gec.enabled=False"], False),
        (["reward.reward_model.enable=True"], False),  # what it grades by is not known
        (["reward.custom_reward_function.path=mine.py"], True),  # the answer strategy writes the answer down
        (["reward.custom_reward_function.path=mine.py", ONLY_REFLECTS], False),
    ],
)  # fmt: skip
def test_an_answer_is_needed_where_it_is_graded_by_us_or_told(compose, overrides, expected):
    assert needs_gold(compose("+recipe=edge_grpo", VLLM, *overrides)) is expected


@pytest.mark.slow
@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("data.train_files=/missing/train.parquet", "data.train_files: /missing/train.parquet is not there"),
        (
            "actor_rollout_ref.model.path=/missing/model",
            "actor_rollout_ref.model.path=/missing/model: there is no such",
        ),
        ("actor_rollout_ref.rollout.max_model_len=5000", "max_model_len=5000 exceeds the model's 4096 positions"),
        ("reward.custom_reward_function.path=/missing/reward.py", "there is no file /missing/reward.py"),
        ("reward.custom_reward_function.name=missing", "has no attribute 'missing'"),
    ],
)
def test_what_is_missing_is_a_problem_on_the_machine_of_the_run(look, rows, override, words):
    problems = texts(look(rows, override), Level.PROBLEM)
    assert len(problems) == 1 and words in problems[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    "override",
    [
        "data.train_files=/missing/train.parquet",
        "actor_rollout_ref.model.path=/missing/model",
        "reward.custom_reward_function.path=/missing/reward.py",
    ],
)
def test_what_is_missing_is_no_problem_for_a_run_elsewhere(look, rows, override, monkeypatch):
    assert texts(look(rows, override, is_this_machine=False), Level.PROBLEM) == []
    assert texts(look(rows, override, "trainer.nnodes=2"), Level.PROBLEM) == []
    monkeypatch.setenv("RAY_ADDRESS", "auto")
    assert texts(look(rows, override), Level.PROBLEM) == []


@pytest.mark.parametrize(
    "override",
    [
        "data.train_files=hdfs://host/train.parquet",
        "data.train_files=s3://bucket/train.parquet",
        "data.train_files=/missing/*.parquet",
        "actor_rollout_ref.model.path=Qwen/Qwen2.5-Math-1.5B",
        "actor_rollout_ref.model.path=hdfs://host/model",
        "data.custom_cls={path: mine.py, name: Mine}",
    ],
)
def test_what_is_not_on_this_machine_is_left_alone(look, rows, override):
    findings = look(rows, override)
    assert texts(findings, Level.PROBLEM) == texts(findings, Level.WARNING) == []


def test_other_formats_are_left_alone(look, tmp_path):
    (tmp_path / "train.jsonl").write_text("{}\n")
    findings = look(str(tmp_path / "train.jsonl"))
    assert texts(findings, Level.PROBLEM) == texts(findings, Level.WARNING) == []


def test_all_problems_are_told_at_once(look, rows):
    findings = look(rows[:4], "reward.custom_reward_function.name=missing")
    with pytest.raises(
        ValueError, match=r"2 problems keep this run from starting:\n- data\.train_files: 4 rows.*\n- rew"
    ):
        refuse_problems(findings)


def test_a_check_that_breaks_is_a_warning(look, rows, monkeypatch):
    from recipe.edge_grpo.run.preflight import checks

    def break_down(_):
        raise RuntimeError("broken on purpose")

    monkeypatch.setitem(checks.CHECKS, "model", break_down)
    assert texts(look(rows), Level.WARNING) == ["model could not be looked at (RuntimeError: broken on purpose)"]
