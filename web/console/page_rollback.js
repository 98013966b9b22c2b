// What a rollback would take back, before it is asked for; asking for it is one press here.
import {useEffect, useRef, useState} from './hooks.js';
import {get, send} from './api.js';
import {Command, html, Page, ProblemBox, Sql, State} from './parts.js';
import {useFeed} from './page_run.js';
import {command_of} from './verbs.js';

const touched = (step) => !['pending', 'reverted', 'skipped'].includes(step.state);

function Extents({run, to, set}) {
  const phases = run.phases.filter((phase) => phase.steps.some(touched));
  return html`<p><label for="extent">How far back</label><select id="extent" value=${to} onChange=${(event) => set(event.target.value)}>
    <option value="last">the last step</option>
    ${phases.map((phase) => html`<option value=${phase.name}>all of phase ${phase.name} and what came after</option>`)}
    ${phases.flatMap((phase) => phase.steps.filter(touched).map((step) => html`<option value=${`${phase.name}/${step.name}`}>step ${phase.name}/${step.name} and what came after</option>`))}
    <option value="all">all of it: the run ends rolled back</option></select></p>`;
}

function Preview({preview}) {
  return html`<p class="message">${preview.message}</p>
    <ol class="preview">${preview.steps.map((step) => html`<li key=${step.label}>
      <p><strong>${step.label}</strong> <${State} of=${step.state} /> <span class="quiet">${step.kind === 'none' ? '' : step.kind}</span></p>
      ${step.sql && html`<${Sql} text=${step.sql} label=${`Takes ${step.label} back`} />`}
      ${step.manual && html`<p class="by-hand">By hand: ${step.manual}</p>`}
      ${step.note && html`<p class=${step.kind === 'irreversible' ? 'failure' : 'notice'}>${step.note}</p>`}</li>`)}</ol>`;
}

// Asked for anew when the run has moved on: what is taken back is what was shown.
function usePreview(run, to) {
  const [seen, set] = useState({});
  const revision = run?.revision;
  useEffect(() => {
    if (revision === undefined) {
      return undefined;
    }
    let over = false;
    get(`/api/v1/runs/${run.run}/rollback-preview?to=${encodeURIComponent(to)}`).then(
      (preview) => over || set({preview, to, revision}), (problem) => over || set({problem, to, revision}));
    return () => {
      over = true;
    };
  }, [to, revision]);
  return seen;
}

export function RollbackPage({id}) {
  const feed = useFeed(id);
  const {run} = feed;
  const [to, set_to] = useState(new URLSearchParams(location.search).get('to') ?? 'last');
  const [reason, set_reason] = useState('');
  const [take_over, set_take_over] = useState(false);
  const [{busy, problem}, set] = useState({});
  const under_way = useRef(false);
  const seen = usePreview(run, to);
  if (!run) {
    return html`<${Page} title="Rollback"><h1>Rollback of ${id}</h1><${ProblemBox} problem=${feed.problem} /></${Page}>`;
  }
  const values = {to, reason, take_over};
  const roll_back = async (event) => {
    event.preventDefault();
    if (under_way.current) {
      return;
    }
    under_way.current = true;
    set({busy: true});
    try {
      await send(id, 'rollback', {to, ...(reason && {reason}), ...(take_over && {take_over})}, seen.revision);
      location.assign(`/runs/${id}`);
    } catch (refused) {
      set({busy: false, problem: refused});
      under_way.current = false;
    }
  };
  const shown = seen.preview && seen.to === to && seen.revision === run.revision;
  const may = run.actions.rollback.allowed;
  return html`<${Page} title=${`Rollback of ${run.plan.name}`}>
    <h1>Roll back ${run.plan.name} <span class="quiet">on</span> ${run.target}</h1>
    <p><a href=${`/runs/${id}`}>Back to the run</a>, which is <${State} of=${run.state} />: ${run.state_message}</p>
    <form onSubmit=${roll_back}>
      <${Extents} run=${run} to=${to} set=${set_to} />
      <${ProblemBox} problem=${seen.problem} />
      ${seen.preview && html`<${Preview} preview=${seen.preview} />`}
      <p><label for="reason">Reason (optional)</label><textarea id="reason" rows="2" maxlength="4000" value=${reason} onInput=${(event) => set_reason(event.target.value)}></textarea></p>
      ${run.target_held_by && html`<p><label class="check"><input type="checkbox" checked=${take_over} onChange=${(event) => set_take_over(event.target.checked)} />
        Take the target over from the daemon on ${run.target_held_by.host}, pid ${run.target_held_by.pid}</label></p>`}
      <${ProblemBox} problem=${problem} />
      ${!may && html`<p class="notice">Not now: ${run.actions.rollback.why_not}</p>`}
      <${Command} text=${command_of('rollback', run, values)} />
      <p class="choices"><button type="submit" class="grave" disabled=${!may || busy || !shown || feed.problem}>${busy ? 'Sent …' : 'Roll back'}</button>
        <a class="button" href=${`/runs/${id}`}>Leave it</a></p>
    </form></${Page}>`;
}
