/** One of several threads that share out the keys; `index` from 0. */
export interface Lane {
  readonly index: number;
  readonly of: number;
}

/**
 * Which keys a lane has, where streams are not shared out by partition. Each lane reads all events, so that event time, and which
 * events are late, are the same in all, and steps those of its own keys: what it finds is what one lane alone would find for these keys.
 * So any rules can be shared out, whatever their keys. The first lane counts the events.
 */
export function keysOf({ index, of }: Lane): ((key: string) => boolean) | undefined {
  return of === 1 ? undefined : (key) => laneOf(key, of) === index;
}

/** FNV-1a with a last mixing, so that numbers in a row are spread as well. */
function laneOf(key: string, lanes: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 12)) >>> 0) % lanes;
}
