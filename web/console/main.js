// Which page the address asks for.
import {render} from './preact.js';
import {me} from './api.js';
import {html, Page} from './parts.js';
import {Login} from './page_login.js';
import {Overview} from './page_overview.js';
import {History} from './page_history.js';
import {Audit} from './page_audit.js';
import {Plans} from './page_plans.js';
import {PlanPage} from './page_plan.js';
import {RunPage} from './page_run.js';
import {RollbackPage} from './page_rollback.js';

const [kind, id, part] = location.pathname.split('/').slice(1);

function page() {
  if (!me) {
    return html`<${Login} />`;
  }
  if (kind === 'runs') {
    return part === 'rollback' ? html`<${RollbackPage} id=${id} />` : html`<${RunPage} id=${id} />`;
  }
  if (kind === 'plans') {
    return id ? html`<${PlanPage} digest=${id} />` : html`<${Plans} />`;
  }
  if (kind === 'audit') {
    return html`<${Audit} />`;
  }
  return kind === 'history' ? html`<${History} />` : html`<${Overview} />`;
}

const place = document.getElementById('page');
place.replaceChildren();
render(page(), place);
