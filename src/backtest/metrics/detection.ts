import { type Interval, wilson } from './interval.js';
import type { Verdicts } from './verdicts.js';

/** How well the accused are the frauds. Shares are 0 to 1; 0 where nothing is accused, or there is no fraud. */
export interface DetectionFigures {
  readonly accused: number;
  readonly frauds: number;
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** `null`: there is no true one. */
  readonly falsePerTrue: number | null;
  /** 95 %, after Wilson. */
  readonly precisionInterval: Interval;
  readonly recallInterval: Interval;
}

export interface ScenarioFigures {
  readonly frauds: number;
  readonly found: number;
  readonly recall: number;
  readonly recallInterval: Interval;
}

export function detectionFigures(accused: number, truePositives: number, frauds: number): DetectionFigures {
  const falsePositives = accused - truePositives;
  const precision = share(truePositives, accused);
  const recall = share(truePositives, frauds);
  return {
    ...{ accused, frauds, truePositives, falsePositives, falseNegatives: frauds - truePositives, precision, recall },
    f1: share(2 * truePositives, accused + frauds),
    falsePerTrue: truePositives === 0 ? null : falsePositives / truePositives,
    precisionInterval: wilson(truePositives, accused),
    recallInterval: wilson(truePositives, frauds),
  };
}

export const detection = ({ accused, frauds }: Pick<Verdicts, 'accused' | 'frauds'>): DetectionFigures =>
  detectionFigures(accused.length, accused.filter((a) => a.fraud !== null).length, frauds.length);

/** Recall by kind of fraud, in order of their names; a fraud of two kinds counts for both. */
export function byScenario({ accused, frauds }: Verdicts): Record<string, ScenarioFigures> {
  const found = new Set(accused.flatMap((a) => a.fraud?.id ?? []));
  const counts = new Map<string, { frauds: number; found: number }>();
  for (const fraud of frauds) {
    for (const scenario of fraud.label.scenarios) {
      const count = counts.get(scenario) ?? { frauds: 0, found: 0 };
      counts.set(scenario, { frauds: count.frauds + 1, found: count.found + (found.has(fraud.id) ? 1 : 0) });
    }
  }
  const names = [...counts.keys()].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return Object.fromEntries(
    names.map((name) => {
      const count = counts.get(name)!;
      const interval = wilson(count.found, count.frauds);
      return [name, { ...count, recall: share(count.found, count.frauds), recallInterval: interval }];
    }),
  );
}

export const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
