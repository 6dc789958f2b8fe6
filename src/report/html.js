(function () {
  var table = document.getElementById('nodes');
  if (!table) return;
  var body = table.tBodies[0], rows = Array.from(body.rows);
  var text = document.getElementById('q'), status = document.getElementById('st');
  var shown = document.getElementById('shown');
  function filter() {
    var words = text.value.toLowerCase().split(/\s+/).filter(Boolean), n = 0;
    rows.forEach(function (row) {
      var has = row.textContent.toLowerCase();
      var ok = (!status.value || row.dataset.s === status.value) &&
        words.every(function (word) { return has.indexOf(word) >= 0; });
      row.hidden = !ok;
      n += ok;
    });
    shown.textContent = n + ' of ' + rows.length;
  }
  function key(row, at) {
    var cell = row.cells[at];
    return cell.dataset.v === undefined ? cell.textContent.toLowerCase() : Number(cell.dataset.v);
  }
  function sort(head) {
    var at = head.cellIndex, up = head.getAttribute('aria-sort') !== 'ascending';
    Array.from(table.tHead.rows[0].cells).forEach(function (h) { h.removeAttribute('aria-sort'); });
    head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
    rows.sort(function (a, b) {
      var x = key(a, at), y = key(b, at);
      return (x < y ? -1 : x > y ? 1 : 0) * (up ? 1 : -1);
    });
    rows.forEach(function (row) { body.appendChild(row); });
  }
  Array.from(table.tHead.rows[0].cells).forEach(function (head) {
    head.tabIndex = 0;
    head.addEventListener('click', function () { sort(head); });
    head.addEventListener('keydown', function (e) {
      if (e.key === 'Enter' || e.key === ' ') { e.preventDefault(); sort(head); }
    });
  });
  text.addEventListener('input', filter);
  status.addEventListener('change', filter);
})();
