"""Rows of the datasets that keep problem and answer in columns of their own, as their cards describe them."""

from typing import Any

from support.problems_as_published import Problem, WordProblem
from support.published_rows import PublishedRow, thinking, user


def gsm8k(index: int, item: WordProblem) -> PublishedRow:
    record = {"question": item.question, "answer": f"{item.rationale}\n#### {item.written}"}
    solution = f"{item.clean}\nThe final answer is \\boxed{{{item.gold}}}"
    return PublishedRow(record, item.question, (item.gold,), solution)


def math(index: int, item: Problem) -> PublishedRow:
    record = {"problem": item.problem, "level": f"Level {index % 5 + 1}", "type": "Algebra", "solution": item.solution}
    return PublishedRow(record, item.problem, (item.gold,), item.solution)


def deepscaler(index: int, item: Problem) -> PublishedRow:
    solution = "" if index % 6 == 5 else item.solution  # A tenth of the real ones have none.
    return PublishedRow(
        {"problem": item.problem, "answer": item.gold, "solution": solution}, item.problem, (item.gold,), solution
    )


def hard_1k(index: int, item: Problem) -> PublishedRow:
    rate = (index % 2) / 8
    record = {"problem": item.problem, "answer": item.gold, "correctness_rate": rate, "solution": item.solution}
    return PublishedRow(record, item.problem, (item.gold,), item.solution, correctness_rate=rate)


def openr1(index: int, item: Problem) -> PublishedRow:
    wrong, right = "<think>\nPerhaps.\n</think>\n\nIt is \\boxed{17}.", thinking(item)
    lists: dict[str, Any] = {
        "is_reasoning_complete": [True, True],
        "generations": [wrong, right],
        "correctness_math_verify": [False, True],
        "correctness_llama": None,
        "finish_reasons": None,
    }
    solution = item.solution
    if index % 4 == 1:  # Those that Math-Verify could not read were judged by Llama.
        lists |= {"correctness_math_verify": None, "correctness_llama": [False, True]}
    if index % 4 == 2:  # None is correct: the one of the book.
        lists |= {"correctness_math_verify": [False, False]}
        solution = f"From the book. {item.solution}"
    if index % 4 == 3:  # The first correct one was cut off.
        cut = "<think>\nSo it is \\boxed{" + item.gold + "}, but"
        lists |= {"generations": [cut, right], "correctness_math_verify": [True, True]}
        lists |= {"is_reasoning_complete": [False, True], "finish_reasons": ["length", "stop"]}
    record = {
        "problem": item.problem,
        "solution": f"From the book. {item.solution}",
        "answer": item.gold,
        "problem_type": "Algebra",
        "question_type": "math-word-problem",
        "source": "olympiads",
        "uuid": f"586fd646-76d6-5070-8c81-{index:012}",
        **lists,
        "correctness_count": 1,
        "messages": [*user(item.problem), {"role": "assistant", "content": right}],
    }
    return PublishedRow(record, item.problem, (item.gold,), solution)


def numina_cot(index: int, item: Problem) -> PublishedRow:
    chat = [*user(item.problem), {"role": "assistant", "content": item.solution}]
    record = {"source": "cn_k12", "problem": item.problem, "solution": item.solution, "messages": chat}
    return PublishedRow(record, item.problem, (item.gold,), item.solution)


def numina_1_5(index: int, item: Problem) -> PublishedRow:
    is_solved = index % 5 != 4
    record = {
        "problem": item.problem,
        "solution": item.solution,
        "answer": item.gold,
        "problem_type": "Algebra",
        "question_type": "MCQ" if item.gold == "B" else "math-word-problem",
        "problem_is_valid": "Yes",
        "solution_is_valid": "Yes" if is_solved else "Incomplete",
        "source": "olympiads",
        "synthetic": False,
    }
    return PublishedRow(record, item.problem, (item.gold,), item.solution if is_solved else "")


def big_math(index: int, item: Problem) -> PublishedRow:
    rate = None if index % 7 == 6 else index / 32
    domain = ["Mathematics -> Algebra -> Other"]
    record = {"problem": item.problem, "answer": item.gold, "source": "orca_math", "domain": domain}
    return PublishedRow({**record, "llama8b_solve_rate": rate}, item.problem, (item.gold,), correctness_rate=rate)


def deepmath(index: int, item: Problem) -> PublishedRow:
    first = f"Okay, so. {item.working} Hmm.\n</think>\n\n{item.solution}"  # Its thoughts have no mark at the beginning.
    record = {
        "question": item.problem,
        "final_answer": item.gold,
        "difficulty": 4.5,
        "topic": "Mathematics -> Algebra",
        "r1_solution_1": "<think>\nOkay, and so on" if index % 3 == 2 else first,
        "r1_solution_2": thinking(item),
        "r1_solution_3": thinking(item),
    }
    return PublishedRow(record, item.problem, (item.gold,), item.solution)


def openmathreasoning(index: int, item: Problem) -> PublishedRow:
    mode, generation, solution = [
        ("cot", thinking(item), item.solution),
        ("tir", thinking(item), item.solution),
        ("genselect", "<think>\nThe second.\n</think>\nJudgment: 1", ""),
        ("n/a", "n/a", ""),
    ][index % 4]
    rate = "n/a" if index % 4 == 3 else f"{index / 32}"
    record = {
        "expected_answer": item.gold,
        "problem_type": "has_answer_extracted",
        "problem_source": "aops_c4_high_school_math",
        "generation_model": "n/a" if mode == "n/a" else "DeepSeek-R1",
        "pass_rate_72b_tir": rate,
        "problem": item.problem,
        "generated_solution": generation,
        "inference_mode": mode,
        "used_in_kaggle": index % 2 == 0,
    }
    expected_rate = None if rate == "n/a" else rate
    return PublishedRow(record, item.problem, (item.gold,), solution, correctness_rate=expected_rate)


def omni_math(index: int, item: Problem) -> PublishedRow:
    record = {
        "domain": ["Mathematics -> Algebra -> Other"],
        "difficulty": 3.5 + index % 4,
        "problem": item.problem,
        "solution": item.working,  # The real ones rarely have a box.
        "answer": item.gold,
        "source": "HMMT_2",
    }
    return PublishedRow(record, item.problem, (item.gold,), item.working)


def mmlu_pro(index: int, item: Problem) -> PublishedRow:
    others = [f"None of {number}" for number in range(3)]
    position = index % 4
    options = [*others[:position], item.gold, *others[position:]]
    letter = "ABCD"[position]
    accepted = (letter,) if item.gold == "B" else (letter, item.gold)
    lines = "".join(f"\n{mark}. {option}" for mark, option in zip("ABCD", options, strict=True))
    explanation = f"Let's think step by step. {item.working} The answer is ({letter})."
    record = {
        "question_id": 70 + index,
        "question": item.problem,
        "options": [*options, "N/A", "N/A"] if index % 2 else options,
        "answer": letter,
        "answer_index": position,
        "cot_content": f"A: {explanation}" if index % 3 == 0 else "",  # Those of split test have none.
        "category": "math",
        "src": "ori_mmlu-abstract_algebra",
    }
    solution = f"{explanation}\nThe final answer is \\boxed{{{letter}}}" if index % 3 == 0 else ""
    return PublishedRow(record, item.problem + lines, accepted, solution)
