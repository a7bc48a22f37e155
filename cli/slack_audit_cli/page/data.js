// The events that the page holds, the filter over them, and the figures of what it lets through.

const data = JSON.parse(document.getElementById('data').textContent);

const events = data.rows.map(([second, action, actor, ip, location, section, pass, delay, reasons, entity, detail, entry, line, raw]) => ({
  second, entity, detail, entry, line, raw, delay,
  action: data.actions[action], actor: data.actors[actor], ip: data.ips[ip], location: data.locations[location],
  section: data.sections[section], pass: data.passes[pass], reasons: reasons.map((it) => data.reasons[it]),
}));
const complete = events.length === data.figures.events;
const known = { action: new Set(data.actions), actor: new Set(data.actors), ip: new Set(data.ips) };

const LOGGED_IN = data.groups.length;
const REFUSED = LOGGED_IN + 1;
const group = new Map(data.actions.map((name, place) => [name, data.actionGroups[place]]));
const outcome = new Map(data.actions.map((name, place) => [name, data.actionOutcomes[place]]));

// A value that the page knows means itself; anything else is looked for inside, and * stands for any letters.
function wanted(said, values) {
  if (values.has(said)) return (it) => it === said;
  const parts = said.toLowerCase().split('*');
  if (parts.length === 1) return (it) => it.toLowerCase().includes(parts[0]);
  const pattern = new RegExp(`^${parts.map((it) => it.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`, 's');
  return (it) => pattern.test(it.toLowerCase());
}

// What must hold of an event. `filter` has a text for each field, empty where anything goes, and seconds or null.
function conditions(filter) {
  const all = [];
  for (const name of ['action', 'actor', 'ip']) {
    if (filter[name]) { const is = wanted(filter[name], known[name]); all.push((it) => is(it[name])); }
  }
  if (filter.location) all.push((it) => it.location === filter.location);
  if (filter.section) all.push((it) => inSection(it, filter.section));
  if (filter.from !== null) all.push((it) => it.second !== null && it.second >= filter.from);
  if (filter.to !== null) all.push((it) => it.second !== null && it.second <= filter.to);
  if (filter.text) { const text = filter.text.toLowerCase(); all.push((it) => it.raw.toLowerCase().includes(text)); }
  return all;
}

function inSection(event, section) {
  return section === 'late' ? event.delay !== null : event.section === section;
}

// The same figures as the page brings of all events, of these.
function figuresOf(some) {
  const by = { actions: new Map(), actors: new Map(), ips: new Map(), locations: new Map(), reasons: new Map(), delays: new Map() };
  const sections = new Map();
  let first = null; let last = null; let late = 0;
  for (const it of some) {
    count(by.actions, it.action); count(by.actors, it.actor); count(by.ips, it.ip); count(by.locations, it.location);
    it.reasons.forEach((reason) => count(by.reasons, reason));
    if (it.section) count(sections, it.section);
    if (it.delay !== null) { late += 1; count(sections, 'late'); count(by.delays, delayOf(it.delay)); }
    if (it.second !== null) {
      first = first === null ? it.second : Math.min(first, it.second);
      last = last === null ? it.second : Math.max(last, it.second);
    }
  }
  const width = widthOf(last - first);
  const ranked = Object.fromEntries(Object.entries(by).map(([name, counts]) => [name, [...counts].sort((a, b) => b[1] - a[1])]));
  const different = Object.fromEntries(Object.entries(by).map(([name, counts]) => [name, counts.size]));
  return {
    events: some.length, late, first, last, different, width, timeline: timelineOf(some, width), ...ranked,
    people: by.actors.size - by.actors.has('(nobody)'), addresses: by.ips.size - by.ips.has('(none)'),
    sections: Object.fromEntries(sections),
  };
}

function count(counts, key, more = 1) {
  counts.set(key, (counts.get(key) || 0) + more);
}

function widthOf(span) {
  return data.widths.find((it) => Math.floor(span / it) < data.bars) || data.widths.at(-1);
}

function delayOf(delay) {
  const found = data.delayNames.find(([most]) => delay <= most);
  return found ? found[1] : data.longer;
}

// [first second of the bar, series, how many], as the page brings it.
function timelineOf(some, width) {
  const bars = new Map();
  for (const it of some) {
    if (it.second === null) continue;
    const start = Math.floor((it.second - data.origin) / width) * width + data.origin;
    count(bars, `${start} ${group.get(it.action)}`);
    if (outcome.get(it.action) !== null) count(bars, `${start} ${outcome.get(it.action)}`);
  }
  return [...bars].map(([key, many]) => [...key.split(' ').map(Number), many]);
}
