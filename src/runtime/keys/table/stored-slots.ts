import { ByteStore } from './byte-store.js';

/** What is kept for each slot as one record of bytes. */
export abstract class StoredSlots {
  protected readonly store = new ByteStore();

  get heldBytes(): number {
    return this.store.bytesHeld;
  }

  get bytes(): number {
    const { store } = this;
    return store.bytesHeld + store.bytesWasted + store.indexBytes;
  }

  reserve(slots: number): void {
    this.store.reserve(slots);
  }

  has(slot: number): boolean {
    return this.store.has(slot);
  }
}
