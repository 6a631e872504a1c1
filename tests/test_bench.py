"""The harness of `make bench`: its arithmetic, its table, its turns; what it measures is looked at by nobody here."""

import json
import sys
from pathlib import Path

import pytest
from omegaconf import OmegaConf

sys.path.insert(0, str(Path(__file__).parent / "bench"))  # Scripts, not a package.
import measures
import page
import profiles
import pure
import run
import startup
import training
import turns
import ways
from measures import Row, Skipped, least_squares_slope, ratios

PAGE = "What it costs\n<!-- bench: begin -->\nold\n<!-- bench: end -->\nand more\n"


def row_of(*values: float, **target: float) -> Row:
    return Row("Step time", "`edge_grpo` / `grpo`", values, **target)


def results_of(*rows: Row, is_quick: bool = False) -> dict:
    about = {"date": "2026-01-02", "commit": "abc", "machine": "2 cores", "seconds": 90.0, "skipped": []}
    return {"is_quick": is_quick, "parts": {"training": {**about, "rows": [row.as_json() for row in rows]}}}


def parts_in(folder: Path) -> dict:
    return json.loads((folder / "results.json").read_text())["parts"]


def test_a_ratio_is_the_median_of_the_ratios_of_pairs_and_not_the_ratio_of_medians():
    values = ratios([(2.0, 1.0), (3.0, 1.0), (40.0, 10.0)])
    assert values == [2.0, 3.0, 4.0]
    assert row_of(*values).median == 3.0  # of the medians 3 and 1 as well, but of the sums 3.75
    assert row_of(*ratios([(1.0, 2.0), (8.0, 4.0), (9.0, 10.0)])).median == 0.9  # of the medians 8 / 4 = 2


def test_spread_is_the_lowest_and_the_highest_of_the_pairs():
    record = row_of(1.2, 0.9, 1.1).as_json()
    assert (record["lowest"], record["median"], record["highest"]) == (0.9, 1.1, 1.2)
    assert record["values"] == [1.2, 0.9, 1.1]


@pytest.mark.parametrize(
    ("row", "is_met"),
    [
        (row_of(1.0, 1.02, 9.0, at_most=1.02), True),
        (row_of(1.0, 1.021, 9.0, at_most=1.02), False),
        (row_of(0.1, 0.95, 2.0, at_least=0.95), True),
        (row_of(0.1, 0.949, 2.0, at_least=0.95), False),
        (row_of(0.0, at_most=0), True),
        (row_of(1.0), None),
    ],
)
def test_a_target_is_met_or_missed_by_the_median(row, is_met):
    assert row.is_met is is_met
    assert row.as_json()["is_met"] is is_met


def test_the_slope_is_that_of_the_straight_line():
    assert least_squares_slope([(8, 3.0), (16, 5.0), (32, 9.0)]) == pytest.approx(0.25)
    assert least_squares_slope([(0, 0.0), (1, 3.0), (2, 3.0)]) == pytest.approx(1.5)  # (1·1.5) + (1·1.5) over 2


def test_the_table_says_met_and_missed_with_target_spread_and_number_of_pairs():
    text = page.table(results_of(row_of(1.5, 1.25, 1.0, at_most=1.02), row_of(1.0, at_least=0.95)))
    assert text.startswith("`make bench PARTS=training` (2026-01-02, commit abc, 2 cores; 1.5 minutes):")
    assert "| `edge_grpo` / `grpo` | 1.25 | 1.00 to 1.50 | 3 | ≤ 1.02 | **missed** |" in text
    assert "| `edge_grpo` / `grpo` | 1.00 | 1.00 to 1.00 | 1 | ≥ 0.950 | met |" in text


def test_the_table_takes_the_place_of_the_one_between_the_marks():
    new = page.with_table(PAGE, results_of(row_of(1.0)))
    assert new.startswith("What it costs\n<!-- bench: begin -->\n`make bench PARTS=") and "old" not in new
    assert new.endswith("|\n<!-- bench: end -->\nand more\n")
    assert page.with_table(new, results_of(row_of(1.0))) == new
    with pytest.raises(ValueError, match="quick bench: begin"):
        page.with_table(PAGE, results_of(row_of(1.0), is_quick=True))


def test_a_page_keeps_the_parts_that_new_results_lack_and_every_value_beside_it(tmp_path):
    costs, about = tmp_path / "costs.md", results_of()["parts"]["training"]
    costs.write_text(PAGE)
    page.write(costs, {"is_quick": False, "parts": {"pure": about, **results_of(row_of(3.0))["parts"]}})
    page.write(costs, results_of(row_of(1.5, 2.5)))
    record = json.loads((tmp_path / "costs" / "full.json").read_text())
    assert list(record["parts"]) == ["pure", "training"]
    assert record["parts"]["training"]["rows"][0]["values"] == [1.5, 2.5]
    assert costs.read_text() == page.with_table(PAGE, record)


@pytest.mark.parametrize("is_quick", [False, True])
def test_the_table_of_the_documents_is_that_of_the_recorded_values(is_quick):
    costs = run.ROOT / "docs" / "costs.md"
    record = json.loads(page.record_file(costs, is_quick).read_text())
    assert record["is_quick"] is is_quick
    assert page.with_table(costs.read_text(), record) == costs.read_text()


def test_the_quick_bench_measures_a_part_of_the_full_one():
    assert set(run.QUICK_PARTS) < set(run.FULL_PARTS)
    assert set(training.QUICK_PRESETS) < set(training.ALL_PRESETS)
    assert set(pure.QUICK_SIZES) < set(pure.FULL_SIZES)


def test_a_part_that_fails_is_named_and_the_others_are_measured(tmp_path, monkeypatch, capsys):
    def fail(folder: Path, is_quick: bool) -> list:
        raise RuntimeError("no engine")

    monkeypatch.setattr(training, "measure", fail)
    monkeypatch.setattr(pure, "measure", lambda folder, is_quick: [row_of(2.0, at_most=1.0), Skipped("x", "no GPU")])
    exit_code = run.main(["--parts", "training", "pure", "--output-dir", str(tmp_path)])
    parts = parts_in(tmp_path)
    assert exit_code == 1
    assert [(row["part"], row["is_met"]) for row in parts["pure"]["rows"]] == [("Step time", False)]
    assert [[skipped["part"] for skipped in parts[name]["skipped"]] for name in parts] == [["x"], ["training"]]
    assert "0 of 1 targets met" in capsys.readouterr().out


def test_what_is_measured_stays_when_a_later_part_is_stopped(tmp_path, monkeypatch):
    def stop(folder: Path, is_quick: bool) -> list:
        raise KeyboardInterrupt

    monkeypatch.setattr(pure, "measure", lambda folder, is_quick: [row_of(2.0)])
    monkeypatch.setattr(training, "measure", stop)
    with pytest.raises(KeyboardInterrupt):
        run.main(["--parts", "pure", "training", "--output-dir", str(tmp_path)])
    assert {name: [row["median"] for row in part["rows"]] for name, part in parts_in(tmp_path).items()} == {"pure": [2]}


def test_a_part_measured_anew_takes_the_place_of_its_old_rows_and_leaves_the_other_parts(tmp_path, monkeypatch):
    for value, names in ((1.0, ["pure", "training"]), (2.0, ["training"]), (3.0, ["startup"])):
        for module in (startup, pure, training):
            monkeypatch.setattr(module, "measure", lambda folder, is_quick, value=value: [row_of(value)])
        run.main(["--parts", *names, "--output-dir", str(tmp_path)])
    medians = {name: [row["median"] for row in part["rows"]] for name, part in parts_in(tmp_path).items()}
    assert list(medians.items()) == [("startup", [3]), ("pure", [1]), ("training", [2])]


def step_of(way: str, number: int, seconds: float, **tokens: int) -> ways.Step:
    phases = {f"timing_s/{phase}": seconds for phase in ("step", *training.PHASES)}
    requests = [{"kind": kind, "tokens": count} for kind, count in tokens.items()]
    metrics = {"edge_grpo/gec/tokens_regenerated": tokens.get("correction", 0), "response_length/mean": 10.0}
    return ways.Step(way, number, {**phases, **metrics}, requests)


def test_edge_grpo_may_cost_as_much_more_as_it_samples_more_tokens():
    steps = [step_of("grpo", 0, 2.0, first=100), step_of("eda_only", 0, 2.1, first=100)]
    steps += [step_of("edge_grpo", 0, 2.8, first=100, correction=30)]
    rows = {row.what: row for row in training.preset_rows(steps, ways.Size(64, 8), "tiny")}
    row = rows["step, `edge_grpo` / `grpo`"]
    assert (row.median, row.at_most, row.is_met) == (pytest.approx(1.4), pytest.approx(1.3), False)
    assert rows["step, `eda_only` / `grpo`"].at_most == 1.02


def test_the_guard_is_held_to_edge_grpo_and_speed_to_the_tokens_generated():
    steps = [step_of("grpo", 0, 2.0, first=100), step_of("edge_grpo", 0, 4.0, first=100, correction=60)]
    steps += [step_of("edge_grpo_contrast", 0, 4.1, first=100, correction=10)]
    rows = {row.what: row for row in training.preset_rows(steps, ways.Size(64, 8), "tiny")}
    guard = rows["step, `edge_grpo_contrast` / `edge_grpo`"]
    assert (guard.median, guard.is_met) == (pytest.approx(1.025), True)
    # 160 tokens in 4 s against 100 in 2
    what = "generated tokens a second of generation, `edge_grpo` / `grpo`"
    assert (rows[what].median, rows[what].is_met) == (pytest.approx(0.8), False)
    rows = {row.what: row for row in training.preset_rows(steps, ways.Size(8, 8), "tiny")}
    assert rows[what].is_met is None  # the target is one of large steps


def test_overlap_compares_what_corrections_add_and_counts_discarded_tokens():
    steps = []
    for share in training.FAILURE_SHARES:
        steps += [step_of(f"none at {share:.0%}", 0, 2.0, first=100)]
        steps += [step_of(f"ours at {share:.0%}", 0, 2.5, first=100, correction=20)]
        steps += [step_of(f"authors' at {share:.0%}", 0, 4.0, first=100, correction=20, discarded=60)]
    rows = {row.what: row for row in training.overlap_rows(steps, "Overlap")}
    assert len(rows) == 9
    assert rows["25% failed: correction tokens thrown away"].values == [0]
    assert rows["25% failed: correction tokens, ours / authors'"].values == [0.25]  # 20 of 80
    assert rows["25% failed: time added to generation, ours / authors'"].values == [0.25]  # 0.5 of 2 s
    assert len(training.overlap_rows(steps[:3], "Overlap")) == 3  # the quick bench takes one share of failures


def test_no_way_is_always_the_first_and_rounds_share_their_prompts(tmp_path):
    both = [ways.Way("a", "grpo"), ways.Way("b", "edge_grpo", failure_share=0.5)]
    order = ways.turns_of(both, 2)
    assert order == [(0, "a"), (0, "b"), (1, "b"), (1, "a")]
    import pyarrow.parquet

    source = tmp_path / "source.parquet"
    rows = [{"prompt": f"{number}", "extra_info": {"index": number}} for number in range(20)]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), source)
    turns.write_rows(source, tmp_path / "rows.parquet", order, {way.name: way for way in both}, num_prompts=3)
    written = pyarrow.parquet.read_table(tmp_path / "rows.parquet").to_pylist()
    prompts = [[row["prompt"] for row in written[first : first + 3]] for first in range(0, 12, 3)]
    assert prompts[0] == prompts[1] and prompts[2] == prompts[3] and prompts[0] != prompts[2]
    assert [row["extra_info"]["failure_share"] for row in written[::3]] == [-1.0, 0.5, 0.5, -1.0]


def test_first_passes_of_a_seed_are_as_long_in_every_way_and_most_are_shorter_than_the_middle():
    lengths = [ways.first_pass_length(training.UNEQUAL_TOKENS, seed) for seed in range(400)]
    assert lengths == [ways.first_pass_length(training.UNEQUAL_TOKENS, seed) for seed in range(400)]
    assert 32 <= min(lengths) < 40 and 480 < max(lengths) <= 512
    assert 110 < sorted(lengths)[200] < 148  # sqrt(32 * 512) = 128, where the middle of 32 and 512 is 272


def test_a_recipe_has_its_own_keys_above_those_of_its_parents():
    assert ways.recipe_config("edge_grpo").edge_grpo.gec.enabled is True
    assert ways.recipe_config("dr_grpo").edge_grpo.gec.enabled is False  # grpo's, of which it is made
    assert ways.recipe_config("dr_grpo").algorithm.adv_estimator == "grpo"  # gec_only's, two above
    settings = ways.settings_of("edge_grpo_contrast", ways.Size(8, 8, first_pass_tokens=32))["edge_grpo"]
    assert (settings["gec"]["scope"], settings["gec"]["first_pass_max_tokens"]) == ("group", 32)
    assert settings["gec"]["max_new_tokens"] == 48  # of the profile cpu


LOSS_ONLY = {"clip_ratio_low", "clip_ratio_high", "loss_agg_mode", "loss_scale_factor"}
"""Keys of the actor's loss: other numbers in the same computation, whose cost they do not change."""


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(training.ALL_PRESETS) - set(training.OTHER_WORK)))
def test_presets_that_take_turns_differ_in_what_a_turn_sets_and_in_the_loss_alone(name):
    def rest(recipe: str) -> dict:
        config = OmegaConf.to_container(ways.recipe_config(recipe))
        settings = ways.settings_of(recipe, ways.Size(8, 8))
        for key in ("adv_estimator", "norm_adv_by_std_in_grpo"):
            assert config["algorithm"].pop(key, settings["algorithm"][key]) == settings["algorithm"][key]
        del config["edge_grpo"]
        actor = config["actor_rollout_ref"]["actor"]
        config["actor_rollout_ref"]["actor"] = {key: actor[key] for key in actor if key not in LOSS_ONLY}
        return config

    assert rest(name) == rest("edge_grpo")


def test_samples_of_a_profile_are_counted_for_the_innermost_function_of_an_owner():
    stack = "main (ray/worker.py:1);run (verl/loop.py:2);fetch (edge_grpo/x.py:3);dumps (torch/_tensor.py:4)"
    other = "main (ray/worker.py:1);run (verl/loop.py:2)"
    waiting = "main (ray/worker.py:1);Condition.wait (threading.py:5)"
    assert profiles.largest_costs([f"{stack} 6", f"{stack} 1", f"{other} 3", f"{waiting} 90"]) == [
        ("`fetch` of edge_grpo/x.py", 0.7),
        ("`run` of verl/loop.py", 0.3),
        ("all of this project", 0.7),
    ]


def test_the_examples_in_the_docstrings_hold():
    import doctest

    import grading

    for module in (measures, page, profiles, grading, ways):
        assert doctest.testmod(module).failed == 0


def test_starting_up_has_the_seconds_of_each_part_and_a_target_for_the_first_step(monkeypatch, tmp_path):
    def startup_rows(assets, has_forks=True):
        if not has_forks:
            return [("first step done", 90.0, "")]
        wall = [("Ray is up", 8.0 + next(later), ""), ("first step done", 44.0 + next(later), "")]
        return [*wall, ("all processes", 90.0, ""), ("ray::WorkerDict", 9.0, "")]

    later = iter(range(6))
    monkeypatch.setattr(startup, "startup_rows", startup_rows)
    rows = {row.what: row for row in startup.measure(tmp_path, is_quick=False)}
    *of_parts, of_both = rows
    assert of_parts == ["command to: Ray is up", "command to: first step done", "processor time of all processes"]
    assert of_both == "command to: first step done, forks of one process / each imports for itself"
    assert rows[of_both].values == pytest.approx([45 / 90, 47 / 90, 49 / 90])
    assert rows["command to: Ray is up"].values == [8.0, 10.0, 12.0]
    assert rows["command to: Ray is up"].is_met is None
    assert rows["command to: first step done"].values == [45.0, 47.0, 49.0]
    assert rows["command to: first step done"].is_met is False
    later = iter(range(2))
    assert [row.values for row in startup.measure(tmp_path, is_quick=True)] == [[8.0], [45.0], [90.0]]
