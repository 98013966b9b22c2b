// Who stands in our way up to the root, and who waits behind us. The target is asked while this is open.
import {useEffect, useState} from './hooks.js';
import {get} from './api.js';
import {html, ProblemBox, Time} from './parts.js';
import {duration, is_at_work, plural} from './words.js';

const ask_every = 3000;

function Blocker({blocker}) {
  return html`<li><strong>pid ${blocker.pid}</strong> ${blocker.user} ${blocker.application && `(${blocker.application})`}${' '}
    ${blocker.root && html`<span class="state is-bad"><span class="shape" aria-hidden="true">✕</span>root</span>`}
    <p>${blocker.state}, ${duration(blocker.transaction_age_ms)} in its transaction; ${blocker.lock_mode} on ${blocker.relation}</p>
    <${Query} text=${blocker.query} />
    ${blocker.advice && html`<p>${blocker.advice}</p>`}
    ${blocker.end_with && html`<p>Ends it, if you run it: <code>${blocker.end_with}</code></p>`}</li>`;
}

// Blockers come in the order of a walk from us to the roots, each with its depth.
function tree(blockers) {
  const top = {depth: -1, below: []};
  const path = [top];
  for (const blocker of blockers) {
    const node = {blocker, depth: blocker.depth, below: []};
    while (path.at(-1).depth >= node.depth) {
      path.pop();
    }
    path.at(-1).below.push(node);
    path.push(node);
  }
  return top.below;
}
const Tree = ({nodes}) => html`<ul class="tree">${nodes.map((node) => html`<${Blocker} blocker=${node.blocker} />
  ${node.below.length > 0 && html`<li>which waits for <${Tree} nodes=${node.below} /></li>`}`)}</ul>`;

const waited = (ms) => (ms === null ? '' : ` for ${duration(ms)}`);
const Query = ({text}) => (text ? html`<p><code class="query">${text}</code></p>` : null);

const Ours = ({session: {pid, state, waits_for: lock, query}}) => html`<li><strong>pid ${pid}</strong> ${state}
  ${lock && ` waits${waited(lock.waited_ms)} for ${lock.lock_mode} on ${lock.relation}`}<${Query} text=${query} /></li>`;

const Behind = ({waiter}) => html`<li><strong>pid ${waiter.pid}</strong> ${waiter.user} (${waiter.application})${' '}
  wants ${waiter.lock_mode} on ${waiter.relation}${waited(waiter.waited_ms)}<${Query} text=${waiter.query} /></li>`;

function Seen({locks}) {
  return html`<p>${locks.message} <span class="small quiet">(seen <${Time} at=${locks.taken_at} />)</span></p>
    <h3>Ours</h3>${locks.sessions.length === 0 ? html`<p class="quiet">No session.</p>`
      : html`<ul>${locks.sessions.map((session) => html`<${Ours} session=${session} />`)}</ul>`}
    <h3>In our way</h3>${locks.blockers.length === 0 ? html`<p class="quiet">Nobody.</p>` : html`<${Tree} nodes=${tree(locks.blockers)} />`}
    <h3>Behind us</h3>${locks.waiters.length === 0 ? html`<p class="quiet">Nobody.</p>`
      : html`<p>${plural(locks.waiters.length, 'session')}</p><ul>${locks.waiters.map((waiter) => html`<${Behind} waiter=${waiter} />`)}</ul>`}
    ${locks.last_wait && html`<h3>The last try without its lock</h3>
      <p>step ${locks.last_wait.step}, <${Time} at=${locks.last_wait.ended_at} /></p><${Tree} nodes=${tree(locks.last_wait.blockers)} />`}`;
}

export function Locks({run}) {
  const held = run.live.blockers.length > 0;
  const [open, set_open] = useState(false);
  const [{locks, problem}, set] = useState({});
  const works = is_at_work(run.state);
  useEffect(() => {
    if (!open) {
      return undefined;
    }
    let over = false;
    const ask = () => document.hidden || get(`/api/v1/runs/${run.run}/locks`).then(
      (found) => over || set({locks: found}), (refused) => over || set((before) => ({...before, problem: refused})));
    ask();
    const timer = works ? setInterval(ask, ask_every) : undefined;
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, [open, works, run.run]);
  return html`<section><h2>Locks</h2>
    ${held && html`<${Tree} nodes=${tree(run.live.blockers)} />`}
    ${run.live.behind && html`<p>${plural(run.live.behind.sessions, 'session')} behind us, the longest for ${duration(run.live.behind.longest_ms)}</p>`}
    <details onToggle=${(event) => set_open(event.target.open)}><summary>Ask the target who blocks whom</summary>
      <${ProblemBox} problem=${problem} />${locks ? html`<${Seen} locks=${locks} />` : !problem && html`<p class="quiet">Asking …</p>`}</details></section>`;
}
