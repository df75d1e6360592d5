import { type KnownLists, ParsedRules } from '../../../rules/index.js';
import type { RuleSetVersion } from '../../../runtime/journal/rule-set-version.js';
import { versionsOf } from '../../../runtime/lane/prepare-rules.js';
import type { ReferenceLists } from '../../../runtime/lists/reference-lists.js';
import type { Settings } from '../../../runtime/settings/index.js';
import type { AllStreams } from '../streams/stream-parts.js';
import { type RuleSets, readAhead, ruleSetsOf, withLists } from './rule-set.js';
import type { RuleSource } from './running-rules.js';

/** What rules were read as, which holds for as long as streams are the same and lists are of the same kinds. */
export class ParsedForLists {
  private parsed = new ParsedRules();
  private kinds = '';
  private streams: object | null = null;

  /** `streams`: another object when they are others. */
  for(known: KnownLists, streams: object | null = null): ParsedRules {
    const kinds = JSON.stringify([...known].sort());
    if (kinds !== this.kinds || streams !== this.streams) this.parsed = new ParsedRules();
    this.kinds = kinds;
    this.streams = streams;
    return this.parsed;
  }
}

/** The rule sets of one lane, as rules and lists change. What has not changed is not read again. */
export class CompiledRules {
  private readonly parsed = new ParsedForLists();
  private sets: RuleSets | null = null;

  constructor(
    private readonly settings: Settings,
    private readonly streams: AllStreams,
    public lists: ReferenceLists,
  ) {}

  /** Throws `RuleSetError`. */
  compile(sources: readonly RuleSource[]): RuleSets {
    this.sets = ruleSetsOf(sources, this.settings, this.streams, this.lists, this.parsed.for(this.lists.known));
    return this.sets;
  }

  /** The same, with turns for other work. */
  async compileAhead(sources: readonly RuleSource[], turn: () => Promise<void>): Promise<RuleSets> {
    const { streams, lists } = this;
    await readAhead(sources, streams, lists, { known: this.parsed.for(lists.known), turn });
    return this.compile(sources);
  }

  /** The rules that were compiled last, with other lists. */
  withLists(lists: ReferenceLists): RuleSets {
    this.lists = lists;
    this.sets = withLists(this.sets!, lists);
    return this.sets;
  }

  get versions(): readonly RuleSetVersion[] {
    return versionsOf(this.sets!);
  }
}
