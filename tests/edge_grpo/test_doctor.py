"""The doctor finds what is wrong, names the fix, and ends with exit code 1."""

import importlib.metadata
import os
import subprocess
import sys

import pytest

from recipe.edge_grpo import doctor


def run_doctor(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "recipe.edge_grpo.doctor", *arguments]
    environment = {**os.environ, **environment}
    environment.pop("VERL_PLATFORM", None)
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)


@pytest.mark.process
def test_all_is_well_here_and_vllm_starts() -> None:
    done = run_doctor("+recipe=edge_grpo", "+profile=cpu")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split(":")[0].split()[1] for line in done.stdout.splitlines() if line.startswith("ok ")][:6] == [
        *("Python", "versions", "registration", "configuration", "platform", "vLLM")
    ]


@pytest.mark.process
@pytest.mark.parametrize(
    ("recipe", "profile"), [("edge_grpo", "qwen2.5_math_1.5b"), ("edge_grpo_paper", "qwen2.5_math_7b")]
)
def test_a_run_for_two_nodes_with_gpus_is_checked_on_a_machine_without_any(recipe: str, profile: str) -> None:
    files = ("data.train_files=train.parquet", "data.val_files=validation.parquet")
    done = run_doctor("--config-only", f"+recipe={recipe}", f"+profile={profile}", "trainer.nnodes=2", *files)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"ok       configuration: +recipe={recipe} +profile={profile} trainer.nnodes=2" in done.stdout


@pytest.mark.process
def test_every_problem_is_found_in_one_go_with_its_fix() -> None:
    overrides = ("+recipe=edge_grpo", "+profile=cpu", "edge_grpo.gec.max_new_tokens=0")
    done = run_doctor("--config-only", *overrides, VERL_USE_EXTERNAL_PLUGINS="none")
    assert done.returncode == 1
    problems = [line for line in done.stdout.splitlines() if line.startswith("PROBLEM")]
    assert any("VERL_USE_EXTERNAL_PLUGINS=none" in line for line in problems)
    assert done.stdout.count("fix: ") == len(problems)


def test_a_setting_out_of_range_is_named(monkeypatch, capsys) -> None:
    def refuse(overrides: list[str]) -> str:
        raise doctor.Problem("edge_grpo.gec.max_new_tokens=0 must be at least 1", "change it")

    fine = {name: lambda: "fine" for name in ("check_python", "check_versions", "check_registration", "check_platform")}
    for name, check in fine.items():
        monkeypatch.setattr(doctor, name, check)
    monkeypatch.setattr(doctor, "check_configuration", refuse)
    assert doctor.main(["--config-only", "edge_grpo.gec.max_new_tokens=0"]) == 1
    output = capsys.readouterr().out
    assert "PROBLEM  configuration: edge_grpo.gec.max_new_tokens=0" in output
    assert "fix: change it" in output and "1 of 4 checks" in output


def test_another_version_of_verl_is_a_problem_with_the_version_to_install(monkeypatch) -> None:
    version = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "0.8.0" if name == "verl" else version(name))
    with pytest.raises(doctor.Problem, match="verl 0.8.0") as problem:
        doctor.check_versions()
    assert "verl==0.9.1" in problem.value.fix


def test_a_missing_vllm_is_a_problem(monkeypatch) -> None:
    version = importlib.metadata.version

    def without_vllm(name: str) -> str:
        if name.startswith("vllm"):
            raise importlib.metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(importlib.metadata, "version", without_vllm)
    with pytest.raises(doctor.Problem, match="vLLM is not installed"):
        doctor.check_versions()


def test_a_check_that_breaks_is_a_finding_and_the_others_still_run(monkeypatch, capsys) -> None:
    def broken() -> str:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(doctor, "check_python", broken)
    for name in ("check_versions", "check_registration", "check_platform"):
        monkeypatch.setattr(doctor, name, lambda: "fine")
    monkeypatch.setattr(doctor, "check_configuration", lambda overrides: "fine")
    monkeypatch.setattr(doctor, "look_at_start", lambda overrides, is_elsewhere: True)
    assert doctor.main(["--config-only", "+recipe=edge_grpo"]) == 1
    output = capsys.readouterr().out
    assert "broken on purpose" in output and output.count("ok  ") == 3
