// A verb asks once: what it will do, what it needs to know, and the same as a command. What was typed stays until the
// verb has been taken.
import {useEffect, useRef, useState} from './hooks.js';
import {send} from './api.js';
import {Command, html, ProblemBox} from './parts.js';
import {body_of, command_of, verbs} from './verbs.js';
import {look} from './words.js';

function Field({field, value, set}) {
  const id = `field-${field.name}`;
  const change = (event) => set(field.name, field.kind === 'check' ? event.target.checked : event.target.value);
  if (field.kind === 'check') {
    return html`<p><label class="check"><input type="checkbox" id=${id} checked=${value} onChange=${change} /> ${field.label}</label></p>`;
  }
  const input = {
    choice: () => html`<select id=${id} value=${value} required=${field.needed} onChange=${change}>
      ${field.value === '' && html`<option value="">choose</option>`}
      ${field.options.map((option) => html`<option value=${option}>${field.words?.[option] ?? option}</option>`)}</select>`,
    text: () => html`<textarea id=${id} rows="2" maxlength="4000" required=${field.needed} value=${value} onInput=${change}></textarea>`,
    line: () => html`<input type="text" id=${id} maxlength="200" required=${field.needed} value=${value} autocomplete="off" onInput=${change} />`,
  }[field.kind];
  return html`<p><label for=${id}>${field.label}</label>${input()}</p>`;
}

// Findings that stop a start may stand, each for a reason that is stored.
const to_acknowledge = (problem) =>
  problem?.told?.code === 'unacknowledged-findings' ? [...new Set((problem.told.errors ?? []).map((each) => each.rule))] : [];

function useVerb(run, verb, done) {
  const under_way = useRef(false);
  const [state, set] = useState({busy: false, problem: undefined});
  const go = async (values, reasons, revision) => {
    if (under_way.current) {
      return;
    }
    under_way.current = true;
    set((before) => ({...before, busy: true}));
    const acknowledge = Object.entries(reasons).map(([rule, reason]) => ({rule, reason}));
    try {
      const body = {...body_of(verb, values), ...(acknowledge.length > 0 ? {acknowledge} : {})};
      done(await send(run.run, verb, body, revision));
      set({busy: false, problem: undefined});
    } catch (problem) {
      set({busy: false, problem});
    }
    under_way.current = false;
  };
  return [state, go];
}

export function VerbDialog({run, verb, done, close}) {
  const known = verbs[verb];
  const dialog = useRef();
  const opened_by = useRef(document.activeElement);
  // what was asked for stays as it was when it was asked, whatever the run does meanwhile
  const [fields] = useState(() => known.fields(run));
  const [values, set_values] = useState(() => Object.fromEntries(fields.map((field) => [field.name, field.value ?? (field.kind === 'check' ? false : '')])));
  const [reasons, set_reasons] = useState({});
  const [seen, set_seen] = useState(run.revision);
  const [{busy, problem}, go] = useVerb(run, verb, (after) => {
    done(after);
    close();
  });
  const rules = to_acknowledge(problem);
  const stale = run.revision !== seen && !known.always;

  useEffect(() => {
    dialog.current.showModal();
    return () => opened_by.current?.focus?.();
  }, []);

  const submit = (event) => {
    event.preventDefault();
    go(values, reasons, known.always ? undefined : seen);
  };
  return html`<dialog ref=${dialog} aria-labelledby="dialog-title" onClose=${close}>
    <form onSubmit=${submit}>
      <h2 id="dialog-title">${known.word}: ${run.plan.name} on ${run.target}</h2>
      <p class="does">${known.does(run)}</p>
      <p class="facts">The run is ${look(run.state).word}: ${run.state_message}</p>
      ${fields.map((field) => html`<${Field} key=${field.name} field=${field} value=${values[field.name]}
        set=${(name, value) => set_values({...values, [name]: value})} />`)}
      ${rules.map((rule) => html`<p key=${rule}><label for=${`rule-${rule}`}>Why ${rule} may stand</label>
        <textarea id=${`rule-${rule}`} rows="2" required value=${reasons[rule] ?? ''}
          onInput=${(event) => set_reasons({...reasons, [rule]: event.target.value})}></textarea></p>`)}
      <${ProblemBox} problem=${problem} />
      ${stale && html`<p class="notice" role="status">The run has moved on since you opened this; it is now ${look(run.state).word}.
        <button type="button" onClick=${() => set_seen(run.revision)}>I have seen it</button></p>`}
      <${Command} text=${command_of(verb, run, values)} />
      <p class="choices">
        <button type="submit" class=${known.grave ? 'grave' : 'main'} disabled=${busy || stale}>${busy ? 'Sent …' : known.word}</button>
        <button type="button" onClick=${() => dialog.current.close()}>Leave it</button>
      </p>
    </form></dialog>`;
}
