import { escaped } from './html.js';

/** Charts as inline SVG, drawn by hand: a report must read without a network, and needs no more than these. */

export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [number, number])[];
  /** Steps between points instead of straight lines. */
  readonly steps?: boolean;
}

/** A point that is told apart, with words beside it. */
export interface Mark {
  readonly at: readonly [number, number];
  readonly text: string;
}

export interface LineChart {
  readonly x: string;
  readonly y: string;
  readonly series: readonly Series[];
  readonly marks?: readonly Mark[];
  /** Bounds of the axes; absent: those of the points. */
  readonly unit?: boolean;
}

const WIDTH = 560;
const HEIGHT = 300;
const LEFT = 62;
const RIGHT = 16;
const TOP = 26;
const BOTTOM = 42;
const TICKS = 5;

interface Scale {
  readonly low: number;
  readonly high: number;
  at(value: number): number;
}

export function lineChart({ x, y, series, marks = [], unit = false }: LineChart): string {
  const all = [...series.flatMap((one) => one.points), ...marks.map((mark) => mark.at)];
  if (all.length === 0) return '';
  const across = scale(
    all.map(([value]) => value),
    LEFT,
    WIDTH - RIGHT,
    unit,
  );
  const up = scale([...all.map(([, value]) => value), 0], HEIGHT - BOTTOM, TOP, unit);
  const lines = series.map((one, index) => `<path class="s${index}" d="${pathOf(one, across, up)}"/>`);
  const dots = together(marks).map(({ at: [a, b], text }) => {
    const [left, top] = [across.at(a), up.at(b)];
    const isRight = left > WIDTH * 0.6;
    const anchor = isRight ? 'end' : 'start';
    return `<circle cx="${n(left)}" cy="${n(top)}" r="4.5"/><text x="${n(left + (isRight ? -8 : 8))}" y="${n(top - 7)}" text-anchor="${anchor}">${escaped(text)}</text>`;
  });
  const legend =
    series.length < 2
      ? ''
      : `<div class="legend">${series.map((one, index) => `<span class="s${index}">${escaped(one.name)}</span>`).join('')}</div>`;
  return `<figure>${svg(`${axes(across, up, x, y)}${lines.join('')}${dots.join('')}`, `${y} by ${x}`)}${legend}</figure>`;
}

/** Marks at one point share their words. */
function together(marks: readonly Mark[]): Mark[] {
  const places = new Map<string, Mark>();
  for (const mark of marks) {
    const place = mark.at.join(' ');
    const before = places.get(place);
    places.set(place, before === undefined ? mark : { at: mark.at, text: `${before.text}; ${mark.text}` });
  }
  return [...places.values()];
}

export interface Bars {
  readonly y: string;
  /** The part that is told apart stands at the bottom. */
  readonly bars: readonly { readonly label: string; readonly value: number; readonly part: number }[];
  /** What the part is, and the rest; `null`: there is no part. */
  readonly parts: readonly [string, string] | null;
  readonly line?: { readonly value: number; readonly text: string };
}

export function barChart({ y, bars, parts, line }: Bars): string {
  if (bars.length === 0) return '';
  const up = scale([0, ...bars.map((one) => one.value), line?.value ?? 0], HEIGHT - BOTTOM, TOP, false);
  const width = (WIDTH - LEFT - RIGHT) / bars.length;
  const rects = bars.map(({ label, value, part }, index) => {
    const left = LEFT + index * width;
    const rect = (from: number, to: number, kind: string): string =>
      `<rect class="${kind}" x="${n(left + 0.1 * width)}" y="${n(up.at(to))}" width="${n(0.8 * width)}" height="${n(Math.max(0, up.at(from) - up.at(to)))}"/>`;
    const told = parts === null ? '' : `, ${part} ${escaped(parts[0])}`;
    const both = parts === null ? rect(0, value, 'all') : `${rect(0, part, 'right')}${rect(part, value, 'wrong')}`;
    return `<g><title>${escaped(label)}: ${value}${told}</title>${both}</g>`;
  });
  const every = Math.max(1, Math.ceil(bars.length / 6));
  const labels = bars.map(({ label }, index) =>
    index % every === 0
      ? `<text x="${n(LEFT + (index + 0.5) * width)}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${escaped(label)}</text>`
      : '',
  );
  const limit =
    line === undefined
      ? ''
      : `<path class="limit" d="M${LEFT} ${n(up.at(line.value))}H${WIDTH - RIGHT}"/><text x="${WIDTH - RIGHT}" y="${n(up.at(line.value) - 5)}" text-anchor="end">${escaped(line.text)}</text>`;
  const legend =
    parts === null
      ? ''
      : `<div class="legend"><span class="right">${escaped(parts[0])}</span><span class="wrong">${escaped(parts[1])}</span></div>`;
  return `<figure>${svg(`${leftAxis(up, y)}${rects.join('')}${labels.join('')}${limit}`, y)}${legend}</figure>`;
}

/** Events on a line of time. */
export function timeLine(
  events: readonly { readonly time: number; readonly text: string; readonly lane: number }[],
): string {
  const lanes = 1 + Math.max(...events.map((event) => event.lane));
  const height = 22 + 18 * lanes;
  const across = scale(
    events.map((event) => event.time),
    10,
    WIDTH - 10,
    false,
    false,
  );
  const dots = events.map(
    ({ time, text, lane }) =>
      `<g><title>${escaped(text)}</title><circle class="s${lane}" cx="${n(across.at(time))}" cy="${14 + 18 * lane}" r="5"/></g>`,
  );
  const rules = Array.from(
    { length: lanes },
    (_, lane) => `<path class="axis" d="M10 ${14 + 18 * lane}H${WIDTH - 10}"/>`,
  );
  return `<svg class="time" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="the events of the alert in time">${rules.join('')}${dots.join('')}</svg>`;
}

function svg(content: string, label: string): string {
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(label)}">${content}</svg>`;
}

function scale(values: readonly number[], from: number, to: number, unit: boolean, padded = true): Scale {
  const lowest = unit ? 0 : values.reduce((a, b) => Math.min(a, b));
  const highest = unit ? 1 : values.reduce((a, b) => Math.max(a, b));
  const room = unit || !padded ? 0 : 0.04 * (highest - lowest);
  const low = lowest === 0 ? 0 : lowest - room;
  const high = highest === lowest ? lowest + 1 : highest + room;
  return { low, high, at: (value) => from + ((value - low) / (high - low)) * (to - from) };
}

function pathOf({ points, steps = false }: Series, across: Scale, up: Scale): string {
  return points
    .map(([a, b], index) => {
      const [left, top] = [n(across.at(a)), n(up.at(b))];
      if (index === 0) return `M${left} ${top}`;
      return steps ? `H${left}V${top}` : `L${left} ${top}`;
    })
    .join('');
}

function axes(across: Scale, up: Scale, x: string, y: string): string {
  const ticks = ticksOf(across).map((value) => {
    const left = n(across.at(value));
    return `<text x="${left}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${short(value)}</text>`;
  });
  const name = `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${escaped(x)}</text>`;
  return `${leftAxis(up, y)}${ticks.join('')}${name}`;
}

function leftAxis(up: Scale, y: string): string {
  const lines = ticksOf(up).map((value) => {
    const top = n(up.at(value));
    return `<path class="axis" d="M${LEFT} ${top}H${WIDTH - RIGHT}"/><text x="${LEFT - 6}" y="${n(up.at(value) + 4)}" text-anchor="end">${short(value)}</text>`;
  });
  const middle = (TOP + HEIGHT - BOTTOM) / 2;
  return `${lines.join('')}<text transform="translate(14 ${middle}) rotate(-90)" text-anchor="middle">${escaped(y)}</text>`;
}

/** Round values within the scale. */
function ticksOf({ low, high }: Scale): number[] {
  const rough = (high - low) / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough)!;
  const ticks: number[] = [];
  for (let i = Math.ceil(low / step); i * step <= high * (1 + 1e-9); i++) ticks.push(i * step);
  return ticks;
}

const short = (value: number): string =>
  Math.abs(value) >= 10_000
    ? new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 }).format(value)
    : String(Number(value.toPrecision(4)));

const n = (value: number): string => value.toFixed(1);
