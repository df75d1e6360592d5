import type { EventCodec, Match } from '../../engine/index.js';
import type { Rule } from '../../rules/rule.js';
import type { PartitionStatus } from '../detector.js';
import { type JournalPlace, START_OF_JOURNAL, type TickEntry } from '../journal/journal.js';
import { countsFor, differsInLists, type RuleSetVersion, readsNoMore } from '../journal/rule-set-version.js';
import { fillingRules, rulesToFill } from '../journal/rules-to-fill.js';
import { ListsInForce } from '../lists/reference-lists.js';
import { DecodeFailure, type RecordDecoder } from '../ports/decoder.js';
import { EntryBlock } from '../ports/entry-block.js';
import type { LogRecord, RecordBatch, RecordPlace, TopicPartition } from '../ports/log.js';
import type { StateEntry } from '../ports/state-store.js';
import { decodeEnvelope, firstPlaceOf } from '../repartition/envelope.js';
import type { Forwarder } from '../repartition/forwarder.js';
import { type AlertSource, buildAlert } from './alert/alert-builder.js';
import { buildNearMiss } from './alert/near-miss.js';
import { isInCanary } from './canary.js';
import type { Considering } from './consider-record.js';
import { Detection } from './detection.js';
import { EventReader } from './event-reader.js';
import { kindOf } from './interpret.js';
import { reachOf } from './keyed/key-freezer.js';
import type { KeyedEngineOptions } from './keyed/keyed-options.js';
import { type RecordedEvent, SourceEvent } from './source-event.js';
import type { Cut } from './stored/cut.js';
import { encodeChanges } from './stored/encode-changes.js';
import { eventCodec, outlineCodec } from './stored/event-codec.js';
import { KeyRestorer } from './stored/key-restorer.js';
import { type Origins, originsAt, processedUpTo } from './stored/origins.js';
import { StoredLayouts } from './stored/stored-layouts.js';
import { SILENT, type TaskOptions, type TaskSnapshot } from './task-options.js';
import { TaskStreams } from './task-streams.js';

export * from './task-options.js';

const [text, utf8] = [new TextEncoder(), new TextDecoder()];
/** Slots that are looked at in one go while keys go over to other rules: about a millisecond. */
const SLOTS_HANDED_OVER = 64;

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
  private readonly alertSource: AlertSource = {
    placeOf: (event) => this.placeOf(event),
    idFieldOf: (event) => this.streams.named(event.stream).idField,
    decodeWhole: ({ raw }) => {
      const whole = this.decoder.decodeWhole(raw);
      return whole instanceof DecodeFailure ? {} : whole;
    },
    ...{ lists: () => this.lists, pseudonyms: () => this.options.pseudonyms },
  };
  private ruleSet: RuleSetVersion;
  private codec: EventCodec;
  private readonly layouts: StoredLayouts;
  private forwarder: Forwarder | null;
  private readonly streams: TaskStreams;
  private readonly reader: EventReader;
  private phase: PartitionStatus['phase'] = 'restoring';
  private position = 0;
  private endOffset = 0;
  /** While true, what is found is not given out: it was, before. */
  private muted = false;
  private lastRecordAt: number;
  private recordTime: number | null = null;
  private idle = false;
  private journal: JournalPlace = START_OF_JOURNAL;
  private origins: Origins | null = null;
  /** Ticks that took effect at or after `position`, when this partition was processed before. */
  private expected: readonly TickEntry[] = [];
  /** Keys that are stored under the rules before: the next snapshot takes their place. */
  private replaced: Uint8Array[] = [];
  private restorer: KeyRestorer | null = null;
  /** Keys are on their way to the engines of now. */
  private handsOver = false;
  private isFilled = false;
  /** What conditions ask, of other partitions of the thread too: see `asksItsLists`. */
  private readonly lists: ListsInForce;

  constructor(private readonly options: TaskOptions) {
    const { topic, partition } = options.partition;
    this.partition = { topic, partition };
    this.ruleSet = options.ruleSet;
    this.forwarder = options.forwarder ?? null;
    this.lastRecordAt = options.clock.now();
    this.streams = new TaskStreams(options.stream, options.streams, () => this.ruleSet.definitions);
    this.reader = new EventReader(this.partition, this.streams, {
      ruleSet: () => this.ruleSet,
      effectiveTime: (time) => this.detection.clock.effectiveTime(time),
    });
    this.codec = this.codecFor(options.ruleSet);
    this.lists = options.compilers?.lists ?? new ListsInForce();
    this.detection = new Detection(
      options.ruleSet.rules,
      options.ruleSet.clock,
      {
        onMatch: (rule, key, match, at, trigger) => this.matched(rule, key, match, at, trigger),
        onNearMiss: (rule, key, nearMiss) => {
          if (this.muted || !isInCanary(rule, key)) return;
          const record = buildNearMiss(rule, key, nearMiss, this.alertSource);
          options.output.onNearMiss?.(record, text.encode(record.key));
        },
        onRunsDropped: (rule, key, runs) => options.output.onRunsDropped(rule, key, runs),
        onMatchesDropped: (rule, key, matches) => options.output.onMatchesDropped(rule, key, matches),
        onQuarantined: (stopped) => options.output.onQuarantined?.(stopped),
        placeOf: (event) => this.placeOf(event as RecordedEvent),
      },
      this.engineOptions(),
    );
    this.layouts = new StoredLayouts(this.detection.engines);
    this.forwardTo(this.forwarder);
  }

  private engineOptions(): KeyedEngineOptions {
    const streams = this.ruleSet.streams ?? [this.streams.own.name];
    const [kindParents, { hotKeysMax, compilers, spill }] = [this.streams.kindParents(streams), this.options];
    const rules = { kindParents, ...this.ruleSet.options, lists: this.lists, countsFor: countsFor(this.ruleSet) };
    const own = { codec: this.codec, outline: outlineCodec, hotKeysMax, streams, ...(spill && { spill }) };
    return { ...rules, ...own, ...(compilers && { compiler: compilers.of(rules) }) };
  }

  /** Its partition was given up: what it holds elsewhere than in memory is, too. */
  readonly close = (): void => this.detection.close();

  private codecFor({ decoder }: RuleSetVersion): EventCodec {
    const { partition } = this.options;
    return eventCodec((raw, offset) => {
      const decoded = decoder.decode({ offset, timestamp: 0, key: null, value: raw, headers: null }, partition);
      if (decoded instanceof DecodeFailure)
        throw new Error(`state holds a record that cannot be read: ${decoded.detail}`);
      const stream = this.streams.ofRecord(raw, this.ruleSet.clock.forwarded === true);
      return { kind: kindOf(decoded, stream), fields: decoded.fields, stream: stream.name };
    });
  }

  get decoder(): RecordDecoder {
    return this.ruleSet.decoder;
  }

  /** The rules that are in force from `nextOffset` on. */
  get rules(): RuleSetVersion {
    return this.ruleSet;
  }

  /**
   * Goes on under other rules, from `nextOffset` on. What is known goes over to them bit by bit while events are processed, so that
   * this call is short; the outcome is that of a state that was stored here and put back under the other rules. What went over to the
   * rules until now must all have arrived. `filled`: has replayed the past up to here (`fillerFor`); its rules go on with what it knows.
   * `muted`: it is a replay, and what event time may find on the way there was given out before.
   */
  switchTo(ruleSet: RuleSetVersion, filled: Task | null = null, muted = false): void {
    if (this.handsOver) throw new Error('what is known has not all gone over to the rules until now');
    this.muted = muted;
    if (filled !== null) this.meet(filled);
    this.muted = false;
    const ids = new Set(rulesToFill(ruleSet, this.ruleSet).map(({ id }) => id));
    const readsSame = readsNoMore(ruleSet, this.ruleSet);
    const onlyLists = differsInLists(this.ruleSet, ruleSet);
    this.ruleSet = ruleSet;
    if (onlyLists) return;
    this.codec = this.codecFor(ruleSet);
    const after = this.detection.succeed(ruleSet.rules, ruleSet.clock, this.engineOptions(), {
      ...{ below: this.position, readsSame, filled: filled && { by: filled.detection, ids } },
      refresh: (event) => this.reader.readAnew(event),
    });
    this.layouts.succeed(this.detection.engines, after);
    this.handsOver = true;
    this.isFilled = filled !== null;
  }

  /** What was filled must have been filled up to here, in event time too. */
  private meet(filled: Task): void {
    if (filled.position !== this.position) throw new Error('the past was not replayed up to here');
    // The past may have begun earlier there than it did here. No event may count twice.
    this.moveTo(filled.detection.clock.watermark);
    filled.moveTo(this.detection.clock.watermark);
  }

  private moveTo(watermark: number): void {
    this.asksItsLists();
    this.detection.clock.moveTo(watermark);
    this.detection.drain();
  }

  /**
   * A task that replays the past for the rules that are to be filled when this one goes over to these, and gives nothing out; `null`:
   * there are none.
   */
  fillerFor(ruleSet: RuleSetVersion): Task | null {
    const rules = fillingRules(ruleSet, this.ruleSet);
    if (rules.length === 0) return null;
    return new Task({ ...this.options, ruleSet: { ...ruleSet, rules }, output: SILENT, forwarder: null });
  }

  /** How long before an event others can matter to the rules, in ms of event time. */
  get reachMs(): number {
    return Math.max(0, ...this.detection.engines.map(({ ruleSet }) => reachOf(ruleSet)));
  }

  /** Event times of records, as far as they can be read. */
  async timesOf(batch: RecordBatch, signal: AbortSignal): Promise<readonly number[]> {
    await this.decoder.prepare(batch.records, signal);
    return batch.records
      .map((record) => this.reader.read(record))
      .flatMap((event) => (event instanceof SourceEvent ? event.time : []));
  }

  /**
   * Keys are on their way from a task that was filled, where no cut finds them: none may be taken until they have arrived.
   */
  get waitsForKeys(): boolean {
    return this.handsOver && this.isFilled;
  }

  /** Has some more of what is known go over to the rules of now; says whether all has. */
  handOver(slots = this.options.handedOverAtOnce ?? SLOTS_HANDED_OVER): boolean {
    this.asksItsLists();
    if (this.handsOver) this.handsOver = !this.detection.handOver(slots);
    return !this.handsOver;
  }

  /** To be called before conditions are evaluated, with nothing awaited in between: partitions may be at different versions of a list. */
  private asksItsLists(): void {
    this.lists.become(this.ruleSet.options.lists);
  }

  /** Where its events go again, keyed otherwise, from here on. */
  forwardTo(forwarder: Forwarder | null): void {
    this.forwarder = forwarder;
    this.detection.onProcessed = forwarder === null ? undefined : (event) => this.forward(event);
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
    this.asksItsLists();
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
      this.recordTime = batch.records.at(-1)!.timestamp;
      this.idle = false;
    }
  }

  /** See `considerRecord`. */
  get considering(): Considering {
    const { partition, position, decoder, detection, alertSource } = this;
    const { clock } = this.options;
    const interpret: Considering['interpret'] = (record) => this.reader.read(record);
    return { partition, position, decoder, detection, alertSource, clock, interpret };
  }

  /** Takes records back into the order buffer that a cut had left there: those above its watermark. */
  async refill(batch: RecordBatch, signal: AbortSignal): Promise<void> {
    const prepared = this.decoder.prepare(batch.records, signal);
    if (prepared !== undefined) await prepared;
    for (const record of batch.records) {
      const event = this.reader.read(record);
      if (event !== null && !(event instanceof DecodeFailure) && this.lateAfter(event, record) === null)
        this.detection.clock.accept(event);
    }
  }

  /**
   * Where the clock of a partition stands that has had no record for `idleAfterMs`: as far on as time has passed since. `null`: it
   * is not idle, or nothing waits for that time, so that it need not be told.
   */
  dueTick(): number | null {
    const { ruleSet, forwarder } = this;
    const { clock, stream } = this.options;
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
    this.forwarder?.tell(watermark, highestTime, this.idle);
  }

  /** The entry of the journal for a tick at this position, and for the state after it. `given`: see `TickEntry`. */
  tickEntry(watermark: number, given: boolean): TickEntry {
    return { kind: 'tick', n: this.journal.n + 1, offset: this.position, watermark, given };
  }

  /** Moves the clock, and processes all that the watermark has passed. */
  tick({ n, watermark }: TickEntry): void {
    this.asksItsLists();
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
    return this.layouts.keysChanged;
  }

  /** Everything that changed since the last snapshot, as of now. */
  snapshot(): TaskSnapshot {
    const { clock } = this.detection;
    const engines = this.layouts.describe();
    const changed = this.layouts.takeDirty();
    const { replaced } = this;
    this.replaced = [];
    const cut: Cut = {
      ...this.detection.state(),
      position: this.position,
      refill: clock.lowestOffset() ?? this.position,
      journal: this.journal,
      rules: this.ruleSet.digest,
      origins: originsAt(this.origins, clock.watermark),
      engines,
    };
    return {
      position: this.position,
      encode: (turn) => encodeChanges({ cut, changed, replaced, codec: this.codec }, turn),
      revert: () => {
        for (const { keys } of changed) keys.revert();
        if (replaced.length > 0) this.replaced = replaced;
      },
    };
  }

  /** Restores a cut, and its first keys. The schemas of their events must be known to the decoder. */
  restore(cut: Cut, entries: readonly StateEntry[] = []): void {
    this.detection.restore(cut);
    this.detection.resumeStopped(cut.engines);
    const targets = this.layouts.read(cut.engines);
    this.restorer = new KeyRestorer(cut, targets, this.detection, this.codec, (key) => this.replaced.push(key));
    this.restoreMore(EntryBlock.of(entries));
    this.origins = cut.origins;
    this.position = cut.position;
    this.journal = cut.journal;
  }

  /** More entries of the cut that was restored, in order. They go to their engines bit by bit, as with `switchTo`. */
  restoreMore(block: EntryBlock): void {
    this.restorer!.add(block);
    this.handsOver = true;
  }

  /** Keys that were restored are stored otherwise than these rules store them: the next snapshot puts that right. */
  get isStoredOtherwise(): boolean {
    return this.replaced.length > 0;
  }

  status(): PartitionStatus {
    const { watermark, highestTime, buffered } = this.detection.clock;
    const { partition, phase, position, endOffset, recordTime, idle } = this;
    const { keys, runs } = this.detection;
    return {
      ...{ ...partition, phase, position, endOffset, recordTime, idle, keys, runs, buffered },
      watermark: Number.isFinite(watermark) ? watermark : null,
      maxEventTime: Number.isFinite(highestTime) ? highestTime : null,
      memory: this.detection.memory(),
      quarantined: this.detection.engines.flatMap(({ stopped }) => stopped),
      rules: this.ruleSet.digest,
    };
  }

  /** See `Detection.takeSteps`. */
  readonly takeSteps = (...by: Parameters<Detection['takeSteps']>): void => this.detection.takeSteps(...by);

  /** The watermark that the event is behind; `null`: it is not late. */
  private lateAfter(event: SourceEvent, record: LogRecord): number | null {
    const { watermark } = this.detection.clock;
    if (this.detection.clock.isLate(event.time)) return watermark;
    this.origins = originsAt(this.origins, watermark);
    if (this.origins === null) return null;
    const { keyField } = this.streams.own;
    const key = event.forKey ?? (keyField === null ? record.key && utf8.decode(record.key) : event.fields[keyField]);
    if (key === null || key === undefined) return null;
    const passed = processedUpTo(this.origins, String(key));
    return event.time <= passed ? passed : null;
  }

  private takeIn(record: LogRecord): void {
    const event = this.reader.read(record);
    const { ruleSet } = this;
    const { output } = this.options;
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

  private forward(event: SourceEvent): void {
    if (!this.muted) this.forwarder?.forward(event);
  }

  /** An event that was forwarded is told of by where it was first. */
  private placeOf(event: RecordedEvent): RecordPlace {
    return firstPlaceOf(event, this.partition, this.ruleSet.clock.forwarded === true);
  }

  private matched(rule: Rule, key: string, match: Match, at: number, trigger: SourceEvent | null): void {
    if (this.muted || !isInCanary(rule, key)) return;
    const { output } = this.options;
    output.onMatch(rule);
    const alert = buildAlert(rule, key, match, at, this.alertSource);
    output.onAlert(alert, text.encode(alert.key), trigger?.traceparent ?? null, rule.status === 'shadow');
  }
}
