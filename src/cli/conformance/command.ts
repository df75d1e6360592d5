import { readFile } from 'node:fs/promises';
import type { ConformanceCase } from './case.js';
import { judge, type Verdict } from './compare.js';
import { runCase } from './run-case.js';

export interface ConformanceReport {
  readonly passed: number;
  readonly failed: number;
  /** Cases that differ where the corpus allows it; in neither of the counts above. */
  readonly mayDiffer: number;
  readonly byTag: Readonly<Record<string, { passed: number; failed: number }>>;
  readonly failures: readonly { readonly file: string; readonly id: string; readonly why: string }[];
}

/** A file of cases: a JSON array, or one case a line. Throws with the file's name when it is neither. */
export async function readCases(file: string): Promise<readonly ConformanceCase[]> {
  const text = await readFile(file, 'utf8');
  try {
    if (text.trimStart().startsWith('[')) return JSON.parse(text) as ConformanceCase[];
    return text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => JSON.parse(line) as ConformanceCase);
  } catch (error) {
    throw new Error(`${file} is not a file of conformance cases: ${(error as Error).message}`, { cause: error });
  }
}

export async function runConformance(files: readonly string[]): Promise<ConformanceReport> {
  let passed = 0;
  let failed = 0;
  let mayDiffer = 0;
  const byTag: Record<string, { passed: number; failed: number }> = {};
  const failures: { file: string; id: string; why: string }[] = [];
  for (const file of files) {
    for (const c of await readCases(file)) {
      const verdict = verdictOn(c);
      if (verdict.kind === 'mayDiffer') {
        mayDiffer++;
        continue;
      }
      if (verdict.kind === 'passed') {
        passed++;
      } else if (verdict.kind === 'failed') {
        failed++;
        failures.push({ file, id: c.id, why: verdict.why });
      }
      for (const tag of c.tags) {
        byTag[tag] ??= { passed: 0, failed: 0 };
        byTag[tag][verdict.kind]++;
      }
    }
  }
  return { passed, failed, mayDiffer, byTag, failures };
}

/** A case on which the engine itself breaks is a failed case, not the end of the run. */
function verdictOn(c: ConformanceCase): Verdict {
  try {
    return judge(c, runCase(c));
  } catch (error) {
    return { kind: 'failed', why: `the engine threw: ${(error as Error).message}` };
  }
}

const FAILURES_SHOWN = 20;

export function formatConformance(report: ConformanceReport): string {
  const width = Math.max(3, ...Object.keys(report.byTag).map((tag) => tag.length));
  const lines = [`${'tag'.padEnd(width)}  passed  failed`];
  for (const [tag, n] of Object.entries(report.byTag).sort(([a], [b]) => (a < b ? -1 : 1))) {
    lines.push(`${tag.padEnd(width)}  ${String(n.passed).padStart(6)}  ${String(n.failed).padStart(6)}`);
  }
  for (const f of report.failures.slice(0, FAILURES_SHOWN)) lines.push(`FAILED ${f.id} (${f.file})`, `  ${f.why}`);
  if (report.failures.length > FAILURES_SHOWN)
    lines.push(`… and ${report.failures.length - FAILURES_SHOWN} more failures (--json lists all)`);
  lines.push(`${report.mayDiffer} cases differ where the corpus allows it (tie-content)`);
  lines.push(`${report.passed} passed, ${report.failed} failed`);
  return lines.join('\n');
}
