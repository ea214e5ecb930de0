// The last minute: what steering did, when it pressed, and where nothing was known.
const SPAN_MS = 60000;
const COLOURS = ['#48484c', '#5a5a5e', '#12648a', '#2a8fc0', '#2a8fc0', '#3ddc68', '#ffb340', '#ff6961'];

export class Timeline {
  constructor(canvas) {
    this.canvas = canvas;
    this.entries = [];
    this.presses = [];
    this.count = null;
    setInterval(() => this.draw(), 500);
  }

  add(state) {
    const now = performance.now();
    const last = this.entries.at(-1);
    if (last && last.state === state.state && now - last.to < 1500) last.to = now;
    else this.entries.push({ state: state.state, from: now, to: now });
    if (this.count !== null && state.presses > this.count) this.presses.push(now);
    this.count = state.presses;
  }

  draw() {
    const now = performance.now(), canvas = this.canvas, dense = devicePixelRatio || 1;
    if (!canvas.clientWidth) return;
    this.entries = this.entries.filter((entry) => now - entry.to < SPAN_MS);
    this.presses = this.presses.filter((at) => now - at < SPAN_MS);
    canvas.width = canvas.clientWidth * dense;
    canvas.height = canvas.clientHeight * dense;
    const c = canvas.getContext('2d');
    const place = (at) => canvas.width * (1 - (now - at) / SPAN_MS);
    c.fillStyle = '#0e0e10';
    c.fillRect(0, 0, canvas.width, canvas.height);
    for (const { state, from, to } of this.entries) {
      c.fillStyle = COLOURS[state] || COLOURS[0];
      c.fillRect(place(from), canvas.height * 0.35, Math.max(1, place(to) - place(from)), canvas.height * 0.65);
    }
    c.fillStyle = '#ffffff';
    for (const at of this.presses) c.fillRect(place(at), 0, 2 * dense, canvas.height * 0.35);
  }
}
