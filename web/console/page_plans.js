// The stored plans.
import {useState} from './hooks.js';
import {get, told_first} from './api.js';
import {html, Page, ProblemBox, Time} from './parts.js';

export function Plans() {
  const [seen, set] = useState(told_first('/api/v1/plans?limit=50') ?? {plans: []});
  const more = () => get(`/api/v1/plans?limit=50&cursor=${encodeURIComponent(seen.next_cursor)}`).then(
    (page) => set({...page, plans: [...seen.plans, ...page.plans]}), (problem) => set({...seen, problem}));
  return html`<${Page} title="Plans">
    <h1>Plans</h1>
    ${seen.plans.length === 0 && html`<p>No plan is stored yet: <code>runbookctl run create FILE --target NAME</code></p>`}
    <ul class="runs">${seen.plans.map((plan) => html`<li class="run-row" key=${plan.digest}>
      <p class="run-head"><a href=${`/plans/${plan.digest}`}>${plan.name}</a> ${plan.title}</p>
      <p class="quiet small"><code>${plan.digest.slice(0, 12)}</code> by ${plan.stored_by}, <${Time} at=${plan.stored_at} />${' '}
        <a href=${`/history?plan=${plan.name}`}>its runs</a></p></li>`)}</ul>
    <${ProblemBox} problem=${seen.problem} />
    ${seen.next_cursor && html`<button type="button" onClick=${more}>More plans</button>`}
  </${Page}>`;
}
