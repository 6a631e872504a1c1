"""What tests of error correction share: a vocabulary of words, a stand-in for the policy's server, one worker's run."""

import asyncio
import types

from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from recipe.edge_grpo.correction.draws import DrawPlace
from recipe.edge_grpo.correction.record import read_record
from recipe.edge_grpo.settings.block import parse_settings
from recipe.edge_grpo.settings.choices import Strategy

WORDS = "<unk> <eos> <end> <pad> Q wrong right Wait answer: 42 43 so secret 2 a"
UNK, EOS, END, PAD, Q, WRONG, RIGHT, WAIT, ANSWER, N42, N43, SO, SECRET, TWO, A = range(15)
RESPONSE_LENGTH = 8
PROMPT_LENGTH = 6
GROUP_SIZE = 8

FIRST = 100
"""First token of the response of session 0 in `group`; that of session 1 starts with the next, and so on."""
PLACE = DrawPlace(seed=0, global_step=3, dataset_index=5)
"""Where `run_prompt` samples by default."""
REFLECTION = {"reflection": 1 - 1e-6, "answer": 1e-6, "solution": 0.0, "hint": 0.0}
"""Reflection is drawn for every response, and the answer is allowed as a sure correction."""


def word_tokenizer():
    """A tokenizer whose tokens are the words above, by their places."""
    vocabulary = {word: number for number, word in enumerate(WORDS.split())}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    words = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>", pad_token="<pad>", unk_token="<unk>")
    words.chat_template = "Q {{ messages[-1].content }}"  # `Q 2` of the message `2`
    return words


def settings(only=None, **gec):
    """Settings of which `only` is the strategy always drawn; the paper's probabilities otherwise."""
    shares = {"reflection": 0.5, "answer": 0.25, "solution": 0.25, "hint": 0.0}
    if only is not None:
        shares = {strategy.value: float(strategy == only) for strategy in Strategy}
    return parse_settings(
        {
            "seed": 0,
            "seeds_responses": True,
            "replay_poll_seconds": 2.0,
            "reliability": True,
            "stall_seconds": None,
            "max_lost_fraction": None,
            "comparator": None,
            "eda": {"enabled": True, "clip": None, "entropy": "exact", "tokens": "response", "mean": "group"},
            "gec": {
                "enabled": True,
                "scope": "response",
                "corrects_mixed_groups": True,
                "solution_in_every_group": False,
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
                "hint_shares": [0.5, 1.0],
                "hint_text": " {hint}",
                "hint_prompt": "hinted",
                "injected_loss": "train",
                "injected_weight": None,
                "failed_prefix_loss": {"answer": "train", "reflection": "train"},
                "failed_prefix_weight": None,
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

    async def generate(self, *, request_id, prompt_ids, sampling_params, **arguments):
        from verl.workers.rollout.replica import TokenOutput

        self.requests.append(
            types.SimpleNamespace(
                id=request_id, prompt_ids=prompt_ids, sampling_params=sampling_params, arguments=arguments
            )
        )
        if self.error is not None:
            raise self.error
        ids = self.ids[: sampling_params.get("max_tokens")]
        return TokenOutput(
            token_ids=ids,
            log_probs=[-0.5] * len(ids) if self.log_probs else None,
            extra_fields=self.extra_fields,
        )


class Run:
    """One worker and what happened in it."""

    def __init__(self, worker, policy, statuses):
        self.worker, self.policy, self.statuses = worker, policy, statuses
        self.first_pass_server = Policy(EOS)
        self.first_pass_arguments = {}
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


async def let_all_run():
    """Until every task waits for something that only the test can bring about."""
    for _ in range(100):
        await asyncio.sleep(0)


def is_right(output):
    return RIGHT in output.response_ids or N42 in output.response_ids


def records(stored):
    return {session: read_record(output.extra_fields) for session, output in stored.items()}
