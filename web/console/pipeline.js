// The phases in their order, what stands between them, and the line behind which nothing is taken back.
import {html, State, Until} from './parts.js';
import {duration, look, plural} from './words.js';

const done_states = ['succeeded', 'skipped'];

function gate_words(run, phase) {
  const open = run.waiting_on.filter((wait) => wait.phase === phase.name && run.stage === 'gate');
  const approvals = phase.approvals;
  return [
    approvals && `${approvals.by.length} of ${plural(approvals.needed, 'approval')} from ${approvals.from}${approvals.by.length > 0 ? ` (${approvals.by.join(', ')})` : ''}`,
    phase.not_before && `${duration(phase.not_before.wait_ms)} after ${phase.not_before.after}`,
    ...open.filter((wait) => wait.kind === 'window' || wait.kind === 'timer').map((wait) => wait.message),
  ].filter(Boolean);
}

function Gate({run, phase}) {
  const here = run.stage === 'gate' && phase.state === 'gated';
  const words = gate_words(run, phase);
  return html`<li class=${`gate${here ? ' here' : ''}`}><span class="shape" aria-hidden="true">◇</span>
    <span class="gate-word">gate${here ? ', the run is here' : ''}</span>${words.map((word) => html`<span class="small quiet">${word}</span>`)}</li>`;
}

function NoReturn({line}) {
  return html`<li class=${`no-return${line.passed ? ' passed' : ''}`}>
    <strong>Point of no return${line.passed ? ', passed' : ''}</strong>
    <span class="small">step ${line.phase}/${line.step}: ${line.reason}</span></li>`;
}

function Phase({phase}) {
  const {group} = look(phase.state);
  const done = phase.steps.filter((step) => done_states.includes(step.state)).length;
  const passed = phase.checks.filter((check) => check.result === 'passed').length;
  return html`<li class=${`phase is-${group}`}>
    <a href=${`#phase-${phase.name}`}>${phase.name}</a> <${State} of=${phase.state} />
    <span class="small quiet">${phase.kind}; ${done} of ${plural(phase.steps.length, 'step')}${phase.checks.length > 0 && `; ${passed} of ${plural(phase.checks.length, 'check')} passed`}</span>
    ${phase.soak_ms && html`<span class="small quiet">soaks ${duration(phase.soak_ms)}${phase.soak_until && html`, until <${Until} at=${phase.soak_until} />`}</span>`}
  </li>`;
}

export function Pipeline({run}) {
  const line = run.point_of_no_return;
  return html`<section aria-label="Phases"><h2>Phases <span class="quiet">${run.progress.steps_done} of ${plural(run.progress.steps_total, 'step')}</span></h2>
    <ol class="pipeline">${run.phases.flatMap((phase, index) => [
      index > 0 && html`<${Gate} key=${`gate-${phase.name}`} run=${run} phase=${phase} />`,
      line?.phase === phase.name && html`<${NoReturn} key="line" line=${line} />`,
      html`<${Phase} key=${phase.name} phase=${phase} />`,
    ])}</ol>
    ${!line && html`<p class="small quiet">Every step of this plan can be taken back.</p>`}</section>`;
}
