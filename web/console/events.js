// All that was recorded of the run, newest first.
import {useState} from './hooks.js';
import {html, ProblemBox, Time} from './parts.js';

const by_daemon = ['', 'runbookd'];
const filters = {
  all: () => true,
  people: (event) => !by_daemon.includes(event.actor),
  problems: (event) => /fail|lost|mismatch|attention|interrupted|unknown|reject/.test(event.kind),
};

// Where the sentence does not say it itself.
const place_of = ({step, phase, message}) => {
  const place = step ? `${phase}/${step}` : phase ?? '';
  return message?.includes(place) ? '' : ` ${place}`;
};

const Event = ({event}) => html`<li id=${`event-${event.seq}`}>
  <span class="when"><a href=${`#event-${event.seq}`}>${event.seq}</a> <${Time} at=${event.time} /></span>
  <span class="what"><code>${event.kind}</code>${place_of(event)}${' '}
    ${event.message && html`<span class="said">${event.message}</span>`}
    ${!by_daemon.includes(event.actor) && html`<span class="who-said">by <strong>${event.actor}</strong>${event.reason && `: ${event.reason}`}</span>`}</span></li>`;

export function Timeline({feed}) {
  const [filter, set_filter] = useState('all');
  const [problem, set_problem] = useState();
  const shown = feed.events.filter(filters[filter]);
  return html`<section><h2 id="timeline">Timeline</h2>
    <p><label>Show <select value=${filter} onChange=${(event) => set_filter(event.target.value)}>
      ${Object.keys(filters).map((name) => html`<option value=${name}>${name}</option>`)}</select></label></p>
    <ol class="timeline" aria-labelledby="timeline" reversed>${shown.toReversed().map((event) => html`<${Event} key=${event.seq} event=${event} />`)}</ol>
    <${ProblemBox} problem=${problem} />
    ${feed.first > 0 && html`<button type="button" onClick=${() => feed.load_earlier().catch(set_problem)}>Earlier events</button>`}</section>`;
}
