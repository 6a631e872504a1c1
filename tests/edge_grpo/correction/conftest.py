"""Error correction while sampling, in verl's own agent-loop worker without Ray.

Stubbed is only what costs an accelerator or an actor: the policy's server (`llm_client.generate`) and the reward
workers (`_compute_score`). verl's storing (`_agent_loop_postprocess`), its queue and running of an agent loop are
replaced by recorders; verl's `_run_prompt`, which starts the sessions of a prompt, is the real one.
"""

import asyncio
import json
import types

import pytest
from support.error_correction import (
    END,
    EOS,
    GROUP_SIZE,
    N42,
    PROMPT_LENGTH,
    RESPONSE_LENGTH,
    RIGHT,
    TWO,
    Policy,
    Q,
    Run,
    settings,
    word_tokenizer,
)

from recipe.edge_grpo.correction.corrector import ErrorCorrector
from recipe.edge_grpo.correction.hinted_prompts import HintedPrompts
from recipe.edge_grpo.correction.sampling import NotingClient
from recipe.edge_grpo.correction.sessions import SessionCounts
from recipe.edge_grpo.correction.strategies import Strategies


@pytest.fixture(scope="session")
def tokenizer():
    return word_tokenizer()


@pytest.fixture(scope="session")
def policy():
    """policy(*ids): a server that continues with these tokens."""
    return Policy


@pytest.fixture
def start(monkeypatch, tokenizer):
    """start(strategy, policy, **gec): a worker without Ray, over recorders instead of verl's storing and agent loops.

    Without a strategy it draws one; `gec` are settings of error correction. The reward function reports the
    `verify_statuses` one after the other, and none after the last; and `format_score(response_ids)` where given. It
    raises for what is scored when `raises_when(number of the scoring)` is true.
    """
    from verl.trainer.ppo.v1 import agent_loop_tq
    from verl.trainer.ppo.v1.agent_loop_tq import AgentLoopWorkerTQ

    from recipe.edge_grpo.correction.rollout import EdgeGRPOAgentLoopWorker

    verls_worker = AgentLoopWorkerTQ.__ray_actor_class__
    runs, statuses = {}, {}

    async def run_agent_loop(worker, sampling_params, trajectory, **row):
        run = runs[id(worker)]
        run.first_pass_params = sampling_params
        if run.first_pass_arguments is not None:
            request = {"prompt_ids": [Q, TWO], "sampling_params": sampling_params, **run.first_pass_arguments}
            await worker.llm_client.generate(request_id=f"of session {row['session_id']}", **request)
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
        raises_when=lambda number: False,
        response_length=RESPONSE_LENGTH,
        prompt_length=PROMPT_LENGTH,
        group_size=GROUP_SIZE,
        seeds_responses=False,
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
                if raises_when(len(run.scored)):
                    raise ZeroDivisionError("a reward of the user's own")
                accuracy = float(RIGHT in output.response_ids or N42 in output.response_ids)
                output.reward_score = accuracy + 0.25  # a reward that is not the accuracy
                reported = {"acc": accuracy} if reports_accuracy else {}
                if format_score is not None:
                    reported["format"] = format_score(output.response_ids)
                if verify_statuses:
                    reported["verify_status"] = verify_statuses.pop(0)
                output.extra_fields["reward_extra_info"] = reported

        worker.edge_grpo_settings = settings(strategy, **gec)
        worker.sessions = {False: SessionCounts(), True: SessionCounts()}
        worker.rollout_config = types.SimpleNamespace(
            response_length=response_length, n=group_size, val_kwargs=types.SimpleNamespace(n=group_size)
        )
        worker.config = types.SimpleNamespace(
            actor_rollout_ref=types.SimpleNamespace(rollout=worker.rollout_config), data={}
        )
        worker.tokenizer = tokenizer
        worker.should_seed = seeds_responses
        worker.llm_client = NotingClient(run.first_pass_server)
        worker._compute_score = compute_score
        worker.corrector = ErrorCorrector(
            worker.edge_grpo_settings,
            Strategies(worker.edge_grpo_settings, tokenizer, frozenset((EOS, END)), response_length),
            HintedPrompts(worker.edge_grpo_settings.gec, worker._encode_messages, prompt_length, response_length),
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
