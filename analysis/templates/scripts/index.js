"use strict";
// The list of studies: by words, paper, knob and verdict; what is chosen stands in the address.
(() => {
  const rows = [...document.querySelectorAll("tr[data-study]")];
  const fields = ["words", "paper", "knob", "verdict"].map((name) => document.getElementById(`by-${name}`));
  const [words, ...selects] = fields;
  const said = document.getElementById("found");
  const listed = (row, select) => JSON.parse(row.dataset[select.id.slice(3)]);
  for (const select of selects) {
    const all = [...new Set(rows.flatMap((row) => listed(row, select)))].sort((one, other) => one.localeCompare(other, "en", { numeric: true }));
    select.append(...all.map((one) => page.make("option", { value: one }, one)));
  }
  const choose = () => {
    for (const row of rows) {
      const fits = selects.every((select) => !select.value || listed(row, select).includes(select.value));
      row.hidden = !(fits && page.matches(row.textContent, words.value.trim()));
    }
    for (const body of document.querySelectorAll(".studies tbody")) body.hidden = ![...body.querySelectorAll("tr[data-study]")].some((row) => !row.hidden);
    said.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} studies`;
    const chosen = new URLSearchParams(fields.filter((field) => field.value).map((field) => [field.id.slice(3), field.value]));
    history.replaceState(null, "", chosen.size ? `#${chosen}` : location.pathname + location.search);
  };
  const asked = new URLSearchParams(location.hash.slice(1));
  for (const field of fields) {
    if (asked.has(field.id.slice(3))) field.value = asked.get(field.id.slice(3));
    field.addEventListener("input", choose);
  }
  if (!location.hash || fields.some((field) => asked.has(field.id.slice(3)))) choose();
  else said.textContent = `${rows.length} studies`;
})();
