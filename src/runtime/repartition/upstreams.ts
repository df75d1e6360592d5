import { partitionName } from '../ports/log.js';
import type { Envelope } from './envelope.js';

const NEVER = Number.NEGATIVE_INFINITY;

/** What is known of one partition of the source. JSON; `watermark` is `null` before there is one. */
export interface UpstreamState {
  readonly name: string;
  readonly watermark: number | null;
  readonly idle: boolean;
}

/** Of one stream. */
export interface StreamState {
  readonly of: number;
  readonly known: readonly UpstreamState[];
}

/** The first stream's, which is all there is where events are of one stream. */
export interface UpstreamsState extends StreamState {
  /** Of the others, by name. */
  readonly others?: Readonly<Record<string, StreamState>>;
}

/**
 * How far event time has come in all partitions of the sources, as one partition of a repartition topic hears of it: the lowest
 * watermark of those that are not idle, once each of them was heard of (Flink: "Watermarks in parallel streams").
 */
export class Upstreams {
  private readonly byStream = new Map<string, StreamUpstreams>();

  /** `streams`: those whose events come. Of one stream alone its name does not matter. */
  constructor(private streams: readonly string[] = []) {}

  /** From here on events come of these streams. What is known of others is kept: they may come again. */
  readFrom(streams: readonly string[]): void {
    this.streams = streams;
  }

  /** Takes in what a record says. An event says that all earlier ones of its partition have come. */
  hear(envelope: Envelope): void {
    this.ofStream(this.nameOf(envelope.stream)).hear(envelope);
  }

  /** Minus infinity: not all were heard of. Where all are idle, none holds the others back: the highest. */
  watermark(): number {
    let lowest = Number.POSITIVE_INFINITY;
    let highest = NEVER;
    for (const name of this.names()) {
      const stream = this.byStream.get(name);
      if (stream === undefined || !stream.isComplete) return NEVER;
      lowest = Math.min(lowest, stream.lowest());
      highest = Math.max(highest, stream.highest());
    }
    return lowest === Number.POSITIVE_INFINITY ? highest : lowest;
  }

  state(): UpstreamsState | null {
    if (this.byStream.size === 0) return null;
    const first = this.nameOf(null);
    const others = [...this.byStream].filter(([name]) => name !== first).map(([name, own]) => [name, own.state()]);
    return {
      ...this.ofStream(first).state(),
      ...(others.length === 0 ? {} : { others: Object.fromEntries(others) }),
    };
  }

  restore(state: UpstreamsState | null): void {
    if (state === null) return;
    this.ofStream(this.nameOf(null)).restore(state);
    for (const [name, own] of Object.entries(state.others ?? {})) this.ofStream(name).restore(own);
  }

  private names(): readonly string[] {
    return this.streams.length > 1 ? this.streams : [ONLY];
  }

  private nameOf(stream: string | null): string {
    return this.streams.length > 1 ? (stream ?? this.streams[0]!) : ONLY;
  }

  private ofStream(name: string): StreamUpstreams {
    const known = this.byStream.get(name) ?? new StreamUpstreams();
    this.byStream.set(name, known);
    return known;
  }
}

/** Stands for the name of the only stream. */
const ONLY = '';

class StreamUpstreams {
  private of = Number.POSITIVE_INFINITY;
  private readonly known = new Map<string, { watermark: number; idle: boolean }>();

  get isComplete(): boolean {
    return this.known.size >= this.of;
  }

  hear(envelope: Envelope): void {
    this.of = Number.isFinite(this.of) ? Math.max(this.of, envelope.of) : envelope.of;
    const name = partitionName(envelope.from);
    const before = this.known.get(name)?.watermark ?? NEVER;
    const idle = envelope.kind === 'idle';
    const says = idle ? NEVER : envelope.kind === 'watermark' ? envelope.watermark : envelope.time - 1;
    this.known.set(name, { watermark: Math.max(before, says), idle });
  }

  /** Of those that are not idle; infinity: all are. */
  lowest(): number {
    let lowest = Number.POSITIVE_INFINITY;
    for (const { watermark, idle } of this.known.values()) if (!idle && watermark < lowest) lowest = watermark;
    return lowest;
  }

  highest(): number {
    let highest = NEVER;
    for (const { watermark } of this.known.values()) if (watermark > highest) highest = watermark;
    return highest;
  }

  /** JSON has no infinity: a stream that nothing was heard of has `of` 0 and nothing known. */
  state(): StreamState {
    const known = [...this.known].map(([name, { watermark, idle }]) => {
      return { name, watermark: Number.isFinite(watermark) ? watermark : null, idle };
    });
    return { of: Number.isFinite(this.of) ? this.of : 0, known };
  }

  restore({ of, known }: StreamState): void {
    if (known.length === 0) return;
    this.of = of;
    for (const { name, watermark, idle } of known) this.known.set(name, { watermark: watermark ?? NEVER, idle });
  }
}
