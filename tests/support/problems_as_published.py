"""Problems, answers and solutions in the spellings of published datasets, written by hand."""

from typing import NamedTuple


class Problem(NamedTuple):
    problem: str
    gold: str
    working: str

    @property
    def solution(self) -> str:
        return f"{self.working} Therefore the answer is $\\boxed{{{self.gold}}}$."


class WordProblem(NamedTuple):
    """A problem of GSM8K: its rationale with and without calculator marks, its number as written and as meant."""

    question: str
    rationale: str
    clean: str
    written: str
    gold: str


PROBLEMS = [
    Problem("What is the greatest common divisor of $84$ and $126$?", "42", "$84=2\\cdot42$ and $126=3\\cdot42$."),
    Problem("Compute $\\dbinom{8}{4}$.", "70", "$\\dfrac{8\\cdot7\\cdot6\\cdot5}{4!}=70$."),
    Problem("What is $\\frac{3}{4}-\\frac{1}{3}$?", "\\frac{5}{12}", "$\\frac{9}{12}-\\frac{4}{12}$."),
    Problem("Solve $2x+9=1$ for $x$.", "-4", "$2x=-8$."),
    Problem("Simplify $\\sqrt{72}$.", "6\\sqrt{2}", "$72=36\\cdot2$."),
    Problem("Give the domain of $\\sqrt{x-3}$ in interval notation.", "[3,\\infty)", "We need $x\\ge3$."),
    Problem("Expand $(x+2)(x-5)$.", "x^2-3x-10", "$x^2-5x+2x-10$."),
    Problem("What is $12.5\\%$ of $6$?\nWrite a decimal.", "0.75", "An eighth of $6$."),
    Problem("What is the area of a circle of radius $3$?", "9\\pi", "The area is $\\pi r^2$."),
    Problem("How large is an interior angle of a regular pentagon?", "108^\\circ", "$180^\\circ-72^\\circ$."),
    Problem(
        "Write the point $(0,3)$ in polar coordinates.", "\\left(3,\\frac{\\pi}{2}\\right)", "It is on the $y$-axis."
    ),
    Problem("Is $91$ prime or composite?", "\\text{composite}", "$91=7\\cdot13$."),
    Problem("What is $2^{20}$?", "1,048,576", "$1024^2=1{,}048{,}576$."),
    Problem("Three coins are tossed. How likely are exactly two heads?", "\\frac{3}{8}", "$3$ of $8$ outcomes."),
    Problem("Find all real $x$ with $x^2=16$.", "-4,4", "Both signs do."),
    Problem("Write $0.\\overline{36}$ as a common fraction.", "\\frac{4}{11}", "It is $\\frac{36}{99}$."),
    Problem("Evaluate $i^{2026}$.  ", "-1", "$2026=4\\cdot506+2$."),
    Problem("What does a sandwich of \\$2.50 cost five times?", "\\$12.50", "$5\\cdot2.50$."),
    Problem("A train goes $150$ km in $2.5$ hours. How fast is it?", "60\\text{ km/h}", "$150/2.5=60$."),
    Problem("What is $1+2+\\cdots+100$?", "5050", "$50$ pairs of $101$."),
    Problem("Which is a multiple of $3$? (A) $25$ (B) $27$ (C) $28$", "B", "$27=3\\cdot9$."),
    Problem("Find $\\lim_{x\\to0}\\frac{\\sin 3x}{x}$.", "3", "$\\sin 3x\\approx3x$."),
    Problem("Factor $x^2-9$.", "(x-3)(x+3)", "It is a difference of squares."),
    Problem("求 $3+4$ 的值。", "7", "三加四。"),
]

_PENS = [
    *((3, 4, 12), (5, 6, 30), (7, 8, 56), (9, 10, 90), (11, 12, 132), (13, 14, 182), (15, 16, 240), (17, 18, 306)),
    *((2, 21, 42), (4, 23, 92), (6, 25, 150), (8, 27, 216), (10, 29, 290), (12, 31, 372), (14, 33, 462), (16, 35, 560)),
]

WORD_PROBLEMS = [
    WordProblem(
        "Natalia sold clips to 48 of her friends in April, and then half as many in May. How many did she sell?",
        "In May she sold 48/2 = <<48/2=24>>24 clips.\nIn all she sold 48+24 = <<48+24=72>>72 clips.",
        "In May she sold 48/2 = 24 clips.\nIn all she sold 48+24 = 72 clips.",
        "72",
        "72",
    ),
    WordProblem(
        "A shop sells 9 bikes at $120 each.  How much does it take?",
        "It takes 9*$120=$<<9*120=1080>>1,080.",
        "It takes 9*$120=$1,080.",
        "1,080",
        "1080",
    ),
    WordProblem(
        "Between sunset and midnight it cools from 3 degrees by 8. How many degrees is it then?",
        "It is 3-8 = <<3-8=-5>>-5 degrees.",
        "It is 3-8 = -5 degrees.",
        "-5",
        "-5",
    ),
    WordProblem(
        "A town of 1,200,000 grows by 34,500. How many live there then?",
        "There are 1200000+34500=<<1200000+34500=1234500>>1,234,500 people.",
        "There are 1200000+34500=1,234,500 people.",
        "1,234,500",
        "1234500",
    ),
    WordProblem(
        "Weng earns $12 an hour. She babysat for 50 minutes. How much did she earn in dollars and a half?",
        "She earned 12/60 = $<<12/60=0.2>>0.2 a minute.\nThat makes 0.2 x 50 + 0.5 = $<<0.2*50+0.5=10.5>>10.5.",
        "She earned 12/60 = $0.2 a minute.\nThat makes 0.2 x 50 + 0.5 = $10.5.",
        "10.5",
        "10.5",
    ),
    WordProblem("How many sides have 2 squares?", "Four each, so eight.", "Four each, so eight.", "8", "8"),
    *(
        WordProblem(
            f"A box holds {count} pens. How many pens are in {boxes} boxes?",
            f"There are {count}*{boxes} = <<{count}*{boxes}={total}>>{total} pens.",
            f"There are {count}*{boxes} = {total} pens.",
            str(total),
            str(total),
        )
        for count, boxes, total in _PENS
    ),
]
