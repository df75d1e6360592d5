import { partitionOfKey } from '../../partitioner.js';

/**
 * Where the keys of a partition were before, when it was put together from several partitions of another topic that had not come
 * equally far: a key's events are late here if they would have been late there. So a key's events are processed in order of time, and
 * none is processed twice.
 *
 * It matters until the watermark here has passed all of those.
 */
export interface Origins {
  /** Watermarks of all partitions of that topic, in ms: what they had passed was processed there. */
  readonly watermarks: readonly number[];
}

const text = new TextEncoder();

/** Event time up to which all of a key was processed where it was. */
export function processedUpTo({ watermarks }: Origins, key: string): number {
  return watermarks[partitionOfKey(text.encode(key), watermarks.length)]!;
}

/** `null` once nothing depends on them any more. */
export function originsAt(origins: Origins | null, watermark: number): Origins | null {
  return origins?.watermarks.some((passed) => passed > watermark) ? origins : null;
}
