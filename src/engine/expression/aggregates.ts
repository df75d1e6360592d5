import type { MatchNode } from '../buffer/match-node.js';
import type { EngineEvent } from '../event.js';

/**
 * Statistics over the events that a run has matched for a step. They are the run-time library of generated conditions:
 * a missing value is `undefined`, or `NaN` where a number is expected. Fields that are missing in an event are left out.
 */
const TIME = '$time';
const KIND = '$kind';

function fieldOf(event: EngineEvent, field: string): unknown {
  if (field === TIME) return event.time;
  if (field === KIND) return event.kind;
  const value = event.fields[field];
  return value === null ? undefined : value;
}

export function count(head: MatchNode | null, step: number): number {
  let n = 0;
  for (let node = head; node !== null; node = node.previous) if (node.step === step) n++;
  return n;
}

/** Numbers of a field, oldest first: sums are made in the order of events, so that they round the same everywhere. */
function numbers(head: MatchNode | null, step: number, field: string): number[] {
  const values: number[] = [];
  for (let node = head; node !== null; node = node.previous) {
    if (node.step !== step) continue;
    const value = fieldOf(node.event, field);
    if (typeof value === 'number') values.push(value);
  }
  return values.reverse();
}

export function sum(head: MatchNode | null, step: number, field: string): number {
  let total = 0;
  for (const value of numbers(head, step, field)) total += value;
  return total;
}

export function avg(head: MatchNode | null, step: number, field: string): number {
  const values = numbers(head, step, field);
  let total = 0;
  for (const value of values) total += value;
  return values.length === 0 ? Number.NaN : total / values.length;
}

export function min(head: MatchNode | null, step: number, field: string): number {
  const values = numbers(head, step, field);
  return values.length === 0 ? Number.NaN : values.reduce((a, b) => Math.min(a, b));
}

export function max(head: MatchNode | null, step: number, field: string): number {
  const values = numbers(head, step, field);
  return values.length === 0 ? Number.NaN : values.reduce((a, b) => Math.max(a, b));
}

/** Population standard deviation (two passes). */
export function stddev(head: MatchNode | null, step: number, field: string): number {
  const values = numbers(head, step, field);
  if (values.length === 0) return Number.NaN;
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return Math.sqrt(values.reduce((a, b) => a + (b - mean) * (b - mean), 0) / values.length);
}

export function distinct(head: MatchNode | null, step: number, field: string): number {
  const seen = new Set<unknown>();
  for (let node = head; node !== null; node = node.previous) {
    if (node.step !== step) continue;
    const value = fieldOf(node.event, field);
    if (value !== undefined) seen.add(value);
  }
  return seen.size;
}

export function last(head: MatchNode | null, step: number, field: string): unknown {
  for (let node = head; node !== null; node = node.previous) if (node.step === step) return fieldOf(node.event, field);
  return undefined;
}

export function first(head: MatchNode | null, step: number, field: string): unknown {
  let oldest: MatchNode | null = null;
  for (let node = head; node !== null; node = node.previous) if (node.step === step) oldest = node;
  return oldest === null ? undefined : fieldOf(oldest.event, field);
}

export function nth(head: MatchNode | null, step: number, index: number, field: string): unknown {
  let skip = count(head, step) - 1 - index;
  if (skip < 0 || index < 0) return undefined;
  for (let node = head; node !== null; node = node.previous) {
    if (node.step === step && skip-- === 0) return fieldOf(node.event, field);
  }
  return undefined;
}
