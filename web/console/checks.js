// What was expected of the database, and what it said.
import {html, State, Time} from './parts.js';
import {duration} from './words.js';

export function Checks({checks, of}) {
  if (checks.length === 0) {
    return null;
  }
  return html`<table class="checks"><caption class="hidden">Checks of ${of}</caption>
    <thead><tr><th scope="col">Check</th><th scope="col">Result</th><th scope="col">Expected</th><th scope="col">Actual</th><th scope="col" class="wide">When</th></tr></thead>
    <tbody>${checks.map((check) => html`<tr key=${`${check.stage} ${check.name}`}>
      <th scope="row">${check.name} <span class="quiet small">${check.stage}</span></th>
      <td><${State} of=${check.result} /></td>
      <td>${check.expected}</td>
      <td class=${check.result === 'failed' || check.result === 'error' ? 'failure' : ''}>${check.actual}</td>
      <td class="wide"><${Time} at=${check.at} />${check.duration_ms !== null && html` <span class="quiet small">${duration(check.duration_ms)}</span>`}</td>
    </tr>`)}</tbody></table>`;
}
