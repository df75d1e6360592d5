import type { OutgoingRecord, TopicPartition } from '../ports/log.js';
import type { SourceEvent } from '../task/source-event.js';
import { decodeEnvelope, type Envelope, encodeEnvelope, originOf } from './envelope.js';
import { encodeTold } from './told.js';

/** Where events go by one key. */
export interface ForwardTarget {
  /** The keys that an event counts for: it goes there once for each. */
  readonly keysOf: (event: SourceEvent) => readonly string[];
  readonly topic: string;
  readonly partitions: number;
  /** Names of the streams whose events go there. Absent: all. */
  readonly streams?: ReadonlySet<string>;
  /** Features are counted there, and all events passed on: those without the key go there too, for nobody. */
  readonly passesOn?: boolean;
}

export interface ForwarderOptions {
  readonly from: TopicPartition;
  readonly stream: string;
  /** Events were forwarded to here, and are passed on with what was told of them. */
  readonly passesOn?: boolean;
  /** Partitions of the stream in all. */
  readonly of: number;
  readonly targets: readonly ForwardTarget[];
  /**
   * How long after the last event something may wait downstream for time to pass, in ms: as long the clock of an idle partition
   * is moved on, and told.
   */
  readonly horizonMs: number;
  /** Writes in the transaction of the offsets that follow. */
  readonly send: (record: OutgoingRecord) => void;
}

/** Ticks that serve those downstream alone are no closer than this. */
const TICK_MS = 1000;
const text = new TextEncoder();

/** Writes the events of one partition again, to topics that are keyed otherwise, with how far its event time has come. */
export class Forwarder {
  private told = Number.NEGATIVE_INFINITY;
  private toldIdle = false;

  constructor(private readonly options: ForwarderOptions) {}

  /** Events come in order of event time. One without a key has no part in the rules that are keyed so. */
  forward(event: SourceEvent): void {
    const { targets, send } = this.options;
    let value: Uint8Array | null = null;
    for (const target of targets) {
      const { topic } = target;
      for (const key of this.keysFor(target, event)) {
        value ??= this.envelopeOf(event);
        const headers =
          event.traceparent === null ? {} : { headers: new Map([['traceparent', text.encode(event.traceparent)]]) };
        send({ topic, key: Buffer.from(key), value, ...headers });
      }
    }
  }

  private keysFor({ keysOf, streams, passesOn }: ForwardTarget, event: SourceEvent): readonly string[] {
    if (streams?.has(event.stream!) === false) return [];
    const keys = keysOf(event);
    return keys.length === 0 && passesOn === true ? [String(event.offset)] : keys;
  }

  private envelopeOf({ offset, time, raw, told }: SourceEvent): Uint8Array {
    const { from, of, stream, passesOn } = this.options;
    const before = passesOn === true ? decodeEnvelope(raw) : null;
    if (before?.kind !== 'event') return encodeEnvelope({ kind: 'event', from, of, stream, offset, time, raw });
    const own = { from, of, offset, time, origin: originOf(before), told: encodeTold(told) };
    return encodeEnvelope({ kind: 'event', stream: before.stream, raw: before.raw, ...own });
  }

  /** Tells all downstream how far this partition is, where that is news. `quiet`: it is idle, in wall-clock time. */
  tell(watermark: number, highestTime: number, quiet: boolean): void {
    const { from, of, stream } = this.options;
    const idle = quiet && !(watermark < this.endOf(highestTime));
    if (Number.isFinite(watermark) && (watermark > this.told || (this.toldIdle && !idle))) {
      this.broadcast({ kind: 'watermark', from, of, stream, watermark });
      this.told = watermark;
      this.toldIdle = false;
    }
    if (idle && !this.toldIdle) this.broadcast({ kind: 'idle', from, of, stream });
    this.toldIdle = idle;
  }

  /** Where an idle partition's clock is to be moved for those downstream; `null`: nowhere, or not yet. `now`: where it could be. */
  tickTo(now: number, watermark: number, highestTime: number): number | null {
    const end = this.endOf(highestTime);
    const moved = Math.min(now, end);
    return moved > watermark && (moved === end || moved - watermark >= TICK_MS) ? moved : null;
  }

  private endOf(highestTime: number): number {
    return highestTime + this.options.horizonMs;
  }

  private broadcast(envelope: Envelope): void {
    const value = encodeEnvelope(envelope);
    for (const { topic, partitions } of this.options.targets) {
      for (let partition = 0; partition < partitions; partition++)
        this.options.send({ topic, partition, key: null, value });
    }
  }
}
