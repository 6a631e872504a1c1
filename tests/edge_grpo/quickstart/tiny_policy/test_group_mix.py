"""How sampled groups are sorted by their correctness."""

import pytest
import torch
from transformers import AutoModelForCausalLM

from recipe.edge_grpo.quickstart.tiny_policy.build import read_problems
from recipe.edge_grpo.quickstart.tiny_policy.group_mix import GroupSampling, measure_group_mix


class ScriptedModel:
    """Generates the responses of a script instead of sampling: one list of texts for each prompt."""

    def __init__(self, tokenizer, script):
        self.tokenizer, self.responses = tokenizer, [response for group in script for response in group]

    def generate(self, input_ids, num_return_sequences, **kwargs):
        assert len(self.responses) == len(input_ids) * num_return_sequences
        encoded = [self.tokenizer.encode(response) for response in self.responses]
        length = max(map(len, encoded))
        padded = torch.tensor([ids + [self.tokenizer.pad_token_id] * (length - len(ids)) for ids in encoded])
        return torch.cat([input_ids.repeat_interleave(num_return_sequences, dim=0), padded], dim=1)


def test_groups_are_sorted_by_their_correctness(tokenizer):
    right, wrong, unfinished = r"\boxed{2}.<|im_end|>", r"\boxed{3}.<|im_end|>", r"\boxed{3}. Wait!"
    script = [[right, right], [right, wrong], [wrong, unfinished], [wrong, r"\boxed{2}. \boxed{3}.<|im_end|>"]]
    problems = [(f"What is {number}?", "2") for number in range(4)]
    mix = measure_group_mix(ScriptedModel(tokenizer, script), tokenizer, problems, GroupSampling(group_size=2))
    # Groups: one all right, one mixed, two all wrong. Responses: 3 of 8 right; 7 of 8 end their turn.
    assert (mix.all_correct, mix.mixed, mix.all_wrong) == (0.25, 0.25, 0.5)
    assert (mix.accuracy, mix.finished) == (0.375, 0.875)
    lengths = [len(tokenizer.encode(response)) for response in (right, wrong, unfinished, script[3][1])]
    # right occurs 3 times, wrong 3 times, the other two once; the unfinished one is as long as the padded batch.
    longest = max(lengths)
    assert mix.mean_length == pytest.approx((3 * lengths[0] + 3 * lengths[1] + longest + lengths[3]) / 8)


@pytest.mark.slow
def test_a_real_model_is_sampled_in_groups_and_reproducibly(model_dir, tokenizer, data_dir, monkeypatch):
    model = AutoModelForCausalLM.from_pretrained(model_dir)
    problems = read_problems(data_dir / "test.parquet")
    generate, outputs = model.generate, []

    def generate_and_record(*arguments, **options):
        outputs.append(generate(*arguments, **options))
        return outputs[-1]

    monkeypatch.setattr(model, "generate", generate_and_record)
    for seed in (0, 0, 1):
        sampling = GroupSampling(group_size=2, max_response_length=5, seed=seed)
        mix = measure_group_mix(model, tokenizer, problems, sampling)
        assert mix.mean_length <= 5
        assert mix.all_wrong + mix.mixed + mix.all_correct == pytest.approx(1)
    first, again, other = outputs
    assert len(first) == 2 * len(problems)
    assert torch.equal(first, again)
    assert first.shape != other.shape or not torch.equal(first, other)


def test_no_problems_cannot_be_measured(tokenizer):
    with pytest.raises(ValueError, match="at least one problem"):
        measure_group_mix(None, tokenizer, [])
