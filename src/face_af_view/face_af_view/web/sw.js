// Keeps the page's own files, so that it opens at once; asks the node first, which may have newer ones.
const CACHE = 'face_af-1';
const FILES = ['./', 'style.css', 'main.js', 'page.js', 'texts.js', 'link.js', 'picture.js', 'timeline.js', 'awake.js',
  'live.js', 'people.js', 'setup.js', 'app.webmanifest', 'icon.svg', 'texts/en.json', 'texts/de.json'];

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)).then(() => self.skipWaiting()));
});
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('fetch', (event) => {
  const path = new URL(event.request.url).pathname;
  if (event.request.method !== 'GET' || path.startsWith('/api/') || path === '/ws') return;
  event.respondWith(fetch(event.request).catch(() => caches.match(event.request, { ignoreSearch: true })));
});
