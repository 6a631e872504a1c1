"""Error correction while sampling, in verl's own agent-loop worker without Ray.

Stubbed is only what costs an accelerator or an actor: the policy's server (`llm_client.generate`) and the reward
workers (`_compute_score`). verl's storing (`_agent_loop_postprocess`), its queue and running of an agent loop are
replaced by recorders; verl's `_run_prompt`, which starts the sessions of a prompt, is the real one.
"""

import asyncio
import json
import types

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from recipe.edge_grpo.correction.corrector import ErrorCorrector
from recipe.edge_grpo.correction.record import read_record
from recipe.edge_grpo.correction.strategies import CorrectionComposer
from recipe.edge_grpo.correction.tokens import Strategy
from recipe.edge_grpo.settings.block import parse_settings

WORDS = "<unk> <eos> <end> <pad> Q wrong right Wait answer: 42 43 so secret 2 a"
# Each test file that needs them repeats these names, because it cannot import them from here.
UNK, EOS, END, PAD, Q, WRONG, RIGHT, WAIT, ANSWER, N42, N43, SO, SECRET, TWO, A = range(15)
RESPONSE_LENGTH = 8
GROUP_SIZE = 8


@pytest.fixture(scope="session")
def tokenizer():
    vocabulary = {word: number for number, word in enumerate(WORDS.split())}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>", pad_token="<pad>", unk_token="<unk>")


def settings(only=None, **gec):
    """Settings of which `only` is the strategy always drawn; the paper's probabilities otherwise."""
    shares = {"reflection": 0.5, "answer": 0.25, "solution": 0.25}
    if only is not None:
        shares = {strategy.value: float(strategy == only) for strategy in Strategy}
    return parse_settings(
        {
            "seed": 0,
            "replay_poll_seconds": 2.0,
            "stall_seconds": None,
            "eda": {"enabled": True, "clip": None, "entropy": "exact", "tokens": "response", "mean": "group"},
            "gec": {
                "enabled": True,
                "scope": "response",
                "corrects_mixed_groups": True,
                "schedule": "fixed",
                "probabilities": shares,
                "failed": "accuracy",
                "corrects_truncated": True,
                "reflection_texts": [" Wait"],
                "reflection_rounds": 1,
                "answer_text": " Wait answer: {answer}",
                "max_new_tokens": 256,
                "token_budget": None,
                "time_limit_seconds": None,
                "first_pass_max_tokens": None,
                "max_prompt_tokens": None,
                "long_solution": "skip",
                "injected_loss": "train",
                "injected_weight": None,
                "accuracy_key": "acc",
                "format_key": "format",
            }
            | gec,
        }
    )


class Policy:
    """Stands for the policy's server: continues with fixed tokens and remembers what it was asked."""

    def __init__(self, *ids, log_probs=True, error=None, extra_fields=None):
        self.ids, self.log_probs, self.error, self.extra_fields = list(ids), log_probs, error, extra_fields or {}
        self.requests = []

    async def generate(self, *, request_id, prompt_ids, sampling_params):
        from verl.workers.rollout.replica import TokenOutput

        self.requests.append(
            types.SimpleNamespace(id=request_id, prompt_ids=prompt_ids, sampling_params=sampling_params)
        )
        if self.error is not None:
            raise self.error
        ids = self.ids[: sampling_params["max_tokens"]]
        return TokenOutput(
            token_ids=ids,
            log_probs=[-0.5] * len(ids) if self.log_probs else None,
            extra_fields=self.extra_fields,
        )


@pytest.fixture(scope="session")
def policy():
    """policy(*ids): a server that continues with these tokens."""
    return Policy


class Run:
    """One worker and what happened in it."""

    def __init__(self, worker, policy, statuses):
        self.worker, self.policy, self.statuses = worker, policy, statuses
        self.stored = None
        self.first_passes = {}
        self.stored_sessions = {}
        self.scored = []
        self.first_pass_params = None

    def sample(self, output, *, validate=False, sampling_params=None, session=0, index=5, global_steps=3, **row):
        """Let the agent loop return `output` for a row of the dataset; returns what reaches verl's storing."""
        row = {
            "uid": "u",
            "session_id": session,
            "index": index,
            "global_steps": global_steps,
            "reward_model": {"ground_truth": "42"},
            "extra_info": {"solution": "secret so 42"},
        } | row
        self.agent_loop_output = output
        trajectory = {"validate": validate, "step": global_steps, "sample_index": index, "rollout_n": session}
        params = {"temperature": 0.6, "top_p": 0.9, "logprobs": True} if sampling_params is None else sampling_params
        asyncio.run(self.worker._run_agent_loop(params, trajectory, agent_name="single_turn_agent", **row))
        return self.stored

    async def run_prompt(self, first_passes, *, validate=False, uid="u", index=5, global_steps=3, **row):
        """Let verl sample a group; returns {session: what reached verl's storing}.

        A first pass is a response, an exception that the agent loop raises, or an async function without arguments that
        returns a response.
        """
        self.first_passes[uid], self.stored_sessions[uid], self.statuses[uid] = first_passes, {}, []
        prompt = {
            "uid": uid,
            "agent_name": "single_turn_agent",
            "index": index,
            "global_steps": global_steps,
            "reward_model": {"ground_truth": "42"},
            "extra_info": {"solution": "secret so 42"},
        } | row
        if len(first_passes) != self.worker.rollout_config.n:
            prompt["__rollout_n__"] = len(first_passes)
        trajectory = {"validate": validate, "step": global_steps, "sample_index": index, "rollout_n": 0}
        await self.worker._run_prompt(prompt, {"temperature": 0.6, "logprobs": True}, trajectory)
        return self.stored_sessions[uid]

    def sample_group(self, first_passes, **prompt):
        """`run_prompt` to its end; a group that waits for ever fails."""
        return asyncio.run(asyncio.wait_for(self.run_prompt(first_passes, **prompt), 20))

    async def first_pass_of(self, row):
        """What the agent loop returns, or raises, for one session."""
        if row["uid"] not in self.first_passes:
            return self.agent_loop_output
        first_pass = self.first_passes[row["uid"]][row["session_id"]]
        if isinstance(first_pass, BaseException):
            raise first_pass
        return await first_pass() if callable(first_pass) else first_pass

    @property
    def record(self):
        return read_record(self.stored.extra_fields)


@pytest.fixture
def start(monkeypatch, tokenizer):
    """start(strategy, policy, **gec): a worker without Ray, over recorders instead of verl's storing and agent loops.

    Without a strategy it draws one; `gec` are settings of error correction. The reward function reports the
    `verify_statuses` one after the other, and none after the last; and `format_score(response_ids)` where given.
    """
    from verl.trainer.ppo.v1 import agent_loop_tq
    from verl.trainer.ppo.v1.agent_loop_tq import AgentLoopWorkerTQ

    from recipe.edge_grpo.correction.rollout import EdgeGRPOAgentLoopWorker

    verls_worker = AgentLoopWorkerTQ.__ray_actor_class__
    runs, statuses = {}, {}

    async def run_agent_loop(worker, sampling_params, trajectory, **row):
        run = runs[id(worker)]
        run.first_pass_params = sampling_params
        await asyncio.sleep(0)  # sampling takes time: other sessions start meanwhile
        output = await run.first_pass_of(row)
        return await worker._agent_loop_postprocess(output, trajectory["validate"], **row)

    async def agent_loop_postprocess(worker, output, validate, **row):
        await worker._compute_score(output if isinstance(output, list) else [output], kwargs=row)
        run = runs[id(worker)]
        run.stored = output
        run.stored_sessions.setdefault(row["uid"], {})[row["session_id"]] = output

    async def put_status(key, partition_id, tag):
        statuses.setdefault(key, []).append(tag["status"])

    monkeypatch.setattr(verls_worker, "_run_agent_loop", run_agent_loop)
    monkeypatch.setattr(verls_worker, "_agent_loop_postprocess", agent_loop_postprocess)
    monkeypatch.setattr(agent_loop_tq.tq, "async_kv_put", put_status)

    def start(
        strategy=None,
        policy=None,
        reports_accuracy=True,
        verify_statuses=(),
        keeps_first_pass_text=False,
        format_score=None,
        response_length=RESPONSE_LENGTH,
        group_size=GROUP_SIZE,
        **gec,
    ):
        worker = object.__new__(EdgeGRPOAgentLoopWorker)
        verify_statuses = list(verify_statuses)
        run = runs[id(worker)] = Run(worker, policy or Policy(), statuses)

        async def compute_score(outputs, kwargs):
            """As verl's: only what has no score is scored."""
            output = outputs[-1]
            if output.reward_score is None:
                await asyncio.sleep(0)  # scoring takes time as well
                run.scored.append((list(output.response_ids), json.dumps(output.extra_fields)))
                accuracy = float(RIGHT in output.response_ids or N42 in output.response_ids)
                output.reward_score = accuracy + 0.25  # a reward that is not the accuracy
                reported = {"acc": accuracy} if reports_accuracy else {}
                if format_score is not None:
                    reported["format"] = format_score(output.response_ids)
                if verify_statuses:
                    reported["verify_status"] = verify_statuses.pop(0)
                output.extra_fields["reward_extra_info"] = reported

        worker.edge_grpo_settings = settings(strategy, **gec)
        worker.rollout_config = types.SimpleNamespace(
            response_length=response_length, n=group_size, val_kwargs=types.SimpleNamespace(n=group_size)
        )
        worker.config = types.SimpleNamespace(actor_rollout_ref=types.SimpleNamespace(rollout=worker.rollout_config))
        worker._compute_score = compute_score
        worker.corrector = ErrorCorrector(
            worker.edge_grpo_settings,
            group_size,
            CorrectionComposer(worker.edge_grpo_settings.gec, tokenizer, frozenset((EOS, END)), response_length),
            run.policy,
            lambda output, row: worker._compute_score([output], kwargs=row),
            keeps_first_pass_text=keeps_first_pass_text,
        )
        return run

    return start


@pytest.fixture(scope="session")
def response():
    """response(*ids): what verl's agent loop returns for a prompt."""
    from verl.experimental.agent_loop import AgentLoopOutput

    def response(*ids, prompt=(Q, TWO), log_probs=True, mask=None, **fields):
        return AgentLoopOutput(
            prompt_ids=list(prompt),
            response_ids=list(ids),
            response_mask=list(mask or [1] * len(ids)),
            response_logprobs=[-float(token_id) for token_id in ids] if log_probs else None,
            num_turns=2,
            metrics={},
            **{"extra_fields": {"turn_scores": []}} | fields,
        )

    return response
