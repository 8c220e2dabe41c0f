from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.errors import FileFormatError
from eplb_opt.exact import exact_number
from eplb_opt.io.record import Record


@given(st.fractions(0, 2**53 - 1))
def test_exact_numbers_read_back_exactly(value):
    assert Record("x", {"a": exact_number(value)}).exact("a") == value


def test_an_exact_number_is_written_for_machines_and_people():
    assert exact_number(Fraction(590, 3)) == {"exact": "590/3", "float": 590 / 3}


def test_an_exact_number_of_more_tokens_than_anybody_counts_is_refused():
    assert Record("x", {"a": exact_number(Fraction(2**53 - 1))}).exact("a") == 2**53 - 1
    with pytest.raises(FileFormatError, match=r"x: 'a' is 2\*\*53 tokens or more, .*: divide all loads by one number"):
        Record("x", {"a": exact_number(Fraction(2**53))}).exact("a")


def test_numbers_beyond_floats_are_no_exact_numbers():
    with pytest.raises(FileFormatError, match=r"x: 'a' is .* not a list of exact numbers such as 590/3"):
        Record("x", {"a": [{"exact": "1" + "0" * 400}]}).exacts("a")


@pytest.mark.parametrize("text", ["", "1/0", "1/", "/2", "-1", "1.5", "1e3", " 1", "1_0", "1/2/3", "²", "9" * 300_000])
def test_other_texts_are_no_exact_numbers(text):
    with pytest.raises(FileFormatError, match=r"x: 'a' is .* not an exact number such as 590/3"):
        Record("x", {"a": {"exact": text}}).exact("a")


@pytest.mark.parametrize(
    ("read", "says"),
    [
        (lambda r: r.get("absent", int), "x has no key 'absent'"),
        (lambda r: r.get("flag", int), "x: 'flag' is True, not int"),
        (lambda r: r.get("text", list), "x: 'text' is 'abc', not list"),
        (lambda r: r.seconds("text"), "not a number of seconds"),
        (lambda r: r.seconds("flag"), "not a number of seconds"),
        (lambda r: r.seconds("negative"), "x: 'negative' is -1, not a number of seconds"),
        (lambda r: r.seconds("infinite"), "not a number of seconds"),
        (lambda r: r.choice("text", ("a", "b")), "x: 'text' is 'abc', not one of a, b"),
        (lambda r: r.choice("flag", (1, 2)), "not one of 1, 2"),
        (lambda r: r.exact("text"), "x, 'text' is 'abc', not an object with keys"),
        (lambda r: r.records("numbers"), "x, 'numbers' 0 is 1, not an object with keys"),
    ],
)
def test_missing_keys_and_other_types_are_named(read, says):
    values = {"flag": True, "text": "abc", "negative": -1, "infinite": float("inf"), "numbers": [1]}
    with pytest.raises(FileFormatError, match=says):
        read(Record("x", values))
