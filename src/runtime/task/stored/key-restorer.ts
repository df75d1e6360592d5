import { decodeKeyState, type EventCodec } from '../../../engine/index.js';
import type { EntryBlock } from '../../ports/entry-block.js';
import type { Detection } from '../detection.js';
import type { Cut } from './cut.js';
import { outlineCodec } from './event-codec.js';
import { processedUpTo } from './origins.js';
import { stateKey } from './state-key.js';
import { StoredKeys } from './stored-keys.js';
import type { LayoutTarget } from './stored-layouts.js';

/**
 * Puts the keys of a cut back. Those that the engines of now would write in the very same way stay as they are, and go to their
 * engine one by one (`StoredKeys`); the others are read at once, and written anew.
 */
export class KeyRestorer {
  private readonly stored = new Map<number, StoredKeys>();

  /**
   * @param targets how the entries of the cut are read, by the number of their engine.
   * @param codec reads events for the rules of now.
   * @param onReplaced keys of entries whose place others take.
   */
  constructor(
    private readonly cut: Cut,
    private readonly targets: ReadonlyMap<number, LayoutTarget>,
    private readonly detection: Detection,
    private readonly codec: EventCodec,
    private readonly onReplaced: (key: Uint8Array) => void,
  ) {}

  /** Takes in the next entries of the cut. Blocks come in order, and are kept. */
  add(block: EntryBlock): void {
    for (let from = 0, end = 0; from < block.count; from = end) {
      const number = block.bytes[block.keyStart(from)]!;
      while (end < block.count && block.bytes[block.keyStart(end)] === number) end++;
      this.addOf(number, block, from, end);
    }
  }

  private addOf(number: number, block: EntryBlock, from: number, end: number): void {
    const target = this.targets.get(number);
    if (target?.isCurrent === true) {
      this.storedOf(number, target).add(block, from, end, (entry) => this.read(target, block, entry));
      return;
    }
    for (let entry = from; entry < end; entry++) {
      this.onReplaced(block.keyAt(entry).slice());
      if (target !== undefined) this.read(target, block, entry);
    }
  }

  private storedOf(number: number, target: LayoutTarget): StoredKeys {
    let stored = this.stored.get(number);
    if (stored === undefined) {
      stored = new StoredKeys(number);
      this.stored.set(number, stored);
      const engine = this.detection.engines[target.engine]!;
      engine.comesFrom(stored, (name, value) => this.put(target, name, value as Uint8Array));
    }
    return stored;
  }

  private read(target: LayoutTarget, block: EntryBlock, entry: number): void {
    this.put(target, stateKey.parse(block.keyAt(entry)).name, block.valueAt(entry));
  }

  private put({ engine, isCurrent, layout }: LayoutTarget, key: string, bytes: Uint8Array): void {
    const { cut } = this;
    const keyed = this.detection.engines[engine]!;
    const state = decodeKeyState(bytes, keyed.ruleSet, isCurrent ? outlineCodec : this.codec, layout);
    if (state === undefined) return;
    const passed = cut.origins === null ? cut.watermark : processedUpTo(cut.origins, key);
    keyed.restore(key, state, Math.max(cut.watermark, passed), isCurrent ? bytes : undefined);
    if (!isCurrent) keyed.markDirty([key]);
  }
}
