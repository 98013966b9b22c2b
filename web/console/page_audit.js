// Who asked for what, and what was decided: searched, checked, taken along.
import {useEffect, useState} from './hooks.js';
import {get} from './api.js';
import {Command, html, Page, ProblemBox, Time} from './parts.js';

const outcomes = ['allowed', 'denied', 'failed', 'replayed'];
const names = ['actor', 'action', 'run', 'outcome', 'cursor'];
const page_size = 25;

// What is asked for stands in the address, so that a page can be sent to somebody.
function asked() {
  const query = new URLSearchParams(location.search);
  return Object.fromEntries(names.map((name) => [name, query.get(name) ?? '']));
}
const address = (want) => {
  const query = new URLSearchParams(Object.entries(want).filter(([, value]) => value !== ''));
  return query.size > 0 ? `?${query}` : '';
};

function standing({before, after}) {
  const [from, to] = [before?.state, after?.state];
  return from && to && from !== to ? `${from} to ${to}` : to ?? from ?? '';
}

const more_of = (entry) => Object.entries(entry).filter(([name]) => !['seq', 'time', 'action', 'outcome', 'actor', 'reason'].includes(name));

function Entry({entry}) {
  const {seq, time, actor, action, phase, step, outcome, problem, run, late, reason, detail, count} = entry;
  return html`<li class="run-row">
    <p class="run-head"><span class="quiet">${seq}</span> <strong>${action}</strong>${' '}
      ${[phase, step].filter(Boolean).join('/')} by <strong>${actor ?? 'nobody who is known'}</strong>${entry.proven === false && ' (not proven)'}:${' '}
      <strong class=${outcome === 'allowed' ? '' : 'failure'}>${outcome}</strong>${problem && ` (${problem})`}${count > 1 && `, ${count} times`}${late && ', recorded late'}</p>
    <p class="small"><${Time} at=${time} />${run && html` <a href=${`/runs/${run}`}>${run}</a>`} ${standing(entry)}</p>
    ${reason && html`<p class="small">“${reason}”</p>`}${detail && html`<p class="small">${detail}</p>`}
    <details><summary>All of the entry</summary><dl class="facts-list">${more_of(entry).map(([name, value]) => html`<div><dt>${name}</dt>
      <dd><code>${typeof value === 'object' ? JSON.stringify(value) : String(value)}</code></dd></div>`)}</dl></details>
  </li>`;
}

function Verdict({verdict}) {
  if (verdict === undefined) {
    return null;
  }
  const {ok, entries, checkpoints, runs, problem, checkpoint} = verdict;
  return html`<p><strong>${ok ? 'Sound' : 'NOT sound'}</strong>: ${ok ? `${entries} entries, ${checkpoints} checkpoints, ${runs} runs` : problem}</p>
    ${checkpoint && html`<details><summary>The newest checkpoint, to be kept elsewhere</summary>
      <pre class="sql" tabindex="0" role="region" aria-label="Checkpoint">${checkpoint}</pre></details>`}`;
}

export function Audit() {
  const [want] = useState(asked);
  const [seen, set] = useState({});
  const [checked, check] = useState({});
  useEffect(() => {
    get(`/api/v1/audit${address({...want, limit: String(page_size)})}`).then((page) => set({page}), (problem) => set({problem}));
  }, []);
  const choose = (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    location.search = address(Object.fromEntries(names.map((name) => [name, (form.get(name) ?? '').trim()])));
  };
  const verify = () => {
    check({busy: true});
    get('/api/v1/audit/verify').then((verdict) => check({verdict}), (problem) => check({problem}));
  };
  const entries = seen.page?.entries;
  return html`<${Page} title="Audit">
    <h1>Audit</h1>
    <form class="filter" onSubmit=${choose}>
      <label>Who <input type="text" name="actor" value=${want.actor} /></label>
      <label>Action <input type="text" name="action" value=${want.action} placeholder="start" /></label>
      <label>Run <input type="text" name="run" value=${want.run} /></label>
      <label>Outcome <select name="outcome" value=${want.outcome}><option value="">any</option>
        ${outcomes.map((outcome) => html`<option value=${outcome}>${outcome}</option>`)}</select></label>
      <button type="submit">Show</button>
    </form>
    <p class="choices"><button type="button" disabled=${checked.busy} onClick=${verify}>Verify the chain</button>${' '}
      <a href="/api/v1/audit/export" download="runbookd-audit.ndjson">Export all of it</a></p>
    <div role="status">${checked.busy && html`<p>The daemon looks through the chain…</p>`}<${Verdict} verdict=${checked.verdict} /></div>
    <${ProblemBox} problem=${checked.problem} />
    <${Command} text="runbookctl audit export --to FILE; runbookd-audit-verify FILE" />
    <${ProblemBox} problem=${seen.problem} />
    ${entries && (entries.length > 0 ? html`<ul class="runs">${entries.map((entry) => html`<${Entry} key=${entry.seq} entry=${entry} />`)}</ul>`
      : html`<p>No entry is like that.</p>`)}
    <p class="choices">${want.cursor && html`<a href=${`/audit${address({...want, cursor: ''})}`}>Newest</a>`}
      ${seen.page?.next_cursor && html` <a href=${`/audit${address({...want, cursor: seen.page.next_cursor})}`}>Older entries</a>`}</p>
  </${Page}>`;
}
