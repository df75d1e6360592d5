import type { AvroObject } from '../../connectors/avro/schema.js';
import { type Diagnostic, type Rule, streamsRead } from '../../rules/index.js';
import type { Clock } from '../../runtime/ports/clock.js';
import { isFed, type Settings, type StreamSettings } from '../../runtime/settings/index.js';
import type { Tree } from '../../runtime/settings/tree.js';
import type { SourceBook } from '../../runtime/sources/source-book.js';
import {
  digestOf,
  type SourceChange,
  type SourceEntry,
  type SourceKind,
  type SourceVersion,
} from '../../runtime/sources/source-chain.js';
import { allFacts, ruleStreamsOf, type StreamFacts } from '../compose/streams/stream-parts.js';
import type { ChangingDetector } from '../lanes/changing-detector.js';
import type { RuleControl } from '../rules/rule-control.js';
import { checkSource, effectiveSettings, SourceSettingsError, streamOf, withSchema } from './effective.js';
import type { SinkSet } from './sink-set.js';
import type { StreamsNow } from './streams-now.js';

export interface SourceControlOptions {
  /** Made with these callbacks. */
  readonly book: (
    on: Required<Pick<ConstructorParameters<typeof SourceBook>[0], 'onChange' | 'onTrouble'>>,
  ) => SourceBook;
  /** As the file has them. */
  readonly settings: Settings;
  readonly clock: Clock;
  readonly streams: StreamsNow;
  readonly rules: RuleControl;
  /** Schema of a stream's table, made of its columns. Throws what reading it throws. */
  readonly tableSchema: (stream: StreamSettings) => Promise<AvroObject>;
  readonly report: (text: string) => void;
  readonly warn: (text: string, trouble: Error) => void;
}

/** One stream or sink, for people and programs. */
export interface SourceState {
  readonly name: string;
  /** As it was written; of secrets only that they are there. */
  readonly definition: Tree;
  /** Names the definition: the ETag. */
  readonly digest: string;
  /** `settings`: as the file has it. */
  readonly origin: 'settings' | 'registered';
  /** Its last change; `null`: there was none. */
  readonly changed: { readonly at: number; readonly author: string; readonly message: string } | null;
  /** Ids of the rules that read it; of a sink none. */
  readonly usedBy: readonly string[];
}

export interface SourceSignature {
  readonly author: string;
  readonly message: string;
}

export class SourceRefusedError extends Error {
  constructor(
    readonly code: 'SOURCE_UNKNOWN' | 'SOURCE_IN_USE' | 'SOURCE_CHANGED',
    message: string,
    /** What is in the way, by rule. */
    readonly rules: readonly { readonly rule: string; readonly why: string }[] = [],
  ) {
    super(message);
  }
}

const RETRY_MS = 1000;

/** The version that a change shall follow from: its digest. `null`: there shall be none. Absent: whichever. */
export type ExpectedSource = string | null | undefined;

/**
 * The streams and sinks of this process: those of the settings, with what was registered, changed and taken away since.
 *
 * 1. The topic has the last word: every process goes over to what it reads from it, at every start too.
 * 2. A change is checked whole before it is published: by itself, and against all rules of the set in force.
 * 3. What does not hold here, though it did where it was published, leaves the streams until now in force, and is told of.
 */
export class SourceControl {
  private readonly book: SourceBook;
  private detector: ChangingDetector | null = null;
  private sinks: SinkSet | null = null;
  private bookTrouble: string | null = null;
  private refused: string | null = null;
  private inForce = '';
  private cancelRetry: () => void = () => undefined;

  constructor(private readonly options: SourceControlOptions) {
    this.book = options.book({
      onChange: () => this.bringIntoForce(),
      onTrouble: (error) => {
        if (error !== null && error.message !== this.bookTrouble)
          options.warn('streams and sinks cannot be read from their topic', error);
        this.bookTrouble = error?.message ?? null;
      },
    });
  }

  /** Reads what was registered; waits for a log that is away. The rules are not read yet. */
  async open(): Promise<void> {
    await this.book.open();
    await this.bringIntoForce();
    const { damage } = this.book.chain;
    if (damage !== null)
      this.options.warn('the history of streams and sinks is damaged; it is believed up to there', new Error(damage));
  }

  attach(detector: ChangingDetector): void {
    this.detector = detector;
    this.book.follow();
  }

  attachSinks(sinks: SinkSet): void {
    this.sinks = sinks;
  }

  async stop(): Promise<void> {
    this.cancelRetry();
    await this.book.stop();
    this.cancelRetry();
  }

  /** Takes in what others have written up to now: rules that come may read it. */
  async catchUp(): Promise<void> {
    await this.book.refresh();
    await this.book.tell();
  }

  get settings(): Settings {
    return this.options.streams.settings;
  }

  get trouble(): string | null {
    return this.book.chain.damage ?? this.refused ?? this.bookTrouble;
  }

  get history(): readonly SourceEntry[] {
    return this.book.chain.all;
  }

  /** Reads the history anew, and says why it is not believed; `null`: nobody has changed it. */
  async audit(): Promise<{ readonly damage: string | null; readonly entries: number; readonly head: string }> {
    const { damage, all, head } = await this.book.audit();
    return { damage, entries: all.length, head };
  }

  /** What a settings file said of it when that was published last; `null`: it never was. */
  fileDigest(kind: SourceKind, name: string): string | null {
    const of = this.book.chain.all.findLast((entry) => entry.kind === kind && entry.name === name && entry.file);
    return of?.file ?? null;
  }

  /** `null`: there is none of this name. */
  get(kind: SourceKind, name: string): SourceState | null {
    const found = this.definitionOf(kind, name);
    if (found === null) return null;
    const version = this.book.chain.get(kind, name);
    return {
      ...{
        name,
        definition: found,
        digest: digestOf(found),
        origin: version === undefined ? 'settings' : 'registered',
      },
      changed: version === undefined ? null : signatureIn(version),
      usedBy: kind === 'sink' ? [] : this.readersOf(name).map(({ id }) => id),
    };
  }

  /** Registers a stream or sink, or changes one. `file`: see `SourceChange`. @throws SourceRefusedError SourceSettingsError SourceConflictError */
  async put(
    kind: SourceKind,
    name: string,
    definition: Tree,
    expected: ExpectedSource,
    by: SourceSignature & { readonly file?: string },
  ): Promise<SourceState> {
    await this.book.refresh();
    this.refuseOther(kind, name, expected);
    // What a file says must hold without us, at the next start.
    const whole = by.file === undefined ? await this.whole(kind, name, definition) : definition;
    await this.check(kind, name, whole);
    const before = this.definitionOf(kind, name);
    if (before === null || digestOf(before) !== digestOf(whole) || by.file !== undefined)
      await this.publish(kind, name, whole, by);
    return this.get(kind, name)!;
  }

  /** Takes one away. @throws SourceRefusedError SourceConflictError */
  async remove(
    kind: SourceKind,
    name: string,
    expected: ExpectedSource,
    by: SourceSignature & { readonly file?: string },
  ): Promise<void> {
    await this.book.refresh();
    if (this.definitionOf(kind, name) === null)
      throw new SourceRefusedError('SOURCE_UNKNOWN', `There is no ${kind} ${name}.`);
    this.refuseOther(kind, name, expected);
    await this.check(kind, name, null);
    await this.publish(kind, name, null, by);
  }

  /** A definition with all that is kept of it: the schema of a table, where none is given. @throws SourceSettingsError */
  async whole(kind: SourceKind, name: string, definition: Tree): Promise<Tree> {
    if (kind === 'sink' || definition.schema !== undefined) return definition;
    const stream = streamOf(this.options.settings, name, definition);
    if (!isFed(stream) || stream.format === 'ndjson') return definition;
    try {
      return { ...definition, schema: { ...(await this.options.tableSchema(stream)) } };
    } catch (error) {
      throw new SourceSettingsError([{ path: 'table', message: (error as Error).message }]);
    }
  }

  /** Whether a rule that runs reads a stream. */
  isRead(name: string): boolean {
    return this.readersOf(name, this.options.rules.running).length > 0;
  }

  /** Throws unless a change holds: by itself, and for all rules. Changes nothing. */
  async check(kind: SourceKind, name: string, definition: Tree | null): Promise<void> {
    const { settings, streams, rules } = this.options;
    if (definition !== null) checkSource(settings, kind, name, definition);
    if (kind === 'sink') return;
    if (definition === null && streams.names[0] === name)
      throw new SourceRefusedError('SOURCE_IN_USE', `${name} is the first stream, which others are sorted after.`);
    const next = this.with({ kind, name, definition });
    const facts = allFacts(next);
    const inTheWay = [
      ...typesInTheWay(this.readersOf(name), factsOf(streams.facts, name), factsOf(facts, name)),
      ...brokenBy(await rules.readAgainst(ruleStreamsOf(facts)), rules.rules),
    ];
    if (inTheWay.length === 0) return;
    const ids = [...new Set(inTheWay.map(({ rule }) => rule))].join(', ');
    const what = definition === null ? 'be taken away' : 'be changed so';
    throw new SourceRefusedError(
      'SOURCE_IN_USE',
      `${name} cannot ${what}: ${ids} would not hold any more. Change these rules first.`,
      inTheWay,
    );
  }

  private async publish(
    kind: SourceKind,
    name: string,
    definition: Tree | null,
    { author, message, file }: SourceSignature & { readonly file?: string },
  ): Promise<void> {
    await this.book.publish((): SourceChange => {
      const first = this.book.chain.get(kind, name) === undefined ? { was: this.definitionOf(kind, name) } : {};
      const of = file === undefined ? {} : { file };
      return { kind, name, definition, ...first, ...of, at: this.options.clock.now(), author, message };
    });
  }

  /** As it is now, with its schema in it; `null`: there is none. */
  private definitionOf(kind: SourceKind, name: string): Tree | null {
    const version = this.book.chain.get(kind, name);
    if (version !== undefined) return version.definition;
    const written = this.options.settings.written[kind === 'stream' ? 'streams' : 'sinks'];
    return Object.hasOwn(written, name) ? withSchema(written[name]!) : null;
  }

  private refuseOther(kind: SourceKind, name: string, expected: ExpectedSource): void {
    if (expected === undefined) return;
    const now = this.definitionOf(kind, name);
    const digest = now === null ? null : digestOf(now);
    if (digest !== expected)
      throw new SourceRefusedError('SOURCE_CHANGED', `${name} is another by now (${digest ?? 'it is not there'}).`);
  }

  /** Rules of the set in force that read a stream. */
  private readersOf(name: string, rules: readonly Rule[] = this.options.rules.rules): readonly Rule[] {
    const { streams } = this.options;
    return rules.filter((rule) => {
      const read = streamsRead(rule);
      return read.length === 0 ? streams.names[0] === name : read.includes(name);
    });
  }

  /** The settings with one change more than the book has. */
  private with(change: Pick<SourceChange, 'kind' | 'name' | 'definition'>): Settings {
    const { settings } = this.options;
    const { chain } = this.book;
    const first = chain.get(change.kind, change.name)?.first ?? this.definitionOf(change.kind, change.name);
    const version = { ...change, digest: digestOf(change.definition), first };
    const before = chain.of(change.kind);
    const place = before.findIndex(({ name }) => name === change.name);
    const versions = place < 0 ? [...before, version] : before.toSpliced(place, 1, version as SourceVersion);
    return effectiveSettings(settings, { stream: versions, sink: chain.of('sink') });
  }

  private async bringIntoForce(): Promise<void> {
    const { settings, report, warn } = this.options;
    const { chain } = this.book;
    if (chain.head === this.inForce) return;
    const last = chain.all.at(-1)!;
    try {
      const next = effectiveSettings(settings, { stream: chain.of('stream'), sink: chain.of('sink') });
      await this.changeStreams(next);
      await this.sinks?.become(next.sinks);
      this.inForce = chain.head;
      this.refused = null;
      if (this.detector !== null)
        report(
          `the ${last.kind} ${last.name} is ${last.definition === null ? 'taken away' : 'changed'} by ${last.author}`,
        );
    } catch (error) {
      const trouble = `streams and sinks as they were registered do not hold here: ${(error as Error).message}`;
      if (trouble !== this.refused)
        warn('streams and sinks as they were registered do not hold here; those until now go on', error as Error);
      this.refused = trouble;
      // The rules for which they hold may come a moment later.
      this.cancelRetry();
      this.cancelRetry = this.options.clock.schedule(RETRY_MS, () => void this.book.tell());
    }
  }

  private async changeStreams(next: Settings): Promise<void> {
    const { streams, rules } = this.options;
    const before = streams.settings;
    if (digestOf(before.registered ?? {}) === digestOf(next.registered ?? {})) return;
    const facts = allFacts(next);
    if (this.detector !== null) {
      const broken = brokenBy(await rules.readAgainst(ruleStreamsOf(facts)), rules.rules);
      if (broken.length > 0) throw new Error(broken.map(({ rule, why }) => `${rule}: ${why}`).join('; '));
    }
    streams.become(next);
    if (this.detector === null) return;
    try {
      await rules.readAgain();
      await this.detector.changeSettings(next);
    } catch (error) {
      streams.become(before);
      await rules.readAgain();
      throw error;
    }
  }
}

const signatureIn = ({ at, author, message }: SourceEntry) => ({ at, author, message });

const factsOf = (facts: readonly StreamFacts[], name: string): StreamFacts | undefined =>
  facts.find(({ settings }) => settings.name === name);

/** Fields that rules read must be there, and of their type. */
function typesInTheWay(readers: readonly Rule[], before: StreamFacts | undefined, after: StreamFacts | undefined) {
  const was = before?.schema?.fields;
  if (was === undefined) return [];
  return readers.flatMap(({ id, fields }) => {
    if (after === undefined) return [{ rule: id, why: 'it reads this stream' }];
    const now = after.schema?.fields;
    return fields.flatMap((name) => {
      const [old, other] = [was.get(name), now?.get(name)];
      if (old === undefined || now === undefined || old.type === other?.type) return [];
      const becomes = other === undefined ? 'is not there any more' : `would be ${other.type} and not ${old.type}`;
      return [{ rule: id, why: `it reads ${name}, which ${becomes}` }];
    });
  });
}

/** Rules that hold now, and would not. */
function brokenBy(diagnostics: readonly Diagnostic[], rules: readonly Rule[]) {
  const ids = new Map(rules.map(({ source, id }) => [source, id]));
  return diagnostics
    .filter(({ severity }) => severity === 'error')
    .map(({ file, message }) => ({ rule: ids.get(file) ?? file, why: message }));
}
