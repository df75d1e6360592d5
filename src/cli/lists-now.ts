import type { Rule } from '../rules/index.js';
import { loadLists } from '../runtime/lists/load-lists.js';
import type { ReferenceLists } from '../runtime/lists/reference-lists.js';
import type { Settings } from '../runtime/settings/index.js';
import type { Output } from './output.js';

/** The lists as they are now where no service is asked. Those that are filled over HTTP alone are empty. Throws `ListError`. */
export async function listsNow(settings: Settings): Promise<ReferenceLists> {
  const isOfFiles = Object.values(settings.lists).every((list) => list.file !== undefined || isFilledByHttp(list));
  if (isOfFiles) return loadLists(settings.lists);
  // Clients of databases, Redis and Kafka are much code, which files do without.
  const { readListsOnce } = await import('../service/compose/lists/list-sources.js');
  return readListsOnce(settings);
}

/** Says which lists rules ask that nothing was read for. */
export function sayUnread(settings: Settings, rules: readonly Rule[], output: Output): void {
  for (const list of Object.keys(filledByHttp(settings))) {
    const asking = rules.filter((rule) => rule.lists?.includes(list)).map(({ id }) => id);
    if (asking.length === 0) continue;
    output.say(
      `The list ${list} (${asking.join(', ')}) is filled over HTTP, and empty here. Write it to a file (stakeout lists get ${list}), and name that in lists.${list}.file.`,
    );
  }
}

type ListSettings = Settings['lists'][string];

const filledByHttp = ({ lists }: Settings): Settings['lists'] =>
  Object.fromEntries(Object.entries(lists).filter(([, list]) => isFilledByHttp(list)));

const isFilledByHttp = ({ file, topic, redis, table }: ListSettings): boolean =>
  [file, topic, redis.key, table.name, table.query].every((source) => source === undefined);
