import type { Rule } from '../../../rules/index.js';
import type { ListBook } from '../../../runtime/lists/list-book.js';
import type { ReferenceLists } from '../../../runtime/lists/reference-lists.js';
import type { Clock } from '../../../runtime/ports/clock.js';
import type { Log } from '../../../runtime/ports/log.js';
import type { Settings } from '../../../runtime/settings/index.js';
import { ListControl } from '../../lists/list-control.js';
import { ListFollower } from '../../lists/list-follower.js';
import { listBook } from './list-book.js';
import { listSourceOf } from './list-sources.js';

export interface ListControlParts {
  readonly settings: Settings;
  readonly log: Log;
  readonly clock: Clock;
  /** The lists of the settings, as their files have them. */
  readonly declared: ReferenceLists;
  /** Those that run. */
  readonly rules: () => readonly Rule[];
  readonly report: (text: string) => void;
  readonly warn: (text: string, trouble: Error) => void;
}

/** The reference lists of a process, read where its settings say. */
export function listControl(parts: ListControlParts): ListControl {
  const { settings, log, clock, declared, rules, report, warn } = parts;
  const followers = (book: ListBook): ReadonlyMap<string, ListFollower> => {
    const sourced = Object.entries(settings.lists).flatMap(([list, of]) => {
      const source = listSourceOf(list, of, { settings, clock, log: () => log });
      return source === null ? [] : [{ list, kind: of.kind, source }];
    });
    return new Map(sourced.map((one) => [one.list, new ListFollower({ ...one, book, clock, report, warn })]));
  };
  return new ListControl({
    ...{ declared, followers, report, warn },
    book: (on) => listBook(settings, log, clock, on),
    usedBy: (list) =>
      rules()
        .filter((rule) => rule.lists?.includes(list))
        .map(({ id }) => id),
  });
}
