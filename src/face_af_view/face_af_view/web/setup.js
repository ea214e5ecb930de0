// Set-up: calibration by a tap, live parameters, the doctor, recording, devices, language.
import { $, el, get, perform, post, sure, toast } from './page.js';
import { language, t } from './texts.js';

const STATES = ['detected', 'tracked', 'active_focus'];

export function startSetup(app) {
  const { link } = app;
  let parameters = [];

  app.tasks.setup = () => { showNodes(); showDevices(); showReplay(); };
  let listed = '';
  app.tasks.status = ({ recording, nodes }) => {
    $('record').textContent = t(recording ? 'setup.stop' : 'setup.record');
    if (!$('setup').hidden && nodes.join() !== listed && document.activeElement !== $('node')) showNodes();
  };
  $('record').onclick = () => perform(link, 'record', { on: !app.status?.recording }, $('record'));

  // -- recordings, each on a page of its own
  let waiting = null;
  async function showReplay() {
    clearTimeout(waiting);
    const { recordings, playing } = await get('api/replay');
    const listed = recordings.map(({ name, mb }) => `${name} (${mb} MB)`);
    if ([...$('recordings').options].map((option) => option.text).join() !== listed.join()) {
      $('recordings').replaceChildren(...recordings.map(({ name }, n) => el('option', { value: name }, listed[n])));
    }
    $('replay').disabled = !recordings.length && !playing.name;
    $('replay').textContent = t(playing.name ? 'setup.replay_stop' : 'setup.replay');
    $('replay').dataset.on = playing.name || '';
    const address = new URL('/', location.href);
    address.port = playing.port || '';
    const open = el('a', { href: address.href, target: '_blank', rel: 'noopener' }, t('setup.replay_open', { name: playing.name }));
    $('replay-link').replaceChildren(playing.name ? (playing.ready ? open : t('setup.replay_starts')) : '');
    if (playing.name && !$('setup').hidden) waiting = setTimeout(() => showReplay().catch(() => {}), 1000);
  }
  $('replay').onclick = async () => {
    const answer = await post('api/replay', { name: $('replay').dataset.on ? '' : $('recordings').value });
    if (answer.status !== 200) toast(answer.message, { bad: true });
    showReplay();
  };

  $('calibrate').append(...STATES.map((state) => el('button', {
    onclick: () => {
      app.show('live');
      app.special({ act: 'calibrate', values: { state }, text: t(`calibrate.${state}`) });
    },
  }, t(`af.${state}`))));

  // -- parameters
  async function showNodes() {
    const nodes = (app.status?.nodes || []).filter((name) => !name.includes('/'));
    listed = (app.status?.nodes || []).join();
    const chosen = $('node').value || nodes[0];
    $('node').replaceChildren(...nodes.map((name) => el('option', { value: name }, name)));
    if (nodes.includes(chosen)) $('node').value = chosen;
    if (chosen) loadParameters();
  }
  async function loadParameters() {
    try {
      parameters = await get(`api/parameters?${new URLSearchParams({ node: $('node').value })}`);
    } catch (error) { parameters = []; toast(error.message, { bad: true }); }
    showParameters();
  }
  function showParameters() {
    const word = $('filter').value.toLowerCase();
    const shown = parameters.filter((one) => `${one.name} ${one.text}`.toLowerCase().includes(word));
    $('parameters').replaceChildren(...shown.map(parameterRow));
  }
  $('node').onchange = loadParameters;
  $('filter').oninput = showParameters;

  function parameterRow(one) {
    const id = `p-${one.name}`;
    const value = el('output', {}, one.kind === 'bool' ? '' : one.value);
    const input = control(one, id);
    input.disabled = one.fixed;
    input.oninput = () => { if (input.type === 'range') value.textContent = input.value; };
    input.onchange = async () => {
      const text = input.type === 'checkbox' ? String(input.checked) : input.value;
      const answer = await perform(link, 'set', { node: $('node').value, name: one.name, value: text });
      if (answer.ok) one.value = text;
      else if (input.type === 'checkbox') input.checked = one.value === 'true';
      else input.value = one.value;
      value.textContent = one.kind === 'bool' ? '' : one.value;
    };
    return el('div', { class: 'parameter' }, value, el('label', { for: id }, one.name), input, el('small', {}, one.text));
  }

  function control(one, id) {
    if (one.choices.length) {
      const options = one.choices.map((choice) => el('option', { value: choice, selected: choice === one.value ? '' : null }, choice));
      return el('select', { id }, ...options);
    }
    if (one.kind === 'bool') return el('input', { id, type: 'checkbox', checked: one.value === 'true' ? '' : null });
    const number = one.kind === 'double' || one.kind === 'integer';
    if (number && one.low !== null) {
      return el('input', { id, type: 'range', min: one.low, max: one.high, step: one.kind === 'integer' ? 1 : 'any', value: one.value });
    }
    return el('input', { id, type: 'text', value: one.value, inputmode: number ? 'decimal' : null });
  }

  // -- the doctor
  $('doctor').onclick = async () => {
    $('doctor').disabled = true;
    $('findings').replaceChildren(el('li', {}, t('setup.doctor_looks')));
    try {
      const findings = await get('api/doctor');
      $('findings').replaceChildren(...findings.map(({ status, subject, text, advice }) => el('li', {},
        `${{ ok: '✓', warn: '⚠', fail: '✗' }[String(status).toLowerCase()] || status} ${subject}: ${text}`,
        advice ? el('small', {}, ` → ${advice}`) : null)));
    } catch (error) { $('findings').replaceChildren(el('li', {}, error.message)); }
    $('doctor').disabled = false;
  };

  // -- devices
  async function showDevices() {
    const { devices, pin } = await get('api/devices');
    $('pin-again').textContent = pin ? t('setup.pin', { pin }) : t('setup.loopback');
    $('link').hidden = !pin;
    $('devices').replaceChildren(...devices.map((device) => el('li', {},
      `${device.name}${device.own ? ` (${t('setup.this')})` : ''}${device.role === 'view' ? ` – ${t('setup.viewer')}` : ''}`,
      el('button', {
        onclick: async () => {
          if (!await sure(t('setup.throw_out_sure', { name: device.name }))) return;
          if (device.own) { await post('api/leave', {}); location.reload(); } else await post('api/devices', { remove: device.id });
          showDevices();
        },
      }, t('setup.throw_out')))));
  }
  link.addEventListener('paired', ({ detail }) => { toast(t('setup.paired', { name: detail.name })); });
  $('link').onclick = async () => {
    const { url } = await post('api/link', {});
    $('link-url').textContent = url || '';
  };

  $('language').value = language();
  $('language').onchange = () => { localStorage.setItem('language', $('language').value); location.reload(); };
}
