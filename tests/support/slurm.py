"""A real Slurm on this machine: munge, the controller and two nodes, started for these tests and stopped after them.

The two nodes are two slurmd with a port each, and share host name and address. Processes are tracked by Slurm's
weakest means (`proctrack/linuxproc`): unlike control groups, it loses sight of a process whose parent has died, so that
what the scripts leave behind is to be seen here.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recipe.edge_grpo.slurm.network import free_ports
from recipe.edge_grpo.slurm.process_tree import descendants

SCRIPTS = Path(__file__).parents[2] / "recipe" / "edge_grpo" / "slurm"
DAEMONS = ("munged", "slurmctld", "slurmd")
ENDED = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL")
# Debian puts daemons where an ordinary PATH does not look.
SEARCH_PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"

SLURM_CONF = """
ClusterName=edge
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# A requeued job waits as long as its credential lives, 120 s by default.
AuthInfo=socket={folder}/munge/socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
ReturnToService=2
SlurmdTimeout=15
KillWait=20
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
SchedulerParameters=sched_interval=1,bf_interval=1
NodeName=n1 NodeHostname=localhost NodeAddr=127.0.0.1 Port={ports[1]} CPUs=2
NodeName=n2 NodeHostname=localhost NodeAddr=127.0.0.1 Port={ports[2]} CPUs=2
PartitionName=normal Nodes=n1,n2 Default=YES PriorityTier=1
PartitionName=with_grace Nodes=n1,n2 PriorityTier=1 GraceTime=30
PartitionName=urgent Nodes=n1,n2 PriorityTier=10
"""


class Slurm:
    """The commands of Slurm that a user would type."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("SLURM_", "EDGE_GRPO_"))},
            "SLURM_CONF": str(folder / "slurm.conf"),
            "EDGE_GRPO_PYTHON": sys.executable,
            "RAY_TMPDIR": str(folder),
        }

    def command(self, *words: object, **environment: str) -> str:
        completed = subprocess.run(
            [str(word) for word in words],
            env={**self.environment, **environment},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert completed.returncode == 0, completed.stderr
        return completed.stdout

    def submit(self, script: str | Path, *overrides: object, options: tuple[str, ...] = (), **environment: str) -> str:
        """Submit one of our scripts with overrides; returns the id of the job."""
        words = ["sbatch", "--parsable", "--exclusive", "--output=job-%j.log", *options, SCRIPTS / script, *overrides]
        return self.command(*words, **environment).strip()

    def field(self, job: str, name: str) -> str:
        for word in self.command("scontrol", "--oneliner", "show", "job", job).split():
            key, _, value = word.partition("=")
            if key == name:
                return value
        raise KeyError(name)

    def state(self, job: str) -> str:
        return self.field(job, "JobState")

    def exit_code(self, job: str) -> int:
        return int(self.field(job, "ExitCode").partition(":")[0])

    def ray_folder(self, job: str) -> Path:
        return self.folder / f"edge_grpo-{job}"

    def run_folder(self, job: str) -> Path:
        return self.folder / "runs" / f"slurm-{job}"

    def log(self, job: str) -> str:
        path = self.folder / f"job-{job}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def wait_until(self, job: str, is_reached: Callable[[], object], seconds: float) -> None:
        """Wait for a condition; fails with the job's log when the time is over or the job has ended without it."""
        deadline = time.monotonic() + seconds
        while not is_reached():
            state = self.state(job)
            if (state in ENDED and not is_reached()) or time.monotonic() > deadline:
                pytest.fail(f"job {job} is {state}, its log:\n{self.log(job)[-6000:]}")
            time.sleep(0.3)

    def ended(self, job: str, seconds: float = 60) -> str:
        """Wait for the end of a job; returns its state."""
        self.wait_until(job, lambda: self.state(job) in ENDED, seconds)
        return self.state(job)

    def processes(self, job: str) -> dict[int, str]:
        """{process id: when it started} of what runs for the job: what has its id in the environment, and all below."""
        marks = {f"SLURM_JOB_ID={job}".encode(), f"SLURM_CONF={self.environment['SLURM_CONF']}".encode()}
        found: set[int] = set()
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if folder.name.isdigit() and marks <= set((folder / "environ").read_bytes().split(b"\0")):
                    found |= {int(folder.name), *descendants(int(folder.name))}
        return {process: started for process in found if (started := start_time(process)) is not None}

    def left_of(self, processes: dict[int, str]) -> list[int]:
        return [process for process, started in processes.items() if start_time(process) == started]


def start_time(process: int) -> str | None:
    """When a process started, which tells it from a later one with its number; None if it has ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


@pytest.fixture(scope="session")
def slurm() -> Iterator[Slurm]:
    """A cluster of two idle nodes."""
    missing = [name for name in DAEMONS if shutil.which(name, path=SEARCH_PATH) is None]
    if missing:
        pytest.skip(f"Slurm is not installed: no {', '.join(missing)} (Debian: apt-get install slurm-wlm munge)")
    if os.geteuid() != 0:
        pytest.skip("the daemons of Slurm are started as root")
    # Not below pytest's folder, which is private: munge wants a socket that everybody can reach.
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    folder.chmod(0o755)
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        yield start_cluster(folder, stack)


def start_cluster(folder: Path, stack: contextlib.ExitStack) -> Slurm:
    for name in ("munge", "state"):
        (folder / name).mkdir()
    (folder / "slurm.conf").write_text(SLURM_CONF.format(folder=folder, ports=free_ports(3)))
    cluster = Slurm(folder)
    key = folder / "munge" / "key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o600)
    munge_files = {name: f"--{name}-file={folder}/munge/{name}" for name in ("key", "pid", "log", "seed")}
    start_daemon(cluster, stack, "munged", "--foreground", f"--socket={folder}/munge/socket", *munge_files.values())
    wait_for((folder / "munge" / "socket").exists)
    start_daemon(cluster, stack, "slurmctld", "-D")
    for name in ("n1", "n2"):
        start_daemon(cluster, stack, "slurmd", "-D", "-N", name)
    wait_for(lambda: idle_nodes(cluster) == 2)
    stack.callback(cancel_everything, cluster)
    return cluster


def start_daemon(cluster: Slurm, stack: contextlib.ExitStack, name: str, *arguments: str) -> None:
    """Start a daemon in the foreground, so that exactly this one is ended afterwards."""
    program = shutil.which(name, path=SEARCH_PATH)
    assert program is not None
    with (cluster.folder / f"{'-'.join([name, *arguments[-1:]]).replace('/', '_')}.log").open("w") as log:
        daemon = subprocess.Popen(
            [program, *arguments], env=cluster.environment, stdout=log, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
    stack.callback(end_daemon, daemon)


def end_daemon(daemon: "subprocess.Popen[bytes]") -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        daemon.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            daemon.wait(timeout=10)
            return


def idle_nodes(cluster: Slurm) -> int:
    """Nodes that are ready, 0 while the controller does not answer."""
    words = ["sinfo", "--noheader", "--Node", "--partition=normal", "--format=%T"]
    completed = subprocess.run(words, env=cluster.environment, capture_output=True, text=True, timeout=60)
    return completed.stdout.split().count("idle")


def cancel_everything(cluster: Slurm) -> None:
    """Ends what a failed test left running, before the daemons that could end it are stopped."""
    cluster.command("scancel", "--user=root")
    with contextlib.suppress(TimeoutError):
        wait_for(lambda: not cluster.command("squeue", "--noheader").strip(), seconds=40)


def wait_for(is_reached: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not is_reached():
        if time.monotonic() > deadline:
            raise TimeoutError("Slurm did not get ready")
        time.sleep(0.1)


@pytest.fixture(scope="session")
def python_without(slurm: Slurm) -> Callable[..., str]:
    """python_without(condition, command, otherwise=Python): runs the command where the bash condition holds.

    The condition may look at the arguments: `$2` is the module of `python -m MODULE …`.
    """

    def python_without(condition: str, command: str, otherwise: str = sys.executable) -> str:
        path = slurm.folder / f"python-{len(list(slurm.folder.glob('python-*')))}"
        path.write_text(f'#!/usr/bin/env bash\nif [[ {condition} ]]; then exec {command}; fi\nexec {otherwise} "$@"\n')
        path.chmod(0o755)
        return str(path)

    return python_without


@pytest.fixture(scope="session")
def stub(python_without: Callable[..., str]) -> str:
    """A Python whose `verl.trainer.main_ppo` is stub_trainer.py."""
    trainer = Path(__file__).parent / "stub_trainer.py"
    return python_without("$2 == verl.trainer.main_ppo", f'{sys.executable} {trainer} "${{@:3}}"')


@pytest.fixture(autouse=True)
def nothing_runs_on(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test of the cluster finds and leaves it empty."""
    yield
    if "slurm" in request.fixturenames:
        cancel_everything(request.getfixturevalue("slurm"))
