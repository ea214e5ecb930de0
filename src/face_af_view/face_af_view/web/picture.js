// The live picture: frames as they come, with the boxes of the same frame on it, so that a tap hits what is shown.
const OLD_S = 1.0;
const SCENES = 16;
const STRANGE_S = 3600;   // a recording's stamps say nothing about its age here
const COLOURS = { target: '#3ddc68', known: '#f2f2f2', unknown: '#b4b4b4' };
const AF = { 1: '#9a9a9a', 2: '#ffffff', 3: '#3ddc68' };

export class Picture {
  constructor(canvas, link) {
    this.canvas = canvas;
    this.context = canvas.getContext('2d', { alpha: false });
    this.link = link;
    this.scenes = new Map();
    this.frame = null;
    this.shown = null;
    this.waiting = null;
    this.drawnFrames = 0;
    link.addEventListener('frame', ({ detail }) => this.#onFrame(detail));
    link.addEventListener('scene', ({ detail }) => this.#onScene(detail));
    link.addEventListener('lost', () => { this.waiting = null; });
    new ResizeObserver(() => this.#fit()).observe(canvas.parentElement);
  }

  // Seconds since what is shown was seen by the camera; null = nothing was shown yet.
  age() {
    if (!this.frame) return null;
    const shown = (performance.now() - this.frame.at) / 1000;
    const strange = !(this.frame.age > -5 && this.frame.age < STRANGE_S);
    return strange ? shown : Math.max(0, this.frame.age) + shown;
  }

  get stale() { const age = this.age(); return age === null || age > OLD_S; }

  // The face at a point of the screen, as it is drawn now; a finger is not a needle.
  faceAt(clientX, clientY) {
    const place = this.pointAt(clientX, clientY);
    if (!place) return null;
    const [x, y] = place;
    let best = null, nearest = Infinity;
    for (const face of this.shown?.faces || []) {
      const [left, top, width, height] = face.box;
      const reach = 0.3 * Math.max(width, height, 40);
      if (x < left - reach || x > left + width + reach || y < top - reach || y > top + height + reach) continue;
      const distance = Math.hypot(x - left - width / 2, y - top - height / 2) / Math.max(width, 1);
      if (distance < nearest) { nearest = distance; best = face; }
    }
    return best;
  }

  // A point of the screen in pixels of the camera's frame; null outside of it.
  pointAt(clientX, clientY) {
    if (!this.frame) return null;
    const rect = this.canvas.getBoundingClientRect();
    const x = (clientX - rect.left) / rect.width, y = (clientY - rect.top) / rect.height;
    if (x < 0 || y < 0 || x > 1 || y > 1) return null;
    return [x * this.frame.width, y * this.frame.height, x, y];
  }

  async #onFrame(buffer) {
    const head = new DataView(buffer);
    const frame = {
      number: head.getUint32(0, true), width: head.getUint16(4, true), height: head.getUint16(6, true),
      age: head.getFloat64(8, true), stamp: Number(head.getBigUint64(16, true)), at: performance.now(),
    };
    try {
      frame.bitmap = await createImageBitmap(new Blob([new Uint8Array(buffer, 24)], { type: 'image/jpeg' }));
    } catch { this.link.drawn(frame.number); return; }
    this.waiting = frame;
    requestAnimationFrame(() => {
      if (this.waiting !== frame) { frame.bitmap.close(); return; }
      this.waiting = null;
      this.frame?.bitmap.close();
      const turned = !this.frame || this.frame.width !== frame.width || this.frame.height !== frame.height;
      this.frame = frame;
      if (turned) this.#fit();
      this.shown = this.scenes.get(frame.stamp) || this.shown;
      this.#draw();
      this.drawnFrames += 1;
      this.link.drawn(frame.number);
      this.canvas.dispatchEvent(new Event('drawn'));
    });
  }

  #onScene(scene) {
    this.scenes.set(scene.stamp, scene);
    for (const stamp of this.scenes.keys()) {
      if (this.scenes.size <= SCENES) break;
      this.scenes.delete(stamp);
    }
    const late = this.frame && scene.stamp >= this.frame.stamp && (this.shown?.stamp ?? 0) < this.frame.stamp;
    if (late || (this.frame && scene.stamp === this.frame.stamp)) { this.shown = scene; this.#draw(); }
    this.canvas.dispatchEvent(new CustomEvent('scene', { detail: scene }));
  }

  #fit() {
    const { width, height } = this.frame || { width: 16, height: 9 };
    const room = this.canvas.parentElement;
    const side = matchMedia('(orientation: landscape) and (min-width: 640px)').matches;
    const high = side ? room.clientHeight : Math.max(120, innerHeight * 0.55);
    const scale = Math.min(room.clientWidth / width, high / height);
    const cssWidth = Math.max(1, Math.floor(width * scale)), cssHeight = Math.max(1, Math.floor(height * scale));
    const dense = Math.min(devicePixelRatio || 1, 2);
    this.canvas.style.width = `${cssWidth}px`;
    this.canvas.style.height = `${cssHeight}px`;
    this.canvas.width = Math.round(cssWidth * dense);
    this.canvas.height = Math.round(cssHeight * dense);
    this.dense = dense;
    this.link.view(this.canvas.width);
    this.#draw();
  }

  #draw() {
    if (!this.frame) return;
    const { context: c, canvas } = this;
    c.drawImage(this.frame.bitmap, 0, 0, canvas.width, canvas.height);
    const scale = canvas.width / this.frame.width;
    for (const { state, box } of this.shown?.boxes || []) this.#corners(box, AF[state] || AF[1], scale);
    for (const face of this.shown?.faces || []) this.#face(face, scale);
  }

  #corners([x, y, width, height], colour, scale) {
    const { context: c } = this;
    const arm = Math.min(width, height) * scale * 0.25;
    c.strokeStyle = colour;
    c.lineWidth = 2 * this.dense;
    c.beginPath();
    for (const [cx, cy, sx, sy] of [[x, y, 1, 1], [x + width, y, -1, 1], [x, y + height, 1, -1], [x + width, y + height, -1, -1]]) {
      c.moveTo(cx * scale + sx * arm, cy * scale);
      c.lineTo(cx * scale, cy * scale);
      c.lineTo(cx * scale, cy * scale + sy * arm);
    }
    c.stroke();
  }

  #face(face, scale) {
    const { context: c } = this;
    const kind = face.target ? 'target' : face.name ? 'known' : 'unknown';
    const [x, y, width, height] = face.box.map((v) => v * scale);
    c.strokeStyle = COLOURS[kind];
    c.lineWidth = (face.target ? 4 : 2) * this.dense;
    c.setLineDash(face.name || face.target ? [] : [6 * this.dense, 5 * this.dense]);
    c.strokeRect(x, y, width, height);
    c.setLineDash([]);
    const focus = this.shown.state?.focus === face.track ? ' ◉' : '';
    const label = (face.name || (face.target ? '' : '?')) + focus;
    if (!label) return;
    c.font = `600 ${15 * this.dense}px system-ui, sans-serif`;
    const pad = 4 * this.dense, high = 20 * this.dense, wide = c.measureText(label).width + 2 * pad;
    const left = Math.min(Math.max(0, x), this.canvas.width - wide);
    const top = y > high ? y - high : y + height;
    c.fillStyle = '#000b';
    c.fillRect(left, top, wide, high);
    c.fillStyle = COLOURS[kind];
    c.fillText(label, left + pad, top + high - 5 * this.dense);
  }
}
