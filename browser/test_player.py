"""The tape's player in a browser: steps, search, what is lit, what is drawn, how fast.

The fixture `show` also asserts that nothing was written to the console and nothing was asked for
from outside of the page.
"""

from __future__ import annotations

from html import escape
from typing import Any

import pytest
from conftest import DESKTOP, PHONE, Open, Shown, regression

import minigrad as mg


def lit_line(shown: Shown) -> str:
    return shown.text(".code.lit")


def active(shown: Shown) -> list[str]:
    boxes = shown.page.locator(".box.active")
    return [boxes.nth(i).get_attribute("aria-label") or "" for i in range(boxes.count())]


# ---- steps ---------------------------------------------------------------------------------------


def test_keys_slider_and_buttons_step(show: Open) -> None:
    shown = show(regression())
    press = shown.page.keyboard.press
    assert shown.step() == 1
    press("ArrowRight")
    press("ArrowRight")
    assert shown.step() == 3
    press("ArrowLeft")
    assert shown.step() == 2
    press("End")
    assert shown.step() == len(regression())
    press("Home")
    press("PageDown")
    assert (shown.step(), shown.text("#phase")) == (10, "backward")
    press("PageDown")
    assert (shown.step(), shown.text("#phase")) == (19, "update")
    press("PageUp")
    press("PageUp")
    assert shown.step() == 1
    slider = shown.page.locator("#slider")
    slider.fill("16")
    assert "MulBackward0 runs" in shown.text("#now")
    slider.focus()
    press("ArrowRight")
    assert shown.step() == 17
    assert "17" in (slider.get_attribute("aria-valuetext") or "")
    shown.page.get_by_role("button", name="One step back").click()
    assert shown.step() == 16
    shown.page.locator("#number").fill("5")
    press("Enter")
    assert (shown.step(), shown.page.evaluate("location.hash")) == (5, "#step=5")


def test_a_link_opens_a_step(show: Open) -> None:
    shown = show(regression(), "#step=17")
    assert shown.step() == 17
    shown.page.evaluate("location.hash = '#step=6'")
    shown.wait_until("player.step === 6")
    shown.page.locator("#details a[href='#step=7']").first.click()
    assert shown.step() == 7


def test_play_goes_on_by_itself(show: Open) -> None:
    shown = show(regression())
    shown.page.locator("#speed").select_option("10")
    shown.page.locator("#speed").blur()
    shown.page.keyboard.press("Space")
    shown.wait_until("player.step >= 4")
    shown.page.keyboard.press("Space")
    stopped = shown.step()
    shown.page.wait_for_timeout(300)
    assert shown.step() == stopped


def test_source_and_graph_are_lit_at_once(show: Open) -> None:
    tape = regression()
    shown = show(tape)
    for event in tape.events[:40]:
        shown.go(event.step)
        assert lit_line(shown).split(maxsplit=1)[1].strip() == event.source.text.strip()
        assert shown.text(".step.lit .number") == str(event.step)
        if event.kind in ("op", "run") and event.node:
            (box,) = active(shown)
            assert tape.nodes[event.node - 1].name in box
        if event.kind == "accumulate":
            (box,) = active(shown)
            assert f"{tape.label(event.tensor)} = " in box


def test_a_line_of_the_source_leads_to_its_steps(show: Open) -> None:
    tape = regression()
    shown = show(tape)
    backward = tape.of_kind("backward")[0]
    line = shown.page.locator(f".code[data-line='{backward.source.line}']")
    for expected in (10, 11):
        line.click()
        assert shown.step() == expected


# ---- why W.grad is -9.333, from the page alone ---------------------------------------------------


def test_the_page_tells_why_the_gradient_is_what_it_is(show: Open) -> None:
    """(2/3) sum(x (0 - x)) = -28/3 = -9.333 in the first epoch."""
    shown = show(regression())
    shown.page.keyboard.press("/")
    shown.page.keyboard.type("W.grad")
    assert shown.step() == 16
    now = shown.text("#now")
    for said in ("grad * x_train", "[-0.6667, -1.333, -2] * [1, 2, 3]", "[-0.6667, -2.667, -6]",
                 "summed to shape (1,)", "[-9.333]"):  # fmt: skip
        assert said in now
    shown.page.keyboard.press("Enter")
    assert shown.step() == 17
    assert "W.grad = [-9.333]" in shown.text("#now")
    why = shown.text("#details .why")
    assert why.startswith("Why W.grad is [-9.333]")
    for said in ("grad / 3", "grad * 2 * t7", "t7 = hypothesis - y_train", "grad * x_train"):
        assert said in why
    order = [why.index(name) for name in ("Mean", "Pow", "Sub", "AddB", "MulB")]
    assert order == sorted(order)


def test_the_search_jumps_through_what_it_found(show: Open) -> None:
    tape = regression()
    shown = show(tape)
    search = shown.page.locator("#search")
    search.fill("W.grad")
    number = tape.id_of(tape) or next(t.id for t in tape.tensors if t.name == "W")
    touched = [
        e.step for e in tape.events
        if (e.kind in ("accumulate", "grad") and e.tensor == number)
        or (e.kind == "run" and any(d.to == "leaf" and d.id == number for d in e.deliveries))
        or e.kind == "step"
    ]  # fmt: skip
    assert shown.text("#hits") == f"{len(touched)} steps"
    seen = [shown.step()]
    for _ in touched[1:]:
        search.press("Enter")
        seen.append(shown.step())
    assert seen == touched
    search.press("Shift+Enter")
    assert shown.step() == touched[-2]
    search.fill("nothing of this name")
    assert shown.text("#hits") == "nothing found"
    search.fill("PowBackward0")
    assert "PowBackward0" in shown.text("#now")
    search.press("Escape")
    assert search.input_value() == ""


# ---- the engine, gradients, freed values ---------------------------------------------------------


def test_the_ready_queue_and_the_counts(show: Open) -> None:
    with mg.autograd.graph.record() as tape:
        x = mg.tensor([0.5, 1.5], requires_grad=True)
        y = x.exp()
        a, b = y * x, y.sin()
        (a + b * a).sum().backward()
    shown = show(tape)
    for event in tape.of_kind("run"):
        shown.go(event.step)
        running = shown.text(".chip.running")
        node = tape.nodes[event.node - 1]
        assert node.name in running
        assert f"#{node.sequence_nr}" in running
        ready = shown.page.locator(".chip.ready").all_inner_texts()
        names = [tape.nodes[n - 1].name for n in event.ready]
        assert [name for name, text in zip(names, ready, strict=True) if name in text] == names
    start = tape.of_kind("backward")[0]
    shown.go(start.step)
    counts = {w.id: w.count for w in start.waiting if w.to == "node"}
    for chip in shown.page.locator(".chip.waits").all():
        number = int((chip.get_attribute("data-show") or "")[1:])
        assert f"waits for {counts[number]}" in chip.inner_text()
    shown.go(tape.of_kind("backward_end")[0].step)
    assert "No backward pass" in shown.text("#engine")


def test_gradients_flow_add_up_and_freed_values_fade(show: Open) -> None:
    with mg.autograd.graph.record() as tape:
        x = mg.tensor(3.0, requires_grad=True)
        (x * x + x).backward()
        (2.0 * x).backward()
    shown = show(tape)
    product = next(e for e in tape.of_kind("run") if tape.nodes[e.node - 1].op == "mul")
    shown.go(product.step)
    assert shown.page.locator(".edge.flow").count() == 2  # to both inputs, which are x
    assert shown.page.locator(".amount").all_text_contents() == ["3", "3"]
    assert "added to what had arrived there: 7" in shown.text("#now")
    assert "arrived 7" in shown.label("t1")
    assert "freed" in shown.label(f"n{product.node}")
    assert shown.page.locator(f"[data-key='n{product.node}'].freed").count() == 1
    shown.go(tape.of_kind("accumulate")[1].step)
    assert "7 + 2 = 9" in shown.text("#now")
    assert ".grad 9" in shown.label("t1")
    shown.go(product.step - 1)
    assert shown.page.locator(f"[data-key='n{product.node}'].freed").count() == 0


def test_a_box_is_selected_and_stays(show: Open) -> None:
    shown = show(regression(), "#step=9")
    shown.page.locator("[data-key='t3']").click()
    assert shown.text("#details h3").startswith("W")
    assert "the variable W" in shown.text("#details")
    shown.page.keyboard.press("ArrowRight")
    assert shown.text("#details h3").startswith("W")
    shown.page.keyboard.press("Escape")
    assert shown.text("#details h3").startswith("cost")
    shown.page.locator("[data-key='n4']").focus()
    shown.page.keyboard.press("Enter")
    assert "PowBackward0" in shown.text("#details")
    assert shown.step() == 10


def test_all_is_told_without_a_gap(show: Open) -> None:
    """No step, tensor or node shows what a script writes when something is missing."""
    with mg.autograd.graph.record() as tape:
        mg.manual_seed(0)
        x = mg.tensor([1.0, float("nan")], requires_grad=True)
        view = (x * 2.0).view(2, 1)
        view.mul_(3.0)
        first, _ = view.unbind(0)
        with mg.no_grad():
            x.add_(1.0)
        (slope,) = mg.autograd.grad((first**3).sum(), x, create_graph=True)
        slope.sum().backward()
        model = mg.nn.Sequential(mg.nn.Conv2d(1, 2, 3), mg.nn.ReLU(), mg.nn.MaxPool2d(2))
        model(mg.randn(2, 1, 6, 6)).mean().backward()
        optimizer = mg.optim.Adam(model.parameters())
        optimizer.step()
        optimizer.zero_grad()
        used = x * 2.0
        loss = (used * used).sum()
        used.add_(1.0)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            loss.backward()
    shown = show(tape)
    gaps = shown.page.evaluate("""() => {
      const gaps = [];
      const look = (what) => {
        for (const part of document.querySelectorAll('#now, #details, #engine, #graph, #step-rows')) {
          const found = /undefined|\\[object|null|Infinity/.exec(part.textContent);
          if (found) gaps.push([what, part.id, found[0]]);
        }
      };
      for (let s = 1; s <= player.tape.last; s++) { player.go(s); look('step ' + s); }
      for (const t of player.tape.tensors) { player.select('t' + t.id); look('tensor ' + t.id); }
      for (const n of player.tape.nodes) { player.select('n' + n.id); look('node ' + n.id); }
      return gaps;
    }""")
    assert gaps == []
    shown.go(tape.of_kind("write")[-1].step)
    shown.page.keyboard.press("Escape")
    assert "running it backward raises an error" in shown.text("#now")


# ---- the fit -------------------------------------------------------------------------------------


def test_the_fitted_line_and_the_surface_move_with_the_slider(show: Open) -> None:
    tape = regression(epochs=30)
    shown = show(tape)
    places = []
    for event in tape.of_kind("step"):
        shown.go(event.step)
        W, b = (c.after.numbers[0] for c in event.changes)
        loss = sum((x * W + b - x) ** 2 for x in (1.0, 2.0, 3.0)) / 3
        assert f"{loss:.4g}" in shown.text("#loss .loss")
        here = shown.page.locator("#surface .here")
        places.append((float(here.get_attribute("cx") or 0), float(here.get_attribute("cy") or 0)))
    assert len(set(places)) > 25
    assert places[0][0] < places[-1][0]  # W grows
    assert shown.page.locator("#curve .point").count() == 3
    line = shown.page.locator("#curve .fitted")
    assert len((line.get_attribute("points") or "").split()) == 3
    painted = shown.page.evaluate("""() => {
      const canvas = document.querySelector('.surface canvas');
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return new Set(Array.from({ length: data.length / 4 }, (_, i) => data.slice(4 * i, 4 * i + 3).join())).size;
    }""")
    assert painted > 6


def test_without_a_regression_there_is_no_fit(show: Open) -> None:
    with mg.autograd.graph.record() as tape:
        x = mg.tensor(3.0, requires_grad=True)
        (x * x).backward()
    assert not show(tape).page.locator("#fit").is_visible()


# ---- looks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_all_is_within_the_window(show: Open, viewport: Any, scheme: Any) -> None:
    shown = show(regression(), "#step=16", viewport=viewport, color_scheme=scheme)
    width = shown.page.evaluate("document.documentElement.scrollWidth")
    assert width <= viewport["width"]
    background = shown.page.evaluate("getComputedStyle(document.body).backgroundColor")
    first = int(background.removeprefix("rgb(").split(",")[0])
    assert first < 60 if scheme == "dark" else first > 200
    for selector in ("#graph .box.active", "#slider", "#play", "#now"):
        place = shown.page.locator(selector).first.bounding_box()
        assert place is not None
        assert place["x"] >= 0
        assert place["x"] + place["width"] <= viewport["width"]
    shown.page.get_by_role("button", name="Switch between light and dark").click()
    assert shown.page.evaluate("getComputedStyle(document.body).backgroundColor") != background


def test_the_help_opens_and_closes(show: Open) -> None:
    shown = show(regression())
    shown.page.keyboard.press("?")
    assert shown.page.locator("#keys").is_visible()
    shown.page.keyboard.press("ArrowRight")
    assert shown.step() == 1
    shown.page.keyboard.press("Escape")
    assert not shown.page.locator("#keys").is_visible()


def test_in_a_notebook(show: Open, browser: Any) -> None:
    tape = regression()
    context = browser.new_context(viewport=DESKTOP)
    shown = Shown(context.new_page())
    shown.page.set_content(f"<p>{escape('Out[1]:')}</p>{tape._repr_html_()}")
    frame = shown.page.frame_locator("iframe")
    frame.get_by_role("button", name="One step forward").click()
    assert frame.locator("#slider").input_value() == "2"
    assert shown.errors == []
    assert [u for u in shown.requests if not u.startswith(("about:", "data:"))] == []
    context.close()


# ---- 5,000 steps ---------------------------------------------------------------------------------

TIMES = """async () => {
  const { last } = player.tape;
  const spread = (count, step) => Array.from({ length: count }, (_, i) => step(i));
  const steps = [...spread(20, (i) => i + 1), ...spread(20, (i) => last - i),
    ...spread(20, (i) => 1 + Math.floor((i * (last - 1)) / 19))];
  const one = (step) => new Promise((done) => requestAnimationFrame(() => {
    const begin = performance.now();
    player.go(step);
    document.body.offsetHeight;                       // the page is laid out
    done(performance.now() - begin);
  }));
  const best = steps.map(() => Infinity);
  for (let round = 0; round < 3; round++) {
    for (const [i, step] of steps.entries()) best[i] = Math.min(best[i], await one(step));
  }
  return best;
}"""


def long_chain() -> Any:
    """One graph of 2,500 nodes, which is gone through forward and backward."""
    with mg.autograd.graph.record() as tape:
        x = mg.tensor([1.0, 2.0], requires_grad=True)
        y = x
        for _ in range(1250):
            y = y * 0.999 + x
        y.sum().backward()
    return tape


@pytest.mark.parametrize("program", [lambda: regression(300), long_chain], ids=["loop", "chain"])
def test_five_thousand_steps_stay_smooth(show: Open, program: Any) -> None:
    """Each step within 100 ms: the best of three times, so that other programs do not count."""
    tape = program()
    assert len(tape) > 5000
    shown = show(tape)
    assert max(shown.page.evaluate(TIMES)) < 100
    rows = shown.page.locator(".step, .code").count()
    assert rows < 200  # of 5,000 steps only those in view exist
    assert shown.page.locator(".box").count() < 200
