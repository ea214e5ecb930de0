// The live page: what is seen, who has the focus, and everything that is one tap away.
import { $, el, faceImage, get, percent, perform, toast } from './page.js';
import { Picture } from './picture.js';
import { t } from './texts.js';
import { Timeline } from './timeline.js';

const MOODS = ['stop', 'stop', 'work', 'work', 'work', 'go', 'stop', 'stop'];
const BUTTONS = { left: '◀', up: '▲', down: '▼', right: '▶', fn1: 'FN1', fn2: 'FN2' };

export function startLive(app) {
  const { link } = app;
  const picture = new Picture($('picture'), link);
  const timeline = new Timeline($('timeline'));
  app.picture = picture;
  window.faceAf = { picture, link };   // for measurements and tests
  let scene = {}, status = {}, glass = [];
  let afArea = false, special = null;

  link.addEventListener('status', ({ detail }) => { status = detail; showStatus(); });
  link.addEventListener('done', ({ detail }) => {
    if (!$('toast').hidden) return;
    toast(`${detail.by || t('somebody')}: ${detail.message}`);
  });
  link.addEventListener('connected', () => { if (app.mayAct) { loadPeople(); loadRecipes(); loadMode(); } });
  $('picture').addEventListener('scene', ({ detail }) => {
    scene = detail;
    if (scene.state) timeline.add(scene.state);
    showState();
  });
  $('picture').addEventListener('drawn', () => {
    glass.push(performance.now());
    if (glass.length > 40) glass.shift();
  });
  setInterval(showFreshness, 200);
  setInterval(showFaces, 300);

  function showFreshness() {
    const stale = picture.stale || !link.connected;
    document.body.classList.toggle('stale', stale);
    $('stale').hidden = !stale;
    if (!stale) return;
    const age = picture.age();
    const s = age === null ? '' : age < 10 ? age.toFixed(1) : Math.round(age);
    const text = !link.connected ? t('live.no_connection', { s: s || '–' })
      : age === null ? t('live.no_frame') : t('live.old', { s });
    if ($('stale').textContent !== text) $('stale').textContent = text;
  }

  function showState() {
    const { state, faces } = scene;
    const chip = $('state');
    chip.textContent = state ? t(`state.${state.paused ? 'paused' : state.state}`) : t('state.none');
    chip.dataset.mood = state ? (state.paused ? 'stop' : MOODS[state.state]) : '';
    const target = (faces || []).find((face) => face.target);
    const named = status.followed ? t('live.followed') : state?.target || status.target || t('live.nobody');
    $('who').textContent = target ? `${named} ${percent(target.alike)}` : named;
    $('reason').textContent = state?.reason || '';
    $('pause').dataset.paused = Boolean(state?.paused);
    $('pause').textContent = t(state?.paused ? 'resume' : 'pause');
    $('not-this').disabled = !target?.name;
    $('recipe-next').textContent = state?.next ? t('live.next', { next: state.next }) : '';
    if (document.activeElement !== $('recipe')) $('recipe').value = state?.recipe || '';
  }

  function showStatus() {
    const { camera, warnings = [], fps } = status;
    const seconds = glass.length > 1 ? (glass.at(-1) - glass[0]) / 1000 : 0;
    const shown = seconds && performance.now() - glass.at(-1) < 2000 ? (glass.length - 1) / seconds : 0;
    const facts = [
      camera ? (camera.dry_run ? t('camera.dry_run') : camera.connected ? camera.model || t('camera.on') : t('camera.off')) : t('camera.none'),
      t('live.presses', { n: scene.state?.presses ?? 0 }),
      `${fps} fps`,
      t('live.shown', { fps: shown.toFixed(0) }),
      scene.state ? `${Math.round(scene.state.latency)} ms` : null,
      status.recording ? `● ${t('live.recording')}` : null,
    ];
    $('facts').textContent = facts.filter(Boolean).join(' · ');
    const lines = warnings.map((warning) => `⚠ ${warning.node}: ${warning.text}`);
    $('warnings').hidden = !lines.length;
    const open = $('warnings').getAttribute('aria-expanded') === 'true';
    const text = open ? lines.join('\n') : (lines.length > 1 ? `(${lines.length}) ` : '') + (lines[0] || '');
    if ($('warnings').textContent !== text) $('warnings').textContent = text;
    app.status = status;
    app.tasks.status?.(status);
  }
  $('warnings').onclick = () => {
    const open = $('warnings').getAttribute('aria-expanded') === 'true';
    $('warnings').setAttribute('aria-expanded', String(!open));
    showStatus();
  };

  // A face in the picture, by finger; the same faces as buttons below, for keys and for what moves too fast.
  // What was under the finger when it came down counts: by the click the face may have moved on.
  let aimed = null;
  $('picture').addEventListener('pointerdown', (event) => {
    aimed = picture.stale ? null : {
      face: picture.faceAt(event.clientX, event.clientY), place: picture.pointAt(event.clientX, event.clientY),
    };
  });
  $('picture').addEventListener('click', () => {
    if (!app.mayAct) return;
    if (!aimed) {
      if (picture.stale) toast(t('live.old_tap'), { bad: true });
      return;
    }
    const { face, place } = aimed;
    aimed = null;
    if (special && place) {
      const act = special;
      app.special(null);
      perform(link, act.act, { x: place[2], y: place[3], ...act.values });
      return;
    }
    if (face) choose(face);
    else if (afArea && place) perform(link, 'focus', { x: place[2], y: place[3] });
  });

  function choose(face) {
    if (face.name) perform(link, 'target', { name: face.name });
    else sheet(face);
  }

  let listed = '';
  function showFaces() {
    const faces = (scene.faces || []).slice().sort((a, b) => a.box[0] - b.box[0]);
    const now = JSON.stringify(faces.map((face) => [face.track, face.name, face.target]));
    if (now === listed || $('faces').contains(document.activeElement)) return;
    listed = now;
    $('faces').replaceChildren(...faces.map((face) => el('li', {}, el('button', {
      class: face.target ? 'on' : '', 'data-track': face.track, onclick: () => sheet(face),
    }, face.name || t('live.unknown', { track: face.track })))));
  }

  function sheet(face) {
    if (!app.mayAct) return;
    const dialog = $('sheet');
    $('sheet-title').textContent = face.name || t('live.unknown', { track: face.track });
    $('sheet-chip').src = faceImage({ track: face.track });
    $('sheet-chip').hidden = false;
    $('sheet-chip').onerror = () => { $('sheet-chip').hidden = true; };
    $('sheet-text').textContent = face.name ? percent(face.alike) : t('sheet.unknown');
    $('sheet-target').hidden = !face.name;
    $('sheet-target').textContent = t('sheet.target', { name: face.name });
    $('sheet-not').hidden = !face.name;
    $('sheet-not').textContent = t('sheet.not', { name: face.name });
    $('sheet-name').value = face.name;
    const done = (act, values) => () => { dialog.close(); perform(link, act, values).then(loadPeople); };
    $('sheet-target').onclick = done('target', { name: face.name });
    $('sheet-follow').onclick = done('follow', { track: face.track });
    $('sheet-not').onclick = done('not_this', { name: face.name, track: face.track });
    $('sheet-close').onclick = () => dialog.close();
    $('sheet-form').onsubmit = (event) => {
      event.preventDefault();
      const name = $('sheet-name').value.trim();
      if (name) done('enrol', { name, track: face.track })();
    };
    dialog.showModal();
  }

  $('pause').onclick = () => perform(link, scene.state?.paused ? 'resume' : 'pause', {}, $('pause'));
  $('not-this').onclick = () => {
    const target = (scene.faces || []).find((face) => face.target && face.name);
    if (target) perform(link, 'not_this', { name: target.name, track: target.track }, $('not-this'));
  };
  $('hand-buttons').append(...Object.entries(BUTTONS).map(([button, sign]) => el('button', {
    'aria-label': t(`button.${button}`), onclick: (event) => perform(link, 'press', { button }, event.currentTarget),
  }, sign)));
  $('recipe').onchange = () => perform(link, 'recipe', { name: $('recipe').value });

  async function loadPeople() {
    const people = await get('api/people').catch(() => []);
    const names = people.filter((person) => person.samples);
    $('people-strip').replaceChildren(
      ...names.map(({ name, samples }) => el('li', {}, el('button', {
        'data-name': name, onclick: (event) => perform(link, 'target', { name }, event.currentTarget),
      }, el('img', { src: faceImage({ name, of: samples }), alt: '', loading: 'lazy' }), name))),
      el('li', {}, el('button', { 'data-name': '', onclick: () => perform(link, 'nobody') }, t('live.nobody'))),
    );
    $('known').replaceChildren(...people.map(({ name }) => el('option', { value: name })));
    app.tasks.peopleChanged?.(people);
  }
  app.loadPeople = loadPeople;
  setInterval(() => {
    for (const button of $('people-strip').querySelectorAll('button')) {
      button.className = !status.followed && button.dataset.name === (status.target ?? '') ? 'on' : '';
    }
  }, 300);

  async function loadRecipes() {
    const list = await get('api/recipes').catch(() => []);
    const options = list.map(({ name, description }) => el('option', { value: name, title: description }, name));
    $('recipe').replaceChildren(el('option', { value: '' }, t('live.no_recipe')), ...options);
  }

  async function loadMode() {
    const { mode } = await get('api/mode').catch(() => ({}));
    afArea = mode === 'af_area';
  }

  // The next tap on the picture means something else: {act, values, text}; null ends it.
  app.special = (what) => {
    special = what;
    $('mode').hidden = !what;
    $('mode-text').textContent = what?.text || '';
  };
  $('mode-end').onclick = () => app.special(null);
  app.tasks.live = () => { loadMode(); loadPeople(); };
}
