import type { Log, LogRecord, OutgoingRecord } from '../../../src/runtime/ports/log.js';

const utf8 = new TextDecoder();

/** What was given out of one partition of the source, on one topic, in order; each as one text of all its bytes. */
export type Outputs = Map<string, string[]>;

/** The topics that a lane writes for others to read. */
export const OUTPUT_TOPICS = ['alerts', 'dead-letters', 'late'] as const;

export const outputsOf = (outputs: Outputs, topic: string, partition: number): string[] => {
  const name = `${topic} of ${partition}`;
  const list = outputs.get(name) ?? [];
  outputs.set(name, list);
  return list;
};

/** A record with all that a reader sees of it, but its place and the time at which it was written. */
export function show({ key, value, headers }: Pick<OutgoingRecord, 'key' | 'value' | 'headers'>): string {
  const named = [...(headers ?? [])].map(([name, bytes]) => `${name}=${utf8.decode(bytes)}`);
  return [key === null ? '-' : utf8.decode(key), value === null ? '-' : utf8.decode(value), ...named].join(' | ');
}

export async function readTopic(log: Log, topic: string, partition = 0): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for await (const batch of log.read({ topic, partition }, 0)) records.push(...batch.records);
  return records;
}

/** All that was given out and committed. */
export async function committedOutputs(log: Log): Promise<Outputs> {
  const outputs: Outputs = new Map();
  const topics = new Set((await log.topics()).map(({ name }) => name));
  for (const topic of OUTPUT_TOPICS) {
    if (!topics.has(topic)) continue;
    for (const { key, value, headers } of await readTopic(log, topic)) {
      const record = { key, value, headers: headers ?? new Map<string, Uint8Array>() };
      outputsOf(outputs, topic, sourceOf(record)).push(show(record));
    }
  }
  return outputs;
}

/** The partition that a record follows from: as its header says, or as the first event of an alert does. */
function sourceOf({ value, headers }: { value: Uint8Array | null; headers: ReadonlyMap<string, Uint8Array> }): number {
  const said = headers.get('stakeout.partition');
  if (said !== undefined) return Number(utf8.decode(said));
  const alert = JSON.parse(utf8.decode(value!)) as { steps: { events: { partition: number }[] }[] };
  return alert.steps[0]!.events[0]!.partition;
}
