// Keeps the screen on: by the wake lock where the connection is trusted, else by a tiny video that plays.
let lock = null, video = null;

export function keepAwake() {
  const ask = async () => {
    if (document.hidden) return;
    try { lock = await navigator.wakeLock.request('screen'); } catch { playVideo(); }
  };
  document.addEventListener('visibilitychange', ask);
  // browsers start neither before the first touch
  document.addEventListener('pointerup', () => { if (!lock || lock.released) ask(); });
  ask();
}

function playVideo() {
  if (!video) {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 2;
    const context = canvas.getContext('2d');
    setInterval(() => context.fillRect(0, 0, 2, 2), 1000);
    video = document.createElement('video');
    Object.assign(video, { muted: true, loop: true, playsInline: true, srcObject: canvas.captureStream(1) });
  }
  video.play().catch(() => {});
}
