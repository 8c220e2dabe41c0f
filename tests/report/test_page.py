"""The page: self-contained, well-formed, and with the facts of the report in it."""

import base64
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

import eplb_opt
from eplb_opt.deployment import Deployment
from eplb_opt.generate import generate_loads
from eplb_opt.io.content import parse_content
from eplb_opt.io.engines import parse_plan, start_line
from eplb_opt.io.recognition import ENGINES
from eplb_opt.loads import Loads
from eplb_opt.report import make_report
from eplb_opt.report.sections import sections_of
from eplb_opt.report.verdict import verdict_of
from eplb_opt.solve import solve
from tests.report.conftest import recorded

VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """Elements with their attributes, text, and whether every element is closed in order."""

    def __init__(self, html):
        super().__init__()
        self.open, self.elements, self.text = [], [], ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data

    def of(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def page(hierarchical_html):
    return Page(hierarchical_html)


def test_every_element_is_closed_and_every_id_is_its_own(page):
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    used = {attributes["href"][1:] for attributes in page.of("a") if attributes["href"].startswith("#")}
    used |= {attributes["xlink:href"][1:] for attributes in page.of("use")}
    assert used and used <= set(ids)


def test_the_page_needs_nothing_but_itself(hierarchical_html, page):
    assert not page.of("script") and not page.of("iframe")
    addresses = {value for _, attributes in page.elements for key, value in attributes.items() if key.endswith("href")}
    addresses |= {attributes["src"] for _, attributes in page.elements if "src" in attributes}
    assert all(address.startswith(("#", "data:")) for address in addresses)
    assert set(re.findall(r"https?://[^\"' ]+", hierarchical_html)) == {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert "@import" not in hierarchical_html and not re.search(r"url\((?!#)", hierarchical_html)


def test_every_figure_has_words_for_those_who_cannot_see_it(hierarchical, page):
    pictures = [block for section in sections_of(hierarchical) for block in section.blocks if block.kind == "picture"]
    figures = page.of("svg")
    # Each is drawn twice, for wide and for narrow windows.
    assert len(figures) == 2 * len(pictures)
    assert all(figure["role"] == "img" and figure["aria-label"] for figure in figures)


def test_ink_is_the_readers(hierarchical_html):
    assert "#010203" not in hierarchical_html and "currentColor" in hierarchical_html
    assert "DejaVu" not in hierarchical_html


def test_the_verdict_the_sections_and_all_tables_are_on_the_page_and_in_the_markdown(hierarchical, page):
    text = re.sub(r"\s+", " ", page.text)
    markdown = hierarchical.to_markdown()
    for sentence in verdict_of(hierarchical).sentences:
        assert sentence in text and sentence in markdown
    for section in sections_of(hierarchical):
        assert section.title in text and f"## {section.title}\n" in markdown
        for block in section.blocks:
            if block.kind == "table":
                for row in block.rows:
                    assert f"| {' | '.join(row)} |" in markdown
                    assert all(re.sub(r"\s+", " ", cell.replace("`", "")).strip() in text for cell in row)


def test_the_plan_on_the_page_is_the_best_one(hierarchical, page):
    (link,) = [attributes for attributes in page.of("a") if "download" in attributes]
    kind, _, content = link["href"].partition(";base64,")
    assert (kind, link["download"]) == ("data:application/json", "plan.json")
    plan = parse_plan(parse_content(base64.b64decode(content), "plan.json"))
    assert plan == hierarchical.plans[hierarchical.best]


def test_every_engine_has_its_start_command(hierarchical, page):
    words = " ".join(page.text.split())
    for engine, suffix in {
        "sglang": "json",
        "vllm": "json",
        "trtllm": "yaml",
        "ascend": "json",
        "deepseek": "pt",
    }.items():
        assert ENGINES[engine].title in words
        assert f"eplb-opt convert plan.json --to {engine} -o {engine}.{suffix}" in words
        command = start_line(engine, f"{engine}.{suffix}", hierarchical.plans[hierarchical.best]).script
        assert " ".join(command.split()) in words


def test_an_engine_that_cannot_take_the_plan_says_why():
    # 8 slots for 2 experts on 2 GPUs: replicas share a GPU, which vLLM-Ascend does not take.
    report = make_report([[1, 2]], Deployment(2, 8, distinct=False), time_limit=0.2)
    assert "# vLLM-Ascend cannot take this plan: layer 0: device 0 holds expert" in report.to_markdown()


def test_names_of_files_are_text_and_no_markup():
    loads = recorded()
    plan = eplb_opt.solve(loads, Deployment(4, 20), method="snake").plan
    name = "_<b>|a$b*`$.json"
    html = make_report(loads, Deployment(4, 20), {name: plan}, time_limit=0.2, command=f"eplb-opt '{name}'").to_html()
    page = Page(html)
    assert page.open == [] and not page.of("b")
    # In the sentences, the tables, and the legends of three figures, each drawn twice.
    assert page.text.count(name) >= 3 + 2 * 3


@pytest.mark.parametrize(
    ("loads", "deployment", "sentence"),
    [
        (np.zeros((2, 16)), Deployment(4, 20), "Nothing was recorded"),
        ([[5, 7, 9, 1]], Deployment(4, 4), "No plan can do better: this one is optimal, which is proven."),
        ([[5]], Deployment(1, 1), "there is nothing to balance"),
        ([[3, 1, 2, 2], [0, 0, 0, 0]], Deployment(2, 6), "1 layer got no token"),
        (np.full((2, 1, 8), 2**48), Deployment(4, 12), "2 windows"),
    ],
)
def test_unusual_recordings_have_a_page_too(loads, deployment, sentence):
    report = make_report(loads, deployment, time_limit=0.2)
    page = Page(report.to_html())
    assert page.open == [] and sentence in page.text and sentence in report.to_markdown()
    assert not re.search(r"\b(nan|inf|None)\b", page.text)


def test_windows_are_told_apart(several):
    text = " ".join(several.to_markdown().split())
    assert "mean over windows" in text and "3 windows" in text and "| window 1 |" in text
    assert "| window | tokens |" in text


def test_a_global_deployment_says_that_groups_bind_nothing():
    report = make_report(recorded(), Deployment(4, 20, 2, 3), time_limit=0.2)
    assert "Groups bind nothing: the 3 groups do not divide by 2 nodes" in report.to_markdown()


def test_the_price_of_the_node_rule_is_in_the_verdict_where_it_is_notable():
    # Group 0 has nine tenths of the load, and stays on one of two nodes: its two GPUs carry 1.8 times the mean. On any
    # GPUs, each of its four experts finds one of the other group for a partner.
    loads = Loads(np.repeat([90, 10], 4)[np.newaxis])
    report = make_report(loads, Deployment(4, 8, 2, 2), time_limit=0.4)
    sentences = verdict_of(report).sentences
    assert "80.0 %" in sentences[0]
    assert "costs at least 80.0 % of the mean load on the hottest GPU, and at most 80.0 %" in sentences[-1]
    assert report.changes["as it is"]["least_excess"] == pytest.approx(0.8)


def test_a_page_of_58_layers_and_256_experts_is_below_two_megabytes():
    loads = generate_loads(num_experts=256, num_layers=58, seed=0)
    report = make_report(loads, Deployment(32, 288), time_limit=0.5)
    assert len(report.to_html().encode()) < 2_000_000


def test_layers_with_next_to_nothing_left_are_a_sentence_and_no_rows():
    loads = recorded(experts=64)
    report = make_report(loads, Deployment(4, 80), time_limit=2)
    lefts = [row["left"] for row in report.by_layer["solve"]]
    assert max(lefts) < 1e-4
    text = report.to_markdown()
    assert "left to gain (% of the sum)" not in text
    assert ("No single layer has 0.010 % of the sum left to gain." in text) == (sum(lefts) >= 1e-4)
    rough = make_report(
        loads, Deployment(4, 80), solution=solve(loads, Deployment(4, 80), method="lpt"), time_limit=0.2
    )
    text = rough.to_markdown()
    assert "left to gain (% of the sum)" in text and "No single layer" not in text


def test_the_first_screen_and_the_markdown_have_the_same_figures(several):
    verdict = verdict_of(several)
    text = " ".join(Page(several.to_html()).text.split())
    # On a busy machine there may be no time for what is left out.
    left_out = ["The same on a recording left out"] if several.held_out.together else []
    assert [figure.label for figure in verdict.figures] == ["Load of the hottest GPU", *left_out, "To copy"]
    for figure in verdict.figures:
        assert f"{figure.label}{figure.value} {figure.unit}{figure.note}" in text
        assert f"| {figure.label} | {figure.value} {figure.unit} | {figure.note} |" in several.to_markdown()


def test_the_verdict_tells_what_rests_on_the_word_of_a_solver(hierarchical):
    solution = hierarchical.solution

    def with_checked(*checked):
        pairs = zip(solution.layers, checked, strict=True)
        layers = tuple(replace(layer, proof=replace(layer.proof, checked=known)) for layer, known in pairs)
        return str(replace(hierarchical, solution=replace(solution, layers=layers)))

    assert "proven (in 2 of 3 layers by the word of a solver)" in with_checked(False, True, False)
    assert "word of a solver" not in with_checked(True, True, True)
