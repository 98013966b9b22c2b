// What needs somebody first, what is at work, and what ended last.
import {useEffect, useState} from './hooks.js';
import {get, now, told_first} from './api.js';
import {html, Page, ProblemBox, Since, State, Time} from './parts.js';
import {is_at_work, is_final, plural, urgency} from './words.js';

const open_runs = '/api/v1/runs?state=unfinished&limit=500';
const newest_runs = '/api/v1/runs?limit=50';

export function RunRow({run}) {
  return html`<li class="run-row">
    <p class="run-head"><${State} of=${run.state} />${' '}
      <a href=${`/runs/${run.run}`}>${run.plan.name}</a> on <strong>${run.target}</strong>${' '}
      <span class="quiet">${run.phase && !is_final(run.state) ? `${run.phase}${run.step ? `/${run.step}` : ''}, ` : ''}<${Since} at=${run.changed_at} /></span></p>
    <p class="said">${run.state_message}</p>
    <p class="quiet small"><code>${run.run}</code> by ${run.created_by}, <${Time} at=${run.created_at} /></p>
  </li>`;
}

function Group({title, runs, empty}) {
  return html`<section><h2>${title}${runs.length > 0 && html` <span class="quiet">${runs.length}</span>`}</h2>
    ${runs.length > 0 ? html`<ul class="runs">${runs.map((run) => html`<${RunRow} key=${run.run} run=${run} />`)}</ul>`
      : html`<p class="quiet">${empty}</p>`}</section>`;
}

function useRuns() {
  const [seen, set] = useState({open: told_first(open_runs)?.runs, newest: told_first(newest_runs)?.runs, at: now()});
  useEffect(() => {
    const look = () => document.hidden || Promise.all([get(open_runs), get(newest_runs)]).then(
      ([open, newest]) => set({open: open.runs, newest: newest.runs, at: now()}),
      (problem) => set((before) => ({...before, problem})));
    const timer = setInterval(look, 2500);
    document.addEventListener('visibilitychange', look);
    look();
    return () => clearInterval(timer);
  }, []);
  return seen;
}

export function Overview() {
  const {open = [], newest = [], problem, at} = useRuns();
  const calling = open.filter((run) => urgency(run.state) >= 0)
    .sort((a, b) => urgency(a.state) - urgency(b.state) || a.changed_at.localeCompare(b.changed_at));
  const working = open.filter((run) => is_at_work(run.state));
  const ended = newest.filter((run) => is_final(run.state)).slice(0, 10);
  return html`<${Page} title=${calling.length > 0 ? `(${calling.length}) Overview` : 'Overview'}>
    <h1>Overview</h1>
    ${problem && html`<p class="notice">Not live since <${Time} at=${new Date(at).toISOString()} />.</p>`}
    <${ProblemBox} problem=${problem} />
    <${Group} title="Needs somebody" runs=${calling} empty="No run waits for a person." />
    <${Group} title="At work" runs=${working} empty="No run is at work." />
    <${Group} title="Ended last" runs=${ended} empty="No run has ended yet." />
    ${open.length === 0 && newest.length === 0 && html`<p>Begin with <code>runbookctl plan lint FILE</code> and${' '}
      <code>runbookctl run create FILE --target NAME</code>.</p>`}
    <p class="quiet">${plural(open.length, 'unfinished run')}. <a href="/history">All runs</a></p>
  </${Page}>`;
}
