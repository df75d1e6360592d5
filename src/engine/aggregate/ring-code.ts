import type { EngineEvent } from '../event.js';
import { VALUE_MAX } from '../expression/scalar-code.js';
import { addExactly } from './exact-sum.js';
import type { FieldPlaces, Window, WindowCell } from './window-layout.js';
import { addRow, CAPACITY, COUNT, FIRST, HEAD, OLDEST, type RingMemory, readWhole } from './window-ring.js';

/** Adds an event to a ring that has room, at `at` in doubles, and writes the values of the window's cells. Times must not fall. */
export type RingAdder = (memory: RingMemory, at: number, event: EngineEvent) => void;

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
    let place = words[head + ${FIRST}] + count;
    if (place >= capacity) place -= capacity;
    const row = at + ${rows} + place * ${stride};
    const { time, fields } = event;
    doubles[row] = time;
    if (count === 0) doubles[at + ${OLDEST}] = time;
    words[head + ${COUNT}] = count + 1;
    ${fields.map(fieldText).join('')}
    ${cells.map((cell, i) => `c${i}.value = ${cellText(cell)};`).join('\n    ')}
  };`;
}

function fieldText({ name, value, sum, present }: FieldPlaces): string {
  const [given, x] = [`v${value}`, `x${value}`];
  const adds = [
    ...(sum > 0 ? [`addExactly(doubles, totals + ${sum}, ${x});`] : []),
    ...(present > 0 ? [`doubles[totals + ${present}] += 1;`] : []),
  ];
  // + 0 as `writeRow` does. What is not equal to itself is missing.
  return `const ${given} = fields[${JSON.stringify(name)}];
    const ${x} = typeof ${given} === 'number' && Math.abs(${given}) <= ${VALUE_MAX} ? ${given} + 0 : NaN;
    doubles[row + ${value}] = ${x};
    ${adds.length === 0 ? '' : `if (${x} === ${x}) { ${adds.join(' ')} }`}
    `;
}

function cellText({ fn, field }: WindowCell): string {
  if (field === null) return 'count + 1';
  const sum = `doubles[totals + ${field.sum}] / 100 + doubles[totals + ${field.sum + 1}]`;
  return fn === 'sum' ? sum : `(${sum}) / doubles[totals + ${field.present}]`;
}
