// The people pages: who is enrolled, with which faces; photographs from this device.
import { $, el, faceImage, get, percent, perform, sure } from './page.js';
import { t } from './texts.js';

export function startPeople(app) {
  const { link } = app;
  let open = '';

  app.tasks.people = async () => { await app.loadPeople(); if (open) showPerson(open); };
  app.tasks.peopleChanged = (people) => {
    $('people-list').replaceChildren(...people.map((person) => el('button', {
      class: 'card', onclick: () => showPerson(person.name),
    }, image({ name: person.name, of: person.samples }), person.name,
    el('small', {}, t('people.samples', { n: person.samples })), alike(person))));
    if (!people.length) $('people-list').replaceChildren(el('p', {}, t('people.nobody')));
  };

  function image(query) {
    return el('img', { src: faceImage(query), alt: '', loading: 'lazy' });
  }

  function alike({ nearest, alike: value, threshold }) {
    if (!nearest) return null;
    const warn = threshold && value >= threshold ? '⚠ ' : '';
    return el('small', {}, warn + t('people.like', { name: nearest, alike: percent(value) }));
  }

  async function showPerson(name) {
    open = name;
    const [person] = await get(`api/people?${new URLSearchParams({ name })}`).catch(() => []);
    $('person').hidden = !person;
    if (!person) { open = ''; return; }
    $('person-name').textContent = name;
    $('person-facts').textContent = t('people.facts', { n: person.samples, not: person.negatives });
    $('person-remove').textContent = t('people.remove', { name });
    $('person-remove').onclick = async () => {
      if (!await sure(t('people.remove_sure', { name }))) return;
      await perform(link, 'remove_person', { name });
      open = '';
      app.tasks.people();
      $('person').hidden = true;
    };
    $('samples').replaceChildren(...person.faces.map((face) => el('div', { class: 'card' },
      image({ name, sample: face.id }),
      face.negative ? el('small', {}, t('people.negative')) : null,
      el('small', {}, t('people.quality', { q: percent(face.quality) })), alike(face),
      el('button', {
        'aria-label': t('people.remove_sample', { name }),
        onclick: async () => {
          if (!await sure(t('people.sample_sure'))) return;
          await perform(link, 'remove_sample', { name, sample: face.id });
          app.tasks.people();
        },
      }, t('people.remove_face')))));
    $('add-name').value = name;
    $('person').scrollIntoView({ block: 'start' });
  }

  $('add-form').onsubmit = (event) => event.preventDefault();
  for (const input of [$('add-files'), $('add-camera')]) {
    input.onchange = async () => {
      const files = [...input.files];
      input.value = '';
      const name = $('add-name').value.trim();
      if (!name) { $('add-name').focus(); $('add-name').reportValidity(); return; }
      for (const file of files) await preview(file, name);
    };
  }

  async function send(file, name, query = {}) {
    const response = await fetch(`api/photo?${new URLSearchParams({ name, ...query })}`, { method: 'POST', body: file })
      .catch(() => null);
    return response ? response.json().catch(() => ({ message: response.statusText })) : { message: t('offline') };
  }

  // The face as it would be kept is shown before anything is saved.
  async function preview(file, name) {
    const card = el('div', { class: 'card' }, el('small', {}, t('people.looking', { file: file.name })));
    $('added').prepend(card);
    const said = await send(file, name, { preview: 1 });
    if (!said.ok) { card.replaceChildren(el('small', {}, `${file.name}: ${said.message}`)); return; }
    const facts = [
      el('img', { src: `data:image/jpeg;base64,${said.chip}`, alt: '' }),
      el('small', {}, t('people.quality', { q: percent(said.quality) })), alike(said),
      said.message ? el('small', {}, `⚠ ${said.message}`) : null,
    ];
    const save = el('button', {
      onclick: async () => {
        save.disabled = true;
        const saved = await send(file, name);
        card.replaceChildren(...facts.filter(Boolean), el('small', {}, saved.ok ? t('people.saved', { name }) : saved.message));
        app.tasks.people();
      },
    }, t('people.save', { name }));
    card.replaceChildren(...facts.filter(Boolean), save, el('button', { onclick: () => card.remove() }, t('cancel')));
  }
}
