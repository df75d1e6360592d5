import { idsText } from './texts.js';
/**
 * Cases of the conformance corpus as streams: watermarks, and events in order of time as the watermarks release them. Cases
 * with several keys are left out.
 */
export function streamOf(c) {
  const mode = c.time?.mode ?? 'inOrder';
  const feeds = [];
  let waiting = [];
  let watermark = Number.NEGATIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  const advance = (to) => {
    if (to <= watermark) return;
    watermark = to;
    const due = waiting.filter((e) => e.ts <= to).sort((a, b) => a.ts - b.ts || inSameTime(c, a, b));
    waiting = waiting.filter((e) => e.ts > to);
    for (const e of due) feeds.push({ time: e.ts, event: { time: e.ts, seq: feeds.length, kind: e.kind, fields: e } });
    feeds.push({ time: to });
  };
  c.events.forEach((event, i) => {
    if (event.ts > watermark) waiting.push(event);
    highest = Math.max(highest, event.ts);
    if (mode === 'inOrder' && c.events[i + 1] !== undefined && c.events[i + 1].ts !== event.ts) advance(event.ts);
    if (mode === 'inOrder' && c.events[i + 1] === undefined && c.time?.finalWatermark === null) advance(event.ts);
    if (mode === 'boundedOutOfOrderness') advance(highest - c.time.ms - 1);
    for (const w of c.time?.watermarks ?? []) if (w.after === event.id) advance(w.ts);
  });
  const last = c.time?.finalWatermark === undefined ? Number.MAX_SAFE_INTEGER : c.time.finalWatermark;
  if (last !== null) advance(last);
  return feeds;
}
function inSameTime(c, a, b) {
  const field = c.time?.sameTimestampOrder?.field;
  if (field === undefined) return 0;
  const [x, y] = [a[field], b[field]];
  return x < y ? -1 : x > y ? 1 : 0;
}
/** How the corpus names a moment. */
export function corpusAt(stream, moment) {
  const feed = stream[moment >> 1];
  if (feed === undefined) return '';
  return moment % 2 === 0 ? `watermark:${feed.time}` : String(feed.event.fields.id);
}
/** What Flink gave, in the form of `resultTexts`. */
export function expectedTexts(c) {
  const { matches, timeouts, error } = c.expected;
  const text = (m) => idsText(Object.entries(m.events));
  return [
    ...matches.filter((m) => m.at !== error?.at).map((m) => `${m.at} ${text(m)}`),
    ...timeouts.filter((t) => t.at !== error?.at).map((t) => `${t.at} timeout ${t.ts} ${text(t)}`),
    ...(error ? [`${error.at} error`] : []),
  ].sort();
}
