import type { EngineEvent } from '../event.js';
import { cellsText, fitsText, givenText, narrowText } from './ring-code.js';
import { MISSING } from './ring-rows.js';
import type { FieldPlaces, Window, WindowCell } from './window-layout.js';

/** What is done with rows of one window, narrow ones (`ring-rows.ts`), that do not stand beside their totals. */
export interface RowCode {
  /**
   * Writes the values of an event to the row whose first place is `row`, adds them to the totals whose unused place 0 is `base`, and
   * writes the values of the window's cells for these totals and one row more than `count`. False: nothing was done, for a value does not fit.
   */
  add(words: Uint32Array, row: number, totals: Float64Array, base: number, count: number, event: EngineEvent): boolean;
  /** Takes the values of a row away from totals. */
  takeAway(words: Uint32Array, row: number, totals: Float64Array, base: number): void;
}

type Maker = (...cells: readonly WindowCell['cell'][]) => RowCode;

const makers = new Map<string, Maker>();

/** As code in which the layout stands as numbers: see `ringAdder`. The window has no extremes. */
export function rowCode(window: Window): RowCode {
  const text = codeText(window);
  let maker = makers.get(text);
  if (maker === undefined) {
    maker = new Function(...window.cells.map((_, i) => `c${i}`), text) as Maker;
    makers.set(text, maker);
  }
  return maker(...window.cells.map(({ cell }) => cell));
}

/** Of numbers and of the names of fields, as JSON, alone. */
function codeText({ fields, cells }: Window): string {
  return `'use strict'; return {
    add(words, row, doubles, totals, count, event) {
      const { fields } = event;
      ${fields.map(givenText).join('')}
      ${fields.map(fitsText).join('')}
      ${fields.map(narrowText).join('')}
      ${cellsText(cells)}
      return true;
    },
    takeAway(words, row, doubles, totals) {
      ${fields.map(takenText).join('')}
    },
  };`;
}

function takenText({ value, sum, present }: FieldPlaces): string {
  const h = `h${value}`;
  return `const ${h} = words[row + ${value}] | 0;
      if (${h} !== ${MISSING}) {
        ${sum > 0 ? `doubles[totals + ${sum}] -= ${h};` : ''}
        ${present > 0 ? `doubles[totals + ${present}] -= 1;` : ''}
      }
      `;
}
