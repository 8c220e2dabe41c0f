"""Groups of options: a dataclass of a command is an option for each of its fields."""

from dataclasses import dataclass
from typing import Annotated

import pytest
import typer

from eplb_opt.cli.running import run_words
from eplb_opt.cli.unfolding import grouped


@dataclass(frozen=True, kw_only=True)
class Inner:
    depth: Annotated[int, typer.Option(help="How deep.")] = 1


@dataclass(frozen=True, kw_only=True)
class Outer:
    name: Annotated[str, typer.Argument(help="Who.")]
    inner: Inner
    loud: Annotated[bool, typer.Option("--loud", help="Shout.")] = False


@grouped
def run(outer: Outer, last: Annotated[str | None, typer.Option(help="The end.")] = None) -> int:
    """Tell what was given."""
    seen.append((outer, last))
    return 3


seen: list[tuple[Outer, str | None]] = []


@pytest.fixture
def program():
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command()(run)
    seen.clear()
    return typer.main.get_command(app)


def test_options_left_out_have_the_defaults_of_the_fields(program):
    assert run_words(program, ["me"]) == 3
    assert seen == [(Outer(name="me", inner=Inner(depth=1), loud=False), None)]


def test_options_reach_the_fields_at_any_depth(program):
    run_words(program, ["--depth", "5", "--last", "z", "me", "--loud"])
    assert seen == [(Outer(name="me", inner=Inner(depth=5), loud=True), "z")]


def test_help_lists_the_fields_in_their_order(program, capsys):
    assert run_words(program, ["--help"]) == 0
    text = capsys.readouterr().out
    places = [text.index(word) for word in ("Tell what was given", "Who.", "--depth", "--loud", "--last")]
    assert places == sorted(places)
