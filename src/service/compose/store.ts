import { join } from 'node:path';
import { RocksStateStore } from '../../connectors/rocksdb/rocks-state-store.js';
import { MemoryStateStore } from '../../runtime/memory/memory-state-store.js';
import type { StateStore } from '../../runtime/ports/state-store.js';
import type { Settings } from '../../runtime/settings/index.js';

/** Where state is kept between starts. Without a place, a start replays the log. */
export async function openStore(settings: Settings): Promise<StateStore> {
  if (settings.state.store === 'memory') return new MemoryStateStore();
  return RocksStateStore.open({ directory: join(settings.data.directory, 'state') });
}
