import { keepAwake } from './awake.js';
import { Link } from './link.js';
import { startLive } from './live.js';
import { startPeople } from './people.js';
import { $, get, post } from './page.js';
import { startSetup } from './setup.js';
import { loadTexts, t } from './texts.js';

const VERSION = 1;

async function start() {
  await loadTexts();
  const secrets = new URLSearchParams(location.hash.slice(1));
  history.replaceState(null, '', location.pathname);
  const secret = secrets.has('view') ? { link: secrets.get('view') } : { pin: secrets.get('pin') };
  let session = await ask();
  if (!session.role && (secret.link || secret.pin)) {
    await pair(secret);
    session = await ask();
  }
  if (session.role) startApp(session); else askPin();
}

// Who this device is; without a connection what it was before, so that an installed page opens and waits.
async function ask() {
  try {
    const session = await get('api/session');
    localStorage.setItem('role', session.role);
    return session;
  } catch { return { role: localStorage.getItem('role') || '' }; }
}

async function pair(secret) {
  const answer = await post('api/pair', { ...secret, name: deviceName() });
  if (answer.status === 200) return '';
  return answer.status === 429 ? t('pair.wait', { s: answer.wait_s }) : t('pair.wrong');
}

function deviceName() {
  const agent = navigator.userAgent;
  const device = /iPhone|iPad|Android|Windows|Macintosh|Linux/.exec(agent)?.[0] || 'device';
  const browser = /Firefox|Edg|Chrome|Safari/.exec(agent)?.[0] || '';
  return `${device} ${browser}`.trim();
}

function askPin() {
  $('pair').hidden = false;
  $('pin').focus();
  $('pair-form').onsubmit = async (event) => {
    event.preventDefault();
    const problem = await pair({ pin: $('pin').value.trim() });
    if (!problem) { location.reload(); return; }
    $('pair-error').textContent = problem;
    $('pin').value = '';
    $('pin').focus();
  };
}

function startApp(session) {
  $('app').hidden = false;
  document.body.classList.toggle('viewer', session.role === 'view');
  const link = new Link();
  const mayAct = session.role !== 'view';
  const app = { link, mayAct, tasks: {} };
  startLive(app);
  if (mayAct) { startPeople(app); startSetup(app); }
  for (const button of document.querySelectorAll('#tabs button')) button.onclick = () => show(button.dataset.tab, app);
  app.show = (tab) => show(tab, app);
  link.addEventListener('welcome', ({ detail }) => { if (detail.version !== VERSION) reloadOnce(); });
  link.addEventListener('lost', async ({ detail }) => {
    // thrown out, or the node was started anew and does not know this device
    if (detail === 4001 || detail === 1006) {
      const now = await get('api/session').catch(() => session);
      if (!now.role) location.reload();
    }
  });
  keepAwake();
  if ('serviceWorker' in navigator) navigator.serviceWorker.register('sw.js').catch(() => {});
}

function reloadOnce() {
  if (sessionStorage.getItem('reloaded')) return;
  sessionStorage.setItem('reloaded', '1');
  location.reload();
}

function show(tab, app) {
  for (const main of document.querySelectorAll('#app > main')) main.hidden = main.id !== tab;
  for (const button of document.querySelectorAll('#tabs button')) {
    if (button.dataset.tab === tab) button.setAttribute('aria-current', 'page');
    else button.removeAttribute('aria-current');
  }
  app.tasks[tab]?.();
}

start();
