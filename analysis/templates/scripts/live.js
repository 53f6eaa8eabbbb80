"use strict";
// Follows the folder by server-sent events; text only ever becomes text.
(() => {
  const NS = "http://www.w3.org/2000/svg";
  const make = (tag, words, className) => {
    const element = document.createElement(tag);
    if (words !== undefined) element.append(words);
    if (className) element.className = className;
    return element;
  };
  const span = (seconds) => (seconds < 60 ? `${seconds.toFixed(0)} s` : seconds < 3600 ? `${(seconds / 60).toFixed(1)} min` : `${(seconds / 3600).toFixed(1)} h`);
  const failures = (one) => Object.entries(one.failed).map(([kind, count]) => `${count} ${kind}`).join(", ") || "0";
  const progress = (one) => {
    const svg = document.createElementNS(NS, "svg");
    svg.setAttribute("class", "progress");
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", `${one.trials - one.missing} of ${one.whole} trials ended`);
    const bar = (className, from, count) => {
      const rect = document.createElementNS(NS, "rect");
      const values = { class: className, x: `${(100 * from) / (one.whole || 1)}%`, width: `${(100 * count) / (one.whole || 1)}%`, height: "100%" };
      for (const [name, value] of Object.entries(values)) rect.setAttribute(name, value);
      svg.append(rect);
    };
    bar("", 0, one.whole);
    bar("done", 0, one.complete);
    bar("bad", one.complete, one.trials - one.missing - one.complete);
    return svg;
  };
  const row = (one) => {
    const line = make("tr"), number = (words) => make("td", words, "number");
    const report = make("td");
    if (one.report) {
      const link = make("a", "report");
      link.href = `/report/${encodeURIComponent(one.study)}`;
      report.append(link);
    }
    line.append(make("th", one.study), make("td", progress(one)), number(`${one.complete} / ${one.whole}`), number(String(one.collapsed)),
      number(failures(one)), number(String(one.missing)), number(one.running && one.missing ? String(one.rate) : "–"),
      number(span(one.seconds_spent)), number(one.missing ? span(one.seconds_left) : "–"), report);
    return line;
  };
  const element = (name, values) => {
    const found = document.createElementNS(NS, name);
    for (const [key, value] of Object.entries(values)) found.setAttribute(key, value);
    return found;
  };
  const short = (value) => (value === null ? "none" : Number(value.toPrecision(4)).toString());
  // The history of a search: a dot a configuration, hollow where a seed collapsed, and the best so far as a line.
  const curve = (search) => {
    const svg = element("svg", { class: "history", viewBox: "0 0 640 200", role: "img", "aria-label": `${search.name}: ${search.n} of ${search.of} configurations, best ${search.rule} so far ${short(search.best_now)}` });
    const values = [...search.points, ...search.best].map((one) => one[1]).filter((value) => value !== null);
    const low = Math.min(...values), high = Math.max(...values), reach = high - low || 1;
    const x = (place) => 8 + (624 * place) / (search.of || 1), y = (value) => 190 - (180 * (value - low)) / reach;
    for (const [place, value, feasible] of search.points) if (value !== null) svg.append(element("circle", { cx: x(place), cy: y(value), r: 2.5, class: feasible ? "point" : "collapsed" }));
    let path = "";
    for (const [place, value] of search.best) path += path ? `H${x(place)}V${y(value)}` : `M${x(place)} ${y(value)}`;
    if (path) svg.append(element("path", { d: `${path}H${x(search.n)}`, class: "best" }));
    return svg;
  };
  const importances = (search) => {
    const list = make("table");
    for (const [knob, share] of search.importances) {
      const line = make("tr"), bar = element("svg", { class: "progress", "aria-hidden": "true" }), cell = make("td");
      bar.append(element("rect", { width: "100%", height: "100%" }), element("rect", { width: `${100 * (share || 0)}%`, height: "100%", class: "done" }));
      cell.append(bar);
      line.append(make("th", knob), cell, make("td", share === null ? "–" : `${(100 * share).toFixed(0)} %`, "number"));
      list.append(line);
    }
    return list;
  };
  const searchView = (study, search, open) => {
    const entry = make("details");
    entry.dataset.key = JSON.stringify([study, search.name]);
    entry.open = open.has(entry.dataset.key);
    entry.append(make("summary", `${study}: ${search.name}, ${search.n} of ${search.of} configurations, best ${search.rule} ${short(search.best_now)}`));
    if (search.points.length) entry.append(curve(search));
    const best = Object.entries(search.best_values).map(([knob, value]) => `${knob} ${value}`).join(", ");
    if (best) entry.append(make("p", `Best so far (${search.maximize ? "largest" : "smallest"} mean over seeds, none collapsed): ${best}.`));
    entry.append(make("p", search.importances.length ? "How much each knob has to do with the best tenth, so far:" : "Importances come with 20 configurations.", "soft"));
    if (search.importances.length) entry.append(importances(search));
    return entry;
  };
  const looksView = (one) => {
    const looks = one.looks, line = make("tr"), words = (numbers) => numbers.join(", ") || "–";
    const allowed = !looks.next ? "no further look is planned" : looks.seeds >= looks.next ? `now, at ${looks.next} seeds` : `at ${looks.next} seeds, ${looks.next - looks.seeds} to go`;
    line.append(make("th", one.study), make("td", String(looks.seeds), "number"), make("td", words(looks.planned)), make("td", words(looks.taken)), make("td", words(looks.by_hand)), make("td", allowed), make("td", `${(100 * looks.share).toFixed(0)} %`, "number"));
    return line;
  };
  const costView = (study, run) => {
    const line = make("tr"), [expected, low, high] = run.priced, cell = (words) => make("td", words, "number");
    line.append(make("th", study), make("td", run.at), cell(run.of ? `${run.trials} of ${run.of}` : String(run.trials)), cell(span(run.spent)),
      cell(run.expected === null ? "–" : span(run.expected)), cell(run.priced.length ? span(expected) : "unknown"), cell(run.priced.length ? `${span(low)} to ${span(high)}` : "–"));
    return line;
  };
  const deviceView = (one) => {
    const line = make("tr");
    line.append(make("th", one.name || "unknown"), ...[one.trials_now, span(one.seconds_now), one.trials, span(one.seconds)].map((words) => make("td", String(words), "number")));
    return line;
  };
  const announced = (run) => !run ? "Nothing runs, or its driver says no more of itself." : `${run.study}: ${run.workers ? `priced for ${run.workers} workers` : "workers"} on ${run.device}${run.dashboard ? `; Ray dashboard: ${run.dashboard}` : ""}.`;
  const fill = (id, found, none) => document.getElementById(id).replaceChildren(...(found.length ? found : [make("p", none)]));
  const opened = (id) => new Set([...document.querySelectorAll(`#${id} details[open]`)].map((one) => one.dataset.key));
  let shown = false;
  const traceback = (study, failure, open) => {
    const entry = make("details");
    entry.dataset.key = JSON.stringify([study, failure.kind, failure.line]);
    entry.open = open.has(entry.dataset.key);
    const text = make("pre", failure.text || "no error was kept");
    text.tabIndex = 0;
    entry.append(make("summary", `${study}: ${failure.count} ${failure.kind}: ${failure.line || "no error was kept"}`),
      make("p", `The latest is trial ${failure.trial_id}; a traceback that ends so:`), text);
    return entry;
  };
  const show = (told) => {
    const all = told.studies, sum = (name) => all.reduce((total, one) => total + one[name], 0);
    const running = all.filter((one) => one.running && one.missing);
    document.getElementById("short").textContent = told.error || `${sum("trials") - sum("missing")} of ${sum("whole")} trials ended; ${running.length ? `${running.map((one) => one.study).join(", ")} unfinished, ${running[0].running}` : "nothing runs"}.`;
    document.getElementById("rows").replaceChildren(...all.map(row));
    const open = opened("failed"), seen = opened("searched");
    fill("failed", all.flatMap((one) => one.failures.map((failure) => traceback(one.study, failure, open))), "None known.");
    const searched = all.flatMap((one) => one.searches.map((search) => searchView(one.study, search, seen)));
    if (!shown && searched.length === 1) searched[0].open = true;
    shown = shown || all.length > 0;
    fill("searched", searched, "No study here searches.");
    document.getElementById("spent").replaceChildren(...all.flatMap((one) => one.costs.map((run) => costView(one.study, run))));
    document.getElementById("announced").textContent = announced(told.run);
    document.getElementById("devices").replaceChildren(...told.devices.map(deviceView));
    document.getElementById("seeds").replaceChildren(...all.filter((one) => one.looks).map(looksView));
    const state = document.getElementById("state");
    state.textContent = `As of ${new Date().toLocaleTimeString()}; follows by itself.`;
    state.dataset.news = Number(state.dataset.news || 0) + 1;
  };
  // The token is a cookie by now: it need not stand in the address, in the history, or in a copied link.
  history.replaceState(null, "", location.pathname + location.hash);
  const events = new EventSource("/events");
  events.addEventListener("message", (event) => show(JSON.parse(event.data)));
  events.addEventListener("error", () => { document.getElementById("state").textContent = "The server does not answer; trying again."; });
})();
