import { openRecords } from '../../connectors/file/open-records.js';
import type { LabelProtocol } from '../plan/protocol.js';
import { RunError } from '../run/file-streams.js';

/** What is known of one transaction, account or alert that was labelled. */
export interface Label {
  readonly isFraud: boolean;
  /** Kinds of fraud; empty where the labels do not tell. */
  readonly scenarios: readonly string[];
  /** Which fraud it belongs to; `null`: the labels do not tell. */
  readonly episode: string | null;
  /** When it became known, in ms since 1970; `null`: the labels do not tell. */
  readonly knownAt: number | null;
}

/** Labels by the id of what they are about. Most events that are asked about have none, so that asking must be cheap. */
export class Labels {
  private readonly byText = new Map<string, Label>();
  /** Of ids that are whole numbers as numbers are written. */
  private readonly byNumber = new Map<number, Label>();

  get size(): number {
    return this.byText.size;
  }

  /** Of an id as text, or as it stands in a record. */
  get(id: unknown): Label | undefined {
    return typeof id === 'number' ? this.byNumber.get(id) : this.byText.get(String(id));
  }

  set(id: string, label: Label): void {
    this.byText.set(id, label);
    const number = Number(id);
    if (Number.isSafeInteger(number) && String(number) === id) this.byNumber.set(number, label);
  }

  [Symbol.iterator](): IterableIterator<[string, Label]> {
    return this.byText[Symbol.iterator]();
  }
}

/** Reads a file of labels. Rows about the same id are put together: fraud if one of them says so. Throws `RunError`. */
export async function readLabels(protocol: LabelProtocol): Promise<Labels> {
  const file = await openRecords(protocol.file);
  try {
    const { id, fraud, scenario, episode, knownAt } = protocol;
    const wanted = [id, fraud, scenario, episode, knownAt].filter((name) => name !== undefined);
    const labels = new Labels();
    for await (const { rows, first } of file.batches(wanted)) {
      rows.forEach(({ fields }, index) => {
        const value = fields[id];
        if (value === null || value === undefined) {
          throw new RunError(`${protocol.file}, row ${first + index}: there is no ${id} (backtest.labels.id).`);
        }
        const key = String(value);
        labels.set(key, together(labels.get(key), labelOf(fields, protocol)));
      });
    }
    return labels;
  } finally {
    await file.close();
  }
}

function labelOf(fields: Readonly<Record<string, unknown>>, protocol: LabelProtocol): Label {
  const { fraud, scenario, episode, knownAt } = protocol;
  return {
    isFraud: fraud === undefined || isTrue(fields[fraud]),
    scenarios: scenario === undefined ? [] : textOf(fields[scenario]),
    episode: episode === undefined ? null : (textOf(fields[episode])[0] ?? null),
    knownAt: knownAt === undefined ? null : momentOf(fields[knownAt]),
  };
}

function together(one: Label | undefined, other: Label): Label {
  if (one === undefined || (!one.isFraud && other.isFraud)) return other;
  if (one.isFraud && !other.isFraud) return one;
  return {
    isFraud: one.isFraud,
    scenarios: [...new Set([...one.scenarios, ...other.scenarios])].sort(),
    episode: one.episode ?? other.episode,
    knownAt: one.knownAt === null || other.knownAt === null ? null : Math.min(one.knownAt, other.knownAt),
  };
}

const textOf = (value: unknown): string[] => (value === null || value === undefined ? [] : [String(value)]);

/** What files write for true: a boolean, a number, or a word. */
function isTrue(value: unknown): boolean {
  if (typeof value === 'string') return /^(true|t|yes|y|fraud|[1-9]\d*)$/i.test(value.trim());
  return value === true || (typeof value === 'number' && value !== 0) || (typeof value === 'bigint' && value !== 0n);
}

function momentOf(value: unknown): number | null {
  if (value === null || value === undefined) return null;
  const time = typeof value === 'number' ? value : Date.parse(String(value));
  return Number.isFinite(time) ? time : null;
}
