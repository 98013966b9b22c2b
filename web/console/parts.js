// The small parts that every page is made of.
import {Fragment, h} from './preact.js';
import {useEffect, useState} from './hooks.js';
import htm from './htm.js';
import {about, actor, log_out, me, now, set_actor} from './api.js';
import {age, local_time, look, utc} from './words.js';

export const html = htm.bind(h);
export {Fragment};

export function useTick(every = 1000) {
  const [, set] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => set((n) => n + 1), every);
    return () => clearInterval(timer);
  }, [every]);
  return now();
}

export function State({of, large}) {
  const {group, shape, word} = look(of);
  return html`<span class=${`state is-${group}${large ? ' large' : ''}`}
    ><span class="shape" aria-hidden="true">${shape}</span>${word}</span>`;
}

export const Time = ({at}) =>
  at ? html`<time datetime=${at} title=${utc(at)}>${local_time(at, now())}</time>` : null;

export function Since({at}) {
  const moment = useTick();
  return at ? html`<span class="since"><${Time} at=${at} /> (${age(moment - Date.parse(at))})</span>` : null;
}

export function Until({at}) {
  const left = Date.parse(at) - useTick();
  return html`<span class="since"><${Time} at=${at} />${left > 0 ? ` (in ${age(left)})` : ''}</span>`;
}

// A long one scrolls by itself, and so can be reached by keyboard.
export const Sql = ({text, label}) =>
  html`<pre class="sql" tabindex="0" role="region" aria-label=${label ?? 'SQL'}><code dir="ltr">${text}</code></pre>`;

// What the daemon said, whole: what, where, why, and the next command.
export function ProblemBox({problem}) {
  if (!problem) {
    return null;
  }
  const told = problem.told ?? {title: 'This page failed', detail: String(problem)};
  return html`<div class="problem" role="alert">
    <strong>${told.title}</strong>
    <p>${told.detail}</p>
    ${told.state && html`<p>The run is <${State} of=${told.state} />${told.allowed_actions?.length > 0 &&
      html`; what fits: ${told.allowed_actions.join(', ')}`}</p>`}
    ${told.errors && html`<ul>${told.errors.map((each) => html`<li>${each.rule}: ${each.message}
      ${each.step && ` (step ${each.step})`}${each.fix && html`<br />${each.fix}`}</li>`)}</ul>`}
    ${told.next && html`<p>Next: <code>${told.next}</code></p>`}
  </div>`;
}

export const Command = ({text}) => html`<p class="command"><span class="label">By command line</span> <code>${text}</code></p>`;

// Only who may read all of it is led there.
const audits = me?.roles?.some((role) => role === 'auditor' || role === 'admin');
const places = [['/', 'Overview'], ['/history', 'History'], ['/plans', 'Plans'], ...(audits ? [['/audit', 'Audit']] : [])];

function Known() {
  const leave = () => log_out().finally(() => location.reload());
  return html`<p class="who">${me.principal} <span class="quiet">${me.roles.join(', ') || 'no role'}</span>
    ${me.by === 'session' && html` <button type="button" onClick=${leave}>Log out</button>`}</p>`;
}

function Who() {
  const [name, set] = useState(actor());
  const keep = (event) => {
    set(event.target.value);
    set_actor(event.target.value.trim());
  };
  return html`<label class="who">Acting as <input type="text" value=${name} placeholder="local" maxlength="120"
    autocomplete="username" onInput=${keep} /></label>`;
}

function hold_words({since, by, reason, until}) {
  const end = until ? `; it ends at ${utc(until)}` : '';
  return `Hold: nothing goes forward since ${utc(since)}, by ${by}: ${reason}${end}.`;
}

export function Page({title, children}) {
  useEffect(() => {
    document.title = `${title} – runbookd`;
  }, [title]);
  return html`
    <a class="skip" href="#main">To the content</a>
    <header class="bar"><nav aria-label="Pages">
      <span class="brand">runbookd</span>
      ${places.map(([path, word]) => html`<a href=${path} aria-current=${location.pathname === path ? 'page' : null}>${word}</a>`)}
    </nav>${me && (me.proven ? html`<${Known} />` : html`<${Who} />`)}</header>
    ${me?.local_mode && html`<p class="notice local-mode">Local mode: nobody is asked for a token, and everybody who reaches
      this address acts as operator and approver. <code>runbookd token create</code> ends that.</p>`}
    ${about.hold && html`<p class="notice hold" role="status">${hold_words(about.hold)} <code>runbookctl hold lift</code></p>`}
    <main id="main" tabindex="-1">${children}</main>
    <footer>
      <p>runbookd ${about.version ?? ''}. Identity: ${about.identity ?? 'not known'}.</p>
      <p>Targets: ${(about.targets ?? []).map((target) => `${target.name} (${target.description})`).join('; ') || 'none'}.
        Times are of the zone of this browser; UTC is in their tooltips.</p>
    </footer>`;
}
