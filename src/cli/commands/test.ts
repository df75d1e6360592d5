import { formatCoverage, formatDiagnostic, formatFailure, type TestStream, testRules } from '../../rules/index.js';
import { renderMessage } from '../../runtime/task/alert/message.js';
import { CommandError } from '../command-error.js';
import type { Output } from '../output.js';
import { bySeverity, listsOf, streamsOf } from '../rules.js';
import { configFor, settingsOrFail } from '../settings.js';

export interface TestOptions {
  readonly config?: string;
  /** Also tell which steps and conditions the tests have shown. */
  readonly coverage?: boolean;
}

/** Runs the tests beside the patterns: 0 when all pass and there are no errors. */
export async function test(paths: readonly string[], options: TestOptions, output: Output): Promise<number> {
  const known = new Map<string | undefined, readonly TestStream[]>();
  const streamsFor = (file: string): readonly TestStream[] => {
    const config = options.config ?? configFor(file);
    const streams = known.get(config) ?? testStreams(config);
    known.set(config, streams);
    return streams;
  };
  const { passed, failed, failures, diagnostics, coverage } = await testRules(paths, {
    streamsOf: streamsFor,
    listsOf: (file) => listsOf(settingsOrFail(options.config ?? configFor(file))),
    render: renderMessage,
    coverage: options.coverage === true,
  });
  const { errors, warnings } = bySeverity(diagnostics);
  output.result({ passed, failed, failures, errors, warnings, ...(options.coverage === true && { coverage }) }, () =>
    [
      ...diagnostics.map(formatDiagnostic),
      ...failures.map(formatFailure),
      ...coverage.map(formatCoverage),
      `${passed} passed, ${failed} failed`,
    ].join('\n'),
  );
  return failed === 0 && errors.length === 0 && passed > 0 ? 0 : 1;
}

/** What tests need to know of the config's streams. */
export function testStreams(config: string | undefined): readonly TestStream[] {
  const settings = settingsOrFail(config);
  const streams = streamsOf(settings).map(({ name, schema }) => {
    const { id, time, type } = settings.streams[name]!;
    return { name, schema, idField: id, timeField: time, typeField: type };
  });
  if (streams.length === 0) throw new CommandError('The config has no stream.');
  return streams;
}
