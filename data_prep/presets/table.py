"""The datasets whose columns are known: a table of where each keeps problem, answer and solution.

A new one is an entry of `PRESETS`, made of fields that name a column, or a path into one, and who reads it:

    prompts.py       the problem, out of a text or a chat, without instructions; images are refused
    choices.py       the problem with its options, for multiple choice
    answers.py       the answer, out of a solution, a chat or a list
    solutions.py     the solution, out of several or without thoughts
    gsm8k.py         both, as GSM8K writes them
    instructions.py  what `prompts.py` takes away from a problem
"""

from dataclasses import dataclass, replace

from data_prep.presets import answers, choices, gsm8k, prompts, solutions
from data_prep.presets.fields import Field
from data_prep.presets.instructions import BOX_INSTRUCTION
from data_prep.presets.paths import Record


@dataclass(frozen=True)
class Preset:
    """Where a dataset keeps its values, in one line what it is, and what is appended to its problems.

    `data_source` is what verl calls the rows: a text for all of them, or where each row has its own; None is the name
    of the file. Without `index`, rows are numbered when they are written.
    """

    described: str
    problem: Field
    answer: Field
    solution: Field | None = None
    correctness_rate: Field | None = None
    data_source: str | Field | None = None
    instruction: str = BOX_INSTRUCTION
    index: Field | None = None

    def read_at(self, field: str, path: str) -> "Preset":
        """Return a preset that finds a value at another place, and reads it there in the same way."""
        own: Field | None = getattr(self, field)
        placed = Field((path,)) if own is None else replace(own, paths=(path,), otherwise=None)
        return replace(self, **{field: placed})  # type: ignore[arg-type]

    def with_thinking(self) -> "Preset":
        """Return a preset that keeps the thoughts of a model in its solution."""
        return self if self.solution is None else replace(self, solution=self.solution.without_cleaning())


_PROBLEM = Field(("problem",), prompts.read_problem)
_PROMPT = Field(("prompt",), prompts.read_problem)
_ANSWER = Field(("answer",))
_SOLUTION = Field(("solution",))
_GROUND_TRUTH = Field(("reward_model.ground_truth",), answers.repair_gold)
_CHAT = ("messages", "conversations")

COLUMNS_PRESET = Preset(
    "problems of your own: columns problem, answer, and solution and correctness_rate if there are any",
    problem=_PROBLEM,
    answer=_ANSWER,
    solution=_SOLUTION,
    correctness_rate=Field(("correctness_rate",)),
)
"""What a dataset is read by where no preset is named."""

# The names of the rows are ours, not those on the hub: verl has graders of its own for some of those, such as one for
# openai/gsm8k that wants `####`.
PRESETS: dict[str, Preset] = {
    "gsm8k": Preset(
        "GSM8K (openai/gsm8k): the answer behind ####, the rationale as solution",
        problem=Field(("question",), prompts.read_problem),
        answer=Field(("answer",), gsm8k.read_after_hashes),
        solution=Field(("answer",), gsm8k.read_gsm8k_solution),
        data_source="gsm8k",
    ),
    "math": Preset(
        "MATH of Hendrycks et al. (DigitalLearningGmbH/MATH-lighteval): the answer in the last box of the solution",
        problem=_PROBLEM,
        answer=Field(("solution",), answers.read_last_box),
        solution=_SOLUTION,
        data_source="math",
    ),
    "deepscaler": Preset(
        "DeepScaleR (agentica-org/DeepScaleR-Preview-Dataset) and the paper's Hard-1K; no instruction, as in the paper",
        problem=_PROBLEM,
        answer=_ANSWER,
        solution=_SOLUTION,
        correctness_rate=Field(("correctness_rate",)),
        data_source="deepscaler",
        instruction="",
    ),
    "dapo": Preset(
        "DAPO-Math-17k (BytedTsinghua-SIA/DAPO-Math-17k, open-r1/DAPO-Math-17k-Processed), without its instructions",
        problem=_PROMPT,
        answer=replace(_GROUND_TRUTH, otherwise=_SOLUTION),
        data_source="dapo",
    ),
    "openr1": Preset(
        "OpenR1-Math-220k (open-r1/OpenR1-Math-220k): the first correct generation as solution, else the one of a book",
        problem=_PROBLEM,
        answer=_ANSWER,
        solution=Field(
            ("generations",), solutions.read_correct_generation, clean=solutions.without_thinking, otherwise=_SOLUTION
        ),
        data_source="openr1",
    ),
    "numina": Preset(
        "NuminaMath (AI-MO/NuminaMath-CoT, AI-MO/NuminaMath-1.5): the answer of the row, else in the last box",
        problem=Field(("problem",), prompts.read_valid_problem),
        answer=replace(_ANSWER, otherwise=Field(("solution",), answers.read_last_box)),
        solution=Field(("solution",), solutions.read_valid_solution),
        data_source="numina",
    ),
    "big_math": Preset(
        "Big-Math (SynthLabsAI/Big-Math-RL-Verified): the solve rate of Llama-3.1-8B as correctness rate; no solutions",
        problem=_PROBLEM,
        answer=_ANSWER,
        correctness_rate=Field(("llama8b_solve_rate",)),
        data_source="big_math",
    ),
    "deepmath": Preset(
        "DeepMath-103K (zwhe99/DeepMath-103K): the first solution of DeepSeek-R1 that has an end",
        problem=Field(("question",), prompts.read_problem),
        answer=Field(("final_answer",)),
        solution=Field(tuple(f"r1_solution_{number}" for number in (1, 2, 3)), clean=solutions.without_thinking),
        data_source="deepmath",
    ),
    "openmathreasoning": Preset(
        "OpenMathReasoning (nvidia/OpenMathReasoning): the pass rate of Qwen2.5-Math-72B as correctness rate",
        problem=_PROBLEM,
        answer=Field(("expected_answer",), answers.read_if_available),
        solution=Field(("generated_solution",), solutions.read_own_solution, clean=solutions.without_thinking),
        correctness_rate=Field(("pass_rate_72b_tir",), answers.read_if_available),
        data_source="openmathreasoning",
    ),
    "orz": Preset(
        "Open-Reasoner-Zero (orz_math_57k_collected.json): two turns a row, the second with the answer; no solutions",
        problem=Field(("0.value",), prompts.read_problem),
        answer=Field(("1.ground_truth.value",)),
        data_source="orz",
    ),
    "skywork": Preset(
        "Skywork-OR1 (Skywork/Skywork-OR1-RL-Data, split math): the answers are a JSON list; no solutions",
        problem=_PROMPT,
        answer=_GROUND_TRUTH,
        data_source="skywork",
    ),
    "luffy": Preset(
        "LUFFY's subset of OpenR1 (Elliott/Openr1-Math-46k-8192), without its system text; the target as solution",
        problem=_PROMPT,
        answer=_GROUND_TRUTH,
        solution=Field(("target[0].content",), clean=solutions.without_thinking),
        data_source="luffy",
    ),
    "omni_math": Preset(
        "Omni-MATH (KbsdJames/Omni-MATH): olympiad problems",
        problem=_PROBLEM,
        answer=_ANSWER,
        solution=_SOLUTION,
        data_source="omni_math",
    ),
    "mmlu_pro": Preset(
        "MMLU-Pro (TIGER-Lab/MMLU-Pro): the options behind the question; letter and text of the right one count",
        problem=Field(("question",), choices.read_problem_with_options),
        answer=Field(("answer_index",), choices.read_right_option),
        solution=Field(("cot_content",), choices.read_option_solution),
        data_source="mmlu_pro",
    ),
    "verl": Preset(
        "rows that are verl's already, such as those of its examples: instructions replaced, answers repaired",
        problem=_PROMPT,
        answer=_GROUND_TRUTH,
        solution=Field(
            ("extra_info.solution",),
            clean=solutions.without_thinking,
            otherwise=Field(("extra_info.answer",), gsm8k.read_gsm8k_solution),
        ),
        correctness_rate=Field(("extra_info.correctness_rate",)),
        data_source=Field(("data_source",)),
    ),
    "messages": Preset(
        "chats for fine-tuning, one question each: the last reply as solution, the answer in its last box",
        problem=Field(_CHAT, prompts.read_problem),
        answer=Field(_CHAT, answers.read_box_of_last_reply),
        solution=Field(_CHAT, solutions.read_reply, clean=solutions.without_thinking),
    ),
}
"""{name after `--preset`: how that dataset is read}"""


def presets_that_fit(record: Record) -> list[str]:
    """Return the presets of whose columns the record has most, among those whose problem and answer it has.

    >>> presets_that_fit({"question": "1+1?", "answer": "2\\n#### 2"})
    ['gsm8k']
    >>> presets_that_fit({"text": "1+1=2"})
    []
    """
    num_columns = {
        name: _count_columns(preset, record)
        for name, preset in PRESETS.items()
        if preset.problem.has_column(record) and preset.answer.has_column(record)
    }
    return [name for name, count in num_columns.items() if count == max(num_columns.values())]


def _count_columns(preset: Preset, record: Record) -> int:
    fields = (preset.problem, preset.answer, preset.solution, preset.correctness_rate, preset.data_source)
    return len(set().union(*(field.find_columns(record) for field in fields if isinstance(field, Field))))
