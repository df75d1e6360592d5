import { join } from 'node:path';
import type { Rule } from '../../rules/index.js';
import { KeptLists } from '../../runtime/lists/kept-lists.js';
import { loadLists } from '../../runtime/lists/load-lists.js';
import type { ReferenceLists } from '../../runtime/lists/reference-lists.js';
import type { Settings } from '../../runtime/settings/index.js';

/** The lists of the settings. Throws `ListError` for one that cannot be read. */
export const openLists = (settings: Settings): Promise<ReferenceLists> => loadLists(settings.lists);

/** Copies of the lists that rule sets have asked, for replays. */
export const keptLists = (settings: Settings): KeptLists => new KeptLists(join(settings.data.directory, 'lists'));

/** Keeps a copy of what the lists hold that these rules ask. */
export function keepLists(settings: Settings, lists: ReferenceLists, rules: readonly Rule[]): Promise<void> {
  return keptLists(settings).keep(
    lists,
    rules.flatMap((rule) => rule.lists ?? []),
  );
}
