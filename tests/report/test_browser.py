"""The page in a browser: nothing is cut off, nothing is fetched, nothing fails. Skipped where there is no Chromium."""

import json
import re
import shutil
import subprocess

import pytest

from eplb_opt.deployment import Deployment
from eplb_opt.loads import Loads
from eplb_opt.report import make_report
from eplb_opt.solve import solve
from tests.report.conftest import recorded

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")

# Put into a copy of the page, it tells the window around it what it sees.
PROBE = """<script>
const errors = [];
addEventListener("error", event => errors.push(String(event.message || event.target.tagName)), true);
addEventListener("load", () => {
  const shown = [...document.querySelectorAll("figure svg")].filter(figure => figure.getBoundingClientRect().width > 0);
  const wide = [...document.querySelectorAll("main *, header *")].filter(
    element => !element.closest(".scroll, pre, svg") && element.getBoundingClientRect().right > innerWidth + 1);
  // On a telephone a table is a card for each row, or scrolls inside its box.
  const cards = [...document.querySelectorAll(".cards .scroll")];
  const scrolled = cards.filter(box => box.scrollWidth > box.clientWidth + 1);
  const cut = shown.flatMap(figure => [...figure.querySelectorAll("text")].filter(text => {
    const inner = text.getBoundingClientRect(), outer = figure.getBoundingClientRect();
    return inner.left < outer.left - 1 || inner.right > outer.right + 1 || inner.bottom > outer.bottom + 1;
  }).map(text => text.textContent));
  const style = getComputedStyle(document.body);
  parent.postMessage(JSON.stringify({
    errors, width: innerWidth, content: document.documentElement.scrollWidth, shown: shown.length, cut,
    scrolled: scrolled.map(box => box.textContent.slice(0, 40)),
    wide: wide.map(element => element.tagName), ink: style.color, paper: style.backgroundColor,
    fetched: performance.getEntriesByType("resource").map(entry => entry.name)
      .filter(name => !name.startsWith("data:")),
  }), "*");
});
</script>"""

AROUND = """<!DOCTYPE html><body><iframe src="page.html" width="{width}" height="800"></iframe><script>
addEventListener("message", event => {{ document.body.textContent = "seen:" + event.data + ":seen"; }});
</script></body>"""


@pytest.fixture(scope="module")
def browser():
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    return found


def seen(browser, html, folder, width, dark):
    (folder / "page.html").write_text(html.replace("<head>", "<head>" + PROBE, 1), encoding="utf-8")
    (folder / "around.html").write_text(AROUND.format(width=width), encoding="utf-8")
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=10000", "--dump-dom"]
    command += [f"--user-data-dir={folder / 'profile'}", f"--blink-settings=preferredColorScheme={0 if dark else 1}"]
    command.append((folder / "around.html").as_uri())
    out = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    found = re.search(r"seen:(.*):seen", out)
    assert found, out[:500]
    return json.loads(found[1])


@pytest.mark.parametrize("width", [360, 375, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_nothing_is_cut_off_and_colours_follow_the_reader(browser, hierarchical_html, tmp_path, width, dark):
    facts = seen(browser, hierarchical_html, tmp_path, width, dark)
    # The frame around the page has a border of two pixels.
    assert abs(facts["width"] - width) <= 4
    # Heat, skew, layers, GPUs of one and of all layers, progress.
    assert facts["shown"] == 6
    require_whole(facts)
    brightness = {key: sum(map(int, re.findall(r"\d+", facts[key])[:3])) for key in ("ink", "paper")}
    assert (brightness["ink"] > brightness["paper"]) == dark


def test_a_page_of_many_layers_and_several_recordings_fits_a_telephone(browser, tmp_path):
    loads = recorded(windows=3, layers=20, experts=32)
    names = tuple(f"decode_in{length}out1000_of_a_long_day.json" for length in (1000, 20_000, 300_000))
    loads = Loads(loads.values, loads.layer_ids, "three recordings", window_names=names)
    report = make_report(loads, Deployment(8, 48, 4, 8, dispatch="nearest"), time_limit=1)
    facts = seen(browser, report.to_html(), tmp_path, 375, dark=False)
    assert facts["content"] <= 375
    require_whole(facts)


def test_long_names_fit_a_telephone(browser, tmp_path):
    loads, deployment = recorded(windows=2), Deployment(4, 20)
    plan = solve(loads, deployment, method="snake").plan
    report = make_report(loads, deployment, {f"{'long_' * 12}{i}.json": plan for i in range(3)}, time_limit=0.2)
    require_whole(seen(browser, report.to_html(), tmp_path, 360, dark=False))


def require_whole(facts):
    assert facts["errors"] == [] and facts["fetched"] == []
    assert facts["scrolled"] == [] or facts["width"] > 640
    assert facts["content"] <= facts["width"] and facts["wide"] == [] and facts["cut"] == []
