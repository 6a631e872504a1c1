"""Rows of the datasets that keep the problem in a chat, as their cards describe them."""

from support.problems_as_published import Problem, WordProblem
from support.published_columns import gsm8k
from support.published_rows import PublishedRow, thinking, user

VERL_GSM8K = 'Let\'s think step by step and output the final answer after "####".'
VERL_MATH = "Let's think step by step and output the final answer within \\boxed{}."
DAPO_BEFORE = (
    "Solve the following math problem step by step. The last line of your response should be of the form Answer: "
    "$Answer (without quotes) where $Answer is the answer to the problem.\n\n"
)
DAPO_BEHIND = '\n\nRemember to put your answer on its own line after "Answer:".'
LUFFY_SYSTEM = (
    "Your task is to follow a systematic, thorough reasoning process before providing the final solution. This "
    "involves analyzing, summarizing, exploring, reassessing, and refining your thought process through multiple "
    "iterations. Structure your response into two sections: Thought and Solution."
)


def dapo(index: int, item: Problem) -> PublishedRow:
    record = {
        "data_source": "math_dapo",
        "prompt": user(DAPO_BEFORE + item.problem.strip() + DAPO_BEHIND),
        "ability": "MATH",
        "reward_model": {"ground_truth": item.gold, "style": "rule-lighteval/MATH_v2"},
        "extra_info": {"index": f"9a9b6eb4-a1cb-49d1-8c1e-62eaf2f7{index:04}"},
    }
    return PublishedRow(record, item.problem.strip(), (item.gold,))


def dapo_processed(index: int, item: Problem) -> PublishedRow:
    source = dapo(index, item).record
    record = {**source, "prompt": item.problem, "solution": item.gold, "source_prompt": source["prompt"]}
    return PublishedRow(record, item.problem, (item.gold,))


def orz(index: int, item: Problem) -> PublishedRow:
    record = {
        "0": {"from": "human", "value": item.problem},
        "1": {"from": "assistant", "ground_truth": {"value": item.gold}},
    }
    return PublishedRow(record, item.problem, (item.gold,))


def skywork(index: int, item: Problem) -> PublishedRow:
    escaped = item.gold.replace("\\", "\\\\")
    record = {
        "data_source": "train-math-numinamath1.5_olympiads",
        "prompt": user(item.problem),
        "ability": "math",
        "reward_model": {"ground_truth": f'["{escaped}"]', "style": "rule"},
        "extra_info": {
            "index": index,
            "model_difficulty": {f"DeepSeek-R1-Distill-Qwen-{size}B": index % 17 for size in ("1.5", "7", "32")},
        },
    }
    return PublishedRow(record, item.problem, (item.gold,))


def luffy(index: int, item: Problem) -> PublishedRow:
    record = {
        "data_source": "openr1",
        "prompt": [{"content": LUFFY_SYSTEM, "role": "system"}, {"content": item.problem, "role": "user"}],
        "target": [{"content": thinking(item), "role": "assistant"}],
        "ability": "math",
        "reward_model": {"ground_truth": item.gold, "style": "rule"},
        "extra_info": {"index": index, "split": "default"},
    }
    return PublishedRow(record, item.problem, (item.gold,), item.solution)


def verl_gsm8k(index: int, item: WordProblem) -> PublishedRow:
    answer = f"{item.rationale}\n#### {item.written}"
    record = {
        "data_source": "openai/gsm8k",
        "prompt": user(f"{item.question} {VERL_GSM8K}"),
        "ability": "math",
        "reward_model": {"style": "rule", "ground_truth": f"#### {item.written}" if index % 4 == 3 else item.gold},
        "extra_info": {"split": "train", "index": index, "answer": answer, "question": item.question},
    }
    return PublishedRow(record, item.question, (item.gold,), gsm8k(index, item).solution)


def verl_math(index: int, item: Problem) -> PublishedRow:
    record = {
        "data_source": "DigitalLearningGmbH/MATH-lighteval",
        "prompt": user(f"{item.problem} {VERL_MATH}"),
        "ability": "math",
        "reward_model": {"style": "rule", "ground_truth": f"\\boxed{{{item.gold}}}" if index % 2 else item.gold},
        "extra_info": {"split": "test", "index": index},
    }
    return PublishedRow(record, item.problem.rstrip(), (item.gold,))


def own_verl(index: int, item: Problem) -> PublishedRow:
    record = {
        "data_source": "deepscaler",
        "prompt": user(item.problem),
        "ability": "math",
        "reward_model": {"style": "rule", "ground_truth": [item.gold, "or so"]},
        "extra_info": {"index": index, "solution": item.solution, "split": "train", "correctness_rate": 0.5},
    }
    return PublishedRow(record, item.problem, (item.gold, "or so"), item.solution, correctness_rate=0.5)


def messages(index: int, item: Problem) -> PublishedRow:
    system = [{"role": "system", "content": "Think first."}] if index % 2 else []
    record = {"messages": [*system, *user(item.problem), {"role": "assistant", "content": thinking(item)}]}
    return PublishedRow(record, item.problem, (item.gold,), item.solution)


def open_thoughts(index: int, item: Problem) -> PublishedRow:
    reply = (
        f"<|begin_of_thought|>\n\n{item.working} \\boxed{{1}}?\n\n<|end_of_thought|>\n\n"
        f"<|begin_of_solution|>\n\n{item.solution}\n\n<|end_of_solution|>"
    )
    question = f"Return your final response within \\boxed{{}}. {item.problem}"
    chat = [{"from": "user", "value": question}, {"from": "assistant", "value": reply}]
    return PublishedRow({"system": "Think long.", "conversations": chat}, item.problem, (item.gold,), item.solution)
