// The charts. Plotly reads a few tags and entities in its texts, so whatever anybody wrote is escaped before.

const COLOURS = ['#d1333f', '#8a5cd1', '#2f78c4', '#e0892a', '#c7a600', '#2a9d6f', '#8b6244', '#45b0d6', '#d4639f', '#8d98a3'];
const GREYS = ['#000000', '#5a5a5a', '#8c8c8c', '#b8b8b8', '#dedede', '#ffffff']; // for paper: apart without any colour
const TOP = 15; // bars of a ranking
const TOP_PRINTED = 10;
const LETTER = 6.6; // pixels
let printing = false;

function plain(text) {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/\$/g, '&#36;');
}

// As much as two fifths of a chart's width have room for.
function short(text, width) {
  const letters = [...text]; const most = Math.min(38, Math.max(12, Math.floor(width * 0.42 / LETTER)));
  return plain(letters.length > most ? `${letters.slice(0, most - 1).join('')}…` : text);
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function legend() {
  return { orientation: 'h', x: 0, yanchor: 'top', traceorder: 'normal', font: { color: colour('--ink') } };
}

function layout(more) {
  const ink = colour('--ink'); const line = colour('--line');
  const axis = { gridcolor: line, linecolor: line, zerolinecolor: line, tickfont: { color: ink }, automargin: true };
  return {
    paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)', font: { color: ink, size: 12, family: 'system-ui, sans-serif' },
    margin: { l: 8, r: 8, t: 6, b: 8 }, dragmode: false, bargap: 0.18, hoverlabel: { align: 'left', namelength: -1 },
    ...more, xaxis: { ...axis, fixedrange: true, ...more.xaxis }, yaxis: { ...axis, fixedrange: true, ...more.yaxis },
  };
}

// On paper as many series as there are greys: the largest, and all others as one.
function onPaper(series, timeline) {
  const most = GREYS.length - 1;
  const totals = series.map((it) => timeline.reduce((sum, [, at, many]) => sum + (it.ats.includes(at) ? many : 0), 0));
  const large = new Set([...totals.keys()].sort((a, b) => totals[b] - totals[a]).slice(0, most));
  const shown = series.filter((_, place) => large.has(place));
  const others = series.filter((_, place) => !large.has(place)).flatMap((it) => it.ats);
  if (others.length) shown.push({ ats: others, title: 'All others' });
  const greys = shown.length === 2 ? [GREYS[most], GREYS[0]] : GREYS;
  return shown.map((it, place) => ({ ...it, mark: { color: greys[place], line: { color: '#000000', width: 0.5 } } }));
}

function plot(id, traces, shape, clicked) {
  const place = document.getElementById(id);
  place.style.height = `${shape.height}px`;
  Plotly.react(place, traces, { ...shape, width: place.clientWidth }, { displayModeBar: false });
  if (clicked && !place.dataset.clickable) {
    place.dataset.clickable = 'yes';
    place.on('plotly_click', (event) => clicked(event.points[0]));
  }
}

// Bars over time, one trace for each series that has any.
function overTime(id, figures, series, range, clicked) {
  const seconds = figures.width;
  const traces = (printing ? onPaper(series, figures.timeline) : series).map(({ ats, title, mark }) => {
    const counts = new Map();
    for (const [start, at, many] of figures.timeline) if (ats.includes(at)) count(counts, start, many);
    const bars = [...counts].sort((a, b) => a[0] - b[0]);
    return {
      type: 'bar', name: title, marker: mark, width: seconds * 1000 * (printing ? 1 : 0.92), offset: 0,
      x: bars.map((it) => it[0] * 1000), y: bars.map((it) => it[1]), customdata: bars.map((it) => [it[0], seconds]),
      hovertemplate: `%{y:,} ${title}<br>%{x|%a %Y-%m-%d %H:%M}, ${spanOf(seconds)}<extra></extra>`,
    };
  }).filter((it) => it.x.length);
  const tallest = Math.max(0, ...traces.flatMap((it) => it.y)); // of one series: enough to keep small charts to whole numbers
  const [lo, hi] = range; const narrow = !printing && document.getElementById(id).clientWidth < 500;
  plot(id, traces, layout({
    barmode: 'stack', annotations: traces.length ? [] : [{ text: 'none', showarrow: false, xref: 'paper', yref: 'paper', x: 0.5, y: 0.5 }],
    legend: { ...legend(), y: printing ? -0.24 : -0.16 }, height: printing ? 240 : narrow ? 280 + 19 * traces.length : 320, showlegend: true, margin: { l: 8, r: 8, t: 6, b: narrow ? 40 + 19 * traces.length : 60 },
    xaxis: { type: 'date', range: lo === null ? undefined : [lo * 1000, hi * 1000] }, yaxis: { rangemode: 'tozero', tickformat: ',d', nticks: 6, dtick: tallest < 5 ? 1 : undefined },
  }), clicked);
}

function spanOf(seconds) {
  const [size, name] = [[86400, 'day'], [3600, 'hour'], [60, 'minute']].find(([it]) => seconds >= it);
  return seconds === size ? `1 ${name}` : `${seconds / size} ${name}s`;
}

// A ranking as bars that lie. Their places are numbers, so that no name can be taken for anything but a name.
function ranking(id, counts, { top = TOP, hue = COLOURS[2] }, clicked) {
  const shown = counts.slice(0, printing ? TOP_PRINTED : top);
  const { clientWidth } = document.getElementById(id);
  const places = shown.map((_, place) => place);
  plot(id, [{
    type: 'bar', orientation: 'h', x: shown.map((it) => it[1]), y: places, marker: { color: printing ? '#777' : hue },
    customdata: shown.map((it) => [it[0]]), hovertext: shown.map((it) => `${plain(it[0])}: ${it[1].toLocaleString('en')}`), hoverinfo: 'text',
    text: shown.map((it) => it[1].toLocaleString('en')), textposition: 'outside', cliponaxis: false, textangle: 0, constraintext: 'none',
  }], layout({
    height: 14 + (printing ? 18 : 22) * Math.max(1, shown.length), bargap: 0.25, margin: { l: 8, r: 8, t: 2, b: 4 },
    xaxis: { visible: false, range: [0, 1.2 * Math.max(1, ...shown.map((it) => it[1]))] },
    yaxis: { type: 'linear', tickmode: 'array', tickvals: places, ticktext: shown.map((it) => short(it[0], clientWidth)), range: [shown.length - 0.5, -0.5], showgrid: false, zeroline: false, ticklabelstandoff: 6 },
  }), clicked && ((point) => clicked(point.customdata[0])));
}

function drawAll(figures, range, set) {
  const groups = data.groups.map((title, at) => ({ ats: [at], title, mark: { color: COLOURS[at] } }));
  const logins = [[LOGGED_IN, 'signed in', COLOURS[2]], [REFUSED, 'failed or refused', COLOURS[0]]].map(([at, title, color]) => ({ ats: [at], title, mark: { color } }));
  const zoom = (point) => set({ from: point.customdata[0], to: point.customdata[0] + point.customdata[1] - 1 });
  overTime('chart-timeline', figures, groups, range, zoom);
  overTime('chart-logins', figures, logins, range, zoom);
  for (const [name, field] of [['actions', 'action'], ['actors', 'actor'], ['ips', 'ip'], ['locations', 'location']]) {
    ranking(`chart-${name}`, figures[name], {}, (value) => set({ [field]: value }));
    const more = figures.different[name] - Math.min(printing ? TOP_PRINTED : TOP, figures[name].length);
    document.getElementById(`more-${name}`).textContent = more > 0 ? `and ${more.toLocaleString('en')} more` : '';
  }
  if (figures.reasons.length) ranking('chart-reasons', figures.reasons, { top: 20, hue: COLOURS[0] });
  if (figures.delays.length) ranking('chart-delays', data.delayOrder.map((name) => figures.delays.find((it) => it[0] === name)).filter(Boolean), { hue: COLOURS[6] });
}
