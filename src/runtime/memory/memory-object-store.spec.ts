import { describeObjectStoreContract } from '../../../test/contracts/object-store-contract.js';
import { MemoryObjectStore } from './memory-object-store.js';

describeObjectStoreContract('the objects in memory', async () => {
  const store = new MemoryObjectStore();
  return { store, another: async () => store, dispose: async () => {} };
});
