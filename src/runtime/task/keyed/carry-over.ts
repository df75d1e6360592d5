import {
  ByteReader,
  ByteWriter,
  decodeFeatures,
  decodeKeyState,
  type EventCodec,
  encodeFeatures,
  encodeKeyState,
  type FeatureState,
  type KeyState,
  ownLayout,
  type RuleSet,
  StateCarrier,
  viewKeyState,
  windowIdsOf,
  withFeatures,
  withoutEnded,
} from '../../../engine/index.js';
import type { Released } from './key-source.js';
import type { Succession } from './succession.js';

export interface CarryOptions {
  readonly from: RuleSet;
  readonly to: RuleSet;
  readonly way: Succession;
  /** Writes the events of the rules before, and reads them for those after. */
  readonly codec: EventCodec;
  /** Reads events that are only looked at, and written again as they were; absent: `codec` must do. */
  readonly outline?: EventCodec | undefined;
  /**
   * Up to which the events under the rules before were processed. Runs whose window had ended by then do not go over, though the window of the rules
   * after may be longer: whether they are still there is a matter of when memory was tidied up.
   */
  readonly watermark: number;
  /** Events that the rules before have taken in have all that the rules after read. */
  readonly readsSame: boolean;
}

/** What is known of a key under the rules after. */
export interface Carried {
  readonly state: KeyState;
  /** Bytes of the state without features, which stays cold; absent: it stays an object. */
  readonly bytes?: Uint8Array;
}

export type Carry = (value: Released) => Carried | undefined;

/** How what is known of a key goes over from one engine's rules to those of the next. The outcome is that of writing and reading it. */
export function carryOver(options: CarryOptions): Carry {
  return options.readsSame ? asItIs(options) : readAnew(options);
}

/** Events are decoded again, for fields that no rule before had read. */
function readAnew({ from, to, way, codec, outline = codec, watermark }: CarryOptions): Carry {
  const own = ownLayout(from);
  return (value) => {
    const cold = value instanceof Uint8Array;
    const before = cold ? decodeKeyState(value, from, outline, own)! : value;
    const alive = withoutEnded(from, before, watermark);
    if (alive === undefined) return undefined;
    const written = cold && alive === before ? value : encodeKeyState(alive, from, codec);
    const state = decodeKeyState(written, to, codec, way);
    if (state === undefined) return undefined;
    const rest = withFeatures(state, undefined);
    return rest === undefined ? { state } : { state, bytes: viewKeyState(rest, to, codec) };
  };
}

function asItIs({ from, to, way, codec, outline = codec, watermark }: CarryOptions): Carry {
  const carrier = new StateCarrier(from, to, (slot) => way.slots[slot]);
  const own = ownLayout(from);
  const features = featuresOver(from, to, way);
  return (value) => {
    const cold = value instanceof Uint8Array;
    const before = cold ? decodeKeyState(value, from, outline, own)! : value;
    const alive = withoutEnded(from, before, watermark);
    const rest = alive === undefined ? undefined : carrier.carry(alive);
    const state = withFeatures(rest, features(before.features));
    if (state === undefined) return undefined;
    if (!cold || rest === undefined) return { state };
    const same = rest === before && from.features === null && to.features === null;
    return { state, bytes: same ? value : viewKeyState(rest, to, codec) };
  };
}

type FeaturesOver = (state: FeatureState | undefined) => FeatureState | undefined;

function featuresOver(from: RuleSet, to: RuleSet, { windows }: Succession): FeaturesOver {
  const written = from.features;
  const read = to.features;
  if (written === null || read === null) return () => undefined;
  if (JSON.stringify(windowIdsOf(from)) === JSON.stringify(windowIdsOf(to))) return (state) => state;
  return (state) => {
    if (state === undefined) return undefined;
    const out = new ByteWriter();
    encodeFeatures(out, written, state);
    return decodeFeatures(new ByteReader(out.take()), read, windows);
  };
}
