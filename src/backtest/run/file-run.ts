import { keyText } from '../../rules/key-of.js';
import type { Rule } from '../../rules/rule.js';
import { DecodeFailure } from '../../runtime/ports/decoder.js';
import { type AlertSource, buildAlert } from '../../runtime/task/alert/alert-builder.js';
import { buildNearMiss } from '../../runtime/task/alert/near-miss.js';
import { Detection } from '../../runtime/task/detection.js';
import type { EventClockOptions } from '../../runtime/task/order/event-clock.js';
import type { RecordedEvent, SourceEvent } from '../../runtime/task/source-event.js';
import type { FileEvent } from './file-event.js';
import { type Concerns, FileReader } from './file-reader.js';
import type { FileStream } from './file-streams.js';
import { HeldFileEvents } from './held-file-events.js';
import type { RunSnapshot, RunState } from './run-checkpoints.js';
import type { FileRunOptions } from './run-options.js';
import { piecesOf, putBack } from './run-pieces.js';
import type { Totals } from './run-totals.js';

const NEVER = Number.NEGATIVE_INFINITY;
/** Records of a topic that begin alike were written with one schema. */
const SCHEMA_BYTES = 5;

/**
 * Rules over streams that they join. Rows are taken in the order of arrival, ties in the order of the streams; event time is that of
 * the stream that has come least far and is not at its end. An event is late if it is in its own stream.
 */
export class FileRun {
  private readonly readers: readonly FileReader[];
  private readonly byName: ReadonlyMap<string | undefined, FileReader>;
  private readonly detection: Detection;
  /** All streams are taken in order of arrival. */
  private readonly isArrival: boolean;
  /** Set where other lanes have some of the keys. In order of arrival all events are taken: they move the clock. */
  private readonly concerns: Concerns | null;

  constructor(
    streams: readonly FileStream[],
    private readonly rules: readonly Rule[],
    private readonly totals: Totals,
    private readonly options: FileRunOptions,
  ) {
    const fields = rules.flatMap((rule) => rule.fields);
    this.readers = streams.map((stream) => {
      return new FileReader(stream, [...fields, ...(totals.listener.fieldsOf?.(stream) ?? [])], totals);
    });
    this.byName = new Map(this.readers.map((reader) => [reader.stream.settings.name, reader]));
    this.isArrival = this.readers.every(({ definition }) => definition.clock.mode === 'arrival');
    const source = this.alertSource();
    const { listener } = totals;
    const onProcessed = listener.onProcessed && ((event: SourceEvent) => listener.onProcessed!(event, source));
    this.detection = new Detection(
      rules,
      this.clockOptions(),
      {
        onMatch: (rule, key, match, at) =>
          totals.found({ rule, key, match, at, alert: () => buildAlert(rule, key, match, at, source) }),
        onNearMiss: (rule, key, nearMiss) => totals.nearMiss(() => buildNearMiss(rule, key, nearMiss, source)),
        ...(onProcessed && { onProcessed }),
      },
      {
        ...options,
        kindParents: new Map(this.readers.flatMap(({ definition }) => [...definition.kindParents])),
        streams: streams.map(({ settings }) => settings.name),
        // No cut is ever made of it.
        tellsChanges: false,
        heldEvents: new HeldFileEvents(),
      },
    );
    this.concerns = this.concernsOf(options);
  }

  /** Says whether any engine has a key of the event. */
  private concernsOf({ ownsKey }: FileRunOptions): Concerns | null {
    // Features of other keys count the events of all keys in each lane.
    const countsAll = this.rules.some(({ otherKeys }) => otherKeys !== undefined);
    if (ownsKey === undefined || this.isArrival || countsAll) return null;
    const inputs = this.detection.engines.map((engine) => engine.input);
    return (event) =>
      inputs.some(({ field, keysOf }) => {
        if (field === null) return keysOf(event).some(ownsKey);
        const key = keyText(event.fields[field]);
        return key !== null && ownsKey(key);
      });
  }

  /** What it is between two batches, but for events and keys. */
  state(): Pick<RunState, 'detection' | 'readers' | 'stopped'> {
    const { detection, readers } = this;
    return {
      detection: detection.state(),
      readers: readers.map((reader) => reader.state()),
      stopped: detection.engines.map(({ keyField, stopped }) => ({ keyField, stopped })),
    };
  }

  /** Its events and keys. */
  pieces(): Iterable<Uint8Array> {
    return piecesOf(this.detection);
  }

  /** Goes on where another run of the same rules over the same streams was; comes before any other use. */
  async goOnFrom({ state, pieces }: RunSnapshot): Promise<void> {
    this.detection.restore(state.detection);
    this.detection.resumeStopped(state.stopped);
    for (const [place, reader] of this.readers.entries()) reader.goOnFrom(state.readers[place]!);
    const raws = new Map(this.readers.map((reader) => [reader, new Map<string, Uint8Array>()]));
    putBack(this.detection, pieces, (event) => {
      const reader = this.byName.get(event.stream)!;
      if (reader.stream.file.prepare === undefined) return;
      const { raw } = event;
      raws.get(reader)!.set(Buffer.from(raw.subarray(0, SCHEMA_BYTES)).toString('hex'), raw);
    });
    for (const [{ stream }, ofStream] of raws) await stream.file.prepare?.([...ofStream.values()]);
  }

  /** @param pause is awaited between batches. */
  async run(pause: () => Promise<void>): Promise<void> {
    for (const reader of this.readers) await reader.readOn();
    for (let open = this.open(); open.length > 0; open = this.open()) {
      const reader = this.takeRows(open);
      if (!reader.needsBatch) continue;
      this.drain();
      if (this.totals.listener.isEnough?.(this.detection.clock.watermark) === true) break;
      await pause();
      await reader.readOn();
    }
    for (const reader of this.readers) await reader.stop();
    if (this.options.isOpenEnded !== true) this.detection.finish();
    else if (this.readers.length > 1) this.tellPassed();
  }

  /** A partition that has no row in the range is an idle one, which a service does not wait for. */
  private tellPassed(): void {
    const passed = this.readers.map(({ passedByRows }) => passedByRows).filter((time) => time > NEVER);
    if (passed.length === 0) return;
    for (const { id } of this.rules) this.totals.passed(id, Math.min(...passed));
  }

  private open(): readonly FileReader[] {
    return this.readers.filter((reader) => !reader.isAtEnd);
  }

  /** Takes rows of the stream whose next row arrived first, while that is so and its batch has any. */
  private takeRows(open: readonly FileReader[]): FileReader {
    const { clock } = this.detection;
    const reader = open.reduce((first, other) => (other.arrival < first.arrival ? other : first));
    let before = Number.POSITIVE_INFINITY;
    let upTo = Number.POSITIVE_INFINITY;
    const place = open.indexOf(reader);
    for (const [i, { arrival }] of open.entries()) {
      if (i < place) before = Math.min(before, arrival);
      else if (i > place) upTo = Math.min(upTo, arrival);
    }
    do {
      const event = reader.take(this.isArrival ? clock.highestTime : NEVER, this.concerns);
      if (event !== null) clock.accept(event);
    } while (!reader.needsBatch && reader.arrival <= upTo && reader.arrival < before);
    return reader;
  }

  /** Processes what all streams have passed. In order of arrival, that is all. */
  private drain(): void {
    if (!this.isArrival) {
      const lowest = Math.min(...this.readers.map(({ watermark }) => watermark));
      if (lowest < Number.POSITIVE_INFINITY) this.detection.clock.moveTo(lowest);
    }
    this.detection.drain();
  }

  /** Where rows wait for event time, the readers say how far it has come; else the clock itself keeps time from falling. */
  private clockOptions(): EventClockOptions {
    return this.isArrival
      ? { mode: 'arrival', outOfOrdernessMs: 0 }
      : { mode: 'event-time', outOfOrdernessMs: 0, forwarded: true };
  }

  private alertSource(): AlertSource {
    const of = (event: RecordedEvent): FileReader => this.byName.get(event.stream)!;
    return {
      placeOf: (event) => {
        const { place } = event as FileEvent;
        if (place !== null) return place;
        const { settings } = of(event).stream;
        return { topic: settings.topic ?? settings.name, partition: 0, offset: event.offset };
      },
      idFieldOf: (event) => of(event).definition.idField,
      lists: () => this.options.lists,
      decodeWhole: (event) => {
        const whole = of(event).stream.file.decodeWhole(event.raw);
        return whole instanceof DecodeFailure ? {} : whole;
      },
      pseudonyms: () => this.options.pseudonyms,
    };
  }
}
