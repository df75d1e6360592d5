import { stat } from 'node:fs/promises';
import type { ListKind } from '../../rules/index.js';
import { loadList } from '../../runtime/lists/load-lists.js';
import { TextTable } from '../../runtime/lists/text-table.js';
import type { ListSource } from './list-source.js';

/** A file is looked at so often at least. Notices of the operating system do not come from every file system. */
const LOOK_MS = 1000;

/** Throws `ListError` when it cannot be read. */
export function fileSource(list: string, file: string, kind: ListKind, refreshMs: number): ListSource {
  return {
    name: `file ${file}`,
    refreshMs: Math.min(LOOK_MS, refreshMs),
    async stamp() {
      const { mtimeMs, size, ino } = await stat(file).catch(() => ({ mtimeMs: 0, size: 0, ino: 0 }));
      return `${mtimeMs} ${size} ${ino}`;
    },
    read: async () => ({ table: new TextTable((await loadList(list, file, kind)).table) }),
  };
}
