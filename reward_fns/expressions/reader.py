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

from reward_fns.expressions import tokens
from reward_fns.expressions.scanner import Scanner, Unreadable
from reward_fns.expressions.values import FUNCTIONS, ROUNDED, Arithmetic, Value, make_rounded
from reward_fns.limits import MAX_NESTING

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
        super().__init__(tokens.FONT.sub(tokens.replace_font, text))
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
            if self.match(tokens.TIMES):
                value, is_divisor = self.arithmetic.multiply(value, self._read_signed_power()), False
            elif self.match(tokens.DIVIDED_BY):
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
            if self.match(tokens.DEGREES):
                # An angle inside a function, a number of degrees by itself.
                value = make_rounded(value) * ROUNDED.pi / 180 if self._num_open_functions else value
            elif self.take("!"):
                if self.take("!"):
                    if self.peek() == "!":
                        raise Unreadable("a triple factorial")
                    value = self.arithmetic.compute_double_factorial(value)
                else:
                    value = self.arithmetic.compute_factorial(value)
            elif self.match(tokens.POWER_SIGN):
                return self.arithmetic.raise_to_power(value, self.read_exponent())
            else:
                return value

    def read_exponent(self) -> Value:
        """Read what follows `^`: a group, or without braces one signed number or power, as `2^10` is meant."""
        sign = self._read_sign()
        if self.peek() == "{":
            return sign * self.read_group()
        if number := self.match(tokens.PLAIN_NUMBER):
            return sign * Fraction(number[0])
        with self._descend():
            return sign * self._read_power()

    def _read_operand(self) -> Value:
        if self.peek() in tokens.CLOSING_BRACKETS:
            return self.read_group()
        if self.peek() == "|":
            return abs(self._read_between_bars())
        if number := (self.match(tokens.GROUPED_NUMBER) or self.match(tokens.PLAIN_NUMBER)):
            return self._read_number(number[0])
        if command := self.match(tokens.ANY_COMMAND):
            return self._read_command(command[1])
        if word := self.match(tokens.LETTERS):
            return self._read_word(word)
        raise Unreadable(self.text[self.position :])

    def _read_number(self, digits: str) -> Value:
        if subscript := self.match(tokens.SUBSCRIPT):  # A number in another base: known by how it is written only.
            return self.look_up(f"{digits}_{subscript[1] or subscript[2]}")
        value = Fraction(digits.replace(",", ""))
        if digits.isdigit() and (fraction := self.match(tokens.MIXED)):
            return self.arithmetic.add(value, self.arithmetic.divide(Fraction(fraction[1]), Fraction(fraction[2])))
        return value

    def _read_word(self, word: re.Match[str]) -> Value:
        for length in range(len(word[0]), 1, -1):
            if word[0][:length] in tokens.PLAIN_COMMANDS:
                self.position = word.start() + length
                return self._read_command(word[0][:length])
        if len(word[0]) > tokens.MAX_PRODUCT_LETTERS or tokens.SHORT_WORD.fullmatch(word[0]):
            raise Unreadable(f"a word: {word[0]}")
        self.position = word.start() + 1
        return self._read_variable(word[0][0])

    def _read_variable(self, name: str) -> Value:
        subscript = self.match(tokens.SUBSCRIPT)
        name += "_" + (subscript[1] or subscript[2] or "").replace(" ", "") if subscript else ""
        while self.take("'"):
            name += "'"
        if name in tokens.NAMED_CONSTANTS:
            return tokens.NAMED_CONSTANTS[name]()
        if (
            name not in self._factors
            and self.peek() == "("
            and (tokens.FUNCTION_NAME.fullmatch(name) or self.lookahead(tokens.NUMBER_IN_PARENTHESES))
        ):
            return self.look_up(f"{name}({self.read_group()})")  # f(x), I(0): no product
        return self.look_up(name)

    def _read_command(self, name: str) -> Value:
        if name in self._commands:
            with self._descend():
                return self._commands[name](self)
        if tokens.SYMBOL_NAME.fullmatch(name):
            return self._read_variable(name)
        raise Unreadable(f"\\{name}")

    def read_argument(self) -> Value:
        r"""Read what follows a command such as `\frac`: a group, one digit, one letter or one command."""
        if self.peek() in ("{", "("):
            return self.read_group()
        if self.peek().isdecimal() and self.peek().isascii():
            self.position += 1
            return Fraction(self.text[self.position - 1])
        if command := self.match(tokens.ANY_COMMAND):
            return self._read_command(command[1])
        if letter := self.match(tokens.ONE_LETTER):
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
        if not self.take(tokens.CLOSING_BRACKETS[opening]):
            raise Unreadable(f"{tokens.CLOSING_BRACKETS[opening]} is missing")
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
            return not any(map(self.lookahead, (tokens.TIMES, tokens.DIVIDED_BY, tokens.CLOSING_COMMAND)))
        if character == "|":
            return not self._is_between_bars
        return character in ("(", "{", ".") or (character.isascii() and character.isalnum())

    def _is_at_function(self) -> bool:
        name = self.lookahead(tokens.ANY_COMMAND).removeprefix("\\") or self.lookahead(tokens.LETTERS)
        return name in FUNCTIONS or name == "log"
