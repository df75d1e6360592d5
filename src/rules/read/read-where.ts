import { isScalar, isSeq, type Node } from 'yaml';
import type { Expr } from '../../engine/index.js';
import type { EventSchema } from '../schema.js';
import { suggest } from '../source/nearest.js';
import { ScalarText } from '../source/scalar-text.js';
import type { Section } from './yaml-section.js';

/** Checks a condition; `undefined`: wrong, and reported. */
export type CheckText = (text: ScalarText) => Expr | undefined;

/** `where` and its alternatives in `or`: which events a step takes, or a window counts. */
export function readWhere(section: Section, check: CheckText): Expr | undefined {
  const text = section.scalarText('where', 'a condition');
  const where = text && check(text);
  const or = alternatives(section, check);
  if (or.length === 0) return where;
  const args = where === undefined ? or : [where, ...or];
  return args.length === 1 ? args[0] : { op: 'or', args };
}

function alternatives(section: Section, check: CheckText): readonly Expr[] {
  const entry = section.entry('or');
  if (entry === undefined) return [];
  const nodes = isSeq(entry.node) ? (entry.node.items as Node[]) : [entry.node];
  return nodes.flatMap((node) => {
    if (!isScalar(node) || node.value === null) {
      section.wrong(entry, 'a condition, or a list of conditions');
      return [];
    }
    return check(new ScalarText(section.source, node)) ?? [];
  });
}

export function readSubtype(section: Section, schema: EventSchema | null): string | undefined {
  const subtype = section.text('subtype', 'the name of a kind');
  const kinds = schema?.kinds ?? null;
  if (subtype === undefined || kinds === null || kinds.has(subtype)) return subtype;
  const hint = suggest(subtype, kinds);
  section.source.error('unknown-kind', section.entry('subtype')!.span, `There is no kind ${subtype}.`, hint);
  return undefined;
}
