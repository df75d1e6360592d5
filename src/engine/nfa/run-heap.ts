import type { Run } from '../buffer/run.js';

/**
 * Binary min-heap of runs by their first event over a plain array, with the operations of `java.util.PriorityQueue`: which of several equal
 * runs comes first is part of the meaning that the conformance corpus records.
 */
/** Whether a run began strictly before another. The start run, which has no event, comes last. */
export function beganBefore(a: Run, b: Run): boolean {
  if (a.first === null) return false;
  return b.first === null || a.first.seq < b.first.seq;
}

export function heapAdd(heap: Run[], run: Run): void {
  let at = heap.length;
  heap.push(run);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent]!;
    if (!beganBefore(run, above)) break;
    heap[at] = above;
    heap[parent] = run;
    at = parent;
  }
}

export function heapPoll(heap: Run[]): Run | undefined {
  const root = heap[0];
  const last = heap.pop();
  if (heap.length > 0) sink(heap, 0, last!);
  return root;
}

/** Removes what `remove` says; the rest keeps its order in the array and is made a heap again. */
export function heapRemove(heap: Run[], remove: (run: Run) => boolean): void {
  let kept = 0;
  for (const run of heap) if (!remove(run)) heap[kept++] = run;
  if (kept === heap.length) return;
  heap.length = kept;
  for (let at = (kept >> 1) - 1; at >= 0; at--) sink(heap, at, heap[at]!);
}

function sink(heap: Run[], from: number, run: Run): void {
  const half = heap.length >> 1;
  let at = from;
  while (at < half) {
    let child = 2 * at + 1;
    if (child + 1 < heap.length && beganBefore(heap[child + 1]!, heap[child]!)) child++;
    const below = heap[child]!;
    if (!beganBefore(below, run)) break;
    heap[at] = below;
    at = child;
  }
  heap[at] = run;
}
