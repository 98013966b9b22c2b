// The only way to the daemon: its own HTTP API, and what the page brought of it.

// Text comes from plans, databases and people. What would turn a line around or hide in it is shown by its number
// instead; names never hold such a thing, so what is sent back is what came. Done once, where text comes in.
const hidden = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
const shown = (mark) => `⟨U+${mark.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}⟩`;
const visible = (_, value) => (typeof value === 'string' ? value.replace(hidden, shown) : value);
const parsed = (text) => JSON.parse(text, visible);
export const parse_line = parsed;

const told = parsed(document.getElementById('told').textContent);
const named = (path) => told[path];

// The daemon's clock, so that "since" is right on a machine whose clock is not.
const ahead = told['/api/v1'] ? Date.parse(told['/api/v1'].time) - Date.now() : 0;
export const now = () => Date.now() + ahead;
export const about = told['/api/v1'] ?? {};
export const told_first = named;
// Who the daemon takes this browser for; nothing: it does not know.
export const me = told['/api/v1/whoami'];

// What the daemon says against something: title, detail, next, errors.
export class Problem extends Error {
  constructor(told_problem, etag) {
    super(told_problem.detail ?? told_problem.title);
    this.told = told_problem;
    this.etag = etag;
  }
}
const no_answer = (error) => new Problem({
  title: 'No answer',
  detail: `the daemon did not answer (${error.message})`,
  next: 'look whether runbookd runs and whether this address still leads to it; a verb that was just sent may have ' +
        'arrived: look at the run before sending it again',
});

async function ask(path, options) {
  const reply = await fetch(path, {cache: 'no-store', ...options}).catch((error) => {
    throw error.name === 'AbortError' ? error : no_answer(error);
  });
  const text = await reply.text().catch((error) => {
    throw no_answer(error);
  });
  let body;
  try {
    body = parsed(text);
  } catch {
    body = {title: `Status ${reply.status}`, detail: `the answer is no JSON: ${text.slice(0, 200)}`};
  }
  if (reply.status === 401 && me?.by === 'session') {
    location.reload();  // the session is over: the page comes back as the one that logs in
  }
  if (!reply.ok) {
    throw new Problem(body, reply.headers.get('ETag'));
  }
  return body;
}

// Header values are bytes; a name outside of ASCII goes as its UTF-8.
const bytes_of = (text) => String.fromCharCode(...new TextEncoder().encode(text));
// Where nobody is asked for a token the name is what one says of oneself; else the daemon knows it.
export const actor = () => (me?.proven ? '' : localStorage.getItem('runbook-actor') ?? '');
export const set_actor = (name) =>
  name ? localStorage.setItem('runbook-actor', name) : localStorage.removeItem('runbook-actor');

const signs = () => (me?.csrf ? {'Runbook-CSRF': me.csrf} : {});
const as_json = (body) => ({headers: {'Content-Type': 'application/json', ...signs()}, body: JSON.stringify(body)});
export const log_in = (token) => ask('/api/v1/session', {method: 'POST', ...as_json({token})});
export const log_out = () => ask('/api/v1/session', {method: 'DELETE', ...as_json({})});

export const get = (path, signal) => ask(path, {signal, headers: {Accept: 'application/json'}});

// `revision`: what the person saw; the daemon refuses the verb when the run has moved on since.
export function send(run, verb, body, revision) {
  const headers = {'Content-Type': 'application/json', ...signs()};
  if (revision !== undefined) {
    headers['If-Match'] = `"${revision}"`;
  }
  if (actor()) {
    headers['Runbook-Actor'] = bytes_of(actor());
  }
  return ask(`/api/v1/runs/${run}/${verb}`, {method: 'POST', headers, body: JSON.stringify(body)});
}
