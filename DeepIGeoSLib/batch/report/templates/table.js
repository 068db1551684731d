"use strict";
// Sorting by a click on a column's head, and showing the cases of one kind. The page reads without it.
const table = document.querySelector("table.cases");
if (table) {
  const body = table.tBodies[0];
  const tools = document.querySelector(".tools");
  const search = tools.querySelector("input");
  const buttons = [...tools.querySelectorAll("button")];
  let shown = "";
  const show = () => {
    const words = search.value.trim().toLowerCase();
    for (const row of body.rows) {
      const kinds = row.dataset.flags.split("|");
      const named = row.querySelector(".name").textContent.toLowerCase().includes(words);
      row.hidden = !(named && (shown === "" || kinds.includes(shown)));
    }
  };
  for (const button of buttons) {
    button.addEventListener("click", () => {
      shown = button.dataset.show;
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      show();
    });
  }
  search.addEventListener("input", show);
  tools.hidden = false;

  const heads = [...table.tHead.rows[0].cells];
  const sort = (head) => {
    const column = heads.indexOf(head);
    const numbers = head.dataset.sort === "number";
    const before = head.getAttribute("aria-sort");
    const up = before ? before === "descending" : !numbers;
    const value = (row) => {
      const cell = row.cells[column];
      if (!numbers) return row.querySelector(".name").textContent;
      const text = cell.dataset.value;
      return text === "" ? NaN : text === "inf" ? Infinity : Number(text);
    };
    const compare = (a, b) => {
      const [x, y] = [value(a), value(b)];
      if (!numbers) return up ? x.localeCompare(y) : y.localeCompare(x);
      if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
      return x === y ? 0 : (x < y) === up ? -1 : 1;
    };
    body.append(...[...body.rows].sort(compare));
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
  };
  for (const head of heads) {
    if (!head.dataset.sort) continue;
    head.classList.add("sortable");
    head.tabIndex = 0;
    head.addEventListener("click", () => sort(head));
    head.addEventListener("keydown", (event) => { if (event.key === "Enter") sort(head); });
  }
}
