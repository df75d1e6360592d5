import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { formatConformance, readCases, runConformance } from '../../src/cli/conformance/command.js';

const CASES = join(import.meta.dirname, 'cases');
const FILES = readdirSync(CASES).filter((name) => name.endsWith('.json'));

describe('conformance with Flink CEP 2.3', () => {
  it('has the whole corpus', async () => {
    const counts = await Promise.all(FILES.map(async (name) => (await readCases(join(CASES, name))).length));
    expect(counts.reduce((a, b) => a + b, 0)).toBe(4047);
  });

  it.each(FILES)('%s: every case gives the matches that Flink gives', async (name) => {
    const report = await runConformance([join(CASES, name)]);
    expect(report.failures).toEqual([]);
    expect(report.passed).toBeGreaterThan(0);
    expect(report.mayDiffer).toBe(0);
  });

  it('passes and fails by tag as printed', async () => {
    const report = await runConformance(FILES.map((name) => join(CASES, name)));
    process.stdout.write(`${formatConformance(report)}\n`);
    expect(report).toMatchObject({ passed: 4047, failed: 0, mayDiffer: 0 });
    for (const [tag, count] of Object.entries(report.byTag))
      expect({ tag, failed: count.failed }).toEqual({ tag, failed: 0 });
  });

  it('counts a case that differs, by its tags, and says where', async () => {
    const report = await runConformance([join(import.meta.dirname, 'broken-case.json')]);
    expect(report).toMatchObject({ passed: 0, failed: 1, byTag: { followedBy: { passed: 0, failed: 1 } } });
    expect(formatConformance(report)).toMatch(/FAILED broken.*matches: expected.*0 passed, 1 failed$/s);
  });
});
