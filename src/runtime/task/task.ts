import type { Match } from '../../engine/index.js';
import {
  decodeKeyState,
  type EventCodec,
  encodeKeyState,
  type KeyState,
  type KeyStateLayout,
  windowIdsOf,
  windowsFrom,
} from '../../engine/index.js';
import type { Rule } from '../../rules/rule.js';
import type { PartitionStatus } from '../detector.js';
import { type JournalPlace, START_OF_JOURNAL, type TickEntry } from '../journal/journal.js';
import type { RuleSetVersion } from '../journal/rule-set-version.js';
import type { Changes } from '../keys/change-list.js';
import type { Alert } from '../ports/alert.js';
import type { Clock } from '../ports/clock.js';
import { type DecodedRecord, DecodeFailure, type RecordDecoder } from '../ports/decoder.js';
import type { LogRecord, RecordBatch, TopicPartition } from '../ports/log.js';
import type { StateBatch, StateEntry } from '../ports/state-store.js';
import { decodeEnvelope } from '../repartition/envelope.js';
import type { Forwarder } from '../repartition/forwarder.js';
import type { StreamDefinition } from '../stream.js';
import { buildAlert, type RecordPlace } from './alert-builder.js';
import { type Cut, type CutEngine, encodeCut } from './cut.js';
import { Detection, type RestoredKey } from './detection.js';
import { eventCodec, outlineCodec } from './event-codec.js';
import { kindOf, missingIdentity, timeOf } from './interpret.js';
import { type Origins, originsAt, processedUpTo } from './origins.js';
import { SourceEvent } from './source-event.js';
import { stateKey } from './state-key.js';

/** What a task tells and gives out. While it replays, nothing is given out. */
export interface TaskOutput {
  onAlert(alert: Alert, recordKey: Uint8Array | null, traceparent: string | null): void;
  onDeadLetter(record: LogRecord, failure: DecodeFailure): void;
  onLate(record: LogRecord, eventTime: number, watermark: number): void;
  onMatch(rule: Rule): void;
  onRunsDropped(rule: Rule, key: string, runs: number): void;
  onMatchesDropped(rule: Rule, key: string, matches: number): void;
}

export interface TaskOptions {
  readonly partition: TopicPartition;
  readonly stream: StreamDefinition;
  readonly ruleSet: RuleSetVersion;
  readonly clock: Clock;
  readonly output: TaskOutput;
  /** Where its events go again, keyed otherwise. */
  readonly forwarder?: Forwarder | null;
  /** Most keys (for each key field) whose state is kept as objects. Changes no result. */
  readonly hotKeysMax?: number;
}

/** What belongs to one moment of a task; taken at once, written later. */
export interface TaskSnapshot {
  readonly position: number;
  /** Makes the bytes, in slices with a `turn` for other work between them: the states in it never change, so this can wait. */
  encode(turn: () => Promise<void>): Promise<StateBatch>;
  /** It could not be stored: what changed counts as changed again. */
  revert(): void;
}

const text = new TextEncoder();
const utf8 = new TextDecoder();
/** About a millisecond of encoding. */
const KEYS_PER_TURN = 64;

/**
 * One partition: decodes its records, orders them by event time, runs the rules, and builds the alerts.
 *
 * Invariants
 * 1. `position` is the offset after the last record that was taken in; all that follows from those records was given out.
 * 2. The alerts, and their order, depend on the records and the journal's entries alone, not on batches, restarts or the wall
 *    clock.
 */
export class Task {
  readonly partition: TopicPartition;
  private readonly detection: Detection;
  private readonly codec: EventCodec;
  private phase: PartitionStatus['phase'] = 'restoring';
  private position = 0;
  private endOffset = 0;
  /** While true, what is found is not given out: it was, before. */
  private muted = false;
  private lastRecordAt: number;
  private idle = false;
  private journal: JournalPlace = START_OF_JOURNAL;
  private origins: Origins | null = null;
  /** Ticks that took effect at or after `position`, when this partition was processed before. */
  private expected: readonly TickEntry[] = [];
  /** Keys that are stored under the rules before: the next snapshot takes their place. */
  private replaced: readonly Uint8Array[] = [];
  readonly decoder: RecordDecoder;

  constructor(private readonly options: TaskOptions) {
    const { topic, partition } = options.partition;
    this.partition = { topic, partition };
    const { ruleSet } = options;
    this.decoder = ruleSet.decoder;
    this.lastRecordAt = options.clock.now();
    this.codec = eventCodec((raw, offset) => {
      const decoded = ruleSet.decoder.decode(
        { offset, timestamp: 0, key: null, value: raw, headers: null },
        options.partition,
      );
      if (decoded instanceof DecodeFailure)
        throw new Error(`state holds a record that cannot be read: ${decoded.detail}`);
      return { kind: kindOf(decoded, options.stream), fields: decoded.fields };
    });
    this.detection = new Detection(
      ruleSet.rules,
      ruleSet.clock,
      {
        onMatch: (rule, key, match, at, trigger) => this.matched(rule, key, match, at, trigger),
        ...(options.forwarder ? { onProcessed: (event: SourceEvent) => this.forward(event) } : {}),
        onRunsDropped: (rule, key, runs) => options.output.onRunsDropped(rule, key, runs),
        onMatchesDropped: (rule, key, matches) => options.output.onMatchesDropped(rule, key, matches),
      },
      {
        kindParents: options.stream.kindParents,
        codec: this.codec,
        ...ruleSet.options,
        hotKeysMax: options.hotKeysMax,
      },
    );
  }

  get nextOffset(): number {
    return this.position;
  }

  get isLive(): boolean {
    return this.phase === 'live';
  }

  /** Sets where a task without state begins. */
  beginAt(position: number): void {
    this.position = position;
  }

  goLive(): void {
    this.phase = 'live';
    this.lastRecordAt = this.options.clock.now();
  }

  /** Processes records that were processed before a restart: state follows, nothing is given out. */
  async replay(batch: RecordBatch, signal: AbortSignal): Promise<void> {
    this.muted = true;
    try {
      await this.process(batch, signal);
    } finally {
      this.muted = false;
    }
  }

  /** Everything before `position` was replayed; ticks that took effect there are repeated, by default with nothing given out. */
  replayedTo(position: number, muted = true): void {
    this.position = position;
    this.muted = muted;
    this.repeatTicks();
    this.muted = false;
  }

  /** Takes in the records of a batch, in order, and processes all that the watermark has passed. */
  async process(batch: RecordBatch, signal: AbortSignal): Promise<void> {
    const prepared = this.decoder.prepare(batch.records, signal);
    if (prepared !== undefined) await prepared;
    for (const record of batch.records) {
      if (this.expected.length > 0) this.repeatTicks(record.offset);
      this.takeIn(record);
    }
    this.repeatTicks(batch.nextOffset);
    this.detection.drain();
    this.position = batch.nextOffset;
    this.endOffset = Math.max(batch.endOffset, batch.nextOffset);
    if (batch.records.length > 0) {
      this.lastRecordAt = this.options.clock.now();
      this.idle = false;
    }
  }

  /** Takes records back into the order buffer that a cut had left there: those above its watermark. */
  async refill(batch: RecordBatch, signal: AbortSignal): Promise<void> {
    const prepared = this.decoder.prepare(batch.records, signal);
    if (prepared !== undefined) await prepared;
    for (const record of batch.records) {
      const event = this.interpret(record);
      if (event !== null && !(event instanceof DecodeFailure) && this.lateAfter(event, record) === null)
        this.detection.clock.accept(event);
    }
  }

  /**
   * Where the clock of a partition stands that has had no record for `idleAfterMs`: as far on as time has passed since. `null`: it
   * is not idle, or nothing waits for that time, so that it need not be told.
   */
  dueTick(): number | null {
    const { clock, stream, ruleSet, forwarder } = this.options;
    const quietMs = clock.now() - this.lastRecordAt;
    const atEnd = this.phase === 'live' && this.position >= this.endOffset;
    const ownTime = ruleSet.clock.mode === 'event-time' && ruleSet.clock.forwarded !== true;
    if (stream.idleAfterMs === 0 || !atEnd || quietMs < stream.idleAfterMs || !ownTime) return null;
    this.idle = true;
    const { highestTime, watermark } = this.detection.clock;
    if (!Number.isFinite(highestTime)) return null;
    const moved = highestTime + quietMs - ruleSet.clock.outOfOrdernessMs - 1;
    if (moved > watermark && this.detection.nextDue() <= moved) return moved;
    return forwarder?.tickTo(moved, watermark, highestTime) ?? null;
  }

  /** Tells those who read the events that are forwarded how far event time has come, where that is news. */
  tellDownstream(): void {
    const { watermark, highestTime } = this.detection.clock;
    this.options.forwarder?.tell(watermark, highestTime, this.idle);
  }

  /** The entry of the journal for a tick at this position, and for the state after it. `given`: see `TickEntry`. */
  tickEntry(watermark: number, given: boolean): TickEntry {
    return { kind: 'tick', n: this.journal.n + 1, offset: this.position, watermark, given };
  }

  /** Moves the clock, and processes all that the watermark has passed. */
  tick({ n, watermark }: TickEntry): void {
    this.detection.drain();
    this.detection.clock.moveTo(watermark);
    this.detection.drain();
    this.followed({ ...this.journal, n });
  }

  /** Entries of the journal up to here are in the state. */
  followed(journal: JournalPlace): void {
    this.journal = journal;
  }

  get followedTo(): JournalPlace {
    return this.journal;
  }

  /** Ticks that are to be repeated where they took effect; in order, none before `nextOffset`. */
  expectTicks(ticks: readonly TickEntry[]): void {
    this.expected = ticks;
  }

  /** Repeats the ticks that took effect at or before an offset. */
  repeatTicks(offset: number = this.position): void {
    while (this.expected.length > 0 && this.expected[0]!.offset <= offset) {
      const [next, ...rest] = this.expected;
      this.expected = rest;
      this.tick(next!);
    }
  }

  /** The broker was away: the quiet was not the partition's. */
  wakeUp(): void {
    this.lastRecordAt = this.options.clock.now();
  }

  /** Keys that changed since the last snapshot. */
  get keysChanged(): number {
    return this.detection.engines.reduce((sum, engine) => sum + engine.keysChanged, 0);
  }

  /** Everything that changed since the last snapshot, as of now. `rules`: what is in force from here on. */
  snapshot(rules: string = this.options.ruleSet.digest): TaskSnapshot {
    const { engines, clock } = this.detection;
    const changed = engines.map((engine) => engine.takeDirty());
    const { replaced } = this;
    this.replaced = [];
    const cut: Cut = {
      ...this.detection.state(),
      position: this.position,
      refill: clock.lowestOffset() ?? this.position,
      journal: this.journal,
      rules,
      origins: originsAt(this.origins, clock.watermark),
      engines: this.layout(),
    };
    return {
      position: this.position,
      encode: (turn) => this.encode(cut, changed, replaced, turn),
      revert: () => {
        for (const keys of changed) keys.revert();
        if (replaced.length > 0) this.replaced = replaced;
      },
    };
  }

  /**
   * Restores a cut and its keys. Their schemas must be known to the decoder. Says whether what is stored still has the
   * layout of today's rules; if not, the next snapshot holds every key, and takes the place of all that is stored.
   */
  restore(cut: Cut, entries: Iterable<StateEntry>): boolean {
    const current = JSON.stringify(cut.engines) === JSON.stringify(this.layout());
    this.putBack(cut, entries, !current);
    return current;
  }

  /** More entries of the cut that was restored, where they come bit by bit; as if `restore` had been given them. */
  restoreMore(cut: Cut, entries: Iterable<StateEntry>, isCurrent: boolean): void {
    this.detection.restoreKeys(this.storedKeys(cut, entries, !isCurrent));
  }

  /** Restores a cut that is not stored. The next snapshot holds every key, and takes the place of what is stored: these keys. */
  takeOver(cut: Cut, entries: Iterable<StateEntry>, stored: readonly Uint8Array[]): void {
    this.putBack(cut, entries, true);
    this.replaced = stored;
  }

  private putBack(cut: Cut, entries: Iterable<StateEntry>, countAsChanged: boolean): void {
    this.detection.restore(cut, this.storedKeys(cut, entries, countAsChanged));
    this.origins = cut.origins;
    this.position = cut.position;
    this.journal = cut.journal;
  }

  status(): PartitionStatus {
    const { watermark, highestTime, buffered } = this.detection.clock;
    return {
      ...this.partition,
      phase: this.phase,
      position: this.position,
      endOffset: this.endOffset,
      watermark: Number.isFinite(watermark) ? watermark : null,
      maxEventTime: Number.isFinite(highestTime) ? highestTime : null,
      idle: this.idle,
      keys: this.detection.keys,
      runs: this.detection.runs,
      buffered,
      memory: this.detection.memory(),
    };
  }

  /** One after the other, so that those which will be cold are never all objects at once. */
  private *storedKeys(cut: Cut, entries: Iterable<StateEntry>, countAsChanged: boolean): Generator<RestoredKey> {
    const layouts = cut.engines.map((e) => this.layoutOf(e));
    for (const { key, value } of entries) {
      const { engine, name } = stateKey.parse(key);
      const target = layouts[engine];
      if (target === undefined || target === null) continue;
      const keyed = this.detection.engines[target.engine]!;
      const state = decodeKeyState(value, keyed.ruleSet, countAsChanged ? this.codec : outlineCodec, target.layout);
      if (state === undefined) continue;
      const passed = cut.origins === null ? cut.watermark : processedUpTo(cut.origins, name);
      const restored = { engine: target.engine, key: name, state, watermark: Math.max(cut.watermark, passed) };
      yield countAsChanged ? restored : { ...restored, bytes: value };
      if (countAsChanged) keyed.markDirty([name]);
    }
  }

  private layout(): CutEngine[] {
    return this.detection.engines.map((e) => ({
      keyField: e.keyField,
      rules: e.rules.map((r) => ({ id: r.id, revision: r.revision })),
      windows: windowIdsOf(e.ruleSet),
    }));
  }

  /** The watermark that the event is behind; `null`: it is not late. */
  private lateAfter(event: SourceEvent, record: LogRecord): number | null {
    const { watermark } = this.detection.clock;
    if (this.detection.clock.isLate(event.time)) return watermark;
    this.origins = originsAt(this.origins, watermark);
    if (this.origins === null) return null;
    const { keyField } = this.options.stream;
    const key = keyField === null ? record.key && utf8.decode(record.key) : event.fields[keyField];
    if (key === null || key === undefined) return null;
    const passed = processedUpTo(this.origins, String(key));
    return event.time <= passed ? passed : null;
  }

  private takeIn(record: LogRecord): void {
    const event = this.interpret(record);
    const { output, ruleSet } = this.options;
    if (event instanceof DecodeFailure) {
      if (!this.muted) output.onDeadLetter(record, event);
      return;
    }
    const { clock } = this.detection;
    const passed = event === null ? null : this.lateAfter(event, record);
    if (event !== null && passed === null) clock.accept(event);
    else if (event !== null && passed !== null && !this.muted) output.onLate(record, event.time, passed);
    if (ruleSet.clock.forwarded === true) clock.hear(decodeEnvelope(record.value!)!);
  }

  /** `null`: it is no event, but says how far event time has come where the events are from. */
  private interpret(record: LogRecord): SourceEvent | DecodeFailure | null {
    if (record.value === null) return new DecodeFailure('empty-value', 'the record has no value');
    return this.options.ruleSet.clock.forwarded === true
      ? this.interpretForwarded(record, record.value)
      : this.interpretOwn(record, record.value);
  }

  private interpretForwarded(record: LogRecord, value: Uint8Array): SourceEvent | DecodeFailure | null {
    const envelope = decodeEnvelope(value);
    if (envelope === null) return new DecodeFailure('malformed', 'this is no record that stakeout forwarded');
    if (envelope.kind !== 'event') return null;
    const decoded = this.decoder.decode(record, this.partition);
    return decoded instanceof DecodeFailure ? decoded : this.eventOf(record, value, decoded, envelope.time);
  }

  private interpretOwn(record: LogRecord, value: Uint8Array): SourceEvent | DecodeFailure {
    const { stream } = this.options;
    const decoded = this.decoder.decode(record, this.partition);
    if (decoded instanceof DecodeFailure) return decoded;
    const missing = missingIdentity(decoded, stream);
    if (missing !== null) return missing;
    const time = timeOf(decoded, record.timestamp, stream);
    return time instanceof DecodeFailure ? time : this.eventOf(record, value, decoded, time);
  }

  private eventOf(record: LogRecord, value: Uint8Array, decoded: DecodedRecord, time: number): SourceEvent {
    const traceparent = record.headers?.get('traceparent');
    return new SourceEvent(
      this.detection.clock.effectiveTime(time),
      kindOf(decoded, this.options.stream),
      decoded.fields,
      record.offset,
      value,
      traceparent === undefined ? null : new TextDecoder().decode(traceparent),
    );
  }

  private forward(event: SourceEvent): void {
    if (!this.muted) this.options.forwarder?.forward(event);
  }

  /** An event that was forwarded is told of by where it was first. */
  private placeOf(event: SourceEvent): RecordPlace {
    if (this.options.ruleSet.clock.forwarded === true) {
      const envelope = decodeEnvelope(event.raw);
      if (envelope?.kind === 'event') return { ...envelope.from, offset: envelope.offset };
    }
    return { ...this.partition, offset: event.offset };
  }

  private matched(rule: Rule, key: string, match: Match, at: number, trigger: SourceEvent | null): void {
    if (this.muted) return;
    const { output, stream } = this.options;
    output.onMatch(rule);
    const alert = buildAlert(rule, key, match, at, {
      placeOf: (event) => this.placeOf(event),
      idFieldOf: () => stream.idField,
      decodeWhole: ({ raw }) => {
        const whole = this.decoder.decodeWhole(raw);
        return whole instanceof DecodeFailure ? {} : whole;
      },
    });
    output.onAlert(alert, text.encode(key), trigger?.traceparent ?? null);
  }

  private async encode(
    cut: Cut,
    changed: readonly Changes<KeyState | Uint8Array>[],
    replaced: readonly Uint8Array[],
    turn: () => Promise<void>,
  ): Promise<StateBatch> {
    const puts: StateEntry[] = [];
    const deletes: Uint8Array[] = [...replaced];
    let sinceTurn = 0;
    for (const [engine, keys] of changed.entries()) {
      for (const [name, state] of keys) {
        const key = stateKey.make(engine, name);
        if (state === undefined) deletes.push(key);
        else
          puts.push({
            key,
            value:
              state instanceof Uint8Array
                ? state
                : encodeKeyState(state, this.detection.engines[engine]!.ruleSet, this.codec),
          });
        if (++sinceTurn % KEYS_PER_TURN === 0) await turn();
      }
    }
    return { position: cut.position, cut: encodeCut(cut), puts, deletes };
  }

  /** Where the slots of a stored engine are now; a rule that is gone or changed maps to nothing. */
  private layoutOf(stored: CutEngine): { engine: number; layout: KeyStateLayout } | null {
    const engine = this.detection.engines.findIndex((e) => e.keyField === stored.keyField);
    if (engine < 0) return null;
    const { rules: now, ruleSet } = this.detection.engines[engine]!;
    const slots = stored.rules.map((old) => {
      const slot = now.findIndex((rule) => rule.id === old.id && rule.revision === old.revision);
      return slot < 0 ? undefined : slot;
    });
    const layout = { slot: (written: number) => slots[written], windows: windowsFrom(ruleSet, stored.windows) };
    return { engine, layout };
  }
}
