import { type FileStream, RunError } from '../../backtest/run/file-streams.js';
import { RecordFileError } from '../../connectors/file/file-error.js';
import { SqlError } from '../../connectors/sql/sql-error.js';
import { TableError } from '../../connectors/sql/table-error.js';
import {
  formatDiagnostic,
  type KnownLists,
  type LoadedRules,
  type LoadOptions,
  loadRules,
  type ParameterValues,
} from '../../rules/index.js';
import { ListError } from '../../runtime/lists/load-lists.js';
import type { DecodeFailure } from '../../runtime/ports/decoder.js';
import { CommandError } from '../command-error.js';
import type { Output } from '../output.js';
import { bySeverity } from '../rules.js';

/** What the commands that read files have in common. */

const KNOWN = [RecordFileError, RunError, ListError, SqlError, TableError];

export async function openOrFail<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const isKnown = KNOWN.some((kind) => error instanceof kind);
    if (isKnown) throw new CommandError((error as Error).message, { cause: error });
    throw error;
  }
}

/** What rules may read. */
export interface Readable {
  readonly streams: readonly FileStream[];
  readonly lists: KnownLists;
}

export interface Chosen {
  readonly parameters?: ParameterValues;
  /** Ids of the rules that run, whatever their status. Default: those that are live or shadow. */
  readonly only?: readonly string[];
}

/** The rules that run, and the texts that they were read from. Errors in them end the command. */
export async function loadOrFail(
  path: string,
  { streams, lists }: Readable,
  output: Output,
  { parameters = new Map(), only }: Chosen = {},
): Promise<Pick<LoadedRules, 'rules' | 'texts'>> {
  const { rules, texts, diagnostics } = await loadRules([path], {
    ...knownOf(streams),
    lists,
    parameters,
  });
  const { errors, warnings } = bySeverity(diagnostics);
  for (const warning of warnings) output.say(formatDiagnostic(warning));
  if (errors.length > 0) throw new CommandError(errors.map(formatDiagnostic).join('\n\n'));
  const unknown = only?.find((id) => !rules.some((rule) => rule.id === id));
  if (unknown !== undefined) throw new CommandError(`There is no rule ${unknown} in ${path}.`);
  const running = rules.filter(({ id, status }) => only?.includes(id) ?? (status === 'live' || status === 'shadow'));
  if (running.length === 0) throw new CommandError(`There is no live or shadow rule in ${path}.`);
  return { rules: running, texts };
}

/** What rules are checked against: of topics what a service knows, so that they have the revisions that they have there. */
function knownOf(streams: Readable['streams']): Pick<LoadOptions, 'schemas' | 'streams'> {
  // A topic is a stream for each of its partitions, all with one name.
  const known = [...new Map(streams.map((stream) => [stream.schema.stream, stream])).values()];
  if (!known.some(({ isInferred }) => isInferred === true)) return { schemas: known.map(({ schema }) => schema) };
  return {
    streams: known.map(({ schema, isInferred }) => ({
      name: schema.stream,
      schema: isInferred === true ? null : schema,
    })),
  };
}

const BAD_ROWS_SHOWN = 5;

/** Tells of the first rows that could not be processed. */
export function badRowPrinter(output: Output): (file: string, row: number, failure: DecodeFailure) => void {
  let bad = 0;
  return (file, row, failure) => {
    if (bad++ < BAD_ROWS_SHOWN) output.say(`${file}, row ${row}: ${failure.detail} [${failure.reason}]`);
  };
}

const BAR = 30;
export const grouped = (n: number): string => Math.round(n).toLocaleString('en-US');
export const counted = (n: number, what: string, many = `${what}s`): string => `${grouped(n)} ${n === 1 ? what : many}`;

export function progressLine(fraction: number, events: number, seconds: number): string {
  const done = Math.round(Math.min(1, fraction) * BAR);
  const left = fraction > 0 ? (seconds * (1 - fraction)) / fraction : 0;
  return `${'█'.repeat(done)}${'░'.repeat(BAR - done)} ${Math.round(fraction * 100)} %  ${grouped(events)} events  ${grouped(events / Math.max(seconds, 0.001))}/s  ${left.toFixed(0)} s left`;
}
