"use strict";
// What an address names after its #: a contrast, an arm, a trial; each with the way to the next.
(() => {
  const { make, data, trials } = page;
  const drawer = document.getElementById("drawer");
  const { all, number, outcome, link } = trials;
  const metric = trials.metrics[0];
  const confirmed = [...all.id.keys()].filter((place) => !all.search[place]);
  const said = new Map();
  for (const item of document.querySelectorAll("li[id^=contrast-]")) {
    said.set(item.id, item);
    item.id = `said-${item.id}`;  // the drawer opens where the reader is; without scripts the sentence is the target
  }

  const grid = (head, rows, title) => make("div", { class: "wide", tabindex: "0", role: "region", "aria-label": title },
    make("table", {}, make("thead", {}, make("tr", {}, ...head.map((words) => make("th", { scope: "col" }, words)))),
      make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map((cell) => make("td", {}, cell)))))));
  const room = () => Math.min(drawer.clientWidth - 48, 640);
  const armLink = (place, words) => make("a", { href: `#arm-${place}` }, words ?? all.arms[place].name);
  const armPlace = (name) => all.arms.findIndex((arm) => arm.name === name);
  const value = (place) => {
    if (all.state[place] !== "complete") return outcome(place);
    const gone = all.collapsed[place] ? " (collapsed)" : "";
    return number(all.values[metric.key]?.[place], metric) + gone;
  };

  const contrast = (key) => {
    const told = data.contrasts[Number(key.split("-")[1])];
    if (!told) return null;
    const arms = told.weights.map(([name]) => armPlace(name));
    const seeds = [...new Set(confirmed.filter((place) => arms.includes(all.arm[place])).map((place) => all.seed[place]))].sort((a, b) => a - b);
    const of = (arm, seed) => confirmed.find((place) => all.arm[place] === arm && all.seed[place] === seed);
    const own = told.metrics[metric.key];
    const rows = seeds.map((seed) => {
      const at = own ? own.seeds.indexOf(seed) : -1;
      const cells = arms.map((arm) => { const place = of(arm, seed); return place === undefined ? "–" : link(place, value(place)); });
      return [String(seed), ...cells, at >= 0 ? number(own.dots[at], metric) : "–"];
    });
    const sentence = said.get(key)?.children[1].textContent ?? "";
    return [told.label, [
      make("p", {}, sentence),
      make("h3", {}, `Seed by seed: ${metric.label}`),
      grid(["seed", ...arms.map((arm) => armLink(arm)), "difference"], rows, "Seeds"),
      make("p", { class: "note" }, "A value leads to its trial: curve, config and command. A heading leads to its arm."),
    ]];
  };

  const arm = (key) => {
    const place = Number(key.split("-")[1]), own = all.arms[place];
    if (!own) return null;
    const members = [...all.id.keys()].filter((one) => all.arm[one] === place).sort((a, b) => all.seed[a] - all.seed[b]);
    const shown = trials.metrics.slice(0, 4);
    const rows = members.map((one) => [link(one, `seed ${all.seed[one]}`), outcome(one), ...shown.map((each) => number(all.values[each.key][one], each)), number(all.seconds[one])]);
    return [own.name, [
      make("p", { class: "soft" }, [own.method, own.dataset, own.role].filter(Boolean).join(" · ")),
      trials.charts(members, room()),
      grid(["seed", "outcome", ...shown.map((each) => each.label), "seconds"], rows, "Seeds"),
      make("h3", {}, "Config"), settings(members[0]),
    ]];
  };

  const settings = (place) => make("dl", {}, ...Object.entries(place === undefined ? {} : trials.config(place)).flatMap(([knob, setting]) =>
    [make("dt", {}, knob), make("dd", {}, typeof setting === "string" ? setting : JSON.stringify(setting))]));

  const trial = (key) => {
    const id = key.slice("trial-".length);
    const place = trials.places.get(id) ?? all.id.findIndex((one) => id.length > 5 && one.startsWith(id));
    if (place === undefined || place < 0) return null;
    const again = trials.command(place), status = make("span", { class: "note", role: "status" });
    const scores = trials.metrics.map((each) => [each, all.values[each.key][place]]).filter(([, one]) => one !== null);
    return [`${all.arms[all.arm[place]].name}, seed ${all.seed[place]}`, [
      make("p", {}, make("span", { class: `state-${all.state[place]}` }, outcome(place)), ` · trial ${all.id[place]} · `, armLink(all.arm[place], "all seeds of this arm")),
      all.error[place] >= 0 ? make("pre", { class: "traceback", tabindex: "0" }, all.errors[all.error[place]]) : null,
      trials.charts([place], room()),
      make("h3", {}, "Train it again"),
      make("pre", { tabindex: "0" }, again),
      make("div", { class: "tools" }, make("button", { type: "button", click: () => page.copy(again, status) }, "Copy the command"), status),
      make("h3", {}, "Scores"),
      make("dl", {}, ...scores.flatMap(([each, one]) => [make("dt", {}, each.label), make("dd", {}, number(one, each))])),
      make("h3", {}, "Config"), settings(place),
    ]];
  };

  const KINDS = { contrast, arm, trial };
  const show = () => {
    const key = page.address.place();
    const kind = KINDS[key.split("-")[0]];
    const isNew = !drawer.open;
    if (!kind || !/^(contrast|arm)-\d+$|^trial-/.test(key)) {
      if (drawer.open) drawer.close();
      return;
    }
    if (isNew) drawer.showModal();
    const found = kind(key);
    const [title, parts] = found ?? ["Not found", [make("p", {}, `This report has no ${key}.`)]];
    const status = make("span", { class: "note", role: "status" });
    drawer.replaceChildren(
      make("button", { type: "button", class: "close", click: () => drawer.close() }, "Close"),
      make("h2", { id: "drawer-title", tabindex: "-1" }, title),
      ...parts.filter(Boolean),
      make("div", { class: "tools" }, make("button", { type: "button", click: () => page.copy(location.href, status) }, "Copy a link to this"), status));
    document.getElementById("drawer-title").focus();  // who comes by keyboard goes on from here, and hears where it is
    drawer.scrollTop = 0;
  };
  drawer.addEventListener("close", () => { if (/^(contrast|arm|trial)-/.test(page.address.place())) page.address.go(""); });
  drawer.addEventListener("click", (event) => { if (event.target === drawer) drawer.close(); });
  addEventListener("hashchange", show);
  document.addEventListener("theme", () => { if (drawer.open) show(); });

  // Names of arms in the table lead to their seeds.
  const table = document.querySelector("#arms table");
  if (table) {
    const heads = [...table.tHead.rows[0].cells].map((cell) => cell.textContent.trim());
    const [name, where] = [heads.indexOf("arm"), heads.indexOf("data")];
    for (const row of table.tBodies[0].rows) {
      const short = row.cells[name].textContent.trim(), dataset = where >= 0 ? row.cells[where].textContent.trim() : "";
      const place = [short, `${short} @ ${dataset}`].map(armPlace).find((one) => one >= 0);
      if (place !== undefined) row.cells[name].replaceChildren(armLink(place, short));
    }
  }
  show();
})();
