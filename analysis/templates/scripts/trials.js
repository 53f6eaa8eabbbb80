"use strict";
// Every trial of the study: the table of all, and what the drawer shows of one.
page.trials = (() => {
  const { make, data } = page;
  const all = data.trials, curves = data.curves;
  const STEP = 200;
  const metrics = all.metrics;
  const places = new Map(all.id.map((id, place) => [id, place]));
  const curveOf = new Map(curves.ids.map((id, place) => [id, place]));

  const number = (value, metric) => {
    if (value === null || value === undefined) return "–";
    const words = metric?.percent ? value.toFixed(1) : String(Number(value.toPrecision(4)));
    return words.replace("-", "−");
  };
  const outcome = (place) => {
    const state = all.state[place];
    if (state === "failed") return `failed: ${all.kind[place] || "error"}`;
    return all.collapsed[place] ? "collapsed" : state;
  };
  const config = (place) => {
    if (all.config[place] < 0) return {};
    const { method, own } = all.configs.own[all.config[place]];
    return { ...all.configs.common[method], ...own };
  };
  const command = (place) => {
    const kind = all.state[place] === "complete" ? "complete" : all.state[place] === "failed" ? "failed" : "other";
    return all.again[kind].replace("{trial}", all.id[place]).replace("{kind}", all.kind[place]);
  };
  const link = (place, words) => make("a", { href: `#trial-${all.id[place]}`, class: `state-${all.state[place]}` }, words);

  // Curves of trials in one metric; the one under the pointer is named below.
  const chart = (trials, metric, width) => {
    const known = trials.filter((place) => curveOf.has(all.id[place]));
    if (!curves.values[metric.key] || !known.length) return null;
    const ink = getComputedStyle(document.querySelector("h1")).color;
    const grid = getComputedStyle(document.querySelector("main section h2")).borderBottomColor;
    const colour = getComputedStyle(document.querySelector("main a")).color;
    const place = make("div", { class: "chart", role: "img", "aria-label": `${metric.label} over epochs of ${known.length} trials` });
    const said = make("p", { class: "note" }, known.length > 1 ? "Point at a line for its seed." : "");
    const lines = known.map((one) => curves.values[metric.key][curveOf.get(all.id[one])]);
    const axis = (label, size) => ({ label, size, labelSize: 20, stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid } });
    new uPlot({
      width, height: 260, legend: { show: known.length <= 1 }, focus: { alpha: 0.2 }, cursor: { focus: { prox: 24 } },
      scales: { x: { time: false } }, axes: [axis("epoch", 34), axis(metric.label, 56)],
      series: [{ label: "epoch" }, ...known.map((one) => ({ label: `seed ${all.seed[one]}`, stroke: colour, width: 1.4, spanGaps: true, dash: all.collapsed[one] ? [5, 4] : undefined }))],
      hooks: { setSeries: [(_, index) => { if (index) said.textContent = `seed ${all.seed[known[index - 1]]}: ${outcome(known[index - 1])}`; }] },
    }, [curves.epochs, ...lines], place);
    return make("div", {}, place, said);
  };
  const charts = (trials, width) => {
    const holder = make("div", {});
    const offered = metrics.filter((one) => curves.values[one.key]);
    if (!offered.length) return make("p", { class: "soft" }, "No curve was kept of these trials.");
    const select = make("select", {}, ...offered.map((one) => make("option", { value: one.key }, one.label)));
    const show = () => holder.replaceChildren(chart(trials, offered.find((one) => one.key === select.value), width) ?? make("p", { class: "soft" }, "No curve was kept of these trials."));
    select.addEventListener("change", show);
    show();
    const thinned = curves.epochs.length < curves.of
      ? make("p", { class: "note" }, `Of ${curves.of} evaluations ${curves.epochs.length} are drawn: the first, the last and evenly between, as many as a page of ${all.id.length} trials has room for. All of them: orchestrate trial ID.`) : null;
    return make("div", {}, make("div", { class: "tools" }, make("label", {}, "Curve of ", select)), holder, thinned);
  };

  const values = metrics.slice(0, 4);
  const HEAD = ["arm", "seed", "phase", "outcome", ...values.map((one) => one.label), "seconds", "trial"];
  const cells = (place) => [
    all.arms[all.arm[place]].name, String(all.seed[place]), all.search[place] ? "search" : "confirm", outcome(place),
    ...values.map((one) => number(all.values[one.key][place], one)), number(all.seconds[place]), all.id[place],
  ];
  const row = (place) => {
    const words = cells(place), last = words.length - 1;
    return make("tr", {}, ...words.map((one, column) => {
      if (column === last) return make("td", {}, link(place, one.slice(0, 10)));
      if (column === 3) return make("td", { class: `state-${all.state[place]}` }, one);
      return make("td", { class: column === 0 || column === 2 ? "" : "number" }, one);
    }));
  };

  const listed = make("tbody", {});
  let found = [], shown = 0, order = { column: -1, down: false };
  const raw = (place, column) => {
    if (column === 1) return all.seed[place];
    if (column > 3 && column < 4 + values.length) return all.values[values[column - 4].key][place] ?? -Infinity;
    if (column === 4 + values.length) return all.seconds[place] ?? -Infinity;
    return cells(place)[column];
  };
  const more = () => {
    listed.append(...found.slice(shown, shown + STEP).map(row));
    shown = Math.min(found.length, shown + STEP);
    document.getElementById("trial-count").textContent = `${found.length} of ${all.id.length} trials`;
    document.getElementById("trial-more").hidden = shown >= found.length;
  };
  const choose = () => {
    const wanted = document.getElementById("trial-filter").value.trim(), state = document.getElementById("trial-state").value;
    found = [...all.id.keys()].filter((place) => {
      if (state && !(state === "collapsed" ? all.collapsed[place] : all.state[place] === state)) return false;
      return !wanted || page.matches(cells(place).join(" "), wanted);
    });
    for (const [column, cell] of [...head.cells].entries()) {
      if (column === order.column) cell.setAttribute("aria-sort", order.down ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    }
    if (order.column >= 0) {
      const keys = new Map(found.map((place) => [place, raw(place, order.column)]));
      found.sort((one, other) => (order.down ? -1 : 1) * (keys.get(one) > keys.get(other) ? 1 : keys.get(one) < keys.get(other) ? -1 : 0));
    }
    shown = 0;
    listed.replaceChildren();
    more();
  };
  const chosen = () => {
    page.address.choose({
      "trials.filter": document.getElementById("trial-filter").value.trim(),
      "trials.show": document.getElementById("trial-state").value,
      "trials.sort": order.column < 0 ? "" : page.written(HEAD[order.column], order.down),
    });
    choose();
  };
  const head = make("tr", {}, ...HEAD.map((words, column) => {
    const cell = make("th", { scope: "col" });
    cell.append(make("button", { type: "button", click: () => {
      order = { column, down: order.column === column && !order.down };
      chosen();
    } }, words));
    return cell;
  }));
  document.getElementById("all-trials").append(make("table", {}, make("thead", {}, head), listed));
  document.getElementById("trial-filter").addEventListener("input", chosen);
  document.getElementById("trial-state").addEventListener("change", chosen);
  document.getElementById("trial-more").addEventListener("click", more);
  for (const button of document.querySelectorAll("[data-for=all-trials] [data-copy]")) button.rows = () => [HEAD, ...found.map(cells)];
  // The tile that counts collapsed trials shows them.
  for (const tile of document.querySelectorAll(".tiles a[href='#trials']")) {
    tile.addEventListener("click", () => {
      document.getElementById("trial-state").value = tile.textContent.includes("collapsed") ? "collapsed" : "";
      chosen();
    });
  }
  page.address.restoring(() => {
    document.getElementById("trial-filter").value = page.address.get("trials.filter");
    const states = document.getElementById("trial-state"), wanted = page.address.get("trials.show");
    states.value = [...states.options].some((one) => one.value === wanted) ? wanted : "";
    order = page.asked(page.address.get("trials.sort"), HEAD);
    choose();
  });
  return { all, places, number, outcome, config, command, link, charts, metrics };
})();
