import { compileRuleSet, shapeOf } from '../../engine/index.js';
import type { Diagnostic, Rule, RuleText } from '../../rules/index.js';
import type { RuleChange } from '../../runtime/rulebook/revision.js';

/** Rules with the texts that they were read from. */
export interface RuleFiles {
  readonly rules: readonly Rule[];
  readonly files: readonly RuleText[];
  readonly draining: readonly RuleText[];
}

/** What a new set changes. */
export interface RulePlan {
  readonly changes: readonly RuleChange[];
  /** Texts of the revisions that go on to their end beside the new ones. */
  readonly draining: readonly RuleText[];
  readonly errors: readonly Diagnostic[];
  readonly warnings: readonly Diagnostic[];
}

/** Name of the topic that events are forwarded to for a rule; `null`: it runs where records are read. */
export type ForwardsTo = (rule: Rule) => string | null;

export const runs = ({ status }: Rule): boolean => status === 'live' || status === 'shadow';

/** Those that run, as lanes get them. */
export function runningTexts({ rules, files, draining }: RuleFiles): readonly RuleText[] {
  const running = new Set(rules.filter(runs).map(({ source }) => source));
  // Lanes need no tests.
  const rulesAlone = files.map(({ file, text }): RuleText => ({ file, text }));
  return [...rulesAlone.filter(({ file }) => running.has(file)), ...draining];
}

/** Compares two sets of rules by their ids and meanings. `forwardsTo` absent: it is not known which topics there are. */
export function planOf(
  before: RuleFiles,
  rules: readonly Rule[],
  files: readonly RuleText[],
  forwardsTo: ForwardsTo = () => null,
): RulePlan {
  const old = new Map(before.rules.map((rule) => [rule.id, rule]));
  const changes: RuleChange[] = [];
  const errors: Diagnostic[] = [];
  const draining: RuleText[] = [];
  for (const rule of rules) {
    const was = old.get(rule.id);
    if (was === undefined)
      changes.push({ id: rule.id, change: 'added', runs: begun(rule), from: null, to: rule.revision });
    else if (was.revision !== rule.revision) changes.push(changed(was, rule, { before, files, errors, draining }));
  }
  const ids = new Set(rules.map(({ id }) => id));
  for (const { id, revision } of before.rules.filter((rule) => !ids.has(rule.id)))
    changes.push({ id, change: 'removed', runs: 'dropped', from: revision, to: null });
  // One that was changed once more is drained no longer than to here.
  const again = new Set(changes.map(({ id }) => id));
  const kept = before.draining.filter(({ text }) => !again.has(idIn(text)));
  const unfilled = rules.filter(hasNoPast(before, changes, forwardsTo));
  const withoutPast = new Set(unfilled.map(({ id }) => id));
  const told = changes.map((one) =>
    withoutPast.has(one.id) ? { ...one, runs: one.from === null ? null : restarted } : one,
  );
  const warnings = unfilled.map((rule) => nothingToFill(rule, files));
  return { changes: told, draining: [...kept, ...draining], errors, warnings };
}

const restarted = 'restarted' as const;

/** Rules that would be filled from a topic that nothing was forwarded to. */
function hasNoPast(before: RuleFiles, changes: readonly RuleChange[], forwardsTo: ForwardsTo): (rule: Rule) => boolean {
  const filled = new Set(changes.filter((change) => change.runs === 'filled').map(({ id }) => id));
  const there = new Set(before.rules.filter(runs).map(forwardsTo));
  return (rule) => {
    const topic = filled.has(rule.id) ? forwardsTo(rule) : null;
    return topic !== null && !there.has(topic);
  };
}

interface Planning {
  readonly before: RuleFiles;
  readonly files: readonly RuleText[];
  readonly errors: Diagnostic[];
  readonly draining: RuleText[];
}

function changed(was: Rule, rule: Rule, { before, files, errors, draining }: Planning): RuleChange {
  const change = { id: rule.id, change: 'changed', from: was.revision, to: rule.revision } as const;
  if (!runs(was)) return { ...change, runs: begun(rule) };
  if (!runs(rule)) return { ...change, runs: 'dropped' };
  if (rule.onUpdate !== 'backfill' && (rule.lifted ?? 0) > (was.lifted ?? 0)) return { ...change, runs: 'restarted' };
  if (rule.onUpdate === 'drain') {
    const old = before.files.find(({ file }) => file === was.source);
    if (old !== undefined) draining.push({ file: `${old.file} (${was.revision})`, text: old.text, drains: true });
    return { ...change, runs: 'drained' };
  }
  if (rule.onUpdate === 'restart') return { ...change, runs: 'restarted' };
  if (rule.onUpdate === 'backfill') return { ...change, runs: 'filled' };
  const keeps = haveOneShape(was, rule);
  if (!keeps && rule.onUpdate === 'keep') errors.push(cannotKeep(rule, files));
  return { ...change, runs: keeps ? 'kept' : 'restarted' };
}

/** What one begins with that did not run before. */
const begun = (rule: Rule): 'filled' | null => (runs(rule) && rule.onUpdate === 'backfill' ? 'filled' : null);

function haveOneShape(a: Rule, b: Rule): boolean {
  if (a.key !== b.key || a.streams.join() !== b.streams.join()) return false;
  const lists = { has: () => false, get: () => undefined };
  const [one, other] = [compileRuleSet([a], { lists }), compileRuleSet([b], { lists })];
  return shapeOf(one, 0) === shapeOf(other, 0);
}

function nothingToFill(rule: Rule, files: readonly RuleText[]): Diagnostic {
  return {
    ...atOnUpdate(rule, files),
    ...{ severity: 'warning', code: 'nothing-to-fill' },
    message: `${rule.id} begins with nothing: no rule that runs has its key, so no events were written by that key that it could be filled from.`,
    hint: 'Let it run as a shadow for as long as its windows reach, and then publish it as live.',
  };
}

function cannotKeep(rule: Rule, files: readonly RuleText[]): Diagnostic {
  return {
    ...atOnUpdate(rule, files),
    ...{ severity: 'error', code: 'cannot-keep' },
    message: `Runs of ${rule.id} cannot be kept: its steps, their order, contiguity or quantifiers, or its key, are others now.`,
    hint: 'Write onUpdate: restart, or onUpdate: drain to let them end under the old revision.',
  };
}

/** Where a rule says what becomes of its runs. */
function atOnUpdate(rule: Rule, files: readonly RuleText[]) {
  const lines = (files.find(({ file }) => file === rule.source)?.text ?? '').split(/\r?\n/);
  const index = Math.max(
    0,
    lines.findIndex((line) => line.startsWith('onUpdate')),
  );
  const excerpt = lines[index] ?? '';
  return {
    ...{ file: rule.source, line: index + 1, column: 1, excerpt },
    length: Math.max(1, excerpt.length),
  };
}

const idIn = (text: string): string => /^["']?id["']?\s*:\s*["']?([a-z0-9-]+)/m.exec(text)?.[1] ?? '';
