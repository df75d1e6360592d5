import { CommandError } from '../command-error.js';
import { formatConformance, runConformance } from '../conformance/command.js';
import type { Output } from '../output.js';

export async function conformance(files: readonly string[], output: Output): Promise<number> {
  const report = await runConformance(files).catch((error: Error) => {
    throw new CommandError(error.message, { cause: error });
  });
  output.result(report, () => formatConformance(report));
  return report.failed === 0 && report.passed + report.mayDiffer > 0 ? 0 : 1;
}
