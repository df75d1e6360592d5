import { type DestinationStream, type Logger, pino } from 'pino';
import type { Settings } from '../../runtime/settings/index.js';
import { prettyLine } from './pretty.js';
import { makeRedactor } from './redact.js';

export type { Logger } from 'pino';

/** Where log lines go: standard error of the process. */
export interface LogOutput {
  write(line: string): unknown;
  readonly isTTY?: boolean;
}

/**
 * The service's logger. Every message and every field goes through the redactor (see `redact.ts`), whoever logs.
 *
 * @param personal names of fields that are never written
 */
export function createLogger(
  settings: Pick<Settings, 'name' | 'log'>,
  personal: ReadonlySet<string>,
  output: LogOutput = process.stderr,
): Logger {
  const redact = makeRedactor(personal);
  const colour = output.isTTY === true;
  const format = settings.log.format ?? (colour ? 'pretty' : 'json');
  const destination: DestinationStream =
    format === 'json'
      ? { write: (line) => output.write(line) }
      : { write: (line) => output.write(prettyLine(line, { colour })) };
  return pino(
    {
      name: settings.name,
      level: settings.log.level,
      base: { name: settings.name },
      serializers: { err: (err: unknown) => err },
      formatters: {
        level: (label, number) => (format === 'json' ? { level: label } : { level: number }),
        bindings: (fields) => redact(fields) as Record<string, unknown>,
      },
      hooks: {
        // Everything is redacted before pino sees it: it takes messages out of errors, and fills in values, by itself.
        logMethod(args, method) {
          method.apply(this, args.map((arg) => redact(arg instanceof Error ? { err: arg } : arg)) as typeof args);
        },
      },
    },
    destination,
  );
}
