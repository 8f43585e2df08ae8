// Small conveniences; every page is complete without them.
(function () {
  "use strict";

  // Sort a table by the column whose heading is clicked.
  function key(row, column) {
    var text = row.cells[column].textContent.trim();
    var plain = text.replace(/,/g, "").replace("\u2212", "-");
    return plain !== "" && !isNaN(plain) ? Number(plain) : text;
  }
  function compare(a, b) {
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a).localeCompare(String(b));
  }
  document.querySelectorAll("table.sortable thead th").forEach(function (th) {
    th.addEventListener("click", function () {
      var body = th.closest("table").tBodies[0];
      var down = th.getAttribute("aria-sort") === "ascending";
      Array.from(body.rows)
        .sort(function (a, b) {
          var order = compare(key(a, th.cellIndex), key(b, th.cellIndex));
          return down ? -order : order;
        })
        .forEach(function (row) { body.appendChild(row); });
      Array.from(th.parentNode.cells).forEach(function (cell) { cell.removeAttribute("aria-sort"); });
      th.setAttribute("aria-sort", down ? "descending" : "ascending");
    });
  });

  // Filter the list on the main page.
  var input = document.getElementById("filter");
  if (input) {
    input.closest(".filter").hidden = false;
    input.addEventListener("input", function () {
      var wanted = input.value.toLowerCase();
      document.querySelectorAll(".members li").forEach(function (li) {
        li.hidden = li.textContent.toLowerCase().indexOf(wanted) < 0;
      });
    });
  }
})();
