import { formatDiagnostic, formatFailure, type TestStream, testRules } from '../../rules/index.js';
import { renderMessage } from '../../runtime/task/message.js';
import { CommandError } from '../command-error.js';
import type { Output } from '../output.js';
import { bySeverity, schemasOf } from '../rules.js';
import { configFor, settingsOrFail } from '../settings.js';

export interface TestOptions {
  readonly config?: string;
}

/** Runs the tests beside the patterns: 0 when all pass and there are no errors. */
export async function test(paths: readonly string[], options: TestOptions, output: Output): Promise<number> {
  const known = new Map<string | undefined, TestStream>();
  const streamOf = (file: string): TestStream => {
    const config = options.config ?? configFor(file);
    let stream = known.get(config);
    if (stream === undefined) {
      stream = testStream(config);
      known.set(config, stream);
    }
    return stream;
  };
  const { passed, failed, failures, diagnostics } = await testRules(paths, { streamOf, render: renderMessage });
  const { errors, warnings } = bySeverity(diagnostics);
  output.result({ passed, failed, failures, errors, warnings }, () =>
    [...diagnostics.map(formatDiagnostic), ...failures.map(formatFailure), `${passed} passed, ${failed} failed`].join(
      '\n',
    ),
  );
  return failed === 0 && errors.length === 0 && passed > 0 ? 0 : 1;
}

/** What tests need to know of the config's first stream. */
function testStream(config: string | undefined): TestStream {
  const settings = settingsOrFail(config);
  const [stream] = Object.values(settings.streams);
  if (stream === undefined) throw new CommandError('The config has no stream.');
  return {
    schema: schemasOf(settings),
    ...(stream.id === undefined ? {} : { idField: stream.id }),
    ...(stream.time === undefined ? {} : { timeField: stream.time }),
    ...(stream.type === undefined ? {} : { typeField: stream.type }),
  };
}
