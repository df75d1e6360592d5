import type { KeyState } from '../../../engine/index.js';
import type { KeyMemory } from '../../keys/memory.js';
import type { SlotStates } from '../../keys/states/slot-states.js';
import type { KeyWindows } from '../../keys/windows/key-windows.js';

/** Where the keys of an engine are, and what they take. `tables`: what is kept beside states and windows. */
export function keyMemory(
  states: SlotStates<KeyState>,
  windows: KeyWindows | null,
  tables: readonly { readonly bytes: number }[],
  keys: number,
): KeyMemory {
  const windowBytes = windows?.heldBytes ?? 0;
  const spilled = windows?.spilled ?? null;
  return {
    ...(spilled && { spilled }),
    hotKeys: states.hotKeys,
    coldKeys: keys - states.hotKeys,
    coldBytes: states.coldBytes + windowBytes,
    tableBytes: tables.reduce(
      (sum, { bytes }) => sum + bytes,
      states.overheadBytes + (windows?.bytes ?? 0) - windowBytes,
    ),
  };
}
