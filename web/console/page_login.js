// For whoever the daemon does not know. The token goes there once and comes back as a cookie that no script can read.
import {useState} from './hooks.js';
import {log_in} from './api.js';
import {html, Page, ProblemBox} from './parts.js';

export function Login() {
  const [token, set_token] = useState('');
  const [{busy, problem}, set] = useState({busy: false});
  const submit = async (event) => {
    event.preventDefault();
    set({busy: true});
    try {
      await log_in(token.trim());
      location.reload();
    } catch (refusal) {
      set({busy: false, problem: refusal});
    }
  };
  return html`<${Page} title="Log in">
    <h1>Log in</h1>
    <p>This daemon serves those whom it knows. An admin makes your token with <code>runbookctl token create</code>; on the
      daemon's own machine <code>runbookd token create --principal NAME --role admin</code> makes the first.</p>
    <form class="login" onSubmit=${submit}>
      <p><label for="token">Token</label><input type="password" id="token" required autocomplete="off" spellcheck="false"
        placeholder="rbd_…" value=${token} onInput=${(event) => set_token(event.target.value)} /></p>
      <p><button type="submit" class="main" disabled=${busy}>Log in</button></p>
    </form>
    <${ProblemBox} problem=${problem} />
  </${Page}>`;
}
