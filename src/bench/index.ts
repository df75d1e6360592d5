/** The engine's own benchmark: workloads, floors, sweeps, and other engines beside them. */

export { BenchError } from './bench-error.js';
export { rounded } from './format/numbers.js';
export { formatEntry, formatReport } from './format/report.js';
export type { Mode } from './measure/engine-pass.js';
export { PEER_NAMES, PeerRunner } from './peers.js';
export { type BenchOptions, NAMES, planJobs } from './plan.js';
export { type BenchEntry, isSound, runBench } from './run-bench.js';
export { runInProcess } from './worker-process.js';
