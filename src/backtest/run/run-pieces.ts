import { deserialize, serialize } from 'node:v8';
import { decodeKeyState, encodeKeyState, ownLayout } from '../../engine/index.js';
import type { Detection } from '../../runtime/task/detection.js';
import type { FileEvent } from './file-event.js';
import { fileEventCodec } from './file-event-codec.js';

/** So many bytes are made at a time. */
const PIECE_BYTES = 1 << 20;

/** What is known of some keys of one engine, or events that are held back, as they follow each other there. */
type Piece =
  | { readonly held: readonly Uint8Array[] }
  | { readonly engine: number; readonly keys: readonly (readonly [key: string, state: Uint8Array])[] };

/** The events that a detection holds back, and what it knows of its keys. It must not go on before all have been made. */
export function* piecesOf(detection: Detection): Generator<Uint8Array> {
  const codec = fileEventCodec(() => {});
  for (const held of some(heldBy(detection), (event) => event.length)) yield pieceOf({ held });
  for (const [engine, keyed] of detection.engines.entries()) {
    for (const keys of some(statesOf(keyed), ([, state]) => state.length)) yield pieceOf({ engine, keys });
  }

  // In the order in which they will be put back: of one time, that in which they came.
  function* heldBy({ clock }: Detection): Generator<Uint8Array> {
    for (const event of clock.heldBackUnordered()) yield codec.encode(event);
  }

  function* statesOf(engine: Detection['engines'][number]): Generator<readonly [string, Uint8Array]> {
    for (const [key, state] of engine.known()) {
      // Without a codec of its own, an engine keeps no state as bytes.
      if (state instanceof Uint8Array) throw new Error(`the state of ${key} is bytes already`);
      yield [key, encodeKeyState(state, engine.ruleSet, codec)];
    }
  }
}

const pieceOf = (piece: Piece): Uint8Array => serialize(piece);

/** Items put together up to some bytes. */
function* some<T>(items: Iterable<T>, bytesOf: (item: T) => number): Generator<readonly T[]> {
  let together: T[] = [];
  let bytes = 0;
  for (const item of items) {
    together.push(item);
    bytes += bytesOf(item);
    if (bytes < PIECE_BYTES) continue;
    yield together;
    [together, bytes] = [[], 0];
  }
  if (together.length > 0) yield together;
}

/**
 * Puts back what `piecesOf` has made of a detection with the same rules, whose clock has been restored.
 *
 * @param onRead is told of each event.
 */
export function putBack(
  { clock, engines }: Detection,
  pieces: readonly Uint8Array[],
  onRead: (event: FileEvent) => void,
): void {
  const codec = fileEventCodec(onRead);
  for (const bytes of pieces) {
    const piece = deserialize(bytes) as Piece;
    if ('held' in piece) {
      for (const event of piece.held) clock.hold(codec.decode(event) as FileEvent);
      continue;
    }
    const engine = engines[piece.engine]!;
    const layout = ownLayout(engine.ruleSet);
    for (const [key, written] of piece.keys) {
      const state = decodeKeyState(written, engine.ruleSet, codec, layout);
      if (state !== undefined) engine.restore(key, state, clock.watermark);
    }
  }
}
