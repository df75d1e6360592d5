import { TopicObjectStore } from '../../../connectors/log-objects/topic-object-store.js';
import { ListBook, type ListBookOptions } from '../../../runtime/lists/list-book.js';
import { loadLists } from '../../../runtime/lists/load-lists.js';
import { ReferenceLists } from '../../../runtime/lists/reference-lists.js';
import type { Clock } from '../../../runtime/ports/clock.js';
import type { Log } from '../../../runtime/ports/log.js';
import type { Settings } from '../../../runtime/settings/index.js';

/** All versions of the lists, in the log that the settings name. Not opened. */
export function listBook(
  { listStore: { topic } }: Settings,
  log: Log,
  clock: Clock,
  more: Pick<ListBookOptions, 'onChange' | 'onTrouble'> = {},
): ListBook {
  const objects = () => TopicObjectStore.open({ log, topic: `${topic}-content`, clock });
  return new ListBook({ ...{ log, clock, topic, objects }, ...more });
}

/** The lists as they are now, where no service runs that would know. Throws `ListError` for a file that cannot be read. */
export async function listsNow(settings: Settings, book: ListBook): Promise<ReferenceLists> {
  await book.open();
  return new ReferenceLists({ ...(await loadLists(settings.lists)).data, ...(await book.all()) });
}
