import type { EngineEvent } from '../event.js';
import { VALUE_MAX } from '../expression/scalar-code.js';
import { addExactly } from './exact-sum.js';
import { CAPACITY, COUNT, FIRST, HEAD, HUNDREDTHS_MAX, MISSING, OLDEST, type RingMemory, WIDE } from './ring-rows.js';
import type { FieldPlaces, Window, WindowCell } from './window-layout.js';
import { addRow, readWhole } from './window-ring.js';

/**
 * Adds an event to a ring that has room, at `at` in doubles, and writes the values of the window's cells. Times must not fall. False:
 * nothing was done, for the ring is narrow and the event does not fit.
 */
export type RingAdder = (memory: RingMemory, at: number, event: EngineEvent) => boolean;

type Maker = (add: typeof addExactly, ...cells: readonly WindowCell['cell'][]) => RingAdder;

const makers = new Map<string, Maker>();

/**
 * `addRow` and `readWhole` of one window, as code in which its layout stands as numbers: an event touches every window that counts
 * it, and to walk through the layout each time costs more than what is done. Windows with extremes are walked through.
 */
export function ringAdder(window: Window): RingAdder {
  if (window.hasExtremes) return walking(window);
  const text = adderText(window);
  let maker = makers.get(text);
  if (maker === undefined) {
    const cells = window.cells.map((_, i) => `c${i}`);
    maker = new Function('addExactly', ...cells, text) as Maker;
    makers.set(text, maker);
  }
  return maker(addExactly, ...window.cells.map(({ cell }) => cell));
}

function walking(window: Window): RingAdder {
  return (memory, at, event) => {
    addRow(window, memory, at, event);
    readWhole(window, memory, at);
    return true;
  };
}

/** Of numbers and of the names of fields, as JSON, alone. */
function adderText({ fields, cells, stride, totalPlaces }: Window): string {
  const rows = HEAD + totalPlaces - 1;
  return `'use strict'; return ({ doubles, words }, at, event) => {
    const head = at * 2;
    const totals = at + ${HEAD - 1};
    const count = words[head + ${COUNT}];
    const capacity = words[head + ${CAPACITY}];
    const { time, fields } = event;
    ${fields.map(givenText).join('')}
    let place = words[head + ${FIRST}] + count;
    if (capacity >= ${WIDE}) {
      if (place >= capacity - ${WIDE}) place -= capacity - ${WIDE};
      const row = at + ${rows} + place * ${stride};
      doubles[row] = time;
      ${fields.map(wideText).join('')}
    } else {
      const since = count === 0 ? time % 1 : time - doubles[at + ${OLDEST}];
      if (since !== since >>> 0) return false;
      ${fields.map(fitsText).join('')}
      if (place >= capacity) place -= capacity;
      const row = (at + ${rows}) * 2 + place * ${stride};
      words[row] = time;
      ${fields.map(narrowText).join('')}
    }
    if (count === 0) doubles[at + ${OLDEST}] = time;
    words[head + ${COUNT}] = count + 1;
    ${cellsText(cells)}
    return true;
  };`;
}

/** + 0 as `writeRow` does. What is not equal to itself is missing. */
export function givenText({ name, value }: FieldPlaces): string {
  const [given, x] = [`v${value}`, `x${value}`];
  return `const ${given} = fields[${JSON.stringify(name)}];
    const ${x} = typeof ${given} === 'number' && Math.abs(${given}) <= ${VALUE_MAX} ? ${given} + 0 : NaN;
    `;
}

function wideText({ value, sum, present }: FieldPlaces): string {
  const x = `x${value}`;
  const adds = sum > 0 ? [`addExactly(doubles, totals + ${sum}, ${x});`] : [];
  return `doubles[row + ${value}] = ${x};
      ${ifPresent(x, [...adds, ...counted(present)])}
      `;
}

/** Leaves the function where a value does not fit into a narrow row. */
export function fitsText({ value }: FieldPlaces): string {
  const [x, h] = [`x${value}`, `h${value}`];
  return `const ${h} = Math.round(${x} * 100);
      if (${x} === ${x} && !(${h} / 100 === ${x} && ${h} <= ${HUNDREDTHS_MAX} && ${h} >= ${-HUNDREDTHS_MAX})) return false;
      `;
}

/** Writes a value to `row` in `words`, and adds it to the totals. Whole hundredths are what `addExactly` would make of it. */
export function narrowText({ value, sum, present }: FieldPlaces): string {
  const [x, h] = [`x${value}`, `h${value}`];
  const adds = sum > 0 ? [`doubles[totals + ${sum}] += ${h};`] : [];
  return `words[row + ${value}] = ${x} === ${x} ? ${h} : ${MISSING};
      ${ifPresent(x, [...adds, ...counted(present)])}
      `;
}

const counted = (present: number): string[] => (present > 0 ? [`doubles[totals + ${present}] += 1;`] : []);

const ifPresent = (x: string, adds: readonly string[]): string =>
  adds.length === 0 ? '' : `if (${x} === ${x}) { ${adds.join(' ')} }`;

/** Writes the cells of a window of one row more than `count`, `c0` being the first. */
export const cellsText = (cells: readonly WindowCell[]): string =>
  cells.map((cell, i) => `c${i}.value = ${cellText(cell)};`).join('\n    ');

function cellText({ fn, field }: WindowCell): string {
  if (field === null) return 'count + 1';
  const sum = `doubles[totals + ${field.sum}] / 100 + doubles[totals + ${field.sum + 1}]`;
  return fn === 'sum' ? sum : `(${sum}) / doubles[totals + ${field.present}]`;
}
