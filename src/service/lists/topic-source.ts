import type { ListKind } from '../../rules/index.js';
import { type ListChange, tableOf } from '../../runtime/lists/layered-table.js';
import { ListError } from '../../runtime/lists/load-lists.js';
import type { LogReader, LogRecord } from '../../runtime/ports/log.js';
import type { ListSource } from './list-source.js';

const utf8 = new TextDecoder();

/** A compacted topic that has the last word of a list: a record is an entry, one without a value takes it away. */
export function topicSource(log: LogReader, topic: string, kind: ListKind, refreshMs: number): ListSource {
  const name = `topic ${topic}`;
  const partitions = async (): Promise<number> => {
    const info = (await log.topics()).find((one) => one.name === topic);
    if (info === undefined) throw new ListError(`There is no topic ${topic}.`);
    return info.partitions;
  };
  const readFrom = async (from: Readonly<Record<string, number>>, signal: AbortSignal) => {
    const entries = new Map<string, string | null>();
    const position: Record<string, number> = {};
    for (let partition = 0; partition < (await partitions()); partition++) {
      const at = { topic, partition };
      const { begin, end } = await log.offsets(at);
      const start = Math.max(begin, from[partition] ?? 0);
      position[partition] = Math.max(start, end);
      if (start >= end) continue;
      for await (const batch of log.read(at, start, { to: end, signal }))
        for (const r of batch.records) take(r, entries);
    }
    signal.throwIfAborted();
    return { entries, position };
  };
  return {
    name,
    refreshMs,
    async read(signal) {
      const { entries, position } = await readFrom({}, signal);
      const there = [...entries].flatMap(([key, value]) => (value === null ? [] : [[key, value] as const]));
      return { table: tableOf(there, kind), mark: { position } };
    },
    async news(mark, signal) {
      const { entries, position } = await readFrom(mark.position ?? {}, signal);
      if (entries.size === 0) return null;
      return { change: changeOf(entries), mark: { name, position } };
    },
  };
}

function take({ key, value }: LogRecord, entries: Map<string, string | null>): void {
  if (key === null) return;
  const text = utf8.decode(key);
  // The last one of a key stands last.
  entries.delete(text);
  entries.set(text, value === null ? null : utf8.decode(value));
}

function changeOf(entries: ReadonlyMap<string, string | null>): ListChange {
  const all = [...entries];
  return {
    put: all.flatMap(([key, value]) => (value === null ? [] : [[key, value] as const])),
    remove: all.flatMap(([key, value]) => (value === null ? [key] : [])),
  };
}
