import { ByteReader, ByteWriter } from '../../src/engine/bytes.js';
import { type CompiledPattern, compilePattern } from '../../src/engine/compiler/compile.js';
import { collectEvents, decodeGraph, encodeGraph } from '../../src/engine/graph/graph-codec.js';
import type { GraphState } from '../../src/engine/graph/node.js';
import { type GraphProcessLimits, processGraph } from '../../src/engine/graph/process.js';
import type { EngineEvent, Pattern } from '../../src/engine/index.js';
import { show } from './engine-rows.js';

export const UNLIMITED: GraphProcessLimits = {
  itemsMax: Number.MAX_SAFE_INTEGER,
  matchesMax: Number.POSITIVE_INFINITY,
};

/** One pattern over one key by the shared graph, with all that it tells. */
export class GraphRun {
  readonly pattern: CompiledPattern;
  state: GraphState | undefined;
  matchesDropped = 0;
  itemsDropped = 0;

  constructor(
    pattern: Pattern | CompiledPattern,
    private readonly limits: GraphProcessLimits = UNLIMITED,
  ) {
    this.pattern = 'states' in pattern ? pattern : compilePattern(pattern);
  }

  /** The matches of one event as text. */
  feed(event: EngineEvent): string[] {
    const found: string[] = [];
    const output = {
      onMatch: (match: Parameters<typeof show>[0]) => void found.push(show(match)),
      onMatchesDropped: (n: number) => {
        this.matchesDropped += n;
      },
      onRunsDropped: (n: number) => {
        this.itemsDropped += n;
      },
    };
    this.state = processGraph(this.pattern, this.state, event, output, this.limits);
    return found;
  }
}

export function graphBytes(state: GraphState): { readonly bytes: Uint8Array; readonly events: readonly EngineEvent[] } {
  const events = new Map<EngineEvent, number>();
  collectEvents(state, (event) => events.has(event) || events.set(event, events.size));
  const out = new ByteWriter();
  encodeGraph(out, state, (event) => events.get(event)!);
  return { bytes: out.finish(), events: [...events.keys()] };
}

/** The state after it was saved and loaded. */
export function reloaded(state: GraphState | undefined): GraphState | undefined {
  if (state === undefined) return undefined;
  const { bytes, events } = graphBytes(state);
  return decodeGraph(new ByteReader(bytes), events);
}
