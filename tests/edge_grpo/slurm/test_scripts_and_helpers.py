"""What of the Slurm scripts can be tested without Slurm: their syntax, and the Python that they call."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from recipe.edge_grpo.slurm import network, process_tree
from recipe.edge_grpo.slurm import ray_node as ray_node_module
from recipe.edge_grpo.slurm.ray_node import parse_arguments, ray_command
from recipe.edge_grpo.slurm.wait_for_nodes import missing_nodes

FOLDER = Path(process_tree.__file__).parent
SCRIPTS = sorted([*FOLDER.glob("*.sbatch"), FOLDER / "common.sh"])
BATCH_SCRIPTS = [script for script in SCRIPTS if script.suffix == ".sbatch"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_bash_can_parse_the_script(script: Path) -> None:
    subprocess.run(["bash", "-n", script], check=True)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_shellcheck_finds_nothing(script: Path) -> None:
    completed = subprocess.run(["shellcheck", "-x", script.name], cwd=FOLDER, capture_output=True, text=True)
    assert completed.stdout == ""


@pytest.mark.parametrize("script", BATCH_SCRIPTS, ids=lambda script: script.name)
def test_a_script_names_no_partition_account_path_or_machine(script: Path) -> None:
    options = [line for line in script.read_text().splitlines() if line.startswith("#SBATCH")]
    allowed = ("job-name", "nodes", "ntasks-per-node", "signal", "requeue", "open-mode")
    assert [line for line in options if not line.startswith(tuple(f"#SBATCH --{name}" for name in allowed))] == []


def test_the_folder_of_the_scripts_is_printed_for_them() -> None:
    completed = subprocess.run([sys.executable, "-m", "recipe.edge_grpo.slurm"], capture_output=True, text=True)
    assert completed.stdout == f"{FOLDER}\n"


def override_of(*arguments: str) -> str:
    script = 'python=x SLURM_JOB_ID=1; source "$0"; override "$@"'
    command = ["bash", "-c", script, str(FOLDER / "common.sh"), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.removesuffix("\n")


@pytest.mark.parametrize(
    ("overrides", "value"),
    [
        ([], "1"),
        (["trainer.n_gpus_per_node=2", "trainer.n_gpus_per_node=4"], "4"),
        (["++trainer.n_gpus_per_node=8"], "8"),
        (["trainerXn_gpus_per_node=2", "my.trainer.n_gpus_per_node=2", "trainer.n_gpus_per_node_x=2"], "1"),
    ],
)
def test_the_last_value_of_an_override_counts(overrides: list[str], value: str) -> None:
    assert override_of("trainer.n_gpus_per_node", "1", *overrides) == value


def program(path: Path, body: str) -> Path:
    path.write_text(f"#!/usr/bin/env bash\n{body}\n")
    path.chmod(0o755)
    return path


def run_script(folder: Path, script: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A batch script in the environment that Slurm would give it, with a `scontrol` that says nothing."""
    program(folder / "scontrol", "exit 0")
    environment = {"EDGE_GRPO_PYTHON": sys.executable, "SLURM_JOB_ID": "1", "RAY_TMPDIR": str(folder), **environment}
    environment = {**os.environ, **environment, "PATH": f"{folder}:{os.environ['PATH']}"}
    command = ["bash", str(FOLDER / script), *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def test_a_job_without_nodes_is_refused(tmp_path: Path) -> None:
    completed = run_script(tmp_path, "train_multinode.sbatch", SLURMD_NODENAME="n1", SLURM_JOB_NODELIST="")
    assert completed.returncode == 2
    assert "Slurm gives no nodes (SLURM_JOB_NODELIST='')" in completed.stderr


@pytest.mark.process
def test_the_number_of_gpus_is_what_slurm_allocated_unless_an_override_says_otherwise(tmp_path: Path) -> None:
    stub = f'[[ $2 == verl.trainer.main_ppo ]] && exec printf "%s\\n" "${{@:3}}"; exec {sys.executable} "$@"'
    python = str(program(tmp_path / "python", stub))
    words = ["+recipe=edge_grpo", "trainer.n_gpus_per_node=2"]
    completed = run_script(tmp_path, "train.sbatch", *words, EDGE_GRPO_PYTHON=python, SLURM_GPUS_ON_NODE="4")
    assert completed.returncode == 0, completed.stderr
    given = [line for line in completed.stdout.splitlines() if not line.startswith("EDGE-GRPO")]
    assert given[:3] == ["trainer.n_gpus_per_node=4", *words]  # the last one counts


def run_tree(*words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "recipe.edge_grpo.slurm.process_tree", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


# Starts a process that leaves its session, loses its parent and ignores SIGTERM, and prints its id.
LEAVE_ORPHAN = "(trap '' TERM; setsid sleep 1000 & echo $!)"


@pytest.mark.process
@pytest.mark.parametrize(
    ("words", "exit_code"), [(["true"], 0), (["bash", "-c", "exit 7"], 7), (["bash", "-c", "kill -9 $$"], 137)]
)
def test_the_exit_code_is_that_of_the_command(words: list[str], exit_code: int) -> None:
    assert run_tree(*words).wait(timeout=30) == exit_code


@pytest.mark.process
def test_a_command_that_is_not_there_is_named() -> None:
    tree = run_tree("/no/such/command")
    _, errors = tree.communicate(timeout=30)
    assert tree.returncode == 127
    assert "process_tree: /no/such/command: No such file or directory" in errors


@pytest.mark.process
def test_an_orphan_that_ignores_sigterm_does_not_outlive_the_command() -> None:
    tree = run_tree("bash", "-c", LEAVE_ORPHAN)
    output, _ = tree.communicate(timeout=60)
    assert tree.returncode == 0
    assert not is_alive(int(output))


@pytest.mark.process
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR2, signal.SIGINT])
def test_a_signal_ends_the_whole_tree(number: signal.Signals) -> None:
    tree = run_tree("bash", "-c", "sleep 1000 & echo $!; wait")
    assert tree.stdout is not None
    child = int(tree.stdout.readline())
    assert is_alive(child)
    tree.send_signal(number)
    assert tree.wait(timeout=30) == 128 + number
    assert not is_alive(child)


@pytest.mark.process
def test_the_tree_ends_when_its_parent_is_killed() -> None:
    tree_command = f"{sys.executable} -m recipe.edge_grpo.slurm.process_tree sleep 1000"
    # The parent says who its child is, and waits.
    parent = subprocess.Popen(["bash", "-c", f"{tree_command} & echo $!; wait"], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    tree = int(parent.stdout.readline())
    deadline = time.monotonic() + 30
    while not process_tree.descendants(tree) and time.monotonic() < deadline:
        time.sleep(0.05)
    (command,) = process_tree.descendants(tree)
    parent.kill()
    parent.wait()
    while (is_alive(command) or is_alive(tree)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(command) and not is_alive(tree)


def test_the_address_towards_a_loopback_address_is_loopback() -> None:
    assert network.address_towards("127.0.0.1") == "127.0.0.1"
    assert network.address_of_interface("lo") == "127.0.0.1"


def test_free_ports_are_different_and_can_be_listened_on() -> None:
    ports = network.free_ports(5)
    assert len(set(ports)) == 5
    for port in ports:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", port))


def test_an_unknown_interface_is_refused_with_those_that_exist() -> None:
    with pytest.raises(OSError, match=r"EDGE_GRPO_INTERFACE=ib7 on this node, which has .*lo"):
        network.address_of_interface("ib7")


def test_the_head_has_the_port_of_the_cluster_and_a_worker_its_address() -> None:
    common = ["--name", "n1", "--cluster", "127.0.0.1:6000", "--devices", "2", "--cpus", "32", "--folder", "/x"]
    head, worker = ray_command(parse_arguments([*common, "--head"])), ray_command(parse_arguments(common))
    assert {"--head", "--port=6000", "--node-ip-address=127.0.0.1", "--include-dashboard=false"} <= set(head)
    assert "--address=127.0.0.1:6000" in worker and "--head" not in worker
    for command in (head, worker):
        assert {"--block", "--num-gpus=2", "--num-cpus=32", '--resources={"slurm_node:n1": 1}'} <= set(command)


def ray_node(name: str, is_alive: bool = True) -> dict[str, object]:
    return {"Alive": is_alive, "Resources": {"CPU": 4.0, f"slurm_node:{name}": 1.0}}


def test_nodes_without_a_live_ray_node_are_missing() -> None:
    nodes = [ray_node("n1"), ray_node("n3", is_alive=False)]
    assert missing_nodes(["n1", "n2", "n3"], nodes) == ["n2", "n3"]
    assert missing_nodes(["n1"], nodes) == []
    assert missing_nodes(["n1"], []) == ["n1"]


def test_a_node_that_joined_again_after_dying_is_there() -> None:
    assert missing_nodes(["n1"], [ray_node("n1", is_alive=False), ray_node("n1")]) == []


def run_ray_node(folder: Path) -> int:
    words = ["--name", "n1", "--cluster", "127.0.0.1:6000", "--devices", "1", "--cpus", "4", "--folder", str(folder)]
    return ray_node_module.main(words)


@pytest.mark.parametrize(
    ("exit_code", "is_kept"),
    [(128 + signal.SIGTERM, False), (128 + signal.SIGUSR2, True), (128 + signal.SIGHUP, True), (1, True), (0, True)],
)
def test_the_folder_of_ray_is_private_and_goes_with_a_node_that_slurm_ends(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, exit_code: int, is_kept: bool
) -> None:
    folder, modes = tmp_path / "edge_grpo-1", []

    def run(command: list[str]) -> int:
        modes.append(stat.filemode(folder.stat().st_mode))
        (folder / "ray").mkdir()
        return exit_code

    monkeypatch.setattr(process_tree, "run", run)
    assert run_ray_node(folder) == exit_code
    assert modes == ["drwx------"]
    assert folder.exists() == is_kept


def test_a_folder_for_ray_that_belongs_to_somebody_else_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(process_tree, "run", lambda command: pytest.fail("it was started"))
    monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    assert run_ray_node(tmp_path) == 1
    assert f"{tmp_path} belongs to somebody else" in capsys.readouterr().err


def test_the_cpu_platform_gives_its_environment_to_ray_and_keeps_what_the_user_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from recipe.edge_grpo.cpu import ENVIRONMENT

    (first, second) = list(ENVIRONMENT)[:2]
    seen: dict[str, str] = {}
    monkeypatch.setattr(process_tree, "run", lambda command: seen.update(os.environ) or 0)
    # Restored afterwards: the module changes its own environment, as a process of its own.
    for name in ENVIRONMENT:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("VERL_PLATFORM", "cpu")
    monkeypatch.setenv(second, "mine")
    assert run_ray_node(tmp_path) == 0
    assert seen[first] == ENVIRONMENT[first]
    assert seen[second] == "mine"
