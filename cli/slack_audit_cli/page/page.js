// What a person does with the page: filter, sort, turn pages, change the theme, print.

const form = document.getElementById('filter');
const state = { shown: events, figures: data.figures, filtered: false, by: 'second', down: true, page: 0, size: matchMedia('(max-width: 720px)').matches ? 25 : 50, wide: new Set() };
const OFFERED = 2000; // values that a text box proposes
const number = (it) => it.toLocaleString('en');

function filterOf() {
  const said = Object.fromEntries(new FormData(form));
  const second = (text) => (text && !Number.isNaN(Date.parse(`${text}Z`)) ? Date.parse(`${text}Z`) / 1000 : null);
  return { ...said, action: said.action.trim(), actor: said.actor.trim(), ip: said.ip.trim(), from: second(said.from), to: second(said.to) };
}

// Puts values into the filter; times are seconds.
function set(values) {
  for (const [name, value] of Object.entries(values)) {
    form.elements[name].value = name === 'from' || name === 'to' ? new Date(value * 1000).toISOString().slice(0, 19) : value;
  }
  apply();
}

function apply() {
  const filter = filterOf();
  const all = conditions(filter);
  for (const it of form.elements) if (it.name) it.classList.toggle('set', it.value !== '');
  state.filtered = all.length > 0;
  state.shown = state.filtered ? events.filter((it) => all.every((holds) => holds(it))) : events;
  state.figures = state.filtered ? figuresOf(state.shown) : data.figures;
  state.page = 0;
  state.wide.clear();
  show(filter);
}

function show(filter = filterOf()) {
  const { figures } = state;
  tellScope();
  const tiles = { events: figures.events, people: figures.people, actions: figures.different.actions, addresses: figures.addresses, late: figures.late };
  for (const name of ['anomalies', 'failures', 'exports']) tiles[name] = figures.sections[name] || 0;
  for (const [name, value] of Object.entries(tiles)) document.getElementById(`tile-${name}`).textContent = number(value);
  document.getElementById('nothing').hidden = figures.events > 0;
  showSections();
  draw(filter);
  showTable();
}

function draw(filter = filterOf()) {
  drawAll(state.figures, rangeOf(filter), set);
}

// The time that the charts show: what is asked for, else what there is.
function rangeOf(filter) {
  const { first, last, width } = state.figures;
  const lo = filter.from ?? data.since ?? first;
  const hi = filter.to ?? data.until ?? (last === null ? null : last + width);
  return lo === null || hi === null ? [null, null] : [lo, hi];
}

function tellScope() {
  const scope = document.getElementById('scope');
  const all = number(data.figures.events);
  scope.classList.toggle('active', state.filtered);
  if (!state.filtered) scope.textContent = complete ? `All ${all} event${data.figures.events === 1 ? '' : 's'}. A click on a bar filters by it.` : `The charts and figures count all ${all} events; a filter covers the ${number(events.length)} that the page holds.`;
  else scope.textContent = `${number(state.shown.length)} of ${complete ? `${all} events` : `the ${number(events.length)} events that the page holds, of ${all} in all,`} match ${saidOf()}: charts, figures and tables show these.`;
}

function saidOf() {
  const said = [...form.elements].filter((it) => it.name && it.value);
  return said.map((it) => `${it.labels[0].firstChild.textContent.trim().toLowerCase()} ${it.selectedOptions ? it.selectedOptions[0].textContent : it.value.replace('T', it.type === 'datetime-local' ? ' ' : 'T')}`).join(', ');
}

function showSections() {
  const contents = document.getElementById('contents'); const none = [];
  contents.replaceChildren();
  for (const section of data.shown) {
    const total = state.figures.sections[section.id] || 0;
    showSection(section, state.shown.filter((it) => inSection(it, section.id)), total, state.wide);
    if (total === 0) { none.push(section.title); continue; }
    const link = element('a', `${section.title} (${number(total)})`);
    link.href = `#section-${section.id}`;
    contents.append(link);
  }
  for (const [href, title] of [['#events', 'All events'], ['#coverage', 'Coverage']]) {
    const link = element('a', title);
    link.href = href;
    contents.append(link);
  }
  const empty = document.getElementById('empty');
  empty.hidden = none.length === 0;
  empty.textContent = `Nothing of: ${none.join('; ')}.`;
}

function showTable() {
  const section = document.getElementById('events');
  const pages = Math.max(1, Math.ceil(state.shown.length / state.size));
  state.page = Math.min(state.page, pages - 1);
  const start = state.page * state.size;
  const rows = sorted(state.shown, state.by, state.down).slice(start, start + state.size);
  section.querySelector('.count').textContent = number(state.shown.length);
  section.querySelector('.rows').replaceChildren(tableOf(rows, { by: state.by, down: state.down, change: sortBy }));
  document.getElementById('page-of').textContent = `${number(rows.length ? start + 1 : 0)} to ${number(start + rows.length)} of ${number(state.shown.length)}`;
  document.getElementById('previous').disabled = state.page === 0;
  document.getElementById('next').disabled = state.page >= pages - 1;
}

function sortBy(column) {
  state.down = state.by === column ? !state.down : column === 'second';
  state.by = column;
  state.page = 0;
  showTable();
  document.querySelector(`#events [data-column="${column}"]`).focus();
}

const option = (value) => new Option(value, value);

function start() {
  for (const name of ['actions', 'actors', 'ips']) document.getElementById(name).append(...[...data[name]].sort().slice(0, OFFERED).map(option));
  form.elements.location.append(...[...data.locations].sort().map(option));
  form.elements.section.append(...data.shown.map((it) => new Option(it.title, it.id)));
  document.getElementById('embedded').textContent = complete
    ? 'All of them are in this page.'
    : `The page holds ${number(events.length)} of ${number(data.figures.events)}: of each section above the newest, then the newest of all. The others stand in the archive.`;
  document.getElementById('size').value = state.size;
  let waiting;
  form.addEventListener('input', () => { clearTimeout(waiting); waiting = setTimeout(apply, 150); });
  form.addEventListener('submit', (event) => { event.preventDefault(); apply(); });
  form.addEventListener('reset', () => setTimeout(apply));
  for (const [id, step] of [['previous', -1], ['next', 1]]) document.getElementById(id).addEventListener('click', () => { state.page += step; showTable(); });
  document.getElementById('size').addEventListener('change', (event) => { state.size = Number(event.target.value); state.page = 0; showTable(); });
  document.getElementById('theme').addEventListener('click', nextTheme);
  let width = innerWidth; let resizing;
  addEventListener('resize', () => {
    if (innerWidth === width || printing) return;
    width = innerWidth;
    clearTimeout(resizing);
    resizing = setTimeout(() => draw(), 150);
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => show());
  matchMedia('print').addEventListener('change', (event) => { printing = event.matches; show(); });
  show();
}

const THEMES = [['', 'as the system'], ['light', 'light'], ['dark', 'dark']];

function nextTheme() {
  const now = document.documentElement.dataset.theme || '';
  const [next, title] = THEMES[(THEMES.findIndex(([name]) => name === now) + 1) % THEMES.length];
  if (next) document.documentElement.dataset.theme = next; else delete document.documentElement.dataset.theme;
  document.getElementById('theme').textContent = `Theme: ${title}`;
  show();
}

start();
