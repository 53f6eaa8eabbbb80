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
  const HEAD = [...document.querySelectorAll("#studies th")].map((cell) => cell.textContent);
  // What runs comes first, then what is unfinished.
  const urgency = (one) => (one.missing ? (one.running && one.rate > 0 ? 0 : 1) : 2);
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
    [...line.cells].forEach((cell, place) => { if (place > 1) cell.dataset.label = HEAD[place]; });  // where there is no room for a head
    return line;
  };
  const element = (name, values) => {
    const found = document.createElementNS(NS, name);
    for (const [key, value] of Object.entries(values)) found.setAttribute(key, value);
    return found;
  };
  const short = (value) => (value === null ? "none" : Number(value.toPrecision(4)).toString());
  const label = (svg, text, at) => {
    const words = element("text", at);
    words.append(text);
    svg.append(words);
  };
  // The history of a search: a dot a configuration, hollow where a seed collapsed, and the best so far as a line.
  const curve = (search) => {
    const svg = element("svg", { class: "history", viewBox: "0 0 640 220", role: "img", "aria-label": `${search.name}: ${search.n} of ${search.of} configurations, best ${search.rule} so far ${short(search.best_now)}` });
    const values = [...search.points, ...search.best].map((one) => one[1]).filter((value) => value !== null);
    const low = Math.min(...values), high = Math.max(...values), reach = high - low || 1;
    const x = (place) => 58 + (570 * place) / (search.of || 1), y = (value) => 190 - (180 * (value - low)) / reach;
    for (const [place, value, feasible] of search.points) if (value !== null) svg.append(element("circle", { cx: x(place), cy: y(value), r: 2.5, class: feasible ? "point" : "collapsed" }));
    let path = "";
    for (const [place, value] of search.best) path += path ? `H${x(place)}V${y(value)}` : `M${x(place)} ${y(value)}`;
    if (path) svg.append(element("path", { d: `${path}H${x(search.n)}`, class: "best" }));
    if (values.length) {
      label(svg, short(high), { x: 50, y: 20, "text-anchor": "end" });
      label(svg, short(low), { x: 50, y: 194, "text-anchor": "end" });
    }
    label(svg, `${search.rule} (${search.maximize ? "large" : "small"} is good)`, { x: 12, y: 105, "text-anchor": "middle", transform: "rotate(-90 12 105)" });
    label(svg, `configurations, 1 to ${search.of} →`, { x: 340, y: 212, "text-anchor": "middle" });
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
  // Two objectives against each other: the front is what no other configuration is as good as in both and better in one.
  const plane = (search) => {
    const { rules, directions, points, front, n_front } = search.trade_off;
    const svg = element("svg", { class: "history plane", viewBox: "0 0 640 300", role: "img", "aria-label": `${search.name}: ${rules[0]} against ${rules[1]}, ${n_front} configurations on the front` });
    const places = [...points, ...front.map((one) => one[1])].filter((one) => one[0] !== null && one[1] !== null);
    const scale = (which, from, to) => {
      const values = places.map((one) => one[which]), low = Math.min(...values), high = Math.max(...values);
      return { low, high, at: (value) => from + ((to - from) * (value - low)) / (high - low || 1) };
    };
    const x = scale(0, 60, 620), y = scale(1, 250, 14);
    for (const one of points) if (one[0] !== null && one[1] !== null) svg.append(element("circle", { cx: x.at(one[0]), cy: y.at(one[1]), r: 2.5, class: one[one.length - 1] ? "point" : "collapsed" }));
    for (const [, values] of front) svg.append(element("circle", { cx: x.at(values[0]), cy: y.at(values[1]), r: 5, class: "front" }));
    if (places.length) for (const [value, at] of [[x.low, { x: 60, y: 268 }], [x.high, { x: 620, y: 268, "text-anchor": "end" }], [y.low, { x: 54, y: 250, "text-anchor": "end" }], [y.high, { x: 54, y: 20, "text-anchor": "end" }]]) label(svg, short(value), at);
    const end = (which) => `${rules[which]} (${directions[which] === "maximize" ? "large" : "small"} is good)`;
    label(svg, `${end(0)} →`, { x: 340, y: 290, "text-anchor": "middle" });
    label(svg, `${end(1)} →`, { x: 14, y: 132, "text-anchor": "middle", transform: "rotate(-90 14 132)" });
    return svg;
  };
  const frontTable = (search) => {
    const { rules, directions, front } = search.trade_off, knobs = Object.keys(front[0][2]);
    const holder = make("div", undefined, "wide"), table = make("table"), head = make("tr"), body = make("tbody");
    for (const [name, value] of Object.entries({ tabindex: "0", role: "region", "aria-label": `Pareto front of ${search.name}` })) holder.setAttribute(name, value);
    head.append(...["configuration", ...rules.map((rule, place) => `${rule} (${directions[place]})`), ...knobs].map((words) => make("th", words)));
    for (const [place, values, config] of front) {
      const line = make("tr");
      line.append(make("th", String(place)), ...values.map((value) => make("td", short(value), "number")), ...knobs.map((knob) => make("td", config[knob])));
      body.append(line);
    }
    const top = make("thead");
    top.append(head);
    table.append(top, body);
    holder.append(table);
    return holder;
  };
  const tradeOff = (search) => {
    const { front, n_front, rules } = search.trade_off;
    if (!n_front) return [make("p", "No configuration has all objectives yet.", "soft")];
    const rest = n_front > front.length ? `, of which ${front.length} are shown` : "";
    const others = rules.length > 2 ? `, drawn in the first two of ${rules.length} objectives` : "";
    return [make("p", `Pareto front so far (means over seeds, none collapsed): ${n_front} configurations than which no other one is as good in every objective and better in one${rest}${others}. The first objective chooses.`), plane(search), frontTable(search)];
  };
  const searchView = (study, search, open) => {
    const entry = make("details");
    entry.dataset.key = JSON.stringify([study, search.name]);
    entry.open = open.has(entry.dataset.key);
    entry.append(make("summary", `${study}: ${search.name}, ${search.n} of ${search.of} configurations, best ${search.rule} ${short(search.best_now)}`));
    if (search.points.length) entry.append(curve(search));
    const best = Object.entries(search.best_values).map(([knob, value]) => `${knob} ${value}`).join(", ");
    if (best) entry.append(make("p", `Best so far (${search.maximize ? "largest" : "smallest"} mean over seeds${search.trade_off ? ` of ${search.rule}` : ""}, none collapsed): ${best}.`));
    if (search.trade_off) entry.append(...tradeOff(search));
    entry.append(make("p", search.importances.length ? `How much each knob has to do with the best tenth${search.trade_off ? ` in ${search.rule}` : ""}, so far:` : "Importances come with 20 configurations.", "soft"));
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
    const all = [...told.studies].sort((one, other) => urgency(one) - urgency(other)), sum = (name) => all.reduce((total, one) => total + one[name], 0);
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
  events.addEventListener("error", () => {
    const gone = events.readyState === EventSource.CLOSED;  // another server came in its place: it has another token
    document.getElementById("state").textContent = gone ? "The server refuses this page; open the address that it printed." : "The server does not answer; trying again.";
  });
})();
