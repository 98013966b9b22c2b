// A backfill at work: how far, how fast, what slows it, when it may end.
import {html} from './parts.js';
import {count, duration, percent, plural} from './words.js';

const width = 600;
const height = 90;

// The rate over the minutes that this page has been open.
export function RateChart({rates}) {
  if (rates.length < 2) {
    return html`<p class="small quiet">The rate is drawn once this page has seen it twice.</p>`;
  }
  const first = rates[0].at;
  const span = Math.max(1, rates.at(-1).at - first);
  const most = Math.max(1, ...rates.map((each) => each.rate));
  const points = rates.map((each) =>
    `${(((each.at - first) / span) * width).toFixed(1)},${(height - (each.rate / most) * (height - 6)).toFixed(1)}`).join(' ');
  const least = Math.min(...rates.map((each) => each.rate));
  const words = `Rows per second over the last ${duration(span)}: now ${count(rates.at(-1).rate)}, between ${count(least)} and ${count(most)}`;
  return html`<figure class="chart"><svg viewBox=${`0 0 ${width} ${height}`} role="img" aria-label=${words} preserveAspectRatio="none">
      <line x1="0" x2=${width} y1=${height} y2=${height} /><polyline points=${points} /></svg>
    <figcaption class="small quiet">${words}</figcaption></figure>`;
}

function Facts({fill}) {
  const eta = fill.eta_ms;
  const facts = [
    ['Rate', `${count(fill.rows_per_second)} rows/s (mean ${count(fill.mean_rows_per_second)})`],
    ['Batch', `${plural(fill.batch_rows, 'row')} in ${duration(fill.batch_ms)}, ${plural(fill.workers, 'worker')}`],
    ['Left', eta ? `${duration(eta.soonest)} to ${duration(eta.latest)}` : 'not known now'],
    ['Running', `${duration(fill.running_ms)}${fill.stalled_ms > 0 ? `, ${duration(fill.stalled_ms)} of it held back` : ''}`],
    ...(fill.sweep ? [['Look through', `pass ${fill.sweep.pass}, ${plural(fill.sweep.found, 'row')} found`]] : []),
  ];
  return html`<dl class="facts-list">${facts.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

export function Fill({run, rates}) {
  const {backfill: fill, throttle} = run.live;
  if (!fill) {
    return null;
  }
  const about = fill.total_exact ? '' : '~';
  const share = fill.percent === null ? 'how far is not known' : `${about}${percent(fill.percent)}`;
  const words = `${share}: ${count(fill.rows_scanned)} of ${about}${count(fill.rows_total)} rows looked at, ${count(fill.rows_changed)} changed`;
  return html`<section class="fill"><h2>Backfill ${run.current ? `${run.current.phase}/${run.current.step}` : ''}</h2>
    <progress max="100" value=${fill.percent ?? undefined} aria-label="Rows looked at"></progress>
    <p>${words}</p>
    <${Facts} fill=${fill} />
    ${throttle && throttle.state !== 'going' && html`<p class="notice">
      ${throttle.state}${throttle.state === 'slowed' ? ` to ${throttle.percent} %` : ''}: ${throttle.message}</p>`}
    ${throttle?.unseen_message && html`<p class="small quiet">${throttle.unseen_message}</p>`}
    <${RateChart} rates=${rates} /></section>`;
}
