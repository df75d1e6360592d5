import type { Envelope } from '../../repartition/envelope.js';
import { Upstreams, type UpstreamsState } from '../../repartition/upstreams.js';
import type { SourceEvent } from '../source-event.js';
import { OrderBuffer } from './order-buffer.js';

export interface EventClockOptions {
  /** `event-time`: events wait until the watermark passes them. `arrival`: processed at once, in order of arrival. */
  readonly mode: 'event-time' | 'arrival';
  /** How much later than the highest event time an event may still come, in ms. */
  readonly outOfOrdernessMs: number;
  /** Events are forwarded from partitions of another topic, which say how far they are; there is no out-of-orderness then. */
  readonly forwarded?: boolean;
  /** They were passed on by partitions of one such topic, which speak for all streams, and have told what features of other keys are. */
  readonly passedOn?: boolean;
}

/** What a cut keeps of the clock. */
export interface ClockState {
  readonly maxTime: number;
  readonly watermark: number;
  /** Of forwarded events: what is known of where they come from. */
  readonly upstreams: UpstreamsState | null;
}

const NEVER = Number.NEGATIVE_INFINITY;

/**
 * Event time of one partition, as Flink keeps it: after each event the watermark is the highest time so far, less the
 * out-of-orderness, less one. An event at or before the watermark is late.
 *
 * Invariants
 * 1. The watermark never falls; events leave in order of time, and within one time in order of arrival.
 * 2. What leaves depends on the events alone, not on when `drain` is called.
 */
export class EventClock {
  private readonly buffer = new OrderBuffer<SourceEvent>();
  private maxTime = NEVER;
  private current = NEVER;
  private readonly upstreams: Upstreams;

  /** `streams`: those whose events are forwarded. */
  constructor(
    private readonly options: EventClockOptions,
    streams: readonly string[] = [],
  ) {
    this.upstreams = new Upstreams(this.speaking(streams));
  }

  /** From here on events of these streams are forwarded. */
  readFrom(streams: readonly string[]): void {
    this.upstreams.readFrom(this.speaking(streams));
  }

  private speaking(streams: readonly string[]): readonly string[] {
    return this.options.passedOn === true ? [] : streams;
  }

  /** Event time up to which everything was let out; minus infinity before the first event. */
  get watermark(): number {
    return this.current;
  }

  get highestTime(): number {
    return this.maxTime;
  }

  get buffered(): number {
    return this.buffer.size;
  }

  /** Whether an event of this time would be late now. */
  isLate(time: number): boolean {
    return this.options.mode === 'event-time' && time <= this.current;
  }

  /** The time an event counts with: in arrival mode time never falls. */
  effectiveTime(time: number): number {
    return this.options.mode === 'arrival' && time < this.maxTime ? this.maxTime : time;
  }

  /** Takes an event that is not late, and moves the watermark. */
  accept(event: SourceEvent): void {
    this.buffer.add(event);
    if (event.time <= this.maxTime) return;
    this.maxTime = event.time;
    if (this.options.forwarded === true && this.options.mode === 'event-time') return;
    this.moveTo(this.options.mode === 'arrival' ? event.time : event.time - this.options.outOfOrdernessMs - 1);
  }

  /** Takes in what a forwarded record says of where it comes from. */
  hear(envelope: Envelope): void {
    if (this.options.mode === 'arrival') return;
    this.upstreams.hear(envelope);
    this.moveTo(this.upstreams.watermark());
  }

  /** Moves the watermark without an event: an idle partition's clock, or the end of a bounded input. */
  moveTo(watermark: number): void {
    if (watermark > this.current) this.current = watermark;
  }

  /** The next event that the watermark has passed; `null`: none. */
  next(): SourceEvent | null {
    return this.buffer.take(this.current);
  }

  /** Time of the earliest event that is held back; infinity: there is none. */
  nextTime(): number {
    return this.buffer.firstTime() ?? Number.POSITIVE_INFINITY;
  }

  /** Takes back an event that was held back before. */
  hold(event: SourceEvent): void {
    this.buffer.add(event);
  }

  /** All that is held back, in no order: for those who want few of them. */
  heldBackUnordered(): readonly SourceEvent[] {
    return this.buffer.all();
  }

  /** All that is held back, in order of arrival. */
  heldBack(): readonly SourceEvent[] {
    return this.buffer.all().sort((a, b) => a.offset - b.offset);
  }

  /** Lowest offset that is still held back, or `null`. */
  lowestOffset(): number | null {
    return this.buffer.lowestOffset();
  }

  state(): ClockState {
    return { maxTime: this.maxTime, watermark: this.current, upstreams: this.upstreams.state() };
  }

  restore(state: ClockState): void {
    this.maxTime = state.maxTime;
    this.current = state.watermark;
    this.upstreams.restore(state.upstreams);
  }
}
