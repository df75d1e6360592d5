import type { Rule } from '../../rules/rule.js';
import type { AlertFilter } from '../../runtime/ports/alert-store.js';
import { isPseudonym, type Pseudonyms } from '../../runtime/task/alert/pseudonyms.js';
import type { PersonalMask } from './personal-mask.js';
import type { Principal } from './principal.js';

/**
 * Keys as people know them, and as alerts have them: where a rule's key is personal, alerts may have a pseudonym in its place. So one who may see
 * personal fields can ask for the alerts of an account by its name.
 */
export class KeyNames {
  /** `pseudonyms`: those of now; undefined: alerts have keys as they are. */
  constructor(
    private readonly pseudonyms: () => Pseudonyms | undefined,
    private readonly mask: PersonalMask,
    private readonly rules: () => readonly Rule[],
  ) {}

  /** The same filter that also finds alerts whose key is the pseudonym of the one that is asked for. */
  widened(filter: AlertFilter, caller: Principal): AlertFilter {
    const { key } = filter;
    const other = key === undefined || this.mask.hidesFrom(caller) ? undefined : this.pseudonymOf(key);
    return other === undefined ? filter : { ...filter, orKey: other };
  }

  /** What alerts with this key may have instead; undefined: nothing. */
  pseudonymOf(key: string): string | undefined {
    return isPseudonym(key) ? undefined : this.pseudonyms()?.of(key);
  }

  /** The key as alerts of the pattern (`null`: of any) have it, for what is kept: a personal key is not. */
  kept(key: string, pattern: string | null): string {
    const pseudonyms = this.pseudonyms();
    if (pseudonyms === undefined || isPseudonym(key)) return key;
    const rules = this.rules().filter(({ id }) => pattern === null || id === pattern);
    return rules.some((rule) => pseudonyms.isKeyPersonal(rule)) ? pseudonyms.of(key) : key;
  }
}
