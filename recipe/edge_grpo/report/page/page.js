"use strict";
// What a model wrote becomes text nodes only, never markup.
(() => {
  const PER_PAGE = 10;
  const runs = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);

  const element = (name, className, text) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };

  // Figures: one run alone, by its name in the legend.
  const buttons = [...document.querySelectorAll("#runs-legend button")];
  const lines = [...document.querySelectorAll("#curves svg g[id*='.run']")];
  const runOf = (line) => /\.run(\d+)-/.exec(line.id)?.[1];
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const isPressed = button.getAttribute("aria-pressed") === "true";
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button && !isPressed));
      for (const line of lines) line.classList.toggle("dim", !isPressed && runOf(line) !== button.dataset.run);
    });
  }

  if (!runs.length) return;

  const LABELS = {
    all_wrong: "all wrong at first", revived: "revived", destroyed: "destroyed", skipped: "skipped",
    corrected: "corrected", all_correct: "all correct at first",
  };
  const NUMBERS = [
    ["first_score", "score, first pass"], ["score", "score, after"], ["accuracy", "accuracy, after"],
    ["entropy", "entropy"], ["ratio", "entropy ratio"],
    ["advantage_before", "advantage before EDA"], ["advantage", "advantage after EDA"],
    ["strategy", "strategy"], ["skipped", "skipped"], ["guard_role", "guard"],
    ["hint_number", "hint"], ["hint_skipped", "hint skipped"],
  ];

  const text = (pieces) => {
    const shown = element("div", "text");
    for (const [writer, words] of pieces) shown.append(writer ? element("mark", "", words) : words);
    return shown;
  };

  const response = (data, number) => {
    const shown = element("div", data.accuracy > 0 ? "response right" : "response");
    shown.append(element("strong", "", `Response ${number + 1}`));
    const list = element("dl");
    for (const [key, label] of NUMBERS) {
      if (data[key] === undefined) continue;
      const value = typeof data[key] === "number" ? +data[key].toFixed(3) : data[key];
      list.append(element("dt", "", label), element("dd", "", String(value)));
    }
    shown.append(list);
    if (data.first !== undefined) {
      shown.append(element("div", "note", "First pass"), text([[0, data.first]]));
      shown.append(element("div", "note", "After correction"));
    }
    shown.append(text(data.pieces));
    return shown;
  };

  const group = (data) => {
    const shown = element("article", "group");
    shown.append(element("h3", "", `Step ${data.step}, group ${data.group}`));
    const tags = element("div", "tags");
    for (const flag of data.flags) tags.append(element("span", "", LABELS[flag] ?? flag));
    shown.append(tags, element("div", "prompt", data.prompt), element("p", "note", `Reference answer: ${data.answer}`));
    const side = element("div", "responses");
    side.append(...data.responses.map(response));
    shown.append(side);
    return shown;
  };

  const contains = (data, words) =>
    data.prompt.toLowerCase().includes(words) ||
    data.responses.some((one) => one.pieces.map((piece) => piece[1]).join("").toLowerCase().includes(words));

  let page = 0;
  const show = () => {
    const run = runs[Number(byId("choose-run").value)];
    const [step, filter] = [byId("choose-step").value, byId("choose-filter").value];
    const words = byId("choose-text").value.trim().toLowerCase();
    const chosen = run.groups.filter((one) => (!step || String(one.step) === step) &&
      (!filter || one.flags.includes(filter)) && (!words || contains(one, words)));
    const numPages = Math.max(1, Math.ceil(chosen.length / PER_PAGE));
    page = Math.min(Math.max(page, 0), numPages - 1);
    byId("count").textContent = `${chosen.length} of ${run.groups.length} groups, page ${page + 1} of ${numPages}`;
    byId("previous").disabled = page === 0;
    byId("next").disabled = page === numPages - 1;
    byId("group-list").replaceChildren(...chosen.slice(page * PER_PAGE, (page + 1) * PER_PAGE).map(group));
  };

  const option = (value, label) => {
    const made = element("option", "", label);
    made.value = value;
    return made;
  };
  const chooseRun = () => {
    const steps = [...new Set(runs[Number(byId("choose-run").value)].groups.map((one) => one.step))];
    byId("choose-step").replaceChildren(option("", "all"), ...steps.map((step) => option(String(step), String(step))));
    page = 0;
    show();
  };

  byId("choose-run").replaceChildren(...runs.map((run, number) => option(String(number), run.name)));
  byId("choose-run").addEventListener("change", chooseRun);
  for (const id of ["choose-step", "choose-filter", "choose-text"]) {
    byId(id).addEventListener("input", () => { page = 0; show(); });
  }
  for (const [id, move] of [["previous", -1], ["next", 1]]) {
    byId(id).addEventListener("click", () => { page += move; show(); byId("groups").scrollIntoView(); });
  }
  chooseRun();
})();
