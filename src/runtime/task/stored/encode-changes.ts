import { type EventCodec, viewKeyState } from '../../../engine/index.js';
import { ByteSlabs } from '../../byte-slabs.js';
import type { StateBatch, StateEntry } from '../../ports/state-store.js';
import { type Cut, encodeCut } from './cut.js';
import { stateKey } from './state-key.js';
import type { LayoutChanges } from './stored-layouts.js';

/** What a snapshot took. */
export interface ChangesTaken {
  readonly cut: Cut;
  readonly changed: readonly LayoutChanges[];
  /** Keys that are stored otherwise than the rules of now store them. */
  readonly replaced: readonly Uint8Array[];
  readonly codec: EventCodec;
}

/** About a millisecond of encoding. */
const BYTES_PER_TURN = 16 * 1024;
const KEYS_PER_TURN = 64;

/** Makes the bytes of a snapshot, in slices with a `turn` for other work between them. */
export async function encodeChanges(taken: ChangesTaken, turn: () => Promise<void>): Promise<StateBatch> {
  const { cut, changed, replaced, codec } = taken;
  const slabs = new ByteSlabs();
  const puts: StateEntry[] = [];
  const deletes: Uint8Array[] = [...replaced];
  let keysLeft = KEYS_PER_TURN;
  let bytesLeft = BYTES_PER_TURN;
  for (const { number, engine, keys } of changed) {
    for (const [name, state] of keys) {
      const key = slabs.keep(stateKey.make(number, name));
      if (state === undefined) deletes.push(key);
      else {
        const value = slabs.keep(state instanceof Uint8Array ? state : viewKeyState(state, engine.ruleSet, codec));
        puts.push({ key, value });
        bytesLeft -= value.length;
      }
      if (--keysLeft > 0 && bytesLeft > 0) continue;
      await turn();
      [keysLeft, bytesLeft] = [KEYS_PER_TURN, BYTES_PER_TURN];
    }
  }
  return { position: cut.position, cut: encodeCut(cut), puts, deletes };
}
