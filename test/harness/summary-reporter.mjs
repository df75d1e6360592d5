import path from 'node:path';

const SLOWEST = 10;

/**
 * Closes the run with the spec files that took longest, by the clock, and one line for machines: `N passed, N failed`. A suite that
 * could not even be loaded counts as one failure.
 */
export default class SummaryReporter {
  onRunComplete(_contexts, results) {
    const took = results.testResults
      .map(({ testFilePath, perfStats }) => ({ file: testFilePath, ms: perfStats.end - perfStats.start }))
      .toSorted((a, b) => b.ms - a.ms)
      .slice(0, SLOWEST)
      .map(({ file, ms }) => `${(ms / 1000).toFixed(1).padStart(7)} s  ${path.relative(process.cwd(), file)}\n`);
    if (results.testResults.length > SLOWEST) process.stdout.write(`\nSlowest spec files:\n${took.join('')}`);
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    process.stdout.write(`\n${results.numPassedTests} passed, ${failed} failed\n`);
  }
}
