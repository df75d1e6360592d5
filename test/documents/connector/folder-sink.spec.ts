import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeSink } from '../../contracts/sink-contract.js';
import { FolderSink } from './folder-sink.js';

describeSink('a folder', {
  place: async () => {
    const parent = mkdtempSync(join(tmpdir(), 'folder-sink-'));
    const [folder, aside] = [join(parent, 'alerts'), join(parent, 'aside')];
    return {
      sink: async () => new FolderSink(folder),
      written: async () => {
        const names = readdirSync(parent).includes('alerts') ? readdirSync(folder) : [];
        return names
          .filter((name) => name.endsWith('.json'))
          .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));
      },
      away: async () => {
        renameSync(folder, aside);
        writeFileSync(folder, 'no folder');
      },
      back: async () => {
        rmSync(folder);
        renameSync(aside, folder);
      },
      close: async () => rmSync(parent, { recursive: true }),
    };
  },
  poison: (alert) => ({ ...alert, title: 'x'.repeat(2_000_000) }),
  unordered: true,
});
