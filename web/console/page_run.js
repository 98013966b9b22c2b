// One run: what it does or waits for and since when, what can be done about it, and everything else below.
import {useEffect, useReducer, useRef, useState} from './hooks.js';
import {me, send} from './api.js';
import {VerbDialog} from './dialog.js';
import {Fill} from './fill.js';
import {Locks} from './locks.js';
import {Timeline} from './events.js';
import {html, Page, ProblemBox, Since, Sql, State, Time, Until} from './parts.js';
import {Pipeline} from './pipeline.js';
import {Steps} from './steps.js';
import {RunFeed} from './live.js';
import {verbs} from './verbs.js';
import {look, urgency} from './words.js';

const links = {
  live: 'live', connecting: 'connecting', ended: 'the run has ended', hidden: 'not live while hidden', lost: 'not live since',
};

export function useFeed(id) {
  const [, changed] = useReducer((n) => n + 1, 0);
  const [feed] = useState(() => new RunFeed(id, () => changed()));
  useEffect(() => feed.start(), []);
  return feed;
}

function Link({feed}) {
  const {state, since} = feed.link;
  const at = new Date(since).toISOString();
  return html`<span class=${`link is-${state === 'lost' ? 'bad' : 'rest'}`}>${links[state]}${state === 'lost' && html` <${Time} at=${at} />`}</span>`;
}

// Pausing needs no question, and no revision either: whatever the run does meanwhile, it is to stop.
function usePause(feed) {
  const under_way = useRef(false);
  const [state, set] = useState({busy: false});
  const pause = async () => {
    if (under_way.current) {
      return;
    }
    under_way.current = true;
    set({busy: true});
    try {
      feed.take(await send(feed.run.run, 'pause', {}));
      set({busy: false});
    } catch (problem) {
      set({busy: false, problem});
    }
    under_way.current = false;
  };
  return [state, pause];
}

const typing = (element) => element.matches?.('input, textarea, select, [contenteditable]');
const key_is_on = () => localStorage.getItem('runbook-key-p') !== 'off';

function usePauseKey(pause, allowed) {
  useEffect(() => {
    const press = (event) => {
      const plain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.repeat;
      if (event.key === 'p' && plain && !typing(event.target) && key_is_on() && allowed()) {
        event.preventDefault();
        pause();
      }
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  });
}

function Head({feed, run, pausing, pause}) {
  const may_pause = run.actions.pause.allowed && run.state !== 'pausing';
  return html`<div class=${`run-top is-${look(run.state).group}`}>
    <div class="run-title"><h1>${run.plan.name} <span class="quiet">on</span> ${run.target}</h1>
      <p class="small quiet"><code>${run.run}</code> <${Link} feed=${feed} /></p></div>
    <p class="headline"><${State} of=${run.state} large /> <span class="quiet">${run.direction === 'backward' ? 'going back, ' : ''}since <${Since} at=${run.state_since} /></span></p>
    <button type="button" class="pause" disabled=${!may_pause || pausing.busy} onClick=${pause}
      title=${may_pause ? 'Key p' : run.actions.pause.why_not ?? ''}>
      <span aria-hidden="true">‖</span> ${pausing.busy ? 'Pausing …' : 'Pause'}</button>
    ${me?.proven && !run.actions.pause.allowed && html`<p class="small quiet why-not">${run.actions.pause.why_not}</p>`}
  </div>`;
}

const Wait = ({wait}) => html`<li><strong>${wait.kind.replaceAll('_', ' ')}</strong> ${wait.message}
  ${wait.until && html` until <${Until} at=${wait.until} />`}</li>`;

const Mismatch = ({mismatch}) => html`<details open>
  <summary>The schema is not what it was before step ${mismatch.phase}/${mismatch.step}</summary>
  <${Sql} label="Difference of the schemas" text=${mismatch.diff || `${mismatch.expected} expected, ${mismatch.actual} found`} />
</details>`;

// What the sentence above it says already is not said twice.
const more_waits = (run) => run.waiting_on.filter((wait) => wait.until || !run.state_message.includes(wait.message.slice(0, 60)));

function Standing({run}) {
  const waits = more_waits(run);
  return html`<section class="standing" aria-label="Where it stands"><p class="message">${run.state_message}</p>
    ${run.failed_because && !run.state_message.includes(run.failed_because) && html`<p class="failure">${run.failed_because}</p>`}
    ${run.details && html`<ul class="details">${run.details.map((line) => html`<li><code>${line}</code></li>`)}</ul>`}
    ${waits.length > 0 && html`<h2>Waits for</h2><ul>${waits.map((wait) => html`<${Wait} wait=${wait} />`)}</ul>`}
    ${run.live.server && html`<p>The server: ${run.live.server.message}</p>`}
    ${run.throttle && html`<p class="notice">${run.throttle.message}</p>`}
    ${run.mismatch && html`<${Mismatch} mismatch=${run.mismatch} />`}
    ${run.store_degraded && html`<p class="notice">The store is in trouble: what happens now waits in the daemon's memory.</p>`}
    <p class="small quiet">${run.last_actor && `Last said by ${run.last_actor}${run.last_reason && `: ${run.last_reason}`}. `}
      Created by ${run.created_by} <${Time} at=${run.created_at} />${run.note && ` (${run.note})`}.${' '}
      <a href=${`/plans/${run.plan.digest}`}>The plan</a></p>
  </section>`;
}

function Preflight({preflight}) {
  return html`<details><summary>The look at the target before phase ${preflight.phase}: <${State} of=${preflight.verdict} /></summary>
    <ul>${preflight.items.map((item) => html`<li><${State} of=${item.verdict} /> ${item.name}: ${item.message}${' '}
      ${item.next && html`<code>${item.next}</code>`}</li>`)}</ul></details>`;
}

// What fits comes as buttons, in the order in which one would look for them; what does not, with the daemon's reason.
function Verbs({run, stale, ask}) {
  const known = Object.keys(verbs).filter((verb) => run.actions[verb] && (verb !== 'pause' || run.state === 'pausing'));
  const fitting = known.filter((verb) => run.actions[verb].allowed);
  const others = Object.keys(verbs).filter((verb) => run.actions[verb] && !run.actions[verb].allowed);
  const manner = (verb, place) => (place === 0 && urgency(run.state) >= 0 ? 'main' : verbs[verb].grave ? 'grave' : '');
  const button = (verb, place) => verbs[verb].page
    ? html`<a key=${verb} class="button" href=${verbs[verb].page(run)}>${verbs[verb].word}</a>`
    : html`<button key=${verb} type="button" class=${manner(verb, place)} disabled=${stale} onClick=${() => ask(verb)}
        >${verbs[verb].word}</button>`;
  return html`<section class="verbs" aria-label="Verbs"><p class="choices">${fitting.map(button)}</p>
    ${stale && html`<p class="notice">This page is not up to date: nothing but Pause is offered until the daemon answers again.</p>`}
    ${others.length > 0 && html`<details><summary class="small">What does not fit now, and why</summary>
      <dl>${others.map((verb) => html`<div key=${verb}><dt>${verb}</dt><dd>${run.actions[verb].why_not}</dd></div>`)}</dl></details>`}
  </section>`;
}

function KeyChoice() {
  const [on, set] = useState(key_is_on());
  const change = (event) => {
    localStorage.setItem('runbook-key-p', event.target.checked ? 'on' : 'off');
    set(event.target.checked);
  };
  return html`<p class="small"><label class="check"><input type="checkbox" checked=${on} onChange=${change} /> Key <kbd>p</kbd> pauses the run, wherever this page is</label></p>`;
}

export function RunPage({id}) {
  const feed = useFeed(id);
  const [verb, ask] = useState();
  const {run} = feed;
  const [pausing, pause] = usePause(feed);
  usePauseKey(pause, () => feed.run?.actions.pause.allowed && feed.run.state !== 'pausing');
  if (!run) {
    return html`<${Page} title="Run"><h1>Run ${id}</h1><${ProblemBox} problem=${feed.problem} /></${Page}>`;
  }
  const {word} = look(run.state);
  return html`<${Page} title=${`${word}: ${run.plan.name}`}>
    <${Head} feed=${feed} run=${run} pausing=${pausing} pause=${pause} />
    <p class="hidden" role="status">${run.plan.name} is ${word}</p>
    <${ProblemBox} problem=${pausing.problem ?? feed.problem} />
    <${Standing} run=${run} />
    <${Verbs} run=${run} stale=${!!feed.problem} ask=${ask} />
    <${Fill} run=${run} rates=${feed.rates} />
    <${Pipeline} run=${run} />
    ${run.preflight && html`<${Preflight} preflight=${run.preflight} />`}
    <${Locks} run=${run} />
    <${Steps} run=${run} />
    <${Timeline} feed=${feed} />
    <${KeyChoice} />
    ${verb && html`<${VerbDialog} key=${verb} run=${run} verb=${verb} done=${(after) => feed.take(after)} close=${() => ask(undefined)} />`}
  </${Page}>`;
}
