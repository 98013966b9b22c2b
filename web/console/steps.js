// The steps of a run, phase by phase; each opens to its SQL there and back and to all of its tries.
import {useEffect, useState} from './hooks.js';
import {get} from './api.js';
import {html, ProblemBox, Sql, State, Time} from './parts.js';
import {Checks} from './checks.js';
import {count, duration, percent, plural} from './words.js';

export function ActionText({title, action}) {
  const text = action.sql ?? action.text;
  const limits = [
    action.lock && `stall budget ${duration(action.lock.stall_budget_ms)}, gives up after ${duration(action.lock.give_up_after_ms)}`,
    action.statement_timeout_ms > 0 && `statement timeout ${duration(action.statement_timeout_ms)}`,
    action.transactional === false && 'outside a transaction',
    action.batch && `batches of ${duration(action.batch.target_ms)}, ${plural(action.batch.workers, 'worker')}`,
  ].filter(Boolean).join('; ');
  return html`<div class="action"><h4>${title} <span class="quiet">${action.kind}</span></h4>
    ${text && html`<${Sql} text=${text} label=${title} />`}
    ${action.manual && html`<p class="by-hand">${action.manual}</p>`}
    ${action.reason && html`<p>${action.reason}</p>`}
    ${limits && html`<p class="small quiet">${limits}</p>`}</div>`;
}

function Attempt({attempt}) {
  const {failure, backfill} = attempt;
  const numbers = [
    attempt.duration_ms > 0 && duration(attempt.duration_ms),
    attempt.lock_wait_ms > 0 && `waited ${duration(attempt.lock_wait_ms)} for locks`,
    attempt.rows !== null && plural(attempt.rows, 'row'),
  ].filter(Boolean);
  return html`<li><${State} of=${attempt.result} /> ${attempt.number && `attempt ${attempt.number}`} ${attempt.direction === 'backward' && 'back '}
    <${Time} at=${attempt.started_at} />${numbers.map((number) => `, ${number}`)}
    ${backfill && html`<p>${count(backfill.rows_changed)} rows changed${backfill.percent !== null && `, ${percent(backfill.percent)}`}</p>`}
    ${attempt.actor && html`<p>by ${attempt.actor}${attempt.reason && `: ${attempt.reason}`}</p>`}
    ${failure && html`<p class="failure">${failure.sqlstate} ${failure.condition}: ${failure.message}</p>
      ${failure.statement && html`<${Sql} text=${failure.statement} label="Statement that failed" />`}`}
    ${attempt.blockers.length > 0 && html`<p>Held by ${attempt.blockers.map((each) => `pid ${each.pid} ${each.user} (${each.application})`).join(', ')}</p>`}
    ${attempt.note && html`<p>${attempt.note}</p>`}</li>`;
}

function StepDetail({run, label, changed}) {
  const [{step, problem}, set] = useState({});
  useEffect(() => {
    get(`/api/v1/runs/${run}/steps/${label}`).then((found) => set({step: found}), (refused) => set({problem: refused}));
  }, [changed]);
  if (!step) {
    return problem ? html`<${ProblemBox} problem=${problem} />` : html`<p class="quiet">Asking …</p>`;
  }
  return html`<div class="step-detail">${step.description && html`<p>${step.description}</p>`}
    <div class="there-and-back"><${ActionText} title="Forward" action=${step.forward} />
      ${step.backward ? html`<${ActionText} title="Back" action=${step.backward} />`
        : html`<div><h4>Back</h4><p>Cannot be taken back: ${step.irreversible_reason}</p></div>`}</div>
    <h4>Tries</h4>
    ${step.attempts.length === 0 ? html`<p class="quiet">None yet.</p>`
      : html`<ol class="attempts">${step.attempts.map((attempt) => html`<${Attempt} attempt=${attempt} />`)}</ol>`}</div>`;
}

function StepRow({run, phase, step, open, toggle}) {
  const label = `${phase.name}/${step.name}`;
  const current = run.current?.phase === phase.name && run.current?.step === step.name;
  const changed = `${step.state} ${step.attempts} ${step.tries} ${step.direction}`;
  return html`<tr class=${current ? 'current' : ''}>
      <th scope="row"><button type="button" class="opener" aria-expanded=${open} onClick=${toggle}><span aria-hidden="true">${open ? '▾' : '▸'}</span> ${step.name}</button></th>
      <td><${State} of=${step.kept ? 'kept' : step.state} />${step.direction === 'backward' && html` <span class="quiet small">back</span>`}</td>
      <td class="wide">${step.kind}</td>
      <td class="number">${step.tries > 0 ? step.tries : ''}</td>
      <td class="number wide">${step.lock_wait_ms > 0 ? duration(step.lock_wait_ms) : ''}</td>
      <td class="number wide">${count(step.rows)}</td>
      <td class="number">${duration(step.duration_ms)}</td>
    </tr>
    ${step.message && html`<tr class="said-row"><td colspan="7">${step.message}</td></tr>`}
    ${open && html`<tr class="detail-row"><td colspan="7"><${StepDetail} run=${run.run} label=${label} changed=${changed} /></td></tr>`}`;
}

function PhaseSteps({run, phase}) {
  const [open, set] = useState({});
  return html`<section id=${`phase-${phase.name}`} class="phase-steps">
    <h3>${phase.name} <${State} of=${phase.state} /></h3>
    ${phase.goal && html`<p class="quiet">${phase.goal}</p>`}
    ${phase.steps.length > 0 && html`<table class="steps"><caption class="hidden">Steps of phase ${phase.name}</caption>
      <thead><tr><th scope="col">Step</th><th scope="col">State</th><th scope="col" class="wide">Kind</th><th scope="col" class="number">Tries</th>
        <th scope="col" class="number wide">Lock wait</th><th scope="col" class="number wide">Rows</th><th scope="col" class="number">Took</th></tr></thead>
      <tbody>${phase.steps.map((step) => html`<${StepRow} key=${step.name} run=${run} phase=${phase} step=${step} open=${!!open[step.name]}
        toggle=${() => set({...open, [step.name]: !open[step.name]})} />`)}</tbody></table>`}
    <${Checks} checks=${phase.checks} of=${`phase ${phase.name}`} />
  </section>`;
}

export const Steps = ({run}) => html`<section><h2>Steps and checks</h2>
  ${run.phases.map((phase) => html`<${PhaseSteps} key=${phase.name} run=${run} phase=${phase} />`)}
  ${run.final_checks.length > 0 && html`<section class="phase-steps"><h3>Final checks</h3><${Checks} checks=${run.final_checks} of="the whole run" /></section>`}</section>`;
