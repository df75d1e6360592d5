/**
 * The console in a real browser: what its first load takes, and the list of alerts at a given rate. It leaves out the network, detection
 * and the store: the service runs on a log in memory, on the same machine as the browser.
 *
 * node --import ./test/harness/run-typescript.mjs bench/console.ts [alerts a second] [seconds]
 */
import { chromium } from 'playwright-core';
import { aService } from '../src/service/testing/a-service.js';
import { anAlert } from '../src/service/testing/an-alert.js';

const [rate, seconds] = [Number(process.argv[2] ?? 100), Number(process.argv[3] ?? 10)];
const { service, commitAlerts } = await aService();
await service.start();
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-dev-shm-usage'],
});
const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
await page.addInitScript(`
  window.frames_ = []; window.long_ = [];
  new PerformanceObserver((list) => { for (const entry of list.getEntries()) long_.push(entry.duration); }).observe({ type: 'longtask', buffered: true });
  let last = performance.now();
  const tick = (now) => { frames_.push(now - last); last = now; requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
`);
await page.goto(service.url());
await page.getByText('No alerts yet').waitFor();
const load = await page.evaluate<object>(`(() => {
  const files = performance.getEntriesByType('resource').filter(({ name }) => /\\.(js|css|svg)$/.test(name));
  const [page] = performance.getEntriesByType('navigation');
  const sum = (of) => files.reduce((total, file) => total + file[of], page[of]);
  return {
    files: files.length + 1,
    compressedBytes: sum('encodedBodySize'),
    bytes: sum('decodedBodySize'),
    firstPaintMs: Math.round(performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0),
    loadedMs: Math.round(page.loadEventEnd),
  };
})()`);

await page.evaluate('frames_.length = 0; long_.length = 0');
let sent = 0;
const began = performance.now();
while (sent < rate * seconds) {
  const due = Math.min(rate * seconds, Math.floor(((performance.now() - began) / 1000) * rate));
  const alerts = Array.from({ length: due - sent }, (_, n) =>
    anAlert({ id: (sent + n).toString(16).padStart(32, '0'), key: `acc-${sent + n}`, detectedAt: Date.now() }),
  );
  if (alerts.length > 0) await commitAlerts(...alerts);
  sent = due;
  await new Promise((resolve) => setTimeout(resolve, 10));
}
await page.getByText(`${Math.min(5000, sent).toLocaleString('en')} loaded`).waitFor();
const feed = await page.evaluate<object>(`(() => {
  const frames = [...frames_].sort((a, b) => a - b);
  const at = (share) => Math.round(frames[Math.floor(frames.length * share)] * 10) / 10;
  return {
    frames: frames.length,
    frameMs: { median: at(0.5), p99: at(0.99), longest: at(0.9999) },
    longTasks: long_.length,
    longestTaskMs: Math.round(Math.max(0, ...long_)),
    rowsLaidOut: document.querySelectorAll('.feed-row').length,
  };
})()`);
process.stdout.write(`${JSON.stringify({ load, rate, seconds, sent, feed }, null, 2)}\n`);
await browser.close();
await service.stop();
process.exit(0);
