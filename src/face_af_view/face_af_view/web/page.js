// Small things that every part of the page uses.
import { t } from './texts.js';

export const $ = (id) => document.getElementById(id);

// el('button', {class: 'x', onclick: f}, 'text', child …); texts are texts, never HTML.
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) element[key] = value;
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export async function get(path) {
  const response = await fetch(path);
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(body.message || response.statusText);
  return body;
}

export async function post(path, body) {
  const response = await fetch(path, { method: 'POST', body: JSON.stringify(body) });
  return { status: response.status, ...(await response.json().catch(() => ({}))) };
}

let toastTimer;
export function toast(text, { bad = false, undo = null } = {}) {
  $('toast-text').textContent = text;
  $('toast').dataset.mood = bad ? 'bad' : '';
  $('undo').hidden = !undo;
  $('undo').onclick = undo;
  $('toast').hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { $('toast').hidden = true; }, undo ? 10000 : 5000);
}

// Performs an act and says what came of it; the button shows that it is on its way.
export async function perform(link, name, values = {}, button = null) {
  button?.setAttribute('aria-busy', 'true');
  toast(t('sent'));
  const answer = await link.act(name, values);
  button?.removeAttribute('aria-busy');
  if (answer.offline) toast(t('offline'), { bad: true });
  else if (!answer.ok) toast(answer.message === 'view_only' ? t('view_only') : answer.message, { bad: true });
  else {
    const undo = answer.undo ? () => perform(link, 'undo', { of: answer.undo }) : null;
    toast(answer.message || t('done'), { undo });
  }
  return answer;
}

// Asks before what cannot be undone.
export function sure(text) {
  const dialog = $('ask');
  $('ask-text').textContent = text;
  return new Promise((resolve) => {
    const answer = (value) => { dialog.onclose = null; dialog.close(); resolve(value); };
    $('ask-yes').onclick = () => answer(true);
    $('ask-no').onclick = () => answer(false);
    dialog.onclose = () => resolve(false);
    dialog.showModal();
  });
}

export const faceImage = (query) => `api/face?${new URLSearchParams(query)}`;
export const percent = (value) => `${Math.round(value * 100)} %`;
