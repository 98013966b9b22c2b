// The verbs as the API has them: what each will do to this run, what it asks for, and the body that it sends. Whether
// one fits, and why not, the daemon says with the run (`actions`).
import {actor} from './api.js';

const label_of = (part) => (part?.step ? `${part.phase}/${part.step}` : '');
const waiting_at = (run, kind) => run.waiting_on.find((wait) => wait.kind === kind);

function phase_at_gate(run) {
  const wait = waiting_at(run, 'advance') ?? waiting_at(run, 'approval') ?? run.waiting_on.find((each) => each.phase);
  return wait?.phase ?? run.phases.find((phase) => phase.state === 'gated')?.name ?? '';
}
const step_at_hand = (run) => label_of(run.current) || label_of(run.waiting_on.find((wait) => wait.step));
const all_steps = (run) => run.phases.flatMap((phase) => phase.steps.map((step) => `${phase.name}/${step.name}`));

const phase_field = (run, label) =>
  ({name: 'phase', label, kind: 'choice', options: run.phases.map((phase) => phase.name), value: phase_at_gate(run), needed: true});
const step_field = (run) =>
  ({name: 'step', label: 'Step', kind: 'choice', options: all_steps(run), value: step_at_hand(run), needed: true});
const reason_field = (needed = false) => ({name: 'reason', label: needed ? 'Reason' : 'Reason (optional)', kind: 'text', needed});
const take_over = (run) => (run.target_held_by ? [{
  name: 'take_over', kind: 'check',
  label: `Take the target over from the daemon on ${run.target_held_by.host}, pid ${run.target_held_by.pid}`,
}] : []);

const manual_of = (run) => {
  const [phase, step] = step_at_hand(run).split('/');
  return run.phases.find((each) => each.name === phase)?.steps.find((each) => each.name === step)?.manual ?? '';
};

export const verbs = {
  start: {
    word: 'Start',
    does: (run) => `Checks the target, records the baselines and enters phase ${run.phases[0]?.name ?? ''}: its steps run on ${run.target}.`,
    fields: (run) => [...take_over(run), reason_field(!!run.target_held_by)],
  },
  advance: {
    word: 'Advance',
    does: (run) => `Enters phase ${phase_at_gate(run)} on ${run.target}, once all that opens its gate has passed again.`,
    fields: (run) => [phase_field(run, 'Phase to enter'), reason_field()],
    body: ({phase, ...rest}) => ({to_phase: phase, ...rest}),
    options: {phase: '--to'},
  },
  approve: {
    word: 'Approve',
    does: (run) => `Signs that phase ${phase_at_gate(run)} may be entered, under the name at the top of this page.`,
    fields: (run) => [phase_field(run, 'Phase'), reason_field()],
  },
  reject: {
    word: 'Reject',
    does: (run) => `Closes the way into phase ${phase_at_gate(run)}: the run fails at this gate.`,
    fields: (run) => [phase_field(run, 'Phase'), reason_field(true)],
  },
  withdraw: {
    word: 'Withdraw',
    does: (run) => `Takes back what you said at phase ${run.phase}: your approval, or the override that you asked for.`,
    fields: (run) => [{...phase_field(run, 'Phase'), value: run.phase}, reason_field()],
  },
  override: {
    word: 'Override …',
    does: (run) => `Asks to go past what keeps the run from phase ${run.phase}. Within an hour a second person has to countersign it; it is shown for good.`,
    fields: (run) => [{...phase_field(run, 'Phase'), value: run.phase},
      {name: 'confirm', label: `Name of the phase, to confirm: ${run.phase}`, kind: 'line'}, reason_field(true)],
    options: {confirm: '--confirm'},
    grave: true,
  },
  countersign: {
    word: 'Countersign',
    does: (run) => `Confirms the override that ${run.override_asked?.asked_by ?? 'nobody'} asks for: ${run.override_asked?.reason ?? ''}`,
    fields: (run) => [{...phase_field(run, 'Phase'), value: run.phase}, reason_field()],
    grave: true,
  },
  confirm: {
    word: 'Confirm',
    does: (run) => `Says that step ${step_at_hand(run)} was done by hand, and goes on behind it. ${manual_of(run)}`,
    fields: (run) => [step_field(run), reason_field()],
    options: {step: ''},
  },
  evaluate: {
    word: 'Evaluate',
    does: () => 'Runs the checks of this gate again.',
    fields: () => [reason_field()],
  },
  pause: {
    word: 'Pause now',
    does: (run) => `Interrupts step ${step_at_hand(run)} instead of waiting for its safe point; what its transaction did is undone.`,
    fields: () => [reason_field()],
    body: (values) => ({mode: 'now', ...values}),
    fixed: '--now',
    always: true,
  },
  resume: {
    word: 'Resume',
    does: (run) => `Goes on ${run.direction === 'backward' ? 'with the rollback' : 'forward'} on ${run.target}, where it stood.`,
    fields: (run) => [...take_over(run), reason_field(!!run.target_held_by)],
  },
  retry: {
    word: 'Retry',
    does: (run) => `Makes another attempt of step ${step_at_hand(run)} on ${run.target}.`,
    fields: (run) => [step_field(run), ...take_over(run), reason_field(!!run.target_held_by)],
    options: {step: ''},
  },
  skip: {
    word: 'Skip',
    does: (run) => run.direction === 'backward'
      ? `Leaves step ${step_at_hand(run)} as it stands, or takes the schema as it is, and goes on with the rollback.`
      : `Leaves step ${step_at_hand(run)} out; it is shown as skipped for good.`,
    fields: (run) => [step_field(run), reason_field(true)],
    options: {step: ''},
  },
  resolve: {
    word: 'Resolve',
    does: (run) => `Says what became of step ${step_at_hand(run)}, which nothing in the database tells. Look there first.`,
    fields: (run) => [step_field(run),
      {name: 'as', label: 'It has', kind: 'choice', options: ['succeeded', 'failed'], value: '', needed: true},
      {name: 'evidence', label: 'What you saw there', kind: 'text', needed: true}, reason_field()],
    options: {step: '', as: '--as', evidence: '--evidence'},
  },
  throttle: {
    word: 'Throttle',
    does: (run) => `Changes how fast the backfill of run ${run.run} may go, within a second. The data stays right either way.`,
    fields: () => [
      {name: 'speed', label: 'Speed', kind: 'choice', value: 'stop', needed: true,
       options: ['stop', '0.1', '0.3', '0.5', '0.8', 'off', 'exempt'],
       words: {stop: 'stand still', 0.1: '10 %', 0.3: '30 %', 0.5: '50 %', 0.8: '80 %', off: 'as the plan says', exempt: 'no signal slows it'}},
      {name: 'for', label: 'For how long (10m, 2h; empty: until taken back)', kind: 'line'}, reason_field()],
    body: ({speed, ...rest}) => ({...(Number(speed) ? {ratio: Number(speed)} : {[speed]: true}), ...rest}),
    options: {speed: (speed) => (Number(speed) ? `--ratio ${speed}` : `--${speed}`), for: '--for'},
    always: true,
  },
  rollback: {
    word: 'Roll back …',
    page: (run) => `/runs/${run.run}/rollback`,
    options: {to: (to) => (to === 'last' || to === 'all' ? `--${to}` : `--to ${to}`)},
  },
  cancel: {
    word: 'Cancel',
    does: (run) => `Gives run ${run.run} up for good. The database stays as it is now: nothing is taken back. To undo, roll back instead.`,
    fields: (run) => [{name: 'confirm', label: `Name of the plan, to confirm: ${run.plan.name}`, kind: 'line', needed: true}, reason_field()],
    options: {confirm: '--confirm'},
    grave: true,
  },
};

// Empty answers are not sent: for the daemon they would be answers.
export function body_of(verb, values) {
  const said = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== '' && value !== false));
  return verbs[verb].body ? verbs[verb].body(said) : said;
}

const quoted = (text) => (/^[\w./@:%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

export function command_of(verb, run, values) {
  const words = [`runbookctl ${verb} ${run.run}`, verbs[verb].fixed ?? ''];
  const options = {phase: '--phase', reason: '--reason', ...verbs[verb].options};
  for (const [name, value] of Object.entries(values)) {
    if (value === true) {
      words.push(`--${name.replaceAll('_', '-')}`);
    } else if (value) {
      const option = options[name] ?? `--${name}`;
      words.push(typeof option === 'function' ? option(value) : `${option} ${quoted(value)}`.trim());
    }
  }
  words.push(actor() ? `--actor ${quoted(actor())}` : '');
  return words.filter((word) => word !== '').join(' ');
}
