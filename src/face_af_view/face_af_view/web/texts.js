// Texts of the page: one file for each language.
const LANGUAGES = ['en', 'de'];
let texts = {}, english = {};

export function language() {
  const kept = localStorage.getItem('language');
  if (LANGUAGES.includes(kept)) return kept;
  return (navigator.languages || []).map((l) => l.slice(0, 2)).find((l) => LANGUAGES.includes(l)) || 'en';
}

export async function loadTexts() {
  const get = async (name) => (await fetch(`texts/${name}.json`)).json();
  [texts, english] = await Promise.all([get(language()), get('en')]);
  document.documentElement.lang = language();
  for (const element of document.querySelectorAll('[data-t]')) element.textContent = t(element.dataset.t);
  for (const element of document.querySelectorAll('[data-t-label]')) {
    element.setAttribute('aria-label', t(element.dataset.tLabel));
  }
}

// t('x.y', {name}) puts name where the text says {name}.
export function t(key, values = {}) {
  const text = texts[key] ?? english[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}
