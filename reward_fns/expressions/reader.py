r"""The reader evaluates a LaTeX expression at given values of its variables, in one pass of recursive descent.

The grammar is the part of LaTeX in which final answers are written: numbers, variables with subscripts, `+ - * / ^ !`,
products without a sign, and the commands that the reader is handed. What lies outside of it, or what people would take
in two ways (`1/2x`), raises `Unreadable`, so that the caller can ask a computer algebra system. Depth and length are
bounded by the caps on the text (`limits`), the work by `values`.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction

from reward_fns.expressions.scanner import Scanner, Unreadable
from reward_fns.expressions.values import FUNCTIONS, ROUNDED, Arithmetic, Value, make_rounded
from reward_fns.limits import MAX_NESTING

_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3}(?![0-9a-zA-Z]))?")
_GROUPED_NUMBER = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])(?:\.[0-9]+)?")
_MIXED = re.compile(r"\\frac\{([0-9]+)\}\{([0-9]+)\}")
_COMMAND = re.compile(r"\\([a-zA-Z]+)")
_WORD = re.compile(r"[a-zA-Z]+")
_LETTER = re.compile(r"[a-zA-Z]")
_SUBSCRIPT = re.compile(r"_(?:\{([^{}]*)\}|([0-9a-zA-Z]|\\[a-zA-Z]+))")
_DEGREES = re.compile(r"\^\s*(?:\{\s*\\circ\s*\}|\\circ(?![a-zA-Z]))|°")
_TIMES = re.compile(r"\*(?!\*)|\\(?:cdot|times|ast)(?![a-zA-Z])")
_DIVIDED_BY = re.compile(r"/|\\div(?![a-zA-Z])")
_CLOSING_COMMAND = re.compile(r"\\r(?:floor|ceil)")
_POWER = re.compile(r"\^|\*\*")
_FUNCTION_NAME = re.compile(r"(?:[fghuFGH]|\\?(?:Gamma|zeta|delta))(?:_.*)?'*")
_NUMBER_IN_PARENTHESES = re.compile(r"\(\s*-?[0-9.]+\s*\)")
_FONT = re.compile(r"\\(mathrm|mathbf|mathit|text|textbf|textit|textrm|operatorname)\{\s*([a-zA-Z]+)\s*\}")
_CLOSING = {"(": ")", "{": "}", "[": "]"}

_SYMBOL = re.compile(
    "alpha|beta|gamma|delta|(?:var)?epsilon|zeta|eta|(?:var)?theta|kappa|lambda|mu|nu|xi|rho|sigma|tau|upsilon|(?:var)?phi"
    "|chi|psi|omega|Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Upsilon|Phi|Psi|Omega|infty|ell|hbar"
)
_CONSTANTS = {"e": lambda: +ROUNDED.e, "i": lambda: ROUNDED.mpc(0, 1)}
_PLAIN_COMMANDS = frozenset({"sqrt", "pi", "log", *FUNCTIONS})

# Letters side by side are a product. More than three are a word, and so are these.
MAX_PRODUCT_LETTERS = 3
_SHORT_WORD = re.compile("or|if|is|in|no|to|and|the|for|any|all|not|max|min|gcd|lcm|mod|deg|yes", re.IGNORECASE)


def _replace_font(font: re.Match[str]) -> str:
    r"""Return the letters of `\mathrm{x}` and of the product `\mathrm{gb}`, or the command of `\operatorname{sin}`."""
    letters: str = font[2]
    is_product = font[1] == "mathrm" and len(letters) == 2 and letters != "ln" and not _SHORT_WORD.fullmatch(letters)
    return letters if len(letters) == 1 or is_product else f"\\{letters} "


Command = Callable[["Reader"], Value]  # reads the arguments of one command, and returns its value


class Reader(Scanner):
    """Reads and evaluates at once: each method reads what it is named after and returns its value.

    `value_of(name)` is the value of a variable, `commands` holds the LaTeX commands that can be read, and `factors` the
    letters that are no functions before a parenthesis.
    """

    def __init__(
        self,
        text: str,
        value_of: Callable[[str], Value],
        commands: Mapping[str, Command],
        factors: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(_FONT.sub(_replace_font, text))
        self.arithmetic = Arithmetic()
        self._value_of = value_of
        self._commands = commands
        self._factors = factors
        self._num_open_functions = 0
        self._is_between_bars = False
        self.has_variables = False
        self._depth = 0

    def read_sum(self) -> Value:
        value = self._read_product()
        while self.peek() in ("+", "-"):
            value = self.arithmetic.add(value, self._read_product())
        return value

    def _read_product(self) -> Value:
        value = self._read_signed_power()
        is_divisor = False
        while True:
            if self.match(_TIMES):
                value, is_divisor = self.arithmetic.multiply(value, self._read_signed_power()), False
            elif self.match(_DIVIDED_BY):
                value, is_divisor = self.arithmetic.divide(value, self._read_signed_power()), True
            elif not self._is_at_operand():
                return value
            elif is_divisor or (self.peek().isdigit() and self.text[: self.position].rstrip()[-1:] != "!"):
                raise Unreadable("1/2x is (1/2)x to some and 1/(2x) to others; 2 3 is no product")
            else:
                value = self.arithmetic.multiply(value, self._read_power())

    def _read_signed_power(self) -> Value:
        """Read a power with the signs before it, which bind less than the power does."""
        sign = self._read_sign()
        return sign * self._read_power()

    def _read_sign(self) -> int:
        """Read the signs that come next and return their product; 1 if there is none."""
        sign = 1
        while self.peek() in ("+", "-"):
            sign = -sign if self.peek() == "-" else sign
            self.position += 1
        return sign

    def _read_power(self) -> Value:
        value = self._read_operand()
        while True:
            if self.match(_DEGREES):
                # An angle inside a function, a number of degrees by itself.
                value = make_rounded(value) * ROUNDED.pi / 180 if self._num_open_functions else value
            elif self.take("!"):
                if self.take("!"):
                    if self.peek() == "!":
                        raise Unreadable("a triple factorial")
                    value = self.arithmetic.compute_double_factorial(value)
                else:
                    value = self.arithmetic.compute_factorial(value)
            elif self.match(_POWER):
                return self.arithmetic.raise_to_power(value, self.read_exponent())
            else:
                return value

    def read_exponent(self) -> Value:
        """Read what follows `^`: a group, or without braces one signed number or power, as `2^10` is meant."""
        sign = self._read_sign()
        if self.peek() == "{":
            return sign * self.read_group()
        if number := self.match(_NUMBER):
            return sign * Fraction(number[0])
        with self._descend():
            return sign * self._read_power()

    def _read_operand(self) -> Value:
        if self.peek() in _CLOSING:
            return self.read_group()
        if self.peek() == "|":
            return abs(self._read_between_bars())
        if number := (self.match(_GROUPED_NUMBER) or self.match(_NUMBER)):
            return self._read_number(number[0])
        if command := self.match(_COMMAND):
            return self._read_command(command[1])
        if word := self.match(_WORD):
            return self._read_word(word)
        raise Unreadable(self.text[self.position :])

    def _read_number(self, digits: str) -> Value:
        if subscript := self.match(_SUBSCRIPT):  # A number in another base: known by how it is written only.
            return self.look_up(f"{digits}_{subscript[1] or subscript[2]}")
        value = Fraction(digits.replace(",", ""))
        if digits.isdigit() and (fraction := self.match(_MIXED)):
            return self.arithmetic.add(value, self.arithmetic.divide(Fraction(fraction[1]), Fraction(fraction[2])))
        return value

    def _read_word(self, word: re.Match[str]) -> Value:
        for length in range(len(word[0]), 1, -1):
            if word[0][:length] in _PLAIN_COMMANDS:
                self.position = word.start() + length
                return self._read_command(word[0][:length])
        if len(word[0]) > MAX_PRODUCT_LETTERS or _SHORT_WORD.fullmatch(word[0]):
            raise Unreadable(f"a word: {word[0]}")
        self.position = word.start() + 1
        return self._read_variable(word[0][0])

    def _read_variable(self, name: str) -> Value:
        subscript = self.match(_SUBSCRIPT)
        name += "_" + (subscript[1] or subscript[2] or "").replace(" ", "") if subscript else ""
        while self.take("'"):
            name += "'"
        if name in _CONSTANTS:
            return _CONSTANTS[name]()
        if (
            name not in self._factors
            and self.peek() == "("
            and (_FUNCTION_NAME.fullmatch(name) or self.lookahead(_NUMBER_IN_PARENTHESES))
        ):
            return self.look_up(f"{name}({self.read_group()})")  # f(x), I(0): no product
        return self.look_up(name)

    def _read_command(self, name: str) -> Value:
        if name in self._commands:
            with self._descend():
                return self._commands[name](self)
        if _SYMBOL.fullmatch(name):
            return self._read_variable(name)
        raise Unreadable(f"\\{name}")

    def read_argument(self) -> Value:
        r"""Read what follows a command such as `\frac`: a group, one digit, one letter or one command."""
        if self.peek() in ("{", "("):
            return self.read_group()
        if self.peek().isdecimal() and self.peek().isascii():
            self.position += 1
            return Fraction(self.text[self.position - 1])
        if command := self.match(_COMMAND):
            return self._read_command(command[1])
        if letter := self.match(_LETTER):
            return self._read_variable(letter[0])
        raise Unreadable("an argument is missing")

    def read_function_argument(self) -> Value:
        """Read a group, or the product that follows up to the next sign or function."""
        self._num_open_functions += 1
        if self.peek() in ("(", "{"):
            value = self.read_group()
            if self.peek() in ("^", "!"):
                raise Unreadable("a power of the argument to some, of the function to others")
        else:
            value = self._read_power()
            while self._is_at_operand() and not self._is_at_function():
                value = self.arithmetic.multiply(value, self._read_power())
        self._num_open_functions -= 1
        return value

    def look_up(self, name: str) -> Value:
        """Return the value of a variable, or of what is only known by its name."""
        self.has_variables = True
        return self._value_of(name)

    def _read_between_bars(self) -> Value:
        if self._is_between_bars:
            raise Unreadable("bars within bars")
        self.take("|")
        self._is_between_bars = True
        value = self.read_sum()
        if not self.take("|"):
            raise Unreadable("| is missing")
        self._is_between_bars = False
        return value

    def read_group(self) -> Value:
        opening = self.peek()
        self.position += 1
        value = self.read_sum()
        if not self.take(_CLOSING[opening]):
            raise Unreadable(f"{_CLOSING[opening]} is missing")
        return value

    @contextmanager
    def _descend(self) -> Iterator[None]:
        """Bound the depth where no bracket shows it, as in `\\ln\\ln\\ln x`."""
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise Unreadable("nested too deeply")
        yield
        self._depth -= 1

    def _is_at_operand(self) -> bool:
        character = self.peek()
        if character == "\\":
            return not any(map(self.lookahead, (_TIMES, _DIVIDED_BY, _CLOSING_COMMAND)))
        if character == "|":
            return not self._is_between_bars
        return character in ("(", "{", ".") or (character.isascii() and character.isalnum())

    def _is_at_function(self) -> bool:
        name = self.lookahead(_COMMAND).removeprefix("\\") or self.lookahead(_WORD)
        return name in FUNCTIONS or name == "log"
