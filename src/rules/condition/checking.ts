import type { Reporter } from '../source/source-file.js';
import type { CelNode } from './cel.js';
import type { References } from './references.js';
import type { Scope } from './scope.js';
import type { Checked, Typed } from './typed.js';

/** A condition that is being checked, as its parts see it: where they stand, and how the parts of them are checked. */
export interface Checking {
  readonly references: References;
  readonly scope: Scope;
  readonly reporter: Reporter;
  /** Any expression with a value. */
  value(node: CelNode): Checked;
  /** Reports unless the value has the type; `what` begins the sentence ("startsWith takes"). */
  expect(value: Typed, wanted: 'number' | 'string' | 'boolean', node: CelNode, what: string): boolean;
}
