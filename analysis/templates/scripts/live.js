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
    svg.setAttribute("aria-label", `${one.trials - one.missing} of ${one.trials} trials ended`);
    const bar = (className, from, count) => {
      const rect = document.createElementNS(NS, "rect");
      const values = { class: className, x: `${(100 * from) / (one.trials || 1)}%`, width: `${(100 * count) / (one.trials || 1)}%`, height: "100%" };
      for (const [name, value] of Object.entries(values)) rect.setAttribute(name, value);
      svg.append(rect);
    };
    bar("", 0, one.trials);
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
    line.append(make("th", one.study), make("td", progress(one)), number(`${one.complete} / ${one.trials}`), number(String(one.collapsed)),
      number(failures(one)), number(String(one.missing)), number(one.running && one.missing ? String(one.rate) : "–"),
      number(span(one.seconds_spent)), number(one.missing ? span(one.seconds_left) : "–"), report);
    return line;
  };
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
    document.getElementById("short").textContent = told.error || `${sum("trials") - sum("missing")} of ${sum("trials")} trials ended; ${running.length ? `${running.map((one) => one.study).join(", ")} unfinished, ${running[0].running}` : "nothing runs"}.`;
    document.getElementById("rows").replaceChildren(...all.map(row));
    const open = new Set([...document.querySelectorAll("#failed details[open]")].map((one) => one.dataset.key));
    const failed = all.flatMap((one) => one.failures.map((failure) => traceback(one.study, failure, open)));
    document.getElementById("failed").replaceChildren(...(failed.length ? failed : [make("p", "None known.")]));
    document.getElementById("state").textContent = `As of ${new Date().toLocaleTimeString()}; follows by itself.`;
  };
  // The token is a cookie by now: it need not stand in the address, in the history, or in a copied link.
  history.replaceState(null, "", location.pathname + location.hash);
  const events = new EventSource("/events");
  events.addEventListener("message", (event) => show(JSON.parse(event.data)));
  events.addEventListener("error", () => { document.getElementById("state").textContent = "The server does not answer; trying again."; });
})();
