"""Forks of a template in place of Python: what they are given, how they end, and when there are none."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest
from support.processes import wait_until

from recipe.edge_grpo.cpu.warm_workers import launcher
from recipe.edge_grpo.cpu.warm_workers.template import Template

pytestmark = pytest.mark.process

PATIENCE = 20.0  # how long a test waits for what must happen; it goes on as soon as it has

TEMPLATE = """
import sys
sys.path.insert(0, sys.argv.pop())  # where modules of the test are
from recipe.edge_grpo.cpu.warm_workers import template
template.MODULES = ("numpy", "set_when_imported")
template.main()
"""

TELL = """
import json, os, sys
print(json.dumps({
    "arguments": sys.argv, "name": __name__, "folder": os.getcwd(), "parent": os.getppid(), "path": sys.path[0],
    "variables": {name: os.environ.get(name) for name in ("RANK", "SET", "OF_TEMPLATE")},
}))
"""

SLEEP = "import os, time; print(os.getpid(), flush=True); time.sleep(1000)"


class Setting:
    """A raylet that does nothing, a template with light modules and one that ends with this code, and launchers."""

    def __init__(self, folder, imported=""):
        self.folder = folder / "python"
        self.folder.mkdir(mode=0o700)
        (folder / "set_when_imported.py").write_text(f"import os\nos.environ['SET'] = 'by an import'\n{imported}")
        self.raylet = subprocess.Popen(["sleep", "1000"])
        self.environment = {**os.environ, "RAY_RAYLET_PID": str(self.raylet.pid), "OF_TEMPLATE": "1"}
        # Set where Ray is imported, as in the template and perhaps in this process.
        self.environment.pop("RAY_CLIENT_MODE", None)
        (self.folder / launcher.PYTHON).write_text(
            f'#!/bin/sh\nexec {sys.executable} -I -S {launcher.__file__} {self.folder} "$@"\n'
        )
        (self.folder / launcher.PYTHON).chmod(0o700)
        (self.folder / launcher.STARTED).touch()
        command = [sys.executable, "-c", TEMPLATE, str(self.folder), str(folder)]
        self.template = subprocess.Popen(command, env=self.environment, start_new_session=True)
        wait_until((self.folder / launcher.SOCKET).exists, PATIENCE)

    def launch(self, *arguments, variables=None, **options):
        """Start what stands in the place of Python."""
        environment = {**self.environment, **(variables or {})}
        command = [self.folder / launcher.PYTHON, *arguments]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, **options)

    def file(self, code):
        """Return a file with this code, in the folder that has the test's modules."""
        file = self.folder.parent / "program.py"
        file.write_text(code)
        return str(file)

    def told(self, *arguments, **options):
        """Return what a process tells that was launched with these arguments; it must end well."""
        process = self.launch(*arguments, **options)
        output, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
        return json.loads(output)


@pytest.fixture
def setting(request, tmp_path):
    setting = Setting(tmp_path, imported=getattr(request, "param", ""))
    yield setting
    setting.raylet.kill()
    setting.raylet.wait()
    setting.template.wait(PATIENCE)


def test_a_fork_runs_a_file_as_python_would(setting, tmp_path):
    file, elsewhere = setting.file(TELL), tmp_path / "elsewhere"
    elsewhere.mkdir()
    told = setting.told(file, "--of", "its own", variables={"RANK": "3"}, cwd=elsewhere)
    assert told == {
        "arguments": [file, "--of", "its own"],
        "name": "__main__",
        "folder": str(elsewhere),
        "parent": setting.template.pid,
        "path": str(tmp_path),
        "variables": {"RANK": "3", "SET": "by an import", "OF_TEMPLATE": "1"},
    }


def test_code_that_is_not_of_multiprocessing_is_left_to_python(setting):
    told = setting.told("-c", TELL, "argument")
    assert (told["arguments"], told["parent"]) == (["-c", "argument"], os.getpid())  # the launcher has become Python


def test_a_fork_is_given_open_files_under_their_numbers(setting, tmp_path):
    with (tmp_path / "file").open("w") as file:
        number = os.dup2(file.fileno(), 77)
        code = f"import os; os.write({number}, b'from the fork'); print('1')"
        assert setting.told(setting.file(code), pass_fds=[number]) == 1
        os.close(number)
    assert (tmp_path / "file").read_text() == "from the fork"


@pytest.mark.parametrize(
    ("code", "exit_code"), [("raise SystemExit(3)", 3), ("1 / 0", 1), ("import os; os.abort()", 250)]
)
def test_a_launcher_ends_as_its_fork_does(setting, code, exit_code):
    assert setting.launch(setting.file(code), stderr=subprocess.DEVNULL).wait(PATIENCE) == exit_code


def test_a_fork_ends_with_its_launcher(setting):
    process = setting.launch(setting.file(SLEEP))
    fork = int(process.stdout.readline())
    assert psutil.pid_exists(fork)
    process.kill()
    process.wait()
    wait_until(lambda: not psutil.pid_exists(fork), PATIENCE)
    assert setting.told(setting.file("print(1)")) == 1  # the template goes on


def test_who_ends_the_group_of_a_fork_does_not_end_the_others(setting):
    process = setting.launch(setting.file(SLEEP))
    os.killpg(int(process.stdout.readline()), signal.SIGKILL)
    assert process.wait(PATIENCE) == 256 - signal.SIGKILL
    assert setting.told(setting.file(TELL))["parent"] == setting.template.pid


def test_a_process_of_multiprocessing_can_give_itself_a_title(setting):
    file = setting.file(
        "import json, multiprocessing, setproctitle\n"
        "def tell(queue):\n"
        "    setproctitle.setproctitle('VLLM::Title')\n"
        "    queue.put(open('/proc/self/cmdline').read())\n"
        "if __name__ == '__main__':\n"
        "    context = multiprocessing.get_context('spawn')\n"
        "    queue = context.Queue()\n"
        "    process = context.Process(target=tell, args=(queue,))\n"
        "    process.start()\n"
        "    print(json.dumps(queue.get()))\n"
        "    process.join()\n"
    )
    assert setting.told(file).startswith("VLLM::Title")


@pytest.mark.parametrize("setting", ["import datasets\n"], indirect=True)
def test_forks_draw_different_numbers(setting):
    code = (
        "import json, numpy, random; from datasets.fingerprint import generate_random_fingerprint\n"
        "print(json.dumps([int(numpy.random.randint(2**30)), random.getrandbits(30), generate_random_fingerprint()]))"
    )
    first, second = (setting.told(setting.file(code)) for _ in range(2))
    assert all(a != b for a, b in zip(first, second, strict=True))


DRAW = "import json, ray; print(json.dumps(ray.ObjectRef.from_random().hex()))"


@pytest.mark.parametrize("setting", ["import ray\n@ray.remote\nclass Actor: pass\n"], indirect=True)
def test_forks_draw_different_identifiers_of_ray_though_classes_of_actors_are_imported(setting):
    first, second = (setting.told(setting.file(DRAW)) for _ in range(2))
    assert first != second
    assert setting.told(setting.file(TELL))["parent"] == setting.template.pid


@pytest.mark.parametrize("setting", ["import ray\nray.ObjectRef.from_random()\n"], indirect=True)
def test_where_an_import_draws_an_identifier_of_ray_launchers_become_python(setting):
    first, second = (setting.told(setting.file(DRAW)) for _ in range(2))
    assert first != second
    assert setting.told(setting.file(TELL))["parent"] == os.getpid()


@pytest.mark.parametrize("variables", [{"OMP_NUM_THREADS": "7"}, {"NEW": "1"}, {"OF_TEMPLATE": "2"}])
def test_a_process_that_needs_another_environment_imports_for_itself(setting, variables):
    told = setting.told(setting.file(TELL), variables=variables)
    assert told["parent"] == os.getpid()  # the launcher has become Python
    assert told["variables"]["SET"] is None


def test_options_of_python_that_are_not_those_of_the_template_are_left_to_python(setting):
    code = "import json, os, sys; print(json.dumps([os.getppid(), sys.flags.optimize]))"
    assert setting.told("-O", setting.file(code)) == [os.getpid(), 1]


def test_a_process_of_multiprocessing_is_a_fork_of_the_template_too(setting):
    file = setting.file(
        "import multiprocessing, os\n"
        "def tell(queue):\n"
        "    queue.put(os.getppid())\n"
        "if __name__ == '__main__':\n"
        "    context = multiprocessing.get_context('spawn')\n"
        "    queue = context.Queue()\n"
        "    process = context.Process(target=tell, args=(queue,))\n"
        "    process.start()\n"
        "    print(queue.get())\n"
        "    process.join()\n"
        "    raise SystemExit(process.exitcode)\n"
    )
    assert setting.told(file) == setting.template.pid


def test_the_template_ends_with_the_raylet_and_removes_its_folder(setting):
    setting.raylet.kill()
    setting.raylet.wait()
    assert setting.template.wait(PATIENCE) == 0
    assert not setting.folder.exists()


def test_a_template_whose_raylet_has_ended_before_it_began_ends_and_removes_its_folder(tmp_path):
    raylet = subprocess.Popen(["true"])
    raylet.wait()
    folder = tmp_path / "python"
    folder.mkdir()
    environment = {**os.environ, "RAY_RAYLET_PID": str(raylet.pid)}
    command = [sys.executable, "-c", TEMPLATE, str(folder), str(tmp_path)]
    assert subprocess.run(command, env=environment, timeout=PATIENCE).returncode == 0
    assert not folder.exists()


def test_where_the_template_has_died_a_launcher_becomes_python(setting):
    setting.template.kill()
    setting.template.wait()
    long_ago = time.time() - launcher.SECONDS_TO_LISTEN  # so that nobody waits for it any more
    os.utime(setting.folder / launcher.STARTED, (long_ago, long_ago))
    assert setting.told(setting.file(TELL))["parent"] == os.getpid()


def test_a_launcher_that_was_told_of_a_fork_starts_no_second_process(monkeypatch):
    ours, theirs = socket.socketpair()
    theirs.sendall(launcher.FORKED)
    monkeypatch.setattr(launcher, "start_template", lambda folder: None)
    monkeypatch.setattr(launcher, "connect", lambda folder: Resets(fileno=ours.detach()))
    monkeypatch.setattr(socket, "send_fds", lambda *arguments: None)
    assert launcher.run_in_fork("a folder", ["a/file.py"]) == 1
    theirs.close()


class Resets(socket.socket):
    """A connection that breaks after the template's answer."""

    def recv(self, size):
        if size > 1:
            raise ConnectionResetError
        return super().recv(size)


@pytest.fixture
def template():
    """A template in this process, whose raylet is this process too."""
    with socket.socket(socket.AF_UNIX) as listener:
        template = Template(listener, os.pidfd_open(os.getpid()))
        yield template
        template.selector.close()
        os.close(template.raylet)


@pytest.mark.parametrize("has_left", [False, True])
def test_there_is_no_fork_for_a_launcher_that_has_become_python_in_the_meantime(template, monkeypatch, has_left):
    asked = []
    monkeypatch.setattr(os, "fork", lambda: asked.append(1) or 0)  # 0: what a fork sees
    monkeypatch.setattr(template, "_close", lambda: None)
    ours, theirs = socket.socketpair()
    process = {"arguments": ["a/file.py"], "environment": dict(os.environ), "folder": "/", "descriptors": []}
    message = json.dumps(process).encode()
    theirs.sendall(len(message).to_bytes(launcher.LENGTH_BYTES, "big") + message)
    if has_left:
        theirs.close()
    assert (template._answer(ours) is None) == has_left
    assert asked == ([] if has_left else [1])
    theirs.close()


def test_what_is_no_request_does_not_end_the_template(setting):
    for message in (b"", b"\0\0\0\5{not}", b"\0\0\0\2{}"):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(setting.folder / launcher.SOCKET))
            connection.sendall(message)
    assert setting.told(setting.file(TELL))["parent"] == setting.template.pid
