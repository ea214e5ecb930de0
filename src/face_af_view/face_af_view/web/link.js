// The connection to the node: reconnects by itself, passes messages on, and matches answers to acts.
const RETRY_MS = [300, 600, 1200, 2500, 4000];
const SILENT_MS = 4000;

export class Link extends EventTarget {
  constructor() {
    super();
    this.tries = 0;
    this.acts = new Map();
    this.number = 0;
    this.heardAt = performance.now();
    this.connected = false;
    setInterval(() => this.#watch(), 1000);
    addEventListener('online', () => this.#reconnect());
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden && !this.connected) this.#reconnect();
      this.#sayView();
    });
    this.width = 960;
    this.#open();
  }

  // Asks for an act; resolves to the answer {ok, message, undo}.
  act(name, values = {}) {
    const id = ++this.number;
    if (!this.connected) return Promise.resolve({ ok: false, message: '', offline: true });
    return new Promise((resolve) => {
      this.acts.set(id, resolve);
      this.#send({ t: 'act', id, act: name, ...values });
    });
  }

  drawn(number) { this.#send({ t: 'drawn', n: number }); }

  // How many device pixels the picture is wide on this screen.
  view(width) {
    if (width && Math.abs(width - this.width) > 8) { this.width = width; this.#sayView(); }
  }

  #sayView() { this.#send({ t: 'view', width: Math.max(1, Math.round(this.width)), looking: !document.hidden }); }

  #send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  #open() {
    clearTimeout(this.timer);
    const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`);
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    socket.onopen = () => {
      this.tries = 0;
      this.connected = true;
      this.heardAt = performance.now();
      this.#sayView();
      this.#tell('connected');
    };
    socket.onmessage = ({ data }) => {
      this.heardAt = performance.now();
      if (typeof data !== 'string') { this.#tell('frame', data); return; }
      const message = JSON.parse(data);
      if (message.t === 'answer') {
        this.acts.get(message.id)?.(message);
        this.acts.delete(message.id);
      } else this.#tell(message.t, message);
    };
    socket.onclose = ({ code }) => {
      if (socket !== this.socket) return;
      this.connected = false;
      for (const resolve of this.acts.values()) resolve({ ok: false, message: '', offline: true });
      this.acts.clear();
      this.#tell('lost', code);
      this.timer = setTimeout(() => this.#open(), RETRY_MS[Math.min(this.tries++, RETRY_MS.length - 1)]);
    };
  }

  #reconnect() {
    this.tries = 0;
    const old = this.socket;
    this.#open();
    if (old) { old.onclose = null; old.close(); }
  }

  // A line that died without a word: the node says its status every second.
  #watch() {
    if (this.connected && performance.now() - this.heardAt > SILENT_MS && !document.hidden) {
      this.connected = false;
      this.#tell('lost', 0);
      this.#reconnect();
    }
  }

  #tell(kind, detail) { this.dispatchEvent(new CustomEvent(kind, { detail })); }
}
