"use strict";
// The picture of effects in another metric (described, not tested), and as a file of its own.
(() => {
  const table = document.getElementById("forest");
  if (!table) return;
  const NS = "http://www.w3.org/2000/svg";
  const { make, data } = page;
  const draw = (tag, attributes, ...children) => {
    const element = document.createElementNS(NS, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };
  const rows = () => [...table.querySelectorAll("tr[data-key]")];
  const signed = (value, percent) => {
    if (value === null || value === undefined) return "–";
    const words = percent ? value.toFixed(1) : String(Number(value.toPrecision(3)));
    return (value >= 0 ? "+" : "") + words.replace("-", "−");
  };

  // Round numbers on an axis that holds every value.
  const axisOf = (values) => {
    let [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
    const room = 0.05 * (high - low) || 1;
    [low, high] = [low - room, high + room];
    const raw = (high - low) / 7, power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 2.5, 5, 10].map((times) => times * power).find((one) => one >= raw);
    const ticks = [];
    for (let at = Math.ceil(low / step); at <= Math.floor(high / step); at++) ticks.push(at * step);
    return { ticks, place: (value) => `${(100 * (value - low)) / (high - low)}%` };
  };

  const drawn = (axis, told) => {
    const svg = draw("svg", { class: "effects", "aria-hidden": "true" });
    const at = (value, kind) => draw("line", { class: kind, x1: axis.place(value), x2: axis.place(value), y2: "100%" });
    for (const tick of axis.ticks) svg.append(at(tick, tick === 0 ? "zero" : "tick"));
    const group = draw("g", { class: "told described" });
    for (const dot of told.dots) if (dot !== null) group.append(draw("circle", { cx: axis.place(dot), cy: "50%", r: 2.2 }));
    const [centre, low, high] = told.centre;
    if (low !== null && high !== null) group.append(draw("line", { class: "interval", x1: axis.place(low), x2: axis.place(high), y1: "50%", y2: "50%" }));
    if (centre !== null) group.append(draw("svg", { x: axis.place(centre), y: "50%", overflow: "visible" }, draw("path", { d: "M-5 0A5 5 0 1 0 5 0A5 5 0 1 0-5 0Z" })));
    svg.append(group);
    return svg;
  };

  const parts = (row) => ({ plot: row.querySelector("td.plot"), number: row.querySelector("td.number"), word: row.querySelector("td.word") });
  const head = table.querySelector("th.plot");
  const kept = new Map([[head, [...head.childNodes]]]);
  for (const row of rows()) for (const cell of Object.values(parts(row))) if (cell) kept.set(cell, [...cell.childNodes]);

  const choose = (metric, own) => {
    const note = document.getElementById("metric-note");
    if (metric.key === own) {
      for (const [cell, nodes] of kept) cell.replaceChildren(...nodes);
      note.textContent = "";
      return;
    }
    const told = rows().map((row) => data.contrasts[Number(row.dataset.key.split("-")[1])].metrics[metric.key]);
    const axis = axisOf(told.flatMap((one) => one.centre).filter((value) => value !== null));
    rows().forEach((row, place) => {
      const { plot, number, word } = parts(row);
      const [centre, low, high] = told[place].centre;
      plot.replaceChildren(drawn(axis, told[place]));
      const span = low === null || high === null ? "" : `[${signed(low, metric.percent)}, ${signed(high, metric.percent)}]`;
      number.replaceChildren(make("b", {}, signed(centre, metric.percent)), " ", make("span", { class: "span" }, span));
      word?.replaceChildren("described");
    });
    const marks = make("span", { class: "axis", "aria-hidden": "true" });
    for (const tick of axis.ticks) {
      const mark = make("span", {}, String(Number(tick.toPrecision(6))).replace("-", "−"));
      mark.style.left = axis.place(tick);
      marks.append(mark);
    }
    head.replaceChildren(make("span", { class: "axis-label" }, `difference in ${metric.label} where both work`), marks);
    note.textContent = `${metric.name}: means with t intervals, described and not tested; the answer is about ${data.trials.metrics[0].name}.`;
  };

  const select = document.getElementById("metric");
  if (select && data.contrasts.length) {
    const offered = data.trials.metrics.filter((one) => data.contrasts[0].metrics[one.key]);
    for (const metric of offered) select.append(make("option", { value: metric.key }, metric.label));
    const own = offered[0].key;
    select.addEventListener("change", () => {
      choose(offered.find((one) => one.key === select.value), own);
      page.address.choose({ metric: select.value === own ? "" : select.value });
    });
    page.address.restoring(() => {
      const metric = offered.find((one) => one.key === page.address.get("metric")) ?? offered[0];
      select.value = metric.key;
      choose(metric, own);
    });
  }

  // A file of its own: what is on the screen, with the colours that it has there.
  const WIDTH = 960, LEFT = 230, RIGHT = 700, ROW = 26;
  const paint = (source, copy) => {
    const style = getComputedStyle(source);
    for (const name of ["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity"]) copy.setAttribute(name, style.getPropertyValue(name));
    [...source.children].forEach((child, place) => paint(child, copy.children[place]));
  };
  const asSvg = () => {
    const own = rows(), colour = getComputedStyle(document.body), height = ROW * (own.length + 3);
    const whole = draw("svg", { xmlns: NS, width: WIDTH, height, viewBox: `0 0 ${WIDTH} ${height}`, "font-family": "system-ui, sans-serif", "font-size": 12 });
    const write = (words, x, y, anchor = "start") => whole.append(draw("text", { x, y, "text-anchor": anchor, fill: colour.color }, words));
    whole.append(draw("rect", { width: WIDTH, height, fill: colour.backgroundColor }));
    write(document.getElementById("short").textContent, 10, 18);
    write(head.querySelector(".axis-label").textContent, (LEFT + RIGHT) / 2, 18 + ROW, "middle");
    for (const mark of head.querySelectorAll(".axis span")) write(mark.textContent, LEFT + ((RIGHT - LEFT) * parseFloat(mark.style.left)) / 100, 18 + 1.7 * ROW, "middle");
    own.forEach((row, place) => {
      const { plot, number } = parts(row), y = ROW * (place + 2.6);
      write(row.querySelector("th").textContent.trim(), LEFT - 10, y + 17, "end");
      const copy = plot.firstElementChild.cloneNode(true);
      paint(plot.firstElementChild, copy);
      for (const [name, value] of Object.entries({ x: LEFT, y, width: RIGHT - LEFT, height: ROW })) copy.setAttribute(name, value);
      whole.append(copy);
      write([number.textContent.trim().replace(/\s+/g, " "), row.querySelector("td.works")?.textContent.trim()].filter(Boolean).join("   "), RIGHT + 10, y + 17);
    });
    return new XMLSerializer().serializeToString(whole);
  };
  const savePng = (words) => {
    const image = new Image();
    image.addEventListener("load", () => {
      const canvas = make("canvas", { width: 2 * image.width, height: 2 * image.height });
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      const link = make("a", { download: `${data.study}-effects.png`, href: canvas.toDataURL("image/png") });
      link.click();
    });
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(words)}`;
  };
  for (const button of document.querySelectorAll("[data-picture]")) {
    button.addEventListener("click", () => {
      if (button.dataset.picture === "svg") page.copy(asSvg(), document.getElementById("metric-note"));
      else savePng(asSvg());
    });
  }
})();
