"use strict";
// Tables of the page: sorted by a click on a heading, filtered by words, copied as CSV or LaTeX. How they are sorted and
// filtered stands in the address. Text only ever becomes text: nothing here makes HTML of a string.
const page = (() => {
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "click") element.addEventListener("click", value);
      else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  };

  // An address names a place and what was chosen on the page: #table?arms.sort=-NMI&arms.filter=loss.
  const address = (() => {
    const read = () => {
      const [place, , asked] = location.hash.slice(1).match(/^([^?]*)(\?(.*))?$/).slice(1);
      try { return [decodeURIComponent(place), asked]; } catch { return [place, asked]; }
    };
    let chosen = new URLSearchParams(read()[1] ?? "");
    const restores = [];
    const write = (place) => {
      const hash = [encodeURI(place), String(chosen)].filter(Boolean).join("?");
      const lone = place || !String(chosen) ? hash : `?${hash}`;
      try { history.replaceState(null, "", lone ? `#${lone}` : location.pathname + location.search); } catch { /* too often */ }
    };
    const show = (place) => document.getElementById(place)?.scrollIntoView();
    addEventListener("hashchange", () => {
      const [place, asked] = read();
      if (asked === undefined) {  // a link of the page: what was chosen stays
        if (String(chosen)) write(place);
        return;
      }
      chosen = new URLSearchParams(asked);
      for (const restore of restores) restore();
      show(place);
    });
    addEventListener("load", () => { if (read()[1] !== undefined) show(read()[0]); });
    return {
      place: () => read()[0],
      go: write,
      get: (name) => chosen.get(name) ?? "",
      choose: (values) => {
        for (const [name, value] of Object.entries(values)) {
          if (value) chosen.set(name, value);
          else chosen.delete(name);
        }
        write(read()[0]);
      },
      // Is called now, and whenever somebody opens another address of this page.
      restoring: (restore) => { restores.push(restore); restore(); },
    };
  })();

  const text = (cell) => cell.textContent.trim().replace(/ [▲▼]$/, "");
  const figure = (words) => {
    const plain = words.replaceAll("−", "-").replace(/^[<+\s]+/, "");
    const found = plain.match(/^-?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?/i);
    return found ? Number(found[0]) : NaN;
  };
  const compare = (one, other) => {
    const [a, b] = [figure(one), figure(other)];
    if (!Number.isNaN(a) && !Number.isNaN(b)) return a - b || one.localeCompare(other, "en", { numeric: true });
    if (Number.isNaN(a) !== Number.isNaN(b)) return Number.isNaN(a) ? 1 : -1;
    return one.localeCompare(other, "en", { numeric: true });
  };

  const sortBy = (table, column, down) => {
    const rows = [...table.tBodies[0].rows].map((row) => [text(row.cells[column]), row]);
    rows.sort((one, other) => (down ? -1 : 1) * compare(one[0], other[0]));
    table.tBodies[0].append(...rows.map(([, row]) => row));
    [...table.tHead.rows[0].cells].forEach((cell, place) => {
      if (place === column) cell.setAttribute("aria-sort", down ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    });
  };
  // A heading and its direction, as an address has them: "-NMI" is the largest first.
  const written = (words, down) => (down ? "-" : "") + words;
  const asked = (sort, heads) => {
    const down = !heads.includes(sort) && sort.startsWith("-");
    return { column: heads.indexOf(down ? sort.slice(1) : sort), down };
  };
  const sortable = (table) => {
    if (!table.tHead || !table.tBodies[0]) return;
    const cells = [...table.tHead.rows[0].cells], heads = cells.map(text), key = table.closest(".wide").id;
    const first = [...table.tBodies[0].rows];
    cells.forEach((cell, column) => {
      const button = make("button", { type: "button" }, heads[column]);
      button.addEventListener("click", () => {
        const down = cell.getAttribute("aria-sort") === "ascending";
        sortBy(table, column, down);
        if (key) address.choose({ [`${key}.sort`]: written(heads[column], down) });
      });
      cell.replaceChildren(button);
    });
    if (!key) return;
    address.restoring(() => {
      const { column, down } = asked(address.get(`${key}.sort`), heads);
      if (column >= 0) sortBy(table, column, down);
      else {
        table.tBodies[0].append(...first);
        for (const cell of cells) cell.removeAttribute("aria-sort");
      }
    });
  };

  const matches = (words, wanted) => {
    const low = words.toLowerCase();
    return wanted.toLowerCase().split(/\s+/).every((word) => low.includes(word));
  };
  const filter = (table, wanted) => {
    for (const row of table.tBodies[0].rows) row.hidden = !matches(row.textContent, wanted);
  };

  const shownRows = (table) => [...table.rows].filter((row) => !row.hidden).map((row) => [...row.cells].map(text));
  const csvCell = (words) => {
    const formula = /^[=@\t\r]/.test(words) || (/^[-+]/.test(words) && !/^[-+](\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(words));
    const safe = formula ? `'${words}` : words;
    return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const asCsv = (rows) => rows.map((row) => row.map((cell) => csvCell(cell.replaceAll("−", "-"))).join(",")).join("\n") + "\n";
  const TEX = { "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "−": "$-$", "–": "--", "±": "$\\pm$", "∞": "$\\infty$", "<": "$<$", ">": "$>$" };
  const tex = (words) => [...words.replace(/\s+/g, " ")].map((sign) => TEX[sign] ?? ("&%$#_{}".includes(sign) ? `\\${sign}` : sign)).join("");
  const asLatex = (rows) => {
    const [head, ...body] = rows.map((row) => `${row.map(tex).join(" & ")} \\\\`);
    const sides = "l".repeat(rows[0]?.length ?? 0);
    return ["\\begin{tabular}{" + sides + "}", "\\toprule", head, "\\midrule", ...body, "\\bottomrule", "\\end{tabular}", ""].join("\n");
  };

  const copy = async (words, said) => {
    try {
      await navigator.clipboard.writeText(words);
    } catch {
      const area = make("textarea", { "aria-hidden": "true" });
      area.value = words;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    if (said) said.textContent = "Copied.";
  };

  const tools = (bar) => {
    const place = document.getElementById(bar.dataset.for);
    const table = () => place?.querySelector("table");
    const said = bar.querySelector("[role=status]");
    for (const button of bar.querySelectorAll("[data-copy]")) {
      button.addEventListener("click", () => {
        const rows = button.rows ? button.rows() : shownRows(table());
        copy(button.dataset.copy === "csv" ? asCsv(rows) : asLatex(rows), said);
      });
    }
    const field = bar.querySelector("input[type=search]");
    if (!field || !table()) return;
    const key = `${bar.dataset.for}.filter`;
    field.addEventListener("input", () => {
      filter(table(), field.value);
      address.choose({ [key]: field.value.trim() });
    });
    address.restoring(() => {
      field.value = address.get(key);
      filter(table(), field.value);
    });
  };

  document.querySelectorAll(".wide table").forEach(sortable);
  document.querySelectorAll("[data-for]").forEach(tools);
  const data = JSON.parse(document.getElementById("data")?.textContent || "{}");
  return { make, copy, matches, data, asCsv, asLatex, address, asked, written };
})();
