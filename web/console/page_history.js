// All runs, newest first, a page at a time.
import {useEffect, useState} from './hooks.js';
import {get} from './api.js';
import {html, Page, ProblemBox} from './parts.js';
import {RunRow} from './page_overview.js';

const states = ['unfinished', 'pending', 'running', 'waiting', 'pausing', 'paused', 'failed', 'attention', 'cancelling', 'succeeded', 'rolled_back', 'cancelled'];
const page_size = 25;

// What is asked for stands in the address, so that a page can be sent to somebody.
function asked() {
  const query = new URLSearchParams(location.search);
  return {state: query.get('state') ?? '', target: query.get('target') ?? '', plan: query.get('plan') ?? '', cursor: query.get('cursor') ?? ''};
}
const address = (want) => {
  const query = new URLSearchParams(Object.entries(want).filter(([, value]) => value !== ''));
  return query.size > 0 ? `?${query}` : '';
};

export function History() {
  const [want] = useState(asked);
  const [seen, set] = useState({});
  useEffect(() => {
    const query = address({...want, limit: String(page_size)});
    get(`/api/v1/runs${query}`).then((page) => set({page}), (problem) => set({problem}));
  }, []);
  const choose = (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    location.search = address({state: form.get('state'), target: form.get('target').trim(), plan: form.get('plan').trim()});
  };
  const runs = seen.page?.runs;
  return html`<${Page} title="History">
    <h1>History</h1>
    <form class="filter" onSubmit=${choose}>
      <label>State <select name="state" value=${want.state}><option value="">any</option>
        ${states.map((state) => html`<option value=${state}>${state.replace('_', ' ')}</option>`)}</select></label>
      <label>Target <input type="text" name="target" value=${want.target} /></label>
      <label>Plan <input type="text" name="plan" value=${want.plan} /></label>
      <button type="submit">Show</button>
    </form>
    <${ProblemBox} problem=${seen.problem} />
    ${runs && (runs.length > 0 ? html`<ul class="runs">${runs.map((run) => html`<${RunRow} key=${run.run} run=${run} />`)}</ul>`
      : html`<p>No run is like that.</p>`)}
    <p class="choices">${want.cursor && html`<a href=${`/history${address({...want, cursor: ''})}`}>Newest</a>`}
      ${seen.page?.next_cursor && html` <a href=${`/history${address({...want, cursor: seen.page.next_cursor})}`}>Older runs</a>`}</p>
  </${Page}>`;
}
