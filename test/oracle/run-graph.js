import { KIND_PARENTS } from '../../src/cli/conformance/case.js';
import { compilePattern } from '../../src/engine/compiler/compile.js';
import { fitsGraph } from '../../src/engine/graph/eligible.js';
import { processGraph } from '../../src/engine/graph/process.js';
import { reloaded, UNLIMITED } from '../harness/graph-run.js';
import { Found } from './found.js';

const known = new WeakMap();
function compiled(pattern) {
  const found = known.get(pattern) ?? compilePattern(pattern, { kindParents: KIND_PARENTS });
  known.set(pattern, found);
  return found;
}
const graphEngine = (name, between) => ({
  name,
  timeouts: 'none',
  quantifierGap: 'flink',
  takes: (pattern) => fitsGraph(compiled(pattern)),
  run: (patterns, stream) => patterns.map((pattern) => runGraph(compiled(pattern), stream, between)),
});
/** The shared graph, with the patterns that fit it. */
export const GRAPH = graphEngine('graph', (state) => state);
/** The same with the state written to bytes and read again before each event. */
export const GRAPH_THROUGH_BYTES = graphEngine('graph through bytes', reloaded);
function runGraph(pattern, stream, between) {
  const found = new Found();
  let state;
  for (const [at, { event }] of stream.entries()) {
    found.at = at;
    if (event === undefined) continue;
    const output = { onMatch: found.match.bind(found) };
    state = processGraph(pattern, between(state), event, output, UNLIMITED);
  }
  return found.inOrder().toSorted();
}
