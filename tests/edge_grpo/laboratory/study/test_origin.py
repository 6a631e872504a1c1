"""Where a run was made: what is said of the machine."""

import platform
from pathlib import Path

from recipe.edge_grpo.laboratory.study.origin import here_and_now, processor_name


def test_a_record_names_the_processor(tmp_path):
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nmodel\t\t: 17\nmodel name\t: Some CPU @ 2 GHz\nmodel name\t: Another\n")
    assert processor_name(cpuinfo) == f"Some CPU @ 2 GHz ({platform.machine()})"
    assert processor_name(tmp_path / "missing") == platform.machine()
    assert here_and_now(1.25).machine.startswith(processor_name(Path("/proc/cpuinfo")) + ", ")
