// Sorts, filters and unfolds. Everything is readable without it.
(() => {
  'use strict';
  const root = document.documentElement, all = (s, e) => [...(e || document).querySelectorAll(s)];
  root.classList.add('js');

  // Sorting: a button in every header cell of a table with the class sort.
  for (const table of all('table.sort')) {
    const body = table.tBodies[0];
    all('thead th', table).forEach((th, column) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.append(...th.childNodes);
      th.append(button);
      button.addEventListener('click', () => {
        const up = th.getAttribute('aria-sort') !== 'ascending';
        all('th[aria-sort]', table).forEach(h => h.removeAttribute('aria-sort'));
        th.setAttribute('aria-sort', up ? 'ascending' : 'descending');
        const key = row => {
          const cell = row.cells[column], text = cell ? cell.dataset.v ?? cell.textContent.trim() : '';
          const n = cell && (cell.dataset.v || th.classList.contains('n')) ? parseFloat(text.replace(/,/g, '')) : NaN;
          return Number.isNaN(n) ? text : n;
        };
        const rows = [...body.rows].map((row, i) => ({row, i, k: key(row)}));
        rows.sort((a, b) => {
          const mixed = typeof a.k !== typeof b.k;
          const c = mixed ? (typeof a.k === 'number' ? -1 : 1) : a.k < b.k ? -1 : a.k > b.k ? 1 : 0;
          return (up ? c : -c) || a.i - b.i;
        });
        body.append(...rows.map(r => r.row));
      });
    });
  }

  // Filtering: rows of the matrix and the folded images, by name and status.
  const text = document.getElementById('filter'), status = document.getElementById('status'), found = document.getElementById('found');
  if (text && status) {
    const items = all('[data-name]');
    const apply = () => {
      const want = text.value.toLowerCase(), state = status.value;
      let n = 0;
      for (const e of items) {
        const hide = !e.dataset.name.toLowerCase().includes(want) || state && e.dataset.status !== state;
        e.hidden = hide;
        if (!hide && e.tagName === 'TR') n++;
      }
      found.textContent = want || state ? n + (n === 1 ? ' image' : ' images') : '';
    };
    text.addEventListener('input', apply);
    status.addEventListener('change', apply);
  }
  for (const button of all('[data-fold]')) {
    button.addEventListener('click', () => {
      const open = button.dataset.fold === 'open';
      all(button.dataset.of).forEach(d => { d.open = open; });
    });
  }

  // A link to something folded unfolds it.
  const reveal = () => {
    let target = null;
    try { target = document.getElementById(decodeURIComponent(location.hash.slice(1))); } catch { return; }
    if (!target) return;
    for (let d = target.closest('details'); d; d = d.parentElement && d.parentElement.closest('details')) d.open = true;
    target.scrollIntoView();
  };
  addEventListener('hashchange', reveal);
  if (location.hash) reveal();

  // Paper cannot unfold.
  let folded = [];
  addEventListener('beforeprint', () => {
    folded = all('details:not([open])');
    folded.forEach(d => { d.open = true; });
  });
  addEventListener('afterprint', () => folded.forEach(d => { d.open = false; }));
})();
