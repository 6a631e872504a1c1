"""What requirements/install.sh does, with a stand-in for Python: nothing is downloaded or installed."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TOOLS = ("awk", "bash", "cat", "df", "dirname", "du", "grep", "mkdir", "rm", "sed", "sha256sum", "tail", "touch")

# Answers as install.sh asks: for its version, for a new environment (a copy of itself), and for pip. Every call of pip
# is written down, and the one whose arguments contain $FAILING_INSTALL fails.
STAND_IN = """#!/usr/bin/env bash
version=${VERSION:-3.11}
case "$*" in
  *base_prefix*) echo "$HOME/bin/python$version" ;;
  -c*) echo "$version" ;;
  "-m venv"*) echo venv >>"$HOME/calls"; mkdir -p .venv/bin; cat "$0" >.venv/bin/python; chmod +x .venv/bin/python ;;
  *"--report "*) echo probe >>"$HOME/calls"; echo "torch-2.13.0${TORCH_BUILD-+cpu}" >.venv/torch-build.json ;;
  "-m pip --disable-pip-version-check --no-input "*)
    shift 4
    echo "$*" >>"$HOME/calls"
    if [ -n "${FAILING_INSTALL:-}" ] && [[ "$*" == *"$FAILING_INSTALL"* ]]; then echo "no route to host"; exit 1; fi ;;
esac
"""

ALL_CALLS = [
    "venv",
    "probe",
    "install torch==2.13.0",
    "install --no-deps -r requirements/cpu.lock",
    "install --no-deps --no-build-isolation -e .",
]


@pytest.fixture
def checkout(tmp_path):
    """A checkout with install.sh and what it reads, and a PATH on which there is no Python."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in (*TOOLS, "chmod"):
        (tools / tool).symlink_to(shutil.which(tool))
    (tmp_path / "requirements").mkdir()
    shutil.copy(ROOT / "requirements" / "install.sh", tmp_path / "requirements")
    (tmp_path / "requirements" / "cpu.lock").write_text("package==1\n")
    (tmp_path / "setup.py").write_text("first\n")
    return tmp_path


def add_python(checkout, name="python3.11", text=STAND_IN):
    path = checkout / "bin" / name
    path.write_text(text)
    path.chmod(0o755)
    return path


def install(checkout, **environment):
    """Runs install.sh; no variable of the surroundings reaches it, and 1 GB of free space is enough."""
    environment = {"PATH": str(checkout / "bin"), "HOME": str(checkout), "EDGE_GRPO_MIN_FREE_GB": "0", **environment}
    command = [shutil.which("bash"), str(checkout / "requirements" / "install.sh")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def calls(checkout):
    """What the stand-in was asked to do since the last look."""
    path = checkout / "calls"
    lines = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return lines


def test_without_a_python_the_message_says_what_to_install(checkout):
    result = install(checkout)
    assert result.returncode == 1
    assert "no usable Python 3.11 or 3.12" in result.stderr and "apt install python3.11" in result.stderr
    assert not (checkout / ".venv").exists()


def test_a_shim_that_fails_is_passed_over_for_a_python_that_runs(checkout):
    add_python(
        checkout, "python3.11", "#!/usr/bin/env bash\necho 'pyenv: python3.11: command not found' >&2\nexit 127\n"
    )
    add_python(checkout, "python3.12")
    result = install(checkout, VERSION="3.12")
    assert result.returncode == 0, result.stderr
    assert "Python 3.12" in result.stdout


@pytest.mark.parametrize("version", ["3.10", "3.13"])
def test_a_python_of_another_version_is_not_used(checkout, version):
    add_python(checkout, "python3")
    result = install(checkout, VERSION=version)
    assert result.returncode == 1
    assert "no usable Python 3.11 or 3.12" in result.stderr
    assert not (checkout / ".venv").exists()


def test_a_python_that_was_asked_for_and_cannot_be_used_is_named(checkout):
    add_python(checkout)
    result = install(checkout, PYTHON="/nowhere/python")
    assert result.returncode == 1
    assert "PYTHON=/nowhere/python cannot be used" in result.stderr


def test_too_little_disk_space_stops_before_anything_is_made(checkout):
    add_python(checkout)
    result = install(checkout, EDGE_GRPO_MIN_FREE_GB="1000000")
    assert result.returncode == 1
    assert "needs 1000000 GB" in result.stderr and "GB are free" in result.stderr
    assert "EDGE_GRPO_MIN_FREE_GB" in result.stderr
    assert not (checkout / ".venv").exists()


def test_the_ordinary_torch_needs_more_space_than_the_cpu_build(checkout):
    add_python(checkout)
    # The disk has 10 GB: enough for the CPU build, not for the ordinary one.
    (checkout / "bin" / "df").unlink()
    add_python(checkout, "df", "#!/usr/bin/env bash\necho header\necho disk 0 0 $((10 * 1048576)) 0% /\n")
    result = install(checkout, EDGE_GRPO_MIN_FREE_GB="", TORCH_BUILD="")
    assert result.returncode == 1
    assert "the ordinary (CUDA) build of torch" in result.stderr and "10.0 GB are free" in result.stderr
    assert calls(checkout) == ["venv", "probe"]
    assert install(checkout, EDGE_GRPO_MIN_FREE_GB="", TORCH_BUILD="+cpu").returncode == 0


def test_torch_comes_first_with_what_it_needs_then_the_lock_then_the_project_without_resolving(checkout):
    add_python(checkout)
    result = install(checkout)
    assert result.returncode == 0, result.stderr
    assert calls(checkout) == ALL_CALLS


def test_a_second_install_does_nothing(checkout):
    add_python(checkout)
    install(checkout)
    calls(checkout)
    result = install(checkout)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert calls(checkout) == []


@pytest.mark.parametrize("changed", ["requirements/cpu.lock", "setup.py"])
def test_a_change_of_lock_or_setup_updates_the_environment_in_place(checkout, changed):
    add_python(checkout)
    install(checkout)
    calls(checkout)
    (checkout / changed).write_text("second\n")
    assert install(checkout).returncode == 0
    assert calls(checkout) == ALL_CALLS[1:]


def test_a_failure_shows_the_end_of_the_log_and_the_next_install_starts_over(checkout):
    add_python(checkout)
    result = install(checkout, FAILING_INSTALL="cpu.lock")
    assert result.returncode == 1
    assert "no route to host" in result.stderr and ".venv/install.log" in result.stdout
    assert "ready" not in result.stdout
    calls(checkout)
    # What was installed half is not trusted: a new environment, and every phase again.
    result = install(checkout)
    assert result.returncode == 0 and "starting over" in result.stdout
    assert calls(checkout) == ALL_CALLS


def test_an_update_that_was_interrupted_starts_over_too(checkout):
    add_python(checkout)
    install(checkout)
    (checkout / "setup.py").write_text("second\n")
    assert install(checkout, FAILING_INSTALL="-e .").returncode == 1
    calls(checkout)
    (checkout / "setup.py").write_text("first\n")
    assert install(checkout).returncode == 0
    assert calls(checkout) == ALL_CALLS


def test_an_environment_that_someone_else_made_is_kept_and_completed(checkout):
    python = add_python(checkout)
    (checkout / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(python, checkout / ".venv" / "bin" / "python")
    (checkout / ".venv" / "theirs").touch()
    assert install(checkout).returncode == 0
    assert calls(checkout) == ALL_CALLS[1:]
    assert (checkout / ".venv" / "theirs").exists()


def test_asking_for_another_python_makes_a_new_environment(checkout):
    add_python(checkout)
    install(checkout)
    calls(checkout)
    other = add_python(checkout, "python3.12", STAND_IN.replace(":-3.11", ":-3.12"))
    result = install(checkout, PYTHON=str(other))
    assert result.returncode == 0, result.stderr
    assert calls(checkout) == ALL_CALLS
