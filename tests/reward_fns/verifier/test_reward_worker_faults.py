"""verl's own reward worker, as a Ray actor, scores with this project's reward while its children are killed."""

import os
import time

import numpy as np
import psutil
import pytest
import torch

from reward_fns.equivalence.compare import compare_quickly

pytestmark = pytest.mark.process

NUM_CHILDREN = 10

# Answer and reference answer, the same if N is.
QUESTIONS = [
    (r"\det\begin{pmatrix}N\end{pmatrix}", "N"),
    (r"\det\begin{pmatrix}1&0\\0&N\end{pmatrix}", "N"),
]


@pytest.fixture(scope="module")
def tokenizer_folder(tmp_path_factory):
    """A tokenizer with a token for each byte, so that any text can be a response."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({token: number for number, token in enumerate(["<pad>", *alphabet])}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    folder = tmp_path_factory.mktemp("tokenizer")
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<pad>", pad_token="<pad>").save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def start_worker(tokenizer_folder):
    """start_worker(): the actor, configured as by the command line of a training run, and its process."""
    import ray
    from hydra import compose, initialize_config_module
    from verl.experimental.reward_loop.reward_loop import RewardLoopWorker, migrate_legacy_reward_impl

    overrides = [
        f"actor_rollout_ref.model.path={tokenizer_folder}",
        "reward.custom_reward_function.path=pkg://reward_fns.math_reward",
        "reward.custom_reward_function.name=compute_score",
    ]
    with initialize_config_module("verl.trainer.config", version_base=None):
        config = migrate_legacy_reward_impl(compose("ppo_trainer", overrides=overrides))

    def start_worker():
        actor = ray.remote(RewardLoopWorker).remote(config)
        return actor, psutil.Process(ray.get(actor.__ray_call__.remote(lambda _: os.getpid())))

    # Longer than in production, so that a busy test machine does not turn an honest comparison into a timeout.
    variables = {"REWARD_FNS_VERIFIER_CHILDREN": str(NUM_CHILDREN), "REWARD_FNS_VERIFIER_DEADLINE_SECONDS": "120"}
    options = {"include_dashboard": False, "log_to_driver": False, "configure_logging": False}
    ray.init(num_cpus=2, runtime_env={"env_vars": variables}, **options)
    try:
        yield start_worker
    finally:
        ray.shutdown()


@pytest.fixture(scope="module")
def worker(start_worker):
    return start_worker()


@pytest.fixture
def batch(tokenizer_folder):
    """batch(count): as many responses, of which every third is right, for verl; and the scores that they deserve."""
    from tensordict import TensorDict
    from transformers import AutoTokenizer
    from verl import DataProto

    tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder, padding_side="right")

    def batch(count):
        pairs = [QUESTIONS[number % len(QUESTIONS)] for number in range(count)]
        answers = [answer.replace("N", str(number)) for number, (answer, _) in enumerate(pairs)]
        golds = [gold.replace("N", str(number + number % 3)) for number, (_, gold) in enumerate(pairs)]
        # Not settled by text and arithmetic: each of them needs a child.
        assert not any(map(compare_quickly, answers, golds))
        encoded = tokenizer([rf"So it is \boxed{{{answer}}}." for answer in answers], padding=True, return_tensors="pt")
        prompts = torch.zeros(count, 1, dtype=torch.long)
        tensors = {
            "prompts": prompts,
            "responses": encoded["input_ids"],
            "attention_mask": torch.cat([prompts + 1, encoded["attention_mask"]], dim=1),
        }
        rows = {
            "data_source": ["test"] * count,
            "reward_model": [{"ground_truth": gold} for gold in golds],
            "extra_info": [{} for _ in golds],
        }
        columns = {name: np.array(column, dtype=object) for name, column in rows.items()}
        return DataProto(TensorDict(tensors, batch_size=count), columns), [float(not n % 3) for n in range(count)]

    return batch


def templates(process):
    return [child for child in process.children() if any("verifier/child.py" in part for part in child.cmdline())]


def workers(process):
    return [worker for template in templates(process) for worker in template.children()]


def everything(process):
    return templates(process) + workers(process)


def check(results, scores):
    assert [result["reward_score"] for result in results] == scores
    assert [result["reward_extra_info"] for result in results] == [
        {"score": score, "acc": score, "format": 1.0, "verify_status": "ok"} for score in scores
    ]


def test_every_response_gets_its_own_verdict(worker, batch):
    import ray

    actor, process = worker
    data, scores = batch(200)
    check(ray.get(actor.compute_score_batch.remote(data)), scores)
    assert len(templates(process)) == len(workers(process)) == NUM_CHILDREN


@pytest.mark.parametrize("victims", [workers, templates, everything])
def test_all_verifiers_killed_at_once_in_the_midst_of_a_batch_cost_no_verdict(worker, batch, victims):
    import ray

    actor, process = worker
    ray.get(actor.compute_score_batch.remote(batch(60)[0]))
    for _ in range(2):
        data, scores = batch(60)
        for verifier in workers(process):
            verifier.suspend()  # So that the batch cannot be finished before they are killed.
        pending = actor.compute_score_batch.remote(data)
        assert ray.wait([pending], timeout=1)[1] == [pending]
        killed = victims(process)
        assert len(killed) >= NUM_CHILDREN
        for verifier in killed:
            verifier.kill()
        check(ray.get(pending), scores)


def test_verifiers_killed_one_after_the_other_cost_no_verdict(worker, batch):
    import ray

    actor, process = worker
    data, scores = batch(600)
    pending = actor.compute_score_batch.remote(data)
    # No child is hit twice, because that may be a crash: a comparison is repeated once.
    for verifier in workers(process)[: NUM_CHILDREN // 2] + templates(process)[NUM_CHILDREN // 2 :]:
        verifier.kill()
        time.sleep(0.1)
    check(ray.get(pending), scores)


def test_a_reward_worker_that_is_killed_leaves_no_verifier(start_worker, batch):
    import ray

    actor, process = start_worker()
    ray.get(actor.compute_score_batch.remote(batch(60)[0]))
    pending = actor.compute_score_batch.remote(batch(600)[0])
    left = everything(process)
    assert len(left) == 2 * NUM_CHILDREN
    process.kill()
    with pytest.raises(ray.exceptions.RayActorError):
        ray.get(pending)
    assert psutil.wait_procs(left, timeout=60)[1] == []
