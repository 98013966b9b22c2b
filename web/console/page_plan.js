// One stored plan: what lint found, and what each step does there and back.
import {useEffect, useState} from './hooks.js';
import {get, told_first} from './api.js';
import {html, Page, ProblemBox, State} from './parts.js';
import {ActionText} from './steps.js';
import {plural} from './words.js';

const severities = {error: 'bad', warning: 'left', info: 'rest', note: 'rest'};

function Finding({finding}) {
  return html`<li><span class=${`state is-${severities[finding.severity] ?? 'rest'}`}>${finding.severity}</span> <code>${finding.rule}</code>
    ${finding.step && html` in step <a href=${`#${finding.step}`}>${finding.step}</a>`}${finding.acknowledged && ' (acknowledged)'}
    <p>${finding.message}</p>${finding.fix && html`<p class="quiet">${finding.fix}</p>`}</li>`;
}

function Step({phase, step}) {
  const label = `${phase}/${step.name}`;
  return html`<section class="plan-step" id=${label}><h3>${label} <span class="quiet">${step.kind}</span></h3>
    <div class="there-and-back">
      <${ActionText} title="Forward" action=${step.forward} />
      ${step.backward ? html`<${ActionText} title="Back" action=${step.backward} />`
        : html`<div><h4>Back</h4><p><${State} of="irreversible" />: ${step.irreversible_reason}</p></div>`}
    </div></section>`;
}

export function PlanPage({digest}) {
  const path = `/api/v1/plans/${digest}`;
  const [{plan, problem}, set] = useState({plan: told_first(path)});
  useEffect(() => {
    if (!plan) {
      get(path).then((found) => set({plan: found}), (refused) => set({problem: refused}));
    }
  }, []);
  if (!plan) {
    return html`<${Page} title="Plan"><h1>Plan</h1><${ProblemBox} problem=${problem} /></${Page}>`;
  }
  return html`<${Page} title=${plan.name}>
    <h1>${plan.name}</h1>
    <p>${plan.title}</p>
    <p class="quiet small">Digest <code>${plan.digest}</code>. <a href=${`/history?plan=${plan.name}`}>Its runs</a></p>
    <section><h2>Findings</h2>${plan.findings.length === 0 ? html`<p>Nothing was found against it.</p>`
      : html`<ul class="findings">${plan.findings.map((finding) => html`<${Finding} finding=${finding} />`)}</ul>`}</section>
    ${plan.phases.map((phase) => html`<section><h2>${phase.name} <span class="quiet">${phase.kind}, ${plural(phase.steps.length, 'step')}</span></h2>
      <p>${phase.goal}</p>
      ${phase.steps.map((step) => html`<${Step} phase=${phase.name} step=${step} />`)}</section>`)}
  </${Page}>`;
}
