
// Sorts the tables of students by the heading that is pressed. Without it they stay as they are.
"use strict";
const tables = [...document.querySelectorAll("table.students")];
const sizes = tables.map(table => table.tBodies[0].rows.length);
const compare = (a, b) => {
  const [x, y] = [parseFloat(a), parseFloat(b)];
  if (isNaN(x) && isNaN(y)) return a.localeCompare(b);
  return (isNaN(x) ? -1 : x) - (isNaN(y) ? -1 : y);
};
function sort(column, up) {
  const text = row => row.cells[column].textContent.trim();
  const order = column ? compare : (a, b) => a.localeCompare(b);
  const rows = tables.flatMap(table => [...table.tBodies[0].rows]).map(row => [text(row), row]);
  rows.sort((a, b) => (up ? 1 : -1) * order(a[0], b[0]));
  tables.forEach((table, i) => {
    table.tBodies[0].append(...rows.splice(0, sizes[i]).map(pair => pair[1]));
    [...table.tHead.rows[0].cells].forEach((heading, place) => {
      if (place == column) heading.setAttribute("aria-sort", up ? "ascending" : "descending");
      else heading.removeAttribute("aria-sort");
    });
  });
}
for (const table of tables) {
  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    const button = document.createElement("button");
    button.append(...heading.childNodes);
    button.onclick = () => sort(column, heading.getAttribute("aria-sort") != "ascending");
    heading.append(button);
  });
}
