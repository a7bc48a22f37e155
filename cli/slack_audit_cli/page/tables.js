// The tables. Every text becomes a text node, never markup.

const FEW = matchMedia('(max-width: 720px)').matches ? 4 : 8; // rows of a section before it is asked for more
const PRINTED = 40; // of a section on paper

const COLUMNS = [
  { id: 'second', title: 'Time (UTC)', className: 'time', text: (it) => timeOf(it.second), value: (it) => it.second },
  { id: 'action', title: 'Action', className: 'action', text: (it) => it.action },
  { id: 'actor', title: 'Actor', className: 'actor', text: (it) => it.actor },
  { id: 'entity', title: 'Done to', className: 'entity', text: (it) => it.entity },
  { id: 'ip', title: 'IP', className: 'ip', text: (it) => it.ip },
  { id: 'location', title: 'Location', className: 'location', text: (it) => it.location },
  { id: 'pass', title: 'Found by', className: 'pass', text: (it) => (it.delay === null ? it.pass : `${it.pass}, ${longOf(it.delay)} later`), value: (it) => (it.delay === null ? -1 : it.delay) },
  { id: 'detail', title: 'Detail', className: 'detail', text: (it) => it.detail },
];

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function timeOf(second) {
  return second === null ? 'none' : new Date(second * 1000).toISOString().slice(0, 19).replace('T', ' ');
}

function longOf(seconds) {
  const parts = [[86400, 'd'], [3600, 'h'], [60, 'm'], [1, 's']];
  const at = parts.findIndex(([size]) => seconds >= size);
  if (at < 0) return '0s';
  const [size, name] = parts[at];
  const rest = parts[at + 1] ? Math.floor((seconds % size) / parts[at + 1][0]) : 0;
  return `${Math.floor(seconds / size)}${name}${rest ? ` ${rest}${parts[at + 1][1]}` : ''}`;
}

// A table of these events. With `sort`, its columns can be sorted by: {by, down, change}.
function tableOf(some, sort) {
  const table = element('table', undefined, 'events'); const head = table.createTHead().insertRow();
  for (const column of COLUMNS) {
    const cell = element('th', sort ? undefined : column.title, column.className);
    cell.scope = 'col';
    if (sort) {
      const button = element('button', column.title);
      button.type = 'button';
      button.dataset.column = column.id;
      button.addEventListener('click', () => sort.change(column.id));
      cell.append(button);
      if (sort.by === column.id) cell.setAttribute('aria-sort', sort.down ? 'descending' : 'ascending');
    }
    head.append(cell);
  }
  const json = element('th', 'JSON', 'json');
  json.scope = 'col';
  head.append(json);
  const body = table.createTBody();
  some.forEach((it) => body.append(rowOf(it)));
  return table;
}

function rowOf(event) {
  const row = element('tr');
  for (const column of COLUMNS) {
    const cell = element('td', column.id === 'detail' ? undefined : column.text(event), column.className);
    if (column.id === 'detail') cell.append(element('div', event.detail, 'clamped'));
    cell.dataset.label = column.title;
    row.append(cell);
  }
  const details = element('details'); const cell = element('td', undefined, 'json');
  details.append(element('summary', 'raw'));
  details.addEventListener('toggle', () => showRaw(row, event, details.open));
  cell.append(details);
  row.append(cell);
  return row;
}

// The event's own text in a row of its own below.
function showRaw(row, event, open) {
  if (row.nextSibling && row.nextSibling.className === 'raw') row.nextSibling.remove();
  if (!open) return;
  const below = element('tr', undefined, 'raw'); const cell = element('td');
  cell.colSpan = COLUMNS.length + 1;
  cell.append(element('p', `Line ${event.line} of the batch of log entry ${event.entry}`, 'about'), element('pre', indented(event.raw)));
  below.append(cell);
  row.after(below);
}

// Line breaks and spaces between the tokens of JSON; the tokens stay as they are, numbers of any size too.
function indented(json) {
  let depth = 0;
  const broken = () => `\n${'  '.repeat(depth)}`;
  return json.replace(/"(?:[^"\\]|\\.)*"?|[{[]\s*[}\]]|[{}[\],:]|\s+/g, (token) => {
    if (/^\s+$/.test(token)) return '';
    if (token === '{' || token === '[') { depth += 1; return token + broken(); }
    if (token === '}' || token === ']') { depth = Math.max(0, depth - 1); return broken() + token; }
    if (token === ',') return token + broken();
    return token === ':' ? ': ' : token;
  });
}

function sorted(some, by, down) {
  const column = COLUMNS.find((it) => it.id === by);
  const value = column.value || column.text;
  const order = (a, b) => (typeof a === 'number' || a === null ? (a ?? -1) - (b ?? -1) : a.localeCompare(b));
  return [...some].sort((a, b) => (down ? -1 : 1) * order(value(a), value(b)));
}

// A section: how many there are, and the newest of them.
function showSection({ id, title }, some, total, wide) {
  const section = document.getElementById(`section-${id}`);
  section.hidden = total === 0;
  if (total === 0) return;
  section.querySelector('.count').textContent = total.toLocaleString('en');
  const most = printing ? PRINTED : wide.has(id) ? 500 : FEW;
  const newest = some.slice(-most).reverse();
  section.querySelector('.rows').replaceChildren(tableOf(newest));
  const more = section.querySelector('.more');
  more.replaceChildren();
  if (newest.length === total) return;
  more.append(`The newest ${newest.length.toLocaleString('en')} of ${total.toLocaleString('en')}. `);
  if (printing || newest.length === some.length) return;
  const button = element('button', 'Show more');
  button.type = 'button';
  button.setAttribute('aria-label', `Show more: ${title}`);
  button.addEventListener('click', () => { wide.add(id); showSection({ id, title }, some, total, wide); section.querySelector('summary').focus(); });
  more.append(button);
}
