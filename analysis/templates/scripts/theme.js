"use strict";
// Dark or light by choice, else as the machine has it; and the mark by which styles know that scripts run.
(() => {
  const root = document.documentElement;
  root.classList.add("live");
  const kept = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const keep = (theme) => { try { localStorage.setItem("theme", theme); } catch { /* a page without storage */ } };
  if (["dark", "light"].includes(kept())) root.dataset.theme = kept();
  const change = () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    keep(root.dataset.theme);
    document.dispatchEvent(new Event("theme"));
  };
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    if (!button) return;
    button.hidden = false;
    button.addEventListener("click", change);
  });
})();
