import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BenchError } from './bench-error.js';
import type { Mode } from './measure/engine-pass.js';
import { median } from './measure/passes.js';
import { parseStream } from './stream/spec.js';

/** Figures of another engine on the same workload and stream. */
export interface PeerFigures {
  /** Name and version, as its runner tells. */
  readonly engine: string;
  /** Median of the timed passes. */
  readonly eventsPerSecond: number;
  readonly min: number;
  readonly max: number;
  readonly cpuMicrosPerEvent: number;
  readonly matches: number;
  readonly passes: number;
}

/** A peer's figures beside ours. */
export interface ComparedPeer extends PeerFigures {
  /** Our rate to its. */
  readonly ratio: number;
}

/** A peer that could not answer, and why. */
export interface PeerFailure {
  readonly engine: string;
  readonly error: string;
}

/** How a peer is called: `run.sh MODULE MAIN ARGS…`. */
interface Peer {
  readonly name: string;
  /** How it gets the stream, so that it stands beside the mode of ours that gets it so too. */
  readonly mode: Mode;
  answers(workload: string): boolean;
  args(workload: string, stream: string, warmup: string, passes: string): readonly string[];
}

const PARALLELISM = '1';
/** Passes before the timed ones. A short stream is over before a virtual machine has compiled anything. */
const WARMUP = 1;
const WARMUP_SHORT = 5;
const SHORT_STREAM = 200_000;
const inSequence = /^W[1-5]$|^W6-\d+$/;

const PEERS: readonly Peer[] = [
  {
    name: 'esper',
    mode: 'in-order',
    answers: (w) => inSequence.test(w),
    args: (w, stream, warmup, passes) => ['esper', 'peers.EsperBench', w, stream, PARALLELISM, warmup, passes],
  },
  {
    name: 'siddhi',
    mode: 'in-order',
    answers: (w) => inSequence.test(w) && w !== 'W5',
    args: (w, stream, warmup, passes) => ['siddhi', 'peers.SiddhiBench', w, stream, PARALLELISM, warmup, passes],
  },
  {
    name: 'drools',
    mode: 'in-order',
    answers: (w) => w === 'W1',
    args: (w, stream, warmup, passes) => ['drools', 'peers.DroolsBench', w, stream, warmup, passes],
  },
  {
    name: 'flink',
    mode: 'watermark',
    answers: (w) => inSequence.test(w),
    // W4 is no pattern: there Flink's own answer is a process function.
    args: (w, stream, warmup, passes) => {
      const name = w === 'W4' ? 'W4kpf' : w;
      return ['flink', 'peers.FlinkBench', name, stream, PARALLELISM, 'keyBy', 'heap', warmup, passes];
    },
  },
  {
    name: 'java',
    mode: 'in-order',
    answers: (w) => inSequence.test(w),
    args: (w, stream, warmup, passes) => ['common', 'peers.Floor', w, stream, PARALLELISM, warmup, passes],
  },
];

export const PEER_NAMES: readonly string[] = PEERS.map(({ name }) => name);

/** One line that a runner appends to `$RESULTS` for each timed pass. */
interface PeerLine {
  readonly engine: string;
  readonly n: number;
  readonly iter: number;
  /** Events a second. */
  readonly eps: number;
  /** Processor time in seconds. */
  readonly cpu: number;
  readonly matches: number;
}

/** Runs other engines, each in a process of its own, by the `run.sh` of a folder. */
export class PeerRunner {
  private constructor(
    private readonly folder: string,
    private readonly peers: readonly Peer[],
    private readonly passes: number,
  ) {}

  /** `null`: there is no runner in the folder. Throws `BenchError` for a peer that is not known. */
  static open(folder: string | undefined, names: readonly string[], passes: number): PeerRunner | null {
    const peers = names.map((name) => {
      const peer = PEERS.find((each) => each.name === name);
      if (peer !== undefined) return peer;
      throw new BenchError('UNKNOWN_PEER', `There is no peer ${name}. Peers are ${PEER_NAMES.join(', ')}.`);
    });
    if (folder === undefined || !existsSync(join(folder, 'run.sh'))) return null;
    return new PeerRunner(folder, peers, passes);
  }

  /** Figures of every peer that answers this workload in this mode, one after the other. */
  async run(
    workload: string,
    stream: string,
    mode: Mode,
    tell: (text: string) => void,
  ): Promise<readonly (PeerFigures | PeerFailure)[]> {
    const found: (PeerFigures | PeerFailure)[] = [];
    for (const peer of this.peers) {
      if (peer.mode !== mode || !peer.answers(workload)) continue;
      tell(`${peer.name} runs`);
      found.push(await this.ask(peer, workload, stream));
    }
    return found;
  }

  private async ask(peer: Peer, workload: string, stream: string): Promise<PeerFigures | PeerFailure> {
    const folder = await mkdtemp(join(tmpdir(), 'stakeout-peer-'));
    const results = join(folder, 'results.ndjson');
    try {
      const warmup = parseStream(stream).events < SHORT_STREAM ? WARMUP_SHORT : WARMUP;
      const args = peer.args(workload, stream, String(warmup), String(this.passes));
      const failure = await runScript(join(this.folder, 'run.sh'), args, results);
      if (failure !== null) return { engine: peer.name, error: failure };
      return figuresOf(await readFile(results, 'utf8'));
    } catch (error) {
      return { engine: peer.name, error: `its results cannot be read: ${(error as Error).message}` };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

/** What a runner that fails says last is what went wrong. */
const TAIL = 400;

/** Runs the script; `null`: all went well. */
async function runScript(script: string, args: readonly string[], results: string): Promise<string | null> {
  const child = spawn('bash', [script, ...args], {
    env: { ...process.env, RESULTS: results },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (data) => {
    said = (said + String(data)).slice(-TAIL);
  });
  const [status, signal] = (await once(child, 'close')) as [number | null, string | null];
  return status === 0 ? null : `ended with ${status ?? signal}: ${said.trim()}`;
}

/** Throws when there is no timed pass among the lines. */
export function figuresOf(ndjson: string): PeerFigures {
  const lines = ndjson
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as PeerLine)
    .filter(({ iter }) => iter >= 0);
  const [first] = lines;
  if (first === undefined) throw new Error('there is no timed pass');
  const ascending = (values: number[]): number[] => values.sort((a, b) => a - b);
  const rates = ascending(lines.map(({ eps }) => eps));
  return {
    engine: first.engine,
    eventsPerSecond: median(rates),
    min: rates[0]!,
    max: rates.at(-1)!,
    cpuMicrosPerEvent: median(ascending(lines.map(({ cpu, n }) => (cpu * 1e6) / n))),
    matches: first.matches,
    passes: lines.length,
  };
}
