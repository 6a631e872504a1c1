r"""Two short answers are compared by their text, by exact arithmetic and by evaluation, as far as that goes.

Reference answers are mostly numbers, repetitions of the same text, tuples, intervals or short expressions. They are
settled here, in well under a millisecond and without a computer algebra system; the rest is left open (`None`) for
math-verify in a child process. Expressions with variables are compared at fixed points, exactly where they are
rational and to 38 digits where they are not, so that `1/2004!` and `1/2006!` differ.

Conventions, where graders differ (each line is pinned by a test):

    same                                        different                    why
    28\%, 28 percent, 28                        28 for 0.28                  whether the sign belongs to the answer or
    28\%, 0.28                                                               to the question is not visible here
    1,234  1\,234  1{,}234  1 234               1, 234 is a list             thousands separators
    1,000,000, 10^6                             1,000,000, 10^5
    1000,99 for the gold 1000.99                1,2 for the gold 1.3         a decimal comma, if the gold has a point or
    0.111 for the gold 0,111                    0.1 for the gold 0,1         has three decimals behind 0,
    1\frac{4}{5}, 1 4/5, 9/5                    1 4/5 for 4/5                mixed numbers
    0.\overline{3}, 1/3; 5 million, 5000000     0.333..., 0.333              what dots leave out is not guessed
    90^\circ, 90 degrees, 90                    \sin 90^\circ for \sin 90    degrees at the end do not matter
    5\text{ cm}, 5 cm, 5; \$5, 5                5 cm for 5 m, \$5 for €5     units matter if both answers have one,
    1 km, 1000 m; 5 \text{ apples}, 5           5\mathrm{i}, 3\text{x}       and only what stands in units.py is one
    10⁴, 10^4; 3¾, 15/4; √5, \sqrt{5}           10⁴ for 104                  signs mean what they look like
    x=5, x\approx 5, 5=x, 5; 2+3=5, 5           y=5 for x=5; 5 for 2x+z=5    the name does not matter if one has none,
    y=x^2, f(x)=x^2                                                          or if one is y and the other f(x)
    1/3 \approx 0.33 for 1/3                    1/3 \approx 0.33 for 0.33    what is approximated is the answer, and
    0.33 for the gold 1/3 \approx 0.33          0.33 for 1/3                 the decimals that the reference gives
    0.6666667 for 2/3                           0.667 for 2/3                rounded or cut at six significant decimals
    \{1,2\}, \{2,1\}, {1,2}; 1,2 and 2,1        (1,2) and (2,1)              order counts within brackets only
    1 and 2, 1 or 2, 1;2, 1,2; 1,2,2            1 or 2 for 1                 lists; all of the members are required
    (1,2) for 1,2                               (2,1) for 1,2; (1,2), \{1,2\}
    \pm 2; 2,-2; (\pm 1, 0); (1,0), (-1,0)      2 for \pm 2; \pm(1+i) for    several signs are independent, unless one
    1 \pm \sqrt{2}; 1 \mp \sqrt{2}              1 \pm i                      of them is \mp
    x=1,y=2; y=2,x=1; 1,2; (x,y)=(1,2)          x=2,y=1 for 1,2              order counts where one side has no names
    a_1=1, a_2=-2; a=1 or a=-2                                               solutions of one unknown may be numbered
    \langle 1,2\rangle, (1,2), a column,        (2,1); \hat{i} for i         vectors in any brackets but []
    \mathbf{i}+2\mathbf{j}
    cases in any order, if, for and when        otherwise for a condition    functions in pieces
    (0,1] itself                                [0,1], (0,1)                 the kind of bracket counts
    2x+4y=6, x+2y=3                             x+2y=3, x+2y+1=3             equations up to a constant factor
    -x > -1, x < 1, 1 > x                       x < 1, x \le 1               inequalities up to a positive factor
    0 < x \le 1, x \in (0,1], (0,1], ]0,1]      0 \le x \le 1                sets of real numbers, however they are
    [1,2] \cup [2,3], [1,3]; x>2, x<1 and both  (1,2) \cup (2,3) for (1,3)   written; conditions that exclude each
    x \ne 0, \mathbb{R} \setminus \{0\}          x>2 \text{ or } x<3          other are cases
    m \ge \sqrt{2}, m \in [\sqrt{2}, \infty)     at least 2 for 2             in words only if all of them are known
    \mathbb{N}, \mathbb{Z}^+                     \mathbb{N}, \mathbb{Z}       whole numbers begin with 1
    f(x)=cx \text{ for some constant } c, cx     5 \text{ if } x>0, 5         what goes without saying
    ab=1, a=1/b; 1/x=2, 2x=1                    x(y-1)=0, x=0                equations with the same solutions
    x=2k\pi, x=2k\pi, k \in \mathbb{Z}           x=k\pi                       k, m, n, l, t may stay without a domain
    x \equiv 2 \pmod 5, x = 5k+2                x \equiv 2 \pmod{10}         residues and periods as sets, where a
    n odd, n=2k+1, k \in \mathbb{Z}             y=2n+1 and y=2n-1            modulus, a word, a domain or an angle
    x=k\pi, x=n\pi; 3 \mid n, n=3k              2k+2, even                   says that the letter is a whole number
    C, (C), \textbf{C}, C. x=42 for the gold C  c                            choice letters
    (C) 42 for the gold 42                      (C) 42 for the gold (D) 42   and what they stand for
    \text{odd}, odd, Odd                        \text{oddd}; ABC for abc     words by their letters
    ACD; A, C, D; (A)(C)(D)                     AC for ACD; ABC for CAB      choices in any order, sequences in theirs
    6, six; 5 am, 5:00 AM; DNE, does not exist  5 am for 5 pm; \emptyset, 0  numbers, times and phrases in words
    no solution, \emptyset; \{\}
    \sqrt[3]{-8}, -2; \sqrt{x^2}, x             |x|, x; \sqrt{(a-b)^2}, a-b  real roots; variables are positive where
                                                                             no bars are, differences are not
    \cos(n\pi), (-1)^n; (n+1)!, (n+1)n!         \cos(x\pi), 1; n!!, (n!)!    whole where !, \binom or (-1)^ says so
    u(u+1), u^2+u                               f(x+1), f(x)+f(1)            a letter that also stands alone is a factor
    3:10, 3/10; 17:00, 5 pm                     10:30, 10/30; 3', 3          a ratio is in lowest terms, or is a time
    \gcd(12,18), 6                              \int_0^1 x\,dx, 1/2          integrals and limits are no answers yet
    576\pi\;m^{2}, 576\pi                       10 m, 10                     letters are units where that is visible
    4210_5                                      4210_6, 4210                 numbers with a base as they are written
"""

import re

from reward_fns.equivalence.families import compare_families
from reward_fns.equivalence.lists import NO_SUCH, Compare, StructureVerdict, compare_lists
from reward_fns.equivalence.numbers import are_plain_numbers, compare_numbers, join_thousands
from reward_fns.equivalence.parts import is_relation
from reward_fns.equivalence.relations import compare_relations, name_set
from reward_fns.equivalence.rewriting import spell_out_names
from reward_fns.equivalence.solution_sets import compare_solution_sets
from reward_fns.equivalence.structures import (
    compare_cases,
    compare_equations,
    compare_matrices,
    compare_tuples,
    compare_unions,
    compare_vectors,
)
from reward_fns.equivalence.text import clean, make_comparable
from reward_fns.equivalence.units import PERCENT, split_unit
from reward_fns.equivalence.vocabulary import compare_phrases, split_qualifier, translate_phrases
from reward_fns.equivalence.words import compare_words, is_different_in_words, remove_label
from reward_fns.expressions.compare import compare_expressions

_FINAL_APPROXIMATION = re.compile(r"[^\s]\s*(?:\\approx(?![a-zA-Z])|\\simeq) ?(-?[0-9.]+)$")


def compare_quickly(candidate: str, gold: str) -> bool | None:
    """Return True if `candidate` equals `gold`, or None if text, arithmetic and evaluation do not settle it.

    Nothing equals an empty `gold`. Raises TooLarge (`expressions.values`) if one of them would be too large to compute.
    Example: `compare_quickly("1, 2", "2 and 1") is True`
    """
    candidate, gold = clean(candidate), clean(gold)
    if not make_comparable(candidate) or not make_comparable(gold):
        return False
    if make_comparable(candidate) == make_comparable(gold):
        return True
    if are_plain_numbers(candidate, gold) and (verdict := compare_numbers(candidate, gold)) is not None:
        return verdict
    (candidate, qualifier), (gold, gold_qualifier) = split_qualifier(candidate), split_qualifier(gold)
    if qualifier and gold_qualifier and qualifier != gold_qualifier:
        return None
    candidate, gold = translate_phrases(candidate), translate_phrases(gold)
    verdict = compare_phrases(candidate, gold)
    if verdict is None and r"\mathbb{N}" not in (qualifier, gold_qualifier):
        verdict = compare_families(candidate, gold, bool(qualifier or gold_qualifier))
    if verdict is not None:
        return verdict
    candidate = remove_label(candidate, gold)
    decimals = _FINAL_APPROXIMATION.search(gold)
    if decimals and make_comparable(candidate) == decimals[1]:
        return True
    candidate, gold = spell_out_names(candidate, gold), spell_out_names(gold, candidate)
    candidate, gold = join_thousands(candidate, gold), join_thousands(gold, candidate)
    verdict = _compare(candidate, gold)
    return False if verdict is None and is_different_in_words(candidate, gold) else verdict


def _compare(candidate: str, gold: str) -> bool | None:
    verdict = compare_solution_sets(candidate, gold)
    if verdict is not None:
        return verdict
    candidate, gold = name_set(candidate, gold), name_set(gold, candidate)
    if make_comparable(candidate) == make_comparable(gold):
        return True
    for compare in (compare_numbers, compare_words, _compare_structures):
        verdict = compare(candidate, gold)
        if verdict is not None:
            break
    return verdict


def _compare_structures(candidate: str, gold: str) -> bool | None:
    for compare in _STRUCTURES:
        verdict = compare(candidate, gold, _compare)
        if verdict is not NO_SUCH:
            return verdict
    return _compare_expressions(candidate, gold)


def _compare_relations(candidate: str, gold: str, _: Compare) -> StructureVerdict:
    return compare_relations(candidate, gold) if is_relation(candidate) or is_relation(gold) else NO_SUCH


# In the order in which they enclose each other: a list may be one of equations, an equation may give a tuple.
_STRUCTURES = (
    compare_cases,
    compare_vectors,
    compare_matrices,
    compare_unions,
    compare_lists,
    _compare_relations,
    compare_equations,
    compare_tuples,
)


def _compare_expressions(candidate: str, gold: str) -> bool | None:
    (candidate, candidate_unit), (gold, gold_unit) = split_unit(candidate), split_unit(gold)
    if candidate_unit != gold_unit and PERCENT in (candidate_unit, gold_unit):
        return None
    if candidate_unit and gold_unit and candidate_unit != gold_unit:
        return False if candidate_unit.powers != gold_unit.powers else None
    return compare_expressions(candidate, gold)
