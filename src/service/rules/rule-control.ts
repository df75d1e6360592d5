import {
  type Diagnostic,
  formatDiagnostic,
  type KnownStreams,
  type LoadedRules,
  type Rule,
  type RuleText,
} from '../../rules/index.js';
import type { Detector } from '../../runtime/detector.js';
import type { Clock } from '../../runtime/ports/clock.js';
import type { Log } from '../../runtime/ports/log.js';
import type { Approval, RuleChange, Sealed, SetRevision } from '../../runtime/rulebook/revision.js';
import { Rulebook, type RulebookAudit, RulebookConflictError } from '../../runtime/rulebook/rulebook.js';
import type { RunningRules } from '../compose/rules/running-rules.js';
import { type ForwardsTo, planOf, type RuleFiles, runningTexts, runs } from './rule-plan.js';

export { RulebookConflictError };

export interface RuleControlOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly topic: string;
  /** Changes wait for the approval of someone else than their author. */
  readonly approval: boolean;
  /** What runs while nothing was published. */
  readonly initial: RunningRules;
  readonly read: (files: readonly RuleText[]) => Promise<LoadedRules>;
  /** The same against other streams than those of now. Absent: streams do not change. */
  readonly readWith?: (files: readonly RuleText[], streams: KnownStreams) => Promise<LoadedRules>;
  /** Absent: nothing is known of topics. */
  readonly forwardsTo?: ForwardsTo;
  /** Called before rules are read: what they ask may have come just before them. */
  readonly beforeRead?: () => Promise<void>;
  readonly report: (text: string) => void;
  readonly warn: (text: string, trouble: Error) => void;
}

/** Who changes rules, and why. */
export interface Signature {
  readonly author: string;
  readonly message: string;
}

export interface Applied {
  readonly outcome: 'live' | 'pending' | 'unchanged' | 'checked';
  /** `null`: none was published. */
  readonly revision: number | null;
  readonly changes: readonly RuleChange[];
  readonly warnings: readonly Diagnostic[];
}

/** The rules of this process, in short. */
export interface RulesStatus {
  /** Of the set in force; `null`: nothing was published, the folder's rules run. */
  readonly revision: number | null;
  /** Revisions that wait for approval. */
  readonly pending: readonly number[];
  /** Nobody has changed what was written of the history. */
  readonly intact: boolean;
  readonly trouble: string | null;
  /** Rules of the set in force by what they do; `canary`: live for some of the keys. */
  readonly counts: Readonly<Record<'draft' | 'shadow' | 'live' | 'canary' | 'retired', number>>;
}

/** A rule set that does not hold: nothing was changed. */
export class RulesRefusedError extends Error {
  readonly code = 'RULES_REFUSED';
  constructor(readonly diagnostics: readonly Diagnostic[]) {
    super(
      `${diagnostics.length === 1 ? 'an error' : `${diagnostics.length} errors`} in the rules: nothing was changed`,
    );
  }
}

/** What was asked for is not there, or not allowed. */
export class RevisionError extends Error {
  readonly code = 'RULES_REVISION';
}

/**
 * The rules of this process: checked as a whole, published, and brought into force, whoever published them.
 *
 * 1. While nothing was published, the folder's rules run. From then on the topic has the last word, at every start too.
 * 2. A set is checked whole before it is published. One with an error changes nothing.
 * 3. Every process runs what it reads from the topic, its own changes too: all come to the same set.
 * 4. A set that does not hold here, though it did where it was published, leaves the rules until now in force, and is told of.
 */
export class RuleControl {
  private readonly book: Rulebook;
  private current: RuleFiles;
  private detector: Detector | null = null;
  private bookTrouble: string | null = null;
  /** The folder's rules ran in this process before anything was published: they can be brought back. */
  private ranInitial = false;
  /** Why the newest set does not run here. */
  private refused: string | null = null;

  constructor(private readonly options: RuleControlOptions) {
    const { log, clock, topic, initial } = options;
    this.current = { rules: initial.all, files: initial.files, draining: [] };
    this.book = new Rulebook({
      ...{ log, clock, topic },
      onLive: (revision) => this.bringIntoForce(revision),
      onTrouble: (error) => {
        const trouble = error?.message ?? null;
        if (error !== null && trouble !== this.bookTrouble)
          options.warn('the rules cannot be read from their topic', error);
        this.bookTrouble = trouble;
      },
    });
  }

  /** Reads what was published; waits for a log that is away. */
  async open(): Promise<void> {
    await this.book.open();
    const { live } = this.book.chain;
    this.tellDamage();
    this.ranInitial = live === null;
    if (live === null) return;
    const { initial, report, topic } = { ...this.options };
    const folder = JSON.stringify(initial.files.map(({ text }) => text).sort());
    await this.bringIntoForce(live);
    if (folder !== JSON.stringify(live.files.map(({ text }) => text).sort())) {
      report(
        `rules are those of revision ${live.n} in ${topic}, not those of the folder, which are others: publish them with stakeout apply`,
      );
    }
  }

  attach(detector: Detector): void {
    this.detector = detector;
    this.book.follow();
  }

  stop(): Promise<void> {
    return this.book.stop();
  }

  /** All rules of the set in force, drafts too. */
  get rules(): readonly Rule[] {
    return this.current.rules;
  }

  get running(): readonly Rule[] {
    return this.current.rules.filter(runs);
  }

  /** What runs, as lanes get it. */
  get sources(): readonly RuleText[] {
    return runningTexts(this.current);
  }

  get files(): readonly RuleText[] {
    return this.current.files;
  }

  /** What ran while nothing was published. */
  get initialFiles(): readonly RuleText[] {
    return this.options.initial.files;
  }

  status(): RulesStatus {
    const { live, pending, damage } = this.book.chain;
    const counts = { draft: 0, shadow: 0, live: 0, canary: 0, retired: 0 };
    for (const { status, canary } of this.current.rules)
      counts[status === 'live' && canary !== undefined ? 'canary' : status]++;
    return {
      revision: live?.n ?? null,
      pending: pending.map(({ n }) => n),
      intact: damage === null,
      trouble: damage ?? this.refused ?? this.bookTrouble,
      counts,
    };
  }

  /** Reads the history anew, and looks whether anyone has changed it. Throws where the log is away. */
  audit(): Promise<RulebookAudit> {
    return this.book.audit();
  }

  get history(): readonly Sealed[] {
    return this.book.chain.all;
  }

  /**
   * Puts a set in the place of that in force. `dryRun`: says what that would change.
   *
   * @throws RulesRefusedError RulebookConflictError
   */
  async apply(files: readonly RuleText[], by: Signature, dryRun = false): Promise<Applied> {
    const { rules, errors, warnings: ofRules } = await this.check(files);
    const plan = planOf(this.current, rules, files, this.options.forwardsTo);
    const warnings = [...ofRules, ...plan.warnings];
    if (errors.length + plan.errors.length > 0) throw new RulesRefusedError([...errors, ...plan.errors]);
    const { changes } = plan;
    if (dryRun) return { outcome: 'checked', revision: null, changes, warnings };
    if (changes.length === 0 && sameTexts(files, this.current.files))
      return { outcome: 'unchanged', revision: this.book.chain.live?.n ?? null, changes, warnings };
    return { ...(await this.publish(files, by, {})), warnings };
  }

  /** What would be wrong with the rules of the set in force if the streams were these. */
  async readAgainst(streams: KnownStreams): Promise<readonly Diagnostic[]> {
    return (await this.options.readWith?.(this.current.files, streams))?.diagnostics ?? [];
  }

  /** The streams are others by now: the rules of the set in force are what they are for these. */
  async readAgain(): Promise<void> {
    const { rules } = await this.options.read(this.current.files);
    this.current = { ...this.current, rules };
  }

  /** Reads rules, which need not run. */
  async look(files: readonly RuleText[]): Promise<LoadedRules & { readonly errors: readonly Diagnostic[] }> {
    const loaded = await this.options.read(files);
    return { ...loaded, errors: loaded.diagnostics.filter(({ severity }) => severity === 'error') };
  }

  /** Brings back the set of an earlier revision; absent: of that before the one in force. */
  async rollback(to: number | undefined, by: Signature): Promise<Applied> {
    const { chain } = this.book;
    const live = chain.live?.n ?? 0;
    const before = chain.all.findLast((e) => e.kind === 'revision' && e.n < live && e.pending !== true) as
      | SetRevision
      | undefined;
    const first = this.ranInitial && live > 0 ? { n: 0, files: this.options.initial.files } : undefined;
    const found = to === undefined ? (before ?? first) : chain.revision(to);
    if (found === undefined)
      throw new RevisionError(
        to === undefined ? 'There is no revision before the one in force.' : `There is no revision ${to}.`,
      );
    const { errors, warnings } = await this.check(found.files);
    if (errors.length > 0) throw new RulesRefusedError(errors);
    return { ...(await this.publish(found.files, by, { rollbackTo: found.n })), warnings };
  }

  /** Brings a revision that waits into force. @throws RevisionError RulebookConflictError */
  async approve(n: number, { author, message }: Signature): Promise<Applied> {
    const waits = (): SetRevision | undefined => this.book.chain.pending.find((revision) => revision.n === n);
    const waiting = waits();
    if (waiting === undefined) throw new RevisionError(`Revision ${n} does not wait for approval.`);
    if (waiting.author === author)
      throw new RevisionError(`Revision ${n} is by ${author}: someone else must approve it.`);
    await this.book.publish(
      (): Approval => ({ kind: 'approval', of: n, at: this.options.clock.now(), author, message }),
    );
    return { outcome: 'live', revision: n, changes: waiting.changes, warnings: [] };
  }

  private async publish(
    files: readonly RuleText[],
    { author, message }: Signature,
    more: Pick<SetRevision, 'rollbackTo'>,
  ): Promise<Omit<Applied, 'warnings'>> {
    const { approval, clock } = this.options;
    const { rules } = await this.check(files);
    const entry = await this.book.publish((): SetRevision => {
      const { changes, draining } = planOf(this.current, rules, files, this.options.forwardsTo);
      const n = this.book.chain.nextNumber;
      const signed = { at: clock.now(), author, message, ...more, ...(approval ? { pending: true } : {}) };
      return { kind: 'revision', n, files, draining, changes, ...signed };
    });
    return { outcome: approval ? 'pending' : 'live', revision: entry.n, changes: entry.changes };
  }

  private async check(files: readonly RuleText[]) {
    await this.options.beforeRead?.();
    const { rules, diagnostics } = await this.options.read(files);
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    const warnings = diagnostics.filter(({ severity }) => severity === 'warning');
    return { rules, errors: errors.length === 0 && !rules.some(runs) ? [noneRuns(files)] : errors, warnings };
  }

  private async bringIntoForce(revision: SetRevision): Promise<void> {
    const { warn, report } = this.options;
    try {
      const { rules, errors } = await this.check(revision.files);
      if (errors.length > 0) throw new Error(errors.map((error) => formatDiagnostic(error)).join('\n'));
      const next: RuleFiles = { rules, files: revision.files, draining: revision.draining };
      await this.detector?.changeRules?.(runningTexts(next), rules.filter(runs));
      this.current = next;
      this.refused = null;
      if (this.detector !== null)
        report(`rules of revision ${revision.n} by ${revision.author} are in force: ${inWords(revision.changes)}`);
    } catch (error) {
      this.refused = `revision ${revision.n} does not run here: ${(error as Error).message}`;
      warn(`revision ${revision.n} of the rules does not run here; those until now go on`, error as Error);
    }
  }

  private tellDamage(): void {
    const { damage } = this.book.chain;
    if (damage !== null)
      this.options.warn('the history of the rules is damaged; it is believed up to there', new Error(damage));
  }
}

const sameTexts = (a: readonly RuleText[], b: readonly RuleText[]): boolean => written(a) === written(b);

/** As people wrote it, tests too, whatever the files are called. */
const written = (files: readonly RuleText[]): string =>
  JSON.stringify(files.map(({ text, tests = '' }) => JSON.stringify([text, tests])).sort());

function inWords(changes: readonly RuleChange[]): string {
  if (changes.length === 0) return 'no rule means anything else';
  return changes
    .map(({ id, change, runs }) => `${id} ${change}${runs === null ? '' : `, its runs ${runs}`}`)
    .join('; ');
}

function noneRuns(files: readonly RuleText[]): Diagnostic {
  return {
    ...{ severity: 'error', code: 'no-rules', file: files[0]?.file ?? '', line: 1, column: 1, length: 1, excerpt: '' },
    message: 'No rule of the set is live or shadow: the service would detect nothing.',
  };
}
