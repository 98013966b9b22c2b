// How states, times and numbers are spelled. A state is always a word, a shape and a colour (its group).

const groups = {
  work: ['running', 'pausing', 'cancelling', 'reverting', 'validating', 'soaking'],
  person: ['waiting', 'paused', 'gated', 'interrupted', 'wait'],
  bad: ['failed', 'attention', 'revert_failed', 'unknown', 'error', 'mismatch', 'lost', 'no_go', 'irreversible'],
  good: ['succeeded', 'passed', 'accepted', 'go'],
  back: ['rolled_back', 'reverted'],
  left: ['overridden', 'skipped', 'partly_skipped', 'cancelled', 'kept', 'warning', 'retry_scheduled'],
};
const group_of = new Map(Object.entries(groups).flatMap(([group, words]) => words.map((word) => [word, group])));
const shapes = {work: '▶', person: '◆', bad: '✕', good: '✓', back: '↶', left: '–', rest: '○'};

export const look = (state) => {
  const group = group_of.get(state) ?? 'rest';
  return {group, shape: shapes[group], word: String(state ?? '').replaceAll('_', ' ')};
};

// Runs in these states move on only when somebody does something; the gravest first.
const calls_for_a_person = ['attention', 'failed', 'waiting', 'paused', 'pending'];
const works = ['running', 'pausing', 'cancelling'];
export const urgency = (state) => calls_for_a_person.indexOf(state);
export const is_at_work = (state) => works.includes(state);
export const is_final = (state) => ['succeeded', 'rolled_back', 'cancelled'].includes(state);

const whole = new Intl.NumberFormat(undefined, {maximumFractionDigits: 0});
export const count = (number) => (number === null || number === undefined ? '' : whole.format(number));
export const plural = (number, word) => `${count(number)} ${word}${number === 1 ? '' : 's'}`;
// 61.04 is not 61.1: what is not there yet is not shown.
export const percent = (value) => `${(Math.floor(value * 10) / 10).toFixed(1)} %`;

const units = [['d', 86400], ['h', 3600], ['min', 60], ['s', 1]];
export function duration(ms) {
  if (ms === null || ms === undefined) {
    return '';
  }
  if (ms < 1000) {
    return `${Math.max(0, Math.round(ms))} ms`;
  }
  if (ms < 10000) {
    return `${(ms / 1000).toFixed(1)} s`;
  }
  const seconds = Math.floor(ms / 1000);
  const first = units.findIndex(([, length]) => seconds >= length);
  const [unit, length] = units[first];
  const rest = units[first + 1] ? Math.floor((seconds % length) / units[first + 1][1]) : 0;
  return `${Math.floor(seconds / length)} ${unit}${rest > 0 ? ` ${rest} ${units[first + 1][0]}` : ''}`;
}

// Of what still grows: no parts of a second, which nobody can read.
export const age = (ms) => (ms < 10000 ? `${Math.max(0, Math.floor(ms / 1000))} s` : duration(ms));

const two = (number) => String(number).padStart(2, '0');
const clock = (date) => `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
const day = (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
// In the zone of whoever looks; the day only where it is another one.
export function local_time(text, now) {
  const date = new Date(text);
  return day(date) === day(new Date(now)) ? clock(date) : `${day(date)} ${clock(date)}`;
}
export const utc = (text) => `${new Date(text).toISOString().replace('T', ' ').slice(0, 19)} UTC`;
