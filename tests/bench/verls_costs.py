"""What verl spends on a response whatever the model: each of its large costs alone, without Ray, to be reproduced.

Every response instantiates its agent loop by Hydra, which merges the run's whole configuration; sends a batch of one
row to the reward worker, pickled; and is put into TransferQueue as a TensorDict.
"""

import pickle
import time
from collections.abc import Callable
from pathlib import Path

from measures import Row, Skipped

PART = "verl's own cost of a response"
NUM_CALLS, NUM_REPETITIONS = 20, 5


def measure(folder: Path, is_quick: bool) -> list[Row | Skipped]:
    """Measure in this process; returns a row for each."""
    return [
        Row(PART, what, [milliseconds(call) for _ in range(NUM_REPETITIONS)], unit="ms of CPU")
        for what, call in reproducers().items()
    ]


def reproducers() -> dict[str, Callable[[], object]]:
    """Return {what it does: a call that does it}, as verl does it for each response."""
    import hydra
    import torch
    import verl.trainer
    from tensordict import TensorDict
    from verl import DataProto
    from verl.experimental.agent_loop.agent_loop import DictConfigWrap
    from verl.utils.tensordict_utils import list_of_dict_to_tensordict

    folder = Path(verl.trainer.__file__).parent / "config"
    with hydra.initialize_config_dir(str(folder), version_base=None):
        config = hydra.compose("ppo_trainer")
    row = torch.arange(100).unsqueeze(0)
    names = ("prompts", "responses", "attention_mask", "input_ids", "position_ids")
    batch = DataProto(batch=TensorDict({name: row for name in names}, batch_size=1))
    field = {name: row[0] for name in names} | {"response_mask": [1] * 100, "extra_fields": {"turns": 2}}

    def instantiate() -> object:
        wrapped = {"trainer_config": DictConfigWrap(config=config), "data_config": DictConfigWrap(config.data)}
        return hydra.utils.instantiate(config={"_target_": "types.SimpleNamespace"}, **wrapped)

    return {
        "`hydra.utils.instantiate` with the run's configuration": instantiate,
        "a `DataProto` of one row, pickled and back": lambda: pickle.loads(pickle.dumps(batch)),
        "`list_of_dict_to_tensordict` of one response": lambda: list_of_dict_to_tensordict([field]),
    }


def milliseconds(call: Callable[[], object]) -> float:
    """Return the CPU time of one of several calls."""
    call()
    begin = time.process_time()
    for _ in range(NUM_CALLS):
        call()
    return (time.process_time() - begin) / NUM_CALLS * 1e3
