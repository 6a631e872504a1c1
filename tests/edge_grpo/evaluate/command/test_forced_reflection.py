"""Continuations of wrong first passes."""

import json

from data_prep.sampling.engine import Sample


def test_wrong_first_passes_are_continued_after_every_text(run, scripted_sampler, read_responses, tokenizer):
    sampler = scripted_sampler(lambda request: r"\boxed{7}" if request.seed % 3 else r"\boxed{1}")
    folder = run(sampler, "--reflection-texts", " Wait!", "--max-reflection-tokens", "11")
    responses = read_responses(folder / "responses.parquet")
    wrong = [each for each in responses if each.reflection_text is None and not each.is_correct]
    continued = [each for each in responses if each.reflection_text == " Wait!"]
    assert wrong
    assert {each.key._replace(reflection_text=None) for each in continued} == {each.key for each in wrong}
    assert all(each.response.startswith(r"\boxed{1} Wait!\boxed{") for each in continued)
    for request in sampler.requests[12:]:
        assert request.max_tokens == 11
        assert tokenizer.decode(request.prompt_token_ids).endswith("<|im_start|>assistant\n\\boxed{1} Wait!")
    assert sampler.is_closed


def test_without_a_text_the_papers_is_used_and_without_the_option_none(run, scripted_sampler, read_responses):
    texts = {
        each.reflection_text
        for each in read_responses(run(scripted_sampler(), "--reflection-texts") / "responses.parquet")
    }
    assert texts == {None, " Wait! Something is wrong here."}
    without = read_responses(run(scripted_sampler(), name="without") / "responses.parquet")
    assert {each.reflection_text for each in without} == {None}


def truncated(request):
    """A response that is as long as it may be."""
    return Sample((9,) * request.max_tokens, "no box", "length", None)


def test_no_room_for_a_continuation_leaves_it_out(run, scripted_sampler):
    sampler = scripted_sampler()
    sampler._sample = truncated
    folder = run(sampler, "--max-tokens", "5000", "--reflection-texts")
    results = json.loads((folder / "results.json").read_text())["temperatures"][0]
    assert results["reflection"]["forced"] == {"num_wrong_first_passes": 12}
    assert results["benchmarks"]["amc"]["truncated_fraction"] == 1


def test_the_engine_has_room_for_every_request_and_no_more(run, scripted_sampler):
    sampler = scripted_sampler()
    sampler._sample = truncated
    run(sampler, "--max-tokens", "6", "--reflection-texts", " Wait!", "--max-reflection-tokens", "11")
    lengths = [len(request.prompt_token_ids) + request.max_tokens for request in sampler.requests]
    assert len(lengths) == 2 * 12
    assert [settings.max_model_len for settings in sampler.settings] == [max(lengths)]
