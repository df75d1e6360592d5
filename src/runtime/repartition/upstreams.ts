import { partitionName } from '../ports/log.js';
import type { Envelope } from './envelope.js';

const NEVER = Number.NEGATIVE_INFINITY;

/** What is known of one partition of the source. JSON; `watermark` is `null` before there is one. */
export interface UpstreamState {
  readonly name: string;
  readonly watermark: number | null;
  readonly idle: boolean;
}

export interface UpstreamsState {
  readonly of: number;
  readonly known: readonly UpstreamState[];
}

/**
 * How far event time has come in all partitions of the source, as one partition of a repartition topic hears of it: the lowest
 * watermark of those that are not idle, once each of them was heard of (Flink: "Watermarks in parallel streams").
 */
export class Upstreams {
  private of = Number.POSITIVE_INFINITY;
  private readonly known = new Map<string, { watermark: number; idle: boolean }>();

  /** Takes in what a record says. An event says that all earlier ones of its partition have come. */
  hear(envelope: Envelope): void {
    this.of = Number.isFinite(this.of) ? Math.max(this.of, envelope.of) : envelope.of;
    const name = partitionName(envelope.from);
    const before = this.known.get(name)?.watermark ?? NEVER;
    const idle = envelope.kind === 'idle';
    const says = idle ? NEVER : envelope.kind === 'watermark' ? envelope.watermark : envelope.time - 1;
    this.known.set(name, { watermark: Math.max(before, says), idle });
  }

  /** Minus infinity: not all were heard of. Where all are idle, none holds the others back: the highest. */
  watermark(): number {
    if (this.known.size < this.of) return NEVER;
    let lowest = Number.POSITIVE_INFINITY;
    let highest = NEVER;
    for (const { watermark, idle } of this.known.values()) {
      if (!idle && watermark < lowest) lowest = watermark;
      if (watermark > highest) highest = watermark;
    }
    return lowest === Number.POSITIVE_INFINITY ? highest : lowest;
  }

  state(): UpstreamsState | null {
    if (this.known.size === 0) return null;
    const known = [...this.known].map(([name, { watermark, idle }]) => {
      return { name, watermark: Number.isFinite(watermark) ? watermark : null, idle };
    });
    return { of: this.of, known };
  }

  restore(state: UpstreamsState | null): void {
    if (state === null) return;
    this.of = state.of;
    for (const { name, watermark, idle } of state.known) this.known.set(name, { watermark: watermark ?? NEVER, idle });
  }
}
