import { describeStateStoreContract } from '../../../test/contracts/state-store-contract.js';
import { MemoryStateStore } from './memory-state-store.js';

describeStateStoreContract('the state store in memory', async () => {
  const store = new MemoryStateStore();
  return { store, reopen: async () => store, dispose: () => store.close() };
});
