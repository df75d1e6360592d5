/**
 * Committed alerts as Parquet files, in a folder or a bucket that is a Hive table with days as partitions:
 *
 *     dt=2026-01-31/alerts-0-0000000000000100-0000000000000250.parquet     partition 0, offsets 100 to 249
 *     _stakeout/alerts-0/0000000000000100                                  claims; readers of tables pass over what begins with _
 *
 * How each alert comes to be in exactly one file, step by step:
 *
 * 1. Alerts of a partition are collected, until there are enough or the first of them, at offset `a`, is old enough; then `b` is the
 *    next offset. So where a slice begins follows from where the one before it ended. A crash so far: the committed offset is at most
 *    `a`; the same is read again.
 * 2. `a` is claimed: an object named by it, that says `b`, is made unless there is one. If there is one, another member was
 *    first (or we, before a crash): its `b` holds, and what lies behind it is collected on. A crash after it: who comes next finds the claim.
 * 3. For each day a file is written under a name that follows from partition, `a` and `b`, with contents that follow from
 *    the records in between: whole or not at all, and the same however often and by whomever. A crash in the middle: who comes next reads the
 *    slice again, to the same `b`, and writes the same files.
 * 4. Offset `b` is committed. A crash before it: the claim is found, its files are written once more, unchanged.
 */
import type { Alert } from '../../runtime/ports/alert.js';
import type { Clock } from '../../runtime/ports/clock.js';
import { partitionName, type TopicPartition } from '../../runtime/ports/log.js';
import type { ClaimingStore } from '../../runtime/ports/object-store.js';
import type { CollectingSink, PlacedAlert } from '../../runtime/sinks/alert-sink.js';
import { alertFile, dayOf } from './alert-file.js';
import { Claims, padded, type Slice } from './claims.js';

export interface ParquetSinkOptions {
  readonly name: string;
  /** Opened when it is first needed; closed with the sink. */
  readonly open: () => Promise<ClaimingStore>;
  readonly clock: Clock;
  /** A file is finished at least so long after its first alert. */
  readonly everyMs: number;
  /** Or when there are so many alerts. */
  readonly rows: number;
}

/** What is collected of one partition. */
interface Collected {
  readonly claims: Claims;
  /** Slices that were claimed before, whose files may not all be there, in order. */
  readonly claimed: Slice[];
  /** Up to there everything is safe. */
  safe: number;
  /** Up to where records were taken. */
  to: number;
  alerts: PlacedAlert[];
  /** When the first of them came, by the clock. */
  since: number;
}

export class ParquetSink implements CollectingSink {
  readonly name: string;
  readonly flushAfterMs: number;
  private readonly partitions = new Map<string, Collected>();
  private store: Promise<ClaimingStore> | null = null;

  constructor(private readonly options: ParquetSinkOptions) {
    this.name = options.name;
    this.flushAfterMs = options.everyMs;
  }

  async prepare(): Promise<void> {
    await this.opened();
  }

  /** Throws `ObjectStoreError`. */
  async take(partition: TopicPartition, alerts: readonly PlacedAlert[], nextOffset: number): Promise<number> {
    const collected = await this.collectedOf(partition, alerts[0]?.offset ?? nextOffset);
    // After a failure the same comes again.
    const fresh = alerts.filter(({ offset }) => offset >= collected.to);
    if (collected.alerts.length === 0 && fresh.length > 0) collected.since = this.options.clock.now();
    collected.alerts.push(...fresh);
    collected.to = Math.max(collected.to, nextOffset);
    await this.finishClaimed(partition, collected);
    const age = this.options.clock.now() - collected.since;
    const isDue = collected.alerts.length >= this.options.rows || age >= this.options.everyMs;
    return this.finish(partition, collected, isDue);
  }

  async flush(partition: TopicPartition): Promise<number> {
    const collected = this.partitions.get(partitionName(partition));
    if (collected === undefined) return 0;
    await this.finishClaimed(partition, collected);
    return this.finish(partition, collected, true);
  }

  release(partition: TopicPartition): void {
    this.partitions.delete(partitionName(partition));
  }

  async close(): Promise<void> {
    await (await this.store?.catch(() => null))?.close();
  }

  private opened(): Promise<ClaimingStore> {
    this.store ??= this.options.open().catch((error: unknown) => {
      this.store = null;
      throw error;
    });
    return this.store;
  }

  private async collectedOf(partition: TopicPartition, from: number): Promise<Collected> {
    const name = partitionName(partition);
    let collected = this.partitions.get(name);
    if (collected === undefined) {
      const claims = new Claims(await this.opened(), partition);
      const claimed = [...(await claims.after(from))];
      collected = { claims, claimed, safe: from, to: from, alerts: [], since: 0 };
      this.partitions.set(name, collected);
    }
    return collected;
  }

  /** Writes the files of slices that were claimed before, as far as their records have come. */
  private async finishClaimed(partition: TopicPartition, collected: Collected): Promise<void> {
    for (
      let [slice] = collected.claimed;
      slice !== undefined && slice.to <= collected.to;
      [slice] = collected.claimed
    ) {
      await this.writeFiles(partition, slice, collected);
      collected.claimed.shift();
    }
  }

  private async finish(partition: TopicPartition, collected: Collected, isDue: boolean): Promise<number> {
    // Of a slice that was claimed before, the rest has not come yet: what is there of it waits for it.
    if (collected.claimed.length > 0) return collected.safe;
    const [first] = collected.alerts;
    if (first === undefined) collected.safe = collected.to;
    else if (isDue) {
      const slice = await collected.claims.claim({ from: first.offset, to: collected.to });
      if (slice.to > collected.to) collected.claimed.push(slice);
      else await this.writeFiles(partition, slice, collected);
      await collected.claims.prune();
    }
    return collected.safe;
  }

  private async writeFiles(partition: TopicPartition, slice: Slice, collected: Collected): Promise<void> {
    const inside = collected.alerts.filter(({ offset }) => offset >= slice.from && offset < slice.to);
    const days = Map.groupBy(
      inside.map(({ alert }): Alert => alert),
      dayOf,
    );
    const store = await this.opened();
    const file = `${partitionName(partition)}-${padded(slice.from)}-${padded(slice.to)}.parquet`;
    for (const [day, alerts] of days) await store.put(`dt=${day}/${file}`, alertFile(alerts));
    const written = new Set(inside);
    collected.alerts = collected.alerts.filter((placed) => !written.has(placed));
    collected.safe = slice.to;
    collected.since = this.options.clock.now();
  }
}
