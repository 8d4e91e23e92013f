// Keeps every file of the demo for use without a network; a new build has a new version and replaces the old one whole.
const VERSION = "context-inpaint-demo-@version@", FILES = @files@;

self.addEventListener("install", event => event.waitUntil((async () => {
  const cache = await caches.open(VERSION);
  await cache.addAll(FILES.map(file => new Request(file, {cache: "no-cache"})));
  await self.skipWaiting();
})()));

self.addEventListener("activate", event => event.waitUntil((async () => {
  for (const name of await caches.keys()) if (name.startsWith("context-inpaint-demo-") && name !== VERSION) await caches.delete(name);
  await self.clients.claim();
})()));

self.addEventListener("fetch", event => {
  if (event.request.method !== "GET" || !event.request.url.startsWith(self.registration.scope)) return;
  event.respondWith((async () => await (await caches.open(VERSION)).match(event.request, {ignoreSearch: true}) ?? fetch(event.request))());
});
