import { deadlineBefore, hasOutline, runsBefore } from '../../../engine/index.js';
import { firstWhere } from '../../bisect.js';
import type { KeyMemory } from '../../keys/memory.js';
import { TimerHeap } from '../../keys/timers/timer-heap.js';
import type { EntryBlock } from '../../ports/entry-block.js';
import type { KeySource, Receive } from '../keyed/key-source.js';
import { stateKey } from './state-key.js';

/** Entries of a block that are keys of one engine. */
interface Piece {
  /** `null`: all have gone. */
  block: EntryBlock | null;
  /** The first of them in the block. */
  readonly from: number;
  readonly count: number;
  /** Number of the first among all keys. */
  readonly first: number;
  readonly firstKey: Uint8Array;
  /** 1: it has gone. */
  readonly gone: Uint8Array;
  left: number;
}

/**
 * The keys of one engine as a store had them: found and read when they are needed, so that a partition with a million keys goes on as
 * soon as their bytes are here. Of each that has not gone it is known, from the outline of its state, when something is due.
 *
 * Invariants
 * 1. Keys come in order of their bytes, so that one is found by halving.
 * 2. A key goes once. What `nextTimer` says is the deadline of one that has not gone.
 */
export class StoredKeys implements KeySource {
  private readonly pieces: Piece[] = [];
  private readonly timers = new TimerHeap((a, b) => a - b);
  private total = 0;
  private left = 0;
  private runsLeft = 0;
  private bytes = 0;

  /** `number`: of the engine in the store. */
  constructor(private readonly number: number) {}

  get keys(): number {
    return this.left;
  }

  get runs(): number {
    return this.runsLeft;
  }

  memory(): KeyMemory {
    return { hotKeys: 0, coldKeys: this.left, coldBytes: this.bytes, tableBytes: this.timers.bytes + this.total };
  }

  /** Takes in the entries `from` to `end` of a block, but for those whose states have no outline: `other` gets these. */
  add(block: EntryBlock, from: number, end: number, other: (entry: number) => void): void {
    const count = end - from;
    const piece: Piece = {
      ...{ block, from, count, left: 0 },
      ...{ first: this.total, firstKey: block.keyAt(from).slice(), gone: new Uint8Array(count) },
    };
    this.pieces.push(piece);
    this.timers.reserve(this.total + count);
    for (let i = 0; i < count; i++) {
      if (hasOutline(block.bytes, block.valueStart(from + i))) this.expect(piece, i, block);
      else {
        piece.gone[i] = 1;
        other(from + i);
      }
    }
    this.total += count;
    this.bytes += block.valueEnd(end - 1) - block.keyStart(from);
    if (piece.left === 0) this.forget(piece);
  }

  private expect(piece: Piece, i: number, block: EntryBlock): void {
    const end = block.valueEnd(piece.from + i);
    piece.left++;
    this.left++;
    this.runsLeft += runsBefore(block.view, end);
    const deadline = deadlineBefore(block.view, end);
    if (deadline !== Number.POSITIVE_INFINITY) this.timers.advance(piece.first + i, deadline);
  }

  nextTimer(): number {
    while (!this.timers.isEmpty && this.hasGone(this.timers.first())) this.timers.pop();
    return this.timers.nextTime();
  }

  /** The answer is a view that holds as long as its block. */
  release(key: string): Uint8Array | undefined {
    const wanted = stateKey.make(this.number, key);
    const piece = this.pieces[this.lastPiece((p) => Buffer.compare(p.firstKey, wanted) <= 0)];
    const place = piece === undefined ? -1 : placeOf(piece, wanted);
    return place < 0 ? undefined : this.take(piece!, place);
  }

  releaseDue(time: number, receive: Receive): void {
    while (this.nextTimer() <= time) this.giveTo(receive, this.timers.pop());
  }

  releaseSome(from: number, count: number, receive: Receive): number {
    const end = Math.min(this.total, from + count);
    for (let n = from; n < end; n++) if (!this.hasGone(n)) this.giveTo(receive, n);
    return end === this.total ? -1 : end;
  }

  private giveTo(receive: Receive, n: number): void {
    const piece = this.pieceOf(n);
    const { name } = stateKey.parse(piece.block!.keyAt(piece.from + n - piece.first));
    receive(name, this.take(piece, n - piece.first)!);
  }

  private take(piece: Piece, i: number): Uint8Array | undefined {
    if (piece.gone[i] === 1) return undefined;
    const block = piece.block!;
    piece.gone[i] = 1;
    piece.left--;
    this.left--;
    const value = block.valueAt(piece.from + i);
    this.runsLeft -= runsBefore(block.view, block.valueEnd(piece.from + i));
    if (piece.left === 0) this.forget(piece);
    return value;
  }

  private forget(piece: Piece): void {
    const { block, from, count } = piece;
    this.bytes -= block!.valueEnd(from + count - 1) - block!.keyStart(from);
    piece.block = null;
  }

  private hasGone(n: number): boolean {
    const piece = this.pieceOf(n);
    return piece.gone[n - piece.first] === 1;
  }

  private pieceOf(n: number): Piece {
    return this.pieces[this.lastPiece((piece) => piece.first <= n)]!;
  }

  /** The last of those that hold; they come before all others. -1: none does. */
  private lastPiece(holds: (piece: Piece) => boolean): number {
    return firstWhere(0, this.pieces.length, (i) => !holds(this.pieces[i]!)) - 1;
  }
}

/** Where in the piece a key is; -1: it is not there, or all have gone. */
function placeOf({ block, from, count }: Piece, key: Uint8Array): number {
  if (block === null) return -1;
  const place = firstWhere(0, count, (i) => block.compareKey(from + i, key) >= 0);
  return place < count && block.compareKey(from + place, key) === 0 ? place : -1;
}
