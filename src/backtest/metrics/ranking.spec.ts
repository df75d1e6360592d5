import { averagePrecision, curve, rocAuc, type ScoreGroup, scoreGroups } from './ranking.js';
import type { Accused } from './verdicts.js';

const accused = (score: number, isFraud: boolean): Accused =>
  ({ score, fraud: isFraud ? {} : null, rules: [], at: 0 }) as unknown as Accused;

/** `80+ 80- 20+`: scores, and whether it is fraud; `rest` others of which some are fraud. */
function groupsOf(rows: string, frauds: number, size: number): ScoreGroup[] {
  const all = rows.split(' ').filter(Boolean);
  return scoreGroups({
    accused: all.map((row) => accused(Number.parseFloat(row), row.endsWith('+'))),
    frauds: Array.from({ length: frauds }) as never,
    size,
  });
}

describe('ranking by score', () => {
  // The figures are scikit-learn's: average_precision_score and roc_auc_score of the same rows, the others with score 0.
  it.each([
    ['a perfect ranking', '90+ 80+', 2, 10, 1, 1],
    ['the example of scikit-learn', '10- 40- 35+ 80+', 2, 4, 0.8333333333333333, 0.75],
    ['ties', '80+ 80- 20+', 3, 10, 0.4888888888888889, 0.7380952380952381],
    ['nothing accused', '', 3, 10, 0.3, 0.5],
    ['accused with score 0 tie with the others', '0+ 0-', 1, 4, 0.25, 0.5],
    ['all wrong', '80- 70-', 2, 4, 0.5, 0],
  ])('%s', (_, rows, frauds, size, precision, auc) => {
    const groups = groupsOf(rows, frauds, size);
    expect(averagePrecision(curve(groups))).toBeCloseTo(precision, 12);
    expect(rocAuc(groups)).toBeCloseTo(auc, 12);
  });

  it('has no area where one of the two kinds is missing', () => {
    expect(rocAuc(groupsOf('80+', 1, 1))).toBeNull();
    expect(rocAuc(groupsOf('80-', 0, 3))).toBeNull();
  });

  it('counts whoever no alert accuses with score 0', () => {
    expect(groupsOf('80+ 80- 20-', 4, 100)).toEqual([
      { score: 80, count: 2, frauds: 1 },
      { score: 20, count: 1, frauds: 0 },
      { score: 0, count: 97, frauds: 3 },
    ]);
  });
});
